//! What a step of the fetcher writes: pages, further requests, dead letters.

use article::{CanonicalUrl, UrlError};
use bytes::Bytes;
use crawl::{Discovered, Failure};
use pipeline::{DeadLetter, Headers, Output, Record};
use prost::Message;
use tracing::info;
use wire::{Hints, Page, Request, Topic};
use xxhash_rust::xxh3::xxh3_64;

use crate::draft::Draft;

/// Writes a request for the frontier that keeps `domain`.
pub(crate) fn write_request(draft: &mut Draft, request: Request, domain: &str, came_with: &Headers) {
    let headers = wire::headers("Request", &request.request_id, "fetcher", &request.run_id, came_with);
    draft.emit(output(Topic::Requests, Bytes::copy_from_slice(domain.as_bytes()), &request, headers));
}

/// The record of a page; `url` is its request's, where that has one.
pub(crate) fn page_output(page: &Page, url: Option<&CanonicalUrl>, came_with: &Headers) -> Output {
    let request = page.request.as_ref();
    let (id, run_id) = request.map_or(("", ""), |r| (&r.request_id, &r.run_id));
    let key = wire::page_key(url.map_or(id, CanonicalUrl::as_str));
    let headers = wire::headers("Page", id, "fetcher", run_id, came_with);
    output(Topic::Pages, key.into(), page, headers)
}

/// Writes a page that has no response: the document is all there is, because of `failure` or, where that is empty,
/// because there never was a URL.
pub(crate) fn page_without_response(draft: &mut Draft, request: Request, failure: &str, came_with: &Headers) {
    let url = CanonicalUrl::parse(&request.url).ok();
    let page = Page { request: Some(request), failure: failure.to_owned(), ..Page::default() };
    draft.emit(page_output(&page, url.as_ref(), came_with));
}

/// Writes that a page which was there is gone.
pub(crate) fn page_gone(draft: &mut Draft, request: Request, failure: &Failure, came_with: &Headers) {
    let gone_status = if let Failure::Status(status) = failure { u32::from(*status) } else { 0 };
    let url = CanonicalUrl::parse(&request.url).ok();
    let (request, failure) = (Some(request), failure.to_string());
    let page = Page { request, failure, is_gone: true, gone_status, ..Page::default() };
    draft.emit(page_output(&page, url.as_ref(), came_with));
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
    } else if request.is_extra() {
        draft.page("failed");
    } else {
        // What is no address may hold credentials; its cause names it without.
        let url = CanonicalUrl::parse(&request.url);
        let asked = url.as_ref().map_or(request.request_id.as_str(), CanonicalUrl::as_str);
        let letter = DeadLetter::of(record, reason, format!("{asked}: {cause}"));
        draft.dead_letter(DeadLetter { attempts, ..letter });
    }
}

/// The request in a record, its URL in the one spelling, which has no credentials: whoever made the record may have written
/// some. It was read when it was taken in; what can no longer be read has no document and no URL.
pub(crate) fn request_of(record: &Record) -> Request {
    request_and_url(record).0
}

/// The same, and its URL.
pub(crate) fn request_and_url(record: &Record) -> (Request, Result<CanonicalUrl, UrlError>) {
    let mut request: Request = wire::decode(record.value.as_deref().unwrap_or_default()).unwrap_or_default();
    let url = CanonicalUrl::parse(&request.url);
    if let Ok(url) = &url {
        request.url = url.as_str().to_owned();
    }
    (request, url)
}

/// The same, where its URL is known.
pub(crate) fn request_at(record: &Record, url: &CanonicalUrl) -> Request {
    let request: Request = wire::decode(record.value.as_deref().unwrap_or_default()).unwrap_or_default();
    Request { url: url.as_str().to_owned(), ..request }
}

/// The request for an address in a list, with a label where it is an advertisement. It expires when the list was to, if it
/// was. Its name is the address's in this list, however often the list is read.
pub(crate) fn of_list(list: &Request, discovered: &Discovered, via: &str, now_ms: i64) -> Request {
    let mut labels = list.labels.clone();
    if let Some(by) = discovered.sponsored {
        labels.entry("sponsored".to_owned()).or_insert_with(|| by.to_owned());
    }
    Request {
        request_id: format!("{}.{:016x}", list.request_id, xxh3_64(discovered.url.as_str().as_bytes())),
        labels,
        url: discovered.url.as_str().to_owned(),
        seen_at_ms: now_ms,
        hops: 0,
        moved_from: String::new(),
        depth: list.depth.saturating_add(1),
        via: via.to_owned(),
        hints: Some(Hints {
            title: discovered.title.clone().unwrap_or_default(),
            published_at: discovered.published_at.clone().unwrap_or_default(),
        }),
        refetch: false,
        watch: None,
        ..list.clone()
    }
}

fn output(topic: Topic, key: Bytes, message: &impl Message, headers: Headers) -> Output {
    Output { topic: topic.name(), partition: None, key, value: Some(message.encode_to_vec().into()), headers }
}
