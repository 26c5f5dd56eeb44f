//! Dates as pages and reprints write them: ISO and RFC forms, Unix times, numbers, and words in many languages.
//!
//! A text is divided into words and numbers; a date is a short run of them. The words are in `dates/words.txt`.

mod clock;
mod published;
mod refine;
mod shown;
mod tokens;
mod told;

use std::{
    collections::{HashMap, HashSet},
    sync::LazyLock,
};

use article::Moment;
use jiff::civil;

pub(crate) use self::published::times;
use self::{
    clock::clock_near,
    tokens::{Token, gap, is_digit, is_unit, plain, tokens},
};

/// Bytes of a text in which dates are looked for.
const MAX_TEXT_BYTES: usize = 400;
/// Nothing on the web is dated before 1990 or after 2100 but by mistake.
const YEARS: std::ops::Range<i16> = 1990..2100;

/// A date found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dated {
    pub moment: Moment,
    /// The other reading of a date such as `03/04/2015`.
    pub swapped: Option<Moment>,
    pub label: Option<Label>,
}

/// What the words before a date say it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Label {
    Published,
    Changed,
    /// The day of something else: an end, a deadline.
    Other,
}

/// Reads one date from a text that is little more than a date. A time of day and an offset are kept where given.
///
/// `month_first` settles `03/04/2015`, which half the world reads the other way.
pub(crate) fn read_date(text: &str, month_first: bool) -> Option<Moment> {
    read_dated(text, month_first).map(|found| found.moment)
}

/// The same, with what else is known of it.
pub(crate) fn read_dated(text: &str, month_first: bool) -> Option<Dated> {
    let text = text.trim();
    if text.len() > 200 || !text.contains(is_digit) {
        return None;
    }
    let bare = |moment| Dated { moment, swapped: None, label: None };
    Moment::parse(text)
        .ok()
        .or_else(|| unix_time(text))
        .filter(|moment| YEARS.contains(&moment.date().year()))
        .map(bare)
        .or_else(|| dates_in(text, month_first).into_iter().next())
}

/// All dates in a text, in order.
pub(crate) fn dates_in(text: &str, month_first: bool) -> Vec<Dated> {
    let mut found = Vec::new();
    if text.len() > MAX_TEXT_BYTES || !text.contains(is_digit) {
        return found;
    }
    let text = plain(text);
    let tokens = tokens(&text);
    let (mut at, mut after_last) = (0, 0);
    while at < tokens.len() {
        let Some(read) = date_at(&text, &tokens, at, month_first) else {
            at += 1;
            continue;
        };
        let clock = clock_near(&text, &tokens, after_last, at, read.next);
        let moment = |date: civil::Date| match &clock {
            Some(clock) => Some(Moment::at(date.to_datetime(clock.time), clock.offset)),
            None => Moment::day(date.year(), date.month(), date.day()),
        };
        if let Some(first) = moment(read.date) {
            found.push(Dated {
                moment: first,
                swapped: read.swapped.and_then(moment),
                label: label(tokens.get(after_last..at).unwrap_or_default()),
            });
        }
        after_last = clock.map_or(read.next, |clock| clock.next.max(read.next));
        at = after_last;
    }
    found
}

/// The date in an address's path: `/2015/03/19/`, `/2015-03-19-`, `/19-03-2015`, `20150319`, `/2015/mar/19/`.
pub(crate) fn date_of_url(url: &str) -> Option<Moment> {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest).split(['?', '#']).next()?;
    let numbers: Vec<&str> = path.split(|c: char| !c.is_ascii_digit()).collect();
    let day = |year: &str, month: &str, day: &str| {
        let fits = year.len() == 4 && (1..=2).contains(&month.len()) && (1..=2).contains(&day.len());
        let moment = Moment::day(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
        moment.filter(|m| fits && YEARS.contains(&m.date().year()))
    };
    let triple = numbers.windows(3).find_map(|w| {
        let [a, b, c] = w else { return None };
        day(a, b, c).or_else(|| day(c, b, a))
    });
    let glued =
        || numbers.iter().filter(|n| n.len() == 8).find_map(|n| day(n.get(..4)?, n.get(4..6)?, n.get(6..)?));
    let named = || {
        let parts: Vec<&str> = path.split('/').collect();
        parts.windows(3).find_map(|w| {
            let [year, month, date] = w else { return None };
            day(year, &month_of(&month.to_lowercase())?.to_string(), date)
        })
    };
    triple.or_else(glued).or_else(named)
}

fn unix_time(text: &str) -> Option<Moment> {
    let number: i64 = text.parse().ok()?;
    match text.len() {
        10 => Moment::from_millis(number * 1000),
        13 => Moment::from_millis(number),
        _ => None,
    }
}

