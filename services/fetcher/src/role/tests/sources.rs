//! The list of sources: asked for, changed, and ended without a restart.

use std::{
    fs::{self, File},
    path::PathBuf,
    time::{Duration, SystemTime},
};

use tempfile::TempDir;

use super::*;

const HARBOUR: &str = r#"
    [[outlet]]
    id = "harbour-post"
    feeds = ["https://harbour.example/feed.xml"]
    labels = { desk = "ports" }
    "#;
const GAZETTE: &str = r#"
    [[outlet]]
    id = "gazette"
    feeds = ["https://gazette.example/rss"]
    "#;
const GAZETTE_FEED: &str = "https://gazette.example/rss";
/// Two looks: a change must have stood still.
const TWO_LOOKS_MS: i64 = 4_000;

/// A list of sources on disk, and a fetcher that watches it.
struct Desk {
    folder: TempDir,
    clock: Clock,
    config: Config,
    edits: u64,
}

impl Desk {
    fn with(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Config { sources: Some(folder.path().join("sources.toml")), ..config() };
        let mut desk = Self { folder, clock: Clock::manual(START_MS), config, edits: 0 };
        desk.edit(text);
        desk
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("sources.toml")
    }

    /// Every edit has a time of its own, as edits by people have.
    fn edit(&mut self, text: &str) {
        fs::write(self.file(), text).unwrap();
        self.edits += 1;
        let file = File::options().append(true).open(self.file()).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(self.edits)).unwrap();
    }

    fn open(&self) -> Bench {
        let mut bench = Bench::open(&self.folder.path().join("data"), &self.clock, &self.config);
        bench.settle();
        bench
    }
}

#[test]
fn outlets_come_and_go_without_a_restart() {
    let mut desk = Desk::with(HARBOUR);
    let mut b = desk.open();
    let begun = b.begun();
    assert_eq!(begun[0].url.as_str(), "https://harbour.example/feed.xml");
    assert_eq!(
        (begun[0].request.source_id.as_str(), begun[0].request.labels["desk"].as_str()),
        ("harbour-post", "ports")
    );
    assert_eq!(begun[0].request.seen_at_ms, START_MS);
    b.end(&begun[0], feed(&[]));

    desk.edit(&[HARBOUR, GAZETTE].concat());
    b.advance(2_000);
    assert!(b.begun().is_empty(), "somebody may still be writing it");
    b.advance(2_000);
    let begun = b.begun();
    assert_eq!(begun[0].url.as_str(), GAZETTE_FEED);
    b.end(&begun[0], feed(&[]));

    desk.edit(&[HARBOUR, GAZETTE, "paused = true"].concat());
    b.advance(2_000);
    b.advance(2_000);
    desk.edit(GAZETTE);
    b.advance(2_000);
    b.advance(2_000);
    b.advance(86_400_000);
    assert_eq!(b.begun_urls(), [GAZETTE_FEED], "harbour is gone, and gazette is back");
}

#[test]
fn a_change_is_asked_for_once_and_keeps_what_was_learnt() {
    let mut desk = Desk::with(HARBOUR);
    let mut b = desk.open();
    let job = b.begun().remove(0);
    b.end(&job, feed(&["https://b.example/1"]));
    b.begun();
    let ends = |b: &Bench| b.log.end("requests").unwrap();
    desk.edit(&HARBOUR.replace("ports", "sea"));
    let before = ends(&b);
    (0..5).for_each(|_| b.advance(2_000));
    assert_eq!(ends(&b), before + 1);
    b.advance(15 * 60_000);
    let job = b.begun().remove(0);
    assert_eq!(job.request.labels["desk"], "sea");
    let before = ends(&b);
    b.end(&job, feed(&["https://b.example/1"]));
    assert_eq!(ends(&b), before, "the article is known");
}

#[test]
fn a_file_that_is_wrong_or_gone_changes_nothing() {
    let mut desk = Desk::with(HARBOUR);
    let mut b = desk.open();
    let before = b.log.end("requests").unwrap();
    for broken in ["[[outlet]]\nid = 'A B'\nfeeds = ['nowhere']", "[[outlet", ""] {
        desk.edit(broken);
        b.advance(2_000);
        b.advance(2_000);
        assert_eq!(b.log.end("requests").unwrap(), before, "{broken}");
    }
    fs::remove_file(desk.file()).unwrap();
    b.advance(2_000);
    b.advance(2_000);
    assert_eq!(b.log.end("requests").unwrap(), before);
    desk.edit(&[HARBOUR, GAZETTE].concat());
    b.advance(2_000);
    b.advance(2_000);
    assert_eq!(b.log.end("requests").unwrap(), before + 1);
    assert!(b.begun_urls().contains(&GAZETTE_FEED.to_owned()));
}

