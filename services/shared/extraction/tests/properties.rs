//! What holds of every extraction: it adds nothing to the page, and its own output is read as it stands.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{fs, path::Path};

use extraction::{Extraction, Page, extract_html};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};

#[path = "../fuzz/targets.rs"]
#[allow(dead_code, reason = "only what is invented is asked here")]
mod targets;

use targets::invented;

fn extract(html: &str) -> Extraction {
    let url = Some("https://www.harbourpost.example/news/pier");
    extract_html(&Page { bytes: html.as_bytes(), url, ..Page::default() })
}

/// Every page of our own, with its place.
fn pages() -> Vec<(String, String)> {
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")];
    let mut pages = Vec::new();
    while let Some(dir) = open.pop() {
        for path in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "html") {
                pages.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    pages.sort();
    pages
}

/// A title and paragraphs as the simplest page; rows of a table stay such.
fn render(title: &str, text: &str) -> String {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('\n', "<br>");
    let paragraph = |text: &str| match escape(text) {
        row if row.contains(" | ") => {
            format!("<table><tr><td>{}</td></tr></table>\n", row.replace(" | ", "</td><td>"))
        }
        text => format!("<p>{text}</p>\n"),
    };
    let paragraphs: String = text.split("\n\n").map(paragraph).collect();
    let title = escape(title);
    format!("<!DOCTYPE html><title>{title}</title><article><h1>{title}</h1>\n{paragraphs}</article>")
}

#[test]
fn nothing_is_said_that_the_page_does_not_say() {
    for (name, html) in pages() {
        assert_eq!(invented(&html, &extract(&html)), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn an_extracted_article_is_extracted_again() {
    let articles = pages()
        .into_iter()
        .map(|(name, html)| (name, extract(&html)))
        .filter(|(_, found)| found.verdict == article::Verdict::Article);
    let mut count = 0;
    for (name, first) in articles {
        let title = first.title.clone().unwrap_or_default();
        let again = extract(&render(&title, &first.text));
        assert_eq!((again.title, again.text), (first.title, first.text), "{name}");
        count += 1;
    }
    assert!(count > 40, "{count} articles");
}

/// Stories as people write them: some sentences to a paragraph, of words of any script.
fn story() -> impl Strategy<Value = Vec<String>> {
    let word = prop_oneof![
        4 => "[a-z]{3,9}",
        1 => "[A-Z][a-z]{2,8}",
        1 => "[а-я]{3,9}",
        1 => "[äöüßéèñç]{1}[a-z]{2,7}",
        1 => "[0-9]{1,4}",
    ];
    let sentence = prop::collection::vec(word, 6..20).prop_map(|words| format!("The {}.", words.join(" ")));
    let paragraph = prop::collection::vec(sentence, 1..5).prop_map(|sentences| sentences.join(" "));
    prop::collection::vec(paragraph, 4..12)
}

/// What stands around and between the paragraphs of a page.
fn furniture() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "",
        "",
        "<nav><a href=/a>News</a> <a href=/b>Sport</a></nav>",
        "<aside class=related><h3>Related</h3><a href=/1>Lighthouse keeper retires</a></aside>",
        "<div class='share-buttons'><a href=#>Share</a></div>",
        "<div class=ad>Advertisement</div>",
        "<figure><img src=a><figcaption>The pier. Photo: Ann Able</figcaption></figure>",
        "<p>Read more: <a href=/2>Herring catch falls for the third year</a></p>",
        "<footer>© 2024 The Harbour Post</footer>",
        "<script>var a = '<p>Not a paragraph of the story at all.</p>';</script>",
        "<ul><li>Two of the nine piles will be replaced.</li></ul>",
    ])
}

/// A model judges what is the story, and no model is always right: of stories made of words that mean nothing it may cut
/// a short last line, once in many hundreds.
const STORIES: usize = 300;
const MISREAD: usize = 3;

#[test]
fn stories_among_furniture_are_read_and_read_again() {
    let mut runner = TestRunner::default();
    let stories = (story(), prop::collection::vec(furniture(), 12));
    let mut misread = Vec::new();
    for _ in 0..STORIES {
        let (story, between) = stories.new_tree(&mut runner).unwrap().current();
        let body: String =
            story.iter().zip(&between).map(|(p, other)| format!("<p>{p}</p>\n{other}\n")).collect();
        let html = format!("<title>Pier</title><main><h1>Ferry pier to be repaired</h1>{body}</main>");
        let first = extract(&html);
        assert_eq!(invented(&html, &first), Vec::<String>::new());
        let again = extract(&render(first.title.as_deref().unwrap_or_default(), &first.text));
        let is_whole = story.iter().all(|paragraph| first.text.contains(paragraph.as_str()));
        if !is_whole || again.text != first.text {
            misread.push(html);
        }
    }
    assert!(misread.len() <= MISREAD, "{} of {STORIES}: {misread:#?}", misread.len());
}
