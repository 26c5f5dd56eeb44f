//! The log on Kafka: one consumer and one transactional producer a role, on the role's own thread.
//!
//! A transaction holds the records of a step, its changelog and its input positions, and is opened when all of them are
//! in memory. Input is read committed; group metadata is taken fresh for each commit, so that an owner that lost its
//! partitions unknowingly cannot commit (KIP-447). State is a local fjall keyspace a partition with a compacted
//! changelog in the same transaction: Kafka commits first, then the local copy takes the same changes. After any
//! failure, and on every assignment, the local copies are brought to the changelog's end before work goes on.

pub mod admin;
mod group;
mod reader;
mod replica;
mod role;
mod transaction;

use std::{
    collections::BTreeMap,
    fs::{File, TryLockError},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use fjall::Database;
use rdkafka::{
    ClientConfig, Message,
    consumer::{BaseConsumer, Consumer, ConsumerContext},
    error::KafkaError,
    message::{BorrowedMessage, Headers as _},
    producer::{BaseRecord, Producer, ThreadedProducer},
    types::RDKafkaErrorCode,
};

use crate::{Clock, LogError, Origin, Output, Probe, Record, Role, rows};
pub use reader::Reader;
pub use role::KafkaRole;

/// The largest record anywhere, in bytes: a page of 10 MB as a dead letter, with its headers.
pub const MAX_RECORD_BYTES: usize = 12 * 1024 * 1024;

/// How long tombstones stay in changelogs that `topics create` makes.
const CHANGELOG_RETENTION: Duration = Duration::from_secs(24 * 3600);

/// How long a single request to the brokers may take before it counts as failed.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How a log on Kafka is reached, and who this instance is.
#[derive(Clone)]
pub struct Options {
    /// `host:port`, several by comma.
    pub brokers: String,
    /// First part of every topic, group and transactional id.
    pub prefix: String,
    /// Names this instance among its like and after a restart: an earlier holder of the name is fenced.
    pub instance: String,
    /// Whether the instance's name is also its membership's (KIP-345): a quick restart then moves no partition.
    pub is_static_member: bool,
    /// Where the local copies of state and the crash notes are.
    pub data: PathBuf,
    /// An instance not heard of for so long loses its partitions.
    pub session_timeout: Duration,
    /// An open transaction not ended after so long is aborted by the brokers.
    pub transaction_timeout: Duration,
    /// A local copy not written for so long is rebuilt: the changelog's `delete.retention.ms`.
    pub changelog_retention: Duration,
    /// Further settings of the client library (security, for the most part).
    pub client: BTreeMap<String, String>,
    /// Where time comes from.
    pub clock: Clock,
    /// Told every action of every role before it is done.
    pub probe: Option<Probe>,
}

impl Options {
    /// The defaults for these brokers, this prefix, instance and folder.
    pub fn new(brokers: &str, prefix: &str, instance: &str, data: impl Into<PathBuf>) -> Self {
        Self {
            brokers: brokers.to_owned(),
            prefix: prefix.to_owned(),
            instance: instance.to_owned(),
            is_static_member: false,
            data: data.into(),
            session_timeout: Duration::from_secs(45),
            transaction_timeout: Duration::from_secs(30),
            changelog_retention: CHANGELOG_RETENTION,
            client: BTreeMap::new(),
            clock: Clock::system(),
            probe: None,
        }
    }

    /// The full name of a topic.
    pub fn topic(&self, name: &str) -> String {
        format!("{}.{name}.v1", self.prefix)
    }

    /// The consumer group of a role.
    pub fn group(&self, role: &Role) -> String {
        format!("{}.{}", self.prefix, role.name)
    }

    fn changelog(&self, role: &Role) -> String {
        self.topic(&format!("changelog.{}", role.name))
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", format!("{}-{}", self.prefix, self.instance))
            .set("topic.metadata.refresh.interval.ms", "30000")
            .set("reconnect.backoff.max.ms", "2000")
            .set("socket.keepalive.enable", "true");
        for (name, value) in &self.client {
            config.set(name, value);
        }
        config
    }

    fn consumer_config(&self, group: &str) -> ClientConfig {
        let mut config = self.client();
        config
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .set("isolation.level", "read_committed")
            .set("fetch.message.max.bytes", MAX_RECORD_BYTES.to_string())
            .set("fetch.max.bytes", (2 * MAX_RECORD_BYTES).to_string())
            .set("receive.message.max.bytes", (3 * MAX_RECORD_BYTES).to_string())
            .set("fetch.wait.max.ms", "100")
            .set("queued.max.messages.kbytes", "16384");
        config
    }

    fn producer_config(&self) -> ClientConfig {
        let mut config = self.client();
        config
            .set("message.max.bytes", MAX_RECORD_BYTES.to_string())
            .set("partitioner", "murmur2_random")
            .set("compression.type", "lz4")
            .set("enable.idempotence", "true")
            .set("linger.ms", "1");
        config
    }
}

/// A log on Kafka.
#[derive(Clone)]
pub struct Kafka(Arc<Shared>);

struct Shared {
    options: Options,
    /// Local copies of state; opened by the first role that keeps any.
    db: Mutex<Option<Database>>,
    /// Held from the first role on: two processes on one folder would be one instance.
    lock: Mutex<Option<File>>,
}

impl Kafka {
    /// Looks whether the brokers answer.
    pub fn open(options: Options) -> Result<Self, LogError> {
        let probe: BaseConsumer<Failure> =
            options.client().create_with_context(Failure::default()).map_err(|e| misconfigured(&e))?;
        probe.fetch_metadata(None, REQUEST_TIMEOUT).map_err(|cause| {
            LogError::Unavailable(format!(
                "no broker answers at {} ({}); is Kafka running there, and are the address and the credentials right?",
                options.brokers,
                Failure::of(&probe).unwrap_or(cause.to_string()),
            ))
        })?;
        Ok(Self(Arc::new(Shared { options, db: Mutex::default(), lock: Mutex::default() })))
    }

    /// Joins a role's group.
    pub fn role(&self, role: Role) -> Result<KafkaRole, LogError> {
        self.lock()?;
        KafkaRole::join(self.clone(), role)
    }

    /// Keeps other processes off the data folder.
    fn lock(&self) -> Result<(), LogError> {
        let folder = &self.0.options.data;
        let refused = |cause: &dyn std::fmt::Display| LogError::folder(folder, cause);
        let mut held = self.0.lock.lock().map_err(|cause| refused(&cause))?;
        if held.is_none() {
            std::fs::create_dir_all(folder).map_err(|cause| refused(&cause))?;
            let file = File::create(folder.join("lock")).map_err(|cause| refused(&cause))?;
            file.try_lock().map_err(|cause| match cause {
                TryLockError::WouldBlock => LogError::folder_in_use(folder),
                TryLockError::Error(cause) => refused(&cause),
            })?;
            *held = Some(file);
        }
        Ok(())
    }

    /// The local database.
    fn db(&self) -> Result<Database, LogError> {
        let folder = &self.0.options.data;
        let refused = |cause: &dyn std::fmt::Display| LogError::folder(folder, cause);
        let mut opened = self.0.db.lock().map_err(|cause| refused(&cause))?;
        if let Some(db) = &*opened {
            return Ok(db.clone());
        }
        let db = rows::database(&folder.join("state")).open().map_err(|cause| refused(&cause))?;
        Ok(opened.insert(db).clone())
    }

    /// How this log was opened.
    pub fn options(&self) -> &Options {
        &self.0.options
    }

    /// Writes records that no role's step writes: what a user submits. Returns when all are acknowledged; after an
    /// error some may be there.
    pub fn append(&self, outputs: Vec<Output>) -> Result<(), LogError> {
        let context = Outcome::default();
        let failure = context.0.clone();
        let producer: ThreadedProducer<Outcome> =
            self.0.options.producer_config().create_with_context(context).map_err(|e| misconfigured(&e))?;
        for output in &outputs {
            let topic = self.0.options.topic(output.topic);
            let mut record = to_kafka(&topic, output);
            // A full queue empties by itself: the producer's own thread sends.
            while let Err((cause, returned)) = producer.send(record) {
                if cause.rdkafka_error_code() != Some(RDKafkaErrorCode::QueueFull) {
                    return Err(unavailable(&cause));
                }
                producer.flush(Duration::from_millis(100)).ok();
                record = returned;
            }
        }
        producer.flush(REQUEST_TIMEOUT * 3).map_err(|e| unavailable(&e))?;
        match failure.lock().map(|mut failure| failure.take()) {
            Ok(Some(failure)) => Err(failure),
            _ => Ok(()),
        }
    }
}

/// Remembers why a client did not get through: what was asked of it says only that.
#[derive(Default)]
struct Failure(Mutex<Option<String>>);

impl rdkafka::ClientContext for Failure {
    fn error(&self, error: KafkaError, reason: &str) {
        let is_why = error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown);
        if let (true, Ok(mut last)) = (is_why, self.0.lock()) {
            *last = Some(reason.to_owned());
        }
    }
}

