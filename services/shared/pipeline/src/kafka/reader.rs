//! Reading a topic without a group: for people, and for what a run shows at its end.

use std::time::{Duration, Instant};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};

use super::{
    Kafka, REQUEST_TIMEOUT, assigned_reader,
    replica::position_of,
    role::{partition_count, to_record},
    unavailable,
};
use crate::{LogError, Record};

/// Reads all partitions of a topic, committed records only.
pub struct Reader {
    consumer: BaseConsumer,
    topic: &'static str,
    full_name: String,
    ends: Vec<i64>,
}

impl Kafka {
    /// Where each partition of a topic ends now.
    pub fn ends(&self, topic: &str) -> Result<Vec<i64>, LogError> {
        let bounds: BaseConsumer = assigned_reader(self.options(), "bounds", "read_uncommitted")?;
        let full_name = self.options().topic(topic);
        let partitions = partition_count(&bounds, &full_name)?;
        (0..partitions as i32)
            .map(|p| {
                bounds
                    .fetch_watermarks(&full_name, p, REQUEST_TIMEOUT)
                    .map(|(_, end)| end)
                    .map_err(|e| unavailable(&e))
            })
            .collect()
    }

    /// Reads a topic from these offsets (0 where a partition has none), up to its present end or on and on.
    pub fn read(&self, topic: &'static str, from: &[i64]) -> Result<Reader, LogError> {
        let ends = self.ends(topic)?;
        let full_name = self.options().topic(topic);
        let consumer: BaseConsumer = assigned_reader(self.options(), "reader", "read_committed")?;
        let mut assignment = TopicPartitionList::new();
        for partition in 0..ends.len() {
            let offset = from.get(partition).map_or(Offset::Beginning, |offset| Offset::Offset(*offset));
            assignment
                .add_partition_offset(&full_name, partition as i32, offset)
                .map_err(|e| unavailable(&e))?;
        }
        consumer.assign(&assignment).map_err(|e| unavailable(&e))?;
        Ok(Reader { consumer, topic, full_name, ends })
    }
}

impl Reader {
    /// The next record, if one comes within `wait`.
    pub fn next(&self, wait: Duration) -> Result<Option<Record>, LogError> {
        let deadline = Instant::now() + wait;
        loop {
            match self.consumer.poll(deadline.saturating_duration_since(Instant::now())) {
                Some(Ok(message)) => return Ok(Some(to_record(self.topic, &message))),
                Some(Err(KafkaError::PartitionEOF(_))) if Instant::now() < deadline => {}
                None | Some(Err(KafkaError::PartitionEOF(_))) => return Ok(None),
                Some(Err(cause)) => return Err(unavailable(&cause)),
            }
        }
    }

    /// Everything up to where the topic ended when reading began.
    pub fn to_end(&self) -> Result<Vec<Record>, LogError> {
        let mut records = Vec::new();
        let mut last_progress = Instant::now();
        loop {
            match self.next(Duration::from_millis(50))? {
                Some(record) => {
                    records.push(record);
                    last_progress = Instant::now();
                }
                None if self.is_past_end() => return Ok(records),
                None if last_progress.elapsed() > REQUEST_TIMEOUT * 3 => {
                    return Err(LogError::Unavailable(format!(
                        "{} cannot be read to its end",
                        self.full_name
                    )));
                }
                None => {}
            }
        }
    }

    /// Whether everything up to where the topic ended when reading began has been given out.
    pub fn is_past_end(&self) -> bool {
        let is_past = |(partition, end): (usize, &i64)| {
            *end == 0
                || position_of(&self.consumer, &self.full_name, partition as i32).is_some_and(|p| p >= *end)
        };
        self.ends.iter().enumerate().all(is_past)
    }
}
