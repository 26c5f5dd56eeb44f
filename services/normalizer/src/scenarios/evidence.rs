//! What the relations on a record rest on.

use wire::Evidence;

use super::*;

/// Of each record the evidence on it, by the place and relation it is for.
fn evidence(desk: &Desk) -> BTreeMap<(String, String), Evidence> {
    let on = |record: &CanonicalArticle| {
        let occurrences = record.occurrences.iter().map(|o| (&o.relation, &o.url, &o.evidence));
        let related = record.related.iter().map(|r| (&r.relation, &r.url, &r.evidence));
        let all = occurrences.chain(related).map(|(relation, url, evidence)| {
            ((record.url.clone(), format!("{relation} {url}")), evidence.clone().unwrap())
        });
        all.collect::<Vec<_>>()
    };
    desk.canonical.values().flat_map(on).collect()
}

#[test]
fn records_carry_it_for_each_occurrence_and_relation_in_every_order() {
    let press = press();
    let mut expected = Desk::new();
    expected.arrive(press.clone());
    let expected = evidence(&expected);
    let on = |record: &str, of: &str| expected[&(record.to_owned(), of.to_owned())].clone();
    assert_eq!(expected.len(), 4);
    // What has a date alone ends its day within the window, and what has none is of any time.
    let reprint = on(ORIGINAL, "copy reprint.txt");
    assert_eq!((reprint.rule.as_str(), reprint.contains), ("near_text", 1.0));
    assert!(reprint.contained >= 0.95, "{reprint:?}");
    assert_eq!(on(ORIGINAL, "copy scraped.txt").rule, "near_text_any_time");
    let extension = on(ORIGINAL, &format!("extension {EXTENDED}"));
    assert_eq!(extension.rule, "near_text");
    assert!(extension.contained < 0.6 && extension.contains > 0.8, "{extension:?}");
    let seen_from_there =
        Evidence { contained: extension.contains, contains: extension.contained, ..extension };
    assert_eq!(on(EXTENDED, &format!("original {ORIGINAL}")), seen_from_there);
    for order in permutations(press.len()) {
        let mut desk = Desk::new();
        desk.arrive(order.iter().map(|at| press[*at].clone()));
        assert_eq!(evidence(&desk), expected, "{order:?}");
    }
}

#[test]
fn shares_are_in_hundredths() {
    let mut desk = Desk::new();
    desk.arrive(press());
    for Evidence { contained, contains, .. } in evidence(&desk).into_values() {
        for share in [contained, contains] {
            assert!((0.0..=1.0).contains(&share) && share.to_string().len() <= 4, "{share}");
        }
    }
}

#[test]
fn changes_say_what_a_relation_rests_on() {
    let (earlier, later) = ("2026-03-19T09:00:00Z", "2026-03-19T10:00:00Z");
    let mut desk = Desk::new();
    desk.arrive([page(ORIGINAL, later, words(1, 200))]);
    desk.arrive([page("https://courier.example/copy", earlier, words(1, 200))]);
    let [created, takeover, superseded] = &desk.changes[..] else { panic!("{:?}", desk.changes) };
    assert_eq!(
        (&created.evidence, &takeover.evidence),
        (&None, &None),
        "originals are compared with nothing"
    );
    let same = Evidence { rule: "same_text".to_owned(), contained: 1.0, contains: 1.0 };
    assert_eq!(superseded.evidence.as_ref(), Some(&same));
    assert_eq!(takeover.occurrences[0].evidence.as_ref(), Some(&same));
}

#[test]
fn of_a_text_that_has_aged_the_rule_is_known() {
    let mut desk = Desk::new();
    desk.arrive([page(ORIGINAL, "2026-03-19", words(1, 300))]);
    let aged = SEEN_AT_MS + 20 * DAY_MS;
    let others = (70..72).map(|seed| page(&format!("https://gazette.example/{seed}"), "", words(seed, 60)));
    desk.arrive(others.map(|other| Article { seen_at_ms: aged, ..other }));
    let copy = page("https://courier.example/copy", "2026-03-20", words(1, 300));
    desk.arrive([Article { seen_at_ms: aged, ..copy }]);
    let evidence = desk.changes.last().and_then(|change| change.evidence.as_ref());
    assert_eq!(evidence.map(|evidence| evidence.rule.as_str()), Some("same_text"));
}
