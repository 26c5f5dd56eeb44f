//! What would happen to a URL now, and why: an answer made of what the fetcher knows. Nothing is fetched for it.

pub(crate) mod ask;
mod outlets;

use std::net::IpAddr;

use article::{ArticleId, CanonicalUrl};
use crawl::RobotsFile;
use serde::{Deserialize, Serialize};
use wire::{QueueTicket, Request};

pub use outlets::OutletSaid;

use crate::{frontier::HostRow, rules::Rules, seen::Seen};

/// What would happen to a URL, and why. Instants in Unix milliseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explanation {
    /// In its one spelling.
    pub url: String,
    /// The article that its page would be.
    pub article_id: String,
    /// Whose server is asked.
    pub host: String,
    /// The registrable domain, whose hosts are treated as one.
    pub domain: String,
    /// When this was said.
    pub said_at_ms: i64,
    /// What would happen.
    pub verdict: Verdict,
    /// Not before this instant, where it has to wait.
    pub not_before_ms: Option<i64>,
    /// Why, for people: what decides, or everything that is waited for.
    pub because: Vec<String>,
    /// What robots.txt says of it.
    pub robots: RobotsSaid,
    /// Least time between two requests to the domain, and where it comes from: `configuration`, `source`, `robots.txt`
    /// or `latency`.
    pub delay_ms: i64,
    /// See [`Explanation::delay_ms`].
    pub delay_from: String,
    /// The domain; absent where nothing was ever asked of it.
    pub domain_state: Option<DomainState>,
    /// Its place in the queue, where it has one.
    pub queued: Option<Queued>,
    /// Its page as it was last fetched, as long as that is remembered.
    pub last_fetched: Option<LastFetched>,
    /// The source of the request in the queue, where it has one.
    pub source: Option<SourceState>,
    /// Whose URL it is by the list of sources, as far as that tells.
    #[serde(default)]
    pub outlets: Vec<OutletSaid>,
}

/// What would happen to a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Its domain is being asked for it now.
    BeingFetched,
    /// It is queued, and will be fetched when its turn comes.
    Queued,
    /// Nobody has asked for it; it would be fetched.
    WouldBeFetched,
    /// It was fetched a short while ago, and would not be again unless that is asked for.
    FetchedLately,
    /// It would not be fetched.
    Refused,
}

/// What robots.txt says of a URL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RobotsSaid {
    /// Where it is.
    pub origin: String,
    /// `rules`, `allow` (there is none), `unreachable` or `unknown`.
    pub state: String,
    /// How old the copy is.
    pub age_ms: Option<i64>,
    /// Whether the copy is new enough to be used; otherwise it is fetched first.
    pub is_fresh: bool,
    /// The rule that decides (`disallow: /private`), if one matches.
    pub rule: Option<String>,
    /// Its line in the file, where that is known.
    #[serde(default)]
    pub line: Option<u32>,
}

/// What is known of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainState {
    /// No request before this instant.
    pub next_at_ms: i64,
    /// Failures in a row that speak for the host.
    pub failures: u32,
    /// When they began.
    pub failing_since_ms: Option<i64>,
    /// Of the last answer.
    pub latency_ms: u32,
    /// Everything that is queued for the domain.
    pub queued: usize,
}

/// A place in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Queued {
    /// `live` or `backfill`.
    pub lane: String,
    /// Higher goes first.
    pub priority: i32,
    /// No attempt before this instant.
    pub due_at_ms: i64,
    /// Given up after this one.
    pub expires_at_ms: Option<i64>,
    /// Made so far.
    pub attempts: u32,
    /// Why the last one failed; empty where none did.
    pub last_failure: String,
    /// How often its page was fetched: what is due then is a revisit.
    pub visits: u32,
    /// Whether it is a list that is watched.
    pub is_list: bool,
}

