//! Canonicalisation of addresses, so that one page has one spelling (RFC 3986 section 6, WHATWG URL).
//!
//! Article ids hash the spelling. What may mean another page is left alone: the case of a path, doubled slashes, the
//! order of parameters, parameters without a value.

mod noise;

use std::fmt;

use thiserror::Error;
use url::Url;

/// Longest address taken, in bytes.
const MAX_URL_BYTES: usize = 4096;

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
        let url = Url::parse(raw).map_err(|cause| UrlError::Malformed { url: shown(raw), cause })?;
        let canonical = Self::of(url).ok_or_else(|| UrlError::NotWeb { url: shown(raw) })?;
        match canonical.text.len() {
            // Escapes are longer than what they stand for.
            long if long > MAX_URL_BYTES => Err(UrlError::TooLong(long)),
            _ => Ok(canonical),
        }
    }

    /// Resolves `reference`, as found on the page at `self`.
    pub fn join(&self, reference: &str) -> Result<Self, UrlError> {
        match Url::parse(&self.text).and_then(|base| base.join(reference.trim())) {
            Ok(url) => Self::parse(url.as_str()),
            Err(cause) => Err(UrlError::Malformed { url: shown(reference), cause }),
        }
    }

    fn of(mut url: Url) -> Option<Self> {
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        let host = url.host_str()?.trim_end_matches('.').to_owned();
        if host.is_empty() {
            return None;
        }
        if let Some(path) = noise::without_sessions(url.path()) {
            url.set_path(&path);
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

/// A text for a message: cut, and without what may be credentials.
fn shown(raw: &str) -> String {
    match raw.rsplit_once('@') {
        Some((_, rest)) => format!("…@{}", rest.chars().take(200).collect::<String>()),
        None => raw.chars().take(200).collect(),
    }
}

fn kept_parameters(query: &str) -> String {
    let kept = query.split('&').filter(|pair| !pair.is_empty() && !noise::is_noise(pair));
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
    use proptest::prelude::*;

    use super::*;

    /// Parses, and checks that the one spelling is a fixed point.
    fn canonical(raw: &str) -> String {
        let url = CanonicalUrl::parse(raw).unwrap();
        assert_eq!(CanonicalUrl::parse(url.as_str()).unwrap(), url, "{raw}");
        url.as_str().to_owned()
    }

    #[test]
    fn one_page_has_one_spelling() {
        for (raw, spelt) in [
            ("HTTPS://News.Example.COM:443/a/../b", "https://news.example.com/b"),
            ("http://example.com", "http://example.com/"),
            ("http://example.com:80", "http://example.com/"),
            ("http://example.com:443/", "http://example.com:443/"),
            ("http://example.com:8080/x", "http://example.com:8080/x"),
            ("http://example.com:/x", "http://example.com/x"),
            (" https://example.com/x#top ", "https://example.com/x"),
            ("https://example.com/#!/a/b", "https://example.com/"),
            ("https://user:secret@example.com/x", "https://example.com/x"),
            ("https://user@example.com:444/x", "https://example.com:444/x"),
            // Dot segments, also where they are escaped.
            ("https://example.com/a/./b/../c/%2e%2E/d", "https://example.com/a/d"),
            ("https://example.com/../../a", "https://example.com/a"),
            ("https://example.com/a/b/..", "https://example.com/a/"),
            ("https://example.com\\a\\b", "https://example.com/a/b"),
            ("https://exam\tple.com/a\nb", "https://example.com/ab"),
            // Escapes.
            ("https://example.com/%7euser/%c3%a9", "https://example.com/~user/%C3%A9"),
            ("https://example.com/100%", "https://example.com/100%"),
            ("https://example.com/a%2fb", "https://example.com/a%2Fb"),
            ("https://example.com/a b", "https://example.com/a%20b"),
            ("https://example.com/?q=%61+%3d", "https://example.com/?q=a+%3D"),
            // Hosts.
            ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
            ("https://XN--BCHER-KVA.example/", "https://xn--bcher-kva.example/"),
            ("https://ＢÜCHER。example/", "https://xn--bcher-kva.example/"),
            ("https://ex%61mple.com/", "https://example.com/"),
            ("https://example.com./x", "https://example.com/x"),
            ("http://0x7f.1/", "http://127.0.0.1/"),
            ("http://[2001:DB8:0:0::1]/", "http://[2001:db8::1]/"),
            // What may mean another page stays.
            ("https://example.com/A//b/", "https://example.com/A//b/"),
            ("https://example.com/a?b=2&a=1&a=&c", "https://example.com/a?b=2&a=1&a=&c"),
            ("https://example.com/a?", "https://example.com/a"),
            ("https://example.com/a?&&", "https://example.com/a"),
            ("https://example.com/a;v=2/b;c", "https://example.com/a;v=2/b;c"),
        ] {
            assert_eq!(canonical(raw), spelt, "{raw}");
        }
    }

    #[test]
    fn what_says_nothing_of_the_page_goes() {
        for (query, kept) in [
            ("utm_source=a&id=7&fbclid=b", "?id=7"),
            ("UTM_Source=a", ""),
            ("id=7&amp;utm_medium=rss", "?id=7"),
            ("gad_source=1&gclid=x&wbraid=y&srsltid=z&ttclid=1&msclkid=2", ""),
            ("at_medium=custom7&at_bbc_team=x&ns_mchannel=social&xtor=RSS-1", ""),
            ("mtm_campaign=a&pk_kwd=b&itm_source=c&wt.mc_id=d&wt_zmc=e&hsa_acc=1&__hstc=2", ""),
            ("CMP=share_btn&smid=tw&ref_src=x&guccounter=1&mbid=2&ito=3", ""),
            ("PHPSESSID=a&jsessionid=b&ASPSESSIONIDQQ=c&zenid=d", ""),
            ("sid=5f3a9c0b7e2d4411&page=2", "?page=2"),
            ("sessionid=0b7e2d44-9c0b-7e2d-4411-5f3a9c0b7e2d", ""),
            // The same names with what is no session.
            ("sid=1234&s=ferry&session=morning", "?sid=1234&s=ferry&session=morning"),
            ("ref=7&source=wire&cid=3&id=5f3a9c0b7e2d4411", "?ref=7&source=wire&cid=3&id=5f3a9c0b7e2d4411"),
            ("gclids=1&mycmp=2", "?gclids=1&mycmp=2"),
        ] {
            assert_eq!(
                canonical(&format!("https://example.com/x?{query}")),
                format!("https://example.com/x{kept}")
            );
        }
        for (path, kept) in [
            ("/a;jsessionid=0A1B.node1", "/a"),
            ("/a;JSESSIONID=1;v=2/b", "/a;v=2/b"),
            ("/a/..;jsessionid=1/b", "/b"),
            ("/(S(lit3py55t21z5v55vlm25s55))/a", "/a"),
            ("/(S(short))/a", "/(S(short))/a"),
            ("/jsessionid=1", "/jsessionid=1"),
        ] {
            assert_eq!(
                canonical(&format!("https://example.com{path}")),
                format!("https://example.com{kept}")
            );
        }
    }

    #[test]
    fn what_is_no_web_address_is_refused() {
        for raw in
            ["", "example.com", "ftp://example.com/x", "mailto:a@b.c", "https://", "file:///etc/passwd"]
        {
            assert!(CanonicalUrl::parse(raw).is_err(), "{raw:?}");
        }
        for long in ["a".repeat(5000), "é".repeat(1000)] {
            let error = CanonicalUrl::parse(&format!("https://example.com/{long}")).unwrap_err();
            assert!(matches!(error, UrlError::TooLong(_)), "{error}");
        }
        for credentials in
            ["https://user:secret@exa mple.com/", "https://user:x/secret@example.com/", "ftp://u:secret@a/"]
        {
            let error = CanonicalUrl::parse(credentials).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
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

    proptest! {
        #[test]
        fn the_one_spelling_is_a_fixed_point(rest in "[a-zé./;?&=%#:@()S\\\\]{0,30}(;jsessionid=1|%2e|utm_a|/\\.\\.)?[a-z/?]{0,5}") {
            if let Ok(url) = CanonicalUrl::parse(&format!("https://example.com/{rest}")) {
                prop_assert_eq!(&CanonicalUrl::parse(url.as_str()).unwrap(), &url);
                prop_assert!(!url.as_str().contains('#'));
            }
        }
    }
}
