//! What stands in canonical after articles have arrived, in whatever order.

use std::collections::{BTreeMap, BTreeSet};

use article::{ArticleId, CanonicalUrl};
use proptest::prelude::*;
use wire::{Article, CanonicalArticle, Change, StreamState};

use crate::{
    ageing::Spans,
    arrival::Clusters,
    orders::ORDERS,
    prepare,
    rows::{ARTICLES, BODIES, MARKS, MemoryRows, Rows, STREAM, Tables, decode_state, number, number_after},
    withdrawal::TAKEN_DOWN,
};

mod ageing;
mod boilerplate;
mod derived;
mod evidence;
mod languages;
mod orders;
mod press;
mod recurring;
mod shards;
mod withdrawals;

const DAY_MS: i64 = 24 * 3_600_000;
const SPANS: Spans = Spans { window_ms: 14 * DAY_MS, memory_ms: 100 * DAY_MS, withdrawn_ms: 7 * DAY_MS };
const SEEN_AT_MS: i64 = 1_800_000_000_000;

/// A decider with the topics it writes.
struct Desk {
    rows: MemoryRows,
    clusters: Clusters,
    canonical: BTreeMap<String, CanonicalArticle>,
    changes: Vec<Change>,
}

impl Desk {
    fn new() -> Self {
        let clusters = Clusters::new(StreamState::default(), SPANS, false);
        Self { rows: MemoryRows::default(), clusters, canonical: BTreeMap::new(), changes: Vec::new() }
    }

    /// Takes articles in and returns what changed, as `change id`.
    fn arrive(&mut self, articles: impl IntoIterator<Item = Article>) -> Vec<String> {
        let before = self.changes.len();
        for article in articles {
            let publications = if article.withdrawal.is_some() {
                self.clusters.withdraw(&mut self.rows, &article).unwrap()
            } else {
                let mut prepared = prepare(article);
                let article = prepared.article.take().unwrap();
                self.clusters.arrive(&mut self.rows, prepared, article).unwrap().publications
            };
            for publication in publications {
                let id = publication.change.article_id.clone();
                match publication.record {
                    Some(record) => self.canonical.insert(id, record),
                    None => self.canonical.remove(&id),
                };
                self.changes.push(publication.change);
            }
        }
        self.changes.iter().skip(before).map(|change| format!("{} {}", change.change, change.url)).collect()
    }

    /// Ends the step and the process, and takes up from the rows.
    fn restart(&mut self) {
        self.clusters.save(&mut self.rows).unwrap();
        let stream = self.rows.read(STREAM).unwrap().unwrap_or_default();
        self.clusters = Clusters::new(stream, SPANS, false);
        let table = |rows: &MemoryRows, table| rows.scan(table, usize::MAX).unwrap();
        for (key, arrival) in table(&self.rows, MARKS) {
            self.clusters.recall_mark(number_after(MARKS, &key).cast_signed(), number(&arrival));
        }
        for (key, _) in table(&self.rows, TAKEN_DOWN) {
            self.clusters.recall_takedown(&key);
        }
        for (key, row) in table(&self.rows, ORDERS) {
            self.clusters.recall_order(&key, decode_state(row).unwrap());
        }
        for (key, _) in [b"d", b"D"].into_iter().flat_map(|name| table(&self.rows, name)) {
            self.clusters.recall_declared(&key);
        }
        for (_, row) in table(&self.rows, ARTICLES) {
            self.clusters.recall(&decode_state(row).unwrap());
        }
        for (key, row) in table(&self.rows, BODIES) {
            self.clusters.recall_body(number_after(BODIES, &key), &decode_state(row).unwrap());
        }
    }

    /// Whether the text of an article is kept.
    fn has_text(&self, id: &str) -> bool {
        self.clusters.directory.by_id(&self.rows, id).unwrap().is_some_and(|state| {
            self.rows.body(state.arrival).unwrap().is_some_and(|body| !body.article.is_empty())
        })
    }

