//! What a page shows of its kind, beside its text: gathered in one walk over the outline and one over the blocks.

use serde_json::Value;
use url::Url;

use crate::{
    blocks::{Block, Kind},
    body::Body,
    declared::Declared,
    marks::Marks,
    text::{loose, word_count},
    tree::{Element, Outline, attr},
};

/// What the verdict is taken from.
#[derive(Debug, Default)]
pub(crate) struct Signs<'a> {
    /// The page's title in its parts, and its first `h1`.
    pub headings: Vec<&'a str>,
    pub text: &'a str,
    pub words: usize,
    pub paragraphs: usize,
    /// The share of the body's text that is links.
    pub link_density: f64,
    /// [`crate::text::weight`] of all visible text.
    pub page_weight: usize,
    /// The first text of the page, body or not.
    pub opening: &'a str,
    pub shape: Shape,
    pub markup: Markup,
    pub says: Says,
    /// The address has no path: a front page.
    pub is_front: bool,
    /// The address is one of a tag, an author, a search, a further page.
    pub is_listing_path: bool,
}

/// What a page says that it is.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Says {
    /// One JSON-LD article, or very few. Listings declare all of theirs.
    pub article: bool,
    /// `og:type` is "article", which some templates print on every page.
    pub og_article: bool,
    pub liveblog: bool,
    pub listing: bool,
    pub gallery: bool,
    /// A product, a job, a person.
    pub thing: bool,
    pub video: bool,
    pub paywalled: bool,
}

/// The blocks in and after the story.
#[derive(Debug, Default)]
pub(crate) struct Shape {
    /// Headings between the story's first and last block that are links within the site: those of other stories.
    pub linked_headings: usize,
    /// Other lines between them that are links.
    pub linked_lines: usize,
    /// Words of the story before the first of either.
    pub lead_words: usize,
    /// Lines that are times of day, and headings that begin with one.
    pub clock_lines: usize,
    /// What stands after the story's beginning and is not the story.
    pub leftover: String,
}

/// What the markup shows.
#[derive(Debug, Default)]
pub(crate) struct Markup {
    /// `<article>` elements, those marked as related ones aside.
    pub cards: usize,
    pub scripts: usize,
    /// An element for a script to fill, with hardly anything in it.
    pub has_empty_mount: bool,
    /// What `<noscript>` elements say.
    pub noscript: String,
    /// The parts of a bot challenge.
    pub has_captcha: bool,
    /// The scripts and frames of a service that parks domains.
    pub has_parking: bool,
    /// Pictures in galleries.
    pub pictures: usize,
    pub has_live_entries: bool,
    /// Links of as many words as a headline has.
    pub story_links: usize,
}

/// Words from which a page is no challenge.
pub(crate) const MAX_CHALLENGE_WORDS: usize = 150;
const MAX_LEFTOVER_BYTES: usize = 2000;
const MAX_NOSCRIPT_BYTES: usize = 1000;

impl Shape {
    /// `kept` are the indices of the story's blocks, ascending; `host` is the page's.
    pub fn of(outline: &Outline, blocks: &[Block], kept: &[usize], host: &str) -> Self {
        /// The first entry's heading and time stand before the first block of text.
        const BEFORE: usize = 2;
        let mut shape = Self::default();
        let (Some(&first), Some(&last)) = (kept.first(), kept.last()) else { return shape };
        let mut story = kept.iter().peekable();
        for (k, block) in blocks.iter().enumerate().skip(first.saturating_sub(BEFORE)) {
            let is_kept = story.next_if(|&&s| s == k).is_some();
            let is_heading = matches!(block.kind, Kind::Heading(_));
            if k <= last {
                let is_linked = block.link_density() > 0.8;
                if is_linked && is_heading && links_within(outline, block, host) {
                    shape.linked_headings += 1;
                } else if is_linked && block.kind == Kind::Loose && block.words() >= 3 {
                    shape.linked_lines += 1;
                }
                let is_short = block.text.len() <= 24 && block.kind != Kind::Cell;
                shape.clock_lines += usize::from((is_heading || is_short) && opens_with_clock(&block.text));
            } else if shape.leftover.len() >= MAX_LEFTOVER_BYTES {
                break;
            }
            if is_kept && shape.linked_headings + shape.linked_lines == 0 {
                shape.lead_words += block.words();
            }
            if !is_kept && k > first && shape.leftover.len() < MAX_LEFTOVER_BYTES {
                shape.leftover.push_str(&block.text);
                shape.leftover.push('\n');
            }
        }
        shape
    }
}

