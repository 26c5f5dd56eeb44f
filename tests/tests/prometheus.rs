//! A real Prometheus watches the services on Kafka, each role in processes of its own, through a run and through
//! incidents: every alert of the chart fires in its incident, those of a standstill clear after it, and every panel and
//! every rule has data, and what takes time leads to traces.
//!
//! Windows of the rules are minutes to days and their thresholds are those of a large installation: the copy that is
//! loaded here has seconds and small numbers for them ([`SHORTENED`]), and is otherwise the chart's.
//!
//! No expression is excused. Those on hubs, on silent lists and on addresses that are not public have series that stay at
//! 0 here: there is no hub, no list has a rhythm yet, and a proxy resolves names.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tests::broker::Broker;
use tests::press::{self, Press};
use tests::prometheus::{Prometheus, panels};
use tests::services::{APART, Service, Services};
use tests::wait;

/// What is written otherwise in the copy of the rules; each stands there.
const SHORTENED: [(&str, &str); 16] = [
    ("[5m]", "[5s]"),
    ("[10m]", "[10s]"),
    ("[15m]", "[10s]"),
    // Lag is told every ten seconds: a trend wants two of them.
    ("[30m]", "[25s]"),
    ("[1h]", "[20s]"),
    ("[6h]", "[30s]"),
    ("[30d]", "[60s]"),
    ("offset 1d", "offset 20s"),
    ("for: 2m", "for: 1s"),
    ("for: 5m", "for: 1s"),
    ("for: 15m", "for: 1s"),
    ("for: 30m", "for: 1s"),
    // The promise is a minute here and three seconds there, another bucket of the same histogram.
    ("60(\\\\.0)?", "3(\\\\.0)?"),
    ("wireroom:lag_records:sum > 10000", "wireroom:lag_records:sum > 10"),
    ("wireroom:lag_seconds:estimate > 600", "wireroom:lag_seconds:estimate > 5"),
    ("(wireroom_fetcher_due_lag_seconds) > 300", "(wireroom_fetcher_due_lag_seconds) > 0"),
];

/// Alerts on what does not go on, none of which has a reason at the beginning or at the end.
const STANDSTILLS: [&str; 7] = [
    "WireroomStalled",
    "WireroomRoleStalled",
    "WireroomRoleMissing",
    "WireroomStepsFail",
    "WireroomTargetDown",
    "WireroomKeepFails",
    "WireroomSourcesWrong",
];

/// Histograms of how long something takes: each leads to traces.
const LATENCIES: [&str; 3] = [
    "wireroom_fetcher_fetch_seconds_bucket",
    "wireroom_extractor_page_seconds_bucket",
    "wireroom_normalizer_freshness_seconds_bucket",
];

const ARTICLES: usize = 1_500;
const AT_FIRST: usize = 60;
const STORE: &str = "WIREROOM__STORE__LOCATION";

