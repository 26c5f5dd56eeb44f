//! The frontier: what is wanted of every host (registrable domain), as rows of a partition's state, and in memory the
//! order in which it is wanted.
//!
//! | row | value |
//! |---|---|
//! | `h` domain | the host's politeness, and what was fetched today ([`HostState`]) |
//! | `o` domain 0 origin | the robots.txt of an origin ([`RobotsState`]) |
//! | `r` domain 0 sequence | a request's [`QueuedRecord`], as it came: written once |
//! | `t` domain 0 sequence | its [`QueueTicket`]: its turn, and what befell it |
//! | `s` hash of a URL | when it was last fetched, and where it is queued ([`crate::seen`]) |
//! | `c` hash of a URL | in partition 0: a list that the sources have asked to be watched ([`crate::sources`]) |
//!
//! and a timer, named by the domain, at the earliest moment at which something can be done for it. The sequence of a
//! request is the offset of its record: unique, in order of arrival, and the way back for a dead letter.
//!
//! Most requests leave with their page. Lists that are watched and pages that are revisited stay, and get another turn.
//!
//! The order is derived from the tickets when a partition is assigned. It is changed together with a step, before the
//! step is committed: a step that did not happen ends the assignment, and with it this memory.

use std::{
    cell::RefCell,
    cmp::Reverse,
    collections::{BTreeMap, HashMap, HashSet},
};

use bytes::Bytes;
use crawl::{Availability, Failure, Host, HostQueue, Lane, Place, RobotsFile, Spent, Turn};
use pipeline::{LogError, Origin, Record, State};
use prost::Message;
use wire::{HostState, QueueTicket, QueuedRecord, RecordHeader, RobotsState};

use crate::{at_hand::AtHand, draft::Draft};

const HOST: u8 = b'h';
const ROBOTS: u8 = b'o';
const RECORD: u8 = b'r';
const TICKET: u8 = b't';

/// Origins of a domain whose robots.txt is kept.
const MAX_ORIGINS: usize = 32;

/// What is kept in memory of a partition held.
pub(crate) struct Frontier {
    /// When it was gained.
    pub assigned_at_ms: i64,
    /// Hosts from before that were not asked since: the last owner may have asked them this instant.
    pub taken_over: HashSet<String>,
    hosts: HashMap<String, HostQueue>,
    queued: BTreeMap<Lane, u64>,
    /// How many requests their hosts' queues leave out.
    left_out: usize,
    /// Hosts whose queues want more.
    short: HashSet<String>,
    /// Those that failed when last asked.
    failing: HashSet<String>,
    /// Lists from which nothing comes against their rhythm: their sequence, and why.
    troubled: HashMap<u64, String>,
    at_hand: RefCell<AtHand>,
}

/// A host's row.
#[derive(Debug, Clone, Default)]
pub(crate) struct HostRow {
    pub politeness: Host,
    /// Fetched today.
    pub spent: Spent,
    /// Until then nothing is asked for conditionally.
    pub distrusted_until_ms: i64,
}

impl Frontier {
    /// The frontier of a partition gained at `assigned_at_ms`.
    pub(crate) fn load(state: &State, assigned_at_ms: i64) -> Result<Self, LogError> {
        let mut frontier = Self {
            assigned_at_ms,
            taken_over: HashSet::new(),
            hosts: HashMap::new(),
            queued: BTreeMap::new(),
            left_out: 0,
            short: HashSet::new(),
            failing: HashSet::new(),
            troubled: HashMap::new(),
            at_hand: RefCell::default(),
        };
        for row in state.scan(&[HOST]) {
            let (key, value) = row?;
            let domain = text(key.get(1..));
            frontier.tell_host(&domain, decoded::<HostState>(&value)?.failing_since_ms.is_some());
            frontier.taken_over.insert(domain);
        }
        for row in state.scan(&[TICKET]) {
            let (key, value) = row?;
            let Some((domain, sequence)) = key.get(1..).and_then(|key| key.split_last_chunk::<8>()) else {
                continue;
            };
            let (ticket, sequence) = (decoded(&value)?, u64::from_be_bytes(*sequence));
            let domain = domain.strip_suffix(&[0]).unwrap_or(domain);
            frontier.insert(&String::from_utf8_lossy(domain), &ticket, sequence);
        }
        Ok(frontier)
    }

    /// How many requests wait for their page; not what is watched or revisited.
    pub(crate) fn queued(&self, lane: Lane) -> u64 {
        self.queued.get(&lane).copied().unwrap_or_default()
    }

    /// How many requests, of both lanes and others, are on the disk alone, as their hosts have very many.
    pub(crate) fn left_out(&self) -> u64 {
        self.left_out as u64
    }

    /// Whether there is something to [`Frontier::refill`].
    pub(crate) fn is_short(&self) -> bool {
        !self.short.is_empty()
    }