/// A date and the token after it.
struct Read {
    date: civil::Date,
    swapped: Option<civil::Date>,
    next: usize,
}

fn date_at(text: &str, tokens: &[Token], at: usize, month_first: bool) -> Option<Read> {
    let token = tokens.get(at)?;
    if !token.is_number {
        return month_leads(tokens, at);
    }
    match token.word.len() {
        4 => year_leads(text, tokens, at),
        1 | 2 => day_then_name(text, tokens, at).or_else(|| numeric(text, tokens, at, month_first)),
        _ => None,
    }
}

/// `2015-03-19`, `2015/3/19`, `2015年3月19日`, `2015. március 19.`
fn year_leads(text: &str, tokens: &[Token], at: usize) -> Option<Read> {
    let year = year(tokens.get(at)?)?;
    let second = skip(tokens, at + 1, 1);
    let date = |month: i8, at: usize| {
        let day = tokens.get(at)?.number(1..=2)?;
        let unit = tokens.get(at + 1).is_some_and(|t| t.word.starts_with(is_unit));
        Some(Read { date: day_of(year, month, day)?, swapped: None, next: at + 1 + usize::from(unit) })
    };
    if let Some((month, next)) = month_at(tokens, second) {
        return date(month, next);
    }
    let month = i8::try_from(tokens.get(second)?.number(1..=2)?).ok()?;
    let third = skip(tokens, second + 1, 1);
    let separators = (gap(text, tokens, second - 1).trim(), gap(text, tokens, third - 1).trim());
    let by_units = second > at + 1 && third > second + 1;
    let by_signs = matches!(separators, ("-", "-") | ("/", "/") | (".", ".") | ("_", "_") | ("–", "–"));
    (by_units || by_signs).then(|| date(month, third)).flatten()
}

/// `19. März 2015`, `19 de marzo de 2015`, `19th of March, 2015`, `19 tháng 3 năm 2015`, `19-Mar-15`.
fn day_then_name(text: &str, tokens: &[Token], at: usize) -> Option<Read> {
    let day = tokens.get(at)?.number(1..=2)?;
    let (month, next) = month_at(tokens, skip(tokens, at + 1, 2)).or_else(|| {
        let tháng = tokens.get(at + 1).filter(|t| t.word == "tháng" || t.word == "thg")?;
        let month = tokens.get(at + 2).filter(|_| !tháng.is_number)?.number(1..=2)?;
        Some((i8::try_from(month).ok()?, at + 3))
    })?;
    let at = skip(tokens, next, 2);
    let short = || {
        // Two digits are a year unless a time of day begins with them.
        let token = tokens.get(at)?;
        let is_time = gap(text, tokens, at) == ":";
        token.number(2..=2).filter(|_| at == next && !is_time).map(full_year)
    };
    let year = tokens.get(at).and_then(year).or_else(short)?;
    Some(Read { date: day_of(year, month, day)?, swapped: None, next: at + 1 })
}

/// `March 19, 2015`, `Mar 19 10:30:05 EDT 2015`.
fn month_leads(tokens: &[Token], at: usize) -> Option<Read> {
    /// A time of day and its zone may stand before the year.
    const MAX_BETWEEN: usize = 5;
    let (month, next) = month_at(tokens, at)?;
    let at = skip(tokens, next, 1);
    let day = tokens.get(at)?.number(1..=2)?;
    let mut rest = tokens.iter().enumerate().skip(at + 1).take(MAX_BETWEEN + 1);
    let (at, year) = rest.find_map(|(at, token)| {
        let stops = !token.is_number && token.word.chars().count() > 4;
        year(token).map(Some).or(stops.then_some(None)).map(|year| (at, year))
    })?;
    Some(Read { date: day_of(year?, month, day)?, swapped: None, next: at + 1 })
}

/// `19.03.2015`, `19/03/15`, `3/19/2015`, `24. 4. 2020`.
fn numeric(text: &str, tokens: &[Token], at: usize, month_first: bool) -> Option<Read> {
    let number = |at: usize| tokens.get(at)?.number(1..=2);
    let (first, second) = (number(at)?, number(at + 1)?);
    let third = tokens.get(at + 2)?;
    let sign = gap(text, tokens, at).trim();
    let is_piece_of_more = at.checked_sub(1).is_some_and(|before| {
        matches!(gap(text, tokens, before), "." | "/" | "-" | ":") && tokens[before].is_number
    });
    if !matches!(sign, "." | "/" | "-") || gap(text, tokens, at + 1).trim() != sign || is_piece_of_more {
        return None;
    }
    let is_short = third.number(2..=2).is_some() && gap(text, tokens, at + 1) == sign;
    let year = year(third).or_else(|| third.number(2..=2).filter(|_| is_short).map(full_year))?;
    let (by_day, by_month) =
        (day_of(year, i8::try_from(second).ok()?, first), day_of(year, i8::try_from(first).ok()?, second));
    let (date, swapped) = if month_first && sign == "/" {
        (by_month.or(by_day)?, by_day)
    } else {
        (by_day.or(by_month)?, by_month)
    };
    Some(Read { date, swapped: swapped.filter(|other| *other != date), next: at + 3 })
}

