//! What the extractor counts.

use extraction::Extraction;
use metrics::{
    EXTRACTOR_CHARSETS, EXTRACTOR_DOCUMENTS, EXTRACTOR_FIELDS_PRESENT, EXTRACTOR_READ_BYTES,
    EXTRACTOR_TEXT_BYTES, EXTRACTOR_WARNINGS,
};

/// Counts what was read, of so many bytes, and what was found in it.
pub(crate) fn count(extraction: &Extraction, bytes: usize) {
    EXTRACTOR_DOCUMENTS.with_label_values(&[extraction.verdict.as_str()]).inc();
    EXTRACTOR_CHARSETS.with_label_values(&[extraction.charset_via]).inc();
    EXTRACTOR_READ_BYTES.inc_by(bytes as u64);
    EXTRACTOR_TEXT_BYTES.inc_by(extraction.text.len() as u64);
    EXTRACTOR_WARNINGS.inc_by(extraction.warnings.len() as u64);
    let fields = [
        ("title", extraction.title.is_some()),
        ("text", !extraction.text.is_empty()),
        ("authors", !extraction.authors.is_empty()),
        ("published", extraction.published.is_some()),
        ("language", extraction.language.is_some()),
    ];
    for (field, _) in fields.into_iter().filter(|(_, is_present)| *is_present) {
        EXTRACTOR_FIELDS_PRESENT.with_label_values(&[field]).inc();
    }
}

#[cfg(test)]
mod tests {
    use extraction::{Page, extract_html};

    use super::*;

    #[test]
    fn charsets_are_counted_by_what_told_them() {
        for (bytes, content_type, via) in [
            (b"\xef\xbb\xbf<p>Gr\xc3\xbc\xc3\x9fe".as_slice(), None, "bom"),
            (b"<p>Gr\xfc\xdfe", Some("text/html; charset=latin1"), "header"),
            (b"<meta charset=latin1><p>Gr\xfc\xdfe", None, "page"),
            (b"<p>Gr\xc3\xbc\xc3\x9fe", None, "guess"),
        ] {
            let counted = EXTRACTOR_CHARSETS.with_label_values(&[via]);
            let before = counted.get();
            count(&extract_html(&Page { bytes, content_type, ..Page::default() }), bytes.len());
            assert!(counted.get() > before, "{via}");
        }
    }
}
