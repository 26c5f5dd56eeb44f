//! Roles on threads of their own.

use std::{
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context, anyhow};
use axum::Router;
use pipeline::{AnyLog, Limits, Log, Progress, Role, Settings, Shutdown, metrics::RoleMetrics};
use trace::Tracer;
use tracing::{error, info};

type Run = Box<dyn FnOnce(&mut dyn Log, &Settings) -> anyhow::Result<()> + Send>;

/// A role and how it is run.
pub struct Worker {
    /// Which.
    pub role: Role,
    /// How much it takes at once.
    pub limits: Limits,
    /// What it serves over HTTP, beside what every process does.
    pub routes: Router,
    /// Its loop: returns when shutdown is requested, or with what it cannot go on from.
    pub run: Run,
}

/// Roles at work.
pub struct Running {
    threads: Vec<JoinHandle<()>>,
    roles: Vec<(Role, Progress)>,
    routes: Router,
    failure: Arc<Mutex<Option<anyhow::Error>>>,
}

impl Running {
    /// Takes each role's place on the log and starts its thread. A role that fails for good stops all.
    pub fn start(
        log: &AnyLog,
        workers: Vec<Worker>,
        shutdown: &Shutdown,
        tracer: &Tracer,
    ) -> anyhow::Result<Self> {
        let mut running =
            Self { threads: Vec::new(), roles: Vec::new(), routes: Router::new(), failure: Arc::default() };
        // All places before any thread: what each role was at in a crash tells of the others, too.
        let places: Vec<_> = workers
            .into_iter()
            .map(|worker| log.role(worker.role).map(|place| (worker, place)))
            .collect::<Result<_, _>>()?;
        for (Worker { role, limits, routes, run }, mut place) in places {
            let settings = Settings {
                limits,
                wait: Duration::from_millis(100),
                progress: Progress::default(),
                shutdown: shutdown.clone(),
                metrics: RoleMetrics::of(&role),
                tracer: tracer.clone(),
            };
            place.beat_in(settings.progress.clone());
            running.routes = running.routes.merge(routes);
            running.roles.push((role, settings.progress.clone()));
            let failure = running.failure.clone();
            let thread = thread::Builder::new().name(role.name.to_owned()).spawn(move || {
                // Held to the end of the thread, however it ends: a role that is gone must not look idle.
                let stop_all = StopAll(settings.shutdown.clone());
                if let Err(cause) = run(place.as_mut(), &settings) {
                    error!(role = role.name, error = format!("{cause:#}"), "role failed");
                    if let Ok(mut first) = failure.lock() {
                        first.get_or_insert(cause.context(format!("the {} cannot go on", role.name)));
                    }
                }
                drop(stop_all);
                info!(role = role.name, records = settings.progress.records(), "role ended");
            });
            running.threads.push(thread.with_context(|| format!("no thread for the {}", role.name))?);
        }
        Ok(running)
    }

    /// The roles and what they tell of themselves.
    pub fn roles(&self) -> &[(Role, Progress)] {
        &self.roles
    }

    /// What they serve over HTTP.
    pub fn routes(&self) -> Router {
        self.routes.clone()
    }

    /// Waits until all have ended. The first failure, if there was one.
    pub fn join(self) -> anyhow::Result<()> {
        let panicked = self.threads.into_iter().filter_map(|thread| thread.join().err()).count();
        let failure = self.failure.lock().ok().and_then(|mut failure| failure.take());
        match failure {
            Some(failure) => Err(failure),
            None if panicked > 0 => Err(anyhow!("{panicked} roles panicked; the log says where")),
            None => Ok(()),
        }
    }
}

struct StopAll(Shutdown);

impl Drop for StopAll {
    fn drop(&mut self) {
        self.0.request();
    }
}