/// One past the last of at most `limit` words that link the parts of a date.
fn skip(tokens: &[Token], at: usize, limit: usize) -> usize {
    let is_link =
        |t: &&Token| !t.is_number && (WORDS.links.contains(t.word.as_ref()) || t.word.starts_with(is_unit));
    at + tokens.get(at..).unwrap_or_default().iter().take(limit).take_while(is_link).count()
}

fn month_at(tokens: &[Token], at: usize) -> Option<(i8, usize)> {
    let token = tokens.get(at).filter(|t| !t.is_number)?;
    month_of(&token.word).map(|month| (month, at + 1)).or_else(|| {
        // Months of two words, as the Levant has them.
        let pair = tokens.get(at + 1).filter(|_| matches!(token.word.as_ref(), "كانون" | "تشرين"))?;
        month_of(&format!("{}-{}", token.word, pair.word)).map(|month| (month, at + 2))
    })
}

/// A year of four digits; those of the Buddhist era are 543 ahead.
fn year(token: &Token) -> Option<i16> {
    let year = token.number(4..=4)?;
    let year = if (2533..2643).contains(&year) { year - 543 } else { year };
    YEARS.contains(&year).then_some(year)
}

fn full_year(short: i16) -> i16 {
    short + if short >= 90 { 1900 } else { 2000 }
}

fn day_of(year: i16, month: i8, day: i16) -> Option<civil::Date> {
    civil::Date::new(year, month, i8::try_from(day).ok()?).ok()
}

/// What the nearest word before a date says of it.
fn label(before: &[Token]) -> Option<Label> {
    const REACH: usize = 8;
    before.iter().rev().take(REACH).filter(|t| !t.is_number).find_map(|token| {
        // Chinese and Japanese write labels into one run with what is around them.
        let is_run = token.word.starts_with(is_ideograph);
        let says = |words: &HashSet<&str>| {
            words.contains(token.word.as_ref())
                || is_run && words.iter().any(|w| w.starts_with(is_ideograph) && token.word.contains(w))
        };
        let labels = [
            (&WORDS.changed, Label::Changed),
            (&WORDS.published, Label::Published),
            (&WORDS.other, Label::Other),
        ];
        labels.into_iter().find(|(words, _)| says(words)).map(|(_, label)| label)
    })
}

/// The month of a name or an abbreviation in lower case, in any language of `dates/words.txt`.
pub(crate) fn month_of(word: &str) -> Option<i8> {
    WORDS.months.get(word).copied()
}

fn is_ideograph(c: char) -> bool {
    c > '\u{2e80}'
}

/// The tables of `dates/words.txt`.
struct Words {
    months: HashMap<&'static str, i8>,
    links: HashSet<&'static str>,
    changed: HashSet<&'static str>,
    published: HashSet<&'static str>,
    other: HashSet<&'static str>,
}

static WORDS: LazyLock<Words> = LazyLock::new(|| {
    const MONTHS: [&str; 12] = [
        "january",
        "february",
        "march",
        "april",
        "may",
        "june",
        "july",
        "august",
        "september",
        "october",
        "november",
        "december",
    ];
    let months = (1..).zip(MONTHS).flat_map(|(number, name)| section(name).map(move |word| (word, number)));
    Words {
        months: months.collect(),
        links: section("links").collect(),
        changed: section("changed").collect(),
        published: section("published").collect(),
        other: section("other").collect(),
    }
});

