//! Stopping, and knowing when there is nothing left to do.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// Asked for once, seen by every role: finish the open step, take no more input.
#[derive(Debug, Clone, Default)]
pub struct Shutdown(Arc<AtomicBool>);

impl Shutdown {
    /// Asks for it.
    pub fn request(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was asked for.
    pub fn is_requested(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Waits out `pause`, or less where a shutdown is requested in it.
    #[allow(
        clippy::disallowed_methods,
        reason = "the pause between two attempts, in slices that see the request"
    )]
    pub fn wait(&self, pause: Duration) {
        let until = Instant::now() + pause;
        while !self.is_requested() && Instant::now() < until {
            thread::sleep(Duration::from_millis(20).min(pause));
        }
    }

    /// The flag itself, for a signal handler to set.
    pub fn flag(&self) -> Arc<AtomicBool> {
        self.0.clone()
    }
}

/// What a role tells of itself while it runs; shared with whoever waits for it or serves its health.
#[derive(Debug, Clone, Default)]
pub struct Progress(Arc<Counters>);

#[derive(Debug, Default)]
struct Counters {
    beats: AtomicU64,
    idle_polls: AtomicU64,
    steps: AtomicU64,
    records: AtomicU64,
    pending: AtomicU64,
    ready: AtomicBool,
    is_watched: AtomicBool,
}

impl Progress {
    /// A poll ended; `idle` where it brought nothing and every partition is read and committed to its end.
    pub fn polled(&self, idle: bool) {
        self.beat();
        if idle {
            self.0.idle_polls.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// The role is at work, inside a poll too: rebuilding a partition's state takes many minutes.
    pub fn beat(&self) {
        self.0.beats.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether anybody waits for the role to be idle: on Kafka finding out costs requests.
    pub fn is_watched(&self) -> bool {
        self.0.is_watched.load(Ordering::SeqCst)
    }

    /// A step with so many input records was committed.
    pub fn committed(&self, records: usize) {
        self.0.records.fetch_add(records as u64, Ordering::SeqCst);
        self.0.steps.fetch_add(1, Ordering::SeqCst);
    }

    /// What the role holds in its state and has yet to finish.
    pub fn set_pending(&self, pending: u64) {
        self.0.pending.store(pending, Ordering::SeqCst);
    }

    /// Whether the role has its place: partitions, or a stand-by's none.
    pub fn set_ready(&self, ready: bool) {
        self.0.ready.store(ready, Ordering::SeqCst);
    }

    /// See [`Progress::set_pending`].
    pub fn pending(&self) -> u64 {
        self.0.pending.load(Ordering::SeqCst)
    }

    /// See [`Progress::set_ready`].
    pub fn is_ready(&self) -> bool {
        self.0.ready.load(Ordering::SeqCst)
    }

    /// The role's heartbeat: polls, and what was done within them, so far.
    pub fn beats(&self) -> u64 {
        self.0.beats.load(Ordering::SeqCst)
    }

    /// Input records whose step is committed.
    pub fn records(&self) -> u64 {
        self.0.records.load(Ordering::SeqCst)
    }

    /// Steps committed.
    pub fn steps(&self) -> u64 {
        self.0.steps.load(Ordering::SeqCst)
    }

    /// Polls that found nothing; see [`Drained`].
    pub fn idle_polls(&self) -> u64 {
        self.0.idle_polls.load(Ordering::SeqCst)
    }
}

/// Tells when a set of roles has nothing left to do.
///
/// They are done when, in a span in which none committed a step or held work, each has twice polled in vain: what was
/// committed before the span began was there to be seen by the second of those polls.
#[derive(Debug)]
pub struct Drained {
    roles: Vec<Progress>,
    steps: u64,
    idle_at_start: Vec<u64>,
}

impl Drained {
    /// Watches these roles.
    pub fn new(roles: Vec<Progress>) -> Self {
        roles.iter().for_each(|role| role.0.is_watched.store(true, Ordering::SeqCst));
        let mut drained = Self { idle_at_start: vec![0; roles.len()], roles, steps: 0 };
        drained.restart();
        drained
    }

    /// To be asked now and then.
    pub fn check(&mut self) -> bool {
        // Idle polls first: a role that moved since they were counted shows in what is looked at after.
        let are_idle =
            self.roles.iter().zip(&self.idle_at_start).all(|(role, before)| role.idle_polls() >= before + 2);
        let steps: u64 = self.roles.iter().map(Progress::steps).sum();
        if steps != self.steps || self.roles.iter().any(|role| role.pending() > 0) {
            self.restart();
            return false;
        }
        are_idle
    }

    fn restart(&mut self) {
        self.steps = self.roles.iter().map(Progress::steps).sum();
        self.idle_at_start = self.roles.iter().map(Progress::idle_polls).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drained_when_each_polled_twice_in_vain_and_none_moved() {
        let [a, b] = [Progress::default(), Progress::default()];
        let mut drained = Drained::new(vec![a.clone(), b.clone()]);
        assert!(!drained.check());
        a.polled(true);
        a.polled(true);
        b.polled(true);
        assert!(!drained.check());
        a.committed(1);
        b.polled(true);
        assert!(!drained.check(), "a moved: the span begins anew");
        for role in [&a, &b] {
            role.polled(true);
            role.polled(true);
        }
        b.set_pending(1);
        assert!(!drained.check());
        b.set_pending(0);
        for role in [&a, &b] {
            role.polled(true);
            role.polled(true);
        }
        assert!(drained.check());
    }
}
