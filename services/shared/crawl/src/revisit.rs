//! When a page that was had is asked for again, what of it is asked for, and whether it has changed.
//!
//! Requests are conditional (RFC 9110 section 13) where the server named validators and has kept its word: one whose page
//! changed under the same ETag is asked without conditions for a while. That shows only where the whole page was asked
//! for, so the first revisit always is unconditional.

/// How long a server is not trusted that sent another page under the same validators: a week.
const DISTRUST_MS: i64 = 7 * 86_400_000;
/// Longest validator that is kept and sent, in bytes.
const MAX_VALIDATOR_BYTES: usize = 512;

/// What a server named to ask by whether its page has changed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Validators {
    /// `ETag`, as sent; empty for none.
    pub etag: String,
    /// `Last-Modified`, as sent; empty for none.
    pub last_modified: String,
}

/// A page as it was last had.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Version {
    /// Named with it.
    pub validators: Validators,
    /// Of its body as sent.
    pub body_hash: u64,
}

impl Validators {
    /// As the headers of an answer name them; what is too long, or could not be sent back, is none.
    pub fn of(etag: Option<&str>, last_modified: Option<&str>) -> Self {
        let kept = |value: Option<&str>| {
            let sendable =
                |v: &&str| v.len() <= MAX_VALIDATOR_BYTES && v.bytes().all(|b| (b' '..=b'~').contains(&b));
            value.map(str::trim).filter(sendable).unwrap_or_default().to_owned()
        };
        Self { etag: kept(etag), last_modified: kept(last_modified) }
    }

    /// Whether there is nothing to ask by.
    pub fn is_empty(&self) -> bool {
        self.etag.is_empty() && self.last_modified.is_empty()
    }
}

impl Version {
    /// Whether `later` is the same page.
    pub fn is_same(&self, later: &Self) -> bool {
        self.body_hash == later.body_hash
    }

    /// Whether the server kept silent about a change: another page under the same ETag. `Last-Modified` has a second's
    /// grain, so it proves nothing.
    pub fn is_belied_by(&self, later: &Self) -> bool {
        !self.validators.etag.is_empty()
            && self.validators.etag == later.validators.etag
            && self.body_hash != later.body_hash
    }
}

/// Until when a server caught at `now_ms` is not asked conditionally.
pub fn distrusted_until_ms(now_ms: i64) -> i64 {
    now_ms.saturating_add(DISTRUST_MS)
}

/// When a page first had at `first_ms` and fetched `visits` times is asked for again: `schedule` holds the time after
/// the first. One that is past already is skipped. `None` where it is done with.
pub fn next_revisit_ms(first_ms: i64, visits: u32, schedule: &[i64], now_ms: i64) -> Option<i64> {
    let made = usize::try_from(visits).unwrap_or(usize::MAX).saturating_sub(1);
    schedule
        .iter()
        .skip(made)
        .map(|after_ms| first_ms.saturating_add(*after_ms))
        .find(|at_ms| *at_ms > now_ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(etag: &str, body_hash: u64) -> Version {
        Version { validators: Validators::of(Some(etag), None), body_hash }
    }

    #[test]
    fn a_page_that_changed_under_its_etag_belies_it() {
        for (before, after, belied) in [
            (version("\"a\"", 1), version("\"a\"", 2), true),
            (version("W/\"a\"", 1), version("W/\"a\"", 2), true),
            (version("\"a\"", 1), version("\"b\"", 2), false),
            (version("\"a\"", 1), version("\"a\"", 1), false),
            (version("", 1), version("", 2), false),
        ] {
            assert_eq!(before.is_belied_by(&after), belied, "{before:?} {after:?}");
        }
    }

    #[test]
    fn validators_that_cannot_be_sent_back_are_none() {
        let long = "x".repeat(MAX_VALIDATOR_BYTES + 1);
        for (etag, kept) in [(" \"a\" ", "\"a\""), ("\"a\r\nX: y\"", ""), ("\"ä\"", ""), (long.as_str(), "")]
        {
            assert_eq!(Validators::of(Some(etag), None).etag, kept);
        }
        assert!(Validators::of(None, None).is_empty());
    }

    #[test]
    fn revisits_follow_their_schedule() {
        let schedule = [10, 100, 1000];
        for (visits, now_ms, next) in [
            (1, 5, Some(15)),
            (2, 15, Some(105)),
            (3, 105, Some(1005)),
            (4, 1005, None),
            // Late by more than one: once, not twice in a row.
            (1, 200, Some(1005)),
            (1, 2000, None),
        ] {
            assert_eq!(next_revisit_ms(5, visits, &schedule, now_ms), next, "{visits} {now_ms}");
        }
        assert_eq!(next_revisit_ms(5, 1, &[], 5), None);
    }
}
