//! A fetcher on an embedded log, with a clock and a network of the test's.

use std::{collections::VecDeque, path::Path};

use pipeline::{Output, Progress, Record, Shutdown, embedded};
use prost::Message;
use wire::{Page, Request};

use super::super::*;
use crate::visit::Found;

/// Visits end as the test says.
#[derive(Default)]
pub(super) struct Scripted {
    pub(super) started: Vec<Job>,
    pub(super) ended: VecDeque<Visit>,
    pub(super) cancelled: Vec<u64>,
    pub(super) asked: Vec<Ask>,
}

impl Fetch for Scripted {
    fn start(&mut self, job: Job) {
        self.started.push(job);
    }

    fn ended(&mut self) -> Option<Visit> {
        self.ended.pop_front()
    }

    fn ask(&mut self, ask: Ask) {
        self.asked.push(ask);
    }

    fn cancel(&mut self, id: u64) {
        self.cancelled.push(id);
    }
}

/// A fetcher on an embedded log, with a clock and a network of the test's.
pub(super) struct Bench {
    pub(super) clock: Clock,
    pub(super) log: embedded::Embedded,
    pub(super) role: embedded::EmbeddedRole,
    pub(super) fetcher: Fetcher<Scripted>,
}

pub(super) const START_MS: i64 = 1_800_000_000_000;

pub(super) fn config() -> Config {
    Config {
        delay: Duration::from_secs(1),
        retry_backoff: Duration::from_secs(5),
        max_attempts: 3,
        revisits: Vec::new(),
        ..Config::default()
    }
}

impl Bench {
    pub(super) fn open(folder: &Path, clock: &Clock, config: &Config) -> Self {
        let options = embedded::Options { clock: clock.clone(), ..embedded::Options::default() };
        let log = embedded::Embedded::open(folder, &options).unwrap();
        let role = log.role(ROLE).unwrap();
        let settings = Settings {
            limits: Limits { records: 100, bytes: 1 << 20, timers: 100 },
            wait: Duration::ZERO,
            progress: Progress::default(),
            shutdown: Shutdown::default(),
            metrics: pipeline::metrics::RoleMetrics::of(&ROLE),
            tracer: trace::Tracer::default(),
        };
        let fetcher =
            Fetcher::new(config, clock.clone(), settings, Scripted::default(), Hints::default()).unwrap();
        Self { clock: clock.clone(), log, role, fetcher }
    }

    pub(super) fn submit(&self, request: &Request) {
        self.submit_all([request.clone()]);
    }

    pub(super) fn submit_all(&self, requests: impl IntoIterator<Item = Request>) {
        let output = |request: Request| {
            let domain = CanonicalUrl::parse(&request.url).map(|url| url.registrable_domain().to_owned());
            Output {
                topic: "requests",
                partition: None,
                key: domain.unwrap_or_else(|_| request.request_id.clone()).into(),
                value: Some(request.encode_to_vec().into()),
                headers: vec![("traceparent".to_owned(), b"00-1-2-01".to_vec())],
            }
        };
        self.log.append(requests.into_iter().map(output).collect()).unwrap();
    }

    pub(super) fn turn(&mut self) {
        self.fetcher.turn(&mut self.role).unwrap();
    }

    /// Polls until nothing moves any more.
    pub(super) fn settle(&mut self) {
        for _ in 0..4 {
            self.turn();
        }
    }

    pub(super) fn advance(&mut self, by_ms: i64) {
        self.clock.advance(by_ms);
        self.settle();
    }

    /// The visits begun since they were last asked for: their URLs.
    pub(super) fn begun(&mut self) -> Vec<Job> {
        std::mem::take(&mut self.fetcher.fetch.started)
    }

    /// The one visit begun since.
    pub(super) fn only(&mut self) -> Job {
        let mut begun = self.begun();
        assert_eq!(begun.len(), 1, "{begun:?}");
        begun.remove(0)
    }

    pub(super) fn begun_urls(&mut self) -> Vec<String> {
        self.begun().iter().map(|job| job.url.as_str().to_owned()).collect()
    }

    pub(super) fn end(&mut self, job: &Job, found: Found) {
        let visit = job.ended(found, self.clock.now_ms());
        self.fetcher.fetch.ended.push_back(visit);
        self.settle();
    }

    pub(super) fn records(&self, topic: &str) -> Vec<Record> {
        self.log.read(topic, 0, 1000).unwrap()
    }

    pub(super) fn pages(&self) -> Vec<Page> {
        let read = |record: &Record| Page::decode(record.value.clone().unwrap()).unwrap();
        self.records("pages").iter().map(read).collect()
    }

    pub(super) fn dead(&self) -> Vec<(String, String)> {
        let header = |r: &Record, name: &str| wire::header(&r.headers, name).unwrap().to_owned();
        let records = self.records("deadletters.fetcher");
        let told = |r| (header(r, "wireroom_reason"), header(r, "__connect.errors.exception.message"));
        records.iter().map(told).collect()
    }

    pub(super) fn queued(&self) -> u64 {
        self.fetcher.settings.progress.pending()
    }
}
