//! The decision on one arrival: which articles it belongs with, and what to publish of it.

use std::collections::BTreeMap;

use article::Relation;
use bytes::Bytes;
use neardup::{Index, Likeness, Member, Placement, Proximity, Sketch, are_kin};
use pipeline::LogError;
use rustc_hash::{FxHashMap, FxHashSet};
use wire::{Article, ArticleState, BodyState, OrderState, Prepared, StreamState};
use xxhash_rust::xxh3::xxh3_64;

use crate::{
    ageing::{Ageing, Spans},
    boilerplate::{self, Boilerplate},
    directory::Directory,
    facts::{self, facts, member},
    known::{Known, recollect},
    packed::pack,
    record::{self, Publication},
    revision::{corrects, is_teaser, merged, revises},
    rows::{Rows, Tables, declaring_key},
    withdrawal,
};

/// Most articles that are decided on together. An article that would be one more is decided on alone.
const MAX_MEMBERS: usize = 1000;

/// Records of one story that near-duplicates are looked up by. More would make the keys of a much extended text common.
const REPRESENTATIVES: usize = 4;

/// Most addresses that are remembered to lead to one article.
const MAX_ALIASES: usize = 16;

const DAY_MS: i64 = 24 * 3_600_000;

/// The decider's memory of one partition, derived from the rows: what of them is to be found.
#[derive(Debug)]
pub(crate) struct Clusters {
    index: Index,
    pub(crate) directory: Directory,
    pub(crate) ageing: Ageing,
    boilerplate: Boilerplate,
    pub(crate) stream: StreamState,
    drop_boilerplate: bool,
    /// No withdrawn record leaves canonical before this instant of the stream's own time.
    pub(crate) next_burial_ms: i64,
    /// Hashes of the keys of originals that were declared: most articles are nobody's, and no row tells so.
    pub(crate) declared: FxHashSet<u64>,
    /// Withdrawals that are not yet carried out, by their numbers.
    pub(crate) orders: BTreeMap<u64, OrderState>,
    /// What was taken down, as the keys of its rows.
    pub(crate) taken_down: FxHashSet<Box<[u8]>>,
}

/// What an arrival brought about.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// In the order in which they are to be written.
    pub(crate) publications: Vec<Publication>,
    /// The story that the article is in.
    pub(crate) cluster_id: String,
    /// What it is to the original of that story; nothing where it was taken down.
    pub(crate) relation: Option<Relation>,
}

impl Clusters {
    /// An empty memory of a stream that has come so far. With `drop_boilerplate`, what a domain repeats is left out of
    /// bodies, too.
    pub(crate) fn new(stream: StreamState, spans: Spans, drop_boilerplate: bool) -> Self {
        let mut directory = Directory::default();
        directory.forget_below(stream.forgotten_to);
        Self {
            index: Index::default(),
            directory,
            ageing: Ageing::new(spans),
            boilerplate: Boilerplate::default(),
            stream,
            drop_boilerplate,
            next_burial_ms: i64::MIN,
            declared: FxHashSet::default(),
            orders: BTreeMap::new(),
            taken_down: FxHashSet::default(),
        }
    }

    /// Takes up a row of [`crate::rows::MARKS`]; they come before the articles, in their order.
    pub(crate) fn recall_mark(&mut self, time_ms: i64, arrival: u64) {
        self.ageing.recall(time_ms, arrival);
        self.index.expire(self.oldest());
    }

    /// The first arrival that is still in the window.
    pub(crate) fn oldest(&self) -> u64 {
        self.ageing.oldest(&self.stream)
    }

    /// How many arrivals are in the window.
    pub(crate) fn in_window(&self) -> u64 {
        (self.stream.arrivals + 1).saturating_sub(self.oldest().max(1))
    }

    /// Takes up the key of a row of [`crate::rows::DECLARING`].
    pub(crate) fn recall_declared(&mut self, key: &[u8]) {
        self.declared.insert(xxh3_64(key));
    }

    /// Takes up an article from the rows, in the order of arrival.
    pub(crate) fn recall(&mut self, state: &ArticleState) {
        self.directory.add(state);
        if state.group != state.arrival {
            self.ageing.keep_together(&[state.group, state.arrival], &self.stream);
        }
    }

    /// Takes up a text from the rows, in the order of arrival: all that are in the window.
    pub(crate) fn recall_body(&mut self, arrival: u64, body: &BodyState) {
        if let Some(sketch) = body.sketch.as_ref().filter(|_| body.is_representative) {
            self.index.insert(arrival, &sketch.keys);
        }
    }

    /// Writes what was learnt since the last step; belongs at the end of each.
    pub(crate) fn save(&mut self, rows: &mut impl Rows) -> Result<(), LogError> {
        self.boilerplate.save(rows)?;
        rows.put_stream(&self.stream)
    }

