//! The way back: an answer in an archive as the page that it was.

use archive::warc::Captured;
use article::CanonicalUrl;
use crawl::{Kind, sniff};
use pipeline::Output;
use wire::{Page, Request, Response, inflate_start, is_known_encoding};

use crate::{
    emit::page_output,
    keep::REQUEST_FIELD,
    visit::{KEPT_HEADERS, MAX_HEADER_BYTES, SNIFFED_BYTES},
};

/// The record of a page, for the extractor to read again; `None` where no article can be in the answer: a failure,
/// a redirect, a robots.txt, an image, a page that its crawler cut short.
///
/// What is known of the request that once led to the page is kept: when it was made, where it came from, its labels, what
/// a feed said. `template` has the new ids, and what is to be said instead or besides. Archives of other crawlers know of
/// no request: the page was seen when it was fetched.
pub fn archived_page(captured: Captured, template: &Request) -> Option<Output> {
    let final_url = CanonicalUrl::parse(&captured.url).ok()?;
    let is_page = (200..300).contains(&captured.status)
        && !captured.is_truncated
        && final_url.as_str().strip_prefix(final_url.origin()) != Some("/robots.txt");
    if !is_page {
        return None;
    }
    let header = |name: &str| captured.header(name).filter(|value| value.len() <= MAX_HEADER_BYTES);
    let content_type = header("content-type").unwrap_or_default().to_owned();
    let mut encoding = header("content-encoding").unwrap_or_default();
    let mut start = inflate_start(encoding, &captured.body, SNIFFED_BYTES);
    if start.is_empty() {
        // Some crawlers inflate a body and leave its header as it was.
        encoding = "";
        start = inflate_start(encoding, &captured.body, SNIFFED_BYTES);
    }
    if !is_known_encoding(encoding) || !matches!(sniff(&content_type, &start), Kind::Html | Kind::Text) {
        return None;
    }
    let kept = KEPT_HEADERS.iter().filter_map(|name| Some(((*name).to_owned(), header(name)?.to_owned())));
    let response = Response {
        final_url: final_url.as_str().to_owned(),
        status: u32::from(captured.status),
        content_encoding: encoding.to_owned(),
        headers: kept.collect(),
        content_type,
        fetched_at_ms: captured.at_ms.unwrap_or(template.seen_at_ms),
        body: captured.body.clone(),
        ..Response::default()
    };
    let request = request(&captured, &response, template);
    let url = CanonicalUrl::parse(&request.url).ok();
    let page = Page { request: Some(request), response: Some(response), ..Page::default() };
    Some(page_output(&page, url.as_ref(), &Vec::new()))
}

fn request(captured: &Captured, response: &Response, template: &Request) -> Request {
    let noted = captured.field(REQUEST_FIELD).and_then(|json| wire::from_json(json.as_bytes()).ok());
    let mut request = noted.unwrap_or_else(|| Request {
        url: response.final_url.clone(),
        seen_at_ms: response.fetched_at_ms,
        ..Request::default()
    });
    request.request_id.clone_from(&template.request_id);
    request.run_id.clone_from(&template.run_id);
    request.lane.clone_from(&template.lane);
    request.expires_at_ms = 0;
    request.via = "archive".to_owned();
    if !template.source_id.is_empty() {
        request.source_id.clone_from(&template.source_id);
    }
    request.labels.extend(template.labels.clone());
    request
}
