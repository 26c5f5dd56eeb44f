use crawl::{Availability, Host, Spent, Validators, Version};

use super::*;
use crate::config::Config;

const NOW: i64 = 1_800_000_000_000;
const MINUTE: i64 = 60_000;

fn with_facts(change: impl FnOnce(&mut Facts<'_>)) -> Explanation {
    let rules = Rules::new(&Config::default()).unwrap();
    let url = CanonicalUrl::parse("https://www.harbour.example/ports/1").unwrap();
    let mut facts = Facts {
        url: &url,
        now_ms: NOW,
        rules: &rules,
        token: "wireroom",
        refused_address: None,
        is_in_flight: false,
        host: None,
        waiting: 0,
        robots: Some(robots("user-agent: *\nallow: /", MINUTE)),
        queued: None,
        seen: Seen::default(),
    };
    change(&mut facts);
    explain(&facts)
}

fn robots(text: &str, age_ms: i64) -> RobotsFile {
    let text = crawl::Robots::parse(text.as_bytes(), "wireroom").to_text().into_bytes();
    RobotsFile { fetched_at_ms: NOW - age_ms, availability: Availability::Rules, text }
}

fn host(politeness: Host) -> Option<HostRow> {
    Some(HostRow { politeness, ..HostRow::default() })
}

fn queued(ticket: QueueTicket) -> Option<(Request, QueueTicket)> {
    Some((Request { source_id: "harbour".into(), daily_quota: 3, ..Request::default() }, ticket))
}

#[test]
fn what_decides_is_said() {
    type Change = fn(&mut Facts<'_>);
    let cases: [(Change, Verdict, Option<i64>, &str); 12] = [
        (|_| {}, Verdict::WouldBeFetched, None, ""),
        (|f| f.robots = None, Verdict::WouldBeFetched, None, "is asked for first"),
        (
            |f| f.robots = Some(robots("user-agent: *\ndisallow: /ports", MINUTE)),
            Verdict::Refused,
            None,
            "\"disallow: /ports\" in line 2",
        ),
        (
            |f| f.robots = Some(robots("user-agent: *\ndisallow: /ports", 48 * 60 * MINUTE)),
            Verdict::WouldBeFetched,
            None,
            "is asked for first",
        ),
        (|f| f.refused_address = Some([10, 0, 0, 1].into()), Verdict::Refused, None, "10.0.0.1"),
        (|f| f.is_in_flight = true, Verdict::BeingFetched, None, "now"),
        (
            |f| f.seen.fetched_at_ms = NOW - 1,
            Verdict::FetchedLately,
            Some(NOW - 1 + 86_400_000),
            "`fetched_for`",
        ),
        (|f| f.queued = queued(QueueTicket::default()), Verdict::Queued, None, ""),
        (
            |f| {
                f.queued = queued(QueueTicket {
                    due_at_ms: NOW + 5,
                    attempts: 2,
                    last_failure: "the server answered 502".into(),
                    ..QueueTicket::default()
                });
            },
            Verdict::Queued,
            Some(NOW + 5),
            "attempt 2 failed (the server answered 502)",
        ),
        (
            |f| f.queued = queued(QueueTicket { due_at_ms: NOW + 5, visits: 1, ..QueueTicket::default() }),
            Verdict::Queued,
            Some(NOW + 5),
            "revisit",
        ),
        (
            |f| f.host = host(Host { next_at_ms: NOW + 9, failures: 4, ..Host::default() }),
            Verdict::WouldBeFetched,
            Some(NOW + 9),
            "failed 4 times",
        ),
        (
            |f| {
                let mut spent = Spent::default();
                (0..3).for_each(|_| spent.count("harbour", NOW));
                f.host = Some(HostRow { spent, ..HostRow::default() });
                f.queued = queued(QueueTicket::default());
            },
            Verdict::Queued,
            Some((NOW / 86_400_000 + 1) * 86_400_000),
            "its 3 articles",
        ),
    ];
    for (n, (change, verdict, not_before_ms, because)) in cases.into_iter().enumerate() {
        let said = with_facts(change);
        assert_eq!((said.verdict, said.not_before_ms), (verdict, not_before_ms), "{n}: {said:?}");
        assert!(said.because.join("; ").contains(because), "{n}: {said:?}");
        assert_eq!(because.is_empty(), said.because.is_empty(), "{n}: {said:?}");
    }
}

#[test]
fn everything_known_is_in_the_answer() {
    let said = with_facts(|facts| {
        facts.host = host(Host { next_at_ms: NOW, latency_ms: 70, ..Host::default() });
        facts.waiting = 7;
        facts.robots = Some(robots("user-agent: *\nallow: /ports\ncrawl-delay: 20", MINUTE));
        facts.queued = queued(QueueTicket { is_backfill: true, priority: 2, ..QueueTicket::default() });
        let validators = Validators::of(Some("\"a\""), None);
        facts.seen = Seen {
            sequence: Some(1),
            fetched_at_ms: NOW - 2 * MINUTE,
            version: Version { validators, body_hash: 255 },
        };
    });
    assert_eq!((said.host.as_str(), said.domain.as_str()), ("www.harbour.example", "harbour.example"));
    assert_eq!((said.delay_ms, said.delay_from.as_str()), (20_000, "robots.txt"));
    assert_eq!((said.robots.rule.as_deref(), said.robots.line), (Some("allow: /ports"), Some(2)));
    assert_eq!((said.robots.age_ms, said.robots.is_fresh), (Some(MINUTE), true));
    assert_eq!(said.domain_state.unwrap().queued, 7);
    let queued = said.queued.unwrap();
    assert_eq!((queued.lane.as_str(), queued.priority), ("backfill", 2));
    let last = said.last_fetched.unwrap();
    assert_eq!((last.at_ms, last.body_hash.as_str()), (NOW - 2 * MINUTE, "00000000000000ff"));
    let source = said.source.unwrap();
    assert_eq!((source.id.as_str(), source.daily_quota, source.fetched_today), ("harbour", 3, 0));
}

#[test]
fn a_paused_source_is_named() {
    let sources = crawl::Sources::from_toml(
        "[[outlet]]\nid = 'harbour'\nname = 'The Harbour Post'\nfeeds = ['https://www.harbour.example/feed']\npaused = true",
    );
    let url = CanonicalUrl::parse("https://www.harbour.example/ports/1").unwrap();
    let said = with_facts(|_| {}).by_sources(&sources.unwrap(), &url);
    assert_eq!((said.outlets[0].id.as_str(), said.outlets[0].is_paused), ("harbour", true));
    assert!(said.because[0].contains("harbour is paused"), "{said:?}");
}
