//! Scores the extractor on recorded pages: bodies by runs of words or by snippets, titles exactly and loosely, authors as a
//! set, dates by day and by instant, and the cost. Each field only where the truth has it.

use std::{
    collections::BTreeSet,
    error::Error,
    io::{IsTerminal, Write},
};

use article::{Moment, Precision};
use extraction::{Extraction, extract_html};
use unicode_normalization::UnicodeNormalization;

use crate::{
    cost::{cost, memory, ratio},
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

/// How right one page's body is.
struct Body {
    f1: f64,
    precision: f64,
    recall: f64,
}

/// Scores all files, prints the table and each corpus' `worst` bodies, and says whether every figure is above its floor.
pub fn run(files: &[&str], worst: usize) -> Result<bool, Box<dyn Error>> {
    let mut out = std::io::stdout();
    let mut below = Vec::new();
    let mut costs = Vec::new();
    for path in files {
        let corpus = read(path)?;
        let mut sums = Sums::default();
        let mut bodies = Vec::new();
        let first = costs.len();
        for (i, page) in corpus.pages.iter().enumerate() {
            progress(&corpus.name, i, corpus.pages.len())?;
            let given = extraction::Page {
                bytes: page.html.as_bytes(),
                url: Some(&page.url),
                content_type: Some("text/html; charset=utf-8"),
                ..extraction::Page::default()
            };
            let body = sums.add(&page.truth, &extract_html(&given));
            bodies.extend(body.map(|body| (body, page)));
            costs.push(cost(&given, &page.html)?);
        }
        progress(&corpus.name, 0, 0)?;
        write!(out, "{:<12} pages {}", corpus.name, corpus.pages.len())?;
        let figures = sums.figures();
        for (name, value) in &figures {
            write!(out, "  {name} {value:.3}")?;
        }
        writeln!(out, "  CPU {:.2}", ratio(costs.get(first..).unwrap_or_default()))?;
        for (_, name, floor) in FLOORS.iter().filter(|(of, ..)| *of == corpus.name) {
            match figures.iter().find(|(figure, _)| figure == name) {
                Some((_, value)) if value >= floor => {}
                Some((_, value)) => {
                    below.push(format!("{} {name} is {value:.4}, below its floor of {floor}", corpus.name));
                }
                None => below.push(format!("{} {name} has a floor and was not measured", corpus.name)),
            }
        }
        bodies.sort_by(|(a, _), (b, _)| a.f1.total_cmp(&b.f1));
        for (Body { f1, precision, recall }, Page { id, url, .. }) in bodies.iter().take(worst) {
            writeln!(out, "  F1 {f1:.3}  precision {precision:.3}  recall {recall:.3}  {id}  {url}")?;
        }
    }
    let ratio = ratio(&costs);
    let [median, p99, most] = [50, 99, 100].map(|percent| memory(&mut costs, percent));
    writeln!(
        out,
        "cost         CPU {ratio:.2} x scraper's parse  memory in pages: median {median:.1}, p99 {p99:.1}, most {most:.1}"
    )?;
    if ratio > MAX_COST {
        below.push(format!("CPU is {ratio:.2} times scraper's parse, more than {MAX_COST}"));
    }
    if p99 > MAX_MEMORY {
        below.push(format!("memory (p99) is {p99:.1} times the page, more than {MAX_MEMORY}"));
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

impl Sums {
    /// Adds a page, and says how right its body is, if that is known.
    fn add(&mut self, truth: &Truth, found: &Extraction) -> Option<Body> {
        let Truth { text, with, without, title, authors, date } = truth;
        let mut body = None;
        let flat = squeeze(&found.text);
        let has = |snippets: &[String]| snippets.iter().filter(|s| flat.contains(&squeeze(s))).count() as f64;
        let right = has(with);
        let said = right + has(without);
        self.snippet_precision.add(right, said);
        self.snippet_recall.add(right, with.len() as f64);
        if !with.is_empty() || !without.is_empty() {
            body = Some(Body::of(right, said, with.len() as f64));
        }
        if !text.is_empty() {
            let (right, said, wanted) = overlap(&found.text, text);
            self.precision.add_ratio(right, said);
            self.recall.add_ratio(right, wanted);
            body = Some(Body::of(right, said, wanted));
        }
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
        body
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

impl Body {
    fn of(right: f64, said: f64, wanted: f64) -> Self {
        let share = |of: f64| if of > 0.0 { right / of } else { 1.0 };
        let (precision, recall) = (share(said), share(wanted));
        Self { f1: f1(precision, recall), precision, recall }
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The figures of one page.
    fn figures(truth: &Truth, found: &Extraction) -> Vec<(&'static str, f64)> {
        let mut sums = Sums::default();
        sums.add(truth, found);
        sums.figures()
    }

    fn list(items: &[&str]) -> Vec<String> {
        items.iter().map(|item| (*item).to_owned()).collect()
    }

    #[test]
    fn what_the_truth_does_not_know_is_not_measured() {
        let found =
            Extraction { text: "a b".to_owned(), title: Some("c".to_owned()), ..Extraction::default() };
        assert_eq!(figures(&Truth::default(), &found), []);
    }

    #[test]
    fn bodies_are_compared_by_runs() {
        let truth = Truth { text: "a b c d e f g".to_owned(), ..Truth::default() };
        for (text, expected) in [
            ("a b c d e f g", [("F1", 1.0), ("precision", 1.0), ("recall", 1.0)]),
            ("a b c d e", [("F1", 2.0 / 3.0), ("precision", 1.0), ("recall", 0.5)]),
        ] {
            let found = Extraction { text: text.to_owned(), ..Extraction::default() };
            assert_eq!(figures(&truth, &found), expected, "{text}");
        }
        let nothing = figures(&truth, &Extraction::default());
        assert_eq!(nothing, [], "a precision is of what was said");
    }

    #[test]
    fn snippets_are_found_whatever_their_spaces() {
        let truth = Truth {
            with: list(&["the  old pier", "in May"]),
            without: list(&["Read more", "Share"]),
            ..Truth::default()
        };
        for (text, expected) in [
            ("To repair the\nold pier in May.", 1.0),
            ("To repair the old pier.", 2.0 / 3.0),
            ("The old pier. Read more. In May.", 0.0),
            ("To repair the old pier in May. Read more.", 0.8),
        ] {
            let found = Extraction { text: text.to_owned(), ..Extraction::default() };
            let measured = figures(&truth, &found).into_iter().find(|(name, _)| *name == "snippet F1");
            assert!(measured.is_some_and(|(_, f1)| (f1 - expected).abs() < 1e-12), "{text}: {measured:?}");
        }
    }

    #[test]
    fn titles_are_compared_exactly_and_loosely() {
        let truth = Truth { title: Some("Große Pläne: “the pier”".to_owned()), ..Truth::default() };
        for (title, exact, loosely) in [
            (Some("Große  Pläne: “the pier” "), 1.0, 1.0),
            (Some("GROSSE PLÄNE – the pier"), 0.0, 1.0),
            (Some("Große Pläne"), 0.0, 0.0),
            (None, 0.0, 0.0),
        ] {
            let found = Extraction { title: title.map(str::to_owned), ..Extraction::default() };
            assert_eq!(figures(&truth, &found), [("title", exact), ("title loose", loosely)], "{title:?}");
        }
    }

    #[test]
    fn authors_are_compared_as_sets() {
        let truth = Truth { authors: list(&["Ann Able", "Ben Baker"]), ..Truth::default() };
        for (authors, expected) in [
            (list(&["ben baker", "Ann  Able"]), 1.0),
            (list(&["Ann Able"]), 2.0 / 3.0),
            (list(&["Ann Able", "Ann Able", "Cal Carter"]), 0.5),
            (Vec::new(), 0.0),
        ] {
            let found = Extraction { authors, ..Extraction::default() };
            assert_eq!(figures(&truth, &found), [("authors", expected)], "{:?}", found.authors);
        }
        let nobody = Truth { authors: list(&["–"]), ..Truth::default() };
        assert_eq!(figures(&nobody, &Extraction::default()), [("authors", 1.0)]);
    }

    #[test]
    fn dates_are_compared_by_day_and_by_instant() {
        let (day, instant) =
            (|right| vec![("day", right)], |day, instant| vec![("day", day), ("instant", instant)]);
        for (date, found, expected) in [
            ("2024-03-05", "2024-03-05T10:00:00Z", day(1.0)),
            ("2024-03-05", "2024-03-06", day(0.0)),
            ("2024-03-05T10:00:00Z", "2024-03-05T11:00:30+01:00", instant(1.0, 1.0)),
            ("2024-03-05T10:00:00Z", "2024-03-05T10:01:00Z", instant(1.0, 0.0)),
            ("2024-03-05T10:00:00Z", "2024-03-05", instant(1.0, 0.0)),
            ("2024-03-05 about ten", "2024-03-05", day(1.0)),
            ("some day", "2024-03-05", Vec::new()),
        ] {
            let truth = Truth { date: Some(date.to_owned()), ..Truth::default() };
            let found = Extraction { published: Moment::parse(found).ok(), ..Extraction::default() };
            assert_eq!(figures(&truth, &found), expected, "{date}");
        }
    }

    #[test]
    fn a_body_is_as_right_as_its_shares() {
        for ((right, said, wanted), expected) in [
            ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
            ((0.0, 0.0, 2.0), (0.0, 1.0, 0.0)),
            ((1.0, 1.0, 2.0), (2.0 / 3.0, 1.0, 0.5)),
            ((0.0, 3.0, 2.0), (0.0, 0.0, 0.0)),
        ] {
            let Body { f1, precision, recall } = Body::of(right, said, wanted);
            assert_eq!((f1, precision, recall), expected);
        }
    }
}
