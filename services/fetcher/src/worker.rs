//! The role as a process runs it.

use pipeline::{Clock, Limits};
use service::{Service, Worker};

use crate::{Config, ConfigError, ROLE, callback, questions, run};

/// The fetcher as a service.
pub const SERVICE: Service = Service { name: "fetcher", port: 9464 };

/// Requests are small, the documents that some carry are not.
const LIMITS: Limits = Limits { records: 256, bytes: 16 << 20, timers: 256 };

/// The fetcher's one role, from the sections `[fetcher]` and `[store]`, if it can start with them.
pub fn workers(config: &service::Config) -> anyhow::Result<Vec<Worker>> {
    let config = Config::of(config)?;
    config.check_start()?;
    Ok(vec![worker(config)?])
}

/// The fetcher's one role.
pub fn worker(config: Config) -> Result<Worker, ConfigError> {
    let clock = Clock::system();
    let (routes, hints) = callback(&config, &clock)?;
    let (asking, questions) = questions(config.sources.clone());
    Ok(Worker {
        role: ROLE,
        limits: LIMITS,
        routes: routes.merge(asking),
        run: Box::new(move |log, settings| Ok(run(log, &config, &clock, settings, hints, questions)?)),
    })
}
