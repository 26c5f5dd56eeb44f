//! *prepare*: the part of the work that concerns one article alone.

use article::{CanonicalUrl, Moment, Verdict};
use neardup::Document;
use pipeline::{DeadLetter, Inputs, LogError, Output, Record, Role, Stage, Step};
use prost::Message;
use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};
use wire::{Article, ParagraphSketch, Prepared, Publisher, Topic};

use crate::{DEAD_LETTERS, Languages, dateline, facts};

/// Reads `articles`, keeps nothing.
pub const PREPARE_ROLE: Role = Role {
    name: "prepare",
    input: "articles",
    dead_letters: DEAD_LETTERS,
    state_version: None,
    numbered: &[],
};

/// The stage that prepares.
#[derive(Debug, Default)]
pub struct Prepare {
    /// Which languages have deciders of their own.
    pub languages: Languages,
}

impl Stage for Prepare {
    fn process(&mut self, inputs: &Inputs, step: &mut Step) -> Result<(), LogError> {
        for record in &inputs.records {
            match read(record) {
                Ok(article) if article.withdrawal.is_some() || is_publishable(&article) => {
                    let partitions = self.languages.partitions_of(&article);
                    let prepared = match article.withdrawal {
                        Some(_) => Prepared { article: Some(article), ..Prepared::default() },
                        None => prepare(article),
                    };
                    let output = output(prepared, record);
                    for partition in partitions {
                        step.emit(Output { partition: Some(partition), ..output.clone() });
                    }
                }
                Ok(article) => {
                    let detail =
                        format!("{} is judged {}, which is no article", article.url, article.verdict);
                    step.dead_letter(DeadLetter::of(record, "not_an_article", detail));
                }
                Err(detail) => step.dead_letter(DeadLetter::of(record, "malformed", detail)),
            }
        }
        Ok(())
    }
}

/// Consent walls, challenges and the like form no clusters, whoever sends them; an article may come without a verdict.
fn is_publishable(article: &Article) -> bool {
    article.verdict.is_empty() || article.verdict.parse().is_ok_and(Verdict::is_publishable)
}

fn read(record: &Record) -> Result<Article, String> {
    let value =
        record.value.as_ref().ok_or("an article record without a value; articles takes no tombstones")?;
    let article: Article = wire::decode(value).map_err(|cause| cause.to_string())?;
    if article.article_id.is_empty() {
        return Err("an article without an article_id; its producer must set one".to_owned());
    }
    Ok(article)
}

fn output(prepared: Prepared, came_of: &Record) -> Output {
    let article = prepared.article.as_ref();
    let id = article.map(|article| article.article_id.clone()).unwrap_or_default();
    let run_id = article.map(|article| article.run_id.as_str()).unwrap_or_default();
    // An article may come again: the record it came of tells its preparations apart.
    let event_id = format!("{id}/{}-{}", came_of.origin.partition, came_of.origin.offset);
    Output {
        topic: Topic::Prepared.name(),
        partition: None,
        headers: wire::headers("Prepared", &event_id, "prepare", run_id, &came_of.headers),
        key: id.into(),
        value: Some(prepared.encode_to_vec().into()),
    }
}

/// Cleans an article and takes its text's fingerprints. What is said of it elsewhere is left as it is.
pub fn prepare(mut article: Article) -> Prepared {
    // Nearly every text is clean as it comes.
    if !is_clean_body(&article.body_text) {
        article.body_text = clean_body(&article.body_text);
    }
    for line in [&mut article.headline, &mut article.subheadline, &mut article.summary] {
        if !is_clean(line) {
            *line = clean_paragraph(line);
        }
    }
    part_dateline(&mut article);
    settle_date(&mut article);
    settle_publisher(&mut article);
    let document = Document::read(&article.body_text);
    let paragraphs = document.paragraphs.into_iter().map(|paragraph| ParagraphSketch {
        hash: paragraph.hash,
        words: paragraph.words,
        fives: paragraph.five,
        threes: paragraph.three,
        figures: paragraph.figures,
    });
    Prepared {
        exact_hash: document.text_hash.0.to_be_bytes().to_vec().into(),
        paragraphs: paragraphs.collect(),
        article: Some(article),
    }
}

