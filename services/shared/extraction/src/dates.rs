//! Dates as pages and reprints write them: ISO and RFC forms, Unix times, numbers, and words in several languages.

use article::{Moment, Precision};
use jiff::{civil, tz::Offset};

/// Reads one date from a text that is little more than a date. A time of day and an offset are kept where given.
///
/// `month_first` settles `03/04/2015`, which half the world reads the other way.
pub(crate) fn read_date(text: &str, month_first: bool) -> Option<Moment> {
    let text = text.trim();
    if text.is_empty() || text.len() > 200 {
        return None;
    }
    Moment::parse(text)
        .ok()
        .or_else(|| unix_time(text))
        .or_else(|| in_words(text, month_first))
        .filter(is_plausible)
}

/// The date in an address's path: `/2015/03/19/`, `/2015-03-19-`, `20150319`.
pub(crate) fn date_of_url(url: &str) -> Option<Moment> {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest).split(['?', '#']).next()?;
    let numbers: Vec<&str> = path.split(|c: char| !c.is_ascii_digit()).collect();
    let triple = numbers.windows(3).find_map(|w| {
        let [year, month, day] = w else { return None };
        if year.len() != 4 || !(1..=2).contains(&month.len()) || !(1..=2).contains(&day.len()) {
            return None;
        }
        Moment::day(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
    });
    let glued = || {
        numbers.iter().filter(|n| n.len() == 8).find_map(|n| {
            Moment::day(n.get(..4)?.parse().ok()?, n.get(4..6)?.parse().ok()?, n.get(6..)?.parse().ok()?)
        })
    };
    triple.or_else(glued).filter(is_plausible)
}

/// Nothing on the web is dated before 1990 or after 2100 but by mistake.
fn is_plausible(moment: &Moment) -> bool {
    (1990..2100).contains(&moment.date().year())
}

fn unix_time(text: &str) -> Option<Moment> {
    let number: i64 = text.parse().ok()?;
    match text.len() {
        10 => Moment::from_millis(number * 1000),
        13 => Moment::from_millis(number),
        _ => None,
    }
}

fn in_words(text: &str, month_first: bool) -> Option<Moment> {
    let lower = text.to_lowercase();
    let date =
        named_month(&lower).or_else(|| numeric(&lower, month_first)).or_else(|| ideographic(&lower))?;
    let Some(time) = time_of_day(&lower) else { return Moment::day(date.year(), date.month(), date.day()) };
    let moment = Moment::at(date.to_datetime(time), offset(text));
    debug_assert!(moment.precision() != Precision::Day);
    Some(moment)
}

/// `March 19, 2015`, `19. März 2015`, `19 de marzo de 2015`, `Mar 19 2015`.
fn named_month(lower: &str) -> Option<civil::Date> {
    let words: Vec<&str> = lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).collect();
    let at = words.iter().position(|w| month_of(w).is_some())?;
    let month = month_of(words.get(at)?)?;
    let day_of = |w: &&str| {
        let digits = w.trim_end_matches(|c: char| c.is_alphabetic());
        digits.parse::<i8>().ok().filter(|d| (1..=31).contains(d) && digits.len() <= 2)
    };
    let near = |offset: isize| at.checked_add_signed(offset).and_then(|i| words.get(i));
    let before = near(-1)
        .and_then(day_of)
        .or_else(|| near(-1).filter(|w| **w == "de").and_then(|_| near(-2)).and_then(day_of));
    let after = near(1).and_then(day_of);
    let year = words
        .get(at + 1..)
        .unwrap_or_default()
        .iter()
        .take(4)
        .find_map(|w| w.parse::<i16>().ok().filter(|y| (1990..2100).contains(y)));
    // `2015 March 19` is rare but unambiguous.
    let year = year.or_else(|| near(-1).and_then(|w| w.parse().ok()).filter(|y| (1990..2100).contains(y)))?;
    civil::Date::new(year, month, before.or(after)?).ok()
}

