//! The decider's state as rows, in a step or in memory.

use std::collections::BTreeMap;

use bytes::Bytes;
use pipeline::{LogError, Step};
use prost::Message;
use wire::{ArticleState, BodyState, ClusterState, DeclaringState, DomainState, StreamState};

/// Most articles that are remembered to have declared one original.
const MAX_DECLARING: usize = 32;

/// Rows of one partition. Reads see what was written before.
pub(crate) trait Rows {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, LogError>;
    fn put(&mut self, key: &[u8], value: Vec<u8>) -> Result<(), LogError>;
    fn delete(&mut self, key: &[u8]) -> Result<(), LogError>;
    /// Up to `limit` rows whose key begins with `prefix`, in key order.
    fn scan(&self, prefix: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, LogError>;
}

/// A partition's state within a step.
pub(crate) struct StepRows<'a> {
    pub(crate) step: &'a mut Step,
    pub(crate) partition: i32,
}

impl Rows for StepRows<'_> {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, LogError> {
        self.step.get(self.partition, key)
    }
    fn put(&mut self, key: &[u8], value: Vec<u8>) -> Result<(), LogError> {
        self.step.put(self.partition, key, value)
    }
    fn delete(&mut self, key: &[u8]) -> Result<(), LogError> {
        self.step.delete(self.partition, key)
    }
    fn scan(&self, prefix: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, LogError> {
        self.step.scan(self.partition, prefix, limit)
    }
}

/// Rows that end with the process.
#[derive(Debug, Default)]
pub(crate) struct MemoryRows(BTreeMap<Vec<u8>, Bytes>);

impl Rows for MemoryRows {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, LogError> {
        Ok(self.0.get(key).cloned())
    }
    fn put(&mut self, key: &[u8], value: Vec<u8>) -> Result<(), LogError> {
        self.0.insert(key.to_vec(), value.into());
        Ok(())
    }
    fn delete(&mut self, key: &[u8]) -> Result<(), LogError> {
        self.0.remove(key);
        Ok(())
    }
    fn scan(&self, prefix: &[u8], limit: usize) -> Result<Vec<(Bytes, Bytes)>, LogError> {
        let found = self.0.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        Ok(found.take(limit).map(|(key, value)| (Bytes::copy_from_slice(key), value.clone())).collect())
    }
}

#[cfg(test)]
impl MemoryRows {
    /// All that the rows are made of.
    pub(crate) fn all(&self) -> &BTreeMap<Vec<u8>, Bytes> {
        &self.0
    }
}

/// Prefix of the rows of [`ArticleState`], by arrival: what came last stands last, and rows are dropped as they came.
pub(crate) const ARTICLES: &[u8] = b"n";
/// The one [`StreamState`].
pub(crate) const STREAM: &[u8] = b"s";
/// The stream's time now and then, with the arrival that came then.
pub(crate) const MARKS: &[u8] = b"m";

/// [`BodyState`] of articles that have not aged, by arrival.
pub(crate) const BODIES: &[u8] = b"b";
/// [`BodyState`] of those that have, as far as anything of it is kept, by arrival.
const AGED: &[u8] = b"a";
/// Tables whose rows come and go as the arrivals do: each is deleted in its turn.
pub(crate) const NUMBERED: &[u8] = b"nb";
/// [`ClusterState`], by group.
const GROUPS: &[u8] = b"g";
/// The article that a URL leads to, by the id of the URL, where the two differ.
const ALIASES: &[u8] = b"u";
/// [`DeclaringState`], by the id of the original.
pub(crate) const DECLARING: &[u8] = b"d";
/// [`DomainState`], by domain.
const DOMAINS: &[u8] = b"p";

/// What the rows mean.
pub(crate) trait Tables: Rows {
    fn article(&self, arrival: u64) -> Result<Option<ArticleState>, LogError> {
        self.read(&numbered(ARTICLES, arrival))
    }
    fn put_article(&mut self, state: &ArticleState) -> Result<(), LogError> {
        self.put(&numbered(ARTICLES, state.arrival), state.encode_to_vec())
    }
    fn delete_article(&mut self, arrival: u64) -> Result<(), LogError> {
        self.delete(&numbered(ARTICLES, arrival))
    }

