//! The time of day beside a date, and its zone.

use jiff::{civil, tz::Offset};

use super::tokens::{Token, gap};

/// A time of day, its offset where one is given, and the token after both.
#[derive(Debug)]
pub(crate) struct Clock {
    pub time: civil::Time,
    pub offset: Option<Offset>,
    pub next: usize,
}

/// Words that may stand between a date and its time of day.
const MAX_BETWEEN: usize = 3;

/// The time of day after a date that ends at token `next`, else the one within it, or before
/// it and not before token `from`.
pub(crate) fn clock_near(
    text: &str,
    tokens: &[Token],
    from: usize,
    date: usize,
    next: usize,
) -> Option<Clock> {
    /// Tokens of a time before a date: `8:00:00 PM EST, Tue …`.
    const MAX_BEFORE: usize = 6;
    let number_after = |at: usize| {
        let words = tokens.get(at..)?.iter().take(MAX_BETWEEN + 1).take_while(|t| !t.is_number);
        Some(at + words.take_while(|t| t.word.chars().count() < 8).count())
    };
    let after = number_after(next).and_then(|at| clock_at(text, tokens, at));
    after.or_else(|| {
        (from.max(date.saturating_sub(MAX_BEFORE))..next)
            .find_map(|at| clock_at(text, tokens, at).filter(|clock| clock.next <= next))
    })
}

/// `10:30`, `10:30:05.000+01:00`, `10.30 Uhr`, `10h30`, `4:15 p.m. EDT`, `4pm`, `下午4时15分`.
fn clock_at(text: &str, tokens: &[Token], at: usize) -> Option<Clock> {
    let token = |at: usize| tokens.get(at);
    let word = |at: usize| token(at).filter(|t| !t.is_number).map_or("", |t| t.word.as_ref());
    let hour = token(at)?.number(1..=2).filter(|h| *h <= 24)?;
    let minute_at = |at: usize| token(at)?.number(2..=2).filter(|m| *m < 60);
    let (minute, mut next, sign) = match gap(text, tokens, at) {
        ":" | " : " => (minute_at(at + 1)?, at + 2, ':'),
        "." => (minute_at(at + 1)?, at + 2, '.'),
        _ if matches!(word(at + 1), "h" | "時" | "时" | "点" | "點" | "시") => {
            let minute = token(at + 2).and_then(|t| t.number(1..=2)).filter(|m| *m < 60);
            (minute.unwrap_or(0), at + if minute.is_some() { 3 } else { 2 }, 'h')
        }
        _ => (0, at + 1, ' '),
    };
    let mut second = 0;
    if sign == ':'
        && gap(text, tokens, next - 1) == ":"
        && let Some(found) = minute_at(next)
    {
        second = found;
        next += 1;
        // Fractions are of no use.
        next += usize::from(gap(text, tokens, next - 1) == "." && token(next).is_some_and(|t| t.is_number));
    }
    next += usize::from(matches!(word(next), "分" | "분" | "uhr"));
    let (half, after_half) = match (word(next), word(next + 1)) {
        ("am" | "πμ", _) => (Some(0), next + 1),
        ("pm" | "μμ", _) => (Some(12), next + 1),
        ("a", "m") => (Some(0), next + 2),
        ("p", "m") => (Some(12), next + 2),
        _ => match at.checked_sub(1).map_or("", word) {
            "上午" | "午前" | "오전" | "凌晨" => (Some(0), next),
            "下午" | "午後" | "오후" | "晚上" => (Some(12), next),
            _ => (None, next),
        },
    };
    let is_told = || {
        let before = at.checked_sub(1).map_or("", word);
        matches!(before, "kl" | "klo" | "kello" | "um" | "ore" | "alle") || word(next - 1) == "uhr"
    };
    if (sign == '.' && half.is_none() && !is_told()) || (sign == ' ' && half.is_none()) {
        return None;
    }
    let hour = match half {
        Some(half) if hour <= 12 => hour % 12 + half,
        _ => hour % 24,
    };
    let (offset, next) =
        zone_at(text, tokens, after_half).map_or((None, after_half), |(o, next)| (Some(o), next));
    let small = |n: i16| i8::try_from(n).ok();
    Some(Clock {
        time: civil::Time::new(small(hour)?, small(minute)?, small(second)?, 0).ok()?,
        offset,
        next,
    })
}

