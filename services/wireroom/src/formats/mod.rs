//! Canonical records as other programs of the trade read them.

mod jsonld;
mod ninjs;

use serde_json::{Map, Value};

pub use jsonld::news_article;
pub use ninjs::ninjs;

/// The members that say something: empty strings, lists and nulls are left out.
fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let says = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(values) => !values.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    };
    let said = members.into_iter().filter(|(_, value)| says(value));
    Value::Object(said.map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
}

/// Whether a text is an absolute web address: documents are called by their names.
fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

#[cfg(test)]
fn example() -> wire::CanonicalArticle {
    use wire::{Occurrence, Publisher, Related};
    wire::CanonicalArticle {
        article_id: "0a1b".into(),
        version: 2,
        change: "corrected".into(),
        status: "usable".into(),
        url: "https://harbour.example/ferry".into(),
        canonical_url: "https://harbour.example/ferry".into(),
        headline: "Ferry returns".into(),
        subheadline: "After eleven weeks".into(),
        summary: "The ferry is back.".into(),
        body_text: "The ferry sailed again.\n\nTwo hundred waited.".into(),
        authors: vec!["Ann Able".into(), "Ben Bold".into()],
        byline: "By Ann Able and Ben Bold".into(),
        dateline: "PORT ALDER, Aldermere, March 3".into(),
        agency: "Meridian Wire".into(),
        publisher: Some(Publisher { name: "The Harbour Post".into(), domain: "harbour.example".into() }),
        published_at: "2026-03-12T09:12:00+01:00".into(),
        published_precision: "instant".into(),
        modified_at: "2026-03-12".into(),
        processed_at: "2026-03-12T08:13:00Z".into(),
        language: "en".into(),
        section: "Isles".into(),
        keywords: vec!["ferries".into()],
        images: vec!["https://harbour.example/ferry.jpg".into()],
        is_paywalled: true,
        cluster_id: "0a1b".into(),
        relation: "original".into(),
        related: vec![Related {
            article_id: "0c2d".into(),
            url: "https://tide.example/more".into(),
            relation: "extension".into(),
            ..Related::default()
        }],
        occurrences: vec![Occurrence {
            url: "https://copy.example/ferry".into(),
            relation: "copy".into(),
            ..Occurrence::default()
        }],
        ..wire::CanonicalArticle::default()
    }
}
