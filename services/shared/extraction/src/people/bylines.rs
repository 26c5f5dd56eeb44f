//! Where bylines stand: lines that open with "By", lines in elements marked as a byline, links to an author's page.
//!
//! Every short line of the page is weighed by what leads to it, what surrounds it, whether it reads like names, and how
//! far it is from where the article begins or ends; the heaviest is the byline, with those near it of the same make.

use std::cmp::Reverse;

use super::{
    authors::{Name, Rank, has_byline_prefix, names, strip_prefix},
    lines::{Line, lines},
    signs::{has_listed, is_calendar},
};
use crate::{
    body::Body,
    marks::Marks,
    text::{ends_sentence, loose},
    tree::Outline,
};

/// A page as shown, and where its article is.
pub(crate) struct Shown<'a> {
    pub outline: &'a Outline<'a>,
    pub marks: &'a [Marks],
    pub body: &'a Body,
    /// The nodes of its `h1`.
    pub headings: &'a [(usize, String)],
}

/// The least weight of a byline.
const MIN_WEIGHT: i32 = 6;
/// The weight of a byline that is believed more than an account's name that the page declares.
const SURE_WEIGHT: i32 = 9;
/// The weight of a byline that is believed more than a company's name.
const LIKELY_WEIGHT: i32 = 7;
/// Nodes between bylines of one article.
const REACH: usize = 90;
/// Nodes around the article in which its byline is sought.
const REACH_OF_PAGE: usize = 400;

/// How surely a text is the byline.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sureness {
    #[default]
    Doubtful,
    Likely,
    Sure,
}

/// The bylines shown, in order.
pub(crate) fn bylines(shown: &Shown, title: &str) -> (Vec<String>, Sureness) {
    let Some(place) = Place::of(shown) else { return Default::default() };
    let range = place.headline.saturating_sub(REACH_OF_PAGE)..place.end + REACH_OF_PAGE;
    let lines = lines(shown.outline, shown.marks, range, place.first);
    let title = loose(title);
    let mut weighed: Vec<(i32, &Line)> = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|b| lines.get(b));
        let near = Neighbours { before, after: lines.get(i + 1) };
        if let Some(weight) = weigh(line, near, &place).filter(|weight| *weight >= MIN_WEIGHT)
            && !title.contains(&loose(&line.text))
        {
            weighed.push((weight, line));
        }
    }
    let key = |(weight, line): &(i32, &Line)| (*weight, Reverse(place.distance(line.at)));
    let Some((best, first)) = weighed.iter().copied().max_by_key(key) else {
        return Default::default();
    };
    // The line around a link may name more people than the link.
    let people = |text: &str| names(text).iter().filter(|name| name.rank == Rank::Person).count();
    let around = weighed.iter().copied().find(|(_, line)| {
        line.evidence.link == 0
            && line.text.contains(&first.text)
            && (line.at..line.at + 12).contains(&first.at)
            && people(&line.text) > people(&first.text)
    });
    let (best, first) = around.unwrap_or((best, first));
    // Several lines are one byline where links or marked elements hold a name each.
    let is_marked = first.evidence.link > 0 || first.evidence.author;
    let alike = weighed.iter().filter(|(weight, line)| {
        line.at == first.at
            || is_marked
                && *weight == best
                && line.evidence == first.evidence
                && line.at.abs_diff(first.at) <= REACH
    });
    let sureness = match best {
        SURE_WEIGHT.. => Sureness::Sure,
        LIKELY_WEIGHT.. => Sureness::Likely,
        _ => Sureness::Doubtful,
    };
    (alike.map(|(_, line)| line.text.clone()).take(12).collect(), sureness)
}

/// Where the article begins and ends.
struct Place {
    headline: usize,
    first: usize,
    last: usize,
    /// Where the last block has ended.
    end: usize,
}

impl Place {
    fn of(shown: &Shown) -> Option<Self> {
        let first = shown.body.first_node.or_else(|| shown.headings.first().map(|(at, _)| *at))?;
        let before = shown.headings.iter().map(|(at, _)| *at).rfind(|at| *at <= first);
        let headline = before.unwrap_or_else(|| first.saturating_sub(60));
        let (last, end) = shown.body.last_nodes.unwrap_or((first, first));
        Some(Self { headline, first, last, end })
    }

    /// How far a node is from where bylines stand, at the headline or before the first paragraph.
    fn distance(&self, at: usize) -> usize {
        at.abs_diff(self.headline).min(at.abs_diff(self.first))
    }

    /// Whether a signature may stand there.
    fn ends_at(&self, at: usize) -> bool {
        (self.last..=self.end + 25).contains(&at)
    }

    /// From 3, around the headline and the first paragraph, to less than 0, far off.
    fn nearness(&self, at: usize) -> i32 {
        let (start, end) = (self.headline.saturating_sub(60), self.first + 60);
        if (start..end).contains(&at) && self.first - self.headline < 500 {
            return 3;
        }
        let from_first = at.abs_diff(self.first);
        if at > self.first + 40 && at + 40 < self.last {
            // What names somebody amid the story speaks of others.
            return i32::from(from_first < 300) - 1;
        }
        match () {
            () if from_first < 60 => 3,
            () if from_first < 300 => 2,
            () if at >= self.last.saturating_sub(40) && at < self.end + 160 => 1,
            () if from_first < 700 => 0,
            () => -3,
        }
    }
}

