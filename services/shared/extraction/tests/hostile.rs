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

/// Input that grows fourfold may take this many times as long; were the cost quadratic, it would take sixteen times.
const MAX_GROWTH: u32 = 8;
/// What a busy machine may add to a measurement.
const NOISE: Duration = Duration::from_millis(50);
/// Measurements, of which one must hold: others may run beside it.
const ATTEMPTS: usize = 4;

/// Writes a hostile page of a size.
type Write = fn(usize) -> String;

#[test]
fn hostile_pages_cost_no_more_than_their_size() {
    let pages: [(&str, usize, Write); 18] = [
        ("nesting", 8000, |n| "<div>".repeat(n)),
        ("nesting with text", 3000, |n| "<div>a word or two ".repeat(n)),
        ("inline nesting", 8000, |n| "<b>".repeat(n) + "x"),
        ("formatting", 250, |n| {
            let fonts: String = (0..500).map(|i| format!("<font size={i}>")).collect();
            format!("<p>{fonts}</p>{}", "<p>x</p>".repeat(n))
        }),
        ("attributes", 10_000, |n| {
            let attributes: String = (0..n).map(|i| format!(" a{i}=1")).collect();
            format!("<p{attributes}>x</p>")
        }),
        ("tables", 3000, |n| "<table><tr><td>".repeat(n)),
        ("many short blocks", 1500, |n| "<p>Read more</p><p>A sentence, short. </p>".repeat(n)),
        ("many headings", 3000, |n| "<h2>a b c d</h2>".repeat(n)),
        ("many captions", 2000, |n| format!("<p>{}", "<img><small>At the pier.</small><br><br>".repeat(n))),
        ("many lines", 1000, |n| "Related\n\nSign up for our newsletter now\n\n".repeat(n)),
        ("original lines", 1000, |n| "Original url:\n".repeat(n)),
        ("json", 10_000, |n| format!("<script type='application/ld+json'>{}</script>", "[".repeat(n))),
        ("brackets", 20_000, |n| "(".repeat(n)),
        ("nesting with tags that close nothing", 8000, |n| "<i></x><div></y>".repeat(n)),
        ("references", 20_000, |n| "&notanything&#".repeat(n)),
        ("scripts in a script", 5000, |n| "<script><!--".repeat(n)),
        ("one attribute again and again", 10_000, |n| format!("<p{}>x</p>", " class=a".repeat(n))),
        ("unclosed", 30_000, |n| "<".repeat(n) + &"<!--".repeat(n / 2)),
    ];
    for (name, size, write) in pages {
        let measure = |page: String| {
            let start = Instant::now();
            both(page.as_bytes());
            start.elapsed()
        };
        let costs = (0..ATTEMPTS).map(|_| (measure(write(size)), measure(write(4 * size))));
        let mut seen = Vec::new();
        let holds = costs.inspect(|cost| seen.push(*cost)).any(|(one, four)| four < one * MAX_GROWTH + NOISE);
        assert!(holds, "{name}: size {size} and four times that took {seen:?}");
    }
}
