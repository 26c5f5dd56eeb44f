//! Lists that are read again and again.

use wire::Watch;

use super::*;

const FEED: &str = "https://a.example/feed";
const MINUTE_MS: i64 = 60_000;

fn watch() -> Request {
    let watch =
        Watch { min_interval_ms: 10 * MINUTE_MS, max_interval_ms: 10 * MINUTE_MS, ..Watch::default() };
    Request { watch: Some(watch), source_id: "harbour".into(), ..request(FEED) }
}

#[test]
fn a_watched_feed_is_read_again_and_tells_what_is_new() {
    with_bench(|b| {
        b.submit(&watch());
        b.settle();
        let job = b.only();
        b.end(&job, feed(&["https://b.example/1", "https://b.example/2"]));
        let first = b.only();
        assert_eq!(first.url.as_str(), "https://b.example/1");
        b.end(&first, page());
        b.advance(1000);
        let second = b.only();
        b.end(&second, page());
        assert_eq!(b.queued(), 0, "nobody waits for a list");
        b.advance(10 * MINUTE_MS);
        let job = b.only();
        assert_eq!(job.url.as_str(), FEED);
        let before = b.log.end("requests").unwrap();
        b.end(&job, feed(&["https://b.example/3", "https://b.example/1", "https://b.example/2"]));
        assert_eq!(b.log.end("requests").unwrap(), before + 1, "only what is new is requested");
        assert_eq!(b.begun_urls(), ["https://b.example/3"]);
        let found = b.pages()[0].request.clone().unwrap();
        assert_eq!((found.source_id.as_str(), found.watch.is_none()), ("harbour", true));
    });
}

#[test]
fn advertisements_are_labelled_or_skipped_as_their_source_says() {
    let index = || {
        let Found::List(list) = feed(&["https://a.example/news.xml"]) else { unreachable!() };
        let entries = list.entries.into_iter();
        let entries = entries.map(|entry| crawl::Discovered { leads: crawl::Leads::List, ..entry }).collect();
        Found::List(List { entries, ..list })
    };
    for skip_sponsored in [false, true] {
        with_bench(|b| {
            b.submit(&Request { skip_sponsored, ..watch() });
            b.settle();
            let job = b.only();
            b.end(&job, index());
            b.advance(1000);
            let job = b.only();
            b.end(&job, feed(&["https://b.example/1", "https://c.example/sponsored/2"]));
            for job in b.begun() {
                b.end(&job, page());
            }
            let labels = b.pages().into_iter().map(|page| page.request.unwrap().labels.remove("sponsored"));
            let labels: Vec<Option<String>> = labels.collect();
            let of_address = Some("address".to_owned());
            let expected = if skip_sponsored { vec![None] } else { vec![None, of_address] };
            assert_eq!(labels, expected, "in a list within the list, too");
        });
    }
}

#[test]
fn lists_go_before_articles() {
    with_bench(|b| {
        (0..3).for_each(|n| b.submit(&Request { priority: 9, ..request(&format!("https://a.example/{n}")) }));
        b.submit(&watch());
        b.settle();
        assert_eq!(b.begun_urls(), [FEED]);
    });
}

#[test]
fn many_lists_leave_a_turn_to_what_they_lead_to() {
    with_bench(|b| {
        for n in 0..5 {
            let watch = Watch { min_interval_ms: 2000, max_interval_ms: 2000, ..Watch::default() };
            b.submit(&Request { watch: Some(watch), ..request(&format!("https://a.example/feed/{n}")) });
        }
        (0..5).for_each(|n| b.submit(&request(&format!("https://a.example/{n}"))));
        b.settle();
        let mut articles = 0;
        for _ in 0..10 {
            let job = b.only();
            let is_list = job.url.as_str().contains("/feed/");
            articles += usize::from(!is_list);
            b.end(&job, if is_list { feed(&[]) } else { page() });
            b.advance(1000);
        }
        assert_eq!(articles, 5);
    });
}

#[test]
fn our_own_outage_is_held_against_no_list() {
    with_bench(|b| {
        let watch =
            Watch { min_interval_ms: 10 * MINUTE_MS, max_interval_ms: 360 * MINUTE_MS, ..Watch::default() };
        b.submit(&Request { watch: Some(watch), ..request(FEED) });
        b.settle();
        for _ in 0..20 {
            let job = b.only();
            b.end(&job, Found::Failed(Failure::Dns("no answer".into())));
            b.advance(10 * MINUTE_MS);
        }
        assert_eq!(b.fetcher.frontiers[&0].troubles().count(), 0);
        assert_eq!(b.begun_urls(), [FEED], "it is looked for as soon as it may be");
    });
}

