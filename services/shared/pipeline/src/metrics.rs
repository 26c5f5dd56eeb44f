//! What every role counts. Registered once a process; labels are bounded sets.

use std::sync::OnceLock;

use prometheus::{
    Histogram, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, register_histogram_vec,
    register_int_counter_vec, register_int_gauge_vec,
};

use crate::{DeadLetter, Role};

/// The runtime's metrics of one role.
#[derive(Clone)]
pub struct RoleMetrics {
    role: &'static str,
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
    families: &'static Families,
}

struct Families {
    consumed: IntCounterVec,
    produced: IntCounterVec,
    retries: IntCounterVec,
    dead_letters: IntCounterVec,
    rebalances: IntCounterVec,
    assigned: IntGaugeVec,
    processing: HistogramVec,
    commit: HistogramVec,
}

impl RoleMetrics {
    /// The metrics of a role; every call gives the same.
    pub fn of(role: &Role) -> Self {
        let families = families();
        let labels = &[role.name];
        Self {
            role: role.name,
            consumed: families.consumed.with_label_values(labels),
            produced: families.produced.with_label_values(labels),
            retries: families.retries.with_label_values(labels),
            processing_seconds: families.processing.with_label_values(labels),
            commit_seconds: families.commit.with_label_values(labels),
            families,
        }
    }

    /// Counts dead letters by reason.
    pub fn count_dead_letters(&self, letters: &[DeadLetter]) {
        for letter in letters {
            self.families.dead_letters.with_label_values(&[self.role, letter.reason]).inc();
        }
    }

    /// Counts a rebalance and tells how many partitions are held.
    pub fn rebalanced(&self, held: usize) {
        self.families.rebalances.with_label_values(&[self.role]).inc();
        self.families.assigned.with_label_values(&[self.role]).set(held as i64);
    }
}

#[allow(clippy::expect_used, reason = "a name registered twice is a mistake in this file alone")]
fn families() -> &'static Families {
    static FAMILIES: OnceLock<Families> = OnceLock::new();
    FAMILIES.get_or_init(|| {
        let registered = "each name is registered here once";
        let counter =
            |name, help, labels: &[&str]| register_int_counter_vec!(name, help, labels).expect(registered);
        let seconds = |name, help| {
            let buckets = vec![0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0];
            register_histogram_vec!(name, help, &["role"], buckets).expect(registered)
        };
        Families {
            consumed: counter("wireroom_records_consumed_total", "Records read.", &["role"]),
            produced: counter("wireroom_records_produced_total", "Records written.", &["role"]),
            retries: counter(
                "wireroom_retries_total",
                "Steps that did not happen and were tried again.",
                &["role"],
            ),
            dead_letters: counter("wireroom_dead_letters_total", "Records given up on.", &["role", "reason"]),
            rebalances: counter("wireroom_rebalances_total", "Changes of assignment.", &["role"]),
            assigned: register_int_gauge_vec!("wireroom_partitions_assigned", "Partitions held.", &["role"])
                .expect(registered),
            processing: seconds("wireroom_processing_seconds", "Time a step's work took."),
            commit: seconds("wireroom_commit_seconds", "Time a step's commit took."),
        }
    })
}
