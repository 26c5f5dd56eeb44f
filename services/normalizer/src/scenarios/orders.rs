//! Sets in which every two texts are clearly alike or clearly not: whatever the order, one outcome.

use super::*;

/// What is done to a story's text.
#[derive(Debug, Clone, Copy)]
enum Edit {
    Same,
    Banner,
    FirstHalf,
    Extended,
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![Just(Edit::Same), Just(Edit::Banner), Just(Edit::FirstHalf), Just(Edit::Extended)]
}

/// An article of one of four stories; `at` makes it one of its own.
fn version(at: usize, (story, edit, hour): (u64, Edit, Option<u8>)) -> Article {
    let text = words(story + 1, 600);
    let own = |count| words(100 + at as u64, count);
    let body = match edit {
        Edit::Same => text,
        Edit::Banner => format!("{}\n\n{text}", own(9)),
        Edit::FirstHalf => text[..text.len() / 2].to_owned(),
        Edit::Extended => format!("{text}\n\n{}", own(200)),
    };
    let published_at = hour.map(|hour| format!("2026-03-19T{hour:02}:{at:02}:00Z")).unwrap_or_default();
    page(&format!("https://outlet{at}.example/story"), &published_at, body)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_order_of_arrival_changes_no_cluster_relation_or_choice(
        (order, versions) in prop::collection::vec((0..4_u64, edit(), prop::option::of(6..20_u8)), 2..12)
            .prop_flat_map(|versions| {
                (Just((0..versions.len()).collect::<Vec<_>>()).prop_shuffle(), Just(versions))
            }),
    ) {
        let articles: Vec<Article> = versions.iter().enumerate().map(|(at, made)| version(at, *made)).collect();
        let mut expected = Desk::new();
        expected.arrive(articles.clone());
        let mut desk = Desk::new();
        desk.arrive(order.iter().map(|at| articles[*at].clone()));
        prop_assert_eq!(desk.outcome(), expected.outcome());
        desk.check_versions();
        let stories: BTreeSet<u64> = versions.iter().map(|(story, ..)| *story).collect();
        let clusters: BTreeSet<&str> = desk.canonical.values().map(|r| r.cluster_id.as_str()).collect();
        prop_assert_eq!(clusters.len(), stories.len());
    }

    #[test]
    fn a_copy_of_itself_is_always_a_copy(text in "(\\PC{1,12} ){0,60}", days_apart in 1..28_u8) {
        let body = format!("Ten plain words before whatever else there may be here: {text}");
        let mut desk = Desk::new();
        desk.arrive([
            page("https://gazette.example/a", "2026-03-01", body.clone()),
            page("https://courier.example/b", &format!("2026-03-{:02}", 1 + days_apart), body),
        ]);
        let records: Vec<&CanonicalArticle> = desk.canonical.values().collect();
        prop_assert_eq!(records.len(), 1);
        prop_assert_eq!(&records[0].url, "https://gazette.example/a");
        prop_assert_eq!(&records[0].occurrences[0].relation, "copy");
    }
}
