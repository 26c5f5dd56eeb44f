//! The normalizer as a filter.

use std::io::{self, BufRead, Write};

use article::Relation;
use serde::Deserialize;
use wire::{Article, StreamState};

use crate::{
    ageing::Spans,
    arrival::{Arrival, Clusters},
    prepare,
    rows::MemoryRows,
};

/// 2100-01-01: lines come in after everything that they may say was published.
const FIRST_SEEN_AT_MS: i64 = 4_102_444_800_000;

/// A line of input. What is missing is empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    id: String,
    url: Option<String>,
    title: Option<String>,
    text: Option<String>,
    published_at: Option<String>,
}

/// Reads JSON lines `{"id","url","title","text","published_at"}` and writes `{"id","cluster_id","relation"}` for each,
/// judged on its arrival by what came before: `prepare` and `cluster` in one, with a state that ends with the call and a
/// window that never closes.
///
/// A line that is no such object is answered by `{"line","error"}`; how many were is returned. Fails when reading or
/// writing does.
pub fn filter(reader: impl BufRead, mut writer: impl Write) -> io::Result<u64> {
    let mut desk = Desk::new();
    let mut refused = 0;
    for (number, line) in (1_i64..).zip(reader.split(b'\n')) {
        let line = line?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer = match desk.judge(&line, number)? {
            Ok((id, arrival)) => serde_json::json!({
                "id": id,
                "cluster_id": arrival.cluster_id,
                "relation": arrival.relation.map(Relation::as_str),
            }),
            Err(cause) => {
                refused += 1;
                serde_json::json!({"line": number, "error": cause})
            }
        };
        writeln!(writer, "{answer}")?;
    }
    writer.flush()?;
    Ok(refused)
}

/// A decider that forgets nothing while it lasts, and nothing lasts beyond it.
pub(crate) struct Desk {
    pub(crate) rows: MemoryRows,
    pub(crate) clusters: Clusters,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let spans = Spans { window_ms: i64::MAX, memory_ms: i64::MAX, withdrawn_ms: i64::MAX };
        Self { rows: MemoryRows::default(), clusters: Clusters::new(StreamState::default(), spans, false) }
    }

    /// Decides on the article of a line: its id and what it brought about, or why it is none.
    pub(crate) fn judge(
        &mut self,
        line: &[u8],
        number: i64,
    ) -> io::Result<Result<(String, Arrival), String>> {
        let line = match read_line(line) {
            Ok(line) => line,
            Err(cause) => return Ok(Err(cause)),
        };
        let mut prepared = prepare(article(line, number));
        let article = prepared.article.take().unwrap_or_default();
        let id = article.article_id.clone();
        let arrival = self.clusters.arrive(&mut self.rows, prepared, article).map_err(io::Error::other)?;
        Ok(Ok((id, arrival)))
    }
}

fn read_line(line: &[u8]) -> Result<Line, String> {
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err("no article as a JSON object: it does not begin with a brace".to_owned());
    }
    match serde_json::from_slice::<Line>(line) {
        Ok(line) if line.id.is_empty() => Err("no \"id\": every article needs one".to_owned()),
        Ok(line) => Ok(line),
        Err(cause) => Err(format!("no article as a JSON object: {cause}")),
    }
}

fn article(line: Line, number: i64) -> Article {
    Article {
        article_id: line.id,
        url: line.url.unwrap_or_default(),
        headline: line.title.unwrap_or_default(),
        body_text: line.text.unwrap_or_default(),
        published_at: line.published_at.unwrap_or_default(),
        seen_at_ms: FIRST_SEEN_AT_MS.saturating_add(number),
        ..Article::default()
    }
}