    /// Decides on an article that has just come in, and writes what follows to the rows.
    pub(crate) fn arrive<R: Rows>(
        &mut self,
        rows: &mut R,
        mut prepared: Prepared,
        article: Article,
    ) -> Result<Arrival, LogError> {
        self.advance(rows, article.seen_at_ms)?;
        let publisher = article.publisher.as_ref();
        let domain = publisher.map(|publisher| publisher.domain.clone()).unwrap_or_default();
        let mut publications = self.bury(rows)?;
        publications.extend(self.carry_out(rows)?);
        if self.is_taken_down(&article, &domain) {
            return Ok(Arrival { publications, cluster_id: article.article_id, relation: None });
        }
        let day = u32::try_from(self.stream.time_ms / DAY_MS).unwrap_or_default();
        let paragraphs: Vec<u32> = prepared.paragraphs.iter().map(boilerplate::name).collect();
        let repeated = self.boilerplate.repeated(rows, &domain, &paragraphs, day)?;
        let text_hash = std::mem::take(&mut prepared.exact_hash);
        let sketch = facts::sketch(prepared, &repeated);
        let (arrived, is_corrected) = self.take_in(rows, text_hash, article, sketch, &repeated)?;
        let arrival = arrived.state.arrival;
        let is_new = arrival == self.stream.arrivals;
        let members = self.gather(rows, arrived)?;
        if is_new && !members.iter().any(|known| known.state.arrival != arrival && known.is_of(&domain)) {
            self.boilerplate.learn(rows, &domain, &paragraphs, day)?;
        }
        let decided = self.settle(rows, members, arrival, is_corrected)?;
        publications.extend(decided.publications);
        Ok(Arrival { publications, ..decided })
    }

    /// Decides on a group again, of which the article that came as `arrival` has changed; writes what follows.
    pub(crate) fn decide_again<R: Rows>(
        &mut self,
        rows: &mut R,
        arrival: u64,
        group: u64,
        is_revived: bool,
    ) -> Result<Vec<Publication>, LogError> {
        let mut members = Vec::new();
        for member in rows.group(group)? {
            members.extend(recollect(rows, member)?);
        }
        members.sort_by_key(|known| known.state.arrival);
        for known in members.iter_mut().filter(|known| known.state.arrival == arrival) {
            known.is_revived = is_revived;
        }
        Ok(self.settle(rows, members, arrival, false)?.publications)
    }

    /// Places the members of a group, of which the article that came as `arrival` has changed; writes what follows.
    fn settle<R: Rows>(
        &mut self,
        rows: &mut R,
        mut members: Vec<Known>,
        arrival: u64,
        is_corrected: bool,
    ) -> Result<Arrival, LogError> {
        let declared = resolve_declared(rows, &members)?;
        let decided_on: Vec<Member<'_>> = members
            .iter()
            .zip(&declared)
            .map(|(known, declared)| Member {
                declared_original: declared.as_deref(),
                ..member(&known.state, &known.sketch)
            })
            .collect();
        let placements = withdrawal::place(&members, &decided_on);
        drop(decided_on);
        self.represent(&mut members, &placements);
        let publications = record::publish(&mut members, &placements, is_corrected.then_some(arrival))?;
        withdrawal::empty(&mut members, &placements);
        let own = members.iter().zip(&placements).find(|(known, _)| known.state.arrival == arrival);
        let own = own.map(|(_, placement)| *placement);
        let relation = Some(own.map_or(Relation::Original, |own| own.relation()));
        let cluster_id = own.map(|own| record::cluster_id(&members, &placements, own.original));
        for known in members {
            known.save(rows, self.stream.aged_to)?;
        }
        Ok(Arrival { publications, cluster_id: cluster_id.unwrap_or_default(), relation })
    }

    /// Moves the stream's time on, and closes the window behind it.
    fn advance(&mut self, rows: &mut impl Rows, seen_at_ms: i64) -> Result<(), LogError> {
        self.stream.time_ms = self.stream.time_ms.max(seen_at_ms);
        self.stream.arrivals += 1;
        self.ageing.advance(rows, &mut self.directory, &mut self.stream)?;
        self.index.expire(self.oldest());
        Ok(())
    }

