//! A plain-text document to an extraction: reprints and pages saved as text.
//!
//! The document is a preamble (banners, labels, date, title, byline, caption), a story, and an epilogue (tags, appeals,
//! forms, related articles). The story begins at the first paragraph that reads like one; everything before it is
//! asked what it is.

use std::collections::HashSet;

use article::Verdict;

use crate::{
    dates::read_date,
    extraction::Extraction,
    language::language,
    original::find_original,
    people::credits,
    phrases::{Furniture, appeal_terms, furniture, is_appeal, is_caption},
    text::{ends_sentence, is_invisible, loose, sentence_count, squeeze, weight, word_count},
};

/// Lines before the story among which title, byline and date are looked for.
const MAX_PREAMBLE: usize = 40;

/// Extracts the article from text.
pub(crate) fn extract_plain(text: &str) -> Extraction {
    let mut out = Extraction::default();
    let mut text: String =
        text.replace("\r\n", "\n").replace('\r', "\n").chars().filter(|c| !is_invisible(*c)).collect();
    while let Some((url, range)) = find_original(&text) {
        text.replace_range(range, "\n");
        if !out.declared_original.contains(&url) {
            out.declared_original.push(url);
        }
        if out.declared_original.len() >= 4 {
            break;
        }
    }
    let paragraphs = paragraphs(&text);
    let start = paragraphs.iter().position(|p| begins_story(p)).unwrap_or(paragraphs.len());
    let (preamble, story) = paragraphs.split_at(start);
    read_preamble(&mut out, preamble);
    let title = out.title.as_deref().map(loose).unwrap_or_default();
    let mut kept: Vec<String> = Vec::new();
    let mut seen = HashSet::new();
    for paragraph in until_epilogue(story) {
        let is_title = !title.is_empty() && loose(paragraph) == title;
        if !is_title && belongs(paragraph) && seen.insert(paragraph) {
            kept.push(paragraph.clone());
        }
    }
    drop_pull_quotes(&mut kept);
    drop_trailing_lines(&mut kept);
    out.text = kept.join("\n\n");
    finish(&mut out, &kept);
    out
}

fn finish(out: &mut Extraction, kept: &[String]) {
    if out.title.is_some() {
        out.provenance.insert("title", "text");
    }
    if !out.text.is_empty() {
        out.provenance.insert("text", "text");
    }
    if let Some(found) = language(&out.text, []) {
        out.provenance.insert("language", found.source);
        out.language_confidence = found.confidence;
        out.language = Some(found.code);
    }
    let words = word_count(&out.text);
    out.evidence = vec![format!("{words} words in {} paragraphs of plain text", kept.len())];
    out.verdict = if words >= 25 { Verdict::Article } else { Verdict::Other };
}

/// Lines to paragraphs: wrapped lines are joined, a paragraph torn by an empty line is mended, escapes are undone.
fn paragraphs(text: &str) -> Vec<String> {
    let lines: Vec<String> = text.lines().map(|line| squeeze(&unescaped(line))).collect();
    let wrapped = is_hard_wrapped(&lines);
    let mut out: Vec<String> = Vec::new();
    let mut open = false;
    for line in lines {
        if line.is_empty() || line.chars().all(|c| matches!(c, '-' | '=' | '*' | '_' | ' ' | '#')) {
            open = false;
            continue;
        }
        match out.last_mut() {
            Some(last) if (open && wrapped) || continues(last, &line) => {
                if last.ends_with('-') && wrapped && line.starts_with(char::is_lowercase) {
                    last.push_str(&line);
                } else {
                    last.push(' ');
                    last.push_str(&line);
                }
            }
            _ => out.push(line),
        }
        open = true;
    }
    out
}

/// Markdown's backslash escapes, emphasis around a whole line, and heading marks.
fn unescaped(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match chars.peek() {
            Some(next) if c == '\\' && next.is_ascii_punctuation() => {
                out.push(*next);
                chars.next();
            }
            _ => out.push(c),
        }
    }
    let bare = out.trim();
    for mark in ["**", "__", "*", "_"] {
        if let Some(inner) = bare.strip_prefix(mark).and_then(|rest| rest.strip_suffix(mark))
            && !inner.is_empty()
            && !inner.contains(mark)
        {
            return inner.to_owned();
        }
    }
    bare.trim_start_matches('#').trim_start_matches('>').trim().to_owned()
}

/// Whether lines are broken at a column: many lines end alike, in mid sentence, none is long.
fn is_hard_wrapped(lines: &[String]) -> bool {
    let longest = lines.iter().map(|l| l.chars().count()).max().unwrap_or(0);
    if !(40..=120).contains(&longest) {
        return false;
    }
    let pairs = lines.windows(2).filter(|w| matches!(w, [a, b] if !a.is_empty() && !b.is_empty()));
    let (mut followed, mut broken) = (0, 0);
    for pair in pairs {
        if let [first, _] = pair {
            followed += 1;
            broken += usize::from(first.chars().count() * 10 >= longest * 6 && !ends_sentence(first));
        }
    }
    followed >= 3 && broken * 10 >= followed * 4
}

/// Whether a line goes on with the sentence that the paragraph before left open.
fn continues(last: &str, line: &str) -> bool {
    let open = !ends_sentence(last) && !last.ends_with([':', ';']) && word_count(last) >= 6;
    open && line.starts_with(char::is_lowercase) && furniture(line).is_none() && !is_caption(last)
}

/// Whether a paragraph reads like the story: long enough, in sentences, and not an appeal.
fn begins_story(paragraph: &str) -> bool {
    let long = weight(paragraph) >= 90 && ends_sentence(paragraph)
        || sentence_count(paragraph) >= 2 && weight(paragraph) >= 70;
    long && belongs(paragraph) && appeal_terms(paragraph) < 2
}