#[test]
fn what_another_list_names_again_is_not_fetched_again() {
    let sitemap = |urls: &[&str]| {
        let Found::List(list) = feed(urls) else { unreachable!() };
        Found::List(List { via: "sitemap", ..list })
    };
    with_bench(|b| {
        let year_ms = 365 * 24 * 60 * MINUTE_MS;
        let config = Config { remembered_for: Duration::from_millis(2 * year_ms as u64), ..config() };
        let folder = tempfile::tempdir().unwrap();
        *b = Bench::open(folder.path(), &Clock::manual(START_MS), &config);
        b.submit(&request("https://a.example/news.xml"));
        b.settle();
        let job = b.only();
        b.end(&job, sitemap(&["https://b.example/1"]));
        let job = b.only();
        b.end(&job, page());
        b.advance(year_ms);
        b.submit(&request("https://a.example/news.xml"));
        b.settle();
        let job = b.only();
        b.end(&job, sitemap(&["https://b.example/1", "https://b.example/2"]));
        assert_eq!(b.begun_urls(), ["https://b.example/2"]);
    });
}

#[test]
fn a_watched_feed_that_fails_is_never_given_up() {
    with_bench(|b| {
        b.submit(&watch());
        b.settle();
        for _ in 0..20 {
            let job = b.only();
            b.end(&job, Found::Failed(Failure::Status(404)));
            b.advance(10 * MINUTE_MS);
        }
        assert_eq!(b.dead(), []);
        assert_eq!(b.fetcher.frontiers[&0].troubles().collect::<Vec<_>>(), ["gone"]);
        let job = b.only();
        b.end(&job, feed(&["https://b.example/1"]));
        assert_eq!(b.fetcher.frontiers[&0].troubles().count(), 0);
    });
}

#[test]
fn how_a_feed_is_watched_can_change_and_end() {
    with_bench(|b| {
        b.submit(&watch());
        b.settle();
        let job = b.only();
        b.end(&job, feed(&["https://b.example/1"]));
        b.begun();
        let slower = Watch {
            min_interval_ms: 60 * MINUTE_MS,
            max_interval_ms: 60 * MINUTE_MS,
            delay_ms: 5_000,
            ..Watch::default()
        };
        b.submit(&Request { watch: Some(slower), ..watch() });
        b.advance(10 * MINUTE_MS);
        let job = b.only();
        assert_eq!(job.url.as_str(), FEED, "its turn stays");
        let before = b.log.end("requests").unwrap();
        b.end(&job, feed(&["https://b.example/1"]));
        assert_eq!(b.log.end("requests").unwrap(), before, "what was learnt stays");
        b.advance(59 * MINUTE_MS);
        assert!(b.begun().is_empty());
        b.advance(MINUTE_MS);
        let job = b.only();
        b.end(&job, feed(&[]));
        b.submit(&Request { watch: Some(Watch { ended: true, ..slower }), ..watch() });
        b.advance(1000 * MINUTE_MS);
        assert!(b.begun().is_empty());
    });
}

#[test]
fn a_feed_is_asked_for_by_its_validators_and_once_a_day_whole() {
    with_bench(|b| {
        b.submit(&watch());
        b.settle();
        let known = |list: Found| match list {
            Found::List(list) => {
                let validators = Validators::of(Some("\"a\""), None);
                Found::List(List { version: Version { validators, body_hash: 1 }, ..list })
            }
            other => other,
        };
        let job = b.only();
        assert!(job.known.is_empty());
        b.end(&job, known(feed(&[])));
        let mut whole = 0;
        for _ in 0..6 * 24 {
            b.advance(10 * MINUTE_MS);
            let job = b.only();
            whole += usize::from(job.known.is_empty());
            b.end(&job, if job.known.is_empty() { known(feed(&[])) } else { Found::Unchanged });
        }
        assert_eq!(whole, 1);
    });
}

#[test]
fn a_watched_address_that_is_an_article_is_one() {
    with_bench(|b| {
        b.submit(&Request { via: "submitted".into(), ..watch() });
        b.settle();
        let job = b.only();
        b.end(&job, page());
        assert_eq!((b.pages().len(), b.queued()), (1, 0));
        b.advance(1000 * MINUTE_MS);
        assert!(b.begun().is_empty());
    });
}

#[test]
fn what_a_source_says_counts_more_than_what_its_feed_asks_for() {
    for (max_interval_ms, next_ms) in [(0, 60 * MINUTE_MS), (30 * MINUTE_MS, 15 * MINUTE_MS)] {
        with_bench(|b| {
            b.submit(&Request { watch: Some(Watch { max_interval_ms, ..Watch::default() }), ..watch() });
            b.settle();
            let job = b.only();
            let Found::List(list) = feed(&["https://b.example/1"]) else { unreachable!() };
            b.end(&job, Found::List(List { least_interval_ms: Some(60 * MINUTE_MS), ..list }));
            b.begun();
            b.advance(next_ms - 1);
            assert!(b.begun().is_empty());
            b.advance(1);
            assert_eq!(b.begun_urls(), [FEED]);
        });
    }
}

