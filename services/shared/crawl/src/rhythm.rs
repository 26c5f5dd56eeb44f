//! How often a feed or sitemap is looked at: as often as it brings something, by a rhythm that is learnt.
//!
//! The aim is about one new entry a look at a rapid feed. Where a look brings several, the interval shrinks to fit at
//! once; where it brings none, it grows by little, and faster only once the quiet is longer than the rate explains.

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
/// The interval of a list nothing is known of.
const FIRST_INTERVAL_MS: i64 = 15 * MINUTE_MS;
/// How long until half of what was learnt of the rate is forgotten.
const RATE_HALF_LIFE_MS: f64 = 24.0 * 3_600_000.0;
/// The same for the longest gap: longer than a holiday.
const LONGEST_HALF_LIFE_MS: f64 = 30.0 * 24.0 * 3_600_000.0;
/// How the interval grows while the quiet is no surprise, and once it is one.
const GROWTH: f64 = 1.1;
const GROWTH_WHEN_QUIET: f64 = 1.5;
/// Mean gaps after which quiet is a surprise.
const SURPRISE_GAPS: f64 = 3.0;
/// What a new entry counts for in the mean of gaps.
const GAP_WEIGHT: f64 = 0.1;
/// Entries that must have been learnt from before quiet means anything.
const LEAST_LEARNT: u32 = 5;
/// Mean gaps, longest gaps, and the time that must all have passed before a list counts as silent.
const SILENT_MEAN_GAPS: f64 = 8.0;
const SILENT_LONGEST_GAPS: f64 = 2.0;
const SILENT_MS: i64 = 6 * HOUR_MS;
/// How long a list must be known before its nights and weekends are, and what counts as silent until then.
const KNOWN_MS: i64 = 8 * 24 * HOUR_MS;
const SILENT_UNTIL_KNOWN_MS: i64 = 3 * 24 * HOUR_MS;
/// Dates that a look learns from, the newest.
const MAX_DATES: usize = 100;

/// What is known of a list. The default is nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rhythm {
    /// When it begins: the first look, or the oldest entry that was dated then.
    pub known_since_ms: i64,
    /// Between two looks, as learnt; 0 before the first.
    pub interval_ms: i64,
    /// When it was last looked at; 0 before the first.
    pub polled_at_ms: i64,
    /// When the newest entry appeared, as far as is known.
    pub last_new_at_ms: i64,
    /// New entries an hour, the older ones counting for less.
    pub per_hour: f64,
    /// Between two new entries, over those there were; 0 where not known. Quiet leaves it as it is.
    pub mean_gap_ms: i64,
    /// The longest of these gaps, lately.
    pub longest_gap_ms: i64,
    /// New entries that all this was learnt from.
    pub learnt: u32,
    /// Looks in a row that brought nothing new.
    pub idle_polls: u32,
}

/// A look at a list.
#[derive(Debug, Clone, Copy, Default)]
pub struct Poll<'a> {
    /// When.
    pub polled_at_ms: i64,
    /// Entries that were not known. All of them at the first look, where they say nothing without dates.
    pub new_items: u32,
    /// When these appeared, where they say so. In any order; what lies in the future is ignored.
    pub published_at_ms: &'a [i64],
    /// The least interval that the list asks for (`ttl`, `sy:updatePeriod`, `Cache-Control: max-age`).
    pub least_interval_ms: Option<i64>,
    /// Made because something new was announced: it says nothing of how often to look.
    pub is_prompted: bool,
}

/// Bounds of an interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PollLimits {
    /// Never sooner.
    pub min_ms: i64,
    /// Never later, whatever the list asks for.
    pub max_ms: i64,
}

impl Default for PollLimits {
    fn default() -> Self {
        Self { min_ms: 2 * MINUTE_MS, max_ms: 6 * HOUR_MS }
    }
}

