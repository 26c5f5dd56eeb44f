//! Sifting a container's blocks: each by what it is, then by its place among the others.

use memchr::memmem;
use rustc_hash::FxHashSet;

use crate::{
    blocks::{Block, Kind},
    body::{Clues, Reading},
    dates::read_date,
    marks::Marks,
    phrases::{Furniture, is_contact},
    text::{loose, word_count},
    tree::{Content, Outline},
};

/// The blocks of `range` that are the story, in order, as indices.
pub(crate) fn sift(
    reading: &Reading,
    range: (usize, usize),
    headline: Option<usize>,
    clues: &Clues,
) -> Vec<usize> {
    let blocks = &reading.blocks;
    let headline = headline.filter(|&headline| leads(reading, range, headline));
    let inside: Vec<usize> = (0..blocks.len())
        .filter(|&k| blocks[k].at >= range.0 && blocks[k].at < range.1 && !reading.dropped[k])
        .filter(|&k| {
            headline.is_none_or(|h| blocks[k].at > h || blocks[k].weight > 200 && blocks[k].sentences() > 1)
        })
        .collect();
    let links = link_lists(reading, &inside);
    let mut kept: Vec<usize> = Vec::with_capacity(inside.len());
    let title = loose(clues.title);
    let mut seen = FxHashSet::default();
    for &k in &inside {
        let block = &blocks[k];
        if links.contains(&k) || !is_story(reading, block, &title) {
            continue;
        }
        if block.words() >= 4 && !seen.insert(block.key()) {
            continue;
        }
        kept.push(k);
    }
    kept = without_tail(blocks, kept, clues.authors);
    kept = without_head(reading, kept);
    kept = without_pull_quotes(blocks, kept);
    without_empty_headings(blocks, kept)
}

/// Whether a headline stands before the story: the same words in a footer's list do not.
fn leads(reading: &Reading, range: (usize, usize), headline: usize) -> bool {
    let live = reading
        .blocks
        .iter()
        .zip(&reading.dropped)
        .filter(|(b, dropped)| b.at >= range.0 && b.at < range.1 && !**dropped);
    let (before, after) = live.fold((0.0, 0.0), |(before, after), (block, _)| {
        if block.at < headline { (before + block.prose(), after) } else { (before, after + block.prose()) }
    });
    before < after * 0.5
}

/// Whether a block can be part of a story, seen alone.
fn is_story(reading: &Reading, block: &Block, title: &str) -> bool {
    let words = block.words();
    let density = block.link_density();
    let text = block.key();
    if text == title || block.kind == Kind::Caption {
        return false;
    }
    if let Some(kind) = block.said().furniture {
        let linked = density > 0.2 || words <= 12 || !block.ends_sentence();
        if kind != Furniture::ReadAlso && kind != Furniture::RelatedHeading || linked {
            return false;
        }
    }
    let near = || std::iter::once(block.element).chain(reading.outline.ancestors(block.element)).take(3);
    if words <= 25
        && near().any(|at| {
            reading.marks[at].has(Marks::AUTHOR) || (words <= 12 && reading.marks[at].has(Marks::DATE))
        })
    {
        return false;
    }
    match block.kind {
        Kind::Heading(_) => density < 0.9 || words > 2 && density < 0.95,
        Kind::Paragraph | Kind::Quote => {
            if density > 0.85 && (words < 40) {
                return false;
            }
            !(words < 50 && captions(reading.outline, block))
        }
        Kind::Item | Kind::Cell => density < 0.8 || words > 40,
        Kind::Pre => true,
        Kind::Loose => {
            let prose_like = block.ends_sentence() || words >= 25;
            density < 0.5 && (words >= 4 && prose_like || words >= 12) && !block.said().caption
        }
        Kind::Caption => false,
    }
}

