//! IPTC ninjs 3.1, News in JSON.

use serde_json::{Value, json};
use wire::CanonicalArticle;

use super::{is_address, object};

const SCHEMA: &str = "https://www.iptc.org/std/ninjs/ninjs-schema_3.1.json";

/// A canonical record as a ninjs item. Its `uri` is the article's address, or a URN of its id where it has none.
pub fn ninjs(article: &CanonicalArticle) -> Value {
    let publisher = article.publisher.clone().unwrap_or_default();
    let by_role = |role: &str, value: &str| match value {
        "" => Value::Null,
        value => json!({ "role": role, "contentType": "text/plain", "value": value }),
    };
    let said =
        |values: Vec<Value>| Value::Array(values.into_iter().filter(|value| !value.is_null()).collect());
    let body = match article.body_text.as_str() {
        "" => Value::Null,
        text => json!({
            "role": "main", "contentType": "text/plain", "charCount": text.chars().count(),
            "wordCount": text.split_whitespace().count(), "value": text,
        }),
    };
    let images = article.images.iter().map(|image| {
        let renditions = json!([{ "name": "original", "href": image }]);
        json!({ "name": "image", "rel": "image", "uri": image, "type": "picture", "renditions": renditions })
    });
    let others = article.related.iter().map(|other| (&other.relation, &other.url, &other.article_id));
    let copies = article.occurrences.iter().map(|copy| (&copy.relation, &copy.url, &copy.article_id));
    let texts = others.chain(copies).map(|(relation, url, id)| {
        json!({ "name": relation, "rel": relation, "uri": uri(url, id), "type": "text" })
    });
    let organisation = object([
        ("name", publisher.name.into()),
        ("rel", "publisher".into()),
        (
            "uri",
            if publisher.domain.is_empty() {
                Value::Null
            } else {
                format!("https://{}/", publisher.domain).into()
            },
        ),
    ]);
    object([
        ("standard", json!({ "name": "ninjs", "version": "3.1", "schema": SCHEMA })),
        ("uri", uri(&article.canonical_url, &article.article_id).into()),
        ("type", "text".into()),
        ("representationType", if article.verdict == "teaser" { "partial" } else { "full" }.into()),
        ("version", article.version.to_string().into()),
        ("versionCreated", article.processed_at.as_str().into()),
        ("contentCreated", instant(article).into()),
        ("pubStatus", if article.status == "withdrawn" { "canceled" } else { "usable" }.into()),
        ("language", article.language.as_str().into()),
        (
            "headlines",
            said(vec![by_role("main", &article.headline), by_role("subheadline", &article.subheadline)]),
        ),
        ("descriptions", said(vec![by_role("summary", &article.summary)])),
        ("bodies", said(vec![body])),
        ("located", place(&article.dateline).into()),
        ("by", article.byline.as_str().into()),
        ("people", article.authors.iter().map(|name| json!({ "name": name, "rel": "author" })).collect()),
        ("organisations", said(vec![organisation])),
        (
            "infoSources",
            said(vec![match article.agency.as_str() {
                "" => Value::Null,
                agency => json!({ "name": agency, "role": "agency" }),
            }]),
        ),
        ("subjects", article.keywords.iter().map(|word| json!({ "name": word, "rel": "keyword" })).collect()),
        (
            "usageTerms",
            article.rights.as_ref().map(|rights| rights.license.as_str()).unwrap_or_default().into(),
        ),
        ("associations", images.chain(texts).collect()),
        (
            "altIds",
            json!([
                { "role": "wireroom", "value": article.article_id },
                { "role": "cluster", "value": article.cluster_id },
            ]),
        ),
    ])
}

/// ninjs knows instants alone: a day is none.
fn instant(article: &CanonicalArticle) -> &str {
    if article.published_precision == "instant" { &article.published_at } else { "" }
}

/// Where a dateline was written: `PARIS` of `PARIS, March 3`.
fn place(dateline: &str) -> String {
    let parts = dateline.split(", ").filter(|part| !part.contains(|c: char| c.is_numeric()));
    parts.collect::<Vec<_>>().join(", ")
}

fn uri(address: &str, id: &str) -> String {
    if is_address(address) { address.to_owned() } else { format!("urn:wireroom:{id}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::example;

    #[test]
    fn a_record_as_ninjs() {
        let item = ninjs(&example());
        insta::assert_json_snapshot!(item);
    }

    #[test]
    fn a_withdrawn_record_of_a_document_has_what_the_standard_asks_for() {
        let item = ninjs(&CanonicalArticle {
            article_id: "0a".into(),
            url: "reprint.txt".into(),
            status: "withdrawn".into(),
            published_at: "2026-03-12".into(),
            published_precision: "day".into(),
            ..CanonicalArticle::default()
        });
        assert_eq!((&item["uri"], &item["pubStatus"]), (&json!("urn:wireroom:0a"), &json!("canceled")));
        assert!(item.get("contentCreated").is_none() && item.get("bodies").is_none());
    }
}
