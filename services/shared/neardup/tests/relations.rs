//! What texts are to each other, and what becomes of a cluster, whatever the order of arrival.

use std::collections::{BTreeMap, BTreeSet};

use article::{Relation, Rule};
use neardup::{Document, Likeness, Member, Miss, Proximity, Sketch, TextHash, decide, kinship};
use proptest::prelude::*;

/// Words of a made-up language: the same seed gives the same text, another seed one that shares nothing.
fn story(seed: usize, words: usize) -> Vec<String> {
    let mut state = seed as u64 * 7_919 + 17;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let syllables = ["ba", "ke", "mi", "to", "ru", "sa", "ne", "lo", "di", "va"];
    (0..words).map(|_| (0..3).map(|_| syllables[next() % 10]).collect::<String>()).collect()
}

fn sketch(words: &[String]) -> Sketch {
    Sketch::of(&Document::read(&words.join(" ")).paragraphs)
}

fn relation(this: &[String], other: &[String]) -> Option<Relation> {
    related(&sketch(this), &sketch(other), Proximity::SameDays)
}

fn related(this: &Sketch, other: &Sketch, proximity: Proximity) -> Option<Relation> {
    let likeness = Likeness::between(this, other);
    likeness.rule(proximity).ok().map(|_| likeness.relation())
}

fn with_figures(words: &[String], figures: impl Fn(usize) -> usize) -> Vec<String> {
    let figure = |at: usize| (at % 30 == 29).then(|| figures(at).to_string());
    words.iter().enumerate().flat_map(|(at, word)| [Some(word.clone()), figure(at)]).flatten().collect()
}

#[test]
fn relations_by_what_was_done_to_a_text() {
    let text = story(1, 500);
    let other = story(2, 500);
    let dropped = |every: usize| -> Vec<String> {
        text.iter().enumerate().filter(|(at, _)| at % every != 0).map(|(_, word)| word.clone()).collect()
    };
    for (what, member, expected) in [
        ("the same", text.clone(), Some(Relation::Copy)),
        (
            "a banner before and a tag line after",
            [&other[..25], &text[..], &other[30..55]].concat(),
            Some(Relation::Copy),
        ),
        ("every 20th word dropped", dropped(20), Some(Relation::Copy)),
        ("its halves exchanged", [&text[250..], &text[..250]].concat(), Some(Relation::Copy)),
        ("its first half", text[..250].to_vec(), Some(Relation::Excerpt)),
        ("a teaser", text[..60].to_vec(), Some(Relation::Excerpt)),
        ("as much again", [&text[..], &other[..]].concat(), Some(Relation::Extension)),
        ("three paragraphs more", [&text[..], &other[..120]].concat(), Some(Relation::Extension)),
        (
            "half of it among as much of its own",
            [&text[..280], &other[..220]].concat(),
            Some(Relation::Derived),
        ),
        ("a quotation from it", [&text[..60], &other[..]].concat(), None),
        ("another text", other.clone(), None),
        ("nothing", Vec::new(), None),
    ] {
        assert_eq!(relation(&member, &text), expected, "{what}");
    }
}

#[test]
fn a_report_that_recurs_with_other_figures_is_no_copy() {
    let words = story(1, 500);
    let first = with_figures(&words, |at| 1000 + at);
    let next_week = with_figures(&words, |at| 5000 + 3 * at);
    let one_corrected = with_figures(&words, |at| if at == 59 { 7 } else { 1000 + at });
    assert_eq!(relation(&next_week, &first), None);
    assert_eq!(relation(&one_corrected, &first), Some(Relation::Copy));
}

