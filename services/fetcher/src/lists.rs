//! Feeds, sitemaps and section pages: read once, or watched. What is new in one becomes requests; one that is watched
//! stays in the queue, and is read again when its rhythm says.

use std::collections::HashSet;

use article::Moment;
use crawl::{Discovered, Failure, Fate, Leads, Poll, PollLimits, Rhythm, Version};
use pipeline::LogError;
use tracing::{info, warn};
use wire::{ListState, QueueTicket, Request, Validators, Watch};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    complete::Errand,
    emit::{of_list, request_of, write_request},
    frontier::Queue,
    rules::Rules,
    visit::List,
    websub::lease,
};

const DAY_MS: i64 = 86_400_000;
/// How long a list rests that is at another domain.
const MOVED_PAUSE_MS: i64 = 900_000;
/// A feed that a section names is watched for so long; named again, which is told once a day, for as long again.
const FOUND_FOR_MS: i64 = 3 * DAY_MS;
/// A list of which its hub tells is read so many times less often: hubs are forgotten, and forget.
const TOLD_FACTOR: i64 = 2;
/// One that is asked for out of its turn is read no sooner after its last reading than this part of its least interval.
const PROMPTED_PART: i64 = 4;
/// Why nothing comes of a list.
pub(crate) const CAUSES: [&str; 6] = ["blocked", "gone", "empty", "stale", "unparseable", "unreachable"];

/// A list that is nobody's to watch: everything in it is requested.
pub(crate) fn read_once(errand: &Errand<'_>, queue: &mut Queue<'_>, list: &List) {
    request(errand, queue, list, list.entries.iter());
}

/// A list that is watched was read: what is new since its last reading is requested.
pub(crate) fn watched(errand: &mut Errand<'_>, queue: &mut Queue<'_>, list: &List) -> Result<(), LogError> {
    let now_ms = errand.visit.ended_at_ms;
    let before = errand.ticket.list.clone().unwrap_or_default();
    let version = version(&before);
    if version.is_belied_by(&list.version) {
        errand.host.distrusted_until_ms = crawl::distrusted_until_ms(now_ms);
    }
    let known: HashSet<u64> = before.known.iter().copied().collect();
    let hashes: Vec<u64> = list.entries.iter().map(|entry| hash(entry, now_ms)).collect();
    let new = list.entries.iter().zip(&hashes).filter(|(_, hash)| !known.contains(hash));
    let new: Vec<&Discovered> = new.map(|(entry, _)| entry).collect();
    request(errand, queue, list, new.iter().copied());
    let mut after = before;
    after.known = hashes;
    after.body_hash = list.version.body_hash;
    after.validators = Some(Validators {
        etag: list.version.validators.etag.clone(),
        last_modified: list.version.validators.last_modified.clone(),
    });
    if errand.visit.is_whole {
        after.read_whole_at_ms = now_ms;
    }
    lease::named(&mut after, list.hub.as_ref());
    let empty = if list.entries.is_empty() { "empty" } else { "stale" };
    let new: Vec<&Discovered> = new.into_iter().filter(|entry| entry.leads != Leads::Feed).collect();
    let dates: Vec<i64> = new.iter().filter_map(|entry| date(entry)).collect();
    let poll = Poll {
        polled_at_ms: now_ms,
        new_items: u32::try_from(new.len()).unwrap_or(u32::MAX),
        published_at_ms: &dates,
        least_interval_ms: asked_ms(errand, list),
        is_prompted: is_prompted(&after),
    };
    again(errand, queue, after, &poll, empty)
}

/// A list that is watched has nothing new.
pub(crate) fn unchanged(errand: &mut Errand<'_>, queue: &mut Queue<'_>) -> Result<(), LogError> {
    let list = errand.ticket.list.clone().unwrap_or_default();
    let is_prompted = is_prompted(&list);
    let poll = Poll { polled_at_ms: errand.visit.ended_at_ms, is_prompted, ..Poll::default() };
    queue.draft.list("nothing_new");
    again(errand, queue, list, &poll, "stale")
}

