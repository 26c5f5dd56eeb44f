//! The extractor as a filter over JSON lines, and where filters read.

use std::{
    fs::File,
    io::{BufRead, BufReader, BufWriter, Write, stdin},
    path::Path,
    sync::mpsc,
    thread,
};

use anyhow::{Context, Result, bail};
use extraction::{Page, extract_html};
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::json;

use crate::{Outcome, streams::stdout};

/// So many pages are read ahead and worked on side by side.
const BATCH: usize = 64;

#[derive(Deserialize)]
struct Line {
    id: serde_json::Value,
    url: Option<String>,
    html: String,
}

/// What a filter reads: a file, or standard input where none is named, or `-`.
pub fn reader(file: Option<&Path>) -> Result<Box<dyn BufRead + Send>> {
    let Some(path) = file.filter(|path| path.as_os_str() != "-") else {
        return Ok(Box::new(BufReader::new(stdin())));
    };
    let file = File::open(path).with_context(|| format!("{} cannot be read", path.display()))?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        bail!("{} is a folder; give a file of JSON lines", path.display());
    }
    Ok(Box::new(BufReader::new(file)))
}

/// A line that is no page is answered by `{"line","error"}`; the others are carried on. Those that are there are worked on
/// together, and none waits for one that is not: another program may wait for the answer before it asks again.
pub fn extract(file: Option<&Path>) -> Result<Outcome> {
    let reader = reader(file)?;
    let (sender, lines) = mpsc::sync_channel(BATCH);
    thread::Builder::new().name("input".to_owned()).spawn(move || {
        // Refused when nobody takes answers any longer.
        (1_u64..).zip(reader.split(b'\n')).try_for_each(|line| sender.send(line))
    })?;
    let mut out = BufWriter::new(stdout());
    let mut outcome = Outcome::Done;
    while let Ok(first) = lines.recv() {
        let batch: Vec<(u64, Vec<u8>)> = std::iter::once(first)
            .chain(lines.try_iter().take(BATCH - 1))
            .map(|(number, line)| Ok((number, line?)))
            .collect::<std::io::Result<_>>()
            .context("the input cannot be read")?;
        let pages = batch.par_iter().filter(|(_, line)| !line.trim_ascii().is_empty());
        let answers: Vec<_> = pages.map(|(number, line)| (number, extract_line(line))).collect();
        for (number, answer) in answers {
            match answer {
                Ok(line) => writeln!(out, "{line}")?,
                Err(refusal) => {
                    outcome = Outcome::SomeFailed;
                    writeln!(out, "{}", json!({ "line": number, "error": refusal }))?;
                }
            }
        }
        out.flush()?;
    }
    Ok(outcome)
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
        fields.extend(page.url.map(|url| ("url".to_owned(), url.into())));
    }
    Ok(answer.to_string())
}
