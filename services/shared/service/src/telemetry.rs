//! Logs: JSON for machines, text on a terminal. Which are written can be changed while the process runs.

use std::{
    io::{IsTerminal, stderr},
    net::SocketAddr,
    sync::OnceLock,
};

use axum::{
    Router,
    extract::ConnectInfo,
    http::StatusCode,
    routing::{MethodRouter, get},
};
use tracing::info;
use tracing_subscriber::{
    EnvFilter, Layer, Registry, fmt, layer::SubscriberExt, reload, util::SubscriberInitExt,
};

use crate::LogFormat;

/// The filter in use.
static FILTER: OnceLock<reload::Handle<EnvFilter, Registry>> = OnceLock::new();

/// What no filter lets through: the Kafka client's own complaints, as what matters of them comes as errors of what was
/// asked of it, and the store's chatter.
const NEVER: &str = "librdkafka=off,rdkafka=off,lsm_tree=warn,fjall=warn,sfa=warn";

/// Starts logging to standard error. `filter` as in `RUST_LOG`, which goes before it where set.
pub fn init(format: LogFormat, filter: &str) {
    let wanted = std::env::var("RUST_LOG").unwrap_or_else(|_| filter.to_owned());
    let (filter, handle) = reload::Layer::new(EnvFilter::new(format!("{wanted},{NEVER}")));
    let is_text = format == LogFormat::Text || (format == LogFormat::Auto && stderr().is_terminal());
    let lines = fmt::layer().with_writer(stderr);
    let lines = if is_text {
        lines.with_ansi(stderr().is_terminal()).with_target(false).boxed()
    } else {
        lines.json().flatten_event(true).boxed()
    };
    // A second call, as tests make, changes nothing.
    if tracing_subscriber::registry().with(filter).with(lines).try_init().is_ok() {
        let _ = FILTER.set(handle);
    }
}

/// `GET /log` says which logs are written, `PUT /log` with a filter (`debug`, `info,fetcher=debug`) changes it. For
/// whoever is on the machine or in the pod, as by `kubectl port-forward`, and nobody else.
pub(crate) fn route<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let methods: MethodRouter<S> = get(async |ConnectInfo(from): ConnectInfo<SocketAddr>| answer(from, None))
        .put(async |ConnectInfo(from): ConnectInfo<SocketAddr>, wanted: String| answer(from, Some(&wanted)));
    Router::new().route("/log", methods)
}

fn answer(from: SocketAddr, wanted: Option<&str>) -> (StatusCode, String) {
    if !from.ip().to_canonical().is_loopback() {
        return (
            StatusCode::FORBIDDEN,
            "from this machine only; in Kubernetes by `kubectl port-forward`\n".to_owned(),
        );
    }
    let Some(filter) = FILTER.get() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "this process does not log\n".to_owned());
    };
    let Some(wanted) = wanted.map(str::trim) else {
        let now = filter.with_current(ToString::to_string).unwrap_or_default();
        return (StatusCode::OK, format!("{now}\n"));
    };
    let parsed = match EnvFilter::builder().parse(format!("{wanted},{NEVER}")) {
        Ok(parsed) if !wanted.is_empty() => parsed,
        Ok(_) => {
            return (StatusCode::BAD_REQUEST, "no filter; one looks like info,fetcher=debug\n".to_owned());
        }
        Err(cause) => {
            return (
                StatusCode::BAD_REQUEST,
                format!("{wanted:?} is no filter ({cause}); one looks like info,fetcher=debug\n"),
            );
        }
    };
    match filter.reload(parsed) {
        Ok(()) => {
            info!(filter = wanted, "logs changed");
            (StatusCode::OK, format!("{wanted}\n"))
        }
        Err(cause) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{cause}\n")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_filter_is_changed_from_this_machine_only() {
        init(LogFormat::Json, "info");
        let (here, elsewhere) = (SocketAddr::from(([127, 0, 0, 1], 9)), SocketAddr::from(([10, 0, 0, 1], 9)));
        assert_eq!(answer(elsewhere, Some("debug")).0, StatusCode::FORBIDDEN);
        assert!(answer(here, None).1.contains("info"));
        assert!(!tracing::enabled!(target: "wireroom", tracing::Level::DEBUG));
        assert_eq!(answer(here, Some("warn,wireroom=debug")).0, StatusCode::OK);
        assert!(tracing::enabled!(target: "wireroom", tracing::Level::DEBUG));
        assert!(!tracing::enabled!(target: "rdkafka", tracing::Level::ERROR));
        for wrong in ["", "wireroom=loud"] {
            let (status, why) = answer(here, Some(wrong));
            assert_eq!(status, StatusCode::BAD_REQUEST, "{wrong}");
            assert!(why.contains("looks like"), "{why}");
        }
        assert!(tracing::enabled!(target: "wireroom", tracing::Level::DEBUG), "a mistake changes nothing");
    }
}
