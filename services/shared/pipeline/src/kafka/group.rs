//! Membership in a role's consumer group.

use std::sync::Mutex;

use rdkafka::{
    ClientContext, TopicPartitionList,
    consumer::{BaseConsumer, Consumer, ConsumerContext, Rebalance},
    error::KafkaResult,
};
use tracing::warn;

use super::{Kafka, misconfigured, unavailable};
use crate::{LogError, Role};

/// A new member of the role's group.
pub(super) fn subscribe(log: &Kafka, role: &Role) -> Result<BaseConsumer<Rebalances>, LogError> {
    let options = log.options();
    let mut config = options.consumer_config(&options.group(role));
    config
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("session.timeout.ms", options.session_timeout.as_millis().to_string())
        .set("heartbeat.interval.ms", (options.session_timeout / 10).as_millis().to_string());
    if options.is_static_member {
        config.set("group.instance.id", format!("{}-{}", role.name, options.instance));
    }
    let consumer: BaseConsumer<Rebalances> =
        config.create_with_context(Rebalances::default()).map_err(|e| misconfigured(&e))?;
    consumer.subscribe(&[&options.topic(role.input)]).map_err(|e| unavailable(&e))?;
    Ok(consumer)
}

/// Collects what the group decides; it is acted upon between polls.
#[derive(Default)]
pub(super) struct Rebalances(Mutex<Vec<Change>>);

/// A change of assignment, by partition.
pub(super) enum Change {
    Gained(Vec<i32>),
    Lost(Vec<i32>),
}

impl ClientContext for Rebalances {}

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
    /// What was decided since the last look.
    pub(super) fn take(&self) -> Vec<Change> {
        self.0.lock().map(|mut changes| std::mem::take(&mut *changes)).unwrap_or_default()
    }

    fn push(&self, change: Change) {
        if let Ok(mut changes) = self.0.lock() {
            changes.push(change);
        }
    }
}

fn numbers(partitions: &TopicPartitionList) -> Vec<i32> {
    partitions.elements().iter().map(|p| p.partition()).collect()
}
