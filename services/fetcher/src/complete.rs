//! The last step: what came of a visit, as one commit with the end of its request and its host's next time.

use article::CanonicalUrl;
use bytes::Bytes;
use crawl::{Discovered, Failure, Fate, Host, Outcome, Policy, Retry, RetryPolicy, Signal};
use pipeline::{DeadLetter, Headers, LogError, Output, Record};
use prost::Message;
use tracing::{debug, info};
use wire::{Hints, Page, QueueTicket, Request, Topic};

use crate::{
    draft::Draft,
    frontier::Queue,
    visit::{Found, Visit},
};

/// Requests that are given up in one step, at most; the timer fires again for the rest.
const MAX_EXPIRED_AT_ONCE: usize = 500;

/// Writes what came of a visit to the queue's host.
pub(crate) fn complete(
    queue: &mut Queue<'_>,
    visit: &Visit,
    policy: &Policy,
    retries: &RetryPolicy,
) -> Result<(), LogError> {
    for (origin, file) in &visit.robots {
        queue.set_robots(origin, file)?;
    }
    let signal = match &visit.found {
        Found::Failed(failure) => failure.signal(),
        _ => Signal::Answered,
    };
    let outcome = Outcome { signal, latency_ms: visit.latency_ms, crawl_delay_ms: visit.crawl_delay_ms };
    let host = crawl::after_fetch(&queue.host()?.unwrap_or_default(), &outcome, visit.ended_at_ms, policy);
    queue.set_host(&host)?;
    queue.frontier.taken_over.remove(queue.domain);
    if let Some((record, ticket)) = queue.get(visit.sequence)? {
        settle(queue, visit, &host, &record, &ticket, retries)?;
    }
    if let (Found::Failed(failure), Some(since_ms)) = (&visit.found, host.failing_since_ms) {
        queue.host_failed(failure, &host, since_ms.saturating_add(retries.give_up_after_ms));
    }
    queue.schedule(&host)
}

/// Gives up the host's requests that have expired, or that were given up with it.
pub(crate) fn expire(queue: &mut Queue<'_>, now_ms: i64) -> Result<(), LogError> {
    for (sequence, failure) in queue.expired(now_ms, MAX_EXPIRED_AT_ONCE) {
        if let Some((record, ticket)) = queue.get(sequence)? {
            queue.remove(sequence, &ticket)?;
            give_up(queue.draft, &record, &ticket, &failure);
        }
    }
    Ok(())
}

/// The host as it is to be treated now: one that was taken over waits one full delay from then on.
pub(crate) fn as_owner(queue: &Queue<'_>, token: &str, policy: &Policy) -> Result<Host, LogError> {
    let host = queue.host()?.unwrap_or_default();
    if !queue.frontier.taken_over.contains(queue.domain) {
        return Ok(host);
    }
    let robots = queue.robots()?;
    let delays = robots.iter().filter_map(|(_, file)| Some(file.rules(token)?.crawl_delay_ms()));
    Ok(crawl::after_assignment(&host, delays.max().unwrap_or(0), queue.frontier.assigned_at_ms, policy))
}

/// Writes a request for the frontier that keeps `domain`.
pub(crate) fn write_request(draft: &mut Draft, request: Request, domain: &str, came_with: &Headers) {
    let headers = wire::headers("Request", &request.request_id, "fetcher", &request.run_id, came_with);
    draft.emit(output(Topic::Requests, Bytes::copy_from_slice(domain.as_bytes()), &request, headers));
}

/// Writes a page that has no response: the document is all there is, because of `failure` or, where that is empty,
/// because there never was a URL.
pub(crate) fn page_without_response(draft: &mut Draft, request: Request, failure: &str, came_with: &Headers) {
    write_page(
        draft,
        Page { request: Some(request), response: None, failure: failure.to_owned() },
        came_with,
    );
}

fn settle(
    queue: &mut Queue<'_>,
    visit: &Visit,
    host: &Host,
    record: &Record,
    ticket: &QueueTicket,
    retries: &RetryPolicy,
) -> Result<(), LogError> {
    let request = request_of(record);
    let failure = match &visit.found {
        Found::Failed(failure) => Some(failure.clone()),
        Found::List { .. } if request.document.is_some() => {
            Some(Failure::Unsupported("a list of articles, not the original"))
        }
        _ => None,
    };
    if let Some(failure) = failure {
        return fail(queue, visit, host, record, ticket, &failure, retries);
    }
    queue.remove(visit.sequence, ticket)?;
    match &visit.found {
        Found::Page(response) => {
            debug!(request = request.request_id, status = response.status, "fetched");
            let response = Some((**response).clone());
            let page = Page { request: Some(request), response, failure: String::new() };
            write_page(queue.draft, page, &record.headers);
        }
        Found::List { via, addresses } => {
            info!(request = request.request_id, addresses = addresses.len(), via, "list read");
            for (n, discovered) in addresses.iter().enumerate() {
                let found = of_list(&request, discovered, n, via, visit.ended_at_ms);
                write_request(queue.draft, found, discovered.url.registrable_domain(), &record.headers);
            }
            queue.draft.discovered(via, addresses.len());
        }
        Found::Moved { url, hops } => {
            queue.draft.discovered("redirect", 1);
            let to = url.as_str().to_owned();
            let moved = Request { url: to, hops: *hops, via: "redirect".to_owned(), ..request };
            write_request(queue.draft, moved, url.registrable_domain(), &record.headers);
        }
        Found::Failed(_) => {}
    }
    Ok(())
}

