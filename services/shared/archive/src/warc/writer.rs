//! Files of an archive: one is open at a time, closed by size and by age.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use thiserror::Error;

use super::{
    exchange::Exchange,
    record::{Record, new_id},
    recover::recover,
};

/// Ends the name of a file that is being written.
pub(super) const OPEN: &str = ".open";

/// Where and how exchanges are kept.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Made where it is missing. Several processes may share it.
    pub folder: PathBuf,
    /// Names the process in the names of its files.
    pub instance: String,
    /// What writes, for the file's `warcinfo`: `name/version`.
    pub software: String,
    /// A file is closed with the exchange with which it reaches this.
    pub max_bytes: u64,
    /// A file is closed when it is as old.
    pub max_age_ms: i64,
}

/// An archive that cannot be written.
#[derive(Debug, Error)]
#[error("the archive {path} cannot be written: {cause}; is there room, and may it be written?")]
pub struct WriteError {
    path: PathBuf,
    cause: io::Error,
}

/// Writes exchanges to files `wireroom-<UTC>-<instance>-<n>.warc.gz`, whose names end in `.open` until they are complete.
///
/// What [`write`](Self::write) has taken survives the process, but not a loss of power before its file is closed.
#[derive(Debug)]
pub struct Writer {
    settings: Settings,
    current: Option<Current>,
    files: u64,
}

#[derive(Debug)]
struct Current {
    file: File,
    /// When it is complete.
    path: PathBuf,
    written: u64,
    opened_at_ms: i64,
    warcinfo: String,
}

impl Writer {
    /// Takes up an archive, and completes the files that dead processes have left open.
    pub fn open(settings: Settings) -> Result<Self, WriteError> {
        let folder = settings.folder.clone();
        let ready = fs::create_dir_all(&folder).and_then(|()| recover(&folder));
        ready.map_err(|cause| WriteError { path: folder, cause })?;
        Ok(Self { settings, current: None, files: 0 })
    }

    /// Writes an exchange, all of it or, on an error, nothing.
    pub fn write(&mut self, exchange: &Exchange, now_ms: i64) -> Result<(), WriteError> {
        self.close_if_old(now_ms)?;
        let mut current = match self.current.take() {
            Some(current) => current,
            None => self.next(now_ms)?,
        };
        let mut records = Vec::new();
        let done = exchange.write(&current.warcinfo, &mut records).and_then(|()| current.append(&records));
        let path = current.path.clone();
        if let Err(cause) = done {
            // Where not even that can be done, the file is left to whoever recovers it.
            if current.file.set_len(current.written).is_ok() {
                self.current = Some(current);
            }
            return Err(WriteError { path, cause });
        }
        let is_full = current.written >= self.settings.max_bytes;
        self.current = Some(current);
        // Where that fails, the disk may have lost what was written: better twice than never.
        if is_full { self.close() } else { Ok(()) }
    }

    /// Closes the open file if it is old enough.
    pub fn close_if_old(&mut self, now_ms: i64) -> Result<(), WriteError> {
        let age_ms = self.current.as_ref().map(|current| now_ms.saturating_sub(current.opened_at_ms));
        if age_ms.is_some_and(|age_ms| age_ms >= self.settings.max_age_ms) { self.close() } else { Ok(()) }
    }

    /// Completes the open file, if there is one.
    pub fn close(&mut self) -> Result<(), WriteError> {
        let Some(Current { file, path, .. }) = self.current.take() else { return Ok(()) };
        let closed = file.sync_all().and_then(|()| fs::rename(open_path(&path), &path));
        closed.map_err(|cause| WriteError { path, cause })
    }

    fn next(&mut self, now_ms: i64) -> Result<Current, WriteError> {
        let at = Timestamp::from_millisecond(now_ms).unwrap_or_default().strftime("%Y%m%d%H%M%S").to_string();
        // Until it is locked, nobody may take it for a dead process's.
        let _alone = lock_folder(&self.settings.folder)?;
        loop {
            self.files += 1;
            let name = format!("wireroom-{at}-{}-{}.warc.gz", self.settings.instance, self.files);
            let path = self.settings.folder.join(&name);
            let failed = |cause| WriteError { path: path.clone(), cause };
            let open = OpenOptions::new().append(true).create_new(true).open(open_path(&path));
            let file = match open {
                Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => continue,
                opened => opened.map_err(failed)?,
            };
            file.lock().map_err(failed)?;
            let mut current =
                Current { file, path: path.clone(), written: 0, opened_at_ms: now_ms, warcinfo: new_id() };
            if path.exists() {
                fs::remove_file(open_path(&path)).map_err(failed)?;
                continue;
            }
            let mut record = Vec::new();
            let begun = self
                .warcinfo(&current.warcinfo, &name, now_ms)
                .write(&mut record)
                .and_then(|()| current.append(&record));
            if begun.is_err() {
                // A disk that is full would get one with every page.
                let _ = fs::remove_file(open_path(&path));
            }
            return begun.map(|()| current).map_err(failed);
        }
    }

    fn warcinfo(&self, id: &str, name: &str, now_ms: i64) -> Record {
        let about = format!(
            "software: {}\r\nformat: WARC File Format 1.1\r\n\
             conformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n",
            self.settings.software
        );
        Record::new("warcinfo", id, now_ms, "application/warc-fields", about.into_bytes())
            .field("WARC-Filename", name)
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // Whoever wants to know closes it first; at worst it is recovered by the next.
        let _ = self.close();
    }
}

impl Current {
    fn append(&mut self, records: &[u8]) -> io::Result<()> {
        self.file.write_all(records)?;
        self.written += records.len() as u64;
        Ok(())
    }
}

fn lock_folder(folder: &Path) -> Result<File, WriteError> {
    let locked = File::open(folder).and_then(|file| file.lock().map(|()| file));
    locked.map_err(|cause| WriteError { path: folder.to_owned(), cause })
}

fn open_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(OPEN);
    name.into()
}
