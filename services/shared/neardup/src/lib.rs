//! Near-duplicate news: is this text a copy, an excerpt or an extension of that one, and which came first?
//!
//! From the bottom up:
//! * [`Document`] reads a text once: its exact [`TextHash`] and the shingle hashes of each paragraph.
//! * [`Sketch`] is a text made small: a FracMinHash sample of its 5- and 3-word shingles, its figures in their context,
//!   and the keys it is found by.
//! * [`Likeness`] compares two sketches: containment both ways in both sizes, and whether the figures agree.
//!   [`Likeness::rule`] says why they belong together, or why not, and [`Likeness::relation`] what one is to the other.
//! * [`Index`] finds the texts worth comparing; it is made of [`Postings`].
//! * [`decide`] turns the members of a cluster into stories: the original, who copies it, who extends it. It is a
//!   function of the members; the order of their arrival does not count.
//!
//! Everything here is a function of values: no I/O, no clock. Hashes are frozen as v1 (see [`Document`]): state and
//! records carry them.

mod decision;
mod figures;
mod index;
mod likeness;
mod postings;
mod sketch;
mod text;

pub use decision::{Kinship, Member, Placement, are_kin, decide, kinship};
pub use index::Index;
pub use likeness::{Containment, Likeness, Miss, Proximity, RECURRENCE_WINDOW_MS};
pub use postings::Postings;
pub use sketch::Sketch;
pub use text::{Document, Paragraph, TextHash, spell, words};
