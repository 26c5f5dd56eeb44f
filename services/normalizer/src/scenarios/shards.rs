//! Deciders by language: what is as with one, and what is lost.

use wire::Withdrawal;

use super::*;
use crate::Languages;

const COPY: &str = "https://courier.example/bridge";

/// A desk for each partition. They write one canonical topic.
struct Desks {
    languages: Languages,
    desks: Vec<Desk>,
    canonical: BTreeMap<String, CanonicalArticle>,
}

impl Desks {
    fn of(entries: &[&str]) -> Self {
        let languages =
            Languages::try_from(entries.iter().map(|e| (*e).to_owned()).collect::<Vec<_>>()).unwrap();
        let desks = (0..languages.partitions()).map(|_| Desk::new()).collect();
        Self { languages, desks, canonical: BTreeMap::new() }
    }

    fn arrive(&mut self, articles: impl IntoIterator<Item = Article>) {
        for article in articles {
            for partition in self.languages.partitions_of(&article) {
                let desk = &mut self.desks[partition as usize];
                let before = desk.changes.len();
                desk.arrive([article.clone()]);
                for id in desk.changes.iter().skip(before).map(|change| &change.article_id) {
                    match desk.canonical.get(id) {
                        Some(record) => self.canonical.insert(id.clone(), record.clone()),
                        None => self.canonical.remove(id),
                    };
                }
            }
        }
    }
}

fn in_language(language: &str, article: Article) -> Article {
    Article { language: language.to_owned(), ..article }
}

/// The fifth of twenty stories in each of three languages: an original, two copies, an excerpt, an extension, and a
/// correction of the original.
fn stories(languages: [&str; 3]) -> Vec<Article> {
    let story = |n: usize| {
        let (language, seed) = (languages[n % 3], 100 + n as u64);
        let text = words(seed, 240);
        let at = |place: &str| format!("https://{place}.example/{n}");
        let articles = [
            page(&at("gazette"), "2026-03-19T08:00:00Z", text.clone()),
            page(&at("courier"), "2026-03-19T09:00:00Z", text.clone()),
            page(&at("tribune"), "2026-03-19T10:00:00Z", format!("{text} {}", words(seed + 500, 12))),
            page(&at("blog"), "2026-03-19T11:00:00Z", text[..text.len() / 2].to_owned()),
            page(&at("isle"), "2026-03-19T12:00:00Z", format!("{text} {}", words(seed + 900, 200))),
            Article {
                fetched_at_ms: 9,
                ..page(&at("gazette"), "2026-03-19T08:00:00Z", format!("{text} {}", words(seed + 1_300, 6)))
            },
        ];
        articles.map(|article| in_language(language, article))
    };
    (0..60).flat_map(story).collect()
}

#[test]
fn articles_in_one_language_are_decided_as_by_one_decider() {
    let articles = stories(["de", "fr", "en"]);
    let mut one = Desk::new();
    one.arrive(articles.clone());
    let mut split = Desks::of(&["de", "fr, es"]);
    split.arrive(articles);
    assert_eq!(one.canonical.len(), 120);
    assert_eq!(split.canonical, one.canonical, "records, versions and clusters are the same");
    let shares: Vec<usize> = split.desks.iter().map(|desk| desk.canonical.len()).collect();
    assert_eq!(shares, [40, 40, 40], "each with a third of the work");
    split.desks.iter().for_each(Desk::check_versions);
}

#[test]
fn of_copies_that_are_recognised_as_of_another_language_each_is_published_twice() {
    const MISTAKEN: usize = 7;
    let mut articles = stories(["de", "de", "de"]);
    let copies = articles.iter_mut().filter(|article| article.url.starts_with("https://courier."));
    copies.take(MISTAKEN).for_each(|copy| copy.language = "en".to_owned());
    let mut one = Desk::new();
    one.arrive(articles.clone());
    let mut split = Desks::of(&["de"]);
    split.arrive(articles);
    let occurrences = |canonical: &BTreeMap<String, CanonicalArticle>| -> usize {
        canonical.values().map(|record| record.occurrences.len()).sum()
    };
    assert_eq!((one.canonical.len(), occurrences(&one.canonical)), (120, 180));
    let lost = (split.canonical.len() - 120, 180 - occurrences(&split.canonical));
    assert_eq!(lost, (MISTAKEN, MISTAKEN), "as many records too many, and as many occurrences too few");
}

#[test]
fn a_declared_original_in_another_language_is_not_found() {
    let original = in_language("en", page(ORIGINAL, "2026-03-19", words(1, 200)));
    let reprint = Article {
        declared_original: ORIGINAL.to_owned(),
        ..document("reprint.txt", "2026-03-01", words(1, 200))
    };
    let reprint = in_language("de", reprint);
    let mut split = Desks::of(&["de"]);
    split.arrive([original, reprint]);
    assert!(split.canonical.values().all(|record| record.relation == "original"));
    assert_eq!(split.canonical.len(), 2);
}

#[test]
fn a_page_whose_language_changes_begins_anew_under_its_key_and_both_deciders_know_it() {
    let english = in_language("en", page(ORIGINAL, "2026-03-19T10:00:00Z", words(1, 200)));
    let german = Article {
        fetched_at_ms: 9,
        ..in_language("de", page(ORIGINAL, "2026-03-19T10:00:00Z", words(2, 200)))
    };
    let id = english.article_id.clone();
    let late_copy = in_language("en", page(COPY, "2026-03-19T12:00:00Z", words(1, 200)));
    let mut split = Desks::of(&["de"]);
    split.arrive([english, german.clone()]);
    let record = &split.canonical[&id];
    assert_eq!((record.version, &record.body_text), (1, &german.body_text), "one key: the later text stands");
    split.arrive([late_copy]);
    let record = &split.canonical[&id];
    assert_eq!(
        (record.version, &record.body_text),
        (2, &words(1, 200)),
        "what is lost: the former text is back"
    );
    let withdrawn = Withdrawal { cause: "gone".to_owned(), at_ms: SEEN_AT_MS + 10, ..Withdrawal::default() };
    split.arrive([Article { withdrawal: Some(withdrawn), body_text: String::new(), ..german }]);
    assert_eq!(split.canonical[&id].status, "withdrawn", "and withdrawn it is in either");
}

#[test]
fn a_takedown_reaches_every_decider_and_binds_it() {
    let takedown = Withdrawal { cause: "takedown".to_owned(), at_ms: SEEN_AT_MS, ..Withdrawal::default() };
    let of_url = Article { withdrawal: Some(takedown.clone()), ..page(ORIGINAL, "", String::new()) };
    let publisher = wire::Publisher { domain: "gazette.example".to_owned(), ..Default::default() };
    let of_domain = Article { withdrawal: Some(takedown), publisher: Some(publisher), ..Article::default() };
    for order in [of_url, of_domain] {
        for language in ["de", "en", ""] {
            let article = in_language(language, page(ORIGINAL, "2026-03-19", words(1, 200)));
            let mut split = Desks::of(&["de"]);
            split.arrive([article.clone(), order.clone()]);
            assert!(split.canonical.is_empty(), "{language:?}");
            for language in ["de", "en", ""] {
                split.arrive([Article {
                    fetched_at_ms: SEEN_AT_MS + 1,
                    ..in_language(language, article.clone())
                }]);
            }
            assert!(split.canonical.is_empty(), "it is let in nowhere");
            assert!(split.desks.iter().all(|desk| !desk.has_text(&article.article_id)));
        }
    }
}
