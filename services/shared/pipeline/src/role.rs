//! What a role is called and what it reads.

/// A part of the flow that reads one topic. Its name is in consumer groups, transactional ids and changelogs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Role {
    /// `fetcher`, `extractor`, `prepare`, `cluster`.
    pub name: &'static str,
    /// The one topic it reads, without prefix and version.
    pub input: &'static str,
    /// Where its dead letters go: `deadletters.<stage>`; two roles may share one.
    pub dead_letters: &'static str,
    /// The version of its state's layout; `None` where it keeps none. A state of another version is refused.
    pub state_version: Option<u32>,
    /// Its state's numbered tables, by the first byte of their keys; what follows there is a number, eight bytes and
    /// big-endian. Rows come in the order of their numbers, and later every number is deleted in that order, whether it has
    /// a row or not: such rows cost less than others.
    pub numbered: &'static [u8],
}
