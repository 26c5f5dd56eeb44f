//! The extractor as a filter over JSON lines.

use std::io::{BufRead, BufWriter, Write, stdin};

use anyhow::{Context, Result};
use extraction::{Page, extract_html};
use rayon::prelude::*;
use serde::Deserialize;

use crate::{Outcome, streams::stdout};

/// So many pages are read ahead and worked on side by side.
const BATCH: usize = 64;

#[derive(Deserialize)]
struct Line {
    id: serde_json::Value,
    url: Option<String>,
    html: String,
}

/// A line that is no page is answered by `{"line","error"}`; the others are carried on.
pub fn extract() -> Result<Outcome> {
    let mut lines = (1_u64..).zip(stdin().lock().split(b'\n'));
    let mut out = BufWriter::new(stdout());
    let mut outcome = Outcome::Done;
    loop {
        let batch: Vec<(u64, Vec<u8>)> = lines
            .by_ref()
            .take(BATCH)
            .map(|(number, line)| line.map(|line| (number, line)))
            .collect::<Result<_, _>>()
            .context("standard input")?;
        if batch.is_empty() {
            return Ok(outcome);
        }
        let pages = batch.par_iter().filter(|(_, line)| !line.trim_ascii().is_empty());
        let answers: Vec<_> = pages.map(|(number, line)| (number, extract_line(line))).collect();
        for (number, answer) in answers {
            match answer {
                Ok(line) => writeln!(out, "{line}")?,
                Err(refusal) => {
                    outcome = Outcome::SomeFailed;
                    writeln!(out, "{}", serde_json::json!({ "line": number, "error": refusal }))?;
                }
            }
        }
        out.flush()?;
    }
}

fn extract_line(line: &[u8]) -> Result<String, String> {
    let page: Line = serde_json::from_slice(line).map_err(|cause| {
        let start: String = String::from_utf8_lossy(line).chars().take(60).collect();
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
