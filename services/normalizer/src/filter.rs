//! The normalizer as a filter.

use std::{
    collections::HashMap,
    io::{self, BufRead, Write},
};

use article::Relation;
use serde::Deserialize;
use serde_json::{Value, json};
use wire::{Article, StreamState};

use crate::{ageing::Spans, arrival::Clusters, prepare, rows::MemoryRows};

/// 2100-01-01: lines come in after everything that they may say was published.
const FIRST_SEEN_AT_MS: i64 = 4_102_444_800_000;

const NO_ARTICLE: &str = "no article as a JSON object";

/// A line of input. What is missing is empty. Canonical records are read, too, by their own names of the same.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    id: Option<Value>,
    article_id: Option<Value>,
    url: Option<String>,
    title: Option<String>,
    headline: Option<String>,
    text: Option<String>,
    body_text: Option<String>,
    published_at: Option<String>,
}

/// Reads JSON lines `{"id","url","title","text","published_at"}` and writes `{"id","cluster_id","relation"}` for each,
/// judged on its arrival by what came before: `prepare` and `cluster` in one, with a state that ends with the call and a
/// window that never closes. Each is answered before the next one is read. An article whose date is none is judged as
/// undated, and has a `warning`.
///
/// A line that is no such object is answered by `{"line","error"}`, and one that is such an answer by itself; how many
/// were is returned. Fails when reading or writing does.
pub fn filter(reader: impl BufRead, mut writer: impl Write) -> io::Result<u64> {
    let mut desk = Desk::new();
    let mut refused = 0;
    for (number, line) in (1_i64..).zip(reader.split(b'\n')) {
        let line = line?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        let answer = desk.judge(&line, number)?.unwrap_or_else(|refusal| {
            refused += 1;
            refusal
        });
        writeln!(writer, "{answer}")?;
        writer.flush()?;
    }
    Ok(refused)
}

/// A decider that forgets nothing while it lasts, and nothing lasts beyond it.
pub(crate) struct Desk {
    pub(crate) rows: MemoryRows,
    pub(crate) clusters: Clusters,
    /// Ids that are no text, by the text that stands for them: they are given back as they came.
    ids: HashMap<String, Value>,
}

impl Desk {
    pub(crate) fn new() -> Self {
        let spans = Spans { window_ms: i64::MAX, memory_ms: i64::MAX, withdrawn_ms: i64::MAX };
        Self {
            rows: MemoryRows::default(),
            clusters: Clusters::new(StreamState::default(), spans, false),
            ids: HashMap::new(),
        }
    }

    /// Decides on the article of a line: the answer to it, or to a line that is none.
    pub(crate) fn judge(&mut self, line: &[u8], number: i64) -> io::Result<Result<Value, Value>> {
        let line = match read_line(line) {
            Ok(answer) if answer.get("error").is_some_and(|error| !error.is_null()) => {
                return Ok(Err(answer));
            }
            other => other,
        };
        let article = line.and_then(|line| {
            let line = serde_json::from_value(line).map_err(|cause| format!("{NO_ARTICLE}: {cause}"))?;
            self.article(line, number)
        });
        let mut prepared = match article {
            Ok(article) => prepare(article),
            Err(cause) => return Ok(Err(json!({ "line": number, "error": cause }))),
        };
        let article = prepared.article.take().unwrap_or_default();
        let id = article.article_id.clone();
        let warning = article.warnings.iter().find(|warning| warning.starts_with("published_at")).cloned();
        let arrival = self.clusters.arrive(&mut self.rows, prepared, article).map_err(io::Error::other)?;
        let mut answer = json!({
            "id": self.as_it_came(id),
            "cluster_id": self.as_it_came(arrival.cluster_id),
            "relation": arrival.relation.map(Relation::as_str),
        });
        if let Some(warning) = warning {
            answer["warning"] = warning.into();
        }
        Ok(Ok(answer))
    }

    fn article(&mut self, line: Line, number: i64) -> Result<Article, String> {
        let article_id = match line.id.or(line.article_id) {
            Some(Value::String(id)) if !id.is_empty() => id,
            Some(id @ (Value::Number(_) | Value::Bool(_))) => {
                let text = id.to_string();
                self.ids.insert(text.clone(), id);
                text
            }
            Some(Value::Array(_) | Value::Object(_)) => {
                return Err("the \"id\" of an article is a text or a number".to_owned());
            }
            _ => return Err("no \"id\": every article needs one".to_owned()),
        };
        Ok(Article {
            article_id,
            url: line.url.unwrap_or_default(),
            headline: line.title.or(line.headline).unwrap_or_default(),
            body_text: line.text.or(line.body_text).unwrap_or_default(),
            published_at: line.published_at.unwrap_or_default(),
            seen_at_ms: FIRST_SEEN_AT_MS.saturating_add(number),
            ..Article::default()
        })
    }

    fn as_it_came(&self, id: String) -> Value {
        self.ids.get(&id).cloned().unwrap_or(Value::String(id))
    }
}

fn read_line(line: &[u8]) -> Result<Value, String> {
    if !line.trim_ascii_start().starts_with(b"{") {
        return Err(format!("{NO_ARTICLE}: it does not begin with a brace"));
    }
    serde_json::from_slice(line).map_err(|cause| format!("{NO_ARTICLE}: {cause}"))
}
