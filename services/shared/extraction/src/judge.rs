//! The blocks that are the story, by the trained model.

use std::sync::LazyLock;

use crate::{
    blocks::{Block, Kind},
    body::{Clues, Reading},
    dates::read_date,
    features::{Proposal, features, names},
    marks::Marks,
    model::Model,
    people::{has_byline_prefix, names_a_person},
    sift::{without_pull_quotes, without_repeats},
    text::{ends_sentence, loose, word_count},
};

/// Is shown each block that the model judges, with its features.
pub(crate) type Watch<'w> = dyn FnMut(&Block, &[f32]) + 'w;

/// The weights, trained by `make train` from recorded pages; that they can be read is tested.
static MODEL: LazyLock<Option<Model>> = LazyLock::new(|| {
    let names = names();
    Model::read(include_str!("model.txt"), &names.iter().map(String::as_str).collect::<Vec<_>>())
});

/// Whether a block heads something: some systems set whole paragraphs as headings.
fn is_title(block: &Block) -> bool {
    matches!(block.kind, Kind::Heading(_)) && !block.ends_sentence() && block.words() <= 15
}

/// Log-odds that overrule the rules. That they are not nought costs nothing on recorded pages, and keeps the rules'
/// word on pages unlike those.
const SURE: f32 = 0.4;

/// The blocks that the model takes for the story; what the rules propose is one of the things it looks at.
pub(crate) fn judge(reading: &Reading, proposal: &Proposal, clues: &Clues, watch: &mut Watch) -> Vec<usize> {
    let sure = if proposal.is_empty() { 0.0 } else { SURE };
    let mut is_story = proposal.kept.clone();
    features(reading, proposal, clues, &mut |k, row| {
        watch(&reading.blocks[k], row);
        if let Some(model) = MODEL.as_ref() {
            let needed = if is_story[k] { -sure } else { sure };
            is_story[k] = model.reaches(row, needed);
        }
    });
    let mut kept: Vec<usize> = (0..is_story.len()).filter(|&k| is_story[k]).collect();
    while kept.last().is_some_and(|&k| is_title(&reading.blocks[k])) {
        kept.pop();
    }
    let story = kept.iter().position(|&k| reading.blocks[k].prose() > STORY).unwrap_or(0);
    let title = loose(clues.title);
    let head = story.max(STANDFIRST).min(kept.len());
    let is_signature = |k: &usize| signs(&reading.blocks[*k], &title) || is_author(reading, *k);
    let head: Vec<usize> = kept.drain(..head).filter(|k| !is_signature(k)).collect();
    without_pull_quotes(&reading.blocks, without_repeats(&reading.blocks, [head, kept].concat()))
}

/// Prose with which the story has begun, or its standfirst.
const STORY: f64 = 60.0;
/// Blocks among which a standfirst may stand above what signs the story.
const STANDFIRST: usize = 4;

/// Whether a block above the story says, in each of its lines, only who wrote it, when, and what its title is.
fn signs(block: &Block, title: &str) -> bool {
    let is_byline = |line: &str| word_count(line) <= 12 && has_byline_prefix(line) && names_a_person(line);
    let is_date = |line: &str| word_count(line) <= 7 && read_date(line, false).is_some();
    let mut is_signed = false;
    let mut says = |line: &str| {
        let signs = !ends_sentence(line) && (is_byline(line) || is_date(line));
        is_signed |= signs;
        signs || loose(line) == title
    };
    !matches!(block.kind, Kind::Heading(_)) && block.text.lines().all(&mut says) && is_signed
}

/// Whether a block says no more than a name, and its class that it is the author's.
fn is_author(reading: &Reading, k: usize) -> bool {
    let block = &reading.blocks[k];
    reading.marks[block.element].has(Marks::AUTHOR.with(Marks::BYLINE))
        && block.words() <= 5
        && !block.ends_sentence()
        && names_a_person(&block.text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        blocks::blocks,
        marks::marks,
        tree::{Outline, parse},
    };

    #[test]
    fn an_author_by_class_is_told_from_prose() {
        for (html, is_name) in [
            ("<p class=author>Ann Able", true),
            ("<p class=byline>Ann Able and Bo Beam", true),
            ("<p class=intro>Ann Able", false),
            ("<p class=author>Ann Able sails.", false),
            ("<p class=author>Ann Able has written of the bay and its ferries", false),
        ] {
            let parsed = parse(html);
            let outline = Outline::of(&parsed.html);
            let (blocks, marks) = (blocks(&outline), marks(&outline));
            let reading =
                Reading { outline: &outline, marks: &marks, dropped: vec![false; blocks.len()], blocks };
            assert_eq!(is_author(&reading, 0), is_name, "{html}");
        }
    }

    #[test]
    fn a_line_that_signs_is_told_from_prose() {
        let signs = |html: &str| {
            let parsed = parse(html);
            blocks(&Outline::of(&parsed.html)).first().map(|block| signs(block, "pier to be repaired"))
        };
        for line in [
            "<p>By Ann Able",
            "<p>Von Ann Able, Hafenstadt",
            "<p>Published on March 5, 2024",
            "<p>By Ann Able<br>March 5, 2024",
            "<p><b>Pier to be repaired</b><br>By Ann Able",
        ] {
            assert_eq!(signs(line), Some(true), "{line}");
        }
        for line in [
            "<p>By May the pier will stand.",
            "<p>By Ann Able<br>The pier will stand in May.",
            "<p>Pier to be repaired",
            "<h2>March 5, 2024</h2>",
            "<p>On March 5, 2024, the council met.",
        ] {
            assert_eq!(signs(line), Some(false), "{line}");
        }
    }

    #[test]
    fn the_weights_are_of_the_features() {
        assert!(MODEL.is_some());
    }
}
