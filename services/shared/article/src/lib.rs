//! Domain values that every stage shares: what an article is called ([`CanonicalUrl`], [`ArticleId`]), when it was
//! published ([`Moment`]), what a page is ([`Verdict`]), whether it is an advertisement ([`is_paid_for`]), and what one text is to another ([`Relation`]).
//!
//! Values are parsed once and trusted from then on. No I/O, no clock.

mod id;
mod moment;
mod sponsored;
mod url;
mod vocabulary;

pub use id::ArticleId;
pub use moment::{Moment, MomentError};
pub use sponsored::{is_paid_address, is_paid_for};
pub use url::{CanonicalUrl, UrlError};
pub use vocabulary::{Precision, Relation, Rule, UnknownWord, Verdict};