/// A page as it was last fetched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFetched {
    /// When.
    pub at_ms: i64,
    /// By which its server tells versions apart; empty where it does not.
    pub etag: String,
    /// Likewise.
    pub last_modified: String,
    /// Of the body, in hexadecimal.
    pub body_hash: String,
}

/// What a source has had of a domain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceState {
    /// As in the list of sources.
    pub id: String,
    /// Articles a day; 0 for no bound.
    pub daily_quota: u32,
    /// Of the domain, today.
    pub fetched_today: u32,
}

/// What the fetcher knows of a URL.
pub(crate) struct Facts<'a> {
    pub url: &'a CanonicalUrl,
    pub now_ms: i64,
    pub rules: &'a Rules,
    /// By which robots.txt knows us.
    pub token: &'a str,
    /// Its host is this address, which is not public.
    pub refused_address: Option<IpAddr>,
    pub is_in_flight: bool,
    /// As its owner treats it.
    pub host: Option<HostRow>,
    /// Queued for the domain.
    pub waiting: usize,
    /// Of the URL's origin.
    pub robots: Option<RobotsFile>,
    pub queued: Option<(Request, QueueTicket)>,
    pub seen: Seen,
}

/// What would happen, and why.
pub(crate) fn explain(facts: &Facts<'_>) -> Explanation {
    let Facts { url, now_ms, rules, .. } = *facts;
    let robots = facts.robots.as_ref().and_then(|file| file.rules(facts.token));
    let rule = robots.as_ref().and_then(|robots| robots.rule(url));
    let row = facts.host.clone().unwrap_or_default();
    let crawl_delay_ms = robots.as_ref().map_or(0, |robots| robots.crawl_delay_ms());
    let (delay_ms, delay_from) = crawl::delay(&row.politeness, crawl_delay_ms, &rules.policy);
    let (verdict, not_before_ms, because) = judge(facts, rule);
    Explanation {
        url: url.as_str().to_owned(),
        article_id: ArticleId::of_url(url).as_str().to_owned(),
        host: url.host().to_owned(),
        domain: url.registrable_domain().to_owned(),
        said_at_ms: now_ms,
        verdict,
        not_before_ms,
        because,
        robots: RobotsSaid {
            origin: url.origin().to_owned(),
            state: facts.robots.as_ref().map_or("unknown", |file| file.availability.as_str()).to_owned(),
            age_ms: facts.robots.as_ref().map(|file| now_ms.saturating_sub(file.fetched_at_ms)),
            is_fresh: facts.robots.as_ref().is_some_and(|file| file.is_fresh(now_ms)),
            rule: rule.map(said),
            line: rule.and_then(|rule| rule.line),
        },
        delay_ms,
        delay_from: delay_from.to_owned(),
        domain_state: facts.host.as_ref().map(|host| DomainState {
            next_at_ms: host.politeness.next_at_ms,
            failures: host.politeness.failures,
            failing_since_ms: host.politeness.failing_since_ms,
            latency_ms: host.politeness.latency_ms,
            queued: facts.waiting,
        }),
        queued: facts.queued.as_ref().map(|(_, ticket)| Queued {
            lane: if ticket.is_backfill { "backfill" } else { "live" }.to_owned(),
            priority: ticket.priority,
            due_at_ms: ticket.due_at_ms,
            expires_at_ms: ticket.expires_at_ms,
            attempts: ticket.attempts,
            last_failure: ticket.last_failure.clone(),
            visits: ticket.visits,
            is_list: ticket.list.is_some(),
        }),
        last_fetched: Some(&facts.seen).filter(|seen| seen.fetched_at_ms != 0).map(|seen| LastFetched {
            at_ms: seen.fetched_at_ms,
            etag: seen.version.validators.etag.clone(),
            last_modified: seen.version.validators.last_modified.clone(),
            body_hash: format!("{:016x}", seen.version.body_hash),
        }),
        source: facts.queued.as_ref().filter(|(request, _)| !request.source_id.is_empty()).map(
            |(request, _)| SourceState {
                id: request.source_id.clone(),
                daily_quota: quota(request, rules),
                fetched_today: row.spent.today(&request.source_id, now_ms),
            },
        ),
        outlets: Vec::new(),
    }
}

