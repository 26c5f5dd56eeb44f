//! The extractor and the normalizer as filters over JSON lines.

use std::io::{BufRead, BufReader, BufWriter, Write, stdin, stdout};

use anyhow::{Context, Result};
use extraction::{Page, extract_html};
use rayon::prelude::*;
use serde::Deserialize;

use crate::Outcome;

/// So many pages are read ahead and worked on side by side.
const BATCH: usize = 64;

#[derive(Deserialize)]
struct Line {
    id: serde_json::Value,
    url: Option<String>,
    html: String,
}

pub fn extract() -> Result<Outcome> {
    let (mut lines, mut out) = (stdin().lock().lines(), BufWriter::new(stdout().lock()));
    let mut outcome = Outcome::Done;
    loop {
        let batch: Vec<String> =
            lines.by_ref().take(BATCH).collect::<Result<_, _>>().context("standard input")?;
        if batch.is_empty() {
            return Ok(outcome);
        }
        let answers: Vec<Result<String, String>> = batch.par_iter().map(|line| extract_line(line)).collect();
        for answer in answers {
            match answer {
                Ok(line) => writeln!(out, "{line}")?,
                Err(refusal) => {
                    outcome = Outcome::SomeFailed;
                    writeln!(out, "{}", serde_json::json!({ "error": refusal }))?;
                }
            }
        }
        out.flush()?;
    }
}

fn extract_line(line: &str) -> Result<String, String> {
    let page: Line = serde_json::from_str(line).map_err(|cause| {
        let start: String = line.chars().take(60).collect();
        format!("{start:?} is no {{\"id\",\"url\",\"html\"}}: {cause}")
    })?;
    let html = Page {
        bytes: page.html.as_bytes(),
        url: page.url.as_deref(),
        content_type: Some("text/html; charset=utf-8"),
        ..Page::default()
    };
    let mut answer = serde_json::to_value(extract_html(&html)).map_err(|cause| cause.to_string())?;
    if let Some(fields) = answer.as_object_mut() {
        fields.insert("id".to_owned(), page.id);
    }
    Ok(answer.to_string())
}

pub fn cluster() -> Result<Outcome> {
    normalizer::filter(BufReader::new(stdin().lock()), BufWriter::new(stdout().lock()))?;
    Ok(Outcome::Done)
}
