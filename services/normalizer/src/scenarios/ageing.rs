//! What is known of articles as the stream goes on.

use super::*;

/// An article of its own, seen on that day of the stream.
fn of_day(day: i64, seed: u64) -> Article {
    let url = format!("https://gazette.example/{seed}");
    Article { seen_at_ms: SEEN_AT_MS + day * DAY_MS, ..page(&url, "2026-03-19", words(seed, 60)) }
}

fn late(day: i64, url: &str, body_text: String) -> Article {
    Article { seen_at_ms: SEEN_AT_MS + day * DAY_MS, ..page(url, "2026-03-19", body_text) }
}

#[test]
fn near_duplicates_are_found_in_the_window_and_the_same_text_far_longer() {
    for (day, is_open) in [(13, true), (15, false)] {
        let mut desk = Desk::new();
        desk.arrive([page(ORIGINAL, "2026-03-19", words(1, 300)), of_day(day, 77)]);
        let near = late(day, "https://courier.example/near", format!("{} {}", words(1, 300), words(2, 20)));
        let changes = desk.arrive([near.clone()]);
        if is_open {
            assert_eq!(changes, [format!("reprocessed {ORIGINAL}")]);
            continue;
        }
        assert_eq!(changes, [format!("created {}", near.url)]);
        desk = Desk::new();
        desk.arrive([page(ORIGINAL, "2026-03-19", words(1, 300)), of_day(day, 77)]);
        let stood = desk.canonical.clone();
        let same = late(day, "https://courier.example/same", words(1, 300));
        assert_eq!(desk.arrive([same.clone()]), [format!("superseded {}", same.url)]);
        assert_eq!(desk.changes.last().unwrap().superseded_by, page(ORIGINAL, "", String::new()).article_id);
        assert_eq!(desk.canonical, stood, "a record that has aged is not written again");
        assert!(desk.arrive([same]).is_empty());
        desk.check_versions();
    }
}

#[test]
fn an_article_that_has_aged_is_corrected_like_any_other() {
    let mut desk = Desk::new();
    desk.arrive([page(ORIGINAL, "2026-03-19", words(1, 200)), of_day(20, 77), of_day(20, 78)]);
    let corrected = late(20, ORIGINAL, words(5, 200));
    assert_eq!(desk.arrive([corrected.clone()]), [format!("corrected {ORIGINAL}")]);
    assert_eq!(desk.canonical[&corrected.article_id].body_text, corrected.body_text);
    assert!(desk.arrive([corrected]).is_empty());
    desk.check_versions();
}

#[test]
fn an_original_that_comes_when_its_copy_has_aged_takes_over() {
    let mut desk = Desk::new();
    desk.arrive([page(ORIGINAL, "2026-03-19", words(1, 300)), of_day(15, 77), of_day(15, 78)]);
    let earlier = Article {
        published_at: "2026-03-18".to_owned(),
        ..late(15, "https://courier.example/first", words(1, 300))
    };
    assert_eq!(
        desk.arrive([earlier.clone()]),
        [format!("takeover {}", earlier.url), format!("superseded {ORIGINAL}")]
    );
    let occurrences = &desk.canonical[&earlier.article_id].occurrences;
    assert_eq!(occurrences.iter().map(|place| place.url.as_str()).collect::<Vec<_>>(), [ORIGINAL]);
    desk.check_versions();
}

#[test]
fn a_text_is_found_by_whoever_still_has_it() {
    let copy = |day, outlet: &str| late(day, &format!("https://{outlet}.example/copy"), words(1, 300));
    // The first that had it is corrected, or forgotten.
    let corrected = late(2, ORIGINAL, format!("{} {}", words(1, 280), words(9, 20)));
    for (second, day, then) in [(1, 20, corrected), (60, 120, of_day(60, 79))] {
        let mut desk = Desk::new();
        desk.arrive([page(ORIGINAL, "2026-03-19", words(1, 300)), copy(second, "courier"), then]);
        desk.arrive((0..3).map(|n| of_day(day, 80 + n)));
        let third = copy(day, "tribune");
        let changes = desk.arrive([third.clone()]);
        assert!(!changes.contains(&format!("created {}", third.url)), "{changes:?}");
        assert!(!desk.canonical.contains_key(&third.article_id), "day {day}");
        desk.check_versions();
    }
}

