//! The decision: which member of a cluster is the original, and what every other one is to it.

use std::cmp::Reverse;

use article::{Relation, Rule};

use crate::{Containment, Likeness, Miss, Proximity, Sketch, TextHash, likeness::MIN_WORDS};

/// What is known of one member when its cluster is decided.
#[derive(Debug, Clone)]
pub struct Member<'a> {
    /// Its article id.
    pub id: &'a str,
    /// The exact text.
    pub text_hash: TextHash,
    /// The text made small.
    pub sketch: &'a Sketch,
    /// The latest instant at which it can have been published, by the precision given; `None` where nothing was said that
    /// can be believed.
    pub published_at_ms: Option<i64>,
    /// When it came in.
    pub seen_at_ms: i64,
    /// Published by a news agency itself.
    pub is_agency: bool,
    /// How far its source is trusted, from 0 to 100.
    pub trust: u8,
    /// Only the beginning of an article.
    pub is_teaser: bool,
    /// Article id of the original it names: a claim, which counts where that member is here and its text agrees.
    pub declared_original: Option<&'a str>,
}

/// The place of a member. Numbers are places in the slice that was decided on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// The original of its story: itself, if it is that.
    pub original: usize,
    /// The record it is published in: itself, if it has its own; else it is an occurrence there.
    pub record: usize,
    /// What it is to the original of its story; `None` where it is that itself.
    pub to_original: Option<Kinship>,
    /// What it is to its record: a copy or an excerpt; `None` where the record is its own.
    pub to_record: Option<Kinship>,
}

impl Placement {
    /// What it is to the original of its story.
    pub fn relation(&self) -> Relation {
        self.to_original.map_or(Relation::Original, |kinship| kinship.relation)
    }
}

/// What one member is to another, and why.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kinship {
    /// A copy, an excerpt, an extension, or derived.
    pub relation: Relation,
    /// Why the two belong together.
    pub rule: Rule,
    /// Containment of 3-word shingles; whole where the texts are the same.
    pub containment: Containment,
    /// The share of 5-word shingles found both ways.
    mutual: f32,
}

/// Whether two articles belong together: the same text, or one that shares enough of it.
pub fn are_kin(a: &Member<'_>, b: &Member<'_>) -> bool {
    kinship(a, b).is_ok()
}

/// What one article is to another, or what keeps them apart.
pub fn kinship(this: &Member<'_>, other: &Member<'_>) -> Result<Kinship, Miss> {
    // Of the same text either sketch says how long it is: one of them may be kept no longer.
    let words = this.sketch.words.max(other.sketch.words);
    if this.text_hash == other.text_hash && words >= MIN_WORDS {
        let containment = Containment { of_this: 1.0, of_other: 1.0 };
        let (relation, rule) = (Relation::Copy, Rule::SameText);
        return Ok(Kinship { relation, rule, containment, mutual: f32::INFINITY });
    }
    let likeness = Likeness::between(this.sketch, other.sketch);
    let rule = likeness.rule(Proximity::between(this.published_at_ms, other.published_at_ms))?;
    let mutual = likeness.five.of_this.min(likeness.five.of_other);
    Ok(Kinship { relation: likeness.relation(), rule, containment: likeness.three, mutual })
}

/// Places every member, whatever their order: a member goes by the evidence for it, never by its place in `members`.
///
/// Members are walked from the strongest evidence of being an original to the weakest: declared by others; dated before
/// undated, an agency's first, then the earliest, then the one whose source is trusted more, then the first seen; teasers,
/// and those that name another original, last. Each joins the
/// likest original so far, or becomes one: a text that is like two others need not make those one story. A copy or
/// excerpt of its original, or else of another record of the story, is an occurrence of that; an extension or a derived
/// text has a record of its own.
pub fn decide(members: &[Member<'_>]) -> Vec<Placement> {
    let mut stories: Vec<Story> = Vec::new();
    let mut placed: Vec<(usize, Placement)> = Vec::with_capacity(members.len());
    for (place, member) in by_evidence(members) {
        let found = stories.iter_mut().filter_map(|story| {
            let &(_, original) = story.first()?;
            Some((kinship(member, original).ok()?, story))
        });
        // Of equals the first stays: it has the stronger evidence.
        let likest = found.reduce(|best, next| if next.0.mutual > best.0.mutual { next } else { best });
        let Some((to_original, story)) = likest else {
            stories.push(vec![(place, member)]);
            let own = Placement { original: place, record: place, to_original: None, to_record: None };
            placed.push((place, own));
            continue;
        };
        let original = story.first().map_or(place, |&(place, _)| place);
        let joined = if to_original.joins() {
            Some((original, to_original))
        } else {
            let others = story.iter().skip(1);
            let mut kin = others.filter_map(|&(record, other)| Some((record, kinship(member, other).ok()?)));
            kin.find(|(_, to_record)| to_record.joins() && to_record.explains_beyond(&to_original))
        };
        if joined.is_none() {
            story.push((place, member));
        }
        let record = joined.map_or(place, |(record, _)| record);
        let to_record = joined.map(|(_, to_record)| to_record);
        placed.push((place, Placement { original, record, to_original: Some(to_original), to_record }));
    }
    placed.sort_unstable_by_key(|&(place, _)| place);
    placed.into_iter().map(|(_, placement)| placement).collect()
}

/// The records of one story with their places, the original first.
type Story<'m, 'a> = Vec<(usize, &'m Member<'a>)>;

impl Kinship {
    /// Whether the member needs no record beside the other's.
    fn joins(&self) -> bool {
        matches!(self.relation, Relation::Copy | Relation::Excerpt)
    }

    /// Whether the other has most of what the member has beyond the original: two extensions of one text, each with a
    /// text of its own, share the original and are no copies of each other.
    fn explains_beyond(&self, to_original: &Self) -> bool {
        let (there, in_original) = (self.containment.of_this, to_original.containment.of_this);
        there - in_original >= 0.5 * (1.0 - in_original)
    }
}

/// The members with their places, the strongest evidence of being an original first.
fn by_evidence<'m, 'a>(members: &'m [Member<'a>]) -> Vec<(usize, &'m Member<'a>)> {
    let claims: Vec<(&str, &str)> = members
        .iter()
        .filter_map(|member| {
            let declared = member.declared_original.filter(|id| *id != member.id)?;
            let original = members.iter().find(|other| other.id == declared)?;
            kinship(member, original).ok().map(|_| (member.id, declared))
        })
        .collect();
    let mut walk: Vec<_> = members.iter().enumerate().collect();
    walk.sort_by_cached_key(|(_, member)| {
        let declares = claims.iter().any(|(by, _)| *by == member.id);
        let declared = claims.iter().any(|(_, original)| *original == member.id);
        let published = member.published_at_ms;
        (
            (declares, Reverse(declared), member.is_teaser),
            (published.is_none(), Reverse(member.is_agency), published),
            (Reverse(member.trust), member.seen_at_ms),
            member.id.to_owned(),
        )
    });
    walk
}
