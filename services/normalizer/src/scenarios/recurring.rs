//! Reports that recur, articles that are revised, texts that drift, and pages that are no articles.

use super::*;

fn bulletin(week: usize) -> Article {
    let figure = |n: usize| (week * 7_919 + n * 3_571) % 8_900 + 1_000;
    let body = format!(
        "The county's reservoirs held {} million litres on Sunday night, the water board said in its weekly bulletin, \
         against {} million a week before.\n\nThe largest of them, at Brindle Head, stood at {} centimetres, {} below \
         the mark at which hosepipes are forbidden. Households drew {} million litres in the seven days, farms {} \
         million, and {} million were lost to leaks that are being looked for.\n\nRain measured at the board's gauges \
         came to {} tenths of a millimetre, the board said, and the outlook for the coming week was for {} more. It \
         reminded its {} customers that meters are read at the end of the month, and that the office in Mill Street is \
         open from Monday to Friday.",
        figure(1),
        figure(2),
        figure(3),
        figure(4),
        figure(5),
        figure(6),
        figure(7),
        figure(8),
        figure(9),
        figure(10),
    );
    let at = format!("2026-0{}-{:02}T08:00:00Z", 1 + week / 4, 4 + week % 4 * 7);
    page(&format!("https://harbour.example/water/week-{week}"), &at, body)
}

#[test]
fn weekly_reports_with_other_figures_stay_apart() {
    let mut desk = Desk::new();
    desk.arrive((0..8).map(bulletin));
    assert_eq!(desk.canonical.len(), 8);
    assert!(desk.canonical.values().all(|record| record.occurrences.is_empty() && record.related.is_empty()));
    let reprint = Article {
        url: "https://courier.example/water".into(),
        article_id: "c0".into(),
        published_at: "2026-01-11T09:00:00Z".into(),
        ..bulletin(1)
    };
    desk.arrive([reprint]);
    let holder = desk.canonical.values().find(|record| !record.occurrences.is_empty()).unwrap();
    assert_eq!(
        (holder.url.as_str(), desk.canonical.len()),
        ("https://harbour.example/water/week-1", 8),
        "a copy joins its own week"
    );
}

#[test]
fn reports_of_one_day_with_other_figures_stay_apart() {
    let mut desk = Desk::new();
    desk.arrive((0..4).map(|at| Article { published_at: "2026-03-19T08:00:00Z".into(), ..bulletin(at) }));
    assert_eq!(desk.canonical.len(), 4);
}

#[test]
fn short_reports_with_another_figure_stay_apart() {
    let quake = |magnitude: &str, place: &str, at: usize| {
        let text = format!(
            "A strong earthquake of magnitude {magnitude} struck off the coast of {place} on Monday at a depth of 10 \
             kilometres, the country's seismological service said, and no damage was reported."
        );
        page(&format!("https://outlet-{at}.example/quake"), "2026-03-19T10:00:00Z", text)
    };
    let rate = |figure: &str, day: usize| {
        let text = format!(
            "The central bank of Aldermere set the reference rate of the crown at {figure} to the dollar for the coming \
             day, as it does each afternoon; banks may not depart from it by more than two parts in a hundred when they \
             buy or sell, and customs offices reckon by it all duties that fall due."
        );
        page(&format!("https://harbour.example/rate/{day}"), &format!("2026-03-{day:02}T15:00:00Z"), text)
    };
    let mut desk = Desk::new();
    desk.arrive([quake("6.3", "Aldermere", 1), quake("7.8", "Stennick", 2), quake("6.3", "Aldermere", 3)]);
    desk.arrive([rate("4.1832", 2), rate("4.1907", 11), rate("4.1832", 20)]);
    let shown: Vec<_> =
        desk.canonical.values().map(|record| (record.url.as_str(), record.occurrences.len())).collect();
    assert_eq!(desk.canonical.len(), 4, "{shown:?}");
    assert_eq!(desk.canonical.values().map(|record| record.occurrences.len()).sum::<usize>(), 2, "{shown:?}");
}

