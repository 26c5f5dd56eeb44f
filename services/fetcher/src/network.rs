//! Visits on a network thread of the fetcher's own: the role's thread never waits for them.

use std::{
    collections::HashMap,
    sync::mpsc::{Receiver, Sender, channel},
};

use crawl::Failure;
use pipeline::Clock;
use tokio::{runtime::Runtime, task::AbortHandle};
use tracing::error;

use crate::{
    config::ConfigError,
    role::Fetch,
    visit::{Found, Job, Visit, Visitor},
    websub::hub::{Ask, Hubs},
};

/// One waits for all hosts: two would wake each other, for a tenth more CPU a page.
const WAITING_THREADS: usize = 1;
/// Of those that read lists and local files, which takes a while.
const READING_THREADS: usize = 2;

/// The network thread. Dropped, it cuts off what is under way.
pub(crate) struct Network {
    runtime: Option<Runtime>,
    visitor: Visitor,
    hubs: Hubs,
    under_way: HashMap<u64, AbortHandle>,
    sender: Sender<Visit>,
    receiver: Receiver<Visit>,
}

impl Network {
    pub(crate) fn start(visitor: Visitor) -> Result<Self, ConfigError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(WAITING_THREADS)
            .max_blocking_threads(READING_THREADS)
            .thread_name("fetch")
            .enable_all()
            .build()?;
        let (sender, receiver) = channel();
        let hubs = Hubs::new(visitor.client.clone());
        Ok(Self { runtime: Some(runtime), visitor, hubs, under_way: HashMap::new(), sender, receiver })
    }
}

impl Fetch for Network {
    fn ask(&mut self, ask: Ask) {
        if let Some(runtime) = &self.runtime {
            runtime.spawn(self.hubs.clone().ask(ask));
        }
    }

    fn start(&mut self, job: Job) {
        let Some(runtime) = &self.runtime else { return };
        let cut_off =
            job.ended(Found::Failed(Failure::Unreadable("the fetcher panicked on it".to_owned())), 0);
        let (id, visitor) = (job.id, self.visitor.clone());
        let (sender, clock) = (self.sender.clone(), visitor.clock.clone());
        let end = End { cut_off: Some(cut_off), sender, clock };
        let visit = runtime.spawn(async move { end.told(visitor.visit(job).await) });
        self.under_way.insert(id, visit.abort_handle());
    }

    fn ended(&mut self) -> Option<Visit> {
        let visit = self.receiver.try_recv().ok()?;
        self.under_way.remove(&visit.id);
        Some(visit)
    }

    fn cancel(&mut self, id: u64) {
        if let Some(visit) = self.under_way.remove(&id) {
            visit.abort();
        }
    }
}

/// Tells how a visit ended: also that it panicked, but not that it was cancelled.
struct End {
    cut_off: Option<Visit>,
    sender: Sender<Visit>,
    clock: Clock,
}

impl End {
    fn told(mut self, visit: Visit) {
        self.cut_off = None;
        // Nobody listens when the role has ended.
        let _ = self.sender.send(visit);
    }
}

impl Drop for End {
    fn drop(&mut self) {
        if let Some(visit) = self.cut_off.take().filter(|_| std::thread::panicking()) {
            error!(domain = visit.domain, "panic in a visit");
            let _ = self.sender.send(Visit { ended_at_ms: self.clock.now_ms(), ..visit });
        }
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        panic::{AssertUnwindSafe, catch_unwind},
        sync::mpsc::TryRecvError,
    };

    use article::CanonicalUrl;

    use super::*;

    #[test]
    fn a_visit_that_panics_ends_and_one_that_is_cancelled_does_not() {
        let (sender, receiver) = channel();
        let job = Job {
            id: 7,
            partition: 0,
            domain: "harbour.example".to_owned(),
            sequence: 1,
            url: CanonicalUrl::parse("https://harbour.example/").unwrap(),
            request: wire::Request::default(),
            hops: 0,
            depth: 0,
            robots: Vec::new(),
            allowed: std::time::Duration::ZERO,
            known: crawl::Validators::default(),
            is_section: false,
        };
        let end = || End {
            cut_off: Some(job.ended(Found::Unchanged, 0)),
            sender: sender.clone(),
            clock: Clock::manual(5),
        };
        drop(end());
        assert_eq!(receiver.try_recv().unwrap_err(), TryRecvError::Empty);
        let torn = end();
        let died = catch_unwind(AssertUnwindSafe(move || {
            let _torn = torn;
            std::panic::resume_unwind(Box::new(()));
        }));
        assert!(died.is_err());
        let told = receiver.try_recv().unwrap();
        assert_eq!((told.id, told.ended_at_ms), (7, 5));
        end().told(told);
        assert_eq!((receiver.try_recv().unwrap().id, receiver.try_recv().is_err()), (7, true));
    }
}
