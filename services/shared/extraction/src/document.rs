//! A document handed in without a page around it: a reprint in plain text, or in HTML.

use crate::{
    decode::decode,
    extraction::Extraction,
    page::{Page, extract_html},
    plain::extract_plain,
};

/// A document as it was submitted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Document<'a> {
    /// Its content.
    pub bytes: &'a [u8],
    /// Its media type, where known.
    pub content_type: Option<&'a str>,
    /// Its file name, whose ending tells the kind where no media type does.
    pub name: Option<&'a str>,
}

/// Extracts the article from a document. Total, as [`extract_html`] is, to which HTML documents go.
pub fn extract_document(document: &Document) -> Extraction {
    if is_html(document) {
        return extract_html(&Page {
            bytes: document.bytes,
            content_type: document.content_type,
            ..Page::default()
        });
    }
    let decoded = decode(document.bytes, document.content_type, None);
    let mut out = extract_plain(&decoded.text);
    out.charset_via = decoded.charset_via;
    out.warnings.extend(decoded.warning);
    out
}

fn is_html(document: &Document) -> bool {
    if let Some(content_type) = document.content_type {
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "text/html" | "application/xhtml+xml" => return true,
            "text/plain" | "text/markdown" => return false,
            _ => {}
        }
    }
    let ending = document.name.and_then(|name| name.rsplit_once('.')).map(|(_, e)| e.to_ascii_lowercase());
    match ending.as_deref() {
        Some("html" | "htm" | "xhtml") => true,
        Some("txt" | "md" | "markdown" | "text") => false,
        _ => {
            let start = document.bytes.trim_ascii_start();
            let start = start
                .strip_prefix(b"\xef\xbb\xbf")
                .unwrap_or(start)
                .get(..15)
                .unwrap_or(start)
                .to_ascii_lowercase();
            start.starts_with(b"<!doctype html") || start.starts_with(b"<html") || start.starts_with(b"<?xml")
        }
    }
}
