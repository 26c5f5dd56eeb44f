//! What the model judges a block by: its text, the elements around it, its place on the page, its neighbours, and what
//! the rules of [`crate::sift`] say of it and of those like it.

mod around;
mod sums;
mod text;

use std::hash::{Hash, Hasher};

use rustc_hash::{FxHashMap, FxHasher};

use self::{
    around::around,
    sums::Sums,
    text::{Known, emphasis, text},
};
use crate::{
    blocks::{Block, Kind, blocks},
    body::{Clues, Reading},
    marks::marks,
    sift::captions,
    tree::{Outline, attr, parse},
};

/// What the rules found.
pub(crate) struct Proposal {
    /// The element that holds the article.
    pub container: usize,
    /// The first text node of the headline.
    pub headline: Option<usize>,
    /// One past the last node of what can be the story: beyond it, an endless page goes on with other articles.
    pub end: usize,
    /// Per block: whether it is the story.
    pub kept: Vec<bool>,
}

impl Proposal {
    /// Whether the rules found no story.
    pub fn is_empty(&self) -> bool {
        !self.kept.contains(&true)
    }
}

/// The features of one block.
#[derive(Default)]
struct Row {
    values: Vec<f32>,
    /// Their names, where they are asked for.
    names: Option<Vec<String>>,
}

impl Row {
    /// Adds what is measured at a place.
    fn put(&mut self, place: &'static str, what: &'static str, value: f32) {
        self.values.push(value);
        if let Some(names) = &mut self.names {
            names.push(format!("{place}{what}"));
        }
    }
}

/// The features' names, in the order of a row.
pub(crate) fn names() -> Vec<String> {
    let parsed = parse("<p>x");
    let outline = Outline::of(&parsed.html);
    let (blocks, marks) = (blocks(&outline), marks(&outline));
    let reading = Reading { outline: &outline, marks: &marks, dropped: vec![false; blocks.len()], blocks };
    let proposal = Proposal {
        container: 0,
        headline: None,
        end: outline.len(),
        kept: vec![false; reading.blocks.len()],
    };
    let mut row = Row { names: Some(Vec::new()), ..Row::default() };
    describe(&reading, &proposal, &Clues::default(), &mut row, &mut |_, _| {});
    row.names.unwrap_or_default()
}

/// Shows `each` block that the rules do not settle and that might be the story: its index and features, in order.
pub(crate) fn features(
    reading: &Reading,
    proposal: &Proposal,
    clues: &Clues,
    each: &mut dyn FnMut(usize, &[f32]),
) {
    describe(reading, proposal, clues, &mut Row::default(), each);
}

/// Blocks whose elements and parents have the same names and classes.
#[derive(Default, Clone, Copy)]
struct Group {
    count: f32,
    prose: f32,
    weight: f32,
    links: f32,
    kept: f32,
}

/// What is asked of a block more than once.
struct Read {
    /// Of a block that is not, no more than its neighbours ask is read.
    is_candidate: bool,
    group: u64,
    prose: f32,
    ends: bool,
    furniture: f32,
}

/// Longer texts are not searched for what only short ones are.
const LONG: usize = 1000;
/// Blocks back to the last furniture.
const FURNITURE_REACH: usize = 40;

