//! The blocks that are the story, by the trained model.

use std::sync::LazyLock;

use crate::{
    blocks::Block,
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

/// The blocks that the model takes for the story; what the rules propose is one of the things it looks at.
pub(crate) fn judge(reading: &Reading, proposal: &Proposal, clues: &Clues, watch: &mut Watch) -> Vec<usize> {
    let mut kept = Vec::new();
    features(reading, proposal, clues, &mut |k, row| {
        watch(&reading.blocks[k], row);
        if MODEL.as_ref().map_or(proposal.kept[k], |model| model.score(row) >= 0.0) {
            kept.push(k);
        }
    });
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
