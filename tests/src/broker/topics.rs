//! What a broker's topics hold.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedHeaders;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Message as _, Offset, TopicPartitionList};

use super::Broker;

impl Broker {
    /// How many offsets of a topic a group has not committed: what Kafka's own tools and KEDA call lag.
    ///
    /// # Panics
    /// If the broker does not answer.
    pub fn lag(&self, group: &str, topic: &str) -> i64 {
        const PATIENCE: Duration = Duration::from_secs(10);
        let consumer: BaseConsumer = self.client().set("group.id", group).create().expect("a consumer");
        let metadata = consumer.fetch_metadata(Some(topic), PATIENCE).expect("the broker answers");
        let partitions = metadata.topics()[0].partitions().len() as i32;
        let mut wanted = TopicPartitionList::new();
        wanted.add_partition_range(topic, 0, partitions - 1);
        let committed = consumer.committed_offsets(wanted, PATIENCE).expect("the broker answers");
        let lag = |partition: i32| {
            let (low, high) =
                consumer.fetch_watermarks(topic, partition, PATIENCE).expect("the broker answers");
            let offset = committed.find_partition(topic, partition).map(|found| found.offset());
            high - offset.and_then(|offset| offset.to_raw()).map_or(low, |offset| offset.max(low))
        };
        (0..partitions).map(lag).sum()
    }

    /// Writes the committed records of a topic, the first `most` of each partition, into the same partitions of another
    /// one. How many there were.
    ///
    /// # Panics
    /// If they cannot be read, or written.
    pub fn copy(&self, from: &str, to: &str, most: usize) -> usize {
        const PATIENCE: Duration = Duration::from_secs(30);
        let consumer: BaseConsumer = self
            .client()
            .set("group.id", format!("{to}.copy"))
            .set("isolation.level", "read_committed")
            .set("enable.partition.eof", "true")
            .create()
            .expect("a consumer");
        let producer: BaseProducer =
            self.client().set("message.max.bytes", "12582912").create().expect("a producer");
        let metadata = consumer.fetch_metadata(Some(from), PATIENCE).expect("the broker answers");
        let mut at_work = metadata.topics()[0].partitions().len();
        let mut left = vec![most; at_work];
        let mut wanted = TopicPartitionList::new();
        for partition in 0..at_work as i32 {
            wanted.add_partition_offset(from, partition, Offset::Beginning).expect("a partition");
        }
        consumer.assign(&wanted).expect("partitions");
        let mut copied = 0;
        while at_work > 0 {
            let message = match consumer.poll(PATIENCE).expect("the topic has an end") {
                Ok(message) => message,
                Err(KafkaError::PartitionEOF(_)) => {
                    at_work -= 1;
                    continue;
                }
                Err(cause) => panic!("{from} cannot be read: {cause}"),
            };
            match left.get_mut(message.partition() as usize) {
                Some(left) if *left > 0 => *left -= 1,
                _ => continue,
            }
            let mut record = BaseRecord::<[u8], [u8]>::to(to).partition(message.partition());
            record.key = message.key();
            record.payload = message.payload();
            record.headers = message.headers().map(BorrowedHeaders::detach);
            while let Err((cause, returned)) = producer.send(record) {
                assert_eq!(cause.rdkafka_error_code(), Some(RDKafkaErrorCode::QueueFull), "{to}: {cause}");
                producer.poll(Duration::from_millis(10));
                record = returned;
            }
            copied += 1;
        }
        producer.flush(PATIENCE).expect("the broker takes them");
        copied
    }

    /// What the topics whose names begin so take up on disk, in bytes, as they were written.
    ///
    /// # Panics
    /// On a broker that was not started here.
    pub fn stored(&self, prefix: &str) -> BTreeMap<String, u64> {
        let data = self
            .jvm
            .as_ref()
            .expect("a broker of another's keeps its files elsewhere")
            .directory
            .join("data");
        let list = |folder: &Path| {
            fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path())
        };
        let mut stored = BTreeMap::new();
        for partition in list(&data) {
            let name = partition.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Some((topic, _)) = name.rsplit_once('-').filter(|_| name.starts_with(prefix)) else {
                continue;
            };
            let segments = list(&partition).filter(|path| path.extension().is_some_and(|end| end == "log"));
            let bytes: u64 = segments.map(|path| path.metadata().map_or(0, |found| found.len())).sum();
            *stored.entry(topic.to_owned()).or_default() += bytes;
        }
        stored
    }
}
