//! What a body is, from its first bytes and what the server calls it.
//!
//! Bytes go before names where they leave no doubt (a signature, an XML root element): servers call feeds `text/html`
//! and pictures `text/plain`. Signatures are those of the WHATWG MIME Sniffing Standard.

/// How much of a body is looked at.
const WINDOW: usize = 2048;

/// What a body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A web page.
    Html,
    /// Running text.
    Text,
    /// RSS, Atom or JSON Feed.
    Feed,
    /// A sitemap or an index of sitemaps.
    Sitemap,
    /// A list of feeds.
    Opml,
    /// Compressed by gzip as a file, not for the transfer: `sitemap.xml.gz`.
    Gzip,
    /// A PDF document.
    Pdf,
    /// A picture, a sound, a film, a font.
    Media,
    /// Data of another kind.
    Binary,
}

impl Kind {
    /// For people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Html => "a web page",
            Self::Text => "plain text",
            Self::Feed => "a feed",
            Self::Sitemap => "a sitemap",
            Self::Opml => "a list of feeds",
            Self::Gzip => "a gzip file",
            Self::Pdf => "a PDF document",
            Self::Media => "media",
            Self::Binary => "data",
        }
    }
}

/// Tells what a body is. `start` are its first bytes, inflated (2 KiB are enough); `content_type` is the header, or "".
pub fn sniff(content_type: &str, start: &[u8]) -> Kind {
    let start = start.get(..WINDOW).unwrap_or(start);
    if let Some(kind) = by_signature(start) {
        return kind;
    }
    let named = by_name(content_type);
    let is_wide = start.starts_with(&[0xff, 0xfe]) || start.starts_with(&[0xfe, 0xff]);
    let mut text = String::from_utf8_lossy(start);
    if is_wide {
        text.to_mut().retain(|c| c != '\0');
    }
    let by_markup = by_markup(&text);
    // A control character that somebody pasted makes no data of what is a page by its name, or by its first element.
    let is_page = by_markup.is_some() || matches!(named, Some(Kind::Html | Kind::Feed | Kind::Opml));
    // All bytes, several at a time: there is hardly ever one to stop at.
    let has_binary = || start.iter().fold(false, |has, &b| has | is_binary_byte(b));
    if !is_wide && has_binary() && (!is_page || start.contains(&0)) {
        return match named {
            Some(kind @ (Kind::Media | Kind::Pdf | Kind::Gzip)) => kind,
            _ => Kind::Binary,
        };
    }
    by_markup.or(named).unwrap_or(Kind::Text)
}

fn by_signature(start: &[u8]) -> Option<Kind> {
    const SIGNATURES: &[(&[u8], Kind)] = &[
        (b"%PDF-", Kind::Pdf),
        (b"\x1f\x8b\x08", Kind::Gzip),
        (b"\x89PNG\r\n\x1a\n", Kind::Media),
        (b"\xff\xd8\xff", Kind::Media),
        (b"GIF87a", Kind::Media),
        (b"GIF89a", Kind::Media),
        (b"ID3", Kind::Media),
        (b"OggS\0", Kind::Media),
        (b"fLaC", Kind::Media),
        (b"\x1a\x45\xdf\xa3", Kind::Media),
        (b"wOFF", Kind::Media),
        (b"wOF2", Kind::Media),
        (b"PK\x03\x04", Kind::Binary),
        (b"Rar!\x1a\x07", Kind::Binary),
        (b"\xd0\xcf\x11\xe0", Kind::Binary),
    ];
    if let Some((_, kind)) = SIGNATURES.iter().find(|(signature, _)| start.starts_with(signature)) {
        return Some(*kind);
    }
    let is_riff = start.starts_with(b"RIFF") && matches!(start.get(8..12), Some(b"WEBP" | b"WAVE" | b"AVI "));
    let is_mp4 = start.get(4..8) == Some(b"ftyp");
    (is_riff || is_mp4).then_some(Kind::Media)
}

fn by_name(content_type: &str) -> Option<Kind> {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match essence.as_str() {
        "text/html" | "application/xhtml+xml" => Some(Kind::Html),
        "application/rss+xml" | "application/atom+xml" | "application/feed+json" | "application/rdf+xml" => {
            Some(Kind::Feed)
        }
        "text/x-opml" | "application/opml+xml" => Some(Kind::Opml),
        "application/pdf" => Some(Kind::Pdf),
        "application/gzip" | "application/x-gzip" => Some(Kind::Gzip),
        "image/svg+xml" => Some(Kind::Media),
        "text/css" | "text/javascript" | "text/csv" | "text/calendar" => Some(Kind::Binary),
        _ if essence.starts_with("text/") => None,
        _ if ["image/", "audio/", "video/", "font/"].iter().any(|family| essence.starts_with(family)) => {
            Some(Kind::Media)
        }
        "" | "application/xml" | "application/octet-stream" => None,
        _ if essence.starts_with("application/") => Some(Kind::Binary),
        _ => None,
    }
}

/// Bytes that occur in no text of any encoding of the web (WHATWG's "binary data byte").
fn is_binary_byte(b: u8) -> bool {
    matches!(b, 0..=8 | 0x0b | 0x0e..=0x1a | 0x1c..=0x1f)
}

