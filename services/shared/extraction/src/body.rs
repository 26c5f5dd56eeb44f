//! The article's text: which element holds it, and which of its blocks are not the story.
//!
//! First the elements that say they are something else (navigation, comments, related articles, …) are dropped, unless
//! they hold so much of the page's prose that the name must mean something else. Then the container is sought: from the
//! body down, always into the child that holds nearly all the prose left. What remains are blocks, judged one by one and
//! by their place ([`crate::sift`]).

use crate::{
    blocks::{Block, Kind, blocks},
    evidence::Shape,
    features::Proposal,
    judge::{Watch, judge},
    marks::Marks,
    phrases::furniture,
    sift::sift,
    text::{cut, loose, squeeze, unescape},
    title::Site,
    tree::Outline,
};

/// What is known of the article before its body is sought.
#[derive(Debug, Default)]
pub(crate) struct Clues<'a> {
    pub title: &'a str,
    pub description: &'a str,
    /// JSON-LD's `articleBody`: the whole text, a stub, or empty.
    pub article_body: &'a str,
    /// The page's host.
    pub host: &'a str,
    /// What the site is called; `None` where nothing is known of it.
    pub site: Option<&'a Site>,
    /// Names of the authors declared.
    pub authors: &'a [String],
}

/// The body found, and what the page looks like around it.
#[derive(Debug, Default)]
pub(crate) struct Body {
    /// Paragraphs in order, standfirst first where the page shows one.
    pub paragraphs: Vec<String>,
    pub standfirst: Option<String>,
    /// The share of the body's text that is links.
    pub link_density: f64,
    /// [`crate::text::weight`] of all text on the page.
    pub page_weight: usize,
    pub shape: Shape,
    /// Where the text came from: `dom`, `json-ld` or `state`.
    pub source: &'static str,
    /// The node of the body's first block.
    pub first_node: Option<usize>,
    /// The node of the headline shown.
    pub headline: Option<usize>,
    /// The node of its last block, and that of the block after it.
    pub last_nodes: Option<(usize, usize)>,
    /// Elements marked as dates.
    pub dates: Vec<usize>,
    /// `(node, text)` of short lines with digits around the body, in order: where dates are shown.
    pub margin: Vec<(usize, String)>,
    /// The first text of the page.
    pub opening: String,
}

impl Body {
    /// Takes the paragraphs that the page's state tells instead of those it shows.
    pub fn tell(&mut self, mut paragraphs: Vec<String>) {
        let is_told = |standfirst: &str| paragraphs.iter().any(|p| loose(p) == loose(standfirst));
        if let Some(standfirst) = self.standfirst.as_ref().filter(|s| !is_told(s)) {
            paragraphs.insert(0, standfirst.clone());
        }
        let leftover = std::mem::take(&mut self.shape.leftover);
        self.shape = Shape { leftover, ..Shape::default() };
        (self.paragraphs, self.source, self.link_density) = (paragraphs, "state", 0.0);
    }
}

/// A page read for its body: outline, marks and blocks, each indexed by the first.
pub(crate) struct Reading<'a> {
    pub outline: &'a Outline<'a>,
    pub marks: &'a [Marks],
    pub blocks: Vec<Block>,
    /// Per block: whether an element around it was dropped.
    pub dropped: Vec<bool>,
}

/// Prose that an element may hold at most, as a share of the page's, to be dropped for its marks.
const MAX_CLUTTER_SHARE: f64 = 0.4;
/// Prose that all elements of one doubtful mark may hold together.
const MAX_TAKEN_SHARE: f64 = 0.5;
/// Prose that a child must hold, as a share of its parent's, for the container to be sought inside it.
const MIN_CHILD_SHARE: f64 = 0.88;
/// The same for a child that is marked as an article's body.
const MIN_MARKED_CHILD_SHARE: f64 = 0.5;

/// Paragraphs, and bytes of `articleBody`, beyond which the two are not compared.
const MAX_RECONCILED: usize = 2000;
const MAX_ARTICLE_BODY_BYTES: usize = 256 << 10;

