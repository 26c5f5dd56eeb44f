//! What every role counts. Labels are bounded sets.

use ::metrics as list;
use prometheus::{Histogram, IntCounter, IntGauge};
use tracing::debug;

use crate::{DeadLetter, Origin, Role};

/// How often the size of state is measured.
const MEASURED_EVERY_S: i64 = 10;

/// The runtime's metrics of one role.
#[derive(Clone)]
pub struct RoleMetrics {
    pub(crate) role: &'static str,
    /// Records read.
    pub consumed: IntCounter,
    /// Records written.
    pub produced: IntCounter,
    /// Steps that did not happen and were tried again.
    pub retries: IntCounter,
    /// Seconds a step's work took.
    pub processing_seconds: Histogram,
    /// Seconds a step's commit took.
    pub commit_seconds: Histogram,
    /// Records of the partitions held that are not read yet.
    pub(crate) lag: IntGauge,
    steps: IntCounter,
    last_step: IntGauge,
    state_bytes: IntGauge,
    rebalances: IntCounter,
    assigned: IntGauge,
}

impl RoleMetrics {
    /// The metrics of a role; every call gives the same.
    pub fn of(role: &Role) -> Self {
        list::begin(role.name);
        let labels = &[role.name];
        Self {
            role: role.name,
            consumed: list::RECORDS_CONSUMED.with_label_values(labels),
            produced: list::RECORDS_PRODUCED.with_label_values(labels),
            retries: list::RETRIES.with_label_values(labels),
            processing_seconds: list::PROCESSING_SECONDS.with_label_values(labels),
            commit_seconds: list::COMMIT_SECONDS.with_label_values(labels),
            lag: list::LAG_RECORDS.with_label_values(labels),
            steps: list::STEPS.with_label_values(labels),
            last_step: list::LAST_STEP.with_label_values(labels),
            state_bytes: list::STATE_BYTES.with_label_values(labels),
            rebalances: list::REBALANCES.with_label_values(labels),
            assigned: list::PARTITIONS_ASSIGNED.with_label_values(labels),
        }
    }

    /// Counts dead letters by reason, and logs each for whoever looks closely.
    pub fn count_dead_letters(&self, letters: &[DeadLetter]) {
        for letter in letters {
            let Origin { topic, partition, offset } = &letter.origin;
            let trace_id = trace::sampled(&letter.headers).map(|id| format!("{id:032x}"));
            debug!(
                trace_id,
                topic,
                partition,
                offset,
                reason = letter.reason,
                detail = letter.detail,
                "dead letter"
            );
            list::DEAD_LETTERS.with_label_values(&[self.role, letter.reason]).inc();
        }
    }

    /// A step was committed. `state_bytes` measures the state, which is not asked for every time.
    pub(crate) fn committed(&self, now_ms: i64, state_bytes: impl FnOnce() -> u64) {
        let now_s = now_ms / 1000;
        if now_s / MEASURED_EVERY_S != self.last_step.get() / MEASURED_EVERY_S {
            self.state_bytes.set(i64::try_from(state_bytes()).unwrap_or(i64::MAX));
        }
        self.steps.inc();
        self.last_step.set(now_s);
    }

    /// Counts a rebalance and tells how many partitions are held.
    pub(crate) fn rebalanced(&self, held: usize) {
        self.rebalances.inc();
        self.assigned.set(held as i64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_is_measured_now_and_then() {
        let role = Role {
            name: "role-of-this-test",
            input: "i",
            dead_letters: "d",
            state_version: None,
            numbered: &[],
        };
        let metrics = RoleMetrics::of(&role);
        metrics.committed(1_000_000, || 5);
        metrics.committed(1_001_000, || unreachable!("it was measured a second ago"));
        assert_eq!((metrics.state_bytes.get(), metrics.last_step.get()), (5, 1001));
        metrics.committed(1_010_000, || 7);
        assert_eq!((metrics.state_bytes.get(), metrics.steps.get()), (7, 3));
    }
}
