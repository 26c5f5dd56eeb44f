//! The kinds of the Prometheus client, registered from a declaration.

use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts,
    core::Collector,
};

use crate::{Kind, Metric};

/// What a declaration may be of.
pub(crate) trait Family: Collector + Clone + Sized + 'static {
    const KIND: Kind;

    /// As declared, not registered yet.
    fn of(metric: &Metric) -> prometheus::Result<Self>;

    /// Exposes the series of these labels.
    fn begin(&self, labels: &[&str]);

    /// As declared, in the default registry, with the series that can be told beforehand.
    #[allow(
        clippy::expect_used,
        reason = "a declaration that is wrong is a mistake in the list, which a test begins"
    )]
    fn register(metric: &Metric) -> Self {
        let family = Self::of(metric).expect("a metric is declared rightly");
        prometheus::register(Box::new(family.clone())).expect("a name is declared once");
        metric.known_series().iter().for_each(|labels| family.begin(labels));
        family
    }
}

fn opts(metric: &Metric) -> Opts {
    Opts::new(metric.name, metric.help.trim())
}

fn histogram_opts(metric: &Metric) -> HistogramOpts {
    HistogramOpts::new(metric.name, metric.help.trim()).buckets(metric.buckets.to_vec())
}

fn labels(metric: &Metric) -> Vec<&'static str> {
    metric.labels.iter().map(|(label, _)| *label).collect()
}

macro_rules! families {
    ($($family:ty: $kind:ident, |$metric:ident| $make:expr, $begin:expr;)*) => {
        $(impl Family for $family {
            const KIND: Kind = Kind::$kind;

            fn of($metric: &Metric) -> prometheus::Result<Self> {
                $make
            }

            fn begin(&self, labels: &[&str]) {
                let begin: fn(&Self, &[&str]) = $begin;
                begin(self, labels);
            }
        })*
    };
}

families! {
    IntCounter: Counter, |metric| Self::with_opts(opts(metric)), |_, _| {};
    IntCounterVec: Counter, |metric| Self::new(opts(metric), &labels(metric)), |all, labels| drop(all.with_label_values(labels));
    IntGauge: Gauge, |metric| Self::with_opts(opts(metric)), |_, _| {};
    IntGaugeVec: Gauge, |metric| Self::new(opts(metric), &labels(metric)), |all, labels| drop(all.with_label_values(labels));
    Histogram: Histogram, |metric| Self::with_opts(histogram_opts(metric)), |_, _| {};
    HistogramVec: Histogram, |metric| Self::new(histogram_opts(metric), &labels(metric)), |all, labels| drop(all.with_label_values(labels));
}