fn section(name: &str) -> impl Iterator<Item = &'static str> {
    let is_heading =
        move |line: &&str| line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) == Some(name);
    let lines = include_str!("dates/words.txt").lines().skip_while(move |line| !is_heading(line)).skip(1);
    let lines = lines.take_while(|line| !line.starts_with('[')).filter(|line| !line.starts_with('#'));
    lines.flat_map(str::split_whitespace)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_many_hands() {
        for (text, expected) in [
            ("March 19, 2015", "2015-03-19"),
            ("Thursday, 19th March 2015", "2015-03-19"),
            ("the 19th of March, 2015", "2015-03-19"),
            ("19. März 2015, 10:30 Uhr", "2015-03-19T10:30:00"),
            ("19 mars 2015 à 10h30", "2015-03-19T10:30:00"),
            ("19 de marzo de 2015", "2015-03-19"),
            ("Mar 19, 2015 4:15 p.m. EDT", "2015-03-19T16:15:00-04:00"),
            ("Published 8:00 PM EST, Thu March 19, 2015", "2015-03-19T20:00:00-05:00"),
            ("Thu Mar 19 10:30:05 GMT 2015", "2015-03-19T10:30:05Z"),
            ("19.03.2015 - 12:05", "2015-03-19T12:05:00"),
            ("19. 3. 2015", "2015-03-19"),
            ("19.03.15", "2015-03-19"),
            ("19-Mar-15 10:30", "2015-03-19T10:30:00"),
            ("Published 3/19/2015", "2015-03-19"),
            ("04/03/2015", "2015-03-04"),
            ("19 марта 2015 г. в 10:30", "2015-03-19T10:30:00"),
            ("2015年3月19日 10时30分", "2015-03-19T10:30:00"),
            ("2015年3月19日 下午4:15", "2015-03-19T16:15:00"),
            ("2015년 3월 19일 오후 4:15", "2015-03-19T16:15:00"),
            ("2015. március 19. 10:30", "2015-03-19T10:30:00"),
            ("Thứ Năm, 19 tháng 3 năm 2015", "2015-03-19"),
            ("19 มีนาคม 2558", "2015-03-19"),
            ("19 มี.ค. 2558", "2015-03-19"),
            ("١٩ مارس ٢٠١٥", "2015-03-19"),
            ("19 كانون الثاني 2015", "2015-01-19"),
            ("19 במרץ 2015", "2015-03-19"),
            ("१९ मार्च २०१५", "2015-03-19"),
            ("19 Μαρτίου 2015", "2015-03-19"),
            ("19. maaliskuuta 2015 klo 10.30", "2015-03-19T10:30:00"),
            ("19 Maret 2015 10:30 WIB", "2015-03-19T10:30:00+07:00"),
            ("Posted at 2015-03-19T10:30:00.000+03:00 by Ann", "2015-03-19T10:30:00+03:00"),
            ("1426761000", "2015-03-19T10:30:00Z"),
            ("2015-03-19T10:30:00+03:00", "2015-03-19T10:30:00+03:00"),
        ] {
            assert_eq!(read_date(text, false).map(|m| m.to_string()).as_deref(), Some(expected), "{text}");
        }
        for (text, month_first) in [("04/03/2015", "2015-04-03"), ("4.3.2015", "2015-03-04")] {
            assert_eq!(read_date(text, true).unwrap().to_string(), month_first);
        }
        for text in [
            "",
            "yesterday",
            "12 people died in March",
            "31/31/2015",
            "1789-07-14",
            "version 1.2.3.2015",
            "Call 020 7946 0018",
            "March 2015",
            "In March 5 people and in 2015",
        ] {
            assert_eq!(read_date(text, false), None, "{text}");
        }
    }

    #[test]
    fn words_before_a_date_say_what_it_is() {
        let (published, changed) = (Some(Label::Published), Some(Label::Changed));
        for (text, labels) in [
            ("Published 19 March 2015, updated 20 March 2015", vec![published, changed]),
            ("Stand: 19.03.2015", vec![changed]),
            ("Mis à jour le 20 mars 2015 | Publié le 19 mars 2015", vec![changed, published]),
            ("发布时间：2015-03-19", vec![published]),
            ("By Ann Able, 19 March 2015", vec![None]),
        ] {
            assert_eq!(dates_in(text, false).iter().map(|d| d.label).collect::<Vec<_>>(), labels, "{text}");
        }
    }

    #[test]
    fn what_can_be_read_both_ways_says_so() {
        for (text, swapped) in
            [("03/04/2015", Some("2015-03-04")), ("03/03/2015", None), ("19/03/2015", None)]
        {
            let found = dates_in(text, false)[0];
            assert_eq!(found.swapped.map(|m| m.to_string()).as_deref(), swapped, "{text}");
        }
    }

    #[test]
    fn dates_in_addresses() {
        for (url, expected) in [
            ("https://example.com/2015/03/19/story", Some("2015-03-19")),
            ("https://example.com/news/20150319-story.html", Some("2015-03-19")),
            ("https://example.com/a/2015-3-9/x", Some("2015-03-09")),
            ("https://example.com/a/19-03-2015", Some("2015-03-19")),
            ("https://example.com/2015/mar/19/story", Some("2015-03-19")),
            ("https://example.com/story-123456789", None),
        ] {
            assert_eq!(date_of_url(url).map(|m| m.to_string()).as_deref(), expected, "{url}");
        }
    }

    #[test]
    fn the_tables_are_read_whole() {
        let headings =
            include_str!("dates/words.txt").lines().filter_map(|l| l.strip_prefix('[')?.strip_suffix(']'));
        assert!(headings.clone().all(|name| section(name).next().is_some()));
        assert_eq!(headings.count(), 16);
        assert_eq!(WORDS.months.values().copied().collect::<HashSet<i8>>().len(), 12);
    }
}
