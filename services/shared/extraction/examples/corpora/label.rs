//! Which blocks of a page are the story, by its truth: the labels that the model is trained on.

use std::collections::{HashMap, HashSet};

use crate::{
    page::Truth,
    runs::{RUN, runs, words},
};

/// What is known of a block: how much of it is the story (0 to 1), and how much that matters.
#[derive(Clone, Copy, Default)]
pub struct Label {
    pub share: f64,
    pub weight: f64,
}

/// What a block that a snippet speaks of weighs; the blocks of a whole truth weigh about 1 together.
const SNIPPET_WEIGHT: f64 = 0.12;

/// Labels a page's blocks. One of which the truth says nothing weighs nothing.
pub fn labels(truth: &Truth, blocks: &[&str]) -> Vec<Label> {
    if truth.text.is_empty() { by_snippets(truth, blocks) } else { by_text(&truth.text, blocks) }
}

fn by_snippets(truth: &Truth, blocks: &[&str]) -> Vec<Label> {
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let list = |snippets: &[String]| {
        snippets.iter().map(|s| squeezed(s)).filter(|s| !s.is_empty()).collect::<Vec<_>>()
    };
    let (with, without) = (list(&truth.with), list(&truth.without));
    let label = |block: &&str| {
        let text = squeezed(block);
        let says = |snippets: &[String]| snippets.iter().any(|s| text.contains(s.as_str()));
        match (says(&with), says(&without)) {
            (true, _) => Label { share: 1.0, weight: SNIPPET_WEIGHT },
            (false, true) => Label { share: 0.0, weight: SNIPPET_WEIGHT },
            (false, false) => Label::default(),
        }
    };
    blocks.iter().map(label).collect()
}

fn by_text(text: &str, blocks: &[&str]) -> Vec<Label> {
    let truth = words(text);
    let runs_of_truth = runs(&truth);
    let total = truth.len().saturating_sub(RUN - 1).max(1) as f64;
    let said: Vec<Vec<&str>> = blocks.iter().map(|block| words(block)).collect();
    let mut shares: Vec<f64> = said
        .iter()
        .map(|words| {
            let windows = words.len().saturating_sub(RUN - 1);
            let found = words.windows(RUN).filter(|run| runs_of_truth.contains_key(run)).count();
            if windows == 0 { 0.0 } else { found as f64 / windows as f64 }
        })
        .collect();
    label_short(text, &truth, &said, &mut shares);
    drop_duplicates(&truth, &said, &mut shares);
    let mut labels: Vec<Label> = said
        .iter()
        .zip(shares)
        .map(|(words, share)| Label { share, weight: (words.len() as f64 + 3.0) / (total + 60.0) })
        .collect();
    // Pages that are mostly clutter do not count for many.
    let clutter: f64 = labels.iter().filter(|label| label.share < 0.5).map(|label| label.weight).sum();
    if clutter > 1.0 {
        for label in labels.iter_mut().filter(|label| label.share < 0.5) {
            label.weight *= (1.0 + clutter.ln()) / clutter;
        }
    }
    labels
}

/// Blocks too short for a run are the story where the truth has them next to the same words.
fn label_short(text: &str, truth: &[&str], said: &[Vec<&str>], shares: &mut [f64]) {
    const REACH: usize = 5;
    let lines: HashSet<String> = text.lines().map(|line| words(line).join(" ")).collect();
    let joined = format!(" {} ", truth.join(" "));
    for (i, short) in said.iter().enumerate().filter(|(_, words)| (1..RUN).contains(&words.len())) {
        let is_story = |j: &usize| said[*j].len() >= RUN && shares[*j] >= 0.5;
        let before = (i.saturating_sub(REACH)..i).rev().find(is_story);
        let after = (i + 1..said.len().min(i + 1 + REACH)).find(is_story);
        let short = short.join(" ");
        let follows = before.is_some_and(|j| {
            let end = said[j].get(said[j].len() - 3..).unwrap_or_default().join(" ");
            joined.contains(&format!(" {end} {short} "))
        });
        let leads = after.is_some_and(|j| {
            let start = said[j].get(..3).unwrap_or_default().join(" ");
            joined.contains(&format!(" {short} {start} "))
        });
        let is_line = before.is_some() && after.is_some() && lines.contains(&short);
        if follows || leads || is_line {
            shares[i] = 1.0;
        }
    }
}

