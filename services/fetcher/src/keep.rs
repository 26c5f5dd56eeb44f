//! Where pages are kept beside the log: the archive, and the store of bodies that are too large for records.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{RecvTimeoutError, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use archive::{
    Store, StoreSettings,
    warc::{Exchange, Settings, Writer},
};
use article::CanonicalUrl;
use crawl::Failure;
use pipeline::Clock;
use reqwest::{StatusCode, header::HeaderMap};
use tokio::sync::oneshot;
use tracing::{info, warn};
use wire::{Encoding, Request, Response};

use crate::{
    client::Answer,
    config::{Config, ConfigError, millis},
};

/// The archive's own field of a record: the request that led to it, as JSON.
pub(crate) const REQUEST_FIELD: &str = "Wireroom-Request";
/// How long a page may take to be kept.
const KEPT_WITHIN: Duration = Duration::from_secs(60);
/// How often it is looked whether the archive's open file is old enough to be closed.
const LOOK: Duration = Duration::from_secs(10);

/// Where pages go. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Keep {
    archive: Option<SyncSender<Job>>,
    /// The archive's folder, for what is marked there.
    archived: Option<Store>,
    store: Option<Store>,
    above_bytes: usize,
    archive_uses: Uses,
    store_uses: Uses,
}

/// What comes of the uses of a place. Cheap to clone.
#[derive(Clone)]
struct Uses {
    place: &'static str,
    is_failing: Arc<AtomicBool>,
}

/// The thread that writes the archive. Dropped, it completes its last file and ends.
pub(crate) struct Archive {
    jobs: SyncSender<Job>,
    thread: Option<JoinHandle<()>>,
}

enum Job {
    Write(Box<Exchange>, oneshot::Sender<Result<(), String>>),
    End,
}

impl Keep {
    pub(crate) fn open(config: &Config, archive: Option<&Archive>) -> Result<Self, ConfigError> {
        Ok(Self {
            archive: archive.map(|archive| archive.jobs.clone()),
            archived: config.archive.as_ref().map(|folder| Store::in_folder(folder)).transpose()?,
            store: open_store(&config.store)?,
            above_bytes: config.store.above_bytes,
            archive_uses: Uses::of("archive"),
            store_uses: Uses::of("store"),
        })
    }

    /// Writes an answer and what was asked into the archive, if there is one; not what was taken down there.
    pub(crate) async fn archive(
        &self,
        url: &CanonicalUrl,
        request: &Request,
        sent: HeaderMap,
        answer: &Answer,
        at_ms: i64,
    ) -> Result<(), Failure> {
        let Some(jobs) = &self.archive else { return Ok(()) };
        if let Some(marks) = &self.archived
            && self.archive_uses.count(0, in_time(is_withheld(marks, url)).await)?
        {
            return Ok(());
        }
        let json = String::from_utf8_lossy(&Encoding::Json.encode(request)).into_owned();
        let exchange = Exchange {
            url: url.as_str().to_owned(),
            at_ms,
            address: answer.address,
            version: answer.version,
            request: sent,
            status: StatusCode::from_u16(answer.status).unwrap_or_default(),
            headers: answer.headers.clone(),
            body: answer.body.clone(),
            unchanged: None,
            fields: vec![(REQUEST_FIELD, json)],
        };
        let (done, written) = oneshot::channel();
        let ended = || Failure::Unkept("the archive is closed".to_owned());
        let kept = async {
            jobs.try_send(Job::Write(Box::new(exchange), done)).map_err(|refused| match refused {
                TrySendError::Full(_) => Failure::Unkept("the archive's disk does not answer".to_owned()),
                TrySendError::Disconnected(_) => ended(),
            })?;
            written.await.map_err(|_| ended())?.map_err(Failure::Unkept)
        };
        self.archive_uses.count(answer.body.len(), in_time(kept).await)
    }

