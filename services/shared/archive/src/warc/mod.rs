//! WARC files (ISO 28500:2017, version 1.1): what was asked and what was answered, for good.

mod erase;
mod exchange;
mod http;
mod reader;
mod record;
mod recover;
mod writer;

pub use erase::{EraseError, erase};
pub use exchange::{Exchange, Unchanged};
pub use reader::{Captured, ReadError, Reader};
pub use writer::{Settings, WriteError, Writer};

#[cfg(test)]
mod tests;
