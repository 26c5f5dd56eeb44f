//! What is asked for twice, and what is asked for again.

use super::*;
use crate::config::Pause;

const HOUR_MS: i64 = 3_600_000;
const URL: &str = "https://a.example/1";

fn with(config: Config, test: impl FnOnce(&mut Bench)) {
    let folder = tempfile::tempdir().unwrap();
    test(&mut Bench::open(folder.path(), &Clock::manual(START_MS), &config));
}

fn revisited_after_an_hour_and_a_day(test: impl FnOnce(&mut Bench)) {
    let revisits = [HOUR_MS, 24 * HOUR_MS].map(|ms| Pause(Duration::from_millis(ms as u64)));
    with(Config { revisits: revisits.into(), ..config() }, test);
}

#[test]
fn what_is_asked_for_twice_is_fetched_once() {
    with_bench(|b| {
        b.submit(&request(URL));
        b.submit(&request(URL));
        b.settle();
        let job = b.only();
        assert_eq!(b.queued(), 1);
        b.end(&job, page());
        b.submit(&request("https://A.example:443/1?utm_source=feed"));
        b.advance(23 * HOUR_MS);
        assert!(b.begun().is_empty(), "fetched less than a day ago");
        b.submit(&Request { refetch: true, ..request(URL) });
        b.submit(&document(URL));
        b.advance(1000);
        let job = b.only();
        b.end(&job, page());
        b.advance(1000);
        let job = b.only();
        b.end(&job, page());
        assert_eq!((b.pages().len(), b.queued()), (3, 0), "what was asked for again, and the reprint");
        b.submit(&request(URL));
        b.advance(25 * HOUR_MS);
        b.submit(&request(URL));
        b.advance(1000);
        assert_eq!(b.begun_urls(), [URL], "a day has passed");
    });
}

#[test]
fn what_failed_can_be_asked_for_again() {
    with_bench(|b| {
        b.submit(&request(URL));
        b.settle();
        let job = b.only();
        b.end(&job, Found::Failed(Failure::Status(404)));
        b.submit(&request(URL));
        b.advance(1000);
        assert_eq!(b.begun_urls(), [URL]);
    });
}

#[test]
fn what_was_fetched_is_forgotten_in_time() {
    with(Config { fetched_for: Duration::MAX, ..config() }, |b| {
        b.submit(&request(URL));
        b.settle();
        let job = b.only();
        b.end(&job, page());
        for _ in 0..256 * 31 {
            b.advance(86_400_000 / 256);
        }
        b.submit(&request(URL));
        b.advance(1000);
        assert_eq!(b.begun_urls(), [URL], "thirty days have passed");
    });
}

#[test]
fn pages_are_seen_again_and_written_when_they_changed() {
    revisited_after_an_hour_and_a_day(|b| {
        b.submit(&request(URL));
        b.settle();
        let job = b.only();
        b.end(&job, version("\"a\"", 1));
        assert_eq!(b.queued(), 0, "nobody waits for a revisit");
        b.advance(HOUR_MS - 1);
        assert!(b.begun().is_empty());
        b.advance(1);
        let job = b.only();
        assert!(job.known.is_empty(), "the first time whole, to see whether the ETag can be believed");
        b.end(&job, version("\"b\"", 2));
        assert_eq!(b.pages().len(), 2, "a correction");
        b.advance(23 * HOUR_MS);
        let job = b.only();
        assert_eq!(job.known.etag, "\"b\"");
        b.end(&job, Found::Unchanged);
        b.advance(1000 * HOUR_MS);
        assert!(b.begun().is_empty(), "that was the last");
        assert_eq!((b.pages().len(), b.dead().len()), (2, 0));
    });
}

#[test]
fn the_same_page_is_not_written_again() {
    revisited_after_an_hour_and_a_day(|b| {
        b.submit(&request(URL));
        b.settle();
        let job = b.only();
        b.end(&job, version("", 1));
        b.advance(HOUR_MS);
        let job = b.only();
        b.end(&job, version("", 1));
        assert_eq!(b.pages().len(), 1);
    });
}

