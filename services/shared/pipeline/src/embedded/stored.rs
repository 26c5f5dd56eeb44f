//! How the embedded log stores a record: a versioned Protobuf message of its own.

use bytes::Bytes;
use prost::Message;

use super::bodies::Place;
use crate::{Headers, LogError, Origin, Record};

#[derive(Clone, PartialEq, Message)]
struct StoredRecord {
    #[prost(bytes = "bytes", tag = "1")]
    key: Bytes,
    #[prost(bytes = "bytes", optional, tag = "2")]
    value: Option<Bytes>,
    #[prost(message, repeated, tag = "3")]
    headers: Vec<StoredHeader>,
    #[prost(int64, tag = "4")]
    written_at_ms: i64,
    /// In place of a value that is large.
    #[prost(message, optional, tag = "5")]
    body: Option<Place>,
}

#[derive(Clone, PartialEq, Message)]
struct StoredHeader {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// What a record has for a value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Tombstone,
    Here(Bytes),
    /// Among the bodies.
    At(Place),
}

pub(super) fn store(key: Bytes, value: Value, headers: Headers, written_at_ms: i64) -> Vec<u8> {
    let headers = headers.into_iter().map(|(name, value)| StoredHeader { name, value }).collect();
    let (value, body) = match value {
        Value::Tombstone => (None, None),
        Value::Here(value) => (Some(value), None),
        Value::At(place) => (None, Some(place)),
    };
    StoredRecord { key, value, headers, written_at_ms, body }.encode_to_vec()
}

/// Reads a stored record, whose key and value share the memory of `bytes`. A value that is among the bodies is left for
/// the caller to read.
pub(super) fn load(origin: Origin, bytes: Bytes) -> Result<(Record, Option<Place>), LogError> {
    let stored = StoredRecord::decode(bytes).map_err(|cause| {
        LogError::Fatal(format!(
            "record {} of topic {} in the data folder cannot be read: {cause}; it was written by another version of wireroom",
            origin.offset, origin.topic
        ))
    })?;
    let StoredRecord { key, value, headers, written_at_ms, body } = stored;
    let headers = headers.into_iter().map(|h| (h.name, h.value)).collect();
    Ok((Record { origin, key, value, headers, written_at_ms }, body))
}
