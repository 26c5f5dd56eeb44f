//! The normalizer: of all articles that carry the same text, one canonical record, whatever the order they come in.
//!
//! * [`Prepare`] (stateless, any number of instances) does the heavy part of one article: clean text, facts, shingle
//!   hashes. `articles` in, `prepared` out.
//! * [`Cluster`] (one decider for each partition of `prepared`) decides: a new article, a new version, or a copy; and
//!   which article of a cluster is canonical. `prepared` in, `canonical` and `changes` out.
//! * [`filter()`] is the same code over lines of JSON, and [`explain()`] says of two of them why they are together or apart.
//!
//! Everything published follows from the members of a cluster ([`neardup::decide`]), not from the order of their
//! arrival: an arrival decides its cluster anew, and what differs from the published is published. Each article counts
//! its versions without gaps, also across takeovers.

mod ageing;
mod arrival;
mod boilerplate;
mod cluster;
mod counts;
mod dateline;
mod directory;
mod explain;
mod facts;
mod filter;
mod known;
mod languages;
mod orders;
mod packed;
mod prepare;
mod record;
mod registry;
mod revision;
mod rows;
#[cfg(test)]
mod scenarios;
mod withdrawal;
mod worker;

pub use cluster::{CLUSTER_ROLE, Cluster, ClusterSettings};
pub use explain::{Explained, Explanation, Passage, Place, Shares, explain};
pub use filter::filter;
pub use languages::{Languages, LanguagesError};
pub use prepare::{PREPARE_ROLE, Prepare, prepare};
pub use registry::{Registry, RegistryError};
pub use worker::{Config, PREPARE_SERVICE, RoleName, SERVICE, configured, workers};

/// Dead letters of both roles.
const DEAD_LETTERS: &str = "deadletters.normalizer";
