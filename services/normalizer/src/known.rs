//! An article of the cluster that is being decided.

use bytes::Bytes;
use neardup::Sketch;
use pipeline::LogError;
use wire::{Article, ArticleState, BodyState};

use crate::{
    facts,
    packed::unpack,
    rows::{Rows, Tables},
};

/// What is known of it, its text made small, and the article itself, as far as they are kept.
#[derive(Default)]
pub(crate) struct Known {
    pub(crate) state: ArticleState,
    pub(crate) sketch: Sketch,
    /// The article as it is kept; empty where it is no longer.
    pub(crate) packed: Bytes,
    /// The article, where it is at hand.
    pub(crate) body: Option<Article>,
    /// Whether near-duplicates find its cluster by it.
    pub(crate) is_representative: bool,
    pub(crate) is_changed: bool,
    pub(crate) is_body_changed: bool,
    /// It had been withdrawn until now.
    pub(crate) is_revived: bool,
}

impl Known {
    /// What is kept of its text. What is known of it comes from another row.
    pub(crate) fn of(body: BodyState) -> Self {
        Self {
            sketch: facts::from_wire(body.sketch.unwrap_or_default()),
            packed: body.article,
            is_representative: body.is_representative,
            ..Self::default()
        }
    }

    pub(crate) fn id(&self) -> &str {
        &self.state.article_id
    }

    /// The article itself; none where it has aged.
    pub(crate) fn body(&mut self) -> Result<Option<Article>, LogError> {
        match self.body.take() {
            None if !self.packed.is_empty() => unpack(&self.packed).map(Some),
            body => Ok(body),
        }
    }

    /// Deletes its text.
    pub(crate) fn empty(&mut self) {
        (self.packed, self.body) = (Bytes::new(), None);
        self.state.is_emptied = true;
        (self.is_changed, self.is_body_changed) = (true, true);
    }

    /// Writes what has changed. Arrivals before `aged_to` have aged.
    pub(crate) fn save(self, rows: &mut impl Rows, aged_to: u64) -> Result<(), LogError> {
        if self.is_changed {
            rows.put_article(&self.state)?;
        }
        if !self.is_body_changed {
            return Ok(());
        }
        // Of one that has aged, or is emptied and had no words, nothing is left that is worth a row.
        if self.packed.is_empty() && self.sketch == Sketch::default() {
            return rows.delete_body(self.state.arrival, aged_to);
        }
        let (sketch, article) = (Some(facts::to_wire(self.sketch)), self.packed);
        let body = BodyState { sketch, article, is_representative: self.is_representative };
        rows.put_body(self.state.arrival, &body, aged_to)
    }

    pub(crate) fn is_of(&self, domain: &str) -> bool {
        self.state.publisher.as_ref().is_some_and(|publisher| publisher.domain == domain)
    }

    /// Counts a version on; `published_hash` is of the record, or `None` where it no longer has one.
    pub(crate) fn publish(&mut self, published_hash: Option<u64>) -> u64 {
        self.state.version += 1;
        self.state.is_published = published_hash.is_some();
        self.state.published_hash = published_hash.unwrap_or_default();
        self.is_changed = true;
        self.state.version
    }
}

/// The article that came as that.
pub(crate) fn recollect(rows: &impl Rows, arrival: u64) -> Result<Option<Known>, LogError> {
    let Some(state) = rows.article(arrival)? else { return Ok(None) };
    Ok(Some(Known { state, ..Known::of(rows.body(arrival)?.unwrap_or_default()) }))
}
