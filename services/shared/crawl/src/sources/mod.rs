//! `sources.toml`: the outlets that are watched, with their feeds, sitemaps and section pages. Read from TOML, OPML and
//! CSV, written as TOML.

mod import;
mod read;
mod write;

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use article::CanonicalUrl;
use thiserror::Error;

/// Longest text that is read, in bytes.
const MAX_BYTES: usize = 64 << 20;
/// Most outlets.
const MAX_OUTLETS: usize = 100_000;
/// Problems that are told of; more of them say nothing new.
const MAX_PROBLEMS: usize = 50;

/// Every outlet, in the order of the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sources {
    outlets: Vec<Outlet>,
}

/// An outlet, and how it is treated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outlet {
    /// Its lasting name: `a-z`, `0-9`, `.`, `_` and `-`.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// RSS, Atom and JSON feeds.
    pub feeds: Vec<Watched>,
    /// Sitemaps and indexes of them.
    pub sitemaps: Vec<Watched>,
    /// Home and section pages, whose links are read.
    pub sections: Vec<Watched>,
    /// ISO 3166-1 code in lower case.
    pub country: Option<String>,
    /// BCP 47 tag as written: a hint where a page does not say.
    pub language: Option<String>,
    /// Between two requests to one of its hosts, in place of what is configured; never less than the site asks for.
    pub delay_ms: Option<i64>,
    /// Articles a day, over all its lists.
    pub daily_quota: Option<u32>,
    /// As a request's: the higher goes first.
    pub priority: Option<i32>,
    /// From 0 to 100, 50 where it is not said: of copies with the same date, or without any, whose is the original.
    pub trust: Option<u8>,
    /// Advertisements among its articles are not fetched; otherwise they are, with the label `sponsored`.
    pub skips_sponsored: bool,
    /// Nothing is asked of it for now.
    pub is_paused: bool,
    /// Go along with every request.
    pub labels: BTreeMap<String, String>,
}

/// A feed, sitemap or section page, with what differs from its outlet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watched {
    /// Where it is.
    pub url: CanonicalUrl,
    /// Bounds of the interval at which it is looked at.
    pub min_interval_ms: Option<i64>,
    /// The same.
    pub max_interval_ms: Option<i64>,
    /// Of its articles.
    pub priority: Option<i32>,
    /// It is not looked at for now.
    pub is_paused: bool,
}

/// What differs between two states of the sources, by outlet.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes<'a> {
    /// New ones.
    pub added: Vec<&'a Outlet>,
    /// Those that are not as they were: before and after.
    pub changed: Vec<(&'a Outlet, &'a Outlet)>,
    /// Those that are gone.
    pub removed: Vec<&'a Outlet>,
}

/// Sources that cannot be used, with everything that is wrong with them.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the sources cannot be used: {}", list(.problems))]
pub struct SourcesError {
    /// The first 50.
    pub problems: Vec<Problem>,
}

/// Something wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The outlet's id, or its place where it has none; empty where it is of the whole.
    pub outlet: String,
    /// Its field; empty where it is of no field.
    pub field: String,
    /// What is wrong, and what would not be.
    pub cause: String,
}

impl Sources {
    /// Reads `sources.toml`: a table `[[outlet]]` for each.
    pub fn from_toml(text: &str) -> Result<Self, SourcesError> {
        read::of_toml(bounded(text)?)
    }

    /// Reads an OPML list of feeds: an outlet for each domain.
    pub fn from_opml(bytes: &[u8]) -> Result<Self, SourcesError> {
        read::of_rows(import::of_opml(bounded(bytes)?)?)
    }

    /// Reads a CSV table with a line of names: the fields of `sources.toml`, several addresses in a cell set off by
    /// spaces. Rows of one id are one outlet.
    pub fn from_csv(bytes: &[u8]) -> Result<Self, SourcesError> {
        read::of_rows(import::of_csv(bounded(bytes)?)?)
    }

    /// As `sources.toml`.
    pub fn to_toml(&self) -> String {
        self.outlets.iter().map(write::outlet).collect::<Vec<_>>().join("\n")
    }

    /// Every outlet.
    pub fn outlets(&self) -> &[Outlet] {
        &self.outlets
    }
}

impl Outlet {
    /// Everything of it that is looked at.
    pub fn watched(&self) -> impl Iterator<Item = &Watched> {
        self.feeds.iter().chain(&self.sitemaps).chain(&self.sections)
    }
}

/// What differs between two states, in the order of the later one.
pub fn changes<'a>(before: &'a Sources, after: &'a Sources) -> Changes<'a> {
    let by_id = |sources: &'a Sources| -> HashMap<&'a str, &'a Outlet> {
        sources.outlets.iter().map(|outlet| (outlet.id.as_str(), outlet)).collect()
    };
    let (known, kept) = (by_id(before), by_id(after));
    let mut found = Changes::default();
    for outlet in &after.outlets {
        match known.get(outlet.id.as_str()) {
            None => found.added.push(outlet),
            Some(was) if *was != outlet => found.changed.push((was, outlet)),
            Some(_) => {}
        }
    }
    found.removed = before.outlets.iter().filter(|outlet| !kept.contains_key(outlet.id.as_str())).collect();
    found
}

impl Problem {
    fn new(outlet: impl Into<String>, field: impl Into<String>, cause: impl Into<String>) -> Self {
        Self { outlet: outlet.into(), field: field.into(), cause: cause.into() }
    }
}

impl From<Problem> for SourcesError {
    fn from(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.outlet.is_empty() {
            write!(f, "outlet {}: ", self.outlet)?;
        }
        if !self.field.is_empty() {
            write!(f, "{}: ", self.field)?;
        }
        f.write_str(&self.cause)
    }
}

fn list(problems: &[Problem]) -> String {
    problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("; ")
}

fn bounded<T: AsRef<[u8]> + ?Sized>(text: &T) -> Result<&T, Problem> {
    match text.as_ref().len() {
        long if long > MAX_BYTES => {
            Err(Problem::new("", "", format!("{long} bytes are more than the {MAX_BYTES} that are read")))
        }
        _ => Ok(text),
    }
}

#[cfg(test)]
mod tests;