    /// Puts a large body into the store, if there is one, and its key into the response instead. What was taken down there
    /// stays in its record, which nobody keeps for long.
    pub(crate) async fn store(&self, url: &CanonicalUrl, response: &mut Response) -> Result<(), Failure> {
        let Some(store) = self.store.as_ref().filter(|_| response.body.len() > self.above_bytes) else {
            return Ok(());
        };
        if self.store_uses.count(0, in_time(is_withheld(store, url)).await)? {
            return Ok(());
        }
        let put = async {
            let put = store.put(url.registrable_domain(), url.as_str(), response.body.clone()).await;
            put.map_err(|e| Failure::Unkept(e.to_string()))
        };
        response.body_ref = self.store_uses.count(response.body.len(), in_time(put).await)?;
        response.body.clear();
        Ok(())
    }
}

/// Whether an address is marked as taken down in a place.
async fn is_withheld(marks: &Store, url: &CanonicalUrl) -> Result<bool, Failure> {
    let asked = marks.is_withheld(url.registrable_domain(), url.as_str()).await;
    asked.map_err(|e| Failure::Unkept(e.to_string()))
}

/// The store that is configured, if one is.
pub(crate) fn open_store(settings: &StoreSettings) -> Result<Option<Store>, ConfigError> {
    Ok(settings.location.as_deref().map(Store::open).transpose()?)
}

impl Uses {
    fn of(place: &'static str) -> Self {
        Self { place, is_failing: Arc::default() }
    }

    /// Counts a use that kept so many bytes, or failed, and says when the place begins to fail and when it no longer does.
    fn count<T>(&self, bytes: usize, used: Result<T, Failure>) -> Result<T, Failure> {
        let (place, labels) = (self.place, &[self.place]);
        let was_failing = self.is_failing.swap(used.is_err(), Ordering::Relaxed);
        match &used {
            Ok(_) => metrics::FETCHER_KEPT_BYTES.with_label_values(labels).inc_by(bytes as u64),
            Err(_) => metrics::FETCHER_KEEP_ERRORS.with_label_values(labels).inc(),
        }
        match &used {
            Err(failure) if !was_failing => {
                warn!(place, %failure, "pages are not kept, and fetched again later")
            }
            Ok(_) if was_failing => info!(place, "pages are kept again"),
            _ => {}
        }
        used
    }
}

async fn in_time<T>(kept: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let late = |_| Failure::Unkept(format!("not done within {} s", KEPT_WITHIN.as_secs()));
    tokio::time::timeout(KEPT_WITHIN, kept).await.map_err(late)?
}

impl Archive {
    /// Starts the thread, if an archive is configured.
    pub(crate) fn start(config: &Config, clock: &Clock) -> Result<Option<Self>, ConfigError> {
        let Some(folder) = &config.archive else { return Ok(None) };
        let instance = match config.instance.as_str() {
            "" => std::process::id().to_string(),
            named => named.to_owned(),
        };
        let mut writer = Writer::open(Settings {
            folder: folder.clone(),
            instance,
            software: concat!("wireroom/", env!("CARGO_PKG_VERSION")).to_owned(),
            max_bytes: config.archive_file_bytes,
            max_age_ms: millis(config.archive_file_age),
        })?;
        // A visit that gave up leaves its job: on a disk that hangs, they must not pile up.
        let (jobs, to_do) = sync_channel(config.max_in_flight.max(1));
        let clock = clock.clone();
        let write = move || {
            loop {
                match to_do.recv_timeout(LOOK) {
                    // The page will be fetched again.
                    Ok(Job::Write(_, done)) if done.is_closed() => {}
                    Ok(Job::Write(exchange, done)) => {
                        let written = writer.write(&exchange, clock.now_ms());
                        // Nobody listens where the visit was cut off.
                        let _ = done.send(written.map_err(|failure| failure.to_string()));
                    }
                    Err(RecvTimeoutError::Timeout) => {
                        if let Err(failure) = writer.close_if_old(clock.now_ms()) {
                            warn!(%failure, "a file of the archive stays open");
                        }
                    }
                    Ok(Job::End) | Err(RecvTimeoutError::Disconnected) => break,
                }
            }
            if let Err(failure) = writer.close() {
                warn!(%failure, "a file of the archive stays open");
            }
        };
        let thread = thread::Builder::new().name("archive".to_owned()).spawn(write)?;
        Ok(Some(Self { jobs, thread: Some(thread) }))
    }
}

impl Drop for Archive {
    fn drop(&mut self) {
        let _ = self.jobs.send(Job::End);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