    /// The canonical set, as far as it does not depend on the order of arrival.
    fn outcome(&self) -> BTreeMap<String, (String, String, BTreeSet<String>, BTreeSet<String>)> {
        let shown = |record: &CanonicalArticle| {
            let occurrences =
                record.occurrences.iter().map(|o| format!("{} {}", o.relation, o.url)).collect();
            let related = record.related.iter().map(|r| format!("{} {}", r.relation, r.url)).collect();
            (record.relation.clone(), record.body_text.clone(), occurrences, related)
        };
        self.canonical.values().map(|record| (record.url.clone(), shown(record))).collect()
    }

    /// Each article's versions are 1, 2, 3 … in `changes`, and its record is the last of them.
    fn check_versions(&self) {
        let mut last = BTreeMap::<&str, u64>::new();
        for change in &self.changes {
            let version = last.entry(&change.article_id).or_default();
            *version += 1;
            assert_eq!(change.version, *version, "{change:?}");
        }
        for (id, record) in &self.canonical {
            assert_eq!(Some(&record.version), last.get(id.as_str()));
        }
    }
}

fn words(seed: u64, count: usize) -> String {
    let mut state = seed * 7_919 + 17;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    let syllables = ["ba", "ke", "mi", "to", "ru", "sa", "ne", "lo", "di", "va"];
    let word = |next: &mut dyn FnMut() -> usize| (0..3).map(|_| syllables[next() % 10]).collect::<String>();
    (0..count).map(|_| word(&mut next)).collect::<Vec<_>>().join(" ")
}

fn page(url: &str, published_at: &str, body_text: String) -> Article {
    Article {
        article_id: ArticleId::of_url(&CanonicalUrl::parse(url).unwrap()).as_str().to_owned(),
        url: url.to_owned(),
        canonical_url: url.to_owned(),
        headline: "Harbour bridge opens".to_owned(),
        body_text,
        published_at: published_at.to_owned(),
        verdict: "article".to_owned(),
        seen_at_ms: SEEN_AT_MS,
        ..Article::default()
    }
}

fn document(name: &str, published_at: &str, body_text: String) -> Article {
    let article_id = ArticleId::of_text(&body_text).as_str().to_owned();
    Article {
        article_id,
        document_name: name.to_owned(),
        url: String::new(),
        ..page("https://none.example/", published_at, body_text)
    }
}

const ORIGINAL: &str = "https://gazette.example/harbour-bridge";
const EXTENDED: &str = "https://courier.example/bridge-and-ferry";

/// A story in all its versions: the original, a reprint that names it, a copy without a date, another outlet's extension,
/// and another story.
fn press() -> Vec<Article> {
    let wire = words(1, 300);
    vec![
        page(ORIGINAL, "2026-03-19T10:00:00Z", wire.clone()),
        Article {
            declared_original: ORIGINAL.to_owned(),
            labels: [("desk".to_owned(), "reprints".to_owned())].into(),
            ..document("reprint.txt", "2026-03-19", format!("{} {}", words(8, 6), wire))
        },
        document("scraped.txt", "", format!("{wire} {}", words(9, 12))),
        page(EXTENDED, "2026-03-20T08:00:00Z", format!("{} {}", &wire[..wire.len() * 9 / 10], words(2, 300))),
        page("https://gazette.example/other", "2026-03-19T11:00:00Z", words(3, 250)),
    ]
}

#[test]
fn the_canonical_set_does_not_depend_on_the_order_of_arrival() {
    let press = press();
    let mut expected = Desk::new();
    expected.arrive(press.clone());
    let outcome = expected.outcome();
    let urls: Vec<&str> = outcome.keys().map(String::as_str).collect();
    assert_eq!(urls, [EXTENDED, "https://gazette.example/harbour-bridge", "https://gazette.example/other"]);
    let original = &outcome[ORIGINAL];
    assert_eq!(original.0, "original");
    assert_eq!(original.2, ["copy reprint.txt", "copy scraped.txt"].map(str::to_owned).into());
    assert_eq!(outcome[EXTENDED].0, "extension");
    assert_eq!(outcome[EXTENDED].3, [format!("original {ORIGINAL}")].into());
    for order in permutations(press.len()) {
        let mut desk = Desk::new();
        desk.arrive(order.iter().map(|at| press[*at].clone()));
        assert_eq!(desk.outcome(), outcome, "{order:?}");
        desk.check_versions();
    }
}

fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let shorter = permutations(count - 1);
    let insert = |order: &Vec<usize>, at: usize| [&order[..at], &[count - 1], &order[at..]].concat();
    shorter.iter().flat_map(|order| (0..count).map(move |at| insert(order, at))).collect()
}

#[test]
fn the_original_takes_over_when_it_comes_late() {
    let [original, ..] = &press()[..] else { unreachable!() };
    let reprint = Article {
        declared_original: ORIGINAL.to_owned(),
        labels: [("desk".to_owned(), "reprints".to_owned())].into(),
        ..document("reprint.txt", "2026-03-01", original.body_text.clone())
    };
    let mut desk = Desk::new();
    assert_eq!(desk.arrive([reprint.clone()]), ["created reprint.txt"]);
    assert_eq!(
        desk.arrive([original.clone()]),
        [format!("takeover {ORIGINAL}"), "superseded reprint.txt".to_owned()]
    );
    let superseded = desk.changes.last().unwrap();
    assert_eq!((superseded.version, superseded.superseded_by.as_str()), (2, original.article_id.as_str()));
    let record = &desk.canonical[&original.article_id];
    assert_eq!(record.labels["desk"], "reprints");
    assert_eq!(record.cluster_id, reprint.article_id, "a cluster keeps its name");
    assert_eq!(desk.canonical.len(), 1);
}

#[test]
fn the_same_article_again_changes_nothing_and_a_new_text_corrects_it() {
    let article = page(ORIGINAL, "2026-03-19", words(1, 200));
    let mut desk = Desk::new();
    desk.arrive([article.clone()]);
    let again = Article {
        fetched_at_ms: 5,
        request_id: "r2".into(),
        seen_at_ms: SEEN_AT_MS + DAY_MS,
        ..article.clone()
    };
    assert!(desk.arrive([again]).is_empty());
    let with_image =
        |image: &str| Article { images: vec![format!("https://img.example/{image}")], ..article.clone() };
    assert_eq!(desk.arrive([with_image("1?token=a")]), [format!("reprocessed {ORIGINAL}")]);
    assert!(desk.arrive([with_image("1?token=b")]).is_empty(), "signed anew for each fetch");
    assert_eq!(desk.arrive([with_image("1?id=2&token=c")]), [format!("reprocessed {ORIGINAL}")]);
    let labelled = Article { labels: [("a".to_owned(), "b".to_owned())].into(), ..article.clone() };
    assert_eq!(desk.arrive([labelled]), [format!("reprocessed {ORIGINAL}")]);
    let corrected = Article {
        body_text: format!("{} {}", words(1, 190), words(5, 10)),
        fetched_at_ms: 9,
        ..article.clone()
    };
    assert_eq!(desk.arrive([corrected.clone()]), [format!("corrected {ORIGINAL}")]);
    let record = &desk.canonical[&article.article_id];
    assert_eq!((record.version, &record.body_text), (5, &corrected.body_text));
    assert_eq!(record.labels["a"], "b");
    let stale = Article { fetched_at_ms: 7, ..article };
    assert!(desk.arrive([stale]).is_empty());
    let teaser =
        Article { body_text: words(1, 30), verdict: "teaser".into(), fetched_at_ms: 20, ..corrected };
    assert!(desk.arrive([teaser]).is_empty());
}

#[test]
fn a_document_under_another_name_is_the_same() {
    let mut desk = Desk::new();
    let named = |name: &str| document(name, "2026-03-19", words(1, 200));
    assert_eq!(desk.arrive([named("reprint.txt")]), ["created reprint.txt"]);
    assert!(desk.arrive([named("copies/reprint.txt")]).is_empty());
}

