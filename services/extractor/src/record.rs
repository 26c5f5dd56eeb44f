//! An extraction as the record that travels.

use article::{ArticleId, CanonicalUrl};
use extraction::{Directives, Extraction};
use wire::{Article, Document, Publisher, Request, Response, Rights};

/// The article of a fetched page.
pub(crate) fn of_page(
    request: &Request,
    response: &Response,
    fetched_from: &CanonicalUrl,
    extraction: Extraction,
) -> Article {
    let declared = extraction.canonical_url.as_deref().and_then(|url| CanonicalUrl::parse(url).ok());
    let canonical =
        declared.filter(|url| is_the_pages_own(url, fetched_from)).unwrap_or_else(|| fetched_from.clone());
    Article {
        article_id: ArticleId::of_url(&canonical).as_str().to_owned(),
        url: fetched_from.as_str().to_owned(),
        canonical_url: canonical.as_str().to_owned(),
        amp_url: extraction.amp_url.clone().unwrap_or_default(),
        requested_url: Some(request.url.clone())
            .filter(|url| url != fetched_from.as_str())
            .unwrap_or_default(),
        declared_original: foreign_original(&extraction, Some(fetched_from)),
        publisher: Some(Publisher {
            name: extraction.site_name.clone().unwrap_or_default(),
            domain: fetched_from.registrable_domain().to_owned(),
        }),
        rights: Some(rights(response, &extraction)),
        fetched_at_ms: response.fetched_at_ms,
        ..common(request, extraction)
    }
}

/// The article of a document. `failure` says why its original could not be had, where it was looked for in vain.
pub(crate) fn of_document(
    request: &Request,
    document: &Document,
    mut extraction: Extraction,
    failure: &str,
) -> Article {
    if !failure.is_empty() {
        let copy = match request.memento_because.as_str() {
            "" => String::new(),
            because => format!("the page is {because}, and of its archived copy: "),
        };
        extraction
            .warnings
            .push(format!("stands in for its original, which could not be had: {copy}{failure}"));
    }
    let declared = match (request.memento_of.as_str(), request.url.as_str()) {
        ("", "") => foreign_original(&extraction, None),
        ("", url) => url.to_owned(),
        (page, _) => page.to_owned(),
    };
    // Of the text as it was handed in: two reprints are two occurrences, however alike what is extracted from them.
    let as_handed_in = String::from_utf8_lossy(&document.content);
    Article {
        article_id: ArticleId::of_text(&as_handed_in).as_str().to_owned(),
        declared_original: declared,
        document_name: document.name.clone(),
        publisher: extraction.site_name.clone().map(|name| Publisher { name, domain: String::new() }),
        ..common(request, extraction)
    }
}

fn common(request: &Request, extraction: Extraction) -> Article {
    let mut labels = request.labels.clone();
    if extraction.is_sponsored {
        labels.entry("sponsored".to_owned()).or_insert_with(|| "page".to_owned());
    }
    let provenance =
        extraction.provenance.iter().map(|(field, source)| (field.to_string(), source.to_string()));
    Article {
        headline: extraction.title.unwrap_or_default(),
        subheadline: extraction.subtitle.unwrap_or_default(),
        summary: extraction.summary.unwrap_or_default(),
        body_text: extraction.text,
        authors: extraction.authors,
        byline: extraction.byline.unwrap_or_default(),
        agency: extraction.agency.unwrap_or_default(),
        published_at: extraction.published.map(|m| m.to_string()).unwrap_or_default(),
        published_precision: extraction.published.map(|m| m.precision().to_string()).unwrap_or_default(),
        modified_at: extraction.modified.map(|m| m.to_string()).unwrap_or_default(),
        language: extraction.language.unwrap_or_default(),
        language_confidence: extraction.language_confidence,
        section: extraction.section.unwrap_or_default(),
        keywords: extraction.keywords,
        images: extraction.images,
        is_paywalled: extraction.is_paywalled,
        provenance: provenance.collect(),
        warnings: extraction.warnings,
        verdict: extraction.verdict.as_str().to_owned(),
        extractor_version: env!("CARGO_PKG_VERSION").to_owned(),
        seen_at_ms: request.seen_at_ms,
        request_id: request.request_id.clone(),
        run_id: request.run_id.clone(),
        source_id: request.source_id.clone(),
        labels,
        trust: request.trust,
        ..Article::default()
    }
}

/// What the publisher allows: of the headers and the page, whichever asks for more.
fn rights(response: &Response, extraction: &Extraction) -> Rights {
    let header = |name: &str| response.headers.get(name).map(String::as_str);
    let asked = Directives::of_header(header("x-robots-tag").unwrap_or_default())
        .and(&Directives::of_tdm(header("tdm-reservation"), header("tdm-policy")))
        .and(&extraction.robots);
    let is_reserved = asked.tdm_reservation == Some(true);
    Rights {
        license: extraction.license.clone().unwrap_or_default(),
        tdm: if is_reserved { "reserved".to_owned() } else { String::new() },
        tdm_policy: asked.tdm_policy.unwrap_or_default(),
        noarchive: asked.noarchive,
        nosnippet: asked.nosnippet,
        noindex: asked.noindex,
        noai: asked.noai,
        noimageai: asked.noimageai,
        unavailable_after: asked.unavailable_after.map(|at| at.to_string()).unwrap_or_default(),
    }
}

/// Whether a declared canonical address may name the page: on its own site, and not the front page of it.
fn is_the_pages_own(declared: &CanonicalUrl, fetched_from: &CanonicalUrl) -> bool {
    let is_front =
        |url: &CanonicalUrl| url.without_scheme().split_once('/').is_none_or(|(_, path)| path.is_empty());
    declared.registrable_domain() == fetched_from.registrable_domain()
        && (!is_front(declared) || is_front(fetched_from))
}

/// The first original it declares on another domain than its own.
fn foreign_original(extraction: &Extraction, own: Option<&CanonicalUrl>) -> String {
    let mut declared = extraction.declared_original.iter().filter_map(|url| CanonicalUrl::parse(url).ok());
    let foreign =
        declared.find(|url| own.is_none_or(|own| own.registrable_domain() != url.registrable_domain()));
    foreign.map(|url| url.as_str().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_what_headers_and_page_say() {
        let headers = [
            ("x-robots-tag", "googlebot: nosnippet\nnoai"),
            ("tdm-reservation", "1"),
            ("tdm-policy", "https://harbour.example/tdm.json"),
        ];
        let response = Response {
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            ..Response::default()
        };
        let extraction = Extraction {
            robots: Directives::of_metas([("robots", "noarchive")]),
            license: Some("CC BY 4.0".to_owned()),
            ..Extraction::default()
        };
        let found = Rights {
            license: "CC BY 4.0".to_owned(),
            tdm: "reserved".to_owned(),
            tdm_policy: "https://harbour.example/tdm.json".to_owned(),
            noarchive: true,
            nosnippet: true,
            noai: true,
            ..Rights::default()
        };
        assert_eq!(rights(&response, &extraction), found);
    }
}