/// Whether a block is a picture's caption, by its words or by how it is set.
pub(crate) fn captions(outline: &Outline, block: &Block) -> bool {
    block.kind == Kind::Caption || block.said().caption || captions_picture(outline, block)
}

/// A picture's caption in the picture's own paragraph: pictures, then text of which all is set small or slanted.
fn captions_picture(outline: &Outline, block: &Block) -> bool {
    /// Nodes beyond which a paragraph is no caption: one is read again for each block in it.
    const MAX_NODES: usize = 40;
    let (start, end) = (block.element, outline.node(block.element).end);
    if outline.name(start) != "p" || end - start > MAX_NODES {
        return false;
    }
    let (mut pictured, mut set_apart_until) = (false, start);
    for at in start + 1..end {
        match outline.node(at).content {
            Content::Text(text) if text.trim().is_empty() || at < set_apart_until => {}
            Content::Text(_) => return false,
            Content::Element(element) => match element.name() {
                "img" => pictured = true,
                "video" | "audio" | "iframe" | "object" => return false,
                "small" | "em" | "i" if !pictured => return false,
                "small" | "em" | "i" => set_apart_until = set_apart_until.max(outline.node(at).end),
                _ => {}
            },
        }
    }
    pictured
}

/// Items of lists that are links only, and paragraphs next to one another that are.
fn link_lists(reading: &Reading, inside: &[usize]) -> FxHashSet<usize> {
    let mut found = FxHashSet::default();
    let mut start = 0;
    while start < inside.len() {
        let list = list_of(reading, inside[start]);
        let mut end = start + 1;
        while list.is_some() && inside.get(end).is_some_and(|&k| list_of(reading, k) == list) {
            end += 1;
        }
        if list.is_some() {
            let items = &inside[start..end];
            let (weight, links) = items
                .iter()
                .map(|&k| &reading.blocks[k])
                .fold((0, 0), |(w, l), b| (w + b.weight, l + b.link_weight));
            let asks: usize = items.iter().map(|&k| usize::from(reading.blocks[k].said().appeal_terms)).sum();
            if links * 10 > weight * 6 || asks >= 3 && asks * 40 > weight / 4 {
                found.extend(items);
                if let Some(&before) = start.checked_sub(1).and_then(|i| inside.get(i))
                    && matches!(reading.blocks[before].kind, Kind::Heading(_))
                {
                    found.insert(before);
                }
            }
        }
        start = end;
    }
    found
}

/// The outermost list around a block of a list.
fn list_of(reading: &Reading, k: usize) -> Option<usize> {
    let element = reading.blocks[k].element;
    std::iter::once(element)
        .chain(reading.outline.ancestors(element))
        .take(8)
        .filter(|&at| matches!(reading.outline.name(at), "ul" | "ol"))
        .last()
}

/// Cuts what follows the story: from the first heading of furniture on whose rest has little prose, and short lines.
fn without_tail(blocks: &[Block], mut kept: Vec<usize>, authors: &[String]) -> Vec<usize> {
    let authors: Vec<String> = authors.iter().map(|a| loose(a)).filter(|a| a.contains(' ')).collect();
    let signs_off = |block: &Block| {
        let words = block.words();
        words <= 80 && authors.iter().any(|a| block.key().starts_with(a.as_str()))
            || words <= 45 && is_contact(&block.text)
    };
    let is_paragraph = |k: usize| {
        let b = &blocks[k];
        b.words() >= 8
            && b.ends_sentence()
            && !matches!(b.kind, Kind::Heading(_))
            && b.said().appeal_terms < 2
    };
    while let Some(&last) = kept.last() {
        let block = &blocks[last];
        let words = block.words();
        let goes = match block.kind {
            Kind::Heading(_) => true,
            _ if signs_off(block) => true,
            Kind::Paragraph | Kind::Quote => {
                words < 12 && block.link_density() > 0.5
                    || words <= 3 && !block.ends_sentence()
                    || block.said().appeal_terms >= 3
            }
            Kind::Loose => !is_paragraph(last),
            _ => false,
        };
        if !goes {
            break;
        }
        kept.pop();
    }
    kept
}

