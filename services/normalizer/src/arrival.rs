//! The decision on one arrival: which articles it belongs with, and what to publish of it.

use article::Relation;
use neardup::{Index, Member, Placement, Sketch, are_kin};
use pipeline::LogError;
use rustc_hash::{FxHashMap, FxHashSet};
use wire::{Article, ArticleState, Prepared, StreamState};

use crate::{
    boilerplate::Boilerplate,
    facts::{self, facts, member},
    record::{self, Publication},
    rows::{Rows, Tables},
    withdrawal,
};

/// Most articles that are decided on together. An article that would be one more is decided on alone.
const MAX_MEMBERS: usize = 1000;

/// Records of one story that near-duplicates are looked up by. More would make the keys of a much extended text common.
const REPRESENTATIVES: usize = 4;

const DAY_MS: i64 = 24 * 3_600_000;

/// The decider's memory of one partition: the near-duplicate index, derived from the rows.
#[derive(Debug)]
pub(crate) struct Clusters {
    index: Index,
    /// Article ids by their numbers in the index, which are those of their arrival.
    ids: FxHashMap<u32, Box<str>>,
    boilerplate: Boilerplate,
    pub(crate) stream: StreamState,
    window_ms: i64,
    drop_boilerplate: bool,
    /// How long a withdrawn record stands in canonical.
    pub(crate) withdrawn_for_ms: i64,
    /// No withdrawn record leaves canonical before this instant of the stream's own time.
    pub(crate) next_burial_ms: i64,
    /// What was taken down, as the keys of its rows.
    pub(crate) marks: FxHashSet<Box<[u8]>>,
}

/// What an arrival brought about.
#[derive(Debug)]
pub(crate) struct Arrival {
    /// In the order in which they are to be written.
    pub(crate) publications: Vec<Publication>,
    /// The story that the article is in.
    pub(crate) cluster_id: String,
    /// What it is to the original of that story.
    pub(crate) relation: Relation,
}

/// An article of the cluster that is being decided.
pub(crate) struct Known {
    pub(crate) id: String,
    pub(crate) state: ArticleState,
    sketch: Sketch,
    pub(crate) is_changed: bool,
    /// It had been withdrawn until now.
    pub(crate) is_revived: bool,
}

impl Clusters {
    /// An empty memory that finds near-duplicates for `window_ms` of the stream's own time. With `drop_boilerplate`, what
    /// a domain repeats is left out of bodies, too.
    pub(crate) fn new(stream: StreamState, window_ms: i64, drop_boilerplate: bool) -> Self {
        let (index, ids, boilerplate) = Default::default();
        let (withdrawn_for_ms, next_burial_ms, marks) = (7 * DAY_MS, i64::MIN, Default::default());
        Self {
            index,
            ids,
            boilerplate,
            stream,
            window_ms,
            drop_boilerplate,
            withdrawn_for_ms,
            next_burial_ms,
            marks,
        }
    }

    /// With withdrawn records that stand in canonical for `withdrawn_for_ms` of the stream's own time.
    pub(crate) fn withdrawn_for(self, withdrawn_for_ms: i64) -> Self {
        Self { withdrawn_for_ms, ..self }
    }

    /// Takes up an article from the rows.
    pub(crate) fn recall(&mut self, id: &str, state: &ArticleState) {
        let keys = state.sketch.as_ref().map(|sketch| sketch.keys.as_slice()).unwrap_or_default();
        let is_open = state.seen_at_ms >= self.stream.time_ms.saturating_sub(self.window_ms);
        if let Ok(number) = u32::try_from(state.arrival)
            && state.is_representative
            && is_open
        {
            self.index.insert(number, keys, state.seen_at_ms);
            self.ids.insert(number, id.into());
        }
    }

    /// Writes what was learnt since the last step; belongs at the end of each.
    pub(crate) fn save(&mut self, rows: &mut impl Rows) -> Result<(), LogError> {
        self.boilerplate.save(rows)
    }

