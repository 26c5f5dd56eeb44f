//! What is published no longer, and what that leaves of a cluster.
//!
//! A withdrawal is of one article. Where its publisher or an operator has said so (`gone`, `withheld`, `notice`,
//! `ordered`, `takedown`) and the article is the record of its story, its copies from before are withdrawn with it: a
//! copy of a retracted story is a retracted story. A page that is merely missing says nothing of the story: another copy
//! takes over, and only where there is none is the record withdrawn. An article that is an occurrence leaves the record
//! it is on. What was published after the withdrawal stands for itself: it may be the substitute.

use neardup::{Member, Placement, decide};
use pipeline::LogError;
use wire::{Article, ArticleState, Withdrawal};

use crate::{
    arrival::Clusters,
    facts,
    known::{Known, recollect},
    record::Publication,
    rows::{Rows, Tables, number},
};

/// Withdrawn records that are to leave canonical, by when: the stream's own time in eight bytes, then the arrival of the article.
const DUE: &[u8] = b"w";

/// What was taken down: `u` and the id of a URL, or `d` and a domain.
pub(crate) const TAKEN_DOWN: &[u8] = b"x";

/// Most records that leave canonical before an arrival; the others leave before the next ones.
const MAX_BURIALS: usize = 32;

/// Why an article is withdrawn: the later rules out the earlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Cause {
    Missing,
    Gone,
    Withheld,
    Notice,
    Ordered,
    Takedown,
    Lifted,
}

impl Cause {
    /// The cause of this name, if it is one.
    pub(crate) fn of(withdrawal: &Withdrawal) -> Option<Self> {
        Some(match withdrawal.cause.as_str() {
            "missing" => Self::Missing,
            "gone" => Self::Gone,
            "withheld" => Self::Withheld,
            "notice" => Self::Notice,
            "ordered" => Self::Ordered,
            "takedown" => Self::Takedown,
            "lifted" => Self::Lifted,
            _ => return None,
        })
    }

    fn held(state: &ArticleState) -> Option<Self> {
        state.withdrawal.as_ref().and_then(Self::of)
    }

    fn is_by_hand(self) -> bool {
        self >= Self::Ordered
    }
}

/// What stands in canonical under the key of an article that is a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Usable,
    Withdrawn,
    Nothing,
}

impl Standing {
    pub(crate) fn of(state: &ArticleState) -> Self {
        match &state.withdrawal {
            None if !state.is_emptied => Self::Usable,
            Some(_) if state.buried_at_ms != 0 => Self::Withdrawn,
            _ => Self::Nothing,
        }
    }
}

