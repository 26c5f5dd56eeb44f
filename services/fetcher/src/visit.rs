//! A host's turn: robots.txt where it is not known, the URL, redirects within the domain, and what the body is.

use std::{borrow::Cow, time::Duration};

use article::CanonicalUrl;
use crawl::{
    Discovered, Failure, Kind, MAX_ROBOTS_BYTES, Redirect, Robots, RobotsFetch, RobotsFile, Validators,
    Version, sniff,
};
use pipeline::Clock;
use reqwest::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, LAST_MODIFIED, LINK,
    LOCATION, RETRY_AFTER,
};
use tokio::time::Instant;
use wire::{InflateError, inflate_start, is_known_encoding};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    client::{Answer, Ask, Asked, Client, conditions},
    config::Config,
    keep::Keep,
    memory::Reserved,
    reading::{ListBody, ListLimits, read_list},
    websub::Hub,
};

/// Redirects of a robots.txt that are followed (RFC 9309 section 2.3.1.2).
const MAX_ROBOTS_REDIRECTS: usize = 5;
/// What [`sniff`] looks at.
pub(crate) const SNIFFED_BYTES: usize = 2048;
/// Headers that say something of the article, and travel with the page.
pub(crate) const KEPT_HEADERS: [&str; 9] = [
    "x-robots-tag",
    "last-modified",
    "etag",
    "content-language",
    "link",
    "tdm-reservation",
    "tdm-policy",
    "memento-datetime",
    "retry-after",
];
/// Longest value of a header that is kept, in bytes.
pub(crate) const MAX_HEADER_BYTES: usize = 2048;

/// What a visit is for.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    /// Tells the visits of a host apart.
    pub id: u64,
    pub partition: i32,
    pub domain: String,
    /// Of the queue entry.
    pub sequence: u64,
    pub url: CanonicalUrl,
    /// As it was made, without its document.
    pub request: wire::Request,
    /// Domains crossed before.
    pub hops: u32,
    /// Lists that led here.
    pub depth: u32,
    /// What is known of the robots.txt of the domain's origins: the URL's, and others as far as they are short.
    pub robots: Vec<(String, RobotsFile)>,
    /// Until the request expires.
    pub allowed: Duration,
    /// What is had already, as its server names it: nothing else is wanted. Empty: whatever is there.
    pub known: Validators,
    /// Whether an HTML page there is to be read for its links.
    pub is_section: bool,
}

/// What came of a visit.
#[derive(Debug)]
pub(crate) struct Visit {
    pub id: u64,
    pub partition: i32,
    pub domain: String,
    pub sequence: u64,
    pub url: CanonicalUrl,
    /// Whether it was asked for whatever was there.
    pub is_whole: bool,
    pub found: Found,
    /// What was learnt of the robots.txt of the domain's origins.
    pub robots: Vec<(String, RobotsFile)>,
    pub crawl_delay_ms: i64,
    pub latency_ms: u32,
    pub ended_at_ms: i64,
    /// The room in memory that it takes up.
    pub reserved: Option<Reserved>,
}

/// How it ended.
#[derive(Debug, Clone)]
pub(crate) enum Found {
    /// With a page.
    Page(Box<Fetched>),
    /// With what is known already.
    Unchanged,
    /// With a feed, a sitemap or a list of feeds.
    List(List),
    /// With a redirect to another domain.
    Moved { url: CanonicalUrl, hops: u32 },
    /// With nothing.
    Failed(Failure),
}

/// A page as it was had.
#[derive(Debug, Clone)]
pub(crate) struct Fetched {
    pub response: wire::Response,
    pub version: Version,
}

/// What a list says.
#[derive(Debug, Clone)]
pub(crate) struct List {
    /// How its addresses were found, in a word.
    pub via: &'static str,
    pub entries: Vec<Discovered>,
    pub version: Version,
    /// Time between two readings that it asks for.
    pub least_interval_ms: Option<i64>,
    /// Who tells when it has something new.
    pub hub: Option<Hub>,
}