/// Of blocks that say the same, as many are the story as the truth has: those among most of the story.
fn drop_duplicates(truth: &[&str], said: &[Vec<&str>], shares: &mut [f64]) {
    let mut places: HashMap<&[&str], Vec<usize>> = HashMap::new();
    for (i, words) in said.iter().enumerate().filter(|(i, _)| shares[*i] >= 0.5) {
        places.entry(words).or_default().push(i);
    }
    let mut repeated: Vec<(&[&str], Vec<usize>)> =
        places.into_iter().filter(|(_, places)| places.len() > 1).collect();
    repeated.sort_by_key(|(_, places)| places.first().copied());
    for (words, mut places) in repeated {
        let times = truth.windows(words.len()).filter(|window| *window == words).count().max(1);
        let company = |i: usize| -> usize {
            let near = i.saturating_sub(3)..said.len().min(i + 4);
            near.filter(|&j| shares[j] >= 0.5 && said[j] != words).map(|j| said[j].len().min(50)).sum()
        };
        places.sort_by_key(|&i| (std::cmp::Reverse(company(i)), i));
        for &i in places.iter().skip(times) {
            shares[i] = 0.0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shares(text: &str, blocks: &[&str]) -> Vec<f64> {
        let truth = Truth { text: text.to_owned(), ..Truth::default() };
        labels(&truth, blocks).iter().map(|label| label.share).collect()
    }

    const FIRST: &str = "The council voted on Tuesday to repair the pier.";
    const LAST: &str = "Work begins in May and ends before the winter storms.";

    #[test]
    fn a_blocks_share_is_that_of_its_runs() {
        let half = "The council voted on Tuesday, as Ann Able writes.";
        assert_eq!(
            shares(FIRST, &[FIRST, "Read our other stories about the harbour.", half]),
            [1.0, 0.0, 1.0 / 3.0]
        );
    }

    #[test]
    fn short_blocks_are_the_story_where_the_truth_has_them_beside_it() {
        for (truth, short, expected) in [
            (format!("{FIRST} The cost {LAST}"), "The cost", 1.0),
            (format!("{FIRST}\nThe cost\nNine piles of oak are rotten.\n{LAST}"), "The cost", 1.0),
            (format!("{FIRST} {LAST}"), "The cost", 0.0),
            (format!("{FIRST} {LAST}"), "before the winter", 0.0),
        ] {
            assert_eq!(shares(&truth, &[FIRST, short, LAST]), [1.0, expected, 1.0], "{truth}");
        }
    }

    #[test]
    fn of_blocks_that_say_the_same_those_among_the_story_are_it() {
        let text = format!("{FIRST} {LAST}");
        let menu = "An item of the menu.";
        assert_eq!(shares(&text, &[LAST, menu, menu, menu, FIRST, LAST]), [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]);
        let refrain = format!("{FIRST} {LAST} {FIRST}");
        assert_eq!(shares(&refrain, &[FIRST, LAST, FIRST]), [1.0, 1.0, 1.0]);
    }

    #[test]
    fn snippets_label_only_what_holds_them() {
        let list = |snippet: &str| vec![snippet.to_owned()];
        let truth = Truth { with: list("voted  on Tuesday"), without: list("Subscribe"), ..Truth::default() };
        let labels = labels(&truth, &[FIRST, "Subscribe now", LAST]);
        let found: Vec<_> = labels.iter().map(|label| (label.share, label.weight > 0.0)).collect();
        assert_eq!(found, [(1.0, true), (0.0, true), (0.0, false)]);
    }

    #[test]
    fn much_clutter_weighs_little_more_than_some() {
        let weight = |count: usize| -> f64 {
            let menu = vec!["An item of the menu that nobody reads."; count];
            let truth = Truth { text: FIRST.to_owned(), ..Truth::default() };
            labels(&truth, &[&[FIRST], menu.as_slice()].concat())
                .iter()
                .skip(1)
                .map(|label| label.weight)
                .sum()
        };
        assert!((weight(4) / weight(2) - 2.0).abs() < 1e-9, "weighs as it is long");
        assert!(weight(1000) / weight(100) < 2.0, "{}", weight(1000) / weight(100));
    }
}