    fn body(&self, arrival: u64) -> Result<Option<BodyState>, LogError> {
        match self.read(&numbered(BODIES, arrival))? {
            None => self.read(&numbered(AGED, arrival)),
            body => Ok(body),
        }
    }
    /// Arrivals before `aged_to` have aged.
    fn put_body(&mut self, arrival: u64, body: &BodyState, aged_to: u64) -> Result<(), LogError> {
        self.put(&body_key(arrival, aged_to), body.encode_to_vec())
    }
    fn delete_body(&mut self, arrival: u64, aged_to: u64) -> Result<(), LogError> {
        self.delete(&body_key(arrival, aged_to))
    }
    /// Deletes its text, and leaves the sketch.
    fn empty_body(&mut self, arrival: u64, aged_to: u64) -> Result<(), LogError> {
        match self.body(arrival)? {
            Some(body) if !body.article.is_empty() => {
                self.put_body(arrival, &BodyState { article: Bytes::new(), ..body }, aged_to)
            }
            _ => Ok(()),
        }
    }
    /// Deletes the text of an article that ages, and leaves the sketch where it is one of several.
    fn age_body(&mut self, arrival: u64, is_alone: bool) -> Result<(), LogError> {
        let key = numbered(BODIES, arrival);
        let body: Option<BodyState> = if is_alone { None } else { self.read(&key)? };
        if let Some(body) = body {
            let sketch = BodyState { article: Bytes::new(), ..body };
            self.put(&numbered(AGED, arrival), sketch.encode_to_vec())?;
        }
        self.delete(&key)
    }

    /// Arrivals of the articles decided on together; an article that is alone has no row.
    fn group(&self, group: u64) -> Result<Vec<u64>, LogError> {
        let members: Option<ClusterState> = self.read(&numbered(GROUPS, group))?;
        Ok(members.map_or_else(|| vec![group], |members| members.arrivals))
    }
    fn put_group(&mut self, group: u64, arrivals: Vec<u64>) -> Result<(), LogError> {
        self.put(&numbered(GROUPS, group), ClusterState { arrivals }.encode_to_vec())
    }
    fn delete_group(&mut self, group: u64) -> Result<(), LogError> {
        self.delete(&numbered(GROUPS, group))
    }

    /// The article that the URL of that id leads to.
    fn resolve(&self, url_id: &str) -> Result<String, LogError> {
        Ok(self.get(&id_key(ALIASES, url_id))?.map_or_else(|| url_id.to_owned(), |id| text(&id)))
    }
    fn put_alias(&mut self, url_id: &str, id: &str) -> Result<(), LogError> {
        self.put(&id_key(ALIASES, url_id), id.into())
    }
    fn delete_alias(&mut self, url_id: &str) -> Result<(), LogError> {
        self.delete(&id_key(ALIASES, url_id))
    }

    /// Ids of articles that declared this one their original.
    fn declaring(&self, original_id: &str) -> Result<Vec<String>, LogError> {
        let declaring: Option<DeclaringState> = self.read(&declaring_key(original_id))?;
        Ok(declaring.unwrap_or_default().article_ids)
    }
    /// Notes that `id` declares it, where there is room.
    fn put_declaring(&mut self, original_id: &str, id: &str) -> Result<(), LogError> {
        let mut article_ids = self.declaring(original_id)?;
        if article_ids.len() >= MAX_DECLARING || article_ids.iter().any(|known| known == id) {
            return Ok(());
        }
        article_ids.push(id.to_owned());
        let row = DeclaringState { article_ids }.encode_to_vec();
        self.put(&declaring_key(original_id), row)
    }
    fn delete_declaring(&mut self, original_id: &str, id: &str) -> Result<(), LogError> {
        let mut article_ids = self.declaring(original_id)?;
        article_ids.retain(|known| known != id);
        let key = declaring_key(original_id);
        if article_ids.is_empty() {
            return self.delete(&key);
        }
        self.put(&key, DeclaringState { article_ids }.encode_to_vec())
    }

