//! Tables to outlets: every field checked, and everything that is wrong told at once.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use article::CanonicalUrl;
use toml::{Table, Value};

use super::{MAX_OUTLETS, MAX_PROBLEMS, Outlet, Problem, Sources, SourcesError, Watched};

/// Longest id and longest name, in bytes.
const MAX_ID_BYTES: usize = 64;
const MAX_NAME_BYTES: usize = 256;
/// Addresses of one kind that an outlet has at most.
const MAX_WATCHED: usize = 1000;
/// Labels, and the bytes of each key and value: what a request carries.
const MAX_LABELS: usize = 16;
const MAX_LABEL_BYTES: usize = 256;

pub(super) fn of_toml(text: &str) -> Result<Sources, SourcesError> {
    let whole: Table = text.parse().map_err(|error: toml::de::Error| {
        let line =
            error.span().and_then(|span| text.get(..span.start)).map_or(1, |t| t.matches('\n').count() + 1);
        Problem::new("", "", format!("line {line} is not TOML: {}", error.message()))
    })?;
    let mut rows = Vec::new();
    for (key, value) in whole {
        let tables = match (key.as_str(), value) {
            ("outlet", Value::Array(tables)) => tables,
            ("outlet", _) => {
                return Err(Problem::new("", "outlet", "begin each outlet with [[outlet]]").into());
            }
            _ => return Err(Problem::new("", key, "is not known; every outlet is a table [[outlet]]").into()),
        };
        for table in tables {
            let Value::Table(row) = table else {
                return Err(Problem::new("", "outlet", "begin each outlet with [[outlet]]").into());
            };
            rows.push(row);
        }
    }
    of_rows(rows)
}

pub(super) fn of_rows(rows: Vec<Table>) -> Result<Sources, SourcesError> {
    if rows.len() > MAX_OUTLETS {
        let cause = format!("{} outlets are more than the {MAX_OUTLETS} that are read", rows.len());
        return Err(Problem::new("", "", cause).into());
    }
    let mut problems = Vec::new();
    let outlets: Vec<Outlet> =
        rows.into_iter().enumerate().map(|(n, row)| outlet(n, row, &mut problems)).collect();
    let mut ids: HashMap<&str, usize> = HashMap::new();
    let mut owners: HashMap<&CanonicalUrl, &str> = HashMap::new();
    for (n, outlet) in outlets.iter().enumerate() {
        if let Some(first) = ids.insert(&outlet.id, n).filter(|_| !outlet.id.is_empty()) {
            let cause = format!("outlet number {} has it, too; ids are unique", first + 1);
            problems.push(Problem::new(&outlet.id, "id", cause));
        }
        for watched in outlet.watched() {
            if let Some(owner) = owners.insert(&watched.url, &outlet.id) {
                let cause = format!("{} is listed before, by outlet {owner}; name it once", watched.url);
                problems.push(Problem::new(&outlet.id, "url", cause));
            }
        }
    }
    if problems.is_empty() {
        return Ok(Sources { outlets });
    }
    problems.truncate(MAX_PROBLEMS);
    Err(SourcesError { problems })
}

fn outlet(n: usize, mut row: Table, problems: &mut Vec<Problem>) -> Outlet {
    let id = row.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    let called = if id.is_empty() { format!("number {}", n + 1) } else { id.clone() };
    let mut fields = Fields { called, within: "", row: &mut row, problems };
    let is_id = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || b"._-".contains(&c);
    match fields.text("id", MAX_ID_BYTES) {
        Some(id) if id.bytes().all(is_id) => {}
        Some(_) => fields.problem("id", "may hold a-z, 0-9, '.', '_' and '-' only"),
        None => fields.problem("id", "is missing; give a lasting name such as \"harbour-post\""),
    }
    let outlet = Outlet {
        name: fields.text("name", MAX_NAME_BYTES).unwrap_or_else(|| id.clone()),
        id,
        feeds: fields.watched("feeds"),
        sitemaps: fields.watched("sitemaps"),
        sections: fields.watched("sections"),
        country: fields.code("country", "two letters such as \"gb\"", |c| {
            c.len() == 2 && c.bytes().all(|b| b.is_ascii_lowercase())
        }),
        language: fields.code("language", "a tag such as \"en\" or \"pt-BR\"", |c| {
            (2..=35).contains(&c.len()) && c.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        }),
        delay_ms: fields.duration("delay"),
        daily_quota: fields.number("daily_quota", 0, u32::MAX.into()),
        priority: fields.number("priority", i32::MIN.into(), i32::MAX.into()),
        trust: fields.number("trust", 0, 100),
        skips_sponsored: fields.one_of("sponsored", ["keep", "skip"]) == Some("skip"),
        is_paused: fields.flag("paused"),
        labels: fields.labels(),
    };
    fields.unknown();
    outlet
}

/// Takes fields out of a table; what is left in the end is not known.
struct Fields<'a> {
    called: String,
    /// The list it is an entry of.
    within: &'static str,
    row: &'a mut Table,
    problems: &'a mut Vec<Problem>,
}

