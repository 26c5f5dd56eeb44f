//! `wireroom tail`: records of a topic, as JSON lines.

use std::{
    io::{BufWriter, Write},
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use pipeline::{Record, VALUE_DROPPED};
use serde::Serialize;
use serde_json::{Value, json};
use wire::{Article, CanonicalArticle, Change, Encoding, Page, Prepared, Request, Topic};

use crate::{
    Outcome, Usage, admin,
    cli::{Format, TailOptions},
    formats,
    source::Source,
    streams::stdout,
};

/// With --no-follow: how often it is looked whether the end is reached ...
const LOOK: Duration = Duration::from_millis(50);
/// ... and how long it may take to a record or to the end.
const PATIENCE: Duration = Duration::from_secs(30);

pub fn tail(options: &TailOptions) -> Result<Outcome> {
    let Some(topic) = admin::input_topic(&options.topic) else {
        let known: Vec<_> = Topic::ALL.iter().map(|topic| topic.name()).collect();
        return Err(Usage::wrong(format_args!(
            "there is no topic {:?}; there are {} (and `wireroom deadletters list`)",
            options.topic,
            known.join(", ")
        )));
    };
    if options.format != Format::Json && topic != Topic::Canonical.name() {
        return Err(Usage::wrong("--format is of canonical records: `wireroom tail canonical --format ...`"));
    }
    let mut tail = Source::open(&options.at)?.tail(topic, options.from_beginning)?;
    let mut out = BufWriter::new(stdout());
    let mut left = options.limit.unwrap_or(usize::MAX);
    let mut last_progress = Instant::now();
    while left > 0 {
        let wait = if options.no_follow { LOOK } else { Duration::from_secs(3600) };
        match tail.next(wait)? {
            Some(record) => {
                (left, last_progress) = (left - 1, Instant::now());
                writeln!(out, "{}", written_as(options.format, &record))?;
                out.flush()?;
            }
            None if !options.no_follow => {}
            None if tail.is_at_end() => break,
            None if last_progress.elapsed() > PATIENCE => {
                bail!("{topic} cannot be read to its end: nothing came for {} s", PATIENCE.as_secs())
            }
            None => {}
        }
    }
    Ok(Outcome::Done)
}

/// A record in the format asked for; what cannot be read, and tombstones, as they are.
fn written_as(format: Format, record: &Record) -> Value {
    let article = || {
        let value = record.value.as_ref()?;
        Encoding::decode_either::<CanonicalArticle>(value).ok()
    };
    let written = match format {
        Format::Json => None,
        Format::Ninjs => article().map(|article| formats::ninjs(&article)),
        Format::Jsonld => article().map(|article| formats::news_article(&article)),
    };
    written.unwrap_or_else(|| json_of(record))
}

/// A record as JSON: canonical records and changes as they are, the rest as what can be shown of them. A tombstone is
/// its key and null; what is without the value that it had is an error.
pub fn json_of(record: &Record) -> Value {
    let origin = &record.origin;
    let unreadable = |error: String| json!({ "topic": origin.topic, "partition": origin.partition, "offset": origin.offset, "error": error });
    if record.headers.iter().any(|(name, _)| name == VALUE_DROPPED) {
        return unreadable("its value was too large to be kept, or was lost".to_owned());
    }
    let Some(value) = &record.value else {
        return json!({ "article_id": String::from_utf8_lossy(&record.key), "tombstone": true });
    };
    let message = match record.origin.topic.as_str() {
        "canonical" => Encoding::decode_either::<CanonicalArticle>(value).map(to_json),
        "changes" => Encoding::decode_either::<Change>(value).map(to_json),
        "articles" => wire::decode::<Article>(value).map(to_json),
        "prepared" => wire::decode::<Prepared>(value).map(to_json),
        "pages" => wire::decode::<Page>(value).map(to_json),
        "requests" => wire::decode::<Request>(value).map(to_json),
        _ => Ok(Value::Null),
    };
    message.unwrap_or_else(|error| unreadable(error.to_string()))
}

fn to_json<M: Serialize>(message: M) -> Value {
    serde_json::to_value(message).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use pipeline::Origin;

    use super::*;

    #[test]
    fn what_lost_its_value_is_no_tombstone() {
        let tombstone = Record {
            origin: Origin { topic: "changes".to_owned(), partition: 0, offset: 3 },
            key: "k".into(),
            value: None,
            headers: Vec::new(),
            written_at_ms: 0,
        };
        assert_eq!(json_of(&tombstone), json!({ "article_id": "k", "tombstone": true }));
        let headers = vec![(VALUE_DROPPED.to_owned(), b"5000".to_vec())];
        let shown = json_of(&Record { headers, ..tombstone });
        assert!(
            shown["tombstone"].is_null() && shown["error"].is_string() && shown["offset"] == 3,
            "{shown}"
        );
    }
}
