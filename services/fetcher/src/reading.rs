//! What a list says: the body of an answer to addresses. Blocking work, and bounded.

use article::CanonicalUrl;
use crawl::{Discovered, DiscoveryError, Failure, Kind, Leads, Version, sniff};
use wire::{InflateError, inflate};

use crate::{visit::List, websub::Hub};

/// How much is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListLimits {
    /// Bytes, inflated.
    pub bytes: usize,
    /// Addresses.
    pub entries: usize,
}

/// The body of an answer that is a list.
#[derive(Debug)]
pub(crate) struct ListBody<'a> {
    pub url: &'a CanonicalUrl,
    pub kind: Kind,
    pub content_type: &'a str,
    pub encoding: &'a str,
    pub body: &'a [u8],
    pub version: Version,
    /// The answer's `Link` headers.
    pub links: &'a str,
    /// That the answer's `Cache-Control` asks for.
    pub max_age_ms: Option<i64>,
}

/// Reads a feed, a sitemap, a list of feeds, or a section page.
pub(crate) fn read_list(list: ListBody<'_>, limits: ListLimits) -> Result<List, Failure> {
    let inflated = |encoding: &str, body: &[u8]| {
        inflate(encoding, body, limits.bytes).map_err(|error| match error {
            InflateError::TooLarge => Failure::TooLarge(limits.bytes as u64),
            InflateError::Broken => Failure::Unreadable("its compressed body is broken".to_owned()),
        })
    };
    let mut text = inflated(list.encoding, list.body)?;
    let mut kind = list.kind;
    if kind == Kind::Gzip {
        text = inflated("gzip", &text)?;
        kind = sniff("", &text);
    }
    let unreadable = |error: DiscoveryError| Failure::Unreadable(error.to_string());
    let mut least_interval_ms = list.max_age_ms;
    let mut hub = None;
    let (via, entries) = match kind {
        Kind::Feed => {
            let feed = crawl::discover_feed(&text, list.url, limits.entries).map_err(unreadable)?;
            let feed = feed.with_link_header(list.links, list.url);
            let topic = feed.topic.unwrap_or_else(|| list.url.as_str().to_owned());
            hub = feed.hub.map(|url| Hub { url, topic });
            least_interval_ms = least_interval_ms.max(feed.least_interval_ms);
            ("feed", feed.entries)
        }
        Kind::Sitemap => {
            ("sitemap", crawl::discover_sitemap(&text, list.url, limits.entries).map_err(unreadable)?)
        }
        Kind::Opml => ("feed", crawl::discover_opml(&text, list.url, limits.entries).map_err(unreadable)?),
        Kind::Html => ("section", section(&text, &list, limits.entries)),
        _ => return Err(Failure::Unsupported(kind.as_str())),
    };
    Ok(List { via, entries, version: list.version, least_interval_ms, hub })
}

/// The articles that a section page shows, and the feeds it names.
fn section(text: &[u8], list: &ListBody<'_>, limit: usize) -> Vec<Discovered> {
    let page = extraction::Page {
        bytes: text,
        url: Some(list.url.as_str()),
        content_type: Some(list.content_type).filter(|content_type| !content_type.is_empty()),
        ..extraction::Page::default()
    };
    let links = extraction::links(&page);
    let feeds = links.feeds.into_iter().map(|url| Discovered::of(url, Leads::Feed));
    let articles = links.articles.into_iter().map(|anchor| {
        let found = Discovered::of(anchor.url, Leads::Article);
        let title = Some(anchor.text).filter(|text| !text.is_empty());
        Discovered { title, sponsored: anchor.is_sponsored.then_some("link").or(found.sponsored), ..found }
    });
    feeds.chain(articles).take(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: Kind, body: &[u8], bytes: usize) -> Result<List, Failure> {
        read_with(kind, body, bytes, "")
    }

    fn read_with(kind: Kind, body: &[u8], bytes: usize, links: &str) -> Result<List, Failure> {
        let url = CanonicalUrl::parse("https://harbour.example/news").unwrap();
        let (content_type, encoding) = ("text/html; charset=utf-8", "");
        let version = Version::default();
        let max_age_ms = Some(60_000);
        let list = ListBody { url: &url, kind, content_type, encoding, body, version, links, max_age_ms };
        read_list(list, ListLimits { bytes, entries: 100 })
    }

    #[test]
    fn a_section_names_feeds_and_articles() {
        let page = b"<link rel=alternate type=application/rss+xml href=/feed.xml>
            <nav><a href=/sport>Sport</a></nav>
            <h2><a href=/2026/03/ferry-returns-to-the-northern-isles>Ferry returns to the northern isles</a></h2>
            <h2><a rel='noopener sponsored' href=/2026/03/a-cruise-that-you-will-love>A cruise that you will love</a></h2>";
        let list = read(Kind::Html, page, 10_000).unwrap();
        let found: Vec<_> = list.entries.iter().map(|entry| (entry.url.as_str(), entry.leads)).collect();
        let article = "https://harbour.example/2026/03/ferry-returns-to-the-northern-isles";
        let paid = "https://harbour.example/2026/03/a-cruise-that-you-will-love";
        let feed = ("https://harbour.example/feed.xml", Leads::Feed);
        assert_eq!(found, [feed, (article, Leads::Article), (paid, Leads::Article)]);
        let sponsored: Vec<_> = list.entries.iter().map(|entry| entry.sponsored).collect();
        assert_eq!(sponsored, [None, None, Some("link")]);
        assert_eq!((list.via, list.least_interval_ms), ("section", Some(60_000)));
    }

    #[test]
    fn a_feed_names_its_hub() {
        let feed = b"<rss version='2.0' xmlns:a='http://www.w3.org/2005/Atom'><channel><title>T</title>
            <a:link rel='hub' href='https://hub.example/'/></channel></rss>";
        let hub = |url: &str, topic: &str| {
            Some(Hub { url: CanonicalUrl::parse(url).unwrap(), topic: topic.to_owned() })
        };
        let named = |links: &str| read_with(Kind::Feed, feed, 10_000, links).unwrap().hub;
        assert_eq!(named(""), hub("https://hub.example/", "https://harbour.example/news"));
        let links = "<https://other.example/>; rel=hub\n<https://harbour.example/self>; rel=self";
        assert_eq!(named(links), hub("https://other.example/", "https://harbour.example/self"));
        assert_eq!(read_with(Kind::Html, b"<p>No feed</p>", 10_000, links).unwrap().hub, None);
    }

    #[test]
    fn what_is_too_long_or_no_list_is_a_failure() {
        assert!(matches!(read(Kind::Feed, &[b' '; 200], 100), Err(Failure::TooLarge(100))));
        assert!(matches!(read(Kind::Feed, b"<html>", 100), Err(Failure::Unreadable(_))));
        assert!(matches!(read(Kind::Gzip, b"\x1f\x8b torn", 100), Err(Failure::Unreadable(_))));
        assert!(matches!(read(Kind::Pdf, b"%PDF-", 100), Err(Failure::Unsupported(_))));
    }
}