#[test]
fn every_alert_fires_in_its_incident_and_every_panel_has_data() {
    let press = Press::with_articles(ARTICLES);
    let folder = tempfile::tempdir().unwrap();
    let story = Story::begin(&press, folder.path());

    story.until("articles are published", || {
        let published = story.prometheus.query("sum(wireroom_normalizer_publications_total)");
        published.iter().any(|(_, count)| *count >= AT_FIRST as f64)
    });
    story.until_clear();

    story.of("extractor", Service::stop);
    story.until_fire(&["WireroomStalled", "WireroomRoleMissing", "WireroomTargetDown"]);
    story.of("extractor", Service::start_again);
    story.until_fire(&["WireroomLatencyBudgetBurnsFast", "WireroomLatencyBudgetBurnsSlowly"]);
    story.until_clear();

    // Another store than the fetcher's: an outage.
    story.move_extractors_to(&folder.path().join("not-mounted"));
    story.until_fire(&["WireroomRoleStalled", "WireroomStepsFail", "WireroomLagGrows", "WireroomBehind"]);
    story.move_extractors_to(&story.store);

    // A store that takes nothing, and a list that is none.
    let aside = folder.path().join("aside");
    fs::rename(&story.store, &aside).unwrap();
    fs::write(&story.store, "").unwrap();
    let sources = fs::read_to_string(&story.sources).unwrap();
    fs::write(&story.sources, "[[outlet]]\n").unwrap();
    story.until_fire(&["WireroomKeepFails", "WireroomSourcesWrong"]);
    fs::remove_file(&story.store).unwrap();
    fs::rename(&aside, &story.store).unwrap();
    fs::write(&story.sources, sources).unwrap();
    story.until_clear();
    // What drops is told against what was before: that has to be of a time when pages came.
    story.until("pages were extracted for a while", || {
        !story.prometheus.query("wireroom:fields_present:ratio1h offset 20s > 0.7").is_empty()
    });

    let blank = |n| format!("{}?edition={n}", press::BLANK);
    let gone = |n| format!("http://paper-{:02}.example/news/withdrawn-{n}", n % 40);
    let silent = |n| format!("http://silent-{n}.example/");
    let busy = |n| format!("http://{}{n}.example/", press::BUSY);
    story.submit(&(0..150).flat_map(|n| [blank(n), gone(n), silent(n), busy(n)]).collect::<Vec<_>>());
    story.until_fire(&[
        "WireroomDeadLetters",
        "WireroomExtractionDropped",
        "WireroomFetchErrors",
        "WireroomHostsFail",
        "WireroomFrontierOverdue",
        "WireroomThrottled",
        "WireroomQueueFull",
    ]);

    story.until_data();
}

/// Services, who watches them, and a press that goes on publishing.
struct Story {
    services: RefCell<Services>,
    prometheus: Prometheus,
    store: PathBuf,
    sources: PathBuf,
    articles: RefCell<std::vec::IntoIter<String>>,
    published_at: RefCell<Instant>,
}

impl Story {
    fn begin(press: &Press, folder: &Path) -> Self {
        let [store, sources, archive] = ["store", "sources.toml", "archive"].map(|name| folder.join(name));
        let feed = press::LATEST;
        fs::write(&sources, format!("[[outlet]]\nid = \"northern-courier\"\nfeeds = [\"{feed}\"]\n"))
            .unwrap();
        let settings = |name: &str| {
            let mut settings = vec![
                (STORE, store.display().to_string()),
                ("WIREROOM__STORE__ABOVE_BYTES", "0".to_owned()),
                // Traced, though nobody listens.
                ("WIREROOM__TRACING__ENDPOINT", "http://127.0.0.1:9".to_owned()),
                ("WIREROOM__TRACING__SAMPLE", "1".to_owned()),
            ];
            if name.starts_with("fetcher") {
                settings.extend([
                    ("WIREROOM__FETCHER__ARCHIVE", archive.display().to_string()),
                    ("WIREROOM__FETCHER__SOURCES", sources.display().to_string()),
                    ("WIREROOM__FETCHER__MIN_POLL", "1s".to_owned()),
                    ("WIREROOM__FETCHER__MAX_POLL", "2s".to_owned()),
                    // Hosts that fail come back soon, and one after the other.
                    ("WIREROOM__FETCHER__HOST_BACKOFF", "2s".to_owned()),
                    ("WIREROOM__FETCHER__MAX_HOST_BACKOFF", "2s".to_owned()),
                    ("WIREROOM__FETCHER__RETRY_BACKOFF", "500ms".to_owned()),
                    ("WIREROOM__FETCHER__MAX_IN_FLIGHT", "1".to_owned()),
                    ("WIREROOM__FETCHER__MAX_QUEUED", "200".to_owned()),
                ]);
            }
            settings
        };
        let prefix = format!("prometheus-{}", std::process::id());
        let services = Services::start_these(&APART, settings, Broker::shared(), press, &prefix);
        let prometheus = Prometheus::start(&shortened());
        prometheus.scrape(&services.processes);

        let documents = press::write_documents(services.folder()).unwrap();
        let mut inputs: Vec<String> = documents.iter().map(|path| path.display().to_string()).collect();
        inputs.extend(press::inputs());
        let mut articles = press.article_urls().into_iter();
        inputs.extend(articles.by_ref().take(AT_FIRST));
        services.submit(&inputs);
        Self {
            services: RefCell::new(services),
            prometheus,
            store,
            sources,
            articles: RefCell::new(articles),
            published_at: RefCell::new(Instant::now()),
        }
    }

