//! The role's loop. It is the fetcher's own, because a fetch outlasts a step: the log goes on being polled, and other
//! hosts go on being asked, while it is under way.

use std::{
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use article::CanonicalUrl;
use crawl::{Failure, Lane, RobotsFile, Validators};
use pipeline::{Clock, DeadLetter, Inputs, Limits, Log, LogError, Role, Settings, Timer};
use thiserror::Error;
use wire::{QueueTicket, Request};

use crate::{
    accept,
    client::Client,
    complete::{as_owner, complete, expire},
    config::{Config, ConfigError},
    draft::Draft,
    emit::{end_without_response, request_and_url},
    explain::{
        ask::{Asker, Question, Questions},
        quota,
    },
    frontier::{Frontier, HostRow, Queue},
    keep::{Archive, Keep},
    lists::CAUSES,
    network::Network,
    rules::Rules,
    seen::{SWEEP, sweep},
    sources::Watcher,
    visit::{Job, Visit, Visitor},
    websub::{callback::Hints, hub::Ask},
};

/// The fetcher's place in the flow.
pub const ROLE: Role = Role {
    name: "fetcher",
    input: "requests",
    dead_letters: "deadletters.fetcher",
    state_version: Some(1),
    numbered: &[],
};

/// How soon what came of a visit is seen: the wait of a poll while any is under way.
const WHILE_IN_FLIGHT: Duration = Duration::from_millis(5);
/// What one step writes, in bytes, give or take one visit.
const MAX_STEP_BYTES: usize = 32 << 20;
/// Requests of a host that are put off to the next day in one step, at most; the timer fires again for the rest.
const MAX_PUT_OFF: usize = 100;
/// What a visit gets to know of robots.txt beside that of its own URL, in bytes.
const MAX_OTHER_ROBOTS_BYTES: usize = 1 << 20;

/// Why the fetcher ended.
#[derive(Debug, Error)]
pub enum Error {
    /// A setting cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The log failed for good.
    #[error(transparent)]
    Log(#[from] LogError),
}

/// Runs the fetcher until shutdown is requested, or until the log fails for good. What is under way then is cut off:
/// its request is still in the frontier. `hints` are what hubs say meanwhile.
pub fn run(
    log: &mut dyn Log,
    config: &Config,
    clock: &Clock,
    settings: &Settings,
    hints: Hints,
    questions: Questions,
) -> Result<(), Error> {
    let client = Client::new(config)?;
    // Dropped after all that writes to it: then its last file is complete.
    let archive = Archive::start(config, clock)?;
    let keep = Keep::open(config, archive.as_ref())?;
    let network = Network::start(Visitor::new(client, keep, clock.clone(), config))?;
    let mut fetcher = Fetcher::new(config, clock.clone(), settings.clone(), network, hints)?;
    fetcher.questions = questions;
    Ok(pipeline::repeat(log, settings, |log| fetcher.turn(log))?)
}

/// Where visits are made.
pub(crate) trait Fetch {
    /// Begins one. What comes of it is there to be had later.
    fn start(&mut self, job: Job);
    /// What came of one, if any has ended.
    fn ended(&mut self) -> Option<Visit>;
    /// Asks a hub.
    fn ask(&mut self, ask: Ask);
    /// Cuts off the visit with this id.
    fn cancel(&mut self, id: u64);
}

/// The loop's memory. Everything that must last is in the log's state.
pub(crate) struct Fetcher<F> {
    pub(crate) fetch: F,
    clock: Clock,
    settings: Settings,
    rules: Rules,
    token: String,
    max_in_flight: usize,
    max_queued: u64,
    is_full: bool,
    last_id: u64,
    /// Hosts being asked, and those whose visit is not committed yet: the id of the visit.
    in_flight: HashMap<(i32, String), u64>,
    /// Visits that ended and are not committed yet.
    ended: Vec<Visit>,
    frontiers: HashMap<i32, Frontier>,
    sources: Option<Watcher>,
    hints: Hints,
    questions: Questions,
    allow_private: bool,
}

/// A step in the making, and the visits to begin when it is committed.
struct Round {
    draft: Draft,
    jobs: Vec<Job>,
}

impl<F: Fetch> Fetcher<F> {
    pub(crate) fn new(
        config: &Config,
        clock: Clock,
        settings: Settings,
        fetch: F,
        hints: Hints,
    ) -> Result<Self, ConfigError> {
        metrics::FETCHER_MAX_IN_FLIGHT.set(gauge(config.max_in_flight.max(1) as u64));
        metrics::FETCHER_MAX_IN_FLIGHT_BYTES.set(gauge(config.max_in_flight_bytes as u64));
        metrics::FETCHER_MAX_QUEUED.set(gauge(config.max_queued));
        Ok(Self {
            fetch,
            clock,
            settings,
            rules: Rules::new(config)?,
            token: crawl::product_token(&config.user_agent).to_owned(),
            max_in_flight: config.max_in_flight.max(1),
            max_queued: config.max_queued,
            is_full: false,
            last_id: 0,
            in_flight: HashMap::new(),
            ended: Vec::new(),
            frontiers: HashMap::new(),
            sources: config.sources.as_deref().map(Watcher::new),
            hints,
            questions: Questions::default(),
            allow_private: config.allow_private,
        })
    }

    /// One round: polls, works, commits one step, and starts the visits whose turn it is.
    pub(crate) fn turn(&mut self, log: &mut dyn Log) -> Result<(), LogError> {
        self.gather();
        let limits = self.limits();
        let inputs = log.poll(limits, self.wait())?;
        if limits.timers > 0 {
            tell_lateness(&inputs.timers, self.clock.now_ms());
        }
        self.settings.progress.set_ready(log.is_settled());
        inputs.revoked.iter().for_each(|partition| self.revoked(*partition));
        for partition in &inputs.assigned {
            self.assigned(log, *partition)?;
        }
        // After all of them: between a loss and a gain, as when a step did not happen, nothing would seem to be queued.
        if !(inputs.revoked.is_empty() && inputs.assigned.is_empty()) {
            self.tell();
        }
        if let Some(sources) = &mut self.sources {
            sources.look(log, self.clock.now_ms())?;
        }
        self.gather();
        let is_idle = inputs.is_empty() && self.in_flight.is_empty();
        let is_idle = is_idle && self.settings.progress.is_watched() && log.is_at_end()?;
        self.settings.progress.polled(is_idle);
        let mut round = Round { draft: Draft::new(log.step(), &self.settings.tracer), jobs: Vec::new() };
        for partition in inputs.assigned.iter().filter(|partition| self.frontiers.contains_key(partition)) {
            if round.draft.step.timer(*partition, SWEEP)?.is_none() {
                round.draft.step.set_timer(*partition, SWEEP, self.clock.now_ms())?;
            }
        }
        self.work(&inputs, &mut round)?;
        if let Some(sources) = &mut self.sources {
            sources.write(&mut round.draft, self.clock.now_ms())?;
        }
        if !self.frontiers.is_empty() {
            self.hints.write(&mut round.draft);
        }
        let asks = std::mem::take(&mut round.draft.asks);
        let (step, tally) = round.draft.finish();
        let is_step = !step.is_empty();
        log.commit(step)?;
        self.settings.metrics.consumed.inc_by(inputs.records.len() as u64);
        tally.count(&self.settings);
        // Before what is pending is told: who sees nothing pending has to see that something moved.
        if is_step {
            self.settings.progress.committed(inputs.records.len());
        }
        asks.into_iter().for_each(|ask| self.fetch.ask(ask));
        self.refill(log)?;
        self.committed(round.jobs);
        self.answer(log)
    }

    /// Has hosts with very many requests know of the next of them.
    fn refill(&mut self, log: &dyn Log) -> Result<(), LogError> {
        let mut short = self.frontiers.iter_mut().filter(|(_, frontier)| frontier.is_short());
        short.try_for_each(|(partition, frontier)| match log.state(*partition) {
            Some(state) => frontier.refill(&state),
            None => Ok(()),
        })
    }

    /// Answers what was asked meanwhile, from the state as it is.
    fn answer(&mut self, log: &dyn Log) -> Result<(), LogError> {
        let now_ms = self.clock.now_ms();
        for Question { url, answer } in self.questions.asked() {
            let domain = url.registrable_domain();
            let mut draft = Draft::new(log.step(), &self.settings.tracer);
            // Which partition a domain is in is the producer's to say: it is the one that knows it, if one does.
            let mut said = None;
            for (&partition, frontier) in &mut self.frontiers {
                let is_in_flight = self.in_flight.contains_key(&(partition, domain.to_owned()));
                let queue = Queue { draft: &mut draft, frontier, partition, domain };
                if said.is_none() || queue.host()?.is_some() {
                    let (rules, token, allow_private) = (&self.rules, &*self.token, self.allow_private);
                    let asker = Asker { rules, token, allow_private, now_ms };
                    said = Some(asker.explain(&queue, &url, is_in_flight)?);
                }
            }
            // Whoever does not wait any longer needs no answer; without partitions there is none.
            if let Some(said) = said {
                let _ = answer.send(said);
            }
        }
        Ok(())
    }

    /// What ended and is still wanted.
    fn gather(&mut self) {
        while self.ended.iter().map(Visit::bytes).sum::<usize>() < MAX_STEP_BYTES {
            let Some(visit) = self.fetch.ended() else { break };
            if self.in_flight.get(&(visit.partition, visit.domain.clone())) == Some(&visit.id) {
                self.ended.push(visit);
            }
        }
    }

    fn limits(&self) -> Limits {
        let limits = self.settings.limits;
        let free = self.max_in_flight.saturating_sub(self.in_flight.len());
        Limits {
            records: if self.is_full { 0 } else { limits.records },
            timers: free.min(limits.timers),
            ..limits
        }
    }

    fn wait(&self) -> Duration {
        let has_more = !self.ended.is_empty() || self.sources.as_ref().is_some_and(Watcher::has_more);
        match (!has_more, self.in_flight.is_empty()) {
            (false, _) => Duration::ZERO,
            (true, false) => self.settings.wait.min(WHILE_IN_FLIGHT),
            (true, true) => self.settings.wait,
        }
    }

    fn revoked(&mut self, partition: i32) {
        let (lost, kept) =
            std::mem::take(&mut self.in_flight).into_iter().partition(|((p, _), _)| *p == partition);
        self.in_flight = kept;
        let lost: HashMap<(i32, String), u64> = lost;
        lost.into_values().for_each(|id| self.fetch.cancel(id));
        self.ended.retain(|visit| visit.partition != partition);
        self.frontiers.remove(&partition);
        if let Some(sources) = &mut self.sources {
            sources.forget(partition);
        }
    }

    fn assigned(&mut self, log: &dyn Log, partition: i32) -> Result<(), LogError> {
        let Some(state) = log.state(partition) else { return Ok(()) };
        self.frontiers.insert(partition, Frontier::load(&state, self.clock.now_ms())?);
        Ok(())
    }

    fn work(&mut self, inputs: &Inputs, round: &mut Round) -> Result<(), LogError> {
        if inputs.records.is_empty() && inputs.timers.is_empty() && self.ended.is_empty() {
            return Ok(());
        }
        let started = self.settings.metrics.processing_seconds.start_timer();
        let now_ms = self.clock.now_ms();
        for visit in &self.ended {
            let frontier = held(&mut self.frontiers, visit.partition)?;
            let (draft, partition) = (&mut round.draft, visit.partition);
            let mut queue = Queue { draft, frontier, partition, domain: &visit.domain };
            complete(&mut queue, visit, &self.rules)?;
        }
        for record in &inputs.records {
            let accepted = catch_unwind(AssertUnwindSafe(|| accept::read(record)));
            let frontier = held(&mut self.frontiers, record.origin.partition)?;
            match accepted {
                Ok(accepted) => {
                    accept::accept(&mut round.draft, frontier, record, accepted, now_ms, &self.rules)?;
                }
                Err(_) => {
                    round.draft.step.take(&record.origin);
                    let letter = DeadLetter::of(record, "panic", "the fetcher panicked on this record");
                    round.draft.dead_letter(letter);
                }
            }
        }
        inputs.timers.iter().try_for_each(|timer| self.due(timer, now_ms, round))?;
        started.observe_duration();
        Ok(())
    }

    /// A host's timer fired: what has expired is given up, and if it may be asked now, it will be.
    fn due(&mut self, timer: &Timer, now_ms: i64, round: &mut Round) -> Result<(), LogError> {
        let partition = timer.partition;
        if timer.key == SWEEP {
            let before_ms = now_ms.saturating_sub(self.rules.remembered_for_ms);
            return sweep(&mut round.draft.step, partition, now_ms, before_ms);
        }
        let domain = String::from_utf8_lossy(&timer.key).into_owned();
        // The end of its visit will set the timer anew.
        if self.in_flight.contains_key(&(partition, domain.clone())) {
            return Ok(());
        }
        let frontier = held(&mut self.frontiers, partition)?;
        let mut queue = Queue { draft: &mut round.draft, frontier, partition, domain: &domain };
        expire(&mut queue, now_ms, &self.rules)?;
        let row = queue.host()?.unwrap_or_default();
        let host = as_owner(&queue, &row.politeness, &self.token, &self.rules)?;
        if host.next_at_ms > now_ms {
            return queue.schedule(&host);
        }
        let Some((sequence, request, url, ticket)) = next(&mut queue, &row, now_ms, &self.rules)? else {
            return queue.schedule(&host);
        };
        self.last_id += 1;
        let give_up_at_ms = now_ms.saturating_add(self.rules.retries.give_up_after_ms);
        let ends_at_ms = ticket.expires_at_ms.unwrap_or(give_up_at_ms);
        round.jobs.push(Job {
            id: self.last_id,
            sequence,
            hops: request.hops,
            depth: request.depth,
            robots: at_hand(queue.robots()?, &url),
            allowed: Duration::from_millis(ends_at_ms.saturating_sub(now_ms).max(0) as u64),
            known: known(&queue, &row, &url, &ticket, now_ms)?,
            is_section: request.watch.is_some_and(|watch| watch.is_section),
            request: Request { document: None, ..request },
            partition,
            domain,
            url,
        });
        Ok(())
    }

    /// The step happened.
    fn committed(&mut self, jobs: Vec<Job>) {
        for visit in self.ended.drain(..) {
            self.in_flight.remove(&(visit.partition, visit.domain));
        }
        for job in jobs {
            self.in_flight.insert((job.partition, job.domain.clone()), job.id);
            self.fetch.start(job);
        }
        self.tell();
    }

    /// Tells how much is queued, and stops taking more in or begins again.
    fn tell(&mut self) {
        let of_lane = |lane| self.frontiers.values().map(|frontier| frontier.queued(lane)).sum();
        let [live, backfill]: [u64; 2] = [Lane::Live, Lane::Backfill].map(of_lane);
        let queued = live + backfill;
        let held = queued.saturating_sub(self.frontiers.values().map(Frontier::left_out).sum());
        self.is_full = held >= if self.is_full { self.max_queued / 10 * 9 } else { self.max_queued };
        metrics::FETCHER_QUEUED.set(gauge(held));
        self.settings.progress.set_pending(queued);
        for (lane, depth) in [("live", live), ("backfill", backfill)] {
            metrics::FETCHER_FRONTIER_DEPTH.with_label_values(&[lane]).set(gauge(depth));
        }
        let (hosts, failing) = self.frontiers.values().map(Frontier::hosts).unzip::<_, _, Vec<_>, Vec<_>>();
        metrics::FETCHER_HOSTS.set(hosts.iter().sum::<usize>() as i64);
        metrics::FETCHER_FAILING_HOSTS.set(failing.iter().sum::<usize>() as i64);
        metrics::FETCHER_IN_FLIGHT.set(self.in_flight.len() as i64);
        let mut silent = CAUSES.map(|cause| (cause, 0));
        for trouble in self.frontiers.values().flat_map(Frontier::troubles) {
            silent.iter_mut().filter(|(cause, _)| *cause == trouble).for_each(|(_, lists)| *lists += 1);
        }
        silent.iter().for_each(|(cause, lists)| {
            metrics::FETCHER_SILENT_LISTS.with_label_values(&[*cause]).set(*lists)
        });
    }
}

/// Tells how late these turns are. What is due at no certain time, new hosts above all, goes before them.
fn gauge(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn tell_lateness(timers: &[Timer], now_ms: i64) {
    let late_ms = timers.iter().filter(|timer| timer.due_at_ms > 0).map(|timer| now_ms - timer.due_at_ms);
    metrics::FETCHER_DUE_LAG_SECONDS.set(late_ms.max().unwrap_or(0).max(0) / 1000);
}

/// The request whose turn it is. Articles beyond their source's quota are put off to the next day.
fn next(
    queue: &mut Queue<'_>,
    host: &HostRow,
    now_ms: i64,
    rules: &Rules,
) -> Result<Option<(u64, Request, CanonicalUrl, QueueTicket)>, LogError> {
    for _ in 0..MAX_PUT_OFF {
        let Some(sequence) = queue.head(now_ms) else { return Ok(None) };
        let Some((record, ticket)) = queue.get(sequence)? else { return Ok(None) };
        let (request, url) = request_and_url(&record);
        let url = match url {
            Ok(url) => url,
            Err(error) => {
                // It was parsed when it was taken in: another version has changed its mind.
                queue.remove(sequence, &ticket)?;
                let reason = Failure::BadRequest(String::new()).reason();
                end_without_response(queue.draft, &record, request, reason, &error.to_string(), 0);
                continue;
            }
        };
        let put_off = host.spent.wait_until_ms(&request.source_id, quota(&request, rules), now_ms);
        match put_off.filter(|_| ticket.list.is_none()) {
            None => {
                queue.keep_at_hand(sequence, record, ticket.clone());
                return Ok(Some((sequence, request, url, ticket)));
            }
            Some(due_at_ms) => {
                queue.defer(sequence, &ticket, &QueueTicket { due_at_ms, ..ticket.clone() })?
            }
        }
    }
    Ok(None)
}

/// By what the server can tell that nothing has changed: empty where there is nothing yet, where it has shown that it
/// cannot tell, and now and then, to let it show that.
fn known(
    queue: &Queue<'_>,
    host: &HostRow,
    url: &CanonicalUrl,
    ticket: &QueueTicket,
    now_ms: i64,
) -> Result<Validators, LogError> {
    if host.distrusted_until_ms > now_ms {
        return Ok(Validators::default());
    }
    match &ticket.list {
        Some(list) => Ok(crate::lists::validators(list, now_ms)),
        None if ticket.visits > 1 => Ok(queue.seen(url.as_str())?.version.validators),
        None => Ok(Validators::default()),
    }
}

/// What of a domain's robots.txt a visit to `url` gets to know: many hosts are visited at a time.
fn at_hand(mut robots: Vec<(String, RobotsFile)>, url: &CanonicalUrl) -> Vec<(String, RobotsFile)> {
    let mut room = MAX_OTHER_ROBOTS_BYTES;
    robots.retain(|(origin, file)| {
        let left = room.checked_sub(file.text.len());
        let is_own = origin == url.origin();
        room = left.filter(|_| !is_own).unwrap_or(room);
        is_own || left.is_some()
    });
    robots
}

fn held(frontiers: &mut HashMap<i32, Frontier>, partition: i32) -> Result<&mut Frontier, LogError> {
    frontiers.get_mut(&partition).ok_or(LogError::NotAssigned { partition })
}

#[cfg(test)]
mod tests;
