//! Hubs that tell when a list has something new.

use wire::Watch;

use super::*;
use crate::{config::Secret, websub};

const FEED: &str = "https://a.example/feed";
const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

fn settings() -> Config {
    Config {
        websub_callback: Some("https://press.example".to_owned()),
        websub_key: Some(Secret("0123456789abcdef".to_owned())),
        ..config()
    }
}

fn with_hubs(test: impl FnOnce(&mut Bench)) {
    let folder = tempfile::tempdir().unwrap();
    test(&mut Bench::open(folder.path(), &Clock::manual(START_MS), &settings()));
}

fn watch() -> Request {
    let watch =
        Watch { min_interval_ms: 10 * MINUTE_MS, max_interval_ms: 60 * MINUTE_MS, ..Watch::default() };
    Request { watch: Some(watch), ..request(FEED) }
}

/// A feed that names a hub.
fn told_of() -> Found {
    let Found::List(list) = feed(&[]) else { unreachable!() };
    let url = CanonicalUrl::parse("https://hub.example/").unwrap();
    Found::List(List { hub: Some(websub::Hub { url, topic: FEED.to_owned() }), ..list })
}

fn hint() -> Request {
    Request { refetch: true, via: "websub".to_owned(), ..request(FEED) }
}

fn lease(until_ms: i64) -> Request {
    Request { hub_lease_until_ms: Some(until_ms), refetch: false, ..hint() }
}

/// Reads the feed that has just been asked for; the time until it is asked for again.
fn read(b: &mut Bench, found: Found) -> i64 {
    let job = b.only();
    b.end(&job, found);
    let after_ms = b.clock.now_ms();
    for _ in 0..240 {
        b.advance(MINUTE_MS);
        if !b.fetcher.fetch.started.is_empty() {
            break;
        }
    }
    b.clock.now_ms() - after_ms
}

#[test]
fn a_hub_is_asked_after_a_reading_and_again_at_two_thirds_of_its_lease() {
    with_hubs(|b| {
        b.submit(&watch());
        b.settle();
        read(b, told_of());
        let ask = b.fetcher.fetch.asked.pop().unwrap();
        assert_eq!((ask.hub.as_str(), ask.list.as_str()), ("https://hub.example/", FEED));
        assert!(ask.form.contains("hub.mode=subscribe") && b.fetcher.fetch.asked.is_empty());
        b.submit(&lease(START_MS + 24 * HOUR_MS));
        b.settle();
        // Not modified, as feeds mostly are: the hub is known all the same.
        while b.fetcher.fetch.asked.is_empty() {
            read(b, Found::Unchanged);
            assert!(b.clock.now_ms() < START_MS + 20 * HOUR_MS);
        }
        assert!(b.clock.now_ms() >= START_MS + 16 * HOUR_MS);
        assert_eq!(b.dead(), []);
    });
}

#[test]
fn a_list_that_is_told_of_is_read_half_as_often() {
    let pauses = |lease_ms: Option<i64>| {
        let mut pauses = Vec::new();
        with_hubs(|b| {
            b.submit(&watch());
            b.settle();
            read(b, told_of());
            if let Some(lease_ms) = lease_ms {
                b.submit(&lease(START_MS + lease_ms));
                b.settle();
            }
            pauses = (0..3).map(|_| read(b, Found::Unchanged)).collect();
        });
        pauses
    };
    let alone = pauses(None);
    assert_eq!(pauses(Some(0)), alone, "the hub says no");
    let told = pauses(Some(24 * HOUR_MS));
    assert!(
        told.iter().zip(&alone).all(|(told, alone)| *told > alone * 3 / 2 || *told >= HOUR_MS),
        "{told:?} {alone:?}"
    );
    assert!(
        told.iter().all(|told| *told <= 60 * MINUTE_MS + MINUTE_MS),
        "never longer than its longest: {told:?}"
    );
}

#[test]
fn a_hint_brings_the_next_reading_forward() {
    with_hubs(|b| {
        b.submit(&watch());
        b.settle();
        let job = b.only();
        b.end(&job, told_of());
        let learnt = |b: &Bench| {
            let state = b.role.state(0).unwrap();
            let (_, row) = state.scan(b"t").next().unwrap().unwrap();
            wire::QueueTicket::decode(row).unwrap().list.unwrap().rhythm.unwrap().interval_ms
        };
        let interval_ms = learnt(b);
        b.advance(MINUTE_MS);
        b.submit(&hint());
        b.advance(MINUTE_MS * 3 / 2 - 1);
        assert!(b.begun().is_empty(), "not before a quarter of its least interval is over");
        b.advance(1);
        let job = b.only();
        assert_eq!(job.url.as_str(), FEED);
        b.end(&job, told_of());
        assert_eq!(learnt(b), interval_ms, "a hint says nothing of how often to look");
        b.advance(5 * MINUTE_MS);
        assert!(b.begun().is_empty());
        b.submit(&hint());
        b.settle();
        let job = b.only();
        // While it is being read.
        b.advance(10);
        b.submit(&hint());
        b.settle();
        let visit = Visit { latency_ms: 100, ..job.ended(Found::Unchanged, b.clock.now_ms()) };
        b.fetcher.fetch.ended.push_back(visit);
        b.settle();
        b.advance(10 * MINUTE_MS / 4);
        assert_eq!(b.begun_urls(), [FEED]);
        assert_eq!((b.pages().len(), b.dead().len(), b.queued()), (0, 0, 0));
    });
}

#[test]
fn a_hint_does_not_hurry_a_list_that_fails() {
    with_hubs(|b| {
        b.submit(&watch());
        b.settle();
        let job = b.only();
        b.end(&job, Found::Failed(Failure::Status(500)));
        b.submit(&hint());
        b.advance(19 * MINUTE_MS);
        assert!(b.begun().is_empty());
        b.advance(MINUTE_MS);
        assert_eq!(b.begun_urls(), [FEED]);
    });
}

#[test]
fn a_hint_of_what_is_not_watched_is_nothing() {
    with_hubs(|b| {
        b.submit(&hint());
        b.submit(&lease(START_MS + HOUR_MS));
        b.settle();
        assert!(b.begun().is_empty());
        b.submit(&request("https://a.example/feed"));
        b.submit(&hint());
        b.settle();
        assert_eq!((b.begun_urls(), b.queued()), (vec![FEED.to_owned()], 1));
        assert_eq!(b.dead(), []);
    });
}

#[test]
fn without_a_callback_no_hub_is_asked() {
    with_bench(|b| {
        b.submit(&watch());
        b.settle();
        read(b, told_of());
        assert!(b.fetcher.fetch.asked.is_empty());
    });
}
