//! What is fuzzed: that any bytes are read, and that what is read keeps its promises.

use extraction::{Document, Extraction, Page, extract_document, extract_html};

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
