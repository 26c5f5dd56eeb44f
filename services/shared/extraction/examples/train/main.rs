//! Trains the model that tells a page's story from the rest, and writes its weights.
//!
//! `train WEIGHTS CORPUS.jsonl.xz…`: recorded pages with their truth, a JSON object a line. Blocks are labelled by how
//! much of them the truth holds. First the whole is cross-validated by site, and the figures printed; then the model is
//! trained on all pages. The same corpora give the same weights on every machine.

mod boost;
mod label;

use std::{
    collections::HashMap,
    error::Error,
    fmt::Write as _,
    io::{BufReader, Write as _},
};

use boost::{Settings, Table, train};
use extraction::training::{Block, Model, blocks, names};
use label::{Label, Page, Truth, labels, runs, words};

const SETTINGS: Settings = Settings {
    trees: 140,
    leaves: 16,
    learning_rate: 0.12,
    leaf_rows: 60,
    ridge: 5.0,
    row_share: 0.8,
    feature_share: 0.5,
};
const FOLDS: u64 = 5;

/// A page read.
struct Example {
    corpus: String,
    fold: u64,
    truth: Truth,
    blocks: Vec<Block>,
    labels: Vec<Label>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let weights = arguments.next().ok_or("usage: train WEIGHTS CORPUS.jsonl.xz…")?;
    let names = names();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut head = String::from("# Weights of the block model, written by `make train`.\n");
    let mut examples = Vec::new();
    let mut progress = std::io::stderr();
    for path in arguments {
        let bytes = std::fs::read(&path).map_err(|e| format!("{path}: {e}"))?;
        let corpus =
            path.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or(&path).to_owned();
        writeln!(head, "# {corpus}: blake3 {}", blake3::hash(&bytes))?;
        read(&corpus, &bytes, &mut examples).map_err(|e| format!("{path}: {e}"))?;
        writeln!(progress, "{corpus}: read")?;
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
    for line in figures(&examples, &decisions) {
        writeln!(std::io::stdout(), "{line}")?;
        writeln!(head, "# cross-validated by site: {line}")?;
    }
    let text = fit(examples.iter(), &names);
    std::fs::write(&weights, head + &text).map_err(|e| format!("{weights}: {e}"))?;
    Ok(())
}

fn read(corpus: &str, bytes: &[u8], examples: &mut Vec<Example>) -> Result<(), Box<dyn Error>> {
    let mut lines = Vec::new();
    lzma_rs::xz_decompress(&mut BufReader::new(bytes), &mut lines).map_err(|e| format!("{e:?}"))?;
    for line in lines.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        let Page { url, html, truth } = serde_json::from_slice(line)?;
        // Some pages of unknown address stand for themselves.
        let site = article::CanonicalUrl::parse(&url)
            .map_or_else(|_| url.clone(), |url| url.registrable_domain().to_owned());
        let fold =
            blake3::hash(site.as_bytes()).as_bytes().iter().fold(0, |sum, b| sum + u64::from(*b)) % FOLDS;
        let blocks = blocks(&html, &url);
        let texts: Vec<&str> = blocks.iter().map(|block| block.text.as_str()).collect();
        let labels = labels(&truth, &texts);
        examples.push(Example { corpus: corpus.to_owned(), fold, truth, blocks, labels });
    }
    Ok(())
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

/// Precision and recall of the body, by corpus: of runs of words where the truth is a text, else of snippets.
fn figures(examples: &[Example], decisions: &[Vec<bool>]) -> Vec<String> {
    let mut corpora: Vec<&str> = examples.iter().map(|example| example.corpus.as_str()).collect();
    corpora.dedup();
    let of = |corpus: &str| {
        let (mut precision, mut recall) = (Mean::default(), Mean::default());
        for (example, kept) in examples.iter().zip(decisions).filter(|(e, _)| e.corpus == corpus) {
            let kept = example
                .blocks
                .iter()
                .zip(kept)
                .filter(|(_, kept)| **kept)
                .map(|(block, _)| block.text.as_str());
            let text = kept.collect::<Vec<_>>().join("\n");
            if example.truth.text.is_empty() {
                let found = |snippets: &[String]| {
                    snippets.iter().filter(|s| text.contains(s.as_str())).count() as f64
                };
                let right = found(&example.truth.with);
                precision.add(right, right + found(&example.truth.without));
                recall.add(right, example.truth.with.len() as f64);
            } else {
                let (found, truth) = (words(&text), words(&example.truth.text));
                let (found, truth) = (runs(&found), runs(&truth));
                let right: usize = found
                    .iter()
                    .map(|(run, times)| truth.get(run).map_or(0, |wanted| *times.min(wanted)))
                    .sum();
                let total = |runs: &HashMap<&[&str], usize>| runs.values().sum::<usize>() as f64;
                precision.add_page(right as f64, total(&found));
                recall.add_page(right as f64, total(&truth));
            }
        }
        let (p, r) = (precision.get(), recall.get());
        format!("{corpus} F1 {:.3}, precision {p:.3}, recall {r:.3}", 2.0 * p * r / (p + r))
    };
    corpora.into_iter().map(of).collect()
}

#[derive(Default)]
struct Mean {
    part: f64,
    whole: f64,
}

impl Mean {
    fn add(&mut self, part: f64, whole: f64) {
        self.part += part;
        self.whole += whole;
    }

    fn add_page(&mut self, part: f64, whole: f64) {
        if whole > 0.0 {
            self.add(part / whole, 1.0);
        }
    }

    fn get(&self) -> f64 {
        self.part / self.whole
    }
}
