//! What is told of a step, and when.

use pipeline::{Progress, Role, State, Step, metrics::RoleMetrics};

use super::*;

/// A log that looks, at every commit, at what is told to be pending; and fails, where it is to.
struct Watched<'a> {
    log: &'a mut dyn Log,
    progress: Progress,
    pending: Vec<u64>,
    is_failing: bool,
}

impl Log for Watched<'_> {
    fn poll(&mut self, limits: Limits, wait: Duration) -> Result<Inputs, LogError> {
        self.log.poll(limits, wait)
    }

    fn step(&self) -> Step {
        self.log.step()
    }

    fn commit(&mut self, step: Step) -> Result<(), LogError> {
        if !step.is_empty() {
            self.pending.push(self.progress.pending());
        }
        if self.is_failing { Err(LogError::Unavailable("down".to_owned())) } else { self.log.commit(step) }
    }

    fn rewind(&mut self) -> Result<(), LogError> {
        self.log.rewind()
    }

    fn assignment(&self) -> Vec<i32> {
        self.log.assignment()
    }

    fn state(&self, partition: i32) -> Option<State> {
        self.log.state(partition)
    }

    fn is_settled(&self) -> bool {
        self.log.is_settled()
    }

    fn is_at_end(&mut self) -> Result<bool, LogError> {
        self.log.is_at_end()
    }
}

#[test]
fn a_visit_is_pending_and_uncounted_until_its_step_has_happened() {
    with_bench(|b| {
        let metrics = RoleMetrics::of(&Role { name: "fetcher-of-this-test", ..ROLE });
        b.fetcher.settings.metrics = metrics.clone();
        b.submit(&request("https://a.example/1"));
        b.settle();
        assert_eq!(b.queued(), 1, "while it is under way");
        let job = b.begun().remove(0);
        b.fetcher.fetch.ended.push_back(job.ended(page(), START_MS));
        let progress = b.fetcher.settings.progress.clone();
        let mut log = Watched { log: &mut b.role, progress, pending: Vec::new(), is_failing: true };
        b.fetcher.turn(&mut log).unwrap_err();
        log.rewind().unwrap();
        log.is_failing = false;
        b.fetcher.turn(&mut log).unwrap();
        assert_eq!(metrics.produced.get(), 0, "it did not happen");
        b.clock.advance(1_000);
        b.fetcher.turn(&mut log).unwrap();
        let job = b.fetcher.fetch.started.remove(0);
        b.fetcher.fetch.ended.push_back(job.ended(page(), START_MS + 1_000));
        b.fetcher.turn(&mut log).unwrap();
        assert!(
            log.pending.len() > 1 && log.pending.iter().all(|pending| *pending == 1),
            "{:?}",
            log.pending
        );
        assert_eq!((b.queued(), metrics.produced.get()), (0, 1));
    });
}
