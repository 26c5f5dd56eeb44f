//! What a page declares of itself: JSON-LD, meta elements, microdata, links. Gathered in one walk over the outline.

use serde_json::Value;
use url::Url;

use crate::{
    text::{squeeze, unescape},
    title::heading_text,
    tree::{Element, Outline, attr},
};

/// Bytes of one JSON-LD script, and values visited in all of them.
const MAX_JSON_BYTES: usize = 2 << 20;
const MAX_JSON_VALUES: usize = 20_000;
/// Values kept of one kind.
const MAX_VALUES: usize = 200;
/// Old themes head every widget with an `h1`.
const MAX_HEADINGS: usize = 24;

/// Everything declared, as written but for squeezed white space.
#[derive(Debug, Default)]
pub(crate) struct Declared<'a> {
    /// `(property, name, itemprop or http-equiv in lower case, content)` of meta elements, in order.
    pub meta: Vec<(String, String)>,
    /// JSON-LD nodes that are articles, in order.
    pub articles: Vec<Value>,
    /// The types of all JSON-LD nodes.
    pub types: Vec<String>,
    /// Names of organisations that JSON-LD declares as publishers or sites.
    pub site_names: Vec<String>,
    /// `(itemprop, value)` of elements of the page.
    pub items: Vec<(&'a str, String)>,
    /// `(node, date)` of elements that give a date in an attribute.
    pub times: Vec<(usize, &'a str)>,
    /// JSON-LD nodes that are not articles and name an author or a date of publication: the page itself, a recipe, a
    /// thread.
    pub works: Vec<Value>,
    /// `(@id, name)` of JSON-LD nodes that others refer to.
    pub named: Vec<(String, String)>,
    /// `(node, text without kicker)` of `h1`.
    pub headings: Vec<(usize, String)>,
    /// `(whether it links, text)` of `h2` and `h3`.
    pub subheadings: Vec<(bool, String)>,
    pub title: Option<String>,
    pub canonical: Option<&'a str>,
    pub amp: Option<&'a str>,
    pub license: Option<&'a str>,
    pub language: Option<&'a str>,
    pub base: Option<&'a str>,
}

impl Declared<'_> {
    /// The first value of the first of `keys` that has one.
    pub fn meta(&self, keys: &[&str]) -> Option<&str> {
        keys.iter().find_map(|key| self.all_meta(key).find(|v| !v.is_empty()))
    }

    pub fn all_meta<'s>(&'s self, key: &str) -> impl Iterator<Item = &'s str> {
        self.meta.iter().filter(move |(k, _)| k == key).map(|(_, v)| v.as_str())
    }

    /// The first text of an articles' property.
    pub fn article_text(&self, key: &str) -> Option<String> {
        self.articles.iter().find_map(|a| a.get(key).and_then(text_of)).filter(|t| !t.is_empty())
    }

    /// The headline of the article that names this page as its own, or else of the first.
    pub fn headline(&self, url: Option<&Url>) -> Option<Headline> {
        let addresses = [url.map(Url::as_str), self.canonical];
        let is_own = |article: &Value| {
            ["url", "mainEntityOfPage", "@id"]
                .iter()
                .filter_map(|key| address_of(article.get(key)?))
                .any(|a| addresses.iter().flatten().any(|known| same_address(a, known)))
        };
        let headlines = || {
            self.articles.iter().filter_map(|article| {
                let text = article.get("headline").and_then(text_of).filter(|t| !t.is_empty())?;
                Some((article, text))
            })
        };
        let (article, text) = headlines().find(|(a, _)| is_own(a)).or_else(|| headlines().next())?;
        let types = article.get("@type").map(types_of).unwrap_or_default();
        Some(Headline { text, is_blog: types.iter().any(|t| t.contains("Blog")) })
    }

    /// The works that stand for the page's article as far as dates go.
    pub fn dated_works(&self) -> impl Iterator<Item = &Value> {
        let is_dated = |work: &&Value| {
            work.get("@type").is_some_and(|types| types_of(types).iter().any(|name| is_dated_work(name)))
        };
        self.works.iter().filter(is_dated)
    }

    pub fn item(&self, key: &str) -> Option<&str> {
        self.all_items(key).next()
    }

    pub fn all_items<'s>(&'s self, key: &str) -> impl Iterator<Item = &'s str> {
        self.items.iter().filter(move |(k, v)| *k == key && !v.is_empty()).map(|(_, v)| v.as_str())
    }
}