impl Visit {
    /// What it will write, roughly.
    pub(crate) fn bytes(&self) -> usize {
        /// Of the request that an address becomes.
        const REQUEST_BYTES: usize = 512;
        match &self.found {
            Found::Page(fetched) => fetched.response.body.len(),
            Found::List(list) => list.entries.len() * REQUEST_BYTES,
            Found::Unchanged | Found::Moved { .. } | Found::Failed(_) => REQUEST_BYTES,
        }
    }
}

/// Makes visits. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Visitor {
    pub client: Client,
    keep: Keep,
    pub clock: Clock,
    token: String,
    max_body_bytes: usize,
    list_limits: ListLimits,
    max_list_depth: u32,
}

impl Visitor {
    pub(crate) fn new(client: Client, keep: Keep, clock: Clock, config: &Config) -> Self {
        Self {
            client,
            keep,
            clock,
            token: crawl::product_token(&config.user_agent).to_owned(),
            max_body_bytes: config.max_body_bytes,
            list_limits: ListLimits { bytes: config.max_list_bytes, entries: config.max_discovered },
            max_list_depth: config.max_list_depth,
        }
    }

    /// Does the job.
    pub(crate) async fn visit(self, job: Job) -> Visit {
        let ends_at = Instant::now() + job.allowed;
        let mut turn = Turn { visitor: &self, job: &job, ends_at, learnt: Vec::new(), reserved: None };
        let mut visit = job.ended(Found::Failed(Failure::Expired), 0);
        visit.found =
            turn.take(&mut visit.latency_ms, &mut visit.crawl_delay_ms).await.unwrap_or_else(Found::Failed);
        visit.robots = turn.learnt;
        visit.reserved = turn.reserved;
        visit.ended_at_ms = self.clock.now_ms();
        visit
    }
}

impl Job {
    /// The visit that ended so, having learnt nothing else.
    pub(crate) fn ended(&self, found: Found, ended_at_ms: i64) -> Visit {
        Visit {
            id: self.id,
            partition: self.partition,
            domain: self.domain.clone(),
            sequence: self.sequence,
            url: self.url.clone(),
            is_whole: self.known.is_empty(),
            found,
            robots: Vec::new(),
            crawl_delay_ms: 0,
            latency_ms: 0,
            ended_at_ms,
            reserved: None,
        }
    }
}

struct Turn<'a> {
    visitor: &'a Visitor,
    job: &'a Job,
    ends_at: Instant,
    learnt: Vec<(String, RobotsFile)>,
    /// For what it will have found.
    reserved: Option<Reserved>,
}

