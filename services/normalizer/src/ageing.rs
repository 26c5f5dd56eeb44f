//! What has had its time. Time is the stream's own, and what happens to whom follows from what has arrived alone, so that
//! the same stream leaves the same rows, however it was cut into steps.
//!
//! An article leaves the near-duplicate index when the window has passed it. Then its text is dropped, and, where it is
//! alone, its sketch: it is known by its id, its URLs and the hash of its text from there on, until it is forgotten.

use std::{collections::VecDeque, time::Duration};

use pipeline::LogError;
use rustc_hash::FxHashSet;
use wire::StreamState;

use crate::{
    directory::Directory,
    rows::{Rows, Tables},
};

/// Marks in a window: it closes in steps of so small a part of it.
const MARKS_IN_WINDOW: i64 = 64;

/// Most articles that age, and that are forgotten, with one that arrives.
const AT_ONCE: u64 = 4;

/// How long articles are known, in the stream's own time from when they came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spans {
    /// For near-duplicates.
    pub(crate) window_ms: i64,
    /// For the same text and the same URL.
    pub(crate) memory_ms: i64,
    /// In canonical once they are withdrawn, from when that was said.
    pub(crate) withdrawn_ms: i64,
}

impl Spans {
    pub(crate) fn new(window: Duration, memory: Duration, withdrawn: Duration) -> Self {
        let ms = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self { window_ms: ms(window), memory_ms: ms(memory.max(window)), withdrawn_ms: ms(withdrawn) }
    }
}

/// Which arrivals came when, as far as anything hangs on it.
#[derive(Debug)]
pub(crate) struct Ageing {
    pub(crate) spans: Spans,
    /// The stream's time, and the arrival that came then, now and then.
    marks: VecDeque<(i64, u64)>,
    /// Arrivals of articles that have not aged and are not alone: of the others no row need be read to let them age.
    together: FxHashSet<u64>,
}

impl Ageing {
    pub(crate) fn new(spans: Spans) -> Self {
        Self { spans, marks: VecDeque::new(), together: FxHashSet::default() }
    }

    pub(crate) fn recall(&mut self, time_ms: i64, arrival: u64) {
        self.marks.push_back((time_ms, arrival));
    }

    /// The first arrival that is in the window.
    pub(crate) fn oldest(&self, stream: &StreamState) -> u64 {
        self.first_after(stream.time_ms.saturating_sub(self.spans.window_ms))
    }

    /// Notes that these articles are decided on together.
    pub(crate) fn keep_together(&mut self, arrivals: &[u64], stream: &StreamState) {
        self.together.extend(arrivals.iter().filter(|arrival| **arrival >= stream.aged_to));
    }

    /// Notes an arrival, and lets a few articles age that are past their time.
    pub(crate) fn advance(
        &mut self,
        rows: &mut impl Rows,
        directory: &mut Directory,
        stream: &mut StreamState,
    ) -> Result<(), LogError> {
        let is_over =
            |(last_ms, _): &(i64, u64)| stream.time_ms.saturating_sub(*last_ms) >= self.between_ms();
        if self.marks.back().is_none_or(is_over) {
            self.marks.push_back((stream.time_ms, stream.arrivals));
            rows.put_mark(stream.time_ms, stream.arrivals)?;
        }
        let oldest = self.oldest(stream);
        for arrival in stream.aged_to..oldest.min(stream.aged_to + AT_ONCE) {
            rows.age_body(arrival, !self.together.remove(&arrival))?;
            stream.aged_to = arrival + 1;
        }
        let forgotten = self.first_after(stream.time_ms.saturating_sub(self.spans.memory_ms));
        for arrival in stream.forgotten_to..forgotten.min(stream.aged_to).min(stream.forgotten_to + AT_ONCE) {
            stream.forgotten_to = arrival + 1;
            forget(rows, directory, arrival)?;
        }
        while let Some((time_ms, _)) = self.marks.front().copied()
            && self.marks.get(1).is_some_and(|(_, next)| *next <= stream.forgotten_to)
        {
            rows.delete_mark(time_ms)?;
            self.marks.pop_front();
        }
        Ok(())
    }

    /// The first arrival that may have come after `time_ms`.
    fn first_after(&self, time_ms: i64) -> u64 {
        // What a mark stands for came before the next was due.
        let over_ms = time_ms.saturating_sub(self.between_ms());
        let over = self.marks.partition_point(|(mark_ms, _)| *mark_ms <= over_ms);
        self.marks.get(over).map_or(0, |(_, arrival)| *arrival)
    }

    fn between_ms(&self) -> i64 {
        (self.spans.window_ms / MARKS_IN_WINDOW).max(1)
    }
}

fn forget(rows: &mut impl Rows, directory: &mut Directory, arrival: u64) -> Result<(), LogError> {
    directory.forget_below(arrival + 1);
    let state = rows.article(arrival)?;
    rows.delete_article(arrival)?;
    let Some(state) = state else { return Ok(()) };
    rows.delete_body(arrival, u64::MAX)?;
    directory.hand_on_text(rows, &state)?;
    for alias in &state.aliases {
        if rows.resolve(alias)? == state.article_id {
            rows.delete_alias(alias)?;
        }
    }
    if !state.declared_original_id.is_empty() {
        rows.delete_declaring(&state.declared_original_id, &state.article_id)?;
    }
    let mut group = rows.group(state.group)?;
    group.retain(|member| *member != arrival);
    match group.len() {
        0 => rows.delete_group(state.group),
        _ => rows.put_group(state.group, group),
    }
}