/// Takes the dateline out of the text. Where both name an agency, what the page says counts.
fn part_dateline(article: &mut Article) {
    let (first, rest) = article.body_text.split_once("\n\n").unwrap_or((&article.body_text, ""));
    let Some((opening, text)) = dateline::split(first) else { return };
    let paragraphs = [text, rest].into_iter().filter(|paragraph| !paragraph.is_empty());
    let body = paragraphs.collect::<Vec<_>>().join("\n\n");
    if body.is_empty() {
        return;
    }
    for (field, found) in [(&mut article.dateline, opening.dateline), (&mut article.agency, opening.agency)] {
        if field.is_empty() {
            *field = found;
        }
    }
    article.body_text = body;
}

/// A date that is none is no date, nor is one that cannot be right; its precision is what it shows.
fn settle_date(article: &mut Article) {
    if article.published_at.is_empty() {
        article.published_precision.clear();
        return;
    }
    match Moment::parse(&article.published_at) {
        Ok(moment) if facts::is_plausible(&moment, article) => {
            article.published_at = moment.to_string();
            article.published_precision = moment.precision().as_str().to_owned();
        }
        Ok(moment) => {
            leave_out_date(article, &format!("{moment} is before 1990 or after the article was read"))
        }
        Err(error) => leave_out_date(article, &error.to_string()),
    }
}

fn leave_out_date(article: &mut Article, because: &str) {
    article.warnings.push(format!("published_at left out: {because}"));
    article.published_at.clear();
    article.published_precision.clear();
}

fn settle_publisher(article: &mut Article) {
    let publisher = article.publisher.get_or_insert_with(Publisher::default);
    if publisher.domain.is_empty()
        && let Ok(url) = CanonicalUrl::parse(&article.url)
    {
        publisher.domain = url.registrable_domain().to_owned();
    }
}

