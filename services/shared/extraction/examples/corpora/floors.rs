//! What the extractor has reached on the recorded pages, less what a page or two is worth: a change must not fall below.

/// `(corpus, figure, at least)`.
pub const FLOORS: &[(&str, &str, f64)] = &[];

/// CPU of the whole of an extraction over that of the scraper crate's parse of the same pages, at most.
pub const MAX_COST: f64 = 1.5;
/// Peak memory above the page in sizes of the page, of all but one page in a hundred, at most.
pub const MAX_MEMORY: f64 = 10.0;
