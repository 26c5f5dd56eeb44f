//! The filter: the decider's own judgement, line by line.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{self, Write};

use serde_json::json;

fn run(input: &str) -> Vec<serde_json::Value> {
    let mut out = Vec::new();
    normalizer::filter(input.as_bytes(), &mut out).unwrap();
    String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn words(seed: usize, count: usize) -> String {
    (0..count).map(|at| format!("w{}x{} ", seed, (at * 7919 + seed) % 10_007)).collect()
}

#[test]
fn each_line_is_judged_on_arrival() {
    let line = |id: &str, text: &str, published_at: &str| {
        json!({"id": id, "url": null, "text": text, "published_at": published_at}).to_string()
    };
    let (one, two) = (words(1, 300), words(2, 300));
    let input = [
        line("a", &one, "2026-03-02"),
        line("b", &two, "2026-03-02"),
        String::new(),
        "{\"id\":[7]}".to_owned(),
        line("c", &one[..one.len() / 2], "2026-03-02"),
        line("d", &format!("{two} {}", words(3, 200)), "2026-03-02"),
        line("e", &one, "2026-03-01"),
    ];
    let answers = run(&input.join("\n"));
    let short = |answer: &serde_json::Value| {
        format!("{} {} {}", answer["id"], answer["cluster_id"], answer["relation"]).replace('"', "")
    };
    let judged: Vec<String> = answers.iter().filter(|answer| answer["error"].is_null()).map(short).collect();
    assert_eq!(judged, ["a a original", "b b original", "c a excerpt", "d b extension", "e a original"]);
    let refused: Vec<_> = answers.iter().filter(|answer| answer["line"] == 4).collect();
    assert!(refused[0]["error"].as_str().unwrap().contains("a text or a number"), "{refused:?}");
}

#[test]
fn ids_are_given_back_as_they_came() {
    let text = words(1, 300);
    let lines = [json!(7), json!("b"), json!(true), json!(null)]
        .map(|id| json!({"id": id, "text": text}).to_string());
    let answers = run(&lines.join("\n"));
    let judged: Vec<_> =
        answers[..3].iter().map(|answer| (answer["id"].clone(), answer["cluster_id"].clone())).collect();
    assert_eq!(judged, [(json!(7), json!(7)), (json!("b"), json!(7)), (json!(true), json!(7))]);
    assert!(answers[3]["error"].as_str().unwrap().contains("no \"id\""), "{}", answers[3]);
    let explanation = normalizer::explain(lines.join("\n").as_bytes(), "7", "b").unwrap();
    assert_eq!(explanation.b.cluster_id, "7");
}

#[test]
fn canonical_records_are_read() {
    let text = words(1, 300);
    let record = |id: &str, published_at: &str| {
        json!({"article_id": id, "headline": "Harbour", "body_text": text, "published_at": published_at})
            .to_string()
    };
    let lines = [record("a", "2026-03-02"), record("b", "2026-03-01")].join("\n");
    assert_eq!(run(&lines)[1]["relation"], "original");
    let explanation = normalizer::explain(lines.as_bytes(), "a", "b").unwrap();
    assert_eq!((explanation.a.title.as_str(), explanation.a.words), ("Harbour", 300));
    assert_eq!((explanation.a.relation, explanation.rule), ("copy", Some("same_text")));
}

#[test]
fn a_date_that_is_none_is_told_of() {
    let line = |published_at: &str| {
        json!({"id": published_at, "text": words(1, 300), "published_at": published_at}).to_string()
    };
    let answers = run(&["2026-03-12", "12 March 2026", ""].map(line).join("\n"));
    assert!(answers[0]["warning"].is_null(), "{answers:?}");
    assert!(
        answers[1]["warning"].as_str().unwrap().contains("\"12 March 2026\" is not a date"),
        "{answers:?}"
    );
}

#[test]
fn the_answer_of_a_filter_before_is_passed_on() {
    let (mut out, refusal) = (Vec::new(), json!({"line": 5, "error": "no page"}));
    assert_eq!(normalizer::filter(refusal.to_string().as_bytes(), &mut out).unwrap(), 1);
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&out).unwrap(), refusal);
}

/// How often it was flushed.
#[derive(Default)]
struct Counted(usize);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0 += 1;
        Ok(())
    }
}

#[test]
fn each_line_is_answered_at_once() {
    let (mut out, line) = (Counted::default(), r#"{"id":"a","text":"one"}"#);
    normalizer::filter(format!("{line}\n{line}").as_bytes(), &mut out).unwrap();
    assert_eq!(out.0, 2);
}
