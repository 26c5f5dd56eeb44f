//! What came of a run: the canonical articles, what failed, and a summary.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{File, OpenOptions},
    io::{BufWriter, Write},
    path::Path,
};

use anyhow::{Context, Result};
use pipeline::{AnyLog, Record};
use wire::{Article, CanonicalArticle, Encoding, Request, header};

use super::ledger::Ledger;
use crate::{
    Outcome, Usage, deadletters,
    input::{self, Unusable},
    streams::{stdout, tell},
    topics::DEAD_LETTERS,
};

/// Whether articles can be written to `out`: said before the work, not after it. What it holds is left as it is.
pub fn check(out: &Path, inputs: &[String]) -> Result<()> {
    if input::is_among(inputs, out) {
        let out = out.display();
        return Err(Usage::wrong(format_args!(
            "--out {out}: {out} is an input, and would be lost; name another file"
        )));
    }
    if out.to_str() != Some("-") {
        OpenOptions::new().create(true).append(true).open(out).with_context(|| unwritable(out))?;
    }
    Ok(())
}

/// Writes the canonical articles to `out`, if they are not there already, and tells on standard error what happened.
pub fn write(
    log: &AnyLog,
    ledger: &Ledger,
    requests: &[Request],
    unusable: &[Unusable],
    out: Option<&Path>,
) -> Result<Outcome> {
    let articles = canonical(log, ledger)?;
    if let Some(out) = out {
        write_lines(&articles, out).with_context(|| unwritable(out))?;
    }

    let mut failures: Vec<String> = unusable.iter().map(|u| format!("{}: {}", u.input, u.why)).collect();
    let mut unfollowed = 0;
    for topic in DEAD_LETTERS {
        for letter in log.read(topic, ledger.start(topic))? {
            if header(&letter.headers, "wireroom_run_id") != Some(&ledger.run_id) {
                continue;
            }
            if is_claim(&letter) {
                unfollowed += 1;
            } else {
                let (reason, detail) = (deadletters::reason(&letter), deadletters::detail(&letter));
                failures.push(format!("{detail} [{reason}, {}]", deadletters::id(&letter)));
            }
        }
    }
    let occurrences: usize = articles.iter().map(|a| a.occurrences.len()).sum();
    tell(format_args!(
        "{} inputs: {} canonical articles with {occurrences} further occurrences, {} failed",
        requests.len() + unusable.len(),
        articles.len(),
        failures.len(),
    ));
    for article in &articles {
        for warning in article.warnings.iter().filter(|warning| warning.starts_with("stands in")) {
            let name = if article.url.is_empty() { &article.headline } else { &article.url };
            tell(format_args!("  warning: {name}: {warning}"));
        }
    }
    if unfollowed > 0 {
        tell(format_args!("  {unfollowed} originals that pages declare could not be had"));
    }
    failures.iter().for_each(|failure| tell(format_args!("  failed: {failure}")));
    Ok(if failures.is_empty() { Outcome::Done } else { Outcome::SomeFailed })
}

/// The records that stand in canonical: on the embedded log all, on Kafka those that this run's articles are part of.
fn canonical(log: &AnyLog, ledger: &Ledger) -> Result<Vec<CanonicalArticle>> {
    let mut standing: BTreeMap<Vec<u8>, CanonicalArticle> = BTreeMap::new();
    for Record { key, value, .. } in log.read("canonical", &[])? {
        match value {
            Some(value) => standing.insert(key.to_vec(), Encoding::decode_either(&value)?),
            None => standing.remove(&key[..]),
        };
    }
    let mut articles: Vec<CanonicalArticle> = standing.into_values().collect();
    if let AnyLog::Kafka(_) = log {
        let ours = articles_of_run(log, ledger)?;
        let is_ours = |article: &CanonicalArticle| {
            let occurrences = article.occurrences.iter().map(|o| &o.article_id);
            occurrences.chain([&article.article_id]).any(|id| ours.contains(id))
        };
        articles.retain(is_ours);
    }
    Ok(articles)
}

fn articles_of_run(log: &AnyLog, ledger: &Ledger) -> Result<BTreeSet<String>> {
    let mut ours = BTreeSet::new();
    for record in log.read("articles", ledger.start("articles"))? {
        let article: Article = wire::decode(record.value.as_deref().unwrap_or_default())?;
        if article.run_id == ledger.run_id {
            ours.insert(article.article_id);
        }
    }
    Ok(ours)
}

pub fn unwritable(out: &Path) -> String {
    format!("the articles cannot be written to {}", out.display())
}

fn write_lines(articles: &[CanonicalArticle], out: &Path) -> Result<()> {
    let mut writer: BufWriter<Box<dyn Write>> = BufWriter::new(match out.to_str() {
        Some("-") => Box::new(stdout()),
        _ => Box::new(File::create(out)?),
    });
    for article in articles {
        writeln!(writer, "{}", serde_json::to_string(article)?)?;
    }
    Ok(writer.flush()?)
}

/// Whether the letter is of an original that a page declared: nobody asked for it.
fn is_claim(letter: &Record) -> bool {
    let value = letter.value.as_deref().unwrap_or_default();
    letter.origin.topic == "deadletters.fetcher"
        && wire::decode::<Request>(value).is_ok_and(|request| request.via == "canonical")
}
