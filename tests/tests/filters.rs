//! The extractor and the normalizer as filters: a broken line is answered, the others are carried on.

use std::io::Write as _;
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
    assert_eq!((&empty["id"], &empty["text"]), (&json!(7), &json!("")));
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
