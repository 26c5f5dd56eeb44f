//! Membership in a role's consumer group.

use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use prometheus::IntGauge;
use rdkafka::{
    ClientContext, TopicPartitionList,
    consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance},
    error::KafkaResult,
    statistics::{Partition, Statistics},
};
use tracing::{info, warn};

use super::{Kafka, misconfigured, unavailable};
use crate::{LogError, Role};

/// How often the client tells of itself.
const STATISTICS_EVERY: Duration = Duration::from_secs(10);

/// A new member of the role's group.
pub(super) fn subscribe(
    log: &Kafka,
    role: &Role,
    lag: &IntGauge,
) -> Result<BaseConsumer<Rebalances>, LogError> {
    let options = log.options();
    let mut config = options.consumer_config(&options.group(role));
    config
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", options.session_timeout.as_millis().to_string())
        .set("statistics.interval.ms", STATISTICS_EVERY.as_millis().to_string())
        .set("heartbeat.interval.ms", (options.session_timeout / 10).as_millis().to_string());
    if options.is_static_member {
        config.set("group.instance.id", format!("{}-{}", role.name, options.instance));
    }
    let consumer: BaseConsumer<Rebalances> =
        config.create_with_context(Rebalances::new(lag.clone())).map_err(|e| misconfigured(&e))?;
    consumer.subscribe(&[&options.topic(role.input)]).map_err(|e| unavailable(&e))?;
    Ok(consumer)
}

/// Collects what the group decides; it is acted upon between polls. Tells how much there is to read, and whether anybody
/// is there to read from.
pub(super) struct Rebalances {
    changes: Mutex<Vec<Change>>,
    lag: IntGauge,
    is_away: AtomicBool,
}

/// A change of assignment, by partition.
pub(super) enum Change {
    Gained(Vec<i32>),
    Lost(Vec<i32>),
}

impl ClientContext for Rebalances {
    fn stats(&self, statistics: Statistics) {
        let partitions = statistics.topics.values().flat_map(|topic| topic.partitions.values());
        self.lag.set(partitions.map(lag).sum());
        let is_away = !statistics.brokers.values().any(|broker| broker.state == "UP");
        if self.is_away.swap(is_away, Ordering::SeqCst) != is_away {
            if is_away {
                warn!("no broker answers");
            } else {
                info!("a broker answers again");
            }
        }
    }
}

/// How many offsets of a partition are not read yet; none where it is not this member's.
fn lag(partition: &Partition) -> i64 {
    let read = if partition.app_offset >= 0 { partition.app_offset } else { partition.next_offset };
    let is_known = partition.fetch_state == "active" && read >= 0 && partition.ls_offset >= 0;
    if is_known { partition.ls_offset.saturating_sub(read).max(0) } else { 0 }
}

impl ConsumerContext for Rebalances {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Revoke(partitions) = rebalance {
            self.push(Change::Lost(numbers(partitions)));
        }
    }

    fn post_rebalance(&self, consumer: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        if let Rebalance::Assign(partitions) = rebalance {
            // Nothing is handed out before position and state are at hand.
            if let Err(cause) = consumer.pause(partitions) {
                warn!(%cause, "new partitions could not be paused");
            }
            self.push(Change::Gained(numbers(partitions)));
        }
    }

    fn commit_callback(&self, _: KafkaResult<()>, _: &TopicPartitionList) {}
}

impl Rebalances {
    fn new(lag: IntGauge) -> Self {
        Self { changes: Mutex::default(), lag, is_away: AtomicBool::new(false) }
    }

    /// Whether no broker was there when that was last looked at: every [`STATISTICS_EVERY`].
    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::SeqCst)
    }

    /// What was decided since the last look.
    pub(super) fn take(&self) -> Vec<Change> {
        self.changes.lock().map(|mut changes| std::mem::take(&mut *changes)).unwrap_or_default()
    }

    fn push(&self, change: Change) {
        if let Ok(mut changes) = self.changes.lock() {
            changes.push(change);
        }
    }
}

fn numbers(partitions: &TopicPartitionList) -> Vec<i32> {
    partitions.elements().iter().map(|p| p.partition()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_read_of_what_is_ours() {
        for (fetch_state, app_offset, next_offset, ls_offset, expected) in [
            ("active", 10, 15, 30, 20),
            ("active", 30, 30, 30, 0),
            ("active", -1001, 12, 30, 18),
            ("active", 10, 15, -1001, 0),
            ("active", 31, 31, 30, 0),
            ("none", 10, 15, 30, 0),
        ] {
            let partition = Partition {
                fetch_state: fetch_state.to_owned(),
                app_offset,
                next_offset,
                ls_offset,
                ..Partition::default()
            };
            assert_eq!(lag(&partition), expected, "{partition:?}");
        }
    }
}