    /// Writes the article's own rows; tells whether it tells the story otherwise than it was known.
    fn take_in(
        &mut self,
        rows: &mut impl Rows,
        text_hash: Bytes,
        article: Article,
        sketch: Sketch,
        repeated: &[u32],
    ) -> Result<(Known, bool), LogError> {
        let Some(before) = self.directory.by_id(rows, &article.article_id)? else {
            let arrival = self.stream.arrivals;
            let state = ArticleState {
                arrival,
                group: arrival,
                left_out: self.left_out(repeated),
                ..facts(&text_hash, &article)
            };
            self.directory.add(&state);
            let packed = pack(&article)?;
            let known = Known { state, sketch, packed, is_body_changed: true, ..Known::default() };
            return Ok((self.known_by(rows, known, article)?, false));
        };
        let mut known = Known::of(rows.body(before.arrival)?.unwrap_or_default());
        let body = known.body()?;
        let is_lesser = is_teaser(&article) && !before.is_teaser && !before.is_emptied;
        if body.is_none() && is_lesser {
            return Ok((Known { state: before, ..known }, false));
        }
        let is_revived = withdrawal::is_ended(&before, &article);
        let (article, is_corrected, state) = match &body {
            Some(known) if !revises(&article, known) => {
                let fetched_at_ms = if is_revived { article.fetched_at_ms } else { 0 };
                let mut article = merged(known.clone(), &article);
                article.fetched_at_ms = article.fetched_at_ms.max(fetched_at_ms);
                let (seen_at_ms, labels) = (article.seen_at_ms, article.labels.clone());
                (article, false, ArticleState { seen_at_ms, labels, ..before.clone() })
            }
            _ => {
                if std::mem::take(&mut known.is_representative) {
                    self.index.remove(before.arrival, &known.sketch.keys);
                }
                known.is_body_changed |= known.sketch != sketch;
                known.sketch = sketch;
                let is_corrected = before.text_hash != text_hash
                    || body.as_ref().is_some_and(|known| corrects(&article, known));
                let (seen_at_ms, labels) = (before.seen_at_ms, before.labels.clone());
                let known = || Article { seen_at_ms, labels, ..Article::default() };
                let article = merged(article, &body.clone().unwrap_or_else(known));
                let state = ArticleState { left_out: self.left_out(repeated), ..facts(&text_hash, &article) };
                (article, is_corrected, state)
            }
        };
        if body.as_ref() != Some(&article) {
            known.packed = pack(&article)?;
            known.is_body_changed = true;
        }
        let is_found_by_text = before.is_found_by_text && before.text_hash == state.text_hash;
        if !is_found_by_text {
            self.directory.hand_on_text(rows, &before)?;
        }
        let state = ArticleState {
            is_found_by_text,
            aliases: before.aliases,
            group: before.group,
            arrival: before.arrival,
            version: before.version,
            is_published: before.is_published,
            published_hash: before.published_hash,
            withdrawal: before.withdrawal.filter(|_| !is_revived),
            buried_at_ms: if is_revived { 0 } else { before.buried_at_ms },
            is_emptied: false,
            ..state
        };
        Ok((self.known_by(rows, Known { state, is_revived, ..known }, article)?, is_corrected))
    }

    /// The article that has arrived, once it can be found by all its names.
    fn known_by(
        &mut self,
        rows: &mut impl Rows,
        mut known: Known,
        article: Article,
    ) -> Result<Known, LogError> {
        let state = &mut known.state;
        if !state.declared_original_id.is_empty() {
            self.declared.insert(xxh3_64(&declaring_key(&state.declared_original_id)));
            rows.put_declaring(&state.declared_original_id, &state.article_id)?;
        }
        let same = article.url == article.requested_url;
        for url in [&article.url, &article.requested_url].into_iter().skip(usize::from(same)) {
            let Some(url_id) = facts::id_of_url(url).filter(|url_id| *url_id != state.article_id) else {
                continue;
            };
            rows.put_alias(&url_id, &state.article_id)?;
            if state.aliases.len() < MAX_ALIASES && !state.aliases.contains(&url_id) {
                state.aliases.push(url_id);
            }
        }
        Ok(Known { body: Some(article), is_changed: true, ..known })
    }

    /// Articles that this one names its original, or that name it theirs.
    fn named(&self, rows: &impl Rows, arrived: &Known) -> Result<Vec<u64>, LogError> {
        let own = &arrived.state.article_id;
        let mut ids = Vec::new();
        if !arrived.state.declared_original_id.is_empty() {
            ids.push(rows.resolve(&arrived.state.declared_original_id)?);
        }
        for name in [own].into_iter().chain(&arrived.state.aliases) {
            if self.declared.contains(&xxh3_64(&declaring_key(name))) {
                ids.extend(rows.declaring(name)?);
            }
        }
        let mut named = Vec::new();
        for id in ids {
            named.extend(self.directory.by_id(rows, &id)?.map(|state| state.arrival));
        }
        Ok(named)
    }

    /// An article that has the text of this one, if it is not this one itself that is found by it from now on.
    fn with_text(&mut self, rows: &impl Rows, arrived: &mut Known) -> Result<Option<u64>, LogError> {
        if arrived.state.is_found_by_text {
            return Ok(None);
        }
        let found = self.directory.by_text(rows, &arrived.state.text_hash)?;
        if found.is_none() {
            (arrived.state.is_found_by_text, arrived.is_changed) = (true, true);
            self.directory.add_text(&arrived.state);
        }
        Ok(found.map(|state| state.arrival))
    }

