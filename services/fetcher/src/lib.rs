//! Pulls originals: requests in, pages out, politely.
//!
//! **The frontier is the state.** A request is taken into its host's queue (queue entry and input position are one
//! commit); when the host's timer falls due, the head of the queue is fetched while the log goes on polling; what
//! came of it is one commit again: {page, retry, redirect, discovered requests or dead letter; queue entry; host's next
//! time}. A fetch that was cut off by a crash or a rebalance has changed nothing, and is done again by the next owner,
//! who waits one full delay first.
//!
//! A request ends as exactly one of: a page; a request handed on (a redirect to another domain, a feed's entries); a
//! dead letter with its reason. One that carries a document always ends as a page: the document stands in for an
//! original that cannot be had.
//!
//! Where an archive or a store of bodies is configured, a page is kept there before it is committed: after a crash in
//! between it is fetched again, and so is in the archive twice. One that cannot be kept is fetched again later.

mod accept;
mod addresses;
mod archived;
mod at_hand;
mod client;
mod complete;
mod config;
mod draft;
mod emit;
mod explain;
mod frontier;
mod keep;
mod lists;
mod memory;
mod network;
mod probe;
mod reading;
#[cfg(test)]
mod rebinding;
mod resolver;
mod role;
mod rules;
mod seen;
mod sources;
mod visit;
mod wanted;
mod websub;
mod worker;

pub use archived::archived_page;
pub use config::{Config, ConfigError, Secret};
pub use explain::{
    DomainState, Explanation, LastFetched, OutletSaid, Queued, RobotsSaid, SourceState, Verdict,
    ask::{Questions, explain_stopped, questions},
};
pub use probe::{Probe, Reading, probe};
pub use role::{Error, ROLE, run};
pub use sources::{SourcesFileError, load as load_sources};
pub use websub::callback::{Hints, callback};
pub use worker::{SERVICE, worker, workers};
