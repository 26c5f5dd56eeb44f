//! The topics of the flow on Kafka.

use std::io::Write;

use anyhow::Result;
use normalizer::Languages;
use pipeline::kafka::{
    Kafka,
    admin::{TopicSpec, check, create},
};
use service::KafkaSection;
use wire::Topic;

use crate::{Outcome, cli::TopicsCommand, serve, streams::stdout};

/// Every topic, as design and configuration want it.
pub fn specs(kafka: &KafkaSection, languages: &Languages) -> Vec<TopicSpec> {
    let (partitions, deciders) = (kafka.partitions, languages.partitions());
    let mut specs = vec![
        TopicSpec::deleted(Topic::Requests.name(), partitions, 7).fixed(),
        TopicSpec::changelog("fetcher", partitions),
        TopicSpec::deleted(Topic::Pages.name(), partitions, 3),
        TopicSpec::deleted(Topic::Articles.name(), partitions, 3),
        // A partition is a total order, in which its decider sees everything.
        TopicSpec::deleted(Topic::Prepared.name(), deciders, 3).fixed(),
        TopicSpec::changelog("cluster", deciders),
        TopicSpec::compacted(Topic::Canonical.name(), partitions),
        TopicSpec::deleted(Topic::Changes.name(), partitions, 30),
    ];
    specs.extend(DEAD_LETTERS.map(|name| TopicSpec::dead_letters(name, 30)));
    specs
}

/// Those that keep the last record of each key, beside changelogs.
pub const COMPACTED: &[&str] = &["canonical"];

/// Where dead letters go.
pub const DEAD_LETTERS: [&str; 3] =
    ["deadletters.fetcher", "deadletters.extractor", "deadletters.normalizer"];

pub fn command(command: &TopicsCommand) -> Result<Outcome> {
    let (TopicsCommand::Create(args) | TopicsCommand::Check(args)) = command;
    let config = serve::load(args)?;
    let normalizer: normalizer::Config = config.section("normalizer")?;
    let specs = specs(&config.kafka, &normalizer.languages);
    // Says soon, and of which brokers, that none answers.
    let log = Kafka::open(config.kafka.visitor())?;
    let mut out = stdout();
    if let TopicsCommand::Create(_) = command {
        let made = create(log.options(), &specs, config.kafka.replication)?;
        for name in &made {
            writeln!(out, "made {name}")?;
        }
        writeln!(out, "{} made, {} were there", made.len(), specs.len() - made.len())?;
        return Ok(Outcome::Done);
    }
    let differences = check(log.options(), &specs)?;
    for difference in &differences {
        writeln!(out, "{difference}")?;
    }
    if !differences.is_empty() {
        return Ok(Outcome::SomeFailed);
    }
    writeln!(out, "all {} topics are as they should be", specs.len())?;
    Ok(Outcome::Done)
}
