//! The embedded log: topics, positions and state in one fjall database, large values in files beside it, no server.
//!
//! One committer writes the steps of all roles, grouped, each in one atomic batch. A batch is handed to the operating
//! system before its steps count as committed, so that a killed process loses nothing; `fsync` makes it outlive the
//! machine. Every topic has one partition. A record that a role consumes is deleted with the step that took it;
//! records of topics that no role consumes stay, in a compacted one the last of each key.

mod bodies;
mod committer;
mod compacted;
mod role;
mod stored;

use std::{
    path::{Path, PathBuf},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use bytes::Bytes;
use fjall::{Database, Keyspace, KeyspaceCreateOptions, KvSeparationOptions, PersistMode};

use crate::{
    Clock, LogError, Origin, Output, Probe, Record, Role, State, Step,
    record::value_dropped,
    rows::{self, MEMTABLE_BYTES},
    state::read_i64,
};
use bodies::Bodies;
use committer::{Committer, Entry};
pub use role::EmbeddedRole;

/// The one partition of every topic.
const PARTITION: i32 = 0;

/// How long a folder that is held is asked for again: whoever looks into a stopped one holds it for a moment.
const PATIENCE: Duration = Duration::from_secs(2);

/// Values above this are kept apart from the index, in bytes: those of compacted topics, and of folders of earlier versions.
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
    bodies: Arc<Bodies>,
    clock: Clock,
    probe: Option<Probe>,
    commits: Mutex<Option<mpsc::SyncSender<Entry>>>,
    committer: Mutex<Option<JoinHandle<()>>>,
    changed: Arc<Signal>,
}

