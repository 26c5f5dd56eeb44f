//! A step as one Kafka transaction.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use rdkafka::{
    ClientContext, Message, TopicPartitionList,
    consumer::ConsumerGroupMetadata,
    error::{KafkaError, RDKafkaErrorCode},
    producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext},
};

use super::{Kafka, REQUEST_TIMEOUT, misconfigured, to_kafka, unavailable};
use crate::{LogError, Output, Role};

/// A transactional producer. One transaction at a time: opening one borrows it.
pub(super) struct Transactions {
    producer: BaseProducer<Deliveries>,
}

/// An open transaction; dropped without a commit it is aborted.
pub(super) struct Transaction<'a> {
    producer: &'a BaseProducer<Deliveries>,
    is_open: bool,
}

/// What became of the records: the first failure, and for changelogs the offset after the last.
#[derive(Default)]
struct Deliveries(Arc<Mutex<Report>>);

#[derive(Default)]
struct Report {
    failure: Option<String>,
    changelog_ends: BTreeMap<i32, i64>,
}

impl Transactions {
    /// Makes the producer. An earlier one of the same name is fenced, its open transaction aborted.
    pub(super) fn open(log: &Kafka, role: &Role) -> Result<Self, LogError> {
        let options = log.options();
        let mut config = options.producer_config();
        config
            .set("transactional.id", format!("{}.{}.{}", options.prefix, role.name, options.instance))
            .set("transaction.timeout.ms", options.transaction_timeout.as_millis().to_string());
        // Records must not outlive the transaction they belong to.
        config.set("message.timeout.ms", options.transaction_timeout.as_millis().to_string());
        let producer: BaseProducer<Deliveries> =
            config.create_with_context(Deliveries::default()).map_err(|e| misconfigured(&e))?;
        producer.init_transactions(REQUEST_TIMEOUT).map_err(|e| unavailable(&e))?;
        Ok(Self { producer })
    }

    /// Opens a transaction.
    pub(super) fn begin(&mut self) -> Result<Transaction<'_>, LogError> {
        if let Ok(mut report) = self.producer.context().0.lock() {
            *report = Report::default();
        }
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
        while let Err((cause, returned)) = self.producer.send(record) {
            let is_full = cause.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull);
            if !is_full || Instant::now() > deadline {
                return Err(aborted(&cause));
            }
            self.producer.poll(Duration::from_millis(10));
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
        // The client's own flush looks every 100 ms whether it is done, longer than a whole step takes.
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        while self.producer.in_flight_count() > 0 {
            if Instant::now() > deadline {
                return Err(LogError::Aborted("the brokers did not take the records in time".to_owned()));
            }
            self.producer.poll(Duration::from_millis(1));
        }
        match self.producer.context().0.lock() {
            Ok(mut report) => match report.failure.take() {
                Some(failure) => Err(LogError::Aborted(failure)),
                None => Ok(std::mem::take(&mut report.changelog_ends)),
            },
            Err(_) => Err(LogError::Fatal("a delivery report panicked".to_owned())),
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

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        let Ok(mut report) = self.0.lock() else { return };
        match result {
            Ok(message) if message.topic().contains(".changelog.") => {
                let end = report.changelog_ends.entry(message.partition()).or_default();
                *end = (*end).max(message.offset() + 1);
            }
            Ok(_) => {}
            Err((cause, message)) => {
                let topic = message.topic();
                report.failure.get_or_insert_with(|| format!("a record for {topic} was not taken: {cause}"));
            }
        }
    }
}

fn aborted(cause: &KafkaError) -> LogError {
    LogError::Aborted(cause.to_string())
}
