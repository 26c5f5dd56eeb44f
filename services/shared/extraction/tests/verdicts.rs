//! Pages of every kind, in the shapes that common systems print, each judged. The first line of a page is its address,
//! its folder the verdict it must get.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeMap, fmt::Write, fs, path::Path};

use extraction::{Extraction, Page, extract_html};

fn pages() -> Vec<(String, String, Extraction)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/verdicts");
    let children = |dir: &Path| {
        let mut found: Vec<_> = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).collect();
        found.sort();
        found
    };
    let name = |path: &Path| path.file_stem().unwrap().to_string_lossy().into_owned();
    let read = |path: &Path| {
        let file = fs::read_to_string(path).unwrap();
        let (first, html) = file.split_once('\n').unwrap();
        let url = first.trim_start_matches("<!-- ").trim_end_matches(" -->");
        extract_html(&Page { bytes: html.as_bytes(), url: Some(url), ..Page::default() })
    };
    children(&root)
        .iter()
        .flat_map(|dir| children(dir).into_iter().map(|page| (name(dir), name(&page), read(&page))))
        .collect()
}

#[test]
fn every_page_gets_its_verdict() {
    let mut confusion: BTreeMap<(String, &str), usize> = BTreeMap::new();
    let mut wrong = String::new();
    let pages = pages();
    for (verdict, name, found) in &pages {
        let given = found.verdict.as_str();
        *confusion.entry((verdict.clone(), given)).or_default() += 1;
        assert_eq!(found.evidence.len(), 2, "{verdict}/{name}");
        if given != verdict {
            writeln!(wrong, "{verdict}/{name}: {given}, {:?}, {:.200?}", found.evidence, found.text).unwrap();
        }
    }
    let mut table = String::new();
    for ((verdict, given), count) in &confusion {
        let mark = if verdict == given { "" } else { "  <- wrong" };
        writeln!(table, "{verdict:>13} judged {given:<13} {count:>3}{mark}").unwrap();
    }
    println!("{table}{} pages", pages.len());
    assert!(pages.len() >= 150 && wrong.is_empty(), "{table}\n{wrong}");
}

#[test]
fn teasers_and_what_is_declared_as_locked_are_paywalled() {
    let paywalled: Vec<String> = pages()
        .into_iter()
        .filter(|(verdict, _, found)| found.is_paywalled && verdict != "teaser")
        .map(|(verdict, name, _)| format!("{verdict}/{name}"))
        .collect();
    assert_eq!(paywalled, ["article/paywalled-full-text"]);
    assert!(pages().iter().all(|(verdict, _, found)| found.is_paywalled || verdict != "teaser"));
}
