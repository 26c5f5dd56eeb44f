//! A role's place on Kafka.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use bytes::Bytes;
use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};
use tracing::{info, warn};

use super::{
    Kafka, REQUEST_TIMEOUT, assigned_reader, denied,
    group::{Change, Rebalances, subscribe},
    is_denied, partition_count,
    replica::{Follower, Replica, position_of},
    to_record,
    transaction::Transactions,
    unavailable,
};
use crate::{
    Action, Inputs, Limits, Log, LogError, Progress, Record, Role, State, Step, attempts::Attempts,
    log::Noter, metrics::RoleMetrics, timers::Timers,
};

/// See the [module's documentation](super).
pub struct KafkaRole {
    log: Kafka,
    role: Role,
    input: String,
    consumer: BaseConsumer<Rebalances>,
    bounds: BaseConsumer,
    transactions: Option<Transactions>,
    held: BTreeMap<i32, Held>,
    /// What keeps the copies warm while nothing is held.
    standby: Option<Follower>,
    /// Gained, and not yet at hand: positions and state are still to be read.
    gained: BTreeSet<i32>,
    /// Lost or given up, to be reported by the next poll that succeeds.
    revoked: Vec<i32>,
    /// Whether the group has answered once.
    has_joined: bool,
    is_paused: bool,
    timers: Timers,
    attempts: Attempts,
    note: Noter,
    progress: Progress,
    metrics: RoleMetrics,
}

/// A partition at hand.
struct Held {
    replica: Option<Replica>,
    /// The offset after the last record handed out.
    delivered: i64,
    /// The offset that the group has committed.
    committed: i64,
}

impl KafkaRole {
    pub(super) fn join(log: Kafka, role: Role) -> Result<Self, LogError> {
        let options = log.options();
        let input = options.topic(role.input);
        let attempts = Attempts::open(&options.data.join("attempts"), role.name)?;
        let note = attempts.noter(options.probe.clone());
        let bounds: BaseConsumer = assigned_reader(options, "bounds", "read_uncommitted")?;
        let partitions = partition_count(&bounds, &input)?;
        if role.state_version.is_some() {
            let changelog = options.changelog(&role);
            let changelog_partitions = partition_count(&bounds, &changelog)?;
            if changelog_partitions != partitions {
                return Err(LogError::Fatal(format!(
                    "{changelog} has {changelog_partitions} partitions and {input} has {partitions}: the partition \
                     count of a stateful role's input is fixed for good; put it back, or start anew under another prefix"
                )));
            }
        }
        let metrics = RoleMetrics::of(&role);
        let consumer = subscribe(&log, &role, &metrics.lag)?;
        Ok(Self {
            log,
            role,
            input,
            consumer,
            bounds,
            transactions: None,
            held: BTreeMap::new(),
            standby: None,
            gained: BTreeSet::new(),
            revoked: Vec::new(),
            has_joined: false,
            is_paused: false,
            timers: Timers::default(),
            attempts,
            note,
            progress: Progress::default(),
            metrics,
        })
    }

    /// Acts upon what the group decided since the last look.
    fn rebalance(&mut self, inputs: &mut Inputs) -> Result<(), LogError> {
        let changes = self.consumer.context().take();
        let is_changed = !changes.is_empty();
        self.has_joined |= is_changed;
        for change in changes {
            match change {
                Change::Gained(partitions) => self.gained.extend(partitions),
                Change::Lost(partitions) => {
                    info!(role = self.role.name, ?partitions, "partitions lost");
                    for partition in partitions {
                        self.gained.remove(&partition);
                        if self.held.remove(&partition).is_some() {
                            self.timers.forget(partition);
                            inputs.records.retain(|r| r.origin.partition != partition);
                            inputs.timers.retain(|t| t.partition != partition);
                            inputs.assigned.retain(|p| *p != partition);
                            self.revoked.push(partition);
                        }
                    }
                }
            }
        }
        if !self.gained.is_empty() {
            self.pause(true)?;
            if let Some(mut standby) = self.standby.take() {
                standby.write()?;
            }
        }
        while let Some(partition) = self.gained.first().copied() {
            self.take_over(partition)?;
            self.gained.remove(&partition);
            inputs.assigned.push(partition);
            info!(role = self.role.name, partition, "partition gained");
        }
        if is_changed {
            self.metrics.rebalanced(self.held.len());
        }
        Ok(())
    }