/// JSON-LD's account of the title.
pub(crate) struct Headline {
    pub text: String,
    pub is_blog: bool,
}

fn address_of(value: &Value) -> Option<&str> {
    value.as_str().or_else(|| value.get("@id")?.as_str()).or_else(|| value.get("url")?.as_str())
}

/// Whether two addresses differ in scheme, query and fragment only.
fn same_address(a: &str, b: &str) -> bool {
    bare_address(a) == bare_address(b)
}

fn bare_address(address: &str) -> &str {
    let address = address.split(['?', '#']).next().unwrap_or(address);
    address.split_once("://").map_or(address, |(_, rest)| rest).trim_end_matches('/')
}

/// Gathers what the page declares.
pub(crate) fn declared<'a>(outline: &Outline<'a>) -> Declared<'a> {
    let mut found = Declared::default();
    for (at, element) in outline.elements() {
        match element.name() {
            "html" => found.language = attr(element, "lang").or_else(|| attr(element, "xml:lang")),
            "base" => found.base = found.base.or_else(|| attr(element, "href")),
            "title" if found.title.is_none() => found.title = Some(outline.text(at, 2000)),
            "meta" => meta(element, &mut found),
            "link" => link(element, &mut found),
            "script" if attr(element, "type").is_some_and(|t| t.to_ascii_lowercase().contains("ld+json")) => {
                if let Some(json) = outline.raw_text(at) {
                    json_ld(json, &mut found);
                }
            }
            "h1" if found.headings.len() < MAX_HEADINGS => {
                found.headings.push((at, heading_text(outline, at)));
            }
            "h2" | "h3" if found.subheadings.len() < MAX_HEADINGS => {
                found.subheadings.push((links(outline, at), heading_text(outline, at)));
            }
            _ => {}
        }
        time(at, element, &mut found);
        item(outline, at, element, &mut found);
    }
    found
}

/// Whether an element holds a link or stands in one.
fn links(outline: &Outline, at: usize) -> bool {
    const NEAR: usize = 8;
    let is_link = |at: usize| outline.name(at) == "a";
    (at..outline.node(at).end).take(NEAR).any(is_link) || outline.ancestors(at).take(NEAR).any(is_link)
}

fn meta(element: &Element, found: &mut Declared) {
    let Some(content) = attr(element, "content").or_else(|| attr(element, "value")) else { return };
    // Routers that know no script among their metas write JSON-LD so.
    if attr(element, "name") == Some("script:ld+json") {
        return json_ld(content, found);
    }
    if found.meta.len() < MAX_VALUES {
        for key in ["property", "name", "itemprop", "http-equiv"] {
            if let Some(key) = attr(element, key) {
                found.meta.push((key.trim().to_lowercase(), squeeze(&unescape(content))));
            }
        }
    }
}

fn link<'a>(element: &'a Element, found: &mut Declared<'a>) {
    let (Some(rel), Some(href)) = (attr(element, "rel"), attr(element, "href")) else { return };
    for rel in rel.split_ascii_whitespace() {
        match rel.to_ascii_lowercase().as_str() {
            "canonical" => found.canonical = found.canonical.or(Some(href)),
            "amphtml" => found.amp = found.amp.or(Some(href)),
            "license" => found.license = found.license.or(Some(href)),
            _ => {}
        }
    }
}

