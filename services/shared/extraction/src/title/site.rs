//! The names of a site: in titles they are clutter.

use std::{collections::BTreeSet, ops::RangeInclusive};

use memchr::memmem::Finder;
use url::Url;

use crate::{
    declared::Declared,
    text::{is_unspaced, loose, word_count},
};

/// Names that a text is searched for are so long, in characters, and no more than these.
const SPOKEN_CHARS: RangeInclusive<usize> = 4..=60;
const MAX_SPOKEN: usize = 16;

/// The names a site goes by, for telling them from titles.
#[derive(Debug, Default)]
pub(crate) struct Site {
    names: Vec<String>,
    /// The names as texts have them, in [`loose`] spelling.
    spoken: Vec<Finder<'static>>,
}

impl Site {
    /// The names that a page and its address give.
    pub fn of(declared: &Declared, url: Option<&Url>) -> Self {
        let names = [
            "og:site_name",
            "application-name",
            "twitter:site",
            "apple-mobile-web-app-title",
            "al:android:app_name",
            "dc.publisher",
        ];
        // Some applications go by the title of the page at hand.
        let tag = declared.title.as_deref().unwrap_or_default();
        let is_title = |name: &str| last_separator(tag).is_some() && loose(name) == loose(tag);
        let names = names.iter().flat_map(|key| declared.all_meta(key)).filter(|name| !is_title(name));
        let names = names.chain(declared.site_names.iter().map(String::as_str)).chain(headed_name(declared));
        Self::new(names, url.and_then(Url::host_str))
    }

    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>, host: Option<&'a str>) -> Self {
        let host = host.unwrap_or_default().trim_start_matches("www.");
        let labels = host.split('.').filter(|label| label.len() > 3);
        let given: Vec<&str> = names.into_iter().collect();
        let names = given.iter().copied().chain([host]).chain(labels).map(compact).filter(|n| n.len() > 1);
        // The last label is a country or a trade, short ones are parts of a site.
        let own = host.rsplit('.').skip(1).max_by_key(|label| label.len());
        let spoken = given.iter().copied().chain([host]).chain(own).map(loose);
        let spoken: BTreeSet<String> =
            spoken.filter(|name| SPOKEN_CHARS.contains(&name.chars().count())).take(MAX_SPOKEN).collect();
        Self {
            names: names.collect(),
            spoken: spoken.iter().map(|name| Finder::new(name).into_owned()).collect(),
        }
    }

    /// Whether a text in [`loose`] spelling speaks of the site by one of its names, of those that are long enough to tell.
    pub fn is_named_in(&self, text: &str) -> bool {
        let is_seam = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() || is_unspaced(c));
        let is_word = |at: usize, bytes: usize| {
            let (before, after) = (text.get(..at), text.get(at + bytes..));
            is_seam(before.and_then(|text| text.chars().next_back()))
                && is_seam(after.and_then(|text| text.chars().next()))
        };
        let is_said =
            |name: &Finder| name.find_iter(text.as_bytes()).any(|at| is_word(at, name.needle().len()));
        self.spoken.iter().any(is_said)
    }

    /// Whether a text is one of the names, to the letter.
    pub fn is_exactly(&self, text: &str) -> bool {
        self.names.contains(&compact(text))
    }

    pub fn is_name(&self, text: &str) -> bool {
        let key = compact(text);
        !key.is_empty()
            && self.names.iter().any(|name| *name == key || akin(name, &key))
            && word_count(text) <= 6
    }

    /// Removes the site's name, and section names between, from the end or the beginning of a title. Of a `<title>`
    /// a last part of few words behind a bar goes too, as nothing else stands there; of others, one of a single word.
    /// A heading that opens with the site's name is meant to, and so is who repeats it: it is a newsletter's.
    pub fn strip(&self, title: &str, source: &str, heading: Option<&str>) -> String {
        let (is_tag, is_heading) = (source == "title", source == "h1");
        let mut text = title.trim();
        for _ in 0..3 {
            let Some((at, separator)) = last_separator(text) else { break };
            let (before, after) =
                (text.get(..at).unwrap_or_default(), text.get(at + separator.len()..).unwrap_or_default());
            let bar = separator != " - " && separator != " – " && separator != ": ";
            let goes = self.is_name(after)
                || (bar && word_count(before) >= 4 && is_section(after, separator, is_tag));
            if !goes || before.trim().is_empty() {
                break;
            }
            text = before.trim();
        }
        if is_tag {
            text = before_joined_name(text).unwrap_or(text);
        }
        text = before_handle(text).unwrap_or(text);
        if !is_heading
            && heading.is_none_or(|heading| loose(text) != heading)
            && let Some((before, after)) = text.split_once([':', '|']).or_else(|| text.split_once(" - "))
            && self.is_name(before)
            && word_count(after) >= 3
        {
            text = after.trim();
        }
        text.trim_start_matches([':', ' ']).trim_end_matches(is_dangling).to_owned()
    }
}

/// Whether what stands behind a bar is a section: few words in a `<title>`, one without digits elsewhere.
fn is_section(text: &str, separator: &str, is_tag: bool) -> bool {
    let is_word = || separator.contains('|') && !text.contains(|c: char| c.is_ascii_digit());
    word_count(text) <= if is_tag { 4 } else { 1 } && (is_tag || is_word())
}

