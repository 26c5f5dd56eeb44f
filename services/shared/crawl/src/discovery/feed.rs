//! RSS 0.9 to 2.0, Atom and JSON Feed.

use article::CanonicalUrl;
use feed_rs::model::{Entry, Link};

use super::{Discovered, DiscoveryError, Leads, title};

/// Reads a feed found at `base`: at most `limit` entries, in the feed's order. Pass the bytes as they came: the XML
/// declaration names their encoding.
pub fn discover_feed(
    bytes: &[u8],
    base: &CanonicalUrl,
    limit: usize,
) -> Result<Vec<Discovered>, DiscoveryError> {
    let parser = feed_rs::parser::Builder::new()
        .base_uri(Some(base.as_str()))
        // Ids are for those who keep them: entries without one need none made.
        .id_generator(|_, _, _| String::new())
        .build();
    let feed =
        parser.parse(bytes).map_err(|error| DiscoveryError { what: "a feed", cause: error.to_string() })?;
    Ok(feed.entries.into_iter().filter_map(|entry| discovered(entry, base)).take(limit).collect())
}

fn discovered(entry: Entry, base: &CanonicalUrl) -> Option<Discovered> {
    // An RSS guid is a permanent link unless it says otherwise.
    let address = article_link(&entry.links).map_or(entry.id.as_str(), |link| link.href.as_str());
    if address.is_empty() || (entry.links.is_empty() && !address.starts_with("http")) {
        return None;
    }
    Some(Discovered {
        url: base.join(address).ok()?,
        leads: Leads::Article,
        title: entry.title.and_then(|text| title(&text.content)),
        published_at: entry.published.or(entry.updated).map(|at| at.to_rfc3339()),
        modified_at: entry.updated.map(|at| at.to_rfc3339()),
    })
}

fn article_link(links: &[Link]) -> Option<&Link> {
    let is_page = |link: &&Link| link.media_type.as_deref().is_none_or(|t| t.contains("html"));
    let mut pages = links.iter().filter(is_page);
    let alternate = |link: &&Link| link.rel.as_deref() == Some("alternate");
    pages.clone().find(alternate).or_else(|| pages.find(|link| link.rel.is_none() && link.target.is_none()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RSS: &str = r#"<?xml version="1.0"?><rss version="2.0"><channel><title>Harbour Post</title>
        <link>https://harbour.example/</link>
        <item><title>Ferry &amp; tide</title><link>https://harbour.example/a?utm_source=rss</link>
          <pubDate>Thu, 19 Mar 2026 10:30:00 +0100</pubDate></item>
        <item><title> </title><guid>https://harbour.example/b</guid></item>
        <item><title>Relative</title><link>/c</link></item>
        <item><title>No address</title><guid isPermaLink="false">tag:1</guid></item>
        <item><title>Mail</title><link>mailto:desk@harbour.example</link></item>
        </channel></rss>"#;
    const ATOM: &str = r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><id>x</id>
        <entry><title type="html">One</title><id>1</id><updated>2026-03-19T10:30:00Z</updated>
          <link rel="self" type="application/atom+xml" href="https://harbour.example/1.atom"/>
          <link rel="alternate" type="text/html" href="https://harbour.example/1"/></entry></feed>"#;
    const JSON: &str = r#"{"version":"https://jsonfeed.org/version/1.1","title":"T","items":[
        {"id":"1","url":"https://harbour.example/1","title":"One","content_text":"x","date_published":"2026-03-19T10:30:00Z"}]}"#;

    fn read(text: &str, limit: usize) -> Vec<(String, Option<String>, Option<String>)> {
        let base = CanonicalUrl::parse("https://harbour.example/feed").unwrap();
        let found = discover_feed(text.as_bytes(), &base, limit).unwrap();
        found.into_iter().map(|d| (d.url.as_str().to_owned(), d.title, d.published_at)).collect()
    }

    #[test]
    fn rss() {
        let (ferry, at) = (Some("Ferry & tide".into()), Some("2026-03-19T09:30:00+00:00".into()));
        assert_eq!(
            read(RSS, 10),
            [
                ("https://harbour.example/a".into(), ferry, at),
                ("https://harbour.example/b".into(), None, None),
                ("https://harbour.example/c".into(), Some("Relative".into()), None),
            ]
        );
        assert_eq!(read(RSS, 2).len(), 2);
    }

    #[test]
    fn atom_and_json_feed() {
        let one = (
            "https://harbour.example/1".into(),
            Some("One".into()),
            Some("2026-03-19T10:30:00+00:00".into()),
        );
        assert_eq!(read(ATOM, 10), read(JSON, 10));
        assert_eq!(read(JSON, 10), [one]);
    }

    proptest! {
        #[test]
        fn broken_feeds_are_errors(cut in 0..RSS.len(), at in 0..RSS.len(), byte: u8) {
            let base = CanonicalUrl::parse("https://harbour.example/feed").unwrap();
            for feed in [RSS, ATOM, JSON] {
                let mut bytes = feed.as_bytes().to_vec();
                if let Some(slot) = bytes.get_mut(at) {
                    *slot = byte;
                }
                let _ = discover_feed(&bytes, &base, 10);
                bytes.truncate(cut);
                let _ = discover_feed(&bytes, &base, 10);
            }
        }
    }
}