/// A list that is watched is at another domain, and was asked for there: what it says teaches nothing here.
pub(crate) fn moved(errand: &Errand<'_>, queue: &mut Queue<'_>) -> Result<(), LogError> {
    let (least_ms, longest_ms) = bounds(&errand.request, errand.rules);
    let pause_ms = MOVED_PAUSE_MS.clamp(least_ms, longest_ms);
    let ticket = QueueTicket {
        attempts: 0,
        due_at_ms: errand.visit.ended_at_ms.saturating_add(pause_ms),
        last_failure: String::new(),
        ..errand.ticket.clone()
    };
    queue.defer(errand.visit.sequence, &errand.ticket, &ticket)
}

/// The host of a list that is watched was given up: it waits as long as a list may.
pub(crate) fn put_off(
    queue: &mut Queue<'_>,
    sequence: u64,
    ticket: &QueueTicket,
    failure: &Failure,
    now_ms: i64,
    rules: &Rules,
) -> Result<(), LogError> {
    let (_, longest_ms) = rules.poll_ms;
    let due_at_ms = now_ms.saturating_add(longest_ms);
    let later = QueueTicket { due_at_ms, last_failure: failure.to_string(), ..ticket.clone() };
    queue.defer(sequence, ticket, &later)
}

/// A list that is watched could not be read. It is never given up: it is its source's to say so. Where the failure is our
/// own, it is looked for again as soon as it may be, and nothing is held against it.
pub(crate) fn failed(
    errand: &mut Errand<'_>,
    queue: &mut Queue<'_>,
    failure: &Failure,
) -> Result<(), LogError> {
    let is_ours = failure.fate() == Fate::Outage;
    let attempts = errand.ticket.attempts.saturating_add(u32::from(!is_ours));
    let (now_ms, (least_ms, longest_ms)) = (errand.visit.ended_at_ms, bounds(&errand.request, errand.rules));
    let mut list = errand.ticket.list.clone().unwrap_or_default();
    // It was looked for, and in vain: the time since its last reading is silence, too. Once is not enough, for we may have
    // been away ourselves.
    let looked_for = Rhythm { polled_at_ms: now_ms, ..rhythm(&list) };
    let is_overdue = attempts > 1 && crawl::silence(&looked_for, now_ms).is_some();
    // A list that never was read has no rhythm: it is silent from its first failure.
    let is_silent = list.rhythm.is_none() || is_overdue;
    if is_silent && !is_ours {
        tell_trouble(errand, &mut list, cause(failure));
    }
    let pause_ms = least_ms.saturating_mul(1 << attempts.min(16)).min(longest_ms.max(least_ms));
    let ticket = QueueTicket {
        attempts,
        due_at_ms: now_ms.saturating_add(pause_ms),
        last_failure: failure.to_string(),
        list: Some(list),
        ..errand.ticket.clone()
    };
    queue.draft.retried();
    queue.draft.list("failed");
    queue.defer(errand.visit.sequence, &errand.ticket, &ticket)
}

/// A list that is watched is asked for out of its turn, or its hub says how long it will tell of it.
pub(crate) fn prompted(
    queue: &mut Queue<'_>,
    sequence: u64,
    ticket: &QueueTicket,
    request: &Request,
    now_ms: i64,
    rules: &Rules,
) -> Result<(), LogError> {
    let is_prompt = request.refetch || request.hub_lease_until_ms.is_some();
    let Some((record, _)) = queue.get(sequence)?.filter(|_| is_prompt) else { return Ok(()) };
    let mut list = ticket.list.clone().unwrap_or_default();
    let mut due_at_ms = ticket.due_at_ms;
    if let Some(until_ms) = request.hub_lease_until_ms {
        lease::granted(&mut list, until_ms);
    }
    // One that fails has its own pace.
    if request.refetch && ticket.attempts == 0 {
        let (least_ms, _) = bounds(&request_of(&record), rules);
        let soonest_ms = rhythm(&list).polled_at_ms.saturating_add(least_ms / PROMPTED_PART);
        due_at_ms = due_at_ms.min(soonest_ms.max(now_ms));
        list.asked_at_ms = now_ms;
    }
    let after = QueueTicket { due_at_ms, list: Some(list), ..ticket.clone() };
    queue.defer(sequence, ticket, &after)
}

