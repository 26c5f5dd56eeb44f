//! Canonicalisation of addresses, so that one page has one spelling (RFC 3986 section 6, WHATWG URL).

use std::fmt;

use thiserror::Error;
use url::Url;

/// Longest address taken, in bytes.
const MAX_URL_BYTES: usize = 4096;

/// Query parameters that say how a reader came, not what the page is.
const TRACKING: &[&str] = &[
    "fbclid",
    "gclid",
    "gclsrc",
    "dclid",
    "gbraid",
    "wbraid",
    "msclkid",
    "yclid",
    "twclid",
    "igshid",
    "mc_cid",
    "mc_eid",
    "mkt_tok",
    "_ga",
    "_gl",
    "_hsenc",
    "_hsmi",
    "ocid",
    "cmpid",
    "ns_mchannel",
    "ns_source",
    "ns_campaign",
    "ns_linkname",
    "ns_fee",
    "at_medium",
    "at_campaign",
    "smid",
    "xtor",
    "wt_mc",
    "phpsessid",
    "jsessionid",
];

/// An absolute http or https address in its one spelling: host in lower case and ASCII (IDNA), no default port, no dot
/// segments, no fragment, no credentials, no tracking or session parameters, percent-encoding in upper case and only
/// where needed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CanonicalUrl {
    text: String,
    host: String,
}

/// Why a text is not an address that wireroom can name a page by.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum UrlError {
    /// Longer than 4,096 bytes.
    #[error("a URL of {0} bytes is longer than the {MAX_URL_BYTES} allowed")]
    TooLong(usize),
    /// Not an absolute URL.
    #[error("{url:?} is not a URL: {cause}; give an absolute one such as https://example.com/news/1")]
    Malformed {
        /// The text given, cut.
        url: String,
        /// What the parser said.
        cause: url::ParseError,
    },
    /// Neither http nor https, or no host.
    #[error("{url:?} is not an http or https URL with a host, and nothing else can be fetched")]
    NotWeb {
        /// The text given, cut.
        url: String,
    },
}

impl CanonicalUrl {
    /// Parses and canonicalises an absolute address.
    pub fn parse(raw: &str) -> Result<Self, UrlError> {
        let raw = raw.trim();
        if raw.len() > MAX_URL_BYTES {
            return Err(UrlError::TooLong(raw.len()));
        }
        let shown = || raw.chars().take(200).collect::<String>();
        let url = Url::parse(raw).map_err(|cause| UrlError::Malformed { url: shown(), cause })?;
        Self::of(&url).ok_or_else(|| UrlError::NotWeb { url: shown() })
    }

    /// Resolves `reference`, as found on the page at `self`.
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        match Url::parse(&self.text).and_then(|base| base.join(reference.trim())) {
            Ok(url) => Self::parse(url.as_str()),
            Err(cause) => Err(UrlError::Malformed { url: reference.chars().take(200).collect(), cause }),
        }
    }

    fn of(url: &Url) -> Option<Self> {
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        let host = url.host_str()?.trim_end_matches('.').to_owned();
        if host.is_empty() {
            return None;
        }
        let port = url.port().map(|p| format!(":{p}")).unwrap_or_default();
        let path = normalise_escapes(url.path());
        let query = url.query().map(kept_parameters).filter(|q| !q.is_empty());
        let query = query.map(|q| format!("?{q}")).unwrap_or_default();
        Some(Self { text: format!("{}://{host}{port}{path}{query}", url.scheme()), host })
    }

    /// The whole address.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host, in lower case; an IPv6 literal with its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The registrable domain (public suffix list, plus one label): the unit of politeness and the key of `requests`.
    /// The host itself where there is none (an address literal, a single label).
    pub fn registrable_domain(&self) -> &str {
        if self.host.starts_with('[') || self.host.parse::<std::net::Ipv4Addr>().is_ok() {
            return &self.host;
        }
        psl::domain_str(&self.host).unwrap_or(&self.host)
    }

    /// Scheme, host and port: what robots.txt speaks for.
    pub fn origin(&self) -> &str {
        let start = self.text.len() - self.without_scheme().len();
        let end = self.without_scheme().find('/').map_or(self.text.len(), |slash| start + slash);
        self.text.get(..end).unwrap_or(&self.text)
    }

    /// What follows `http://` or `https://`.
    pub fn without_scheme(&self) -> &str {
        self.text.split_once("://").map_or(self.text.as_str(), |(_, rest)| rest)
    }
}

impl fmt::Display for CanonicalUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn kept_parameters(query: &str) -> String {
    let kept = query.split('&').filter(|pair| {
        let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
        !pair.is_empty() && !name.starts_with("utm_") && !TRACKING.contains(&name.as_str())
    });
    normalise_escapes(&kept.collect::<Vec<_>>().join("&"))
}

/// Unreserved characters unescaped, the other escapes in upper case (RFC 3986 sections 6.2.2.1 and 6.2.2.2).
fn normalise_escapes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let Some(hex) = escape.get(1..3).filter(|h| h.bytes().all(|b| b.is_ascii_hexdigit())) else {
            out.push('%');
            rest = escape.get(1..).unwrap_or_default();
            continue;
        };
        match u8::from_str_radix(hex, 16) {
            Ok(b) if b.is_ascii_alphanumeric() || b"-._~".contains(&b) => out.push(char::from(b)),
            _ => {
                out.push('%');
                out.push_str(&hex.to_ascii_uppercase());
            }
        }
        rest = escape.get(3..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_page_has_one_spelling() {
        for (raw, canonical) in [
            ("HTTPS://News.Example.COM:443/a/../b", "https://news.example.com/b"),
            ("http://example.com", "http://example.com/"),
            (" https://example.com/x#top ", "https://example.com/x"),
            ("https://user:secret@example.com/x", "https://example.com/x"),
            ("https://example.com/x?utm_source=a&id=7&fbclid=b", "https://example.com/x?id=7"),
            ("https://example.com/x?utm_source=a", "https://example.com/x"),
            ("https://example.com/%7euser/%c3%a9", "https://example.com/~user/%C3%A9"),
            ("https://example.com/100%", "https://example.com/100%"),
            ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
            ("https://example.com./x", "https://example.com/x"),
            ("http://example.com:8080/x", "http://example.com:8080/x"),
        ] {
            let url = CanonicalUrl::parse(raw).unwrap();
            assert_eq!(url.as_str(), canonical);
            assert_eq!(CanonicalUrl::parse(url.as_str()).unwrap(), url, "canonical is a fixed point");
        }
    }

    #[test]
    fn what_is_no_web_address_is_refused() {
        for raw in
            ["", "example.com", "ftp://example.com/x", "mailto:a@b.c", "https://", "file:///etc/passwd"]
        {
            assert!(CanonicalUrl::parse(raw).is_err(), "{raw:?}");
        }
        assert!(CanonicalUrl::parse(&format!("https://example.com/{}", "a".repeat(5000))).is_err());
    }

    #[test]
    fn parts() {
        let url = CanonicalUrl::parse("https://a.b.example.co.uk:8443/x?y").unwrap();
        assert_eq!(url.registrable_domain(), "example.co.uk");
        assert_eq!(url.origin(), "https://a.b.example.co.uk:8443");
        assert_eq!(CanonicalUrl::parse("http://[::1]:80/").unwrap().registrable_domain(), "[::1]");
        assert_eq!(CanonicalUrl::parse("http://127.0.0.1/").unwrap().registrable_domain(), "127.0.0.1");
        assert_eq!(url.join("../z").unwrap().as_str(), "https://a.b.example.co.uk:8443/z");
    }
}
