//! The decider's state as rows, in a step or in memory.

use std::collections::BTreeMap;

use bytes::Bytes;
use pipeline::{LogError, Step};
use prost::Message;
use wire::{Article, ArticleState, ClusterState, DomainState, StreamState};

/// Most articles that are remembered to have declared one original.
const MAX_DECLARING: usize = 32;

/// Rows of one partition. Reads see what was written before.
pub(crate) trait Rows {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, LogError>;
    fn put(&mut self, key: &[u8], value: Vec<u8>) -> Result<(), LogError>;
    fn delete(&mut self, key: &[u8]) -> Result<(), LogError>;
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

/// Prefix of the rows of [`ArticleState`], by article id.
pub(crate) const ARTICLES: &[u8] = b"a";
/// The one [`StreamState`].
pub(crate) const STREAM: &[u8] = b"s";

/// Articles as they arrived last, by article id.
const BODIES: &[u8] = b"b";
/// [`ClusterState`], by group id.
const GROUPS: &[u8] = b"g";
/// An article with that text, by text hash.
const TEXTS: &[u8] = b"t";
/// The article that a URL leads to, by the id of the URL, where the two differ.
const ALIASES: &[u8] = b"u";
/// Articles that declare an original: its id, then theirs.
const DECLARING: &[u8] = b"d";
/// [`DomainState`], by domain.
const DOMAINS: &[u8] = b"p";

/// What the rows mean.
pub(crate) trait Tables: Rows {
    fn article(&self, id: &str) -> Result<Option<ArticleState>, LogError> {
        self.read(&key(ARTICLES, id.as_bytes()))
    }
    fn put_article(&mut self, id: &str, state: &ArticleState) -> Result<(), LogError> {
        self.put(&key(ARTICLES, id.as_bytes()), state.encode_to_vec())
    }

    fn body(&self, id: &str) -> Result<Option<Article>, LogError> {
        self.read(&key(BODIES, id.as_bytes()))
    }
    fn put_body(&mut self, article: &Article) -> Result<(), LogError> {
        self.put(&key(BODIES, article.article_id.as_bytes()), article.encode_to_vec())
    }

    fn delete_body(&mut self, id: &str) -> Result<(), LogError> {
        self.delete(&key(BODIES, id.as_bytes()))
    }

    /// Ids of the articles decided on together; an article that is alone has no row.
    fn group(&self, group_id: &str) -> Result<Vec<String>, LogError> {
        let group: Option<ClusterState> = self.read(&key(GROUPS, group_id.as_bytes()))?;
        Ok(group.map_or_else(|| vec![group_id.to_owned()], |group| group.article_ids))
    }
    fn put_group(&mut self, group_id: &str, article_ids: Vec<String>) -> Result<(), LogError> {
        self.put(&key(GROUPS, group_id.as_bytes()), ClusterState { article_ids }.encode_to_vec())
    }
    fn delete_group(&mut self, group_id: &str) -> Result<(), LogError> {
        self.delete(&key(GROUPS, group_id.as_bytes()))
    }

    fn article_with_text(&self, text_hash: &[u8]) -> Result<Option<String>, LogError> {
        Ok(self.get(&key(TEXTS, text_hash))?.map(|id| text(&id)))
    }
    fn put_article_with_text(&mut self, text_hash: &[u8], id: &str) -> Result<(), LogError> {
        self.put(&key(TEXTS, text_hash), id.into())
    }
    fn delete_article_with_text(&mut self, text_hash: &[u8]) -> Result<(), LogError> {
        self.delete(&key(TEXTS, text_hash))
    }

    /// The article that the URL of that id leads to.
    fn resolve(&self, url_id: &str) -> Result<String, LogError> {
        Ok(self.get(&key(ALIASES, url_id.as_bytes()))?.map_or_else(|| url_id.to_owned(), |id| text(&id)))
    }
    fn put_alias(&mut self, url_id: &str, id: &str) -> Result<(), LogError> {
        self.put(&key(ALIASES, url_id.as_bytes()), id.into())
    }

    /// Ids of articles that declared this one their original.
    fn declaring(&self, original_id: &str) -> Result<Vec<String>, LogError> {
        let prefix = key(DECLARING, format!("{original_id}/").as_bytes());
        let rows = self.scan(&prefix, MAX_DECLARING)?;
        Ok(rows.iter().map(|(key, _)| text(key.get(prefix.len()..).unwrap_or_default())).collect())
    }
    fn put_declaring(&mut self, original_id: &str, id: &str) -> Result<(), LogError> {
        self.put(&key(DECLARING, format!("{original_id}/{id}").as_bytes()), Vec::new())
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

    #[doc(hidden)]
    fn read<M: Message + Default>(&self, key: &[u8]) -> Result<Option<M>, LogError> {
        self.get(key)?.map(|value| decode_state(&value)).transpose()
    }
}

impl<R: Rows> Tables for R {}

/// Reads a row's message. State that cannot be read is not bad input: the decider must not go on without it.
pub(crate) fn decode_state<M: Message + Default>(value: &[u8]) -> Result<M, LogError> {
    wire::decode(value).map_err(|cause| {
        LogError::Fatal(format!(
            "a row of the normalizer's state is unreadable: {cause}; delete the state to rebuild it"
        ))
    })
}

fn key(table: &[u8], id: &[u8]) -> Vec<u8> {
    [table, id].concat()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
