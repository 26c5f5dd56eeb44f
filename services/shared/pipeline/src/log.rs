//! The contract that both logs keep.

use std::{path::Path, sync::Arc, time::Duration};

use thiserror::Error;

use crate::{Progress, Record, State, Step, Timer};

/// A role's place on a log. One thread owns it.
pub trait Log: Send {
    /// Where to [beat](Progress::beat) while a poll takes long.
    fn beat_in(&mut self, _progress: Progress) {}

    /// Waits up to `wait` for input and returns what there is, within `limits`. Records of a partition come in order.
    fn poll(&mut self, limits: Limits, wait: Duration) -> Result<Inputs, LogError>;

    /// An empty step over the state of the partitions held.
    fn step(&self) -> Step;

    /// Makes the whole step happen. On an error nothing of it has happened, and the log has gone back as by
    /// [`Log::rewind`].
    fn commit(&mut self, step: Step) -> Result<(), LogError>;

    /// Gives up the open step: every record and timer handed out since the last committed one will be polled again. The
    /// next poll reports every partition as revoked and, where it is still held, as assigned.
    fn rewind(&mut self) -> Result<(), LogError>;

    /// The partitions held.
    fn assignment(&self) -> Vec<i32>;

    /// The committed state of a partition held.
    fn state(&self, partition: i32) -> Option<State>;

    /// How many partitions a topic has.
    fn partitions(&self, _topic: &str) -> Result<usize, LogError> {
        Ok(1)
    }

    /// Whether this instance has its place: on Kafka the group has answered, be it that it holds nothing and stands by.
    fn is_settled(&self) -> bool;

    /// Whether every partition held has been read and committed to its end.
    fn is_at_end(&mut self) -> Result<bool, LogError>;
}

/// What a poll returns.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Partitions lost: whatever was going on for them is void. Before everything else.
    pub revoked: Vec<i32>,
    /// Partitions gained, their state at hand.
    pub assigned: Vec<i32>,
    /// Records, in order within a partition.
    pub records: Vec<Record>,
    /// Timers that fell due.
    pub timers: Vec<Timer>,
}

impl Inputs {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.revoked.is_empty()
            && self.assigned.is_empty()
            && self.records.is_empty()
            && self.timers.is_empty()
    }
}

/// How much a poll may return. It ends with the record that reaches a limit; one is always returned, however large.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Records; 0 polls timers and assignments only.
    pub records: usize,
    /// Bytes of their values.
    pub bytes: usize,
    /// Timers.
    pub timers: usize,
}

/// Why a log could not do what it was asked.
#[derive(Debug, Error)]
pub enum LogError {
    /// The step did not happen: another owner, an aborted transaction, a broker that was away. Try again.
    #[error("the step did not happen and will be done again: {0}")]
    Aborted(String),
    /// The log cannot be reached now. Try again.
    #[error("the log cannot be reached now: {0}")]
    Unavailable(String),
    /// Nothing here can mend it: the process must end.
    #[error("{0}")]
    Fatal(String),
    /// State of a partition that is not held.
    #[error("partition {partition} is not held by this instance: another one has its state")]
    NotAssigned {
        /// The partition.
        partition: i32,
    },
    /// The local store failed.
    #[error("the local store failed: {0}; check the disk behind the data folder")]
    Store(#[from] fjall::Error),
}

impl LogError {
    /// A data folder that cannot be had.
    pub(crate) fn folder(folder: &Path, cause: &dyn std::fmt::Display) -> Self {
        Self::Fatal(format!("the data folder {} cannot be had: {cause}; is it writable?", folder.display()))
    }

    /// A data folder that another process has.
    pub(crate) fn folder_in_use(folder: &Path) -> Self {
        Self::Fatal(format!(
            "another wireroom is using the data folder {}: stop it, or name another folder",
            folder.display()
        ))
    }

    /// Whether trying again may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Aborted(_) | Self::Unavailable(_) | Self::NotAssigned { .. })
    }
}

/// What a role is doing, as told to a [`Probe`] just before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Reading input.
    Read,
    /// The stage is at work.
    Work,
    /// Records are being written.
    Produce,
    /// State changes are being written.
    State,
    /// Input positions are being written.
    Offsets,
    /// The whole is being committed.
    Commit,
}

impl Action {
    /// Every action, in the order in which a step takes them.
    pub const ALL: [Self; 6] =
        [Self::Read, Self::Work, Self::Produce, Self::State, Self::Offsets, Self::Commit];

    /// One word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Work => "work",
            Self::Produce => "produce",
            Self::State => "state",
            Self::Offsets => "offsets",
            Self::Commit => "commit",
        }
    }
}

/// Is told every action of every role before it is done: where crash tests step in.
pub type Probe = Arc<dyn Fn(&'static str, Action) + Send + Sync>;

/// The same for one role: the note that survives a crash, then the probe.
pub(crate) type Noter = Arc<dyn Fn(Action) + Send + Sync>;
