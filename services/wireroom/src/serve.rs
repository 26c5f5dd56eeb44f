//! The services, one at a time.

use anyhow::Result;
use normalizer::RoleName;
use service::{Config, serve};

use crate::{Outcome, cli::NormalizerRole};

/// Sections that some role reads.
const SECTIONS: [&str; 2] = ["fetcher", "normalizer"];

pub fn fetcher(args: &service::Args) -> Result<Outcome> {
    let config = load(args)?;
    serve(&config, fetcher::workers(&config)?)?;
    Ok(Outcome::Done)
}

pub fn extractor(args: &service::Args) -> Result<Outcome> {
    let config = load(args)?;
    serve(&config, extractor::workers(&config)?)?;
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
    serve(&config, normalizer::configured(section))?;
    Ok(Outcome::Done)
}

#[allow(clippy::print_stdout, reason = "what the command is for")]
pub fn check_config(args: &service::Args) -> Result<Outcome> {
    let config = load(args)?;
    config.section::<fetcher::Config>("fetcher")?;
    config.section::<normalizer::Config>("normalizer")?;
    println!("the configuration is well; Kafka at {}, prefix {}", config.kafka.brokers, config.kafka.prefix);
    Ok(Outcome::Done)
}

fn load(args: &service::Args) -> Result<Config> {
    let config = args.load()?;
    config.only_sections(&SECTIONS)?;
    Ok(config)
}