/// Whether the link in or around a heading leads to the same site.
fn links_within(outline: &Outline, block: &Block, host: &str) -> bool {
    /// A heading of more nodes is none of a story.
    const MAX_NODES: usize = 40;
    let inside = block.element..outline.node(block.element).end.min(block.element + MAX_NODES);
    let href = inside
        .chain(outline.ancestors(block.element).take(4))
        .filter_map(|at| outline.element(at).filter(|e| e.name() == "a"))
        .find_map(|link| attr(link, "href"));
    href.is_some_and(|href| match href.split_once("//") {
        Some((_, rest)) => {
            let target = rest.split(['/', '?', '#', ':']).next().unwrap_or_default();
            target.trim_start_matches("www.") == host.trim_start_matches("www.")
        }
        None => !href.starts_with('#'),
    })
}

/// `18:20`, `9.05 Uhr`, `20h30`; or `5 minutes ago`.
fn opens_with_clock(text: &str) -> bool {
    if ["vor ", "il y a ", "hace "].iter().any(|before| {
        text.strip_prefix(before).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    }) {
        return true;
    }
    let digits = |s: &str| s.bytes().take_while(u8::is_ascii_digit).count();
    let hours = digits(text);
    if hours > 0 && text.ends_with(" ago") {
        return true;
    }
    let rest = text.get(hours..).unwrap_or_default();
    let Some(rest) = rest.strip_prefix([':', '.', 'h', 'H', '：']).filter(|_| (1..=2).contains(&hours))
    else {
        return false;
    };
    digits(rest) == 2 && !rest.get(2..).unwrap_or_default().starts_with(['.', '/', '-'])
}

impl Markup {
    /// What only pages of few words are asked is not gathered from others, so that few pay for it.
    pub fn of(outline: &Outline, marks: &[Marks], words: usize) -> Self {
        /// Words below which a page is no article unless it says so.
        const FEW_WORDS: usize = 30;
        let mut found = Self::default();
        let (mut gallery_end, mut elsewhere_end) = (0, 0);
        for (at, element) in outline.elements() {
            let node = outline.node(at);
            let marked = |wanted| marks.get(at).is_some_and(|m| m.has(wanted));
            let is_root = matches!(element.name(), "html" | "body");
            if !is_root && marked(Marks::GALLERY) {
                gallery_end = gallery_end.max(node.end);
            }
            if !is_root && marked(ELSEWHERE) {
                elsewhere_end = elsewhere_end.max(node.end);
            }
            found.has_live_entries |= !is_root && at >= elsewhere_end && marked(Marks::LIVE);
            match element.name() {
                "article" if at >= elsewhere_end => found.cards += 1,
                "img" | "picture" if at < gallery_end && at >= elsewhere_end => found.pictures += 1,
                "script" => found.scripts += 1,
                "noscript" if found.noscript.len() < MAX_NOSCRIPT_BYTES => {
                    if let Some(text) = outline.raw_text(at) {
                        found.noscript.push_str(crate::text::cut(text, MAX_NOSCRIPT_BYTES));
                    }
                }
                "a" if words < FEW_WORDS && word_count(&outline.text(at, 200)) >= 4 => found.story_links += 1,
                _ => {}
            }
            found.has_empty_mount |= is_mount(element) && outline.text(at, 300).len() < 200;
            found.has_captcha |= words < MAX_CHALLENGE_WORDS && is_captcha(element);
            found.has_parking |= words < MAX_CHALLENGE_WORDS && is_parking(element);
        }
        found
    }
}

/// Where other stories stand.
const ELSEWHERE: Marks = Marks::RELATED.with(Marks::NAV).with(Marks::FOOTER).with(Marks::ASIDE);

fn is_mount(element: &Element) -> bool {
    let id = attr(element, "id").unwrap_or_default();
    element.name() == "app-root"
        || matches!(
            id,
            "root"
                | "app"
                | "__next"
                | "__nuxt"
                | "___gatsby"
                | "react-root"
                | "app-root"
                | "application"
                | "q-app"
        )
}

fn is_captcha(element: &Element) -> bool {
    const PARTS: &[&str] =
        &["captcha", "challenge", "cf-chl", "_incapsula_", "datadome", "ddos", "robot-check"];
    let names: &[&str] = match element.name() {
        "script" | "iframe" => &["src"],
        "div" | "form" | "section" | "h1" | "h2" | "p" => &["id", "class"],
        _ => return false,
    };
    names.iter().filter_map(|name| attr(element, name)).any(|value| {
        let value = value.to_ascii_lowercase();
        PARTS.iter().any(|part| value.contains(part))
    })
}

/// Services that park domains, by what their pages load.
fn is_parking(element: &Element) -> bool {
    const SERVICES: &[&str] = &[
        "/adsense/domains/",
        "/apps/domainpark/",
        "bodis.com",
        "domainparking",
        "parkingcrew",
        "parklogic",
        "sedoparking",
    ];
    if !matches!(element.name(), "script" | "iframe" | "frame" | "img") {
        return false;
    }
    attr(element, "src").is_some_and(|src| {
        let src = src.to_ascii_lowercase();
        SERVICES.iter().any(|service| src.contains(service))
    })
}

