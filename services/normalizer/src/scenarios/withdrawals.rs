//! What stands in canonical after articles were withdrawn.

use wire::{Publisher, Withdrawal};

use super::*;

const COPY: &str = "https://courier.example/bridge";
const LATER_MS: i64 = SEEN_AT_MS + 1_000;

/// The order to withdraw what is at `url`.
fn order(url: &str, cause: &str) -> Article {
    Article { withdrawal: Some(because(cause)), body_text: String::new(), ..page(url, "", String::new()) }
}

fn order_for_domain(domain: &str, cause: &str) -> Article {
    Article {
        publisher: Some(Publisher { domain: domain.to_owned(), ..Publisher::default() }),
        withdrawal: Some(because(cause)),
        ..Article::default()
    }
}

fn because(cause: &str) -> Withdrawal {
    Withdrawal { cause: cause.to_owned(), reason: "said so".to_owned(), at_ms: LATER_MS }
}

fn original() -> Article {
    page(ORIGINAL, "2026-03-19T10:00:00Z", words(1, 300))
}

fn copy() -> Article {
    page(COPY, "2026-03-19T12:00:00Z", words(1, 300))
}

/// Something else, by which the stream's own time moves on.
fn days_later(days: i64) -> Article {
    let url = format!("https://tribune.example/{days}");
    Article { seen_at_ms: SEEN_AT_MS + days * DAY_MS, ..page(&url, "", words(70 + days as u64, 200)) }
}

/// Seen again on its page.
fn again(article: Article) -> Article {
    Article { fetched_at_ms: LATER_MS + 1, ..article }
}

/// What stands: `status url`, and the occurrences.
fn standing(desk: &Desk) -> Vec<String> {
    let shown = |record: &CanonicalArticle| {
        let occurrences = record.occurrences.iter().map(|o| format!(" +{}", o.url)).collect::<String>();
        assert_eq!(record.status == "usable", !record.body_text.is_empty() && record.withdrawal.is_none());
        format!("{} {}{occurrences}", record.status, record.url)
    };
    let mut standing: Vec<String> = desk.canonical.values().map(shown).collect();
    standing.sort();
    standing
}

#[test]
fn a_withdrawn_article_stands_without_text_and_leaves_after_a_while() {
    for cause in ["missing", "gone", "withheld", "notice", "ordered"] {
        let mut desk = Desk::new();
        desk.arrive([original()]);
        assert_eq!(desk.arrive([order(ORIGINAL, cause)]), [format!("withdrawn {ORIGINAL}")], "{cause}");
        assert!(desk.arrive([order(ORIGINAL, cause)]).is_empty(), "said twice");
        let record = desk.canonical.values().next().unwrap();
        assert_eq!((record.version, record.headline.as_str()), (2, "Harbour bridge opens"));
        assert_eq!(
            (record.change.as_str(), record.withdrawal.as_ref()),
            ("withdrawn", Some(&because(cause)))
        );
        desk.arrive([days_later(6)]);
        desk.restart();
        assert_eq!(standing(&desk)[1], format!("withdrawn {ORIGINAL}"));
        let changes = desk.arrive([days_later(8)]);
        assert_eq!(changes[0], format!("buried {ORIGINAL}"));
        assert!(!desk.has_text(&original().article_id));
        assert!(desk.arrive([order(ORIGINAL, "takedown")]).is_empty());
        assert_eq!(standing(&desk), ["usable https://tribune.example/6", "usable https://tribune.example/8"]);
        desk.check_versions();
    }
}

#[test]
fn a_retraction_is_of_the_story_and_a_missing_page_of_a_place() {
    for (cause, url, expected) in [
        ("missing", ORIGINAL, vec![format!("usable {COPY}")]),
        ("missing", COPY, vec![format!("usable {ORIGINAL}")]),
        ("gone", ORIGINAL, vec![format!("withdrawn {ORIGINAL} +{COPY}")]),
        ("gone", COPY, vec![format!("usable {ORIGINAL}")]),
        ("notice", ORIGINAL, vec![format!("withdrawn {ORIGINAL} +{COPY}")]),
        ("ordered", COPY, vec![format!("usable {ORIGINAL}")]),
        ("takedown", COPY, vec![format!("usable {ORIGINAL}")]),
        ("takedown", ORIGINAL, vec![]),
    ] {
        // The withdrawn article comes first, last, and before the other.
        let withdrawn = order(url, cause);
        let (own, other) = if url == ORIGINAL { (original(), copy()) } else { (copy(), original()) };
        for order in [
            [own.clone(), other.clone(), withdrawn.clone()],
            [other.clone(), own.clone(), withdrawn.clone()],
            [own.clone(), withdrawn.clone(), other.clone()],
        ] {
            let mut desk = Desk::new();
            desk.arrive(order);
            assert_eq!(standing(&desk), expected, "{cause} {url}");
            desk.restart();
            desk.arrive([own.clone(), other.clone()]);
            assert_eq!(standing(&desk), expected, "{cause} {url}: what is older changes nothing");
            desk.check_versions();
        }
    }
}

