//! Topics of which the last record of each key is kept: an earlier one goes in the commit that writes a later.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use fjall::{Database, Keyspace, OwnedWriteBatch};

use super::compact;
use crate::state::read_i64;

/// What one commit writes to such topics. Within a batch a row cannot be written and removed: it is put together first.
#[derive(Default)]
pub(super) struct Compacted {
    last: HashMap<(&'static str, Bytes), i64>,
    rows: BTreeMap<(&'static str, i64), Vec<u8>>,
}

impl Compacted {
    /// A record of this key, at this offset.
    pub(super) fn put(&mut self, topic: &'static str, key: Bytes, offset: i64, row: Vec<u8>) {
        if let Some(before) = self.last.insert((topic, key), offset) {
            self.rows.remove(&(topic, before));
        }
        self.rows.insert((topic, offset), row);
    }

    /// Adds it to a batch, and takes away what was committed before of the same keys.
    pub(super) fn write(
        self,
        db: &Database,
        batch: &mut OwnedWriteBatch,
        mut rows_of: impl FnMut(&str) -> fjall::Result<Keyspace>,
    ) -> fjall::Result<()> {
        for ((topic, offset), row) in self.rows {
            batch.insert(&rows_of(topic)?, offset.to_be_bytes(), row);
        }
        for ((topic, key), offset) in self.last {
            let offsets = db.keyspace(&format!("last.{topic}"), compact)?;
            // No row may have an empty key.
            let key = [b"k", &key[..]].concat();
            if let Some(before) = offsets.get(&key)? {
                batch.remove(&rows_of(topic)?, read_i64(&before).to_be_bytes());
            }
            batch.insert(&offsets, key, offset.to_be_bytes());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Output,
        embedded::{Embedded, Options},
    };

    #[test]
    fn the_last_record_of_each_key_is_kept_through_commits_and_restarts() {
        let folder = tempfile::tempdir().unwrap();
        let open = || {
            let options = Options { compacted: &["latest"], ..Options::default() };
            Embedded::open(folder.path(), &options).unwrap()
        };
        let output = |topic, key: &'static str, value: Option<&'static str>| Output {
            topic,
            partition: None,
            key: key.into(),
            value: value.map(Into::into),
            headers: Vec::new(),
        };
        let read = |log: &Embedded, topic| -> Vec<(i64, String, Option<String>)> {
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            let records = log.read(topic, 0, 99).unwrap().into_iter();
            records.map(|r| (r.origin.offset, text(&r.key), r.value.map(|value| text(&value)))).collect()
        };
        let kept =
            |offset, key: &str, value: Option<&str>| (offset, key.to_owned(), value.map(str::to_owned));

        let log = open();
        let once = |topic| {
            vec![output(topic, "a", Some("1")), output(topic, "b", Some("1")), output(topic, "a", Some("2"))]
        };
        log.append([once("latest"), once("all")].concat()).unwrap();
        assert_eq!(read(&log, "latest"), [kept(1, "b", Some("1")), kept(2, "a", Some("2"))]);
        assert_eq!(read(&log, "all").len(), 3, "others keep everything");
        drop(log);

        let log = open();
        log.append(vec![output("latest", "a", None), output("latest", "", Some("3"))]).unwrap();
        log.append(vec![output("latest", "b", Some("2"))]).unwrap();
        let expected = [kept(3, "a", None), kept(4, "", Some("3")), kept(5, "b", Some("2"))];
        assert_eq!(read(&log, "latest"), expected);
        assert_eq!(log.end("latest").unwrap(), 6, "offsets are given once");
    }
}
