//! The runtime under every stage: a role reads one topic, and what comes of what it read happens at once or not at all.
//!
//! A stage never sees Kafka. It gets [`Inputs`] (records, due timers, partitions gained and lost) from a [`Log`] and
//! answers with a [`Step`]: records out, dead letters, state changes and input positions. [`Log::commit`] makes all of
//! a step happen, or nothing; after a step that did not happen its records and timers are polled again.
//!
//! Two logs keep this contract: [`embedded`] (one fjall database, no server) and [`kafka`] (transactions, a consumer
//! group, state in a local fjall database with a compacted changelog). Both run on the role's own thread: heavy work
//! holds up nobody else, and a partition is never taken away in the middle of a step.

mod any;
mod attempts;
mod clock;
mod drain;
mod record;
mod role;
mod rows;
mod spans;
mod state;
mod step;
mod timers;

pub mod embedded;
pub mod kafka;
mod log;
pub mod metrics;
mod stage;

pub use any::AnyLog;
pub use clock::Clock;
pub use drain::{Drained, Progress, Shutdown};
pub use log::{Action, Inputs, Limits, Log, LogError, Probe};
pub use record::{DeadLetter, Headers, Origin, Output, Record, VALUE_DROPPED};
pub use role::Role;
pub use stage::{Settings, Stage, repeat, run};
pub use state::State;
pub use step::Step;
pub use timers::Timer;
