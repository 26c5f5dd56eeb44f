//! The rows of a state on disk.
//!
//! Most are in one keyspace. Rows of a role's numbered tables ([`Role::numbered`](crate::Role::numbered)) are in keyspaces of
//! so many numbers each, their segments: they come in the order of their numbers and go in it, and so are written once and
//! never merged with others. A segment that is empty is dropped whole.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::{Arc, PoisonError, RwLock},
};

use bytes::Bytes;
use fjall::{
    CompressionType, Database, DatabaseBuilder, Keyspace, KeyspaceCreateOptions, KvSeparationOptions,
    OwnedWriteBatch,
    compaction::Leveled,
    config::{CompressionPolicy, FilterPolicy, FilterPolicyEntry, PartitioningPolicy, PinningPolicy},
};

use crate::{LogError, Role, state::STAGE};

/// What is kept in memory of the newest rows of a topic or a state, in bytes, before they become a file; while that is
/// written, as much again. Less costs more files; fjall's own 64 MB cost as much CPU, and twice the memory.
pub(crate) const MEMTABLE_BYTES: u64 = 16 << 20;

/// Rows of this size and more are written once, beside the others, and not again with every compaction.
const SEPARATION_BYTES: u32 = 256;

/// Of a file of such rows so much may be of rows that are gone, before what is left is written anew.
const STALE_SHARE: f32 = 0.33;

/// Rows are merged in files of this size, in bytes, once so many are new. Keys are hashes: what is new lies among all that
/// the next level has, and the smaller that one is, the less is written again.
const FILE_BYTES: u64 = 8 << 20;
const NEW_FILES: u8 = 8;

/// A segment has the rows of so many numbers. Larger ones keep room longer than they need it; each has files and memory of
/// its own.
const SEGMENT: u64 = 1 << 17;

/// The same as [`SEPARATION_BYTES`] in a segment, where rows are not written again anyway: smaller ones are packed together.
const SEGMENT_SEPARATION_BYTES: u32 = 512;

/// Changes: what each key gets, or that it goes.
pub(crate) type Writes = BTreeMap<Vec<u8>, Option<Bytes>>;

/// Journals are kept until what they tell is in files; beyond so many bytes, what keeps the oldest is put into files. Less
/// makes small files of what changes seldom; all of it is read again when a process starts.
const JOURNAL_BYTES: u64 = 128 << 20;

/// How a database is opened in `folder`. Journals are short-lived, and the larger values in them packed already.
pub(crate) fn database(folder: &Path) -> DatabaseBuilder<Database> {
    Database::builder(folder)
        .worker_threads(1)
        .journal_compression(CompressionType::None)
        .max_journaling_size(JOURNAL_BYTES)
}

/// A numbered table, by the first byte of its keys, and which of its segments.
type SegmentId = (u8, u64);

/// The rows of one state. Cheap to clone; all clones are the same rows.
#[derive(Clone)]
pub(crate) struct Rows(Arc<Shared>);

struct Shared {
    db: Database,
    name: String,
    numbered: &'static [u8],
    /// All that is in no numbered table.
    others: Keyspace,
    segments: RwLock<BTreeMap<SegmentId, Keyspace>>,
}

impl Rows {
    /// Opens or creates the rows of that name.
    pub(crate) fn open(db: &Database, name: &str, role: &Role) -> fjall::Result<Self> {
        let others = db.keyspace(name, others_options)?;
        let mut segments = BTreeMap::new();
        for keyspace in db.list_keyspace_names() {
            if let Some(id) = segment_named(name, &keyspace) {
                segments.insert(id, db.keyspace(&keyspace, segment_options)?);
            }
        }
        let segments = RwLock::new(segments);
        let (db, name, numbered) = (db.clone(), name.to_owned(), role.numbered);
        let rows = Self(Arc::new(Shared { db, name, numbered, others, segments }));
        // One that was emptied just before the process ended.
        let known: Vec<SegmentId> = rows.segments(|segments| segments.keys().copied().collect());
        known.into_iter().try_for_each(|id| rows.drop_if_empty(id))?;
        Ok(rows)
    }