#[test]
fn the_last_copy_stands_withdrawn_when_every_page_is_missing() {
    for urls in [[ORIGINAL, COPY], [COPY, ORIGINAL]] {
        let mut desk = Desk::new();
        desk.arrive([original(), copy(), order(urls[0], "missing"), order(urls[1], "missing")]);
        assert_eq!(standing(&desk), [format!("withdrawn {ORIGINAL}")]);
        desk.check_versions();
    }
}

#[test]
fn a_record_whose_page_is_missing_stands_where_its_heir_has_no_text_any_more() {
    let mut desk = Desk::new();
    desk.arrive([copy(), days_later(15), days_later(16)]);
    let first = Article { seen_at_ms: SEEN_AT_MS + 16 * DAY_MS, ..original() };
    assert_eq!(desk.arrive([first]), [format!("takeover {ORIGINAL}"), format!("superseded {COPY}")]);
    assert!(!desk.has_text(&copy().article_id), "it has aged");
    assert!(desk.arrive([order(ORIGINAL, "missing")]).is_empty());
    assert!(standing(&desk).contains(&format!("usable {ORIGINAL} +{COPY}")), "{:?}", standing(&desk));
    desk.arrive([order(ORIGINAL, "takedown")]);
    assert!(!standing(&desk).iter().any(|record| record.contains(ORIGINAL)), "{:?}", standing(&desk));
}

#[test]
fn what_is_published_after_a_retraction_stands_for_itself() {
    let substitute = Article { seen_at_ms: LATER_MS + DAY_MS, ..page(COPY, "2027-01-16", words(1, 300)) };
    let late_copy = Article { seen_at_ms: LATER_MS + DAY_MS, ..copy() };
    let mut desk = Desk::new();
    desk.arrive([original(), order(ORIGINAL, "gone"), substitute]);
    assert_eq!(standing(&desk), [format!("usable {COPY}"), format!("withdrawn {ORIGINAL}")]);
    let mut desk = Desk::new();
    desk.arrive([original(), order(ORIGINAL, "gone"), late_copy]);
    assert_eq!(standing(&desk), [format!("withdrawn {ORIGINAL} +{COPY}")]);
}

#[test]
fn an_article_seen_again_is_back() {
    let mut desk = Desk::new();
    desk.arrive([original(), order(ORIGINAL, "gone")]);
    assert_eq!(desk.arrive([again(original())]), [format!("corrected {ORIGINAL}")]);
    assert_eq!(standing(&desk), [format!("usable {ORIGINAL}")]);
    assert!(desk.arrive([order(ORIGINAL, "gone")]).is_empty(), "found before it was seen again");
    let later = Withdrawal { at_ms: LATER_MS + 2, ..because("gone") };
    desk.arrive([Article { withdrawal: Some(later), ..order(ORIGINAL, "gone") }, days_later(8)]);
    assert_eq!(standing(&desk), ["usable https://tribune.example/8"]);
    let seen = Article { fetched_at_ms: LATER_MS + 3, ..original() };
    assert_eq!(desk.arrive([seen]), [format!("corrected {ORIGINAL}")], "buried, and back");
    desk.check_versions();
}

#[test]
fn what_was_ordered_holds_until_it_is_lifted() {
    let mut desk = Desk::new();
    desk.arrive([original(), copy(), order(ORIGINAL, "ordered")]);
    assert!(desk.arrive([again(original())]).is_empty());
    assert!(desk.arrive([order(ORIGINAL, "gone")]).is_empty(), "it is withdrawn by hand already");
    assert_eq!(desk.arrive([order(ORIGINAL, "lifted")]), [format!("corrected {ORIGINAL}")]);
    assert_eq!(standing(&desk), [format!("usable {ORIGINAL} +{COPY}")]);
    desk.check_versions();
}

