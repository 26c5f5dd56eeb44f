//! What was fetched is kept, and can be read again without the web.

use std::path::Path;

use tests::press::{self, Press};
use tests::topics::Topics;
use tests::{run, wait};

/// `wireroom submit --reextract`: what it says of each archive.
fn reextract(archive: &Path, data: &Path) -> String {
    let output = run::wireroom()
        .args(["submit", "--reextract"])
        .arg(archive)
        .arg("--data")
        .arg(data)
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_archive_gives_the_same_articles_in_a_folder_that_knows_nothing() {
    let (press, folder) = (Press::open(), tempfile::tempdir().unwrap());
    let at = |name: &str| folder.path().join(name);
    let output = run::wireroom()
        .arg("run")
        .args(press::inputs())
        .args(["--proxy", &press.proxy(), "--delay", "20ms", "--out"])
        .arg(at("out.jsonl"))
        .arg("--data")
        .arg(at("first"))
        .env("WIREROOM__FETCHER__ARCHIVE", at("archive"))
        .env("WIREROOM__STORE__LOCATION", at("bodies"))
        .env("WIREROOM__STORE__ABOVE_BYTES", "1500")
        .output()
        .unwrap();
    // Two inputs fail: robots.txt refuses one, another has gone.
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let expected = run::canonical(&at("out.jsonl"));
    assert!(expected.len() > 5, "{expected:?}");
    assert!(at("bodies").read_dir().unwrap().count() > 1, "some bodies are large enough for the store");

    let running = run::follower(&press, &at("second"));
    let served = press.served().len();
    let said = reextract(&at("archive"), &at("second"));
    assert!(said.contains(" pages of ") && said.trim_end().ends_with(".warc.gz"), "{said}");
    let topics = Topics::in_folder(&at("second"));
    wait::until("all is decided", || topics.canonical() == expected);
    assert_eq!(press.served().len(), served, "nothing was fetched");
    drop(running);
}
