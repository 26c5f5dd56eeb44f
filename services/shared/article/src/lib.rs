//! Domain values that every stage shares: what an article is called ([`CanonicalUrl`], [`ArticleId`]), when it was
//! published ([`Moment`]), what a page is ([`Verdict`]) and what one text is to another ([`Relation`]).
//!
//! Values are parsed once and trusted from then on. No I/O, no clock.

mod id;
mod moment;
mod url;
mod vocabulary;

pub use id::ArticleId;
pub use moment::{Moment, MomentError};
pub use url::{CanonicalUrl, UrlError};
pub use vocabulary::{Precision, Relation, Rule, UnknownWord, Verdict};