/// `<time datetime>`, `<abbr class=published title>`, `<span itemprop=datePublished content>`,
/// `<span property="dc:date dc:created" content>`.
fn time<'a>(at: usize, element: &'a Element, found: &mut Declared<'a>) {
    if found.times.len() >= MAX_VALUES {
        return;
    }
    let is_item = || {
        let named = ["itemprop", "property"].iter().find_map(|name| attr(element, name));
        let name = named.and_then(|name| name.rsplit(':').next());
        element.name() != "meta"
            && name.is_some_and(|p| matches!(p, "datePublished" | "dateModified" | "dateCreated" | "created"))
    };
    let given = match element.name() {
        "time" => attr(element, "datetime"),
        "abbr" => attr(element, "title"),
        _ => None,
    };
    let given = given.or_else(|| {
        let content = attr(element, "content").or_else(|| attr(element, "datetime"))?;
        is_item().then_some(content)
    });
    found.times.extend(given.map(|date| (at, date)));
}

fn item<'a>(outline: &Outline<'a>, at: usize, element: &'a Element, found: &mut Declared<'a>) {
    if let Some(prop) = attr(element, "itemprop")
        && element.name() != "meta"
        && found.items.len() < MAX_VALUES
        && matches!(prop, "headline" | "author" | "name" | "articleSection" | "description")
    {
        let given = attr(element, "content").or_else(|| attr(element, "datetime"));
        found.items.push((prop, given.map_or_else(|| outline.text(at, 500), squeeze)));
    }
}

fn json_ld(json: &str, found: &mut Declared) {
    if json.len() > MAX_JSON_BYTES {
        return;
    }
    let Some(root) = read_json(json) else { return };
    // The root articles first: an article inside another node is often a related one.
    let mut queue = std::collections::VecDeque::from([root]);
    let mut visited = 0;
    while let Some(value) = queue.pop_front() {
        visited += 1;
        if visited > MAX_JSON_VALUES {
            return;
        }
        match value {
            Value::Array(values) => queue.extend(values),
            Value::Object(mut map) => {
                let types = map.get("@type").map(types_of).unwrap_or_default();
                if let Some(Value::Array(graph)) = map.remove("@graph") {
                    queue.extend(graph);
                }
                for key in ["mainEntity", "mainEntityOfPage", "liveBlogUpdate"] {
                    if let Some(inner @ Value::Object(_)) = map.get(key) {
                        queue.push_back(inner.clone());
                    }
                }
                let value = Value::Object(map);
                let is_site = types.iter().any(|t| matches!(t.as_str(), "WebSite" | "NewsMediaOrganization"));
                let site = if is_site { value.get("name") } else { value.get("publisher") };
                if found.site_names.len() < MAX_VALUES
                    && let Some(name) = site.and_then(text_of)
                {
                    found.site_names.push(name);
                }
                let is_article = types.iter().any(|t| is_article_type(t));
                let is_aside = types
                    .iter()
                    .any(|t| matches!(t.as_str(), "Comment" | "ImageObject" | "Quotation" | "Claim"));
                let has_credit = value.get("author").is_some() || value.get("datePublished").is_some();
                if found.types.len() < MAX_VALUES {
                    found.types.extend(types);
                }
                if let (Some(id), Some(name)) = (value.get("@id").and_then(Value::as_str), value.get("name"))
                    && let Some(name) = text_of(name)
                    && found.named.len() < MAX_VALUES
                {
                    found.named.push((id.to_owned(), name));
                }
                if is_article && found.articles.len() < 8 {
                    found.articles.push(value);
                } else if has_credit && !is_aside && found.works.len() < 8 {
                    found.works.push(value);
                }
            }
            _ => {}
        }
    }
}

/// Templates put raw control characters, comments and trailing semicolons into JSON; they are mended once.
fn read_json(json: &str) -> Option<Value> {
    let bare = json
        .trim()
        .trim_start_matches("<!--")
        .trim_start_matches("//<![CDATA[")
        .trim_start_matches("<![CDATA[");
    let bare = bare
        .trim_end_matches("-->")
        .trim_end_matches("//]]>")
        .trim_end_matches("]]>")
        .trim()
        .trim_end_matches(';');
    serde_json::from_str(bare).ok().or_else(|| {
        let mended: String = bare.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        serde_json::from_str(&mended).ok()
    })
}

