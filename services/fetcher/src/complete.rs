//! The last step: what came of a visit, as one commit with the end of its request, or its next turn, and its host's
//! next time.

use article::CanonicalUrl;
use crawl::{Failure, Host, Outcome, Retry, Signal};
use pipeline::{LogError, Record};
use tracing::{debug, info};
use wire::{Page, QueueTicket, Request};

use crate::{
    emit::{end_without_response, page_gone, page_output, request_at, request_of, write_request},
    frontier::{HostRow, Queue},
    lists,
    rules::Rules,
    seen::Seen,
    visit::{Fetched, Found, Visit},
};

/// Requests that are given up in one step, at most; the timer fires again for the rest.
const MAX_EXPIRED_AT_ONCE: usize = 500;
/// A page that was there is gone when it was missing so many times in a row ...
const MISSES: u32 = 3;
/// ... so long apart.
const MISS_PAUSE_MS: i64 = 600_000;

/// A request whose visit has ended.
pub(crate) struct Errand<'a> {
    pub visit: &'a Visit,
    pub rules: &'a Rules,
    /// As written back when all is done.
    pub host: HostRow,
    pub record: Record,
    pub request: Request,
    pub ticket: QueueTicket,
}

/// Writes what came of a visit to the queue's host.
pub(crate) fn complete(queue: &mut Queue<'_>, visit: &Visit, rules: &Rules) -> Result<(), LogError> {
    for (origin, file) in &visit.robots {
        queue.set_robots(origin, file)?;
    }
    let signal = match &visit.found {
        Found::Failed(failure) => failure.signal(),
        _ => Signal::Answered,
    };
    let outcome = Outcome { signal, latency_ms: visit.latency_ms, crawl_delay_ms: visit.crawl_delay_ms };
    let mut host = queue.host()?.unwrap_or_default();
    host.politeness = crawl::after_fetch(&host.politeness, &outcome, visit.ended_at_ms, &rules.policy);
    if signal != Signal::Postponed {
        queue.frontier.taken_over.remove(queue.domain);
        if let Some((mut record, ticket)) = queue.get(visit.sequence)? {
            let request = request_at(&record, &visit.url);
            queue.draft.waited(visit, &ticket, &request);
            queue.draft.trace(visit, &ticket, &request, &mut record);
            let mut errand = Errand { visit, rules, host, record, request, ticket };
            errand.settle(queue)?;
            host = errand.host;
            queue.turn_ended(errand.ticket.list.is_some());
        }
    }
    queue.set_host(&host)?;
    let host = &host.politeness;
    if let (Found::Failed(failure), Some(since_ms)) = (&visit.found, host.failing_since_ms) {
        queue.host_failed(failure, host, since_ms.saturating_add(rules.retries.give_up_after_ms));
    }
    queue.schedule(host)
}

/// Gives up the host's requests that have expired, or that were given up with it.
pub(crate) fn expire(queue: &mut Queue<'_>, now_ms: i64, rules: &Rules) -> Result<(), LogError> {
    for (sequence, failure) in queue.expired(now_ms, MAX_EXPIRED_AT_ONCE) {
        if let Some((record, ticket)) = queue.get(sequence)? {
            // The host of a list may come back; a list that has expired is not wanted.
            let is_wanted = ticket.expires_at_ms.is_none_or(|at_ms| at_ms > now_ms);
            if ticket.list.is_some() && is_wanted {
                lists::put_off(queue, sequence, &ticket, &failure, now_ms, rules)?;
                continue;
            }
            let request = request_of(&record);
            leave(queue, &request.url, sequence, &ticket)?;
            if ticket.list.is_some() {
                info!(url = request.url, "the list is named no longer, and is not read again");
                continue;
            }
            give_up(queue, &record, request, &ticket, &failure, rules)?;
        }
    }
    Ok(())
}

/// The host as it is to be treated now: one that was taken over waits one full delay from then on.
pub(crate) fn as_owner(queue: &Queue<'_>, host: &Host, token: &str, rules: &Rules) -> Result<Host, LogError> {
    if !queue.frontier.taken_over.contains(queue.domain) {
        return Ok(*host);
    }
    let robots = queue.robots()?;
    let delays = robots.iter().filter_map(|(_, file)| Some(file.rules(token)?.crawl_delay_ms()));
    let assigned_at_ms = queue.frontier.assigned_at_ms;
    Ok(crawl::after_assignment(host, delays.max().unwrap_or(0), assigned_at_ms, &rules.policy))
}