#[test]
fn a_server_that_lies_about_changes_is_not_asked_for_them() {
    revisited_after_an_hour_and_a_day(|b| {
        b.submit(&request(URL));
        b.settle();
        let job = b.only();
        b.end(&job, version("\"a\"", 1));
        b.advance(HOUR_MS);
        let job = b.only();
        b.end(&job, version("\"a\"", 2));
        b.advance(23 * HOUR_MS);
        assert!(b.only().known.is_empty());
    });
}

#[test]
fn what_is_taken_down_is_told_and_what_cannot_be_seen_again_is_not() {
    for (found, gone_after) in [
        (Failure::Status(410), Some(1)),
        (Failure::Status(451), Some(1)),
        (Failure::Status(404), Some(3)),
        (Failure::Status(403), None),
    ] {
        revisited_after_an_hour_and_a_day(|b| {
            b.submit(&request(URL));
            b.settle();
            let job = b.only();
            b.end(&job, page());
            b.advance(HOUR_MS);
            for _ in 0..gone_after.unwrap_or(1) {
                assert_eq!(b.pages().len(), 1);
                let job = b.only();
                b.end(&job, Found::Failed(found.clone()));
                b.advance(600_000);
            }
            let gone: Vec<bool> = b.pages().iter().map(|page| page.is_gone).collect();
            assert_eq!(gone, if gone_after.is_some() { vec![false, true] } else { vec![false] }, "{found}");
            b.advance(1000 * HOUR_MS);
            assert!(b.begun().is_empty() && b.dead().is_empty());
        });
    }
}

#[test]
fn what_is_asked_for_again_and_is_gone_is_told() {
    with_bench(|b| {
        b.submit(&request(URL));
        b.settle();
        let job = b.only();
        b.end(&job, page());
        b.advance(100 * HOUR_MS);
        b.submit(&Request { refetch: true, ..request(URL) });
        b.settle();
        for _ in 0..3 {
            let job = b.only();
            b.end(&job, Found::Failed(Failure::Status(404)));
            b.advance(HOUR_MS);
        }
        assert_eq!(b.pages().iter().map(|page| page.is_gone).collect::<Vec<_>>(), [false, true]);
        assert_eq!((b.dead().len(), b.begun().len()), (1, 0), "who asked is told, too");
    });
}

#[test]
fn what_is_gone_is_told_before_the_request_expires() {
    with_bench(|b| {
        b.submit(&request(URL));
        b.settle();
        let job = b.only();
        b.end(&job, page());
        b.advance(HOUR_MS);
        let expires_at_ms = b.clock.now_ms() + 30_000;
        b.submit(&Request { refetch: true, expires_at_ms, ..request(URL) });
        b.settle();
        let job = b.only();
        b.end(&job, Found::Failed(Failure::Status(404)));
        assert_eq!(b.pages().iter().map(|page| page.is_gone).collect::<Vec<_>>(), [false, true]);
        assert_eq!(b.dead()[0].0, "gone");
    });
}

#[test]
fn a_quota_puts_articles_off_to_the_next_day() {
    with_bench(|b| {
        for n in 0..5 {
            let url = format!("https://a.example/{n}");
            b.submit(&Request { daily_quota: 2, source_id: "harbour".into(), ..request(&url) });
        }
        b.submit(&Request { daily_quota: 2, source_id: "tide".into(), ..request("https://a.example/other") });
        b.settle();
        let mut fetched = Vec::new();
        for _ in 0..6 {
            for job in b.begun() {
                fetched.push(job.url.as_str().to_owned());
                b.end(&job, page());
            }
            b.advance(1000);
        }
        assert_eq!(fetched, ["https://a.example/0", "https://a.example/1", "https://a.example/other"]);
        assert_eq!(b.queued(), 3);
        b.advance(24 * HOUR_MS);
        assert_eq!(b.begun_urls(), ["https://a.example/2"]);
    });
}

#[test]
fn pages_are_seen_again_within_their_source_s_quota() {
    revisited_after_an_hour_and_a_day(|b| {
        let of_harbour = |n: u32| {
            let url = format!("https://a.example/{n}");
            Request { daily_quota: 2, source_id: "harbour".into(), ..request(&url) }
        };
        b.submit(&of_harbour(1));
        b.submit(&of_harbour(2));
        b.settle();
        for _ in 0..2 {
            let job = b.only();
            b.end(&job, version("\"a\"", 1));
            b.advance(1000);
        }
        b.advance(HOUR_MS);
        assert!(b.begun().is_empty(), "it had its two pages of the day");
        b.advance(24 * HOUR_MS);
        let job = b.only();
        b.end(&job, version("\"a\"", 1));
        b.advance(1000);
        assert_eq!(b.begun_urls(), ["https://a.example/2"]);
    });
}