    /// Takes in what was left out, where there is room for it again. `state` is what was committed.
    pub(crate) fn refill(&mut self, state: &State) -> Result<(), LogError> {
        for domain in std::mem::take(&mut self.short) {
            let rows = state.scan(&[&[TICKET], domain.as_bytes(), &[0]].concat());
            let turns = rows.filter_map(|row| {
                let read = |(key, value): (Bytes, Bytes)| {
                    let Some((_, sequence)) = key.split_last_chunk::<8>() else { return Ok(None) };
                    Ok(Some(turn(&decoded(&value)?, u64::from_be_bytes(*sequence))))
                };
                row.and_then(read).transpose()
            });
            self.change(&domain, |queue| queue.refill(turns)).unwrap_or(Ok(()))?;
        }
        Ok(())
    }

    /// Changes a host's queue, if it has one.
    fn change<T>(&mut self, domain: &str, change: impl FnOnce(&mut HostQueue) -> T) -> Option<T> {
        let queue = self.hosts.get_mut(domain)?;
        let before = queue.left_out();
        let changed = change(queue);
        self.left_out = self.left_out + queue.left_out() - before;
        if queue.wants_more() && !self.short.contains(domain) {
            self.short.insert(domain.to_owned());
        }
        if queue.is_empty() {
            self.hosts.remove(domain);
        }
        Some(changed)
    }

    /// How many hosts there are of which something is wanted, and how many of them failed when last asked.
    pub(crate) fn hosts(&self) -> (usize, usize) {
        let failing = self.failing.iter().filter(|domain| self.hosts.contains_key(*domain));
        (self.hosts.len(), failing.count())
    }

    /// Why nothing comes of lists against their rhythm, one word for each such list.
    pub(crate) fn troubles(&self) -> impl Iterator<Item = &str> {
        self.troubled.values().map(String::as_str)
    }

    fn insert(&mut self, domain: &str, ticket: &QueueTicket, sequence: u64) {
        if !self.hosts.contains_key(domain) {
            self.hosts.insert(domain.to_owned(), HostQueue::default());
        }
        self.change(domain, |queue| queue.insert(&turn(ticket, sequence)));
        *self.queued.entry(lane(ticket)).or_default() += u64::from(!is_standing(ticket));
        if let Some(list) = ticket.list.as_ref().filter(|list| !list.trouble.is_empty()) {
            self.troubled.insert(sequence, list.trouble.clone());
        }
    }

    fn remove(&mut self, domain: &str, ticket: &QueueTicket, sequence: u64) {
        self.change(domain, |queue| queue.remove(&turn(ticket, sequence)));
        let queued = self.queued.entry(lane(ticket)).or_default();
        *queued = queued.saturating_sub(u64::from(!is_standing(ticket)));
        self.troubled.remove(&sequence);
    }

    fn tell_host(&mut self, domain: &str, is_failing: bool) {
        if !is_failing {
            self.failing.remove(domain);
        } else if !self.failing.contains(domain) {
            self.failing.insert(domain.to_owned());
        }
    }
}

/// Whether it has had its page, or is a list that is watched: nobody waits for it.
fn is_standing(ticket: &QueueTicket) -> bool {
    ticket.visits > 0 || ticket.list.is_some()
}

fn lane(ticket: &QueueTicket) -> Lane {
    if ticket.is_backfill { Lane::Backfill } else { Lane::Live }
}

fn turn(ticket: &QueueTicket, sequence: u64) -> Turn {
    let place = Place {
        lane: lane(ticket),
        is_article: ticket.list.is_none(),
        is_revisit: ticket.visits > 0,
        priority: Reverse(ticket.priority),
        sequence,
    };
    Turn { place, due_at_ms: ticket.due_at_ms, expires_at_ms: ticket.expires_at_ms }
}

/// One host's part of the frontier, within a step.
pub(crate) struct Queue<'a> {
    pub draft: &'a mut Draft,
    pub frontier: &'a mut Frontier,
    pub partition: i32,
    pub domain: &'a str,
}