#[test]
fn a_takedown_leaves_no_text_and_lets_none_in() {
    let extension = page(EXTENDED, "2026-03-20", format!("{} {}", words(1, 300), words(2, 300)));
    let harbour = ArticleId::of_url(&CanonicalUrl::parse(ORIGINAL).unwrap()).as_str().to_owned();
    for takedown in [order(ORIGINAL, "takedown"), order_for_domain("gazette.example", "takedown")] {
        let mut desk = Desk::new();
        desk.arrive([original(), copy(), extension.clone()]);
        let changes = desk.arrive([takedown.clone()]);
        assert!(changes.contains(&format!("withdrawn {ORIGINAL}")), "{changes:?}");
        assert_eq!(standing(&desk), [format!("usable {EXTENDED}")]);
        assert!(!desk.has_text(&harbour));
        assert!(!desk.has_text(&copy().article_id), "a copy has the same text");
        desk.restart();
        let revised = Article { body_text: words(44, 300), ..again(original()) };
        assert!(desk.arrive([revised.clone(), again(copy())]).is_empty());
        assert!(!desk.has_text(&harbour));
        let prepared = prepare(revised);
        let refused =
            desk.clusters.arrive(&mut desk.rows, prepared.clone(), prepared.article.unwrap()).unwrap();
        assert_eq!(refused.relation, None);
        let lifted = Article { withdrawal: Some(because("lifted")), ..takedown };
        assert!(desk.arrive([lifted]).iter().all(|change| !change.starts_with("created")));
        assert!(desk.arrive([again(original())]).contains(&format!("created {ORIGINAL}")));
        desk.check_versions();
    }
}

#[test]
fn a_takedown_takes_a_headline_without_a_text() {
    let mut desk = Desk::new();
    let headline = page(ORIGINAL, "2026-03-19", String::new());
    desk.arrive([headline.clone()]);
    assert!(desk.has_text(&headline.article_id));
    desk.arrive([order(ORIGINAL, "takedown")]);
    assert!(!desk.has_text(&headline.article_id));
}

#[test]
fn a_domain_is_withdrawn_as_it_is_now() {
    let other = page("https://gazette.example/other", "2026-03-19", words(3, 200));
    let mut desk = Desk::new();
    desk.arrive([original(), page(COPY, "", words(5, 200)), other.clone()]);
    let mut changes = desk.arrive([order_for_domain("gazette.example", "ordered")]);
    changes.sort();
    assert_eq!(changes, [format!("withdrawn {ORIGINAL}"), format!("withdrawn {}", other.url)]);
    desk.arrive([page("https://gazette.example/new", "2026-03-19", words(6, 200))]);
    let expected = [
        format!("usable {COPY}"),
        "usable https://gazette.example/new".to_owned(),
        format!("withdrawn {ORIGINAL}"),
    ];
    assert_eq!(standing(&desk)[..3], expected);
}

#[test]
fn an_order_for_what_was_never_seen_changes_nothing() {
    let mut desk = Desk::new();
    assert!(
        desk.arrive([order(ORIGINAL, "gone"), order_for_domain("gazette.example", "ordered")]).is_empty()
    );
    assert_eq!(desk.arrive([original()]), [format!("created {ORIGINAL}")]);
}

#[test]
fn a_large_domain_is_withdrawn_in_parts() {
    let of_domain = |n: u64| page(&format!("https://gazette.example/{n}"), "", words(1000 + n, 20));
    let withdrawn =
        |desk: &Desk| desk.canonical.values().filter(|record| record.status == "withdrawn").count();
    let mut desk = Desk::new();
    desk.arrive((0..2300).map(of_domain));
    desk.arrive([order_for_domain("gazette.example", "ordered")]);
    assert!((1000..1300).contains(&withdrawn(&desk)), "{}", withdrawn(&desk));
    desk.restart();
    // What is ordered meanwhile has its turn after that, and what comes meanwhile stands.
    let last = of_domain(2299);
    assert!(!desk.arrive([order(&last.url, "lifted")]).iter().any(|change| change.ends_with(&last.url)));
    assert!((2000..2300).contains(&withdrawn(&desk)), "{}", withdrawn(&desk));
    desk.restart();
    let changes = desk.arrive([of_domain(2300)]);
    let of_last: Vec<&String> = changes.iter().filter(|change| change.ends_with("/2299")).collect();
    assert_eq!(of_last, [&format!("withdrawn {}", last.url), &format!("corrected {}", last.url)]);
    assert_eq!((withdrawn(&desk), desk.canonical.len()), (2299, 2301));
    assert!(desk.rows.scan(ORDERS, 1).unwrap().is_empty());
    desk.check_versions();
}
