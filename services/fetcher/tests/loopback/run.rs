//! The fetcher, run on an embedded log, and the account of what became of every request.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use article::CanonicalUrl;
use fetcher::{Config, Hints, Questions, ROLE};
use pipeline::{
    Clock, Drained, Inputs, Limits, Log, LogError, Output, Progress, Record, Settings, Shutdown, State, Step,
    embedded::{Embedded, EmbeddedRole},
    metrics::RoleMetrics,
};
use prost::Message;
use wire::{Document, Page, QueueTicket, Request};

/// Where all that is wanted has to be done by.
const DEADLINE: Duration = Duration::from_secs(30);

/// How requests ended.
#[derive(Default, Debug)]
pub struct Ended {
    /// By the URL asked for.
    pub pages: BTreeMap<String, Page>,
    /// By the URL asked for: reason and detail.
    pub dead: BTreeMap<String, (String, String)>,
    /// URLs that still wait for their page.
    pub queued: Vec<String>,
}

impl Ended {
    pub fn reason(&self, url: &str) -> &str {
        &self.dead.get(url).unwrap_or_else(|| panic!("{url} is no dead letter: {self:?}")).0
    }

    pub fn detail(&self, url: &str) -> &str {
        &self.dead.get(url).unwrap_or_else(|| panic!("{url} is no dead letter: {self:?}")).1
    }

    pub fn page(&self, url: &str) -> &Page {
        self.pages.get(url).unwrap_or_else(|| panic!("{url} is no page: {self:?}"))
    }

    pub fn body(&self, url: &str) -> &[u8] {
        &self.page(url).response.as_ref().unwrap().body
    }
}

pub fn config() -> Config {
    Config {
        delay: Duration::from_millis(20),
        latency_factor: 0,
        host_backoff: Duration::from_millis(50),
        retry_backoff: Duration::from_millis(50),
        max_attempts: 3,
        timeout: Duration::from_secs(5),
        max_body_bytes: 100_000,
        allow_private: true,
        ..Config::default()
    }
}

pub fn request(url: &str) -> Request {
    Request { request_id: url.to_owned(), url: url.to_owned(), ..Request::default() }
}

pub fn with_document(url: &str) -> Request {
    Request {
        document: Some(Document { content: "A reprint.".into(), ..Document::default() }),
        ..request(url)
    }
}

/// Runs the fetcher until nothing is left to do.
pub fn fetch(config: &Config, requests: &[Request]) -> Ended {
    fetch_until(config, requests, || false)
}

/// Runs the fetcher until nothing is left to do, or until `stop` says so. Holds that every request is accounted for.
pub fn fetch_until(config: &Config, requests: &[Request], stop: impl Fn() -> bool) -> Ended {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::system();
    let log = Embedded::open(folder.path(), &pipeline::embedded::Options::default()).unwrap();
    let outputs = requests.iter().map(|request| Output {
        topic: "requests",
        partition: None,
        key: CanonicalUrl::parse(&request.url)
            .map_or(request.request_id.clone(), |url| url.registrable_domain().to_owned())
            .into(),
        value: Some(request.encode_to_vec().into()),
        headers: Vec::new(),
    });
    log.append(outputs.collect()).unwrap();
    let settings = Settings {
        limits: Limits { records: 100, bytes: 1 << 20, timers: 100 },
        wait: Duration::from_millis(10),
        progress: Progress::default(),
        shutdown: Shutdown::default(),
        metrics: RoleMetrics::of(&ROLE),
        tracer: trace::Tracer::default(),
    };
    let mut witness = Witness { role: log.role(ROLE).unwrap(), records: BTreeMap::new() };
    thread::scope(|scope| {
        let running = scope.spawn(|| {
            fetcher::run(&mut witness, config, &clock, &settings, Hints::default(), Questions::default())
        });
        let mut drained = Drained::new(vec![settings.progress.clone()]);
        let deadline = Instant::now() + DEADLINE;
        while !drained.check() && !stop() && !running.is_finished() {
            if Instant::now() > deadline {
                settings.shutdown.request();
                panic!("still {} queued", settings.progress.pending());
            }
            Shutdown::default().wait(Duration::from_millis(20));
        }
        settings.shutdown.request();
        running.join().unwrap().unwrap();
    });
    let not_taken = log.read("requests", 0, 10_000).unwrap();
    witness.records.extend(not_taken.into_iter().map(|record| (record.origin.offset, record)));
    let pages = log.read("pages", 0, 10_000).unwrap();
    let letters = log.read("deadletters.fetcher", 0, 10_000).unwrap();
    account(&witness, &pages, &letters)
}

/// A role's log that remembers the records it gave: the embedded log deletes what was taken.
struct Witness {
    role: EmbeddedRole,
    records: BTreeMap<i64, Record>,
}

impl Log for Witness {
    fn poll(&mut self, limits: Limits, wait: Duration) -> Result<Inputs, LogError> {
        let inputs = self.role.poll(limits, wait)?;
        self.records.extend(inputs.records.iter().map(|record| (record.origin.offset, record.clone())));
        Ok(inputs)
    }

    fn step(&self) -> Step {
        self.role.step()
    }

