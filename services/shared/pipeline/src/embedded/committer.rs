//! The one writer: groups the steps that wait into one atomic batch.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Arc, mpsc},
};

use fjall::{Database, Keyspace, PersistMode};

use super::{
    Options, Signal,
    bodies::{BODY_BYTES, Bodies},
    compacted::Compacted,
    separated,
    stored::{self, Value},
};
use crate::{
    Action, Clock, Output, Role,
    log::Noter,
    rows::{Rows, Writes},
    state::read_i64,
};

/// How many steps are grouped at most.
const GROUP_STEPS: usize = 64;

/// A step on its way to the disk.
#[derive(Default)]
pub(super) struct Entry {
    pub outputs: Vec<Output>,
    /// The role whose position moves, and its input topic.
    pub role: Option<(&'static str, &'static str)>,
    /// Input offsets taken, `from..to`.
    pub taken: std::ops::Range<i64>,
    pub state: Option<(Rows, Arc<Writes>)>,
    pub note: Option<Noter>,
    pub reply: Option<mpsc::SyncSender<Result<(), String>>>,
}

pub(super) struct Committer {
    db: Database,
    meta: Keyspace,
    clock: Clock,
    durability: PersistMode,
    compacted: &'static [&'static str],
    ends: HashMap<&'static str, i64>,
    topics: HashMap<String, Keyspace>,
    bodies: Arc<Bodies>,
    changed: Arc<Signal>,
    /// A batch failed on its way to the disk: it may be there yet, and its bodies are kept for it.
    is_broken: bool,
}

impl Committer {
    pub(super) fn new(
        db: Database,
        meta: Keyspace,
        bodies: Arc<Bodies>,
        options: &Options,
        changed: Arc<Signal>,
    ) -> Self {
        // Handed to the operating system at the least: a batch that waits in our own memory dies with us.
        let durability = if options.fsync { PersistMode::SyncAll } else { PersistMode::Buffer };
        let clock = options.clock.clone();
        let compacted = options.compacted;
        let (ends, topics) = Default::default();
        Self { db, meta, clock, durability, compacted, ends, topics, bodies, changed, is_broken: false }
    }

    /// Commits what comes until every sender is gone.
    pub(super) fn run(mut self, queue: &mpsc::Receiver<Entry>) {
        while let Ok(first) = queue.recv() {
            let mut group = vec![first];
            group.extend(queue.try_iter().take(GROUP_STEPS - 1));
            let replies: Vec<_> = group.iter_mut().filter_map(|entry| entry.reply.take()).collect();
            let done = self.commit(group).map_err(|cause| {
                self.ends.clear();
                format!("the data folder cannot be written: {cause}; is the disk full?")
            });
            self.changed.raise();
            for reply in replies {
                // Whoever no longer waits does not want to know.
                let _ = reply.send(done.clone());
            }
        }
    }

    fn commit(&mut self, group: Vec<Entry>) -> fjall::Result<()> {
        if self.is_broken {
            return Err(fjall::Error::Poisoned);
        }
        let mut batch = self.db.batch().durability(Some(self.durability));
        let now_ms = self.clock.now_ms();
        // Written once a batch, however many records it has.
        let mut grown = BTreeSet::new();
        let mut compacted = Compacted::default();
        let mut taken = Vec::new();
        for entry in group {
            let at = |action| entry.note.iter().for_each(|note| note(action));
            at(Action::Produce);
            for output in entry.outputs {
                let topic = output.topic;
                let offset = self.end(topic)?;
                let Output { key, value, headers, .. } = output;
                // Rows of compacted topics go in any order, and files of bodies in one.
                if self.compacted.contains(&topic) {
                    let value = value.map_or(Value::Tombstone, Value::Here);
                    let row = stored::store(key.clone(), value, headers, now_ms);
                    compacted.put(topic, key, offset, row);
                } else {
                    let value = match value {
                        None => Value::Tombstone,
                        Some(body) if body.len() >= BODY_BYTES => {
                            Value::At(self.bodies.append(topic, offset, &body)?)
                        }
                        Some(small) => Value::Here(small),
                    };
                    let row = stored::store(key, value, headers, now_ms);
                    batch.insert(&self.rows(topic)?, offset.to_be_bytes(), row);
                }
                self.ends.insert(topic, offset + 1);
                grown.insert(topic);
            }
            at(Action::State);
            if let Some((rows, writes)) = &entry.state {
                rows.write(&mut batch, writes)?;
            }
            at(Action::Offsets);
            if let Some((role, input)) = entry.role.filter(|_| !entry.taken.is_empty()) {
                batch.insert(&self.meta, position_key(role), entry.taken.end.to_be_bytes());
                let rows = self.rows(input)?;
                taken.push((input, entry.taken.end));
                for offset in entry.taken {
                    batch.remove(&rows, offset.to_be_bytes());
                }
            }
            if let Some(note) = &entry.note {
                note(Action::Commit);
            }
        }
        let db = self.db.clone();
        compacted.write(&db, &mut batch, |topic| self.rows(topic))?;
        for topic in grown {
            let end = self.end(topic)?;
            batch.insert(&self.meta, end_key(topic), end.to_be_bytes());
            self.bodies.write(topic)?;
        }
        batch.commit().inspect_err(|_| self.is_broken = true)?;
        taken.retain(|(topic, end)| self.bodies.has_before(topic, *end));
        // With the machine's power rows could come back whose bodies are gone. What cannot be deleted now is deleted when
        // the log is opened again.
        if !taken.is_empty() && self.db.persist(PersistMode::SyncData).is_ok() {
            taken.into_iter().for_each(|(topic, end)| drop(self.bodies.delete_before(topic, end)));
        }
        Ok(())
    }

    fn end(&mut self, topic: &str) -> fjall::Result<i64> {
        match self.ends.get(topic) {
            Some(end) => Ok(*end),
            None => Ok(self.meta.get(end_key(topic))?.map_or(0, |end| read_i64(&end))),
        }
    }

    fn rows(&mut self, topic: &str) -> fjall::Result<Keyspace> {
        if let Some(rows) = self.topics.get(topic) {
            return Ok(rows.clone());
        }
        let rows = topic_rows(&self.db, topic)?;
        self.topics.insert(topic.to_owned(), rows.clone());
        Ok(rows)
    }
}

pub(super) fn topic_rows(db: &Database, topic: &str) -> fjall::Result<Keyspace> {
    db.keyspace(&format!("topic.{topic}"), separated)
}

pub(super) fn state_rows(db: &Database, role: &Role) -> fjall::Result<Rows> {
    Rows::open(db, &format!("state.{}", role.name), role)
}

pub(super) fn end_key(topic: &str) -> String {
    format!("end/{topic}")
}

pub(super) fn position_key(role: &str) -> String {
    format!("position/{role}")
}