/// Paragraphs joined by a blank line, none empty, each on one line.
fn clean_body(text: &str) -> String {
    let text = text.replace("\r\n", "\n");
    let is_flowing = text.trim().lines().any(|line| line.trim().is_empty());
    let mut paragraphs = vec![String::new()];
    for line in text.lines() {
        if line.trim().is_empty() || !is_flowing {
            paragraphs.push(String::new());
        }
        if let Some(paragraph) = paragraphs.last_mut() {
            paragraph.push_str(line);
            paragraph.push(' ');
        }
    }
    let cleaned = paragraphs.iter().map(|paragraph| clean_paragraph(paragraph));
    cleaned.filter(|paragraph| !paragraph.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// Whether a text surely is as [`clean_body`] would have it.
fn is_clean_body(text: &str) -> bool {
    let mut lines = text.split('\n').enumerate();
    !text.ends_with('\n')
        && lines.all(|(at, line)| if at % 2 == 0 { is_clean(line) } else { line.is_empty() })
}

/// Whether a paragraph surely is as [`clean_paragraph`] would have it, and not empty.
fn is_clean(text: &str) -> bool {
    if text.is_ascii() {
        // Folded, not searched: without a way out of the loop it is done for many bytes at a time.
        let bytes = text.as_bytes();
        let is_kept = bytes
            .iter()
            .fold(true, |is_kept, byte| is_kept & (b' '..=b'~').contains(byte) & (*byte != b'\\'));
        let pairs = bytes.iter().zip(bytes.iter().skip(1));
        let is_spaced = pairs.fold(false, |is_spaced, pair| is_spaced | (pair == (&b' ', &b' ')));
        let is_indented = text.starts_with(' ') || text.ends_with(' ');
        return is_kept && !text.is_empty() && !is_spaced && !is_indented;
    }
    let mut before = ' ';
    let is_kept = |c: char| {
        let follows_space = std::mem::replace(&mut before, c) == ' ';
        // Below U+0300 nothing combines; U+2010 to U+2027 are dashes and quotes.
        matches!(c, '!'..='[' | ']'..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{2ff}' | '\u{2010}'..='\u{2027}')
            || c == ' ' && !follows_space
    };
    text.chars().all(is_kept) && before != ' '
}

/// NFC; white space squeezed; no soft hyphens, byte-order marks, control characters or stray Markdown escapes (`\$`).
fn clean_paragraph(text: &str) -> String {
    // Nearly every text is in that form as it is.
    if is_nfc_quick(text.chars()) == IsNormalized::Yes {
        squeezed(text.chars(), text.len())
    } else {
        squeezed(text.nfc(), text.len())
    }
}

fn squeezed(chars: impl Iterator<Item = char>, bytes: usize) -> String {
    let mut cleaned = String::with_capacity(bytes);
    let mut chars = chars.peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{ad}' | '\u{200b}' | '\u{2060}' | '\u{feff}' => {}
            '\\' if chars.peek().is_some_and(|next| "$*_#`[]()<>~|!".contains(*next)) => {}
            c if c.is_whitespace() || c.is_control() => {
                if !cleaned.is_empty() && !cleaned.ends_with(' ') {
                    cleaned.push(' ');
                }
            }
            c => cleaned.push(c),
        }
    }
    cleaned.truncate(cleaned.trim_end().len());
    cleaned
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bodies_are_paragraphs_joined_by_a_blank_line() {
        for (text, expected) in [
            ("One line,\r\nwrapped  hard.\r\n\r\n\r\nThe next.\n", "One line, wrapped hard.\n\nThe next."),
            ("First.\nSecond.", "First.\n\nSecond."),
            (r"Worth \$400 billion, a\b", r"Worth $400 billion, a\b"),
            ("co\u{ad}operation\u{a0}e\u{301}", "cooperation é"),
            (" \n\n ", ""),
        ] {
            assert_eq!(clean_body(text), expected, "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_clean_stays_as_it_is(text in "([a-z .,\\\\$é—’\u{ad}\u{a0}\u{301}\u{200b}\t\n]|\n\n|\\PC){0,12}") {
            prop_assert!(!is_clean(&text) || is_clean_body(&text));
            if is_clean_body(&text) {
                prop_assert_eq!(clean_body(&text), text);
            }
        }
    }

    #[test]
    fn a_dateline_leaves_the_text() {
        let read = |body_text: &str, agency: &str| {
            let article =
                Article { body_text: body_text.into(), agency: agency.into(), ..Article::default() };
            let prepared = prepare(article);
            let article = prepared.article.unwrap();
            (article.dateline, article.agency, article.body_text, prepared.exact_hash)
        };
        let plain = read("Trains ran.\n\nBuses did not.", "");
        let opened = read("PARIS, March 3 (AFP) — Trains ran.\n\nBuses did not.", "");
        assert_eq!((opened.0.as_str(), opened.1.as_str()), ("PARIS, March 3", "AFP"));
        assert_eq!((&opened.2, &opened.3), (&plain.2, &plain.3), "the same text with and without");
        assert_eq!(read("ANKARA/AA\n\nTrains ran.", "Anadolu").1, "Anadolu");
        assert_eq!(read("ANKARA/AA\n\nTrains ran.", "").2, "Trains ran.");
        assert_eq!(read("ANKARA/AA", "").2, "ANKARA/AA", "a text is not emptied");
    }

    #[test]
    fn dates_that_cannot_be_right_are_left_out_and_told() {
        let seen_at_ms = 1_800_000_000_000;
        for (published_at, is_wrong) in [
            ("2027-01-15T08:00:00Z", false),
            ("2027-01-16T07:00:00+09:00", false),
            ("2027-01-16T09:00:00Z", true),
            ("2027-02-01", true),
            ("1990-01-01", false),
            ("1989-12-31", true),
        ] {
            let article = Article { published_at: published_at.into(), seen_at_ms, ..Article::default() };
            let article = prepare(article).article.unwrap();
            assert_eq!(article.published_at, if is_wrong { "" } else { published_at });
            assert_eq!(article.published_precision.is_empty(), is_wrong);
            let told = article.warnings.iter().any(|warning| warning.contains(published_at));
            assert_eq!(told, is_wrong, "{published_at}: {:?}", article.warnings);
        }
        for (seen_at_ms, fetched_at_ms) in [(1, 1_900_000_000_000), (0, 0)] {
            let published_at = "2027-02-01".to_owned();
            let article = Article { published_at, seen_at_ms, fetched_at_ms, ..Article::default() };
            assert_eq!(prepare(article).article.unwrap().published_at, "2027-02-01");
        }
    }

    #[test]
    fn facts_are_settled() {
        let article = |published_at: &str| Article {
            url: "https://www.harbour-post.example.co.uk/a".into(),
            published_at: published_at.into(),
            published_precision: "instant".into(),
            seen_at_ms: 1_800_000_000_000,
            ..Article::default()
        };
        let prepared = prepare(article("20150319")).article.unwrap();
        assert_eq!(
            (prepared.published_at.as_str(), prepared.published_precision.as_str()),
            ("2015-03-19", "day")
        );
        assert_eq!(prepared.publisher.unwrap().domain, "example.co.uk");
        let undated = prepare(article("yesterday")).article.unwrap();
        assert_eq!((undated.published_at.as_str(), undated.published_precision.as_str()), ("", ""));
        assert!(
            undated.warnings.iter().any(|warning| warning.contains("yesterday")),
            "{:?}",
            undated.warnings
        );
    }
}
