//! Pages and reprints, read whole.

use extraction::{Document, Extraction, Hints, Page, extract_document, extract_html};

fn page(html: &str, url: &str) -> Extraction {
    extract_html(&Page { bytes: html.as_bytes(), url: Some(url), ..Page::default() })
}

#[test]
fn a_news_page() {
    let found =
        page(include_str!("fixtures/harbour.html"), "https://www.harbourpost.example/news/ferry-returns");
    insta::assert_json_snapshot!(found);
}

#[test]
fn a_page_of_the_old_web_that_names_its_source() {
    let found = page(include_str!("fixtures/quelle.html"), "https://talbote.example/lokal/4711.html");
    insta::assert_json_snapshot!(found);
}

#[test]
fn a_reprint_in_plain_text() {
    let bytes = include_bytes!("fixtures/reprint.txt");
    let found = extract_document(&Document { bytes, name: Some("reprint.txt"), content_type: None });
    insta::assert_json_snapshot!(found);
}

#[test]
fn line_ends_and_a_byte_order_mark_change_nothing() {
    let text = include_str!("fixtures/reprint.txt");
    let of =
        |bytes: &[u8]| extract_document(&Document { bytes, name: Some("a.txt"), content_type: None }).text;
    let marked = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(of(marked.as_bytes()), of(text.as_bytes()));
}

#[test]
fn html_documents_are_told_by_type_name_or_beginning() {
    let html = b"<!DOCTYPE html><h1>Ferry returns to bay</h1><p>The ferry sails again.</p>";
    for (content_type, name) in
        [(Some("text/html"), None), (None, Some("a.HTM")), (None, None), (None, Some("a"))]
    {
        let found = extract_document(&Document { bytes: html, content_type, name });
        assert_eq!(found.title.as_deref(), Some("Ferry returns to bay"), "{content_type:?} {name:?}");
    }
    let found =
        extract_document(&Document { bytes: html, content_type: Some("text/plain"), name: Some("a.html") });
    assert!(found.title.is_none_or(|title| title.contains('<')));
}

#[test]
fn a_feed_speaks_where_the_page_is_silent() {
    let html = "<title>x</title><p>The council met on Tuesday and voted for the bridge.";
    let hints = Hints {
        title: Some("Council votes for bridge"),
        published: article::Moment::parse("2020-05-06T07:08:00Z").ok(),
    };
    let found = extract_html(&Page { bytes: html.as_bytes(), hints, ..Page::default() });
    assert_eq!(found.published.unwrap().to_string(), "2020-05-06T07:08:00Z");
    assert_eq!(found.provenance.get("published_at"), Some(&"feed"));
}

#[test]
fn json_ld_stands_in_for_a_body_that_the_page_lacks() {
    let sentence = "The council met on Tuesday and voted for the bridge after a long debate. ";
    let body = format!(
        "{}\\n\\nAdvertisement\\n\\n{}",
        sentence.repeat(5),
        "The mayor was pleased with it. ".repeat(5)
    );
    let html = format!(
        "<script type='application/ld+json'>{{\"@type\":\"NewsArticle\",\"headline\":\"Bridge\",\"articleBody\":\"{body}\"}}</script>\
         <h1>Bridge</h1><p>{sentence}</p>"
    );
    let found = page(&html, "https://example.com/bridge");
    assert_eq!(found.text.split("\n\n").count(), 2);
    assert_eq!(found.provenance.get("text"), Some(&"json-ld"));
}

#[test]
fn the_next_article_on_an_endless_page_is_another_one() {
    let story = |title: &str, words: &str| {
        format!("<article><h1>{title}</h1>{}</article>", format!("<p>{words} the council heard on Tuesday from the engineers.</p>").repeat(1) + &format!("<p>{words} and many more sentences that make a story of some length, as the readers will see in the end.</p>").repeat(4).replace("many", words))
    };
    let html = format!(
        "<title>Bridge to open</title><main>{}{}{}</main>",
        story("Bridge to open", "Steel was bought"),
        story("Pool to close", "Water was lost"),
        story("School to move", "Chairs were sold")
    );
    let text = page(&html, "https://example.com/bridge").text;
    assert!(text.contains("Steel") && !text.contains("Water") && !text.contains("Chairs"), "{text}");
}

#[test]
fn a_page_says_that_an_advertiser_paid_for_it() {
    let is_sponsored = |head: &str| {
        let html = format!("{head}<h1>A better boat</h1><p>The boat is better than the one before it.</p>");
        extract_html(&Page { bytes: html.as_bytes(), ..Page::default() }).is_sponsored
    };
    let article = |fields: &str| format!("<script type='application/ld+json'>{{{fields}}}</script>");
    for head in [
        article(r#""@type":["NewsArticle","AdvertiserContentArticle"]"#),
        article(r#""@type":"NewsArticle","sponsor":{"@type":"Organization","name":"Tidewater"}"#),
        "<meta property='article:tag' content='Sponsored Content'>".to_owned(),
        "<meta property='article:section' content='Advertorial'>".to_owned(),
    ] {
        assert!(is_sponsored(&head), "{head}");
    }
    for head in [
        article(r#""@type":"NewsArticle","sponsor":null"#),
        article(r#""@type":"NewsArticle","keywords":"Sponsorship, ports""#),
        String::new(),
    ] {
        assert!(!is_sponsored(&head), "{head}");
    }
}
