//! What the fetcher counts beside what every role counts. Labels are bounded sets: never a URL, never a host.

use std::sync::OnceLock;

use prometheus::{
    Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, register_histogram, register_int_counter,
    register_int_counter_vec, register_int_gauge, register_int_gauge_vec,
};

/// The fetcher's metrics, in the default registry.
pub(crate) struct Metrics {
    /// By `kind` (`page`, `robots`, `hub`) and `status_class` (`2xx` ..., or the word of the failure).
    pub requests: IntCounterVec,
    /// Of bodies, as sent.
    pub bytes: IntCounter,
    pub robots_denied: IntCounter,
    /// Requests to addresses that are not public.
    pub ssrf_blocked: IntCounter,
    pub retries: IntCounter,
    /// Requests that were not needed: queued already, or fetched a short while ago.
    pub known: IntCounter,
    /// Pages asked for again, by `found` (`same`, `changed`, `moved`, `gone`, `failed`).
    pub revisits: IntCounterVec,
    /// Lists from which nothing comes against their rhythm, by `cause`.
    pub silent: IntGaugeVec,
    /// 1 while the list of sources cannot be used, and its last good state stays.
    pub sources_wrong: IntGauge,
    /// What was said to hubs and by them, by `event`: `asked`, `refused` or `failed`; `verified`, `denied`, `delivered`,
    /// `forged` (signed wrongly), `too_large` or `unknown` (404); `dropped`, as others wait to be written.
    pub websub: IntCounterVec,
    /// Addresses found, by `via` (`feed`, `sitemap`, `redirect`, `original`).
    pub discovered: IntCounterVec,
    /// Requests queued.
    pub frontier_depth: IntGauge,
    pub in_flight: IntGauge,
    pub seconds: Histogram,
}

/// The one instance of this process.
#[allow(clippy::expect_used, reason = "a name registered twice is a mistake in this file alone")]
pub(crate) fn metrics() -> &'static Metrics {
    static METRICS: OnceLock<Metrics> = OnceLock::new();
    METRICS.get_or_init(|| {
        let registered = "each name is registered here once";
        let counter = |name: &str, help: &str| register_int_counter!(name, help).expect(registered);
        let metrics = Metrics {
            requests: register_int_counter_vec!(
                "wireroom_fetcher_requests_total",
                "HTTP requests made.",
                &["kind", "status_class"]
            )
            .expect(registered),
            bytes: counter("wireroom_fetcher_received_bytes_total", "Bytes of bodies, as sent."),
            robots_denied: counter("wireroom_fetcher_robots_denied_total", "URLs that robots.txt disallows."),
            ssrf_blocked: counter(
                "wireroom_fetcher_ssrf_blocked_total",
                "Requests to addresses that are not public.",
            ),
            retries: counter("wireroom_fetcher_retries_total", "Attempts that failed and will be repeated."),
            known: counter(
                "wireroom_fetcher_known_total",
                "Requests for what is queued already, or was fetched a short while ago.",
            ),
            revisits: register_int_counter_vec!(
                "wireroom_fetcher_revisits_total",
                "Pages asked for again.",
                &["found"]
            )
            .expect(registered),
            silent: register_int_gauge_vec!(
                "wireroom_fetcher_silent_lists",
                "Lists from which nothing comes against their rhythm.",
                &["cause"]
            )
            .expect(registered),
            sources_wrong: register_int_gauge!(
                "wireroom_fetcher_sources_wrong",
                "1 while the list of sources cannot be used, and its last good state stays."
            )
            .expect(registered),
            websub: register_int_counter_vec!(
                "wireroom_fetcher_websub_total",
                "What was said to hubs and by them.",
                &["event"]
            )
            .expect(registered),
            discovered: register_int_counter_vec!(
                "wireroom_fetcher_discovered_total",
                "Addresses found and requested.",
                &["via"]
            )
            .expect(registered),
            frontier_depth: register_int_gauge!("wireroom_fetcher_frontier_depth", "Requests queued.")
                .expect(registered),
            in_flight: register_int_gauge!("wireroom_fetcher_in_flight", "Hosts being asked now.")
                .expect(registered),
            seconds: register_histogram!(
                "wireroom_fetcher_fetch_seconds",
                "Time from a request to the end of its answer.",
                vec![0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 60.0]
            )
            .expect(registered),
        };
        // A rate over a series that does not exist yet is no data, and an alert on it stays silent.
        for class in ["2xx", "3xx", "4xx", "5xx"] {
            metrics.requests.with_label_values(&["page", class]);
        }
        metrics
    })
}