    /// Makes a partition ready for work: input position first, then state up to the changelog's end.
    ///
    /// The committed offset is read stable (KIP-447): pending transactions that hold it are waited for, so that
    /// whatever an earlier owner has committed is in the changelog by the time its end is looked up.
    /// A transaction that an earlier process of this name left open is ended first, or it would be waited for until its
    /// time-out.
    fn take_over(&mut self, partition: i32) -> Result<(), LogError> {
        self.beat()?;
        if self.transactions.is_none() {
            self.transactions = Some(Transactions::open(&self.log, &self.role)?);
        }
        let committed = self.committed(partition)?;
        self.attempts.committed([(partition, committed - 1)].into_iter());
        let replica = match self.role.state_version {
            None => None,
            Some(_) => {
                let mut beat = Instant::now();
                let replica = Replica::restore(&self.log, &self.role, partition, &self.bounds, || {
                    self.progress.beat();
                    if beat.elapsed() < Duration::from_secs(1) {
                        return Ok(());
                    }
                    beat = Instant::now();
                    self.beat()
                })?;
                replica.state.load_timers(partition, &mut self.timers)?;
                Some(replica)
            }
        };
        self.held.insert(partition, Held { replica, delivered: committed, committed });
        self.seek(partition, committed)
    }

    /// Keeps the membership alive while partitions are taken over. Everything is paused: no record can come.
    fn beat(&self) -> Result<(), LogError> {
        self.progress.beat();
        match self.consumer.poll(Duration::ZERO) {
            Some(Err(cause @ KafkaError::MessageConsumptionFatal(_))) => Err(unavailable(&cause)),
            _ => Ok(()),
        }
    }

    fn committed(&self, partition: i32) -> Result<i64, LogError> {
        let committed = self
            .consumer
            .committed_offsets(self.partitions([partition]), REQUEST_TIMEOUT)
            .map_err(|e| unavailable(&e))?;
        let found = committed.find_partition(&self.input, partition);
        let found = found
            .ok_or_else(|| LogError::Unavailable("the group does not answer for a partition".to_owned()))?;
        found.error().map_err(|e| unavailable(&e))?;
        match found.offset() {
            Offset::Offset(offset) => Ok(offset),
            // Nothing was ever committed.
            _ => Ok(self.watermarks(partition)?.0),
        }
    }

    fn watermarks(&self, partition: i32) -> Result<(i64, i64), LogError> {
        self.bounds.fetch_watermarks(&self.input, partition, REQUEST_TIMEOUT).map_err(|e| unavailable(&e))
    }

    fn seek(&self, partition: i32, offset: i64) -> Result<(), LogError> {
        let seek = || self.consumer.seek(&self.input, partition, Offset::Offset(offset), REQUEST_TIMEOUT);
        seek().map_err(|e| unavailable(&e))
    }

    fn transact(&mut self, step: &Step) -> Result<BTreeMap<i32, i64>, LogError> {
        let taken = step.taken.keys();
        let written =
            step.states.iter().filter(|(_, state)| !state.writes.is_empty()).map(|(partition, _)| partition);
        let touched: BTreeSet<i32> = taken.chain(written).copied().collect();
        if let Some(partition) = touched.iter().find(|partition| !self.held.contains_key(partition)) {
            return Err(LogError::NotAssigned { partition: *partition });
        }
        let transactions =
            self.transactions.as_mut().ok_or_else(|| LogError::Aborted("no producer".to_owned()))?;
        let options = self.log.options();
        (self.note)(Action::Produce);
        let mut transaction = transactions.begin()?;
        for output in &step.outputs {
            transaction.send(&options.topic(output.topic), output)?;
        }
        for letter in &step.dead_letters {
            transaction.send(&options.topic(self.role.dead_letters), &letter.output(&self.role))?;
        }
        (self.note)(Action::State);
        let changelog = options.changelog(&self.role);
        for (partition, state) in &step.states {
            for (key, value) in &state.writes {
                transaction.send_change(&changelog, *partition, key, value.as_deref())?;
            }
        }
        let changelog_ends = transaction.flush()?;
        (self.note)(Action::Offsets);
        let mut offsets = TopicPartitionList::new();
        for (partition, held) in &self.held {
            // Without positions there would be nothing to refuse a former owner by.
            if touched.contains(partition) || touched.is_empty() {
                let offset =
                    Offset::Offset(next_position(&self.consumer, &self.input, *partition, held, step));
                offsets.add_partition_offset(&self.input, *partition, offset).map_err(|e| unavailable(&e))?;
            }
        }
        let group = self.consumer.group_metadata();
        let group = group.ok_or_else(|| LogError::Aborted("the group has no metadata yet".to_owned()))?;
        if offsets.count() == 0 || self.consumer.assignment_lost() {
            return Err(LogError::Aborted("this instance holds nothing any more".to_owned()));
        }
        transaction.send_offsets(&offsets, &group)?;
        (self.note)(Action::Commit);
        transaction.commit()?;
        for element in offsets.elements() {
            if let (Some(held), Offset::Offset(offset)) =
                (self.held.get_mut(&element.partition()), element.offset())
            {
                held.committed = offset;
            }
        }
        Ok(changelog_ends)
    }