impl Fields<'_> {
    fn problem(&mut self, field: &str, cause: impl Into<String>) {
        let field =
            if self.within.is_empty() { field.to_owned() } else { format!("{}.{field}", self.within) };
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem::new(&self.called, field, cause));
        }
    }

    fn text(&mut self, field: &str, max_bytes: usize) -> Option<String> {
        match self.row.remove(field)? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) if text.len() <= max_bytes => Some(text),
            Value::String(_) => {
                self.problem(field, format!("is longer than {max_bytes} bytes"));
                None
            }
            _ => {
                self.problem(field, "must be a text in quotes");
                None
            }
        }
    }

    fn code(&mut self, field: &str, wanted: &str, is_one: impl Fn(&str) -> bool) -> Option<String> {
        let code = self.text(field, MAX_NAME_BYTES)?;
        if !is_one(&code) {
            self.problem(field, format!("{code:?} is not {wanted}"));
        }
        Some(code)
    }

    fn one_of(&mut self, field: &str, words: [&'static str; 2]) -> Option<&'static str> {
        let text = self.text(field, MAX_NAME_BYTES)?;
        let word = words.into_iter().find(|word| *word == text);
        if word.is_none() {
            let [one, other] = words;
            self.problem(field, format!("{text:?} is neither \"{one}\" nor \"{other}\""));
        }
        word
    }

    fn duration(&mut self, field: &str) -> Option<i64> {
        let text = self.text(field, MAX_NAME_BYTES)?;
        let duration: Option<Duration> = humantime::parse_duration(&text).ok();
        let ms = duration.and_then(|d| i64::try_from(d.as_millis()).ok());
        if ms.is_none() {
            self.problem(field, format!("{text:?} is not a duration such as \"5s\" or \"2m\""));
        }
        ms
    }

    fn number<T: TryFrom<i64>>(&mut self, field: &str, least: i64, most: i64) -> Option<T> {
        let value = self.row.remove(field)?;
        let number =
            value.as_integer().filter(|n| (least..=most).contains(n)).and_then(|n| T::try_from(n).ok());
        if number.is_none() {
            self.problem(field, format!("{value} is not a whole number from {least} to {most}"));
        }
        number
    }

    fn flag(&mut self, field: &str) -> bool {
        match self.row.remove(field) {
            None => false,
            Some(Value::Boolean(flag)) => flag,
            Some(value) => {
                self.problem(field, format!("{value} is neither true nor false"));
                false
            }
        }
    }

    fn labels(&mut self) -> BTreeMap<String, String> {
        let labels = match self.row.remove("labels") {
            None => return BTreeMap::new(),
            Some(Value::Table(labels)) => labels,
            Some(_) => {
                self.problem("labels", "must be a table of texts: { desk = \"ports\" }");
                return BTreeMap::new();
            }
        };
        if labels.len() > MAX_LABELS {
            self.problem(
                "labels",
                format!("{} are more than the {MAX_LABELS} a request carries", labels.len()),
            );
        }
        let mut kept = BTreeMap::new();
        for (key, value) in labels {
            match value {
                Value::String(value) if value.len().max(key.len()) <= MAX_LABEL_BYTES => {
                    kept.insert(key, value);
                }
                _ => self
                    .problem("labels", format!("{key:?} must be a text of at most {MAX_LABEL_BYTES} bytes")),
            }
        }
        kept
    }

    /// Addresses, and tables of an address with what differs for it.
    fn watched(&mut self, field: &'static str) -> Vec<Watched> {
        let list = match self.row.remove(field) {
            None => return Vec::new(),
            Some(Value::Array(list)) if list.len() <= MAX_WATCHED => list,
            Some(Value::Array(list)) => {
                self.problem(field, format!("{} addresses are more than {MAX_WATCHED}", list.len()));
                return Vec::new();
            }
            Some(_) => {
                self.problem(field, "must be a list: [\"https://harbour.example/feed.xml\"]");
                return Vec::new();
            }
        };
        list.into_iter().filter_map(|entry| self.entry(field, entry)).collect()
    }

    fn entry(&mut self, field: &'static str, entry: Value) -> Option<Watched> {
        let mut row = match entry {
            Value::String(url) => Table::from_iter([("url".to_owned(), Value::String(url))]),
            Value::Table(row) => row,
            other => {
                self.problem(field, format!("{other} is neither an address nor a table with a url"));
                return None;
            }
        };
        let mut fields = Fields {
            called: self.called.clone(),
            within: field,
            row: &mut row,
            problems: &mut *self.problems,
        };
        let url = match fields.text("url", usize::MAX).map(|url| CanonicalUrl::parse(&url)) {
            Some(Ok(url)) => Some(url),
            Some(Err(error)) => {
                fields.problem("url", error.to_string());
                None
            }
            None => {
                fields.problem("url", "is missing");
                None
            }
        };
        let (min_ms, max_ms) = (fields.duration("min_interval"), fields.duration("max_interval"));
        if let (Some(min), Some(max)) = (min_ms, max_ms)
            && min > max
        {
            fields.problem("min_interval", "is longer than max_interval");
        }
        let (priority, is_paused) =
            (fields.number("priority", i32::MIN.into(), i32::MAX.into()), fields.flag("paused"));
        fields.unknown();
        Some(Watched { url: url?, min_interval_ms: min_ms, max_interval_ms: max_ms, priority, is_paused })
    }

    fn unknown(&mut self) {
        for key in std::mem::take(self.row).into_iter().map(|(key, _)| key) {
            self.problem(&key, "is not known");
        }
    }
}
