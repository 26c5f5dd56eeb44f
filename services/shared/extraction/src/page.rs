//! An HTML page to an extraction: one parse, one outline, and every question asked of it.

use article::{CanonicalUrl, Moment, Verdict, is_paid_for};
use serde_json::Value;
use url::Url;

use crate::{
    body::{Body, Clues, body},
    dates::read_date,
    dates::times,
    declared::{Declared, declared, texts_of, types_of},
    decode::decode,
    directives::Directives,
    evidence::Signs,
    extraction::Extraction,
    judge::Watch,
    language::language,
    marks::marks,
    original::find_original,
    people::Shown,
    people::credits,
    people::{declared_people, people},
    state::story,
    text::{cut, loose, squeeze, weight},
    title::{Site, title},
    tree::{Outline, parse},
    verdict::judge,
};

/// A page as it was fetched.
#[derive(Debug, Clone, Copy, Default)]
pub struct Page<'a> {
    /// The body, inflated.
    pub bytes: &'a [u8],
    /// Where it came from.
    pub url: Option<&'a str>,
    /// The Content-Type header.
    pub content_type: Option<&'a str>,
    /// What others said of it.
    pub hints: Hints<'a>,
}

/// What a feed or sitemap said of a page; used where the page is silent.
#[derive(Debug, Clone, Copy, Default)]
pub struct Hints<'a> {
    /// The entry's title.
    pub title: Option<&'a str>,
    /// The entry's date.
    pub published: Option<Moment>,
}

const MAX_LIST: usize = 50;
const MAX_FIELD_CHARS: usize = 1000;

/// Extracts the article from a page. Total: bytes of any kind give an extraction.
pub fn extract_html(page: &Page) -> Extraction {
    extract(page, &mut |_, _| {})
}

/// Extracts, and shows what the model judged to `watch`.
pub(crate) fn extract(page: &Page, watch: &mut Watch) -> Extraction {
    let decoded = decode(page.bytes, page.content_type, page.url);
    let parsed = parse(&decoded.text);
    let outline = Outline::of(&parsed.html);
    let marks = marks(&outline);
    let declared = declared(&outline);
    let mut out = Extraction {
        charset_via: decoded.charset_via,
        warnings: decoded.warning.into_iter().chain(parsed.warnings).collect(),
        ..Extraction::default()
    };

    let url = page.url.and_then(|u| Url::parse(u).ok());
    let base = declared
        .base
        .and_then(|b| url.as_ref().map_or_else(|| Url::parse(b).ok(), |u| u.join(b).ok()))
        .or_else(|| url.clone());
    let site = Site::of(&declared, url.as_ref());

    let title = title(&declared, page.hints.title, url.as_ref(), &site);
    let summary = summary(&declared);
    let authors = declared_people(&declared);
    let clues = Clues {
        host: url.as_ref().and_then(Url::host_str).unwrap_or_default(),
        site: Some(&site),
        authors: &authors,
        title: title.as_ref().map_or("", |t| &t.text),
        description: summary.as_ref().map_or("", |(s, _)| s),
        article_body: declared
            .articles
            .iter()
            .find_map(|a| a.get("articleBody")?.as_str())
            .unwrap_or_default(),
    };
    let mut body = body(&outline, &marks, &clues, watch);
    let mut told = story(&outline, clues.title, &body.paragraphs).unwrap_or_default();
    if !told.paragraphs.is_empty() {
        body.tell(std::mem::take(&mut told.paragraphs));
    }

    out.declared_original = originals(&declared, &mut body, base.as_ref(), url.as_ref());
    out.text = body.paragraphs.join("\n\n");
    if !out.text.is_empty() {
        out.provenance.insert("text", body.source);
    }
    out.subtitle = body.standfirst.take();
    let signs = Signs::of(&out.text, &declared, &outline, &marks, &mut body, url.as_ref());
    let (verdict, evidence) = judge(&signs);
    out.is_paywalled = signs.says.paywalled || verdict == Verdict::Teaser;
    (out.verdict, out.evidence) = (verdict, evidence);

    let title = title.map(|t| (t.text, t.source)).or_else(|| told.headline.take().map(|t| (t, "state")));
    out.title =
        out.from("title", title.map(|(text, source)| (cut(&text, MAX_FIELD_CHARS).to_owned(), source)));
    out.summary = out.from("summary", summary);
    let signed = people(
        &declared,
        &Shown { outline: &outline, marks: &marks, body: &body, headings: &declared.headings },
        &site,
        out.title.as_deref().unwrap_or_default(),
    );
    out.authors = out.from("authors", signed.authors).unwrap_or_default();
    out.byline = out.from("byline", signed.byline);
    out.agency = out.from("agency", signed.agency);
    if out.authors.is_empty() && !told.authors.is_empty() {
        let names = credits(told.authors.iter().map(String::as_str)).names;
        out.authors = out.from("authors", Some((names, "state"))).unwrap_or_default();
    }
    let times = times(&declared, &outline, &marks, &body, page);
    let stated = |text: Option<&str>| Some((read_date(text?, false)?, "state"));
    out.published = out.from("published_at", times.published.or_else(|| stated(told.published.as_deref())));
    out.modified = out.from("modified_at", times.modified.or_else(|| stated(told.modified.as_deref())));
    let spoken = declared.article_text("inLanguage");
    let codes = [
        declared.language,
        spoken.as_deref(),
        declared.meta(&["og:locale", "content-language", "language", "dc.language"]),
    ];
    let codes: Vec<String> = codes.into_iter().flatten().map(str::to_owned).collect();
    out.amp_url = declared.amp.and_then(|amp| absolute(amp, base.as_ref()));
    out.canonical_url =
        declared.canonical.or_else(|| declared.meta(&["og:url"])).and_then(|c| absolute(c, base.as_ref()));
    out.site_name =
        declared.meta(&["og:site_name"]).map(str::to_owned).or_else(|| declared.site_names.first().cloned());
    out.section = declared
        .article_text("articleSection")
        .or_else(|| declared.meta(&["article:section"]).map(str::to_owned))
        .or_else(|| declared.item("articleSection").map(str::to_owned));
    out.keywords = keywords(&declared);
    out.is_sponsored = is_sponsored(&declared, &out);
    out.images = images(&declared, base.as_ref());
    out.robots =
        Directives::of_metas(declared.meta.iter().map(|(name, content)| (name.as_str(), content.as_str())));
    out.license = declared.license.map(str::to_owned).or_else(|| declared.article_text("license"));

    // Telling the language takes as much memory as a small page's tree.
    drop((declared, body, marks, outline));
    drop((parsed.html, decoded.text));
    if let Some(found) = language(&out.text, codes.iter().map(String::as_str)) {
        out.provenance.insert("language", found.source);
        out.language_confidence = found.confidence;
        out.language = Some(found.code);
    }
    out
}