fn said(rule: &crawl::Rule) -> String {
    format!("{}: {}", if rule.is_allow { "allow" } else { "disallow" }, rule.pattern)
}

/// Articles of the request's source and domain a day; 0 for no bound.
pub(crate) fn quota(request: &Request, rules: &Rules) -> u32 {
    if request.daily_quota > 0 { request.daily_quota } else { rules.daily_quota }
}

fn judge(facts: &Facts<'_>, rule: Option<&crawl::Rule>) -> (Verdict, Option<i64>, Vec<String>) {
    let now_ms = facts.now_ms;
    if let Some(address) = facts.refused_address {
        let why = format!("{address} is not a public address; `allow_private` in [fetcher] allows it");
        return (Verdict::Refused, None, vec![why]);
    }
    if facts.is_in_flight {
        return (Verdict::BeingFetched, None, vec!["its domain is being asked now".to_owned()]);
    }
    let is_known = facts.robots.as_ref().is_some_and(|file| file.is_fresh(now_ms));
    if let Some(rule) = rule.filter(|rule| is_known && !rule.is_allow) {
        let line = rule.line.map(|line| format!(" in line {line}")).unwrap_or_default();
        let why = format!("the robots.txt of {} says \"{}\"{line}", facts.url.origin(), said(rule));
        return (Verdict::Refused, None, vec![why]);
    }
    let until_ms = facts.seen.fetched_at_ms.saturating_add(facts.rules.fetched_for_ms);
    if facts.queued.is_none() && facts.seen.fetched_at_ms != 0 && now_ms < until_ms {
        let why =
            "it was fetched less than `fetched_for` ago; a request with `refetch` is not held back by that";
        return (Verdict::FetchedLately, Some(until_ms), vec![why.to_owned()]);
    }
    let waits = waits(facts);
    let mut because: Vec<String> = waits.iter().map(|(_, why)| why.clone()).collect();
    if !is_known {
        because.push(format!("the robots.txt of {} is asked for first", facts.url.origin()));
    }
    let not_before_ms = waits.iter().map(|(at_ms, _)| *at_ms).max();
    let verdict = if facts.queued.is_some() { Verdict::Queued } else { Verdict::WouldBeFetched };
    (verdict, not_before_ms, because)
}

/// What has to be waited for: until when, and why.
fn waits(facts: &Facts<'_>) -> Vec<(i64, String)> {
    let mut waits = Vec::new();
    if let Some((request, ticket)) = &facts.queued {
        let why = match ticket {
            _ if ticket.attempts > 0 => {
                format!(
                    "attempt {} failed ({}), and it waits for the next",
                    ticket.attempts, ticket.last_failure
                )
            }
            _ if ticket.list.is_some() => "the list waits for its next reading".to_owned(),
            _ if ticket.visits > 0 => "the page was fetched, and waits for its next revisit".to_owned(),
            _ => "it was put off".to_owned(),
        };
        waits.push((ticket.due_at_ms, why));
        let spent = facts.host.as_ref().map(|host| &host.spent).filter(|_| ticket.list.is_none());
        let quota = quota(request, facts.rules);
        if let Some(at_ms) = spent.and_then(|s| s.wait_until_ms(&request.source_id, quota, facts.now_ms)) {
            waits.push((at_ms, format!("its source has had its {quota} articles of the domain today")));
        }
    }
    if let Some(host) = &facts.host {
        let why = match host.politeness.failures {
            0 => "its domain was asked a moment ago".to_owned(),
            n => format!("its domain has failed {n} times in a row, and is left alone"),
        };
        waits.push((host.politeness.next_at_ms, why));
    }
    waits.retain(|(at_ms, _)| *at_ms > facts.now_ms);
    waits
}

#[cfg(test)]
mod tests;