    /// Follows the changelogs for a while, if nothing is held. Returns whether there was anything to follow.
    fn stand_by(&mut self, wait: Duration) -> Result<bool, LogError> {
        let is_idle = self.has_joined && self.held.is_empty() && self.gained.is_empty();
        if !is_idle || self.role.state_version.is_none() {
            return Ok(false);
        }
        let standby = match &mut self.standby {
            Some(standby) => standby,
            none => none.insert(Follower::of_all(&self.log, &self.role, &self.bounds)?),
        };
        let deadline = Instant::now() + wait;
        let mut has_read = false;
        while Instant::now() < deadline && standby.read(Duration::ZERO)? {
            has_read = true;
            self.progress.beat();
        }
        Ok(has_read)
    }

    fn partitions(&self, partitions: impl IntoIterator<Item = i32>) -> TopicPartitionList {
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&self.input, partition);
        }
        list
    }

    /// Pauses once where no records are wanted, and resumes once where they are again: a pause drops what was
    /// prefetched.
    fn pause(&mut self, is_paused: bool) -> Result<(), LogError> {
        if self.is_paused != is_paused {
            self.is_paused = is_paused;
            let held = self.partitions(self.held.keys().copied());
            let done = if is_paused { self.consumer.pause(&held) } else { self.consumer.resume(&held) };
            done.map_err(|e| unavailable(&e))?;
        }
        Ok(())
    }

    fn receive(&mut self, wait: Duration) -> Result<Option<Record>, LogError> {
        let message = match self.consumer.poll(wait) {
            None => return Ok(None),
            Some(Ok(message)) => message,
            Some(Err(KafkaError::MessageConsumptionFatal(cause))) => {
                // After an outage the brokers may still hold our own earlier membership against us: join anew.
                self.rewind()?;
                self.gained.clear();
                self.consumer = subscribe(&self.log, &self.role, &self.metrics.lag)?;
                return Err(LogError::Unavailable(format!(
                    "the consumer of {} had to be replaced: {cause}; if this goes on, another process has the same \
                     instance name",
                    self.input
                )));
            }
            Some(Err(cause)) if is_denied(&cause) => {
                let group = self.log.options().group(&self.role);
                return Err(denied(&format!("to read {} in the group {group}", self.input)));
            }
            Some(Err(cause)) => {
                warn!(role = self.role.name, %cause, "nothing read");
                return Ok(None);
            }
        };
        let record = to_record(self.role.input, &message);
        drop(message);
        let Some(held) = self.held.get_mut(&record.origin.partition) else { return Ok(None) };
        if record.origin.offset < held.delivered {
            return Ok(None); // fetched before a seek
        }
        held.delivered = record.origin.offset + 1;
        Ok(Some(record))
    }
}

impl Log for KafkaRole {
    fn beat_in(&mut self, progress: Progress) {
        self.progress = progress;
    }

