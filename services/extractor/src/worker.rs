//! The role as a process runs it.

use pipeline::Limits;
use service::{Service, Worker};

use crate::{Bodies, Config, Extractor, ROLE};

/// The extractor as a service.
pub const SERVICE: Service = Service { name: "extractor", port: 9465 };

/// A batch of pages is worked on side by side: so many, and no more bytes than that.
const LIMITS: Limits = Limits { records: 64, bytes: 16 << 20, timers: 0 };

/// The extractor's one role, from the sections `[extractor]` and `[store]`.
pub fn workers(config: &service::Config) -> anyhow::Result<Vec<Worker>> {
    let section: Config = config.section("extractor")?;
    let bodies = Bodies::open(&config.section("store")?)?;
    Ok(vec![Worker {
        role: ROLE,
        limits: LIMITS,
        routes: Default::default(),
        run: Box::new(|log, settings| {
            Ok(pipeline::run(log, &mut Extractor::new(section, bodies), settings)?)
        }),
    }])
}
