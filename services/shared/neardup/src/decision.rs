//! The decision: which member of a cluster is the original, and what every other one is to it.

use std::cmp::Reverse;

use article::Relation;

use crate::{Likeness, Proximity, Sketch, TextHash};

/// The same few words are no sign of the same article: "Please enable JavaScript".
const MIN_EXACT_WORDS: u32 = 10;

/// What is known of one member when its cluster is decided.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    /// Its article id.
    pub id: &'a str,
    /// The exact text.
    pub text_hash: TextHash,
    /// The text made small.
    pub sketch: &'a Sketch,
    /// The latest instant at which it can have been published, by the precision given; `None` where nothing was said.
    pub published_at_ms: Option<i64>,
    /// When it came in.
    pub seen_at_ms: i64,
    /// Published by a news agency itself.
    pub is_agency: bool,
    /// Whether its dates can be believed.
    pub is_trusted: bool,
    /// Only the beginning of an article.
    pub is_teaser: bool,
    /// Article id of the original it names: a claim, which counts where that member is here and its text agrees.
    pub declared_original: Option<&'a str>,
}

/// The place of a member. Numbers are places in the slice that was decided on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// The original of its story: itself, if it is that.
    pub original: usize,
    /// The record it is published in: itself, if it has its own; else it is an occurrence there.
    pub record: usize,
    /// What it is to the original of its story.
    pub relation: Relation,
    /// What it is to its record: a copy or an excerpt, or `Original` where the record is its own.
    pub to_record: Relation,
}

/// Whether two articles belong together: the same text, or one that shares enough of it.
pub fn are_kin(a: &Member<'_>, b: &Member<'_>) -> bool {
    a.kinship(b).is_some()
}

/// Places every member, whatever their order: a member goes by the evidence for it, never by its place in `members`.
///
/// Members are walked from the strongest evidence of being an original to the weakest: declared by others; dated before
/// undated, an agency's first, then the earliest; teasers, and those that name another original, last. Each joins the
/// likest original so far, or becomes one: a text that is like two others need not make those one story. A copy or
/// excerpt of its original, or else of another record of the story, is an occurrence of that; an extension or a derived
/// text has a record of its own.
pub fn decide(members: &[Member<'_>]) -> Vec<Placement> {
    let mut stories: Vec<Story> = Vec::new();
    let mut placed: Vec<(usize, Placement)> = Vec::with_capacity(members.len());
    for (place, member) in by_evidence(members) {
        let found = stories.iter_mut().filter_map(|story| {
            let &(_, original) = story.first()?;
            Some((member.kinship(original)?, story))
        });
        // Of equals the first stays: it has the stronger evidence.
        let likest = found.reduce(|best, next| if next.0.mutual > best.0.mutual { next } else { best });
        let Some((to_original, story)) = likest else {
            stories.push(vec![(place, member)]);
            placed.push((
                place,
                Placement {
                    original: place,
                    record: place,
                    relation: Relation::Original,
                    to_record: Relation::Original,
                },
            ));
            continue;
        };
        let original = story.first().map_or(place, |&(place, _)| place);
        let relation = to_original.relation;
        let joined = if to_original.joins() {
            Some((original, relation))
        } else {
            let others = story.iter().skip(1);
            let mut kin = others.filter_map(|&(record, other)| Some((record, member.kinship(other)?)));
            kin.find(|(_, to_record)| to_record.joins() && to_record.explains_beyond(&to_original))
                .map(|(record, to_record)| (record, to_record.relation))
        };
        let (record, to_record) = joined.unwrap_or_else(|| {
            story.push((place, member));
            (place, Relation::Original)
        });
        placed.push((place, Placement { original, record, relation, to_record }));
    }
    placed.sort_unstable_by_key(|&(place, _)| place);
    placed.into_iter().map(|(_, placement)| placement).collect()
}

/// The records of one story with their places, the original first.
type Story<'m, 'a> = Vec<(usize, &'m Member<'a>)>;

impl Member<'_> {
    /// What this member is to `other`, where it is anything.
    fn kinship(&self, other: &Self) -> Option<Kinship> {
        if self.text_hash == other.text_hash && self.sketch.words >= MIN_EXACT_WORDS {
            return Some(Kinship { relation: Relation::Copy, of_this: 1.0, mutual: f32::INFINITY });
        }
        let likeness = Likeness::between(self.sketch, other.sketch);
        let relation = likeness.relation(Proximity::between(self.published_at_ms, other.published_at_ms))?;
        let mutual = likeness.five.of_this.min(likeness.five.of_other);
        Some(Kinship { relation, of_this: likeness.three.of_this, mutual })
    }
}

/// What one member is to another.
#[derive(Clone, Copy)]
struct Kinship {
    relation: Relation,
    /// The share of the member found in the other.
    of_this: f32,
    /// The share found both ways.
    mutual: f32,
}

impl Kinship {
    /// Whether the member needs no record beside the other's.
    fn joins(&self) -> bool {
        matches!(self.relation, Relation::Copy | Relation::Excerpt)
    }

    /// Whether the other has most of what the member has beyond the original: two extensions of one text, each with a
    /// text of its own, share the original and are no copies of each other.
    fn explains_beyond(&self, to_original: &Self) -> bool {
        self.of_this - to_original.of_this >= 0.5 * (1.0 - to_original.of_this)
    }
}

/// The members with their places, the strongest evidence of being an original first.
fn by_evidence<'m, 'a>(members: &'m [Member<'a>]) -> Vec<(usize, &'m Member<'a>)> {
    let claims: Vec<(&str, &str)> = members
        .iter()
        .filter_map(|member| {
            let declared = member.declared_original.filter(|id| *id != member.id)?;
            let original = members.iter().find(|other| other.id == declared)?;
            member.kinship(original).map(|_| (member.id, declared))
        })
        .collect();
    let mut walk: Vec<_> = members.iter().enumerate().collect();
    walk.sort_by_cached_key(|(_, member)| {
        let declares = claims.iter().any(|(by, _)| *by == member.id);
        let declared = claims.iter().any(|(_, original)| *original == member.id);
        let trusted_date = member.published_at_ms.filter(|_| member.is_trusted);
        (
            (declares, Reverse(declared), member.is_teaser),
            (trusted_date.is_none(), Reverse(member.is_agency), trusted_date),
            (member.published_at_ms.is_none(), member.published_at_ms, member.seen_at_ms),
            member.id.to_owned(),
        )
    });
    walk
}