    fn poll(&mut self, limits: Limits, wait: Duration) -> Result<Inputs, LogError> {
        let mut inputs = Inputs::default();
        let mut bytes = 0;
        let wait = if self.stand_by(wait)? { Duration::ZERO } else { wait };
        let deadline = Instant::now() + wait;
        (self.note)(Action::Read);
        loop {
            self.rebalance(&mut inputs)?;
            let limit = self.attempts.limit(limits.records, |partition| self.held.contains_key(&partition));
            self.pause(limit == 0)?;
            if inputs.timers.is_empty() {
                inputs.timers = self.timers.fire(self.log.options().clock.now_ms(), limits.timers);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            let is_full = limit > 0 && (inputs.records.len() >= limit || bytes >= limits.bytes);
            let due = self.timers.next_due_ms().filter(|_| limits.timers > 0).map_or(left, |due| {
                Duration::from_millis((due - self.log.options().clock.now_ms()).max(1) as u64)
            });
            let wait = if inputs.is_empty() { left.min(due) } else { Duration::ZERO };
            if is_full {
                break;
            }
            match self.receive(wait)? {
                Some(record) => {
                    bytes += record.value.as_ref().map_or(0, Bytes::len);
                    inputs.records.push(record);
                }
                None if !inputs.is_empty() || left.is_zero() => break,
                None => {}
            }
        }
        self.rebalance(&mut inputs)?;
        if let Some(poison) = self.attempts.poison(&inputs.records) {
            let mut step = self.step();
            step.take(&poison.origin);
            step.dead_letter(poison);
            self.commit(step)?;
            inputs.records.clear();
        }
        inputs.revoked = std::mem::take(&mut self.revoked);
        if !inputs.records.is_empty() {
            self.attempts.working(&inputs.records);
            (self.note)(Action::Work);
        }
        Ok(inputs)
    }

    fn step(&self) -> Step {
        let states = self.held.iter();
        Step::new(
            states.filter_map(|(p, held)| held.replica.as_ref().map(|replica| (*p, replica.state.clone()))),
        )
    }

    fn commit(&mut self, mut step: Step) -> Result<(), LogError> {
        if step.is_empty() {
            return Ok(());
        }
        let timer = self.metrics.commit_seconds.start_timer();
        for (partition, state) in &mut step.states {
            if let Some(replica) = self.held.get(partition).and_then(|held| held.replica.as_ref()) {
                replica.state.stamp(&self.role, &mut state.writes)?;
            }
        }
        let changelog_ends = match self.transact(&step) {
            Ok(ends) => ends,
            Err(failure) => {
                warn!(role = self.role.name, %failure, "transaction aborted");
                self.transactions = None;
                self.rewind()?;
                return Err(failure);
            }
        };
        let now_ms = self.log.options().clock.now_ms();
        for (partition, state) in step.states.iter().filter(|(_, state)| !state.writes.is_empty()) {
            let Some(replica) = self.held.get(partition).and_then(|held| held.replica.as_ref()) else {
                continue;
            };
            // A copy that cannot follow ends the process; the next one catches up from the changelog.
            replica.apply(&state.writes, changelog_ends.get(partition).copied(), now_ms)?;
            self.timers.apply(*partition, &state.writes);
        }
        self.attempts.committed(step.taken.into_iter());
        timer.observe_duration();
        let states = || self.held.values().filter_map(|held| held.replica.as_ref());
        self.metrics.committed(now_ms, || states().map(|replica| replica.state.rows().disk_space()).sum());
        Ok(())
    }

    fn assignment(&self) -> Vec<i32> {
        self.held.keys().copied().collect()
    }

    fn state(&self, partition: i32) -> Option<State> {
        self.held.get(&partition)?.replica.as_ref().map(|replica| replica.state.clone())
    }

    fn partitions(&self, topic: &str) -> Result<usize, LogError> {
        partition_count(&self.bounds, &self.log.options().topic(topic))
    }

    /// What is in memory may be ahead of what is committed: everything held is taken over anew.
    fn rewind(&mut self) -> Result<(), LogError> {
        let partitions: Vec<i32> = self.held.keys().copied().collect();
        self.consumer.pause(&self.partitions(partitions.iter().copied())).map_err(|e| unavailable(&e))?;
        for partition in partitions {
            self.held.remove(&partition);
            self.timers.forget(partition);
            self.gained.insert(partition);
            self.revoked.push(partition);
        }
        // Whatever failed was not the stage at work.
        (self.note)(Action::Read);
        Ok(())
    }

    fn is_settled(&self) -> bool {
        self.has_joined && self.gained.is_empty() && !self.consumer.context().is_away()
    }

    fn is_at_end(&mut self) -> Result<bool, LogError> {
        if !self.gained.is_empty() {
            return Ok(false);
        }
        for (partition, held) in &self.held {
            // Whoever cannot be asked now is not at the end.
            let Ok((low, end)) = self.watermarks(*partition) else { return Ok(false) };
            let position = position_of(&self.consumer, &self.input, *partition).unwrap_or(low);
            if held.delivered > held.committed || position.max(held.committed).max(low) < end {
                return Ok(false);
            }
        }
        Ok(!self.held.is_empty())
    }
}

/// The input position a step commits: past the markers after its last record where it took all that was handed out.
fn next_position(
    consumer: &BaseConsumer<Rebalances>,
    input: &str,
    partition: i32,
    held: &Held,
    step: &Step,
) -> i64 {
    match step.taken.get(&partition) {
        None => held.committed,
        Some(last) if last + 1 < held.delivered => last + 1,
        Some(last) => position_of(consumer, input, partition).unwrap_or(last + 1).max(last + 1),
    }
}
