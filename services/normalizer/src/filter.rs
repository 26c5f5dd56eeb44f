//! The normalizer as a filter.

use std::io::{self, BufRead, Write};

use serde::Deserialize;
use wire::{Article, StreamState};

use crate::{arrival::Clusters, prepare, rows::MemoryRows};

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
/// A line that is no such object is answered by `{"line","error"}`. Fails when reading or writing does.
pub fn filter(reader: impl BufRead, mut writer: impl Write) -> io::Result<()> {
    let mut rows = MemoryRows::default();
    let mut clusters = Clusters::new(StreamState::default(), i64::MAX);
    for (number, line) in (1_i64..).zip(reader.lines()) {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let answer = match serde_json::from_str::<Line>(&line) {
            Ok(line) if !line.id.is_empty() => {
                let mut prepared = prepare(article(line, number));
                let article = prepared.article.take().unwrap_or_default();
                let arrival = clusters.arrive(&mut rows, &prepared, &article).map_err(io::Error::other)?;
                serde_json::json!({
                    "id": article.article_id,
                    "cluster_id": arrival.cluster_id,
                    "relation": arrival.relation.as_str(),
                })
            }
            Ok(_) => serde_json::json!({"line": number, "error": "no \"id\": every article needs one"}),
            Err(cause) => {
                serde_json::json!({"line": number, "error": format!("no article as a JSON object: {cause}")})
            }
        };
        writeln!(writer, "{answer}")?;
    }
    writer.flush()
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