#[test]
fn far_apart_in_time_texts_must_be_more_alike() {
    let (text, other) = (story(1, 4000), story(2, 4000));
    let reworked = sketch(&[&text[..1950], &other[..2050]].concat());
    let likeness = Likeness::between(&reworked, &sketch(&text));
    assert!(
        likeness.five.most() > 0.4
            && likeness.rule(Proximity::between(Some(0), Some(3_600_000))) == Ok(Rule::NearTextBothWays),
        "{likeness:?}"
    );
    for (a, b) in [(Some(0), Some(73 * 3_600_000)), (None, Some(0))] {
        assert!(matches!(likeness.rule(Proximity::between(a, b)), Err(Miss::TooUnlike { .. })));
    }
    let same = Likeness::between(&sketch(&text), &sketch(&text));
    assert_eq!(same.rule(Proximity::AnyTime), Ok(Rule::NearTextAnyTime));
}

#[test]
fn scripts_without_spaces_are_compared_by_their_characters() {
    let text: String = (0..600_u32).filter_map(|at| char::from_u32(0x4e00 + at * 7 % 5000)).collect();
    let half: String = text.chars().take(300).collect();
    let [text, half] = [text, half].map(|text| Sketch::of(&Document::read(&text).paragraphs));
    assert_eq!(related(&half, &text, Proximity::SameDays), Some(Relation::Excerpt));
}

/// A member to be decided on, owned.
#[derive(Debug, Clone)]
struct Text {
    id: &'static str,
    hash: TextHash,
    sketch: Sketch,
    published_at_ms: Option<i64>,
    declared: Option<&'static str>,
    is_agency: bool,
    trust: u8,
    seen_at_ms: i64,
    is_teaser: bool,
}

impl Text {
    fn member(&self) -> Member<'_> {
        Member {
            id: self.id,
            text_hash: self.hash,
            sketch: &self.sketch,
            published_at_ms: self.published_at_ms,
            seen_at_ms: self.seen_at_ms,
            is_agency: self.is_agency,
            trust: self.trust,
            is_teaser: self.is_teaser,
            declared_original: self.declared,
        }
    }
}

fn text(id: &'static str, words: &[String], published_at_ms: Option<i64>) -> Text {
    let hash = Document::read(&words.join(" ")).text_hash;
    Text {
        id,
        hash,
        sketch: sketch(words),
        published_at_ms,
        declared: None,
        is_agency: false,
        trust: 50,
        seen_at_ms: 0,
        is_teaser: false,
    }
}

#[test]
fn a_placement_says_what_it_rests_on() {
    const DAY_MS: i64 = 24 * 3_600_000;
    let (words, own) = (story(1, 400), story(2, 400));
    let scattered: Vec<String> = words
        .iter()
        .enumerate()
        .map(|(at, word)| if at % 5 == 4 { &own[at] } else { word }.clone())
        .collect();
    for (what, member, published_at_ms, expected) in [
        ("the same", words.clone(), None, Some((Rule::SameText, 1.0, 1.0))),
        ("half", words[..200].to_vec(), Some(1), Some((Rule::NearText, 1.0, 0.5))),
        ("half, later", words[..200].to_vec(), Some(9 * DAY_MS + 1), Some((Rule::NearTextAnyTime, 1.0, 0.5))),
        ("extended", [&words[..], &own].concat(), Some(1), Some((Rule::NearText, 0.5, 1.0))),
        (
            "a tenth less than half of each",
            [&words[..200], &own[..200]].concat(),
            Some(1),
            Some((Rule::NearTextBothWays, 0.5, 0.5)),
        ),
        ("every fifth word another", scattered, Some(1), None),
    ] {
        let texts = [text("original", &words, Some(0)), text("member", &member, published_at_ms)];
        let members: Vec<Member<'_>> = texts.iter().map(Text::member).collect();
        let placements = decide(&members);
        assert_eq!((placements[0].to_original, placements[0].to_record), (None, None), "{what}");
        let found = placements[1].to_original;
        assert_eq!(found.map(|kinship| kinship.rule), expected.map(|(rule, ..)| rule), "{what}");
        assert_eq!(kinship(&members[1], &members[0]).ok(), found, "{what}");
        let (Some(found), Some((_, of_this, of_other))) = (found, expected) else { continue };
        let near = |estimate: f32, exact: f32| (estimate - exact).abs() < 0.12;
        let containment = found.containment;
        assert!(
            near(containment.of_this, of_this) && near(containment.of_other, of_other),
            "{what}: {found:?}"
        );
        let joins = matches!(found.relation, Relation::Copy | Relation::Excerpt);
        assert_eq!(placements[1].to_record, joins.then_some(found), "{what}");
    }
}

