mod bench;
mod commit;
mod full;
mod give_up;
mod questions;
mod revisits;
mod sources;
mod watched;
mod websub;

use std::collections::{HashSet, VecDeque};

use bytes::Bytes;
use crawl::{RobotsFetch, Version, robots_after_fetch};
use pipeline::Output;
use proptest::prelude::*;
use prost::Message;
use wire::Document;

use super::*;
use crate::visit::{Fetched, Found, List};
use bench::{Bench, START_MS, config};

fn request(url: &str) -> Request {
    Request { request_id: url.to_owned(), url: url.to_owned(), ..Request::default() }
}

fn document(url: &str) -> Request {
    let content = Bytes::from_static(b"A reprint, without a source.");
    let document = Document { content, content_type: String::new(), name: "reprint.txt".into() };
    Request { request_id: "reprint".into(), document: Some(document), ..request(url) }
}

fn page() -> Found {
    version("", 1)
}

/// A page with this ETag, its body named by a number.
fn version(etag: &str, body_hash: u64) -> Found {
    let response = wire::Response { status: 200, body: Bytes::from_static(b"<html>"), ..Default::default() };
    let validators = Validators::of(Some(etag), None);
    Found::Page(Box::new(Fetched { response, version: Version { validators, body_hash } }))
}

/// A feed of these articles.
fn feed(urls: &[&str]) -> Found {
    let entry = |url: &&str| crawl::Discovered {
        title: Some("One".into()),
        published_at: Some("2026-03-19".into()),
        ..crawl::Discovered::of(CanonicalUrl::parse(url).unwrap(), crawl::Leads::Article)
    };
    let entries = urls.iter().map(entry).collect();
    Found::List(List {
        via: "feed",
        entries,
        version: Version::default(),
        least_interval_ms: None,
        hub: None,
    })
}

fn with_bench(test: impl FnOnce(&mut Bench)) {
    let folder = tempfile::tempdir().unwrap();
    test(&mut Bench::open(folder.path(), &Clock::manual(START_MS), &config()));
}

#[test]
fn a_page_ends_its_request_and_the_host_waits() {
    with_bench(|b| {
        b.submit(&request("https://a.example/1"));
        b.submit(&request("https://a.example/2"));
        b.settle();
        let begun = b.begun();
        assert_eq!(begun.len(), 1, "one request to a host at a time");
        assert_eq!(b.queued(), 2);
        b.end(&begun[0], page());
        assert_eq!(b.pages().len(), 1);
        assert_eq!(b.queued(), 1);
        b.advance(999);
        assert!(b.begun().is_empty(), "not before the delay is over");
        b.advance(1);
        assert_eq!(b.begun_urls(), ["https://a.example/2"]);
    });
}

#[test]
fn live_goes_first_then_priority_then_arrival() {
    with_bench(|b| {
        for (n, (lane, priority)) in
            [("backfill", 9), ("live", 0), ("", 5), ("live", 0), ("live", -1)].iter().enumerate()
        {
            let url = format!("https://a.example/{n}");
            b.submit(&Request { lane: (*lane).to_owned(), priority: *priority, ..request(&url) });
        }
        b.settle();
        let mut order = Vec::new();
        for _ in 0..5 {
            let begun = b.begun();
            order.push(begun[0].url.as_str().rsplit('/').next().unwrap().to_owned());
            b.end(&begun[0], page());
            b.advance(1_000);
        }
        assert_eq!(order, ["2", "1", "3", "4", "0"]);
    });
}

/// Of hosts wanted and failing, and of requests queued by lane.
fn told(b: &Bench) -> ((usize, usize), [u64; 2]) {
    let frontier = &b.fetcher.frontiers[&0];
    (frontier.hosts(), [Lane::Live, Lane::Backfill].map(|lane| frontier.queued(lane)))
}

#[test]
fn what_is_told_of_the_frontier_is_what_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START_MS);
    {
        let mut b = Bench::open(folder.path(), &clock, &config());
        b.submit(&request("https://a.example/1"));
        b.submit(&Request { lane: "backfill".to_owned(), ..request("https://b.example/1") });
        b.settle();
        assert_eq!(told(&b), ((2, 0), [1, 1]));
        for job in b.begun() {
            let is_a = job.domain == "a.example";
            b.end(&job, if is_a { Found::Failed(Failure::Timeout) } else { page() });
        }
        assert_eq!(told(&b), ((1, 1), [1, 0]));
    }
    let mut b = Bench::open(folder.path(), &clock, &config());
    b.settle();
    assert_eq!(told(&b), ((1, 1), [1, 0]), "after a restart, too");
    b.advance(3_600_000);
    let begun = b.begun();
    b.end(&begun[0], page());
    assert_eq!(told(&b), ((0, 0), [0, 0]));
}

