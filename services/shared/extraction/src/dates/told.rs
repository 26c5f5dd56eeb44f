//! What a page declares of its dates, and how it writes them.

use crate::{
    dates::{Dated, read_dated},
    declared::{Declared, text_of},
};

/// A date and where it was said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account {
    pub dated: Dated,
    pub source: &'static str,
}

/// Where a page declares its publication to all who link to it.
const OPEN: &[&str] = &["article:published_time", "og:article:published_time"];

/// Whether the page does so.
pub(crate) fn is_open(declared: &Declared) -> bool {
    declared.meta(OPEN).is_some()
}

/// What the page declares of its publication, the most trusted first.
pub(crate) fn declarations(declared: &Declared, month_first: bool) -> Vec<Account> {
    let articles: Vec<&serde_json::Value> = declared.articles.iter().collect();
    let works: Vec<&serde_json::Value> = declared.dated_works().collect();
    let json = |values: &[&serde_json::Value], key: &str| {
        values.iter().filter_map(|v| v.get(key)).find_map(|v| read_dated(&text_of(v)?, month_first))
    };
    let meta = |is_wanted: &dyn Fn(&str) -> bool| {
        let mut found = declared.meta.iter().filter(|(key, _)| is_wanted(key));
        found.find_map(|(_, text)| read_dated(text, month_first))
    };
    // A page published anew may keep its first date under another key.
    let publications = declared.meta.iter().filter(|(key, _)| is_publication(key));
    let first = publications
        .filter_map(|(_, text)| read_dated(text, month_first))
        .min_by_key(|dated| dated.moment.as_millis());
    let accounts = [
        (json(&articles, "datePublished"), "json-ld"),
        (meta(&|key| OPEN.contains(&key) || key == "datepublished"), "meta"),
        (json(&works, "datePublished"), "json-ld"),
        (json(&articles, "dateCreated"), "json-ld"),
        (first, "meta"),
        (meta(&|key| key.contains("date") && !is_publication(key) && !is_other_date(key)), "meta"),
    ];
    accounts.into_iter().filter_map(|(dated, source)| Some(Account { dated: dated?, source })).collect()
}

fn is_publication(key: &str) -> bool {
    ["publi", "pubdate", "pub-date", "pub_date", "issued", "created"].iter().any(|part| key.contains(part))
        && !is_other_date(key)
}

/// Keys with dates of changes, of removal, or of what an article tells of.
fn is_other_date(key: &str) -> bool {
    const OTHERS: &[&str] = &[
        "modif", "updat", "lastmod", "last-mod", "revis", "review", "expir", "unpubl", "start", "end",
        "event",
    ];
    OTHERS.iter().any(|part| key.contains(part))
}

/// What the page declares of its last change.
pub(crate) fn changes(declared: &Declared, month_first: bool) -> Vec<Account> {
    const META: &[&str] = &[
        "article:modified_time",
        "og:updated_time",
        "og:article:modified_time",
        "last-modified",
        "lastmod",
        "datemodified",
        "dateupdate",
        "dcterms.modified",
        "dc.date.modified",
    ];
    let json = declared.articles.iter().chain(declared.dated_works()).filter_map(|v| v.get("dateModified"));
    let json = json.filter_map(|v| read_dated(&text_of(v)?, month_first)).map(|d| (d, "json-ld"));
    let meta = META.iter().flat_map(|key| declared.all_meta(key));
    let meta = meta.filter_map(|text| read_dated(text, month_first)).map(|d| (d, "meta"));
    json.chain(meta).map(|(dated, source)| Account { dated, source }).collect()
}

/// Whether numbers lead with the month here: in the United States, and where English stands under a general domain.
pub(crate) fn month_first(declared: &Declared, url: Option<&str>) -> bool {
    let tag = declared.language.unwrap_or_default().trim().to_ascii_lowercase().replace('_', "-");
    let host =
        url.and_then(|u| u.split("://").nth(1)).and_then(|rest| rest.split(['/', ':', '?', '#']).next());
    let end = host.and_then(|h| h.rsplit('.').next()).unwrap_or_default();
    tag == "en-us" || tag == "en" && matches!(end, "com" | "org" | "net" | "gov" | "edu" | "us" | "io")
}