impl ConsumerContext for Failure {}

impl Failure {
    /// The last of a client that is not polled otherwise.
    fn of(client: &BaseConsumer<Self>) -> Option<String> {
        // Lines of its log come the same way, and are not told from an end.
        while client.poll(Duration::from_millis(100)).is_some() {}
        client.context().0.lock().ok()?.take()
    }
}

/// Remembers the first delivery that failed.
#[derive(Default)]
struct Outcome(Arc<Mutex<Option<LogError>>>);

impl rdkafka::ClientContext for Outcome {}

impl rdkafka::producer::ProducerContext for Outcome {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &rdkafka::producer::DeliveryResult<'_>, (): ()) {
        if let (Err((cause, record)), Ok(mut failure)) = (result, self.0.lock()) {
            failure.get_or_insert_with(|| match is_denied(cause) {
                true => denied(&format!("to write topic {}", record.topic())),
                false => {
                    LogError::Unavailable(format!("a record for {} was not taken: {cause}", record.topic()))
                }
            });
        }
    }
}

fn to_kafka<'a>(topic: &'a str, output: &'a Output) -> BaseRecord<'a, [u8], [u8]> {
    let mut headers = rdkafka::message::OwnedHeaders::new_with_capacity(output.headers.len());
    for (key, value) in &output.headers {
        headers = headers.insert(rdkafka::message::Header { key, value: Some(value) });
    }
    let mut record = BaseRecord::to(topic).key(&*output.key).headers(headers);
    record.payload = output.value.as_deref();
    record.partition = output.partition;
    record
}

