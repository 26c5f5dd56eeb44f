//! Visits on network threads of the fetcher's own: the role's thread never waits for them.

use std::{
    collections::HashMap,
    sync::mpsc::{Receiver, Sender, channel},
};

use crawl::Failure;
use tokio::{runtime::Runtime, task::AbortHandle};
use tracing::error;

use crate::{
    config::ConfigError,
    role::Fetch,
    visit::{Found, Job, Visit, Visitor},
    websub::hub::{Ask, Hubs},
};

/// What they do is waiting, and reading lists now and then.
const THREADS: usize = 2;

/// The network threads. Dropped, they cut off what is under way.
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
            .worker_threads(THREADS)
            .max_blocking_threads(THREADS)
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
        let visit = runtime.spawn(self.visitor.clone().visit(job));
        self.under_way.insert(cut_off.id, visit.abort_handle());
        let (sender, clock) = (self.sender.clone(), self.visitor.clock.clone());
        runtime.spawn(async move {
            let ended = match visit.await {
                Ok(ended) => ended,
                Err(death) if death.is_panic() => {
                    error!(domain = cut_off.domain, "panic in a visit");
                    Visit { ended_at_ms: clock.now_ms(), ..cut_off }
                }
                Err(_cancelled) => return,
            };
            // Nobody listens when the role has ended.
            let _ = sender.send(ended);
        });
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

impl Drop for Network {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}
