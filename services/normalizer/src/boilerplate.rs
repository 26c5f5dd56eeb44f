//! Paragraphs that a domain repeats under its articles, learnt as the articles come.

use std::collections::BTreeSet;

use pipeline::LogError;
use rustc_hash::FxHashMap;
use wire::{DomainState, ParagraphCount, ParagraphSketch};

use crate::rows::{Rows, Tables};

/// Paragraphs counted for one domain.
const COUNTERS: usize = 64;

/// Articles that a paragraph must surely have stood in to be boilerplate.
const REPEATED: u32 = 5;

/// What no counted article has had for this long is forgotten.
const EXPIRES_AFTER_DAYS: u32 = 30;

/// Paragraphs counted of one article, from each end: what a site repeats stands there, and a long text of its own must
/// not push the counters of others out.
const COUNTED_AT_EACH_END: usize = 16;

/// A domain is known after so many articles: from there on one in [`SAMPLED`] counts, as what it repeats stands in that
/// one, too, and each costs a row.
const SETTLED: u32 = 64;
const SAMPLED: u32 = 8;

/// Domains in memory between steps, about 1 KB each; others are read again from their rows.
const MAX_DOMAINS: usize = 1 << 15;

/// What is known of every domain: the rows, and what differs from them until [`Self::save`].
#[derive(Debug, Default)]
pub(crate) struct Boilerplate {
    domains: FxHashMap<Box<str>, DomainState>,
    changed: BTreeSet<Box<str>>,
}

impl Boilerplate {
    /// Of an article's paragraphs, by their names, those that its domain repeats; none where it has no others.
    pub(crate) fn repeated(
        &mut self,
        rows: &impl Rows,
        domain: &str,
        paragraphs: &[u32],
        day: u32,
    ) -> Result<Vec<u32>, LogError> {
        if domain.is_empty() {
            return Ok(Vec::new());
        }
        let counts = self.domain(rows, domain)?;
        let repeated: Vec<u32> =
            paragraphs.iter().copied().filter(|name| is_repeated(counts, *name, day)).collect();
        Ok(if repeated.len() < paragraphs.len() { repeated } else { Vec::new() })
    }

    /// Counts the paragraphs of an article that is like none that its domain had.
    pub(crate) fn learn(
        &mut self,
        rows: &impl Rows,
        domain: &str,
        paragraphs: &[u32],
        day: u32,
    ) -> Result<(), LogError> {
        if domain.is_empty() || paragraphs.is_empty() {
            return Ok(());
        }
        let counts = self.domain(rows, domain)?;
        // By all its paragraphs, of which some are its own.
        let sample = paragraphs.iter().fold(0, |all, name| all ^ name);
        if counts.articles >= SETTLED && !sample.is_multiple_of(SAMPLED) {
            return Ok(());
        }
        counts.articles = SETTLED.min(counts.articles + 1);
        counts.paragraphs.retain(|counter| !is_expired(counter, day));
        let last = paragraphs.len().saturating_sub(COUNTED_AT_EACH_END);
        let counted =
            paragraphs.iter().enumerate().filter(|(at, _)| *at < COUNTED_AT_EACH_END || *at >= last);
        let names: BTreeSet<u32> = counted.map(|(_, name)| *name).collect();
        names.into_iter().for_each(|name| count(&mut counts.paragraphs, name, day));
        self.changed.insert(domain.into());
        Ok(())
    }

    /// Writes what has changed, once a step, and forgets what memory has no room for.
    pub(crate) fn save(&mut self, rows: &mut impl Rows) -> Result<(), LogError> {
        for domain in std::mem::take(&mut self.changed) {
            if let Some(counts) = self.domains.get(&domain) {
                rows.put_domain(&domain, counts)?;
            }
        }
        if self.domains.len() > MAX_DOMAINS {
            self.domains.clear();
        }
        Ok(())
    }

    fn domain(&mut self, rows: &impl Rows, domain: &str) -> Result<&mut DomainState, LogError> {
        if !self.domains.contains_key(domain) {
            self.domains.insert(domain.into(), rows.domain(domain)?);
        }
        Ok(self.domains.entry(domain.into()).or_default())
    }
}

/// The paragraph's name in the counters.
pub(crate) fn name(paragraph: &ParagraphSketch) -> u32 {
    u32::try_from(paragraph.hash >> 32).unwrap_or(u32::MAX)
}

/// The text without the paragraphs of these names.
pub(crate) fn without(text: &str, names: &[u32]) -> String {
    let is_kept = |paragraph: &&str| {
        let read = neardup::Document::read(paragraph);
        !read
            .paragraphs
            .iter()
            .any(|paragraph| names.iter().any(|name| u64::from(*name) == paragraph.hash >> 32))
    };
    text.split("\n\n").filter(is_kept).collect::<Vec<_>>().join("\n\n")
}

fn is_repeated(counts: &DomainState, name: u32, day: u32) -> bool {
    let counter = counts.paragraphs.iter().find(|counter| counter.name == name);
    counter.is_some_and(|counter| {
        counter.count.saturating_sub(counter.error) >= REPEATED && !is_expired(counter, day)
    })
}

fn is_expired(counter: &ParagraphCount, day: u32) -> bool {
    counter.last_day.saturating_add(EXPIRES_AFTER_DAYS) < day
}

