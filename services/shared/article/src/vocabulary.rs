//! The closed vocabularies of the record, as they are written in it.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// A word that the vocabulary does not have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{word:?} is not a {vocabulary}; it knows {known}")]
pub struct UnknownWord {
    word: String,
    vocabulary: &'static str,
    known: String,
}

macro_rules! vocabulary {
    ($(#[$doc:meta])* $name:ident { $($(#[$word_doc:meta])* $word:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$word_doc])* $word,)* }

        impl $name {
            /// Every word, in order.
            pub const ALL: &[Self] = &[$(Self::$word),*];

            /// The word as records carry it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$word => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { f.write_str(self.as_str()) }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                Self::ALL.iter().copied().find(|known| known.as_str() == word).ok_or_else(|| UnknownWord {
                    word: word.chars().take(80).collect(),
                    vocabulary: stringify!($name),
                    known: Self::ALL.iter().map(|known| known.as_str()).collect::<Vec<_>>().join(", "),
                })
            }
        }
    };
}

vocabulary! {
    /// What an article is to the original of its cluster.
    Relation {
        /// The original itself.
        Original = "original",
        /// The same text.
        Copy = "copy",
        /// A part of the text.
        Excerpt = "excerpt",
        /// The same URL with a new text.
        Revision = "revision",
        /// The text, and a text of its own.
        Extension = "extension",
        /// Shares a substantial part.
        Derived = "derived",
    }
}

vocabulary! {
    /// Why two articles were found to share a text.
    Rule {
        /// Word for word.
        SameText = "same_text",
        /// Near-duplicates within the recurrence window of each other.
        NearText = "near_text",
        /// Within the window, and less near, but as much of each text in the other.
        NearTextBothWays = "near_text_both_ways",
        /// Further apart, or undated: nearer, with more figures that agree.
        NearTextAnyTime = "near_text_any_time",
    }
}

vocabulary! {
    /// What a page is, said before anything is published.
    Verdict {
        /// One story with its text.
        Article = "article",
        /// A story that grows entry by entry.
        Liveblog = "liveblog",
        /// Pictures with captions.
        Gallery = "gallery",
        /// The beginning of an article, the rest behind a wall.
        Teaser = "teaser",
        /// A consent wall.
        Consent = "consent",
        /// A bot challenge.
        Challenge = "challenge",
        /// A page whose text only a script would bring.
        ScriptShell = "script_shell",
        /// A list of articles.
        Listing = "listing",
        /// An error page, whatever its status.
        Error = "error",
        /// What stands at a domain that nobody uses: it is parked, for sale, or only registered.
        Parked = "parked",
        /// None of these.
        Other = "other",
    }
}

vocabulary! {
    /// How much of an instant was given.
    Precision {
        /// A date alone; written `2015-03-19`.
        Day = "day",
        /// A time of day without an offset; written `2015-03-19T10:30:00`.
        Local = "local",
        /// An instant with its offset; written `2015-03-19T10:30:00-04:00`.
        Instant = "instant",
    }
}

impl Verdict {
    /// Whether pages of this kind enter clustering.
    pub fn is_publishable(self) -> bool {
        matches!(self, Self::Article | Self::Liveblog | Self::Gallery | Self::Teaser)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_written() {
        for relation in Relation::ALL {
            assert_eq!(relation.as_str().parse(), Ok(*relation));
        }
        for verdict in Verdict::ALL {
            assert_eq!(verdict.as_str().parse(), Ok(*verdict));
        }
        let error = "sibling".parse::<Relation>().unwrap_err().to_string();
        assert!(error.contains("\"sibling\" is not a Relation") && error.contains("excerpt"), "{error}");
    }
}
