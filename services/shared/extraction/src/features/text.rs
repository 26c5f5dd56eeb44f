//! A block's text: its words, how it is set, and what it shares with what is known of the article.

use super::{LONG, Read, Row, flag, kind};
use crate::{
    blocks::Block,
    body::Clues,
    dates::read_date,
    text::{loose, unescape},
    title::Site,
    tree::{Content, Outline},
};

pub(super) fn text(block: &Block, read: &Read, row: &mut Row) {
    let (text, counts) = (block.text.as_str(), &block.counts);
    let tokens = counts.tokens.max(1) as f32;
    let is_short = text.len() <= LONG;
    row.put("", "kind", kind(block.kind));
    row.put("", "weight", (block.weight as f32).ln_1p());
    row.put("", "words", counts.tokens as f32);
    row.put("", "links", block.link_density() as f32);
    row.put("", "ends a sentence", flag(read.ends));
    row.put("", "sentences", block.sentences() as f32);
    row.put("", "commas", counts.commas as f32 / tokens);
    row.put("", "digits", counts.digits as f32 / counts.characters.max(1) as f32);
    row.put("", "capitals", counts.capitals as f32 / tokens);
    row.put("", "short words", counts.short as f32 / tokens);
    row.put("", "word length", counts.characters as f32 / tokens);
    row.put("", "furniture", read.furniture);
    row.put("", "appeals", if text.len() <= 3 * LONG { f32::from(block.said().appeal_terms) } else { 0.0 });
    row.put("", "caption", flag(is_short && block.said().caption));
    row.put("", "date", flag(text.len() <= LONG / 8 && read_date(text, false).is_some()));
    let first = text.chars().next().unwrap_or(' ');
    let quote = matches!(first, '"' | '“' | '„' | '«' | '\'' | '‘');
    row.put("", "opens small", flag(first.is_lowercase()));
    row.put("", "opens with a sign", flag(!quote && !first.is_alphanumeric()));
    row.put("", "ends in a colon", flag(text.ends_with([':', '：'])));
    row.put("", "asks", flag(text.ends_with(['?', '？'])));
    row.put(
        "",
        "trails off",
        flag(text.ends_with(['…', '⋯']) || text.ends_with("...") || text.ends_with("[…]")),
    );
    row.put("", "lines", memchr::memchr_iter(b'\n', text.as_bytes()).count() as f32);
}

/// What is known of the article, for comparison.
pub(super) struct Known<'c> {
    title: String,
    title_words: Vec<String>,
    description: String,
    authors: Vec<String>,
    site: Option<&'c Site>,
    body: String,
}

/// Bytes of a JSON-LD `articleBody` below which it is a stub, and above which it is not compared.
const STUB: usize = 300;
const MAX_BODY: usize = 256 << 10;

impl<'c> Known<'c> {
    pub fn of(clues: &Clues<'c>) -> Self {
        let title = loose(clues.title);
        let is_comparable = (STUB..=MAX_BODY).contains(&clues.article_body.len());
        Self {
            title_words: title.split(' ').filter(|word| word.len() > 2).map(str::to_owned).collect(),
            title,
            description: loose(clues.description),
            authors: clues
                .authors
                .iter()
                .map(|author| loose(author))
                .filter(|a| a.len() > 4)
                .take(20)
                .collect(),
            site: clues.site,
            body: if is_comparable { loose(&unescape(clues.article_body)) } else { String::new() },
        }
    }

    pub fn compare(&self, block: &Block, row: &mut Row) {
        let key = block.key();
        let (mut words, mut shared) = (0.0f32, 0.0);
        if key.len() <= LONG {
            for word in key.split(' ').filter(|word| word.len() > 2) {
                words += 1.0;
                shared += flag(self.title_words.iter().any(|known| known == word));
            }
        }
        let is_in = |text: &str| !key.is_empty() && text.contains(key);
        row.put("", "is title", flag(!self.title.is_empty() && key == self.title));
        row.put("", "share in title", shared / words.max(1.0));
        row.put("", "words of title", shared);
        row.put("", "in description", flag(key.len() > 20 && is_in(&self.description)));
        let opens = key.len() > 30 && self.description.starts_with(key);
        row.put(
            "",
            "is description",
            flag(self.description.len() > 30 && (opens || key.starts_with(&self.description))),
        );
        let named = key.len() <= LONG;
        row.put("", "names author", flag(named && self.authors.iter().any(|a| key.contains(a.as_str()))));
        row.put("", "opens with author", flag(self.authors.iter().any(|a| key.starts_with(a.as_str()))));
        row.put("", "names site", flag(named && self.site.is_some_and(|site| site.is_named_in(key))));
        row.put("", "in articleBody", if self.body.is_empty() { -1.0 } else { flag(is_in(&self.body)) });
    }
}

/// Nodes of a block that are looked at for how they are set.
const MAX_SET_NODES: usize = 60;

/// The shares of a block's text that are bold, and slanted or small.
pub(super) fn emphasis(outline: &Outline, block: &Block, row: &mut Row) {
    let is_bold = |name: &str| matches!(name, "b" | "strong");
    let is_slanted = |name: &str| matches!(name, "em" | "i" | "small");
    let (mut bold_until, mut slanted_until) = (0, 0);
    for at in outline.ancestors(block.at).take_while(|&at| at > block.element) {
        if is_bold(outline.name(at)) {
            bold_until = outline.node(at).end;
        } else if is_slanted(outline.name(at)) {
            slanted_until = outline.node(at).end;
        }
    }
    let (mut bold, mut slanted) = (0, 0);
    for at in block.at..outline.node(block.element).end.min(block.at + MAX_SET_NODES) {
        let node = outline.node(at);
        match node.content {
            Content::Text(text) => {
                let length = text.trim().len();
                bold += if at < bold_until { length } else { 0 };
                slanted += if at < slanted_until { length } else { 0 };
            }
            Content::Element(element) if is_bold(element.name()) => bold_until = bold_until.max(node.end),
            Content::Element(element) if is_slanted(element.name()) => {
                slanted_until = slanted_until.max(node.end)
            }
            Content::Element(_) => {}
        }
    }
    let share = |part: usize| (part as f32 / block.text.len().max(1) as f32).min(1.0);
    row.put("", "bold", share(bold));
    row.put("", "slanted", share(slanted));
}
