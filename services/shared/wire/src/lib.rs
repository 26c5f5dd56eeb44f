//! The messages of `proto/`, and where they travel: topics, keys, headers, encodings.

mod body;
mod encoding;
mod headers;
mod request;
mod schemas;
mod topics;

pub use body::{InflateError, inflate, inflate_start, is_known_encoding};
pub use encoding::{DecodeError, Encoding, decode, from_json};
pub use headers::{Headers, TRACEPARENT, header, headers};
pub use schemas::{Schema, SchemaIds};
pub use topics::{Topic, page_key};
pub use v1::*;

mod v1 {
    #![allow(missing_docs, reason = "generated from proto/, which carries the documentation")]
    include!(concat!(env!("OUT_DIR"), "/wireroom.v1.rs"));
}