fn by_markup(text: &str) -> Option<Kind> {
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with('{') && text.contains("jsonfeed.org/version/") {
        return Some(Kind::Feed);
    }
    let name = root_element(text)?;
    match name.rsplit(':').next().unwrap_or_default() {
        "rss" | "feed" | "rdf" => Some(Kind::Feed),
        "urlset" | "sitemapindex" => Some(Kind::Sitemap),
        "opml" => Some(Kind::Opml),
        "svg" => Some(Kind::Media),
        "html" | "head" | "body" | "title" | "meta" | "script" | "style" | "div" | "p" | "h1" | "table"
        | "a" | "br" | "link" | "iframe" | "article" | "main" | "header" | "section" => Some(Kind::Html),
        _ => None,
    }
}

/// The first element's name in lower case, past declarations and comments; `html` where a doctype says so.
fn root_element(text: &str) -> Option<String> {
    let mut rest = text;
    loop {
        rest = rest.trim_start().strip_prefix('<')?;
        if let Some(comment) = rest.strip_prefix("!--") {
            rest = comment.split_once("-->")?.1;
        } else if rest.starts_with('?') {
            rest = rest.split_once("?>")?.1;
        } else if let Some(declaration) = rest.strip_prefix('!') {
            let (declaration, after) = declaration.split_once('>')?;
            let mut words = declaration.split_ascii_whitespace().map(str::to_ascii_lowercase);
            if words.next().as_deref() == Some("doctype") && words.next().as_deref() == Some("html") {
                return Some("html".to_owned());
            }
            rest = after;
        } else {
            let end = rest.find(|c: char| c.is_whitespace() || c == '>' || c == '/').unwrap_or(rest.len());
            return rest.get(..end).filter(|name| !name.is_empty()).map(str::to_ascii_lowercase);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bodies_are_what_they_are_whatever_they_are_called() {
        let wide: Vec<u8> = "<html>".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let wide = [&[0xff, 0xfe], wide.as_slice()].concat();
        for (content_type, start, kind) in [
            ("text/html; charset=utf-8", b"<!DOCTYPE html><html>".as_slice(), Kind::Html),
            ("", b"<!doctype HTML PUBLIC \"x\"><p>", Kind::Html),
            ("", b"<!-- a --> <html lang=en>", Kind::Html),
            ("text/html", b"plain words", Kind::Html),
            ("text/html", b"", Kind::Html),
            ("image/jpeg", b"<!doctype html>", Kind::Html),
            ("text/html", &wide, Kind::Html),
            ("text/plain", b"A story, in words.", Kind::Text),
            ("", b"A story, in words.", Kind::Text),
            ("text/plain", b"<b>12 < 13", Kind::Text),
            ("text/html", b"<?xml version='1.0'?><rss version='2.0'>", Kind::Feed),
            ("text/xml", b"<?xml version='1.0'?><?xml-stylesheet href='x'?>\n<feed xmlns='a'>", Kind::Feed),
            ("application/xml", b"<rdf:RDF xmlns:rdf='x'>", Kind::Feed),
            ("application/json", b"{\"version\": \"https://jsonfeed.org/version/1.1\"}", Kind::Feed),
            ("application/rss+xml", b"\xef\xbb\xbf  <rss>", Kind::Feed),
            ("text/xml", b"<urlset xmlns='x'>", Kind::Sitemap),
            ("text/plain", b"<?xml version=\"1.0\"?><!-- made by x --><sitemapindex>", Kind::Sitemap),
            ("text/xml", b"<opml version='2.0'>", Kind::Opml),
            ("application/octet-stream", b"\x1f\x8b\x08\0", Kind::Gzip),
            ("text/html", b"%PDF-1.7\n", Kind::Pdf),
            ("text/html", b"\x89PNG\r\n\x1a\n\0", Kind::Media),
            ("text/plain", b"\xff\xd8\xff\xe0", Kind::Media),
            ("", b"\0\0\0\x18ftypmp42", Kind::Media),
            ("image/svg+xml", b"<svg>", Kind::Media),
            ("audio/mpeg", b"\xff\xfb\x90\0", Kind::Media),
            ("application/octet-stream", b"\0\x01\x02", Kind::Binary),
            ("text/plain", b"A story\x0b, in words.", Kind::Binary),
            ("text/html", b"plain\x0bwords", Kind::Html),
            ("text/html", b"\0\x01\x02", Kind::Binary),
            ("", b"<!doctype html><meta content='a\x0bb'>", Kind::Html),
            ("text/xml", b"<rss><title>a\x1fb</title>", Kind::Feed),
            ("application/json", b"{\"a\":1}", Kind::Binary),
            ("text/html", b"PK\x03\x04", Kind::Binary),
        ] {
            assert_eq!(
                sniff(content_type, start),
                kind,
                "{content_type:?} {:?}",
                String::from_utf8_lossy(start)
            );
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(content_type in ".{0,30}", start in proptest::collection::vec(any::<u8>(), 0..300)) {
            sniff(&content_type, &start);
        }
    }
}
