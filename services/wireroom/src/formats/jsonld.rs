//! schema.org NewsArticle as JSON-LD.

use serde_json::{Value, json};
use wire::CanonicalArticle;

use super::{is_address, object};

/// A canonical record as a `NewsArticle`.
pub fn news_article(article: &CanonicalArticle) -> Value {
    let publisher = article.publisher.clone().unwrap_or_default();
    let site = Some(&publisher.domain).filter(|domain| !domain.is_empty()).map(|d| format!("https://{d}/"));
    let address = |url: &str| Some(url.to_owned()).filter(|url| is_address(url));
    let works = |relation: &'static str| {
        let related = article.related.iter().filter(move |other| other.relation == relation);
        related
            .filter_map(|other| address(&other.url))
            .map(|url| json!({ "@type": "NewsArticle", "@id": url }))
    };
    let copies = article.occurrences.iter().filter_map(|copy| address(&copy.url));
    object([
        ("@context", "https://schema.org".into()),
        ("@type", "NewsArticle".into()),
        ("@id", address(&article.canonical_url).into()),
        ("identifier", article.article_id.as_str().into()),
        ("version", article.version.into()),
        ("creativeWorkStatus", if article.status == "withdrawn" { "Withdrawn" } else { "Published" }.into()),
        ("url", address(&article.url).into()),
        ("headline", article.headline.as_str().into()),
        ("alternativeHeadline", article.subheadline.as_str().into()),
        ("abstract", article.summary.as_str().into()),
        ("articleBody", article.body_text.as_str().into()),
        ("author", article.authors.iter().map(|name| json!({ "@type": "Person", "name": name })).collect()),
        (
            "publisher",
            match (publisher.name.as_str(), site) {
                ("", None) => Value::Null,
                (name, site) => {
                    object([("@type", "Organization".into()), ("name", name.into()), ("url", site.into())])
                }
            },
        ),
        ("creditText", article.agency.as_str().into()),
        ("datePublished", article.published_at.as_str().into()),
        ("dateModified", article.modified_at.as_str().into()),
        ("inLanguage", article.language.as_str().into()),
        ("articleSection", article.section.as_str().into()),
        ("keywords", article.keywords.clone().into()),
        ("image", article.images.clone().into()),
        ("isAccessibleForFree", (!article.is_paywalled).into()),
        ("license", article.rights.as_ref().map(|rights| rights.license.as_str()).unwrap_or_default().into()),
        ("isBasedOn", works("original").collect()),
        ("sameAs", copies.map(Value::from).collect()),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::example;

    #[test]
    fn a_record_as_json_ld() {
        insta::assert_json_snapshot!(news_article(&example()));
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        let item = news_article(&CanonicalArticle::default());
        let said: Vec<&String> = item.as_object().unwrap().keys().collect();
        assert_eq!(said, ["@context", "@type", "creativeWorkStatus", "isAccessibleForFree", "version"]);
    }
}
