//! `wireroom submit --reextract`: pages out of archives, for the extractor to read again. Nothing is fetched.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use archive::warc::Reader;
use pipeline::Output;
use wire::Request;

use crate::{
    Outcome,
    source::Source,
    streams::{Report, tell},
};

/// Longest body that a record holds.
const MAX_BODY: usize = 8 << 20;
/// What is handed in at a time, give or take a page.
const BATCH_BYTES: usize = 8 << 20;
/// Folders within folders.
const MAX_FOLDER_DEPTH: usize = 8;

/// Hands in the pages of every archive among `inputs`: files, and folders of files named `.warc` or `.warc.gz`. Ids are
/// counted up after the template's.
pub fn reextract(inputs: &[String], template: &Request, to: &Source) -> Result<Outcome> {
    let mut files = Vec::new();
    for input in inputs {
        archives(Path::new(input), 0, &mut files)
            .with_context(|| format!("{input}: give archives (.warc, .warc.gz), or folders of them"))?;
    }
    if files.is_empty() {
        bail!("no file named .warc or .warc.gz in {}", inputs.join(", "));
    }
    let mut handed_in = 0;
    let (mut outcome, mut report) = (Outcome::Done, Report::new());
    for file in files {
        let before = handed_in;
        let (mut batch, mut bytes) = (Vec::<Output>::new(), 0);
        let mut archive = match Reader::open(&file, MAX_BODY) {
            Ok(archive) => archive,
            Err(failure) => {
                tell(format_args!("wireroom: {failure}"));
                outcome = Outcome::SomeFailed;
                continue;
            }
        };
        for captured in &mut archive {
            let captured = match captured {
                Ok(captured) => captured,
                Err(failure) => {
                    tell(format_args!("wireroom: {failure}"));
                    outcome = Outcome::SomeFailed;
                    break;
                }
            };
            let request_id = format!("{}-{}", template.request_id, handed_in + 1);
            let Some(page) = fetcher::archived_page(captured, &Request { request_id, ..template.clone() })
            else {
                continue;
            };
            handed_in += 1;
            bytes += page.value.as_ref().map_or(0, |value| value.len());
            batch.push(page);
            if bytes >= BATCH_BYTES {
                to.append(std::mem::take(&mut batch))?;
                bytes = 0;
            }
        }
        to.append(batch)?;
        let pages = handed_in - before;
        report.line(format_args!("{pages} pages of {} records: {}", archive.records(), file.display()));
    }
    report.end()?;
    Ok(outcome)
}

pub fn archives(path: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    if !fs::metadata(path)?.is_dir() {
        files.push(path.to_owned());
        return Ok(());
    }
    if depth == MAX_FOLDER_DEPTH {
        bail!("{} is more than {MAX_FOLDER_DEPTH} folders deep", path.display());
    }
    let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    // Their names begin with when they were begun: earlier versions of a page come first.
    entries.sort();
    for entry in entries {
        let name = entry.to_string_lossy();
        if name.ends_with(".warc") || name.ends_with(".warc.gz") || entry.is_dir() {
            archives(&entry, depth + 1, files)?;
        }
    }
    Ok(())
}
