//! Deciders by language, for who needs more than one.

use std::ops::Range;

use pipeline::{Log, LogError};
use serde::Deserialize;
use thiserror::Error;
use wire::{Article, Topic};

/// More would have nothing to do: the extractor tells some seventy languages apart.
const MAX_ENTRIES: usize = 99;

/// Section `[normalizer]`, setting `languages`: which of them have a partition of `prepared`, and so a decider, of their
/// own. `["de", "fr, es"]`: German has partition 1, French and Spanish share partition 2, all others have partition 0.
///
/// What no decider sees beside the other is not compared: a copy that is recognised as of another language, an article
/// whose language changes, a declared original in another language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Vec<String>")]
pub struct Languages(Vec<Vec<String>>);

/// Entries that cannot be told apart, or mean nothing.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LanguagesError {
    /// No code of a language.
    #[error(
        "languages: {0:?} is no code of a language; write codes of two or three lower-case letters, as \"de\" or \"fr, es\""
    )]
    NotACode(String),
    /// In two places, or twice in one.
    #[error("languages: {0:?} stands there twice; an article can go to one decider only")]
    Twice(String),
    /// More than anybody needs.
    #[error("languages: {0} entries; {MAX_ENTRIES} are as many as there may be")]
    TooMany(usize),
}

impl Languages {
    /// How many partitions `prepared` has with them.
    pub fn partitions(&self) -> i32 {
        self.0.len() as i32 + 1
    }

    /// The partitions of an article: that of its language, and all where it is withdrawn, as neither an address nor the
    /// notice in place of a text tells in which language the article was.
    pub(crate) fn partitions_of(&self, article: &Article) -> Range<i32> {
        if article.withdrawal.is_some() {
            return 0..self.partitions();
        }
        let partition = self.partition_of(&article.language);
        partition..partition + 1
    }

    /// The partition of a language (`de`, `de-AT`).
    fn partition_of(&self, language: &str) -> i32 {
        let code = language.split('-').next().unwrap_or_default();
        let at = self.0.iter().position(|entry| entry.iter().any(|known| known.eq_ignore_ascii_case(code)));
        at.map_or(0, |at| at as i32 + 1)
    }

    /// Refuses a log whose `prepared` has another number of partitions: an article would go to another decider than it
    /// went to before.
    pub(crate) fn check(&self, log: &dyn Log) -> Result<(), LogError> {
        let (found, wanted) = (log.partitions(Topic::Prepared.name())?, self.partitions());
        if i32::try_from(found) == Ok(wanted) {
            return Ok(());
        }
        Err(LogError::Fatal(format!(
            "the topic prepared has {found} partitions, and [normalizer] languages makes {wanted}: their number is fixed \
             for good, as state is kept by partition; put the setting back, or start anew under another prefix (the \
             embedded log has one partition, and takes no languages)"
        )))
    }
}

impl TryFrom<Vec<String>> for Languages {
    type Error = LanguagesError;

    fn try_from(entries: Vec<String>) -> Result<Self, Self::Error> {
        if entries.len() > MAX_ENTRIES {
            return Err(LanguagesError::TooMany(entries.len()));
        }
        let codes = |entry: &String| entry.split(',').map(|code| code.trim().to_owned()).collect();
        let languages: Vec<Vec<String>> = entries.iter().map(codes).collect();
        let mut seen: Vec<&str> = Vec::new();
        for code in languages.iter().flatten() {
            let is_code = (2..=3).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_lowercase());
            if !is_code {
                return Err(LanguagesError::NotACode(code.clone()));
            }
            if seen.contains(&code.as_str()) {
                return Err(LanguagesError::Twice(code.clone()));
            }
            seen.push(code);
        }
        Ok(Self(languages))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn languages(entries: &[&str]) -> Result<Languages, LanguagesError> {
        Languages::try_from(entries.iter().map(|entry| (*entry).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_language_has_the_partition_of_its_entry_and_all_others_the_first() {
        let split = languages(&["de", "fr, es"]).unwrap();
        assert_eq!(split.partitions(), 3);
        for (language, partition) in [("de", 1), ("fr", 2), ("es", 2), ("de-AT", 1), ("en", 0), ("", 0)] {
            assert_eq!(split.partition_of(language), partition, "{language:?}");
        }
        let withdrawn = Article { withdrawal: Some(Default::default()), ..Article::default() };
        assert_eq!(split.partitions_of(&withdrawn), 0..3);
        let together = Languages::default();
        assert_eq!((together.partitions(), together.partition_of("de")), (1, 0));
    }

    #[test]
    fn entries_that_mean_nothing_are_refused_by_name() {
        for (entries, named) in [
            (&["German"][..], "\"German\""),
            (&["de", ""], "\"\""),
            (&["de,"], "\"\""),
            (&["de-AT"], "\"de-AT\""),
            (&["de", "fr,de"], "\"de\""),
            (&["xx"; 100], "100 entries"),
        ] {
            let error = languages(entries).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
