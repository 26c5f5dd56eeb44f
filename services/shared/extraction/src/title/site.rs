//! The names of a site: in titles they are clutter.

use url::Url;

use crate::{
    declared::Declared,
    text::{loose, word_count},
};

/// The names a site goes by, for telling them from titles.
#[derive(Debug, Default)]
pub(crate) struct Site {
    names: Vec<String>,
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
        let names = names.iter().flat_map(|key| declared.all_meta(key));
        Self::new(names.chain(declared.site_names.iter().map(String::as_str)), url.and_then(Url::host_str))
    }

    pub fn new<'a>(names: impl IntoIterator<Item = &'a str>, host: Option<&str>) -> Self {
        let mut names: Vec<String> = names.into_iter().map(compact).filter(|n| n.len() > 1).collect();
        if let Some(host) = host {
            let host = host.trim_start_matches("www.");
            names.push(compact(host));
            names.extend(host.split('.').filter(|label| label.len() > 3).map(compact));
        }
        Self { names }
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
    /// (`is_tag`) a last part of few words behind a bar goes too, as nothing else stands there.
    pub fn strip(&self, title: &str, is_tag: bool) -> String {
        let mut text = title.trim();
        for _ in 0..3 {
            let Some((at, separator)) = last_separator(text) else { break };
            let (before, after) =
                (text.get(..at).unwrap_or_default(), text.get(at + separator.len()..).unwrap_or_default());
            let bar = separator != " - " && separator != " – " && separator != ": ";
            let goes =
                self.is_name(after) || (is_tag && bar && word_count(after) <= 4 && word_count(before) >= 4);
            if !goes || before.trim().is_empty() {
                break;
            }
            text = before.trim();
        }
        if let Some((before, after)) = text.split_once([':', '|']).or_else(|| text.split_once(" - "))
            && self.is_name(before)
            && word_count(after) >= 3
        {
            text = after.trim();
        }
        text.trim_end_matches(is_dangling).to_owned()
    }
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
    [" | ", " - ", " – ", " — ", " :: ", " » ", " · ", " • ", " ⋆ ", " / ", " |", "| ", " « "]
        .into_iter()
        .filter_map(|separator| Some((text.rfind(separator)?, separator)))
        .max_by_key(|(at, separator)| (*at, separator.len()))
}

fn compact(text: &str) -> String {
    let key = loose(text);
    let key = key.strip_prefix("the ").unwrap_or(&key);
    key.chars().filter(|c| *c != ' ').collect()
}
