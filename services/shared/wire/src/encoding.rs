//! How records are written: Protobuf everywhere, JSON by choice for what consumers read.

use prost::Message;
use serde::{Serialize, de::DeserializeOwned};
use thiserror::Error;

use crate::schemas::unframed;

/// How canonical and changes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// The messages of `proto/`.
    #[default]
    Protobuf,
    /// JSON with the names of `proto/`.
    Json,
}

/// Bytes that are not the message they should be.
#[derive(Debug, Error)]
#[error(
    "{bytes} bytes are no {message}: {cause}; the producer speaks another version, or the topic is not wireroom's"
)]
pub struct DecodeError {
    message: &'static str,
    bytes: usize,
    cause: String,
}

impl Encoding {
    /// Writes a record.
    pub fn encode<M: Message + Serialize>(self, message: &M) -> Vec<u8> {
        match self {
            Self::Protobuf => message.encode_to_vec(),
            // Maps with string keys, strings and numbers: writing them to memory cannot fail.
            Self::Json => serde_json::to_vec(message).unwrap_or_default(),
        }
    }

    /// The `content-type` header of records so written.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Protobuf => "application/protobuf",
            Self::Json => "application/json",
        }
    }

    /// Reads a record of either encoding, in a schema registry's frame or without: a JSON object begins with `{`, a field
    /// tag no message here has, and a frame with a zero byte, which is none.
    pub fn decode_either<M: Message + Default + DeserializeOwned>(bytes: &[u8]) -> Result<M, DecodeError> {
        let bytes = unframed(bytes)?;
        if bytes.first() == Some(&b'{') { from_json(bytes) } else { decode(bytes) }
    }
}

/// Reads a Protobuf message.
pub fn decode<M: Message + Default>(bytes: &[u8]) -> Result<M, DecodeError> {
    M::decode(bytes).map_err(|cause| failed::<M>(bytes, cause.to_string()))
}

/// Reads a message from JSON.
pub fn from_json<M: DeserializeOwned>(bytes: &[u8]) -> Result<M, DecodeError> {
    serde_json::from_slice(bytes).map_err(|cause| failed::<M>(bytes, cause.to_string()))
}

/// For bytes that begin as a frame does and are none.
pub(crate) fn not_framed(bytes: &[u8]) -> DecodeError {
    DecodeError { message: "frame of a schema registry", bytes: bytes.len(), cause: "it is cut".to_owned() }
}

fn failed<M>(bytes: &[u8], cause: String) -> DecodeError {
    let message = std::any::type_name::<M>().rsplit("::").next().unwrap_or_default();
    DecodeError { message, bytes: bytes.len(), cause }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CanonicalArticle, Publisher};

    #[test]
    fn either_encoding_reads_back() {
        let article = CanonicalArticle {
            article_id: "a".into(),
            version: 3,
            publisher: Some(Publisher { name: "N".into(), domain: "n.example".into() }),
            labels: [("desk".to_owned(), "world".to_owned())].into(),
            ..CanonicalArticle::default()
        };
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            let bytes = encoding.encode(&article);
            assert_eq!(Encoding::decode_either::<CanonicalArticle>(&bytes).unwrap(), article);
        }
    }

    #[test]
    fn an_error_names_the_message() {
        let error = decode::<CanonicalArticle>(&[0xff; 5]).unwrap_err().to_string();
        assert!(error.starts_with("5 bytes are no CanonicalArticle"), "{error}");
    }
}
