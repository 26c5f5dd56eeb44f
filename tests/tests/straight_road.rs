//! URLs and reprints in, canonical articles out: `wireroom run` over the press, on both logs.

use std::path::Path;
use std::process::Output;

use tests::broker::Broker;
use tests::press::{self, Press};
use tests::run;

/// Runs the press's inputs and documents through the pipeline.
fn run_over(press: &Press, folder: &Path, more: &[&str]) -> Output {
    let documents = press::write_documents(folder).unwrap();
    run::wireroom()
        .arg("run")
        .args(press::inputs())
        .args(documents)
        .arg("--out")
        .arg(folder.join("out.jsonl"))
        .arg("--data")
        .arg(folder.join("data"))
        .args(["--proxy", &press.proxy(), "--delay", "20ms"])
        .args(more)
        .output()
        .unwrap()
}

fn assert_expected(output: &Output, folder: &Path) {
    let stderr = String::from_utf8_lossy(&output.stderr);
    // Two inputs fail, and are named.
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    for failed in ["http://tidewatch.example/members/what-the-pilots-say", "ice-on-the-inner-harbour"] {
        assert!(stderr.contains(failed), "{failed} failed, and is not named in:\n{stderr}");
    }

    let mut expected = press::expected();
    expected.sort_by(|a, b| a.place.cmp(&b.place));
    let got = run::canonical(&folder.join("out.jsonl"));
    let places =
        |all: &[press::Expected]| all.iter().map(|article| article.place.clone()).collect::<Vec<_>>();
    assert_eq!(places(&got), places(&expected), "{stderr}");
    for (got, expected) in got.iter().zip(&expected) {
        assert_eq!(got, expected);
    }
}

#[test]
fn the_press_on_the_embedded_log() {
    let (press, folder) = (Press::open(), tempfile::tempdir().unwrap());
    assert_expected(&run_over(&press, folder.path(), &[]), folder.path());
}

#[test]
fn the_press_on_kafka() {
    let (press, folder) = (Press::open(), tempfile::tempdir().unwrap());
    let broker = Broker::shared().bootstrap();
    assert_expected(&run_over(&press, folder.path(), &["--kafka", broker]), folder.path());
}

#[test]
fn what_robots_txt_refuses_is_not_asked_for() {
    let (press, folder) = (Press::open(), tempfile::tempdir().unwrap());
    run_over(&press, folder.path(), &[]);
    let asked: Vec<String> = press.served().into_iter().map(|served| served.url).collect();
    assert!(asked.iter().any(|url| url == "http://tidewatch.example/robots.txt"), "{asked:?}");
    assert!(!asked.iter().any(|url| url.contains("/members/")), "{asked:?}");
}

#[test]
fn what_is_asked_for_once_is_fetched_once() {
    let (press, folder) = (Press::with_articles(20), tempfile::tempdir().unwrap());
    let status = run::wireroom()
        .arg("run")
        .args(press.article_urls())
        .arg("--out")
        .arg(folder.path().join("out.jsonl"))
        .args(["--proxy", &press.proxy(), "--delay", "20ms"])
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
    let mut asked: Vec<String> = press.served().into_iter().map(|served| served.url).collect();
    asked.sort();
    let repeated: Vec<_> = asked.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| &pair[0]).collect();
    assert!(repeated.is_empty(), "{repeated:?}");
}

#[test]
fn without_the_web_the_reprints_stand_in() {
    let folder = tempfile::tempdir().unwrap();
    let documents = press::write_documents(folder.path()).unwrap();
    let out = folder.path().join("out.jsonl");
    let output = run::wireroom()
        .arg("run")
        .args(documents)
        .arg("--out")
        .arg(&out)
        // Nobody listens on port 9 of loopback.
        .args(["--proxy", "http://127.0.0.1:9", "--give-up-after", "2s"])
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    // A reprint that stands in is a warning, not a failure.
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    assert_eq!(run::canonical(&out).len(), press::DOCUMENTS.len(), "{stderr}");
}