/// Finds the body. `marks` are those of the outline's nodes.
pub(crate) fn body(outline: &Outline, marks: &[Marks], clues: &Clues, watch: &mut Watch) -> Body {
    let blocks = blocks(outline);
    let mut reading = Reading { outline, marks, dropped: vec![false; blocks.len()], blocks };
    let page_weight = reading.blocks.iter().map(|b| b.weight).sum();
    let headline = headline(&reading, clues.title);
    drop_clutter(&mut reading, headline, Marks::default());
    let mut proposal = propose(&reading, headline, clues);
    if proposal.is_empty() {
        // A page must not be lost for its class names.
        drop_clutter(&mut reading, headline, Marks::ALL.without(Marks::SURE));
        proposal = propose(&reading, headline, clues);
    }
    let kept = judge(&reading, &proposal, clues, watch);
    let standfirst = standfirst(&reading, headline, proposal.container, clues);
    let first_node = kept.first().map(|&k| reading.blocks[k].at);
    let last_nodes = kept.last().map(|&k| {
        let last = &reading.blocks[k];
        (last.at, reading.blocks.get(k + 1).unwrap_or(last).at)
    });
    let around = headline.into_iter().chain(first_node).min();
    let margin = margin(&reading, around, first_node, last_nodes.map(|(last, _)| last));
    let dates = (0..outline.len()).filter(|&at| reading.marks[at].has(Marks::DATE)).take(200).collect();
    let opening = opening(&reading.blocks);
    let shape = Shape::of(outline, &reading.blocks, &kept, clues.host);
    let mut paragraphs: Vec<String> = Vec::with_capacity(kept.len() + 1);
    let (mut weight, mut links) = (0, 0);
    if let Some(text) = &standfirst {
        let key = loose(text);
        if !kept.iter().any(|&k| reading.blocks[k].key() == key) {
            paragraphs.push(text.clone());
        }
    }
    // Cells of one row make one paragraph; blocks of one cell do not.
    let mut cell: Option<(usize, usize)> = None;
    for k in kept {
        let block = &reading.blocks[k];
        weight += block.weight;
        links += block.link_weight;
        let here = (block.kind == Kind::Cell).then(|| (outline.node(block.element).parent, block.element));
        match (paragraphs.last_mut(), cell, here) {
            (Some(last), Some((row, before)), Some((this_row, this)))
                if row == this_row && before != this =>
            {
                last.push_str(" | ");
                last.push_str(&block.text);
            }
            _ => paragraphs.push(block.text.clone()),
        }
        cell = here;
    }
    let source = reconcile(&mut paragraphs, clues.article_body);
    Body {
        paragraphs,
        source,
        first_node,
        headline,
        last_nodes,
        dates,
        margin,
        opening,
        standfirst,
        link_density: if weight == 0 { 0.0 } else { links as f64 / weight as f64 },
        page_weight,
        shape,
    }
}

/// The container, and the blocks in it that the rules take for the story.
fn propose(reading: &Reading, headline: Option<usize>, clues: &Clues) -> Proposal {
    let live = Prose::of(reading, true);
    let own = headline.and_then(|headline| own_article(reading, &live, headline));
    let container = container(reading, &live, own);
    let story = sift(reading, (container, reading.outline.node(container).end), headline, clues);
    let mut kept = vec![false; reading.blocks.len()];
    for k in story {
        kept[k] = true;
    }
    let end = reading.outline.node(own.unwrap_or(0)).end;
    Proposal { container, headline, end, kept }
}

/// Prose by place: sums over ranges of nodes.
struct Prose {
    /// `(node, prose of all blocks before and with it)`, ascending.
    sums: Vec<(usize, f64)>,
}

impl Prose {
    fn of(reading: &Reading, live_only: bool) -> Self {
        let mut total = 0.0;
        let sums = reading.blocks.iter().zip(&reading.dropped).map(|(block, dropped)| {
            if !(live_only && *dropped) {
                total += block.prose();
            }
            (block.at, total)
        });
        Self { sums: sums.collect() }
    }

