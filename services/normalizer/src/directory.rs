//! Where the articles known stand, by id and by text: in memory, derived from their rows.

use neardup::Postings;
use pipeline::LogError;
use wire::ArticleState;
use xxhash_rust::xxh3::xxh3_64;

use crate::rows::{Rows, Tables};

/// Arrivals by short hashes of what they are found by; whether it is the one, its row tells.
#[derive(Debug, Default)]
pub(crate) struct Directory(Postings);

impl Directory {
    /// Takes up an article.
    pub(crate) fn add(&mut self, state: &ArticleState) {
        self.0.insert(id_key(&state.article_id), state.arrival);
        if state.is_found_by_text {
            self.add_text(state);
        }
    }

    /// Takes out all that arrived before.
    pub(crate) fn forget_below(&mut self, arrival: u64) {
        self.0.expire(arrival);
    }

    /// The article with that id.
    pub(crate) fn by_id(&self, rows: &impl Rows, id: &str) -> Result<Option<ArticleState>, LogError> {
        self.find(rows, id_key(id), |state| state.article_id == id)
    }

    /// The article by which others with that text are found.
    pub(crate) fn by_text(
        &self,
        rows: &impl Rows,
        text_hash: &[u8],
    ) -> Result<Option<ArticleState>, LogError> {
        self.find(rows, text_key(text_hash), |state| state.is_found_by_text && state.text_hash == text_hash)
    }

    /// From now on others with its text are found by this article.
    pub(crate) fn add_text(&mut self, state: &ArticleState) {
        self.0.insert(text_key(&state.text_hash), state.arrival);
    }

    /// An article no longer has that text: where it was found by it, another of its group that has it is from now on.
    pub(crate) fn hand_on_text(
        &mut self,
        rows: &mut impl Rows,
        before: &ArticleState,
    ) -> Result<(), LogError> {
        if !before.is_found_by_text {
            return Ok(());
        }
        self.0.remove(text_key(&before.text_hash), before.arrival);
        for member in rows.group(before.group)?.into_iter().filter(|member| *member != before.arrival) {
            if let Some(state) = rows.article(member)?.filter(|state| state.text_hash == before.text_hash) {
                let state = ArticleState { is_found_by_text: true, ..state };
                self.add_text(&state);
                return rows.put_article(&state);
            }
        }
        Ok(())
    }

    fn find(
        &self,
        rows: &impl Rows,
        key: u32,
        is_it: impl Fn(&ArticleState) -> bool,
    ) -> Result<Option<ArticleState>, LogError> {
        for arrival in self.0.of(key) {
            if let Some(state) = rows.article(arrival)?.filter(&is_it) {
                return Ok(Some(state));
            }
        }
        Ok(None)
    }
}

fn id_key(id: &str) -> u32 {
    xxh3_64(id.as_bytes()) as u32
}

/// It is a hash as it is.
fn text_key(text_hash: &[u8]) -> u32 {
    text_hash.first_chunk().map_or(0, |first| u32::from_be_bytes(*first))
}
