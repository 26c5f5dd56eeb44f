//! Which of a host's requests goes first, and when something can next be done for the host.

use std::{cmp::Reverse, collections::HashSet};

use crate::{Failure, sorted::Sorted};

/// How soon a request is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Lane {
    /// News as it happens; goes first everywhere.
    #[default]
    Live,
    /// Archives and the like.
    Backfill,
}

impl Lane {
    /// Reads `live` or `backfill`; whatever else (nothing, mostly) is live.
    pub fn parse(word: &str) -> Self {
        if word == "backfill" { Self::Backfill } else { Self::Live }
    }
}

/// A request's place among those of its host. What goes first is less: by lane, then lists before what they lead to,
/// then what was never fetched before what is to be seen again, then by priority (higher first), then by arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Live before backfill.
    pub lane: Lane,
    /// Whether it is an article, for all that is known, and no list that is read again and again.
    pub is_article: bool,
    /// Whether it was fetched before.
    pub is_revisit: bool,
    /// Higher goes first.
    pub priority: Reverse<i32>,
    /// Of arrival; tells requests apart.
    pub sequence: u64,
}

/// What a host's queue knows of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Among the others that are ready.
    pub place: Place,
    /// Not before this instant.
    pub due_at_ms: i64,
    /// Not after this one. `None`: it names no expiry, and nothing has failed yet that its clock would begin with.
    pub expires_at_ms: Option<i64>,
}

/// Most requests of a host that are ready and in memory: a host with millions leaves room for the others.
const MOST_READY: usize = 50_000;

/// The requests of one host, in order: some 20 bytes each while they are few and due, whatever else belongs to them lying
/// elsewhere. Of very many that are ready it knows the first, and that there are others; when half of these are done, it
/// [wants](HostQueue::wants_more) to be told of all again.
#[derive(Debug, Clone, Default)]
pub struct HostQueue {
    ready: Sorted<Place>,
    /// How many go after all of these and are not here.
    left_out: usize,
    waiting: Sorted<(i64, Place)>,
    /// Those that name an expiry, and are not given up.
    expiring: Sorted<(i64, u64)>,
    given_up: Sorted<u64>,
    /// Why those were given up.
    failure: Option<Failure>,
    /// Whether the last turn was a list's: many of them with little between their readings, on a host with much between its
    /// requests, leave no turn to what they lead to.
    is_after_list: bool,
}

impl HostQueue {
    /// Takes a request in.
    pub fn insert(&mut self, turn: &Turn) {
        let sequence = turn.place.sequence;
        // What has no time of its own never waits: it need not be remembered what for.
        if turn.due_at_ms <= 0 {
            self.make_ready(turn.place);
        } else {
            self.waiting.insert((turn.due_at_ms, turn.place));
        }
        if let Some(at_ms) = turn.expires_at_ms {
            self.expiring.insert((at_ms, sequence));
        }
    }

    fn make_ready(&mut self, place: Place) {
        if self.left_out > 0 && self.ready.last().is_none_or(|last| *last < place) {
            self.left_out += 1;
            return;
        }
        self.ready.insert(place);
        if self.ready.len() > MOST_READY {
            self.ready.pop_last();
            self.left_out += 1;
        }
    }

    /// Whether it is time to [`HostQueue::refill`] it.
    pub fn wants_more(&self) -> bool {
        self.left_out > 0 && self.ready.len() < MOST_READY / 2
    }

    /// Takes in what was left out. `turns` are all of the host's, in any order.
    pub fn refill<E>(&mut self, turns: impl IntoIterator<Item = Result<Turn, E>>) -> Result<(), E> {
        self.left_out = 0;
        for turn in turns {
            let Turn { place, due_at_ms, .. } = turn?;
            if !self.waiting.contains(&(due_at_ms, place)) {
                self.make_ready(place);
            }
        }
        Ok(())
    }

    /// How many are not in memory.
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// Takes a request out.
    pub fn remove(&mut self, turn: &Turn) {
        let sequence = turn.place.sequence;
        if !self.ready.remove(&turn.place) && !self.waiting.remove(&(turn.due_at_ms, turn.place)) {
            self.left_out = self.left_out.saturating_sub(1);
        }
        self.given_up.remove(&sequence);
        if let Some(at_ms) = turn.expires_at_ms {
            self.expiring.remove(&(at_ms, sequence));
        }
    }

    /// A turn has ended, of a list or of an article.
    pub fn turn_ended(&mut self, is_list: bool) {
        self.is_after_list = is_list;
    }