fn to_record(topic: &str, message: &BorrowedMessage<'_>) -> Record {
    let headers = message.headers().map_or_else(Vec::new, |headers| {
        headers.iter().map(|h| (h.key.to_owned(), h.value.unwrap_or_default().to_vec())).collect()
    });
    Record {
        origin: Origin { topic: topic.to_owned(), partition: message.partition(), offset: message.offset() },
        key: Bytes::copy_from_slice(message.key().unwrap_or_default()),
        value: message.payload().map(Bytes::copy_from_slice),
        headers,
        written_at_ms: message.timestamp().to_millis().unwrap_or_default(),
    }
}

fn partition_count(client: &BaseConsumer, topic: &str) -> Result<usize, LogError> {
    let metadata = client.fetch_metadata(Some(topic), REQUEST_TIMEOUT).map_err(|e| unavailable(&e))?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let partitions = found.map_or(0, |found| found.partitions().len());
    let error = found.and_then(|found| found.error()).map(RDKafkaErrorCode::from);
    match error {
        None if partitions > 0 => Ok(partitions),
        Some(RDKafkaErrorCode::UnknownTopicOrPartition) => Err(LogError::Fatal(format!(
            "topic {topic} does not exist; make the topics with `wireroom topics create`"
        ))),
        Some(RDKafkaErrorCode::TopicAuthorizationFailed) => Err(denied(&format!("topic {topic}"))),
        _ => Err(LogError::Unavailable(format!("topic {topic} has no partitions yet"))),
    }
}

fn unavailable(cause: &KafkaError) -> LogError {
    LogError::Unavailable(cause.to_string())
}

/// For what the brokers allow this user not: it must be given by hand, and the process started again.
fn denied(what: &str) -> LogError {
    LogError::Fatal(format!(
        "the brokers deny this user {what}: its access control list lacks what deploy/acls.md gives for this command or service"
    ))
}

/// Whether the brokers refused a user that they know.
fn is_denied(cause: &KafkaError) -> bool {
    matches!(
        cause.rdkafka_error_code(),
        Some(
            RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::ClusterAuthorizationFailed
                | RDKafkaErrorCode::TransactionalIdAuthorizationFailed
        )
    )
}

/// The value is not told: of a password whose setting is misspelt it is the password.
fn misconfigured(cause: &KafkaError) -> LogError {
    let cause = match cause {
        KafkaError::ClientConfig(_, cause, ..) => cause.clone(),
        other => other.to_string(),
    };
    LogError::Fatal(format!("the Kafka client refuses its configuration: {cause}"))
}

/// Reads one topic without a group's offsets: the changelog, or for people.
fn assigned_reader<C: ConsumerContext + Default>(
    options: &Options,
    purpose: &str,
    isolation: &str,
) -> Result<BaseConsumer<C>, LogError> {
    let mut config = options.consumer_config(&format!("{}.{purpose}", options.prefix));
    config.set("isolation.level", isolation).set("enable.partition.eof", "true");
    config.create_with_context(C::default()).map_err(|e| misconfigured(&e))
}
