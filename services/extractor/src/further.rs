//! Requests that come of a page: for the original that it names, and for an archived copy of what it does not show.

use article::CanonicalUrl;
use wire::{Article, Page, Request};

/// Claims are followed over so many domains: two pages that name each other end here.
const MAX_HOPS: u32 = 3;

/// The request for an original on another domain that the page declares. What comes from an archive leads nowhere: what
/// was fetched then is in the archive, too. Trust is the source's that named it, and not the other's.
pub(crate) fn claim(request: &Request, article: &Article) -> Option<Request> {
    let original = CanonicalUrl::parse(&article.declared_original).ok()?;
    if request.hops >= MAX_HOPS || request.via == "archive" || original.as_str() == request.url {
        return None;
    }
    Some(Request {
        request_id: format!("{}.claim", request.request_id),
        url: original.as_str().to_owned(),
        document: None,
        hops: request.hops + 1,
        via: "canonical".to_owned(),
        hints: None,
        refetch: false,
        watch: None,
        memento_of: String::new(),
        memento_because: String::new(),
        moved_from: String::new(),
        trust: None,
        ..request.clone()
    })
}

/// The request for an archived copy of a page that will not do `because`, where one is looked for. The document that came
/// along goes with it: it stands in where there is no copy either.
pub(crate) fn copy(page: &Page, request: &Request, because: &str) -> Option<Request> {
    let url = CanonicalUrl::parse(&page.memento_url).ok()?;
    if because.is_empty() || !request.memento_of.is_empty() {
        return None;
    }
    Some(Request {
        request_id: format!("{}.copy", request.request_id),
        url: url.as_str().to_owned(),
        memento_of: request.first_url().to_owned(),
        memento_because: because.to_owned(),
        via: "memento".to_owned(),
        hops: 0,
        watch: None,
        ..request.clone()
    })
}
