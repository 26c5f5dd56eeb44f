//! Where hubs reach us: `/websub/{path}`, served beside /metrics. What they say is handed to the role's loop, which writes it
//! as requests: the list is perhaps another instance's.

use std::{
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::{Path, RawQuery, State},
    http::{
        HeaderMap, StatusCode,
        header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
    routing::get,
};
use pipeline::Clock;
use tokio::{sync::Semaphore, time::timeout};
use tracing::{info, warn};
use wire::Request;
use xxhash_rust::xxh3::xxh3_64;

use super::{Callbacks, Subscribed, Told, VIA};
use crate::{
    config::{Config, ConfigError},
    draft::Draft,
    emit::write_request,
    wanted::domain,
};

/// Longest delivery, in bytes.
const MAX_BODY_BYTES: usize = 1 << 20;
/// Deliveries taken at a time; a hub that finds no room comes again.
const AT_ONCE: usize = 16;
/// How long a delivery may take to arrive.
const ALLOWED: Duration = Duration::from_secs(10);
/// Hints that wait for the role's loop; more are dropped.
const MAX_HINTS: usize = 1_024;
/// Hints in a step, at most.
const MAX_IN_STEP: usize = 500;

/// What hubs have said, on its way to the role's loop. The default is that none say anything.
#[derive(Default)]
pub struct Hints(Option<Receiver<Request>>);

/// What the process is to serve for hubs, and what it will hear there. Without `websub_callback`: nothing.
pub fn callback(config: &Config, clock: &Clock) -> Result<(Router, Hints), ConfigError> {
    let Some(callbacks) = Callbacks::of(config)? else { return Ok((Router::new(), Hints::default())) };
    let (sender, receiver) = sync_channel(MAX_HINTS);
    let room = Arc::new(Semaphore::new(AT_ONCE));
    let endpoint = Endpoint { callbacks, clock: clock.clone(), sender, room };
    let router = Router::new().route("/websub/{path}", get(verify).post(deliver)).with_state(endpoint);
    Ok((router, Hints(Some(receiver))))
}

impl Hints {
    /// Writes what was heard as requests. A step that does not happen takes them with it: they are hints.
    pub(crate) fn write(&self, draft: &mut Draft) {
        for hint in self.0.iter().flat_map(Receiver::try_iter).take(MAX_IN_STEP) {
            let domain = domain(&hint);
            write_request(draft, hint, &domain, &Vec::new());
        }
    }
}

#[derive(Clone)]
struct Endpoint {
    callbacks: Callbacks,
    clock: Clock,
    sender: SyncSender<Request>,
    room: Arc<Semaphore>,
}

impl Endpoint {
    fn list(&self, path: &str) -> Option<Subscribed> {
        let list = self.callbacks.read(path);
        if list.is_none() {
            count("unknown");
        }
        list
    }

    /// Hands on that a hub has said something of a list.
    fn hint(&self, event: &'static str, hint: Request) {
        count(event);
        let request_id = format!("{VIA}.{:016x}", xxh3_64(hint.url.as_bytes()));
        let hint = Request { request_id, via: VIA.to_owned(), seen_at_ms: self.clock.now_ms(), ..hint };
        if self.sender.try_send(hint).is_err() {
            count("dropped");
        }
    }
}

/// A hub asks whether a subscription was wanted, or refuses one.
async fn verify(
    State(endpoint): State<Endpoint>,
    Path(path): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let Some(list) = endpoint.list(&path) else { return StatusCode::NOT_FOUND.into_response() };
    let (event, until_ms, answer) = match list.told(&query.unwrap_or_default()) {
        None => {
            count("unknown");
            return StatusCode::NOT_FOUND.into_response();
        }
        Some(Told::Denied) => {
            warn!(list = list.url, "the hub will not tell of the list");
            ("denied", 0, String::new())
        }
        Some(Told::Granted { challenge, lease_ms }) => {
            info!(list = list.url, lease_s = lease_ms / 1_000, "the hub tells of the list");
            ("verified", endpoint.clock.now_ms().saturating_add(lease_ms), challenge)
        }
    };
    endpoint.hint(event, Request { url: list.url, hub_lease_until_ms: Some(until_ms), ..Request::default() });
    // A challenge is a stranger's text: no browser is to take it for a page.
    ([(CONTENT_TYPE, "text/plain; charset=utf-8"), (X_CONTENT_TYPE_OPTIONS, "nosniff")], answer)
        .into_response()
}

/// A hub says that a list has something new. What it sends is not read as news: whoever fetches the list sees what its
/// publisher says now. Nothing is read for whom the path is none of ours.
async fn deliver(
    State(endpoint): State<Endpoint>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> StatusCode {
    let Some(list) = endpoint.list(&path) else { return StatusCode::NOT_FOUND };
    let Ok(_room) = endpoint.room.try_acquire() else { return StatusCode::SERVICE_UNAVAILABLE };
    let body = match timeout(ALLOWED, to_bytes(body, MAX_BODY_BYTES)).await {
        Ok(Ok(body)) => body,
        Ok(Err(_)) => {
            count("too_large");
            return StatusCode::PAYLOAD_TOO_LARGE;
        }
        Err(_) => return StatusCode::REQUEST_TIMEOUT,
    };
    let signature = headers.get("x-hub-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if list.is_signed(signature, &body) {
        endpoint.hint("delivered", Request { url: list.url, refetch: true, ..Request::default() });
    } else {
        count("forged");
    }
    // Whoever forges does not learn it (section 8).
    StatusCode::ACCEPTED
}

fn count(event: &'static str) {
    metrics::FETCHER_WEBSUB.with_label_values(&[event]).inc();
}
