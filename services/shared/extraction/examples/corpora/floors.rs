//! What the extractor has reached on the recorded pages: a change must not fall below.
//!
//! The model, and the weights of titles, authors and dates, were fitted with these pages in view: on pages of other sites
//! expect the cross-validated figures at the head of `model.txt`.

/// `(corpus, figure, at least)`.
pub const FLOORS: &[(&str, &str, f64)] = &[
    ("fundus", "F1", 0.971),
    ("fundus", "title loose", 0.937),
    ("fundus", "title", 0.922),
    ("fundus", "authors", 0.960),
    ("fundus", "day", 0.992),
    ("fundus", "instant", 0.999),
    ("newsset", "F1", 0.958),
    ("newsset", "title loose", 0.941),
    ("newsset", "title", 0.918),
    ("newsset", "authors", 0.964),
    ("newsset", "day", 0.894),
    ("trafilatura", "snippet F1", 0.970),
    ("trafilatura", "title loose", 0.909),
    ("trafilatura", "title", 0.865),
    ("trafilatura", "authors", 0.800),
    ("trafilatura", "day", 0.944),
    ("wcxb", "F1", 0.962),
    ("wcxb", "snippet F1", 0.932),
    ("wcxb", "title loose", 0.912),
    ("wcxb", "title", 0.865),
    ("wcxb", "authors", 0.870),
    ("wcxb", "day", 0.921),
];

/// CPU of the whole of an extraction over that of the scraper crate's parse of the same pages, at most. Measured 1.4; the
/// rest is for busy machines.
pub const MAX_COST: f64 = 1.8;
/// Peak memory above the page in sizes of the page, of all but one page in a hundred, at most.
pub const MAX_MEMORY: f64 = 10.0;
