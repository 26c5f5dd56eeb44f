//! Which addresses were fetched a short while ago, or wait for it: what is asked for twice is fetched once.
//!
//! A row of the partition's state for each, named by the hash of its URL. It outlives the queue entry by as long as the
//! fetcher remembers; every few minutes a small part of the rows is looked through for those that have had their time.

use crawl::{Validators, Version};
use pipeline::{LogError, Step};
use prost::Message;
use wire::SeenState;
use xxhash_rust::xxh3::xxh3_128;

use crate::frontier::{Queue, decoded};

const SEEN: u8 = b's';
/// The timer of the partition's sweep. No domain is named so.
pub(crate) const SWEEP: &[u8] = b"\0sweep";
/// How often a part is swept: all of them in a day.
const SWEEP_EVERY_MS: i64 = 86_400_000 / 256;

/// What is known of an address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Seen {
    /// Of its entry in the queue, where it has one.
    pub sequence: Option<u64>,
    /// When its page was last there; 0 for never.
    pub fetched_at_ms: i64,
    pub version: Version,
}

impl Queue<'_> {
    /// What is known of a URL.
    pub(crate) fn seen(&self, url: &str) -> Result<Seen, LogError> {
        let Some(row) = self.draft.step.get(self.partition, &key(url))? else { return Ok(Seen::default()) };
        let SeenState { sequence, fetched_at_ms, validators, body_hash } = decoded(&row)?;
        let wire::Validators { etag, last_modified } = validators.unwrap_or_default();
        let version = Version { validators: Validators { etag, last_modified }, body_hash };
        Ok(Seen { sequence, fetched_at_ms, version })
    }

    /// Notes what is known of a URL; forgets it where that is nothing.
    pub(crate) fn set_seen(&mut self, url: &str, seen: &Seen) -> Result<(), LogError> {
        if seen.sequence.is_none() && seen.fetched_at_ms == 0 {
            return self.draft.step.delete(self.partition, &key(url));
        }
        let Version { validators: Validators { etag, last_modified }, body_hash } = seen.version.clone();
        let state = SeenState {
            sequence: seen.sequence,
            fetched_at_ms: seen.fetched_at_ms,
            validators: Some(wire::Validators { etag, last_modified }),
            body_hash,
        };
        self.draft.step.put(self.partition, &key(url), state.encode_to_vec())
    }

    /// The entry `sequence` of a URL leaves the queue.
    pub(crate) fn unqueue(&mut self, url: &str, sequence: u64) -> Result<(), LogError> {
        let seen = self.seen(url)?;
        if seen.sequence == Some(sequence) {
            self.set_seen(url, &Seen { sequence: None, ..seen })?;
        }
        Ok(())
    }
}

/// Forgets a part of what was fetched before `before_ms` and is queued no more, and sets the timer for the next part.
pub(crate) fn sweep(step: &mut Step, partition: i32, now_ms: i64, before_ms: i64) -> Result<(), LogError> {
    let part = now_ms.div_euclid(SWEEP_EVERY_MS).rem_euclid(256) as u8;
    for (key, row) in step.scan(partition, &[SEEN, part], usize::MAX)? {
        let state: SeenState = decoded(&row)?;
        if state.sequence.is_none() && state.fetched_at_ms < before_ms {
            step.delete(partition, &key)?;
        }
    }
    step.set_timer(partition, SWEEP, now_ms.saturating_add(SWEEP_EVERY_MS))
}

fn key(url: &str) -> [u8; 17] {
    let mut key = [SEEN; 17];
    for (slot, byte) in key.iter_mut().skip(1).zip(xxh3_128(url.as_bytes()).to_be_bytes()) {
        *slot = byte;
    }
    key
}
