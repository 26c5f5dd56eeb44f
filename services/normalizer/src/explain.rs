//! Why two articles are together, or apart.

use std::io::{self, BufRead};

use article::{Relation, Rule};
use neardup::{Containment, Likeness, Member, Proximity, Sketch, decide, kinship, spell, words};
use serde::Serialize;
use similar::{Algorithm, DiffOp, capture_diff_slices};
use wire::{Article, ArticleState};

use crate::{facts::member, filter::Desk, known::recollect, rows::Tables};

/// Words of each text that are shown: comparing takes the square of them at worst.
const MAX_WORDS: usize = 10_000;

/// Fewer words in a row that two texts share are no passage: they count as different.
const MIN_PASSAGE_WORDS: usize = 3;

/// What two articles are to each other, and what that rests on.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// The first article.
    pub a: Explained,
    /// The second.
    pub b: Explained,
    /// The rule by which they belong together; `None` where they do not by themselves: another article may join them.
    pub rule: Option<&'static str>,
    /// The threshold that they miss, in words.
    pub missed: Option<String>,
    /// Of 5-word shingles, as the sketches tell.
    pub contained_5_words: Shares,
    /// Of 3-word shingles.
    pub contained_3_words: Shares,
    /// Shingles of both sizes that the sketches share.
    pub shared_shingles: u32,
    /// Between the publications of both, in milliseconds; `None` where either has no date.
    pub published_apart_ms: Option<u64>,
    /// Whether they were published so close that nothing recurs in between.
    pub is_of_same_days: bool,
    /// Figures that both texts name in one context, and how many of them agree.
    pub figures_shared: u32,
    /// How many of them agree.
    pub figures_agreeing: u32,
    /// What is in both texts and what in one alone, in their order, as normalised words.
    pub passages: Vec<Passage>,
    /// Only the first words of a text are shown.
    pub is_cut: bool,
}

/// One of the two articles.
#[derive(Debug, Clone, Serialize)]
pub struct Explained {
    /// Its id in the input.
    pub id: String,
    /// Its headline.
    pub title: String,
    /// As it was understood; empty where there is none.
    pub published_at: String,
    /// Words of its text.
    pub words: usize,
    /// Words that count for likeness: not those that its domain repeats under many articles.
    pub counted_words: u32,
    /// The cluster it is in at the end of the input.
    pub cluster_id: String,
    /// What it is to the original there.
    pub relation: &'static str,
    /// What it is to the other article; `None` where that is nothing.
    pub relation_to_other: Option<&'static str>,
}

/// Shares of two texts, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Shares {
    /// Of the first in the second.
    pub a_in_b: f64,
    /// Of the second in the first.
    pub b_in_a: f64,
}

/// Words in a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Passage {
    /// Where they are.
    #[serde(rename = "in")]
    pub place: Place,
    /// How many.
    pub words: usize,
    /// The words, normalised.
    pub text: String,
}

/// Which of two texts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// The first alone.
    A,
    /// The second alone.
    B,
    /// Both.
    Both,
}

/// Judges the lines of [`crate::filter()`]'s input, and explains what the articles of these ids are to each other when all
/// have come in. Lines that are no articles are left out.
///
/// Fails when reading does, and with [`io::ErrorKind::NotFound`] where an id is none of the input's.
pub fn explain(reader: impl BufRead, a: &str, b: &str) -> io::Result<Explanation> {
    let mut desk = Desk::new();
    for (number, line) in (1_i64..).zip(reader.split(b'\n')) {
        let line = line?;
        if !line.trim_ascii().is_empty() {
            let _refused = desk.judge(&line, number)?.err();
        }
    }
    Ok(compare(&Side::find(&desk, a)?, &Side::find(&desk, b)?))
}

/// An article as it was decided on.
struct Side {
    state: ArticleState,
    sketch: Sketch,
    body: Article,
    cluster_id: String,
    relation: Relation,
}