impl Queue<'_> {
    /// What is known of the host; `None` where it was never asked for.
    pub(crate) fn host(&self) -> Result<Option<HostRow>, LogError> {
        if let Some(row) = self.frontier.at_hand.borrow().get(self.domain).and_then(|host| host.row.as_ref())
        {
            return Ok(Some(row.clone()));
        }
        let Some(row) = self.draft.step.get(self.partition, &self.host_key())? else { return Ok(None) };
        let state: HostState = decoded(&row)?;
        let HostState { next_at_ms, failures, latency_ms, failing_since_ms, delay_ms, .. } = state;
        let row = HostRow {
            politeness: Host { next_at_ms, failures, latency_ms, failing_since_ms, delay_ms },
            spent: Spent { day: state.quota_day, articles: state.fetched },
            distrusted_until_ms: state.validators_distrusted_until_ms,
        };
        self.frontier.at_hand.borrow_mut().set_row(self.domain, &row);
        Ok(Some(row))
    }

    pub(crate) fn set_host(&mut self, row: &HostRow) -> Result<(), LogError> {
        self.frontier.tell_host(self.domain, row.politeness.failing_since_ms.is_some());
        self.frontier.at_hand.get_mut().set_row(self.domain, row);
        let Host { next_at_ms, failures, latency_ms, failing_since_ms, delay_ms } = row.politeness;
        let state = HostState {
            next_at_ms,
            failures,
            latency_ms,
            failing_since_ms,
            delay_ms,
            quota_day: row.spent.day,
            fetched: row.spent.articles.clone(),
            validators_distrusted_until_ms: row.distrusted_until_ms,
        };
        self.draft.step.put(self.partition, &self.host_key(), state.encode_to_vec())
    }

    /// What is known of the robots.txt of the domain's origins.
    pub(crate) fn robots(&self) -> Result<Vec<(String, RobotsFile)>, LogError> {
        let at_hand = self.frontier.at_hand.borrow();
        if let Some(robots) = at_hand.get(self.domain).and_then(|host| host.robots.as_ref()) {
            return Ok(robots.clone());
        }
        drop(at_hand);
        let prefix = self.key(ROBOTS, &[]);
        let rows = self.draft.step.scan(self.partition, &prefix, MAX_ORIGINS)?;
        let read = |(key, row): (Bytes, Bytes)| {
            let RobotsState { fetched_at_ms, availability, text: rules } = decoded(&row)?;
            let availability = Availability::parse(&availability);
            let file = RobotsFile { fetched_at_ms, availability, text: rules.to_vec() };
            Ok((text(key.get(prefix.len()..)), file))
        };
        let robots = rows.into_iter().map(read).collect::<Result<Vec<_>, LogError>>()?;
        self.frontier.at_hand.borrow_mut().set_robots(self.domain, &robots);
        Ok(robots)
    }

    /// Keeps the robots.txt of an origin; the oldest goes where there are too many.
    pub(crate) fn set_robots(&mut self, origin: &str, file: &RobotsFile) -> Result<(), LogError> {
        let known = self.robots()?;
        if let Some(host) = self.frontier.at_hand.get_mut().get_mut(self.domain) {
            host.robots = None;
        }
        let is_new = known.iter().all(|(known, _)| known != origin);
        let oldest = known.iter().min_by_key(|(_, file)| file.fetched_at_ms);
        if let Some((oldest, _)) = oldest.filter(|_| is_new && known.len() >= MAX_ORIGINS) {
            self.draft.step.delete(self.partition, &self.key(ROBOTS, oldest.as_bytes()))?;
        }
        let state = RobotsState {
            fetched_at_ms: file.fetched_at_ms,
            availability: file.availability.as_str().to_owned(),
            text: file.text.clone().into(),
        };
        self.draft.step.put(self.partition, &self.key(ROBOTS, origin.as_bytes()), state.encode_to_vec())
    }

    /// Takes a request in.
    pub(crate) fn insert(&mut self, record: &Record, ticket: &QueueTicket) -> Result<(), LogError> {
        let sequence = record.origin.offset as u64;
        self.set_record(record)?;
        self.draft.step.put(self.partition, &self.sequence_key(TICKET, sequence), ticket.encode_to_vec())?;
        self.frontier.insert(self.domain, ticket, sequence);
        Ok(())
    }

    /// Writes a request's record.
    pub(crate) fn set_record(&mut self, record: &Record) -> Result<(), LogError> {
        self.forget(record.origin.offset as u64);
        let header = |(name, value): &(String, Vec<u8>)| RecordHeader {
            name: name.clone(),
            value: Bytes::copy_from_slice(value),
        };
        let stored = QueuedRecord {
            key: record.key.clone(),
            value: record.value.clone().unwrap_or_default(),
            headers: record.headers.iter().map(header).collect(),
        };
        let key = self.sequence_key(RECORD, record.origin.offset as u64);
        self.draft.step.put(self.partition, &key, stored.encode_to_vec())
    }

    /// A request's record, its ticket beside it.
    pub(crate) fn get(&self, sequence: u64) -> Result<Option<(Record, QueueTicket)>, LogError> {
        if let Some(entry) = self.frontier.at_hand.borrow_mut().take_entry(self.domain, sequence) {
            return Ok(Some(entry));
        }
        let record = self.draft.step.get(self.partition, &self.sequence_key(RECORD, sequence))?;
        let ticket = self.draft.step.get(self.partition, &self.sequence_key(TICKET, sequence))?;
        let (Some(record), Some(ticket)) = (record, ticket) else { return Ok(None) };
        let stored = QueuedRecord::decode(record).map_err(unreadable)?;
        let origin = Origin {
            topic: crate::ROLE.input.to_owned(),
            partition: self.partition,
            offset: sequence as i64,
        };
        let record = Record {
            origin,
            key: stored.key,
            value: Some(stored.value),
            headers: stored.headers.into_iter().map(|h| (h.name, h.value.to_vec())).collect(),
            written_at_ms: 0,
        };
        Ok(Some((record, decoded(&ticket)?)))
    }

    /// A request as [`Queue::get`] has read it, which will be read again when its visit has ended.
    pub(crate) fn keep_at_hand(&mut self, sequence: u64, record: Record, ticket: QueueTicket) {
        self.frontier.at_hand.get_mut().set_entry(self.domain, sequence, record, ticket);
    }

    /// A request's rows change.
    fn forget(&mut self, sequence: u64) {
        self.frontier.at_hand.get_mut().take_entry(self.domain, sequence);
    }

    /// Gives a request another turn.
    pub(crate) fn defer(
        &mut self,
        sequence: u64,
        before: &QueueTicket,
        after: &QueueTicket,
    ) -> Result<(), LogError> {
        self.forget(sequence);
        self.draft.step.put(self.partition, &self.sequence_key(TICKET, sequence), after.encode_to_vec())?;
        self.frontier.remove(self.domain, before, sequence);
        self.frontier.insert(self.domain, after, sequence);
        Ok(())
    }

    /// Takes a request out.
    pub(crate) fn remove(&mut self, sequence: u64, ticket: &QueueTicket) -> Result<(), LogError> {
        self.forget(sequence);
        self.draft.step.delete(self.partition, &self.sequence_key(RECORD, sequence))?;
        self.draft.step.delete(self.partition, &self.sequence_key(TICKET, sequence))?;
        self.frontier.remove(self.domain, ticket, sequence);
        Ok(())
    }

    /// How many of the host's requests there are.
    pub(crate) fn waiting(&self) -> usize {
        self.frontier.hosts.get(self.domain).map_or(0, HostQueue::len)
    }

    /// The request whose turn it is.
    pub(crate) fn head(&mut self, now_ms: i64) -> Option<u64> {
        self.frontier.change(self.domain, |queue| queue.head(now_ms))?
    }

    /// The host's turn has ended, of a list or of an article.
    pub(crate) fn turn_ended(&mut self, is_list: bool) {
        if let Some(queue) = self.frontier.hosts.get_mut(self.domain) {
            queue.turn_ended(is_list);
        }
    }

    /// The host failed once more: gives up what waits in vain. Requests without an expiry have until
    /// `patience_ends_at_ms`. They are [`Queue::expired`] then; should that be lost with this memory, the next failure
    /// comes to the same.
    pub(crate) fn host_failed(&mut self, failure: &Failure, host: &Host, patience_ends_at_ms: i64) {
        if let Some(queue) = self.frontier.hosts.get_mut(self.domain) {
            queue.host_failed(failure, host.next_at_ms, patience_ends_at_ms);
        }
    }

    /// Requests to give up by `by_ms`, and why.
    pub(crate) fn expired(&self, by_ms: i64, limit: usize) -> Vec<(u64, Failure)> {
        self.frontier.hosts.get(self.domain).map_or(Vec::new(), |queue| queue.expired(by_ms, limit))
    }

    /// Sets the host's timer to when something can next be done for it, or clears it where nothing is wanted.
    pub(crate) fn schedule(&mut self, host: &Host) -> Result<(), LogError> {
        let queue = self.frontier.hosts.get(self.domain);
        match queue.and_then(|queue| queue.next_at_ms(host.next_at_ms)) {
            Some(due_at_ms) => self.draft.step.set_timer(self.partition, self.domain.as_bytes(), due_at_ms),
            None => self.draft.step.clear_timer(self.partition, self.domain.as_bytes()),
        }
    }

    fn host_key(&self) -> Vec<u8> {
        [&[HOST], self.domain.as_bytes()].concat()
    }

    fn sequence_key(&self, kind: u8, sequence: u64) -> Vec<u8> {
        self.key(kind, &sequence.to_be_bytes())
    }

    fn key(&self, kind: u8, rest: &[u8]) -> Vec<u8> {
        [&[kind], self.domain.as_bytes(), &[0], rest].concat()
    }
}

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

pub(crate) fn decoded<M: Message + Default>(row: &[u8]) -> Result<M, LogError> {
    M::decode(row).map_err(unreadable)
}

fn unreadable(cause: prost::DecodeError) -> LogError {
    LogError::Fatal(format!(
        "a row of the frontier cannot be read: {cause}; was the state written by another version of wireroom?"
    ))
}
