//! The filter: the decider's own judgement, line by line.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

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
        serde_json::json!({"id": id, "url": null, "text": text, "published_at": published_at}).to_string()
    };
    let (one, two) = (words(1, 300), words(2, 300));
    let input = [
        line("a", &one, "2026-03-02"),
        line("b", &two, "2026-03-02"),
        String::new(),
        "{\"id\":7}".to_owned(),
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
    assert!(refused[0]["error"].as_str().unwrap().contains("invalid type"), "{refused:?}");
}
