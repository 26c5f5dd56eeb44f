//! Claim check: a body is put into a store, and its key travels instead of it.

use std::{
    path::Path as FilePath,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt};
use object_store::{
    Error as Cause, ObjectStore, ObjectStoreExt, RetryConfig, aws::AmazonS3Builder, local::LocalFileSystem,
    path::Path, prefix::PrefixStore,
};
use serde::Deserialize;
use thiserror::Error;

/// Stands in every store that was ever written to. Where it is missing, so is the store: an unmounted disk, another
/// bucket. That is an outage, and must not look like a body that was deleted.
const MARKER: &str = "wireroom-bodies.txt";
const MARKER_TEXT: &[u8] = b"Bodies of fetched pages, by domain and address.\n";

/// The client's own retries; whoever asks has retries of its own.
const RETRIES: usize = 2;
const RETRY_FOR: Duration = Duration::from_secs(20);

/// The section `[store]`: where bodies go that are too large to travel in records.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// A folder, `file:///folder`, or `s3://bucket/prefix`; S3 and what speaks like it is further described by the usual
    /// variables (`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_REGION`, `AWS_ENDPOINT_URL`, `AWS_ALLOW_HTTP`
    /// ...). Without it every body travels in its record.
    pub location: Option<String>,
    /// Bodies of more bytes than this go there, as they were sent.
    pub above_bytes: usize,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self { location: None, above_bytes: 1 << 20 }
    }
}

/// Why a body cannot be put or had.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The setting names no store.
    #[error("the store {location:?} cannot be used: {cause}; write a folder, or s3://bucket/prefix")]
    Location {
        /// As given.
        location: String,
        /// What is wrong.
        cause: String,
    },
    /// Nothing that [`Store::put`] ever gave out.
    #[error("{0:?} is no key of a stored body: the record was not written by a wireroom")]
    Key(String),
    /// The store is there, the body is not.
    #[error("the body {key} is not in the store {store}: keep bodies longer than records and dead letters")]
    Missing {
        /// Its key.
        key: String,
        /// Where it was looked for.
        store: String,
    },
    /// Longer than the caller takes.
    #[error("the body {key} has {bytes} bytes, more than the {cap} that are read")]
    TooLarge {
        /// Its key.
        key: String,
        /// Its length.
        bytes: u64,
        /// The caller's limit.
        cap: usize,
    },
    /// Its hash is another.
    #[error("the body {key} is not what was stored under this key: the store has damaged it")]
    Damaged {
        /// Its key.
        key: String,
    },
    /// The store does not answer, or refuses us. Try again.
    #[error("the store {store} cannot be used now: {cause}")]
    Unavailable {
        /// Which.
        store: String,
        /// What it said.
        cause: String,
    },
}

impl StoreError {
    /// Whether trying again may help: an outage, or a permission that somebody will have to grant.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// A store of bodies. Cheap to clone. Used within a tokio runtime.
#[derive(Debug, Clone)]
pub struct Store {
    objects: Arc<dyn ObjectStore>,
    location: Arc<str>,
    is_marked: Arc<AtomicBool>,
}

impl Store {
    /// The store at a [location](StoreSettings::location). A folder is made where it is missing; S3 is not asked yet.
    pub fn open(location: &str) -> Result<Self, StoreError> {
        let failed = |cause: String| StoreError::Location { location: location.to_owned(), cause };
        match location.split_once("://") {
            Some(("s3", _)) => Self::on_s3(location, AmazonS3Builder::from_env()),
            Some(("file", folder)) if folder.starts_with('/') => Self::in_folder(FilePath::new(folder)),
            None if !location.is_empty() => Self::in_folder(FilePath::new(location)),
            _ => Err(failed("neither a folder nor s3://".to_owned())),
        }
    }

    /// The store in a folder, which is made where it is missing.
    pub fn in_folder(folder: &FilePath) -> Result<Self, StoreError> {
        let location = folder.display().to_string();
        let failed = |cause: String| StoreError::Location { location: location.clone(), cause };
        std::fs::create_dir_all(folder).map_err(|cause| failed(cause.to_string()))?;
        let objects = LocalFileSystem::new_with_prefix(folder).map_err(|cause| failed(cause.to_string()))?;
        // A body must last as long as the record that names it, through a power loss, too.
        Ok(Self::of(objects.with_fsync(true), &location))
    }

    fn on_s3(location: &str, builder: AmazonS3Builder) -> Result<Self, StoreError> {
        let failed = |cause: String| StoreError::Location { location: location.to_owned(), cause };
        let retries =
            RetryConfig { max_retries: RETRIES, retry_timeout: RETRY_FOR, ..RetryConfig::default() };
        let objects = builder.with_url(location).with_retry(retries).build();
        let objects = objects.map_err(|cause| failed(cause.to_string()))?;
        let prefix = location.splitn(4, '/').nth(3).unwrap_or_default();
        let prefix = Path::parse(prefix.trim_end_matches('/')).map_err(|cause| failed(cause.to_string()))?;
        Ok(Self::of(PrefixStore::new(objects, prefix), location))
    }

