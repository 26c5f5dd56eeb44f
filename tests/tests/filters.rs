//! The extractor and the normalizer as filters: a broken line is answered, the others are carried on.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Output, Stdio};

use serde_json::{Value, json};
use tests::press;
use tests::run;

/// What a filter answers to these lines.
fn filtered(filter: &str, lines: &[Vec<u8>]) -> (Output, Vec<Value>) {
    let mut child = run::wireroom()
        .arg(filter)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(&lines.join(&b'\n')).unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    let answers = String::from_utf8(output.stdout.clone()).unwrap();
    let answers = answers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (output, answers)
}

fn line(value: &Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[test]
fn extract_answers_every_page() {
    let page = press::pages().next().unwrap();
    let paragraphs: String = page.paragraphs.iter().map(|text| format!("<p>{text}</p>")).collect();
    let html = format!("<title>{0}</title><article><h1>{0}</h1>{paragraphs}</article>", page.headline);
    let whole = line(&json!({ "id": "whole", "url": page.url, "html": html }));
    let lines = [
        whole.clone(),
        b"no JSON".to_vec(),
        b"".to_vec(),
        b"{\"id\":\"\xff\"}".to_vec(),
        line(&json!({ "id": "without a page" })),
        line(&json!({ "id": 7, "html": "" })),
        whole,
    ];
    let (output, answers) = filtered("extract", &lines);
    // Some lines failed.
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    let [first, text, bytes, field, empty, last] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!((&first["id"], &first["title"], &first["text"]), (&last["id"], &last["title"], &last["text"]));
    assert_eq!(
        (first["title"].as_str(), first["text"].as_str()),
        (Some(&*page.headline), Some(&*page.text()))
    );
    assert_eq!([text, bytes, field].map(|answer| answer["line"].as_u64()), [Some(2), Some(4), Some(5)]);
    assert!(field["error"].as_str().unwrap().contains("html"), "{field}");
    assert_eq!((&empty["id"], &empty["text"], &empty["url"]), (&json!(7), &json!(""), &json!(null)));
    assert_eq!(first["url"], page.url);
}

#[test]
fn cluster_judges_every_article() {
    let [one, other] = [0, 4].map(|n| press::pages().nth(n).unwrap());
    let article = |id: &str, url: &str, text: &str| line(&json!({ "id": id, "url": url, "text": text }));
    let lines = [
        article("one", &one.url, &one.text()),
        b"no JSON".to_vec(),
        b"".to_vec(),
        line(&json!({ "url": one.url })),
        article("other", &other.url, &other.text()),
        article("copy", "http://halvern-herald.example/story/1", &one.text()),
    ];
    let (output, answers) = filtered("cluster", &lines);
    assert!(output.status.code().is_some_and(|code| code < 2), "{}", String::from_utf8_lossy(&output.stderr));
    let [first, text, nameless, second, copy] = answers.as_slice() else { panic!("{answers:?}") };
    assert_eq!([text, nameless].map(|answer| answer["line"].as_u64()), [Some(2), Some(4)]);
    let judged = |answer: &Value| [answer["cluster_id"].clone(), answer["relation"].clone()];
    assert_eq!(judged(first), ["one", "original"]);
    assert_eq!(judged(second), ["other", "original"]);
    assert_eq!(judged(copy), ["one", "copy"]);
}

#[test]
fn a_line_is_answered_before_the_next_one_comes() {
    for filter in ["extract", "cluster"] {
        let mut child =
            run::wireroom().arg(filter).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap()).lines();
        for id in 0..3 {
            writeln!(stdin, "{}", json!({ "id": id, "html": "", "text": "" })).unwrap();
            let answer: Value = serde_json::from_str(&answers.next().unwrap().unwrap()).unwrap();
            assert_eq!(answer["id"], id, "{filter}");
        }
        drop(stdin);
        assert!(answers.next().is_none() && child.wait().unwrap().success(), "{filter}");
    }
}

#[test]
fn what_extract_writes_is_read_by_cluster() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).display().to_string();
    let page = press::pages().next().unwrap();
    let html = format!("<article><h1>{}</h1><p>{}</p></article>", page.headline, page.text());
    let pages = [
        json!({ "id": 1, "url": page.url, "html": html }),
        json!({ "id": 2 }),
        json!({ "id": 3, "html": html }),
    ];
    fs::write(at("pages.jsonl"), pages.map(|page| page.to_string()).join("\n")).unwrap();
    let extracted = run::wireroom().args(["extract", &at("pages.jsonl")]).output().unwrap();
    fs::write(at("articles.jsonl"), &extracted.stdout).unwrap();
    let clustered = run::wireroom().args(["cluster", &at("articles.jsonl")]).output().unwrap();
    let answers: Vec<Value> =
        clustered.stdout.lines().map(|line| serde_json::from_str(&line.unwrap()).unwrap()).collect();
    let [one, error, two] = answers.as_slice() else { panic!("{answers:?}") };
    assert!(error["error"].as_str().unwrap().contains("html"), "{error}");
    assert_eq!(one, &json!({ "id": 1, "cluster_id": 1, "relation": "original" }));
    assert_eq!(two, &json!({ "id": 3, "cluster_id": 1, "relation": "copy" }));
    for filter in ["extract", "cluster"] {
        let refused = run::wireroom().args([filter, &at("")]).output().unwrap();
        let said = String::from_utf8(refused.stderr).unwrap();
        assert!(said.contains(&at("")) && said.contains("is a folder"), "{filter}: {said}");
        let read = run::wireroom().args([filter, "-"]).stdin(Stdio::null()).output().unwrap();
        assert!(read.status.success() && read.stdout.is_empty(), "{filter}: {read:?}");
    }
}
