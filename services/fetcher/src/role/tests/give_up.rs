//! How long requests are pursued.

use super::*;

fn patient_for(give_up_after: Duration, test: impl FnOnce(&mut Bench)) {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { give_up_after, max_attempts: 100, ..config() };
    test(&mut Bench::open(folder.path(), &Clock::manual(START_MS), &config));
}

const HALF_A_MINUTE: Duration = Duration::from_secs(30);
const BUSY_FOR_A_DAY: Found = Found::Failed(Failure::Busy { status: 429, retry_after_ms: Some(86_400_000) });

fn submit(b: &mut Bench, host: &str, count: usize) {
    (0..count).for_each(|n| b.submit(&request(&format!("https://{host}/{n}"))));
    (0..count / 100 + 1).for_each(|_| b.settle());
}

#[test]
fn waiting_for_ones_turn_costs_nothing() {
    patient_for(HALF_A_MINUTE, |b| {
        submit(b, "a.example", 100);
        for _ in 0..100 {
            let begun = b.begun();
            b.end(&begun[0], page());
            b.advance(1_000);
        }
        assert_eq!((b.pages().len(), b.dead().len()), (100, 0));
    });
}

#[test]
fn a_host_that_stays_silent_takes_all_that_waits_with_it() {
    patient_for(HALF_A_MINUTE, |b| {
        submit(b, "silent.example", 600);
        let named = request("https://silent.example/named");
        b.submit(&Request { expires_at_ms: START_MS + 86_400_000, ..named });
        b.settle();
        let mut seconds = 0;
        while b.queued() > 1 {
            assert!(seconds <= 30, "{} are still pursued", b.queued());
            for job in b.begun() {
                b.end(&job, Found::Failed(Failure::Timeout));
            }
            b.advance(1_000);
            seconds += 1;
        }
        assert_eq!(b.dead().len(), 600);
        assert!(b.dead().iter().all(|(reason, _)| reason == "timeout"));
        assert_eq!(b.queued(), 1, "what names its expiry is pursued on");
        let never_tried = b.dead().pop().unwrap().1;
        assert!(never_tried.contains("its host was given up: no complete answer"), "{never_tried}");
    });
}

#[test]
fn our_own_outage_lasts_as_long_for_many_as_for_one() {
    patient_for(HALF_A_MINUTE, |b| {
        submit(b, "a.example", 50);
        for _ in 0..=30 {
            for job in b.begun() {
                b.end(&job, Found::Failed(Failure::Proxy("refused".into())));
            }
            b.advance(1_000);
        }
        assert_eq!((b.dead().len(), b.queued()), (50, 0));
    });
}

#[test]
fn the_clock_of_a_url_begins_with_its_first_failure() {
    patient_for(HALF_A_MINUTE, |b| {
        b.submit(&request("https://a.example/1"));
        b.submit(&Request { lane: "backfill".into(), ..request("https://a.example/broken") });
        b.settle();
        let begun = b.begun();
        b.end(&begun[0], Found::Moved { url: CanonicalUrl::parse("https://b.example/").unwrap(), hops: 1 });
        b.advance(100_000);
        let mut attempts = Vec::new();
        while b.queued() > 1 {
            for job in b.begun().iter().filter(|job| job.domain == "a.example") {
                attempts.push(b.clock.now_ms() - START_MS - 100_000);
                b.end(job, Found::Failed(Failure::Status(502)));
            }
            b.advance(1_000);
        }
        assert_eq!(attempts, [0, 5_000, 15_000], "the next would be at 35 seconds");
        assert_eq!(b.dead()[0].0, "server_error");
    });
}

#[test]
fn what_comes_to_a_failing_host_has_its_own_time() {
    patient_for(HALF_A_MINUTE, |b| {
        submit(b, "a.example", 1);
        let begun = b.begun();
        b.end(&begun[0], Found::Failed(Failure::Timeout));
        b.advance(10_001);
        let begun = b.begun();
        b.end(&begun[0], Found::Failed(Failure::Timeout));
        assert_eq!(b.dead().len(), 1);
        b.advance(10 * 86_400_000);
        submit(b, "a.example", 2);
        let begun = b.begun();
        b.end(&begun[0], Found::Failed(Failure::Connection("reset".into())));
        assert_eq!(b.dead().len(), 3, "the host is not asked again in their time");
        b.advance(40_000);
        submit(b, "a.example", 2);
        let begun = b.begun();
        b.end(&begun[0], page());
        b.advance(1_000);
        let begun = b.begun();
        b.end(&begun[0], Found::Failed(Failure::Timeout));
        assert_eq!((b.dead().len(), b.queued()), (3, 1), "it had answered: its failures begin anew");
    });
}

#[test]
fn a_host_that_wants_to_be_left_alone_for_long_is_given_up_at_once() {
    patient_for(HALF_A_MINUTE, |b| {
        submit(b, "a.example", 3);
        let begun = b.begun();
        b.end(&begun[0], BUSY_FOR_A_DAY);
        assert_eq!(b.dead().iter().map(|dead| dead.0.as_str()).collect::<Vec<_>>(), ["busy"; 3]);
        submit(b, "a.example", 1);
        b.advance(29_999);
        assert_eq!(b.queued(), 1);
        b.advance(1);
        assert_eq!(b.dead().pop().unwrap().0, "expired");
    });
}