impl Turn<'_> {
    async fn take(&mut self, latency_ms: &mut u32, crawl_delay_ms: &mut i64) -> Result<Found, Failure> {
        let mut url = self.job.url.clone();
        let mut in_place = 0;
        loop {
            let rules = self.rules(&url).await?;
            *crawl_delay_ms = rules.crawl_delay_ms().max(*crawl_delay_ms);
            if !rules.allows(&url) {
                metrics::FETCHER_ROBOTS_DENIED.inc();
                return Err(Failure::RobotsDenied);
            }
            let cap = self.visitor.max_body_bytes;
            let ask = Ask { kind: Asked::Page, cap, allowed: self.left(), known: &self.job.known };
            let answer = self.visitor.client.get(&url, ask).await?;
            *latency_ms = answer.latency_ms;
            if is_redirect(answer.status) {
                match crawl::redirect(&url, location(&answer.headers).as_deref(), in_place, self.job.hops) {
                    Redirect::Follow(next) => url = next,
                    Redirect::Requeue { url, hops } => return Ok(Found::Moved { url, hops }),
                    Redirect::Refused(failure) => return Err(failure),
                }
                in_place += 1;
                continue;
            }
            if answer.status == 304 && !self.job.known.is_empty() {
                return Ok(Found::Unchanged);
            }
            return match Failure::of_status(answer.status, self.retry_after_ms(&answer)) {
                Some(failure) => Err(failure),
                None if answer.is_cut => Err(Failure::TooLarge(cap as u64)),
                None => self.judge(url, answer).await,
            };
        }
    }

    /// The rules of the URL's origin, fetched where they are not known or too old. Where they cannot be had now, the host is
    /// left alone for this turn, for it is ill; the copy from before is for the next, which comes when the server said.
    async fn rules(&mut self, url: &CanonicalUrl) -> Result<Robots, Failure> {
        let token = &self.visitor.token;
        let at_hand = self.learnt.iter().chain(&self.job.robots).find(|(origin, _)| origin == url.origin());
        let known = at_hand.map(|(_, file)| file);
        let now_ms = self.visitor.clock.now_ms();
        if let Some(rules) = known.filter(|file| file.is_fresh(now_ms)).and_then(|file| file.rules(token)) {
            return Ok(rules);
        }
        let known = known.cloned();
        let (fetch, failure) = match self.fetch_robots(url).await {
            Ok(fetch) => (fetch, None),
            Err(failure) => (RobotsFetch::Failed, Some(failure)),
        };
        let asked_for_ms = match &failure {
            Some(Failure::RobotsUnreachable { retry_after_ms, .. }) => retry_after_ms.unwrap_or(0),
            _ => 0,
        };
        let next_ms = now_ms.saturating_add(asked_for_ms);
        let file = crawl::robots_after_fetch(known.as_ref(), fetch, token, next_ms);
        let rules = file.rules(token);
        self.learnt.push((url.origin().to_owned(), file));
        match (failure, rules) {
            (None, Some(rules)) => Ok(rules),
            (failure, _) => Err(failure.unwrap_or(Failure::RobotsDenied)),
        }
    }

    /// What the server says of the file, or why it cannot be had now.
    async fn fetch_robots(&self, url: &CanonicalUrl) -> Result<RobotsFetch, Failure> {
        let unreachable =
            |cause: String, retry_after_ms| Failure::RobotsUnreachable { cause, retry_after_ms };
        let mut at = url.join("/robots.txt").map_err(|error| Failure::BadRequest(error.to_string()))?;
        for _ in 0..=MAX_ROBOTS_REDIRECTS {
            let known = &Validators::default();
            let ask = Ask { kind: Asked::Robots, cap: MAX_ROBOTS_BYTES + 1, allowed: self.left(), known };
            let answer = self.visitor.client.get(&at, ask).await.map_err(|failure| match failure {
                Failure::Timeout | Failure::Connection(_) => unreachable(failure.to_string(), None),
                // What else speaks for the host, or for us, is no matter of robots.txt.
                failure => failure,
            })?;
            if is_redirect(answer.status) {
                match location(&answer.headers).map(|location| at.join(&location)) {
                    Some(Ok(next)) => at = next,
                    // No place to go to: the same as none at all.
                    _ => return Ok(RobotsFetch::Status(404)),
                }
                continue;
            }
            return match Failure::of_status(answer.status, self.retry_after_ms(&answer)) {
                None => robots_text(&answer).map(RobotsFetch::Text).ok_or_else(|| {
                    unreachable("it is encoded in a way that was not asked for, or broken".to_owned(), None)
                }),
                Some(Failure::Busy { status, retry_after_ms }) => {
                    Err(unreachable(format!("the server answered {status}"), retry_after_ms))
                }
                Some(Failure::Status(status @ 400..=499)) => Ok(RobotsFetch::Status(status)),
                Some(failure) => Err(unreachable(failure.to_string(), None)),
            };
        }
        Ok(RobotsFetch::TooManyRedirects)
    }

    fn retry_after_ms(&self, answer: &Answer) -> Option<i64> {
        crawl::retry_after_ms(header(&answer.headers, RETRY_AFTER)?, self.visitor.clock.now_ms())
    }

    async fn judge(&mut self, url: CanonicalUrl, mut answer: Answer) -> Result<Found, Failure> {
        let encoding = header(&answer.headers, CONTENT_ENCODING).unwrap_or_default().to_owned();
        let content_type = header(&answer.headers, CONTENT_TYPE).unwrap_or_default().to_owned();
        if !is_known_encoding(&encoding) {
            return Err(Failure::Unsupported("encoded in a way that was not asked for"));
        }
        let version = Version {
            validators: Validators::of(header(&answer.headers, ETAG), header(&answer.headers, LAST_MODIFIED)),
            body_hash: xxh3_64(&answer.body),
        };
        let sniffed = || sniff(&content_type, &inflate_start(&encoding, &answer.body, SNIFFED_BYTES));
        let kind = answer.body_kind.unwrap_or_else(sniffed);
        match kind {
            Kind::Html | Kind::Text if !(self.job.is_section && kind == Kind::Html) => {
                self.reserved = answer.reserved.take();
                let fetched_at_ms = self.visitor.clock.now_ms();
                let Visitor { keep, client, .. } = self.visitor;
                let mut sent = client.headers.clone();
                let conditions = conditions(&self.job.known);
                sent.extend(conditions.filter_map(|(name, value)| Some((name, value.parse().ok()?))));
                keep.archive(&url, &self.job.request, sent, &answer, fetched_at_ms).await?;
                let mut response = response(&url, answer, encoding, content_type, fetched_at_ms);
                keep.store(&url, &mut response).await?;
                Ok(Found::Page(Box::new(Fetched { response, version })))
            }
            Kind::Html | Kind::Feed | Kind::Sitemap | Kind::Opml | Kind::Gzip
                if self.job.depth < self.visitor.max_list_depth =>
            {
                let reserved = self.visitor.client.memory.list().await;
                let limits = self.visitor.list_limits;
                // What is reserved goes along, for no one can cut this off.
                let read = move || {
                    let cache_control = header(&answer.headers, CACHE_CONTROL);
                    let list = ListBody {
                        url: &url,
                        kind,
                        content_type: &content_type,
                        encoding: &encoding,
                        body: &answer.body,
                        version,
                        links: &lines(&answer.headers, LINK).unwrap_or_default(),
                        max_age_ms: cache_control.and_then(crawl::max_age_ms),
                    };
                    (read_list(list, limits), reserved)
                };
                let (list, reserved) = tokio::task::spawn_blocking(read)
                    .await
                    .map_err(|_| Failure::Unreadable("the list cannot be read".to_owned()))?;
                self.reserved = Some(reserved);
                list.map(Found::List)
            }
            Kind::Html | Kind::Feed | Kind::Sitemap | Kind::Opml => {
                Err(Failure::Unsupported("a list deeper within lists than is followed"))
            }
            _ => Err(Failure::Unsupported(kind.as_str())),
        }
    }

    fn left(&self) -> Duration {
        self.ends_at.saturating_duration_since(Instant::now())
    }
}