/// What is known after a look, and when the next one is due.
pub fn after_poll(known: &Rhythm, poll: &Poll<'_>, limits: &PollLimits) -> (Rhythm, i64) {
    let dates = Dates::of(poll);
    let next = match known.interval_ms {
        0 => first(poll, &dates),
        interval_ms if poll.is_prompted => Rhythm { interval_ms, ..later(known, poll, &dates) },
        _ => later(known, poll, &dates),
    };
    let max_ms = limits.max_ms.max(limits.min_ms);
    let interval_ms = next.interval_ms.clamp(limits.min_ms, max_ms).max(1);
    let asked_ms = poll.least_interval_ms.unwrap_or(0).clamp(0, max_ms);
    (Rhythm { interval_ms, ..next }, poll.polled_at_ms.saturating_add(interval_ms.max(asked_ms)))
}

/// Since when a list has been silent against its own rhythm. Time in which nobody looked is no silence.
pub fn silence(known: &Rhythm, now_ms: i64) -> Option<i64> {
    let quiet_ms = known.polled_at_ms.min(now_ms).saturating_sub(known.last_new_at_ms);
    let mean_ms = known.mean_gap_ms as f64 * SILENT_MEAN_GAPS;
    let longest_ms = known.longest_gap_ms as f64 * SILENT_LONGEST_GAPS;
    let is_known = known.last_new_at_ms.saturating_sub(known.known_since_ms) >= KNOWN_MS;
    let is_silent = known.learnt >= LEAST_LEARNT
        && quiet_ms > if is_known { SILENT_MS } else { SILENT_UNTIL_KNOWN_MS }
        && quiet_ms as f64 > mean_ms
        && quiet_ms as f64 > longest_ms;
    is_silent.then_some(known.last_new_at_ms)
}

/// The rhythm that the dates of a first look show.
fn first(poll: &Poll<'_>, dates: &Dates) -> Rhythm {
    let mean_gap_ms = dates.mean_gap_ms.unwrap_or(0);
    Rhythm {
        known_since_ms: dates.oldest_ms.unwrap_or(poll.polled_at_ms),
        interval_ms: dates.mean_gap_ms.unwrap_or(FIRST_INTERVAL_MS).max(1),
        polled_at_ms: poll.polled_at_ms,
        last_new_at_ms: dates.newest_ms.unwrap_or(poll.polled_at_ms),
        per_hour: if mean_gap_ms > 0 { HOUR_MS as f64 / mean_gap_ms as f64 } else { 0.0 },
        mean_gap_ms,
        longest_gap_ms: dates.longest_gap_ms,
        learnt: dates.gaps,
        idle_polls: 0,
    }
}

fn later(known: &Rhythm, poll: &Poll<'_>, dates: &Dates) -> Rhythm {
    let elapsed_ms = poll.polled_at_ms.saturating_sub(known.polled_at_ms).max(1);
    let kept = (-(elapsed_ms as f64) / RATE_HALF_LIFE_MS).exp2();
    let seen_per_hour = f64::from(poll.new_items) * HOUR_MS as f64 / elapsed_ms as f64;
    let per_hour = known.per_hour * kept + seen_per_hour * (1.0 - kept);
    let next = Rhythm { polled_at_ms: poll.polled_at_ms, per_hour, ..*known };
    if poll.new_items == 0 {
        let quiet_ms = poll.polled_at_ms.saturating_sub(known.last_new_at_ms) as f64;
        let is_surprise = quiet_ms * per_hour > SURPRISE_GAPS * HOUR_MS as f64 || known.learnt < LEAST_LEARNT;
        let growth = if is_surprise { GROWTH_WHEN_QUIET } else { GROWTH };
        return Rhythm {
            interval_ms: (known.interval_ms as f64 * growth) as i64,
            idle_polls: known.idle_polls.saturating_add(1),
            ..next
        };
    }
    // What appeared before it was last looked for was late, not new.
    let newest_ms = dates.newest_ms.unwrap_or(poll.polled_at_ms).max(known.last_new_at_ms);
    let gap_ms = newest_ms.saturating_sub(known.last_new_at_ms);
    let item_gap_ms = gap_ms / i64::from(poll.new_items);
    let weight = 1.0 - (1.0 - GAP_WEIGHT).powi(i32::try_from(poll.new_items).unwrap_or(i32::MAX));
    let mean_gap_ms = match known.mean_gap_ms {
        0 => item_gap_ms,
        mean => mean.saturating_add((item_gap_ms.saturating_sub(mean) as f64 * weight) as i64),
    };
    // Undated, they may all have come at the end of it.
    let longest_ms = dates.oldest_ms.map_or(gap_ms, |oldest| oldest.saturating_sub(known.last_new_at_ms));
    let remembered = known.longest_gap_ms as f64 * (-(gap_ms as f64) / LONGEST_HALF_LIFE_MS).exp2();
    // The new ones may have come just now, close together.
    let close_ms = dates.mean_gap_ms.unwrap_or(i64::MAX);
    let fitting_ms = (elapsed_ms / i64::from(poll.new_items)).min(close_ms);
    Rhythm {
        interval_ms: known.interval_ms.min(fitting_ms),
        last_new_at_ms: newest_ms,
        mean_gap_ms,
        longest_gap_ms: (remembered as i64).max(longest_ms).max(dates.longest_gap_ms),
        learnt: known.learnt.saturating_add(poll.new_items),
        idle_polls: 0,
        ..next
    }
}

