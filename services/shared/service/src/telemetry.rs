//! Logs: JSON for machines, text on a terminal.

use std::io::{IsTerminal, stderr};

use tracing_subscriber::{EnvFilter, fmt};

use crate::LogFormat;

/// Starts logging to standard error. `filter` as in `RUST_LOG`, which goes before it where set. The Kafka client's own
/// complaints are left out: what matters of them comes as errors of what was asked of it.
pub fn init(format: LogFormat, filter: &str) {
    let wanted = std::env::var("RUST_LOG").unwrap_or_else(|_| filter.to_owned());
    let filter =
        EnvFilter::new(format!("{wanted},librdkafka=off,rdkafka=off,lsm_tree=warn,fjall=warn,sfa=warn"));
    let is_text = format == LogFormat::Text || (format == LogFormat::Auto && stderr().is_terminal());
    let builder = fmt().with_env_filter(filter).with_writer(stderr);
    // A second call, as tests make, changes nothing.
    let _ = if is_text {
        builder.with_ansi(stderr().is_terminal()).with_target(false).try_init()
    } else {
        builder.json().flatten_event(true).try_init()
    };
}
