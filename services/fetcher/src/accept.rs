//! The first step: a request from the topic into its host's queue.

use article::CanonicalUrl;
use crawl::{Failure, Host, Lane};
use pipeline::{DeadLetter, LogError, Record};
use wire::{ListState, QueueTicket, Request};

use crate::{
    draft::Draft,
    emit::{end_without_response, page_without_response, write_request},
    frontier::{Frontier, HostRow, Queue},
    lists,
    rules::Rules,
    seen::Seen,
    websub,
};

/// What is to be done with a record.
pub(crate) enum Accepted {
    /// Something that no wireroom wrote.
    Malformed(String),
    /// A request for a host of this partition.
    Here {
        /// To be fetched.
        request: Request,
        /// Its host.
        domain: String,
    },
    /// A request for a host that may live in another partition.
    Elsewhere {
        /// With its URL.
        request: Request,
        /// Its host.
        domain: String,
    },
    /// A document alone, which names no original.
    Document(Request),
    /// A request that has failed already.
    Refused(Request, Failure),
}

/// Reads a record. Writes nothing, so that a panic in it leaves nothing half done.
pub(crate) fn read(record: &Record) -> Accepted {
    let mut request = match wire::decode::<Request>(record.value.as_deref().unwrap_or_default()) {
        Ok(request) => request,
        Err(error) => return Accepted::Malformed(error.to_string()),
    };
    if request.url.is_empty() {
        let Some(document) = &request.document else {
            let failure = Failure::BadRequest("the request has neither a URL nor a document".to_owned());
            return Accepted::Refused(request, failure);
        };
        let original = extraction::original_url(&String::from_utf8_lossy(&document.content));
        let Some(url) = original.and_then(|url| CanonicalUrl::parse(&url).ok()) else {
            return Accepted::Document(request);
        };
        request.url = url.as_str().to_owned();
        request.via = "original".to_owned();
        return Accepted::Elsewhere { request, domain: url.registrable_domain().to_owned() };
    }
    let url = match CanonicalUrl::parse(&request.url) {
        Ok(url) => url,
        Err(error) => return Accepted::Refused(request, Failure::BadRequest(error.to_string())),
    };
    let domain = url.registrable_domain().to_owned();
    request.url = url.as_str().to_owned();
    if *record.key == *domain.as_bytes() {
        Accepted::Here { request, domain }
    } else {
        Accepted::Elsewhere { request, domain }
    }
}

/// Takes a record in: into its host's queue, or to where it ends at once.
pub(crate) fn accept(
    draft: &mut Draft,
    frontier: &mut Frontier,
    record: &Record,
    accepted: Accepted,
    now_ms: i64,
    rules: &Rules,
) -> Result<(), LogError> {
    draft.step.take(&record.origin);
    let (request, domain) = match accepted {
        Accepted::Here { request, domain } => (request, domain),
        Accepted::Elsewhere { request, domain } => {
            write_request(draft, request, &domain, &record.headers);
            return Ok(());
        }
        Accepted::Document(request) => {
            page_without_response(draft, request, "", &record.headers);
            return Ok(());
        }
        Accepted::Refused(request, failure) => {
            end_without_response(draft, record, request, failure.reason(), &failure.to_string(), 1);
            return Ok(());
        }
        Accepted::Malformed(cause) => {
            draft.dead_letter(DeadLetter::of(record, "malformed", cause));
            return Ok(());
        }
    };
    let named = Some(request.expires_at_ms).filter(|at_ms| *at_ms != 0);
    if named.is_some_and(|at_ms| at_ms <= now_ms) {
        let failure = Failure::Expired;
        end_without_response(draft, record, request, failure.reason(), &failure.to_string(), 0);
        return Ok(());
    }
    let mut queue = Queue { draft, frontier, partition: record.origin.partition, domain: &domain };
    let known = queue.host()?;
    let is_known = known.is_some();
    let new = Host { next_at_ms: now_ms, ..Host::default() };
    let mut host = known.unwrap_or(HostRow { politeness: new, ..HostRow::default() });
    let Some(mut ticket) = ticket(&mut queue, &request, now_ms, rules)? else {
        return if is_known { queue.schedule(&host.politeness) } else { Ok(()) };
    };
    // Where the host is failing already, the clock begins now.
    let failing = host.politeness.failing_since_ms;
    ticket.expires_at_ms = named.or(failing.map(|_| now_ms.saturating_add(rules.retries.give_up_after_ms)));
    if let Some(watch) = &request.watch {
        ticket.expires_at_ms = named;
        host.politeness.delay_ms = watch.delay_ms.max(0);
    }
    // The row is there from now on: should its first visit be cut off, the next owner knows to wait.
    if !is_known || request.watch.is_some() {
        queue.set_host(&host)?;
    }
    queue.insert(record, &ticket)?;
    if request.document.is_none() {
        let seen = queue.seen(&request.url)?;
        queue.set_seen(&request.url, &Seen { sequence: Some(record.origin.offset as u64), ..seen })?;
    }
    queue.schedule(&host.politeness)
}

