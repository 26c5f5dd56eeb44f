//! *cluster*: the decider.

use std::{collections::BTreeMap, time::Duration};

use article::Relation;
use pipeline::{Clock, DeadLetter, Headers, Inputs, LogError, Output, Record, Role, Stage, State, Step};
use prost::Message;
use serde::Serialize;
use wire::{Article, Encoding, Prepared, SchemaIds, Topic};

use crate::{
    DEAD_LETTERS,
    ageing::Spans,
    arrival::Clusters,
    counts::count,
    orders::ORDERS,
    record::{Publication, rfc3339},
    rows::{
        ARTICLES, BODIES, DECLARING, MARKS, NUMBERED, STREAM, StepRows, decode_state, number, number_after,
    },
    withdrawal::{Cause, TAKEN_DOWN},
};

/// Reads `prepared`; its state is one record an article.
pub const CLUSTER_ROLE: Role = Role {
    name: "cluster",
    input: "prepared",
    dead_letters: DEAD_LETTERS,
    state_version: Some(6),
    numbered: NUMBERED,
};

/// How far an article may say it was seen after its record was written.
const MAX_AHEAD_MS: i64 = 24 * 3_600_000;

/// How the decider works.
#[derive(Debug, Clone)]
pub struct ClusterSettings {
    /// How canonical and changes are written.
    pub encoding: Encoding,
    /// Under which ids a schema registry knows both; records then come in its frame.
    pub schema_ids: Option<SchemaIds>,
    /// How long near-duplicates of an article are looked for, in the stream's own time. For so long its text is kept.
    pub window: Duration,
    /// How long the same text, the same URL and a declared original are known again.
    pub memory: Duration,
    /// Whether paragraphs that a domain repeats under its articles are left out of bodies. They never count for likeness.
    pub drop_boilerplate: bool,
    /// How long a withdrawn record stands in canonical before its tombstone, in the stream's own time.
    pub withdrawn_for: Duration,
}

impl Default for ClusterSettings {
    fn default() -> Self {
        Self {
            encoding: Encoding::default(),
            schema_ids: None,
            window: Duration::from_secs(14 * 24 * 3600),
            memory: Duration::from_secs(400 * 24 * 3600),
            drop_boilerplate: false,
            withdrawn_for: Duration::from_secs(7 * 24 * 3600),
        }
    }
}

/// The stage that decides.
#[derive(Debug)]
pub struct Cluster {
    clock: Clock,
    settings: ClusterSettings,
    partitions: BTreeMap<i32, Clusters>,
}

impl Cluster {
    /// `clock` gives the time of processing, on which nothing else depends.
    pub fn new(clock: Clock, settings: ClusterSettings) -> Self {
        Self { clock, settings, partitions: BTreeMap::new() }
    }

    fn decide(&mut self, record: &Record, step: &mut Step) -> Result<(), LogError> {
        let (prepared, article) = match read(record) {
            Ok(read) => read,
            Err(detail) => {
                step.dead_letter(DeadLetter::of(record, "malformed", detail));
                return Ok(());
            }
        };
        let partition = record.origin.partition;
        let clusters = self.partitions.get_mut(&partition).ok_or(LogError::NotAssigned { partition })?;
        let mut rows = StepRows { step, partition };
        let run_id = article.run_id.clone();
        let (outcome, publications) = if article.withdrawal.is_some() {
            (None, clusters.withdraw(&mut rows, &article)?)
        } else {
            let arrival = clusters.arrive(&mut rows, prepared, article)?;
            let outcome = arrival.relation.map_or("taken_down", Relation::as_str);
            (Some(outcome), arrival.publications)
        };
        let now_ms = self.clock.now_ms();
        count(outcome, &publications, now_ms, trace::sampled(&record.headers));
        let processed_at = rfc3339(now_ms);
        for publication in publications {
            self.emit(publication, &processed_at, &run_id, &record.headers, step);
        }
        Ok(())
    }

