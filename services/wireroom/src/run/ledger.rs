//! What a run has to remember, so that one that was cut off goes on instead of beginning anew.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use ulid::Ulid;

use super::{Place, ledger_file, now_ms};
use crate::topics::DEAD_LETTERS;

/// Kept in the data folder until the run has written its articles.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ledger {
    pub run_id: String,
    /// As typed: other inputs are another run.
    inputs: Vec<String>,
    /// When the run began: one sighting for all its inputs, whatever happens to the process.
    pub seen_at_ms: i64,
    /// Whether its requests are in the log for good.
    pub is_submitted: bool,
    /// Where the topics that tell of the run ended when it began.
    pub starts: Vec<(String, Vec<i64>)>,
    #[serde(skip)]
    file: PathBuf,
}

impl Ledger {
    /// That of the unfinished run on this folder with the same inputs, or a new one.
    pub fn open(place: &Place, inputs: &[String]) -> Result<Self> {
        let file = ledger_file(&place.data);
        let unfinished = fs::read(&file).ok().and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        if let Some(ledger) = unfinished.filter(|ledger| ledger.inputs == inputs) {
            return Ok(Self { file, ..ledger });
        }
        let mut starts = Vec::new();
        for topic in DEAD_LETTERS.into_iter().chain(["articles"]) {
            starts.push((topic.to_owned(), place.log.ends(topic)?));
        }
        let ledger = Self {
            run_id: Ulid::generate().to_string(),
            inputs: inputs.to_vec(),
            seen_at_ms: now_ms(),
            is_submitted: false,
            starts,
            file,
        };
        ledger.save()?;
        Ok(ledger)
    }

    /// Where a topic ended when the run began.
    pub fn start(&self, topic: &str) -> &[i64] {
        self.starts.iter().find(|(name, _)| name == topic).map_or(&[], |(_, start)| start)
    }

    /// The requests are in the log.
    pub fn submitted(&mut self) -> Result<()> {
        self.is_submitted = true;
        self.save()
    }

    /// The run is done, and the next one with the same inputs is another.
    pub fn finished(self) -> Result<()> {
        fs::remove_file(&self.file).with_context(|| format!("{}", self.file.display()))
    }

    fn save(&self) -> Result<()> {
        let whole = || -> std::io::Result<()> {
            if let Some(folder) = self.file.parent() {
                fs::create_dir_all(folder)?;
            }
            // Renamed into place: a crash leaves the old one or the new one.
            let new = self.file.with_extension("new");
            fs::write(&new, serde_json::to_vec(self)?)?;
            fs::rename(&new, &self.file)
        };
        whole().with_context(|| format!("the run cannot be noted in {}", self.file.display()))
    }
}
