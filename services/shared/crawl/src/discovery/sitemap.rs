//! Sitemaps, indexes of sitemaps and news sitemaps (sitemaps.org, Google's news extension); OPML.

use article::{CanonicalUrl, Moment};
use quick_xml::{
    Reader, XmlVersion,
    encoding::DecodingReader,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};

use super::{Discovered, DiscoveryError, Leads, title};

/// Longest text of an element that is kept, in bytes.
const MAX_FIELD_BYTES: usize = 8 * 1024;
/// Deepest nesting read.
const MAX_DEPTH: usize = 64;

/// Reads a sitemap or an index of sitemaps found at `base`: at most `limit` addresses.
pub fn discover_sitemap(
    bytes: &[u8],
    base: &CanonicalUrl,
    limit: usize,
) -> Result<Vec<Discovered>, DiscoveryError> {
    let mut found = Vec::new();
    let mut entry = Entry::default();
    walk(bytes, "a sitemap", |event| {
        match event {
            Seen::Start { name: "url" | "sitemap", .. } => entry = Entry::default(),
            Seen::Text { name: "loc", parent: "url" | "sitemap", text } => entry.loc = text.trim().to_owned(),
            Seen::Text { name: "title", parent: "news", text } => entry.title = title(text),
            Seen::Text { name: "lastmod", text, .. } => entry.modified_at = instant(text),
            Seen::Text { name: "publication_date", text, .. } => entry.published_at = instant(text),
            Seen::End { name: name @ ("url" | "sitemap") } => {
                let leads = if name == "url" { Leads::Article } else { Leads::List };
                found.extend(std::mem::take(&mut entry).discovered(base, leads));
            }
            _ => {}
        }
        found.len() < limit
    })?;
    Ok(found)
}

/// Reads the feeds that an OPML list at `base` names: at most `limit`.
pub fn discover_opml(
    bytes: &[u8],
    base: &CanonicalUrl,
    limit: usize,
) -> Result<Vec<Discovered>, DiscoveryError> {
    let mut found = Vec::new();
    walk(bytes, "OPML", |event| {
        if let Seen::Start { name: "outline", element } = event {
            let feed = element
                .attributes()
                .flatten()
                .find(|a| a.key.local_name().as_ref().eq_ignore_ascii_case("xmlUrl"));
            let address = feed.and_then(|a| a.normalized_value(XmlVersion::Implicit1_0).ok());
            let url = address.and_then(|address| base.join(&address).ok());
            found.extend(url.map(|url| Discovered {
                url,
                leads: Leads::List,
                title: None,
                published_at: None,
                modified_at: None,
            }));
        }
        found.len() < limit
    })?;
    Ok(found)
}

#[derive(Default)]
struct Entry {
    loc: String,
    title: Option<String>,
    published_at: Option<String>,
    modified_at: Option<String>,
}

impl Entry {
    fn discovered(self, base: &CanonicalUrl, leads: Leads) -> Option<Discovered> {
        if self.loc.is_empty() {
            return None;
        }
        let url = base.join(&self.loc).ok()?;
        Some(Discovered {
            url,
            leads,
            title: self.title,
            published_at: self.published_at,
            modified_at: self.modified_at,
        })
    }
}

fn instant(text: &str) -> Option<String> {
    Moment::parse(text).ok().map(|moment| moment.to_string())
}

