//! Where a home or section page leads: its feeds, its other addresses, and the articles it shows.

use std::collections::HashMap;

use article::CanonicalUrl;
use url::Url;

use crate::{
    decode::decode,
    page::Page,
    text::{cut, is_unspaced, squeeze, word_count},
    tree::{Element, Outline, attr, parse},
};

/// Feeds, and hubs, that are kept.
const MAX_FEEDS: usize = 20;
/// Addresses that are weighed, and anchors that are looked at for them.
const MAX_ANCHORS: usize = 2000;
const MAX_LOOKED_AT: usize = 20_000;
/// What is kept of an anchor's text.
const MAX_TEXT_CHARS: usize = 300;

/// Where a page leads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Links {
    /// RSS, Atom and JSON feeds it offers, but for those of comments.
    pub feeds: Vec<CanonicalUrl>,
    /// WebSub hubs it names.
    pub hubs: Vec<CanonicalUrl>,
    /// Its own address, as it says.
    pub canonical: Option<CanonicalUrl>,
    /// Its AMP twin.
    pub amp: Option<CanonicalUrl>,
    /// What looks like an article of the same registrable domain, in the page's order, each once.
    pub articles: Vec<Anchor>,
}

/// An article that a page links to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anchor {
    /// Where it is.
    pub url: CanonicalUrl,
    /// The longest text that stands for it; empty where only its address speaks for it.
    pub text: String,
    /// Whether a link to it says that it was paid for (`rel=sponsored`).
    pub is_sponsored: bool,
}

/// Reads where a page leads. Total and bounded, as [`extract_html`](crate::extract_html) is. Without the page's address
/// nothing is an article of the same domain.
pub fn links(page: &Page) -> Links {
    let decoded = decode(page.bytes, page.content_type, page.url);
    let parsed = parse(&decoded.text);
    let outline = Outline::of(&parsed.html);
    let own = page.url.and_then(|url| CanonicalUrl::parse(url).ok());
    let mut seen = Seen { own, base: page.url.and_then(|url| Url::parse(url).ok()), ..Seen::default() };
    let mut at = 0;
    while at < outline.len() {
        if let Some(element) = outline.element(at) {
            match element.name() {
                "base" => seen.rebase(element),
                "link" => seen.link(element),
                "nav" | "footer" => {
                    at = outline.node(at).end.max(at + 1);
                    continue;
                }
                "a" => seen.anchor(element, || outline.text(at, MAX_TEXT_CHARS * 4)),
                _ => {}
            }
        }
        at += 1;
    }
    seen.anchors.retain(is_article);
    Links { articles: seen.anchors, ..seen.links }
}

#[derive(Default)]
struct Seen {
    links: Links,
    own: Option<CanonicalUrl>,
    base: Option<Url>,
    has_base: bool,
    anchors: Vec<Anchor>,
    places: HashMap<CanonicalUrl, usize>,
    looked_at: usize,
}

impl Seen {
    /// The first `base` counts.
    fn rebase(&mut self, element: &Element) {
        let Some(href) = attr(element, "href").filter(|_| !self.has_base) else { return };
        self.has_base = true;
        self.base = self.base.take().map(|base| base.join(href.trim()).unwrap_or(base));
    }

    fn link(&mut self, element: &Element) {
        let (Some(rel), Some(href)) = (attr(element, "rel"), attr(element, "href")) else { return };
        let Some(url) = self.absolute(href) else { return };
        for rel in rel.split_ascii_whitespace() {
            match rel.to_ascii_lowercase().as_str() {
                "alternate" if attr(element, "type").is_some_and(is_feed) && !is_of_comments(&url) => {
                    add(&mut self.links.feeds, &url);
                }
                "hub" => add(&mut self.links.hubs, &url),
                "canonical" => self.links.canonical = self.links.canonical.take().or(Some(url.clone())),
                "amphtml" => self.links.amp = self.links.amp.take().or(Some(url.clone())),
                _ => {}
            }
        }
    }

    fn anchor(&mut self, element: &Element, text: impl FnOnce() -> String) {
        self.looked_at += 1;
        if self.looked_at > MAX_LOOKED_AT {
            return;
        }
        let Some(url) = attr(element, "href").and_then(|href| self.absolute(href)) else { return };
        let is_own_domain =
            self.own.as_ref().is_some_and(|own| own.registrable_domain() == url.registrable_domain());
        if !is_own_domain || self.own.as_ref() == Some(&url) {
            return;
        }
        let mut text = text();
        if text.is_empty() {
            let label = attr(element, "title").or_else(|| attr(element, "aria-label"));
            text = squeeze(label.unwrap_or_default());
        }
        let text = cut(&text, MAX_TEXT_CHARS);
        let rel = attr(element, "rel").unwrap_or_default();
        let is_sponsored = rel.split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case("sponsored"));
        match self.places.get(&url) {
            Some(place) => {
                if let Some(anchor) = self.anchors.get_mut(*place) {
                    anchor.is_sponsored |= is_sponsored;
                    if anchor.text.len() < text.len() {
                        anchor.text = text.to_owned();
                    }
                }
            }
            None if self.anchors.len() < MAX_ANCHORS => {
                self.places.insert(url.clone(), self.anchors.len());
                self.anchors.push(Anchor { url, text: text.to_owned(), is_sponsored });
            }
            None => {}
        }
    }

    fn absolute(&self, href: &str) -> Option<CanonicalUrl> {
        let href = href.trim();
        // A place on this page is no other page.
        if href.is_empty() || href.starts_with('#') {
            return None;
        }
        let url = self.base.as_ref().map_or_else(|| Url::parse(href), |base| base.join(href)).ok()?;
        CanonicalUrl::parse(url.as_str()).ok()
    }
}

