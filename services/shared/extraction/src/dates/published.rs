//! When a page was published and changed, by its own accounts: what it declares, what it shows, its address.
//!
//! What is declared comes first, unless the page shows its readers another day beside the headline: that is the one its
//! editors look after. The other accounts then lend the offset or the time of day that the chosen one lacks.

use article::{Moment, Precision};
use jiff::{ToSpan, civil, tz::Offset};

use super::{
    refine::{is_exact, refine},
    shown::{Shown, shown},
    told::{changes, declarations, is_open, month_first},
};
use crate::{
    body::Body,
    dates::{Dated, Label, date_of_url},
    declared::Declared,
    marks::Marks,
    page::Page,
    tree::Outline,
};

/// Dates against which a doubtful one is held.
const MAX_CERTAIN: usize = 32;

/// How much later than all that is declared a date may be that is shown.
const MAX_AHEAD_DAYS: i64 = 62;

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
    let readings = told.iter().filter_map(|a| a.dated.swapped).map(|moment| moment.date());
    let readings: Vec<civil::Date> = readings.collect();
    let told: Vec<(Moment, &'static str)> = told.iter().map(|a| (settled(a.dated), a.source)).collect();
    let changed = changes.first().map(|a| (settled(a.dated), a.source));
    let latest = told.iter().chain(&changed).map(|(m, _)| m.date()).chain(readings).max();
    if let Some(limit) = latest.and_then(|day| day.checked_add(MAX_AHEAD_DAYS.days()).ok()) {
        // What a page announces is later than all that it declares; so is a change that it forgets to declare.
        shown.retain(|s| s.dated.moment.date() <= limit || s.dated.label == Some(Label::Changed));
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
    let far = fresh(&shown).next();
    // A change said in so many words is surer than a day that the prose mentions.
    let is_changed = shown_change
        .is_some_and(|s| s.is_near() || far.is_none_or(|far| far.source == "page" && far.cost > s.cost));
    let hidden = told.first().filter(|_| !is_open(declared));
    let change = hidden.and_then(|told| only_change(*told, &shown, changed));
    let chosen = change
        .or_else(|| choose(&told, &shown, url, page.hints.published))
        .or(modified.filter(|_| is_changed))
        .or_else(|| far.map(Shown::account))
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

/// The change that stands beside the headline in the stead of a date of publication, where only search engines are told
/// of that.
fn only_change(
    told: (Moment, &'static str),
    shown: &[Shown],
    changed: Option<(Moment, &'static str)>,
) -> Option<(Moment, &'static str)> {
    let change = shown.iter().find(|s| s.dated.label == Some(Label::Changed)).filter(|s| s.is_near())?;
    let day = change.dated.moment.date();
    let is_published =
        fresh(shown).any(Shown::is_near) || shown.iter().any(|s| s.dated.moment.date() == told.0.date());
    let same = changed.filter(|(moment, _)| moment.date() == day);
    (!is_published).then(|| same.unwrap_or_else(|| change.account()))
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
        // An article may be filed the day before it appears.
        let far = fresh(shown).next().filter(|s| url.is_some_and(|day| is_next(day, s.dated.moment)));
        return hint
            .map(|m| (m, "feed"))
            .or_else(|| near.next())
            .or_else(|| far.map(Shown::account))
            .or(address);
    };
    let is_local = first.offset().is_some_and(|offset| offset != Offset::UTC);
    let best = near.peek().copied().or(address.filter(|(day, _)| is_elsewhere(first, *day)));
    let contradicts = |day: Moment| day.date() != first.date();
    // A local time is not shown away by a day: papers date tomorrow's issue.
    let is_issue = |seen: Moment| is_local && is_next(seen, first) && seen.precision() == Precision::Day;
    let is_shown = |day: Moment| shown.iter().any(|s| s.is_near() && s.dated.moment.date() == day.date());
    if !is_shown(first)
        && !best.is_some_and(|(seen, _)| is_issue(seen))
        && let Some(other) = told.iter().find(|(moment, _)| is_shown(*moment))
    {
        return Some(*other);
    }
    // A change shown on the declared day confirms it, unless the page shows a day of publication too.
    let is_certain = fresh(shown).find(|s| s.is_near()).is_some_and(|s| s.dated.label.is_some());
    let confirms = |s: &Shown| s.is_near() && !(is_certain && s.dated.label == Some(Label::Changed));
    let is_said = shown.iter().any(|s| confirms(s) && !contradicts(s.dated.moment));
    match best {
        Some((seen, by)) if contradicts(seen) && !is_said && !is_issue(seen) => {
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

/// Whether it is another, neighbouring day at some place when it is this instant in UTC.
fn is_elsewhere(instant: Moment, day: Moment) -> bool {
    const HOUR: i64 = 3_600_000;
    let local = |hours: i64| Moment::from_millis(instant.as_millis() + hours * HOUR);
    let days = [local(-12), local(14)];
    is_next(instant, day)
        && (instant.offset() != Some(Offset::UTC)
            || days.iter().flatten().any(|local| local.date() == day.date()))
}

/// Of a date that can be read two ways, the reading that another account confirms.
fn settle(dated: Dated, certain: &[Moment]) -> Moment {
    let is_confirmed = |moment: Moment| certain.iter().any(|c| c.date() == moment.date());
    dated.swapped.filter(|other| !is_confirmed(dated.moment) && is_confirmed(*other)).unwrap_or(dated.moment)
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
                meta("2015-03-19T22:30:00Z"),
                "<p>March 19, 2015 10:30</p>",
                "",
                URL,
                "2015-03-19T22:30:00Z",
                "a clock without its half of the day tells none",
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
            (
                meta("2015-03-19T17:30:00Z"),
                "",
                "",
                "https://harbour.example/2015/mar/18/story",
                "2015-03-19T17:30:00Z",
                "nor one that it is nowhere",
            ),
            (
                json("2015-03-19"),
                "<p>Updated 25 March 2016</p>",
                "",
                URL,
                "2016-03-25",
                "a change shown where search engines alone are told the rest",
            ),
            (
                json("2015-03-19"),
                "<p>19 March 2015, updated 25 March 2015</p>",
                "",
                URL,
                "2015-03-19",
                "unless it shows both",
            ),
            (
                json("2015-03-19T09:00:00Z") + &meta("2015-03-22T09:00:00Z"),
                "<p>Updated 22 March 2015</p>",
                "",
                URL,
                "2015-03-22T09:00:00Z",
                "of two that are declared the one shown",
            ),
            (
                json("2015-03-18T22:00:00-05:00"),
                "<p>19 March 2015, 3:00</p>",
                "",
                URL,
                "2015-03-19T03:00:00",
                "a time of day is no issue's",
            ),
            (
                String::new(),
                "<p>2 May 2016</p><p>Originally published: 19 March 2015</p>",
                "",
                URL,
                "2015-03-19",
                "one that is said to be it",
            ),
            (
                "<meta name=published-time content=2016-05-02><meta name=published-date content=2015-03-19>"
                    .to_owned(),
                "",
                "",
                URL,
                "2015-03-19",
                "the first of many publications",
            ),
            (
                meta("2015-03-19T09:00:00Z")
                    + "<meta property='article:modified_time' content='2015-03-25T08:00:00Z'>",
                "<div class='posted-by'>Ann Able 25 March 2015</div>",
                "",
                URL,
                "2015-03-19T09:00:00Z",
                "who posted is not when",
            ),
            (
                "<meta name=date content='11/01/2015'>".to_owned(),
                "<p>01.11.2015</p>",
                "",
                URL,
                "2015-11-01",
                "the later reading is no announcement",
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
