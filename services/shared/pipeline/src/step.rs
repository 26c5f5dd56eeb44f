//! A step: everything that comes of some input, committed as one.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::{
    DeadLetter, LogError, Origin, Output, State,
    state::{STAGE, TIMER, read_i64, tagged},
};

/// What is to happen at once: records out, dead letters, state changes, timers and input positions.
///
/// Reads see the step's own writes. State is by partition; a partition not held now is an error to touch
/// ([`LogError::NotAssigned`]).
#[derive(Clone)]
pub struct Step {
    pub(crate) outputs: Vec<Output>,
    pub(crate) dead_letters: Vec<DeadLetter>,
    pub(crate) taken: BTreeMap<i32, i64>,
    pub(crate) states: BTreeMap<i32, StateWrites>,
}

/// A partition's state as committed, and what the step changes in it: `None` removes.
#[derive(Clone)]
pub(crate) struct StateWrites {
    state: State,
    pub(crate) writes: BTreeMap<Vec<u8>, Option<Bytes>>,
}

impl Step {
    pub(crate) fn new(states: impl Iterator<Item = (i32, State)>) -> Self {
        Self {
            outputs: Vec::new(),
            dead_letters: Vec::new(),
            taken: BTreeMap::new(),
            states: states
                .map(|(partition, state)| (partition, StateWrites { state, writes: BTreeMap::new() }))
                .collect(),
        }
    }

    /// This record and all before it in its partition are dealt with.
    pub fn take(&mut self, origin: &Origin) {
        let taken = self.taken.entry(origin.partition).or_insert(origin.offset);
        *taken = origin.offset.max(*taken);
    }

    /// Writes a record.
    pub fn emit(&mut self, output: Output) {
        self.outputs.push(output);
    }

    /// The records it would write, which it then does not: for who measures or looks at a stage alone.
    pub fn take_outputs(&mut self) -> Vec<Output> {
        std::mem::take(&mut self.outputs)
    }

    /// Gives up on an input.
    pub fn dead_letter(&mut self, letter: DeadLetter) {
        self.dead_letters.push(letter);
    }

    /// Whether nothing would happen.
    pub fn is_empty(&self) -> bool {
        self.outputs.is_empty()
            && self.dead_letters.is_empty()
            && self.taken.is_empty()
            && self.states.values().all(|s| s.writes.is_empty())
    }

    /// Bytes of the records it would write, for bounding a step.
    pub fn output_bytes(&self) -> usize {
        self.outputs.iter().map(|o| o.key.len() + o.value.as_ref().map_or(0, Bytes::len)).sum()
    }

    /// Whether the partition is held, so that its state can be read and written.
    pub fn holds(&self, partition: i32) -> bool {
        self.states.contains_key(&partition)
    }

    /// The value of a key in a partition's state.
    pub fn get(&self, partition: i32, key: &[u8]) -> Result<Option<Bytes>, LogError> {
        self.raw_get(partition, &tagged(STAGE, key))
    }

    /// Sets a key.
    pub fn put(&mut self, partition: i32, key: &[u8], value: impl Into<Bytes>) -> Result<(), LogError> {
        self.raw_write(partition, tagged(STAGE, key), Some(value.into()))
    }

    /// Removes a key.
    pub fn delete(&mut self, partition: i32, key: &[u8]) -> Result<(), LogError> {
        self.raw_write(partition, tagged(STAGE, key), None)
    }

    /// Up to `limit` rows whose key begins with `prefix`, in key order.
    pub fn scan(&self, partition: i32, prefix: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, LogError> {
        let held = self.held(partition)?;
        let prefix = tagged(STAGE, prefix);
        let mut rows = BTreeMap::new();
        // Removed rows may hide among the first: look further by as many as the step removes.
        let removed = held.writes.values().filter(|w| w.is_none()).count();
        for row in held.state.raw_scan(&prefix).take(limit.saturating_add(removed)) {
            let (key, value) = row?;
            rows.insert(key, value);
        }
        for (key, write) in held.writes.range(prefix.clone()..).take_while(|(k, _)| k.starts_with(&prefix)) {
            match write {
                Some(value) => rows.insert(Bytes::copy_from_slice(key), value.clone()),
                None => rows.remove(key.as_slice()),
            };
        }
        Ok(rows.into_iter().take(limit).map(|(key, value)| (key.slice(1..), value)).collect())
    }

    /// Sets the timer of that name to fire at `due_at_ms`, whatever it was set to before.
    pub fn set_timer(&mut self, partition: i32, key: &[u8], due_at_ms: i64) -> Result<(), LogError> {
        let due = Bytes::copy_from_slice(&due_at_ms.to_be_bytes());
        self.raw_write(partition, tagged(TIMER, key), Some(due))
    }

    /// Clears the timer of that name.
    pub fn clear_timer(&mut self, partition: i32, key: &[u8]) -> Result<(), LogError> {
        self.raw_write(partition, tagged(TIMER, key), None)
    }

    /// When the timer of that name is due; `None` where it is not set.
    pub fn timer(&self, partition: i32, key: &[u8]) -> Result<Option<i64>, LogError> {
        Ok(self.raw_get(partition, &tagged(TIMER, key))?.map(|due| read_i64(&due)))
    }

    fn held(&self, partition: i32) -> Result<&StateWrites, LogError> {
        self.states.get(&partition).ok_or(LogError::NotAssigned { partition })
    }

    fn raw_get(&self, partition: i32, key: &[u8]) -> Result<Option<Bytes>, LogError> {
        let held = self.held(partition)?;
        match held.writes.get(key) {
            Some(write) => Ok(write.clone()),
            None => held.state.raw(key),
        }
    }

    fn raw_write(&mut self, partition: i32, key: Vec<u8>, value: Option<Bytes>) -> Result<(), LogError> {
        let held = self.states.get_mut(&partition).ok_or(LogError::NotAssigned { partition })?;
        held.writes.insert(key, value);
        Ok(())
    }
}