/// Whether a paragraph can be part of the story, seen alone.
fn belongs(paragraph: &str) -> bool {
    if is_caption(paragraph) {
        return false;
    }
    match furniture(paragraph) {
        None => true,
        Some(Furniture::ReadAlso | Furniture::RelatedHeading) => {
            word_count(paragraph) > 12 && ends_sentence(paragraph) && !paragraph.contains(':')
        }
        Some(_) => false,
    }
}

fn read_preamble(out: &mut Extraction, preamble: &[String]) {
    let tail = preamble.len().saturating_sub(MAX_PREAMBLE);
    let preamble = preamble.get(tail..).unwrap_or_default();
    // What stands above an appeal is its banner, where anything that could be a title stands below.
    let banner =
        preamble.iter().rposition(|line| is_appeal(line) || furniture(line) == Some(Furniture::Appeal));
    let banner = banner
        .filter(|&at| preamble.iter().skip(at + 1).any(|line| word_count(line) >= 3 && is_headline(line)));
    for (at, line) in preamble.iter().enumerate() {
        let words = word_count(line);
        if out.published.is_none()
            && words <= 9
            && let Some(moment) = line_date(line)
        {
            out.published = Some(moment);
            out.provenance.insert("published_at", "text");
            if words <= 6 {
                continue;
            }
        }
        if let Some(byline) = byline(line) {
            let found = credits([line.as_str()]);
            out.authors = found.names;
            out.agency = found.agency;
            out.byline = Some(byline);
            for field in ["byline", "authors"] {
                out.provenance.insert(field, "text");
            }
            continue;
        }
        let is_other = is_caption(line)
            || furniture(line).is_some()
            || is_appeal(line)
            || line_date(line).is_some() && words <= 10;
        if is_other || words < 3 || banner.is_some_and(|banner| at <= banner) {
            continue;
        }
        match &out.title {
            None if is_headline(line) => out.title = Some(line.clone()),
            Some(_) if out.subtitle.is_none() && words >= 5 => out.subtitle = Some(line.clone()),
            _ => {}
        }
    }
}

fn is_headline(line: &str) -> bool {
    weight(line) <= 250
        && (!line.ends_with('.') || line.ends_with("..."))
        && !is_caption(line)
        && furniture(line).is_none()
        && byline(line).is_none()
}

/// A line that is a date, with a label or a weekday around it at most.
fn line_date(line: &str) -> Option<article::Moment> {
    let bare = line.trim_start_matches(|c: char| !c.is_alphanumeric());
    let first = bare.split_whitespace().find(|w| w.starts_with(|c: char| c.is_ascii_digit()));
    first.and_then(|word| article::Moment::parse(word).ok()).or_else(|| read_date(bare, false))
}

fn byline(line: &str) -> Option<String> {
    const OPENINGS: &[&str] = &[
        "by ",
        "von ",
        "par ",
        "por ",
        "di ",
        "door ",
        "av ",
        "written by ",
        "автор:",
        "text: ",
        "author: ",
        "autor: ",
        "reporting by ",
    ];
    let lower = line.to_lowercase();
    let opens =
        OPENINGS.iter().any(|o| lower.starts_with(o)) && word_count(line) <= 12 && !ends_sentence(line);
    let found = opens.then(|| credits([line]))?;
    (!found.names.is_empty() || found.agency.is_some()).then(|| line.to_owned())
}

/// The story up to where its furniture begins for good.
fn until_epilogue(story: &[String]) -> &[String] {
    let total: usize = story.iter().map(|p| weight(p)).sum();
    let last_prose = story.iter().rposition(|p| is_prose_of_weight(p)).unwrap_or(0);
    let mut before = 0;
    for (i, paragraph) in story.iter().enumerate() {
        let opens = match furniture(paragraph) {
            Some(Furniture::RelatedHeading | Furniture::Comments | Furniture::Author) => before * 2 >= total,
            Some(Furniture::Appeal | Furniture::Tags | Furniture::Legal) => before * 3 >= total,
            _ => false,
        };
        if opens && before > 0 && i >= last_prose {
            return story.get(..i).unwrap_or_default();
        }
        before += weight(paragraph);
    }
    story
}

/// A paragraph too substantial for a card that points to another article.
fn is_prose_of_weight(paragraph: &str) -> bool {
    belongs(paragraph)
        && appeal_terms(paragraph) < 2
        && (weight(paragraph) >= 220 || sentence_count(paragraph) >= 2 && weight(paragraph) >= 160)
}

/// Short paragraphs whose words another one has in a row.
fn drop_pull_quotes(paragraphs: &mut Vec<String>) {
    const REACH: usize = 40;
    let keys: Vec<String> = paragraphs.iter().map(|p| loose(p)).collect();
    let mut next = 0;
    paragraphs.retain(|_| {
        let at = next;
        next += 1;
        let Some(key) = keys.get(at) else { return true };
        let near = || keys.iter().skip(at.saturating_sub(REACH)).take(2 * REACH + 1);
        let repeated = || near().any(|other| other.len() > key.len() && other.contains(key.as_str()));
        !(key.len() < 300 && word_count(key) >= 3 && repeated())
    });
}

/// Lines after the last sentence: leftovers of buttons and labels.
fn drop_trailing_lines(paragraphs: &mut Vec<String>) {
    while paragraphs.last().is_some_and(|last| !ends_sentence(last) && word_count(last) <= 3)
        && paragraphs.len() > 1
    {
        paragraphs.pop();
    }
}