    /// The host failed, and will be asked again at `host_next_at_ms`: whatever expires by then is given up now, because
    /// of that failure. Requests without an expiry have until `patience_ends_at_ms`; those that are left out, until they are
    /// taken in and the host fails once more.
    pub fn host_failed(&mut self, failure: &Failure, host_next_at_ms: i64, patience_ends_at_ms: i64) {
        self.failure = Some(failure.clone());
        while let Some(&(at_ms, sequence)) = self.expiring.first()
            && at_ms <= host_next_at_ms
        {
            self.expiring.pop_first();
            self.given_up.insert(sequence);
        }
        if patience_ends_at_ms <= host_next_at_ms {
            let expiring: HashSet<u64> = self.expiring.iter().map(|(_, sequence)| *sequence).collect();
            let places = self.ready.iter().chain(self.waiting.iter().map(|(_, place)| place));
            let sequences = places.map(|place| place.sequence);
            let without = sequences.filter(|sequence| !expiring.contains(sequence));
            without.for_each(|sequence| self.given_up.insert(sequence));
        }
    }

    /// The request whose turn it is, if any is due: its sequence. After a list it is an article's of the same lane.
    pub fn head(&mut self, now_ms: i64) -> Option<u64> {
        while let Some(&(due_at_ms, place)) = self.waiting.first()
            && due_at_ms <= now_ms
        {
            self.waiting.pop_first();
            self.make_ready(place);
        }
        let first = self.ready.first()?;
        let mut of_lane = self.ready.iter().take_while(|place| place.lane == first.lane);
        let article = self.is_after_list.then(|| of_lane.find(|place| place.is_article)).flatten();
        Some(article.unwrap_or(first).sequence)
    }

    /// Requests to give up: those given up with their host, and those that expire at `by_ms` or before, earliest
    /// first. Their sequences, and why.
    pub fn expired(&self, by_ms: i64, limit: usize) -> Vec<(u64, Failure)> {
        let failure = self.failure.as_ref().unwrap_or(&Failure::Expired);
        let given_up = self.given_up.iter().map(|sequence| (*sequence, failure.clone()));
        let expired = self.expiring.iter().take_while(|(expires_at_ms, _)| *expires_at_ms <= by_ms);
        given_up.chain(expired.map(|(_, sequence)| (*sequence, Failure::Expired))).take(limit).collect()
    }

