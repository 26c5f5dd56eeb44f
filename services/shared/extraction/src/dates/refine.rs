//! What one account of a moment adds to another: an offset, a time of day.

use article::{Moment, Precision};
use jiff::{Timestamp, tz::Offset};

/// The same moment with what another account adds: a local offset for an instant in UTC, an offset for a local time.
pub(crate) fn refine(moment: Moment, others: impl Iterator<Item = Moment>) -> Moment {
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
pub(crate) fn is_exact(moment: Moment) -> bool {
    moment.as_millis() / 1000 % 60 != 0
}

/// An instant with the offset at which its clocks show `local`, if there is such a place: nobody lives twelve hours behind
/// UTC, where a clock of twelve hours is that does not say which half of the day it is.
fn located(instant: Moment, local: Moment) -> Option<Moment> {
    const QUARTER: i64 = 900;
    const INHABITED: std::ops::RangeInclusive<i64> = -11 * 3600..=14 * 3600;
    let seconds = (local.as_millis() - instant.as_millis()).div_euclid(1000);
    let rounded = (seconds + QUARTER / 2).div_euclid(QUARTER) * QUARTER;
    let exists = (seconds - rounded).abs() < 60 && rounded != 0 && INHABITED.contains(&rounded);
    let offset = Offset::from_seconds(i32::try_from(rounded).ok().filter(|_| exists)?).ok()?;
    let timestamp = Timestamp::from_millisecond(instant.as_millis()).ok()?;
    Some(Moment::at(offset.to_datetime(timestamp), Some(offset)))
}
