//! A stub of an identity provider: it gives a token to whoever asks as RFC 6749 (4.4, client credentials) has it, and knows
//! nobody but who gave the right secret. Its tokens are not signed: a broker that takes them asks nobody either.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::post,
};
use base64::{Engine as _, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use pipeline::Clock;
use serde_json::{Value, json};

/// A client renews its token when this is nearly over.
const LIFETIME: Duration = Duration::from_secs(5);

/// A stub that listens on loopback.
#[derive(Debug)]
pub struct Tokens {
    address: String,
    given: Arc<Mutex<BTreeMap<String, usize>>>,
    _runtime: tokio::runtime::Runtime,
}

#[derive(Clone)]
struct Provider {
    /// What every client's secret ends with: its name comes before.
    secret: &'static str,
    given: Arc<Mutex<BTreeMap<String, usize>>>,
}

impl Tokens {
    /// Starts one whose clients have the secret `NAME-SECRET`.
    ///
    /// # Panics
    /// Where no port can be had.
    pub fn start(secret: &'static str) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = format!("http://{}/token", listener.local_addr().expect("an address"));
        let given = Arc::default();
        let provider = Provider { secret, given: Arc::clone(&given) };
        let app = Router::new().route("/token", post(token)).with_state(provider);
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { address, given, _runtime: runtime }
    }

    /// Where tokens are asked for.
    pub fn url(&self) -> &str {
        &self.address
    }

    /// How many a client was given.
    pub fn given(&self, client: &str) -> usize {
        self.given.lock().expect("no request panicked").get(client).copied().unwrap_or_default()
    }
}

async fn token(
    State(provider): State<Provider>,
    headers: HeaderMap,
    body: String,
) -> (StatusCode, Json<Value>) {
    let refused = |why: &str| (StatusCode::UNAUTHORIZED, Json(json!({ "error": why })));
    if !body.split('&').any(|field| field == "grant_type=client_credentials") {
        return refused("unsupported_grant_type");
    }
    let Some(client) = client(&headers, provider.secret) else { return refused("invalid_client") };
    let now = Clock::system().now_ms() / 1000;
    let part = |value: Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let claims = json!({ "sub": client, "iat": now, "exp": now + LIFETIME.as_secs() as i64 });
    let token = format!("{}.{}.", part(json!({ "alg": "none" })), part(claims));
    *provider.given.lock().expect("no request panicked").entry(client).or_default() += 1;
    let answer = json!({ "access_token": token, "token_type": "bearer", "expires_in": LIFETIME.as_secs() });
    (StatusCode::OK, Json(answer))
}

/// Who asks, if the secret is the client's.
fn client(headers: &HeaderMap, secret: &str) -> Option<String> {
    let given = headers.get("authorization")?.to_str().ok()?.strip_prefix("Basic ")?;
    let given = String::from_utf8(BASE64_STANDARD.decode(given).ok()?).ok()?;
    let (client, of_client) = given.split_once(':')?;
    (of_client == format!("{client}-{secret}")).then(|| client.to_owned())
}
