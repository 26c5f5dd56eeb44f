//! What another reading of an article is to the one that is known.

use article::Verdict;
use wire::Article;

/// Whether `new` says anything else than `known`, and is the better witness. A document under another name does not: it is
/// known by its text, and keeps the name that it came under first.
pub(crate) fn revises(new: &Article, known: &Article) -> bool {
    let images = |article: &Article| article.images.iter().map(|image| unsigned(image)).collect();
    let essence = |article: &Article| Article {
        images: images(article),
        seen_at_ms: 0,
        fetched_at_ms: 0,
        request_id: String::new(),
        run_id: String::new(),
        source_id: String::new(),
        document_name: String::new(),
        extractor_version: String::new(),
        labels: Default::default(),
        ..article.clone()
    };
    let is_stale = new.fetched_at_ms != 0 && new.fetched_at_ms < known.fetched_at_ms;
    let is_lesser = is_teaser(new) && !is_teaser(known);
    !is_stale && !is_lesser && essence(new) != essence(known)
}

/// Whether `new` tells the story otherwise than `known`: another picture, or a better reading of the same page, does not.
pub(crate) fn corrects(new: &Article, known: &Article) -> bool {
    story(new) != story(known)
}

fn story(article: &Article) -> (&str, &str, &str, &[String], &str) {
    let Article { headline, subheadline, body_text, authors, published_at, .. } = article;
    (headline, subheadline, body_text, authors, published_at)
}

/// The address of an image without what signs it: that is another one at each fetch.
fn unsigned(image: &str) -> String {
    const SIGNING: [&str; 10] =
        ["token", "sig", "signature", "expires", "exp", "policy", "key-pair-id", "hdnts", "se", "auth"];
    let Some((address, query)) = image.split_once('?') else { return image.to_owned() };
    let signs = |field: &&str| {
        let name = field.split('=').next().unwrap_or_default().to_ascii_lowercase();
        SIGNING.contains(&name.as_str()) || name.starts_with("x-amz-") || name.starts_with("x-goog-")
    };
    let kept: Vec<&str> = query.split('&').filter(|field| !signs(field)).collect();
    if kept.is_empty() { address.to_owned() } else { format!("{address}?{}", kept.join("&")) }
}

/// Whether a page showed the beginning of its article alone.
pub(crate) fn is_teaser(article: &Article) -> bool {
    article.verdict == Verdict::Teaser.as_str()
}

/// `kept` with what adds up over its arrivals: the first sighting, and all labels.
pub(crate) fn merged(mut kept: Article, other: &Article) -> Article {
    kept.seen_at_ms = kept.seen_at_ms.min(other.seen_at_ms);
    for (name, value) in &other.labels {
        kept.labels.entry(name.clone()).or_insert_with(|| value.clone());
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_signs_an_image_does_not_name_it() {
        for (image, named) in [
            ("https://img.example/1.jpg", "https://img.example/1.jpg"),
            ("https://img.example/1.jpg?Expires=1&Signature=a", "https://img.example/1.jpg"),
            ("https://img.example/i?id=5&X-Amz-Date=1&w=9", "https://img.example/i?id=5&w=9"),
        ] {
            assert_eq!(unsigned(image), named);
        }
    }
}