impl Side {
    fn find(desk: &Desk, id: &str) -> io::Result<Self> {
        let rows = &desk.rows;
        let known = match desk.clusters.directory.by_id(rows, id).map_err(io::Error::other)? {
            Some(state) => recollect(rows, state.arrival).map_err(io::Error::other)?,
            None => None,
        };
        let mut known = known.ok_or_else(|| {
            let cause =
                format!("no article of the input has the id {id:?}; --explain takes two of its \"id\"s");
            io::Error::new(io::ErrorKind::NotFound, cause)
        })?;
        let mut group = Vec::new();
        for arrival in rows.group(known.state.group).map_err(io::Error::other)? {
            group.extend(recollect(rows, arrival).map_err(io::Error::other)?);
        }
        let members: Vec<Member<'_>> =
            group.iter().map(|known| member(&known.state, &known.sketch)).collect();
        let placements = decide(&members);
        let own = members.iter().zip(&placements).find(|(member, _)| member.id == id).map(|(_, own)| own);
        let first =
            placements.iter().position(|placed| own.is_some_and(|own| own.original == placed.original));
        let cluster_id = first.and_then(|first| members.get(first)).map_or(id, |member| member.id).to_owned();
        let relation = own.map_or(Relation::Original, |own| own.relation());
        let body = known.body().map_err(io::Error::other)?.unwrap_or_default();
        Ok(Self { state: known.state, sketch: known.sketch, body, cluster_id, relation })
    }

    fn member(&self) -> Member<'_> {
        member(&self.state, &self.sketch)
    }

    fn explained(&self, words: usize, relation_to_other: Option<Relation>) -> Explained {
        Explained {
            id: self.state.article_id.clone(),
            title: self.body.headline.clone(),
            published_at: self.body.published_at.clone(),
            words,
            counted_words: self.sketch.words,
            cluster_id: self.cluster_id.clone(),
            relation: self.relation.as_str(),
            relation_to_other: relation_to_other.map(Relation::as_str),
        }
    }
}

fn compare(a: &Side, b: &Side) -> Explanation {
    let (of_a, of_b) = (a.member(), b.member());
    let (forth, back) = (kinship(&of_a, &of_b), kinship(&of_b, &of_a));
    let likeness = Likeness::between(&a.sketch, &b.sketch);
    let dates = (of_a.published_at_ms, of_b.published_at_ms);
    let (words_of_a, words_of_b) = (words(&a.body.body_text), words(&b.body.body_text));
    Explanation {
        a: a.explained(words_of_a.len(), forth.ok().map(|kinship| kinship.relation)),
        b: b.explained(words_of_b.len(), back.ok().map(|kinship| kinship.relation)),
        rule: forth.ok().map(|kinship| kinship.rule).map(Rule::as_str),
        missed: forth.err().map(|miss| miss.to_string()),
        contained_5_words: shares(likeness.five),
        contained_3_words: shares(likeness.three),
        shared_shingles: likeness.shared,
        published_apart_ms: dates.0.zip(dates.1).map(|(a, b)| a.abs_diff(b)),
        is_of_same_days: Proximity::between(dates.0, dates.1) == Proximity::SameDays,
        figures_shared: likeness.figures.1,
        figures_agreeing: likeness.figures.0,
        passages: passages(shown(&words_of_a), shown(&words_of_b)),
        is_cut: words_of_a.len().max(words_of_b.len()) > MAX_WORDS,
    }
}

fn shares(containment: Containment) -> Shares {
    let hundredths = |share: f32| f64::from((share * 100.0).round()) / 100.0;
    Shares { a_in_b: hundredths(containment.of_this), b_in_a: hundredths(containment.of_other) }
}

fn shown(words: &[String]) -> &[String] {
    words.get(..MAX_WORDS).unwrap_or(words)
}

/// What two texts share, and what each has beside it.
fn passages(a: &[String], b: &[String]) -> Vec<Passage> {
    let mut passages = Vec::new();
    let mut push = |place, words: &[String]| {
        if !words.is_empty() {
            passages.push(Passage { place, words: words.len(), text: spell(words) });
        }
    };
    // Where each text was last the same as the other.
    let mut since = (0, 0);
    for op in capture_diff_slices(Algorithm::Patience, a, b) {
        if let DiffOp::Equal { old_index, new_index, len } = op
            && len >= MIN_PASSAGE_WORDS
        {
            push(Place::A, a.get(since.0..old_index).unwrap_or_default());
            push(Place::B, b.get(since.1..new_index).unwrap_or_default());
            push(Place::Both, a.get(old_index..old_index + len).unwrap_or_default());
            since = (old_index + len, new_index + len);
        }
    }
    push(Place::A, a.get(since.0..).unwrap_or_default());
    push(Place::B, b.get(since.1..).unwrap_or_default());
    passages
}