#[test]
fn the_threshold_that_was_missed_is_named() {
    let (words, other) = (story(1, 500), story(2, 500));
    let miss = |this: &[String], that: &[String]| {
        Likeness::between(&sketch(this), &sketch(that)).rule(Proximity::SameDays).unwrap_err().to_string()
    };
    assert_eq!(miss(&other, &words), "0 shared shingles are too few to judge by: 5 are asked for");
    let quoting = [&words[..100], &other].concat();
    assert!(miss(&quoting, &words).starts_with("of the 5-word shingles 0."), "{}", miss(&quoting, &words));
    let [first, later] = [1000, 5000].map(|from| with_figures(&words, |at| from + at));
    assert_eq!(miss(&later, &first), "0 of 16 figures agree, and a share of 0.60 is asked for");
}

/// Of each member: its original, its record, its relation.
fn outcome(texts: &[Text]) -> BTreeMap<&'static str, (&'static str, &'static str, Relation)> {
    let members: Vec<Member<'_>> = texts.iter().map(Text::member).collect();
    let placed = decide(&members);
    let id = |at: usize| texts[at].id;
    texts
        .iter()
        .zip(placed)
        .map(|(text, p)| (text.id, (id(p.original), id(p.record), p.relation())))
        .collect()
}

#[test]
fn the_original_is_picked_by_evidence() {
    let words = story(1, 300);
    let plain = |id, at| text(id, &words, at);
    let declares = |of: Text, original| Text { declared: Some(original), ..of };
    let agency = |of: Text| Text { is_agency: true, ..of };
    // Trust goes before the order of sighting.
    let trusted = |of: Text| Text { trust: 51, seen_at_ms: 9, ..of };
    let unrelated = text("z", &story(2, 300), Some(0));
    for (what, texts, original) in [
        ("the earliest", vec![plain("a", Some(2)), plain("b", Some(1))], "b"),
        ("dated before undated", vec![plain("a", None), plain("b", Some(9))], "b"),
        ("an agency before the earliest", vec![plain("a", Some(1)), agency(plain("b", Some(9)))], "b"),
        (
            "declared",
            vec![declares(plain("a", Some(1)), "b"), plain("b", None), agency(plain("c", Some(2)))],
            "b",
        ),
        (
            "at the end of two claims",
            vec![declares(plain("a", None), "b"), declares(plain("b", None), "c"), plain("c", None)],
            "c",
        ),
        (
            "a claim on another text is none",
            vec![declares(plain("a", Some(1)), "z"), plain("b", Some(2)), unrelated],
            "a",
        ),
        ("a claim on itself is none", vec![declares(plain("a", Some(1)), "a"), plain("b", Some(2))], "a"),
        (
            "of the same date, whose source is trusted more",
            vec![plain("a", Some(1)), trusted(plain("b", Some(1)))],
            "b",
        ),
        ("of the undated, too", vec![plain("a", None), trusted(plain("b", None))], "b"),
        ("an earlier one before a trusted one", vec![plain("a", Some(1)), trusted(plain("b", Some(2)))], "a"),
        ("of equals, the smaller id", vec![plain("b", None), plain("a", None)], "a"),
        (
            "a teaser last",
            vec![Text { is_teaser: true, ..text("a", &words[..60], Some(1)) }, plain("b", Some(2))],
            "b",
        ),
    ] {
        assert_eq!(outcome(&texts)["a"].0, original, "{what}");
    }
}

