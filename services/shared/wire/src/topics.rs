//! The topics of the flow and their keys.

/// The topics that stages share. Their full names are `<prefix>.<name>.v1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Topic {
    /// `Request`, by registrable domain.
    Requests,
    /// `Page`, by URL hash.
    Pages,
    /// `Article`, by article id.
    Articles,
    /// `Prepared`, by article id; one partition, or one by language.
    Prepared,
    /// `CanonicalArticle`, by article id; compacted.
    Canonical,
    /// `Change`, by article id.
    Changes,
}

impl Topic {
    /// Every topic, in the order of the flow.
    pub const ALL: &[Self] =
        &[Self::Requests, Self::Pages, Self::Articles, Self::Prepared, Self::Canonical, Self::Changes];

    /// The name between prefix and version.
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Pages => "pages",
            Self::Articles => "articles",
            Self::Prepared => "prepared",
            Self::Canonical => "canonical",
            Self::Changes => "changes",
        }
    }
}

/// The key of a page: a hash, for URLs may be longer than keys should be.
pub fn page_key(url_or_request_id: &str) -> Vec<u8> {
    blake3::hash(url_or_request_id.as_bytes()).as_bytes().iter().copied().take(16).collect()
}