/// What `<title>` ends with after a bar or a dash and an `h1` repeats: the logo.
fn headed_name<'d>(declared: &'d Declared) -> Option<&'d str> {
    const MAX_WORDS: usize = 5;
    let tag = declared.title.as_deref()?;
    let (before, last) = tag.rsplit_once(" | ").or_else(|| tag.rsplit_once(" – "))?;
    let key = loose(last);
    let is_headed = || declared.headings.iter().any(|(_, text)| loose(text) == key);
    (word_count(before) >= 2 && (1..=MAX_WORDS).contains(&word_count(last)) && is_headed()).then_some(last)
}

/// A title before a short name in a script without spaces, which a hyphen or an underscore without spaces joins to it.
fn before_joined_name(title: &str) -> Option<&str> {
    const MAX_CHARS: usize = 8;
    let (before, after) = title.rsplit_once(['-', '_', '－', '｜'])?;
    let is_short = after.chars().count() <= MAX_CHARS && after.chars().all(is_unspaced);
    (is_short && !after.is_empty() && before.chars().filter(|c| is_unspaced(*c)).count() > MAX_CHARS)
        .then(|| before.trim_end())
}

/// A title before the handle that the text of a share button ends with.
fn before_handle(title: &str) -> Option<&str> {
    let (before, handle) = title.rsplit_once(" via @")?;
    (!handle.contains(char::is_whitespace)).then_some(before)
}

/// Separators that nothing follows.
fn is_dangling(c: char) -> bool {
    c.is_whitespace() || matches!(c, '|' | '-' | '–' | '—' | '⋆' | '·' | '•' | '☆' | '★')
}

/// Whether one contains the other and is most of it.
fn akin(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    short.len() > 4 && short.len() * 2 >= long.len() && long.contains(short)
}

fn last_separator(text: &str) -> Option<(usize, &'static str)> {
    [" | ", " - ", " – ", " — ", " :: ", " » ", " · ", " • ", " ⋆ ", " / ", " |", "| ", " « ", " › "]
        .into_iter()
        .filter_map(|separator| Some((text.rfind(separator)?, separator)))
        .max_by_key(|(at, separator)| (*at, separator.len()))
}

fn compact(text: &str) -> String {
    let key = loose(text);
    let key = key.strip_prefix("the ").unwrap_or(&key);
    key.chars().filter(|c| *c != ' ').collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        declared::declared,
        tree::{Outline, parse},
    };

    #[test]
    fn names_and_sections_go_where_they_are_clutter() {
        let site = Site::new(["Harbour Post"], None);
        for (source, text, title) in [
            ("h1", "Harbour Post: Ferry returns today", "Harbour Post: Ferry returns today"),
            ("og:title", "Harbour Post: Ferry returns today", "Ferry returns today"),
            ("h1", "Ferry returns to bay | Opinion", "Ferry returns to bay"),
            ("h1", "Ferries of the bay | 2025", "Ferries of the bay | 2025"),
            ("h1", "Ferry returns to bay | In pictures", "Ferry returns to bay | In pictures"),
            ("title", "Ferry returns to bay | In pictures", "Ferry returns to bay"),
            ("title", "Ferry returns to bay › Harbour Post", "Ferry returns to bay"),
            ("h1", ": Ferry returns", "Ferry returns"),
            ("title", "渡轮今天重新开往海湾对岸-港口网", "渡轮今天重新开往海湾对岸"),
            ("h1", "渡轮今天重新开往海湾对岸-港口网", "渡轮今天重新开往海湾对岸-港口网"),
            ("title", "渡轮-港口网", "渡轮-港口网"),
            ("meta", "Ferry returns via @quay_post", "Ferry returns"),
            ("meta", "Ferry returns via @quay and bay", "Ferry returns via @quay and bay"),
        ] {
            assert_eq!(site.strip(text, source, None), title, "{source}: {text}");
        }
    }

    #[test]
    fn texts_speak_of_the_site_by_its_names() {
        let site = Site::new(["The Harbour Post"], Some("www.quaynews.example"));
        for (text, is_named) in [
            ("at the harbour post, we believe in ferries", true),
            ("quaynews is read in every port", true),
            ("write to desk quaynews example", true),
            ("the harbour has a post office", false),
            ("the harbour postponed its ferries", false),
            ("an example", false),
        ] {
            assert_eq!(site.is_named_in(text), is_named, "{text}");
        }
        assert!(Site::new(["港口新闻"], None).is_named_in("欢迎订阅港口新闻的通讯"));
        assert!(!Site::new([], None).is_named_in("anything"));
    }

    #[test]
    fn a_name_stays_where_the_heading_opens_with_it() {
        let site = Site::new(["Harbour Post"], None);
        let letter = "Harbour Post: Ferry returns today";
        for (text, title) in [
            (letter, letter),
            ("Harbour Post: Ferry returns today | Harbour Post", letter),
            ("Harbour Post: Ferry returns at last", "Ferry returns at last"),
        ] {
            assert_eq!(site.strip(text, "og:title", Some(&loose(letter))), title, "{text}");
        }
    }

    #[test]
    fn a_page_tells_what_its_site_is_called() {
        for (page, name, is_name) in [
            ("<title>Ferry returns | The Quay</title><h1>The Quay</h1>", "The Quay", true),
            ("<title>Ferry returns | The Quay</title><h1>Ferry returns</h1>", "The Quay", false),
            ("<title>News | Ferry returns</title><h1>Ferry returns</h1>", "Ferry returns", false),
            (
                "<title>Ferry returns - Quay</title><meta name=application-name content='Ferry returns - Quay'>",
                "Ferry returns",
                false,
            ),
        ] {
            let parsed = parse(page);
            let site = Site::of(&declared(&Outline::of(&parsed.html)), None);
            assert_eq!(site.is_name(name), is_name, "{page}");
        }
    }
}