/// The turn of a request in its host's queue; `None` where it needs none, because another has the same errand, or has had
/// it a short while ago.
fn ticket(
    queue: &mut Queue<'_>,
    request: &Request,
    now_ms: i64,
    rules: &Rules,
) -> Result<Option<QueueTicket>, LogError> {
    let mut ticket = QueueTicket {
        is_backfill: Lane::parse(&request.lane) == Lane::Backfill,
        priority: request.priority,
        list: request.watch.as_ref().map(|_| ListState::default()),
        ..QueueTicket::default()
    };
    // It ends as a page in any case.
    if request.document.is_some() {
        return Ok(Some(ticket));
    }
    let seen = queue.seen(&request.url)?;
    let queued = match seen.sequence {
        Some(sequence) => queue.get(sequence)?.map(|(_, ticket)| (sequence, ticket)),
        None => None,
    };
    if request.watch.is_none() {
        let list = queued.as_ref().filter(|(_, ticket)| ticket.list.is_some());
        if let Some((sequence, ticket)) = list {
            lists::prompted(queue, *sequence, ticket, request, now_ms, rules)?;
        }
        // A hub may go on about a list that is watched no longer.
        if list.is_some() || request.via == websub::VIA {
            queue.draft.known();
            return Ok(None);
        }
    }
    // A list names old articles again when it is read by another way, or for the first time; what became of them the
    // revisits have seen.
    let is_of_list = ["feed", "sitemap", "section"].contains(&request.via.as_str());
    let is_recent = seen.fetched_at_ms > 0
        && (is_of_list || now_ms.saturating_sub(seen.fetched_at_ms) < rules.fetched_for_ms);
    let (is_wanted, replaced) = match (&request.watch, queued) {
        (Some(watch), queued) => {
            // What was learnt of the list stays, its turn as well: only how it is watched may have changed.
            if let Some((_, QueueTicket { list: Some(list), due_at_ms, .. })) = &queued {
                (ticket.list, ticket.due_at_ms) = (Some(list.clone()), *due_at_ms);
            }
            (!watch.ended, queued.filter(|(_, ticket)| !watch.ended || ticket.list.is_some()))
        }
        (None, Some((sequence, queued))) if queued.visits > 0 && request.refetch => {
            (true, Some((sequence, queued)))
        }
        (None, Some(_)) => (false, None),
        (None, None) => (request.refetch || !is_recent, None),
    };
    if let Some((sequence, replaced)) = replaced {
        queue.remove(sequence, &replaced)?;
        queue.unqueue(&request.url, sequence)?;
    }
    if !is_wanted {
        queue.draft.known();
        return Ok(None);
    }
    Ok(Some(ticket))
}