fn describe(
    reading: &Reading,
    proposal: &Proposal,
    clues: &Clues,
    row: &mut Row,
    each: &mut dyn FnMut(usize, &[f32]),
) {
    let blocks = &reading.blocks;
    let known = Known::of(clues);
    let container = proposal.container..reading.outline.node(proposal.container).end;
    let reads: Vec<Read> = blocks
        .iter()
        .zip(&proposal.kept)
        .map(|(block, kept)| {
            let is_near = *kept || container.contains(&block.at);
            let is_open = || block.at < proposal.end && !is_settled(reading.outline, block);
            Read::of(reading.outline, block, is_near, is_open)
        })
        .collect();
    let sums = Sums::of(reading, &reads, &proposal.kept);
    let mut groups: FxHashMap<u64, Group> = FxHashMap::default();
    let mut repeats: FxHashMap<&str, f32> = FxHashMap::default();
    for ((block, read), kept) in blocks.iter().zip(&reads).zip(&proposal.kept) {
        let group = groups.entry(read.group).or_default();
        group.count += 1.0;
        group.prose += read.prose;
        group.weight += block.weight as f32;
        group.links += block.link_weight as f32;
        group.kept += if *kept { block.weight as f32 } else { 0.0 };
        if read.is_candidate {
            *repeats.entry(block.key()).or_default() += 1.0;
        }
    }
    let page = Page::of(reading, proposal, &sums);
    let (mut heading, mut label): (Option<usize>, Option<usize>) = (None, None);
    for (k, (block, read)) in blocks.iter().zip(&reads).enumerate() {
        if read.is_candidate {
            text(block, read, row);
            known.compare(block, row);
            row.put("", "repeats", repeats.get(block.key()).copied().unwrap_or_default());
            emphasis(reading.outline, block, row);
            around(reading, block, &page, row);
            place(reading, proposal, k, &page, &sums, row);
            containers(reading.outline, block, &page, &sums, row);
            let group = groups.get(&read.group).copied().unwrap_or_default();
            row.put("alike: ", "count", group.count);
            row.put("alike: ", "prose", group.prose / page.prose);
            row.put("alike: ", "length", group.weight / group.count);
            row.put("alike: ", "links", group.links / group.weight.max(1.0));
            row.put("alike: ", "kept", group.kept / group.weight.max(1.0));
            row.put("alike: ", "of kept", group.kept / page.kept);
            neighbours(reading, proposal, &reads, k, row);
            row.put("heading above: ", "distance", heading.map_or(99.0, |h| (k - h) as f32));
            row.put("heading above: ", "furniture", heading.map_or(0.0, |h| reads[h].furniture));
            row.put("heading above: ", "kept", heading.map_or(-1.0, |h| flag(proposal.kept[h])));
            let near = label.filter(|l| k - l <= FURNITURE_REACH);
            row.put("furniture above: ", "distance", near.map_or(99.0, |l| (k - l) as f32));
            row.put("furniture above: ", "kind", near.map_or(0.0, |l| reads[l].furniture));
            let since = |l: usize| sums.before(block.at).prose - sums.before(blocks[l].at).prose;
            row.put("furniture above: ", "prose since", near.map_or(-1.0, since));
            each(k, &row.values);
            row.values.clear();
        }
        if matches!(block.kind, Kind::Heading(_)) {
            heading = Some(k);
        }
        if read.furniture > 0.0 && block.counts.tokens < 12 {
            label = Some(k);
        }
    }
}

fn flag(holds: bool) -> f32 {
    f32::from(u8::from(holds))
}

fn kind(kind: Kind) -> f32 {
    match kind {
        Kind::Paragraph => 0.0,
        Kind::Quote => 1.0,
        Kind::Item => 2.0,
        Kind::Cell => 3.0,
        Kind::Pre => 4.0,
        Kind::Loose => 5.0,
        Kind::Heading(level) => 6.0 + f32::from(level),
        Kind::Caption => 12.0,
    }
}

/// Where policy has it that the rules are right: tables are kept or not as they belong, captions go, and what has no
/// letters (times of a live blog, ratings) is no prose.
fn is_settled(outline: &Outline, block: &Block) -> bool {
    block.kind == Kind::Cell
        || !block.text.contains(char::is_alphabetic)
        || block.words() < 50 && captions(outline, block)
}

impl Read {
    /// `is_near`: the rules keep it, or it stands in the article's container. `is_open`: the rules do not settle it.
    fn of(outline: &Outline, block: &Block, is_near: bool, is_open: impl FnOnce() -> bool) -> Self {
        let mut hasher = FxHasher::default();
        for at in [block.element, outline.node(block.element).parent] {
            outline.name(at).hash(&mut hasher);
            outline.element(at).and_then(|element| attr(element, "class")).hash(&mut hasher);
        }
        let tokens = block.counts.tokens;
        // Labels and links far from the article: about half of all blocks, and hardly ever the story.
        let is_label = tokens < 4 || tokens < 8 && block.link_density() > 0.8;
        let is_candidate = (is_near || !is_label) && is_open();
        let kind = is_candidate.then(|| block.said().furniture).flatten();
        Self {
            is_candidate,
            group: hasher.finish(),
            prose: block.prose() as f32,
            ends: block.ends_sentence(),
            furniture: kind.map_or(0.0, |kind| f32::from(kind as u8) + 1.0),
        }
    }
}

