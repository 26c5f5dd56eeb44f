//! Stories that share a part with another one, and teasers of an article.

use super::*;

const RETOLD: &str = "https://courier.example/bridge-in-its-own-words";
const ELSEWHERE: &str = "https://isle.example/bridges-of-the-coast";
const HOUR: [&str; 4] =
    ["2026-03-19T08:00:00Z", "2026-03-19T10:00:00Z", "2026-03-19T12:00:00Z", "2026-03-19T14:00:00Z"];

/// A story; another desk's, of which more than half is from it and the rest its own; a copy of that; and a story that takes
/// a quotation from the first.
fn stories() -> [Article; 4] {
    let (story, own, other) = (words(1, 500), words(2, 220), words(3, 500));
    let first = |words: &str, count| words.split(' ').take(count).collect::<Vec<_>>().join(" ");
    let retold = format!("{}\n\n{own}", first(&story, 280));
    [
        page(ORIGINAL, HOUR[0], story.clone()),
        page(RETOLD, HOUR[1], retold.clone()),
        page("https://tribune.example/retold", HOUR[2], retold),
        page(ELSEWHERE, HOUR[3], format!("{}\n\n{other}", first(&story, 40))),
    ]
}

#[test]
fn a_derived_story_has_a_record_of_its_own_in_the_cluster_in_every_order() {
    let stories = stories();
    for order in permutations(stories.len()) {
        let mut desk = Desk::new();
        desk.arrive(order.iter().map(|at| stories[*at].clone()));
        let outcome = desk.outcome();
        assert_eq!(outcome.len(), 3, "{order:?}");
        let set = |line: String| BTreeSet::from([line]);
        let (relation, body, occurrences, related) = &outcome[RETOLD];
        assert_eq!((relation.as_str(), body), ("derived", &stories[1].body_text), "{order:?}");
        assert_eq!(*occurrences, set("copy https://tribune.example/retold".to_owned()), "{order:?}");
        assert_eq!(*related, set(format!("original {ORIGINAL}")), "{order:?}");
        assert_eq!(outcome[ORIGINAL].3, set(format!("derived {RETOLD}")), "{order:?}");
        let (relation, _, occurrences, related) = &outcome[ELSEWHERE];
        assert_eq!((relation.as_str(), occurrences.len(), related.len()), ("original", 0, 0), "{order:?}");
        let cluster = |url: &str| desk.canonical.values().find(|r| r.url == url).unwrap().cluster_id.clone();
        assert_eq!(cluster(ORIGINAL), cluster(RETOLD), "{order:?}");
        assert_ne!(cluster(ORIGINAL), cluster(ELSEWHERE), "{order:?}");
        desk.check_versions();
    }
}

/// An own passage that is taken for edits is published nowhere.
#[test]
fn a_story_with_a_passage_of_its_own_is_no_copy_however_the_sample_falls() {
    for (count, taken) in [(300, 165), (500, 300), (800, 480)] {
        let copies = (0..100).filter(|seed| {
            let (story, own) = (words(1000 + seed, count), words(5000 + seed, count - taken));
            let first = story.split(' ').take(taken).collect::<Vec<_>>().join(" ");
            let mut desk = Desk::new();
            let retold = page(RETOLD, HOUR[1], format!("{first}\n\n{own}"));
            desk.arrive([page(ORIGINAL, HOUR[0], story), retold.clone()]);
            !desk.canonical.contains_key(&retold.article_id)
        });
        let copies = copies.count();
        assert!(copies <= 6, "of {count} words {taken}: {copies} of 100");
    }
}

#[test]
fn a_teaser_is_an_excerpt_of_its_article_whichever_comes_first() {
    let story = words(1, 500);
    let start = story.split(' ').take(60).collect::<Vec<_>>().join(" ");
    let article = page(ORIGINAL, HOUR[0], story);
    let teaser = Article { verdict: "teaser".to_owned(), ..page(RETOLD, HOUR[1], start) };
    for articles in [[article.clone(), teaser.clone()], [teaser, article]] {
        let mut desk = Desk::new();
        desk.arrive(articles);
        let outcome = desk.outcome();
        assert_eq!(outcome.keys().collect::<Vec<_>>(), [ORIGINAL]);
        assert_eq!(outcome[ORIGINAL].2, BTreeSet::from([format!("excerpt {RETOLD}")]));
    }
}