impl Errand<'_> {
    fn settle(&mut self, queue: &mut Queue<'_>) -> Result<(), LogError> {
        match &self.visit.found {
            Found::Page(_) if self.is_surely_list() => {
                lists::failed(self, queue, &Failure::Unsupported("a page, not the list that is watched"))
            }
            Found::Page(fetched) => self.fetched(queue, fetched),
            Found::Unchanged if self.ticket.list.is_some() => lists::unchanged(self, queue),
            Found::Unchanged => {
                queue.draft.page("unchanged");
                let seen = queue.seen(self.url())?;
                self.next_revisit(queue, seen)
            }
            Found::List(list) if self.ticket.list.is_some() => lists::watched(self, queue, list),
            Found::List(_) if self.request.document.is_some() => {
                self.fail(queue, &Failure::Unsupported("a list of articles, not the original"))
            }
            Found::List(list) => {
                lists::read_once(self, queue, list);
                self.leave(queue)
            }
            Found::Moved { url, hops } => self.moved(queue, url, *hops),
            Found::Failed(failure) if self.ticket.list.is_some() => lists::failed(self, queue, failure),
            Found::Failed(failure) => self.fail(queue, failure),
        }
    }

    /// Whether it is a list, or was named as one: a page in its place is a notice of some kind, and no article.
    fn is_surely_list(&self) -> bool {
        let was_read = |list: &wire::ListState| list.rhythm.is_some();
        self.ticket.list.as_ref().is_some_and(|list| was_read(list) || self.request.via != "submitted")
    }

    /// The request's URL in the spelling it is known by.
    pub(crate) fn url(&self) -> &str {
        self.visit.url.as_str()
    }

    /// The page is there: it is written, unless it is the one that was there before.
    fn fetched(&mut self, queue: &mut Queue<'_>, fetched: &Fetched) -> Result<(), LogError> {
        debug!(request = self.request.request_id, status = fetched.response.status, "fetched");
        let now_ms = self.visit.ended_at_ms;
        self.host.spent.count(&self.request.source_id, now_ms);
        let before = queue.seen(self.url())?;
        if before.version.is_belied_by(&fetched.version) {
            self.host.distrusted_until_ms = crawl::distrusted_until_ms(now_ms);
        }
        let is_revisit = self.ticket.visits > 0;
        let is_same = is_revisit && before.version.is_same(&fetched.version);
        queue.draft.page(match (is_revisit, is_same) {
            (false, _) => "new",
            (true, true) => "unchanged",
            (true, false) => "changed",
        });
        if !is_same {
            let (request, response) = (Some(self.request.clone()), Some(fetched.response.clone()));
            let copy = self.rules.memento_of(self.request.first_url());
            let copy = copy.filter(|_| self.request.memento_of.is_empty());
            let memento_url = copy.map(|url| url.as_str().to_owned()).unwrap_or_default();
            let page = Page { request, response, memento_url, ..Page::default() };
            queue.draft.emit(page_output(&page, Some(&self.visit.url), &self.record.headers));
        }
        let seen = Seen { fetched_at_ms: now_ms, version: fetched.version.clone(), ..before };
        if fetched.response.final_url != self.url() {
            let known = queue.seen(&fetched.response.final_url)?;
            let target = Seen { sequence: known.sequence, ..seen.clone() };
            queue.set_seen(&fetched.response.final_url, &target)?;
        }
        self.next_revisit(queue, seen)
    }

    /// The request waits for its next revisit, or is done with.
    fn next_revisit(&mut self, queue: &mut Queue<'_>, seen: Seen) -> Result<(), LogError> {
        let now_ms = self.visit.ended_at_ms;
        let visits = self.ticket.visits.saturating_add(1);
        let first_ms = if visits == 1 { now_ms } else { self.ticket.first_fetched_at_ms };
        let is_last = self.request.document.is_some() || !self.request.memento_of.is_empty();
        let due =
            crawl::next_revisit_ms(first_ms, visits, &self.rules.revisits_ms, now_ms).filter(|_| !is_last);
        queue.set_seen(self.visit.url.as_str(), &seen)?;
        let Some(due_at_ms) = due else { return self.leave(queue) };
        let ticket = QueueTicket {
            is_backfill: self.ticket.is_backfill,
            priority: self.ticket.priority,
            due_at_ms,
            visits,
            first_fetched_at_ms: first_ms,
            ..QueueTicket::default()
        };
        queue.defer(self.visit.sequence, &self.ticket, &ticket)
    }

    /// The page is at another domain, whose politeness is not ours to spend.
    fn moved(&mut self, queue: &mut Queue<'_>, url: &CanonicalUrl, hops: u32) -> Result<(), LogError> {
        queue.draft.discovered("redirect", 1);
        let (to, via) = (url.as_str().to_owned(), "redirect".to_owned());
        let moved_from = self.request.first_url().to_owned();
        let moved = Request { url: to, hops, via, moved_from, watch: None, ..self.request.clone() };
        write_request(queue.draft, moved, url.registrable_domain(), &self.record.headers);
        if self.ticket.list.is_some() {
            return lists::moved(self, queue);
        }
        queue.draft.page("moved");
        self.leave(queue)
    }

    fn fail(&mut self, queue: &mut Queue<'_>, failure: &Failure) -> Result<(), LogError> {
        let (retries, ended_at_ms) = (&self.rules.retries, self.visit.ended_at_ms);
        let mut tried = self.ticket.clone();
        tried.attempts = self.ticket.attempts.saturating_add(u32::from(failure.is_of_url()));
        tried.last_failure = failure.to_string();
        let began_at_ms = self.host.politeness.failing_since_ms.unwrap_or(ended_at_ms);
        tried.expires_at_ms.get_or_insert(began_at_ms.saturating_add(retries.give_up_after_ms));
        let judged = crawl::retry(failure, tried.attempts, tried.expires_at_ms, ended_at_ms, retries);
        // Sites err for minutes: what was there is gone when it has been missing for a while, if there is a while.
        let again_ms = ended_at_ms.saturating_add(MISS_PAUSE_MS);
        let is_doubtful = tried.expires_at_ms.is_none_or(|at_ms| again_ms < at_ms)
            && was_there(queue, &self.request, &self.ticket)?
            && *failure == Failure::Status(404)
            && tried.attempts < retries.max_attempts.min(MISSES);
        match if is_doubtful { Retry::At(again_ms) } else { judged } {
            Retry::At(due_at_ms) => {
                // The domain's other requests have their turn first: they may be for a part of it that is well.
                let others_ms = self.host.politeness.next_at_ms.saturating_add(1);
                let is_of_host = failure.signal() != Signal::Answered;
                let due_at_ms = if is_of_host { due_at_ms.max(others_ms) } else { due_at_ms };
                queue.draft.retried();
                debug!(%failure, attempts = tried.attempts, domain = queue.domain, "fetch failed, to be tried again");
                tried.due_at_ms = due_at_ms;
                queue.defer(self.visit.sequence, &self.ticket, &tried)
            }
            Retry::GiveUp => {
                self.leave(queue)?;
                give_up(queue, &self.record, self.request.clone(), &tried, failure, self.rules)
            }
        }
    }

    /// The request is done with.
    fn leave(&self, queue: &mut Queue<'_>) -> Result<(), LogError> {
        leave(queue, self.url(), self.visit.sequence, &self.ticket)
    }
}

