//! The local copy of a partition's state, and how it is brought to its changelog's end.
//!
//! Beside the rows the copy keeps the changelog offset it has applied up to. A copy that is behind catches up from
//! there; one that is missing, of another cluster, ahead of the changelog, or not written for longer than tombstones are
//! kept is built anew from the changelog's beginning. Who deletes a changelog deletes the copies, too.
//!
//! An instance that holds nothing stands by: it follows the changelogs of all partitions, and has to read no more than
//! their last changes when it takes one over.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bytes::Bytes;
use fjall::Database;
use rdkafka::{
    Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};

use super::{Kafka, REQUEST_TIMEOUT, assigned_reader, partition_count, unavailable};
use crate::{
    Clock, LogError, Role, State,
    rows::{Rows, Writes},
    state::{META, read_i64, tagged},
};

/// Rows written at once while catching up.
const BATCH_ROWS: usize = 4096;
/// A copy that has nothing to apply is marked so often as being up to date.
const WRITTEN_EVERY: Duration = Duration::from_secs(60);

/// A partition's local state.
#[derive(Clone)]
pub(super) struct Replica {
    db: Database,
    pub state: State,
}

impl Replica {
    /// Opens the local copy and brings it to the end that the changelog has now, whatever is still open in it.
    ///
    /// `bounds` reads uncommitted. To be called after the group's committed offset was read: what was committed before is then in the changelog.
    pub(super) fn restore(
        log: &Kafka,
        role: &Role,
        partition: i32,
        bounds: &BaseConsumer,
        mut meanwhile: impl FnMut() -> Result<(), LogError>,
    ) -> Result<Self, LogError> {
        let Opened { replica, applied, end } = Self::open(log, role, partition, bounds)?;
        if applied < end {
            let mut follower = Follower::new(log, role, [(partition, replica.clone(), applied)])?;
            let patience = log.options().transaction_timeout * 2 + REQUEST_TIMEOUT;
            let (mut applied, mut last_progress) = (applied, Instant::now());
            // An open transaction before the end is waited for: it is another owner's, and the brokers end it at its
            // time-out.
            while applied < end {
                meanwhile()?;
                follower.read(Duration::from_millis(200))?;
                let now_at = follower.applied(partition);
                if now_at > applied {
                    (applied, last_progress) = (now_at, Instant::now());
                } else if last_progress.elapsed() > patience {
                    return Err(LogError::Unavailable(format!(
                        "{}/{partition} cannot be read on from {applied} to {end}",
                        follower.changelog
                    )));
                }
            }
            follower.write()?;
        }
        replica.state.check_version(role)?;
        Ok(replica)
    }

    /// Opens the local copy, emptied where it is of no use.
    fn open(log: &Kafka, role: &Role, partition: i32, bounds: &BaseConsumer) -> Result<Opened, LogError> {
        let options = log.options();
        let db = log.db()?;
        let name = format!("{}.{}.{partition}", options.prefix, role.name);
        let state = State::new(Rows::open(&db, &name, role)?);
        let replica = Self { db, state };
        let (low, end) = bounds
            .fetch_watermarks(&options.changelog(role), partition, REQUEST_TIMEOUT)
            .map_err(|e| unavailable(&e))?;
        let now_ms = options.clock.now_ms();
        let is_stale = now_ms - replica.number("written")?.unwrap_or(now_ms)
            > options.changelog_retention.as_millis() as i64;
        let cluster = bounds.client().fetch_cluster_id(REQUEST_TIMEOUT).unwrap_or_default();
        let cluster_key = tagged(META, b"cluster");
        let is_of_this_cluster =
            replica.state.raw(&cluster_key)?.is_some_and(|known| *known == *cluster.as_bytes());
        let applied = match replica.number("changelog")? {
            Some(applied) if (low..=end).contains(&applied) && !is_stale && is_of_this_cluster => applied,
            _ => {
                replica.state.rows().clear()?;
                let of_cluster = (cluster_key, Some(Bytes::from(cluster)));
                replica.apply(&BTreeMap::from([of_cluster]), None, now_ms)?;
                low
            }
        };
        Ok(Opened { replica, applied, end })
    }

    /// Applies what a committed step changed; `changelog` is the offset after its last change there.
    pub(super) fn apply(&self, writes: &Writes, changelog: Option<i64>, now_ms: i64) -> Result<(), LogError> {
        let mut batch = self.db.batch();
        let rows = self.state.rows();
        rows.write(&mut batch, writes)?;
        if let Some(changelog) = changelog {
            let number =
                |name, number: i64| (tagged(META, name), Some(Bytes::copy_from_slice(&number.to_be_bytes())));
            let numbers = [number(b"changelog".as_slice(), changelog), number(b"written", now_ms)];
            rows.write(&mut batch, &BTreeMap::from(numbers))?;
        }
        batch.commit()?;
        Ok(rows.written(writes)?)
    }