    fn before(&self, node: usize) -> f64 {
        let at = self.sums.partition_point(|(block, _)| *block < node);
        at.checked_sub(1).and_then(|i| self.sums.get(i)).map_or(0.0, |(_, sum)| *sum)
    }

    fn within(&self, start: usize, end: usize) -> f64 {
        self.before(end) - self.before(start)
    }
}

/// The element that shows the title: the first `h1` that says it, else the first heading that does, else the first `h1`.
fn headline(reading: &Reading, title: &str) -> Option<usize> {
    let title = loose(title);
    let says_title = |block: &&Block| {
        let text = block.key();
        !text.is_empty()
            && !title.is_empty()
            && (text == title || (text.len() > 15 && (title.contains(text) || text.contains(&title))))
    };
    let headings =
        |level: u8| reading.blocks.iter().filter(move |b| matches!(b.kind, Kind::Heading(l) if l <= level));
    let found =
        headings(1).find(says_title).or_else(|| headings(5).find(says_title)).or_else(|| headings(1).next());
    found.map(|block| block.at)
}

fn drop_clutter(reading: &mut Reading, headline: Option<usize>, distrusted: Marks) {
    let all = Prose::of(reading, false);
    let total = all.within(0, reading.outline.len()).max(1.0);
    let mut gone = clutter(reading, &all, total, headline, distrusted);
    // Marks that take most of the prose, if in many small pieces, mean something else on this page.
    let taken = |marks: Marks| -> f64 {
        gone.iter()
            .filter(|(start, _)| reading.marks[*start].has(marks))
            .map(|&(start, end)| all.within(start, end))
            .sum()
    };
    let left = total - gone.iter().map(|&(start, end)| all.within(start, end)).sum::<f64>();
    let more =
        Marks::DOUBTFUL.iter().filter(|&&m| taken(m) > total * MAX_TAKEN_SHARE && taken(m) > 2.0 * left);
    let more = more.fold(Marks::default(), |sum, &mark| sum.with(mark));
    if more != Marks::default() {
        gone = clutter(reading, &all, total, headline, distrusted.with(more));
    }
    let mut gone = gone.into_iter().peekable();
    for (block, dropped) in reading.blocks.iter().zip(&mut reading.dropped) {
        while gone.peek().is_some_and(|(_, end)| *end <= block.at) {
            gone.next();
        }
        *dropped = gone.peek().is_some_and(|(start, _)| *start <= block.at);
    }
}

/// The outermost elements that are not the story, as ranges of nodes; `distrusted` marks say nothing.
fn clutter(
    reading: &Reading,
    all: &Prose,
    total: f64,
    headline: Option<usize>,
    distrusted: Marks,
) -> Vec<(usize, usize)> {
    let outline = reading.outline;
    let mut found = Vec::new();
    let mut at = 0;
    while at < outline.len() {
        let end = outline.node(at).end;
        if end > at + 1 && is_clutter(reading, at, all, total, headline, distrusted) {
            found.push((at, end));
            at = end;
        } else {
            at += 1;
        }
    }
    found
}

fn is_clutter(
    reading: &Reading,
    at: usize,
    all: &Prose,
    total: f64,
    headline: Option<usize>,
    distrusted: Marks,
) -> bool {
    let (outline, marks) = (reading.outline, reading.marks[at].without(distrusted));
    let end = outline.node(at).end;
    let name = outline.name(at);
    if matches!(name, "html" | "body" | "main" | "head") || headline.is_some_and(|h| at <= h && h < end) {
        return false;
    }
    let share = all.within(at, end) / total;
    let limit = if marks.has(Marks::COMMENTS) || marks.has(Marks::CONSENT) {
        0.75
    } else if marks.has(Marks::BODY) {
        // `article-body__share` is a share bar; `post-content ad-enabled` is not an advertisement.
        0.05
    } else {
        MAX_CLUTTER_SHARE
    };
    if name == "form" {
        return share < 0.2;
    }
    if name == "header" || name == "figure" {
        return share < 0.02;
    }
    // What only subscribers see is hidden until a script knows them.
    let clutter =
        if marks.has(Marks::PAYWALL) { Marks::CLUTTER.without(Marks::HIDDEN) } else { Marks::CLUTTER };
    marks.has(clutter) && share < limit
}