    pub(crate) fn get(&self, key: &[u8]) -> fjall::Result<Option<Bytes>> {
        let found = match self.segment_of(key) {
            None => self.0.others.get(key)?,
            Some(id) => match self.segments(|segments| segments.get(&id).cloned()) {
                Some(segment) => segment.get(key)?,
                None => None,
            },
        };
        Ok(found.map(Into::into))
    }

    /// Rows whose key begins with `prefix`, from `prefix` followed by `from` on, in key order; of one table at most, where
    /// that is a numbered one.
    pub(crate) fn scan(
        &self,
        prefix: &[u8],
        from: &[u8],
    ) -> impl Iterator<Item = Result<(Bytes, Bytes), LogError>> + use<> {
        let first = [prefix, from].concat();
        let places = match self.table_of(prefix) {
            None => vec![self.0.others.clone()],
            Some(table) => {
                let ids = (table, number(&first) / SEGMENT)..=(table, u64::MAX);
                self.segments(|segments| segments.range(ids).map(|(_, segment)| segment.clone()).collect())
            }
        };
        let prefix = prefix.to_vec();
        let is_within = move |row: &Result<(Bytes, Bytes), LogError>| {
            row.as_ref().map_or(true, |(key, _)| key.starts_with(&prefix))
        };
        places
            .into_iter()
            .flat_map(move |place| place.range(first.clone()..))
            .map(into_row)
            .take_while(is_within)
    }

    /// Adds changes to a batch.
    pub(crate) fn write(&self, batch: &mut OwnedWriteBatch, writes: &Writes) -> fjall::Result<()> {
        for (key, value) in writes {
            let place = match self.segment_of(key) {
                None => Some(self.0.others.clone()),
                Some(id) => match self.segments(|segments| segments.get(&id).cloned()) {
                    None if value.is_some() => Some(self.create(id)?),
                    known => known,
                },
            };
            match (place, value) {
                (Some(place), Some(value)) => batch.insert(&place, key.as_slice(), value.clone()),
                (Some(place), None) => batch.remove(&place, key.as_slice()),
                // What is to be removed is gone with its segment.
                (None, _) => {}
            }
        }
        Ok(())
    }

    /// Drops the segments that are empty since these changes were committed.
    pub(crate) fn written(&self, writes: &Writes) -> fjall::Result<()> {
        // With the last of its numbers. A row that outlives that one keeps its segment until the rows are opened again.
        let is_last = |key: &[u8]| number(key) % SEGMENT == SEGMENT - 1;
        writes.iter().try_for_each(|(key, value)| match self.segment_of(key) {
            Some(id) if value.is_none() && is_last(key) => self.drop_if_empty(id),
            _ => Ok(()),
        })
    }

    /// Removes all rows; those of numbered tables last, so that where it is cut off, what else was said of them is gone.
    pub(crate) fn clear(&self) -> fjall::Result<()> {
        self.0.others.clear()?;
        let segments = std::mem::take(&mut *self.0.segments.write().unwrap_or_else(PoisonError::into_inner));
        segments.into_values().try_for_each(|segment| self.0.db.delete_keyspace(segment))
    }

    /// Bytes of all files.
    pub(crate) fn disk_space(&self) -> u64 {
        let segments: u64 =
            self.segments(|segments| segments.values().map(|segment| segment.disk_space()).sum());
        self.0.others.disk_space() + segments
    }