#[test]
fn an_occurrence_that_is_rewritten_becomes_an_article_and_counts_on() {
    let original = page(ORIGINAL, "2026-03-19T10:00:00Z", words(1, 200));
    let copy = page("https://courier.example/copy", "2026-03-19T09:00:00Z", words(1, 200));
    let mut desk = Desk::new();
    desk.arrive([original]);
    assert_eq!(
        desk.arrive([copy.clone()]),
        [format!("takeover {}", copy.url), format!("superseded {ORIGINAL}")],
        "the earlier one is the original"
    );
    let rewritten = Article { body_text: words(7, 200), ..copy.clone() };
    let changes = desk.arrive([rewritten]);
    assert_eq!(changes, [format!("created {ORIGINAL}"), format!("corrected {}", copy.url)]);
    assert_eq!(desk.canonical.len(), 2);
    desk.check_versions();
}

#[test]
fn a_declared_original_with_another_text_stays_out() {
    let claimed = page(ORIGINAL, "2026-03-19", words(1, 200));
    let claiming =
        Article { declared_original: ORIGINAL.to_owned(), ..document("claim.txt", "", words(2, 200)) };
    let mut desk = Desk::new();
    desk.arrive([claiming, claimed]);
    assert_eq!(desk.canonical.len(), 2);
    assert!(desk.canonical.values().all(|record| record.occurrences.is_empty() && record.related.is_empty()));
}

#[test]
fn that_an_original_was_declared_is_known_after_a_restart() {
    for original in [ORIGINAL, "https://gazette.example/news?id=7"] {
        let claiming =
            Article { declared_original: original.to_owned(), ..document("claim.txt", "", words(2, 200)) };
        let mut desk = Desk::new();
        desk.arrive([claiming]);
        let declared = desk.clusters.declared.clone();
        desk.restart();
        assert_eq!((desk.clusters.declared, declared.len()), (declared, 1));
    }
}

#[test]
fn an_original_is_found_by_every_address_it_was_had_at() {
    for is_redirected in [false, true] {
        found_by_another_address(is_redirected);
    }
}

fn found_by_another_address(is_redirected: bool) {
    let other_address = "https://gazette.example/news?id=7";
    let mut original = page(ORIGINAL, "2026-03-19", words(1, 200));
    let address = if is_redirected { &mut original.requested_url } else { &mut original.url };
    *address = other_address.to_owned();
    let earlier = page("https://courier.example/a", "2026-03-18", words(1, 200));
    let reprint =
        Article { declared_original: other_address.to_owned(), ..document("r.txt", "", words(1, 200)) };
    for articles in
        [[original.clone(), earlier.clone(), reprint.clone()], [reprint, earlier, original.clone()]]
    {
        let mut desk = Desk::new();
        desk.arrive(articles);
        assert_eq!(desk.canonical.keys().collect::<Vec<_>>(), [&original.article_id]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn many_arrivals_in_any_order_give_one_canonical_set(
        order in Just((0..12_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let articles: Vec<Article> = (0..12_u64)
            .map(|at| {
                let (story, version) = (at / 4, at % 4);
                let text = words(story + 1, 250);
                let body = match version {
                    0 => text,
                    1 => format!("{text} {}", words(50 + at, 10)),
                    2 => text[..text.len() / 2].to_owned(),
                    _ => format!("{text} {}", words(50 + at, 200)),
                };
                page(&format!("https://outlet{at}.example/story"), &format!("2026-03-19T{:02}:00:00Z", 10 + version), body)
            })
            .collect();
        let mut expected = Desk::new();
        expected.arrive(articles.clone());
        let mut desk = Desk::new();
        desk.arrive(order.iter().map(|at| articles[*at].clone()));
        prop_assert_eq!(expected.canonical.len(), 6);
        prop_assert_eq!(desk.outcome(), expected.outcome());
        desk.check_versions();
    }
}