/// From the body down, into the child that holds nearly all the prose.
fn container(reading: &Reading, live: &Prose, own: Option<usize>) -> usize {
    let outline = reading.outline;
    let mut here =
        own.unwrap_or_else(|| outline.elements().find(|(_, e)| e.name() == "body").map_or(0, |(at, _)| at));
    loop {
        let held = live.within(here, outline.node(here).end);
        let best = outline
            .children(here)
            .filter(|&child| outline.element(child).is_some())
            .map(|child| (child, live.within(child, outline.node(child).end)))
            .max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
        let Some((child, share)) = best.map(|(child, prose)| (child, prose / held.max(1.0))) else {
            return here;
        };
        let is_marked =
            |at: usize| reading.marks[at].has(Marks::BODY) || matches!(outline.name(at), "article" | "main");
        let alone = || {
            let others = outline.children(here).filter(|&other| other != child && is_marked(other));
            others.map(|other| live.within(other, outline.node(other).end)).sum::<f64>() < held * 0.03
        };
        let marked = is_marked(child) && alone();
        let needed = if marked { MIN_MARKED_CHILD_SHARE } else { MIN_CHILD_SHARE };
        let is_block = matches!(
            outline.name(child),
            "p" | "h1" | "h2" | "h3" | "blockquote" | "li" | "ul" | "ol" | "table" | "pre"
        );
        if share < needed || is_block || (!marked && has_own_paragraphs(reading, here, child)) {
            return here;
        }
        here = child;
    }
}

/// The `<article>` around the headline, where the page goes on with other articles.
fn own_article(reading: &Reading, live: &Prose, headline: usize) -> Option<usize> {
    let outline = reading.outline;
    let prose_of = |at: usize| live.within(at, outline.node(at).end);
    let own =
        outline.ancestors(headline).find(|&at| outline.name(at) == "article" && prose_of(at) >= 300.0)?;
    let end = outline.node(own).end;
    let follows = |(at, element): (usize, &crate::tree::Element)| {
        at >= end && element.name() == "article" && prose_of(at) >= 300.0
    };
    outline.elements().any(follows).then_some(own)
}

/// Whether paragraphs of prose stand directly in `parent`, beside the child that holds most of it.
fn has_own_paragraphs(reading: &Reading, parent: usize, child: usize) -> bool {
    let beside = |block: &&Block| {
        block.element != child
            && reading.outline.node(block.element).parent == parent
            && reading.outline.name(block.element) == "p"
            && block.prose() >= 80.0
            && block.ends_sentence()
            && block.said().furniture.is_none()
    };
    let (start, end) = (parent, reading.outline.node(parent).end);
    let inside = reading
        .blocks
        .iter()
        .zip(&reading.dropped)
        .filter(|(b, dropped)| b.at > start && b.at < end && !**dropped);
    inside.map(|(block, _)| block).any(|block| beside(&block))
}

/// The standfirst, where it stands between the headline and the container.
fn standfirst(reading: &Reading, headline: Option<usize>, container: usize, clues: &Clues) -> Option<String> {
    let headline = headline.filter(|h| *h < container)?;
    let description = loose(clues.description);
    let found = reading.blocks.iter().filter(|b| b.at > headline && b.at < container).find(|block| {
        if block.link_density() > 0.3 || block.words() < 5 || block.kind == Kind::Caption {
            return false;
        }
        let text = block.key();
        let described = !description.is_empty()
            && text.len() >= 30
            && (description.starts_with(text) || text.starts_with(description.trim_end_matches([' ', '.'])));
        let marked = std::iter::once(block.element)
            .chain(reading.outline.ancestors(block.element))
            .take(3)
            .any(|at| reading.marks[at].has(Marks::SUMMARY) && !reading.marks[at].has(Marks::CLUTTER));
        (described || (marked && block.words() >= 7)) && block.said().furniture.is_none()
    })?;
    Some(found.text.clone())
}

