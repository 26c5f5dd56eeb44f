//! When a failed request is tried again, and when it is given up. A retry is a due time, not a wait.

use crate::{Failure, Fate, politeness::backoff};

/// How often and how soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// After the first failure; doubled with each further one.
    pub backoff_ms: i64,
    /// Longest time between two attempts.
    pub max_backoff_ms: i64,
    /// After so many attempts a failure is final; our own outages do not count.
    pub max_attempts: u32,
    /// A request that names no expiry is given up so long after its first failure, or its host's where that came first.
    pub give_up_after_ms: i64,
}

/// What becomes of a request that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Another attempt, not before this instant.
    At(i64),
    /// None: it has failed.
    GiveUp,
}

/// Judges a request after its `attempts`-th attempt (1 for the first; outages are not counted) failed at
/// `now_ms`. One that would expire before the next attempt is given up now: waiting could not help it.
pub fn retry(
    failure: &Failure,
    attempts: u32,
    expires_at_ms: Option<i64>,
    now_ms: i64,
    policy: &RetryPolicy,
) -> Retry {
    let due_at_ms = now_ms.saturating_add(backoff(policy.backoff_ms, policy.max_backoff_ms, attempts.max(1)));
    let exhausted = match failure.fate() {
        Fate::Final => true,
        Fate::Transient => attempts >= policy.max_attempts,
        Fate::Outage => false,
    };
    let expires_first = expires_at_ms.is_some_and(|at_ms| due_at_ms >= at_ms);
    if exhausted || expires_first { Retry::GiveUp } else { Retry::At(due_at_ms) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: RetryPolicy = RetryPolicy {
        backoff_ms: 5_000,
        max_backoff_ms: 60_000,
        max_attempts: 6,
        give_up_after_ms: i64::MAX,
    };

    #[test]
    fn attempts_back_off_until_given_up() {
        let due = |failure: &Failure, attempts| match retry(failure, attempts, None, 0, &POLICY) {
            Retry::At(at) => Some(at),
            Retry::GiveUp => None,
        };
        let attempts: Vec<_> = (1..=6).map(|n| due(&Failure::Timeout, n)).collect();
        assert_eq!(attempts, [Some(5_000), Some(10_000), Some(20_000), Some(40_000), Some(60_000), None]);
        assert_eq!(due(&Failure::Status(404), 1), None);
        assert_eq!(due(&Failure::Proxy("refused".into()), 1_000), Some(60_000), "our outage does not count");
    }

    #[test]
    fn what_would_expire_first_is_given_up_at_once() {
        for (expires_at_ms, expected) in
            [(30_000, Retry::At(15_000)), (15_000, Retry::GiveUp), (1, Retry::GiveUp)]
        {
            assert_eq!(retry(&Failure::Timeout, 1, Some(expires_at_ms), 10_000, &POLICY), expected);
            assert_eq!(
                retry(&Failure::Dns(String::new()), 1, Some(expires_at_ms), 10_000, &POLICY),
                expected
            );
        }
    }
}
