//! HTML or plain text in, a clean article out. Pure, and useful alone.
//!
//! [`extract_html`] reads a page, [`extract_document`] a reprint (plain text, or HTML, which goes to the first), and
//! [`original_url`] the line with which a reprint names its source. All are total: any bytes give an [`Extraction`],
//! whose [`verdict`](Extraction::verdict) says whether they are an article at all. None does I/O or reads a clock, and
//! none takes unbounded time or memory: input is read up to 8 MiB, markup is flattened at a depth of 512 and the
//! tree cut at 400,000 nodes, each with a warning.
//!
//! Fuzzing: `cargo +nightly fuzz run html corpus seeds` (or `document`) in `fuzz/`, with cargo-fuzz installed; the seeds
//! also pass in a test.
//!
//! ```
//! let page = extraction::Page { bytes: b"<h1>Ferry returns</h1><p>The ferry is back.", ..Default::default() };
//! assert_eq!(extraction::extract_html(&page).title.as_deref(), Some("Ferry returns"));
//! ```

mod authors;
mod blocks;
mod body;
mod bylines;
mod clock;
mod dates;
mod declared;
mod decode;
mod document;
mod evidence;
mod extraction;
mod features;
mod judge;
mod language;
mod lines;
mod marks;
mod model;
mod original;
mod page;
mod people;
mod phrases;
mod plain;
mod published;
mod shown;
mod sift;
mod signs;
mod state;
mod text;
mod title;
mod tokens;
#[doc(hidden)]
pub mod training;
mod tree;
mod verdict;

pub use document::{Document, extract_document};
pub use extraction::Extraction;
pub use original::original_url;
pub use page::{Hints, Page, extract_html};
