//! Dates that a page shows, the likeliest to be the article's first.

use article::Moment;
use jiff::civil;

use crate::{
    body::Body,
    dates::{Dated, Label, dates_in, read_dated},
    declared::Declared,
    marks::Marks,
    text::squeeze,
    tree::{Content, Outline, attr},
};

/// A date, where it was found, and how far it is from where an article's date stands.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shown {
    pub dated: Dated,
    pub source: &'static str,
    pub cost: i64,
    /// Whether the text beside it gave its label, and not a class name.
    is_said: bool,
    /// Whether it stands in something that the article quotes or tabulates.
    is_quoted: bool,
}

impl Shown {
    pub fn account(&self) -> (Moment, &'static str) {
        (self.dated.moment, self.source)
    }

    /// Beside the headline or the byline, where an article's own date stands.
    pub fn is_near(&self) -> bool {
        let reach = if self.is_told() { NEAR - SAID_PUBLISHED } else { NEAR };
        !self.is_quoted && self.cost < reach
    }

    /// Whether the text says that it is the day of publication.
    fn is_told(&self) -> bool {
        self.is_said && self.dated.label == Some(Label::Published)
    }
}

/// Costs of what speaks against a date, in nodes of distance.
const ABOVE: i64 = 30;
const INSIDE: i64 = 110;
const BELOW: i64 = 150;
const IN_PROSE: i64 = 150;
const ELSEWHERE: i64 = 300;
const SAID_PUBLISHED: i64 = -60;
/// Below this a date stands beside the headline or the byline.
const NEAR: i64 = 150;
/// Beyond this a date belongs to something else.
const MAX_COST: i64 = 700;
/// Dates that are said to be one thing or the other.
const MAX_SAID: usize = 16;
/// Bytes of a line that is more than a date and a name.
const LONG_LINE: usize = 80;

/// All dates shown around the article, in `<time>`, in elements marked as dates, and in short lines.
pub(crate) fn shown(
    declared: &Declared,
    outline: &Outline,
    marks: &[Marks],
    body: &Body,
    month_first: bool,
) -> Vec<Shown> {
    let first = body.first_node.unwrap_or(0);
    let last = body.last_nodes.map_or(first, |(last, _)| last);
    let head = body.headline.unwrap_or(first).min(first);
    let distance = |at: usize| {
        let (nodes, cost) = match at {
            at if at < head => (head - at, ABOVE),
            at if at <= first => ((first - at).min(at - head), 0),
            at if at <= last => (at - first, INSIDE),
            at => (at - last, BELOW),
        };
        i64::try_from(nodes).unwrap_or(i64::MAX / 2) + cost
    };
    let elsewhere = Marks::COMMENTS.with(Marks::RELATED);
    let is_elsewhere = |at: usize| {
        std::iter::once(at)
            .chain(outline.ancestors(at))
            .any(|a| marks.get(a).is_some_and(|m| m.has(elsewhere)))
    };
    let mut found = Vec::new();
    let mut add = |at: usize, dated: Dated, source: &'static str, cost: i64, is_said: bool| {
        if dated.label == Some(Label::Other) {
            return;
        }
        let mut cost = cost + distance(at);
        if dated.label == Some(Label::Published) {
            cost += SAID_PUBLISHED;
        }
        if cost < MAX_COST && !(head..=first).contains(&at) && is_elsewhere(at) {
            cost += ELSEWHERE;
        }
        if cost < MAX_COST {
            let is_quoted =
                at > first && outline.ancestors(at).take(6).any(|a| is_quotation(outline.name(a)));
            found.push(Shown { dated, source, cost, is_said, is_quoted });
        }
    };
    for &(at, text) in &declared.times {
        if let Some(mut dated) = read_dated(text, month_first) {
            dated.label = own_label(outline, at);
            add(at, dated, "time", -5, false);
        }
    }
    for &at in &body.dates {
        let own = own_label(outline, at);
        for mut dated in dates_in(&spaced_text(outline, at), month_first) {
            let is_said = dated.label.is_some();
            dated.label = dated.label.or(own);
            add(at, dated, "page", 0, is_said);
        }
    }
    for (at, line) in &body.margin {
        let is_prose = line.len() > LONG_LINE || *at > first && line.len() > LONG_LINE / 2;
        let cost = if is_prose { IN_PROSE } else { 0 };
        for mut dated in dates_in(line, month_first) {
            let is_said = dated.label.is_some();
            dated.label = dated.label.or_else(|| own_label(outline, outline.node(*at).parent));
            add(*at, dated, "page", cost, is_said);
        }
    }
    // One date is often found thrice; what is said of it once holds for all.
    let said = |label| -> Vec<civil::Date> {
        let said = found.iter().filter(|s| s.is_said && s.dated.label == Some(label));
        said.map(|s| s.dated.moment.date()).take(MAX_SAID).collect()
    };
    let (changed, published) = (said(Label::Changed), said(Label::Published));
    for shown in found.iter_mut().filter(|s| !s.is_said) {
        let day = shown.dated.moment.date();
        if changed.contains(&day) && !published.contains(&day) {
            shown.dated.label = Some(Label::Changed);
        }
    }
    found.sort_by_key(|s| (!(s.is_told() && s.is_near()), s.cost));
    found
}

fn is_quotation(name: &str) -> bool {
    matches!(name, "blockquote" | "table" | "figure" | "figcaption")
}

/// The text of an element that holds a date, its pieces apart: a calendar sheet has day and month in elements of their
/// own.
fn spaced_text(outline: &Outline, at: usize) -> String {
    const MAX_BYTES: usize = 200;
    let mut out = String::new();
    for content in outline.contents(at..outline.node(at).end).take(MAX_BYTES) {
        if let Content::Text(text) = content
            && out.len() + text.len() < 2 * MAX_BYTES
        {
            out.push_str(text);
            out.push(' ');
        }
    }
    squeeze(&out)
}

/// What an element's names, or its parent's, say of its date.
fn own_label(outline: &Outline, at: usize) -> Option<Label> {
    let says = |at: usize| {
        let element = outline.element(at)?;
        let has = |value: &str, words: &[&str]| words.iter().any(|w| value.contains(w));
        if attr(element, "pubdate").is_some() {
            return Some(Label::Published);
        }
        ["itemprop", "class"].iter().find_map(|name| {
            let value = attr(element, name)?.to_ascii_lowercase();
            let changed = has(&value, &["modif", "updat", "changed"]);
            let is_name = has(&value, &["posted-by", "posted_by", "postedby"]);
            let published = !is_name && has(&value, &["publish", "posted", "created"]);
            // WordPress marks a date as both where nothing changed since.
            match (published, changed) {
                (true, false) => Some(Label::Published),
                (false, true) if !value.contains("entry-date") => Some(Label::Changed),
                _ => None,
            }
        })
    };
    says(at).or_else(|| says(outline.node(at).parent))
}
