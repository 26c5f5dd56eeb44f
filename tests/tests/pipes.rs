//! Output that nobody reads any longer ends a command quietly; output that cannot be kept is an error. Neither is a panic.

use std::fs::{self, File, OpenOptions};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;
use tests::run;

const URL: &str = "http://harbour-times.example/news/1";
const STORY: &str = "Harbour board votes\n\nThe harbour board voted on Tuesday to dredge the eastern channel before winter, \
    so that grain ships can reach the new silos without waiting for the spring tides.\n\nPilots welcomed the plan at \
    once, said Ann Able, who has asked for it since the old channel silted up in the floods of nine years ago.\n";

/// Commands that write something, in a folder of what they read.
fn commands(folder: &Path) -> Vec<Vec<&'static str>> {
    let line = json!({ "id": 1, "url": URL, "html": "<h1>News</h1>", "text": STORY }).to_string();
    for (name, text) in [
        ("sources.toml", "[[outlet]]\nid = 'wire'\nfeeds = ['http://meridian-wire.example/feed']\n"),
        ("lines.jsonl", &line),
        ("story.txt", STORY),
    ] {
        fs::write(folder.join(name), text).unwrap();
    }
    let mut begun =
        run_in(folder, &["run", "story.txt", "no-such-file", "--data", "data", "--out", "out.jsonl"]);
    assert_eq!(begun.status().unwrap().code(), Some(1));
    [
        "check-config",
        "sources list",
        "sources list --json",
        "sources check",
        "sources import sources.toml",
        "extract",
        "cluster",
        "run story.txt",
        "submit story.txt --data data",
        "tail canonical --data data --from-beginning --no-follow",
        "deadletters replay --reason none --data data",
        "fetcher --data data --explain http://harbour-times.example/news/1",
        "withdraw http://harbour-times.example/news/1 --data data",
    ]
    .map(|command| command.split(' ').collect())
    .into()
}

fn run_in(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = run::wireroom();
    let lines = File::open(folder.join("lines.jsonl")).unwrap();
    command.args(arguments).current_dir(folder).stdin(lines).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// The end of a pipe whose other one is gone.
fn closed() -> Stdio {
    std::io::pipe().unwrap().1.into()
}

#[test]
fn who_has_read_enough_ends_a_command_quietly() {
    let folder = tempfile::tempdir().unwrap();
    for command in commands(folder.path()) {
        let output = run_in(folder.path(), &command).stdout(closed()).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{command:?}: {said}");
        assert!(!said.contains("pipe") && !said.contains("panicked"), "{command:?}: {said}");
    }
}

#[test]
fn a_full_disk_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    for command in commands(folder.path()) {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let output = run_in(folder.path(), &command).stdout(full).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{command:?}: {said}");
        assert!(said.contains("standard output cannot be written: No space left"), "{command:?}: {said}");
        assert!(!said.contains("panicked"), "{command:?}: {said}");
    }
}

#[test]
fn what_is_told_to_nobody_is_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    commands(folder.path());
    for (command, code) in [(&["run", "story.txt"][..], 0), (&["run", "no-such-file"], 1)] {
        let status = run_in(folder.path(), command).stderr(closed()).status().unwrap();
        assert_eq!(status.code(), Some(code), "{command:?}");
    }
}

#[test]
fn a_takedown_is_done_to_its_end_whoever_reads_of_it() {
    let folder = tempfile::tempdir().unwrap();
    commands(folder.path());
    fs::create_dir(folder.path().join("archive")).unwrap();
    let takedown = ["withdraw", "--takedown", URL, "--archive", "archive", "--data", "data"];
    let status = run_in(folder.path(), &takedown).stdout(closed()).status().unwrap();
    assert_eq!(status.code(), Some(0));
    assert!(folder.path().join("archive/_taken-down").is_dir(), "the archive is marked");
}