/// Takes a request out of the queue, for good; `url` in the one spelling.
fn leave(queue: &mut Queue<'_>, url: &str, sequence: u64, ticket: &QueueTicket) -> Result<(), LogError> {
    queue.remove(sequence, ticket)?;
    queue.unqueue(url, sequence)
}

/// Whether the page was had before, in this request's own visits or another's. A document that came along is wanted
/// whatever became of it.
fn was_there(queue: &Queue<'_>, request: &Request, ticket: &QueueTicket) -> Result<bool, LogError> {
    Ok(ticket.visits > 0 || request.document.is_none() && queue.seen(&request.url)?.fetched_at_ms > 0)
}

/// Ends a request for good: an archived copy is asked for, its document stands in, or it is a dead letter. A page that was
/// there before is gone, or merely could not be seen again.
fn give_up(
    queue: &mut Queue<'_>,
    record: &Record,
    request: Request,
    ticket: &QueueTicket,
    failure: &Failure,
    rules: &Rules,
) -> Result<(), LogError> {
    let is_gone = failure.is_gone() && was_there(queue, &request, ticket)?;
    if is_gone {
        queue.draft.page("gone");
        page_gone(queue.draft, request.clone(), failure, &record.headers);
    } else if ticket.visits > 0 {
        queue.draft.page("failed");
    }
    // Nobody waits for a revisit's answer.
    if ticket.visits > 0 {
        return Ok(());
    }
    if failure.is_gone()
        && !is_gone
        && request.memento_of.is_empty()
        && let Some(copy) = rules.memento_of(request.first_url())
    {
        queue.draft.discovered("memento", 1);
        let (memento_of, memento_because) = (request.first_url().to_owned(), "gone".to_owned());
        let (url, via) = (copy.as_str().to_owned(), "memento".to_owned());
        let asked = Request { url, memento_of, memento_because, via, hops: 0, ..request };
        write_request(queue.draft, asked, copy.registrable_domain(), &record.headers);
        return Ok(());
    }
    let cause = match (failure, ticket.last_failure.as_str()) {
        (Failure::Expired, last) if !last.is_empty() => {
            format!("it expired; the last attempt failed: {last}")
        }
        (Failure::Expired, _) => failure.to_string(),
        (_, "") => format!("its host was given up: {failure}"),
        _ => failure.to_string(),
    };
    end_without_response(queue.draft, record, request, failure.reason(), &cause, ticket.attempts);
    Ok(())
}
