//! What feeds, sitemaps and lists of feeds name: addresses, with what was said of them.
//!
//! Every reader takes at most a number of entries and skips what is no web address; the bytes are the caller's to cap.

mod feed;
mod head;
mod sitemap;
mod xml;

use article::{CanonicalUrl, is_paid_address};
use thiserror::Error;

pub use feed::{Feed, discover_feed};
pub use head::max_age_ms;
pub use sitemap::{discover_opml, discover_sitemap};
pub(crate) use xml::{Seen, attribute, walk};

/// Longest title kept, in characters.
const MAX_TITLE_CHARS: usize = 500;

/// An address and what was said of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovered {
    /// Where it leads.
    pub url: CanonicalUrl,
    /// What is there, as far as it was said.
    pub leads: Leads,
    /// Of the article, where given.
    pub title: Option<String>,
    /// RFC 3339 or a date, where given.
    pub published_at: Option<String>,
    /// The same, of its last change.
    pub modified_at: Option<String>,
    /// Of the article, as it was written.
    pub language: Option<String>,
    /// The name of the publication.
    pub publisher: Option<String>,
    /// What says that an advertiser paid for it, where something does: its `category`, a `link`, or its `address`.
    pub sponsored: Option<&'static str>,
}

impl Discovered {
    /// An address of which nothing was said but by itself.
    pub fn of(url: CanonicalUrl, leads: Leads) -> Self {
        let is_paid = leads == Leads::Article && is_paid_address(&url);
        Self {
            sponsored: is_paid.then_some("address"),
            url,
            leads,
            title: None,
            published_at: None,
            modified_at: None,
            language: None,
            publisher: None,
        }
    }
}

/// What an address leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leads {
    /// An article.
    Article,
    /// Another list: a sitemap of an index, a feed of an OPML file.
    List,
    /// A feed that a page names as its own.
    Feed,
}

/// A feed or sitemap that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("it cannot be read as {what}: {cause}")]
pub struct DiscoveryError {
    what: &'static str,
    cause: String,
}

fn title(text: &str) -> Option<String> {
    let title = text.split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty()).then(|| title.chars().take(MAX_TITLE_CHARS).collect())
}