#[test]
fn nothing_is_asked_for_twice_after_a_restart_or_a_rebalance() {
    let mut desk = Desk::with(&[HARBOUR, GAZETTE].concat());
    let b = desk.open();
    let before = b.log.end("requests").unwrap();
    assert_eq!(before, 2);
    drop(b);
    let mut b = desk.open();
    b.advance(TWO_LOOKS_MS);
    assert_eq!(b.log.end("requests").unwrap(), before);
    b.role.rewind().unwrap();
    b.advance(TWO_LOOKS_MS);
    assert_eq!(b.log.end("requests").unwrap(), before);
    // What changes while nobody looks is seen by the next owner.
    drop(b);
    desk.edit(HARBOUR);
    let mut b = desk.open();
    b.advance(TWO_LOOKS_MS);
    assert_eq!(b.log.end("requests").unwrap(), before + 1);
    b.advance(86_400_000);
    assert!(!b.begun_urls().contains(&GAZETTE_FEED.to_owned()));
}

#[test]
fn many_lists_are_asked_for_in_parts() {
    let outlet = |n: usize| format!("[[outlet]]\nid = 'o{n}'\nfeeds = ['https://o{n}.example/feed']\n");
    let text: String = (0..1_200).map(outlet).collect();
    let desk = Desk::with(&text);
    let mut b = Bench::open(&desk.folder.path().join("data"), &desk.clock, &desk.config);
    b.fetcher.settings.limits.records = 0;
    let mut ends = Vec::new();
    for _ in 0..5 {
        b.turn();
        ends.push(b.log.end("requests").unwrap());
    }
    ends.dedup();
    assert_eq!(ends, [500, 1_000, 1_200]);
    // A step that does not happen loses none.
    drop(b);
    let mut b = desk.open();
    (0..20).for_each(|_| b.settle());
    assert_eq!(b.log.end("requests").unwrap(), 1_200);
}

#[test]
fn feeds_that_a_home_page_names_are_watched_as_long_as_it_names_them() {
    let mut desk = Desk::with("[[outlet]]\nid = 'isle'\nsections = ['https://isle.example/']");
    let mut b = desk.open();
    let home = |b: &mut Bench| {
        let jobs = b.begun();
        let job = jobs.iter().find(|job| job.url.as_str() == "https://isle.example/").cloned();
        (job, jobs.iter().filter(|job| job.url.as_str() == "https://cdn.example/feed").count())
    };
    let job = home(&mut b).0.unwrap();
    assert!(job.is_section);
    let names = || {
        let url = CanonicalUrl::parse("https://cdn.example/feed").unwrap();
        let entries = vec![crawl::Discovered::of(url, crawl::Leads::Feed)];
        Found::List(List {
            via: "section",
            entries,
            version: Version::default(),
            least_interval_ms: None,
            hub: None,
        })
    };
    b.end(&job, names());
    let mut read = 0;
    let mut day = |b: &mut Bench| {
        let mut reads = 0;
        for _ in 0..24 {
            b.advance(3_600_000);
            for job in b.begun() {
                let is_feed = job.url.as_str() == "https://cdn.example/feed";
                reads += usize::from(is_feed);
                b.end(&job, if is_feed { feed(&[]) } else { names() });
            }
        }
        read = reads;
        read
    };
    for _ in 0..6 {
        assert!(day(&mut b) > 0);
    }
    desk.edit(GAZETTE);
    let days: Vec<usize> = (0..5).map(|_| day(&mut b)).collect();
    assert!(days[1] > 0 && days[4] == 0, "{days:?}");
    let hosts: usize = b.fetcher.frontiers.values().map(|frontier| frontier.hosts().0).sum();
    assert_eq!(hosts, 1, "what is watched no longer is not in the frontier: its time would come for ever");
    assert_eq!(b.dead(), []);
}