pub(crate) fn types_of(value: &Value) -> Vec<String> {
    let list = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    let name = |v: &Value| v.as_str().map(|t| t.rsplit(['/', '#', ':']).next().unwrap_or(t).to_owned());
    list.iter().take(8).filter_map(name).collect()
}

fn is_article_type(name: &str) -> bool {
    name.ends_with("Article")
        || matches!(
            name,
            "BlogPosting" | "LiveBlogPosting" | "Report" | "Review" | "SocialMediaPosting" | "Posting"
        )
}

/// What may stand in an article's place, and is dated as one.
fn is_dated_work(name: &str) -> bool {
    name.ends_with("Page") || matches!(name, "HowTo" | "Recipe" | "CreativeWork" | "Guide" | "PodcastEpisode")
}

/// The text of a value: itself, its `name` or `@value`, or the first such of an array.
pub(crate) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(squeeze(&unescape(text))),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(values) => values.first().filter(|v| !v.is_array()).and_then(text_of),
        Value::Object(map) => {
            let inner = map.get("name").or_else(|| map.get("@value"))?;
            if inner.is_string() { text_of(inner) } else { None }
        }
        _ => None,
    }
}

/// All texts of a value that may be one or many, `limit` at most.
pub(crate) fn texts_of(value: &Value, limit: usize) -> Vec<String> {
    let list = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    list.iter().filter_map(text_of).filter(|t| !t.is_empty()).take(limit).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::parse;

    #[test]
    fn graphs_arrays_and_broken_json_are_read() {
        for json in [
            r#"{"@graph":[{"@type":"WebSite","name":"The Quay"},{"@type":["Thing","NewsArticle"],"headline":"Tide"}]}"#,
            r#"[{"@type":"http://schema.org/ReportageNewsArticle","headline":"Tide","publisher":{"name":"The Quay"}}]"#,
            "{\"@type\":\"WebPage\",\"publisher\":{\"name\":\"The Quay\"},\"mainEntity\":{\"@type\":\"BlogPosting\",\"headline\":\"Ti\tde\"}};",
        ] {
            let page = format!("<script type='application/ld+json'>{json}</script>");
            let parsed = parse(&page);
            let outline = Outline::of(&parsed.html);
            let found = declared(&outline);
            assert_eq!(found.article_text("headline").unwrap().replace(' ', ""), "Tide", "{json}");
            assert_eq!(found.site_names, ["The Quay"], "{json}");
        }
    }

    #[test]
    fn json_ld_in_a_meta_is_read() {
        let page = r#"<meta name="script:ld+json" content="{&quot;@type&quot;:&quot;Article&quot;,&quot;headline&quot;:&quot;Tide&quot;}">"#;
        let parsed = parse(page);
        let outline = Outline::of(&parsed.html);
        let found = declared(&outline);
        assert_eq!(found.article_text("headline").as_deref(), Some("Tide"));
        assert!(found.meta.is_empty());
    }

    #[test]
    fn the_headline_is_of_the_article_that_is_the_page() {
        let page = r#"<script type="application/ld+json">[
            {"@type":"NewsArticle","headline":"Other","url":"https://quay.example/other"},
            {"@type":"BlogPosting","headline":"Tide","mainEntityOfPage":{"@id":"http://quay.example/tide/#x"}}]</script>"#;
        let parsed = parse(page);
        let outline = Outline::of(&parsed.html);
        let found = declared(&outline);
        let headline = |url: &str| found.headline(Url::parse(url).ok().as_ref()).map(|h| (h.text, h.is_blog));
        assert_eq!(headline("https://quay.example/tide?a=b"), Some(("Tide".to_owned(), true)));
        assert_eq!(headline("https://quay.example/new"), Some(("Other".to_owned(), false)));
    }
}
