//! A record: its head, and the gzip member it becomes.

use std::io::{self, Write};

use data_encoding::BASE32;
use flate2::{Compression, write::GzEncoder};
use jiff::Timestamp;
use sha1::{Digest, Sha1};
use uuid::Uuid;

/// A record of these fields and this block, being put together.
pub(super) struct Record {
    head: String,
    block: Vec<u8>,
}

impl Record {
    /// Begins one.
    pub(super) fn new(kind: &str, id: &str, at_ms: i64, content_type: &str, block: Vec<u8>) -> Self {
        let record = Self { head: "WARC/1.1\r\n".to_owned(), block };
        let digest = digest(&[&record.block]);
        record
            .field("WARC-Type", kind)
            .field("WARC-Record-ID", id)
            .field("WARC-Date", &date(at_ms))
            .field("Content-Type", content_type)
            .field("WARC-Block-Digest", &digest)
    }

    /// Adds a field. What would end its line, or is no text, becomes a space.
    pub(super) fn field(mut self, name: &str, value: &str) -> Self {
        self.head.push_str(name);
        self.head.push_str(": ");
        self.head.extend(value.chars().map(|c| if c.is_control() { ' ' } else { c }));
        self.head.push_str("\r\n");
        self
    }

    /// Writes it as a gzip member of its own. Most bodies come compressed: more than the least effort is wasted.
    pub(super) fn write(self, out: &mut Vec<u8>) -> io::Result<()> {
        let mut gzip = GzEncoder::new(out, Compression::fast());
        gzip.write_all(self.head.as_bytes())?;
        write!(gzip, "Content-Length: {}\r\n\r\n", self.block.len())?;
        gzip.write_all(&self.block)?;
        gzip.write_all(b"\r\n\r\n")?;
        gzip.finish()?;
        Ok(())
    }
}

/// A name for a record.
pub(super) fn new_id() -> String {
    format!("<urn:uuid:{}>", Uuid::new_v4())
}

/// The digest of parts, in the form that every replay tool knows.
pub(super) fn digest(parts: &[&[u8]]) -> String {
    let mut sha1 = Sha1::new();
    parts.iter().for_each(|part| sha1.update(part));
    format!("sha1:{}", BASE32.encode(&sha1.finalize()))
}

/// `WARC-Date`, to the millisecond: version 1.1 allows fractions.
pub(super) fn date(at_ms: i64) -> String {
    format!("{:.3}", Timestamp::from_millisecond(at_ms).unwrap_or_default())
}

/// Reads a `WARC-Date`, in Unix milliseconds.
pub(super) fn date_ms(text: &str) -> Option<i64> {
    text.trim().parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_and_dates_are_in_the_forms_of_the_standard() {
        assert_eq!(digest(&[]), "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ");
        assert_eq!(digest(&[b"fer", b"ry"]), digest(&[b"ferry"]));
        assert_eq!(date(1_700_000_000_007), "2023-11-14T22:13:20.007Z");
        assert_eq!(date_ms("2023-11-14T22:13:20.007Z"), Some(1_700_000_000_007));
        assert_eq!(date_ms("2023-11-14T22:13:20Z"), Some(1_700_000_000_000));
        assert_eq!(date_ms("2023"), None);
    }

    #[test]
    fn a_value_cannot_end_its_line() {
        let record = Record::new("metadata", "<urn:x>", 0, "text/plain", Vec::new());
        assert!(record.field("X", "a\r\nWARC-Type: b\u{85}").head.ends_with("X: a  WARC-Type: b \r\n"));
    }
}
