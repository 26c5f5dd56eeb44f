//! When a host may be asked again. One `Host` a registrable domain, one request at a time.
//!
//! The delay is the largest of what is configured, what robots.txt asks for (however long: it is a due time), and a
//! multiple of the last answer's latency (Heritrix: a slow host is a busy host). 429, 503, `Retry-After` and silence
//! speak for the whole host and stretch it exponentially.

use article::Moment;

/// Longest `Retry-After` that is believed: a day.
const MAX_RETRY_AFTER_MS: i64 = 86_400_000;

/// How soon a host is tried again whose turn was put off.
const POSTPONEMENT_MS: i64 = 250;

/// How hosts are treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Least time between two requests to a host.
    pub delay_ms: i64,
    /// The delay is at least so many times the last latency ...
    pub latency_factor: i64,
    /// ... but that share of it is at most this.
    pub max_latency_delay_ms: i64,
    /// After the first failure that speaks for the host; doubled with each further one.
    pub backoff_ms: i64,
    /// Longest back-off.
    pub max_backoff_ms: i64,
}

/// What is known of a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Host {
    /// No request before this instant.
    pub next_at_ms: i64,
    /// Failures in a row that speak for the host.
    pub failures: u32,
    /// Of the last answer.
    pub latency_ms: u32,
    /// When the failures in a row began, outages of our own among them. `None` where it answered last.
    pub failing_since_ms: Option<i64>,
    /// Least time between two requests where a source asks for one of its own; 0 for the policy's.
    pub delay_ms: i64,
}

/// What a fetch says of its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome {
    /// How the host took it.
    pub signal: Signal,
    /// From the request to the end of the answer.
    pub latency_ms: u32,
    /// What its robots.txt asks for, 0 for nothing.
    pub crawl_delay_ms: i64,
}

/// How a host took a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// With an answer, be it an error of the URL's.
    Answered,
    /// With a plea for fewer requests (429, 503).
    Busy {
        /// What it asked for, where it said.
        retry_after_ms: Option<i64>,
    },
    /// Not at all.
    Unreachable,
    /// It was never asked, for want of DNS or proxy: no reason to hold it back once they are there again.
    Unasked,
    /// Its turn was put off: as many connections as allowed were open to its address. That says nothing of it.
    Postponed,
}

/// The host after a fetch that ended at `now_ms`.
pub fn after_fetch(host: &Host, outcome: &Outcome, now_ms: i64, policy: &Policy) -> Host {
    let failures = match outcome.signal {
        Signal::Answered | Signal::Unasked => 0,
        Signal::Postponed => host.failures,
        Signal::Busy { .. } | Signal::Unreachable => host.failures.saturating_add(1),
    };
    let failing_since_ms = match outcome.signal {
        Signal::Answered => None,
        Signal::Postponed => host.failing_since_ms,
        _ => host.failing_since_ms.or(Some(now_ms)),
    };
    let retry_after_ms = match outcome.signal {
        Signal::Busy { retry_after_ms } => retry_after_ms.unwrap_or(0).clamp(0, MAX_RETRY_AFTER_MS),
        Signal::Postponed => POSTPONEMENT_MS,
        _ => 0,
    };
    let wait_ms = usual_delay(host, outcome.latency_ms, outcome.crawl_delay_ms, policy)
        .max(retry_after_ms)
        .max(backoff(policy.backoff_ms, policy.max_backoff_ms, failures));
    Host {
        next_at_ms: now_ms.saturating_add(wait_ms),
        failures,
        latency_ms: outcome.latency_ms,
        failing_since_ms,
        delay_ms: host.delay_ms,
    }
}

/// The host as its new owner treats it: the last owner may have asked it this very instant, so it waits one full delay.
pub fn after_assignment(host: &Host, crawl_delay_ms: i64, now_ms: i64, policy: &Policy) -> Host {
    let wait_ms = usual_delay(host, host.latency_ms, crawl_delay_ms, policy);
    Host { next_at_ms: host.next_at_ms.max(now_ms.saturating_add(wait_ms)), ..*host }
}

/// Reads a `Retry-After`: seconds, or an HTTP date (RFC 9110 section 10.2.3). `None` where it is neither.
pub fn retry_after_ms(value: &str, now_ms: i64) -> Option<i64> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(value.parse::<i64>().unwrap_or(i64::MAX).saturating_mul(1000));
    }
    let at_ms = Moment::parse(value).ok()?.as_millis();
    Some(at_ms.saturating_sub(now_ms).max(0))
}

/// `base` doubled with each failure after the first, at most `max`; 0 without failures.
pub(crate) fn backoff(base_ms: i64, max_ms: i64, failures: u32) -> i64 {
    match failures.checked_sub(1) {
        None => 0,
        Some(doublings) => base_ms.saturating_mul(1_i64 << doublings.min(40)).min(max_ms),
    }
}

/// Least time between two requests to the host while all is well, and where it comes from: `configuration`, `source`,
/// `robots.txt` or `latency`.
pub fn delay(host: &Host, crawl_delay_ms: i64, policy: &Policy) -> (i64, &'static str) {
    let least = match host.delay_ms {
        1.. => (host.delay_ms, "source"),
        _ => (policy.delay_ms.max(0), "configuration"),
    };
    let by_latency =
        i64::from(host.latency_ms).saturating_mul(policy.latency_factor).min(policy.max_latency_delay_ms);
    let more = [(crawl_delay_ms, "robots.txt"), (by_latency, "latency")];
    more.into_iter().fold(least, |longest, other| if other.0 > longest.0 { other } else { longest })
}