fn fail(
    queue: &mut Queue<'_>,
    visit: &Visit,
    host: &Host,
    record: &Record,
    ticket: &QueueTicket,
    failure: &Failure,
    retries: &RetryPolicy,
) -> Result<(), LogError> {
    let mut tried = ticket.clone();
    tried.attempts = ticket.attempts.saturating_add(u32::from(failure.fate() != Fate::Outage));
    tried.last_failure = failure.to_string();
    let began_at_ms = host.failing_since_ms.unwrap_or(visit.ended_at_ms);
    tried.expires_at_ms.get_or_insert(began_at_ms.saturating_add(retries.give_up_after_ms));
    match crawl::retry(failure, tried.attempts, tried.expires_at_ms, visit.ended_at_ms, retries) {
        Retry::At(due_at_ms) => {
            queue.draft.retried();
            debug!(%failure, attempts = tried.attempts, domain = queue.domain, "fetch failed, to be tried again");
            tried.due_at_ms = due_at_ms;
            queue.defer(visit.sequence, ticket, &tried)
        }
        Retry::GiveUp => {
            queue.remove(visit.sequence, ticket)?;
            give_up(queue.draft, record, &tried, failure);
            Ok(())
        }
    }
}

/// Ends a request for good: its document stands in, or it is a dead letter.
fn give_up(draft: &mut Draft, record: &Record, ticket: &QueueTicket, failure: &Failure) {
    let cause = match (failure, ticket.last_failure.as_str()) {
        (Failure::Expired, last) if !last.is_empty() => {
            format!("it expired; the last attempt failed: {last}")
        }
        (Failure::Expired, _) => failure.to_string(),
        (_, "") => format!("its host was given up: {failure}"),
        _ => failure.to_string(),
    };
    end_without_response(draft, record, request_of(record), failure.reason(), &cause, ticket.attempts);
}

/// Ends a request that nothing was fetched for: its document stands in, or it is a dead letter.
pub(crate) fn end_without_response(
    draft: &mut Draft,
    record: &Record,
    request: Request,
    reason: &'static str,
    cause: &str,
    attempts: u32,
) {
    info!(request = request.request_id, reason, cause, "given up");
    if request.document.is_some() {
        page_without_response(draft, request, cause, &record.headers);
    } else {
        let asked = if request.url.is_empty() { &request.request_id } else { &request.url };
        let letter = DeadLetter::of(record, reason, format!("{asked}: {cause}"));
        draft.dead_letter(DeadLetter { attempts, ..letter });
    }
}

/// It was read when it was taken in; what can no longer be read has no document and no URL.
fn request_of(record: &Record) -> Request {
    wire::decode(record.value.as_deref().unwrap_or_default()).unwrap_or_default()
}

/// The request for the `n`-th address of a list. It expires when the list was to, if it was.
fn of_list(list: &Request, discovered: &Discovered, n: usize, via: &str, now_ms: i64) -> Request {
    Request {
        request_id: format!("{}.{n}", list.request_id),
        url: discovered.url.as_str().to_owned(),
        seen_at_ms: now_ms,
        hops: 0,
        depth: list.depth.saturating_add(1),
        via: via.to_owned(),
        hints: Some(Hints {
            title: discovered.title.clone().unwrap_or_default(),
            published_at: discovered.published_at.clone().unwrap_or_default(),
        }),
        ..list.clone()
    }
}

fn write_page(draft: &mut Draft, page: Page, came_with: &Headers) {
    draft.emit(page_output(&page, came_with));
}

/// The record of a page.
pub(crate) fn page_output(page: &Page, came_with: &Headers) -> Output {
    let request = page.request.as_ref();
    let id = request.map(|r| r.request_id.clone()).unwrap_or_default();
    let run_id = request.map(|r| r.run_id.clone()).unwrap_or_default();
    let url = request.and_then(|r| CanonicalUrl::parse(&r.url).ok());
    let key = wire::page_key(url.as_ref().map_or(&id, CanonicalUrl::as_str));
    let headers = wire::headers("Page", &id, "fetcher", &run_id, came_with);
    output(Topic::Pages, key.into(), page, headers)
}

fn output(topic: Topic, key: Bytes, message: &impl Message, headers: Headers) -> Output {
    Output { topic: topic.name(), key, value: Some(message.encode_to_vec().into()), headers }
}