/// Who is found by each of so many addresses and texts.
fn found(desk: &Desk, addresses: u64, texts: u64) -> Vec<Option<u64>> {
    let (directory, rows) = (&desk.clusters.directory, &desk.rows);
    let ids = (0..addresses).map(|seed| directory.by_id(rows, &of_day(0, seed).article_id));
    let hash = |seed| prepare(page(ORIGINAL, "", words(seed, 60))).exact_hash;
    let by_texts = (0..texts).map(|seed| directory.by_text(rows, &hash(seed)));
    ids.chain(by_texts).map(|found| found.unwrap().map(|state| state.arrival)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn a_restart_finds_whom_it_found_before(arrivals in prop::collection::vec((0..6_u64, 0..4_u64, 0..40_i64), 1..40)) {
        let mut desk = Desk::new();
        let mut day = 0;
        for (address, text, later) in arrivals {
            day += later;
            desk.arrive([Article { body_text: words(text, 60), ..of_day(day, address) }]);
            prop_assert!(found(&desk, 6, 0)[address as usize].is_some());
            prop_assert!(found(&desk, 0, 4)[text as usize].is_some());
        }
        let before = found(&desk, 6, 4);
        desk.restart();
        prop_assert_eq!(found(&desk, 6, 4), before);
    }
}

#[test]
fn a_teaser_does_not_replace_an_article_that_has_aged() {
    let mut desk = Desk::new();
    desk.arrive([page(ORIGINAL, "2026-03-19", words(1, 200)), of_day(20, 77), of_day(20, 78)]);
    let stood = desk.canonical.clone();
    let teaser = Article { verdict: "teaser".to_owned(), ..late(20, ORIGINAL, words(1, 30)) };
    assert!(desk.arrive([teaser]).is_empty());
    assert_eq!(desk.canonical, stood);
}

#[test]
fn a_story_keeps_its_relations_when_it_ages() {
    let mut desk = Desk::new();
    let extension = late(10, EXTENDED, format!("{}\n\n{}", words(1, 300), words(2, 200)));
    desk.arrive([
        page(ORIGINAL, "2026-03-18", words(1, 300)),
        extension.clone(),
        of_day(16, 77),
        of_day(16, 78),
    ]);
    let copy = late(17, "https://tribune.example/copy", extension.body_text.clone());
    assert_eq!(desk.arrive([copy]), [format!("reprocessed {EXTENDED}")]);
    let record = &desk.canonical[&extension.article_id];
    assert_eq!(
        (record.relation.as_str(), record.related.len(), record.occurrences.len()),
        ("extension", 1, 1)
    );
}

#[test]
fn what_is_forgotten_leaves_nothing_behind() {
    let mut desk = Desk::new();
    desk.arrive(press());
    desk.arrive((0..20).map(|n| of_day(120, 500 + n)));
    let after: Vec<Vec<u8>> = desk.rows.all().keys().cloned().collect();
    let mut fresh = Desk::new();
    fresh.arrive((0..20).map(|n| of_day(120, 500 + n)));
    let tables = |keys: &[Vec<u8>]| keys.iter().map(|key| key[0]).collect::<Vec<_>>();
    let fresh: Vec<Vec<u8>> = fresh.rows.all().keys().cloned().collect();
    assert_eq!(tables(&after), tables(&fresh), "rows of the new articles alone");
    assert_eq!(
        desk.arrive([page(ORIGINAL, "2026-03-19T10:00:00Z", words(1, 300))]).len(),
        1,
        "known no more"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// The order of arrival alone decides: neither where steps end nor when the decider starts anew.
    #[test]
    fn restarts_leave_no_trace(
        texts in prop::collection::vec((0..12_u64, 0..3_usize, 0..2_i64), 30..90),
        restarts in prop::collection::btree_set(0..90_usize, 0..6),
    ) {
        let (mut through, mut restarted) = (Desk::new(), Desk::new());
        let mut day = 0;
        for (at, (seed, kind, days)) in texts.into_iter().enumerate() {
            day += days;
            let text = match kind {
                0 => words(seed, 200),
                1 => format!("{}\n\n{}", words(seed, 200), words(90 + seed, 30)),
                _ => words(seed, 150),
            };
            let article = late(day, &format!("https://outlet-{}.example/{seed}", at % 7), text);
            through.arrive([article.clone()]);
            if restarts.contains(&at) {
                restarted.restart();
            }
            restarted.arrive([article]);
        }
        through.restart();
        restarted.restart();
        prop_assert_eq!(&through.changes, &restarted.changes);
        prop_assert_eq!(through.rows.all(), restarted.rows.all());
        through.check_versions();
    }
}
