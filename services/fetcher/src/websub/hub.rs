//! Asking a hub, on the network thread. robots.txt is for crawlers, and is not asked: a feed names its hub in order that it
//! be called.

use std::{sync::Arc, time::Duration};

use article::CanonicalUrl;
use crawl::Failure;
use reqwest::header::LOCATION;
use tokio::sync::Semaphore;
use tracing::{debug, warn};

use crate::{client::Client, visit::header};

/// Hubs asked at a time; the others wait.
const AT_ONCE: usize = 4;
/// How long a hub may take.
const ALLOWED: Duration = Duration::from_secs(10);
/// Redirects to another hub that are followed.
const MAX_REDIRECTS: usize = 2;

/// A wish to be told of a list. The form holds a secret.
pub(crate) struct Ask {
    pub hub: CanonicalUrl,
    pub form: String,
    /// Its URL, for people.
    pub list: String,
}

/// Asks hubs, a few at a time.
#[derive(Clone)]
pub(crate) struct Hubs {
    client: Client,
    room: Arc<Semaphore>,
}

impl Hubs {
    pub(crate) fn new(client: Client) -> Self {
        Self { client, room: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Asks once. Whether the hub agrees it says to the callback; if it does not, it is asked again after a later reading.
    pub(crate) async fn ask(self, ask: Ask) {
        let Ok(_room) = self.room.acquire().await else { return };
        let event = match self.post(&ask).await {
            Ok(200..=299) => "asked",
            Ok(status) => {
                warn!(list = ask.list, hub = ask.hub.as_str(), status, "the hub refuses to tell of the list");
                "refused"
            }
            Err(failure) => {
                warn!(list = ask.list, hub = ask.hub.as_str(), %failure, "the hub cannot be asked");
                "failed"
            }
        };
        debug!(list = ask.list, hub = ask.hub.as_str(), event, "hub asked");
        metrics::FETCHER_WEBSUB.with_label_values(&[event]).inc();
    }

    /// The status of the last answer.
    async fn post(&self, ask: &Ask) -> Result<u16, Failure> {
        let mut hub = ask.hub.clone();
        for _ in 0..=MAX_REDIRECTS {
            let answer = self.client.post(&hub, &ask.form, ALLOWED).await?;
            match (answer.status, header(&answer.headers, LOCATION).map(|location| hub.join(location))) {
                (307 | 308, Some(Ok(next))) => hub = next,
                (status, _) => return Ok(status),
            }
        }
        Err(Failure::TooManyRedirects(MAX_REDIRECTS as u32))
    }
}
