//! The written part of the press: pages and reprints under `tests/press/`, and what becomes of them.
//!
//! A page file has a head of `key: value` lines and the paragraphs of its body. Where a text stands at several
//! places, `{{text of NAME}}` takes it over from the page of that name, `{{text of NAME, 1-4}}` a part of it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::page::{Page, fill};

macro_rules! page_files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../press/pages/", $name, ".txt")))),*]
    };
}

/// Each after those whose text it takes over.
const PAGE_FILES: &[(&str, &str)] = page_files![
    "strait-wire",
    "strait-copy",
    "strait-extended",
    "cranes",
    "cranes-excerpt",
    "waterworks",
    "gauges",
    "hospital",
    "trains",
    "school",
    "rates",
    "deiche",
    "members",
];

static PAGES: LazyLock<Vec<(&str, Page)>> = LazyLock::new(|| {
    PAGE_FILES.iter().fold(Vec::new(), |mut pages, (name, file)| {
        let page = parse(file, &pages);
        pages.push((*name, page));
        pages
    })
});

/// A page that has gone, and that no reprint stands in for.
pub const GONE: &str = "http://harbour-times.example/2026/01/04/ice-on-the-inner-harbour";

/// Hosts whose names begin so ask for patience, whatever is asked for.
pub const BUSY: &str = "busy-";

/// A page without anything on it, whatever the query.
pub const BLANK: &str = "http://tidewatch.example/blank";

/// Moves to another path of its host.
pub(super) const MOVED: (&str, &str) = ("http://northern-courier.example/?p=4417", "gauges");

/// Moves to another domain.
pub const TAKEN_OVER: (&str, &str) = ("http://halvern-herald.example/story/88", "trains");

/// A page of another domain, which it names its original.
pub const REPRINT: (&str, &str) = ("http://tidewatch.example/reprint", "cranes");

/// What the feed of the Northern Courier lists.
pub(super) const FEED: (&str, &[&str]) =
    ("http://northern-courier.example/feed.xml", &["gauges", "hospital", "waterworks"]);

/// A feed of the Northern Courier that grows: it begins with the first of these.
pub const LATEST: &str = "http://northern-courier.example/latest.xml";
/// What it lists in the end.
pub(super) const LATEST_PAGES: &[&str] = &["gauges", "hospital", "waterworks"];

/// A reprint as a text file.
#[derive(Debug)]
pub struct Document {
    /// The name of the file.
    pub name: &'static str,
    source: &'static str,
}

/// The reprints; each names its original, each in another spelling.
pub const DOCUMENTS: &[Document] = &[
    Document { name: "cranes.txt", source: include_str!("../../press/documents/cranes.txt") },
    Document { name: "lighthouse.txt", source: include_str!("../../press/documents/lighthouse.txt") },
    Document { name: "strait.txt", source: include_str!("../../press/documents/strait.txt") },
    Document { name: "waterworks.txt", source: include_str!("../../press/documents/waterworks.txt") },
];

impl Document {
    /// As reprints come: lines broken within paragraphs, dollar signs escaped.
    pub fn text(&self) -> String {
        let text = fill(self.source, |key| included(key, &PAGES).join("\n\n"));
        text.replace('$', "\\$").lines().map(|line| wrap(line) + "\n").collect()
    }
}

/// Every written page, those included that cannot be had.
pub fn pages() -> impl Iterator<Item = &'static Page> {
    PAGES.iter().map(|(_, page)| page)
}

/// A written page by the name of its file.
pub(super) fn page(name: &str) -> &'static Page {
    PAGES.iter().find(|(known, _)| *known == name).map(|(_, page)| page).expect("a page of that name")
}