/// The lines beside one.
#[derive(Clone, Copy)]
struct Neighbours<'l> {
    before: Option<&'l Line>,
    after: Option<&'l Line>,
}

/// A line's weight; none where it cannot be a byline.
fn weigh(line: &Line, near: Neighbours, place: &Place) -> Option<i32> {
    let evidence = line.evidence;
    let before = near.before.map_or("", |before| before.text.as_str());
    let label = if line.lead.is_empty() { before } else { line.lead.as_str() };
    let nearness = place.nearness(line.at);
    let is_marked = evidence.link > 0 || evidence.author;
    if evidence.elsewhere || nearness < -1 && !is_marked {
        return None;
    }
    let is_prefixed = has_byline_prefix(&line.text);
    let mut weight = nearness + i32::from(evidence.link);
    weight += if evidence.author { 3 } else { i32::from(evidence.byline) };
    let is_led = is_prefixed || ends_with_prefix(label);
    if is_led {
        // "Written by" says more than "by".
        let is_explicit = line.text.len() - strip_prefix(&line.text).len() > 6 && nearness >= 0;
        weight += 4 + i32::from(is_explicit);
    }
    // `By` between the headline and the story is in no column, whatever that is called.
    let is_head = is_led && (place.headline..place.first).contains(&line.at);
    if evidence.aside && evidence.link < 4 && !is_head {
        weight -= 2;
    }
    // What the names can add is not enough.
    if weight + 4 < MIN_WEIGHT {
        return None;
    }
    let is_dated = || [near.before, near.after, Some(line)].into_iter().flatten().any(|l| has_date(&l.text));
    if !is_led && !is_marked && !evidence.byline && !place.ends_at(line.at) && !is_dated()
        || credits_help(label) && !is_prefixed
        || credits_help(opening(&line.text))
        || credits_help(before_by(&line.text))
    {
        return None;
    }
    let found = names(&line.text);
    let rank = found.iter().map(|n| n.rank).max()?;
    if is_prose(&line.text, rank) || !is_led && is_sentence(&line.text) {
        return None;
    }
    let words = || found.iter().flat_map(|name| name.text.split(' '));
    match rank {
        Rank::Person => {
            weight += 2;
            if nearness >= 2 && !is_led && is_dated() {
                weight += 1;
            }
            Some(if signs_below(line, &found, place) { weight.max(MIN_WEIGHT) } else { weight })
        }
        Rank::Handle => (is_led || evidence.link > 1 || evidence.author).then_some(weight),
        Rank::Desk if found.iter().any(|n| n.is_agency) => Some(weight),
        Rank::Desk => {
            let is_marked = is_led && nearness > 1 || evidence.link > 1 || evidence.author;
            let is_desk = evidence.link > 2 || words().any(|w| has_listed("desks", w));
            let is_label = words().any(|w| w.len() > 3 && has_listed("interface", w));
            (is_marked && is_desk && !is_label).then_some(weight - i32::from(!evidence.author))
        }
    }
}

/// Whether a label is that of an editor, a reviewer, a photographer.
fn credits_help(label: &str) -> bool {
    label.len() < 40 && label.split(' ').any(|word| has_listed("helpers", word))
}

/// The first two words.
fn opening(text: &str) -> &str {
    text.match_indices(' ').nth(1).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// What leads up to the first " by ", if it is short: `Second edition, edited`.
fn before_by(text: &str) -> &str {
    text.split_once(" by ").map_or("", |(lead, _)| lead)
}

/// Whether a text that opens with "By" goes on as no byline does.
fn is_prose(text: &str, rank: Rank) -> bool {
    let is_end = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit()) || has_listed("ends", word);
    let length = strip_prefix(text).split(' ').take_while(|word| !is_end(word)).count();
    length > if rank == Rank::Person { 16 } else { 5 } || text.split(' ').count() > 24
}

/// Whether a line speaks of somebody: `Ann Able, a painter, lives by the sea.`
fn is_sentence(text: &str) -> bool {
    let words = text.split(' ').filter(|word| word.starts_with(char::is_lowercase)).count();
    words > 2 && ends_sentence(text)
}

/// Whether a line is a name alone, at the story's end.
fn signs_below(line: &Line, found: &[Name], place: &Place) -> bool {
    let is_full = |word: &str| word.starts_with(char::is_uppercase) && word.chars().count() > 1;
    place.ends_at(line.at)
        && !line.evidence.heading
        && matches!(found, [name] if name.text == line.text)
        && (2..=4).contains(&line.text.split(' ').count())
        && line.text.split(' ').all(is_full)
}

/// Whether a label leads to the name after it: `By`, `Written by`, `3 March, by`.
fn ends_with_prefix(label: &str) -> bool {
    let label = label.trim_end_matches([' ', ':']);
    !label.is_empty()
        && label.len() < 48
        && (strip_prefix(label).is_empty()
            || label
                .rsplit(' ')
                .next()
                .is_some_and(|last| matches!(last, "by" | "By" | "von" | "Von" | "par" | "por")))
}

fn has_date(text: &str) -> bool {
    text.len() < 80
        && text.chars().any(|c| c.is_ascii_digit())
        && (text.split([' ', ',', '.']).any(is_calendar) || crate::dates::read_date(text, false).is_some())
}
