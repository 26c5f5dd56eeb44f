//! Reading a topic without a group: for people, and for what a run shows at its end.

use std::{
    thread,
    time::{Duration, Instant},
};

use rdkafka::{
    Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
    error::KafkaError,
};

use super::{
    Kafka, REQUEST_TIMEOUT, assigned_reader, partition_count, replica::position_of, to_record, unavailable,
};
use crate::{LogError, Record};

/// Reads all partitions of a topic, committed records only.
pub struct Reader {
    consumer: BaseConsumer,
    topic: &'static str,
    full_name: String,
    /// Where reading began in each partition (no earlier than what retention has left), and where it ended then.
    spans: Vec<(i64, i64)>,
    /// An open transaction is waited for so long.
    patience: Duration,
}

impl Kafka {
    /// Where each partition of a topic ends now.
    pub fn ends(&self, topic: &str) -> Result<Vec<i64>, LogError> {
        Ok(self.bounds(&self.options().topic(topic))?.into_iter().map(|(_, end)| end).collect())
    }

    /// Reads a topic from these offsets (the beginning where a partition has none), up to its present end or on and on.
    pub fn read(&self, topic: &'static str, from: &[i64]) -> Result<Reader, LogError> {
        let full_name = self.options().topic(topic);
        let mut spans = self.bounds(&full_name)?;
        for ((low, _), from) in spans.iter_mut().zip(from) {
            *low = from.max(low).to_owned();
        }
        let consumer: BaseConsumer = assigned_reader(self.options(), "reader", "read_committed")?;
        let mut assignment = TopicPartitionList::new();
        for (partition, (from, _)) in spans.iter().enumerate() {
            assignment
                .add_partition_offset(&full_name, partition as i32, Offset::Offset(*from))
                .map_err(|e| unavailable(&e))?;
        }
        consumer.assign(&assignment).map_err(|e| unavailable(&e))?;
        let patience = self.options().transaction_timeout * 2 + REQUEST_TIMEOUT;
        Ok(Reader { consumer, topic, full_name, spans, patience })
    }

    fn bounds(&self, full_name: &str) -> Result<Vec<(i64, i64)>, LogError> {
        let client: BaseConsumer = assigned_reader(self.options(), "bounds", "read_uncommitted")?;
        let partitions = partition_count(&client, full_name)? as i32;
        let deadline = Instant::now() + REQUEST_TIMEOUT;
        loop {
            let bounds = (0..partitions).map(|p| client.fetch_watermarks(full_name, p, REQUEST_TIMEOUT));
            match bounds.collect::<Result<_, _>>() {
                Ok(bounds) => return Ok(bounds),
                // A leader that is moving, or only just made.
                Err(_) if Instant::now() < deadline => thread::park_timeout(Duration::from_millis(50)),
                Err(cause) => return Err(unavailable(&cause)),
            }
        }
    }
}

impl Reader {
    /// The next record, if one comes within `wait`.
    pub fn next(&self, wait: Duration) -> Result<Option<Record>, LogError> {
        let deadline = Instant::now() + wait;
        loop {
            match self.consumer.poll(deadline.saturating_duration_since(Instant::now())) {
                Some(Ok(message)) => return Ok(Some(to_record(self.topic, &message))),
                Some(Err(cause @ KafkaError::MessageConsumptionFatal(_))) => return Err(unavailable(&cause)),
                // An end, or a broker that is away: the client goes on by itself.
                Some(Err(_)) if Instant::now() < deadline => {}
                None | Some(Err(_)) => return Ok(None),
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
                None if last_progress.elapsed() > self.patience => {
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
        self.spans.iter().enumerate().all(|(partition, (from, end))| {
            from >= end
                || position_of(&self.consumer, &self.full_name, partition as i32).is_some_and(|p| p >= *end)
        })
    }
}