/// `Z`, `EDT`, `+03:00`, `UTC+2`: the offset, and the token after it.
fn zone_at(text: &str, tokens: &[Token], at: usize) -> Option<(Offset, usize)> {
    let token = tokens.get(at)?;
    if token.is_number {
        return signed(text, tokens, at);
    }
    let name = text.get(token.start..token.end)?;
    let named = ZONES.iter().find(|(zone, _)| *zone == name).map(|(_, minutes)| *minutes)?;
    let further = (named == 0).then(|| signed(text, tokens, at + 1)).flatten();
    further.or_else(|| Some((Offset::from_seconds(named * 60).ok()?, at + 1)))
}

/// `+03:00`, `-0400`, `+2`, where the sign stands right before the number.
fn signed(text: &str, tokens: &[Token], at: usize) -> Option<(Offset, usize)> {
    let token = tokens.get(at)?;
    let sign = match gap(text, tokens, at.checked_sub(1)?).trim_start() {
        "+" => 1,
        "-" | "−" => -1,
        _ => return None,
    };
    let number = i32::from(token.number(1..=4)?);
    let (hours, minutes, next) = if token.word.len() > 2 {
        (number / 100, number % 100, at + 1)
    } else {
        let minutes =
            tokens.get(at + 1).filter(|_| gap(text, tokens, at) == ":").and_then(|t| t.number(2..=2));
        (number, minutes.map_or(0, i32::from), at + if minutes.is_some() { 2 } else { 1 })
    };
    (hours <= 14 && minutes < 60)
        .then(|| Offset::from_seconds(sign * (hours * 60 + minutes) * 60).ok())
        .flatten()
        .map(|offset| (offset, next))
}

/// Zone names that mean one offset in nearly all that is written, in minutes.
const ZONES: &[(&str, i32)] = &[
    ("Z", 0),
    ("UTC", 0),
    ("GMT", 0),
    ("WET", 0),
    ("BST", 60),
    ("WEST", 60),
    ("CET", 60),
    ("MEZ", 60),
    ("CEST", 120),
    ("MESZ", 120),
    ("EET", 120),
    ("SAST", 120),
    ("EEST", 180),
    ("MSK", 180),
    ("EAT", 180),
    ("PKT", 300),
    ("WIB", 420),
    ("WITA", 480),
    ("HKT", 480),
    ("SGT", 480),
    ("AWST", 480),
    ("WIT", 540),
    ("JST", 540),
    ("KST", 540),
    ("ACST", 570),
    ("AEST", 600),
    ("AEDT", 660),
    ("NZST", 720),
    ("NZDT", 780),
    ("EDT", -240),
    ("EST", -300),
    ("CDT", -300),
    ("CST", -360),
    ("MDT", -360),
    ("MST", -420),
    ("PDT", -420),
    ("PST", -480),
];

#[cfg(test)]
mod tests {
    use crate::dates::read_date;

    #[test]
    fn clocks_and_zones() {
        for (clock, expected) in [
            ("10:30", "T10:30:00"),
            ("10:30:05.123Z", "T10:30:05Z"),
            ("10.30 Uhr", "T10:30:00"),
            ("um 10.30", "T10:30:00"),
            ("kl. 10.30", "T10:30:00"),
            ("10h30", "T10:30:00"),
            ("4 pm", "T16:00:00"),
            ("12:15 a.m. EST", "T00:15:00-05:00"),
            ("10:30 UTC+2", "T10:30:00+02:00"),
            ("10:30 GMT", "T10:30:00Z"),
            ("10:30 +0530", "T10:30:00+05:30"),
            ("10:30 est fermé", "T10:30:00"),
            ("上午10:30", "T10:30:00"),
            ("오후 4시 15분", "T16:15:00"),
            ("25:30", ""),
            ("4 readers", ""),
        ] {
            let text = format!("19 March 2015 {clock}");
            assert_eq!(
                read_date(&text, false).unwrap().to_string(),
                format!("2015-03-19{expected}"),
                "{clock}"
            );
        }
    }
}
