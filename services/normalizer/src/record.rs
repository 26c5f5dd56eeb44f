//! Canonical records and their changes: what is to be published of a decided cluster, and what of it is news.

use article::Moment;
use neardup::{Containment, Kinship, Placement};
use pipeline::LogError;
use prost::Message;
use wire::{Article, ArticleState, CanonicalArticle, Change, Evidence, Occurrence, Related};
use xxhash_rust::xxh3::xxh3_64;

use crate::{boilerplate, facts, known::Known, withdrawal::Standing};

/// Most labels on a record, its own first.
const MAX_LABELS: usize = 64;

/// A change with the record as it is now. Times of processing are for the writer to fill in.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Publication {
    pub(crate) change: Change,
    /// `None` is a tombstone.
    pub(crate) record: Option<CanonicalArticle>,
}

/// The id of a story: of its member that arrived first. It stays when another becomes the original.
pub(crate) fn cluster_id(members: &[Known], placements: &[Placement], original: usize) -> String {
    let mut of_story = members.iter().zip(placements).filter(|(_, placement)| placement.original == original);
    of_story.next().map(|(known, _)| known.id().to_owned()).unwrap_or_default()
}

/// Compares what should stand in canonical with what does, and counts the versions of what differs.
///
/// `revised` is the arrival of the article whose new text is the occasion, if there is one. Records come before the
/// tombstones of those they take over from. A record that has aged stays as it is: of a copy that comes so late a change
/// says which record supersedes it.
pub(crate) fn publish(
    members: &mut [Known],
    placements: &[Placement],
    revised: Option<u64>,
) -> Result<Vec<Publication>, LogError> {
    let mut publications = Vec::new();
    let mut aged = Vec::new();
    let was_published: Vec<bool> = members.iter().map(|known| known.state.is_published).collect();
    for (at, _) in placements.iter().enumerate().filter(|(at, placement)| placement.record == *at) {
        let standing = members.get(at).map_or(Standing::Nothing, |known| Standing::of(&known.state));
        if standing == Standing::Nothing {
            continue;
        }
        let Some(record) = canonical(members, placements, at)? else {
            aged.push(at);
            continue;
        };
        let hash = xxh3_64(&record.encode_to_vec());
        let takes_over = || {
            let mut others = placements.iter().zip(&was_published).enumerate();
            others.any(|(other, (placed, was))| *was && other != at && placed.record == at)
        };
        let was = was_published.get(at).copied().unwrap_or_default();
        let Some(known) = members.get_mut(at) else { continue };
        if was && known.state.published_hash == hash {
            continue;
        }
        let change = match (was, revised == Some(known.state.arrival)) {
            _ if standing == Standing::Withdrawn => "withdrawn",
            _ if known.is_revived => "corrected",
            (true, true) => "corrected",
            (true, false) => "reprocessed",
            (false, _) if takes_over() => "takeover",
            (false, _) => "created",
        };
        let version = known.publish(Some(hash));
        let record = CanonicalArticle { version, change: change.to_owned(), ..record };
        let change = Change {
            url: known.state.place.clone(),
            evidence: placements.get(at).and_then(|placement| placement.to_original).map(evidence),
            ..change_to(&record)
        };
        publications.push(Publication { change, record: Some(record) });
    }
    for (at, placement) in placements.iter().enumerate() {
        let is_record = placement.record == at;
        let is_over = !is_record
            || members.get(at).is_some_and(|known| Standing::of(&known.state) == Standing::Nothing);
        let is_late =
            aged.contains(&placement.record) && members.get(at).is_some_and(|known| known.state.version == 0);
        // Whose text is kept no longer cannot take over: what nobody wants gone goes on standing.
        let is_wanted_gone = members.get(at).is_some_and(|known| {
            known.state.withdrawal.as_ref().is_some_and(|withdrawal| withdrawal.cause != "missing")
        });
        let has_no_heir = !is_record
            && !is_wanted_gone
            && aged.contains(&placement.record)
            && was_published.get(placement.record) != Some(&true);
        if !is_over || !is_late && (was_published.get(at) != Some(&true) || has_no_heir) {
            continue;
        }
        let cluster_id = cluster_id(members, placements, placement.original);
        let superseded_by = members.get(placement.record).map(|known| known.id().to_owned());
        let Some(known) = members.get_mut(at) else { continue };
        // Taken down at once, or withdrawn before.
        let withdrawal = known.state.withdrawal.clone().filter(|_| is_record);
        let change = match &withdrawal {
            Some(withdrawal) if withdrawal.cause == "takedown" => "withdrawn",
            _ if is_record => "buried",
            _ => "superseded",
        };
        let change = Change {
            article_id: known.id().to_owned(),
            version: known.publish(None),
            change: change.to_owned(),
            cluster_id,
            url: known.state.place.clone(),
            relation: placement.relation().to_string(),
            evidence: placement.to_original.map(evidence),
            superseded_by: superseded_by.filter(|_| !is_record).unwrap_or_default(),
            withdrawal,
            ..Change::default()
        };
        publications.push(Publication { change, record: None });
    }
    Ok(publications)
}

