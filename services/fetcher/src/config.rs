//! What an operator may set.

use std::{path::PathBuf, time::Duration};

use crawl::{Policy, RetryPolicy};
use serde::Deserialize;
use thiserror::Error;

/// The fetcher's settings. Durations are written `500ms`, `30s`, `2h`.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Sent with every request. Its first word is the name that robots.txt knows; add a way to reach you:
    /// `wireroom/0.1 (+https://example.com/bot)`.
    pub user_agent: String,
    /// Least time between two requests to a registrable domain.
    #[serde(with = "humantime_serde")]
    pub delay: Duration,
    /// A host is left alone for at least so many times as long as its last answer took ...
    pub latency_factor: u32,
    /// ... but not longer than this for that reason.
    #[serde(with = "humantime_serde")]
    pub max_latency_delay: Duration,
    /// How long a host is left alone after 429, 503 or silence; doubled each time.
    #[serde(with = "humantime_serde")]
    pub host_backoff: Duration,
    /// The most that is doubled to.
    #[serde(with = "humantime_serde")]
    pub max_host_backoff: Duration,
    /// How long a URL that failed waits for its next attempt; doubled each time.
    #[serde(with = "humantime_serde")]
    pub retry_backoff: Duration,
    /// The most that is doubled to.
    #[serde(with = "humantime_serde")]
    pub max_retry_backoff: Duration,
    /// After so many attempts a URL is given up.
    pub max_attempts: u32,
    /// A request that names no expiry has this long.
    #[serde(with = "humantime_serde")]
    pub give_up_after: Duration,
    /// To connect, TLS included.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// From a request to the end of its answer.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// Longest body, as sent.
    pub max_body_bytes: usize,
    /// Longest feed or sitemap, inflated.
    pub max_list_bytes: usize,
    /// Most addresses taken from one feed or sitemap.
    pub max_discovered: usize,
    /// Lists within lists (indexes of sitemaps) that are followed.
    pub max_list_depth: u32,
    /// Most hosts asked at the same time.
    pub max_in_flight: usize,
    /// With so many requests queued no more are taken in.
    pub max_queued: u64,
    /// An HTTP proxy for everything (`http://host:port`). It may be private; literal addresses are still checked, but
    /// names are resolved by the proxy, and so are its business.
    pub proxy: Option<String>,
    /// Certificate authorities to trust beside the system's: a PEM file.
    pub extra_ca: Option<PathBuf>,
    /// Whether private, loopback and link-local addresses may be fetched. For tests, and for presses of one's own.
    pub allow_private: bool,
}

/// A setting that cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The user agent has no name.
    #[error(
        "user_agent {0:?} must begin with a name of letters, `-` and `_`, by which robots.txt knows it: \"name/1.0 (+https://…)\""
    )]
    UserAgent(String),
    /// The proxy's address.
    #[error("proxy {proxy:?} cannot be used: {cause}; write http://host:port")]
    Proxy {
        /// As given.
        proxy: String,
        /// What is wrong.
        cause: String,
    },
    /// The file of authorities.
    #[error("extra_ca {path}: {cause}; it must be a readable PEM file of certificates")]
    ExtraCa {
        /// As given.
        path: PathBuf,
        /// What is wrong.
        cause: String,
    },
    /// The HTTP client could not be made.
    #[error(
        "the HTTP client cannot be set up: {0}; are the system's certificates installed (ca-certificates)?"
    )]
    Client(String),
    /// No runtime.
    #[error("the network threads cannot be started: {0}")]
    Runtime(#[from] std::io::Error),
}

impl Default for Config {
    fn default() -> Self {
        Self {
            user_agent: concat!("wireroom/", env!("CARGO_PKG_VERSION")).to_owned(),
            delay: Duration::from_secs(1),
            latency_factor: 5,
            max_latency_delay: Duration::from_secs(30),
            host_backoff: Duration::from_secs(10),
            max_host_backoff: Duration::from_secs(3600),
            retry_backoff: Duration::from_secs(5),
            max_retry_backoff: Duration::from_secs(3600),
            max_attempts: 6,
            give_up_after: Duration::from_secs(7 * 86_400),
            connect_timeout: Duration::from_secs(10),
            timeout: Duration::from_secs(60),
            max_body_bytes: 8 << 20,
            max_list_bytes: 50 << 20,
            max_discovered: 10_000,
            max_list_depth: 3,
            max_in_flight: 64,
            max_queued: 2_000_000,
            proxy: None,
            extra_ca: None,
            allow_private: false,
        }
    }
}

impl Config {
    /// How hosts are treated.
    pub(crate) fn policy(&self) -> Policy {
        Policy {
            delay_ms: millis(self.delay),
            latency_factor: i64::from(self.latency_factor),
            max_latency_delay_ms: millis(self.max_latency_delay),
            backoff_ms: millis(self.host_backoff),
            max_backoff_ms: millis(self.max_host_backoff),
        }
    }

    /// How failures are tried again.
    pub(crate) fn retries(&self) -> RetryPolicy {
        RetryPolicy {
            backoff_ms: millis(self.retry_backoff),
            max_backoff_ms: millis(self.max_retry_backoff),
            max_attempts: self.max_attempts,
        }
    }
}

/// Milliseconds, as far as they go.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