fn summary(declared: &Declared) -> Option<(String, &'static str)> {
    let meta = declared
        .meta(&["og:description", "description", "twitter:description", "dc.description"])
        .map(|t| (t.to_owned(), "meta"));
    let found = meta.or_else(|| declared.article_text("description").map(|t| (t, "json-ld")));
    found.map(|(text, source)| (cut(&text, MAX_FIELD_CHARS).to_owned(), source))
}

/// "Original url" lines, which leave the body, and canonical links to another registrable domain.
fn originals(declared: &Declared, body: &mut Body, base: Option<&Url>, url: Option<&Url>) -> Vec<String> {
    let mut found = Vec::new();
    let tail = body.paragraphs.len().saturating_sub(4);
    let end = body.paragraphs.get(tail..).unwrap_or_default().join("\n");
    if let Some((original, range)) = find_original(&end) {
        let spent = end.get(range).unwrap_or_default().to_owned();
        body.paragraphs.retain(|p| !spent.contains(p.trim()));
        found.push(original);
    }
    let domain = |u: &str| CanonicalUrl::parse(u).map(|c| c.registrable_domain().to_owned()).ok();
    let own = url.and_then(|u| domain(u.as_str()));
    let claims = [
        declared.canonical,
        declared.meta(&["syndication-source"]),
        declared.meta(&["original-source"]),
        declared.meta(&["og:url"]),
    ];
    for claim in claims.into_iter().flatten().filter_map(|c| absolute(c, base)) {
        let is_other = own.is_some() && domain(&claim).is_some_and(|d| Some(d) != own);
        if is_other && !found.contains(&claim) {
            found.push(claim);
        }
    }
    found
}

fn keywords(declared: &Declared) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    let json = declared
        .articles
        .iter()
        .find_map(|a| a.get("keywords"))
        .map(|v| texts_of(v, MAX_LIST))
        .unwrap_or_default();
    let meta = ["news_keywords", "keywords", "article:tag", "parsely-tags"]
        .iter()
        .flat_map(|key| declared.all_meta(key));
    for list in json.iter().map(String::as_str).chain(meta) {
        for keyword in list.split([',', ';']).map(squeeze).filter(|k| !k.is_empty() && k.len() <= 100) {
            if found.len() < MAX_LIST && !found.iter().any(|known| loose(known) == loose(&keyword)) {
                found.push(keyword);
            }
        }
    }
    found
}

/// Whether it says that it is an advertisement: by its type or its sponsor (schema.org), a keyword or its section.
fn is_sponsored(declared: &Declared, out: &Extraction) -> bool {
    let has_sponsor = |article: &Value| {
        article.get("sponsor").is_some_and(|sponsor| match sponsor {
            Value::Object(named) => !named.is_empty(),
            Value::Array(named) => !named.is_empty(),
            Value::String(name) => !name.trim().is_empty(),
            _ => false,
        })
    };
    let is_of_advertiser = |article: &Value| {
        article
            .get("@type")
            .is_some_and(|kind| types_of(kind).iter().any(|t| t == "AdvertiserContentArticle"))
    };
    declared.articles.iter().any(|article| has_sponsor(article) || is_of_advertiser(article))
        || out.keywords.iter().chain(&out.section).any(|name| is_paid_for(name))
}

fn images(declared: &Declared, base: Option<&Url>) -> Vec<String> {
    let json = declared.articles.iter().filter_map(|a| a.get("image")).flat_map(|v| {
        let list = v.as_array().map_or(std::slice::from_ref(v), Vec::as_slice);
        list.iter().filter_map(|i| i.as_str().or_else(|| i.get("url")?.as_str()))
    });
    let meta = ["og:image", "og:image:secure_url", "twitter:image", "twitter:image:src"]
        .iter()
        .flat_map(|key| declared.all_meta(key));
    let mut found = Vec::new();
    for image in meta.chain(json).filter_map(|i| absolute(i, base)) {
        if found.len() < MAX_LIST && !found.contains(&image) {
            found.push(image);
        }
    }
    found
}

fn absolute(reference: &str, base: Option<&Url>) -> Option<String> {
    let reference = reference.trim();
    if reference.is_empty() || weight(reference) > 4096 {
        return None;
    }
    let url = base.map_or_else(|| Url::parse(reference), |b| b.join(reference)).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.to_string())
}