/// `19.03.2015`, `19/03/2015`, `3/19/2015`, `2015/03/19`.
fn numeric(lower: &str, month_first: bool) -> Option<civil::Date> {
    let start = lower.find(|c: char| c.is_ascii_digit())?;
    let mut parts = Vec::new();
    let mut separators = Vec::new();
    let mut number = String::new();
    for c in lower.get(start..)?.chars().chain(std::iter::once(' ')) {
        if c.is_ascii_digit() {
            number.push(c);
            continue;
        }
        parts.push(std::mem::take(&mut number));
        if parts.len() == 3 || !matches!(c, '.' | '/' | '-') {
            break;
        }
        separators.push(c);
    }
    let [a, b, c] = parts.as_slice() else { return None };
    let (x, y, z): (i16, i16, i16) = (a.parse().ok()?, b.parse().ok()?, c.parse().ok()?);
    let short = |n: i16| i8::try_from(n).ok();
    if a.len() == 4 {
        return civil::Date::new(x, short(y)?, short(z)?).ok();
    }
    let year = match c.len() {
        4 => z,
        2 => 2000 + z,
        _ => return None,
    };
    let month_leads = separators.first() == Some(&'/') && (y > 12 || (month_first && x <= 12));
    let (month, day) = if month_leads { (x, y) } else { (y, x) };
    civil::Date::new(year, short(month)?, short(day)?).ok()
}