    fn commit(&mut self, step: Step) -> Result<(), LogError> {
        self.role.commit(step)
    }

    fn rewind(&mut self) -> Result<(), LogError> {
        self.role.rewind()
    }

    fn assignment(&self) -> Vec<i32> {
        self.role.assignment()
    }

    fn state(&self, partition: i32) -> Option<State> {
        self.role.state(partition)
    }

    fn is_settled(&self) -> bool {
        self.role.is_settled()
    }

    fn is_at_end(&mut self) -> Result<bool, LogError> {
        self.role.is_at_end()
    }
}

/// A record of the topic `requests`.
struct Asked {
    request: Request,
    key: Vec<u8>,
    is_of_fetcher: bool,
}

impl Asked {
    fn of(record: &Record) -> Self {
        let mut request = Request::decode(record.value.clone().unwrap()).unwrap();
        request.url = spelt(&request.url);
        let is_of_fetcher = wire::header(&record.headers, "ce_source") == Some("/wireroom/fetcher");
        Self { request, key: record.key.to_vec(), is_of_fetcher }
    }

    /// Whether it came of the other: it goes on elsewhere (a redirect, an archived copy, another partition), or is of the
    /// list that the other was.
    fn is_of(&self, other: &Self) -> bool {
        let rest = self.request.request_id.strip_prefix(&other.request.request_id);
        let is_of_list =
            |rest: &str| rest.strip_prefix('.').is_some_and(|hash| u64::from_str_radix(hash, 16).is_ok());
        let is_same_place = (&self.request.url, &self.key) == (&other.request.url, &other.key);
        self.is_of_fetcher && rest.is_some_and(|rest| is_of_list(rest) || rest.is_empty() && !is_same_place)
    }
}

fn spelt(url: &str) -> String {
    CanonicalUrl::parse(url).map_or(url.to_owned(), |url| url.as_str().to_owned())
}

/// How everything ended. Holds that each request, handed in or handed on, ended once: as a page, as the requests that it
/// led to, as a dead letter with its reason, as a queue entry, or as the same errand of another; and that there is nothing
/// beside.
fn account(witness: &Witness, pages: &[Record], letters: &[Record]) -> Ended {
    let asked: BTreeMap<i64, Asked> =
        witness.records.iter().map(|(offset, record)| (*offset, Asked::of(record))).collect();
    let mut ends: BTreeMap<i64, Vec<String>> = asked.keys().map(|offset| (*offset, Vec::new())).collect();
    let mut end = |offset: i64, how: String| match ends.get_mut(&offset) {
        Some(ends) => ends.push(how),
        None => panic!("{how} of request {offset}, which nobody made"),
    };
    let mut ended = Ended::default();

    for record in pages {
        let page = Page::decode(record.value.clone().unwrap()).unwrap();
        let request = page.request.clone().unwrap();
        assert_eq!(record.key, wire::page_key(&request.url));
        let is_it = |asked: &Asked| {
            (&asked.request.request_id, &asked.request.url) == (&request.request_id, &request.url)
        };
        let offset = asked.iter().rfind(|(_, asked)| is_it(asked)).map(|(offset, _)| *offset);
        end(offset.unwrap_or(-1), "page".to_owned());
        assert!(ended.pages.insert(request.url.clone(), page).is_none(), "{} is a page twice", request.url);
    }
    for letter in letters {
        let told = |name| wire::header(&letter.headers, name).unwrap().to_owned();
        let (reason, detail) = (told("wireroom_reason"), told("__connect.errors.exception.message"));
        assert!(!reason.is_empty() && !detail.is_empty(), "no reason: {letter:?}");
        let offset: i64 = told("__connect.errors.offset").parse().unwrap();
        end(offset, format!("dead letter, {reason}"));
        let original = witness.records.get(&offset).unwrap();
        assert_eq!((&letter.key, &letter.value), (&original.key, &original.value), "bytes unchanged");
        ended.dead.insert(asked.get(&offset).unwrap().request.url.clone(), (reason, detail));
    }
    // Rows `t` domain 0 sequence of the frontier; who has had a page only waits for its revisit.
    for row in witness.role.state(0).into_iter().flat_map(|state| state.scan(b"t")) {
        let (key, ticket) = row.unwrap();
        let offset = i64::from_be_bytes(*key.last_chunk::<8>().unwrap());
        if QueueTicket::decode(ticket).unwrap().visits == 0 {
            end(offset, "queue entry".to_owned());
            ended.queued.push(asked.get(&offset).unwrap().request.url.clone());
        }
    }
    for (offset, request) in &asked {
        if asked.range(offset + 1..).any(|(_, later)| later.is_of(request)) {
            end(*offset, "handed on".to_owned());
        }
    }
    for (offset, ends) in &ends {
        let Asked { request, .. } = asked.get(offset).unwrap();
        let is_same = |other: &Asked| other.request.url == request.url;
        let is_known = ends.is_empty() && asked.iter().any(|(o, other)| o != offset && is_same(other));
        let url = &request.url;
        assert!(ends.len() == 1 || is_known, "request {offset} for {url} ended so: {ends:?}, of {ended:?}");
    }
    ended
}
