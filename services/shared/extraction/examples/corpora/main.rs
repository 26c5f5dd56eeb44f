//! The recorded pages of a corpus: `score FILE…` measures the extractor on them, `train WEIGHTS FILE…` trains its model.
//! `score --worst N FILE…` names each corpus' N worst bodies, too.
//!
//! A file is JSON lines `{id, url, html, truth}` packed with xz. Exit codes: 0, 1 where a figure is below its floor, 2 where
//! something cannot be read or written.

mod boost;
mod cost;
mod floors;
mod label;
mod page;
mod runs;
mod score;
mod train;

use std::{error::Error, io::Write, process::ExitCode};

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "corpora: {error}");
            ExitCode::from(2)
        }
    }
}

/// Whether all figures are what they should be.
fn run() -> Result<bool, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments.as_slice() {
        ["score", "--worst", count, files @ ..] if !files.is_empty() => score::run(files, count.parse()?),
        ["score", files @ ..] if !files.is_empty() => score::run(files, 0),
        ["train", weights, files @ ..] if !files.is_empty() => train::run(weights, files).map(|()| true),
        _ => {
            Err("usage: corpora score [--worst N] FILE.jsonl.xz… | corpora train WEIGHTS FILE.jsonl.xz…"
                .into())
        }
    }
}
