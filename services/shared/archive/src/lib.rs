//! Copies of what was fetched, beside the log: single bodies in a [`Store`] (claim check), whole exchanges in
//! [`warc`] files.
//!
//! Knows bytes, URLs and HTTP, and nothing of what they are to the pipeline. Time is an argument.

pub mod warc;

mod store;

pub use store::{Store, StoreError, StoreSettings};
