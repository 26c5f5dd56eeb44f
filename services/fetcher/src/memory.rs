//! The memory that answers may take up, all visits together.
//!
//! A visit reserves the longest body before it reads one, and gives back what it turned out not to need; it keeps the
//! rest until its step is committed. It never waits for room while it holds a body that another waits for: bodies are
//! reserved whole and one at a time, and who reads a list waits for those whose lists are already read. So each gets its
//! turn, however little room there is.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What a permit stands for, in bytes.
const UNIT: usize = 1024;
/// Feeds and sitemaps, or the addresses found in them, that are held at a time.
const LISTS: usize = 4;

/// What there is. Clones share it.
#[derive(Clone)]
pub(crate) struct Memory {
    bodies: Arc<Semaphore>,
    lists: Arc<Semaphore>,
}

/// A part of it, until it is dropped.
#[derive(Debug)]
pub(crate) struct Reserved {
    permit: Option<OwnedSemaphorePermit>,
    /// What of it is told as in flight.
    units: usize,
}

impl Memory {
    /// For bodies of `bytes` together.
    pub(crate) fn of(bytes: usize) -> Self {
        let bodies = Semaphore::new((bytes / UNIT).min(Semaphore::MAX_PERMITS));
        Self { bodies: Arc::new(bodies), lists: Arc::new(Semaphore::new(LISTS)) }
    }

    /// Waits until there is room for a body of `bytes`: for ever where that is more than there is at all.
    pub(crate) async fn body(&self, bytes: usize) -> Reserved {
        let units = u32::try_from(units(bytes)).unwrap_or(u32::MAX);
        let permit = self.bodies.clone().acquire_many_owned(units).await.ok();
        let units = permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits);
        metrics::FETCHER_IN_FLIGHT_BYTES.add((units * UNIT) as i64);
        Reserved { permit, units }
    }

    /// Waits until there is room for a list.
    pub(crate) async fn list(&self) -> Reserved {
        Reserved { permit: self.lists.clone().acquire_owned().await.ok(), units: 0 }
    }

    #[cfg(test)]
    pub(crate) fn free_units(&self) -> usize {
        self.bodies.available_permits()
    }
}

impl Reserved {
    /// Gives back what is not needed for a body of `bytes`.
    pub(crate) fn shrink_to(&mut self, bytes: usize) {
        let Some(permit) = &mut self.permit else { return };
        let given_back = permit.split(permit.num_permits().saturating_sub(units(bytes)));
        self.tell_given_back(given_back.map_or(0, |part| part.num_permits()));
    }

    fn tell_given_back(&mut self, units: usize) {
        let units = units.min(self.units);
        self.units -= units;
        metrics::FETCHER_IN_FLIGHT_BYTES.sub((units * UNIT) as i64);
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        self.tell_given_back(self.units);
    }
}

fn units(bytes: usize) -> usize {
    bytes.div_ceil(UNIT)
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future,
        pin::pin,
        task::{Context, Poll, Waker},
    };

    use super::*;

    fn poll<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Poll<T> {
        std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn bodies_wait_for_room() {
        let memory = Memory::of(10 * UNIT);
        let mut first = pin!(memory.body(8 * UNIT));
        let Poll::Ready(mut first) = poll(&mut first) else { panic!("there is room") };
        let mut second = pin!(memory.body(8 * UNIT));
        assert!(poll(&mut second).is_pending());
        first.shrink_to(3 * UNIT);
        assert!(poll(&mut second).is_pending());
        first.shrink_to(UNIT + 1);
        let Poll::Ready(second) = poll(&mut second) else { panic!("there is room again") };
        assert_eq!(memory.free_units(), 0);
        drop((first, second));
        assert_eq!(memory.free_units(), 10);
    }
}