/// The next turn of a list that was read. `silent` says why it is, where it is.
fn again(
    errand: &mut Errand<'_>,
    queue: &mut Queue<'_>,
    mut list: ListState,
    poll: &Poll<'_>,
    cause: &'static str,
) -> Result<(), LogError> {
    let (min_ms, max_ms) = bounds(&errand.request, errand.rules);
    let now_ms = poll.polled_at_ms;
    let (rhythm, mut due_at_ms) = crawl::after_poll(&rhythm(&list), poll, &PollLimits { min_ms, max_ms });
    list.rhythm = Some(stored(&rhythm));
    if let Some(callbacks) = &errand.rules.callbacks {
        queue.draft.asks.extend(lease::ask(&mut list, errand.url(), now_ms, callbacks));
        if lease::is_told(&list, now_ms) {
            let pause_ms = due_at_ms.saturating_sub(now_ms).saturating_mul(TOLD_FACTOR).min(max_ms);
            due_at_ms = now_ms.saturating_add(pause_ms);
        }
    }
    // Asked for while it was being read: what is new may have come after.
    if list.asked_at_ms > now_ms.saturating_sub(i64::from(errand.visit.latency_ms)) {
        due_at_ms = due_at_ms.min(now_ms.saturating_add(min_ms / PROMPTED_PART));
    }
    let trouble = if silent(&list, poll.polled_at_ms) { cause } else { "" };
    tell_trouble(errand, &mut list, trouble);
    let ticket = QueueTicket {
        attempts: 0,
        due_at_ms,
        last_failure: String::new(),
        list: Some(list),
        ..errand.ticket.clone()
    };
    queue.defer(errand.visit.sequence, &errand.ticket, &ticket)
}

/// Requests addresses of a list.
fn request<'a>(
    errand: &Errand<'_>,
    queue: &mut Queue<'_>,
    list: &List,
    entries: impl Iterator<Item = &'a Discovered>,
) {
    let now_ms = errand.visit.ended_at_ms;
    let (mut count, mut skipped) = (0, 0);
    for entry in entries {
        if errand.request.skip_sponsored && entry.sponsored.is_some() {
            skipped += 1;
            continue;
        }
        let mut found = of_list(&errand.request, entry, list.via, now_ms);
        if entry.leads == Leads::Feed {
            let Some(watch) = errand.request.watch.filter(|watch| watch.find_feeds) else { continue };
            found.watch = Some(Watch { is_section: false, find_feeds: false, ..watch });
            found.expires_at_ms =
                now_ms.saturating_add(FOUND_FOR_MS.max(watch.max_interval_ms.saturating_mul(2)));
        }
        write_request(queue.draft, found, entry.url.registrable_domain(), &errand.record.headers);
        count += 1;
    }
    queue.draft.discovered(list.via, count);
    queue.draft.list(if count > 0 { "new" } else { "nothing_new" });
    info!(
        request = errand.request.request_id,
        entries = list.entries.len(),
        new = count,
        skipped,
        via = list.via,
        "list read"
    );
}

/// Says once when nothing comes of a list against its rhythm, and once when it does again.
fn tell_trouble(errand: &Errand<'_>, list: &mut ListState, trouble: &'static str) {
    if list.trouble == trouble {
        return;
    }
    let (source, url) = (&errand.request.source_id, errand.url());
    match trouble {
        "" => info!(source, url, "the list is alive again"),
        cause => warn!(source, url, cause, "nothing comes of the list against its rhythm"),
    }
    trouble.clone_into(&mut list.trouble);
}

