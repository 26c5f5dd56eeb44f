//! What an operator may set.

use std::{fmt, net::SocketAddr, path::PathBuf, time::Duration};

use archive::{Store, StoreError, StoreSettings, warc::WriteError};
use crawl::MAX_ROBOTS_BYTES;
use serde::Deserialize;
use thiserror::Error;

use crate::{
    client::Client,
    keep::open_store,
    rules::Rules,
    sources::{SourcesFileError, load},
};

/// The longest body that is put into a record: what else is said of a page has room beside it.
const MAX_BODY_IN_RECORD: usize = pipeline::kafka::MAX_RECORD_BYTES - (1 << 20);

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
    /// How long a request that names no expiry is pursued once something has failed. Its clock begins with the first
    /// failed attempt on it, or with the first failure in a row of its host where that came before; waiting for its turn
    /// costs it nothing. When a host will not be asked again before all this time has passed since it began to fail,
    /// everything that waits there is given up with it. An attempt may take as long, too, and not longer.
    ///
    /// A request that names its expiry ends then, whatever happens. What a feed, a sitemap or a redirect leads to has
    /// the expiry that was named for it, or none.
    #[serde(with = "humantime_serde")]
    pub give_up_after: Duration,
    /// To connect, TLS included.
    #[serde(with = "humantime_serde")]
    pub connect_timeout: Duration,
    /// From a request to the end of its answer.
    #[serde(with = "humantime_serde")]
    pub timeout: Duration,
    /// Longest body, as sent. Above 11 MiB it takes a store: a record has no room for more.
    pub max_body_bytes: usize,
    /// Bodies in memory at a time, all hosts together, in bytes as sent: those being read count as the longest, those
    /// waiting to be written as what they are. Whoever finds no room waits, and its host does not pay for it. Beside
    /// these there are four lists at a time ([`Config::max_list_bytes`] each) and some robots.txt for every host asked.
    pub max_in_flight_bytes: usize,
    /// Longest feed or sitemap, inflated.
    pub max_list_bytes: usize,
    /// Most addresses taken from one feed or sitemap.
    pub max_discovered: usize,
    /// Lists within lists (indexes of sitemaps) that are followed.
    pub max_list_depth: u32,
    /// Most hosts asked at the same time.
    pub max_in_flight: usize,
    /// Most hosts asked at the same time that have the same address.
    pub max_in_flight_per_address: usize,
    /// With so many requests queued no more are taken in. Of one host 50,000 count: the others wait in the state.
    pub max_queued: u64,
    /// What was fetched so short a while ago is not fetched again when it is asked for again, unless `refetch` is asked
    /// for, too.
    #[serde(with = "humantime_serde")]
    pub fetched_for: Duration,
    /// So long it is remembered what was fetched.
    #[serde(with = "humantime_serde")]
    pub remembered_for: Duration,
    /// How long after its first fetch a page is asked for again, to see corrections and withdrawals. None: never.
    pub revisits: Vec<Pause>,
    /// Articles of a source that are fetched from a domain in a day (UTC), at most, where the request names no number; the
    /// others wait for the next day. 0: no bound.
    pub daily_quota: u32,
    /// A list that is watched is read no more often than this ...
    #[serde(with = "humantime_serde")]
    pub min_poll: Duration,
    /// ... and no less often than this; what lies between is learnt from what comes of it.
    #[serde(with = "humantime_serde")]
    pub max_poll: Duration,
    /// The outlets whose lists are watched: a `sources.toml`, looked at every few seconds for changes. Every instance wants
    /// the same.
    pub sources: Option<PathBuf>,
    /// Where archived copies are asked for of what is gone (404, 410, 451), parked or behind a paywall: the address of a
    /// TimeGate (RFC 7089), `{url}` in it standing for the page's, as in `https://web.archive.org/web/2id_/{url}`.
    pub memento: Option<String>,
    /// Where hubs (WebSub) reach this process from outside, as a base to which `/websub/...` is added: an address that leads to
    /// the port of /metrics. Feeds that name a hub are then read when it says so, and half as often otherwise. None: they
    /// are read by their rhythm alone.
    pub websub_callback: Option<String>,
    /// From which callbacks and the secrets of subscriptions are made: sixteen characters or more that nobody can guess, the
    /// same for every instance.
    pub websub_key: Option<Secret>,
    /// An HTTP proxy for everything (`http://host:port`). It may be private; literal addresses are still checked, but
    /// names are resolved by the proxy, and so are its business.
    pub proxy: Option<String>,
    /// Name servers to ask (`127.0.0.1:53`). None: the system's.
    pub name_servers: Vec<SocketAddr>,
    /// Certificate authorities to trust beside the system's: a PEM file.
    pub extra_ca: Option<PathBuf>,
    /// Whether private, loopback and link-local addresses may be fetched. For tests, and for presses of one's own.
    pub allow_private: bool,
    /// Keep every page fetched, and what was asked for it, in WARC files in this folder.
    pub archive: Option<PathBuf>,
    /// A file of the archive is closed when it has so many bytes ...
    pub archive_file_bytes: u64,
    /// ... or is as old.
    #[serde(with = "humantime_serde")]
    pub archive_file_age: Duration,
    /// The section `[store]`.
    #[serde(skip)]
    pub store: StoreSettings,
    /// Names this process in the names of the archive's files; its process id where empty.
    #[serde(skip)]
    pub instance: String,
}

