//! The one source of time.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

/// The wall clock, or one that a test moves.
#[derive(Debug, Clone, Default)]
pub struct Clock(Option<Arc<AtomicI64>>);

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(None)
    }

    /// A clock that stands at `now_ms` until it is moved; its clones move with it.
    pub fn manual(now_ms: i64) -> Self {
        Self(Some(Arc::new(AtomicI64::new(now_ms))))
    }

    /// Unix milliseconds.
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Some(manual) => manual.load(Ordering::SeqCst),
            None => jiff::Timestamp::now().as_millisecond(),
        }
    }

    /// Moves a manual clock forward; the machine's own stays as it is.
    pub fn advance(&self, by_ms: i64) {
        if let Some(manual) = &self.0 {
            manual.fetch_add(by_ms, Ordering::SeqCst);
        }
    }
}
