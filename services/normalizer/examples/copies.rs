//! How rightly copies are recognised on corpora of near-duplicates, against what has been reached: `copies FILE.jsonl.xz…`.
//!
//! A file is JSON lines in order of arrival, packed with xz: what [`normalizer::filter()`] reads, and `gold` (the cluster
//! it belongs to), `edit` (what was done to a text to make this copy of it) and `ambiguous` (ids that may or may not be
//! copies). Pairs of articles in one cluster are scored against those of one gold. Exit codes: 0, 1 where a figure is below
//! its floor, 2 where a file cannot be read.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error,
    io::BufReader,
    process::ExitCode,
};

use serde::Deserialize;

/// `(corpus, figure, at least)`.
const FLOORS: &[(&str, &str, f64)] = &[
    ("edited", "precision", 0.999),
    ("edited", "recall", 0.993),
    ("edited", "relation", 0.995),
    ("wire", "precision", 1.0),
    ("wire", "recall", 1.0),
];

/// What an edit makes of a text, where that can be told.
const RELATIONS: &[(&str, &[&str])] = &[
    ("copy", &["boilerplate", "dateline", "hard-wrapped", "reordered", "copy-edited-5", "ocr-1"]),
    ("excerpt", &["teaser", "truncated-30", "truncated-50"]),
    ("extension", &["extended", "doubled"]),
];

#[derive(Deserialize)]
struct Gold {
    id: String,
    gold: String,
    #[serde(default)]
    edit: Option<String>,
    #[serde(default)]
    ambiguous: Vec<String>,
}

#[derive(Deserialize)]
struct Answer {
    id: String,
    cluster_id: String,
    relation: String,
}

fn main() -> ExitCode {
    match std::env::args().skip(1).map(|path| score(&path)).collect::<Result<Vec<bool>, _>>() {
        Ok(reached) => ExitCode::from(u8::from(!reached.into_iter().all(|reached| reached))),
        Err(cause) => {
            eprintln!("copies: {cause}");
            ExitCode::from(2)
        }
    }
}

/// Prints the figures of a corpus; whether all have reached their floors.
fn score(path: &str) -> Result<bool, Box<dyn Error>> {
    let packed = std::fs::File::open(path).map_err(|cause| format!("{path}: {cause}"))?;
    let mut lines = Vec::new();
    lzma_rs::xz_decompress(&mut BufReader::new(packed), &mut lines)
        .map_err(|cause| format!("{path}: not an xz file: {cause:?}"))?;
    let golds: Vec<Gold> = read(&lines).map_err(|cause| format!("{path}: {cause}"))?;
    let mut answers = Vec::new();
    normalizer::filter(lines.as_slice(), &mut answers)?;
    let answers: Vec<Answer> = read(&answers)?;
    let answers: BTreeMap<&str, &Answer> =
        answers.iter().map(|answer| (answer.id.as_str(), answer)).collect();

    let unclear: BTreeSet<(&str, &str)> =
        golds.iter().flat_map(|gold| gold.ambiguous.iter().map(|other| pair(&gold.id, other))).collect();
    let true_pairs = pairs(golds.iter().map(|gold| (gold.gold.as_str(), gold.id.as_str())), &unclear);
    let said = golds.iter().filter_map(|gold| answers.get(gold.id.as_str()));
    let said_pairs = pairs(said.map(|answer| (answer.cluster_id.as_str(), answer.id.as_str())), &unclear);
    let right = said_pairs.intersection(&true_pairs).count();
    let mut named = (0, 0);
    for gold in &golds {
        let edit = gold.edit.as_deref().unwrap_or_default();
        let made = RELATIONS.iter().find(|(_, edits)| edits.contains(&edit)).map(|(relation, _)| *relation);
        let answer = answers.get(gold.id.as_str());
        let (Some(made), Some(answer), Some(base)) = (made, answer, answers.get(gold.gold.as_str())) else {
            continue;
        };
        if answer.cluster_id == base.cluster_id {
            named = (named.0 + usize::from(answer.relation == made), named.1 + 1);
        }
    }

    let name = path.rsplit('/').next().and_then(|name| name.split('.').next()).unwrap_or(path);
    println!("{name}: {} articles, {} answered", golds.len(), answers.len());
    let mut has_reached = true;
    for (figure, share, whole) in [
        ("precision", right, said_pairs.len()),
        ("recall", right, true_pairs.len()),
        ("relation", named.0, named.1),
    ] {
        if whole == 0 {
            continue;
        }
        let value = share as f64 / whole as f64;
        let floor =
            FLOORS.iter().find(|(of, what, _)| *of == name && *what == figure).map_or(0.0, |floor| floor.2);
        let verdict = if value < floor { format!("  BELOW {floor}") } else { String::new() };
        println!("  {figure:9} {value:.4}  ({share} of {whole}){verdict}");
        has_reached &= value >= floor;
    }
    Ok(has_reached)
}

fn read<T: for<'a> Deserialize<'a>>(lines: &[u8]) -> Result<Vec<T>, serde_json::Error> {
    lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).map(serde_json::from_slice).collect()
}

/// Pairs of ids in one group.
fn pairs<'a>(
    grouped: impl Iterator<Item = (&'a str, &'a str)>,
    unclear: &BTreeSet<(&str, &str)>,
) -> BTreeSet<(&'a str, &'a str)> {
    let mut groups = BTreeMap::<&str, Vec<&str>>::new();
    grouped.for_each(|(group, id)| groups.entry(group).or_default().push(id));
    let pairs = groups.values().flat_map(|ids| {
        ids.iter().enumerate().flat_map(|(at, id)| ids.iter().take(at).map(|other| pair(id, other)))
    });
    pairs.filter(|pair| !unclear.contains(pair)).collect()
}

fn pair<'a>(a: &'a str, b: &'a str) -> (&'a str, &'a str) {
    (a.min(b), a.max(b))
}
