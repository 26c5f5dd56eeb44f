//! What consumers read, as a schema registry keeps it: subjects, schemas, and the frame around each record.
//!
//! A framed record is a zero byte, the schema's id (four bytes, big-endian), for Protobuf the path to the message in its
//! file, and then the record as ever. The path is a list of zigzag varints after its length; `[0]` is written as a single
//! zero. See "Wire format" in the documentation of Confluent's Schema Registry.

use crate::{DecodeError, Encoding, Topic, encoding::not_framed};

/// The first byte of a framed record, with which neither encoding begins: there is no field 0.
const MAGIC: u8 = 0;

/// A schema that is to be registered for a topic's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    /// As the registry names its kind: `PROTOBUF`, `JSON`.
    pub kind: &'static str,
    /// A `.proto` or a JSON schema.
    pub text: &'static str,
    /// Files that it imports, by the name it imports them with.
    pub imports: &'static [(&'static str, &'static str)],
}

/// The ids under which a registry knows what consumers read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SchemaIds {
    /// Of canonical's values.
    pub canonical: u32,
    /// Of the values of changes.
    pub changes: u32,
}

const CANONICAL_PROTO: &str = include_str!("../../../../proto/wireroom/v1/canonical.proto");
const ARTICLE_PROTO: &str = include_str!("../../../../proto/wireroom/v1/article.proto");

impl Schema {
    /// The schema of a public topic's values in this encoding.
    pub fn of(topic: Topic, encoding: Encoding) -> Self {
        match (encoding, topic) {
            (Encoding::Protobuf, _) => Self {
                kind: "PROTOBUF",
                text: CANONICAL_PROTO,
                imports: &[("wireroom/v1/article.proto", ARTICLE_PROTO)],
            },
            (Encoding::Json, Topic::Changes) => Self {
                kind: "JSON",
                text: include_str!("../../../../proto/change.schema.json"),
                imports: &[],
            },
            (Encoding::Json, _) => Self {
                kind: "JSON",
                text: include_str!("../../../../proto/canonical.schema.json"),
                imports: &[],
            },
        }
    }
}

impl SchemaIds {
    /// Puts the frame around a record of canonical or changes.
    pub fn frame(self, topic: Topic, encoding: Encoding, record: &[u8]) -> Vec<u8> {
        // Where the message is in canonical.proto.
        let (id, path): (u32, &[u8]) = match topic {
            Topic::Changes => (self.changes, &[2, 8]),
            _ => (self.canonical, &[0]),
        };
        let path = if encoding == Encoding::Protobuf { path } else { &[] };
        [&[MAGIC], id.to_be_bytes().as_slice(), path, record].concat()
    }
}

/// What is in the frame; a record without one as it is.
pub(crate) fn unframed(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let Some(rest) = bytes.strip_prefix(&[MAGIC]) else { return Ok(bytes) };
    let rest = rest.get(4..).ok_or_else(|| not_framed(bytes))?;
    // As the length of a path it would be negative.
    if rest.first() == Some(&b'{') {
        return Ok(rest);
    }
    path_skipped(rest).ok_or_else(|| not_framed(bytes))
}

fn path_skipped(bytes: &[u8]) -> Option<&[u8]> {
    let (length, mut rest) = varint(bytes)?;
    for _ in 0..length {
        (_, rest) = varint(rest)?;
    }
    Some(rest)
}

/// A zigzag varint that is not negative, and what follows it.
fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let end = bytes.iter().take(5).position(|byte| byte & 0x80 == 0)?;
    let (number, rest) = bytes.split_at_checked(end + 1)?;
    let zigzag = number.iter().rev().fold(0, |value, byte| value << 7 | u64::from(byte & 0x7f));
    (zigzag & 1 == 0).then_some((zigzag >> 1, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CanonicalArticle, Change};

    const IDS: SchemaIds = SchemaIds { canonical: 7, changes: 0x01_02_03_04 };

    #[test]
    fn the_frame_is_as_confluent_writes_it() {
        for (topic, encoding, start) in [
            (Topic::Canonical, Encoding::Protobuf, &[0, 0, 0, 0, 7, 0, 9][..]),
            (Topic::Changes, Encoding::Protobuf, &[0, 1, 2, 3, 4, 2, 8, 9]),
            (Topic::Canonical, Encoding::Json, &[0, 0, 0, 0, 7, 9]),
            (Topic::Changes, Encoding::Json, &[0, 1, 2, 3, 4, 9]),
        ] {
            assert_eq!(IDS.frame(topic, encoding, &[9]), start, "{topic:?} {encoding:?}");
        }
    }

    #[test]
    fn the_path_leads_to_the_message() {
        let messages: Vec<&str> = CANONICAL_PROTO
            .lines()
            .filter_map(|line| line.strip_prefix("message ")?.strip_suffix(" {"))
            .collect();
        assert_eq!(messages.first(), Some(&"CanonicalArticle"));
        // 8 is 4 in zigzag.
        assert_eq!(messages.get(4), Some(&"Change"));
    }

    #[test]
    fn every_import_is_there() {
        let imported: Vec<&str> = CANONICAL_PROTO
            .lines()
            .filter_map(|line| line.strip_prefix("import \"")?.strip_suffix("\";"))
            .collect();
        let schema = Schema::of(Topic::Canonical, Encoding::Protobuf);
        assert_eq!(imported, schema.imports.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        assert!(schema.imports.iter().all(|(_, text)| !text.contains("\nimport ")), "imports of imports");
    }

    #[test]
    fn framed_records_read_back() {
        let article = CanonicalArticle { article_id: "a".into(), version: 3, ..CanonicalArticle::default() };
        let change = Change { article_id: "a".into(), version: 3, ..Change::default() };
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            let framed = IDS.frame(Topic::Canonical, encoding, &encoding.encode(&article));
            assert_eq!(Encoding::decode_either::<CanonicalArticle>(&framed).unwrap(), article);
            let framed = IDS.frame(Topic::Changes, encoding, &encoding.encode(&change));
            assert_eq!(Encoding::decode_either::<Change>(&framed).unwrap(), change);
        }
        // What is all defaults has no bytes of its own.
        let empty = IDS.frame(Topic::Canonical, Encoding::Protobuf, &[]);
        assert_eq!(Encoding::decode_either::<CanonicalArticle>(&empty).unwrap(), CanonicalArticle::default());
    }

    #[test]
    fn a_frame_that_is_cut_is_named() {
        for cut in
            [&[0][..], &[0, 0, 0, 0], &[0, 0, 0, 0, 7], &[0, 0, 0, 0, 7, 2], &[0, 0, 0, 0, 7, 0xff, 0xff]]
        {
            let error = Encoding::decode_either::<CanonicalArticle>(cut).unwrap_err().to_string();
            assert!(error.contains("schema registry"), "{error}");
        }
    }
}
