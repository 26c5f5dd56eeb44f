//! The blocks that are the story, by the trained model.

use std::sync::LazyLock;

use crate::{
    blocks::{Block, Kind},
    body::{Clues, Reading},
    features::{Proposal, features, names},
    model::Model,
    sift::{captions, without_repeats},
    text::{ends_sentence, word_count},
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
    matches!(block.kind, Kind::Heading(_)) && !ends_sentence(&block.text) && word_count(&block.text) <= 15
}

/// Log-odds that overrule the rules. That they are not nought costs nothing on recorded pages, and keeps the rules'
/// word on pages unlike those.
const SURE: f32 = 0.4;

/// Where policy has it that the rules are right: tables are kept or not as they belong, captions go, and what has no
/// letters (times of a live blog, ratings) is no prose.
fn is_settled(reading: &Reading, block: &Block) -> bool {
    block.kind == Kind::Cell
        || !block.text.contains(char::is_alphabetic)
        || word_count(&block.text) < 50 && captions(reading.outline, block)
}

/// The blocks that the model takes for the story; what the rules propose is one of the things it looks at.
pub(crate) fn judge(reading: &Reading, proposal: &Proposal, clues: &Clues, watch: &mut Watch) -> Vec<usize> {
    let sure = if proposal.is_empty() { 0.0 } else { SURE };
    let mut kept = Vec::new();
    features(reading, proposal, clues, &mut |k, row| {
        watch(&reading.blocks[k], row);
        let (block, proposed) = (&reading.blocks[k], proposal.kept[k]);
        let is_story = match (MODEL.as_ref(), proposed) {
            _ if block.at >= proposal.end || is_settled(reading, block) => proposed,
            (Some(model), true) => model.score(row) >= -sure,
            (Some(model), false) => model.score(row) >= sure,
            (None, _) => proposed,
        };
        if is_story {
            kept.push(k);
        }
    });
    while kept.last().is_some_and(|&k| is_title(&reading.blocks[k])) {
        kept.pop();
    }
    without_repeats(&reading.blocks, kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_weights_are_of_the_features() {
        assert!(MODEL.is_some());
    }
}
