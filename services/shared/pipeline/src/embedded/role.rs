//! A role's place on the embedded log.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{Embedded, Found, PARTITION, committer, committer::Entry};
use crate::{
    Action, DeadLetter, Inputs, Limits, Log, LogError, Record, Role, State, Step, attempts::Attempts,
    log::Noter, metrics::RoleMetrics, timers::Timers,
};

/// Why a record whose value was lost is a dead letter.
const LOST: &str = "its value is not in the data folder as it was written: the machine lost its power before the disk had it \
     (--fsync keeps all that is committed), or the disk is damaged";

/// See the [module's documentation](super).
pub struct EmbeddedRole {
    log: Embedded,
    role: Role,
    state: State,
    timers: Timers,
    attempts: Attempts,
    note: Noter,
    metrics: RoleMetrics,
    is_assigned: bool,
    is_rewound: bool,
    /// The offset that the next poll reads.
    next: i64,
    committed: i64,
}

impl EmbeddedRole {
    pub(super) fn open(log: Embedded, role: Role) -> Result<Self, LogError> {
        let state = State::new(committer::state_rows(&log.0.db, &role)?);
        state.check_version(&role)?;
        let attempts = Attempts::open(&log.0.folder.join("attempts"), role.name)?;
        let note = attempts.noter(log.0.probe.clone());
        let committed = log.position(&role)?;
        let metrics = RoleMetrics::of(&role);
        let timers = Timers::default();
        Ok(Self {
            log,
            role,
            state,
            timers,
            attempts,
            note,
            metrics,
            is_assigned: false,
            is_rewound: false,
            next: committed,
            committed,
        })
    }

    /// The next records; or, in its turn, the letter of one whose value was lost.
    fn read(&mut self, limits: Limits) -> Result<(Vec<Record>, Option<DeadLetter>), LogError> {
        let rows = self.log.0.topic(self.role.input)?;
        let mut records: Vec<Record> = Vec::new();
        let mut bytes = 0;
        for row in rows.range(self.next.to_be_bytes()..).take(self.attempts.limit(limits.records, |_| true)) {
            let Found { record, is_lost } = self.log.0.record(self.role.input, row)?;
            if is_lost && records.is_empty() {
                self.next = record.origin.offset + 1;
                return Ok((records, Some(DeadLetter::of(&record, "lost", LOST))));
            }
            if is_lost {
                break;
            }
            bytes += record.value.as_ref().map_or(0, bytes::Bytes::len);
            if !records.is_empty() && bytes > limits.bytes {
                break;
            }
            records.push(record);
        }
        self.next = records.last().map_or(self.next, |last| last.origin.offset + 1);
        Ok((records, None))
    }
}

impl Log for EmbeddedRole {
    fn poll(&mut self, limits: Limits, wait: Duration) -> Result<Inputs, LogError> {
        let mut inputs = Inputs::default();
        if std::mem::take(&mut self.is_rewound) {
            inputs.revoked.push(PARTITION);
        }
        if !self.is_assigned {
            self.is_assigned = true;
            self.state.load_timers(PARTITION, &mut self.timers)?;
            self.metrics.rebalanced(1);
            inputs.assigned.push(PARTITION);
        }
        let deadline = Instant::now() + wait;
        loop {
            let seen = self.log.0.changed.generation();
            let now_ms = self.log.0.clock.now_ms();
            if inputs.timers.is_empty() {
                inputs.timers = self.timers.fire(now_ms, limits.timers);
            }
            (self.note)(Action::Read);
            let (records, lost) = self.read(limits)?;
            inputs.records = records;
            if let Some(letter) = lost.or_else(|| self.attempts.poison(&inputs.records)) {
                let mut step = self.step();
                step.take(&letter.origin);
                step.dead_letter(letter);
                self.commit(step)?;
                continue;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if !inputs.is_empty() || left.is_zero() {
                break;
            }
            let due = self
                .timers
                .next_due_ms()
                .filter(|_| limits.timers > 0)
                .map(|due| Duration::from_millis((due - now_ms).max(1) as u64));
            self.log.0.changed.wait(seen, due.map_or(left, |due| due.min(left)));
        }
        self.metrics.lag.set(self.log.end(self.role.input)?.saturating_sub(self.next));
        if !inputs.records.is_empty() {
            self.attempts.working(&inputs.records);
            (self.note)(Action::Work);
        }
        Ok(inputs)
    }

    fn step(&self) -> Step {
        Step::new([(PARTITION, self.state.clone())].into_iter())
    }

    fn commit(&mut self, mut step: Step) -> Result<(), LogError> {
        if step.is_empty() {
            return Ok(());
        }
        let timer = self.metrics.commit_seconds.start_timer();
        let mut outputs = std::mem::take(&mut step.outputs);
        outputs.extend(step.dead_letters.iter().map(|letter| letter.output(&self.role)));
        let mut writes = step.states.remove(&PARTITION).map(|state| state.writes).unwrap_or_default();
        self.state.stamp(&self.role, &mut writes)?;
        let writes = Arc::new(writes);
        let end = step.taken.get(&PARTITION).map_or(self.committed, |last| last + 1);
        let done = self.log.0.commit(Entry {
            outputs,
            role: Some((self.role.name, self.role.input)),
            taken: self.committed..end,
            state: Some((self.state.rows().clone(), writes.clone())),
            note: Some(self.note.clone()),
            reply: None,
        });
        if let Err(failure) = done {
            self.rewind()?;
            return Err(failure);
        }
        self.committed = end;
        self.state.rows().written(&writes)?;
        self.timers.apply(PARTITION, &writes);
        self.attempts.committed(step.taken.into_iter());
        timer.observe_duration();
        self.metrics.committed(self.log.0.clock.now_ms(), || self.state.rows().disk_space());
        Ok(())
    }

    fn rewind(&mut self) -> Result<(), LogError> {
        self.is_rewound |= self.is_assigned;
        self.is_assigned = false;
        self.next = self.committed;
        // Whatever failed was not the stage at work.
        (self.note)(Action::Read);
        Ok(())
    }

    fn assignment(&self) -> Vec<i32> {
        if self.is_assigned { vec![PARTITION] } else { Vec::new() }
    }

    fn state(&self, partition: i32) -> Option<State> {
        (self.is_assigned && partition == PARTITION).then(|| self.state.clone())
    }

    fn is_settled(&self) -> bool {
        self.is_assigned
    }

    fn is_at_end(&mut self) -> Result<bool, LogError> {
        Ok(self.is_assigned && self.committed == self.log.end(self.role.input)?)
    }
}
