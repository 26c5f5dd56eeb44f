//! Texts as runs of four words, by which bodies are compared (the measure of the Zyte article-extraction benchmark).

use std::collections::HashMap;

use unicode_normalization::char::is_combining_mark;

/// Words of a run.
pub const RUN: usize = 4;

/// A text's words: letters, digits and underscores; marks part them, as the reference has it.
pub fn words(text: &str) -> Vec<&str> {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_') || is_combining_mark(c))
        .filter(|word| !word.is_empty())
        .collect()
}

/// Runs of [`RUN`] words with their counts; a shorter text is one run.
pub fn runs<'t>(words: &'t [&'t str]) -> HashMap<&'t [&'t str], usize> {
    let mut runs = HashMap::new();
    for run in words.windows(RUN.min(words.len().max(1))) {
        *runs.entry(run).or_default() += 1;
    }
    runs
}

/// How many runs both texts have, with their counts; how many the first has; how many the second.
pub fn overlap(found: &str, truth: &str) -> (f64, f64, f64) {
    let (found, truth) = (words(found), words(truth));
    let (found, truth) = (runs(&found), runs(&truth));
    let both: usize =
        found.iter().map(|(run, times)| truth.get(run).map_or(0, |wanted| *times.min(wanted))).sum();
    let total = |runs: &HashMap<&[&str], usize>| runs.values().sum::<usize>() as f64;
    (both as f64, total(&found), total(&truth))
}

/// A mean of ratios, or a ratio of sums.
#[derive(Default, Clone, Copy)]
pub struct Mean {
    part: f64,
    whole: f64,
}

impl Mean {
    /// Adds to both sums.
    pub fn add(&mut self, part: f64, whole: f64) {
        self.part += part;
        self.whole += whole;
    }

    /// Adds a ratio, if it is one.
    pub fn add_ratio(&mut self, part: f64, whole: f64) {
        if whole > 0.0 {
            self.add(part / whole, 1.0);
        }
    }

    /// Adds one case.
    pub fn add_case(&mut self, holds: bool) {
        self.add(f64::from(u8::from(holds)), 1.0);
    }

    /// `None` of nothing.
    pub fn get(self) -> Option<f64> {
        (self.whole > 0.0).then(|| self.part / self.whole)
    }
}

/// The harmonic mean of precision and recall.
pub fn f1(precision: f64, recall: f64) -> f64 {
    if precision + recall > 0.0 { 2.0 * precision * recall / (precision + recall) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_letters_digits_and_underscores() {
        for (text, expected) in [
            ("", &[][..]),
            ("The pier's new_piles, all 9: done!", &["The", "pier", "s", "new_piles", "all", "9", "done"]),
            ("Fähre größer", &["Fähre", "größer"]),
            ("Fa\u{308}hre", &["Fa", "hre"]),
            ("港湾は、修理", &["港湾は", "修理"]),
        ] {
            assert_eq!(words(text), expected, "{text}");
        }
    }

    #[test]
    fn texts_overlap_in_runs_with_their_counts() {
        for (found, truth, expected) in [
            ("a b c d e", "a b c d e", (2.0, 2.0, 2.0)),
            ("a b c d", "b c d e", (0.0, 1.0, 1.0)),
            ("a b c d a b c d", "a b c d", (1.0, 5.0, 1.0)),
            ("a b c d a b c d", "a b c d x a b c d", (2.0, 5.0, 6.0)),
            ("a b", "A b", (0.0, 1.0, 1.0)),
            ("a, b", "a b", (1.0, 1.0, 1.0)),
            ("", "a b", (0.0, 0.0, 1.0)),
            ("a b", "", (0.0, 1.0, 0.0)),
        ] {
            assert_eq!(overlap(found, truth), expected, "{found} / {truth}");
        }
    }

    #[test]
    fn means_are_of_what_is_known() {
        let mut mean = Mean::default();
        assert_eq!(mean.get(), None);
        mean.add_ratio(1.0, 0.0);
        assert_eq!(mean.get(), None, "nothing of nothing is no ratio");
        mean.add_ratio(1.0, 2.0);
        mean.add_case(true);
        assert_eq!(mean.get(), Some(0.75));
        mean.add(0.0, 4.0);
        assert_eq!(mean.get(), Some(0.25));
    }

    #[test]
    fn f1_is_the_harmonic_mean() {
        for (precision, recall, expected) in
            [(0.0, 0.0, 0.0), (1.0, 0.0, 0.0), (1.0, 1.0, 1.0), (0.5, 1.0, 2.0 / 3.0)]
        {
            assert!((f1(precision, recall) - expected).abs() < 1e-12, "{precision} {recall}");
        }
    }
}
