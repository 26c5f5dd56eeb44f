//! Politeness is held by a host's owner, whoever that is: two fetchers on one Kafka, a third that joins and one that is
//! killed, and the web's own log as the witness (invariant 10 of services/ARCHITECTURE.md).

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::Request,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use tests::{
    broker::Broker,
    run,
    services::{Service, create_topics, on_kafka},
    topics::Topics,
    wait,
};
use tokio::{net::TcpListener, runtime::Runtime};

const HOSTS: usize = 20;
const PAGES: usize = 15;
const DELAY: Duration = Duration::from_millis(300);
/// Every fifth host asks for more, in its robots.txt.
const CRAWL_DELAY: Duration = Duration::from_secs(1);
/// Instants are told in whole milliseconds.
const ROUNDING: Duration = Duration::from_millis(2);

/// A web of its own behind a forward proxy on loopback, and the log that it keeps.
struct Web {
    address: SocketAddr,
    served: Arc<Mutex<Vec<Served>>>,
    _runtime: Runtime,
}

/// A request for a page, when it came.
#[derive(Debug, Clone)]
struct Served {
    host: String,
    path: String,
    /// The fetcher's name.
    by: String,
    at: Instant,
}

impl Web {
    fn open() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
        let address = listener.local_addr().unwrap();
        let served = Arc::new(Mutex::new(Vec::new()));
        let log = served.clone();
        let app = Router::new().fallback(move |request: Request| answer(log.clone(), request));
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { address, served, _runtime: runtime }
    }

    fn served(&self) -> Vec<Served> {
        self.served.lock().unwrap().clone()
    }

    /// By host, in order.
    fn by_host(&self) -> BTreeMap<String, Vec<Served>> {
        let mut hosts: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for served in self.served() {
            hosts.entry(served.host.clone()).or_default().push(served);
        }
        hosts
    }
}

async fn answer(log: Arc<Mutex<Vec<Served>>>, request: Request) -> Response {
    let at = Instant::now();
    let host = request.uri().host().unwrap_or_default().to_owned();
    let path = request.uri().path().to_owned();
    if path == "/robots.txt" {
        return match crawl_delay(&host) > DELAY {
            true => "User-agent: *\nCrawl-delay: 1\nAllow: /\n".into_response(),
            false => StatusCode::NOT_FOUND.into_response(),
        };
    }
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    let by = agent.unwrap_or_default().to_owned();
    let page = format!("<!doctype html><title>{path}</title><p>Of {host}.");
    log.lock().unwrap().push(Served { host, path, by, at });
    // Long enough for some to be under way when owners change.
    tokio::time::sleep(Duration::from_millis(40)).await;
    ([(header::CONTENT_TYPE, "text/html")], page).into_response()
}

/// Least time between two requests to a host.
fn crawl_delay(host: &str) -> Duration {
    let number = host.trim_start_matches("press-").trim_end_matches(".example").parse::<usize>();
    if number.is_ok_and(|number| number % 5 == 0) { CRAWL_DELAY } else { DELAY }
}

fn url(host: usize, page: usize) -> String {
    format!("http://press-{host}.example/story-{page}")
}

#[test]
fn no_host_is_asked_before_its_delay_whoever_owns_it() {
    let (web, broker) = (Web::open(), Broker::shared());
    let prefix = format!("politeness-{}", std::process::id());
    let folder = tempfile::tempdir().unwrap();
    let settings = on_kafka(broker, &prefix);
    create_topics(&settings);
    let start = |name: &'static str| {
        let mut settings = settings.clone();
        settings.extend(
            [
                ("PROXY", format!("http://{}", web.address)),
                ("DELAY", format!("{}ms", DELAY.as_millis())),
                ("USER_AGENT", format!("wireroom/0 (+mailto:{name}@press.example)")),
            ]
            .map(|(key, value)| (format!("WIREROOM__FETCHER__{key}"), value)),
        );
        Service::start("fetcher", name, &["fetcher"], settings, folder.path().join(name))
    };
    let mut killed = start("fetcher-0");
    let stays = start("fetcher-1");
    killed.wait_for_partitions();
    stays.wait_for_partitions();

    let urls: BTreeSet<String> =
        (0..PAGES).flat_map(|page| (0..HOSTS).map(move |host| url(host, page))).collect();
    let topics = Topics::on_kafka(broker.bootstrap(), &prefix);
    let submitted = run::wireroom().arg("submit").args(&urls).args(topics.place()).output().unwrap();
    assert!(submitted.status.success(), "{}", String::from_utf8_lossy(&submitted.stderr));

    let wait_for = |pages: usize| {
        wait::until(&format!("{pages} pages are asked for"), || web.served().len() >= pages);
    };
    wait_for(HOSTS * PAGES / 6);
    let joins = start("fetcher-2");
    joins.wait_for_partitions();
    let served_by_joined = || web.served().iter().filter(|served| served.by.contains("fetcher-2")).count();
    wait::until("the third fetches, too", || served_by_joined() > 0);
    assert!(web.served().len() < HOSTS * PAGES, "the work is done before the kill");
    killed.kill();
    wait::until("every page is asked for", || {
        web.served().iter().map(|served| (&served.host, &served.path)).collect::<BTreeSet<_>>().len()
            == HOSTS * PAGES
    });
    let pages = || {
        let pages = topics.read("pages");
        let of = |page: &serde_json::Value| page["request"]["url"].as_str().unwrap().to_owned();
        pages.iter().map(of).collect::<Vec<String>>()
    };
    wait::until("every page is committed", || pages().len() >= HOSTS * PAGES);
    let mut pages = pages();
    pages.sort();
    assert_eq!(pages, urls.into_iter().collect::<Vec<_>>(), "each page once");

    let hosts = web.by_host();
    for (host, served) in &hosts {
        for pair in served.windows(2) {
            let pause = pair[1].at - pair[0].at;
            assert!(
                pause + ROUNDING >= crawl_delay(host),
                "{host} was asked again after {pause:?}: {pair:?}"
            );
        }
    }
    let owners = |served: &Vec<Served>| served.iter().map(|s| s.by.clone()).collect::<BTreeSet<_>>().len();
    let moved = hosts.values().filter(|served| owners(served) > 1).count();
    println!(
        "{moved} of {HOSTS} hosts changed their owner; {} requests for {} pages",
        web.served().len(),
        pages.len()
    );
    assert!(moved > 0, "nothing changed hands");
}