/// Why a list is silent that cannot be read: one word of a bounded vocabulary.
fn cause(failure: &Failure) -> &'static str {
    match failure {
        failure if failure.is_gone() => "gone",
        Failure::NoSuchHost => "gone",
        Failure::Status(400..=499)
        | Failure::Busy { .. }
        | Failure::RobotsDenied
        | Failure::RobotsUnreachable { .. } => "blocked",
        Failure::Unreadable(_) | Failure::Unsupported(_) | Failure::TooLarge(_) => "unparseable",
        _ => "unreachable",
    }
}

/// Least and longest time between two readings, in milliseconds.
fn bounds(request: &Request, rules: &Rules) -> (i64, i64) {
    let watch = request.watch.unwrap_or_default();
    let named = |named_ms: i64, own_ms: i64| if named_ms > 0 { named_ms } else { own_ms };
    let (least_ms, longest_ms) = rules.poll_ms;
    let least_ms = named(watch.min_interval_ms, least_ms);
    (least_ms, named(watch.max_interval_ms, longest_ms).max(least_ms))
}

/// The least time between two readings that a list asks for, unless its source knows better: programs that make feeds ask
/// for an hour by themselves.
fn asked_ms(errand: &Errand<'_>, list: &List) -> Option<i64> {
    let longest_ms = errand.request.watch.unwrap_or_default().max_interval_ms;
    list.least_interval_ms.filter(|asked_ms| longest_ms <= 0 || *asked_ms <= longest_ms)
}

/// Tells the entries of two readings apart. An article by its address; a list within the list is another when it says
/// that it changed, and once a day where it says nothing; so is a feed that a section names.
fn hash(entry: &Discovered, now_ms: i64) -> u64 {
    let url = entry.url.as_str();
    match (entry.leads, &entry.modified_at) {
        (Leads::List, Some(modified)) => xxh3_64(format!("{url} {modified}").as_bytes()),
        (Leads::List, None) | (Leads::Feed, _) => {
            xxh3_64(format!("{url} {}", now_ms.div_euclid(DAY_MS)).as_bytes())
        }
        (Leads::Article, _) => xxh3_64(url.as_bytes()),
    }
}

/// When it was published, in Unix milliseconds.
fn date(entry: &Discovered) -> Option<i64> {
    Moment::parse(entry.published_at.as_deref()?).ok().map(|moment| moment.as_millis())
}

fn version(list: &ListState) -> Version {
    let Validators { etag, last_modified } = list.validators.clone().unwrap_or_default();
    Version { validators: crawl::Validators { etag, last_modified }, body_hash: list.body_hash }
}

/// By what the server can tell that a list has not changed; none once a day.
pub(crate) fn validators(list: &ListState, now_ms: i64) -> crawl::Validators {
    let is_checked = now_ms.saturating_sub(list.read_whole_at_ms) < DAY_MS;
    if is_checked { version(list).validators } else { crawl::Validators::default() }
}

/// Whether somebody has asked for it since its last reading.
fn is_prompted(list: &ListState) -> bool {
    list.asked_at_ms > rhythm(list).polled_at_ms
}

fn silent(list: &ListState, now_ms: i64) -> bool {
    crawl::silence(&rhythm(list), now_ms).is_some()
}

fn rhythm(list: &ListState) -> Rhythm {
    let known = list.rhythm.unwrap_or_default();
    Rhythm {
        known_since_ms: known.known_since_ms,
        interval_ms: known.interval_ms,
        polled_at_ms: known.polled_at_ms,
        last_new_at_ms: known.last_new_at_ms,
        per_hour: known.per_hour,
        mean_gap_ms: known.mean_gap_ms,
        longest_gap_ms: known.longest_gap_ms,
        learnt: known.learnt,
        idle_polls: known.idle_polls,
    }
}

fn stored(known: &Rhythm) -> wire::Rhythm {
    wire::Rhythm {
        known_since_ms: known.known_since_ms,
        interval_ms: known.interval_ms,
        polled_at_ms: known.polled_at_ms,
        last_new_at_ms: known.last_new_at_ms,
        per_hour: known.per_hour,
        mean_gap_ms: known.mean_gap_ms,
        longest_gap_ms: known.longest_gap_ms,
        learnt: known.learnt,
        idle_polls: known.idle_polls,
    }
}
