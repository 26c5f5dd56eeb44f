//! The embedded log: topics, positions and state in one fjall database, no server.
//!
//! One committer writes the steps of all roles, grouped, each in one atomic batch. A batch is handed to the operating
//! system before its steps count as committed, so that a killed process loses nothing; `fsync` makes it outlive the
//! machine. Every topic has one partition. A record that a role consumes is deleted with the step that took it;
//! records of topics that no role consumes stay, in a compacted one the last of each key.

mod committer;
mod compacted;
mod role;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use bytes::Bytes;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions};

use crate::{
    Clock, LogError, Origin, Output, Probe, Record, Role, State, Step,
    rows::{self, MEMTABLE_BYTES},
    state::read_i64,
    stored,
};
use committer::{Committer, Entry};
pub use role::EmbeddedRole;

/// The one partition of every topic.
const PARTITION: i32 = 0;

/// How long a folder that is held is asked for again: whoever looks into a stopped one holds it for a moment.
const PATIENCE: Duration = Duration::from_secs(2);

/// Bodies above this are kept apart from the index, in bytes.
const SEPARATION_BYTES: u32 = 4096;

/// How an embedded log is opened.
#[derive(Clone, Default)]
pub struct Options {
    /// Sync every commit to the disk: survives a power loss, at a cost.
    pub fsync: bool,
    /// Where time comes from.
    pub clock: Clock,
    /// Topics that keep the last record of each key only.
    pub compacted: &'static [&'static str],
    /// Told every action of every role before it is done.
    pub probe: Option<Probe>,
}

/// An open database. Closed when the last clone and the last role are gone.
#[derive(Clone)]
pub struct Embedded(Arc<Shared>);

struct Shared {
    db: Database,
    folder: PathBuf,
    meta: Keyspace,
    clock: Clock,
    probe: Option<Probe>,
    commits: Mutex<Option<mpsc::SyncSender<Entry>>>,
    committer: Mutex<Option<JoinHandle<()>>>,
    changed: Arc<Signal>,
}

/// Wakes roles when something was committed.
#[derive(Default)]
struct Signal {
    generation: Mutex<u64>,
    condition: Condvar,
}

impl Embedded {
    /// Opens or creates the database in `folder`. One process at a time.
    pub fn open(folder: &Path, options: &Options) -> Result<Self, LogError> {
        let refused = |cause: &dyn std::fmt::Display| LogError::folder(folder, cause);
        std::fs::create_dir_all(folder).map_err(|cause| refused(&cause))?;
        let db = database(&folder.join("log")).map_err(|cause| refused(&cause))?;
        let meta = db.keyspace("meta", compact)?;
        let changed = Arc::new(Signal::default());
        let committer = Committer::new(db.clone(), meta.clone(), options, changed.clone());
        let (commits, queue) = mpsc::sync_channel(64);
        let thread = thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || committer.run(&queue))
            .map_err(|cause| refused(&cause))?;
        Ok(Self(Arc::new(Shared {
            db,
            folder: folder.to_owned(),
            meta,
            clock: options.clock.clone(),
            probe: options.probe.clone(),
            commits: Mutex::new(Some(commits)),
            committer: Mutex::new(Some(thread)),
            changed,
        })))
    }

    /// Takes a role's place. One at a time for each role.
    pub fn role(&self, role: Role) -> Result<EmbeddedRole, LogError> {
        EmbeddedRole::open(self.clone(), role)
    }

    /// Writes records that no role's step writes: what a user submits. Returns when they are committed.
    pub fn append(&self, outputs: Vec<Output>) -> Result<(), LogError> {
        self.0.commit(Entry { outputs, ..Entry::default() })
    }

    /// Up to `limit` records of a topic from `offset` on.
    pub fn read(&self, topic: &str, offset: i64, limit: usize) -> Result<Vec<Record>, LogError> {
        let rows = self.0.topic(topic)?;
        rows.range(offset.to_be_bytes()..).take(limit).map(|row| read_row(topic, row)).collect()
    }

    /// The state of a role, and a step to read it through, which is never committed: a look at one that does not run.
    pub fn look(&self, role: &Role) -> Result<(State, Step), LogError> {
        let state = State::new(committer::state_rows(&self.0.db, role)?);
        state.check_version(role)?;
        Ok((state.clone(), Step::new([(PARTITION, state)].into_iter())))
    }

    /// The offset after a topic's last record.
    pub fn end(&self, topic: &str) -> Result<i64, LogError> {
        self.0.number(&committer::end_key(topic))
    }

    /// The offset of the next record that a role will take.
    pub fn position(&self, role: &Role) -> Result<i64, LogError> {
        self.0.number(&committer::position_key(role.name))
    }
}

