//! Trains the model that tells a page's story from the rest, and writes its weights.
//!
//! Blocks are labelled by how much of them the truth holds. First the whole is cross-validated by site, and the figures
//! printed; then the model is trained on all pages. The same corpora give the same weights on every machine.

use std::{error::Error, fmt::Write as _, io::Write as _};

use extraction::training::{Block, Model, blocks, names};

use crate::{
    boost::{Settings, Table, train},
    label::{Label, labels},
    page::{Truth, read},
    runs::{Mean, f1, overlap},
};

/// Of what was tried in the folds: larger models keep hardly more of the story, and cost more.
const SETTINGS: Settings = Settings {
    trees: 120,
    leaves: 24,
    learning_rate: 0.125,
    leaf_rows: 100,
    ridge: 5.0,
    row_share: 0.8,
    feature_share: 0.2,
};
const FOLDS: u64 = 5;

/// A page read.
struct Example {
    corpus: usize,
    fold: u64,
    truth: Truth,
    blocks: Vec<Block>,
    labels: Vec<Label>,
}

/// Trains on the files' pages.
pub fn run(weights: &str, files: &[&str]) -> Result<(), Box<dyn Error>> {
    let names = names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut head = String::from("# Weights of the block model, written by `make train`.\n");
    let mut examples = Vec::new();
    let mut corpora = Vec::new();
    let mut progress = std::io::stderr();
    for path in files {
        let corpus = read(path)?;
        writeln!(head, "# {}: blake3 {}", corpus.name, corpus.digest)?;
        for page in corpus.pages {
            let blocks = blocks(&page.html, &page.url);
            let texts: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
            let labels = labels(&page.truth, &texts);
            examples.push(Example {
                corpus: corpora.len(),
                fold: fold(&page.url),
                truth: page.truth,
                blocks,
                labels,
            });
        }
        writeln!(progress, "{}: read", corpus.name)?;
        corpora.push(corpus.name);
    }
    let mut decisions: Vec<Vec<bool>> = vec![Vec::new(); examples.len()];
    for fold in 0..FOLDS {
        let text = fit(examples.iter().filter(|e| e.fold != fold), &names);
        let model = Model::read(&text, &names).ok_or("the weights cannot be read")?;
        for (example, kept) in examples.iter().zip(&mut decisions).filter(|(e, _)| e.fold == fold) {
            *kept = example.blocks.iter().map(|block| model.score(&block.features) >= 0.0).collect();
        }
        writeln!(progress, "fold {} of {FOLDS}", fold + 1)?;
    }
    for (corpus, name) in corpora.iter().enumerate() {
        let line = format!("{name} {}", figures(&examples, &decisions, corpus));
        writeln!(std::io::stdout(), "{line}")?;
        writeln!(head, "# cross-validated by site: {line}")?;
    }
    let text = fit(examples.iter(), &names);
    std::fs::write(weights, head + &text).map_err(|e| format!("{weights}: {e}"))?;
    Ok(())
}

/// Pages of one site are in one fold; those of unknown address stand for themselves.
fn fold(url: &str) -> u64 {
    let site = article::CanonicalUrl::parse(url)
        .map_or_else(|_| url.to_owned(), |url| url.registrable_domain().to_owned());
    blake3::hash(site.as_bytes()).as_bytes().iter().map(|b| u64::from(*b)).sum::<u64>() % FOLDS
}

fn fit<'e>(examples: impl Iterator<Item = &'e Example>, names: &[&str]) -> String {
    let (mut rows, mut wanted, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    for example in examples {
        for (block, label) in
            example.blocks.iter().zip(&example.labels).filter(|(_, label)| label.weight > 0.0)
        {
            rows.push(block.features.as_slice());
            wanted.push(label.share);
            counts.push(label.weight * 1000.0);
        }
    }
    train(&Table::new(&rows, wanted, counts), names, SETTINGS)
}

/// Precision and recall of a corpus' bodies: of runs of words where the truth is a text, else of snippets.
fn figures(examples: &[Example], decisions: &[Vec<bool>], corpus: usize) -> String {
    let (mut precision, mut recall) = (Mean::default(), Mean::default());
    for (example, kept) in examples.iter().zip(decisions).filter(|(e, _)| e.corpus == corpus) {
        let kept = example.blocks.iter().zip(kept).filter(|(_, kept)| **kept);
        let text = kept.map(|(block, _)| block.text.as_str()).collect::<Vec<_>>().join("\n");
        if example.truth.text.is_empty() {
            let found =
                |snippets: &[String]| snippets.iter().filter(|s| text.contains(s.as_str())).count() as f64;
            let right = found(&example.truth.with);
            precision.add(right, right + found(&example.truth.without));
            recall.add(right, example.truth.with.len() as f64);
        } else {
            let (right, found, wanted) = overlap(&text, &example.truth.text);
            precision.add_ratio(right, found);
            recall.add_ratio(right, wanted);
        }
    }
    let (p, r) = (precision.get().unwrap_or_default(), recall.get().unwrap_or_default());
    format!("F1 {:.3}, precision {p:.3}, recall {r:.3}", f1(p, r))
}
