//! A feed, its hub, and the fetcher between them: subscribed, told, told falsely, renewed, refused.

use std::{
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use aws_lc_rs::hmac;
use axum::{Router, extract::State, http::StatusCode, routing::post};
use data_encoding::HEXLOWER;
use fetcher::{Config, Secret, callback};
use pipeline::{
    Clock, Limits, Output, Progress, Settings, Shutdown,
    embedded::{Embedded, Options},
    metrics::RoleMetrics,
};
use prost::Message;
use tokio::{net::TcpListener, runtime::Runtime};
use wire::{Request, Watch};

use crate::{
    run::config,
    server::{Host, Reply},
};

const DEADLINE: Duration = Duration::from_secs(20);
const HOUR_MS: i64 = 3_600_000;

/// A hub that takes forms down and answers with one status.
struct Hub {
    url: String,
    forms: Arc<Mutex<Vec<String>>>,
}

impl Hub {
    fn start(runtime: &Runtime, status: u16) -> Self {
        let forms = Arc::new(Mutex::new(Vec::new()));
        let taken = forms.clone();
        let take = async move |State(forms): State<Arc<Mutex<Vec<String>>>>, form: String| {
            forms.lock().unwrap().push(form);
            StatusCode::from_u16(status).unwrap()
        };
        let router = Router::new().route("/", post(take)).with_state(taken);
        Self { url: serve(runtime, router), forms }
    }

    fn forms(&self) -> Vec<Vec<(String, String)>> {
        let read = |form: &String| url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
        self.forms.lock().unwrap().iter().map(read).collect()
    }

    /// What the fetcher said last.
    fn field(&self, name: &str) -> String {
        self.forms().last().unwrap().iter().find(|(key, _)| key == name).unwrap().1.clone()
    }
}

fn serve(runtime: &Runtime, router: Router) -> String {
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/")
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + DEADLINE;
    while !is_so() {
        assert!(Instant::now() < deadline, "never: {what}");
        Shutdown::default().wait(Duration::from_millis(10));
    }
}

/// Watches the feed of a host that names a hub, while `test` goes on: it is given the clock, the hub and the feed's host.
fn with_feed(n: u8, hub_status: u16, test: impl FnOnce(&Runtime, &Clock, &Hub, &Host)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let hub = Hub::start(&runtime, hub_status);
    let link = format!("<{}>; rel=\"hub\"", hub.url);
    let feed = Host::start(n, move |path| {
        let body = b"<rss version='2.0'><channel><title>The Harbour Post</title></channel></rss>";
        (path == "/feed").then(|| Reply::of(200, "application/rss+xml", body).with("Link", &link))
    });

    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let config = Config {
        websub_callback: Some(format!("http://{}/in", listener.local_addr().unwrap())),
        websub_key: Some(Secret("a key that nobody guesses".to_owned())),
        ..config()
    };
    let clock = Clock::manual(1_800_000_000_000);
    let (routes, hints) = callback(&config, &clock).unwrap();
    let routes = Router::new().nest("/in", routes);
    runtime.spawn(async move { axum::serve(listener, routes).await });

    let folder = tempfile::tempdir().unwrap();
    let log = Embedded::open(folder.path(), &Options { clock: clock.clone(), ..Options::default() }).unwrap();
    let interval_ms = 8 * HOUR_MS;
    let watch = Watch { min_interval_ms: interval_ms, max_interval_ms: 2 * interval_ms, ..Watch::default() };
    let url = feed.url("/feed");
    let request =
        Request { request_id: "feed".to_owned(), url: url.clone(), watch: Some(watch), ..Request::default() };
    let key = article::CanonicalUrl::parse(&url).unwrap().registrable_domain().to_owned();
    let value = Some(request.encode_to_vec().into());
    log.append(vec![Output {
        topic: "requests",
        partition: None,
        key: key.into(),
        value,
        headers: Vec::new(),
    }])
    .unwrap();
    let settings = Settings {
        limits: Limits { records: 100, bytes: 1 << 20, timers: 100 },
        wait: Duration::from_millis(10),
        progress: Progress::default(),
        shutdown: Shutdown::default(),
        metrics: RoleMetrics::of(&fetcher::ROLE),
        tracer: trace::Tracer::default(),
    };
    let mut role = log.role(fetcher::ROLE).unwrap();
    thread::scope(|scope| {
        // However the test ends.
        let _stop = Stop(settings.shutdown.clone());
        scope.spawn(|| {
            fetcher::run(&mut role, &config, &clock, &settings, hints, fetcher::Questions::default()).unwrap()
        });
        wait_until("the hub is asked", || !hub.forms().is_empty());
        test(&runtime, &clock, &hub, &feed);
    });
}

struct Stop(Shutdown);

impl Drop for Stop {
    fn drop(&mut self) {
        self.0.request();
    }
}

/// A GET by the hub: the status and the body of the answer.
fn ask(runtime: &Runtime, callback: &str, query: &[(&str, &str)]) -> (u16, String) {
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    runtime.block_on(async {
        let answer = reqwest::get(format!("{callback}?{query}")).await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    })
}

/// A delivery: the status of the answer.
fn deliver(runtime: &Runtime, callback: &str, signature: &str, body: Vec<u8>) -> u16 {
    runtime.block_on(async {
        let request = reqwest::Client::new().post(callback).header("X-Hub-Signature", signature).body(body);
        request.send().await.unwrap().status().as_u16()
    })
}

fn signature(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    format!("sha256={}", HEXLOWER.encode(hmac::sign(&key, body).as_ref()))
}

/// What the process has counted.
fn count(event: &str) -> u64 {
    metrics::FETCHER_WEBSUB.with_label_values(&[event]).get()
}

#[test]
fn a_subscription_from_its_beginning_to_its_renewal() {
    with_feed(140, 202, |runtime, clock, hub, feed| {
        let (callback, secret, topic) =
            (hub.field("hub.callback"), hub.field("hub.secret"), hub.field("hub.topic"));
        assert_eq!(
            (hub.field("hub.mode").as_str(), topic.as_str()),
            ("subscribe", feed.url("/feed").as_str())
        );
        assert!(callback.contains("/in/websub/"), "{callback}");

        let lease = (24 * HOUR_MS / 1000).to_string();
        let granted = |callback: &str, topic: &str| {
            let said = [
                ("hub.mode", "subscribe"),
                ("hub.topic", topic),
                ("hub.challenge", "<b>42</b>"),
                ("hub.lease_seconds", lease.as_str()),
            ];
            ask(runtime, callback, &said)
        };
        assert_eq!(granted(&callback, "http://other.example/feed").0, 404);
        assert_eq!(granted(&format!("{callback}x"), &topic).0, 404);
        assert_eq!(granted(&callback, &topic), (200, "<b>42</b>".to_owned()));

        // The clock stands still but here: nothing else makes the feed due.
        clock.advance(3 * HOUR_MS);
        let body = b"<rss>new</rss>".to_vec();
        let forged = signature("another secret", &body);
        assert_eq!(deliver(runtime, &callback, &forged, body.clone()), 202);
        assert_eq!(deliver(runtime, &callback, "", body.clone()), 202);
        assert_eq!(deliver(runtime, &format!("{callback}x"), &forged, body.clone()), 404);
        assert_eq!(deliver(runtime, &callback, &forged, vec![b'a'; (1 << 20) + 1]), 413);
        assert_eq!((count("forged"), count("too_large"), count("delivered")), (2, 1, 0));
        assert_eq!(deliver(runtime, &callback, &signature(&secret, &body), body.clone()), 202);
        wait_until("the feed is read as its hub says", || feed.targets().len() == 2);
        assert_eq!(hub.forms().len(), 1, "the lease is young");

        clock.advance(13 * HOUR_MS);
        let body = b"more".to_vec();
        assert_eq!(deliver(runtime, &callback, &signature(&secret, &body), body), 202);
        wait_until("the subscription is renewed", || hub.forms().len() == 2);
        assert_eq!(hub.field("hub.callback"), callback);
        assert_eq!((count("verified"), count("delivered")), (1, 2));
        wait_until("what was asked is counted", || count("asked") == 2);
    });
}

#[test]
fn a_hub_that_refuses_is_asked_after_a_later_reading() {
    with_feed(141, 403, |_, clock, hub, feed| {
        for n in 2..=4 {
            clock.advance(16 * HOUR_MS);
            wait_until("the hub is asked again", || hub.forms().len() == n);
            wait_until("the refusal is counted", || count("refused") == n as u64);
            assert_eq!(feed.targets().len(), n, "once a reading");
        }
    });
}