    /// Decides on an article that has just come in, and writes what follows to the rows.
    pub(crate) fn arrive<R: Rows>(
        &mut self,
        rows: &mut R,
        prepared: &Prepared,
        article: &Article,
    ) -> Result<Arrival, LogError> {
        self.advance(rows, article.seen_at_ms)?;
        let domain =
            article.publisher.as_ref().map(|publisher| publisher.domain.as_str()).unwrap_or_default();
        let mut publications = self.bury(rows)?;
        if self.is_taken_down(article, domain) {
            let (cluster_id, relation) = (article.article_id.clone(), Relation::Original);
            return Ok(Arrival { publications, cluster_id, relation });
        }
        let day = u32::try_from(self.stream.time_ms / DAY_MS).unwrap_or_default();
        let repeated = self.boilerplate.repeated(rows, domain, &prepared.paragraphs, day)?;
        let (arrived, is_revised) = self.take_in(rows, prepared, article, &repeated)?;
        let id = arrived.id.clone();
        let is_new = arrived.state.arrival == self.stream.arrivals;
        let mut members = self.gather(rows, arrived)?;
        if is_new && !members.iter().any(|known| known.id != id && known.is_of(domain)) {
            self.boilerplate.learn(rows, domain, &prepared.paragraphs, day)?;
        }
        let (published, placements) = self.settle(rows, &mut members, &id, is_revised)?;
        publications.extend(published);
        let own = members.iter().zip(&placements).find(|(known, _)| known.id == id).map(|(_, own)| *own);
        let relation = own.map_or(Relation::Original, |own| own.relation);
        let cluster_id = own.map(|own| record::cluster_id(&members, &placements, own.original)).unwrap_or(id);
        Ok(Arrival { publications, cluster_id, relation })
    }

    /// Decides on a group again, of which article `id` has changed, and writes what follows to the rows.
    pub(crate) fn decide_again<R: Rows>(
        &mut self,
        rows: &mut R,
        id: &str,
        group_id: &str,
        is_revived: bool,
    ) -> Result<Vec<Publication>, LogError> {
        let mut members = Vec::new();
        for id in rows.group(group_id)? {
            members.extend(recollect(rows, id)?);
        }
        members.sort_by_key(|known| known.state.arrival);
        for known in members.iter_mut().filter(|known| known.id == id) {
            known.is_revived = is_revived;
        }
        Ok(self.settle(rows, &mut members, id, false)?.0)
    }

    /// Places the members of a group, of which article `id` has changed; writes and returns what follows.
    fn settle<R: Rows>(
        &mut self,
        rows: &mut R,
        members: &mut [Known],
        id: &str,
        is_revised: bool,
    ) -> Result<(Vec<Publication>, Vec<Placement>), LogError> {
        let sketches: Vec<Sketch> = members.iter().map(|known| known.sketch.clone()).collect();
        let declared = resolve_declared(rows, members)?;
        let decided_on: Vec<Member<'_>> = members
            .iter()
            .zip(&sketches)
            .zip(&declared)
            .map(|((known, sketch), declared)| Member {
                declared_original: declared.as_deref(),
                ..member(&known.id, &known.state, sketch)
            })
            .collect();
        let placements = withdrawal::place(members, &decided_on);
        drop(decided_on);
        self.represent(members, &placements, id);
        let publications = record::publish(rows, members, &placements, is_revised.then_some(id))?;
        withdrawal::empty(rows, members, &placements)?;
        for known in members.iter().filter(|known| known.is_changed) {
            rows.put_article(&known.id, &known.state)?;
        }
        Ok((publications, placements))
    }

    /// Moves the stream's time on and closes the window behind it.
    fn advance(&mut self, rows: &mut impl Rows, seen_at_ms: i64) -> Result<(), LogError> {
        self.stream.time_ms = self.stream.time_ms.max(seen_at_ms);
        self.stream.arrivals += 1;
        rows.put_stream(&self.stream)?;
        for number in self.index.expire(self.stream.time_ms.saturating_sub(self.window_ms)) {
            self.ids.remove(&number);
        }
        Ok(())
    }

