//! OPML and CSV as the tables of `sources.toml`.

use std::collections::HashMap;

use article::CanonicalUrl;
use toml::{Table, Value};

use super::{MAX_OUTLETS, Problem};
use crate::discovery::{Seen, attribute, walk};

/// What a table may say of an outlet, as `wireroom sources import --help` lists it.
const COLUMNS: [&str; 13] = [
    "id",
    "name",
    "feeds",
    "sitemaps",
    "sections",
    "country",
    "language",
    "delay",
    "daily_quota",
    "priority",
    "trust",
    "sponsored",
    "paused",
];

/// An outlet for each registrable domain, with its feeds, and the page they speak of as a section.
pub(super) fn of_opml(bytes: &[u8]) -> Result<Vec<Table>, Problem> {
    let mut rows = Rows::default();
    let read = walk(bytes, "OPML", |seen| {
        if let Seen::Start { name: "outline", element } = seen
            && let Some(feed) = attribute(element, "xmlUrl")
        {
            // What is no address is kept, to be told of.
            let domain = CanonicalUrl::parse(&feed)
                .map_or_else(|_| "outline".to_owned(), |url| url.registrable_domain().to_owned());
            let row = rows.of(&domain);
            let name = attribute(element, "title").or_else(|| attribute(element, "text"));
            row.entry("name").or_insert(Value::String(name.unwrap_or(domain)));
            if let Some(language) = attribute(element, "language") {
                row.entry("language").or_insert(Value::String(language));
            }
            add(row, "feeds", feed);
            if let Some(page) = attribute(element, "htmlUrl").filter(|page| !page.is_empty()) {
                add(row, "sections", page);
            }
        }
        rows.rows.len() <= MAX_OUTLETS
    });
    read.map_err(|error| Problem::new("", "", error.to_string()))?;
    if rows.rows.is_empty() {
        let cause = "it holds no outline with an xmlUrl, by which a list of feeds (OPML) names them";
        return Err(Problem::new("", "", cause));
    }
    Ok(rows.rows)
}

pub(super) fn of_csv(bytes: &[u8]) -> Result<Vec<Table>, Problem> {
    let broken = |error: csv::Error| Problem::new("", "", format!("it cannot be read as CSV: {error}"));
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
    let names = reader.headers().map_err(broken)?.clone();
    let columns = || format!("the first line names the columns: {}", COLUMNS.join(", "));
    if !names.iter().any(|name| name == "id") {
        return Err(Problem::new("", "id", format!("no such column; {}", columns())));
    }
    if let Some(stranger) = names.iter().find(|name| !name.is_empty() && !COLUMNS.contains(name)) {
        return Err(Problem::new("", stranger, format!("is no column; {}", columns())));
    }
    let mut rows = Rows::default();
    for record in reader.records() {
        let record = record.map_err(broken)?;
        let cells: Vec<(&str, &str)> =
            names.iter().zip(&record).filter(|(_, cell)| !cell.is_empty()).collect();
        let id = cells.iter().find(|(name, _)| *name == "id").map_or("", |(_, id)| id);
        let row = rows.of(id);
        for (name, cell) in cells {
            match name {
                "feeds" | "sitemaps" | "sections" => {
                    cell.split_whitespace().for_each(|url| add(row, name, url.to_owned()));
                }
                "daily_quota" | "priority" | "trust" | "paused" => {
                    let value = cell.to_ascii_lowercase();
                    let value =
                        value.parse().map(Value::Integer).or_else(|_| value.parse().map(Value::Boolean));
                    row.insert(name.to_owned(), value.unwrap_or_else(|_| Value::String(cell.to_owned())));
                }
                _ => {
                    row.insert(name.to_owned(), Value::String(cell.to_owned()));
                }
            }
        }
        if rows.rows.len() > MAX_OUTLETS {
            break;
        }
    }
    if rows.rows.is_empty() {
        return Err(Problem::new("", "", "it holds no row below the names of its columns"));
    }
    Ok(rows.rows)
}

/// Tables by id, in the order of the first of each.
#[derive(Default)]
struct Rows {
    rows: Vec<Table>,
    places: HashMap<String, usize>,
}

impl Rows {
    fn of(&mut self, id: &str) -> &mut Table {
        let place = match self.places.get(id) {
            Some(place) => *place,
            None => {
                self.places.insert(id.to_owned(), self.rows.len());
                self.rows.push(Table::from_iter([("id".to_owned(), Value::String(id.to_owned()))]));
                self.rows.len() - 1
            }
        };
        &mut self.rows[place]
    }
}

/// Once each.
fn add(row: &mut Table, field: &str, url: String) {
    let list = row.entry(field).or_insert_with(|| Value::Array(Vec::new()));
    if let Value::Array(list) = list
        && !list.iter().any(|known| known.as_str() == Some(&url))
    {
        list.push(Value::String(url));
    }
}
