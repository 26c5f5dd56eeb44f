//! A partition's state: a fjall keyspace, read directly and written only by committed steps.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use fjall::{
    CompressionType, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, UserKey, UserValue,
    compaction::Leveled,
};

use crate::{LogError, Role, timers::Timers};

/// First byte of every key: what kind of row it is. The changelog carries stage rows and timers; positions are local.
pub(crate) const STAGE: u8 = b's';
pub(crate) const TIMER: u8 = b't';
pub(crate) const META: u8 = b'm';
/// The one row that says which layout the state has; it travels with the state.
const VERSION: &[u8] = b"v";

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

pub(crate) fn rows_options() -> KeyspaceCreateOptions {
    // Rows go in the order in which they came: files are stale or not whatever their age. Large rows come packed.
    let separation = KvSeparationOptions::default()
        .separation_threshold(SEPARATION_BYTES)
        .compression(CompressionType::None)
        .staleness_threshold(STALE_SHARE)
        .age_cutoff(1.0);
    let levels = Leveled::default().with_table_target_size(FILE_BYTES).with_l0_threshold(NEW_FILES);
    KeyspaceCreateOptions::default()
        .max_memtable_size(MEMTABLE_BYTES)
        .with_kv_separation(Some(separation))
        .compaction_strategy(Arc::new(levels))
}

/// A view of the state as last committed. Cheap to clone.
#[derive(Clone)]
pub struct State {
    rows: Keyspace,
}

impl State {
    pub(crate) fn new(rows: Keyspace) -> Self {
        Self { rows }
    }

    pub(crate) fn rows(&self) -> &Keyspace {
        &self.rows
    }

    /// Refuses a state of another layout than the role's.
    pub(crate) fn check_version(&self, role: &Role) -> Result<(), LogError> {
        let (Some(version), Some(found)) = (role.state_version, self.raw(VERSION)?) else { return Ok(()) };
        if *found == version.to_be_bytes() {
            return Ok(());
        }
        let found = found.iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        Err(LogError::Fatal(format!(
            "the state of the {} has version {found}, and this program knows {version} alone; use the wireroom that wrote \
             it, or start anew under another prefix and data folder",
            role.name
        )))
    }

    /// Puts the version into the first changes that a state gets.
    pub(crate) fn stamp(
        &self,
        role: &Role,
        writes: &mut BTreeMap<Vec<u8>, Option<Bytes>>,
    ) -> Result<(), LogError> {
        if let Some(version) = role.state_version
            && !writes.is_empty()
            && !self.rows.contains_key(VERSION)?
        {
            writes.insert(VERSION.to_vec(), Some(Bytes::copy_from_slice(&version.to_be_bytes())));
        }
        Ok(())
    }

    /// The value of a key.
    pub fn get(&self, key: &[u8]) -> Result<Option<Bytes>, LogError> {
        self.raw(&tagged(STAGE, key))
    }

    /// Rows whose key begins with `prefix`, in key order.
    pub fn scan(&self, prefix: &[u8]) -> impl Iterator<Item = Result<(Bytes, Bytes), LogError>> + use<> {
        self.scan_from(prefix, &[])
    }

    /// The same, from the one on whose key goes on with `from`.
    pub fn scan_from(
        &self,
        prefix: &[u8],
        from: &[u8],
    ) -> impl Iterator<Item = Result<(Bytes, Bytes), LogError>> + use<> {
        let prefix = tagged(STAGE, prefix);
        let rows = self.rows.range([&prefix, from].concat()..).map(into_row);
        let is_within = move |row: &Result<(Bytes, Bytes), LogError>| {
            row.as_ref().map_or(true, |(key, _)| key.starts_with(&prefix))
        };
        rows.take_while(is_within).map(|row| row.map(|(key, value)| (key.slice(1..), value)))
    }

    pub(crate) fn raw(&self, key: &[u8]) -> Result<Option<Bytes>, LogError> {
        Ok(self.rows.get(key)?.map(into_bytes))
    }

    pub(crate) fn raw_scan(
        &self,
        prefix: &[u8],
    ) -> impl Iterator<Item = Result<(Bytes, Bytes), LogError>> + use<> {
        self.rows.prefix(prefix).map(into_row)
    }

    /// Puts the partition's timers into `timers`.
    pub(crate) fn load_timers(&self, partition: i32, timers: &mut Timers) -> Result<(), LogError> {
        timers.forget(partition);
        for row in self.raw_scan(&[TIMER]) {
            let (key, due) = row?;
            timers.set(partition, &key.slice(1..), read_i64(&due));
        }
        Ok(())
    }
}

pub(crate) fn tagged(tag: u8, key: &[u8]) -> Vec<u8> {
    let mut tagged = Vec::with_capacity(key.len() + 1);
    tagged.push(tag);
    tagged.extend_from_slice(key);
    tagged
}

/// Eight bytes, big-endian; 0 of anything else.
pub(crate) fn read_i64(bytes: &[u8]) -> i64 {
    bytes.try_into().map_or(0, i64::from_be_bytes)
}

fn into_row(row: fjall::Guard) -> Result<(Bytes, Bytes), LogError> {
    let (key, value) = row.into_inner()?;
    Ok((key_bytes(key), into_bytes(value)))
}

fn into_bytes(value: UserValue) -> Bytes {
    value.into()
}

fn key_bytes(key: UserKey) -> Bytes {
    key.into()
}