/// One step of Space-Saving (Metwally, Agrawal & El Abbadi 2005, "Efficient computation of frequent and top-k elements
/// in data streams"): what has no counter takes the smallest one over, whose count is then its possible error.
fn count(counters: &mut Vec<ParagraphCount>, name: u32, day: u32) {
    if let Some(counter) = counters.iter_mut().find(|counter| counter.name == name) {
        counter.count = counter.count.saturating_add(1);
        counter.last_day = counter.last_day.max(day);
    } else if counters.len() < COUNTERS {
        counters.push(ParagraphCount { name, count: 1, error: 0, last_day: day });
    } else if let Some(least) =
        counters.iter_mut().min_by_key(|counter| (counter.count, counter.last_day, counter.name))
    {
        *least =
            ParagraphCount { name, count: least.count.saturating_add(1), error: least.count, last_day: day };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::MemoryRows;

    fn article(names: impl IntoIterator<Item = u32>) -> Vec<u32> {
        names.into_iter().collect()
    }

    /// Article number `n`: 20 paragraphs of its own before two that all have.
    fn nth(n: u32) -> Vec<u32> {
        article((1000 + n * 20..1020 + n * 20).chain([1, 2]))
    }

    #[test]
    fn a_paragraph_is_boilerplate_once_five_articles_have_had_it() {
        let rows = MemoryRows::default();
        let mut learnt = Boilerplate::default();
        for n in 0..5 {
            assert!(learnt.repeated(&rows, "harbour.example", &nth(n), 0).unwrap().is_empty(), "{n}");
            learnt.learn(&rows, "harbour.example", &nth(n), 0).unwrap();
        }
        assert_eq!(learnt.repeated(&rows, "harbour.example", &nth(9), 0).unwrap(), [1, 2]);
        assert!(
            learnt.repeated(&rows, "gazette.example", &nth(9), 0).unwrap().is_empty(),
            "of this domain only"
        );
        assert!(
            learnt.repeated(&rows, "harbour.example", &article([1, 2]), 0).unwrap().is_empty(),
            "all it has"
        );
        for (day, expected) in [(30, 2), (31, 0)] {
            assert_eq!(
                learnt.repeated(&rows, "harbour.example", &nth(9), day).unwrap().len(),
                expected,
                "day {day}"
            );
        }
    }

    #[test]
    fn twice_in_one_article_is_once() {
        let rows = MemoryRows::default();
        let mut learnt = Boilerplate::default();
        learnt.learn(&rows, "harbour.example", &article([7; 9]), 0).unwrap();
        assert!(learnt.repeated(&rows, "harbour.example", &article([7, 8]), 0).unwrap().is_empty());
    }

    #[test]
    fn what_is_rare_is_never_taken_for_boilerplate_and_what_is_frequent_stays() {
        let rows = MemoryRows::default();
        let mut learnt = Boilerplate::default();
        for n in 0..500 {
            let long = article((10_000 + n * 300..10_300 + n * 300).chain([1, 2]));
            let paragraphs = if n % 3 == 0 { long } else { nth(n) };
            learnt.learn(&rows, "harbour.example", &paragraphs, 0).unwrap();
        }
        for n in 0..500 {
            assert_eq!(learnt.repeated(&rows, "harbour.example", &nth(n), 0).unwrap(), [1, 2], "{n}");
        }
        assert_eq!(learnt.domains["harbour.example"].paragraphs.len(), COUNTERS);
    }

    #[test]
    fn a_domain_that_is_known_counts_few_articles_and_learns_from_those() {
        let rows = MemoryRows::default();
        let mut learnt = Boilerplate::default();
        // Names are hashes.
        let hashed = |n: u32| neardup::Document::read(&n.to_string()).paragraphs[0].hash as u32;
        let mut counted = 0;
        for n in 0..40 * SAMPLED {
            let own = (0..9).map(|at| hashed(n * 9 + at));
            let notice = (n >= 2 * SETTLED).then_some(7);
            let before = learnt.domains.clone();
            learnt.learn(&rows, "harbour.example", &article(own.chain(notice)), 0).unwrap();
            counted += u32::from(n >= SETTLED && before != learnt.domains);
        }
        assert!((16..64).contains(&counted), "{counted}");
        assert_eq!(learnt.repeated(&rows, "harbour.example", &article([7, 8]), 0).unwrap(), [7]);
    }

    #[test]
    fn rows_hold_all_that_memory_does() {
        let mut rows = MemoryRows::default();
        let (mut kept, mut restarted) = (Boilerplate::default(), Boilerplate::default());
        for n in 0..40 {
            kept.learn(&rows, "harbour.example", &nth(n), n).unwrap();
            restarted.learn(&rows, "harbour.example", &nth(n), n).unwrap();
            if n % 3 == 0 {
                restarted.save(&mut rows).unwrap();
                restarted = Boilerplate::default();
            }
        }
        assert_eq!(kept.domains, {
            restarted.repeated(&rows, "harbour.example", &nth(0), 0).unwrap();
            restarted.domains
        });
    }

    #[test]
    fn a_body_can_be_had_without_it() {
        let names: Vec<u32> = neardup::Document::read("Sign up for our letter.")
            .paragraphs
            .iter()
            .map(|paragraph| name(&ParagraphSketch { hash: paragraph.hash, ..ParagraphSketch::default() }))
            .collect();
        assert_eq!(without("One.\n\nSign up for our letter!\n\n***\n\nTwo.", &names), "One.\n\n***\n\nTwo.");
    }
}
