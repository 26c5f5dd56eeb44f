//! The canonical records of a run that is followed, written as they come.

use std::{
    fs::OpenOptions,
    io::Write,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context, Result};
use pipeline::AnyLog;

use super::outcome::unwritable;
use crate::{
    source::{Source, Tail},
    streams::stdout,
    tail::json_of,
};

pub struct Live {
    tail: Tail,
    out: Box<dyn Write>,
    path: PathBuf,
}

impl Live {
    /// Appends to `path` what is published from now on.
    pub fn start(log: &AnyLog, path: &Path) -> Result<Self> {
        let out: Box<dyn Write> = match path.to_str() {
            Some("-") => Box::new(stdout()),
            _ => Box::new(OpenOptions::new().append(true).open(path).with_context(|| unwritable(path))?),
        };
        let tail = Source::Log(log.clone()).tail("canonical", false)?;
        Ok(Self { tail, out, path: path.to_owned() })
    }

    /// Writes the next record, if one comes within `wait`. Whether one did.
    pub fn write(&mut self, wait: Duration) -> Result<bool> {
        let Some(record) = self.tail.next(wait)? else { return Ok(false) };
        let line = format!("{}\n", json_of(&record));
        self.out.write_all(line.as_bytes()).with_context(|| unwritable(&self.path))?;
        Ok(true)
    }
}
