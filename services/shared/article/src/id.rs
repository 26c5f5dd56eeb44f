//! Article identity, frozen as v1: changing anything here gives every article a new name.

use std::fmt;

use crate::CanonicalUrl;

/// The lasting name of an article: 128 bits as 32 lower-case hexadecimal digits.
///
/// BLAKE3 in key-derivation mode, cut to its first 16 bytes; URLs and texts have a context each, so that no text can
/// take a URL's name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ArticleId(String);

impl ArticleId {
    /// The id of what is published at `url`. The scheme does not count: http and https name the same article.
    pub fn of_url(url: &CanonicalUrl) -> Self {
        Self::derive("wireroom 2026 article id v1 url", url.without_scheme())
    }

    /// The id of a document that has no URL: of its text, white space squeezed.
    pub fn of_text(text: &str) -> Self {
        let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Self::derive("wireroom 2026 article id v1 text", &squeezed)
    }

    /// Takes an id as it was published; anything may stand in a record, so nothing is checked.
    pub fn from_published(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as it is published.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn derive(context: &str, value: &str) -> Self {
        let hash = blake3::Hash::from_bytes(blake3::derive_key(context, value.as_bytes()));
        Self(hash.to_hex().chars().take(32).collect())
    }
}

impl fmt::Display for ArticleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_algorithm_is_frozen() {
        let url = CanonicalUrl::parse("https://www.example.com/a?id=1").unwrap();
        assert_eq!(ArticleId::of_url(&url).as_str(), "03e3a8dbb6676b5201a538c8557e36e2");
        assert_eq!(
            ArticleId::of_text("One  text,\n two lines.").as_str(),
            "71a92a52c39b363cfc52b88a5d030fb5"
        );
        assert_eq!(
            ArticleId::of_text("One text, two lines."),
            ArticleId::of_text("One  text,\n two lines. ")
        );
    }

    #[test]
    fn the_scheme_does_not_count() {
        let [a, b] =
            ["http://example.com/a", "https://example.com/a"].map(|u| CanonicalUrl::parse(u).unwrap());
        assert_eq!(ArticleId::of_url(&a), ArticleId::of_url(&b));
    }
}
