//! What is fuzzed: that any bytes are read, and that what is read keeps its promises.

use extraction::{Document, Extraction, Page, extract_document, extract_html};
use scraper::{Html, Node};

/// A page whose first byte chooses what is said of it from outside.
pub fn html(bytes: &[u8]) {
    let (choice, bytes) = bytes.split_first().unwrap_or((&0, &[]));
    let url = ["", "https://example.com/", "https://example.com/2024/03/05/pier", "no url"];
    let content_type = ["", "text/html", "text/html; charset=utf-16le", "text/html; charset=windows-1251"];
    let page = Page {
        bytes,
        url: url.get(usize::from(choice & 3)).copied().filter(|u| !u.is_empty()),
        content_type: content_type.get(usize::from(choice >> 2 & 3)).copied().filter(|t| !t.is_empty()),
        ..Page::default()
    };
    let found = extract_html(&page);
    check(&found);
    assert_eq!(found, extract_html(&page), "the same page twice");
    // What else is in the text was written in another encoding, or in JSON, and is not in the page letter by letter; and
    // NULs, which are left out, may part what is a tag without them.
    let as_shown = found.provenance.get("text") == Some(&"dom");
    let is_plain = bytes.is_ascii() && !bytes.contains(&0);
    if let (true, 0..4, true, Ok(html)) = (as_shown, choice & 15, is_plain, std::str::from_utf8(bytes)) {
        assert_eq!(invented(html, &found), Vec::<String>::new());
    }
}

/// A document, by its own looks and as plain text.
pub fn document(bytes: &[u8]) {
    for name in [None, Some("reprint.txt")] {
        check(&extract_document(&Document { bytes, name, ..Document::default() }));
    }
}

fn check(found: &Extraction) {
    assert!(!found.text.contains('\0'), "NUL in {:?}", found.text);
    assert_eq!(found.text.trim(), found.text, "untrimmed");
    assert!(!found.text.contains("\n\n\n"), "an empty paragraph in {:?}", found.text);
    assert!((0.0..=1.0).contains(&found.language_confidence), "{}", found.language_confidence);
    assert!(found.title.as_ref().is_none_or(|title| !title.trim().is_empty()), "an empty title");
}

/// The text's paragraphs that the page does not say.
pub fn invented(html: &str, found: &Extraction) -> Vec<String> {
    let said = said(html);
    let pieces = found.text.split("\n\n").flat_map(|paragraph| paragraph.split(" | "));
    pieces.filter(|piece| !said.contains(&letters(piece))).map(str::to_owned).collect()
}

/// What a page says: its texts, and then those of its scripts, which may hold the story.
fn said(html: &str) -> String {
    let page = Html::parse_document(html);
    let (mut shown, mut scripts) = (String::new(), String::new());
    for node in page.tree.nodes() {
        let Node::Text(text) = node.value() else { continue };
        let parent = node.parent().and_then(|p| p.value().as_element().map(scraper::node::Element::name));
        match parent {
            Some("style" | "noscript" | "iframe") => {}
            Some("script") => scripts.push_str(text),
            _ => shown.push_str(text),
        }
    }
    letters(&(shown + &scripts))
}

/// Letters and digits alone: what a text says, however it is divided.
fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