/// Cuts what precedes the story's first paragraph and is not its heading.
fn without_head(reading: &Reading, mut kept: Vec<usize>) -> Vec<usize> {
    let blocks = &reading.blocks;
    let Some(first) = kept.iter().position(|&k| blocks[k].prose() > 60.0) else { return kept };
    let mut place = 0;
    kept.retain(|&k| {
        place += 1;
        let block = &blocks[k];
        let is_date = || block.words() <= 9 && read_date(&block.text, false).is_some();
        let is_text = || !matches!(block.kind, Kind::Loose) || block.ends_sentence() && block.words() >= 8;
        place > first || is_text() && !is_date()
    });
    kept
}

/// Short quotations that repeat the text beside them.
pub(crate) fn without_pull_quotes(blocks: &[Block], kept: Vec<usize>) -> Vec<usize> {
    const REACH: usize = 12;
    let texts: Vec<&str> = kept.iter().map(|&k| blocks[k].key()).collect();
    let repeats = |i: usize| {
        let (block, text) = (&blocks[kept[i]], &texts[i]);
        if text.len() >= 300 || matches!(block.kind, Kind::Heading(_) | Kind::Cell) || word_count(text) < 4 {
            return false;
        }
        let within = memmem::Finder::new(text);
        texts
            .iter()
            .skip(i.saturating_sub(REACH))
            .take(2 * REACH + 1)
            .any(|other| other.len() > text.len() && within.find(other.as_bytes()).is_some())
    };
    let quotes: Vec<bool> = (0..kept.len()).map(repeats).collect();
    kept.iter().zip(quotes).filter(|(_, quote)| !quote).map(|(&k, _)| k).collect()
}

/// Each text of more than a few words once.
pub(crate) fn without_repeats(blocks: &[Block], mut kept: Vec<usize>) -> Vec<usize> {
    let mut seen = FxHashSet::default();
    kept.retain(|&k| blocks[k].words() < 4 || seen.insert(blocks[k].key()));
    kept
}

/// Headings with nothing under them.
fn without_empty_headings(blocks: &[Block], kept: Vec<usize>) -> Vec<usize> {
    let level = |k: usize| match blocks[k].kind {
        Kind::Heading(level) => Some(level),
        _ => None,
    };
    let mut out: Vec<usize> = Vec::with_capacity(kept.len());
    for &k in &kept {
        while let Some(&last) = out.last()
            && let (Some(above), Some(here)) = (level(last), level(k))
            && above >= here
            && above > 1
        {
            out.pop();
        }
        out.push(k);
    }
    while out.last().is_some_and(|&k| level(k).is_some()) {
        out.pop();
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{blocks::blocks, tree::parse};

    #[test]
    fn a_caption_in_its_pictures_paragraph_is_told_from_prose() {
        let captions = |html: &str| {
            let parsed = parse(html);
            let outline = Outline::of(&parsed.html);
            blocks(&outline).first().map(|block| captions_picture(&outline, block))
        };
        for caption in [
            "<p><img src=a><br><small>Boats at the pier.</small></p>",
            "<p><a href=b><img src=a></a> <em>Boats at the pier.</em></p>",
            "<p><img src=a><i>Boats at <b>the</b> pier.</i></p>",
        ] {
            assert_eq!(captions(caption), Some(true), "{caption}");
        }
        for prose in [
            "<p><small>Boats lay at the pier.</small></p>",
            "<p><img src=a>Boats lay at the <em>old</em> pier.</p>",
            "<p><em>Boats lay at the pier.</em><img src=a></p>",
            "<p><img src=a><em>Boats</em> lay at the pier.</p>",
        ] {
            assert_eq!(captions(prose), Some(false), "{prose}");
        }
    }
}