    /// Writes the article's own rows; tells whether it is a new text of one that was known.
    fn take_in(
        &self,
        rows: &mut impl Rows,
        prepared: &Prepared,
        article: &Article,
        repeated: &[u32],
    ) -> Result<(Known, bool), LogError> {
        let id = article.article_id.clone();
        let before = rows.article(&id)?;
        let is_revived = before.as_ref().is_some_and(|before| withdrawal::is_ended(before, article));
        let body = if before.is_some() { rows.body(&id)? } else { None };
        let (article, is_revised) = match &body {
            Some(known) if !revises(article, known) => {
                let mut kept = merged(known.clone(), article);
                if is_revived {
                    kept.fetched_at_ms = kept.fetched_at_ms.max(article.fetched_at_ms);
                }
                (kept, false)
            }
            Some(known) => (merged(article.clone(), known), true),
            None => (article.clone(), before.is_some()),
        };
        let mut state = match &before {
            Some(before) if !is_revised => ArticleState {
                seen_at_ms: article.seen_at_ms,
                labels: article.labels.clone(),
                ..before.clone()
            },
            _ => ArticleState {
                left_out: if self.drop_boilerplate { repeated.to_vec() } else { Vec::new() },
                ..facts(prepared, &article, repeated)
            },
        };
        if body.as_ref() != Some(&article) {
            rows.put_body(&article)?;
        }
        if let Some(before) = &before {
            state = ArticleState {
                group_id: before.group_id.clone(),
                arrival: before.arrival,
                version: before.version,
                is_published: before.is_published,
                published_hash: before.published_hash,
                is_representative: before.is_representative,
                withdrawal: before.withdrawal.clone().filter(|_| !is_revived),
                buried_at_ms: if is_revived { 0 } else { before.buried_at_ms },
                is_emptied: false,
                ..state
            };
            if before.text_hash != state.text_hash
                && rows.article_with_text(&before.text_hash)?.as_ref() == Some(&id)
            {
                rows.delete_article_with_text(&before.text_hash)?;
            }
        } else {
            state.group_id = id.clone();
            state.arrival = self.stream.arrivals;
        }
        if !state.declared_original_id.is_empty() {
            rows.put_declaring(&state.declared_original_id, &id)?;
        }
        for url in [&article.url, &article.requested_url] {
            if let Some(url_id) = facts::id_of_url(url).filter(|url_id| *url_id != id) {
                rows.put_alias(&url_id, &id)?;
            }
        }
        let sketch = facts::sketch(&state);
        Ok((Known { id, state, sketch, is_changed: true, is_revived }, is_revised))
    }

    /// The article with all it is decided with, in order of arrival. Clusters that it joins become one.
    fn gather(&self, rows: &mut impl Rows, arrived: Known) -> Result<Vec<Known>, LogError> {
        let mut groups = vec![arrived.state.group_id.clone()];
        let mut ids = rows.group(&arrived.state.group_id)?;
        let arrived_member = member(&arrived.id, &arrived.state, &arrived.sketch);
        for candidate in self.candidates(rows, &arrived)? {
            if ids.contains(&candidate) {
                continue;
            }
            let Some(known) = recollect(rows, candidate)? else { continue };
            if !are_kin(&arrived_member, &member(&known.id, &known.state, &known.sketch)) {
                continue;
            }
            let joined = rows.group(&known.state.group_id)?;
            if ids.len() + joined.len() <= MAX_MEMBERS {
                groups.push(known.state.group_id);
                ids.extend(joined);
            }
        }
        if rows.article_with_text(&arrived.state.text_hash)?.is_none() {
            rows.put_article_with_text(&arrived.state.text_hash, &arrived.id)?;
        }
        let mut members = Vec::with_capacity(ids.len());
        for id in ids.into_iter().filter(|id| *id != arrived.id) {
            members.extend(recollect(rows, id)?);
        }
        members.push(arrived);
        members.sort_by_key(|known| known.state.arrival);
        regroup(rows, &mut members, &groups)?;
        Ok(members)
    }

    /// Ids of articles that may belong with this one, the surest signs first.
    fn candidates(&self, rows: &impl Rows, arrived: &Known) -> Result<Vec<String>, LogError> {
        let mut candidates = Vec::new();
        if !arrived.state.declared_original_id.is_empty() {
            candidates.push(rows.resolve(&arrived.state.declared_original_id)?);
        }
        candidates.extend(rows.declaring(&arrived.id)?);
        if let Some(url_id) = facts::id_of_url(&arrived.state.place).filter(|url_id| *url_id != arrived.id) {
            candidates.extend(rows.declaring(&url_id)?);
        }
        candidates.extend(rows.article_with_text(&arrived.state.text_hash)?);
        let alike = self.index.candidates(&arrived.sketch.keys);
        candidates.extend(alike.iter().filter_map(|number| self.ids.get(number)).map(|id| id.to_string()));
        Ok(candidates)
    }