    fn segments<T>(&self, look: impl FnOnce(&BTreeMap<SegmentId, Keyspace>) -> T) -> T {
        look(&self.0.segments.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn create(&self, id: SegmentId) -> fjall::Result<Keyspace> {
        let segment = self.0.db.keyspace(&segment_name(&self.0.name, id), segment_options)?;
        self.0.segments.write().unwrap_or_else(PoisonError::into_inner).insert(id, segment.clone());
        Ok(segment)
    }

    fn drop_if_empty(&self, id: SegmentId) -> fjall::Result<()> {
        let Some(segment) = self.segments(|segments| segments.get(&id).cloned()) else { return Ok(()) };
        if segment.first_key_value().is_some() {
            return Ok(());
        }
        self.0.segments.write().unwrap_or_else(PoisonError::into_inner).remove(&id);
        self.0.db.delete_keyspace(segment)
    }

    fn segment_of(&self, key: &[u8]) -> Option<SegmentId> {
        Some((self.table_of(key)?, number(key) / SEGMENT))
    }

    /// The numbered table that a key is of.
    fn table_of(&self, key: &[u8]) -> Option<u8> {
        match key {
            [STAGE, table, ..] if self.0.numbered.contains(table) => Some(*table),
            _ => None,
        }
    }
}

/// The number in the key of a row of a numbered table; bytes that are missing are 0.
fn number(key: &[u8]) -> u64 {
    let digits = key.iter().skip(2).chain(std::iter::repeat(&0));
    digits.take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn segment_name(name: &str, (table, segment): SegmentId) -> String {
    format!("{name}/{table}/{segment}")
}

fn segment_named(name: &str, keyspace: &str) -> Option<SegmentId> {
    let (table, segment) = keyspace.strip_prefix(name)?.strip_prefix('/')?.split_once('/')?;
    Some((table.parse().ok()?, segment.parse().ok()?))
}

fn others_options() -> KeyspaceCreateOptions {
    // Rows go in the order in which they came: files are stale or not whatever their age. Large rows come packed.
    let separation = KvSeparationOptions::default()
        .separation_threshold(SEPARATION_BYTES)
        .compression(CompressionType::None)
        .staleness_threshold(STALE_SHARE)
        .age_cutoff(1.0);
    options().max_memtable_size(MEMTABLE_BYTES).with_kv_separation(Some(separation))
}

/// Files follow one another, and are moved and not merged: they are packed as they are written first. Whoever asks for a
/// number asks for a row that is there: filters would not help.
fn segment_options() -> KeyspaceCreateOptions {
    let separation = KvSeparationOptions::default()
        .separation_threshold(SEGMENT_SEPARATION_BYTES)
        .compression(CompressionType::None);
    options()
        .with_kv_separation(Some(separation))
        .max_memtable_size(MEMTABLE_BYTES / 2)
        .data_block_compression_policy(CompressionPolicy::all(CompressionType::Lz4))
        .filter_policy(FilterPolicy::all(FilterPolicyEntry::None))
}

fn options() -> KeyspaceCreateOptions {
    let levels = Leveled::default().with_table_target_size(FILE_BYTES).with_l0_threshold(NEW_FILES);
    KeyspaceCreateOptions::default()
        .compaction_strategy(Arc::new(levels))
        .filter_block_pinning_policy(PinningPolicy::all(true))
        .filter_block_partitioning_policy(PartitioningPolicy::all(false))
        .index_block_pinning_policy(PinningPolicy::all(true))
        .index_block_partitioning_policy(PartitioningPolicy::all(false))
}

fn into_row(row: fjall::Guard) -> Result<(Bytes, Bytes), LogError> {
    let (key, value) = row.into_inner()?;
    Ok((key.into(), value.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLE: Role =
        Role { name: "r", input: "i", dead_letters: "d", state_version: Some(1), numbered: b"n" };

    fn key(number: u64) -> Vec<u8> {
        [&[STAGE, b'n'], number.to_be_bytes().as_slice()].concat()
    }

    fn write(rows: &Rows, changes: &[(Vec<u8>, Option<&'static str>)]) {
        let changes = changes.iter().map(|(key, value)| (key.clone(), value.map(Bytes::from)));
        let changes: Writes = changes.collect();
        let mut batch = rows.0.db.batch();
        rows.write(&mut batch, &changes).unwrap();
        batch.commit().unwrap();
        rows.written(&changes).unwrap();
    }

    fn numbers(rows: &Rows, from: &[u8]) -> Vec<u64> {
        rows.scan(&[STAGE, b'n'], from).map(|row| number(&row.unwrap().0)).collect()
    }

    fn keyspaces(rows: &Rows) -> usize {
        rows.0.db.keyspace_count()
    }

    #[test]
    fn numbered_rows_are_read_across_segments() {
        let folder = tempfile::tempdir().unwrap();
        let db = Database::builder(folder.path()).open().unwrap();
        let rows = Rows::open(&db, "rows", &ROLE).unwrap();
        let all = [1, SEGMENT - 1, SEGMENT, 5 * SEGMENT, 300 * SEGMENT];
        write(&rows, &all.map(|number| (key(number), Some("a"))));
        write(&rows, &[(b"sm".to_vec(), Some("before")), (b"so".to_vec(), Some("after"))]);
        for rows in [rows.clone(), Rows::open(&db, "rows", &ROLE).unwrap()] {
            assert_eq!(keyspaces(&rows), 5);
            assert_eq!(numbers(&rows, &[]), all);
            assert_eq!(numbers(&rows, &SEGMENT.to_be_bytes()), all[2..]);
            assert_eq!(numbers(&rows, &[0, 0, 0, 0, 1]), all[4..]);
            let within = rows.scan(&[STAGE, b'n', 0, 0, 0, 0, 0], &[]);
            assert_eq!(within.map(|row| number(&row.unwrap().0)).collect::<Vec<_>>(), all[..4]);
            assert_eq!(rows.get(&key(5 * SEGMENT)).unwrap().as_deref(), Some(b"a".as_slice()));
            assert_eq!(rows.get(&key(7 * SEGMENT)).unwrap(), None);
            assert_eq!(rows.get(b"sm").unwrap().as_deref(), Some(b"before".as_slice()));
            assert_eq!(rows.scan(b"s", &[]).count(), 2, "those that are not numbered");
        }
        // Of a name that begins like this one's.
        let other = Rows::open(&db, "rows/110", &ROLE).unwrap();
        assert_eq!(numbers(&other, &[]), [0; 0]);
        rows.clear().unwrap();
        assert_eq!((numbers(&rows, &[]), rows.get(b"sm").unwrap()), (Vec::new(), None));
        assert_eq!(numbers(&Rows::open(&db, "rows", &ROLE).unwrap(), &[]), [0; 0]);
    }

    #[test]
    fn an_empty_segment_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let db = Database::builder(folder.path()).open().unwrap();
        let rows = Rows::open(&db, "rows", &ROLE).unwrap();
        write(&rows, &[3, SEGMENT + 3, 2 * SEGMENT].map(|number| (key(number), Some("a"))));
        assert_eq!(keyspaces(&rows), 4);
        // No row has the last number: it is deleted all the same.
        write(&rows, &[3, SEGMENT - 1].map(|number| (key(number), None)));
        assert_eq!(keyspaces(&rows), 3);
        assert_eq!(numbers(&rows, &[]), [SEGMENT + 3, 2 * SEGMENT]);
        // Deleted once more, where nothing is.
        write(&rows, &[(key(3), None)]);
        assert_eq!(keyspaces(&rows), 3);
        // One outlives the last number, and goes later.
        write(&rows, &[(key(2 * SEGMENT - 1), None)]);
        assert_eq!(numbers(&rows, &[]), [SEGMENT + 3, 2 * SEGMENT]);
        write(&rows, &[(key(SEGMENT + 3), None)]);
        let rows = Rows::open(&db, "rows", &ROLE).unwrap();
        assert_eq!((keyspaces(&rows), numbers(&rows, &[])), (2, vec![2 * SEGMENT]));
        // A number that comes back finds a place.
        write(&rows, &[(key(1), Some("again"))]);
        assert_eq!(numbers(&rows, &[]), [1, 2 * SEGMENT]);
    }
}