    fn domain(&self, domain: &str) -> Result<DomainState, LogError> {
        Ok(self.read(&key(DOMAINS, domain.as_bytes()))?.unwrap_or_default())
    }
    fn put_domain(&mut self, domain: &str, state: &DomainState) -> Result<(), LogError> {
        self.put(&key(DOMAINS, domain.as_bytes()), state.encode_to_vec())
    }

    fn put_stream(&mut self, stream: &StreamState) -> Result<(), LogError> {
        self.put(STREAM, stream.encode_to_vec())
    }

    fn put_mark(&mut self, time_ms: i64, arrival: u64) -> Result<(), LogError> {
        self.put(&numbered(MARKS, time_ms.cast_unsigned()), arrival.to_be_bytes().into())
    }
    fn delete_mark(&mut self, time_ms: i64) -> Result<(), LogError> {
        self.delete(&numbered(MARKS, time_ms.cast_unsigned()))
    }

    #[doc(hidden)]
    fn read<M: Message + Default>(&self, key: &[u8]) -> Result<Option<M>, LogError> {
        self.get(key)?.map(decode_state).transpose()
    }
}

impl<R: Rows> Tables for R {}

/// Reads a row's message. State that cannot be read is not bad input: the decider must not go on without it.
pub(crate) fn decode_state<M: Message + Default>(value: Bytes) -> Result<M, LogError> {
    // Not through a slice: what is bytes in the message stays where it is.
    M::decode(value).map_err(|cause| {
        LogError::Fatal(format!(
            "a row of the normalizer's state is unreadable: {cause}; delete the state, which is then rebuilt from its changelog \
             (an embedded log has none: put its folder back as it was saved)"
        ))
    })
}

/// Eight bytes, big-endian: rows of numbers stand in their order. 0 of anything else.
pub(crate) fn number(bytes: &[u8]) -> u64 {
    bytes.try_into().map_or(0, u64::from_be_bytes)
}

/// The number in the key of a row of `table`.
pub(crate) fn number_after(table: &[u8], key: &[u8]) -> u64 {
    number(key.get(table.len()..).unwrap_or_default())
}

fn numbered(table: &[u8], number: u64) -> Vec<u8> {
    key(table, &number.to_be_bytes())
}

fn body_key(arrival: u64, aged_to: u64) -> Vec<u8> {
    numbered(if arrival < aged_to { AGED } else { BODIES }, arrival)
}

/// Where it stands who declared this one their original.
pub(crate) fn declaring_key(original_id: &str) -> Vec<u8> {
    id_key(DECLARING, original_id)
}

/// Ids are 32 hexadecimal digits, which half as many bytes say; any other has a table beside.
fn id_key(table: &[u8], id: &str) -> Vec<u8> {
    let is_hexadecimal = id.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    match u128::from_str_radix(id, 16) {
        Ok(number) if is_hexadecimal && id.len() == 32 => key(table, &number.to_be_bytes()),
        _ => key(&table.to_ascii_uppercase(), id.as_bytes()),
    }
}

fn key(table: &[u8], id: &[u8]) -> Vec<u8> {
    [table, id].concat()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_have_keys_of_their_own() {
        let hexadecimal = "0123456789abcdef0123456789abcdef";
        let others =
            [&hexadecimal.to_uppercase(), "+123456789abcdef0123456789abcdef", "0123456789abcdef", ""];
        let keys: std::collections::BTreeSet<_> =
            [hexadecimal].iter().chain(&others).map(|id| id_key(ALIASES, id)).collect();
        assert_eq!(keys.len(), 5);
        assert_eq!(id_key(ALIASES, hexadecimal).len(), 17);
        assert!(others.iter().all(|id| id_key(ALIASES, id).starts_with(b"U")));
    }
}
