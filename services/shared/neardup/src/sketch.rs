//! A text made small.

use crate::{
    Paragraph,
    figures::{self, Figures},
    text::SCALE,
};

/// One 5-word hash in this many finds the text in the index.
const KEY_SCALE: u64 = 32;

/// The first sampled 5-word hashes of a text are keys as well: what is cut short keeps its beginning.
const LEAD_KEYS: usize = 8;

/// Most keys of one text.
const MAX_KEYS: usize = 256;

/// Most hashes of one size; a longer text is judged by the smallest ones, which are the same in its copies.
const MAX_HASHES: usize = 4096;

/// A FracMinHash sketch (Irber et al. 2022, "Lightweight compositional analysis of metagenomes with FracMinHash"): every
/// shingle hash ≡ 0 mod 8, so that the share of one sketch found in another estimates the share of the text.
///
/// Hashes are cut to their upper 32 bits. All lists are sorted, without repetition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sketch {
    /// Number of words.
    pub words: u32,
    /// The sampled 5-word shingles.
    pub five: Vec<u32>,
    /// The sampled 3-word shingles.
    pub three: Vec<u32>,
    /// Of a short text, the 5-word shingles the sample leaves out: two short texts are compared by all they have.
    pub rest_five: Vec<u32>,
    /// The same for 3-word shingles.
    pub rest_three: Vec<u32>,
    /// Figures in their context (see [`Paragraph::figures`]).
    pub figures: Vec<u64>,
    /// What the text is found by: its 5-word hashes ≡ 0 mod 32, the first of its sample, and all of a short text.
    pub keys: Vec<u32>,
}

impl Sketch {
    /// Unites paragraphs; leave out those that should not count.
    pub fn of<'a>(paragraphs: impl IntoIterator<Item = &'a Paragraph>) -> Self {
        let mut sketch = Self::default();
        let mut figures = Figures::default();
        let mut lead = Vec::new();
        for paragraph in paragraphs {
            sketch.words = sketch.words.saturating_add(paragraph.words);
            for &hash in &paragraph.five {
                let value = upper(hash);
                if !hash.is_multiple_of(SCALE) {
                    sketch.rest_five.push(value);
                    sketch.keys.push(value);
                    continue;
                }
                sketch.five.push(value);
                if hash.is_multiple_of(KEY_SCALE) {
                    sketch.keys.push(value);
                }
                if lead.len() < LEAD_KEYS {
                    lead.push(value);
                }
            }
            for &hash in &paragraph.three {
                let list =
                    if hash.is_multiple_of(SCALE) { &mut sketch.three } else { &mut sketch.rest_three };
                list.push(upper(hash));
            }
            paragraph.figures.iter().for_each(|&pair| figures.insert(pair));
        }
        settle(&mut sketch.keys, MAX_KEYS - LEAD_KEYS);
        sketch.keys.append(&mut lead);
        settle(&mut sketch.keys, MAX_KEYS);
        for list in [&mut sketch.five, &mut sketch.three, &mut sketch.rest_five, &mut sketch.rest_three] {
            settle(list, MAX_HASHES);
        }
        sketch.figures = figures.into_vec();
        sketch
    }

    /// Whether every shingle of the text is in the sketch.
    pub fn is_complete(&self) -> bool {
        self.five.is_empty() || !self.rest_five.is_empty()
    }

    /// 5-word shingles (this, other, shared).
    pub(crate) fn shared_five(&self, other: &Self) -> Counts {
        let sampled = Counts::of(&self.five, &other.five);
        if !(self.is_complete() && other.is_complete()) {
            return sampled;
        }
        sampled + Counts::of(&self.rest_five, &other.rest_five)
    }

    /// 3-word shingles (this, other, shared).
    pub(crate) fn shared_three(&self, other: &Self) -> Counts {
        let sampled = Counts::of(&self.three, &other.three);
        if !(self.is_complete() && other.is_complete()) {
            return sampled;
        }
        sampled + Counts::of(&self.rest_three, &other.rest_three)
    }

    /// Contexts in which both name a figure, and in how many of them the figures agree: `(agreeing, shared)`.
    pub(crate) fn figure_agreement(&self, other: &Self) -> (u32, u32) {
        figures::agreement(&self.figures, &other.figures)
    }
}

/// Sizes of two sets and of what they share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) this: u32,
    pub(crate) other: u32,
    pub(crate) shared: u32,
}

impl Counts {
    fn of(this: &[u32], other: &[u32]) -> Self {
        let mut shared = 0;
        let (mut left, mut right) = (this.iter().peekable(), other.iter().peekable());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let order = a.cmp(b);
            shared += u32::from(order.is_eq());
            if order.is_le() {
                left.next();
            }
            if order.is_ge() {
                right.next();
            }
        }
        let size = |list: &[u32]| u32::try_from(list.len()).unwrap_or(u32::MAX);
        Self { this: size(this), other: size(other), shared }
    }
}

impl std::ops::Add for Counts {
    type Output = Self;
    fn add(self, more: Self) -> Self {
        Self {
            this: self.this + more.this,
            other: self.other + more.other,
            shared: self.shared + more.shared,
        }
    }
}

fn upper(hash: u64) -> u32 {
    u32::try_from(hash >> 32).unwrap_or(u32::MAX)
}

fn settle(list: &mut Vec<u32>, most: usize) {
    list.sort_unstable();
    list.dedup();
    list.truncate(most);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;

    fn sketch(text: &str) -> Sketch {
        Sketch::of(&Document::read(text).paragraphs)
    }

    fn text(seed: usize, words: usize) -> String {
        (0..words).map(|at| format!("w{} ", (at + seed) * 7919 % 10_007)).collect()
    }

    #[test]
    fn a_paragraph_left_out_counts_no_more() {
        let document = Document::read(&format!("{}\n\n{}", text(1, 400), text(3000, 400)));
        let whole = Sketch::of(&document.paragraphs);
        let half = Sketch::of(document.paragraphs.iter().take(1));
        assert_eq!(half.words, 400);
        assert!(half.five.len() < whole.five.len() && half.five.iter().all(|hash| whole.five.contains(hash)));
    }

    #[test]
    fn a_long_text_keeps_about_an_eighth_and_a_short_one_all() {
        let (long, short) = (sketch(&text(1, 4000)), sketch(&text(1, 100)));
        assert!((400..600).contains(&long.five.len()), "{}", long.five.len());
        assert!((90..170).contains(&long.keys.len()), "{}", long.keys.len());
        assert!(!long.is_complete() && short.is_complete());
        assert_eq!(short.five.len() + short.rest_five.len(), 96);
    }

    #[test]
    fn a_teaser_finds_its_article() {
        for seed in 0..50 {
            let (article, teaser) = (text(seed * 100, 900), text(seed * 100, 60));
            let (article, teaser) = (sketch(&article), sketch(&teaser));
            assert!(teaser.keys.iter().any(|key| article.keys.contains(key)), "{seed}");
        }
    }

    #[test]
    fn two_short_texts_are_compared_by_all_they_have() {
        let (a, b) = (sketch(&text(1, 100)), sketch(&text(51, 100)));
        assert_eq!(a.shared_five(&b), Counts { this: 96, other: 96, shared: 46 });
    }
}
