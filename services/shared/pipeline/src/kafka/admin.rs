//! Making and checking topics.

use std::{
    collections::BTreeMap,
    thread,
    time::{Duration, Instant},
};

use futures_executor::block_on;
use rdkafka::{
    admin::{AdminClient, AdminOptions, NewTopic, ResourceSpecifier, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
    error::{KafkaError, KafkaResult},
    types::RDKafkaErrorCode,
};

use super::{
    CHANGELOG_RETENTION, MAX_RECORD_BYTES, Options, REQUEST_TIMEOUT, denied, misconfigured, unavailable,
};
use crate::LogError;

/// The largest record that a role takes in: less than its dead letter may have.
const MAX_INPUT_BYTES: usize = 10 * 1024 * 1024;

/// Whether the client library knows these settings, and takes their values. Nothing is connected to, and no file that they
/// name is read: it may be on another machine.
pub fn check_client(options: &Options) -> Result<(), LogError> {
    options.client().create_native_config().map(drop).map_err(|cause| misconfigured(&cause))
}

/// What a topic is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicSpec {
    /// Without prefix and version.
    pub name: String,
    /// How many partitions.
    pub partitions: i32,
    /// Whether the count may never change: the topic is a stateful role's input, or its changelog.
    pub is_count_fixed: bool,
    /// Broker's topic settings.
    pub config: BTreeMap<&'static str, String>,
}

impl TopicSpec {
    /// A topic whose records are deleted after so many days.
    pub fn deleted(name: impl Into<String>, partitions: i32, days: u64) -> Self {
        Self::new(name, partitions)
            .with("cleanup.policy", "delete")
            .with("retention.ms", days * 24 * 3600 * 1000)
    }

    /// Where dead letters go: with room for what was just within the limits, and its headers.
    pub fn dead_letters(name: impl Into<String>, days: u64) -> Self {
        Self::deleted(name, 1, days).with("max.message.bytes", MAX_RECORD_BYTES)
    }

    /// A topic that keeps the last record of each key.
    pub fn compacted(name: impl Into<String>, partitions: i32) -> Self {
        Self::new(name, partitions).with("cleanup.policy", "compact")
    }

    /// The changelog of a role whose input has so many partitions.
    pub fn changelog(role: &str, partitions: i32) -> Self {
        Self::compacted(format!("changelog.{role}"), partitions)
            .with("delete.retention.ms", CHANGELOG_RETENTION.as_millis())
            .with("max.message.bytes", MAX_RECORD_BYTES)
            .fixed()
    }

    /// The same, its partition count fixed for good.
    pub fn fixed(self) -> Self {
        Self { is_count_fixed: true, ..self }
    }

    fn new(name: impl Into<String>, partitions: i32) -> Self {
        let spec = Self { name: name.into(), partitions, is_count_fixed: false, config: BTreeMap::new() };
        spec.with("max.message.bytes", MAX_INPUT_BYTES)
    }

    fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.config.insert(name, value.to_string());
        self
    }
}

/// Makes the topics that are missing, with `replication` copies (-1: the brokers' default). Returns the names made.
pub fn create(options: &Options, specs: &[TopicSpec], replication: i32) -> Result<Vec<String>, LogError> {
    let admin: AdminClient<DefaultClientContext> =
        options.client().create().map_err(|e| misconfigured(&e))?;
    let names: Vec<String> = specs.iter().map(|spec| options.topic(&spec.name)).collect();
    let topics: Vec<NewTopic<'_>> = specs
        .iter()
        .zip(&names)
        .map(|(spec, name)| {
            let mut topic = NewTopic::new(name, spec.partitions, TopicReplication::Fixed(replication));
            topic.config = spec.config.iter().map(|(k, v)| (*k, v.as_str())).collect();
            topic
        })
        .collect();
    let admin_options = AdminOptions::new()
        .operation_timeout(Some(REQUEST_TIMEOUT))
        .request_timeout(Some(REQUEST_TIMEOUT * 3));
    let results = block_on(admin.create_topics(&topics, &admin_options)).map_err(|e| unavailable(&e))?;
    let mut made = Vec::new();
    for result in results {
        match result {
            Ok(name) => made.push(name),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((
                name,
                RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::ClusterAuthorizationFailed,
            )) => {
                return Err(denied(&format!("to create topic {name}")));
            }
            Err((name, cause)) => {
                return Err(LogError::Fatal(format!("topic {name} could not be made: {cause}")));
            }
        }
    }
    wait_for_leaders(options, &names)?;
    Ok(made)
}

/// A topic made a moment ago, here or by another, is known before its leaders take requests: waits until all answer.
fn wait_for_leaders(options: &Options, topics: &[String]) -> Result<(), LogError> {
    let client: BaseConsumer = options.client().create().map_err(|e| misconfigured(&e))?;
    let deadline = Instant::now() + REQUEST_TIMEOUT * 3;
    let is_led = |topic: &String| -> KafkaResult<()> {
        let metadata = client.fetch_metadata(Some(topic), REQUEST_TIMEOUT)?;
        let partitions: Vec<_> = metadata.topics().iter().flat_map(|found| found.partitions()).collect();
        for partition in &partitions {
            client.fetch_watermarks(topic, partition.id(), REQUEST_TIMEOUT)?;
        }
        let is_missing = KafkaError::MetadataFetch(RDKafkaErrorCode::UnknownTopicOrPartition);
        if partitions.is_empty() { Err(is_missing) } else { Ok(()) }
    };
    for topic in topics {
        while let Err(cause) = is_led(topic) {
            if Instant::now() > deadline {
                return Err(LogError::Unavailable(format!(
                    "topic {topic} was made and has no leader yet: {cause}"
                )));
            }
            thread::park_timeout(Duration::from_millis(50));
        }
    }
    Ok(())
}

/// What differs between the topics there are and those that should be, one sentence each; empty where all is well.
pub fn check(options: &Options, specs: &[TopicSpec]) -> Result<Vec<String>, LogError> {
    let client: BaseConsumer = options.client().create().map_err(|e| misconfigured(&e))?;
    let metadata = client.fetch_metadata(None, REQUEST_TIMEOUT).map_err(|e| unavailable(&e))?;
    let admin: AdminClient<DefaultClientContext> =
        options.client().create().map_err(|e| misconfigured(&e))?;
    let mut differences = Vec::new();
    for spec in specs {
        let name = options.topic(&spec.name);
        let Some(topic) = metadata.topics().iter().find(|t| t.name() == name) else {
            differences.push(format!("{name} is missing: make it with `wireroom topics create`"));
            continue;
        };
        let partitions = topic.partitions().len() as i32;
        if spec.is_count_fixed && partitions != spec.partitions {
            differences.push(format!(
                "{name} has {partitions} partitions and the configuration says {}: its count is fixed for good, as state \
                 is kept by partition; put the configuration back, or start anew under another prefix",
                spec.partitions
            ));
        }
        let resource = ResourceSpecifier::Topic(&name);
        let described = block_on(admin.describe_configs([&resource], &AdminOptions::new()))
            .map_err(|e| unavailable(&e))?;
        for config in described.into_iter().flatten() {
            for (key, wanted) in &spec.config {
                let found = config.get(key).and_then(|entry| entry.value.as_deref());
                if found != Some(wanted) {
                    let found = found.unwrap_or("unset");
                    differences.push(format!("{name} has {key}={found}, and {wanted} is wanted"));
                }
            }
        }
    }
    Ok(differences)
}