/// Weighs the text found against JSON-LD's `articleBody`, which is the whole text or a stub. Where it is whole, what
/// stands before or after it in the page is not the story; where the page has far less, it is taken instead.
fn reconcile(paragraphs: &mut Vec<String>, article_body: &str) -> &'static str {
    if article_body.len() > MAX_ARTICLE_BODY_BYTES {
        return "dom";
    }
    let declared = plain(article_body);
    let whole = loose(&declared);
    if whole.len() < 300 || paragraphs.len() > MAX_RECONCILED {
        return "dom";
    }
    let keys: Vec<String> = paragraphs.iter().map(|p| loose(p)).collect();
    let inside: Vec<bool> = keys.iter().map(|key| !key.is_empty() && whole.contains(key.as_str())).collect();
    let matched: usize =
        keys.iter().zip(&inside).filter(|(_, inside)| **inside).map(|(key, _)| key.len()).sum();
    let found: usize = keys.iter().map(String::len).sum();
    if matched * 10 >= whole.len() * 9 {
        if let (Some(first), Some(last)) = (inside.iter().position(|i| *i), inside.iter().rposition(|i| *i)) {
            paragraphs.truncate(last + 1);
            // One paragraph before is a standfirst, which `articleBody` often leaves out.
            paragraphs.drain(..first.saturating_sub(1));
        }
    } else if whole.len() > found * 3 / 2 && whole.len() > found + 400 {
        let lines: Vec<String> = declared
            .lines()
            .map(squeeze)
            .filter(|line| !line.is_empty() && furniture(line).is_none())
            .collect();
        if !lines.is_empty() {
            *paragraphs = lines;
            return "json-ld";
        }
    }
    "dom"
}

/// `articleBody` may hold markup and character references.
pub(crate) fn plain(text: &str) -> String {
    let text = unescape(text);
    if !text.contains('<') {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once('<') {
        out.push_str(before);
        let Some((tag, after)) = after.split_once('>') else {
            rest = after;
            break;
        };
        if ["p", "/p", "br", "br/", "br /", "div", "/div", "li", "h2", "h3"]
            .contains(&tag.split(' ').next().unwrap_or_default())
        {
            out.push('\n');
        }
        rest = after;
    }
    out + rest
}

/// Short lines with digits, from a little before the headline or the body to a little after the body.
fn margin(
    reading: &Reading,
    from: Option<usize>,
    first: Option<usize>,
    last: Option<usize>,
) -> Vec<(usize, String)> {
    /// Nodes before and after.
    const REACH: usize = 200;
    const MAX_LINES: usize = 400;
    const DATELINE_CHARS: usize = 36;
    const DATELINE_REACH: usize = 30;
    let (from, to) = (from.unwrap_or(0).saturating_sub(REACH), last.unwrap_or(0) + REACH);
    let mut found = Vec::new();
    let mut label = "";
    for block in reading.blocks.iter().filter(|b| b.at >= from && b.at < to) {
        let is_line = block.text.len() < 240;
        if is_line && block.text.contains(char::is_numeric) && found.len() < MAX_LINES {
            let line = if label.is_empty() { block.text.clone() } else { format!("{label}: {}", block.text) };
            found.push((block.at, line));
        } else if first.is_some_and(|first| (first..first + DATELINE_REACH).contains(&block.at))
            && block.text.trim_start_matches('(').starts_with(char::is_numeric)
        {
            // The first paragraph may begin with its date.
            found.push((block.at, cut(&block.text, DATELINE_CHARS).to_owned()));
        }
        // A label may stand in an element of its own before its date.
        label =
            if block.text.len() < 30 && !block.text.contains(char::is_numeric) { &block.text } else { "" };
    }
    found
}

fn opening(blocks: &[Block]) -> String {
    let mut text = String::new();
    for block in blocks.iter().take(40) {
        if text.len() > 1500 {
            break;
        }
        text.push_str(&block.text);
        text.push(' ');
    }
    text
}
