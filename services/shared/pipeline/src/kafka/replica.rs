//! The local copy of a partition's state, and how it is brought to its changelog's end.
//!
//! Beside the rows the copy keeps the changelog offset it has applied up to. A copy that is behind catches up from
//! there; one that is missing, of another cluster, ahead of the changelog, or not written for longer than tombstones are
//! kept is built anew from the changelog's beginning. Who deletes a changelog deletes the copies, too.

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

use super::{Kafka, REQUEST_TIMEOUT, assigned_reader, unavailable};
use crate::{
    LogError, Role, State,
    state::{META, read_i64, rows_options, tagged},
};

/// Rows written at once while catching up.
const BATCH_ROWS: usize = 4096;

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
        let options = log.options();
        let db = log.db()?;
        let name = format!("{}.{}.{partition}", options.prefix, role.name);
        let state = State::new(db.keyspace(&name, rows_options)?);
        let mut replica = Self { db, state };
        let changelog = options.changelog(role);
        let (low, end) =
            bounds.fetch_watermarks(&changelog, partition, REQUEST_TIMEOUT).map_err(|e| unavailable(&e))?;
        let now_ms = options.clock.now_ms();
        let is_stale = now_ms - replica.number("written")?.unwrap_or(now_ms)
            > options.changelog_retention.as_millis() as i64;
        let cluster = bounds.client().fetch_cluster_id(REQUEST_TIMEOUT).unwrap_or_default();
        let cluster_key = tagged(META, b"cluster");
        let is_of_this_cluster =
            replica.state.raw(&cluster_key)?.is_some_and(|known| *known == *cluster.as_bytes());
        let from = match replica.number("changelog")? {
            Some(applied) if (low..=end).contains(&applied) && !is_stale && is_of_this_cluster => applied,
            _ => {
                replica.state.rows().clear()?;
                replica.state.rows().insert(cluster_key, cluster.as_bytes())?;
                low
            }
        };
        if from < end {
            replica.catch_up(log, &changelog, partition, from, end, &mut meanwhile)?;
        }
        replica.state.check_version(role)?;
        Ok(replica)
    }

    /// Applies what a committed step changed; `changelog` is the offset after its last change there.
    pub(super) fn apply(
        &self,
        writes: &BTreeMap<Vec<u8>, Option<Bytes>>,
        changelog: Option<i64>,
        now_ms: i64,
    ) -> Result<(), LogError> {
        let mut batch = self.db.batch();
        let rows = self.state.rows();
        for (key, value) in writes {
            match value {
                Some(value) => batch.insert(rows, key.as_slice(), value.clone()),
                None => batch.remove(rows, key.as_slice()),
            }
        }
        if let Some(changelog) = changelog {
            batch.insert(rows, tagged(META, b"changelog"), changelog.to_be_bytes());
            batch.insert(rows, tagged(META, b"written"), now_ms.to_be_bytes());
        }
        Ok(batch.commit()?)
    }

    fn number(&self, name: &str) -> Result<Option<i64>, LogError> {
        Ok(self.state.raw(&tagged(META, name.as_bytes()))?.map(|value| read_i64(&value)))
    }

    /// Reads committed changes `from..end`. An open transaction before `end` is waited for: it is another owner's, and
    /// the brokers end it at its time-out.
    fn catch_up(
        &mut self,
        log: &Kafka,
        changelog: &str,
        partition: i32,
        from: i64,
        end: i64,
        meanwhile: &mut impl FnMut() -> Result<(), LogError>,
    ) -> Result<(), LogError> {
        let options = log.options();
        let reader: BaseConsumer = assigned_reader(options, "restore", "read_committed")?;
        let mut assignment = TopicPartitionList::new();
        assignment
            .add_partition_offset(changelog, partition, Offset::Offset(from))
            .map_err(|e| unavailable(&e))?;
        reader.assign(&assignment).map_err(|e| unavailable(&e))?;
        let mut pending = BTreeMap::new();
        let mut applied = from;
        let mut last_progress = Instant::now();
        let patience = options.transaction_timeout * 2 + REQUEST_TIMEOUT;
        while applied < end {
            meanwhile()?;
            match reader.poll(Duration::from_millis(200)) {
                Some(Ok(message)) => {
                    let value = message.payload().map(Bytes::copy_from_slice);
                    pending.insert(message.key().unwrap_or_default().to_vec(), value);
                    applied = message.offset() + 1;
                    last_progress = Instant::now();
                }
                Some(Err(cause @ KafkaError::MessageConsumptionFatal(_))) => return Err(unavailable(&cause)),
                // An end, or a broker that is away: the client goes on by itself.
                None | Some(Err(_)) => {
                    // Markers of transactions have offsets but are no records: the position passes them.
                    let position = position_of(&reader, changelog, partition);
                    if position > Some(applied) {
                        applied = position.unwrap_or(applied);
                        last_progress = Instant::now();
                    }
                    if last_progress.elapsed() > patience {
                        return Err(LogError::Unavailable(format!(
                            "{changelog}/{partition} cannot be read on from {applied} to {end}"
                        )));
                    }
                }
            }
            if pending.len() >= BATCH_ROWS || applied >= end {
                self.apply(&std::mem::take(&mut pending), Some(applied), options.clock.now_ms())?;
            }
        }
        Ok(())
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
