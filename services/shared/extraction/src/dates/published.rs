//! When a page was published and changed, by its own accounts: what it declares, what it shows, its address.
//!
//! What is declared comes first, unless the page shows its readers another day beside the headline: that is the one its
//! editors look after. The other accounts then lend the offset or the time of day that the chosen one lacks.

use article::{Moment, Precision};
use jiff::{Timestamp, ToSpan, tz::Offset};

use super::shown::{Shown, shown};
use crate::{
    body::Body,
    dates::{Dated, Label, date_of_url, read_dated},
    declared::{Declared, text_of},
    marks::Marks,
    page::Page,
    tree::Outline,
};

/// Dates against which a doubtful one is held.
const MAX_CERTAIN: usize = 32;

/// How much later than all that is declared a date may be that is shown.
const MAX_AHEAD_DAYS: i64 = 62;

/// A date and where it was said.
#[derive(Debug, Clone, Copy)]
struct Account {
    dated: Dated,
    source: &'static str,
}

/// When the page was published and last changed, each with its source.
#[derive(Debug, Default)]
pub(crate) struct Times {
    pub published: Option<(Moment, &'static str)>,
    pub modified: Option<(Moment, &'static str)>,
}

/// Weighs all accounts.
pub(crate) fn times(
    declared: &Declared,
    outline: &Outline,
    marks: &[Marks],
    body: &Body,
    page: &Page,
) -> Times {
    let url = page.url.and_then(date_of_url);
    let month_first = month_first(declared, page.url);
    let told = declarations(declared, month_first);
    let changes = changes(declared, month_first);
    let mut shown = shown(declared, outline, marks, body, month_first);
    let seen = shown.iter().map(|s| s.dated);
    let clear = told.iter().map(|a| a.dated).chain(seen).filter(|dated| dated.swapped.is_none());
    let certain: Vec<Moment> = clear.map(|dated| dated.moment).chain(url).take(MAX_CERTAIN).collect();
    let settled = |dated: Dated| settle(dated, &certain);
    for found in &mut shown {
        found.dated.moment = settled(found.dated);
    }
    let told: Vec<(Moment, &'static str)> = told.iter().map(|a| (settled(a.dated), a.source)).collect();
    let changed = changes.first().map(|a| (settled(a.dated), a.source));
    let latest = told.iter().chain(&changed).map(|(m, _)| m.date()).max();
    if let Some(limit) = latest.and_then(|day| day.checked_add(MAX_AHEAD_DAYS.days()).ok()) {
        // What a page announces is later than all that it declares.
        shown.retain(|s| s.dated.moment.date() <= limit);
    }
    if let (Some((first, _)), Some((change, _))) = (told.first(), &changed)
        && first.date() != change.date()
        && !is_next(*first, *change)
    {
        // What it declares as its change is no publication where it is shown without a word.
        let is_change = |s: &&mut Shown| s.dated.label.is_none() && s.dated.moment.date() == change.date();
        shown.iter_mut().filter(is_change).for_each(|s| s.dated.label = Some(Label::Changed));
    }
    let mut shown_changes = shown.iter().filter(|s| s.dated.label == Some(Label::Changed));
    let shown_change = shown_changes.next();
    let modified = changed.or_else(|| shown_change.map(Shown::account));
    let far = || fresh(&shown).next().map(Shown::account);
    let chosen = choose(&told, &shown, url, page.hints.published)
        .or_else(|| shown_change.filter(|s| s.is_near()).map(Shown::account))
        .or_else(far)
        .or(modified);
    let others = || {
        let told = told.iter().map(|(m, _)| *m);
        // An instant is itself wherever it stands; a local time to the minute may be another article's.
        let is_own =
            |s: &&Shown| s.is_near() || is_exact(s.dated.moment) || s.dated.moment.offset().is_some();
        let shown = shown.iter().filter(is_own);
        told.chain(shown.map(|s| s.dated.moment)).chain(page.hints.published)
    };
    Times { published: chosen.map(|(moment, source)| (refine(moment, others()), source)), modified }
}

/// What the page declares of its publication, the most trusted first.
fn declarations(declared: &Declared, month_first: bool) -> Vec<Account> {
    const CERTAIN: &[&str] = &["article:published_time", "og:article:published_time", "datepublished"];
    let articles: Vec<&serde_json::Value> = declared.articles.iter().collect();
    let works: Vec<&serde_json::Value> = declared.dated_works().collect();
    let json = |values: &[&serde_json::Value], key: &str| {
        values.iter().filter_map(|v| v.get(key)).find_map(|v| read_dated(&text_of(v)?, month_first))
    };
    let meta = |is_wanted: &dyn Fn(&str) -> bool| {
        let mut found = declared.meta.iter().filter(|(key, _)| is_wanted(key));
        found.find_map(|(_, text)| read_dated(text, month_first))
    };
    let accounts = [
        (json(&articles, "datePublished"), "json-ld"),
        (meta(&|key| CERTAIN.contains(&key)), "meta"),
        (json(&works, "datePublished"), "json-ld"),
        (json(&articles, "dateCreated"), "json-ld"),
        (meta(&is_publication), "meta"),
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
fn changes(declared: &Declared, month_first: bool) -> Vec<Account> {
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

/// The account to believe.
fn choose(
    told: &[(Moment, &'static str)],
    shown: &[Shown],
    url: Option<Moment>,
    hint: Option<Moment>,
) -> Option<(Moment, &'static str)> {
    let mut near = fresh(shown).filter(|s| s.is_near()).map(Shown::account).peekable();
    let address = url.map(|day| (day, "url"));
    let Some(&(first, source)) = told.first() else {
        return hint.map(|m| (m, "feed")).or_else(|| near.next()).or(address);
    };
    let is_local = first.offset().is_some_and(|offset| offset != Offset::UTC);
    let best = near.peek().copied().or(address.filter(|(day, _)| is_next(*day, first)));
    let contradicts = |day: Moment| day.date() != first.date();
    // A change shown on the declared day confirms it, unless the page shows a day of publication too.
    let is_certain = fresh(shown).find(|s| s.is_near()).is_some_and(|s| s.dated.label.is_some());
    let confirms = |s: &Shown| s.is_near() && !(is_certain && s.dated.label == Some(Label::Changed));
    let is_said = shown.iter().any(|s| confirms(s) && !contradicts(s.dated.moment));
    match best {
        Some((seen, by)) if contradicts(seen) && !is_said && !(is_local && is_next(seen, first)) => {
            let agreed = told.iter().find(|(m, _)| m.date() == seen.date());
            Some(agreed.copied().unwrap_or((seen, by)))
        }
        _ => {
            // Declared twice, the more precise says more.
            let same = told.iter().filter(|(m, _)| m.date() == first.date());
            same.min_by_key(|(m, _)| rank(*m)).copied().or(Some((first, source)))
        }
    }
}

/// Dates shown that are not said to be those of changes.
fn fresh(shown: &[Shown]) -> impl Iterator<Item = &Shown> {
    shown.iter().filter(|s| s.dated.label != Some(Label::Changed))
}

fn rank(moment: Moment) -> u8 {
    match moment.precision() {
        Precision::Instant => 0,
        Precision::Local => 1,
        Precision::Day => 2,
    }
}

fn is_next(a: Moment, b: Moment) -> bool {
    a.date().tomorrow().is_ok_and(|day| day == b.date())
        || b.date().tomorrow().is_ok_and(|day| day == a.date())
}

/// Of a date that can be read two ways, the reading that another account confirms.
fn settle(dated: Dated, certain: &[Moment]) -> Moment {
    let is_confirmed = |moment: Moment| certain.iter().any(|c| c.date() == moment.date());
    dated.swapped.filter(|other| !is_confirmed(dated.moment) && is_confirmed(*other)).unwrap_or(dated.moment)
}

/// The same moment with what another account adds: a local offset for an instant in UTC, an offset for a local time.
fn refine(moment: Moment, others: impl Iterator<Item = Moment>) -> Moment {
    const MINUTE: i64 = 60_000;
    let is_utc = |m: Moment| m.offset() == Some(Offset::UTC);
    let mut others = others.filter_map(|other| {
        let distance = other.as_millis() - moment.as_millis();
        match (moment.precision(), other.precision()) {
            (Precision::Instant, Precision::Instant) => {
                (is_utc(moment) && !is_utc(other) && distance.abs() < MINUTE).then_some(other)
            }
            (Precision::Instant, Precision::Local) if is_utc(moment) => located(moment, other),
            (Precision::Local, Precision::Instant) => {
                // The same local time, or the same instant told in UTC.
                let offset = other.offset()?;
                let is_same = (distance + i64::from(offset.seconds()) * 1000).abs() < MINUTE;
                if is_same { Some(other) } else { located(other, moment).filter(|_| is_utc(other)) }
            }
            _ => None,
        }
    });
    others.next().unwrap_or(moment)
}

/// Whether it is told to the second.
fn is_exact(moment: Moment) -> bool {
    moment.as_millis() / 1000 % 60 != 0
}

/// An instant with the offset at which its clocks show `local`, if there is such a place.
fn located(instant: Moment, local: Moment) -> Option<Moment> {
    const QUARTER: i64 = 900;
    let seconds = (local.as_millis() - instant.as_millis()).div_euclid(1000);
    let rounded = (seconds + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
    let exists =
        (seconds - rounded).abs() < 60 && rounded != 0 && (-12 * 3600..=14 * 3600).contains(&rounded);
    let offset = Offset::from_seconds(i32::try_from(rounded).ok().filter(|_| exists)?).ok()?;
    let timestamp = Timestamp::from_millisecond(instant.as_millis()).ok()?;
    Some(Moment::at(offset.to_datetime(timestamp), Some(offset)))
}

/// Whether numbers lead with the month here: in the United States, and where English stands under a general domain.
fn month_first(declared: &Declared, url: Option<&str>) -> bool {
    let tag = declared.language.unwrap_or_default().trim().to_ascii_lowercase().replace('_', "-");
    let host =
        url.and_then(|u| u.split("://").nth(1)).and_then(|rest| rest.split(['/', ':', '?', '#']).next());
    let end = host.and_then(|h| h.rsplit('.').next()).unwrap_or_default();
    tag == "en-us" || tag == "en" && matches!(end, "com" | "org" | "net" | "gov" | "edu" | "us" | "io")
}

#[cfg(test)]
mod tests {
    use crate::{Page, extract_html};

    const STORY: &str = "<p>The council voted on Tuesday to reopen the old harbour after nine years of repairs, \
        and the first ferry is to leave the new pier in spring, the mayor said in the town hall.</p>";

    fn times(head: &str, line: &str, after: &str, url: &str) -> (Option<String>, Option<String>) {
        let page = format!(
            "<html lang=en><head>{head}</head><body><article><h1>The harbour reopens</h1>{line}{}{after}</article>",
            STORY.repeat(3)
        );
        let page = Page { bytes: page.as_bytes(), url: Some(url), ..Page::default() };
        let found = extract_html(&page);
        (found.published.map(|m| m.to_string()), found.modified.map(|m| m.to_string()))
    }

    fn meta(published: &str) -> String {
        format!("<meta property='article:published_time' content='{published}'>")
    }

    #[test]
    fn accounts_are_weighed() {
        const URL: &str = "https://harbour.example/story";
        let json = |date: &str| {
            format!(
                "<script type='application/ld+json'>{{\"@type\":\"NewsArticle\",\"datePublished\":\"{date}\"}}</script>"
            )
        };
        for (head, line, after, url, expected, why) in [
            (
                meta("2015-03-19T10:30:00Z") + &json("2015-03-19T09:00:00Z"),
                "",
                "",
                URL,
                "2015-03-19T09:00:00Z",
                "JSON-LD leads",
            ),
            (
                json("2015-03-19") + &meta("2015-03-19T09:00:00Z"),
                "",
                "",
                URL,
                "2015-03-19T09:00:00Z",
                "the more precise says more",
            ),
            (
                meta("2015-03-19T10:30:00Z"),
                "<p>12 March 2015</p>",
                "",
                URL,
                "2015-03-12",
                "what is shown outweighs",
            ),
            (
                String::new(),
                "<p>By Ann, <span property='dc:date dc:created' content='2015-03-12T09:00:00+01:00'>last week</span></p>",
                "",
                URL,
                "2015-03-12T09:00:00+01:00",
                "RDFa says it where the text does not",
            ),
            (
                meta("2015-03-19T10:30:00Z"),
                "<p>Updated 25 March 2015</p>",
                "",
                URL,
                "2015-03-19T10:30:00Z",
                "but for changes",
            ),
            (
                meta("2015-03-19T10:30:00Z"),
                "<p>Updated</p><p>25 March 2015</p>",
                "",
                URL,
                "2015-03-19T10:30:00Z",
                "labels stand before",
            ),
            (
                meta("2015-03-19T10:30:00Z")
                    + "<meta property='article:modified_time' content='2015-03-25T08:00:00Z'>",
                "<p>25 March 2015</p>",
                "",
                URL,
                "2015-03-19T10:30:00Z",
                "a declared change is one",
            ),
            (
                meta("2015-03-19T10:30:00Z"),
                "<p>19 May 2016</p>",
                "",
                URL,
                "2015-03-19T10:30:00Z",
                "announcements are later",
            ),
            (
                meta("2015-03-19T02:30:00Z"),
                "<p>March 18, 2015 at 10:30 p.m.</p>",
                "",
                URL,
                "2015-03-18T22:30:00-04:00",
                "the clocks shown tell the offset",
            ),
            (
                meta("2015-03-19T02:30:00Z"),
                "<time datetime='2015-03-18T22:30:00-04:00'>",
                "",
                URL,
                "2015-03-18T22:30:00-04:00",
                "local offsets are kept",
            ),
            (
                meta("2015-03-18T22:30:00-04:00"),
                "<p>19 March 2015</p>",
                "",
                URL,
                "2015-03-18T22:30:00-04:00",
                "a local time is not shown away by a day",
            ),
            (
                meta("2015-03-18T22:30:00") + &json("2015-03-18T22:30:00-04:00"),
                "",
                "",
                URL,
                "2015-03-18T22:30:00-04:00",
                "the same local time lends its offset",
            ),
            (
                meta("2015-03-19T02:30:00Z"),
                "",
                "",
                "https://harbour.example/2015/03/18/story",
                "2015-03-18",
                "the address has the local day",
            ),
            (
                meta("2015-03-19T02:30:00Z"),
                "",
                "",
                "https://harbour.example/2012/03/18/story",
                "2015-03-19T02:30:00Z",
                "but no other",
            ),
            (meta("04/03/2015"), "<p>4 March 2015</p>", "", URL, "2015-03-04", "one reading is confirmed"),
            (
                String::new(),
                "<p>Published 19 March 2015, updated 20 March 2015</p>",
                "",
                URL,
                "2015-03-19",
                "the first is published",
            ),
            (
                String::new(),
                "<p>Updated 20 March 2015 | Published 19 March 2015</p>",
                "",
                URL,
                "2015-03-19",
                "in any order",
            ),
            (
                String::new(),
                "<div class=date><b>Mar</b><b>19</b><b>2015</b></div>",
                "",
                URL,
                "2015-03-19",
                "pieces make a date",
            ),
            (
                String::new(),
                "",
                "<p>Last updated: 20 March 2015</p>",
                URL,
                "2015-03-20",
                "a change is better than nothing",
            ),
            (
                String::new(),
                "",
                "<div class=comments><p>20 March 2015</p></div><p>19 March 2015</p>",
                URL,
                "2015-03-19",
                "readers write later",
            ),
            (
                String::new(),
                "<p>Valid until 19 March 2015</p>",
                "<p>© 2015 The Harbour Post</p>",
                URL,
                "",
                "ends are refused",
            ),
        ] {
            let (published, _) = times(&head, line, after, url);
            assert_eq!(published.unwrap_or_default(), expected, "{why}");
        }
    }

    #[test]
    fn a_page_of_one_kind_of_english_is_read_its_way() {
        for (tag, url, expected) in [
            ("en-US", "https://harbour.example/a", "2015-04-03"),
            ("en", "https://harbour.com/a", "2015-04-03"),
            ("en", "https://harbour.co.uk/a", "2015-03-04"),
            ("en-GB", "https://harbour.com/a", "2015-03-04"),
        ] {
            let page =
                format!("<html lang={tag}><article><h1>The harbour</h1><p>04/03/2015</p>{STORY}{STORY}");
            let page = Page { bytes: page.as_bytes(), url: Some(url), ..Page::default() };
            assert_eq!(extract_html(&page).published.unwrap().to_string(), expected, "{tag} {url}");
        }
    }

    #[test]
    fn changes_are_told_apart() {
        let head = meta("2015-03-19T10:30:00Z")
            + "<meta property='article:modified_time' content='2015-03-20T08:00:00Z'>";
        let (published, modified) = times(&head, "", "", "https://harbour.example/a");
        assert_eq!(published.as_deref(), Some("2015-03-19T10:30:00Z"));
        assert_eq!(modified.as_deref(), Some("2015-03-20T08:00:00Z"));
        let (_, modified) =
            times("", "<p>19 March 2015, updated 20 March 2015</p>", "", "https://harbour.example/a");
        assert_eq!(modified.as_deref(), Some("2015-03-20"));
    }
}
