//! Figures in their context: recurring reports share their words and differ in their numbers.

use std::collections::BTreeSet;

/// Figures kept of one text: those of the smallest context hashes, so that two texts keep the same ones.
const MAX_FIGURES: usize = 48;

/// (context, figure) pairs, both cut to 32 bits, in order.
#[derive(Debug, Default)]
pub(crate) struct Figures(BTreeSet<u64>);

impl Figures {
    pub(crate) fn add(&mut self, context: u64, figure: u64) {
        self.insert(context & !0xffff_ffff | figure & 0xffff_ffff);
    }

    pub(crate) fn insert(&mut self, pair: u64) {
        self.0.insert(pair);
        if self.0.len() > MAX_FIGURES {
            self.0.pop_last();
        }
    }

    pub(crate) fn into_vec(self) -> Vec<u64> {
        self.0.into_iter().collect()
    }
}

/// How many contexts two texts share, and in how many of those they name a common figure: `(agreeing, shared)`.
pub(crate) fn agreement(a: &[u64], b: &[u64]) -> (u32, u32) {
    let (mut agreeing, mut shared) = (0, 0);
    let mut a = a.chunk_by(same_context).peekable();
    let mut b = b.chunk_by(same_context).peekable();
    while let (Some(&left), Some(&right)) = (a.peek(), b.peek()) {
        let (left_context, right_context) = (context(left), context(right));
        if left_context == right_context {
            shared += 1;
            agreeing += u32::from(left.iter().any(|pair| right.contains(pair)));
        }
        if left_context <= right_context {
            a.next();
        }
        if right_context <= left_context {
            b.next();
        }
    }
    (agreeing, shared)
}

fn same_context(a: &u64, b: &u64) -> bool {
    a >> 32 == b >> 32
}

fn context(group: &[u64]) -> Option<u64> {
    group.first().map(|pair| pair >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_agree_in_their_context_only() {
        let pair = |context: u64, figure: u64| context << 32 | figure;
        let a = [pair(1, 10), pair(2, 5), pair(2, 7), pair(4, 9)];
        let b = [pair(1, 11), pair(2, 7), pair(3, 10), pair(4, 9), pair(5, 1)];
        assert_eq!(agreement(&a, &b), (2, 3));
        assert_eq!(agreement(&a, &a), (3, 3));
        assert_eq!(agreement(&a, &[]), (0, 0));
    }

    #[test]
    fn the_sample_is_the_same_for_the_same_contexts() {
        let mut figures = Figures::default();
        for context in (0..1000_u64).rev() {
            figures.add(context << 32, 3);
        }
        assert_eq!(figures.into_vec(), (0..MAX_FIGURES as u64).map(|c| c << 32 | 3).collect::<Vec<_>>());
    }
}
