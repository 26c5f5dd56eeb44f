//! Files that a dead process left open: cut after their last whole record, and completed.

use std::{
    ffi::OsStr,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use flate2::bufread::GzDecoder;

use super::writer::OPEN;

/// Completes what dead processes left in a folder. Files of living ones are locked, and left alone.
pub(super) fn recover(folder: &Path) -> io::Result<()> {
    // Nobody makes a file meanwhile: one that is not locked is a dead process's.
    let alone = File::open(folder)?;
    alone.lock()?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_ours = path.file_name().and_then(OsStr::to_str).is_some_and(|name| {
            name.starts_with("wireroom-") && name.strip_suffix(OPEN).is_some_and(|n| n.ends_with(".warc.gz"))
        });
        if is_ours {
            complete(&path)?;
        }
    }
    Ok(())
}

fn complete(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(()),
        Err(TryLockError::Error(cause)) => return Err(cause),
    }
    let whole = whole_members(&file)?;
    if whole == 0 {
        return fs::remove_file(path);
    }
    file.set_len(whole)?;
    file.sync_all()?;
    fs::rename(path, path.with_extension(""))
}

/// The bytes up to the end of the last whole gzip member.
fn whole_members(file: &File) -> io::Result<u64> {
    let mut input = Counted { inner: BufReader::new(file), read: 0 };
    let mut whole = 0;
    while !input.fill_buf()?.is_empty() {
        match io::copy(&mut GzDecoder::new(&mut input), &mut io::sink()) {
            Ok(_) => whole = input.read,
            Err(torn) if is_torn(&torn) => break,
            Err(cause) => return Err(cause),
        }
    }
    Ok(whole)
}

/// Whether an error is about the bytes, not about reading them.
pub(super) fn is_torn(error: &io::Error) -> bool {
    use io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
    matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof)
}

struct Counted<R> {
    inner: R,
    read: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buffer)?;
        self.read += n as u64;
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, n: usize) {
        self.read += n as u64;
        self.inner.consume(n);
    }
}