#[test]
fn a_page_in_the_place_of_a_feed_does_not_end_the_watch() {
    for (via, is_read_before) in [("source", false), ("submitted", true)] {
        with_bench(|b| {
            b.submit(&Request { via: via.into(), ..watch() });
            b.settle();
            if is_read_before {
                let job = b.only();
                b.end(&job, feed(&[]));
                b.advance(10 * MINUTE_MS);
            }
            let job = b.only();
            b.end(&job, page());
            assert!(b.pages().is_empty(), "it is no article");
            b.advance(10 * MINUTE_MS);
            assert_eq!(b.begun_urls(), [FEED]);
        });
    }
}

#[test]
fn a_watched_feed_whose_host_is_silent_for_weeks_is_asked_again() {
    with_bench(|b| {
        b.submit(&watch());
        b.settle();
        for _ in 0..2_000 {
            for job in b.begun() {
                b.end(&job, Found::Failed(Failure::Timeout));
            }
            b.advance(10 * MINUTE_MS);
        }
        assert_eq!(b.dead(), []);
        b.advance(6 * 60 * MINUTE_MS);
        let job = b.only();
        assert_eq!(job.url.as_str(), FEED);
    });
}

#[test]
fn a_watched_feed_that_is_at_another_domain_is_read_there_as_often() {
    with_bench(|b| {
        b.submit(&watch());
        b.settle();
        for _ in 0..50 {
            let mut begun = b.begun();
            let there = Found::Moved { url: CanonicalUrl::parse("https://b.example/feed").unwrap(), hops: 1 };
            let job = begun.pop().unwrap();
            assert_eq!((job.url.as_str(), begun.len()), (FEED, 0));
            b.end(&job, there);
            let job = b.only();
            assert_eq!(job.url.as_str(), "https://b.example/feed");
            b.end(&job, feed(&["https://c.example/1"]));
            for job in b.begun() {
                b.end(&job, page());
            }
            b.advance(10 * MINUTE_MS);
        }
    });
}

#[test]
fn overlapping_feeds_of_one_outlet_count_as_one_against_its_quota() {
    with_bench(|b| {
        let feeds = ["https://a.example/feed", "https://a.example/feed/ports"];
        feeds.iter().for_each(|url| {
            b.submit(&Request { daily_quota: 2, ..Request { url: (*url).into(), ..watch() } })
        });
        b.settle();
        let mut fetched = Vec::new();
        for _ in 0..60 {
            for job in b.begun() {
                if feeds.contains(&job.url.as_str()) {
                    b.end(&job, feed(&["https://a.example/1", "https://a.example/2", "https://a.example/3"]));
                } else {
                    fetched.push(job.url.as_str().to_owned());
                    b.end(&job, page());
                }
            }
            b.advance(MINUTE_MS);
        }
        assert_eq!(fetched, ["https://a.example/1", "https://a.example/2"], "each once, and no third");
    });
}

#[test]
fn why_a_list_is_silent_against_its_rhythm_is_told() {
    const HOUR_MS: i64 = 60 * MINUTE_MS;
    let rhythmic = || {
        let Found::List(list) = feed(&["https://b.example/1"]) else { unreachable!() };
        let entry = |n: i64| crawl::Discovered {
            published_at: article::Moment::from_millis(START_MS - n * HOUR_MS).map(|at| at.to_string()),
            ..crawl::Discovered::of(
                CanonicalUrl::parse(&format!("https://b.example/{n}")).unwrap(),
                crawl::Leads::Article,
            )
        };
        Found::List(List { entries: (0..12).map(entry).collect(), ..list })
    };
    let failed = Found::Failed;
    for (found, cause) in [
        (failed(Failure::Status(403)), "blocked"),
        (failed(Failure::RobotsDenied), "blocked"),
        (failed(Failure::Busy { status: 429, retry_after_ms: None }), "blocked"),
        (failed(Failure::Status(410)), "gone"),
        (failed(Failure::NoSuchHost), "gone"),
        (feed(&[]), "empty"),
        (rhythmic(), "stale"),
        (Found::Unchanged, "stale"),
        (failed(Failure::Unreadable("no feed".into())), "unparseable"),
        (page(), "unparseable"),
        (failed(Failure::Timeout), "unreachable"),
    ] {
        with_bench(|b| {
            b.submit(&watch());
            b.settle();
            let job = b.only();
            b.end(&job, rhythmic());
            let troubles =
                |b: &Bench| b.fetcher.frontiers[&0].troubles().map(str::to_owned).collect::<Vec<_>>();
            let pass = |b: &mut Bench, hours: i64| {
                for _ in 0..hours {
                    b.advance(HOUR_MS);
                    for job in b.begun() {
                        b.end(&job, if job.url.as_str() == FEED { found.clone() } else { page() });
                    }
                }
            };
            pass(b, 48);
            assert_eq!(troubles(b), [""; 0], "{cause}: two days are a weekend");
            pass(b, 48);
            assert_eq!(troubles(b), [cause], "{found:?}");
            if cause == "stale" {
                b.advance(HOUR_MS);
                let feeds = b.begun().into_iter().filter(|job| job.url.as_str() == FEED);
                feeds.for_each(|job| b.end(&job, failed(Failure::Timeout)));
                assert_eq!(troubles(b), [cause], "one failure is no sign of life");
            }
        });
    }
}