fn usual_delay(host: &Host, latency_ms: u32, crawl_delay_ms: i64, policy: &Policy) -> i64 {
    delay(&Host { latency_ms, ..*host }, crawl_delay_ms, policy).0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const POLICY: Policy = Policy {
        delay_ms: 1_000,
        latency_factor: 5,
        max_latency_delay_ms: 30_000,
        backoff_ms: 10_000,
        max_backoff_ms: 3_600_000,
    };
    const NOW: i64 = 1_700_000_000_000;

    #[test]
    fn a_delay_says_where_it_comes_from() {
        for (delay_ms, latency_ms, crawl_delay_ms, expected) in [
            (0, 10, 0, (1_000, "configuration")),
            (0, 10, 1_000, (1_000, "configuration")),
            (400, 10, 0, (400, "source")),
            (400, 10, 2_000, (2_000, "robots.txt")),
            (0, 900, 2_000, (4_500, "latency")),
        ] {
            let host = Host { delay_ms, latency_ms, ..Host::default() };
            assert_eq!(delay(&host, crawl_delay_ms, &POLICY), expected);
        }
    }

    #[test]
    fn the_longest_reason_to_wait_wins() {
        use Signal::{Answered, Busy, Postponed, Unasked, Unreachable};
        for (failures, signal, latency_ms, crawl_delay_ms, wait_ms) in [
            (0, Answered, 10, 0, 1_000),
            (3, Answered, 10, 0, 1_000),
            (0, Answered, 400, 0, 2_000),
            (0, Answered, 60_000, 0, 30_000),
            (0, Answered, 10, 86_400_000 * 7, 86_400_000 * 7),
            (0, Busy { retry_after_ms: None }, 10, 0, 10_000),
            (2, Busy { retry_after_ms: None }, 10, 0, 40_000),
            (0, Busy { retry_after_ms: Some(120_000) }, 10, 0, 120_000),
            (0, Busy { retry_after_ms: Some(5) }, 10, 0, 10_000),
            (0, Busy { retry_after_ms: Some(i64::MAX) }, 10, 0, 86_400_000),
            (0, Unreachable, 10, 0, 10_000),
            (3, Unasked, 10, 0, 1_000),
            (0, Postponed, 10, 0, 1_000),
            (3, Postponed, 10, 0, 40_000),
            (u32::MAX, Unreachable, 10, 0, 3_600_000),
        ] {
            let host = Host { failures, ..Host::default() };
            let after = after_fetch(&host, &Outcome { signal, latency_ms, crawl_delay_ms }, NOW, &POLICY);
            assert_eq!(
                after.next_at_ms - NOW,
                wait_ms,
                "{failures} {signal:?} {latency_ms} {crawl_delay_ms}"
            );
        }
    }

    #[test]
    fn a_host_fails_from_the_first_failure_to_the_next_answer() {
        use Signal::{Answered, Busy, Postponed, Unasked, Unreachable};
        let mut host = Host::default();
        for (now_ms, signal, failing_since_ms) in [
            (1, Answered, None),
            (1, Postponed, None),
            (2, Unasked, Some(2)),
            (2, Postponed, Some(2)),
            (3, Unreachable, Some(2)),
            (4, Busy { retry_after_ms: None }, Some(2)),
            (5, Answered, None),
            (6, Unreachable, Some(6)),
        ] {
            let outcome = Outcome { signal, latency_ms: 0, crawl_delay_ms: 0 };
            host = after_fetch(&host, &outcome, now_ms, &POLICY);
            assert_eq!(host.failing_since_ms, failing_since_ms, "{now_ms}");
        }
    }

    #[test]
    fn a_new_owner_waits_one_full_delay() {
        let host = Host { next_at_ms: NOW - 5, latency_ms: 800, ..Host::default() };
        assert_eq!(after_assignment(&host, 0, NOW, &POLICY).next_at_ms, NOW + 4_000);
        let blocked = Host { next_at_ms: NOW + 90_000, ..host };
        assert_eq!(after_assignment(&blocked, 0, NOW, &POLICY), blocked);
    }

    #[test]
    fn a_source_may_ask_for_another_delay_but_not_for_less_than_the_site_does() {
        let after = |delay_ms, crawl_delay_ms| {
            let outcome = Outcome { signal: Signal::Answered, latency_ms: 10, crawl_delay_ms };
            after_fetch(&Host { delay_ms, ..Host::default() }, &outcome, NOW, &POLICY).next_at_ms - NOW
        };
        assert_eq!((after(5_000, 0), after(100, 0), after(100, 3_000)), (5_000, 100, 3_000));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = Moment::parse("2026-11-22T10:00:00Z").unwrap().as_millis();
        for (value, wait) in [
            ("120", Some(120_000)),
            (" 0 ", Some(0)),
            ("Sun, 22 Nov 2026 10:01:00 GMT", Some(60_000)),
            ("Sun, 22 Nov 2026 09:00:00 GMT", Some(0)),
            ("99999999999999999999", Some(i64::MAX)),
            ("-5", None),
            ("soon", None),
            ("", None),
        ] {
            assert_eq!(retry_after_ms(value, now), wait, "{value:?}");
        }
    }

    proptest! {
        #[test]
        fn no_host_is_asked_before_its_delay(
            failures: u32, latency_ms: u32, crawl_delay_ms in 0..i64::MAX, busy: bool, retry_after_ms: Option<i64>, next: i64,
        ) {
            let host = Host { next_at_ms: next, failures, latency_ms, ..Host::default() };
            let signal = if busy { Signal::Busy { retry_after_ms } } else { Signal::Answered };
            let after = after_fetch(&host, &Outcome { signal, latency_ms, crawl_delay_ms }, NOW, &POLICY);
            prop_assert!(after.next_at_ms >= NOW.saturating_add(crawl_delay_ms.max(POLICY.delay_ms)));
        }
    }
}
