//! The process shell: configuration, telemetry, health, signals, and the threads that roles run on.
//!
//! A service's `main` says which roles it runs; all else is here, so that every process is configured, watched and
//! stopped in the same way. Nothing here knows what the roles do.

mod config;
mod health;
mod hold;
mod mistake;
mod serve;
mod signals;
mod telemetry;
mod workers;

pub use config::{Config, ConfigError, KafkaSection, LogFormat, ServiceSection};
pub use health::Health;
pub use hold::hold_for_tests;
pub use serve::{Args, EXIT_CODES, Service, is_misconfigured, main, serve};
pub use signals::stop_on_signals;
pub use telemetry::init as init_telemetry;
pub use workers::{Running, Worker};

/// Texts and rows of some kilobytes come and go on several threads, which glibc's allocator is slow at: a fifth of the
/// decider's time. This one needs an eighth less CPU for the whole, and a quarter more memory.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
