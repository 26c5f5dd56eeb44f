//! No bytes panic the extractor, and none keep it busy.

use std::time::{Duration, Instant};

use extraction::{Document, Page, extract_document, extract_html, original_url};
use proptest::prelude::*;

fn both(bytes: &[u8]) {
    extract_html(&Page { bytes, url: Some("https://example.com/2020/01/02/x"), ..Page::default() });
    extract_document(&Document { bytes, ..Document::default() });
    extract_document(&Document { bytes, name: Some("a.txt"), ..Document::default() });
    original_url(&String::from_utf8_lossy(bytes));
}

/// Pieces of markup and text that the extractor looks at closely.
fn piece() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-zß-ü .,:;!?()/|–“”\\\\-]{0,40}",
        prop::sample::select(vec![
            "<p>",
            "</p>",
            "<div class='article-body related'>",
            "</div>",
            "<h1>",
            "</h1>",
            "<table><tr><td>",
            "</table>",
            "<a href=x>",
            "</a>",
            "<br>",
            "<li>",
            "<ul>",
            "</ul>",
            "<blockquote>",
            "<script type='application/ld+json'>",
            "</script>",
            "{\"@type\":\"NewsArticle\",\"author\":",
            "[[[[",
            "\"datePublished\":\"",
            "<meta property=og:title content='",
            "'>",
            "<time datetime='2020-13-45T99:99'>",
            "<!--",
            "-->",
            "<",
            "&#x110000;",
            "Original url: ",
            "https://",
            "<https://example.com/(a>",
            "\n\n",
            "By ",
            "12:60 p.m. March 32, 2020",
            "年月日",
            "İ",
            "ǅ",
            "\u{0}",
            "Photo: ",
        ])
        .prop_map(str::to_owned),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(300) })]

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        both(&bytes);
    }

    #[test]
    fn any_markup_is_read(pieces in prop::collection::vec(piece(), 0..40)) {
        both(pieces.concat().as_bytes());
    }
}

#[test]
fn hostile_pages_end_in_time() {
    let fonts: String = (0..500).map(|i| format!("<font size={i}>")).collect();
    let attributes: String = (0..200_000).map(|i| format!(" a{i}=1")).collect();
    for (name, page) in [
        ("nesting", "<div>".repeat(100_000)),
        ("nesting with text", "<div>a word or two ".repeat(100_000)),
        ("inline nesting", "<b>".repeat(100_000) + "x"),
        ("formatting", format!("<p>{fonts}</p>{}", "<p>x</p>".repeat(50_000))),
        ("attributes", format!("<p{attributes}>x</p>")),
        ("tables", "<table><tr><td>".repeat(20_000)),
        ("many short blocks", "<p>Read more</p><p>A sentence, short. </p>".repeat(30_000)),
        ("many headings", "<h2>a b c d</h2>".repeat(50_000)),
        ("many lines", "Related\n\nSign up for our newsletter now\n\n".repeat(30_000)),
        ("original lines", "Original url:\n".repeat(100_000)),
        ("json", format!("<script type='application/ld+json'>{}</script>", "[".repeat(100_000))),
        ("brackets", "(".repeat(200_000)),
        ("unclosed", "<".repeat(500_000)),
        ("unclosed comments", "<!--".repeat(200_000)),
    ] {
        let start = Instant::now();
        both(page.as_bytes());
        let limit = Duration::from_secs(if cfg!(debug_assertions) { 30 } else { 5 });
        assert!(start.elapsed() < limit, "{name} took {:?}", start.elapsed());
    }
}
