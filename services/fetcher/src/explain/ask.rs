//! How questions reach the role's loop: `/explain?url=…`, served beside /metrics. They are answered there, where the state
//! is; a stopped fetcher's folder is read as it lies.

use std::{
    path::PathBuf,
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    time::Duration,
};

use article::CanonicalUrl;
use axum::{
    Json, Router,
    extract::{Query, State},
    http::StatusCode,
    routing::get,
};
use pipeline::{Clock, LogError, embedded::Embedded};
use serde::Deserialize;
use tokio::{sync::oneshot, time::timeout};

use super::{Explanation, Facts, explain};
use crate::{
    ROLE,
    complete::as_owner,
    config::Config,
    draft::Draft,
    emit::request_of,
    frontier::{Frontier, Queue},
    role::Error,
    rules::Rules,
    sources,
};

/// Questions that wait for the role's loop; more are turned away.
const MAX_QUESTIONS: usize = 16;
/// How long an answer may take: the loop may be in a step.
const ALLOWED: Duration = Duration::from_secs(10);

/// What is asked of a running fetcher. The default is that nobody asks.
#[derive(Default)]
pub struct Questions(Option<Receiver<Question>>);

/// A question, and where its answer goes.
pub(crate) struct Question {
    pub url: CanonicalUrl,
    pub answer: oneshot::Sender<Explanation>,
}

#[derive(Deserialize)]
struct Asked {
    url: String,
}

/// What the process is to serve for those who ask, and what it will be asked. The list of `sources` is read for each
/// answer.
pub fn questions(sources: Option<PathBuf>) -> (Router, Questions) {
    let (sender, receiver) = sync_channel(MAX_QUESTIONS);
    let asking = Asking { sender, sources };
    (Router::new().route("/explain", get(ask)).with_state(asking), Questions(Some(receiver)))
}

#[derive(Clone)]
struct Asking {
    sender: SyncSender<Question>,
    sources: Option<PathBuf>,
}

impl Questions {
    /// These.
    #[cfg(test)]
    pub(crate) fn of(asked: Receiver<Question>) -> Self {
        Self(Some(asked))
    }

    /// Those that were asked since.
    pub(crate) fn asked(&self) -> Vec<Question> {
        self.0.iter().flat_map(Receiver::try_iter).take(MAX_QUESTIONS).collect()
    }
}

async fn ask(
    State(asking): State<Asking>,
    Query(asked): Query<Asked>,
) -> Result<Json<Explanation>, (StatusCode, String)> {
    let url =
        CanonicalUrl::parse(&asked.url).map_err(|cause| (StatusCode::BAD_REQUEST, format!("{cause}\n")))?;
    let unavailable = |why: &str| (StatusCode::SERVICE_UNAVAILABLE, format!("{why}; ask again\n"));
    let (answer, answered) = oneshot::channel();
    let question = Question { url: url.clone(), answer };
    asking.sender.try_send(question).map_err(|_| unavailable("too many questions wait"))?;
    let Ok(Ok(said)) = timeout(ALLOWED, answered).await else {
        return Err(unavailable("the fetcher did not answer in time"));
    };
    let unsaid = said.clone();
    let read = tokio::task::spawn_blocking(move || by_sources(said, asking.sources, &url)).await;
    Ok(Json(read.unwrap_or(unsaid)))
}

/// The answer with what the list of sources says; as it is where that cannot be read, which is told elsewhere.
fn by_sources(said: Explanation, file: Option<PathBuf>, url: &CanonicalUrl) -> Explanation {
    match file.map(|file| sources::load(&file)) {
        Some(Ok(sources)) => said.by_sources(&sources, url),
        _ => said,
    }
}

/// What a fetcher that is not running would do with `url`, by the state in its log and this configuration.
pub fn explain_stopped(log: &Embedded, config: &Config, url: &CanonicalUrl) -> Result<Explanation, Error> {
    let now_ms = Clock::system().now_ms();
    let (state, step) = log.look(&ROLE)?;
    // As one that begins now would treat it, save for the delay with which it would begin.
    let mut frontier = Frontier::load(&state, now_ms)?;
    frontier.taken_over.clear();
    let rules = Rules::new(config)?;
    let (mut draft, domain) = (Draft::new(step, &trace::Tracer::default()), url.registrable_domain());
    let queue = Queue { draft: &mut draft, frontier: &mut frontier, partition: 0, domain };
    let asker = Asker {
        rules: &rules,
        token: crawl::product_token(&config.user_agent),
        allow_private: config.allow_private,
        now_ms,
    };
    Ok(by_sources(asker.explain(&queue, url, false)?, config.sources.clone(), url))
}

/// What a question is answered with, beside the state.
pub(crate) struct Asker<'a> {
    pub rules: &'a Rules,
    pub token: &'a str,
    pub allow_private: bool,
    pub now_ms: i64,
}

impl Asker<'_> {
    /// The answer by what the queue of the URL's domain knows.
    pub(crate) fn explain(
        &self,
        queue: &Queue<'_>,
        url: &CanonicalUrl,
        is_in_flight: bool,
    ) -> Result<Explanation, LogError> {
        let mut host = queue.host()?;
        if let Some(row) = &mut host {
            row.politeness = as_owner(queue, &row.politeness, self.token, self.rules)?;
        }
        let seen = queue.seen(url.as_str())?;
        let queued = seen.sequence.map(|sequence| queue.get(sequence)).transpose()?.flatten();
        Ok(explain(&Facts {
            url,
            now_ms: self.now_ms,
            rules: self.rules,
            token: self.token,
            refused_address: crawl::refused_literal(url).filter(|_| !self.allow_private),
            is_in_flight,
            waiting: queue.waiting(),
            host,
            robots: queue
                .robots()?
                .into_iter()
                .find(|(origin, _)| origin == url.origin())
                .map(|(_, file)| file),
            queued: queued.map(|(record, ticket)| (request_of(&record), ticket)),
            seen,
        }))
    }
}
