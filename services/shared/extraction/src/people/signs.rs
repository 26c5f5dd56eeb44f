//! The words of bylines, in the languages of the pages read: what leads to a name, and what is none.

use std::{borrow::Cow, sync::LazyLock};

use rustc_hash::{FxHashMap, FxHashSet};

/// The rest of a text that opens as bylines do: the longest such opening counts.
pub(crate) fn longest_prefix(text: &str) -> Option<&str> {
    after_longest(&OPENINGS, text)
}

/// The rest of a text that opens with a word that may lead to a name.
pub(crate) fn longest_lead(text: &str) -> Option<&str> {
    after_longest(&LEADS, text)
}

/// Signs that end an opening, where a name may follow without a space.
const SIGNS: [char; 6] = [':', '：', '/', '／', '・', '＝'];

fn after_longest<'t>(openings: &Openings, text: &'t str) -> Option<&'t str> {
    let candidates = openings.get(&text.chars().next()?.to_lowercase().next()?)?;
    // No opening is longer; lower case keeps the length of the letters they are written in.
    const MAX_CHARS: usize = 40;
    let fits = |prefix: &&str| {
        let mut rest = text.chars().take(MAX_CHARS).flat_map(char::to_lowercase);
        prefix.chars().all(|c| rest.next() == Some(c))
            && (prefix.ends_with(SIGNS)
                || rest.next().is_none_or(|c| matches!(c, ' ' | ':' | '：' | '\u{a0}')))
    };
    let prefix = candidates.iter().copied().filter(fits).max_by_key(|prefix| prefix.len())?;
    text.get(prefix.len()..)
}

/// Whether a word or phrase in lower case is on a list.
pub(crate) fn is_listed(list: &str, lower: &str) -> bool {
    LISTS.iter().find(|(name, _)| *name == list).is_some_and(|(_, words)| words.contains(lower))
}

/// Whether a word, punctuation and case aside, or its last part behind a hyphen, is on a list.
pub(crate) fn has_listed(list: &str, word: &str) -> bool {
    let lower = lower(word.trim_matches(|c: char| !c.is_alphanumeric()));
    is_listed(list, &lower) || lower.rsplit_once('-').is_some_and(|(_, last)| is_listed(list, last))
}

/// In lower case, as most words are.
fn lower(word: &str) -> Cow<'_, str> {
    let is_lower = word.bytes().all(|b| b.is_ascii() && !b.is_ascii_uppercase());
    if is_lower { Cow::Borrowed(word) } else { Cow::Owned(word.to_lowercase()) }
}

/// A month or a weekday.
pub(crate) fn is_calendar(word: &str) -> bool {
    let lower = lower(word.trim_matches(|c: char| !c.is_alphanumeric()));
    crate::dates::month_of(&lower).is_some() && !is_listed("month_names", &lower)
        || is_listed("weekdays", &lower)
}

type Lists = Vec<(&'static str, FxHashSet<&'static str>)>;

static LISTS: LazyLock<Lists> =
    LazyLock::new(|| sections().map(|(name, words)| (name, words.collect())).collect());

/// Openings by their first letter.
type Openings = FxHashMap<char, Vec<&'static str>>;

static OPENINGS: LazyLock<Openings> = LazyLock::new(|| openings("openings"));
static LEADS: LazyLock<Openings> = LazyLock::new(|| openings("leads"));

fn openings(wanted: &str) -> Openings {
    let mut found = Openings::default();
    for opening in sections().filter(|(name, _)| *name == wanted).flat_map(|(_, words)| words) {
        found.entry(opening.chars().next().unwrap_or_default()).or_default().push(opening);
    }
    found
}

/// The sections of `signs.txt`: a name in square brackets, then phrases between bars.
fn sections() -> impl Iterator<Item = (&'static str, impl Iterator<Item = &'static str>)> {
    let sections = include_str!("signs.txt").split("\n[");
    sections.filter_map(|section| {
        let (name, body) = section.trim_start_matches('[').split_once(']')?;
        let lines = body.lines().filter(|line| !line.starts_with('#'));
        Some((
            name,
            lines.flat_map(|line| line.split(" | ")).map(str::trim).filter(|phrase| !phrase.is_empty()),
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openings_are_taken_whole() {
        for (text, rest) in [
            ("By Ann", Some(" Ann")),
            ("Written by: Ann", Some(": Ann")),
            ("Ein Beitrag von Ann", Some(" Ann")),
            ("作者：李小明", Some("李小明")),
            ("Byron Able", None),
            ("Ann Able", None),
        ] {
            assert_eq!(longest_prefix(text), rest, "{text}");
        }
    }

    #[test]
    fn lists_are_read() {
        for (list, word) in [
            ("roles", "Editor"),
            ("roles", "Harbour-Reporter"),
            ("desks", "Team"),
            ("helpers", "Edited"),
            ("weekdays", "montag"),
            ("particles", "van"),
            ("interface", "Comments"),
            ("ends", "in"),
            ("nobody", "undefined"),
            ("month_names", "may"),
        ] {
            assert!(has_listed(list, word), "{word}");
        }
        assert!(is_calendar("March") && !is_calendar("Mai"));
    }
}
