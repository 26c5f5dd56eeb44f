//! Records that must not be kept: their file is written anew without them.

use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use flate2::{Compression, write::GzEncoder};
use thiserror::Error;

use super::reader::{ReadError, Reader};

/// Ends the name of the new file until it is whole.
const PART: &str = ".part";

/// Why a file is as it was.
#[derive(Debug, Error)]
pub enum EraseError {
    /// It cannot be read to its end.
    #[error("nothing is erased: {0}")]
    Read(#[from] ReadError),
    /// The new file cannot be written, or not be put in its place.
    #[error("nothing is erased: {0} cannot be written: {1}; is there room, and the right to write?")]
    Write(PathBuf, io::Error),
}

/// Takes out of a `.warc` or `.warc.gz` file every record (what was asked as well as what was answered) of the addresses
/// that `is_meant` names; tells how many. The others stay as they are, each in a gzip member of its own. The file is
/// replaced at once or not at all, and only where something is taken out.
pub fn erase(path: &Path, is_meant: impl Fn(&str) -> bool) -> Result<u64, EraseError> {
    let _alone = locked(path).map_err(|cause| ReadError::File(path.to_owned(), cause))?;
    let mut erased = 0;
    let mut reader = Reader::open(path, 0)?;
    while let Some(head) = reader.head()? {
        reader.block(&head, &mut io::sink())?;
        erased += u64::from(head.target().is_some_and(&is_meant));
    }
    if erased == 0 {
        return Ok(0);
    }
    let mut part = path.as_os_str().to_owned();
    part.push(PART);
    let part = PathBuf::from(part);
    let written = rewrite(path, &part, is_meant);
    if written.is_err() {
        // What is half written is of no use, and what is wrong was said.
        let _ = fs::remove_file(&part);
    }
    written.map(|()| erased)
}

/// Waits until nobody else erases in the file: what one has taken out would come back with the other's.
fn locked(path: &Path) -> io::Result<File> {
    loop {
        let file = File::open(path)?;
        file.lock()?;
        let (own, now) = (file.metadata()?, fs::metadata(path)?);
        // Or it was replaced meanwhile.
        if (own.dev(), own.ino()) == (now.dev(), now.ino()) {
            return Ok(file);
        }
    }
}

fn rewrite(path: &Path, part: &Path, is_meant: impl Fn(&str) -> bool) -> Result<(), EraseError> {
    let failed = |cause| EraseError::Write(part.to_owned(), cause);
    let mut reader = Reader::open(path, 0)?;
    let is_gzip = reader.is_gzip();
    let mut out = BufWriter::new(File::create(part).map_err(failed)?);
    while let Some(head) = reader.head()? {
        if head.target().is_some_and(&is_meant) {
            reader.block(&head, &mut io::sink())?;
        } else if is_gzip {
            let mut gzip = GzEncoder::new(&mut out, Compression::fast());
            gzip.write_all(&head.raw).map_err(failed)?;
            reader.block(&head, &mut gzip)?;
            gzip.write_all(b"\r\n\r\n").and_then(|()| gzip.finish().map(drop)).map_err(failed)?;
        } else {
            out.write_all(&head.raw).map_err(failed)?;
            reader.block(&head, &mut out)?;
            out.write_all(b"\r\n\r\n").map_err(failed)?;
        }
    }
    let file = out.into_inner().map_err(|cause| failed(cause.into_error()))?;
    file.sync_all().and_then(|()| fs::rename(part, path)).map_err(failed)
}
