//! What travels: records in, records out, dead letters.

use bytes::Bytes;

use crate::{Role, kafka::MAX_RECORD_BYTES};

/// Longest explanation that a dead letter carries.
const MAX_DETAIL_CHARS: usize = 2000;
/// Largest value of a dead letter: leaves room for key and headers.
const MAX_VALUE_BYTES: usize = MAX_RECORD_BYTES - 256 * 1024;

/// Headers of a record, in order.
pub type Headers = Vec<(String, Vec<u8>)>;

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Where it stood.
    pub origin: Origin,
    /// What must stay in order has one key.
    pub key: Bytes,
    /// `None` is a tombstone.
    pub value: Option<Bytes>,
    /// In the order written.
    pub headers: Headers,
    /// When it was written, in Unix milliseconds.
    pub written_at_ms: i64,
}

/// Where a record stood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    /// The topic's name without prefix and version.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset within it.
    pub offset: i64,
}

/// A record to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// The topic's name without prefix and version (`pages`).
    pub topic: &'static str,
    /// Which partition it goes to; `None` leaves that to the key. On the embedded log every topic has one.
    pub partition: Option<i32>,
    /// What must stay in order has one key.
    pub key: Bytes,
    /// `None` writes a tombstone.
    pub value: Option<Bytes>,
    /// In order.
    pub headers: Headers,
}

/// Names the header of a record that is without the value it had, and says how many bytes that was. It is no tombstone.
pub const VALUE_DROPPED: &str = "wireroom_value_dropped_bytes";

/// The header that says so.
pub(crate) fn value_dropped(bytes: u64) -> (String, Vec<u8>) {
    (VALUE_DROPPED.to_owned(), bytes.to_string().into_bytes())
}

/// What could not be processed, bytes unchanged, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Where it came from.
    pub origin: Origin,
    /// As it was.
    pub key: Bytes,
    /// As it was.
    pub value: Option<Bytes>,
    /// As they were.
    pub headers: Headers,
    /// One word of a bounded set: a metric's label (`http_404`, `expired`, `malformed`).
    pub reason: &'static str,
    /// For people: names the input and the cause.
    pub detail: String,
    /// How often it was tried.
    pub attempts: u32,
}

impl DeadLetter {
    /// The record itself, refused.
    pub fn of(record: &Record, reason: &'static str, detail: impl Into<String>) -> Self {
        Self {
            origin: record.origin.clone(),
            key: record.key.clone(),
            value: record.value.clone(),
            headers: record.headers.clone(),
            reason,
            detail: detail.into(),
            attempts: 1,
        }
    }

    /// The letter as a record. Bytes and headers are as they were, unless the value is larger than anything that can be
    /// written at all (it came compressed): then a header says how many bytes are missing.
    pub(crate) fn output(&self, role: &Role) -> Output {
        let mut headers = self.all_headers(role.name);
        let bytes = self.value.as_ref().map_or(0, Bytes::len);
        let value = self.value.clone().filter(|_| bytes <= MAX_VALUE_BYTES);
        if value.is_none() && bytes > 0 {
            headers.push(value_dropped(bytes as u64));
        }
        Output { topic: role.dead_letters, partition: None, key: self.key.clone(), value, headers }
    }

    /// The record's headers and, after them, what is known of the failure (Kafka Connect's names where it has them).
    fn all_headers(&self, stage: &str) -> Headers {
        let mut headers = self.headers.clone();
        let mut push = |name: &str, value: String| headers.push((name.to_owned(), value.into_bytes()));
        push("__connect.errors.topic", self.origin.topic.clone());
        push("__connect.errors.partition", self.origin.partition.to_string());
        push("__connect.errors.offset", self.origin.offset.to_string());
        push("__connect.errors.stage", stage.to_owned());
        push("__connect.errors.exception.message", self.detail.chars().take(MAX_DETAIL_CHARS).collect());
        push("wireroom_reason", self.reason.to_owned());
        push("wireroom_attempts", self.attempts.to_string());
        headers
    }

    /// How many headers a dead letter has more than its record had: a replay takes them off again.
    pub const ADDED_HEADERS: usize = 7;
}