#[test]
fn what_was_never_fetched_goes_before_what_is_to_be_seen_again() {
    revisited_after_an_hour_and_a_day(|b| {
        b.submit(&Request { priority: 9, ..request(URL) });
        b.settle();
        let job = b.only();
        b.end(&job, page());
        b.clock.advance(HOUR_MS);
        b.submit(&request("https://a.example/2"));
        b.settle();
        assert_eq!(b.begun_urls(), ["https://a.example/2"]);
    });
}

#[test]
fn pages_are_seen_again_after_an_hour_a_day_and_a_week() {
    let pauses: Vec<Duration> = Config::default().revisits.iter().map(|pause| pause.0).collect();
    assert_eq!(pauses, [1, 24, 7 * 24].map(|hours| Duration::from_secs(hours * 3600)));
}

#[test]
fn of_what_is_gone_an_archived_copy_is_asked_for() {
    let memento = Some("https://archive.example/web/{url}".to_owned());
    with(Config { memento, ..config() }, |b| {
        b.submit(&document(URL));
        b.submit(&request("https://b.example/forbidden"));
        b.settle();
        let begun = b.begun();
        b.end(&begun[0], Found::Failed(Failure::Status(410)));
        b.end(&begun[1], Found::Failed(Failure::Status(403)));
        let job = b.only();
        assert_eq!(job.url.as_str(), "https://archive.example/web/https://a.example/1");
        b.end(&job, page());
        let found = b.pages()[0].request.clone().unwrap();
        assert_eq!((found.memento_of.as_str(), found.via.as_str()), (URL, "memento"));
        assert_eq!((found.memento_because.as_str(), b.pages()[0].memento_url.as_str()), ("gone", ""));
        assert!(found.document.is_some(), "the reprint goes along");
        assert_eq!(b.dead().len(), 1, "what is merely forbidden is not looked for");
    });
}

#[test]
fn where_the_archive_has_nothing_either_the_reprint_stands_in() {
    let memento = Some("https://archive.example/web/{url}".to_owned());
    with(Config { memento, ..config() }, |b| {
        b.submit(&document(URL));
        b.settle();
        let job = b.only();
        b.end(&job, Found::Failed(Failure::Status(404)));
        let job = b.only();
        b.end(&job, Found::Failed(Failure::Status(404)));
        let pages = b.pages();
        assert_eq!((pages.len(), pages[0].response.is_none(), b.queued()), (1, true, 0));
    });
}

#[test]
fn a_page_says_where_a_copy_of_what_was_first_asked_for_may_be_had() {
    let memento = Some("https://archive.example/web/{url}".to_owned());
    with(Config { memento, ..config() }, |b| {
        b.submit(&request(URL));
        b.settle();
        let job = b.only();
        let to = CanonicalUrl::parse("https://parking.example/?d=a.example").unwrap();
        b.end(&job, Found::Moved { url: to, hops: 1 });
        let job = b.only();
        b.end(&job, page());
        assert_eq!(b.pages()[0].memento_url, "https://archive.example/web/https://a.example/1");
    });
}

#[test]
fn a_copy_of_what_was_published_as_far_as_it_goes_may_fail_in_silence() {
    with_bench(|b| {
        for (n, because) in ["teaser", "parked"].into_iter().enumerate() {
            let url = format!("https://archive{n}.example/{URL}");
            let (memento_of, memento_because) = (URL.to_owned(), because.to_owned());
            b.submit(&Request { memento_of, memento_because, via: "memento".into(), ..request(&url) });
        }
        b.settle();
        for job in b.begun() {
            b.end(&job, Found::Failed(Failure::Status(404)));
        }
        let dead: Vec<String> = b.dead().into_iter().map(|(_, detail)| detail).collect();
        assert_eq!((dead.len(), b.queued()), (1, 0), "{dead:?}");
        assert!(dead[0].contains("archive1.example"), "{dead:?}");
    });
}
