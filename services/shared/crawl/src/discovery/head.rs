//! What a feed says of itself, as far as its parser leaves it out, and what headers say of it.

use serde::Deserialize;

use super::xml::{Seen, walk};

const HOUR_MS: i64 = 3_600_000;

/// Addresses as written.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub hub: Option<String>,
    pub topic: Option<String>,
    pub next: Option<String>,
    pub least_interval_ms: Option<i64>,
}

/// How often an RSS feed or RDF channel changes (RSS 1.0 syndication module): a period, divided by a frequency.
pub(super) fn xml_head(bytes: &[u8]) -> Head {
    let (mut period_ms, mut frequency) = (None, 1);
    // What cannot be read says nothing.
    let _ = walk(bytes, "a feed", |seen| {
        match seen {
            Seen::Start { name: "item" | "entry", .. } => return false,
            Seen::Text { name: "updatePeriod", text, .. } => period_ms = hours(text).map(|h| h * HOUR_MS),
            Seen::Text { name: "updateFrequency", text, .. } => {
                frequency = text.trim().parse().unwrap_or(1).max(1);
            }
            _ => {}
        }
        true
    });
    Head { least_interval_ms: period_ms.map(|ms| ms / frequency), ..Head::default() }
}

/// What JSON Feed 1.1 says at its top.
pub(super) fn json_head(bytes: &[u8]) -> Head {
    #[derive(Deserialize)]
    struct Top {
        feed_url: Option<String>,
        next_url: Option<String>,
        #[serde(default)]
        hubs: Vec<Hub>,
    }
    #[derive(Deserialize)]
    struct Hub {
        r#type: String,
        url: String,
    }
    let Ok(top) = serde_json::from_slice::<Top>(bytes) else { return Head::default() };
    let hub = top.hubs.into_iter().find(|hub| hub.r#type.eq_ignore_ascii_case("websub"));
    Head { hub: hub.map(|hub| hub.url), topic: top.feed_url, next: top.next_url, least_interval_ms: None }
}

/// The hub and the topic in `Link` headers, joined by commas or line ends (RFC 8288).
pub(super) fn header_links(header: &str) -> Head {
    let mut head = Head::default();
    let mut rest = header;
    while let Some((_, link)) = rest.split_once('<') {
        let Some((address, after)) = link.split_once('>') else { break };
        let end = after.find('<').unwrap_or(after.len());
        let parameters = after.get(..end).unwrap_or_default();
        rest = after.get(end..).unwrap_or_default();
        for rel in relations(parameters) {
            match rel.to_ascii_lowercase().as_str() {
                "hub" => head.hub = head.hub.take().or(Some(address.trim().to_owned())),
                "self" => head.topic = head.topic.take().or(Some(address.trim().to_owned())),
                _ => {}
            }
        }
    }
    head
}

/// How long an answer stays fresh by its `Cache-Control`, where it says so (RFC 9111 section 5.2.2).
pub fn max_age_ms(cache_control: &str) -> Option<i64> {
    let mut directives = cache_control.split([',', '\n']).map(|d| d.trim().to_ascii_lowercase());
    let seconds =
        directives.find_map(|d| d.strip_prefix("max-age=")?.trim_matches('"').parse::<i64>().ok())?;
    Some(seconds.max(0).saturating_mul(1000))
}

fn relations(parameters: &str) -> impl Iterator<Item = &str> {
    let is_rel = |parameter: &&str| {
        parameter.split('=').next().is_some_and(|name| name.trim().eq_ignore_ascii_case("rel"))
    };
    let rel = parameters.split([';', ',', '\n']).find(is_rel);
    let value = rel.and_then(|rel| rel.split_once('=')).map_or("", |(_, value)| value);
    value.trim().trim_matches('"').split_ascii_whitespace()
}

fn hours(period: &str) -> Option<i64> {
    match period.trim().to_ascii_lowercase().as_str() {
        "hourly" => Some(1),
        "daily" => Some(24),
        "weekly" => Some(7 * 24),
        "monthly" => Some(30 * 24),
        "yearly" => Some(365 * 24),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn link_headers() {
        let read = |header: &str| {
            let head = header_links(header);
            (head.hub, head.topic)
        };
        let (hub, topic) = (Some("https://hub.example/".to_owned()), Some("/feed".to_owned()));
        for header in [
            "<https://hub.example/>; rel=\"hub\", </feed>; rel=\"self\"",
            "</feed>; type=\"a/b\"; rel=self\n<https://hub.example/>; REL=Hub; title=x",
            "<https://hub.example/>; rel=\"preload hub\", </feed>; rel=self, </other>; rel=self",
        ] {
            assert_eq!(read(header), (hub.clone(), topic.clone()), "{header}");
        }
        assert_eq!(read("<https://hub.example/"), (None, None));
        assert_eq!(read("https://hub.example/; rel=hub"), (None, None));
    }

    #[test]
    fn freshness() {
        assert_eq!(max_age_ms("public, Max-Age=300"), Some(300_000));
        assert_eq!(max_age_ms("s-maxage=300, no-cache"), None);
        assert_eq!(max_age_ms("max-age=-5"), Some(0));
    }

    proptest! {
        #[test]
        fn any_header_is_read(header in "[<>;,= \"a-z\n]{0,60}") {
            header_links(&header);
            max_age_ms(&header);
        }
    }
}
