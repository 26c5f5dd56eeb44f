//! `wireroom deadletters`: what could not be processed, and putting it back.

use std::io::{BufWriter, Write};

use anyhow::{Result, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use pipeline::{DeadLetter, Output, Record, VALUE_DROPPED};
use serde_json::json;
use wire::header;

use crate::{
    Outcome, admin,
    cli::{DeadlettersCommand, Place},
    source::Source,
    streams::stdout,
    tail::json_of,
    topics::DEAD_LETTERS,
};

pub fn command(command: DeadlettersCommand, at: &Place) -> Result<Outcome> {
    let source = Source::open(at)?;
    let mut out = BufWriter::new(stdout());
    let mut letters = Vec::new();
    for topic in DEAD_LETTERS {
        letters.extend(source.read(topic)?);
    }
    match command {
        DeadlettersCommand::List { reason } => {
            for letter in letters.iter().filter(|l| reason.as_deref().is_none_or(|r| self::reason(l) == r)) {
                writeln!(out, "{}\t{}\t{}", id(letter), self::reason(letter), detail(letter))?;
            }
        }
        DeadlettersCommand::Show { id } => {
            for letter in chosen(&letters, &[id], None)? {
                writeln!(out, "{:#}", shown(letter))?;
            }
        }
        DeadlettersCommand::Replay { ids, reason } => {
            let chosen = chosen(&letters, &ids, reason.as_deref())?;
            source.append(chosen.iter().map(|letter| replayed(letter)).collect::<Result<_>>()?)?;
            writeln!(out, "{} put back", chosen.len())?;
        }
    }
    out.flush()?;
    Ok(Outcome::Done)
}

/// STAGE/PARTITION/OFFSET.
pub fn id(letter: &Record) -> String {
    let origin = &letter.origin;
    let stage = origin.topic.strip_prefix("deadletters.").unwrap_or(&origin.topic);
    format!("{stage}/{}/{}", origin.partition, origin.offset)
}

pub fn reason(letter: &Record) -> &str {
    header(&letter.headers, "wireroom_reason").unwrap_or("unknown")
}

pub fn detail(letter: &Record) -> &str {
    header(&letter.headers, "__connect.errors.exception.message").unwrap_or_default()
}

fn chosen<'a>(letters: &'a [Record], ids: &[String], reason: Option<&str>) -> Result<Vec<&'a Record>> {
    if let Some(reason) = reason {
        return Ok(letters.iter().filter(|letter| self::reason(letter) == reason).collect());
    }
    let mut chosen = Vec::new();
    for id in ids {
        match letters.iter().find(|letter| self::id(letter) == *id) {
            Some(letter) => chosen.push(letter),
            None => bail!(
                "there is no dead letter {id:?}; `wireroom deadletters list` lists them as STAGE/PARTITION/OFFSET"
            ),
        }
    }
    Ok(chosen)
}

fn shown(letter: &Record) -> serde_json::Value {
    let headers: serde_json::Map<_, _> = letter
        .headers
        .iter()
        .map(|(name, value)| (name.clone(), String::from_utf8_lossy(value).into_owned().into()))
        .collect();
    let mut as_it_was = letter.clone();
    as_it_was.origin.topic = origin_topic(letter).unwrap_or_default().to_owned();
    json!({
        "id": id(letter),
        "reason": reason(letter),
        "detail": detail(letter),
        "headers": headers,
        "key": String::from_utf8_lossy(&letter.key),
        "record": json_of(&as_it_was),
        "value_base64": letter.value.as_ref().map(|value| BASE64_STANDARD.encode(value)),
    })
}

/// The record as it came in: the headers that told of the failure are taken off again.
fn replayed(letter: &Record) -> Result<Output> {
    let Some(topic) = origin_topic(letter) else {
        bail!("{} does not say which topic it came from", id(letter));
    };
    if let Some(bytes) = header(&letter.headers, VALUE_DROPPED) {
        bail!(
            "{} is without its value ({bytes} bytes), which was too large to be kept or was lost: send it again from \
             where it came from",
            id(letter)
        );
    }
    let kept = letter.headers.len().saturating_sub(DeadLetter::ADDED_HEADERS);
    // Where a role decides by partition, a record belongs to the one that it was read from.
    let partition = header(&letter.headers, "__connect.errors.partition").and_then(|p| p.parse().ok());
    Ok(Output {
        topic,
        partition,
        key: letter.key.clone(),
        value: letter.value.clone(),
        headers: letter.headers.iter().take(kept).cloned().collect(),
    })
}

fn origin_topic(letter: &Record) -> Option<&'static str> {
    header(&letter.headers, "__connect.errors.topic").and_then(admin::input_topic)
}

#[cfg(test)]
mod tests {
    use pipeline::Origin;

    use super::*;

    #[test]
    fn a_replay_goes_to_the_partition_that_the_record_was_read_from() {
        let headers = [
            ("ce_id", "1"),
            ("__connect.errors.topic", "prepared"),
            ("__connect.errors.partition", "2"),
            ("__connect.errors.offset", "7"),
            ("__connect.errors.stage", "cluster"),
            ("__connect.errors.exception.message", "torn"),
            ("wireroom_reason", "malformed"),
            ("wireroom_attempts", "1"),
        ];
        let letter = Record {
            origin: Origin { topic: "deadletters.normalizer".to_owned(), partition: 0, offset: 3 },
            key: "k".into(),
            value: Some("v".into()),
            headers: headers.map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec())).to_vec(),
            written_at_ms: 0,
        };
        let output = replayed(&letter).unwrap();
        assert_eq!((output.topic, output.partition, output.headers.len()), ("prepared", Some(2), 1));
        let mut headers = letter.headers.clone();
        headers.insert(1, (VALUE_DROPPED.to_owned(), b"5000".to_vec()));
        let refused = replayed(&Record { value: None, headers, ..letter }).unwrap_err().to_string();
        assert!(refused.contains("without its value (5000 bytes)"), "{refused}");
    }
}
