//! Which of a page's `h1` is its headline, and what of it.

use super::Site;
use crate::{
    declared::Declared,
    text::{loose, squeeze},
    tree::{Outline, attr},
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

/// A heading's text without its kicker, unless it is nothing else.
pub(crate) fn heading_text(outline: &Outline, at: usize) -> String {
    const LIMIT: usize = 2000;
    let is_kicker = |child: &usize| {
        let class = outline.element(*child).and_then(|e| attr(e, "class")).unwrap_or_default();
        !class.is_empty() && {
            let class = class.to_ascii_lowercase();
            KICKERS.iter().any(|kicker| class.contains(kicker))
        }
    };
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
    if rest.chars().any(char::is_alphanumeric) { rest } else { outline.text(at, LIMIT) }
}

/// The heading that says most of what the other accounts say: others head a logo, a menu or a widget.
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
            ("<h1>Ferry<br>returns</h1>", "Ferry returns"),
            (
                "<title>Ferry returns</title><h1>The Harbour Post</h1><h1>Menu</h1><h1>Ferry returns</h1>",
                "Ferry returns",
            ),
        ] {
            assert_eq!(headline(page), title, "{page}");
        }
    }
}
