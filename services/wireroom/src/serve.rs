//! The services, one at a time.

use std::io::Write;

use anyhow::Result;
use normalizer::RoleName;
use service::{Config, ConfigError, KafkaSection, Worker, serve};
use trace::Tracer;

use crate::{Outcome, cli::NormalizerRole, streams::stdout};

/// Sections that some role reads.
const SECTIONS: [&str; 4] = ["fetcher", "extractor", "normalizer", "store"];

pub fn fetcher(args: &service::Args) -> Result<Outcome> {
    let config = load(args)?;
    serve(fetcher::SERVICE, &config, fetcher::workers(&config)?)?;
    Ok(Outcome::Done)
}

pub fn extractor(args: &service::Args) -> Result<Outcome> {
    let config = load(args)?;
    serve(extractor::SERVICE, &config, extractors(&config)?)?;
    Ok(Outcome::Done)
}

pub fn normalizer(args: &service::Args, role: Option<NormalizerRole>) -> Result<Outcome> {
    let config = load(args)?;
    let mut section: normalizer::Config = config.section("normalizer")?;
    if let Some(role) = role {
        section.role = Some(match role {
            NormalizerRole::Prepare => RoleName::Prepare,
            NormalizerRole::Cluster => RoleName::Cluster,
        });
    }
    let service = match section.role {
        Some(RoleName::Prepare) => normalizer::PREPARE_SERVICE,
        _ => normalizer::SERVICE,
    };
    serve(service, &config, normalizer::configured(section, &config.kafka.prefix))?;
    Ok(Outcome::Done)
}

pub fn check_config(args: &service::Args) -> Result<Outcome> {
    let config = load(args)?;
    fetcher::Config::of(&config)?.check()?;
    extractors(&config)?;
    config.section::<normalizer::Config>("normalizer")?;
    Tracer::start(&config.tracing, "check-config")?;
    let KafkaSection { brokers, prefix, .. } = &config.kafka;
    writeln!(stdout(), "the configuration is well; Kafka at {brokers}, prefix {prefix}")?;
    Ok(Outcome::Done)
}

fn extractors(config: &Config) -> Result<Vec<Worker>, ConfigError> {
    extractor::workers(config).map_err(ConfigError::Refused)
}

/// The configuration of a service, refused where a section has no reader, or the Kafka client would not have it.
pub fn load(args: &service::Args) -> Result<Config> {
    known(args.load()?)
}

/// A configuration all of whose sections some role reads.
pub fn known(config: Config) -> Result<Config> {
    config.only_sections(&SECTIONS)?;
    Ok(config)
}
