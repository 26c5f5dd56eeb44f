//! The list of sources at work: who holds partition 0 of the requests reads the file, and asks for what it adds, changes
//! and takes away.
//!
//! What was asked for is a row of that partition's state for each list, written in the step that asks for it: after a
//! crash or a rebalance nothing is asked for twice, and nothing is left out. A file that cannot be used, or that names no
//! outlet at all, changes nothing; a file that is gone ends nothing.

use std::{
    collections::{HashMap, VecDeque},
    fs::{self, Metadata},
    path::{Path, PathBuf},
    time::SystemTime,
};

use crawl::{Sources, SourcesError};
use pipeline::{Log, LogError};
use prost::Message;
use thiserror::Error;
use tracing::{error, info};
use wire::{Request, SourceState};

use crate::{
    draft::Draft,
    emit::write_request,
    frontier::decoded,
    wanted::{self, Change, ListKey},
};

/// The partition that holds the rows.
const PARTITION: i32 = 0;
const SOURCE: u8 = b'c';
/// How often the file is looked at. A change is taken when it has stood still for as long.
const LOOK_EVERY_MS: i64 = 2_000;
/// Requests in a step, at most.
const MAX_AT_ONCE: usize = 500;
/// Longest file, in bytes.
const MAX_FILE_BYTES: u64 = 64 << 20;

/// A list of sources that cannot be used.
#[derive(Debug, Error)]
pub enum SourcesFileError {
    /// There is no such file, or it cannot be read.
    #[error("sources {0}: {1}; name a readable sources.toml")]
    Unreadable(PathBuf, std::io::Error),
    /// It names nothing.
    #[error("sources {0}: it names no outlet; begin each with [[outlet]], and pause those that are to rest")]
    Empty(PathBuf),
    /// What it says is wrong.
    #[error("sources {0}: {1}")]
    Wrong(PathBuf, SourcesError),
}

/// Reads the list of sources.
pub fn load(path: &Path) -> Result<Sources, SourcesFileError> {
    let unreadable = |cause| SourcesFileError::Unreadable(path.to_owned(), cause);
    if fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE_BYTES {
        let cause = format!("it is longer than {} MB", MAX_FILE_BYTES >> 20);
        return Err(unreadable(std::io::Error::other(cause)));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    match Sources::from_toml(&text) {
        Ok(sources) if sources.outlets().is_empty() => Err(SourcesFileError::Empty(path.to_owned())),
        Ok(sources) => Ok(sources),
        Err(wrong) => Err(SourcesFileError::Wrong(path.to_owned(), wrong)),
    }
}

/// By what a file is known to have changed. None: it is not there.
type Stamp = Option<(SystemTime, u64)>;

/// Watches the file, and knows what is still to be asked for.
pub(crate) struct Watcher {
    path: PathBuf,
    next_look_ms: i64,
    /// At the last look.
    seen: Stamp,
    /// The state that was acted on; none since the partition was gained.
    taken: Option<Stamp>,
    /// In the partition's rows once they are written.
    pending: VecDeque<Change>,
}

impl Watcher {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            next_look_ms: i64::MIN,
            seen: None,
            taken: None,
            pending: VecDeque::new(),
        }
    }

    /// The partition was lost, or a step did not happen: what was asked for is for its rows to say.
    pub(crate) fn forget(&mut self, partition: i32) {
        if partition == PARTITION {
            (self.taken, self.next_look_ms) = (None, i64::MIN);
            self.pending.clear();
        }
    }

    /// Whether something is still to be asked for.
    pub(crate) fn has_more(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Looks at the file, where it is time to; what changed in it is asked for by the next steps.
    pub(crate) fn look(&mut self, log: &dyn Log, now_ms: i64) -> Result<(), LogError> {
        if now_ms < self.next_look_ms || self.has_more() {
            return Ok(());
        }
        let Some(state) = log.state(PARTITION) else { return Ok(()) };
        self.next_look_ms = now_ms.saturating_add(LOOK_EVERY_MS);
        let before = std::mem::replace(&mut self.seen, stamp(&self.path));
        // Somebody may be writing it.
        let is_settled = self.taken.is_none() || before == self.seen;
        if self.taken == Some(self.seen) || !is_settled {
            return Ok(());
        }
        self.taken = Some(self.seen);
        let sources = match load(&self.path) {
            Ok(sources) => sources,
            Err(failure) => {
                metrics::FETCHER_SOURCES_WRONG.set(1);
                error!(%failure, "the list of sources cannot be used; its last good state stays");
                return Ok(());
            }
        };
        metrics::FETCHER_SOURCES_WRONG.set(0);
        let mut rows: HashMap<ListKey, SourceState> = HashMap::new();
        for row in state.scan(&[SOURCE]) {
            let (key, value) = row?;
            if let Some(key) = key.get(1..).and_then(|key| key.try_into().ok()) {
                rows.insert(key, decoded(&value)?);
            }
        }
        self.pending = wanted::changes(&sources, rows).into();
        info!(
            file = %self.path.display(),
            outlets = sources.outlets().len(),
            changes = self.pending.len(),
            "sources read"
        );
        Ok(())
    }

    /// Asks for a part of what is to be asked for.
    pub(crate) fn write(&mut self, draft: &mut Draft, now_ms: i64) -> Result<(), LogError> {
        let count = self.pending.len().min(MAX_AT_ONCE);
        for Change { key, request, row } in self.pending.drain(..count) {
            let row_key = [&[SOURCE], &key[..]].concat();
            match row {
                Some(row) => draft.step.put(PARTITION, &row_key, row.encode_to_vec())?,
                None => draft.step.delete(PARTITION, &row_key)?,
            }
            let domain = wanted::domain(&request);
            write_request(draft, Request { seen_at_ms: now_ms, ..request }, &domain, &Vec::new());
        }
        Ok(())
    }
}

fn stamp(path: &Path) -> Stamp {
    let read = |metadata: Metadata| Some((metadata.modified().ok()?, metadata.len()));
    fs::metadata(path).ok().and_then(read)
}