/// Places every member: those that can be published as if there were no others, and each of the others with what stands
/// in its place, or with itself where nothing does.
pub(crate) fn place(members: &[Known], decided_on: &[Member<'_>]) -> Vec<Placement> {
    let mut placements = decide(decided_on);
    if members.iter().all(|known| Standing::of(&known.state) == Standing::Usable) {
        return placements;
    }
    let all = placements.clone();
    let holder_of = |placed: &Placement| members.get(placed.record);
    let is_open = |known: &Known, placed: &Placement| {
        Standing::of(&known.state) == Standing::Usable
            && !holder_of(placed).is_some_and(|holder| covers(&holder.state, &known.state))
    };
    let open: Vec<usize> = members
        .iter()
        .zip(&all)
        .enumerate()
        .filter(|(_, (known, placed))| is_open(known, placed))
        .map(|(at, _)| at)
        .collect();
    let among_open: Vec<Member<'_>> = open.iter().filter_map(|at| decided_on.get(*at).cloned()).collect();
    let to_all = |place: usize| open.get(place).copied().unwrap_or_default();
    for (at, placed) in open.iter().zip(decide(&among_open)) {
        if let Some(placement) = placements.get_mut(*at) {
            let (original, record) = (to_all(placed.original), to_all(placed.record));
            *placement = Placement { original, record, ..placed };
        }
    }
    for (at, placed) in all.iter().enumerate().filter(|(at, _)| open.binary_search(at).is_err()) {
        let withdrew = holder_of(placed).and_then(|holder| Cause::held(&holder.state));
        let mut successors =
            open.iter().filter(|open| all.get(**open).is_some_and(|p| p.record == placed.record));
        let successor = successors.next().and_then(|open| placements.get(*open)).copied();
        let instead = match successor.filter(|_| withdrew.is_none_or(|cause| cause == Cause::Missing)) {
            Some(successor) => {
                Placement { original: successor.original, record: successor.record, ..*placed }
            }
            None => *placed,
        };
        if let Some(placement) = placements.get_mut(at) {
            *placement = instead;
        }
    }
    placements
}

/// Whether the withdrawal of a record is one of its occurrence, too.
fn covers(record: &ArticleState, occurrence: &ArticleState) -> bool {
    let since = occurrence.published_at_ms.map_or(occurrence.seen_at_ms, |at| at.min(occurrence.seen_at_ms));
    Cause::held(record).is_some_and(|cause| cause > Cause::Missing)
        && record.withdrawal.as_ref().is_some_and(|withdrawal| since <= withdrawal.at_ms)
}

/// Deletes the text of what was taken down, and of its copies.
pub(crate) fn empty(members: &mut [Known], placements: &[Placement]) {
    let is_down: Vec<bool> =
        members.iter().map(|known| Cause::held(&known.state) == Some(Cause::Takedown)).collect();
    for (at, (known, placed)) in members.iter_mut().zip(placements).enumerate() {
        let is_to_go = [at, placed.record].iter().any(|at| is_down.get(*at) == Some(&true));
        if is_to_go && !known.state.is_emptied {
            known.empty();
        }
    }
}

/// Whether an article that has come again after its state `before` is withdrawn no longer. What was ordered holds until
/// it is lifted, and what was found holds against older witnesses.
pub(crate) fn is_ended(before: &ArticleState, article: &Article) -> bool {
    let witnessed_at_ms = article.fetched_at_ms.max(article.seen_at_ms);
    before
        .withdrawal
        .as_ref()
        .is_some_and(|held| witnessed_at_ms > held.at_ms && !Cause::of(held).is_some_and(Cause::is_by_hand))
}

impl Clusters {
    /// Takes up a mark from the rows.
    pub(crate) fn recall_takedown(&mut self, key: &[u8]) {
        self.taken_down.insert(key.into());
    }

    /// Whether an article has been taken down, by its address or its domain.
    pub(crate) fn is_taken_down(&self, article: &Article, domain: &str) -> bool {
        if self.taken_down.is_empty() {
            return false;
        }
        let addresses = [&article.url, &article.requested_url, &article.canonical_url];
        let ids = addresses.into_iter().filter_map(|url| facts::id_of_url(url));
        let mut ids = ids.chain([article.article_id.clone()]);
        self.taken_down.contains(mark(b'd', domain).as_slice())
            || ids.any(|id| self.taken_down.contains(mark(b'u', &id).as_slice()))
    }

    /// Notes at once what is taken down, and what no longer.
    pub(crate) fn mark_whom_it_is_about(
        &mut self,
        rows: &mut impl Rows,
        order: &Article,
        cause: Cause,
    ) -> Result<(), LogError> {
        if order.article_id.is_empty() {
            let publisher = order.publisher.as_ref();
            let domain = publisher.map(|publisher| publisher.domain.as_str()).unwrap_or_default();
            return self.mark(rows, cause, mark(b'd', domain));
        }
        let id = rows.resolve(&order.article_id)?;
        self.mark(rows, cause, mark(b'u', &order.article_id))?;
        self.mark(rows, cause, mark(b'u', &id))
    }

    fn mark(&mut self, rows: &mut impl Rows, cause: Cause, mark: Vec<u8>) -> Result<(), LogError> {
        match cause {
            Cause::Takedown => {
                rows.put(&mark, Vec::new())?;
                self.taken_down.insert(mark.into());
            }
            Cause::Lifted if self.taken_down.remove(mark.as_slice()) => rows.delete(&mark)?,
            _ => {}
        }
        Ok(())
    }

    /// Withdraws an article and what goes with it, or lifts its withdrawal.
    pub(crate) fn withdraw_article<R: Rows>(
        &mut self,
        rows: &mut R,
        arrival: u64,
        withdrawal: &Withdrawal,
        cause: Cause,
    ) -> Result<Vec<Publication>, LogError> {
        let Some(mut known) = recollect(rows, arrival)? else { return Ok(Vec::new()) };
        let mut state = std::mem::take(&mut known.state);
        let held = Cause::held(&state);
        if cause == Cause::Lifted {
            if held.is_none() {
                return Ok(Vec::new());
            }
            (state.withdrawal, state.buried_at_ms) = (None, 0);
        } else {
            let is_stale = !cause.is_by_hand()
                && known.body()?.is_some_and(|body| body.fetched_at_ms > withdrawal.at_ms);
            if held >= Some(cause) || is_stale {
                return Ok(Vec::new());
            }
            state.withdrawal = Some(withdrawal.clone());
            let stands = cause != Cause::Takedown && !state.is_emptied;
            state.buried_at_ms = if stands {
                self.stream.time_ms.saturating_add(self.ageing.spans.withdrawn_ms).max(1)
            } else {
                0
            };
            if stands {
                rows.put(&due(state.buried_at_ms, arrival), Vec::new())?;
                self.next_burial_ms = self.next_burial_ms.min(state.buried_at_ms);
            }
        }
        rows.put_article(&state)?;
        self.decide_again(rows, arrival, state.group, cause == Cause::Lifted)
    }

    /// Takes records out of canonical that have been withdrawn for long enough.
    pub(crate) fn bury<R: Rows>(&mut self, rows: &mut R) -> Result<Vec<Publication>, LogError> {
        let mut publications = Vec::new();
        if self.stream.time_ms < self.next_burial_ms {
            return Ok(publications);
        }
        self.next_burial_ms = i64::MAX;
        for (count, (key, _)) in rows.scan(DUE, MAX_BURIALS + 1)?.into_iter().enumerate() {
            let Some((due_at_ms, arrival)) = read_due(&key) else { continue };
            if due_at_ms > self.stream.time_ms || count == MAX_BURIALS {
                self.next_burial_ms = due_at_ms;
                break;
            }
            rows.delete(&key)?;
            let Some(state) = rows.article(arrival)?.filter(|state| state.buried_at_ms == due_at_ms) else {
                continue;
            };
            rows.empty_body(arrival, self.stream.aged_to)?;
            let state = ArticleState { buried_at_ms: 0, is_emptied: true, ..state };
            rows.put_article(&state)?;
            publications.extend(self.decide_again(rows, arrival, state.group, false)?);
        }
        Ok(publications)
    }
}

fn mark(kind: u8, name: &str) -> Vec<u8> {
    [TAKEN_DOWN, &[kind], name.as_bytes()].concat()
}

/// Due times are positive, so that their bytes are in their order.
fn due(due_at_ms: i64, arrival: u64) -> Vec<u8> {
    [DUE, &due_at_ms.to_be_bytes(), &arrival.to_be_bytes()].concat()
}

fn read_due(key: &[u8]) -> Option<(i64, u64)> {
    let (due_at_ms, arrival) = key.strip_prefix(DUE)?.split_first_chunk()?;
    Some((i64::from_be_bytes(*due_at_ms), number(arrival)))
}