    fn emit(
        &self,
        publication: Publication,
        processed_at: &str,
        run_id: &str,
        came_with: &Headers,
        step: &mut Step,
    ) {
        let Publication { mut change, record } = publication;
        change.processed_at = processed_at.to_owned();
        let key = change.article_id.clone();
        let event_id = format!("{key}/{}", change.version);
        let headers = |kind| {
            let mut headers = wire::headers(kind, &event_id, "cluster", run_id, came_with);
            for (_, value) in headers.iter_mut().filter(|(name, _)| name == "content-type") {
                *value = self.settings.encoding.content_type().into();
            }
            headers
        };
        let record = record.map(|mut record| {
            record.processed_at = processed_at.to_owned();
            self.encode(Topic::Canonical, &record)
        });
        step.emit(Output {
            topic: Topic::Canonical.name(),
            partition: None,
            key: key.clone().into(),
            value: record.map(Into::into),
            headers: headers("CanonicalArticle"),
        });
        step.emit(Output {
            topic: Topic::Changes.name(),
            partition: None,
            key: key.into(),
            value: Some(self.encode(Topic::Changes, &change).into()),
            headers: headers("Change"),
        });
    }

    fn encode<M: Message + Serialize>(&self, topic: Topic, message: &M) -> Vec<u8> {
        let ClusterSettings { encoding, schema_ids, .. } = self.settings;
        let record = encoding.encode(message);
        match schema_ids {
            Some(ids) => ids.frame(topic, encoding, &record),
            None => record,
        }
    }
}

impl Stage for Cluster {
    fn assigned(&mut self, partition: i32, state: &State) -> Result<(), LogError> {
        let stream = state.get(STREAM)?.map(decode_state).transpose()?.unwrap_or_default();
        let ClusterSettings { window, memory, withdrawn_for, drop_boilerplate, .. } = self.settings;
        let mut clusters = Clusters::new(stream, Spans::new(window, memory, withdrawn_for), drop_boilerplate);
        for row in state.scan(MARKS) {
            let (key, arrival) = row?;
            clusters.recall_mark(number_after(MARKS, &key).cast_signed(), number(&arrival));
        }
        for row in state.scan(TAKEN_DOWN) {
            clusters.recall_takedown(&row?.0);
        }
        for row in state.scan(ORDERS) {
            let (key, row) = row?;
            clusters.recall_order(&key, decode_state(row)?);
        }
        for table in [DECLARING, &DECLARING.to_ascii_uppercase()] {
            for row in state.scan(table) {
                clusters.recall_declared(&row?.0);
            }
        }
        for row in state.scan(ARTICLES) {
            clusters.recall(&decode_state(row?.1)?);
        }
        for row in state.scan_from(BODIES, &clusters.oldest().to_be_bytes()) {
            let (key, row) = row?;
            clusters.recall_body(number_after(BODIES, &key), &decode_state(row)?);
        }
        self.partitions.insert(partition, clusters);
        Ok(())
    }

    fn revoked(&mut self, partition: i32) {
        self.partitions.remove(&partition);
    }

    fn process(&mut self, inputs: &Inputs, step: &mut Step) -> Result<(), LogError> {
        inputs.records.iter().try_for_each(|record| self.decide(record, step))?;
        for (partition, clusters) in &mut self.partitions {
            clusters.save(&mut StepRows { step, partition: *partition })?;
        }
        let entries: u64 = self.partitions.values().map(Clusters::in_window).sum();
        metrics::NORMALIZER_WINDOW_ARTICLES.set(entries as i64);
        Ok(())
    }
}

fn read(record: &Record) -> Result<(Prepared, Article), String> {
    let value =
        record.value.as_ref().ok_or("a prepared record without a value; prepared takes no tombstones")?;
    let mut prepared: Prepared = wire::decode(value).map_err(|cause| cause.to_string())?;
    let article = prepared.article.take();
    if let Some((article, withdrawal)) = article.as_ref().and_then(|a| Some((a, a.withdrawal.as_ref()?))) {
        if Cause::of(withdrawal).is_none() {
            return Err(format!(
                "{:?} is no cause of a withdrawal that this version knows",
                withdrawal.cause
            ));
        }
        if article.article_id.is_empty() && article.publisher.as_ref().is_none_or(|p| p.domain.is_empty()) {
            return Err(
                "a withdrawal of neither an article nor a domain; its producer must name one".to_owned()
            );
        }
        return Ok((Prepared::default(), article.clone()));
    }
    let article = article.filter(|article| !article.article_id.is_empty());
    let mut article =
        article.ok_or("a prepared record without an article and its id; its producer must set both")?;
    // By the stream's time articles are forgotten: one clock that is ahead must not move it.
    article.seen_at_ms = article.seen_at_ms.min(record.written_at_ms.saturating_add(MAX_AHEAD_MS));
    if prepared.exact_hash.len() != 16 {
        return Err(format!(
            "the exact_hash of {} has {} bytes, not 16",
            article.article_id,
            prepared.exact_hash.len()
        ));
    }
    Ok((prepared, article))
}