/// Opens a database; one that another process holds is waited for a little.
#[expect(clippy::disallowed_methods, reason = "a lock on a file cannot be waited for with a deadline")]
fn database(folder: &Path) -> fjall::Result<Database> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match rows::database(folder).open() {
            Err(fjall::Error::Locked) if Instant::now() < deadline => thread::sleep(PATIENCE / 40),
            opened => return opened,
        }
    }
}

impl Shared {
    fn topic(&self, topic: &str) -> Result<Keyspace, LogError> {
        Ok(committer::topic_rows(&self.db, topic)?)
    }

    fn number(&self, key: &str) -> Result<i64, LogError> {
        Ok(self.meta.get(key)?.map_or(0, |value| read_i64(&value)))
    }

    fn commit(&self, mut entry: Entry) -> Result<(), LogError> {
        let (reply, done) = mpsc::sync_channel(1);
        entry.reply = Some(reply);
        let closed = || LogError::Fatal("the data folder is being closed".to_owned());
        let commits = unpoisoned(self.commits.lock()).clone().ok_or_else(closed)?;
        commits.send(entry).map_err(|_| closed())?;
        done.recv().map_err(|_| closed())?.map_err(LogError::Fatal)
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        drop(unpoisoned(self.commits.lock()).take());
        if let Some(committer) = unpoisoned(self.committer.lock()).take() {
            let _ = committer.join();
        }
    }
}

impl Signal {
    fn generation(&self) -> u64 {
        *unpoisoned(self.generation.lock())
    }

    fn raise(&self) {
        *unpoisoned(self.generation.lock()) += 1;
        self.condition.notify_all();
    }

    /// Waits until the signal was raised after `seen`, or until `wait` is over.
    fn wait(&self, seen: u64, wait: Duration) {
        let guard = unpoisoned(self.generation.lock());
        drop(self.condition.wait_timeout_while(guard, wait, |now| *now == seen));
    }
}

fn read_row(topic: &str, row: fjall::Guard) -> Result<Record, LogError> {
    let (offset, value) = row.into_inner()?;
    let origin = Origin { topic: topic.to_owned(), partition: PARTITION, offset: read_i64(&offset) };
    stored::load(origin, Bytes::from(value))
}

fn compact() -> KeyspaceCreateOptions {
    KeyspaceCreateOptions::default().max_memtable_size(MEMTABLE_BYTES)
}

fn separated() -> KeyspaceCreateOptions {
    let separation = KvSeparationOptions::default().separation_threshold(SEPARATION_BYTES);
    compact().with_kv_separation(Some(separation))
}

/// The values behind these locks are whole at every moment: a panic of a holder breaks nothing.
fn unpoisoned<'a, T>(lock: Result<MutexGuard<'a, T>, PoisonError<MutexGuard<'a, T>>>) -> MutexGuard<'a, T> {
    lock.unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use fjall::CompressionType;

    use super::*;

    #[test]
    fn a_folder_with_packed_journals_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let text = Bytes::from(vec![b'a'; 100_000]);
        let db = Database::builder(folder.path().join("log"))
            .journal_compression(CompressionType::Lz4)
            .open()
            .unwrap();
        let record = stored::store(Bytes::new(), Some(text.clone()), Vec::new(), 1);
        committer::topic_rows(&db, "pages").unwrap().insert(0_i64.to_be_bytes(), record).unwrap();
        db.persist(fjall::PersistMode::Buffer).unwrap();
        drop(db);
        let log = Embedded::open(folder.path(), &Options::default()).unwrap();
        assert_eq!(log.read("pages", 0, 10).unwrap()[0].value, Some(text));
    }
}
