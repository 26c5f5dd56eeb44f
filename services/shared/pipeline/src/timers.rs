//! Due times of one role, derived from its state and kept in memory.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use bytes::Bytes;

use crate::state::{TIMER, read_i64};

/// A timer that fell due. It is handed out once; the step that answers it sets it anew or clears it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    /// The partition whose state holds it.
    pub partition: i32,
    /// What the stage named it.
    pub key: Vec<u8>,
    /// When it was to fire, in Unix milliseconds.
    pub due_at_ms: i64,
}

/// Every timer of the partitions held.
#[derive(Debug, Default)]
pub(crate) struct Timers {
    due: BTreeSet<(i64, i32, Vec<u8>)>,
    set: BTreeMap<i32, HashMap<Vec<u8>, i64>>,
}

impl Timers {
    pub(crate) fn set(&mut self, partition: i32, key: &[u8], due_at_ms: i64) {
        self.clear(partition, key);
        self.due.insert((due_at_ms, partition, key.to_vec()));
        self.set.entry(partition).or_default().insert(key.to_vec(), due_at_ms);
    }

    pub(crate) fn clear(&mut self, partition: i32, key: &[u8]) {
        if let Some(due) = self.set.get_mut(&partition).and_then(|set| set.remove(key)) {
            self.due.remove(&(due, partition, key.to_vec()));
        }
    }

    /// Follows the state changes of a committed step.
    pub(crate) fn apply(&mut self, partition: i32, writes: &BTreeMap<Vec<u8>, Option<Bytes>>) {
        for (key, value) in writes.range(vec![TIMER]..vec![TIMER + 1]) {
            let key = key.get(1..).unwrap_or_default();
            match value {
                Some(due) => self.set(partition, key, read_i64(due)),
                None => self.clear(partition, key),
            }
        }
    }

    /// Forgets a partition's.
    pub(crate) fn forget(&mut self, partition: i32) {
        for (key, due) in self.set.remove(&partition).unwrap_or_default() {
            self.due.remove(&(due, partition, key));
        }
    }

    /// Takes what is due, earliest first.
    pub(crate) fn fire(&mut self, now_ms: i64, limit: usize) -> Vec<Timer> {
        let mut fired = Vec::new();
        while fired.len() < limit && self.due.first().is_some_and(|(due, ..)| *due <= now_ms) {
            let Some((due_at_ms, partition, key)) = self.due.pop_first() else { break };
            if let Some(set) = self.set.get_mut(&partition) {
                set.remove(&key);
            }
            fired.push(Timer { partition, key, due_at_ms });
        }
        fired
    }

    pub(crate) fn next_due_ms(&self) -> Option<i64> {
        self.due.first().map(|(due, ..)| *due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_setting_counts_and_fires_once() {
        let mut timers = Timers::default();
        timers.set(0, b"a", 10);
        timers.set(0, b"a", 20);
        timers.set(1, b"a", 5);
        timers.set(0, b"b", 7);
        timers.clear(0, b"b");
        assert_eq!(timers.next_due_ms(), Some(5));
        assert_eq!(timers.fire(15, 9), [Timer { partition: 1, key: b"a".into(), due_at_ms: 5 }]);
        assert_eq!(timers.fire(15, 9), []);
        assert_eq!(timers.fire(20, 9).len(), 1);
        timers.set(0, b"c", 1);
        timers.forget(0);
        assert_eq!(timers.next_due_ms(), None);
    }
}