#[cfg(test)]
mod tests {
    use super::*;

    const STORY: &str = "The harbour board voted on Tuesday to dredge the eastern channel before winter so that grain \
        ships can reach the new silos without waiting for the spring tides and pilots welcomed the plan at once.";

    fn shown_as(a: &str, b: &str) -> Vec<String> {
        let sign = |place| match place {
            Place::A => '-',
            Place::B => '+',
            Place::Both => '=',
        };
        let passages = passages(&words(a), &words(b));
        passages.iter().map(|passage| format!("{}{}", sign(passage.place), passage.text)).collect()
    }

    #[test]
    fn passages_are_what_is_shared_and_what_is_not() {
        for (a, b, expected) in [
            ("One two three.", "one, two three", &["=one two three"][..]),
            ("one two three four", "one two three", &["=one two three", "-four"]),
            ("a b c X d e f", "a b c Y Z d e f", &["=a b c", "-x", "+y z", "=d e f"]),
            ("x of the y", "p of the q", &["-x of the y", "+p of the q"]),
            ("", "one", &["+one"]),
            ("", "", &[]),
        ] {
            assert_eq!(shown_as(a, b), expected, "{a} | {b}");
        }
    }

    #[test]
    fn every_word_is_in_a_passage_once() {
        let (a, b) = (words(STORY), words(&STORY.replace("grain", "timber and coal")));
        let passages = passages(&a, &b);
        for (text, other) in [(&a, Place::B), (&b, Place::A)] {
            let own: Vec<&str> = passages
                .iter()
                .filter(|passage| passage.place != other)
                .map(|passage| passage.text.as_str())
                .collect();
            assert_eq!(own.join(" "), spell(text));
        }
    }

    fn explained(other: &str, published_at: &str) -> Explanation {
        let line = |id: &str, text: &str, published_at: &str| {
            serde_json::json!({"id": id, "title": id, "text": text, "published_at": published_at}).to_string()
        };
        let input = [line("a", STORY, "2026-03-02"), "no article".to_owned(), line("b", other, published_at)];
        explain(input.join("\n").as_bytes(), "a", "b").unwrap()
    }

    #[test]
    fn together_or_apart_is_explained() {
        let copy = explained(STORY, "2026-03-30");
        assert_eq!(
            (copy.rule, copy.b.relation_to_other, copy.b.cluster_id.as_str()),
            (Some("same_text"), Some("copy"), "a")
        );
        assert_eq!((copy.passages.len(), copy.is_of_same_days), (1, false));

        let own = "A café on the quay has served soup to pilots for forty years and hopes that they stay in the town while \
            the work goes on, says Ann Able, who keeps it together with her sister.";
        let extended = explained(&format!("{STORY} {own}"), "2026-03-03");
        assert_eq!(
            (extended.rule, extended.a.relation_to_other, extended.b.relation_to_other, extended.b.relation),
            (Some("near_text"), Some("excerpt"), Some("extension"), "extension")
        );
        assert_eq!(extended.contained_3_words.a_in_b, 1.0);
        assert_eq!((extended.published_apart_ms, extended.is_of_same_days), (Some(24 * 3_600_000), true));
        assert_eq!(
            extended.passages.iter().map(|passage| passage.place).collect::<Vec<_>>(),
            [Place::Both, Place::B]
        );

        let other = explained(own, "2026-03-03");
        assert_eq!((other.rule, other.b.relation_to_other, other.b.cluster_id.as_str()), (None, None, "b"));
        assert!(other.missed.unwrap().contains("shared shingles are too few"));
    }

    #[test]
    fn an_id_that_is_not_in_the_input_is_named() {
        let failure = explain(&b"{\"id\":\"a\",\"text\":\"one\"}"[..], "a", "zz").unwrap_err();
        assert!(failure.to_string().contains("\"zz\""), "{failure}");
    }
}