    /// Puts the first records of each story into the index and takes all else out.
    fn represent(&mut self, members: &mut [Known], placements: &[Placement], arrived: &str) {
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
            let was = std::mem::replace(&mut known.state.is_representative, is_representative);
            known.is_changed |= was != is_representative;
            let Ok(number) = u32::try_from(known.state.arrival) else { continue };
            if is_representative && (!was || known.id == arrived) {
                self.index.insert(number, &known.sketch.keys, known.state.seen_at_ms);
                self.ids.insert(number, known.id.as_str().into());
            } else if was && !is_representative {
                self.index.remove(number);
                self.ids.remove(&number);
            }
        }
    }
}

impl Known {
    fn is_of(&self, domain: &str) -> bool {
        self.state.publisher.as_ref().is_some_and(|publisher| publisher.domain == domain)
    }

    /// Counts a version on; `published_hash` is of the record, or `None` where it no longer has one.
    pub(crate) fn publish(&mut self, published_hash: Option<u64>) -> u64 {
        self.state.version += 1;
        self.state.is_published = published_hash.is_some();
        self.state.published_hash = published_hash.unwrap_or_default();
        self.is_changed = true;
        self.state.version
    }
}

fn recollect(rows: &impl Rows, id: String) -> Result<Option<Known>, LogError> {
    Ok(rows.article(&id)?.map(|state| {
        let sketch = facts::sketch(&state);
        Known { id, sketch, state, is_changed: false, is_revived: false }
    }))
}

/// Makes one group of `members`, named after the first that arrived.
fn regroup(rows: &mut impl Rows, members: &mut [Known], groups: &[String]) -> Result<(), LogError> {
    let Some(group_id) = members.first().map(|first| first.id.clone()) else { return Ok(()) };
    for stale in groups.iter().filter(|group| **group != group_id) {
        rows.delete_group(stale)?;
    }
    for known in members.iter_mut().filter(|known| known.state.group_id != group_id) {
        known.state.group_id.clone_from(&group_id);
        known.is_changed = true;
    }
    let ids: Vec<String> = members.iter().map(|known| known.id.clone()).collect();
    if ids != rows.group(&group_id)? {
        rows.put_group(&group_id, ids)?;
    }
    Ok(())
}

/// The articles that members declare their originals, as ids of articles rather than of URLs.
fn resolve_declared(rows: &impl Rows, members: &[Known]) -> Result<Vec<Option<String>>, LogError> {
    let declared = members.iter().map(|known| known.state.declared_original_id.as_str());
    declared.map(|id| if id.is_empty() { Ok(None) } else { rows.resolve(id).map(Some) }).collect()
}

/// Whether `new` says anything else than `known`, and is the better witness.
fn revises(new: &Article, known: &Article) -> bool {
    let essence = |article: &Article| Article {
        seen_at_ms: 0,
        fetched_at_ms: 0,
        request_id: String::new(),
        run_id: String::new(),
        source_id: String::new(),
        extractor_version: String::new(),
        labels: Default::default(),
        ..article.clone()
    };
    let is_teaser = |article: &Article| article.verdict == article::Verdict::Teaser.as_str();
    let is_stale = new.fetched_at_ms != 0 && new.fetched_at_ms < known.fetched_at_ms;
    let is_lesser = is_teaser(new) && !is_teaser(known);
    !is_stale && !is_lesser && essence(new) != essence(known)
}

/// `kept` with what adds up over its arrivals: the first sighting, and all labels.
fn merged(mut kept: Article, other: &Article) -> Article {
    kept.seen_at_ms = kept.seen_at_ms.min(other.seen_at_ms);
    for (name, value) in &other.labels {
        kept.labels.entry(name.clone()).or_insert_with(|| value.clone());
    }
    kept
}
