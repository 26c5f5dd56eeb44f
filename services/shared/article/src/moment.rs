//! Published instants: with the offset that was given, and no more precision than was given.

use std::fmt;

use jiff::{Timestamp, civil, fmt::rfc2822, tz::Offset};
use thiserror::Error;

use crate::Precision;

/// When something was published, as far as it was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    civil: civil::DateTime,
    offset: Option<Offset>,
    precision: Precision,
}

/// A text that is not a moment in ISO 8601, RFC 3339 or RFC 2822.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is not a date or instant in ISO 8601, RFC 3339 or RFC 2822")]
pub struct MomentError(String);

impl Moment {
    /// A date alone. `None` where the calendar has no such day.
    pub fn day(year: i16, month: i8, day: i8) -> Option<Self> {
        let date = civil::Date::new(year, month, day).ok()?;
        Some(Self { civil: date.at(0, 0, 0, 0), offset: None, precision: Precision::Day })
    }

    /// A date and time of day, with the offset where it was given.
    pub fn at(civil: civil::DateTime, offset: Option<Offset>) -> Self {
        let precision = if offset.is_some() { Precision::Instant } else { Precision::Local };
        Self { civil, offset, precision }
    }

    /// An instant in UTC.
    pub fn from_millis(unix_ms: i64) -> Option<Self> {
        let timestamp = Timestamp::from_millisecond(unix_ms).ok()?;
        Some(Self::at(Offset::UTC.to_datetime(timestamp), Some(Offset::UTC)))
    }

    /// Reads ISO 8601 as pages write it (`2015-03-19`, `2015-03-19 10:30`, `20150319T103000Z`, `…+0300`), RFC 3339 and
    /// RFC 2822. Dates in words are the extractor's business.
    pub fn parse(text: &str) -> Result<Self, MomentError> {
        let text = text.trim();
        if text.len() > 64 {
            return Err(MomentError(text.chars().take(64).collect()));
        }
        parse_iso(text).or_else(|| parse_rfc2822(text)).ok_or_else(|| MomentError(text.to_owned()))
    }

    /// How much was given.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Year, month, day where it was written.
    pub fn date(&self) -> civil::Date {
        self.civil.date()
    }

    /// The offset, where one was given.
    pub fn offset(&self) -> Option<Offset> {
        self.offset
    }

    /// Milliseconds since 1970; what had no offset is read as UTC, what had no time of day as its day's beginning.
    pub fn as_millis(&self) -> i64 {
        self.offset.unwrap_or(Offset::UTC).to_timestamp(self.civil).map_or(0, |t| t.as_millisecond())
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.precision == Precision::Day {
            return write!(f, "{}", self.civil.date());
        }
        let (d, t) = (self.civil.date(), self.civil.time());
        write!(f, "{d}T{:02}:{:02}:{:02}", t.hour(), t.minute(), t.second())?;
        match self.offset.map(Offset::seconds) {
            None => Ok(()),
            Some(0) => f.write_str("Z"),
            Some(s) => {
                let (sign, s) = (if s < 0 { '-' } else { '+' }, s.abs());
                write!(f, "{sign}{:02}:{:02}", s / 3600, s / 60 % 60)
            }
        }
    }
}

fn parse_iso(text: &str) -> Option<Moment> {
    let zoned =
        text.strip_suffix(['Z', 'z']).map(|civil| (civil, Offset::UTC)).or_else(|| split_offset(text));
    let (civil_text, offset) = zoned.map_or((text, None), |(civil, offset)| (civil, Some(offset)));
    if let Ok(civil) = civil_text.trim_end().parse::<civil::DateTime>()
        && civil_text.len() > 10
        && civil_text.contains([':', 'T', 't'])
    {
        return Some(Moment::at(civil, offset));
    }
    let date = text.parse::<civil::Date>().ok()?;
    Moment::day(date.year(), date.month(), date.day())
}

/// `…+03:00`, `…-0400`, `… +03`: jiff's civil parser takes none of them.
fn split_offset(text: &str) -> Option<(&str, Offset)> {
    let time = text.find([':', 'T', 't'])?;
    let at = time + text.get(time..)?.rfind(['+', '-'])?;
    let (civil, offset) = text.split_at_checked(at)?;
    let sign = if offset.starts_with('-') { -1 } else { 1 };
    let digits: String = offset.chars().skip(1).filter(|c| *c != ':').collect();
    if !matches!(digits.len(), 2 | 4) || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let hours: i32 = digits.get(..2)?.parse().ok()?;
    let minutes: i32 = digits.get(2..).filter(|m| !m.is_empty()).map_or(Ok(0), str::parse).ok()?;
    Some((civil, Offset::from_seconds(sign * (hours * 3600 + minutes * 60)).ok()?))
}

fn parse_rfc2822(text: &str) -> Option<Moment> {
    let zoned = rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_zoned(text).ok()?;
    Some(Moment::at(zoned.datetime(), Some(zoned.offset())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_keep_what_was_given() {
        for (given, written, precision) in [
            ("2015-03-19", "2015-03-19", Precision::Day),
            ("20150319", "2015-03-19", Precision::Day),
            ("2015-03-19T10:30:05-04:00", "2015-03-19T10:30:05-04:00", Precision::Instant),
            ("2015-03-19T10:30:05.123+0300", "2015-03-19T10:30:05+03:00", Precision::Instant),
            ("2015-03-19 10:30 +03", "2015-03-19T10:30:00+03:00", Precision::Instant),
            ("2015-03-19T10:30Z", "2015-03-19T10:30:00Z", Precision::Instant),
            ("2015-03-19T10:30:00", "2015-03-19T10:30:00", Precision::Local),
            ("2015-03-19 10:30:00", "2015-03-19T10:30:00", Precision::Local),
            ("Thu, 19 Mar 2015 10:30:00 +0100", "2015-03-19T10:30:00+01:00", Precision::Instant),
            ("Thu, 19 Mar 2015 10:30:00 GMT", "2015-03-19T10:30:00Z", Precision::Instant),
        ] {
            let moment = Moment::parse(given).unwrap();
            assert_eq!((moment.to_string().as_str(), moment.precision()), (written, precision), "{given}");
            assert_eq!(
                Moment::parse(written).unwrap(),
                Moment { ..moment }.truncated(),
                "{written} reads back"
            );
        }
    }

    impl Moment {
        fn truncated(mut self) -> Self {
            self.civil = self.civil.with().subsec_nanosecond(0).build().unwrap();
            self
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in ["", "yesterday", "2015-13-01", "2015-02-30", "10:30", "2015", &"2".repeat(100)] {
            assert!(Moment::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn instants_compare_across_offsets() {
        let [a, b] = ["2015-03-19T10:00:00+03:00", "2015-03-19T07:00:00Z"].map(|t| Moment::parse(t).unwrap());
        assert_eq!(a.as_millis(), b.as_millis());
        assert_eq!(Moment::from_millis(a.as_millis()).unwrap().to_string(), "2015-03-19T07:00:00Z");
    }
}
