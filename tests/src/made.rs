//! Articles made up for the decider: their texts share words, and nothing else.

use fastrand::Rng;
use wire::{Article, Publisher};

/// The `n`th one, in one of eleven outlets.
pub fn article(n: usize, random: &mut Rng) -> Article {
    let domain = format!("paper-{:02}.example", n % 11);
    Article {
        article_id: format!("{:032x}", 0x1000 + n),
        url: format!("https://{domain}/news/{n}"),
        headline: sentence(random),
        body_text: (0..24).map(|_| sentence(random)).collect::<Vec<_>>().join("\n\n"),
        publisher: Some(Publisher { domain, ..Publisher::default() }),
        language: "la".to_owned(),
        verdict: "article".to_owned(),
        ..Article::default()
    }
}

fn sentence(random: &mut Rng) -> String {
    const SYLLABLES: [&str; 13] =
        ["ba", "con", "di", "er", "fo", "gra", "hu", "in", "jo", "ke", "lan", "mo", "ny"];
    let mut sentence = String::new();
    for _ in 0..12 {
        (0..random.usize(1..4)).for_each(|_| sentence += SYLLABLES[random.usize(0..SYLLABLES.len())]);
        sentence.push(' ');
    }
    sentence.truncate(sentence.len() - 1);
    sentence + "."
}