    fn left_out(&self, repeated: &[u32]) -> Vec<u32> {
        if self.drop_boilerplate { repeated.to_vec() } else { Vec::new() }
    }

    /// The article with all it is decided with, in order of arrival. Clusters that it joins become one.
    fn gather(&mut self, rows: &mut impl Rows, mut arrived: Known) -> Result<Vec<Known>, LogError> {
        let mut groups = vec![arrived.state.group];
        let is_new = arrived.state.arrival == self.stream.arrivals;
        let mut arrivals = if is_new { groups.clone() } else { rows.group(arrived.state.group)? };
        let mut members: Vec<Known> = Vec::new();
        let with_text = self.with_text(rows, &mut arrived)?;
        let mut candidates = self.named(rows, &arrived)?;
        candidates.extend(with_text);
        let named = candidates.len();
        candidates.extend(self.index.candidates(&arrived.sketch.keys));
        metrics::NORMALIZER_CANDIDATES.observe(candidates.len() as f64);
        for (at, candidate) in candidates.into_iter().enumerate() {
            if arrivals.contains(&candidate) {
                continue;
            }
            let mut known = Known::of(rows.body(candidate)?.unwrap_or_default());
            // Most have a phrase in common, and their sketches tell so: this rule lets all pass that are alike.
            let likeness = || Likeness::between(&arrived.sketch, &known.sketch);
            if at >= named && likeness().rule(Proximity::SameDays).is_err() {
                continue;
            }
            let Some(state) = rows.article(candidate)? else { continue };
            known.state = state;
            if !are_kin(&member(&arrived.state, &arrived.sketch), &member(&known.state, &known.sketch)) {
                continue;
            }
            let joined = rows.group(known.state.group)?;
            if arrivals.len() + joined.len() <= MAX_MEMBERS {
                groups.push(known.state.group);
                arrivals.extend(joined);
                members.push(known);
            }
        }
        members.push(arrived);
        for arrival in arrivals {
            if !members.iter().any(|known| known.state.arrival == arrival) {
                members.extend(recollect(rows, arrival)?);
            }
        }
        members.sort_by_key(|known| known.state.arrival);
        if let Some(arrivals) = regroup(rows, &mut members, &groups)? {
            self.ageing.keep_together(&arrivals, &self.stream);
        }
        Ok(members)
    }

    /// Puts the first records of each story into the index and takes all else out.
    fn represent(&mut self, members: &mut [Known], placements: &[Placement]) {
        let mut taken = FxHashMap::<usize, usize>::default();
        // Each story's original has a place whatever came before it.
        let mut represents = |at: usize, placement: &Placement| {
            let is_original = placement.original == at;
            let taken = taken.entry(placement.original).or_insert(1);
            *taken += usize::from(!is_original && placement.record == at);
            is_original || placement.record == at && *taken <= REPRESENTATIVES
        };
        for (at, (known, placement)) in members.iter_mut().zip(placements).enumerate() {
            let is_representative = represents(at, placement);
            let was = std::mem::replace(&mut known.is_representative, is_representative);
            known.is_body_changed |= was != is_representative;
            match (was, is_representative) {
                (false, true) => self.index.insert(known.state.arrival, &known.sketch.keys),
                (true, false) => self.index.remove(known.state.arrival, &known.sketch.keys),
                _ => {}
            }
        }
    }
}

/// Makes one group of `members`, named after the first that arrived, and tells who is in it; none where one is alone.
fn regroup(
    rows: &mut impl Rows,
    members: &mut [Known],
    groups: &[u64],
) -> Result<Option<Vec<u64>>, LogError> {
    let Some(group) = members.first().map(|first| first.state.arrival) else { return Ok(None) };
    if members.len() == 1 && groups == [group] {
        return Ok(None);
    }
    for stale in groups.iter().filter(|stale| **stale != group) {
        rows.delete_group(*stale)?;
    }
    for known in members.iter_mut().filter(|known| known.state.group != group) {
        known.state.group = group;
        known.is_changed = true;
    }
    let arrivals: Vec<u64> = members.iter().map(|known| known.state.arrival).collect();
    if arrivals != rows.group(group)? {
        rows.put_group(group, arrivals.clone())?;
    }
    Ok(Some(arrivals))
}

/// The articles that members declare their originals, as ids of articles rather than of URLs.
fn resolve_declared(rows: &impl Rows, members: &[Known]) -> Result<Vec<Option<String>>, LogError> {
    let declared = members.iter().map(|known| known.state.declared_original_id.as_str());
    declared.map(|id| if id.is_empty() { Ok(None) } else { rows.resolve(id).map(Some) }).collect()
}