impl Says {
    pub fn of(declared: &Declared) -> Self {
        /// JSON-LD articles beyond which they are the entries of a list.
        const MAX_ARTICLES: usize = 3;
        let has_type = |wanted: &[&str]| declared.types.iter().any(|t| wanted.contains(&t.as_str()));
        let og_type = declared.meta(&["og:type"]).unwrap_or_default().to_ascii_lowercase();
        let locked = |value: &Value| {
            value.as_bool() == Some(false) || value.as_str().is_some_and(|t| t.eq_ignore_ascii_case("false"))
        };
        let tier = declared.meta(&["article:content_tier"]).unwrap_or_default().to_ascii_lowercase();
        Self {
            article: (1..=MAX_ARTICLES).contains(&declared.articles.len()),
            og_article: og_type == "article",
            liveblog: has_type(&["LiveBlogPosting"]),
            listing: has_type(&["CollectionPage", "ItemList", "SearchResultsPage"]),
            gallery: has_type(&["ImageGallery", "MediaGallery"]) || og_type.contains("gallery"),
            thing: has_type(&["Product", "JobPosting", "ContactPage", "CheckoutPage"])
                || og_type.starts_with("product"),
            video: has_type(&["VideoObject", "AudioObject", "PodcastEpisode"])
                || ["video", "music"].iter().any(|kind| og_type.starts_with(kind)),
            paywalled: declared.articles.iter().any(|a| a.get("isAccessibleForFree").is_some_and(locked))
                || matches!(tier.as_str(), "locked" | "metered"),
        }
    }
}

impl<'a> Signs<'a> {
    pub fn of(
        text: &'a str,
        declared: &'a Declared,
        outline: &Outline,
        marks: &[Marks],
        body: &'a mut Body,
        url: Option<&Url>,
    ) -> Self {
        let words = word_count(text);
        let title = declared.title.as_deref().unwrap_or_default();
        let heading = declared.headings.first().map(|(_, t)| t.as_str());
        Self {
            headings: title
                .split(['|', '–', '—', '·', '»', '›', '•', '｜'])
                .flat_map(|part| part.split(" - "))
                .chain(heading)
                .collect(),
            text,
            words,
            paragraphs: body.paragraphs.len(),
            link_density: body.link_density,
            page_weight: body.page_weight,
            shape: std::mem::take(&mut body.shape),
            opening: &body.opening,
            markup: Markup::of(outline, marks, words),
            says: Says::of(declared),
            is_front: url.is_some_and(|u| u.path().trim_matches('/').is_empty() && u.query().is_none()),
            is_listing_path: url.is_some_and(is_listing_path),
        }
    }
}

fn is_listing_path(url: &Url) -> bool {
    const KINDS: &[&str] = &[
        "tag",
        "tags",
        "category",
        "categories",
        "author",
        "authors",
        "autor",
        "autoren",
        "auteur",
        "autore",
        "topic",
        "topics",
        "thema",
        "themen",
        "themes",
        "search",
        "suche",
        "archive",
        "archives",
        "archiv",
        "page",
        "etiqueta",
        "categoria",
        "kategorie",
        "schlagwort",
        "rubrik",
        "section",
        "keyword",
    ];
    let segments: Vec<String> =
        url.path_segments().into_iter().flatten().filter(|s| !s.is_empty()).take(8).map(loose).collect();
    let last_two = segments.len().saturating_sub(2);
    let named = segments.iter().skip(last_two).any(|s| KINDS.contains(&s.as_str()));
    named || url.query_pairs().take(20).any(|(key, _)| matches!(&*key, "q" | "s" | "query" | "search"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_open_entries() {
        for text in ["18:20", "9.05 Uhr", "20h30 – Le bac part", "7:05 p.m.", "5h ago", "vor 3 Minuten"] {
            assert!(opens_with_clock(text), "{text}");
        }
        for text in ["18:2", "1911", "5.03.2024", "2-1", "", "3.5 million crowns", "100:20"] {
            assert!(!opens_with_clock(text), "{text}");
        }
    }

    #[test]
    fn addresses_of_listings() {
        for (url, is_listing) in [
            ("https://a.example/tag/pier/", true),
            ("https://a.example/news/page/2", true),
            ("https://a.example/?s=pier", true),
            ("https://a.example/news/tag-of-the-pier", false),
            ("https://a.example/topics/harbour/2024/03/05/pier", false),
        ] {
            assert_eq!(is_listing_path(&Url::parse(url).unwrap()), is_listing, "{url}");
        }
    }
}
