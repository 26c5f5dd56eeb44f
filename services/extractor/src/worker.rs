//! The role as a process runs it.

use pipeline::Limits;
use service::{Config, Service, Worker};

use crate::{Bodies, Extractor, ROLE};

/// The extractor as a service.
pub const SERVICE: Service = Service { name: "extractor", port: 9465 };

/// A batch of pages is worked on side by side: so many, and no more bytes than that.
const LIMITS: Limits = Limits { records: 64, bytes: 16 << 20, timers: 0 };

/// The extractor's one role, from the section `[store]`.
pub fn workers(config: &Config) -> anyhow::Result<Vec<Worker>> {
    let bodies = Bodies::open(&config.section("store")?)?;
    Ok(vec![Worker {
        role: ROLE,
        limits: LIMITS,
        run: Box::new(|log, settings| Ok(pipeline::run(log, &mut Extractor::new(bodies), settings)?)),
    }])
}
