//! How the embedded log stores a record: a versioned Protobuf message of its own.

use bytes::Bytes;
use prost::Message;

use crate::{Headers, LogError, Origin, Output, Record};

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
}

#[derive(Clone, PartialEq, Message)]
struct StoredHeader {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

pub(crate) fn store(key: Bytes, value: Option<Bytes>, headers: Headers, written_at_ms: i64) -> Vec<u8> {
    let headers = headers.into_iter().map(|(name, value)| StoredHeader { name, value }).collect();
    StoredRecord { key, value, headers, written_at_ms }.encode_to_vec()
}

pub(crate) fn store_output(output: Output, written_at_ms: i64) -> Vec<u8> {
    store(output.key, output.value, output.headers, written_at_ms)
}

/// Reads a stored record; key and value share the memory of `bytes`.
pub(crate) fn load(origin: Origin, bytes: Bytes) -> Result<Record, LogError> {
    let stored = StoredRecord::decode(bytes).map_err(|cause| {
        LogError::Fatal(format!(
            "record {} of topic {} in the data folder cannot be read: {cause}; it was written by another version of wireroom",
            origin.offset, origin.topic
        ))
    })?;
    let headers = stored.headers.into_iter().map(|h| (h.name, h.value)).collect();
    Ok(Record { origin, key: stored.key, value: stored.value, headers, written_at_ms: stored.written_at_ms })
}
