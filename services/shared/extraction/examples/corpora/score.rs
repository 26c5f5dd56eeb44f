//! Scores the extractor on recorded pages: bodies by runs of words or by snippets, titles exactly and loosely, authors as a
//! set, dates by day and by instant, and the cost. Each field only where the truth has it.

use std::{
    collections::BTreeSet,
    error::Error,
    io::{IsTerminal, Write},
    time::Duration,
};

use article::{Moment, Precision};
use extraction::{Extraction, extract_html};
use unicode_normalization::UnicodeNormalization;

use crate::{
    cost::{Cost, cost},
    floors::{FLOORS, MAX_COST, MAX_MEMORY},
    page::{Page, Truth, read},
    runs::{Mean, f1, overlap, words},
};

/// Sums over a corpus' pages.
#[derive(Default)]
struct Sums {
    precision: Mean,
    recall: Mean,
    snippet_precision: Mean,
    snippet_recall: Mean,
    title: Mean,
    title_loose: Mean,
    authors: Mean,
    day: Mean,
    instant: Mean,
}

/// Scores all files, prints the table, and says whether every figure is above its floor.
pub fn run(files: &[&str]) -> Result<bool, Box<dyn Error>> {
    let mut out = std::io::stdout();
    let mut below = Vec::new();
    let mut costs = Vec::new();
    for path in files {
        let corpus = read(path)?;
        let mut sums = Sums::default();
        for (i, page) in corpus.pages.iter().enumerate() {
            progress(&corpus.name, i, corpus.pages.len())?;
            let given = extraction::Page {
                bytes: page.html.as_bytes(),
                url: Some(&page.url),
                content_type: Some("text/html; charset=utf-8"),
                ..extraction::Page::default()
            };
            sums.add(page, &extract_html(&given));
            costs.push(cost(&given, &page.html));
        }
        progress(&corpus.name, 0, 0)?;
        write!(out, "{:<12} pages {}", corpus.name, corpus.pages.len())?;
        let figures = sums.figures();
        for (name, value) in &figures {
            write!(out, "  {name} {value:.3}")?;
        }
        for (_, name, floor) in FLOORS.iter().filter(|(of, ..)| *of == corpus.name) {
            match figures.iter().find(|(figure, _)| figure == name) {
                Some((_, value)) if value >= floor => {}
                Some((_, value)) => {
                    below.push(format!("{} {name} is {value:.4}, below its floor of {floor}", corpus.name));
                }
                None => below.push(format!("{} {name} has a floor and was not measured", corpus.name)),
            }
        }
        writeln!(out)?;
    }
    let (ratio, memory) = (ratio(&costs), percentile(&mut costs, 99));
    let (median, most) = (percentile(&mut costs, 50), percentile(&mut costs, 100));
    writeln!(
        out,
        "cost         CPU {ratio:.2} x scraper's parse  memory in pages: median {median:.1}, p99 {memory:.1}, most {most:.1}"
    )?;
    if ratio > MAX_COST {
        below.push(format!("CPU is {ratio:.2} times scraper's parse, more than {MAX_COST}"));
    }
    if memory > MAX_MEMORY {
        below.push(format!("memory (p99) is {memory:.1} times the page, more than {MAX_MEMORY}"));
    }
    for line in &below {
        writeln!(out, "{line}")?;
    }
    Ok(below.is_empty())
}

/// A line that stays, where somebody watches.
fn progress(corpus: &str, done: usize, of: usize) -> std::io::Result<()> {
    let mut progress = std::io::stderr();
    if !progress.is_terminal() {
        return Ok(());
    }
    if of == 0 {
        write!(progress, "\r\x1b[K")?
    } else {
        write!(progress, "\r{corpus} {done}/{of}")?
    }
    progress.flush()
}

fn ratio(costs: &[Cost]) -> f64 {
    let sum = |of: fn(&Cost) -> Duration| costs.iter().map(of).sum::<Duration>().as_secs_f64();
    sum(|cost| cost.extract) / sum(|cost| cost.parse)
}

fn percentile(costs: &mut [Cost], percent: usize) -> f64 {
    costs.sort_by(|a, b| a.memory.total_cmp(&b.memory));
    costs
        .get((costs.len() * percent / 100).min(costs.len().saturating_sub(1)))
        .map_or(0.0, |cost| cost.memory)
}

impl Sums {
    fn add(&mut self, page: &Page, found: &Extraction) {
        let Truth { text, with, without, title, authors, date } = &page.truth;
        if !text.is_empty() {
            let (right, said, wanted) = overlap(&found.text, text);
            self.precision.add_ratio(right, said);
            self.recall.add_ratio(right, wanted);
        }
        let flat = squeeze(&found.text);
        let has = |snippets: &[String]| snippets.iter().filter(|s| flat.contains(&squeeze(s))).count() as f64;
        let right = has(with);
        self.snippet_precision.add(right, right + has(without));
        self.snippet_recall.add(right, with.len() as f64);
        if let Some(title) = title.as_deref().filter(|title| !title.is_empty()) {
            let answer = found.title.as_deref().unwrap_or_default();
            self.title.add_case(squeeze(title) == squeeze(answer));
            self.title_loose.add_case(loose(title) == loose(answer));
        }
        if !authors.is_empty() {
            let set = |names: &[String]| {
                names.iter().map(|n| loose(n)).filter(|n| !n.is_empty()).collect::<BTreeSet<_>>()
            };
            let (truth, answer) = (set(authors), set(&found.authors));
            let both = truth.intersection(&answer).count() as f64;
            // Nobody named by either is agreement.
            let all = truth.len() + answer.len();
            self.authors.add(if all == 0 { 1.0 } else { 2.0 * both / all as f64 }, 1.0);
        }
        if let Some(wanted) = date.as_deref().and_then(moment) {
            let day = |moment: Moment| moment.date();
            self.day.add_case(found.published.map(day) == Some(day(wanted)));
            if wanted.precision() == Precision::Instant {
                let near = |answer: Moment| {
                    answer.precision() == Precision::Instant
                        && answer.as_millis().abs_diff(wanted.as_millis()) < 60_000
                };
                self.instant.add_case(found.published.is_some_and(near));
            }
        }
    }

    /// Those that the corpus has.
    fn figures(&self) -> Vec<(&'static str, f64)> {
        let pair = |precision: Mean, recall: Mean| Some((precision.get()?, recall.get()?));
        let mut figures = Vec::new();
        if let Some((precision, recall)) = pair(self.precision, self.recall) {
            figures.extend([("F1", f1(precision, recall)), ("precision", precision), ("recall", recall)]);
        }
        if let Some((precision, recall)) = pair(self.snippet_precision, self.snippet_recall) {
            figures.push(("snippet F1", f1(precision, recall)));
        }
        let fields = [
            ("title", self.title),
            ("title loose", self.title_loose),
            ("authors", self.authors),
            ("day", self.day),
            ("instant", self.instant),
        ];
        figures.extend(fields.into_iter().filter_map(|(name, mean)| Some((name, mean.get()?))));
        figures
    }
}

fn moment(date: &str) -> Option<Moment> {
    Moment::parse(date.trim()).or_else(|_| Moment::parse(date.trim().get(..10).unwrap_or_default())).ok()
}

fn squeeze(text: &str) -> String {
    text.nfc().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Without punctuation and case.
fn loose(text: &str) -> String {
    words(&squeeze(text).to_lowercase().replace('ß', "ss")).join(" ")
}
