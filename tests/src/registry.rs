//! A stub of a schema registry: it answers the few requests that wireroom makes as the documentation of Confluent's says
//! they are answered, and keeps what it is given. It reads no schema and knows nothing of compatibility: it refuses what it
//! is told to.

use std::sync::{Arc, Mutex, MutexGuard};

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    routing::post,
};
use serde_json::{Value, json};

/// Who may write subjects, as the header says it: `ann` with the password [`PASSWORD`].
const AUTHORIZATION: &str = "Basic YW5uOmEtc2VjcmV0LW9mLWFubg==";

/// The one user of a stub.
pub const USER: &str = "ann";

/// Of [`USER`].
pub const PASSWORD: &str = "a-secret-of-ann";

/// A stub that listens on loopback.
#[derive(Debug)]
pub struct Registry {
    address: String,
    kept: Arc<Mutex<Kept>>,
    _runtime: tokio::runtime::Runtime,
}

#[derive(Debug, Default)]
struct Kept {
    /// Subject and schema; its id is its place, from 1 on.
    schemas: Vec<(String, Value)>,
    /// Answered first, each once.
    refusals: Vec<(StatusCode, &'static str)>,
}

type Answer = (StatusCode, Json<Value>);

impl Registry {
    /// Starts one that first answers with these, whatever it is asked.
    pub fn start(refusals: &[(u16, &'static str)]) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let refusals =
            refusals.iter().rev().map(|(code, why)| (StatusCode::from_u16(*code).expect("a status"), *why));
        let kept = Arc::new(Mutex::new(Kept { schemas: Vec::new(), refusals: refusals.collect() }));
        let app = Router::new()
            .route("/subjects/{subject}/versions", post(register))
            .route("/subjects/{subject}", post(look_up))
            .with_state(kept.clone());
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { address, kept, _runtime: runtime }
    }

    /// The settings of a normalizer that registers here.
    pub fn settings(&self) -> Vec<(String, String)> {
        let settings = [("URL", self.address.as_str()), ("USER", USER), ("PASSWORD", PASSWORD)];
        let named = |(name, value): (&str, &str)| {
            (format!("WIREROOM__NORMALIZER__SCHEMA_REGISTRY__{name}"), value.to_owned())
        };
        settings.map(named).to_vec()
    }

    /// What was registered: subjects and schemas, by id from 1 on.
    pub fn schemas(&self) -> Vec<(String, Value)> {
        locked(&self.kept).schemas.clone()
    }
}

fn locked(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().expect("no request panicked")
}

fn refused(kept: &mut Kept, headers: &HeaderMap) -> Option<Answer> {
    let error = |status: StatusCode, why: &str| {
        (status, Json(json!({ "error_code": status.as_u16(), "message": why })))
    };
    if let Some((status, why)) = kept.refusals.pop() {
        return Some(error(status, why));
    }
    if headers.get("content-type").is_none_or(|kind| kind != "application/vnd.schemaregistry.v1+json") {
        return Some(error(StatusCode::UNSUPPORTED_MEDIA_TYPE, "HTTP 415 Unsupported Media Type"));
    }
    let is_known = headers.get("authorization").is_some_and(|given| given == AUTHORIZATION);
    (!is_known).then(|| error(StatusCode::UNAUTHORIZED, "Unauthorized"))
}

async fn register(
    State(kept): State<Arc<Mutex<Kept>>>,
    Path(subject): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Answer {
    let mut kept = locked(&kept);
    if let Some(refusal) = refused(&mut kept, &headers) {
        return refusal;
    }
    let entry = (subject, serde_json::from_str(&body).expect("JSON"));
    let known = kept.schemas.iter().position(|one| *one == entry);
    let place = known.unwrap_or_else(|| {
        kept.schemas.push(entry);
        kept.schemas.len() - 1
    });
    (StatusCode::OK, Json(json!({ "id": place + 1 })))
}

async fn look_up(
    State(kept): State<Arc<Mutex<Kept>>>,
    Path(subject): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Answer {
    let mut kept = locked(&kept);
    if let Some(refusal) = refused(&mut kept, &headers) {
        return refusal;
    }
    let schema: Value = serde_json::from_str(&body).expect("JSON");
    let place = kept.schemas.iter().position(|(of, one)| *of == subject && *one == schema);
    match place {
        Some(place) => (
            StatusCode::OK,
            Json(json!({ "subject": subject, "id": place + 1, "version": 1, "schema": schema["schema"] })),
        ),
        None => (StatusCode::NOT_FOUND, Json(json!({ "error_code": 40403, "message": "Schema not found" }))),
    }
}