/// The record of the member at `at`, without version, change and processing time; none where its text is no longer kept.
fn canonical(
    members: &mut [Known],
    placements: &[Placement],
    at: usize,
) -> Result<Option<CanonicalArticle>, LogError> {
    let body = members.get_mut(at).map(|known| known.body()).transpose()?.flatten();
    let (Some(known), Some(placement)) = (members.get(at), placements.get(at)) else { return Ok(None) };
    // What is withdrawn long after its text has aged is told all the same.
    let Some(body) = body.or_else(|| known.state.withdrawal.as_ref().map(|_| without_text(&known.state)))
    else {
        return Ok(None);
    };
    let mut occurring = of_record(members, placements, at);
    occurring.sort_by_key(|(other, _)| (other.state.seen_at_ms, other.id().to_owned()));
    let mut related: Vec<Related> = Vec::new();
    for (other, (known, placed)) in members.iter().zip(placements).enumerate() {
        let is_usable = Standing::of(&known.state) == Standing::Usable;
        if is_usable && other != at && placed.record == other && placed.original == placement.original {
            let (article_id, url) = (known.id().to_owned(), known.state.place.clone());
            let relation = placed.relation().to_string();
            let own = || placement.to_original.map(evidence).map(seen_from_there);
            let evidence = placed.to_original.map(evidence).or_else(own);
            related.push(Related { article_id, url, relation, evidence });
        }
    }
    related.sort_by(|a, b| a.article_id.cmp(&b.article_id));
    let mut record = CanonicalArticle { url: known.state.place.clone(), ..of_article(body) };
    if let Some(withdrawal) = &known.state.withdrawal {
        record = CanonicalArticle {
            status: "withdrawn".to_owned(),
            withdrawal: Some(withdrawal.clone()),
            subheadline: String::new(),
            summary: String::new(),
            body_text: String::new(),
            images: Vec::new(),
            ..record
        };
    }
    if !known.state.left_out.is_empty() {
        record.body_text = boilerplate::without(&record.body_text, &known.state.left_out);
    }
    for (name, value) in occurring.iter().flat_map(|(other, _)| &other.state.labels) {
        if record.labels.len() < MAX_LABELS {
            record.labels.entry(name.clone()).or_insert_with(|| value.clone());
        }
    }
    record.content_hash = format!("{:032x}", facts::text_hash(&known.state).0);
    record.cluster_id = cluster_id(members, placements, placement.original);
    record.relation = placement.relation().to_string();
    record.occurrences =
        occurring.into_iter().map(|(other, to_record)| occurrence(other, to_record)).collect();
    record.related = related;
    Ok(Some(record))
}

fn of_record<'m>(members: &'m [Known], placements: &[Placement], record: usize) -> Vec<(&'m Known, Kinship)> {
    let placed = members.iter().zip(placements).enumerate();
    // A withdrawn record tells where its text still stands.
    let is_usable = |known: &Known| Standing::of(&known.state) == Standing::Usable;
    let occurring = placed
        .filter(|(at, (known, placement))| *at != record && placement.record == record && is_usable(known));
    occurring.filter_map(|(_, (known, placement))| Some((known, placement.to_record?))).collect()
}

fn occurrence(known: &Known, to_record: Kinship) -> Occurrence {
    Occurrence {
        url: known.state.place.clone(),
        publisher: known.state.publisher.clone(),
        relation: to_record.relation.to_string(),
        seen_at: rfc3339(known.state.seen_at_ms),
        article_id: known.id().to_owned(),
        evidence: Some(evidence(to_record)),
    }
}

fn evidence(kinship: Kinship) -> Evidence {
    let Containment { of_this, of_other } = kinship.containment;
    let hundredths = |share: f32| f64::from((share * 100.0).round()) / 100.0;
    Evidence {
        rule: kinship.rule.to_string(),
        contained: hundredths(of_this),
        contains: hundredths(of_other),
    }
}

fn seen_from_there(evidence: Evidence) -> Evidence {
    Evidence { contained: evidence.contains, contains: evidence.contained, ..evidence }
}

fn without_text(state: &ArticleState) -> Article {
    Article {
        article_id: state.article_id.clone(),
        publisher: state.publisher.clone(),
        seen_at_ms: state.seen_at_ms,
        ..Article::default()
    }
}

fn of_article(article: Article) -> CanonicalArticle {
    CanonicalArticle {
        article_id: article.article_id,
        status: "usable".to_owned(),
        canonical_url: article.canonical_url,
        amp_url: article.amp_url,
        headline: article.headline,
        subheadline: article.subheadline,
        summary: article.summary,
        body_text: article.body_text,
        authors: article.authors,
        byline: article.byline,
        dateline: article.dateline,
        agency: article.agency,
        publisher: article.publisher,
        published_at: article.published_at,
        published_precision: article.published_precision,
        modified_at: article.modified_at,
        seen_at: rfc3339(article.seen_at_ms),
        fetched_at: rfc3339(article.fetched_at_ms),
        language: article.language,
        language_confidence: article.language_confidence,
        section: article.section,
        keywords: article.keywords,
        images: article.images,
        is_paywalled: article.is_paywalled,
        provenance: article.provenance,
        verdict: article.verdict,
        rights: article.rights,
        extractor_version: article.extractor_version,
        source_id: article.source_id,
        labels: article.labels,
        warnings: article.warnings,
        ..CanonicalArticle::default()
    }
}

fn change_to(record: &CanonicalArticle) -> Change {
    Change {
        article_id: record.article_id.clone(),
        version: record.version,
        change: record.change.clone(),
        cluster_id: record.cluster_id.clone(),
        relation: record.relation.clone(),
        occurrences: record.occurrences.clone(),
        withdrawal: record.withdrawal.clone(),
        ..Change::default()
    }
}

/// UTC, to the second; empty for an instant that is not known.
pub(crate) fn rfc3339(unix_ms: i64) -> String {
    Some(unix_ms)
        .filter(|ms| *ms != 0)
        .and_then(Moment::from_millis)
        .map(|at| at.to_string())
        .unwrap_or_default()
}
