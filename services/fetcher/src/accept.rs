//! The first step: a request from the topic into its host's queue.

use article::CanonicalUrl;
use crawl::{Failure, Host, Lane};
use pipeline::{DeadLetter, LogError, Record};
use wire::{QueueTicket, Request};

use crate::{
    complete::{end_without_response, page_without_response, write_request},
    draft::Draft,
    frontier::{Frontier, Queue},
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
    give_up_after_ms: i64,
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
    let host = known.unwrap_or(Host { next_at_ms: now_ms, ..Host::default() });
    if known.is_none() {
        // The row is there from now on: should its first visit be cut off, the next owner knows to wait.
        queue.set_host(&host)?;
    }
    // Where the host is failing already, the clock begins now.
    let failing = host.failing_since_ms.map(|_| now_ms.saturating_add(give_up_after_ms));
    let ticket = QueueTicket {
        is_backfill: Lane::parse(&request.lane) == Lane::Backfill,
        priority: request.priority,
        expires_at_ms: named.or(failing),
        ..QueueTicket::default()
    };
    queue.insert(record, &ticket)?;
    queue.schedule(&host)
}