    fn submit(&self, inputs: &[String]) {
        self.services.borrow().submit(inputs);
    }

    /// Something is done to every instance of a role.
    fn of(&self, role: &str, what: fn(&mut Service)) {
        self.services.borrow_mut().of(role).for_each(what);
        self.prometheus.scrape(&self.services.borrow().processes);
    }

    fn move_extractors_to(&self, store: &Path) {
        self.of("extractor", Service::stop);
        let location = (STORE.to_owned(), store.display().to_string());
        self.services
            .borrow_mut()
            .of("extractor")
            .for_each(|service| service.settings.push(location.clone()));
        self.of("extractor", Service::start_again);
    }

    /// Waits, while the press publishes three articles a second.
    fn until(&self, what: &str, mut condition: impl FnMut() -> bool) {
        let started = Instant::now();
        wait::until(what, || {
            if self.published_at.borrow().elapsed() > Duration::from_secs(1) {
                self.published_at.replace(Instant::now());
                let articles: Vec<String> = self.articles.borrow_mut().by_ref().take(3).collect();
                self.submit(&articles);
            }
            condition()
        });
        println!("{what}: after {:.1} s", started.elapsed().as_secs_f64());
    }

    fn until_fire(&self, alerts: &[&str]) {
        let mut left = alerts.to_vec();
        self.until(&format!("{alerts:?} fire"), || {
            left.retain(|alert| {
                let fires = self.prometheus.fires(alert);
                if fires {
                    println!("{alert} fires");
                }
                !fires
            });
            left.is_empty()
        });
    }

    fn until_clear(&self) {
        self.until("what stands still is cleared", || {
            !STANDSTILLS.iter().any(|alert| self.prometheus.fires(alert))
        });
    }

    /// Every alert has fired, and whatever else is asked for comes: what is of the last seconds alone is not there at each
    /// moment on a machine that is busy.
    fn until_data(&self) {
        let rules = self.prometheus.rules().into_iter().map(|rule| {
            let (name, is_alert) = (rule["name"].as_str().unwrap().to_owned(), rule["type"] == "alerting");
            assert_eq!(rule["health"], "ok", "{name}: {}", rule["lastError"]);
            let fired = format!("last_over_time(ALERTS{{alertname=\"{name}\",alertstate=\"firing\"}}[1h])");
            (name.clone(), if is_alert { fired } else { name })
        });
        let mut without: Vec<_> = rules.chain(panels(&chart("dashboards"))).collect();
        self.until("every rule and every panel has data", || {
            let before = without.len();
            without.retain(|(_, expression)| self.prometheus.query(expression).is_empty());
            if without.len() < before {
                println!("no data yet: {without:#?}");
            }
            without.is_empty()
        });
        for series in LATENCIES {
            self.until(&format!("{series} leads to traces"), || {
                !self.prometheus.exemplars(series).is_empty()
            });
        }
    }
}

/// The chart's rules, for a test that is over in minutes.
fn shortened() -> String {
    let rules = fs::read_to_string(chart("rules/wireroom.yaml")).unwrap();
    let rules = SHORTENED.iter().fold(rules, |rules, (long, short)| {
        assert!(rules.contains(long), "{long} stands nowhere in the rules");
        rules.replace(long, short)
    });
    for unit in ["m]", "h]", "d]"] {
        assert!(!rules.contains(unit), "a window of the rules is not shortened: see SHORTENED");
    }
    rules
}

fn chart(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../helm/wireroom").join(path)
}