/// URLs to begin with. Two of them fail: robots.txt refuses one, and one is gone.
pub fn inputs() -> Vec<String> {
    let named = [
        "strait-extended",
        "strait-copy",
        "strait-wire",
        "cranes-excerpt",
        "school",
        "rates",
        "deiche",
        "members",
    ];
    let others = [FEED.0, MOVED.0, TAKEN_OVER.0, GONE];
    named.iter().map(|name| page(name).url.clone()).chain(others.map(str::to_owned)).collect()
}

/// A canonical article that a right run over [`inputs`] and [`DOCUMENTS`] ends with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Its URL; for a document that stands in, the name of the file.
    pub place: String,
    /// To the original of its cluster.
    pub relation: &'static str,
    /// Its clean body.
    pub text: String,
    /// URL, or name of the document, and relation.
    pub occurrences: BTreeSet<(String, &'static str)>,
}

/// The canonical articles that a right run ends with.
pub fn expected() -> Vec<Expected> {
    let at = |name: &str, relation, occurrences: &[(&str, &'static str)]| Expected {
        place: page(name).url.clone(),
        relation,
        text: page(name).text(),
        occurrences: occurrences.iter().map(|(place, relation)| ((*place).to_owned(), *relation)).collect(),
    };
    let lighthouse = include_str!("../../press/documents/lighthouse.txt");
    vec![
        at("strait-wire", "original", &[(&page("strait-copy").url, "copy"), ("strait.txt", "copy")]),
        at("strait-extended", "extension", &[]),
        at("cranes", "original", &[(&page("cranes-excerpt").url, "excerpt"), ("cranes.txt", "copy")]),
        at("waterworks", "original", &[("waterworks.txt", "copy")]),
        at("gauges", "original", &[]),
        at("hospital", "original", &[]),
        at("trains", "original", &[]),
        at("school", "original", &[]),
        at("rates", "original", &[]),
        at("deiche", "original", &[]),
        Expected {
            place: "lighthouse.txt".to_owned(),
            relation: "original",
            text: blocks(lighthouse)
                .filter(|block| block.len() > 80 && !block.starts_with('<'))
                .collect::<Vec<_>>()
                .join("\n\n"),
            occurrences: BTreeSet::new(),
        },
    ]
}

fn parse(file: &str, known: &[(&str, Page)]) -> Page {
    let (head, body) = file.split_once("\n\n").expect("a head and a body");
    let field = |key: &str| {
        let value = head.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        value.unwrap_or_else(|| panic!("no {key} in:\n{head}")).to_owned()
    };
    let body = fill(body, |key| included(key, known).join("\n\n"));
    Page {
        url: field("url"),
        headline: field("headline"),
        authors: field("authors").split(", ").map(str::to_owned).collect(),
        published: field("published"),
        section: field("section"),
        caption: field("caption"),
        paragraphs: blocks(&body).map(str::to_owned).collect(),
    }
}

/// The paragraphs that `text of NAME` or `text of NAME, FIRST-LAST` means.
fn included<'a>(directive: &str, known: &'a [(&str, Page)]) -> &'a [String] {
    let (name, range) = directive.split_once(", ").unwrap_or((directive, ""));
    let name = name.strip_prefix("text of ").expect("`text of NAME`");
    let (_, page) = known.iter().find(|(other, _)| *other == name).expect("a page listed before");
    match range.split_once('-') {
        None => &page.paragraphs,
        Some((first, last)) => {
            &page.paragraphs[first.parse::<usize>().expect("a number") - 1..last.parse().expect("a number")]
        }
    }
}

fn blocks(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n\n").map(str::trim).filter(|block| !block.is_empty())
}

/// Breaks a line at 76 columns, unless it holds an address.
fn wrap(line: &str) -> String {
    if line.contains("://") {
        return line.to_owned();
    }
    let mut out = String::with_capacity(line.len());
    let mut column = 0;
    for word in line.split(' ') {
        if column > 0 && column + word.len() >= 76 {
            out.push('\n');
            column = 0;
        } else if column > 0 {
            out.push(' ');
        }
        out.push_str(word);
        column += word.len() + 1;
    }
    out
}
