//! RSS 0.9 to 2.0, Atom and JSON Feed.

use article::{CanonicalUrl, is_paid_for};
use feed_rs::model::{Category, Entry, Link};
use memchr::memmem;

use super::{
    Discovered, DiscoveryError, Leads,
    head::{Head, header_links, json_head, xml_head},
    title,
    xml::{Seen, walk},
};

const MINUTE_MS: i64 = 60_000;

/// What a feed says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// In the feed's order.
    pub entries: Vec<Discovered>,
    /// Where to subscribe to it (WebSub).
    pub hub: Option<CanonicalUrl>,
    /// What to subscribe to there: its own name for itself, letter for letter.
    pub topic: Option<String>,
    /// Where older entries are (JSON Feed, RFC 5005).
    pub next: Option<CanonicalUrl>,
    /// The least interval at which it wants to be read.
    pub least_interval_ms: Option<i64>,
}

/// Reads a feed found at `base`: at most `limit` entries. Pass the bytes as they came: the XML declaration names their
/// encoding.
pub fn discover_feed(bytes: &[u8], base: &CanonicalUrl, limit: usize) -> Result<Feed, DiscoveryError> {
    let parser = feed_rs::parser::Builder::new()
        .base_uri(Some(base.as_str()))
        // Ids are for those who keep them: entries without one need none made.
        .id_generator(|_, _, _| String::new())
        .build();
    let feed =
        parser.parse(bytes).map_err(|error| DiscoveryError { what: "a feed", cause: error.to_string() })?;
    let is_json = bytes.trim_ascii_start().starts_with(b"{");
    let head = if is_json { json_head(bytes) } else { xml_head(bytes) };
    let linked = |rel: &str| {
        feed.links.iter().find(|link| link.rel.as_deref() == Some(rel)).map(|link| link.href.clone())
    };
    let ttl_ms = feed.ttl.map(|minutes| i64::from(minutes).saturating_mul(MINUTE_MS));
    let head = Head {
        hub: linked("hub").or(head.hub),
        topic: linked("self").or(head.topic),
        next: linked("next").or(head.next),
        least_interval_ms: ttl_ms.max(head.least_interval_ms),
    };
    let language = feed.language.as_deref().and_then(title);
    let paid = if is_json { Vec::new() } else { paid_items(bytes, feed.entries.len()) };
    let paid = paid.into_iter().chain(std::iter::repeat(false));
    let entries = feed.entries.into_iter().zip(paid).filter_map(|(entry, is_paid)| {
        let found = discovered(entry, base)?;
        let sponsored = if is_paid { Some("category") } else { found.sponsored };
        Some(Discovered { language: language.clone(), sponsored, ..found })
    });
    let found = Feed {
        entries: entries.take(limit).collect(),
        hub: None,
        topic: None,
        next: head.next.as_ref().and_then(|url| base.join(url).ok()),
        least_interval_ms: head.least_interval_ms.filter(|ms| *ms > 0),
    };
    Ok(found.subscribed_at(&head, base))
}

impl Feed {
    /// With what the `Link` headers of the answer say of it, which counts more than what it says itself (WebSub section
    /// 4).
    pub fn with_link_header(self, header: &str, base: &CanonicalUrl) -> Self {
        self.subscribed_at(&header_links(header), base)
    }

    fn subscribed_at(self, head: &Head, base: &CanonicalUrl) -> Self {
        let hub = head.hub.as_ref().and_then(|url| base.join(url).ok());
        let topic = head.topic.as_ref().and_then(|url| {
            let joined = base.join(url).ok()?;
            Some(if url.starts_with("http") { url.clone() } else { joined.as_str().to_owned() })
        });
        Self { hub: hub.or(self.hub), topic: topic.or(self.topic), ..self }
    }
}

fn discovered(entry: Entry, base: &CanonicalUrl) -> Option<Discovered> {
    // An RSS guid is a permanent link unless it says otherwise.
    let address = article_link(&entry.links).map_or(entry.id.as_str(), |link| link.href.as_str());
    if address.is_empty() || (entry.links.is_empty() && !address.starts_with("http")) {
        return None;
    }
    let named = |category: &Category| {
        is_paid_for(&category.term) || category.label.as_deref().is_some_and(is_paid_for)
    };
    let is_paid_link = |link: &Link| {
        link.rel
            .iter()
            .any(|rel| rel.split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case("sponsored")))
    };
    let found = Discovered::of(base.join(address).ok()?, Leads::Article);
    let sponsored = match () {
        () if entry.categories.iter().any(named) => Some("category"),
        () if entry.links.iter().any(is_paid_link) => Some("link"),
        () => found.sponsored,
    };
    Some(Discovered {
        sponsored,
        title: entry.title.and_then(|text| title(&text.content)),
        published_at: entry.published.or(entry.updated).map(|at| at.to_rfc3339()),
        modified_at: entry.updated.map(|at| at.to_rfc3339()),
        ..found
    })
}

