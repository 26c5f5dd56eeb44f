//! How many articles of a source may still be fetched from a domain today.

use std::collections::BTreeMap;

/// A day of Unix time, which is a day of UTC.
const DAY_MS: i64 = 86_400_000;
/// Sources counted apart on one domain; the others are counted together.
const MAX_SOURCES: usize = 64;

/// What was fetched from a domain in a day.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Spent {
    /// Days since 1970.
    pub day: i64,
    /// Articles, by source.
    pub articles: BTreeMap<String, u32>,
}

impl Spent {
    /// Counts one more at `now_ms`.
    pub fn count(&mut self, source: &str, now_ms: i64) {
        let day = now_ms.div_euclid(DAY_MS);
        if self.day != day {
            *self = Self { day, articles: BTreeMap::new() };
        }
        let is_known = self.articles.contains_key(source) || self.articles.len() < MAX_SOURCES;
        let count = self.articles.entry(if is_known { source } else { "" }.to_owned()).or_default();
        *count = count.saturating_add(1);
    }

    /// When the next one may be fetched that its `quota` a day (0 for none) does not allow now. `None` where it may be at
    /// once.
    pub fn wait_until_ms(&self, source: &str, quota: u32, now_ms: i64) -> Option<i64> {
        let day = now_ms.div_euclid(DAY_MS);
        (quota > 0 && self.today(source, now_ms) >= quota).then(|| (day + 1).saturating_mul(DAY_MS))
    }

    /// How many a source has had today.
    pub fn today(&self, source: &str, now_ms: i64) -> u32 {
        let is_today = self.day == now_ms.div_euclid(DAY_MS);
        if is_today { self.articles.get(source).copied().unwrap_or(0) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_lasts_a_day_and_is_its_source_s_own() {
        let mut spent = Spent::default();
        let noon = 20_000 * DAY_MS + DAY_MS / 2;
        spent.count("harbour", noon);
        spent.count("harbour", noon + 1);
        assert_eq!(spent.wait_until_ms("harbour", 3, noon), None);
        assert_eq!(spent.wait_until_ms("harbour", 2, noon), Some(20_001 * DAY_MS));
        assert_eq!(spent.wait_until_ms("harbour", 0, noon), None);
        assert_eq!(spent.wait_until_ms("tide", 1, noon), None);
        assert_eq!(spent.wait_until_ms("harbour", 2, noon + DAY_MS), None);
        spent.count("harbour", noon + DAY_MS);
        assert_eq!(spent.articles["harbour"], 1);
    }

    #[test]
    fn sources_are_counted_within_bounds() {
        let mut spent = Spent::default();
        (0..1000).for_each(|n| spent.count(&n.to_string(), 0));
        assert!(spent.articles.len() <= MAX_SOURCES + 1);
    }
}
