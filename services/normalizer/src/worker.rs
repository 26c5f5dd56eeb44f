//! The roles as a process runs them.

use std::time::Duration;

use pipeline::{Clock, Limits};
use serde::Deserialize;
use service::{Service, Worker};
use wire::Encoding;

use crate::{CLUSTER_ROLE, Cluster, ClusterSettings, Languages, PREPARE_ROLE, Prepare, registry::Registry};

/// The normalizer as a service.
pub const SERVICE: Service = Service { name: "normalizer", port: 9466 };

/// Its role *prepare* as a service of its own.
pub const PREPARE_SERVICE: Service = Service { name: "normalizer-prepare", port: 9467 };

const LIMITS: Limits = Limits { records: 256, bytes: 16 << 20, timers: 0 };

/// Section `[normalizer]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Which roles this process runs; empty means both.
    pub role: Option<RoleName>,
    /// How canonical and changes are written: `protobuf` or `json`.
    pub encoding: Encoding,
    /// Where their schemas are registered: `[normalizer.schema_registry]`. Nowhere by default.
    pub schema_registry: Option<Registry>,
    /// Which languages have a decider of their own. None by default: one decider sees everything.
    pub languages: Languages,
    /// How long near-duplicates of an article are looked for.
    #[serde(with = "humantime_serde")]
    pub window: Duration,
    /// How long the same text, the same URL and a declared original are known again.
    #[serde(with = "humantime_serde")]
    pub memory: Duration,
    /// Whether paragraphs that a domain repeats under its articles are left out of bodies.
    pub drop_boilerplate: bool,
    /// How long a withdrawn record stands in canonical before its tombstone.
    #[serde(with = "humantime_serde")]
    pub withdrawn_for: Duration,
}

/// A role of the normalizer, as users name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleName {
    /// The stateless part.
    Prepare,
    /// The decider.
    Cluster,
}

impl Default for Config {
    fn default() -> Self {
        let ClusterSettings { encoding, schema_ids: _, window, memory, drop_boilerplate, withdrawn_for } =
            ClusterSettings::default();
        Self {
            role: None,
            encoding,
            schema_registry: None,
            languages: Languages::default(),
            window,
            memory,
            drop_boilerplate,
            withdrawn_for,
        }
    }
}

/// The roles of section `[normalizer]`.
pub fn workers(config: &service::Config) -> anyhow::Result<Vec<Worker>> {
    Ok(configured(config.section("normalizer")?, &config.kafka.prefix))
}

/// The roles of this configuration; `prefix` is the topics'.
pub fn configured(config: Config, prefix: &str) -> Vec<Worker> {
    let Config {
        role,
        encoding,
        schema_registry,
        languages,
        window,
        memory,
        drop_boilerplate,
        withdrawn_for,
    } = config;
    let mut preparing = Prepare { languages: languages.clone() };
    let prepare = Worker {
        role: PREPARE_ROLE,
        limits: LIMITS,
        routes: Default::default(),
        run: Box::new(move |log, settings| {
            preparing.languages.check(log)?;
            Ok(pipeline::run(log, &mut preparing, settings)?)
        }),
    };
    let mut settings =
        ClusterSettings { encoding, schema_ids: None, window, memory, drop_boilerplate, withdrawn_for };
    let prefix = prefix.to_owned();
    let cluster = Worker {
        role: CLUSTER_ROLE,
        limits: LIMITS,
        routes: Default::default(),
        run: Box::new(move |log, run| {
            languages.check(log)?;
            if let Some(registry) = schema_registry {
                let Some(ids) = registry.register_patiently(&prefix, encoding, run)? else { return Ok(()) };
                settings.schema_ids = Some(ids);
            }
            Ok(pipeline::run(log, &mut Cluster::new(Clock::system(), settings), run)?)
        }),
    };
    match role {
        None => vec![prepare, cluster],
        Some(RoleName::Prepare) => vec![prepare],
        Some(RoleName::Cluster) => vec![cluster],
    }
}
