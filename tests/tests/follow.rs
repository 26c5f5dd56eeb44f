//! Feeds that are watched: what appears in them while `wireroom run --follow` runs comes out, until it is stopped.

use std::fs;
use std::path::Path;
use std::process::{Output, Stdio};

use tests::broker::Broker;
use tests::press::{self, Press};
use tests::run;
use tests::topics::Topics;
use tests::wait;

const STORY: &str = "Harbour board votes\n\nThe harbour board voted on Tuesday to dredge the eastern channel before \
    winter, so that grain ships can reach the new silos without waiting for the spring tides.\n\nPilots welcomed the plan \
    at once, said Ann Able, who has asked for it since the old channel silted up in the floods of nine years ago.\n";

fn is_canonical(data: &Path, url: &str) -> bool {
    Topics::in_folder(data).canonical().iter().any(|article| article.place == url)
}

fn check(file: &Path, more: &[&str]) -> Output {
    run::wireroom().args(["sources", "check"]).arg(file).args(more).output().unwrap()
}

#[test]
fn what_a_feed_gains_while_it_is_followed_comes_out() {
    let (press, folder) = (Press::open(), tempfile::tempdir().unwrap());
    let data = folder.path().join("data");
    let out = folder.path().join("out.jsonl");
    let arguments = [press::LATEST, "--out", out.to_str().unwrap()];
    let running = run::follower_of(&press, &data, arguments);
    wait::until("the feed's first item is written", || {
        fs::read_to_string(&out).is_ok_and(|text| text.contains("\n"))
    });
    assert_eq!(run::canonical(&out).len(), 1);
    let new = press.publish();
    wait::until("the new item is an article", || is_canonical(&data, new));
    let status = running.stop();
    assert_eq!(status.code(), Some(0), "{status}");
    assert_eq!(run::canonical(&out).len(), 2);
    assert_eq!(press.served().iter().filter(|served| served.url == new).count(), 1);
}

#[test]
fn records_on_kafka_are_written_as_they_come() {
    let (press, folder) = (Press::open(), tempfile::tempdir().unwrap());
    let (story, out) = (folder.path().join("story.txt"), folder.path().join("out.jsonl"));
    fs::write(&story, STORY).unwrap();
    let running = run::wireroom()
        .args(["run", "--follow", "--kafka", Broker::shared().bootstrap()])
        .args(["--prefix", &format!("followed-{}", std::process::id())])
        .args(["--proxy", &press.proxy(), "--out"])
        .args([&out, &story])
        .env("WIREROOM__SERVICE__LISTEN", "127.0.0.1:0")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let running = run::Running(running);
    let written = || fs::read_to_string(&out).unwrap_or_default();
    wait::until("the document is written", || written().contains('\n'));
    assert_eq!(running.stop().code(), Some(0));
    assert_eq!(run::canonical(&out).len(), 1, "{}", written());
}

#[test]
fn a_run_that_is_stopped_writes_what_is_done_and_says_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.jsonl");
    fs::write(folder.path().join("story.txt"), STORY).unwrap();
    let run = |more: &[&str]| {
        let mut run = run::wireroom();
        // The document is done at once; nobody listens where the URL is asked for.
        run.args(["run", "story.txt", press::GONE, "--proxy", "http://127.0.0.1:9", "--out", "out.jsonl"]);
        run.envs([
            ("WIREROOM__FETCHER__HOST_BACKOFF", "100ms"),
            ("WIREROOM__FETCHER__RETRY_BACKOFF", "100ms"),
        ]);
        run.args(more).current_dir(folder.path()).env("TMPDIR", folder.path()).stderr(Stdio::piped());
        run
    };
    for (arguments, way_on) in [
        (&[][..], "as no --data says where to keep it"),
        (&["--data", "data"], "start the same command again to go on"),
    ] {
        let mut running = run::Running(run(arguments).spawn().unwrap());
        let stderr = running.0.stderr.take().unwrap();
        wait::until("the document is an article", || {
            let folders = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
            let mut at_work = folders.filter(|data| data.join("admin").exists());
            at_work.any(|data| !Topics::in_folder(&data).canonical().is_empty())
        });
        assert_eq!(running.stop().code(), Some(1));
        let said = std::io::read_to_string(stderr).unwrap();
        assert!(said.starts_with("2 inputs: 1 canonical articles") && said.contains(way_on), "{said}");
        assert_eq!(run::canonical(&out).len(), 1, "{said}");
    }
    assert!(folder.path().join("data/run.json").is_file(), "it is known where to go on");
}

#[test]
fn outlets_are_exchanged_while_they_are_followed() {
    let (press, folder) = (Press::open(), tempfile::tempdir().unwrap());
    let (data, file) = (folder.path().join("data"), folder.path().join("sources.toml"));
    let courier = format!("[[outlet]]\nid = 'courier'\nfeeds = ['{}']\n", press::LATEST);
    let wire = "[[outlet]]\nid = 'wire'\nsections = ['http://meridian-wire.example/']\n";
    fs::write(&file, wire).unwrap();
    let checked = check(&file, &["--fetch", "--proxy", &press.proxy()]);
    let said = String::from_utf8(checked.stdout).unwrap();
    assert!(said.starts_with("wire: http://meridian-wire.example/: a section of "), "{said}");
    assert!(checked.status.success());

    let running = run::follower_of(&press, &data, ["--sources", file.to_str().unwrap()]);
    wait::until("the section's articles are there", || !Topics::in_folder(&data).canonical().is_empty());
    fs::write(&file, "[[outlet]]\nid = 'A B'").unwrap();
    assert_eq!(check(&file, &[]).status.code(), Some(1));
    fs::write(&file, &courier).unwrap();
    let new = press.publish();
    wait::until("the new outlet's item is an article", || is_canonical(&data, new));
    let records = Topics::in_folder(&data).read("canonical");
    let record = records.iter().find(|record| record["url"] == new).unwrap();
    assert_eq!(record["source_id"], "courier");
    let status = running.stop();
    assert_eq!(status.code(), Some(0), "{status}");
}

#[test]
fn a_check_says_of_every_list_whether_it_can_be_watched() {
    let (press, folder) = (Press::open(), tempfile::tempdir().unwrap());
    let file = folder.path().join("sources.toml");
    let lists = [
        (press::LATEST, "a feed of 1 entry, undated"),
        (press::GONE, "cannot be watched: the server answered 404"),
        ("http://tidewatch.example/members/feed", "cannot be watched: robots.txt disallows it"),
        (
            "http://meridian-wire.example/",
            "cannot be watched: it is a page, and neither a feed nor a sitemap",
        ),
    ];
    let feeds: Vec<String> = lists.iter().map(|(url, _)| format!("'{url}'")).collect();
    fs::write(&file, format!("[[outlet]]\nid = 'press'\nfeeds = [{}]", feeds.join(", "))).unwrap();
    let checked = check(&file, &["--fetch", "--proxy", &press.proxy()]);
    let said = String::from_utf8(checked.stdout).unwrap();
    assert_eq!((checked.status.code(), said.lines().count()), (Some(1), lists.len()), "{said}");
    for (url, found) in lists {
        assert!(said.contains(&format!("press: {url}: {found}")), "{said}");
    }
}