/// `2015年3月19日`, `2015년 3월 19일`.
fn ideographic(lower: &str) -> Option<civil::Date> {
    let part = |marks: [char; 2]| {
        let end = lower.find(marks)?;
        let digits = lower.get(..end)?.trim_end().rsplit(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse::<i16>().ok()
    };
    let (year, month, day) = (part(['年', '년'])?, part(['月', '월'])?, part(['日', '일'])?);
    civil::Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// `10:30`, `10:30:05`, `10.30 Uhr`, `4:15 p.m.`.
fn time_of_day(lower: &str) -> Option<civil::Time> {
    let bytes = lower.as_bytes();
    let digits_before = |at: usize| {
        let start = (at.saturating_sub(2)..at)
            .find(|i| bytes.get(*i..at).is_some_and(|s| s.iter().all(u8::is_ascii_digit)));
        start.and_then(|s| lower.get(s..at)).and_then(|t| t.parse::<i8>().ok())
    };
    let number_at = |at: usize| lower.get(at..at + 2).and_then(|t| t.parse::<i8>().ok());
    let uhr = lower.contains("uhr");
    let (colon, mut hour, minute) =
        bytes.iter().enumerate().filter(|(_, b)| **b == b':' || (uhr && **b == b'.')).find_map(
            |(at, _)| {
                Some((at, digits_before(at)?, number_at(at + 1)?))
                    .filter(|(_, h, m)| (0..24).contains(h) && (0..60).contains(m))
            },
        )?;
    let seconds = bytes
        .get(colon + 3)
        .filter(|b| **b == b':')
        .and_then(|_| number_at(colon + 4))
        .filter(|s| (0..60).contains(s));
    let after = lower
        .get(colon + 3..)
        .unwrap_or_default()
        .trim_start_matches(|c: char| c == ':' || c.is_ascii_digit() || c.is_whitespace());
    if (after.starts_with("pm") || after.starts_with("p.m") || after.starts_with("p. m")) && hour < 12 {
        hour += 12;
    } else if (after.starts_with("am") || after.starts_with("a.m") || after.starts_with("a. m")) && hour == 12
    {
        hour = 0;
    }
    civil::Time::new(hour, minute, seconds.unwrap_or(0), 0).ok()
}

/// Zone names that mean one offset everywhere.
fn offset(text: &str) -> Option<Offset> {
    const ZONES: &[(&str, i32)] = &[
        ("UTC", 0),
        ("GMT", 0),
        ("BST", 60),
        ("CEST", 120),
        ("CET", 60),
        ("EEST", 180),
        ("EET", 120),
        ("MSK", 180),
        ("EDT", -240),
        ("EST", -300),
        ("CDT", -300),
        ("CST", -360),
        ("MDT", -360),
        ("MST", -420),
        ("PDT", -420),
        ("PST", -480),
        ("JST", 540),
        ("HKT", 480),
        ("SGT", 480),
        ("AEST", 600),
        ("AEDT", 660),
        ("MESZ", 120),
        ("MEZ", 60),
    ];
    let mut words = text.split(|c: char| !c.is_alphanumeric());
    let minutes =
        words.find_map(|w| ZONES.iter().find(|(zone, _)| *zone == w).map(|(_, minutes)| *minutes))?;
    Offset::from_seconds(minutes * 60).ok()
}

/// The month of a name in English, German, French, Spanish, Italian, Portuguese, Dutch, Scandinavian, Polish, Czech,
/// Turkish, Russian or Ukrainian, abbreviations included.
pub(crate) fn month_of(word: &str) -> Option<i8> {
    const MONTHS: [&str; 12] = [
        "january jan januar januari janvier janv enero ene gennaio gen janeiro jänner stycznia ledna ocak января янв січня",
        "february feb februar februari février fevrier févr fév febrero febbraio fevereiro fev lutego února şubat февраля фев лютого",
        "march mar märz maerz mär mars marzo março marco maart mrt mart marca března mart марта мар березня",
        "april apr avril avr abril abr aprile kwietnia dubna nisan апреля апр квітня",
        "may mai mayo maggio mag maio mei maj maja května mayıs мая травня",
        "june jun juni juin junio giugno giu junho czerwca června haziran июня июн червня",
        "july jul juli juillet juil julio luglio lug julho lipca července temmuz июля июл липня",
        "august aug août aout agosto ago augusti augustus sierpnia srpna ağustos августа авг серпня",
        "september sep sept septembre septiembre settembre set setembro września září eylül сентября сен вересня",
        "october oct oktober okt octobre octubre ottobre ott outubro out október października října ekim октября окт жовтня",
        "november nov novembre noviembre novembro listopada listopadu kasım ноября ноя",
        "december dec dezember dez décembre decembre déc diciembre dic dicembre dezembro desember grudnia prosince aralık декабря дек грудня",
    ];
    let found = MONTHS.iter().position(|names| names.split(' ').any(|name| name == word))?;
    i8::try_from(found + 1).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_many_hands() {
        for (text, expected) in [
            ("March 19, 2015", "2015-03-19"),
            ("Thursday, 19th March 2015", "2015-03-19"),
            ("19. März 2015, 10:30 Uhr", "2015-03-19T10:30:00"),
            ("19 mars 2015 à 10:30", "2015-03-19T10:30:00"),
            ("19 de marzo de 2015", "2015-03-19"),
            ("Mar 19, 2015 4:15 p.m. EDT", "2015-03-19T16:15:00-04:00"),
            ("19.03.2015 - 12:05", "2015-03-19T12:05:00"),
            ("Published 3/19/2015", "2015-03-19"),
            ("04/03/2015", "2015-03-04"),
            ("19 марта 2015", "2015-03-19"),
            ("2015年3月19日", "2015-03-19"),
            ("1426761000", "2015-03-19T10:30:00Z"),
            ("2015-03-19T10:30:00+03:00", "2015-03-19T10:30:00+03:00"),
        ] {
            assert_eq!(read_date(text, false).map(|m| m.to_string()).as_deref(), Some(expected), "{text}");
        }
        assert_eq!(read_date("04/03/2015", true).unwrap().to_string(), "2015-04-03");
        for text in ["", "yesterday", "12 people died in March", "31/31/2015", "1789-07-14"] {
            assert_eq!(read_date(text, false), None, "{text}");
        }
    }

    #[test]
    fn dates_in_addresses() {
        for (url, expected) in [
            ("https://example.com/2015/03/19/story", Some("2015-03-19")),
            ("https://example.com/news/20150319-story.html", Some("2015-03-19")),
            ("https://example.com/a/2015-3-9/x", Some("2015-03-09")),
            ("https://example.com/story-123456789", None),
        ] {
            assert_eq!(date_of_url(url).map(|m| m.to_string()).as_deref(), expected, "{url}");
        }
    }
}