/// Which of the `count` items are in a category of advertisements by elements that the parser passes over
/// (`media:category`, `dc:subject`); empty where none are, or where the parser sees other items.
fn paid_items(bytes: &[u8], count: usize) -> Vec<bool> {
    if ![&b":category"[..], b":subject"].iter().any(|name| memmem::find(bytes, name).is_some()) {
        return Vec::new();
    }
    let mut items = Vec::new();
    // What cannot be read says nothing.
    let _ = walk(bytes, "a feed", |seen| {
        match seen {
            Seen::Start { name: "item" | "entry", .. } => items.push(false),
            Seen::Text { name: "category" | "subject", text, .. } if is_paid_for(text) => {
                if let Some(is_paid) = items.last_mut() {
                    *is_paid = true;
                }
            }
            _ => {}
        }
        items.len() <= count
    });
    if items.len() == count { items } else { Vec::new() }
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
        found.entries.into_iter().map(|d| (d.url.as_str().to_owned(), d.title, d.published_at)).collect()
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

    #[test]
    fn advertisements_are_told_from_articles() {
        let base = CanonicalUrl::parse("https://harbour.example/feed").unwrap();
        let read = |feed: &str| -> Vec<Option<&'static str>> {
            let found = discover_feed(feed.as_bytes(), &base, 10).unwrap();
            found.entries.into_iter().map(|entry| entry.sponsored).collect()
        };
        let rss = r#"<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel><title>T</title>
            <item><link>/1</link><category>Ports</category><media:category>Sponsored</media:category></item>
            <item><link>/2</link><category>Sponsored by Tidewater</category></item>
            <item><link>/partner-content/3</link></item>
            <item><link>mailto:x@harbour.example</link><media:category>sponsored</media:category></item>
            <item><link>/4</link><category>Sponsorship</category><media:category>Ports</media:category></item>
            </channel></rss>"#;
        assert_eq!(read(rss), [Some("category"), Some("category"), Some("address"), None]);
        let atom = r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><id>x</id>
            <entry><title>1</title><id>1</id><link href="/1"/><category term="x" label="Paid post"/></entry>
            <entry><title>2</title><id>2</id><link rel="alternate" href="/2"/><link rel="sponsored" href="https://t.example/"/></entry>
            <entry><title>3</title><id>3</id><link href="/3"/><category term="ports"/></entry></feed>"#;
        assert_eq!(read(atom), [Some("category"), Some("link"), None]);
        let json = r#"{"version":"https://jsonfeed.org/version/1.1","title":"T","items":[
            {"id":"1","url":"/1","content_text":"x","tags":["Advertorial"]},{"id":"2","url":"/2","content_text":"x"}]}"#;
        assert_eq!(read(json), [Some("category"), None]);
    }

    #[test]
    fn feeds_say_where_to_subscribe_and_how_often_to_come() {
        let base = CanonicalUrl::parse("https://harbour.example/feed").unwrap();
        let read = |text: &str| discover_feed(text.as_bytes(), &base, 10).unwrap();
        let rss = read(
            r#"<rss version="2.0" xmlns:atom="http://www.w3.org/2005/Atom"
                xmlns:sy="http://purl.org/rss/1.0/modules/syndication/"><channel><title>T</title>
                <language>en-gb</language><ttl>20</ttl>
                <atom:link rel="hub" href="https://hub.example/"/>
                <atom:link rel="self" href="https://harbour.example/feed?utm_source=x"/>
                <sy:updatePeriod> hourly </sy:updatePeriod><sy:updateFrequency>2</sy:updateFrequency>
                <item><title>A</title><link>/a</link></item></channel></rss>"#,
        );
        assert_eq!(rss.hub.as_ref().map(CanonicalUrl::as_str), Some("https://hub.example/"));
        assert_eq!(rss.topic.as_deref(), Some("https://harbour.example/feed?utm_source=x"));
        assert_eq!(rss.least_interval_ms, Some(30 * MINUTE_MS));
        assert_eq!(rss.entries[0].language.as_deref(), Some("en-gb"));

        let atom = read(
            r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>T</title><id>x</id><link rel="hub" href="/hub"/>
                <link rel="self" href="/feed"/><link rel="next" href="?page=2"/></feed>"#,
        );
        assert_eq!(atom.hub.as_ref().map(CanonicalUrl::as_str), Some("https://harbour.example/hub"));
        assert_eq!(atom.topic.as_deref(), Some("https://harbour.example/feed"));
        assert_eq!(atom.next.as_ref().map(CanonicalUrl::as_str), Some("https://harbour.example/feed?page=2"));
        assert_eq!(atom.least_interval_ms, None);

        let json = read(
            r#"{"version":"https://jsonfeed.org/version/1.1","title":"T","feed_url":"https://harbour.example/feed.json",
                "next_url":"https://harbour.example/2.json","items":[],
                "hubs":[{"type":"rssCloud","url":"https://cloud.example/"},{"type":"WebSub","url":"https://hub.example/"}]}"#,
        );
        assert_eq!(json.hub.as_ref().map(CanonicalUrl::as_str), Some("https://hub.example/"));
        assert_eq!(json.topic.as_deref(), Some("https://harbour.example/feed.json"));
        assert_eq!(json.next.as_ref().map(CanonicalUrl::as_str), Some("https://harbour.example/2.json"));

        let header = "<https://other.example/>; rel=\"hub\", </topic>; rel=self";
        let told = json.with_link_header(header, &base);
        assert_eq!(told.hub.as_ref().map(CanonicalUrl::as_str), Some("https://other.example/"));
        assert_eq!(told.topic.as_deref(), Some("https://harbour.example/topic"));
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
