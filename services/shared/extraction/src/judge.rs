//! The blocks that are the story, by the trained model.

use std::sync::LazyLock;

use crate::{
    blocks::{Block, Kind},
    body::{Clues, Reading},
    features::{Proposal, features, names},
    model::Model,
    sift::without_repeats,
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
