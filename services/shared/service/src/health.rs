//! What a process serves over HTTP: /metrics, /livez, /readyz, /log.

use std::{
    collections::HashMap,
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use anyhow::Context;
use axum::{
    Router,
    http::{
        HeaderMap, HeaderName, StatusCode,
        header::{ACCEPT, CONTENT_TYPE},
    },
    routing::get,
};
use pipeline::{Progress, Role, Shutdown};
use prometheus::{TEXT_FORMAT, TextEncoder};

use crate::telemetry;

/// A role that has done nothing for so long, not even polled, is stuck: Kafka would take its partitions away, too.
const LONGEST_BEAT: Duration = Duration::from_secs(300);

/// The state of a process, as its probes see it.
#[derive(Clone)]
pub struct Health {
    roles: Vec<(Role, Progress)>,
    shutdown: Shutdown,
    beats: Arc<Mutex<HashMap<&'static str, (u64, Instant)>>>,
}

impl Health {
    /// Of these roles.
    pub fn new(roles: Vec<(Role, Progress)>, shutdown: Shutdown) -> Self {
        Self { roles, shutdown, beats: Arc::default() }
    }

    /// Serves it on a thread of its own, with whatever else the process serves. Returns the address, whose port may have
    /// been left open (0).
    pub fn serve(self, listen: SocketAddr, more: Router) -> anyhow::Result<SocketAddr> {
        ::metrics::tell_build(env!("CARGO_PKG_VERSION"));
        let listener = TcpListener::bind(listen)
            .with_context(|| format!("cannot listen on {listen}; set service.listen to a free address"))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (live, ready) = (self.clone(), self);
        let router = Router::new()
            .route("/metrics", get(metrics))
            .route("/livez", get(async move || live.live(Instant::now())))
            .route("/readyz", get(async move || ready.ready()))
            .merge(telemetry::route())
            .merge(more)
            .into_make_service_with_connect_info::<SocketAddr>();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("http".to_owned()).spawn(move || {
            runtime.block_on(async move {
                let listener = tokio::net::TcpListener::from_std(listener)?;
                axum::serve(listener, router).await
            })
        })?;
        Ok(address)
    }

    /// Whether every role still goes round its loop. Asks nobody.
    fn live(&self, now: Instant) -> (StatusCode, String) {
        let Ok(mut beats) = self.beats.lock() else { return unwell("the probe itself failed") };
        for (role, progress) in &self.roles {
            let (beat, at) = beats.entry(role.name).or_insert((progress.beats(), now));
            if *beat != progress.beats() {
                (*beat, *at) = (progress.beats(), now);
            } else if now - *at > LONGEST_BEAT {
                return unwell(&format!(
                    "the {} has done nothing for {} s",
                    role.name,
                    (now - *at).as_secs()
                ));
            }
        }
        (StatusCode::OK, "ok\n".to_owned())
    }

    /// Whether every role holds partitions and its log answers; not while draining.
    fn ready(&self) -> (StatusCode, String) {
        if self.shutdown.is_requested() {
            return unwell("draining");
        }
        match self.roles.iter().find(|(_, progress)| !progress.is_ready()) {
            Some((role, _)) => {
                unwell(&format!("the {} has no place in its group, or no broker answers", role.name))
            }
            None => (StatusCode::OK, "ok\n".to_owned()),
        }
    }
}

fn unwell(why: &str) -> (StatusCode, String) {
    (StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n"))
}

/// In OpenMetrics, with exemplars, for whoever accepts it.
async fn metrics(headers: HeaderMap) -> (StatusCode, [(HeaderName, &'static str); 1], String) {
    let accepted = headers.get(ACCEPT).and_then(|accepted| accepted.to_str().ok()).unwrap_or_default();
    let (status, format, text) = match TextEncoder::new().encode_to_string(&prometheus::gather()) {
        Ok(text) if accepted.contains("application/openmetrics-text") => {
            (StatusCode::OK, ::metrics::OPENMETRICS, ::metrics::openmetrics(&text))
        }
        Ok(text) => (StatusCode::OK, TEXT_FORMAT, text),
        Err(cause) => (StatusCode::INTERNAL_SERVER_ERROR, "text/plain", cause.to_string()),
    };
    (status, [(CONTENT_TYPE, format)], text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_exposed_is_in_the_list() {
        let role =
            Role { name: "fetcher", input: "i", dead_letters: "d", state_version: None, numbered: &[] };
        pipeline::metrics::RoleMetrics::of(&role);
        ::metrics::tell_build("1.2.3");
        let (status, _, text) = metrics(HeaderMap::new()).await;
        assert_eq!(status, StatusCode::OK);
        let exposed: Vec<&str> = text
            .lines()
            .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
            .map(|(name, _)| name)
            .collect();
        for name in &exposed {
            assert!(::metrics::all().any(|metric| metric.name == *name), "{name} is not in the list");
        }
        for name in ["wireroom_build_info", "wireroom_steps_total", "wireroom_fetcher_in_flight_bytes"] {
            assert!(exposed.contains(&name), "{name} is not there from the beginning");
        }
        let series = "wireroom_fetcher_keep_errors_total{place=\"store\"} 0";
        assert!(text.contains(series), "{series} is not there from the beginning");
    }

    #[test]
    fn live_as_long_as_something_is_done() {
        let role = Role { name: "r", input: "i", dead_letters: "d", state_version: None, numbered: &[] };
        let progress = Progress::default();
        let health = Health::new(vec![(role, progress.clone())], Shutdown::default());
        let started = Instant::now();
        let after = |s| health.live(started + Duration::from_secs(s));
        assert_eq!(after(0).0, StatusCode::OK);
        assert_eq!(after(300).0, StatusCode::OK);
        // Within a poll that rebuilds state.
        progress.beat();
        assert_eq!(after(500).0, StatusCode::OK);
        assert_eq!(after(801), unwell("the r has done nothing for 301 s"));
        progress.polled(false);
        assert_eq!(after(802).0, StatusCode::OK);
    }

    #[test]
    fn ready_with_partitions_and_not_while_draining() {
        let role = Role { name: "r", input: "i", dead_letters: "d", state_version: None, numbered: &[] };
        let (progress, shutdown) = (Progress::default(), Shutdown::default());
        let health = Health::new(vec![(role, progress.clone())], shutdown.clone());
        assert_eq!(health.live(Instant::now()).0, StatusCode::OK);
        assert_eq!(health.ready(), unwell("the r has no place in its group, or no broker answers"));
        progress.set_ready(true);
        assert_eq!(health.ready().0, StatusCode::OK);
        shutdown.request();
        assert_eq!(health.ready(), unwell("draining"));
        assert_eq!(health.live(Instant::now()).0, StatusCode::OK, "a draining process is alive");
    }
}
