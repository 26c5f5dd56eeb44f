//! When a page was published, by its own accounts: meta, JSON-LD, microdata, then what it shows, then its address.

use article::{Moment, Precision};

use crate::{
    body::Body,
    dates::{date_of_url, read_date},
    declared::Declared,
    page::Page,
    tree::Outline,
};

/// The first instant among the accounts, else the first local time, else the first day.
pub(crate) fn published(
    declared: &Declared,
    outline: &Outline,
    body: &Body,
    page: &Page,
    month_first: bool,
) -> Option<(Moment, &'static str)> {
    const META: &[&str] = &[
        "article:published_time",
        "og:article:published_time",
        "datepublished",
        "article:published",
        "og:published_time",
        "published_time",
        "parsely-pub-date",
        "date",
        "pubdate",
        "publishdate",
        "publish-date",
        "publish_date",
        "publication_date",
        "article.published",
        "dc.date.issued",
        "dc.date",
        "dcterms.created",
        "dcterms.date",
        "dcterms.issued",
        "sailthru.date",
        "article_date_original",
        "cxenseparse:recs:publishtime",
        "citation_publication_date",
        "citation_date",
        "originalpublicationdate",
        "rnews:datepublished",
        "vr:published_time",
        "timestamp",
        "displaydate",
        "dc.date.created",
        "created",
        "last-modified-date",
        "article:create_at",
    ];
    let read = |text: &str| read_date(text, month_first);
    let mut accounts: Vec<(Moment, &'static str)> = Vec::new();
    let json = ["datePublished", "dateCreated", "uploadDate"]
        .iter()
        .find_map(|key| declared.article_text(key))
        .and_then(|t| read(&t));
    accounts.extend(META.iter().find_map(|key| declared.all_meta(key).find_map(read)).map(|m| (m, "meta")));
    accounts.extend(json.map(|m| (m, "json-ld")));
    accounts.extend(declared.item("datePublished").and_then(read).map(|m| (m, "microdata")));
    if accounts.is_empty() {
        accounts.extend(page.hints.published.map(|m| (m, "feed")));
        accounts.extend(shown_date(declared, outline, body, month_first));
        accounts.extend(page.url.and_then(date_of_url).map(|m| (m, "url")));
    }
    // A meta date of another day than JSON-LD's is mostly the day of a template; JSON-LD is written for search engines.
    let rank = |m: &Moment| match m.precision() {
        Precision::Instant => 0,
        Precision::Local => 1,
        Precision::Day => 2,
    };
    accounts.into_iter().enumerate().min_by_key(|(i, (m, _))| (rank(m), *i)).map(|(_, account)| account)
}

/// A date the page shows: in `<time>`, or in an element marked as one, nearest before the body.
fn shown_date(
    declared: &Declared,
    outline: &Outline,
    body: &Body,
    month_first: bool,
) -> Option<(Moment, &'static str)> {
    let first = body.first_node.unwrap_or(0);
    let distance = |at: usize| at.abs_diff(first) + if at > first { 50 } else { 0 };
    let times =
        declared.times.iter().filter_map(|(at, text)| Some((*at, read_date(text, month_first)?, "time")));
    let marked = body
        .dates
        .iter()
        .filter_map(|at| Some((*at, read_date(&outline.text(*at, 200), month_first)?, "page")));
    let found = times
        .chain(marked)
        .filter(|(at, _, _)| at.abs_diff(first) < 1500)
        .min_by_key(|(at, _, _)| distance(*at));
    found.map(|(_, moment, source)| (moment, source)).or_else(|| {
        let (lines, source) = (&body.margin, "page");
        lines.iter().find_map(|line| read_date(line, month_first)).map(|m| (m, source))
    })
}

/// When the page says it was last changed.
pub(crate) fn modified(declared: &Declared, month_first: bool) -> Option<(Moment, &'static str)> {
    let json = declared
        .article_text("dateModified")
        .and_then(|t| read_date(&t, month_first))
        .map(|m| (m, "json-ld"));
    let meta = declared.meta(&[
        "article:modified_time",
        "og:updated_time",
        "last-modified",
        "datemodified",
        "dcterms.modified",
    ]);
    json.or_else(|| meta.and_then(|t| read_date(t, month_first)).map(|m| (m, "meta")))
}