    fn of(objects: impl ObjectStore, location: &str) -> Self {
        Self { objects: Arc::new(objects), location: location.into(), is_marked: Arc::default() }
    }

    /// Stores the body that an address of a domain answered with. Its key is made of all three, so that bodies can be
    /// found by where they came from, and the same one is kept once for an address; storing it again makes it young again,
    /// for stores that delete what is old.
    pub async fn put(&self, domain: &str, url: &str, body: Bytes) -> Result<String, StoreError> {
        if !self.is_marked.load(Ordering::Relaxed) {
            let marker = Bytes::from_static(MARKER_TEXT);
            self.objects.put(&Path::from(MARKER), marker.into()).await.map_err(|e| self.unavailable(&e))?;
            self.is_marked.store(true, Ordering::Relaxed);
        }
        let key = format!("{}/{}", folder_of(domain, Some(url)), blake3::hash(&body).to_hex());
        self.objects.put(&path(&key)?, body.into()).await.map_err(|e| self.unavailable(&e))?;
        Ok(key)
    }

    /// The body of a key that [`put`](Self::put) gave, if it has at most `cap` bytes.
    pub async fn get(&self, key: &str, cap: usize) -> Result<Bytes, StoreError> {
        let found = match self.objects.get(&path(key)?).await {
            Ok(found) => found,
            Err(Cause::NotFound { .. }) => {
                self.check().await?;
                return Err(StoreError::Missing { key: key.to_owned(), store: self.location.to_string() });
            }
            Err(cause) => return Err(self.unavailable(&cause)),
        };
        let bytes = found.meta.size;
        if bytes > cap as u64 {
            return Err(StoreError::TooLarge { key: key.to_owned(), bytes, cap });
        }
        let body = found.bytes().await.map_err(|e| self.unavailable(&e))?;
        if !key.ends_with(blake3::hash(&body).to_hex().as_str()) {
            return Err(StoreError::Damaged { key: key.to_owned() });
        }
        Ok(body)
    }

    /// Deletes every body of a domain, or of one address of it; tells how many there were. What is deleted while it is put
    /// may stay: to be sure, erase again.
    pub async fn erase(&self, domain: &str, url: Option<&str>) -> Result<u64, StoreError> {
        // Where nothing was ever put, what is looked for is elsewhere.
        self.check().await?;
        let mut erased = 0;
        for folder in folders_of(domain, url) {
            let found = self.objects.list(Some(&Path::from(folder))).map_ok(|object| object.location).boxed();
            let deleted = self.objects.delete_stream(found).try_fold(0, async |count, _| Ok(count + 1)).await;
            erased += deleted.map_err(|e| self.unavailable(&e))?;
        }
        Ok(erased)
    }

    /// Whether a body was ever put here.
    async fn check(&self) -> Result<(), StoreError> {
        match self.objects.head(&Path::from(MARKER)).await {
            Ok(_) => Ok(()),
            Err(Cause::NotFound { .. }) => Err(StoreError::Unavailable {
                store: self.location.to_string(),
                cause: format!(
                    "it has no {MARKER}, so no body was ever put here; is it mounted, and the same as the fetcher's?"
                ),
            }),
            Err(cause) => Err(self.unavailable(&cause)),
        }
    }

    fn unavailable(&self, cause: &Cause) -> StoreError {
        StoreError::Unavailable { store: self.location.to_string(), cause: cause.to_string() }
    }
}

/// Where the bodies of a domain are, or those of one of its addresses under both schemes, as an article has it.
fn folders_of(domain: &str, url: Option<&str>) -> Vec<String> {
    let Some((_, rest)) = url.and_then(|url| url.split_once("://")) else {
        return vec![folder_of(domain, url)];
    };
    ["https", "http"].map(|scheme| folder_of(domain, Some(&format!("{scheme}://{rest}")))).into()
}

/// Where the bodies of a domain are, or those of one of its addresses: a folder of millions of files serves nobody, so
/// that there is one more in between.
fn folder_of(domain: &str, url: Option<&str>) -> String {
    // Of an address literal ([::1]) not every character may be in a path.
    let domain = domain.replace(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '.' | '-'), "_");
    match url.map(|url| blake3::hash(url.as_bytes()).to_hex()) {
        Some(hash) => format!("{domain}/{}/{hash}", &hash[..2]),
        None => domain,
    }
}

fn path(key: &str) -> Result<Path, StoreError> {
    let is_hash = |part: &str, digits: usize| {
        part.len() == digits && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    };
    let is_domain = |part: &str| !matches!(part, "" | "." | "..");
    match key.split('/').collect::<Vec<_>>()[..] {
        [domain, upper, url, body]
            if is_domain(domain) && is_hash(upper, 2) && is_hash(url, 64) && is_hash(body, 64) =>
        {
            Path::parse(key).map_err(|_| StoreError::Key(key.to_owned()))
        }
        _ => Err(StoreError::Key(key.to_owned())),
    }
}

mod withheld;

#[cfg(test)]
mod tests;
