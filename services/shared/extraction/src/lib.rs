//! HTML or plain text in, a clean article out. Pure, and useful alone.
//!
//! [`extract_html`] reads a page, [`extract_document`] a reprint (plain text, or HTML, which goes to the first),
//! [`original_url`] the line with which a reprint names its source, and [`links()`] where a home page leads. All are
//! total: any bytes give an [`Extraction`], whose [`verdict`](Extraction::verdict) says whether they are an article at
//! all. None does I/O or reads a clock, and none takes unbounded time or memory: input is read up to 8 MiB, markup is
//! flattened at a depth of 512 and the tree cut at 400,000 nodes, each with a warning.
//!
//! # What counts as an article's text
//!
//! What a reader of the article would call so, in the order shown: the standfirst, paragraphs, subheadings, lists,
//! quotations, tables that belong to the story, the words of embedded posts, and the newsroom's corrections. Not: the
//! headline, bylines, datelines on lines of their own, captions and their credits, tags, share bars, forms, appeals,
//! advertisements, pointers to other articles (in the middle, too), pull quotes that repeat the text, author cards, company
//! boilerplate set apart, comments, and whatever follows the article. Teasers, live blogs and galleries are marked by the
//! verdict.
//!
//! # How the text is found
//!
//! `tree` parses, `blocks` divides, `marks` reads what elements say of themselves. Rules propose a container and the
//! blocks in it that are the story (`body`, `sift`); a small trained model overrules them where it is sure (`features`,
//! `judge`, `model`). JSON-LD's and the state's accounts are compared with the result, not trusted. `make quality` scores
//! all this on recorded pages, `make train` trains the model again; both are `examples/corpora`.
//!
//! Fuzzing: `cargo +nightly fuzz run html corpus seeds` (or `document`) in `fuzz/`, with cargo-fuzz installed; the seeds
//! also pass in a test.
//!
//! ```
//! let page = extraction::Page { bytes: b"<h1>Ferry returns</h1><p>The ferry is back.", ..Default::default() };
//! assert_eq!(extraction::extract_html(&page).title.as_deref(), Some("Ferry returns"));
//! ```

mod blocks;
mod body;
mod counts;
mod dates;
mod declared;
mod decode;
mod directives;
mod document;
mod evidence;
mod extraction;
mod features;
mod judge;
mod language;
mod links;
mod marks;
mod model;
mod original;
mod page;
mod people;
mod phrases;
mod plain;
mod sift;
mod state;
mod text;
mod title;
#[doc(hidden)]
pub mod training;
mod tree;
mod verdict;

pub use directives::Directives;
pub use document::{Document, extract_document};
pub use extraction::Extraction;
pub use links::{Anchor, Links, links};
pub use original::original_url;
pub use page::{Hints, Page, extract_html};
