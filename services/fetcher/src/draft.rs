//! A step in the making, and what is to be counted once it has happened.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use pipeline::{DeadLetter, Output, Record, Settings, Step};
use trace::{Span, Tracer};
use wire::{QueueTicket, Request};

use crate::{
    visit::{Found, Visit},
    websub::hub::Ask,
};

/// A step, written to through this, so that what it does is counted, and only if it is done.
pub(crate) struct Draft {
    pub step: Step,
    /// What hubs are to be asked once it has happened.
    pub asks: Vec<Ask>,
    tracer: Tracer,
    tally: Tally,
}

/// What a step did.
#[derive(Default)]
pub(crate) struct Tally {
    produced: u64,
    dead_letters: Vec<DeadLetter>,
    retries: u64,
    known: u64,
    pages: BTreeMap<&'static str, u64>,
    lists: BTreeMap<&'static str, u64>,
    discovered: BTreeMap<&'static str, u64>,
    waits_ms: Vec<i64>,
    visits: Vec<Visited>,
}

/// A visit that is traced.
struct Visited {
    span: Span,
    ended_at: SystemTime,
    failure: Option<&'static str>,
    latency_ms: u32,
}

impl Draft {
    pub(crate) fn new(step: Step, tracer: &Tracer) -> Self {
        Self { step, asks: Vec::new(), tracer: tracer.clone(), tally: Tally::default() }
    }

    /// The step, to be committed, and its tally, to be counted then.
    pub(crate) fn finish(self) -> (Step, Tally) {
        (self.step, self.tally)
    }

    /// Writes a record.
    pub(crate) fn emit(&mut self, output: Output) {
        self.tally.produced += 1;
        self.step.emit(output);
    }

    /// Gives up on an input.
    pub(crate) fn dead_letter(&mut self, letter: DeadLetter) {
        self.tally.dead_letters.push(letter.clone());
        self.step.dead_letter(letter);
    }

    /// A page was visited for the request in `record`, whose `traceparent` then names the visit. Lists are not traced:
    /// what is found in one has a way of its own.
    pub(crate) fn trace(
        &mut self,
        visit: &Visit,
        ticket: &QueueTicket,
        request: &Request,
        record: &mut Record,
    ) {
        if ticket.list.is_some() || matches!(visit.found, Found::List(_)) {
            return;
        }
        let subject = format!("{} {}", request.request_id, ticket.visits);
        let Some(span) = self.tracer.begin_trace("fetch", &subject, ticket.attempts, &mut record.headers)
        else {
            return;
        };
        let at = |ms: i64| SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(ms).unwrap_or(0));
        let failure = match &visit.found {
            Found::Failed(failure) => Some(failure.reason()),
            _ => None,
        };
        let span = span
            .since(at(visit.ended_at_ms - i64::from(visit.latency_ms)))
            .with("url.full", visit.url.as_str().to_owned())
            .with("server.address", visit.url.host().to_owned())
            .with("wireroom.request_id", request.request_id.clone());
        let (ended_at, latency_ms) = (at(visit.ended_at_ms), visit.latency_ms);
        self.tally.visits.push(Visited { span, ended_at, failure, latency_ms });
    }

    /// The page of a request was asked for. What counts is the first time: how long the request had waited.
    pub(crate) fn waited(&mut self, visit: &Visit, ticket: &QueueTicket, request: &Request) {
        if ticket.attempts == 0 && ticket.visits == 0 && ticket.list.is_none() && request.seen_at_ms > 0 {
            self.tally.waits_ms.push(visit.ended_at_ms.saturating_sub(request.seen_at_ms).max(0));
        }
    }

    /// An attempt failed and will be repeated.
    pub(crate) fn retried(&mut self) {
        self.tally.retries += 1;
    }

    /// A request was not needed.
    pub(crate) fn known(&mut self) {
        self.tally.known += 1;
    }

    /// A page was asked for, with this outcome.
    pub(crate) fn page(&mut self, outcome: &'static str) {
        *self.tally.pages.entry(outcome).or_default() += 1;
    }

    /// A list was read, with this outcome.
    pub(crate) fn list(&mut self, outcome: &'static str) {
        *self.tally.lists.entry(outcome).or_default() += 1;
    }

    /// Addresses were found and are requested.
    pub(crate) fn discovered(&mut self, via: &'static str, addresses: usize) {
        *self.tally.discovered.entry(via).or_default() += addresses as u64;
    }
}

impl Tally {
    /// Counts it, and tells what was traced: the step has happened.
    pub(crate) fn count(self, settings: &Settings) {
        let role = &settings.metrics;
        role.produced.inc_by(self.produced);
        role.count_dead_letters(&self.dead_letters);
        metrics::FETCHER_RETRIES.inc_by(self.retries);
        metrics::FETCHER_KNOWN.inc_by(self.known);
        for (outcome, pages) in &self.pages {
            metrics::FETCHER_PAGES.with_label_values(&[*outcome]).inc_by(*pages);
        }
        for (outcome, lists) in &self.lists {
            metrics::FETCHER_LISTS_READ.with_label_values(&[*outcome]).inc_by(*lists);
        }
        for (via, addresses) in &self.discovered {
            metrics::FETCHER_DISCOVERED.with_label_values(&[*via]).inc_by(*addresses);
        }
        for wait_ms in &self.waits_ms {
            metrics::FETCHER_WAIT_SECONDS.observe(*wait_ms as f64 / 1000.0);
        }
        for Visited { span, ended_at, failure, latency_ms } in self.visits {
            let latency_s = f64::from(latency_ms) / 1000.0;
            metrics::exemplify(&*metrics::FETCHER_FETCH_SECONDS, &[], latency_s, Some(span.trace_id()));
            settings.tracer.end(span, ended_at, failure);
        }
    }
}
