//! What a site says under every article.

use super::*;

/// Three long paragraphs.
fn boilerplate() -> String {
    [70, 71, 72].map(|seed| words(seed, 60)).join("\n\n")
}

fn article(site: &str, number: u64, own: usize) -> Article {
    let body = format!("{}\n\n{}", words(200 + number, own), boilerplate());
    page(&format!("https://{site}.example/{number}"), "2026-03-19", body)
}

/// Long texts of one site, from which its boilerplate is learnt.
fn lessons() -> impl Iterator<Item = Article> {
    (0..6).map(|number| article("harbour", number, 700))
}

/// Short texts, of which boilerplate makes most.
fn short() -> [Article; 3] {
    [20, 21, 22].map(|number| article("harbour", number, 130))
}

fn is_apart(desk: &Desk, articles: &[Article]) -> bool {
    articles.iter().all(|article| {
        let record = desk.canonical.get(&article.article_id);
        record.is_some_and(|record| record.occurrences.is_empty() && record.related.is_empty())
    })
}

#[test]
fn what_a_domain_repeats_makes_no_cluster_once_it_is_learnt() {
    let mut unlearnt = Desk::new();
    unlearnt.arrive(short());
    assert!(!is_apart(&unlearnt, &short()), "this is what there is to learn");
    let mut desk = Desk::new();
    desk.arrive(lessons());
    assert_eq!(desk.canonical.len(), 6);
    desk.arrive(short());
    assert!(is_apart(&desk, &short()));
    let copy = page("https://courier.example/copy", "2026-03-20", words(220, 130));
    desk.arrive([copy.clone()]);
    assert_eq!(desk.canonical[&short()[0].article_id].occurrences[0].url, copy.url, "the rest still counts");
    assert_eq!(desk.canonical[&short()[0].article_id].body_text, short()[0].body_text);
}

#[test]
fn a_restart_forgets_nothing() {
    let articles: Vec<Article> = lessons().chain(short()).collect();
    let mut expected = Desk::new();
    expected.arrive(articles.clone());
    for restart_at in 0..articles.len() {
        let mut desk = Desk::new();
        desk.arrive(articles[..restart_at].to_vec());
        desk.restart();
        desk.arrive(articles[restart_at..].to_vec());
        assert_eq!(desk.canonical, expected.canonical, "{restart_at}");
        assert_eq!(desk.changes, expected.changes, "{restart_at}");
    }
}

#[test]
fn copies_on_one_domain_teach_nothing() {
    let mut desk = Desk::new();
    let copies = (0..8).map(|number| Article {
        body_text: format!("{}\n\n{}", words(200, 700), boilerplate()),
        ..article("harbour", number, 700)
    });
    desk.arrive(copies);
    desk.arrive(short());
    assert!(!is_apart(&desk, &short()));
}

#[test]
fn what_is_no_longer_repeated_counts_again() {
    let mut desk = Desk::new();
    desk.arrive(lessons());
    desk.arrive(short().map(|article| Article { seen_at_ms: SEEN_AT_MS + 40 * DAY_MS, ..article }));
    assert!(!is_apart(&desk, &short()));
}

#[test]
fn bodies_go_without_it_where_that_is_asked_for() {
    let mut desk = Desk::new();
    desk.clusters = Clusters::new(StreamState::default(), SPANS, true);
    desk.arrive(lessons().chain(short()));
    for (at, article) in short().iter().enumerate() {
        assert_eq!(desk.canonical[&article.article_id].body_text, words(220 + at as u64, 130));
    }
    let again = Article { fetched_at_ms: 9, ..short()[0].clone() };
    assert!(desk.arrive([again]).is_empty(), "no correction");
}
