//! The title: what JSON-LD, OpenGraph, the page's headline and its `<title>` agree on, without the site's name.

use crate::text::{loose, word_count};

/// One account of the title.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub source: &'static str,
    pub text: String,
}

/// Longer headings are standfirsts marked up as headings.
const MAX_TITLE_BYTES: usize = 400;

/// Chooses among candidates given in order of trust: the one that most others agree with, the more trusted in a tie.
pub(crate) fn choose(candidates: &[Candidate], site: &Site) -> Option<Candidate> {
    let stripped: Vec<Candidate> = candidates
        .iter()
        .map(|c| Candidate { source: c.source, text: site.strip(&c.text, c.source.starts_with("title")) })
        .filter(|c| !c.text.is_empty() && c.text.len() <= MAX_TITLE_BYTES && !site.is_name(&c.text))
        .collect();
    let keys: Vec<String> = stripped.iter().map(|c| loose(&c.text)).collect();
    let key_of = |source: &str| stripped.iter().position(|c| c.source == source).and_then(|i| keys.get(i));
    let json_ld_is_tag = key_of("json-ld")
        .is_some_and(|key| key_of("title") == Some(key) && key_of("h1").is_some_and(|h1| h1 != key));
    let score = |i: usize| -> usize {
        let key = &keys[i];
        let mut heard: Vec<&'static str> = Vec::new();
        let mut voices = stripped
            .iter()
            .zip(&keys)
            .map(|(other, other_key)| {
                if other_key == key {
                    (other.source, 10)
                } else if key.len() > 16 && other_key.starts_with(key.as_str()) {
                    // The same with a section or site after it.
                    (other.source, 8)
                } else if key.len() > 16 && other_key.ends_with(key.as_str()) {
                    // The same with a kicker before it.
                    (other.source, 6)
                } else {
                    (other.source, 0)
                }
            })
            .filter(|(_, share)| *share > 0)
            .collect::<Vec<_>>();
        voices.sort_by_key(|(_, share)| std::cmp::Reverse(*share));
        voices
            .into_iter()
            .map(|(source, share)| {
                let group = group(source);
                if heard.contains(&group) {
                    return 0;
                }
                heard.push(group);
                share * weight(group, json_ld_is_tag)
            })
            .sum()
    };
    let best = (0..stripped.len()).max_by_key(|&i| (score(i), std::cmp::Reverse(i)))?;
    stripped.into_iter().nth(best)
}

/// Sources that a page fills from one value are one voice.
fn group(source: &'static str) -> &'static str {
    match source {
        "og:title" | "meta" | "title" => "og:title",
        other => other,
    }
}

/// JSON-LD carries the newsroom's headline, unless it repeats a `<title>` that was written for search engines.
fn weight(group: &str, json_ld_is_tag: bool) -> usize {
    match group {
        "json-ld" if json_ld_is_tag => 1,
        "json-ld" => 6,
        "h1" => 3,
        _ => 2,
    }
}

/// The names a site goes by, for telling them from titles.
#[derive(Debug, Default)]
pub(crate) struct Site {
    names: Vec<String>,
}

impl Site {
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
    fn strip(&self, title: &str, is_tag: bool) -> String {
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
        text.to_owned()
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(candidates: &[(&'static str, &str)]) -> String {
        let site = Site::new(["The Harbour Post"], Some("www.harbourpost.example"));
        let candidates: Vec<_> =
            candidates.iter().map(|(source, text)| Candidate { source, text: (*text).to_owned() }).collect();
        choose(&candidates, &site).map(|c| c.text).unwrap_or_default()
    }

    #[test]
    fn the_site_is_not_the_title() {
        for (tag, title) in [
            ("Ferry returns to the bay | The Harbour Post", "Ferry returns to the bay"),
            ("Ferry returns to the bay - harbourpost.example", "Ferry returns to the bay"),
            ("Ferry returns to the bay | News | Harbour Post", "Ferry returns to the bay"),
            ("Harbour Post: Ferry returns to the bay", "Ferry returns to the bay"),
            ("Ferry returns – and stays", "Ferry returns – and stays"),
            ("The Harbour Post", ""),
        ] {
            assert_eq!(chosen(&[("title", tag)]), title, "{tag}");
        }
    }

    #[test]
    fn accounts_that_agree_win() {
        let accounts =
            [("h1", "The Quay"), ("og:title", "Ferry returns to bay"), ("json-ld", "Ferry returns to bay")];
        assert_eq!(chosen(&accounts), "Ferry returns to bay");
        assert_eq!(chosen(&[("h1", "Ferry back"), ("og:title", "Ferry returns to bay")]), "Ferry back");
    }
}