#[test]
fn a_text_that_joins_two_others_does_not_make_them_one_story() {
    let (first, second) = (story(1, 300), story(2, 250));
    let both = [first.clone(), second.clone()].concat();
    let outcome =
        outcome(&[text("a", &first, Some(1)), text("both", &both, Some(2)), text("b", &second, Some(3))]);
    assert_eq!(outcome["both"], ("a", "both", Relation::Extension));
    assert_eq!(outcome["b"], ("b", "b", Relation::Original));
}

#[test]
fn a_copy_of_an_extension_is_its_occurrence_and_another_extension_is_not() {
    let (text_words, own, other) = (story(1, 300), story(2, 300), story(3, 200));
    let extended = [text_words.clone(), own].concat();
    let outcome = outcome(&[
        text("original", &text_words, Some(1)),
        text("extension", &extended, Some(2)),
        text("copy", &extended[..580], Some(3)),
        text("another", &[text_words, other].concat(), Some(4)),
    ]);
    assert_eq!(outcome["copy"], ("original", "extension", Relation::Extension));
    assert_eq!(outcome["another"], ("original", "another", Relation::Extension));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_text_is_a_copy_of_itself(text in ".{0,400}") {
        let hash = |text: &str| Document::read(text).text_hash;
        prop_assert_eq!(hash(&text), hash(&format!("\u{feff} {}\n", text)));
        let sketch = Sketch::of(&Document::read(&text).paragraphs);
        let relation = related(&sketch, &sketch, Proximity::AnyTime);
        prop_assert!(relation.is_none_or(|relation| relation == Relation::Copy));
    }

    #[test]
    fn estimated_containments_are_within_their_error(
        seed in 0..1000_usize,
        (words, shared) in (30..1600_usize).prop_flat_map(|words| (Just(words), 0..words)),
    ) {
        let (a, b) = (story(seed, words), story(seed + 5000, words));
        let mixed = [&a[..shared], &b[shared..]].concat();
        let likeness = Likeness::between(&sketch(&mixed), &sketch(&a));
        for (size, estimate) in [(5, likeness.five), (3, likeness.three)] {
            let shingles = |words: &[String]| words.windows(size).map(<[_]>::to_vec).collect::<BTreeSet<_>>();
            let (exact_a, exact_mixed) = (shingles(&a), shingles(&mixed));
            let common = exact_a.intersection(&exact_mixed).count() as f32;
            for (exact_size, estimate) in [(exact_mixed.len(), estimate.of_this), (exact_a.len(), estimate.of_other)] {
                let exact = common / exact_size as f32;
                // Short texts are compared whole; of others an eighth is seen: five standard deviations.
                let sample = exact_size as f32 / 8.0;
                let error = if words < 120 { 1e-6 } else { 5.0 * (exact * (1.0 - exact) / sample).sqrt() + 2.0 / sample };
                prop_assert!((exact - estimate).abs() <= error, "{size} words: {exact} {estimate} ± {error}");
            }
        }
    }

    #[test]
    fn the_order_of_members_does_not_count(order in Just((0..8_usize).collect::<Vec<_>>()).prop_shuffle()) {
        let (first, second, own) = (story(1, 400), story(2, 400), story(3, 400));
        let texts = [
            text("first", &first, Some(1)),
            text("first undated", &first, None),
            text("first excerpt", &first[..200], Some(5)),
            text("first extended", &[&first[..], &own[..]].concat(), Some(3)),
            text("copy of the extended", &[&first[..], &own[..390]].concat(), Some(4)),
            text("second", &second, Some(2)),
            Text { declared: Some("second"), ..text("second declares", &second, Some(1)) },
            text("third", &own, None),
        ];
        let shuffled: Vec<Text> = order.iter().map(|&at| texts[at].clone()).collect();
        prop_assert_eq!(outcome(&shuffled), outcome(&texts));
    }
}
