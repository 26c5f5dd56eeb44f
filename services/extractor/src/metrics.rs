//! What the extractor counts.

use std::sync::LazyLock;

use extraction::Extraction;
use prometheus::{IntCounterVec, register_int_counter_vec};

#[allow(clippy::expect_used, reason = "a name registered twice is a mistake in this file alone")]
static DOCUMENTS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    register_int_counter_vec!(
        "wireroom_documents_total",
        "Pages and documents read, by verdict.",
        &["verdict"]
    )
    .expect("registered here once")
});

#[allow(clippy::expect_used, reason = "a name registered twice is a mistake in this file alone")]
static FIELDS: LazyLock<IntCounterVec> = LazyLock::new(|| {
    register_int_counter_vec!(
        "wireroom_fields_present_total",
        "Articles in which the field was found.",
        &["field"]
    )
    .expect("registered here once")
});

/// Counts what was read and what was found in it.
pub(crate) fn count(extraction: &Extraction) {
    DOCUMENTS.with_label_values(&[extraction.verdict.as_str()]).inc();
    let fields = [
        ("title", extraction.title.is_some()),
        ("text", !extraction.text.is_empty()),
        ("authors", !extraction.authors.is_empty()),
        ("published", extraction.published.is_some()),
        ("language", extraction.language.is_some()),
    ];
    for (field, _) in fields.into_iter().filter(|(_, is_present)| *is_present) {
        FIELDS.with_label_values(&[field]).inc();
    }
}
