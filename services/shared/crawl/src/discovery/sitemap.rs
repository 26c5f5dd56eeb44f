//! Sitemaps, indexes of sitemaps and news sitemaps (sitemaps.org, Google's news extension); OPML.

use article::{CanonicalUrl, Moment};

use super::{
    Discovered, DiscoveryError, Leads, title,
    xml::{Seen, attribute, walk},
};

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
            Seen::Text { name: "publication_date", text, .. } => entry.published_at = instant(text),
            Seen::Text { name: "lastmod", parent: "url" | "sitemap", text } => {
                entry.modified_at = instant(text);
            }
            Seen::Text { name: "name", parent: "publication", text } => entry.publisher = title(text),
            Seen::Text { name: "language", parent: "publication", text } => entry.language = title(text),
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
            let url = attribute(element, "xmlUrl").and_then(|address| base.join(&address).ok());
            found.extend(url.map(|url| Discovered::of(url, Leads::List)));
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
    language: Option<String>,
    publisher: Option<String>,
}

impl Entry {
    fn discovered(self, base: &CanonicalUrl, leads: Leads) -> Option<Discovered> {
        if self.loc.is_empty() {
            return None;
        }
        let Self { loc, title, published_at, modified_at, language, publisher } = self;
        Some(Discovered {
            title,
            published_at,
            modified_at,
            language,
            publisher,
            ..Discovered::of(base.join(&loc).ok()?, leads)
        })
    }
}

fn instant(text: &str) -> Option<String> {
    Moment::parse(text).ok().map(|moment| moment.to_string())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NEWS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
        <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:news="http://www.google.com/schemas/sitemap-news/0.9"
                xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
          <url><loc> https://harbour.example/a?x=1&amp;y=2 </loc><lastmod>2026-03-20</lastmod>
            <news:news><news:publication><news:name>Harbour Post</news:name>
              <news:language>en</news:language></news:publication>
              <news:publication_date>2026-03-19T10:30:00+01:00</news:publication_date>
              <news:title><![CDATA[Ferry & tide]]></news:title></news:news>
            <image:image><image:loc>https://harbour.example/p.jpg</image:loc></image:image></url>
          <url><loc>https://harbour.example/b</loc>
            <xhtml:link rel="alternate" hreflang="de" href="https://harbour.example/de/b"/></url>
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
        assert_eq!(found[0].modified_at.as_deref(), Some("2026-03-20"));
        assert_eq!(found[0].publisher.as_deref(), Some("Harbour Post"));
        assert_eq!(found[0].language.as_deref(), Some("en"));
        assert_eq!(found[1], Discovered::of(found[1].url.clone(), Leads::Article));
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