    fn number(&self, name: &str) -> Result<Option<i64>, LogError> {
        Ok(self.state.raw(&tagged(META, name.as_bytes()))?.map(|value| read_i64(&value)))
    }
}

/// A local copy, the changelog offset it has applied up to, and the changelog's end.
struct Opened {
    replica: Replica,
    applied: i64,
    end: i64,
}

/// Applies committed changes to copies as they come.
pub(super) struct Follower {
    reader: BaseConsumer,
    changelog: String,
    clock: Clock,
    copies: BTreeMap<i32, Copy>,
}

struct Copy {
    replica: Replica,
    /// The changelog offset after what was read.
    applied: i64,
    /// Read, and not yet written.
    pending: Writes,
    written: Instant,
}

impl Follower {
    /// Follows all partitions of a role: what an instance does that holds none, so that it can take over at once.
    pub(super) fn of_all(log: &Kafka, role: &Role, bounds: &BaseConsumer) -> Result<Self, LogError> {
        let partitions = partition_count(bounds, &log.options().changelog(role))?;
        let copies = (0..i32::try_from(partitions).unwrap_or(i32::MAX)).map(|partition| {
            let Opened { replica, applied, .. } = Replica::open(log, role, partition, bounds)?;
            Ok((partition, replica, applied))
        });
        Self::new(log, role, copies.collect::<Result<Vec<_>, LogError>>()?)
    }

    fn new(
        log: &Kafka,
        role: &Role,
        copies: impl IntoIterator<Item = (i32, Replica, i64)>,
    ) -> Result<Self, LogError> {
        let options = log.options();
        let (reader, changelog) =
            (assigned_reader(options, "restore", "read_committed")?, options.changelog(role));
        let mut follower = Self { reader, changelog, clock: options.clock.clone(), copies: BTreeMap::new() };
        let mut assignment = TopicPartitionList::new();
        for (partition, replica, applied) in copies {
            assignment
                .add_partition_offset(&follower.changelog, partition, Offset::Offset(applied))
                .map_err(|e| unavailable(&e))?;
            let copy = Copy { replica, applied, pending: BTreeMap::new(), written: Instant::now() };
            follower.copies.insert(partition, copy);
        }
        follower.reader.assign(&assignment).map_err(|e| unavailable(&e))?;
        Ok(follower)
    }

    /// Takes the next change, if one comes within `wait`; what is read is written now and then.
    pub(super) fn read(&mut self, wait: Duration) -> Result<bool, LogError> {
        match self.reader.poll(wait) {
            Some(Ok(message)) => {
                let Some(copy) = self.copies.get_mut(&message.partition()) else { return Ok(true) };
                let value = message.payload().map(Bytes::copy_from_slice);
                copy.pending.insert(message.key().unwrap_or_default().to_vec(), value);
                copy.applied = message.offset() + 1;
                if copy.pending.len() >= BATCH_ROWS {
                    copy.write(self.clock.now_ms())?;
                }
                Ok(true)
            }
            Some(Err(cause @ KafkaError::MessageConsumptionFatal(_))) => Err(unavailable(&cause)),
            // An end, or a broker that is away: the client goes on by itself.
            None | Some(Err(_)) => {
                for (partition, copy) in &mut self.copies {
                    // Markers of transactions have offsets but are no records: the position passes them.
                    let position = position_of(&self.reader, &self.changelog, *partition);
                    copy.applied = copy.applied.max(position.unwrap_or(0));
                    if !copy.pending.is_empty() || copy.written.elapsed() > WRITTEN_EVERY {
                        copy.write(self.clock.now_ms())?;
                    }
                }
                Ok(false)
            }
        }
    }

    /// Writes all that was read.
    pub(super) fn write(&mut self) -> Result<(), LogError> {
        let now_ms = self.clock.now_ms();
        self.copies.values_mut().try_for_each(|copy| copy.write(now_ms))
    }

    fn applied(&self, partition: i32) -> i64 {
        self.copies.get(&partition).map_or(0, |copy| copy.applied)
    }
}

impl Copy {
    fn write(&mut self, now_ms: i64) -> Result<(), LogError> {
        self.written = Instant::now();
        self.replica.apply(&std::mem::take(&mut self.pending), Some(self.applied), now_ms)
    }
}

pub(super) fn position_of<C: rdkafka::consumer::ConsumerContext>(
    consumer: &BaseConsumer<C>,
    topic: &str,
    partition: i32,
) -> Option<i64> {
    match consumer.position().ok()?.find_partition(topic, partition)?.offset() {
        Offset::Offset(position) => Some(position),
        _ => None,
    }
}
