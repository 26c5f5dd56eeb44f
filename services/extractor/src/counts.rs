//! What the extractor counts.

use extraction::Extraction;
use metrics::{
    EXTRACTOR_DOCUMENTS, EXTRACTOR_FIELDS_PRESENT, EXTRACTOR_READ_BYTES, EXTRACTOR_TEXT_BYTES,
    EXTRACTOR_WARNINGS,
};

/// Counts what was read, of so many bytes, and what was found in it.
pub(crate) fn count(extraction: &Extraction, bytes: usize) {
    EXTRACTOR_DOCUMENTS.with_label_values(&[extraction.verdict.as_str()]).inc();
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