/// A record, and whether its value was lost.
struct Found {
    record: Record,
    is_lost: bool,
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
        let db = database(&folder.join("log")).map_err(|cause| match cause {
            fjall::Error::Locked => LogError::folder_in_use(folder),
            cause => refused(&cause),
        })?;
        let meta = db.keyspace("meta", compact)?;
        let first_of = |topic: &str| -> fjall::Result<Option<i64>> {
            let first = committer::topic_rows(&db, topic)?.first_key_value().map(fjall::Guard::key);
            Ok(first.transpose()?.map(|offset| read_i64(&offset)))
        };
        db.persist(PersistMode::SyncData)?;
        let bodies = Bodies::open(&folder.join("bodies"), options.fsync, first_of);
        let bodies = Arc::new(bodies.map_err(|cause| refused(&cause))?);
        let changed = Arc::new(Signal::default());
        let committer = Committer::new(db.clone(), meta.clone(), bodies.clone(), options, changed.clone());
        let (commits, queue) = mpsc::sync_channel(64);
        let thread = thread::Builder::new()
            .name("committer".to_owned())
            .spawn(move || committer.run(&queue))
            .map_err(|cause| refused(&cause))?;
        Ok(Self(Arc::new(Shared {
            db,
            folder: folder.to_owned(),
            meta,
            bodies,
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

    /// Up to `limit` records of a topic from `offset` on. One whose value was lost with the machine's power has none, and a
    /// header that says so ([`crate::VALUE_DROPPED`]).
    pub fn read(&self, topic: &str, offset: i64, limit: usize) -> Result<Vec<Record>, LogError> {
        let rows = self.0.topic(topic)?;
        let mut records = Vec::new();
        for row in rows.range(offset.to_be_bytes()..).take(limit) {
            let Found { record, is_lost } = self.0.record(topic, row)?;
            // A role may have taken it meanwhile, and its body is deleted.
            if !is_lost || rows.contains_key(record.origin.offset.to_be_bytes())? {
                records.push(record);
            }
        }
        Ok(records)
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

    fn record(&self, topic: &str, row: fjall::Guard) -> Result<Found, LogError> {
        let (offset, row) = row.into_inner()?;
        let origin = Origin { topic: topic.to_owned(), partition: PARTITION, offset: read_i64(&offset) };
        let (mut record, body) = stored::load(origin, Bytes::from(row))?;
        if let Some(place) = &body {
            record.value =
                self.bodies.read(topic, record.origin.offset, place).map_err(fjall::Error::from)?;
        }
        let lost = body.filter(|_| record.value.is_none());
        record.headers.extend(lost.as_ref().map(|place| value_dropped(place.length)));
        Ok(Found { record, is_lost: lost.is_some() })
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
    use crate::{Limits, Log as _};

    #[test]
    fn a_folder_with_packed_journals_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let text = Bytes::from(vec![b'a'; 100_000]);
        let db = Database::builder(folder.path().join("log"))
            .journal_compression(CompressionType::Lz4)
            .open()
            .unwrap();
        let record = stored::store(Bytes::new(), stored::Value::Here(text.clone()), Vec::new(), 1);
        committer::topic_rows(&db, "pages").unwrap().insert(0_i64.to_be_bytes(), record).unwrap();
        db.persist(fjall::PersistMode::Buffer).unwrap();
        drop(db);
        let log = Embedded::open(folder.path(), &Options::default()).unwrap();
        assert_eq!(log.read("pages", 0, 10).unwrap()[0].value, Some(text));
    }

    const ROLE: Role =
        Role { name: "r", input: "pages", dead_letters: "letters", state_version: None, numbered: &[] };

    fn open(folder: &Path) -> Embedded {
        Embedded::open(folder, &Options { compacted: &["latest"], ..Options::default() }).unwrap()
    }

    fn output(topic: &'static str, value: &Bytes) -> Output {
        let (key, value) = (Bytes::from("key"), Some(value.clone()));
        Output { topic, partition: None, key, value, headers: Vec::new() }
    }

    fn values(records: &[Record]) -> Vec<Option<Bytes>> {
        records.iter().map(|record| record.value.clone()).collect()
    }

    #[test]
    fn values_of_all_sizes_are_read_as_they_were_written() {
        let folder = tempfile::tempdir().unwrap();
        let wanted = [0, 1, 4095, 4096, 100_000].map(|bytes| Bytes::from(vec![b'a'; bytes]));
        let log = open(folder.path());
        for topic in ["pages", "latest", "letters"] {
            log.append(wanted.iter().map(|value| output(topic, value)).collect()).unwrap();
        }
        drop(log);
        let log = open(folder.path());
        let all = wanted.clone().map(Some);
        assert_eq!(values(&log.read("pages", 0, 10).unwrap()), all);
        assert_eq!(values(&log.read("latest", 0, 10).unwrap()), all[4..]);
        assert_eq!(values(&log.read("letters", 3, 1).unwrap()), all[3..4]);

        let mut role = log.role(ROLE).unwrap();
        let limits = Limits { records: 10, bytes: 1 << 20, timers: 0 };
        let records = role.poll(limits, Duration::ZERO).unwrap().records;
        assert_eq!(values(&records), all);
        let mut step = role.step();
        step.take(&records[4].origin);
        role.commit(step).unwrap();
        assert_eq!(log.read("pages", 0, 10).unwrap(), []);
        drop((role, log));
        drop(open(folder.path()));
        let files = |topic| std::fs::read_dir(folder.path().join("bodies").join(topic)).unwrap().count();
        assert_eq!((files("pages"), files("letters")), (0, 1), "what is read by a role goes");
    }

    #[test]
    fn a_value_that_the_disk_lost_is_a_dead_letter() {
        let folder = tempfile::tempdir().unwrap();
        let log = open(folder.path());
        let large = |byte| Bytes::from(vec![byte; 10_000]);
        log.append([b'a', b'b', b'c'].map(|byte| output("pages", &large(byte))).into()).unwrap();
        drop(log);
        let file = std::fs::read_dir(folder.path().join("bodies/pages")).unwrap().next().unwrap().unwrap();
        let file = std::fs::OpenOptions::new().write(true).open(file.path()).unwrap();
        std::os::unix::fs::FileExt::write_all_at(&file, &[0; 4096], 12_288).unwrap();

        let log = open(folder.path());
        let mut role = log.role(ROLE).unwrap();
        let limits = Limits { records: 10, bytes: 1 << 20, timers: 0 };
        let mut poll = || {
            let records = role.poll(limits, Duration::ZERO).unwrap().records;
            let mut step = role.step();
            records.iter().for_each(|record| step.take(&record.origin));
            role.commit(step).unwrap();
            values(&records)
        };
        assert_eq!(poll(), [Some(large(b'a'))], "up to it");
        assert_eq!(poll(), [Some(large(b'c'))], "and after it");
        let letters = log.read("letters", 0, 10).unwrap();
        let reason = ("wireroom_reason".to_owned(), b"lost".to_vec());
        assert!(values(&letters) == [None] && letters[0].headers.contains(&reason), "{letters:?}");
        assert!(letters[0].headers.contains(&value_dropped(10_000)), "it is no tombstone");
    }
}