fn response(
    url: &CanonicalUrl,
    answer: Answer,
    content_encoding: String,
    content_type: String,
    fetched_at_ms: i64,
) -> wire::Response {
    let kept = KEPT_HEADERS.iter().filter_map(|name| {
        Some(((*name).to_owned(), lines(&answer.headers, HeaderName::from_static(name))?))
    });
    wire::Response {
        final_url: url.as_str().to_owned(),
        status: u32::from(answer.status),
        headers: kept.collect(),
        body: answer.body,
        content_encoding,
        content_type,
        fetched_at_ms,
        ..wire::Response::default()
    }
}

/// The text of a robots.txt, as much of it as counts; `None` where it cannot be read.
fn robots_text(answer: &Answer) -> Option<Vec<u8>> {
    let encoding = header(&answer.headers, CONTENT_ENCODING).unwrap_or_default();
    match wire::inflate(encoding, &answer.body, MAX_ROBOTS_BYTES) {
        Ok(text) => Some(text),
        Err(InflateError::Broken) if !answer.is_cut => None,
        Err(_) => Some(inflate_start(encoding, &answer.body, MAX_ROBOTS_BYTES + 1)),
    }
}

fn is_redirect(status: u16) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308)
}

/// Where a redirect leads to: servers write addresses as they have them, in UTF-8 as well.
fn location(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    let value = headers.get(LOCATION).filter(|value| value.len() <= MAX_HEADER_BYTES)?;
    Some(String::from_utf8_lossy(value.as_bytes()))
}

/// A header's value, where it is text of a reasonable length.
pub(crate) fn header(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| value.len() <= MAX_HEADER_BYTES)
}

/// A header's values, a line each (which none can hold), where they are text of a reasonable length.
fn lines(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    let values: Vec<&str> = headers.get_all(name).iter().filter_map(|value| value.to_str().ok()).collect();
    Some(values.join("\n")).filter(|lines| !values.is_empty() && lines.len() <= MAX_HEADER_BYTES)
}