#[test]
fn hosts_do_not_wait_for_each_other() {
    with_bench(|b| {
        b.submit(&request("https://slow.example/1"));
        b.submit(&request("https://b.example/1"));
        b.submit(&request("https://b.example/2"));
        b.settle();
        let begun = b.begun();
        assert_eq!(begun.len(), 2);
        let fast = begun.iter().find(|job| job.domain == "b.example").unwrap();
        b.end(fast, page());
        b.advance(1_000);
        assert_eq!(b.begun_urls(), ["https://b.example/2"], "while slow.example is still being asked");
    });
}

#[test]
fn failures_wait_for_their_due_time_and_are_given_up() {
    with_bench(|b| {
        b.submit(&request("https://a.example/1"));
        b.settle();
        for wait_ms in [5_000, 10_000] {
            let begun = b.begun();
            b.end(&begun[0], Found::Failed(Failure::Status(502)));
            b.advance(wait_ms - 1);
            assert!(b.begun().is_empty());
            b.advance(1);
        }
        let begun = b.begun();
        b.end(&begun[0], Found::Failed(Failure::Status(502)));
        assert_eq!(
            b.dead(),
            [("server_error".into(), "https://a.example/1: the server answered 502".into())]
        );
        assert_eq!(b.queued(), 0);
    });
}

#[test]
fn a_url_that_waits_does_not_hold_up_its_host_but_a_busy_host_waits_whole() {
    with_bench(|b| {
        b.submit(&request("https://a.example/1"));
        b.submit(&request("https://a.example/2"));
        b.submit(&request("https://a.example/3"));
        b.settle();
        let begun = b.begun();
        b.end(&begun[0], Found::Failed(Failure::Status(500)));
        b.advance(1_000);
        let begun = b.begun();
        assert_eq!(begun[0].url.as_str(), "https://a.example/2");
        b.end(&begun[0], Found::Failed(Failure::Busy { status: 429, retry_after_ms: Some(60_000) }));
        b.advance(59_999);
        assert!(b.begun().is_empty());
        b.advance(1);
        assert_eq!(b.begun_urls(), ["https://a.example/1"], "the longest due, and first by its place");
    });
}

#[test]
fn our_own_outage_gives_nothing_up_before_it_expires() {
    with_bench(|b| {
        b.submit(&Request { expires_at_ms: START_MS + 60_000, ..request("https://a.example/1") });
        b.settle();
        let mut attempts = 0;
        while let Some(job) = b.begun().first().cloned() {
            attempts += 1;
            b.end(&job, Found::Failed(Failure::Dns("SERVFAIL".into())));
            b.advance(5_000);
        }
        assert_eq!(attempts, 12, "every five seconds, far beyond the attempts allowed");
        assert_eq!(b.dead()[0].0, "dns");
    });
}

#[test]
fn what_expires_in_the_queue_is_a_dead_letter_with_its_bytes_unchanged() {
    with_bench(|b| {
        let wish = Request { expires_at_ms: START_MS + 500, ..request("https://a.example/2") };
        b.submit(&request("https://a.example/1"));
        b.settle();
        let begun = b.begun();
        b.end(&begun[0], Found::Failed(Failure::Busy { status: 503, retry_after_ms: Some(90_000) }));
        b.submit(&wish);
        b.submit(&Request { expires_at_ms: START_MS - 1, ..request("https://b.example/late") });
        b.settle();
        b.advance(500);
        let dead = b.dead();
        assert_eq!(dead.iter().map(|d| d.0.as_str()).collect::<Vec<_>>(), ["expired", "expired"]);
        let letter = b.records("deadletters.fetcher").pop().unwrap();
        assert_eq!(letter.key, "a.example".as_bytes());
        assert_eq!(letter.value, Some(Bytes::from(wish.encode_to_vec())));
        assert_eq!(wire::header(&letter.headers, "traceparent"), Some("00-1-2-01"));
        assert_eq!(wire::header(&letter.headers, "__connect.errors.offset"), Some("1"));
    });
}