    /// When something can next be done, where the host may be asked at `host_next_at_ms`: a request be made, or one
    /// be given up. `None` where the queue is empty.
    pub fn next_at_ms(&self, host_next_at_ms: i64) -> Option<i64> {
        if !self.given_up.is_empty() {
            return Some(i64::MIN);
        }
        let is_ready = !self.ready.is_empty() || self.left_out > 0;
        let due_at_ms = if is_ready { Some(i64::MIN) } else { self.waiting.first().map(|(due, _)| *due) };
        let turn = due_at_ms.map(|due| due.max(host_next_at_ms));
        turn.into_iter().chain(self.expiring.first().map(|(expires, _)| *expires)).min()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ready.len() + self.waiting.len() + self.left_out
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn turn(sequence: u64) -> impl Strategy<Value = Turn> {
        (any::<[bool; 3]>(), -2..3_i32, 0..100_i64, proptest::option::of(0..200_i64)).prop_map(
            move |([live, is_article, is_revisit], priority, due_at_ms, expires_at_ms)| {
                let lane = if live { Lane::Live } else { Lane::Backfill };
                Turn {
                    place: Place { lane, is_article, is_revisit, priority: Reverse(priority), sequence },
                    due_at_ms,
                    expires_at_ms,
                }
            },
        )
    }

    fn turns() -> impl Strategy<Value = Vec<Turn>> {
        (0..40_u64).prop_flat_map(|n| (0..n).map(turn).collect::<Vec<_>>())
    }

    /// What is asked of a queue, answered by looking through everything.
    fn plain_head(turns: &[Turn], is_after_list: bool, now_ms: i64) -> Option<u64> {
        let due = || turns.iter().filter(|t| t.due_at_ms <= now_ms).map(|t| &t.place);
        let lane = due().map(|place| place.lane).min()?;
        let of_lane = || due().filter(|place| place.lane == lane);
        let is_articles = is_after_list && of_lane().any(|place| place.is_article);
        let whose = of_lane().filter(|place| !is_articles || place.is_article);
        whose.min_by_key(|p| (p.is_article, p.is_revisit, -p.priority.0, p.sequence)).map(|p| p.sequence)
    }

    fn expired(turns: &[Turn], by_ms: i64) -> impl Iterator<Item = &Turn> {
        turns.iter().filter(move |t| t.expires_at_ms.is_some_and(|at| at <= by_ms))
    }

    fn article(sequence: u64, lane: Lane) -> Turn {
        let (is_article, is_revisit, priority) = (true, false, Reverse(0));
        let place = Place { lane, is_article, is_revisit, priority, sequence };
        Turn { place, due_at_ms: 0, expires_at_ms: None }
    }

    #[test]
    fn a_huge_host_is_known_in_part_and_asked_in_order() {
        let all = 3 * MOST_READY as u64;
        let mut queue = HostQueue::default();
        // The last come first.
        let mut turns: BTreeMap<Place, Turn> = BTreeMap::new();
        for sequence in (0..all).rev() {
            let turn = article(sequence, if sequence % 2 == 0 { Lane::Backfill } else { Lane::Live });
            queue.insert(&turn);
            turns.insert(turn.place, turn);
        }
        assert_eq!((queue.len(), queue.left_out()), (all as usize, all as usize - MOST_READY));
        // One that is left out goes, and one comes that goes before all others.
        let (_, gone) = turns.pop_last().unwrap();
        queue.remove(&gone);
        let mut urgent = article(all, Lane::Live);
        urgent.place.priority = Reverse(1);
        queue.insert(&urgent);
        turns.insert(urgent.place, urgent);
        let mut refills = 0;
        while let Some((place, turn)) = turns.pop_first() {
            assert_eq!(queue.head(0), Some(place.sequence));
            queue.remove(&turn);
            if queue.wants_more() {
                refills += 1;
                queue.refill(turns.values().copied().map(Ok::<_, ()>)).unwrap();
            }
            assert_eq!(queue.len(), turns.len());
            assert!(queue.len() - queue.left_out() <= MOST_READY);
        }
        assert_eq!((refills, queue.next_at_ms(0)), (4, None));
    }

    #[test]
    fn what_is_left_out_expires_too() {
        let mut queue = HostQueue::default();
        let turns: Vec<Turn> =
            (0..MOST_READY as u64 + 5).map(|sequence| article(sequence, Lane::Live)).collect();
        turns.iter().for_each(|turn| queue.insert(turn));
        let last = Turn { expires_at_ms: Some(7), ..article(MOST_READY as u64 + 5, Lane::Live) };
        queue.insert(&last);
        assert_eq!((queue.left_out(), queue.next_at_ms(9)), (6, Some(7)));
        assert_eq!(queue.expired(7, 9), [(last.place.sequence, Failure::Expired)]);
        queue.remove(&last);
        assert_eq!((queue.left_out(), queue.expired(7, 9).len()), (5, 0));
    }

    proptest! {
        #[test]
        fn whose_turn_it_is(mut turns in turns(), pace in 1..30_i64) {
            let mut queue = HostQueue::default();
            turns.iter().for_each(|turn| queue.insert(turn));
            let (mut now_ms, mut is_after_list) = (0, false);
            while !turns.is_empty() {
                prop_assert_eq!(queue.len(), turns.len());
                let head = queue.head(now_ms);
                prop_assert_eq!(head, plain_head(&turns, is_after_list, now_ms));
                if let Some(at) = turns.iter().position(|t| Some(t.place.sequence) == head) {
                    let taken = turns.swap_remove(at);
                    queue.remove(&taken);
                    queue.turn_ended(!taken.place.is_article);
                    is_after_list = !taken.place.is_article;
                }
                now_ms += pace;
            }
            prop_assert!(queue.is_empty());
            prop_assert_eq!(queue.next_at_ms(now_ms), None);
        }

        #[test]
        fn nothing_is_done_too_late(turns in turns(), host_next_at_ms in 0..150_i64, now_ms in 0..150_i64) {
            let mut queue = HostQueue::default();
            turns.iter().for_each(|turn| queue.insert(turn));
            queue.head(now_ms);
            let fetch = turns.iter().map(|t| t.due_at_ms).min().map(|due| due.max(host_next_at_ms));
            let expiry = turns.iter().filter_map(|t| t.expires_at_ms).min();
            let next = queue.next_at_ms(host_next_at_ms);
            prop_assert_eq!(next.map(|at| at.max(now_ms)), fetch.into_iter().chain(expiry).min().map(|at| at.max(now_ms)));
            let mut expired: Vec<_> = expired(&turns, now_ms).map(|t| t.place.sequence).collect();
            let mut told: Vec<_> = queue.expired(now_ms, usize::MAX).into_iter().map(|(sequence, _)| sequence).collect();
            expired.sort_unstable();
            told.sort_unstable();
            prop_assert_eq!(told, expired);
        }

        #[test]
        fn with_its_host_goes_what_would_expire_before_it_is_asked_again(
            turns in turns(), host_next_at_ms in 0..200_i64, patience_ends_at_ms in 0..200_i64,
        ) {
            let mut queue = HostQueue::default();
            turns.iter().for_each(|turn| queue.insert(turn));
            queue.host_failed(&Failure::Timeout, host_next_at_ms, patience_ends_at_ms);
            let gone = |t: &&Turn| t.expires_at_ms.unwrap_or(patience_ends_at_ms) <= host_next_at_ms;
            let mut expected: Vec<_> = turns.iter().filter(gone).map(|t| (t.place.sequence, Failure::Timeout)).collect();
            expected.sort_by_key(|(sequence, _)| *sequence);
            prop_assert_eq!(&queue.expired(i64::MIN, usize::MAX), &expected);
            prop_assert_eq!(queue.next_at_ms(host_next_at_ms) == Some(i64::MIN), !expected.is_empty());
            turns.iter().filter(gone).for_each(|turn| queue.remove(turn));
            prop_assert_eq!(queue.expired(host_next_at_ms, usize::MAX), []);
            prop_assert_eq!(queue.len(), turns.len() - expected.len());
        }
    }
}
