//! Every metric of the program, in one list: [`all`]. services/METRICS.md is that list for people; a test compares them.
//!
//! A metric is registered when it is first touched. Labels are bounded sets: never a URL, a host or a source. Names
//! follow Prometheus: `wireroom_`, base units, `_total` for what only grows.

/// Makes a static of every metric, and [`DECLARED`] of them all.
macro_rules! declare {
    ($( $of:literal { $(
        $(#[doc = $help:literal])+
        $ident:ident: $family:ty = $name:literal [$($label:ident: $values:literal),*] in $unit:literal $(up to $buckets:expr)?;
    )* } )*) => {
        $($(
            #[doc = concat!("`", $name, "`:", $($help),+)]
            pub static $ident: std::sync::LazyLock<$family> = std::sync::LazyLock::new(|| {
                <$family as crate::family::Family>::register(&declared::$ident)
            });
        )*)*
        mod declared {
            use super::*;
            $($(
                pub(super) const $ident: crate::Metric = crate::Metric {
                    of: $of,
                    name: $name,
                    kind: <$family as crate::family::Family>::KIND,
                    labels: &[$((stringify!($label), $values)),*],
                    unit: $unit,
                    help: concat!($($help),+),
                    buckets: buckets!($($buckets)?),
                    register: || crate::force(&super::$ident),
                };
            )*)*
        }
        /// Those that the program counts itself.
        pub(crate) static DECLARED: &[crate::Metric] = &[$($( declared::$ident ),*),*];
    };
}

macro_rules! buckets {
    () => {
        &[]
    };
    ($buckets:expr) => {
        &$buckets
    };
}

mod exemplars;
mod family;
mod list;
mod process;

use std::{fmt, sync::LazyLock};

pub use exemplars::{OPENMETRICS, exemplify, observe, openmetrics};
pub use list::*;

/// A metric as it is declared.
#[derive(Clone, Copy)]
pub struct Metric {
    /// Who exposes it: a role, or `every role` or `every process`.
    pub of: &'static str,
    /// As scraped; a histogram's without `_bucket`, `_sum`, `_count`.
    pub name: &'static str,
    /// What it is to Prometheus.
    pub kind: Kind,
    /// Its labels, and the values that each may have.
    pub labels: &'static [(&'static str, &'static str)],
    /// What is counted or measured.
    pub unit: &'static str,
    /// What it says.
    pub help: &'static str,
    /// Upper bounds of a histogram's buckets.
    buckets: &'static [f64],
    /// Has it registered, so that what has no labels is exposed as 0.
    register: fn(),
}

/// What a metric is to Prometheus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, and begins anew with the process.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts observations by size.
    Histogram,
}

impl Metric {
    /// The series of the values that its labels are said to have, between backticks; there may be others besides.
    pub fn known_series(&self) -> Vec<Vec<&'static str>> {
        let mut series = vec![Vec::new()];
        for (_, values) in self.labels {
            let known = || values.split('`').skip(1).step_by(2);
            let with = |labels: Vec<&'static str>| known().map(move |value| [&labels[..], &[value]].concat());
            series = series.into_iter().flat_map(with).collect();
        }
        if self.labels.is_empty() { Vec::new() } else { series }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        })
    }
}

/// All there are, in the order of the documentation.
pub fn all() -> impl Iterator<Item = &'static Metric> {
    DECLARED.iter().chain(process::METRICS)
}

/// Has the metrics of `role` registered, so that those without labels, and those of the labels' known values, are
/// there from the beginning: a rate over a series that does not exist yet is no data, and an alert on it stays silent.
pub fn begin(role: &str) {
    DECLARED.iter().filter(|metric| metric.of == role).for_each(|metric| (metric.register)());
}

/// Says which program this is.
pub fn tell_build(version: &str) {
    BUILD_INFO.with_label_values(&[version]).set(1);
}

fn force<T>(metric: &'static LazyLock<T>) {
    LazyLock::force(metric);
}