#[test]
fn a_document_stands_in_for_its_original() {
    with_bench(|b| {
        b.submit(&document("https://a.example/gone"));
        b.submit(&document("https://b.example/never"));
        b.submit(&document(""));
        b.submit(&document("not a url"));
        b.settle();
        let begun = b.begun();
        b.end(&begun[0], Found::Failed(Failure::Status(404)));
        b.end(&begun[1], Found::Failed(Failure::RobotsDenied));
        let mut failures: Vec<_> = b.pages().iter().map(|page| page.failure.clone()).collect();
        failures.sort();
        assert_eq!(failures.len(), 4);
        assert_eq!(failures[0], "", "no URL, no failure");
        assert!(failures[1].starts_with("\"not a url\" is not a URL"), "{failures:?}");
        assert_eq!(failures[2..], ["robots.txt disallows it", "the server answered 404"]);
        assert!(
            b.pages()
                .iter()
                .all(|page| page.response.is_none() && page.request.as_ref().unwrap().document.is_some())
        );
        assert_eq!((b.dead().len(), b.queued()), (0, 0));
    });
}

#[test]
fn a_reprint_asks_for_its_original() {
    with_bench(|b| {
        let content =
            Bytes::from_static(b"The ferry is back.\n\nOriginal url: <https://www.harbour.example/ferry>\n");
        let document = Document { content, ..Document::default() };
        b.submit(&Request { request_id: "r".into(), document: Some(document), ..Request::default() });
        b.settle();
        let begun = b.begun();
        assert_eq!(begun[0].url.as_str(), "https://www.harbour.example/ferry");
        assert_eq!(begun[0].domain, "harbour.example");
        b.end(&begun[0], page());
        let request = b.pages()[0].request.clone().unwrap();
        assert_eq!((request.via.as_str(), request.document.is_some()), ("original", true));
    });
}

#[test]
fn requests_that_make_no_sense_are_dead_letters() {
    with_bench(|b| {
        let garbage = Output {
            topic: "requests",
            partition: None,
            key: Bytes::from_static(b"k"),
            value: Some(Bytes::from_static(&[0xff; 9])),
            headers: vec![],
        };
        b.log.append(vec![garbage]).unwrap();
        b.submit(&request("ftp://a.example/1"));
        b.submit(&request(""));
        b.settle();
        let reasons: Vec<_> = b.dead().into_iter().map(|dead| dead.0).collect();
        assert_eq!(reasons, ["malformed", "bad_request", "bad_request"]);
    });
}

#[test]
fn a_request_under_another_key_goes_to_the_owner_of_its_host() {
    with_bench(|b| {
        let stray = Output {
            topic: "requests",
            partition: None,
            key: Bytes::from_static(b"elsewhere"),
            value: Some(request("https://www.a.example/1").encode_to_vec().into()),
            headers: vec![],
        };
        b.log.append(vec![stray]).unwrap();
        b.settle();
        assert_eq!(b.begun_urls(), ["https://www.a.example/1"]);
        assert_eq!(b.log.end("requests").unwrap(), 2);
    });
}

#[test]
fn lists_and_redirects_become_requests() {
    with_bench(|b| {
        let list = Request {
            seen_at_ms: START_MS - 10_000,
            expires_at_ms: START_MS + 20_000,
            ..request("https://a.example/feed")
        };
        b.submit(&list);
        b.submit(&request("https://b.example/moved"));
        b.settle();
        let begun = b.begun();
        b.end(&begun[0], feed(&["https://c.example/1", "https://d.example/2"]));
        b.end(&begun[1], Found::Moved { url: CanonicalUrl::parse("https://e.example/x").unwrap(), hops: 1 });
        let begun = b.begun();
        assert_eq!(
            begun.iter().map(|job| job.domain.as_str()).collect::<Vec<_>>(),
            ["c.example", "d.example", "e.example"]
        );
        assert_eq!((begun[0].depth, begun[2].hops), (1, 1));
        b.end(&begun[0], page());
        let found = b.pages()[0].request.clone().unwrap();
        assert_eq!(found.via, "feed");
        let (list, _) = found.request_id.rsplit_once('.').unwrap();
        assert_eq!((list, b.pages().len()), ("https://a.example/feed", 1));
        assert_eq!(found.hints.unwrap().title, "One");
        assert_eq!(found.expires_at_ms, START_MS + 20_000, "when the feed was to expire");
        assert_eq!(b.queued(), 2);
    });
}

