//! Bodies that do not travel in their records.

use anyhow::Context;
use archive::{Store, StoreError, StoreSettings};
use bytes::Bytes;
use tokio::runtime::{Builder, Runtime};

/// The store of bodies, and the thread that asks it.
#[derive(Debug)]
pub struct Bodies {
    store: Store,
    runtime: Runtime,
}

impl Bodies {
    /// The store that is configured, if one is.
    pub fn open(settings: &StoreSettings) -> anyhow::Result<Option<Self>> {
        let Some(location) = &settings.location else { return Ok(None) };
        let store = Store::open(location)?;
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("bodies").enable_all().build();
        Ok(Some(Self { store, runtime: runtime.context("no thread for the store of bodies")? }))
    }

    /// The body of this key, if it has at most `cap` bytes. Waits for it.
    pub(crate) fn get(&self, key: &str, cap: usize) -> Result<Bytes, StoreError> {
        self.runtime.block_on(self.store.get(key, cap))
    }
}