/// A duration in a list, written as the others are.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(transparent)]
pub struct Pause(#[serde(with = "humantime_serde")] pub Duration);

/// Words that are not shown.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// A setting that cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// The user agent has no name, or cannot be sent.
    #[error(
        "user_agent {0:?} must be one line that begins with a name of letters, `-` and `_`, by which robots.txt knows it: \"name/1.0 (+https://…)\""
    )]
    UserAgent(String),
    /// There would never be room for the longest body.
    #[error(
        "max_in_flight_bytes {given} is less than the longest body: set it to {least} or more, or lower max_body_bytes"
    )]
    InFlightBytes {
        /// As given.
        given: usize,
        /// What it has to be.
        least: usize,
    },
    /// The longest body would not fit into a record.
    #[error(
        "max_body_bytes {given} is more than a record has room for: set it to {most} or less, or set `location` in [store], \
         and its above_bytes to {most} or less"
    )]
    BodyBytes {
        /// As given.
        given: usize,
        /// What it may be.
        most: usize,
    },
    /// The archive's address.
    #[error(
        "memento {0:?} is no address of a TimeGate: write one with {{url}} in the place of the page's, such as https://web.archive.org/web/2id_/{{url}}"
    )]
    Memento(String),
    /// Where hubs are to reach us; the cause alone, for it may hold credentials.
    #[error(
        "websub_callback cannot be used: {0}; write the address at which hubs reach this process, as https://press.example"
    )]
    WebsubCallback(String),
    /// There is nothing to make secrets of.
    #[error(
        "websub_callback wants a websub_key, too: {0} characters or more that nobody can guess, the same for every instance"
    )]
    WebsubKey(usize),
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
    /// The list of sources.
    #[error(transparent)]
    Sources(#[from] SourcesFileError),
    /// The archive.
    #[error(transparent)]
    Archive(#[from] WriteError),
    /// The store of bodies.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No runtime.
    #[error("the network thread cannot be started: {0}")]
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
            max_in_flight_bytes: 256 << 20,
            max_list_bytes: 50 << 20,
            max_discovered: 10_000,
            max_list_depth: 3,
            max_in_flight: 64,
            max_in_flight_per_address: 16,
            max_queued: 2_000_000,
            fetched_for: Duration::from_secs(86_400),
            remembered_for: Duration::from_secs(30 * 86_400),
            revisits: [3_600, 86_400, 7 * 86_400].map(|seconds| Pause(Duration::from_secs(seconds))).into(),
            daily_quota: 0,
            min_poll: Duration::from_secs(120),
            max_poll: Duration::from_secs(6 * 3600),
            sources: None,
            memento: None,
            websub_callback: None,
            websub_key: None,
            proxy: None,
            name_servers: Vec::new(),
            extra_ca: None,
            allow_private: false,
            archive: None,
            archive_file_bytes: 1 << 30,
            archive_file_age: Duration::from_secs(3600),
            store: StoreSettings::default(),
            instance: String::new(),
        }
    }
}

impl Config {
    /// The sections `[fetcher]` and `[store]`.
    pub fn of(config: &service::Config) -> Result<Self, service::ConfigError> {
        let store = config.section("store")?;
        let instance = config.kafka.instance.clone();
        Ok(Self { store, instance, ..config.section("fetcher")? })
    }

    /// Whether the fetcher could run with these settings: all that [`run`](crate::run) would refuse, with nothing
    /// started, and a list of sources that it would go on without. Reads the file of authorities, and makes the folders of the store and of the
    /// archive.
    pub fn check(&self) -> Result<(), ConfigError> {
        Rules::new(self)?;
        Client::new(self)?;
        if let Some(path) = &self.sources {
            load(path)?;
        }
        if let Some(folder) = &self.archive {
            Store::in_folder(folder)?;
        }
        open_store(&self.store).map(drop)
    }

    /// The same but for the list of sources: with a wrong one it starts, and waits for a better.
    pub fn check_start(&self) -> Result<(), ConfigError> {
        Self { sources: None, ..self.clone() }.check()
    }

    /// Refuses bodies that neither a record nor the store would take.
    pub(crate) fn check_bodies(&self) -> Result<(), ConfigError> {
        let least = self.longest_body();
        if self.max_in_flight_bytes < least {
            return Err(ConfigError::InFlightBytes { given: self.max_in_flight_bytes, least });
        }
        let is_stored = self.store.location.is_some() && self.store.above_bytes <= MAX_BODY_IN_RECORD;
        if self.max_body_bytes > MAX_BODY_IN_RECORD && !is_stored {
            return Err(ConfigError::BodyBytes { given: self.max_body_bytes, most: MAX_BODY_IN_RECORD });
        }
        Ok(())
    }

    /// The least that [`Config::max_in_flight_bytes`] may be.
    pub(crate) fn longest_body(&self) -> usize {
        // One kibibyte more, for what is reserved is rounded up.
        self.max_body_bytes.max(MAX_ROBOTS_BYTES).saturating_add(1024)
    }
}

/// Milliseconds, as far as they go.
pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
