//! Lists read once, without a log: whether they can be watched, by the rules that the fetcher keeps.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        mpsc::{Receiver, channel},
    },
    time::Duration,
};

use article::CanonicalUrl;
use crawl::{Discovered, Failure, Leads, RobotsFile, Validators};
use pipeline::Clock;
use tokio::{runtime::Runtime, sync::Semaphore};
use wire::Request;

use crate::{
    client::Client,
    config::{Config, ConfigError},
    keep::Keep,
    visit::{Found, Job, Visitor},
};

/// How often, and for how long, a domain waits whose address is being asked for others.
const MAX_POSTPONED: u32 = 600;
const POSTPONED_FOR: Duration = Duration::from_secs(1);

/// A list that is to be read once.
#[derive(Debug, Clone)]
pub struct Probe {
    /// Where it is.
    pub url: CanonicalUrl,
    /// Whether an HTML page there is read for its links.
    pub is_section: bool,
}

/// What a list says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What it is: `feed`, `sitemap` or `section`.
    pub kind: &'static str,
    /// Addresses in it, feeds that it names left out.
    pub entries: usize,
    /// The latest date that an entry has, as written there.
    pub newest: Option<String>,
    /// Feeds that it names as its own.
    pub feeds: Vec<String>,
}

/// Reads every list once: one request to a registrable domain at a time, a delay between two, robots.txt obeyed, no
/// private address. What comes of each, in the order in which they end, with its place among `probes`; the error says why
/// it cannot be watched. One on which the reader panics has no end, and neither have those after it at its domain.
pub fn probe(
    config: &Config,
    probes: Vec<Probe>,
) -> Result<impl Iterator<Item = (usize, Result<Reading, String>)>, ConfigError> {
    let clock = Clock::system();
    let visitor = Visitor::new(Client::new(config)?, Keep::open(config, None)?, clock, config);
    let mut hosts: BTreeMap<String, Vec<(usize, Probe)>> = BTreeMap::new();
    for (n, probe) in probes.into_iter().enumerate() {
        hosts.entry(probe.url.registrable_domain().to_owned()).or_default().push((n, probe));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let room = Arc::new(Semaphore::new(config.max_in_flight.max(1)));
    let (sender, receiver) = channel();
    for (domain, probes) in hosts {
        let (visitor, room, sender) = (visitor.clone(), room.clone(), sender.clone());
        let (delay, allowed) = (config.delay, config.timeout);
        runtime.spawn(async move {
            let Ok(_room) = room.acquire_owned().await else { return };
            let (mut robots, mut pause) = (Vec::new(), Duration::ZERO);
            for (n, probe) in probes {
                tokio::time::sleep(pause).await;
                let job = job(&domain, probe, &robots, allowed);
                let mut visit = visitor.clone().visit(job.clone()).await;
                for _ in 0..MAX_POSTPONED {
                    if !matches!(visit.found, Found::Failed(Failure::AddressBusy(_))) {
                        break;
                    }
                    tokio::time::sleep(POSTPONED_FOR).await;
                    visit = visitor.clone().visit(job.clone()).await;
                }
                pause = delay.max(Duration::from_millis(visit.crawl_delay_ms.max(0) as u64));
                robots.extend(visit.robots);
                // Nobody listens any more: nothing is left to do.
                if sender.send((n, reading(visit.found))).is_err() {
                    return;
                }
            }
        });
    }
    Ok(Readings { receiver, _runtime: runtime })
}

/// Holds the runtime as long as something is read.
struct Readings {
    receiver: Receiver<(usize, Result<Reading, String>)>,
    _runtime: Runtime,
}

impl Iterator for Readings {
    type Item = (usize, Result<Reading, String>);

    fn next(&mut self) -> Option<Self::Item> {
        self.receiver.recv().ok()
    }
}

fn job(domain: &str, probe: Probe, robots: &[(String, RobotsFile)], allowed: Duration) -> Job {
    Job {
        id: 0,
        partition: 0,
        domain: domain.to_owned(),
        sequence: 0,
        request: Request { url: probe.url.as_str().to_owned(), ..Request::default() },
        url: probe.url,
        hops: 0,
        depth: 0,
        robots: robots.to_vec(),
        allowed,
        known: Validators::default(),
        is_section: probe.is_section,
    }
}

fn reading(found: Found) -> Result<Reading, String> {
    let list = match found {
        Found::List(list) => list,
        Found::Page(_) => {
            return Err("it is a page, and neither a feed nor a sitemap; is it a section?".to_owned());
        }
        Found::Moved { url, .. } => return Err(format!("it has moved to {}; name that", url.as_str())),
        Found::Unchanged => {
            return Err("the server says that nothing has changed, and was not asked".to_owned());
        }
        Found::Failed(failure) => return Err(failure.to_string()),
    };
    let (feeds, entries): (Vec<&Discovered>, Vec<&Discovered>) =
        list.entries.iter().partition(|entry| entry.leads == Leads::Feed);
    let date = |entry: &&Discovered| entry.published_at.clone().or(entry.modified_at.clone());
    let at = |date: &String| article::Moment::parse(date).ok().map(|moment| moment.as_millis());
    Ok(Reading {
        kind: list.via,
        entries: entries.len(),
        newest: entries.iter().filter_map(date).max_by_key(at),
        feeds: feeds.iter().map(|feed| feed.url.as_str().to_owned()).collect(),
    })
}