/// What the dates of new entries show.
struct Dates {
    oldest_ms: Option<i64>,
    newest_ms: Option<i64>,
    mean_gap_ms: Option<i64>,
    longest_gap_ms: i64,
    gaps: u32,
}

impl Dates {
    fn of(poll: &Poll<'_>) -> Self {
        let past = poll.published_at_ms.iter().copied().filter(|at| (0..=poll.polled_at_ms).contains(at));
        let mut dates: Vec<i64> = past.collect();
        dates.sort_unstable_by(|a, b| b.cmp(a));
        dates.dedup();
        dates.truncate(MAX_DATES);
        let gaps = dates.iter().zip(dates.iter().skip(1)).map(|(newer, older)| newer - older);
        let count = u32::try_from(dates.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let span_ms: i64 = gaps.clone().sum();
        Self {
            oldest_ms: dates.last().copied(),
            newest_ms: dates.first().copied(),
            // Two entries are one gap, and that may be chance.
            mean_gap_ms: (count >= 2).then(|| span_ms / i64::from(count)),
            longest_gap_ms: gaps.max().unwrap_or(0),
            gaps: count,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DAY_MS: i64 = 24 * HOUR_MS;
    /// A Monday.
    const START_MS: i64 = 1_773_619_200_000;

    /// What looking at a feed that brings `items` comes to.
    #[derive(Debug)]
    struct Watched {
        polls: usize,
        /// Between an entry and the look that found it, at the worst of the last half.
        latest_ms: i64,
        /// When it was first called silent.
        silent_at_ms: Option<i64>,
        last_interval_ms: i64,
    }

    fn watch(items: &[i64], days: i64, has_dates: bool) -> Watched {
        let end_ms = START_MS + days * DAY_MS;
        let (mut known, mut due_ms, mut seen_ms) = (Rhythm::default(), START_MS, START_MS - 1);
        let mut watched = Watched { polls: 0, latest_ms: 0, silent_at_ms: None, last_interval_ms: 0 };
        while due_ms < end_ms {
            let new: Vec<i64> =
                items.iter().copied().filter(|at| (seen_ms + 1..=due_ms).contains(at)).collect();
            let late_ms = new.iter().map(|at| due_ms - at).max().unwrap_or(0);
            if due_ms > START_MS + days * DAY_MS / 2 {
                watched.latest_ms = watched.latest_ms.max(late_ms);
            }
            let poll = Poll {
                polled_at_ms: due_ms,
                new_items: new.len() as u32,
                published_at_ms: if has_dates { &new } else { &[] },
                ..Poll::default()
            };
            seen_ms = due_ms;
            (known, due_ms) = after_poll(&known, &poll, &PollLimits::default());
            watched.polls += 1;
            if silence(&known, due_ms).is_some() {
                watched.silent_at_ms.get_or_insert(seen_ms);
            }
        }
        watched.last_interval_ms = known.interval_ms;
        watched
    }

    fn every(gap_ms: i64, days: i64) -> Vec<i64> {
        (0..days * DAY_MS / gap_ms).map(|n| START_MS + n * gap_ms + n % 7 * 1000).collect()
    }

    #[test]
    fn feeds_are_looked_at_as_they_come() {
        for has_dates in [true, false] {
            // About one entry a look.
            let rapid = watch(&every(10 * MINUTE_MS, 14), 14, has_dates);
            assert!((14 * 144..14 * 144 * 2).contains(&(rapid.polls as i64)), "{rapid:?}");
            assert!(rapid.latest_ms <= 15 * MINUTE_MS, "{rapid:?}");
            assert_eq!(rapid.silent_at_ms, None, "{rapid:?}");

            // Faster than may be asked.
            let ticker = watch(&every(20_000, 2), 2, has_dates);
            assert!(ticker.last_interval_ms == 2 * MINUTE_MS && ticker.polls > 1300, "{ticker:?}");

            // Ten in an hour every morning: not silent until the next one.
            let burst =
                |day: i64| (0..10).map(move |n| START_MS + day * DAY_MS + 7 * HOUR_MS + n * 6 * MINUTE_MS);
            let daily = watch(&(0..28).flat_map(burst).collect::<Vec<_>>(), 28, has_dates);
            assert!(daily.polls < 28 * 45, "{daily:?}");
            assert!(daily.latest_ms <= 6 * HOUR_MS && daily.silent_at_ms.is_none(), "{daily:?}");

            // Working days only.
            let weekdays = (0..28 * 24).filter(|hour| hour / 24 % 7 < 5 && (8..18).contains(&(hour % 24)));
            let office = watch(&weekdays.map(|h| START_MS + h * HOUR_MS).collect::<Vec<_>>(), 28, has_dates);
            assert!(office.latest_ms <= 6 * HOUR_MS && office.silent_at_ms.is_none(), "{office:?}");

            let weekly = watch(&every(7 * DAY_MS, 140), 140, has_dates);
            assert!(weekly.last_interval_ms == 6 * HOUR_MS && weekly.polls < 140 * 6, "{weekly:?}");
            assert_eq!(weekly.silent_at_ms, None, "{weekly:?}");

            // Dead after nine days: noticed within the day, and seldom looked at from then on.
            let dead = watch(&every(30 * MINUTE_MS, 9), 20, has_dates);
            let noticed_ms = dead.silent_at_ms.unwrap() - START_MS - 9 * DAY_MS;
            assert!((6 * HOUR_MS..DAY_MS).contains(&noticed_ms), "{dead:?}");
            assert_eq!(dead.last_interval_ms, 6 * HOUR_MS);
        }
    }

    #[test]
    fn a_first_look_learns_from_dates() {
        let dates: Vec<i64> = (1..=20).map(|n| START_MS - n * 20 * MINUTE_MS).collect();
        let poll = Poll { polled_at_ms: START_MS, new_items: 20, published_at_ms: &dates, ..Poll::default() };
        let (known, due_ms) = after_poll(&Rhythm::default(), &poll, &PollLimits::default());
        assert_eq!((due_ms - START_MS, known.learnt), (20 * MINUTE_MS, 19));
        assert_eq!(known.last_new_at_ms, START_MS - 20 * MINUTE_MS);
        let undated = Poll { published_at_ms: &[], ..poll };
        let (known, due_ms) = after_poll(&Rhythm::default(), &undated, &PollLimits::default());
        assert_eq!((due_ms - START_MS, known.learnt), (FIRST_INTERVAL_MS, 0));
    }

    #[test]
    fn it_speeds_up_at_once_and_slows_down_slowly() {
        let known = Rhythm {
            known_since_ms: 0,
            interval_ms: HOUR_MS,
            polled_at_ms: START_MS,
            last_new_at_ms: START_MS,
            per_hour: 1.0,
            mean_gap_ms: HOUR_MS,
            longest_gap_ms: 2 * HOUR_MS,
            learnt: 50,
            idle_polls: 0,
        };
        let at = |new_items| Poll { polled_at_ms: START_MS + HOUR_MS, new_items, ..Poll::default() };
        let next = |poll: &Poll<'_>| after_poll(&known, poll, &PollLimits::default()).0.interval_ms;
        assert_eq!(next(&at(6)), 10 * MINUTE_MS);
        assert_eq!(next(&at(1)), HOUR_MS);
        assert_eq!(next(&at(0)), HOUR_MS + 6 * MINUTE_MS);
        for new_items in [0, 1, 6] {
            assert_eq!(
                next(&Poll { is_prompted: true, ..at(new_items) }),
                HOUR_MS,
                "when is no news of how often"
            );
        }
        let close = [0, 3, 6].map(|n| START_MS + HOUR_MS - n * MINUTE_MS);
        assert_eq!(next(&Poll { published_at_ms: &close, ..at(3) }), 3 * MINUTE_MS);
    }

    #[test]
    fn what_a_list_asks_for_is_respected_within_the_limits() {
        let due = |least_interval_ms| {
            let poll = Poll { polled_at_ms: START_MS, least_interval_ms, ..Poll::default() };
            after_poll(&Rhythm::default(), &poll, &PollLimits::default()).1 - START_MS
        };
        assert_eq!(due(Some(HOUR_MS)), HOUR_MS);
        assert_eq!(due(Some(MINUTE_MS)), FIRST_INTERVAL_MS);
        assert_eq!(due(Some(30 * DAY_MS)), 6 * HOUR_MS);
        assert_eq!(due(Some(i64::MIN)), FIRST_INTERVAL_MS);
    }

    #[test]
    fn nobody_looking_is_no_silence() {
        let known = Rhythm { learnt: 9, mean_gap_ms: HOUR_MS, last_new_at_ms: START_MS, ..Rhythm::default() };
        let looked = |polled_at_ms| silence(&Rhythm { polled_at_ms, ..known }, START_MS + 90 * DAY_MS);
        assert_eq!(looked(START_MS + HOUR_MS), None);
        assert_eq!(looked(START_MS + 9 * HOUR_MS), Some(START_MS));
        let later = Rhythm { polled_at_ms: START_MS + DAY_MS, ..known };
        assert_eq!(silence(&Rhythm { learnt: 4, ..later }, START_MS + DAY_MS), None);
        assert_eq!(silence(&Rhythm { known_since_ms: START_MS - DAY_MS, ..later }, START_MS + DAY_MS), None);
    }

    proptest! {
        #[test]
        fn the_next_look_is_within_the_limits(
            interval_ms in any::<i64>(), polled_at_ms in any::<i64>(), last_new_at_ms in any::<i64>(),
            per_hour in any::<f64>(), mean_gap_ms in any::<i64>(), longest_gap_ms in any::<i64>(),
            new_items in any::<u32>(), dates in proptest::collection::vec(any::<i64>(), 0..9),
            at_ms in 0..i64::MAX / 2, least_interval_ms in any::<Option<i64>>(),
        ) {
            let known = Rhythm {
                known_since_ms: polled_at_ms, interval_ms, polled_at_ms, last_new_at_ms, per_hour, mean_gap_ms, longest_gap_ms, learnt: 9, idle_polls: 0,
            };
            let is_prompted = new_items % 2 == 0;
            let poll = Poll { polled_at_ms: at_ms, new_items, published_at_ms: &dates, least_interval_ms, is_prompted };
            let limits = PollLimits::default();
            let (next, due_ms) = after_poll(&known, &poll, &limits);
            prop_assert!((limits.min_ms..=limits.max_ms).contains(&(due_ms - at_ms)));
            silence(&next, at_ms);
        }
    }
}