/// What [`walk`] sees; names are local, without their prefix.
enum Seen<'a> {
    Start { name: &'a str, element: &'a BytesStart<'a> },
    Text { name: &'a str, parent: &'a str, text: &'a str },
    End { name: &'a str },
}

/// Reads XML until `see` answers false. What is torn off at the end has been seen up to there; only a document without
/// any element is an error.
fn walk(
    bytes: &[u8],
    what: &'static str,
    mut see: impl FnMut(Seen<'_>) -> bool,
) -> Result<(), DiscoveryError> {
    let mut reader = Reader::from_reader(DecodingReader::new(bytes));
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_dangling_amp = true;
    config.allow_unmatched_ends = true;
    config.expand_empty_elements = true;
    let mut open: Vec<String> = Vec::new();
    let mut text = String::new();
    let mut buffer = Vec::new();
    let mut elements = 0_u64;
    loop {
        buffer.clear();
        let event = match reader.read_event_into(&mut buffer) {
            Ok(event) => event,
            Err(_) if elements > 0 => return Ok(()),
            Err(error) => return Err(DiscoveryError { what, cause: error.to_string() }),
        };
        let go_on = match event {
            Event::Start(element) => {
                elements += 1;
                text.clear();
                open.push(element.local_name().as_ref().to_owned());
                if open.len() > MAX_DEPTH {
                    return Err(DiscoveryError {
                        what,
                        cause: format!("it nests deeper than {MAX_DEPTH} levels"),
                    });
                }
                see(Seen::Start { name: open.last().map_or("", String::as_str), element: &element })
            }
            Event::End(_) => {
                let name = open.pop().unwrap_or_default();
                let parent = open.last().map_or("", String::as_str);
                let told = see(Seen::Text { name: &name, parent, text: &text });
                text.clear();
                told && see(Seen::End { name: &name })
            }
            Event::Text(part) => append(&mut text, &part.xml10_content()),
            Event::CData(part) => append(&mut text, &part.xml10_content()),
            Event::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(c)) => append(&mut text, c.encode_utf8(&mut [0; 4])),
                _ => append(&mut text, resolve_predefined_entity(&reference).unwrap_or_default()),
            },
            Event::Eof if elements == 0 => {
                return Err(DiscoveryError { what, cause: "it holds no element".to_owned() });
            }
            Event::Eof => return Ok(()),
            _ => true,
        };
        if !go_on {
            return Ok(());
        }
    }
}

fn append(text: &mut String, part: &str) -> bool {
    if text.len() + part.len() <= MAX_FIELD_BYTES {
        text.push_str(part);
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NEWS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
        <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
                xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
          <url><loc> https://harbour.example/a?x=1&amp;y=2 </loc><lastmod>2026-03-20</lastmod>
            <news:news><news:publication><news:name>Harbour Post</news:name></news:publication>
              <news:publication_date>2026-03-19T10:30:00+01:00</news:publication_date>
              <news:title><![CDATA[Ferry & tide]]></news:title></news:news>
            <image:image><image:loc>https://harbour.example/p.jpg</image:loc></image:image></url>
          <url><loc>https://harbour.example/b</loc></url>
          <url><lastmod>2026-03-20</lastmod></url>
        </urlset>"#;
    const INDEX: &str = "<sitemapindex><sitemap><loc>https://harbour.example/s1.xml</loc></sitemap>\
        <sitemap><loc>/s2.xml.gz</loc></sitemap></sitemapindex>";
    const OPML: &str = r#"<opml version="2.0"><body><outline text="Ports"><outline xmlUrl="https://harbour.example/feed?a=1&amp;b=2"/>
        <outline xmlurl="/more.xml"/><outline text="none"/></outline></body></opml>"#;

    fn base() -> CanonicalUrl {
        CanonicalUrl::parse("https://harbour.example/sitemap.xml").unwrap()
    }

    fn urls(found: &[Discovered]) -> Vec<&str> {
        found.iter().map(|d| d.url.as_str()).collect()
    }

    #[test]
    fn news_sitemaps_say_what_they_name() {
        let found = discover_sitemap(NEWS.as_bytes(), &base(), 10).unwrap();
        assert_eq!(urls(&found), ["https://harbour.example/a?x=1&y=2", "https://harbour.example/b"]);
        assert_eq!(found[0].title.as_deref(), Some("Ferry & tide"));
        assert_eq!(found[0].published_at.as_deref(), Some("2026-03-19T10:30:00+01:00"));
        assert_eq!((found[1].title.clone(), found[1].published_at.clone()), (None, None));
        assert_eq!(discover_sitemap(NEWS.as_bytes(), &base(), 1).unwrap().len(), 1);
    }

    #[test]
    fn indexes_lead_to_lists() {
        let found = discover_sitemap(INDEX.as_bytes(), &base(), 10).unwrap();
        assert_eq!(urls(&found), ["https://harbour.example/s1.xml", "https://harbour.example/s2.xml.gz"]);
        assert!(found.iter().all(|d| d.leads == Leads::List));
    }

    #[test]
    fn opml_names_feeds() {
        let found = discover_opml(OPML.as_bytes(), &base(), 10).unwrap();
        assert_eq!(
            urls(&found),
            ["https://harbour.example/feed?a=1&b=2", "https://harbour.example/more.xml"]
        );
    }

    #[test]
    fn what_is_torn_off_counts_up_to_there() {
        let torn = NEWS.split("<url><lastmod>").next().unwrap();
        assert_eq!(discover_sitemap(torn.as_bytes(), &base(), 10).unwrap().len(), 2);
        for text in ["", "no markup", "{}"] {
            assert!(discover_sitemap(text.as_bytes(), &base(), 10).is_err(), "{text:?}");
        }
        assert!(discover_sitemap("<a>".repeat(100_000).as_bytes(), &base(), 10).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(cut in 0..NEWS.len(), at in 0..NEWS.len(), byte: u8) {
            for list in [NEWS, INDEX, OPML] {
                let mut bytes = list.as_bytes().to_vec();
                if let Some(slot) = bytes.get_mut(at) {
                    *slot = byte;
                }
                bytes.truncate(cut.max(1));
                let _ = discover_sitemap(&bytes, &base(), 10);
                let _ = discover_opml(&bytes, &base(), 10);
            }
        }
    }
}
