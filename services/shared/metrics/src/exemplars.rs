//! Exemplars: for each bucket of a histogram, the trace of what was observed in it last; and OpenMetrics, the text format
//! that has room for them (<https://prometheus.io/docs/specs/om/open_metrics_spec/>).

use std::{
    collections::HashMap,
    fmt::Write,
    sync::{LazyLock, Mutex, PoisonError},
};

use prometheus::{HistogramVec, core::Collector};

use crate::all;

/// What a scraper is told that it gets.
pub const OPENMETRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// By the bucket's series, as it is exposed.
static LATEST: LazyLock<Mutex<HashMap<String, Exemplar>>> = LazyLock::new(Mutex::default);

struct Exemplar {
    value: f64,
    trace_id: u128,
}

/// Observes `value` in the histogram of these label values, with the trace it belongs to, if it is traced.
pub fn observe(histogram: &HistogramVec, values: &[&str], value: f64, trace_id: Option<u128>) {
    histogram.with_label_values(values).observe(value);
    exemplify(histogram, values, value, trace_id);
}

/// Names the trace, if there is one, in which `value` was observed in a histogram.
pub fn exemplify(histogram: &impl Collector, values: &[&str], value: f64, trace_id: Option<u128>) {
    let Some(trace_id) = trace_id else { return };
    let described = histogram.desc();
    let name = described.first().map_or("", |desc| &desc.fq_name);
    let Some(metric) = all().find(|metric| metric.name == name) else { return };
    let mut series = format!("{name}_bucket{{");
    for ((label, _), value) in metric.labels.iter().zip(values) {
        // Writing to a string cannot fail.
        let _ = write!(series, "{label}=\"{value}\",");
    }
    let _ = match metric.buckets.iter().find(|bound| value <= **bound) {
        Some(bound) => write!(series, "le=\"{bound}\"}}"),
        None => write!(series, "le=\"+Inf\"}}"),
    };
    LATEST.lock().unwrap_or_else(PoisonError::into_inner).insert(series, Exemplar { value, trace_id });
}

/// Makes OpenMetrics of what the client's text encoder wrote.
pub fn openmetrics(text: &str) -> String {
    let latest = LATEST.lock().unwrap_or_else(PoisonError::into_inner);
    let mut written = String::with_capacity(text.len() + 128 * latest.len() + 8);
    for line in text.lines() {
        match line.split_once(' ') {
            // A counter's family is named without the suffix of its one series.
            Some(("#", about)) => {
                let mut words = about.splitn(3, ' ');
                let (what, name, rest) = (words.next(), words.next(), words.next());
                let name = name.unwrap_or_default();
                let family = name.strip_suffix("_total").unwrap_or(name);
                let _ =
                    write!(written, "# {} {family} {}", what.unwrap_or_default(), rest.unwrap_or_default());
            }
            _ => written.push_str(line),
        }
        if let Some((series, _)) = line.rsplit_once(' ')
            && let Some(Exemplar { value, trace_id }) = latest.get(series)
        {
            let _ = write!(written, " # {{trace_id=\"{trace_id:032x}\"}} {value}");
        }
        written.push('\n');
    }
    written.push_str("# EOF\n");
    written
}

#[cfg(test)]
mod tests {
    use prometheus::TextEncoder;

    use super::*;

    #[test]
    fn buckets_show_the_trace_last_seen_in_them() {
        let histogram = &crate::NORMALIZER_FRESHNESS_SECONDS;
        for (value, trace_id) in [(2.0, Some(1)), (2.5, Some(2)), (2.7, None), (1e9, Some(3))] {
            observe(histogram, &["seen"], value, trace_id);
        }
        exemplify(&*crate::EXTRACTOR_PAGE_SECONDS, &[], 0.02, Some(4));
        crate::tell_build("1.2.3");
        crate::RETRIES.with_label_values(&["cluster"]).inc();
        let plain = TextEncoder::new().encode_to_string(&prometheus::gather()).unwrap();
        let text = openmetrics(&plain);
        let ending = |series: &str| {
            let line = text.lines().find(|line| line.starts_with(series)).expect(series);
            line.strip_prefix(series).unwrap().to_owned()
        };
        let bucket = |le: &str| {
            ending(&format!("wireroom_normalizer_freshness_seconds_bucket{{since=\"seen\",le=\"{le}\"}}"))
        };
        assert_eq!(bucket("1"), " 0");
        assert_eq!(bucket("3"), format!(" 3 # {{trace_id=\"{:032x}\"}} 2.5", 2));
        assert_eq!(bucket("+Inf"), format!(" 4 # {{trace_id=\"{:032x}\"}} 1000000000", 3));
        let without_labels = ending("wireroom_extractor_page_seconds_bucket{le=\"0.03\"}");
        assert_eq!(without_labels, format!(" 0 # {{trace_id=\"{:032x}\"}} 0.02", 4));
        assert_eq!(ending("# TYPE wireroom_retries "), "counter");
        assert_eq!(ending("wireroom_retries_total{role=\"cluster\"}"), " 1");
        assert!(text.ends_with("\n# EOF\n"));
        assert!(!plain.contains("trace_id"), "the older format has no exemplars");
    }
}