fn add(list: &mut Vec<CanonicalUrl>, url: &CanonicalUrl) {
    if list.len() < MAX_FEEDS && !list.contains(url) {
        list.push(url.clone());
    }
}

fn is_feed(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(
        essence.as_str(),
        "application/rss+xml" | "application/atom+xml" | "application/rdf+xml" | "application/feed+json"
    )
}

fn is_of_comments(url: &CanonicalUrl) -> bool {
    url.without_scheme().split(['/', '?', '=', '&']).any(|part| part == "comments")
}

/// Segments of paths that lead to lists, people, services and media.
const NO_ARTICLE: &[&str] = &[
    "tag",
    "tags",
    "topic",
    "topics",
    "thema",
    "themen",
    "category",
    "categories",
    "kategorie",
    "section",
    "sections",
    "rubrik",
    "author",
    "authors",
    "autor",
    "autoren",
    "auteur",
    "people",
    "profile",
    "profiles",
    "staff",
    "search",
    "suche",
    "archive",
    "archives",
    "login",
    "signin",
    "register",
    "account",
    "user",
    "users",
    "subscribe",
    "subscription",
    "abo",
    "newsletter",
    "newsletters",
    "about",
    "about-us",
    "contact",
    "contact-us",
    "kontakt",
    "impressum",
    "privacy",
    "privacy-policy",
    "cookies",
    "terms",
    "terms-of-service",
    "help",
    "faq",
    "advertise",
    "jobs",
    "careers",
    "shop",
    "store",
    "feed",
    "feeds",
    "rss",
    "video",
    "videos",
    "podcast",
    "podcasts",
    "gallery",
    "galleries",
    "live",
    "events",
    "weather",
    "horoscope",
    "crosswords",
    "games",
    "wp-content",
    "wp-login.php",
    "page",
    "share",
    "print",
    "amp",
];

/// Whether address and text look like an article's: a slug of words or a number or date, and a text as long as a
/// headline. Only an address that has both slug and date speaks for itself.
fn is_article(anchor: &Anchor) -> bool {
    let rest = anchor.url.without_scheme().split_once('/').map_or("", |(_, rest)| rest);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let segments: Vec<&str> = path.split('/').filter(|s| !s.is_empty()).collect();
    let Some((last, folders)) = segments.split_last() else { return false };
    let is_list = |s: &&str| NO_ARTICLE.contains(&s.to_ascii_lowercase().as_str());
    let Some(slug) = page_name(last).filter(|_| !segments.iter().any(is_list)) else { return false };
    let is_dated = has_date(folders) || digits_in_a_row(slug) >= 8;
    let words = slug.split(['-', '_', '+', '.']).filter(|w| w.chars().any(char::is_alphabetic)).count();
    let has_slug = words >= 4 || slug.matches('%').count() >= 12;
    let is_numbered = digits_in_a_row(slug) >= 4
        || query.split('&').any(|pair| {
            pair.split_once('=')
                .is_some_and(|(_, value)| value.len() >= 4 && value.bytes().all(|b| b.is_ascii_digit()))
        });
    let is_headline = is_headline(&anchor.text);
    is_headline && (has_slug || is_dated || is_numbered) || is_dated && has_slug
}

/// The last segment without its ending; `None` where that is a file's that holds no page.
fn page_name(last: &str) -> Option<&str> {
    match last.rsplit_once('.') {
        Some((name, "html" | "htm" | "shtml" | "xhtml" | "php" | "asp" | "aspx" | "jsp" | "do" | "ece")) => {
            Some(name)
        }
        Some((_, ending))
            if (2..=4).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric()) =>
        {
            ending.bytes().all(|b| b.is_ascii_digit()).then_some(last)
        }
        _ => Some(last),
    }
}

/// `2026/03`, `2026/mar/19`, `2026-03-19` among the folders.
fn has_date(folders: &[&str]) -> bool {
    let is_year =
        |s: &str| s.len() == 4 && (s.starts_with("19") || s.starts_with("20")) && digits_in_a_row(s) == 4;
    let is_month = |s: &str| matches!(s.len(), 1..=3) && s.bytes().all(|b| b.is_ascii_alphanumeric());
    let pairs = folders.iter().zip(folders.iter().skip(1).chain(std::iter::once(&"")));
    pairs.into_iter().any(|(a, b)| {
        is_year(a) && is_month(b)
            || a.len() == 10 && a.get(..4).is_some_and(is_year) && a.matches('-').count() == 2
    })
}

fn digits_in_a_row(text: &str) -> usize {
    text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or(0)
}

fn is_headline(text: &str) -> bool {
    let chars = text.chars().count();
    if text.contains(is_unspaced) { chars >= 10 } else { chars >= 20 && word_count(text) >= 4 }
}
