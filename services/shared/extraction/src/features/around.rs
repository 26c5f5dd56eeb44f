//! The elements around a block: what they are, and what they say they are.

use super::{Page, Row, flag};
use crate::{blocks::Block, body::Reading, marks::Marks};

const MARKS: [(&str, Marks); 25] = [
    ("nav", Marks::NAV),
    ("comments", Marks::COMMENTS),
    ("related", Marks::RELATED),
    ("share", Marks::SHARE),
    ("appeal", Marks::APPEAL),
    ("ad", Marks::AD),
    ("consent", Marks::CONSENT),
    ("caption", Marks::CAPTION),
    ("byline", Marks::BYLINE),
    ("tags", Marks::TAGS),
    ("footer", Marks::FOOTER),
    ("aside", Marks::ASIDE),
    ("hidden", Marks::HIDDEN),
    ("summary", Marks::SUMMARY),
    ("body", Marks::BODY),
    ("paywall", Marks::PAYWALL),
    ("live", Marks::LIVE),
    ("gallery", Marks::GALLERY),
    ("author", Marks::AUTHOR),
    ("date", Marks::DATE),
    ("headline", Marks::HEADLINE),
    ("pull quote", Marks::PULL_QUOTE),
    ("teaser", Marks::TEASER),
    ("tucked", Marks::TUCKED),
    ("shop", Marks::SHOP),
];

const TAGS: [&str; 16] = [
    "article",
    "main",
    "aside",
    "footer",
    "header",
    "nav",
    "form",
    "figure",
    "table",
    "blockquote",
    "ul",
    "ol",
    "section",
    "li",
    "details",
    "label",
];

/// The elements around a block: what they say they are, and how far up.
pub(super) fn around(reading: &Reading, block: &Block, page: &Page, row: &mut Row) {
    let outline = reading.outline;
    let (mut any, mut near) = (Marks::default(), Marks::default());
    let mut levels = [0.0f32; TAGS.len()];
    let mut depth = 0.0;
    for at in std::iter::once(block.element).chain(outline.ancestors(block.element)) {
        let name = outline.name(at);
        if matches!(name, "body" | "html") {
            break;
        }
        depth += 1.0;
        any = any.with(reading.marks[at]);
        if depth <= 2.0 {
            near = near.with(reading.marks[at]);
        }
        if let Some(level) = TAGS.iter().position(|tag| *tag == name).and_then(|i| levels.get_mut(i))
            && *level == 0.0
        {
            *level = depth;
        }
    }
    for (name, mark) in MARKS {
        row.put("around: ", name, flag(any.has(mark)));
        row.put("close around: ", name, flag(near.has(mark)));
    }
    for (name, level) in TAGS.into_iter().zip(levels) {
        row.put("in ", name, level);
    }
    row.put("", "depth", depth);
    row.put("", "depth in container", depth - page.container_depth);
    let in_article = |range: (usize, usize)| flag((range.0..range.1).contains(&block.at));
    row.put("", "in the headline's article", page.headline_article.map_or(-1.0, in_article));
}
