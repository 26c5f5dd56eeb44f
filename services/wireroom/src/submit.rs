//! `wireroom submit`: inputs into the pipeline.

use std::{
    collections::BTreeMap,
    io::{BufWriter, Write},
};

use anyhow::Result;
use pipeline::Clock;
use ulid::Ulid;
use wire::Request;

use crate::{
    Outcome, Usage,
    cli::SubmitOptions,
    input,
    reextract::reextract,
    source::Source,
    streams::{stdout, tell},
};

/// Labels of a request.
const MAX_LABELS: usize = 16;
const MAX_LABEL_BYTES: usize = 256;

pub fn submit(options: &SubmitOptions) -> Result<Outcome> {
    let template = Request {
        request_id: Ulid::generate().to_string(),
        source_id: options.source_id.clone(),
        labels: labels(&options.labels)?,
        priority: options.priority,
        lane: if options.backfill { "backfill" } else { "live" }.to_owned(),
        seen_at_ms: Clock::system().now_ms(),
        via: "submitted".to_owned(),
        refetch: options.refetch,
        ..Request::default()
    };
    if options.reextract {
        return reextract(&options.inputs, &template, &Source::open(&options.at)?);
    }
    let (requests, unusable) = input::requests(&options.inputs, &template, None);
    Source::open(&options.at)?.append(requests.iter().map(input::output).collect())?;
    unusable.iter().for_each(|refused| tell(format_args!("wireroom: {}: {}", refused.input, refused.why)));
    let mut out = BufWriter::new(stdout());
    for request in &requests {
        writeln!(out, "{}", request.request_id)?;
    }
    out.flush()?;
    Ok(if unusable.is_empty() { Outcome::Done } else { Outcome::SomeFailed })
}

fn labels(given: &[String]) -> Result<BTreeMap<String, String>> {
    let mut labels = BTreeMap::new();
    for label in given {
        match label.split_once('=') {
            Some((name, value)) if !name.is_empty() && label.len() <= MAX_LABEL_BYTES => {
                labels.insert(name.to_owned(), value.to_owned());
            }
            _ => {
                return Err(Usage::wrong(format_args!(
                    "--label {label:?}: write NAME=VALUE, at most {MAX_LABEL_BYTES} bytes"
                )));
            }
        }
    }
    if labels.len() > MAX_LABELS {
        return Err(Usage::wrong(format_args!(
            "{} labels are more than the {MAX_LABELS} a request may have",
            labels.len()
        )));
    }
    Ok(labels)
}
