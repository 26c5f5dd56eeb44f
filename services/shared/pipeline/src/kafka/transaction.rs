//! A step as one Kafka transaction.

use std::{
    collections::BTreeMap,
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext, Message, TopicPartitionList,
    consumer::ConsumerGroupMetadata,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer},
};

use super::{Kafka, REQUEST_TIMEOUT, denied, is_denied, misconfigured, to_kafka, unavailable};
use crate::{LogError, Output, Role};

/// A transactional producer. One transaction at a time: opening one borrows it.
pub(super) struct Transactions {
    producer: ThreadedProducer<Deliveries>,
}

/// An open transaction; dropped without a commit it is aborted.
pub(super) struct Transaction<'a> {
    producer: &'a ThreadedProducer<Deliveries>,
    is_open: bool,
}

/// Told by the producer's own thread what became of each record.
struct Deliveries {
    changelog: String,
    report: Mutex<Report>,
    changed: Condvar,
}

/// How many records are on their way, the first failure and its topic, and for changelogs the offset after the last record.
#[derive(Default)]
struct Report {
    on_their_way: usize,
    failure: Option<LogError>,
    failed: Option<String>,
    changelog_ends: BTreeMap<i32, i64>,
}

impl Transactions {
    /// Makes the producer. An earlier one of the same name is fenced, its open transaction aborted.
    pub(super) fn open(log: &Kafka, role: &Role) -> Result<Self, LogError> {
        let options = log.options();
        let mut config = options.producer_config();
        let id = format!("{}.{}.{}", options.prefix, role.name, options.instance);
        config
            .set("transactional.id", &id)
            .set("transaction.timeout.ms", options.transaction_timeout.as_millis().to_string());
        // Records must not outlive the transaction they belong to.
        config.set("message.timeout.ms", options.transaction_timeout.as_millis().to_string());
        let producer: ThreadedProducer<Deliveries> = config
            .create_with_context(Deliveries::new(options.changelog(role)))
            .map_err(|e| misconfigured(&e))?;
        producer.init_transactions(REQUEST_TIMEOUT).map_err(|cause| {
            if is_denied(&cause) {
                denied(&format!("the transactional id {id}"))
            } else {
                unavailable(&cause)
            }
        })?;
        Ok(Self { producer })
    }

    /// Opens a transaction.
    pub(super) fn begin(&mut self) -> Result<Transaction<'_>, LogError> {
        *self.producer.context().report() = Report::default();
        self.producer.begin_transaction().map_err(|e| aborted(&e))?;
        Ok(Transaction { producer: &self.producer, is_open: true })
    }
}

impl Transaction<'_> {
    /// Writes a record.
    pub(super) fn send(&mut self, topic: &str, output: &Output) -> Result<(), LogError> {
        self.send_record(to_kafka(topic, output))
    }

    /// Writes a state change.
    pub(super) fn send_change(
        &mut self,
        changelog: &str,
        partition: i32,
        key: &[u8],
        value: Option<&[u8]>,
    ) -> Result<(), LogError> {
        let mut record = BaseRecord::to(changelog).partition(partition).key(key);
        record.payload = value;
        self.send_record(record)
    }

    fn send_record(&mut self, mut record: BaseRecord<'_, [u8], [u8]>) -> Result<(), LogError> {
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        let deliveries = self.producer.context();
        deliveries.report().on_their_way += 1;
        while let Err((cause, returned)) = self.producer.send(record) {
            let is_full = cause.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
            if !is_full || Instant::now() > deadline {
                // The first record that is not taken ends the transaction for those after it.
                let failure = deliveries.report().failure.take();
                return Err(self.why(failure.unwrap_or_else(|| aborted(&cause))));
            }
            deliveries.wait(Duration::from_millis(10));
            record = returned;
        }
        Ok(())
    }

    /// Adds the group's input positions; refused where the group has moved on without this member.
    pub(super) fn send_offsets(
        &mut self,
        offsets: &TopicPartitionList,
        group: &ConsumerGroupMetadata,
    ) -> Result<(), LogError> {
        self.producer.send_offsets_to_transaction(offsets, group, REQUEST_TIMEOUT).map_err(|e| aborted(&e))
    }

    /// Waits until every record is with the brokers; the offset after the last change, by changelog partition.
    pub(super) fn flush(&mut self) -> Result<BTreeMap<i32, i64>, LogError> {
        let deliveries = self.producer.context();
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        loop {
            let mut report = deliveries.report();
            if let Some(failure) = report.failure.take() {
                drop(report);
                return Err(self.why(failure));
            }
            if report.on_their_way == 0 {
                return Ok(std::mem::take(&mut report.changelog_ends));
            }
            drop(report);
            if Instant::now() > deadline {
                return Err(LogError::Aborted("the brokers did not take the records in time".to_owned()));
            }
            deliveries.wait(Duration::from_millis(100));
        }
    }

    /// Why records were not taken. A transaction that fails, as one may not write some topic, takes down those that wait,
    /// which then say only that. Asked for another one, which it never gives while one is open, the producer tells.
    fn why(&self, failure: LogError) -> LogError {
        if !matches!(failure, LogError::Aborted(_)) {
            return failure;
        }
        match self.producer.begin_transaction() {
            Err(cause) if is_denied(&cause) => {
                let topic = self.producer.context().report().failed.take().unwrap_or_default();
                denied(&format!("to write topic {topic}, or another of its transaction"))
            }
            _ => failure,
        }
    }

    /// Commits. An error may leave it unknown whether it happened: whoever goes on must look at what was committed.
    pub(super) fn commit(mut self) -> Result<(), LogError> {
        let mut result = self.producer.commit_transaction(REQUEST_TIMEOUT);
        if let Err(KafkaError::Transaction(cause)) = &result
            && cause.is_retriable()
        {
            result = self.producer.commit_transaction(REQUEST_TIMEOUT);
        }
        self.is_open = result.is_err();
        result.map_err(|e| aborted(&e))
    }
}

impl Drop for Transaction<'_> {
    fn drop(&mut self) {
        if self.is_open {
            // Where this fails too, the producer is replaced, and its successor aborts what is open.
            let _ = self.producer.abort_transaction(REQUEST_TIMEOUT);
        }
    }
}

impl Deliveries {
    fn new(changelog: String) -> Self {
        Self { changelog, report: Mutex::default(), changed: Condvar::new() }
    }

    fn report(&self) -> MutexGuard<'_, Report> {
        self.report.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next delivery, or so long, while any record is on its way.
    fn wait(&self, longest: Duration) {
        let report = self.report();
        let before = report.on_their_way;
        drop(
            self.changed
                .wait_timeout_while(report, longest, |report| report.on_their_way == before && before > 0),
        );
    }
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let mut report = self.report();
        report.on_their_way = report.on_their_way.saturating_sub(1);
        match result {
            Ok(message) if message.topic() == self.changelog => {
                let end = report.changelog_ends.entry(message.partition()).or_default();
                *end = (*end).max(message.offset() + 1);
            }
            Ok(_) => {}
            Err((cause, message)) => {
                let topic = message.topic();
                report.failed.get_or_insert_with(|| topic.to_owned());
                report.failure.get_or_insert_with(|| match is_denied(cause) {
                    true => denied(&format!("to write topic {topic}")),
                    false => LogError::Aborted(format!("a record for {topic} was not taken: {cause}")),
                });
            }
        }
        drop(report);
        self.changed.notify_all();
    }
}

fn aborted(cause: &KafkaError) -> LogError {
    if is_denied(cause) {
        return denied(&format!("a transaction ({cause})"));
    }
    LogError::Aborted(cause.to_string())
}