#[test]
fn every_revision_raises_the_version_and_keeps_the_copies() {
    let text = |revision: u64| format!("{} {}", words(1, 200), words(20 + revision, 6));
    let revision = |at: u64| Article {
        fetched_at_ms: 1 + i64::try_from(at).unwrap(),
        ..page(ORIGINAL, "2026-03-19T10:00:00Z", text(at))
    };
    let copy = page("https://courier.example/copy", "2026-03-19T12:00:00Z", text(0));
    let mut desk = Desk::new();
    desk.arrive([revision(0), copy.clone()]);
    for at in 1..5 {
        let before = desk.canonical[&revision(0).article_id].version;
        assert_eq!(desk.arrive([revision(at)]), [format!("corrected {ORIGINAL}")]);
        let record = &desk.canonical[&revision(0).article_id];
        assert_eq!((record.version, &record.body_text), (before + 1, &text(at)));
        assert_eq!(
            record.occurrences.iter().map(|o| o.url.as_str()).collect::<Vec<_>>(),
            [copy.url.as_str()]
        );
    }
    assert_eq!(desk.canonical.len(), 1);
    desk.check_versions();
}

/// A text that turns from one story into another, a tenth of its words at each step.
fn drifting(steps: usize) -> Vec<Article> {
    let (from, to) = (words(1, 300), words(2, 300));
    let (from, to): (Vec<&str>, Vec<&str>) = (from.split(' ').collect(), to.split(' ').collect());
    let at = |step: usize| {
        let kept = 300 - 300 * step / steps;
        let body = [&from[300 - kept..], &to[..300 - kept]].concat().join(" ");
        let published_at = format!("2026-03-19T{:02}:00:00Z", 5 + step);
        page(&format!("https://outlet{step}.example/drift"), &published_at, body)
    };
    (0..=steps).map(at).collect()
}

fn check_drift(desk: &Desk, chain: &[Article]) {
    let cluster = |at: usize| {
        let id = &chain[at].article_id;
        let holds = |record: &&CanonicalArticle| {
            record.article_id == *id || record.occurrences.iter().any(|o| o.article_id == *id)
        };
        desk.canonical.values().find(holds).map(|record| record.cluster_id.clone()).unwrap()
    };
    assert_eq!(cluster(0), cluster(1));
    assert_ne!(cluster(0), cluster(chain.len() - 1), "two stories with nothing in common are one");
    desk.check_versions();
}

#[test]
fn a_chain_of_copies_that_drifts_does_not_merge_two_stories() {
    let chain = drifting(10);
    for articles in [chain.clone(), chain.iter().rev().cloned().collect()] {
        let mut desk = Desk::new();
        desk.arrive(articles);
        check_drift(&desk, &chain);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_drifting_chain_stays_apart_in_any_order(
        order in Just((0..=10_usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let chain = drifting(10);
        let mut desk = Desk::new();
        desk.arrive(order.iter().map(|at| chain[*at].clone()));
        check_drift(&desk, &chain);
    }
}

#[test]
fn a_few_same_words_are_no_cluster() {
    let mut desk = Desk::new();
    let walls = [
        "Please enable JavaScript and cookies to continue.",
        "We value your privacy.\n\nAccept all\n\nMore options",
        "Checking your browser …",
        "",
    ];
    for (at, text) in walls.iter().enumerate() {
        let before = desk.canonical.len();
        desk.arrive(
            ["a", "b", "c"]
                .map(|name| page(&format!("https://{name}.example/{at}"), "2026-03-19", (*text).to_owned())),
        );
        assert_eq!(desk.canonical.len(), before + 3, "{text:?}");
    }
    assert!(desk.canonical.values().all(|record| record.occurrences.is_empty() && record.related.is_empty()));
}
