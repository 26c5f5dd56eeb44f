//! Where home and section pages lead.

use extraction::{Links, Page, links};
use proptest::prelude::*;

fn read(html: &str, url: &str) -> Links {
    links(&Page { bytes: html.as_bytes(), url: Some(url), ..Page::default() })
}

fn urls<'a>(list: impl IntoIterator<Item = &'a article::CanonicalUrl>) -> Vec<&'a str> {
    list.into_iter().map(article::CanonicalUrl::as_str).collect()
}

#[test]
fn a_front_page() {
    let found = read(include_str!("links/front.html"), "https://www.harbour.example/");
    assert_eq!(
        urls(&found.feeds),
        ["https://www.harbour.example/feed.xml", "https://feeds.harbour.example/atom"]
    );
    assert_eq!(urls(&found.hubs), ["https://hub.example/"]);
    assert_eq!(urls(&found.canonical), ["https://www.harbour.example/"]);
    assert_eq!(urls(&found.amp), ["https://amp.harbour.example/"]);
    let articles: Vec<_> = found
        .articles
        .iter()
        .map(|a| (a.url.as_str().trim_start_matches("https://www.harbour.example"), a.text.as_str()))
        .collect();
    assert_eq!(
        articles,
        [
            ("/2026/03/19/ferry-returns-to-the-bay-after-repairs", "Ferry returns to the bay after repairs"),
            (
                "/town/council-votes-for-a-new-pier-71802.html",
                "Council votes for a new pier, and for a longer one"
            ),
            ("/story.php?id=48213", "Lighthouse keeper retires after forty years of service"),
            ("/wetter-bleibt-am-wochenende-mild", "Wetter bleibt am Wochenende mild und trocken"),
            ("/tw/20260318.html", "港口渡輪維修後重新開航，旅客歡迎"),
            ("/2026/03/18/tide-tables-for-the-coming-week", ""),
        ]
    );
}

#[test]
fn what_looks_like_an_article() {
    const HEADLINE: &str = "Council votes for a new pier";
    for (path, text, is_article) in [
        ("/news/council-votes-for-new-pier", HEADLINE, true),
        ("/news/council-votes-for-new-pier", "More", false),
        ("/2026/mar/19/council", HEADLINE, true),
        ("/2026-03-19/council", HEADLINE, true),
        ("/a/123456", HEADLINE, true),
        ("/news?story=123456", HEADLINE, true),
        ("/news/%E6%B8%AF%E5%8F%A3%E6%B8%A1", HEADLINE, false),
        ("/news/%E6%B8%AF%E5%8F%A3%E6%B8%A1%E8%BC%AA", HEADLINE, true),
        ("/", HEADLINE, false),
        ("/news", HEADLINE, false),
        ("/world/europe", HEADLINE, false),
        ("/tag/council-votes-for-new-pier", HEADLINE, false),
        ("/Author/2026/03/ann-able-the-ship-writer", HEADLINE, false),
        ("/news/page/20260319", HEADLINE, false),
        ("/img/council-votes-for-new-pier.jpg", HEADLINE, false),
        ("/news/council-votes-for-new-pier.ece", HEADLINE, true),
    ] {
        let html = format!("<a href=\"{path}\">{text}</a>");
        let found = read(&html, "https://harbour.example/start");
        assert_eq!(found.articles.len() == 1, is_article, "{path} {text}");
    }
}

#[test]
fn a_base_counts_and_only_the_first() {
    let html = "<base href='https://www.harbour.example/town/'><base href='https://other.example/'>\
        <a href='council-votes-for-new-pier'>Council votes for a new pier</a>";
    let found = read(html, "https://harbour.example/start");
    assert_eq!(
        urls(found.articles.iter().map(|a| &a.url)),
        ["https://www.harbour.example/town/council-votes-for-new-pier"]
    );
    assert_eq!(links(&Page { bytes: html.as_bytes(), ..Page::default() }), Links::default());
}

#[test]
fn a_page_of_links_is_read_up_to_a_number() {
    let anchor = |n: usize| format!("<a href='/news/{n:06}'>Council votes for a new pier</a>");
    let found = read(&(0..30_000).map(anchor).collect::<String>(), "https://harbour.example/");
    assert_eq!(found.articles.len(), 2000);
}

proptest! {
    #[test]
    fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300), html in "(<(a|link|base|nav) (href|rel)='[a-z/:.%?=0-9]{0,20}'>|[a-z ]{0,9}){0,20}") {
        for bytes in [bytes.as_slice(), html.as_bytes()] {
            links(&Page { bytes, url: Some("https://harbour.example/"), ..Page::default() });
        }
    }
}
