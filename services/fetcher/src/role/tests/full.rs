//! How much is taken in.

use super::*;

#[test]
fn a_full_frontier_takes_nothing_in_until_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let config = Config { max_queued: 10, ..config() };
    let mut b = Bench::open(folder.path(), &Clock::manual(START_MS), &config);
    b.fetcher.settings.limits.records = 5;
    (0..20).for_each(|n| b.submit(&request(&format!("https://h{n}.example/"))));
    b.settle();
    assert_eq!(b.queued(), 10);
    for job in b.begun() {
        b.end(&job, page());
    }
    b.settle();
    assert_eq!(b.queued(), 10);
    assert_eq!(b.pages().len(), 10);
}

#[test]
fn a_huge_host_holds_up_no_other() {
    const MANY: u64 = 51_000;
    const SHORT_LIVED: u64 = 26_000;
    let folder = tempfile::tempdir().unwrap();
    let config = Config { max_queued: MANY - 500, ..config() };
    let mut b = Bench::open(folder.path(), &Clock::manual(START_MS), &config);
    b.fetcher.settings.limits.records = 10_000;
    b.submit_all((0..MANY).map(|n| Request {
        expires_at_ms: if (1..=SHORT_LIVED).contains(&n) { START_MS + 10_000 } else { 0 },
        ..request(&format!("https://huge.example/{n}"))
    }));
    b.submit(&request("https://small.example/"));
    (0..8).for_each(|_| b.settle());
    assert_eq!(told(&b), ((2, 0), [MANY + 1, 0]), "all are taken in");
    assert_eq!(b.fetcher.frontiers[&0].left_out(), MANY - 50_000);
    let begun = b.begun();
    let urls: Vec<&str> = begun.iter().map(|job| job.url.as_str()).collect();
    assert_eq!(urls, ["https://huge.example/0", "https://small.example/"]);
    begun.iter().for_each(|job| b.end(job, page()));
    // Most expire, some at a time; between, the host is asked.
    while b.queued() >= MANY - SHORT_LIVED {
        b.advance(10_000);
        b.begun().iter().for_each(|job| b.end(job, page()));
    }
    assert_eq!(b.fetcher.frontiers[&0].left_out(), 0, "there is room for them");
    b.advance(10_000);
    let next = b.begun_urls().remove(0);
    let next: u64 = next.rsplit('/').next().unwrap().parse().unwrap();
    assert!(next > SHORT_LIVED, "{next}");
}
