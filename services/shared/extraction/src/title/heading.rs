//! Which of a page's `h1` is its headline, and what of it.

use super::Site;
use crate::{
    declared::Declared,
    text::{loose, squeeze, word_count},
    tree::{Content, Outline, attr},
};

/// Parts of class names of what stands over a headline, within the heading.
const KICKERS: &[&str] = &[
    "kicker",
    "overline",
    "eyebrow",
    "topline",
    "dachzeile",
    "overtitle",
    "spitzmarke",
    "roofline",
    "topic",
    "label",
    "preheadline",
    "pretitle",
    "supertitle",
    "antetitulo",
    "section",
    "category",
    "rubric",
    "offscreen",
    "visually-hidden",
    "sr-only",
    "invisible",
];

/// A heading's text without its kicker and its small print, unless it is little else.
pub(crate) fn heading_text(outline: &Outline, at: usize) -> String {
    const LIMIT: usize = 2000;
    let is_kicker = |child: &usize| {
        let Some(element) = outline.element(*child) else { return false };
        let class = attr(element, "class").unwrap_or_default().to_ascii_lowercase();
        element.name() == "small" || KICKERS.iter().any(|kicker| class.contains(kicker))
    };
    let at = innermost(outline, at);
    if !outline.children(at).any(|child| is_kicker(&child)) {
        return outline.text(at, LIMIT);
    }
    let parts: Vec<String> = outline
        .children(at)
        .filter(|child| !is_kicker(child))
        .map(|child| outline.text(child, LIMIT))
        .take(40)
        .collect();
    let rest = squeeze(&parts.join(" "));
    if word_count(&rest) >= 2 { rest } else { outline.text(at, LIMIT) }
}

/// The one element that holds all of a heading, a link mostly, or the heading itself.
fn innermost(outline: &Outline, at: usize) -> usize {
    const DEEP: usize = 3;
    let is_blank =
        |at: usize| matches!(outline.node(at).content, Content::Text(text) if text.trim().is_empty());
    (0..DEEP).fold(at, |at, _| {
        let mut children = outline.children(at).filter(|child| !is_blank(*child));
        match (children.next(), children.next()) {
            (Some(only), None) if outline.element(only).is_some() => only,
            _ => at,
        }
    })
}

/// The `h1` that says most of what the other accounts say: others head a logo, a menu or a widget. Where there is none,
/// the subheading that `<title>` begins or ends with.
pub(super) fn main_heading<'d>(
    declared: &'d Declared,
    accounts: impl Iterator<Item = &'d str>,
    site: &Site,
) -> Option<&'d str> {
    /// Words of a heading that count; more of them say no more of it being the headline.
    const MAX_WORDS: usize = 6;
    let said: std::collections::HashSet<String> =
        accounts.flat_map(|text| loose(text).split(' ').map(str::to_owned).collect::<Vec<_>>()).collect();
    let agreement = |text: &str| {
        let key = loose(text);
        let (mut words, mut shared) = (0usize, 0usize);
        for word in key.split(' ') {
            words += 1;
            shared += usize::from(said.contains(word));
        }
        shared * 1000 * words.min(MAX_WORDS) / words
    };
    declared
        .headings
        .iter()
        .map(|(_, text)| text.as_str())
        .filter(|text| text.chars().any(char::is_alphanumeric) && !site.is_name(text))
        .enumerate()
        .max_by_key(|(at, text)| (agreement(text), std::cmp::Reverse(*at)))
        .map(|(_, text)| text)
        .or_else(|| titled_subheading(declared, site))
}

/// The longest subheading that a title begins or ends with: themes give `h1` to the logo, or to nothing.
fn titled_subheading<'d>(declared: &'d Declared, site: &Site) -> Option<&'d str> {
    let titles: Vec<String> =
        declared.title.as_deref().into_iter().chain(declared.meta(&["og:title"])).map(loose).collect();
    let is_titled = |text: &str| {
        let key = loose(text);
        titles.iter().any(|title| {
            title.strip_prefix(&key).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
                || title.strip_suffix(&key).is_some_and(|rest| rest.ends_with(' '))
        })
    };
    declared
        .subheadings
        .iter()
        .map(|(_, text)| text.as_str())
        .filter(|text| word_count(text) >= 2 && !site.is_name(text) && is_titled(text))
        .max_by_key(|text| text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{declared::declared, tree::parse};

    fn headline(page: &str) -> String {
        let parsed = parse(page);
        let outline = Outline::of(&parsed.html);
        let declared = declared(&outline);
        let site = Site::new(["The Harbour Post"], None);
        main_heading(&declared, declared.title.as_deref().into_iter(), &site).unwrap_or_default().to_owned()
    }

    #[test]
    fn the_headline_is_found_and_loses_its_kicker() {
        for (page, title) in [
            ("<h1><span class='x__kicker'>Harbour</span> <span>Ferry returns</span></h1>", "Ferry returns"),
            ("<h1><span class='kicker'>Ferry returns</span></h1>", "Ferry returns"),
            ("<h1> <a><span class=label>Bay</span> Ferry returns</a> </h1>", "Ferry returns"),
            ("<h1><span class=topic>Ferry returns</span> Review</h1>", "Ferry returns Review"),
            ("<h1>Ferry<br>returns</h1>", "Ferry returns"),
            ("<h1><small>Bay</small> Ferry returns</h1>", "Ferry returns"),
            ("<h1><small>Ferry returns</small></h1>", "Ferry returns"),
            ("<h1>Ferry returns<span>All about the bay</span></h1>", "Ferry returns All about the bay"),
            ("<h1>Ferry re<b>turns</b> at 8<i>pm</i></h1>", "Ferry returns at 8pm"),
            ("<h1>e<b>Bay</b> by Kolleg<wbr>Innen</h1>", "eBay by KollegInnen"),
            (
                "<title>Ferry returns</title><h1>The Harbour Post</h1><h1>Menu</h1><h1>Ferry returns</h1>",
                "Ferry returns",
            ),
            (
                "<title>Ferry returns - Quay Forum</title><h1>The Harbour Post</h1><h2>Read on</h2><h2>Ferry</h2><h2>Ferry returns</h2>",
                "Ferry returns",
            ),
            ("<title>Quay » Ferry returns</title><h3>Ferry returns</h3>", "Ferry returns"),
            ("<title>Ferry returns</title><h2>Ferry returned</h2>", ""),
            ("<title>Ferry returns</title><h1>At sea again</h1><h2>Ferry returns</h2>", "At sea again"),
        ] {
            assert_eq!(headline(page), title, "{page}");
        }
    }
}