#[test]
fn a_new_owner_does_the_open_visit_again_after_one_full_delay() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Clock::manual(START_MS);
    let mut b = Bench::open(folder.path(), &clock, &config());
    b.submit(&request("https://a.example/1"));
    b.submit(&request("https://slow.example/1"));
    b.settle();
    let begun = b.begun();
    let slow = begun.iter().find(|job| job.domain == "slow.example").unwrap();
    let mut ended = slow.ended(Found::Failed(Failure::Status(500)), START_MS);
    let robots = RobotsFetch::Text(b"User-agent: *\nCrawl-delay: 7".to_vec());
    ended.robots =
        vec![("https://slow.example".into(), robots_after_fetch(None, robots, "wireroom", START_MS))];
    b.fetcher.fetch.ended.push_back(ended);
    b.settle();
    drop(b);

    clock.advance(100_000);
    let mut b = Bench::open(folder.path(), &clock, &config());
    b.submit(&request("https://new.example/1"));
    b.settle();
    assert_eq!(b.begun_urls(), ["https://new.example/1"], "a host never asked before need not wait");
    assert_eq!(b.queued(), 3);
    b.advance(999);
    assert!(b.begun().is_empty());
    b.advance(1);
    assert_eq!(b.begun_urls(), ["https://a.example/1"]);
    b.advance(5_999);
    assert!(b.begun().is_empty(), "its crawl-delay is its full delay");
    b.advance(1);
    assert_eq!(b.begun_urls(), ["https://slow.example/1"]);
}

#[test]
fn a_step_that_did_not_happen_voids_what_was_under_way() {
    with_bench(|b| {
        b.submit(&request("https://a.example/1"));
        b.settle();
        let begun = b.begun();
        b.role.rewind().unwrap();
        b.end(&begun[0], page());
        assert!(b.pages().is_empty(), "its visit was cut off");
        assert_eq!(b.fetcher.fetch.cancelled, [begun[0].id]);
        b.advance(1_000);
        let again = b.begun();
        b.end(&again[0], page());
        assert_eq!((b.pages().len(), b.queued()), (1, 0));
    });
}

/// Whatever befalls them, requests add up: each is a page, a dead letter, or still queued.
#[derive(Debug, Clone, Copy)]
enum Fortune {
    Page,
    Final,
    Transient,
    Busy,
    Outage,
    Moved,
    Restart,
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn every_request_ends_once(
        hosts in proptest::collection::vec(0..4_u8, 1..20),
        fortunes in proptest::collection::vec(
            prop::sample::select(vec![
                Fortune::Page, Fortune::Page, Fortune::Final, Fortune::Transient, Fortune::Busy, Fortune::Outage,
                Fortune::Moved, Fortune::Restart,
            ]),
            0..60,
        ),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(START_MS);
        let mut b = Bench::open(folder.path(), &clock, &config());
        for (n, host) in hosts.iter().enumerate() {
            b.submit(&Request { request_id: n.to_string(), ..request(&format!("https://h{host}.example/{n}")) });
        }
        b.settle();
        let mut open = VecDeque::from(b.begun());
        for fortune in fortunes {
            if let Fortune::Restart = fortune {
                drop(b);
                open.clear();
                b = Bench::open(folder.path(), &clock, &config());
                b.settle();
            } else if let Some(job) = open.pop_front() {
                let moved = CanonicalUrl::parse(&format!("https://moved{}.example{}", job.hops, &job.url.as_str()[job.url.origin().len()..])).unwrap();
                b.end(&job, match fortune {
                    Fortune::Final => Found::Failed(Failure::Status(404)),
                    Fortune::Transient => Found::Failed(Failure::Timeout),
                    Fortune::Busy => Found::Failed(Failure::Busy { status: 503, retry_after_ms: None }),
                    Fortune::Outage => Found::Failed(Failure::Proxy("refused".into())),
                    Fortune::Moved => Found::Moved { url: moved, hops: job.hops + 1 },
                    _ => page(),
                });
            }
            b.advance(2_000);
            let begun = b.begun();
            for job in &begun {
                prop_assert!(open.iter().all(|other| other.domain != job.domain), "two requests to one host at a time");
            }
            open.extend(begun);
        }
        let mut ended: Vec<String> = b.pages().into_iter().map(|page| page.request.unwrap().request_id).collect();
        ended.extend(b.records("deadletters.fetcher").into_iter().map(|r| Request::decode(r.value.unwrap()).unwrap().request_id));
        let distinct: HashSet<_> = ended.iter().collect();
        prop_assert_eq!(distinct.len(), ended.len(), "a request ended twice");
        prop_assert_eq!(ended.len() as u64 + b.queued(), hosts.len() as u64);
    }
}
