//! Standard output and standard error, of which either may have nobody who reads it any longer.

use std::{
    fmt::Display,
    io::{self, ErrorKind, StdoutLock, Write},
};

use thiserror::Error;

/// Standard output: what cannot be written to it is an error that says so, where `println!` would panic.
pub struct Stdout(StdoutLock<'static>);

/// Lines about work that is to be done to its end, whether anybody reads them or not.
pub struct Report {
    out: Stdout,
    written: io::Result<()>,
}

#[derive(Debug, Error)]
#[error("standard output cannot be written: {0}")]
struct Unwritten(io::Error);

pub fn stdout() -> Stdout {
    Stdout(io::stdout().lock())
}

/// A line on standard error. What is said to nobody is no failure.
pub fn tell(line: impl Display) {
    let _ = writeln!(io::stderr(), "{line}");
}

/// Whether a command ended because who read its output has read enough: `wireroom deadletters list | head -1`.
pub fn was_read_enough(failure: &anyhow::Error) -> bool {
    let is_of_output = |cause: &io::Error| cause.get_ref().is_some_and(|inner| inner.is::<Unwritten>());
    let mut causes = failure.chain().filter_map(|cause| cause.downcast_ref::<io::Error>());
    causes.any(|cause| cause.kind() == ErrorKind::BrokenPipe && is_of_output(cause))
}

impl Write for Stdout {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes).map_err(unwritten)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush().map_err(unwritten)
    }
}

impl Report {
    pub fn new() -> Self {
        Self { out: stdout(), written: Ok(()) }
    }

    pub fn line(&mut self, line: impl Display) {
        if self.written.is_ok() {
            self.written = writeln!(self.out, "{line}");
        }
    }

    /// Whether all of it was written.
    pub fn end(self) -> io::Result<()> {
        self.written
    }
}

fn unwritten(cause: io::Error) -> io::Error {
    io::Error::new(cause.kind(), Unwritten(cause))
}