/// What is so for all blocks of a page.
struct Page {
    blocks: f32,
    prose: f32,
    weight: f32,
    kept: f32,
    container_depth: f32,
    container_end: usize,
    headline: Option<usize>,
    headline_article: Option<(usize, usize)>,
    first_kept: Option<usize>,
    last_kept: Option<usize>,
}

impl Page {
    fn of(reading: &Reading, proposal: &Proposal, sums: &Sums) -> Self {
        let outline = reading.outline;
        let all = sums.before(outline.len());
        let is_outer = |at: &usize| !matches!(outline.name(*at), "body" | "html");
        let article = |headline: usize| outline.ancestors(headline).find(|&at| outline.name(at) == "article");
        Self {
            blocks: reading.blocks.len() as f32,
            prose: all.prose.max(1.0),
            weight: all.weight.max(1.0),
            kept: all.kept.max(1.0),
            container_depth: std::iter::once(proposal.container)
                .chain(outline.ancestors(proposal.container))
                .take_while(is_outer)
                .count() as f32,
            container_end: outline.node(proposal.container).end,
            headline: proposal.headline.map(|at| reading.blocks.partition_point(|block| block.at < at)),
            headline_article: proposal.headline.and_then(article).map(|at| (at, outline.node(at).end)),
            first_kept: proposal.kept.iter().position(|kept| *kept),
            last_kept: proposal.kept.iter().rposition(|kept| *kept),
        }
    }
}

/// Stands for a distance from what is not there.
const NOWHERE: f32 = -999.0;

fn place(reading: &Reading, proposal: &Proposal, k: usize, page: &Page, sums: &Sums, row: &mut Row) {
    let at = reading.blocks[k].at;
    let (before, through) = (sums.before(at), sums.before(at + 1));
    let from = |other: Option<usize>| other.map_or(NOWHERE, |other| k as f32 - other as f32);
    row.put("", "index", k as f32 / page.blocks);
    row.put("", "prose before", before.prose / page.prose);
    row.put("", "prose after", (page.prose - through.prose) / page.prose);
    row.put("", "text before", before.weight / page.weight);
    row.put("", "after the headline", from(page.headline));
    row.put("", "in container", flag((proposal.container..page.container_end).contains(&at)));
    row.put("", "dropped", flag(reading.dropped[k]));
    row.put("", "kept", flag(proposal.kept[k]));
    row.put("", "after the first kept", from(page.first_kept));
    row.put("", "after the last kept", from(page.last_kept));
    row.put("", "kept before", before.kept / page.kept);
    row.put("", "kept after", (page.kept - through.kept) / page.kept);
}

/// The elements that hold the block's own, from the nearest out.
fn containers(outline: &Outline, block: &Block, page: &Page, sums: &Sums, row: &mut Row) {
    let mut here = block.element;
    for place in ["1 out: ", "2 out: ", "3 out: ", "4 out: "] {
        here = outline.node(here).parent;
        let inside = sums.before(outline.node(here).end).less(sums.before(here));
        row.put(place, "prose", inside.prose / page.prose);
        row.put(place, "links", inside.links / inside.weight.max(1.0));
        row.put(place, "blocks", inside.count);
        row.put(place, "length", inside.weight / inside.count.max(1.0));
        row.put(place, "kept", inside.kept / inside.weight.max(1.0));
    }
}

fn neighbours(reading: &Reading, proposal: &Proposal, reads: &[Read], k: usize, row: &mut Row) {
    for (place, offset) in [("2 before: ", -2), ("1 before: ", -1), ("1 after: ", 1), ("2 after: ", 2)] {
        let other = k.checked_add_signed(offset).filter(|other| *other < reads.len());
        let mut say = |what, value: &dyn Fn(usize) -> f32| row.put(place, what, other.map_or(-1.0, value));
        let block = |j: usize| &reading.blocks[j];
        say("words", &|j| block(j).counts.tokens as f32);
        say("links", &|j| block(j).link_density() as f32);
        say("kind", &|j| kind(block(j).kind));
        say("ends a sentence", &|j| flag(reads[j].ends));
        say("furniture", &|j| reads[j].furniture);
        say("kept", &|j| flag(proposal.kept[j]));
        say("distance", &|j| block(j).at.abs_diff(block(k).at) as f32);
    }
}
