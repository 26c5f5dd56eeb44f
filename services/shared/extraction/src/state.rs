//! The article in a page's state: the JSON (or the inert template) that a script draws the page from. Read only where
//! the page itself shows little, and believed only for a story that the page names or begins.

use serde_json::{Map, Value};

use crate::{
    body::plain,
    declared::texts_of,
    people::has_byline_prefix,
    text::{ends_sentence, loose, squeeze, weight},
    tree::{Outline, attr},
};

/// A story told by the state.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Story {
    pub headline: Option<String>,
    pub paragraphs: Vec<String>,
    pub authors: Vec<String>,
    pub published: Option<String>,
    pub modified: Option<String>,
}

/// [`weight`] of a page's text from which its state is not read.
const MAX_SHOWN: usize = 1500;
/// Bytes of scripts parsed for one page, counted anew for each attempt at one.
const MAX_SCRIPT_BYTES: usize = 8 << 20;
/// Attempts at one script.
const MAX_ATTEMPTS: usize = 8;
/// JSON values visited.
const MAX_VISITS: usize = 300_000;
const MAX_PARAGRAPHS: usize = 2000;

/// The story that the state tells, where it is far more than the page's paragraphs.
pub(crate) fn story(outline: &Outline, title: &str, shown: &[String]) -> Option<Story> {
    let mut shown_weight = 0;
    for paragraph in shown {
        shown_weight += weight(paragraph);
        if shown_weight >= MAX_SHOWN {
            return None;
        }
    }
    let mut search = Search {
        title: loose(title),
        stub: shown.iter().map(|p| loose(p)).find(|p| p.len() >= 40).unwrap_or_default(),
        visits: MAX_VISITS,
        best: None,
    };
    let mut bytes = MAX_SCRIPT_BYTES;
    for (at, element) in outline.elements().filter(|(_, e)| e.name() == "script") {
        let Some(script) = outline.raw_text(at) else { continue };
        let kind = attr(element, "type").unwrap_or_default().to_ascii_lowercase();
        if kind.contains("ld+json") || script.len() < 150 {
            continue;
        }
        if kind.contains("template") {
            let paragraphs: Vec<String> =
                lines(script).into_iter().skip_while(|line| has_byline_prefix(line)).collect();
            if shown_weight == 0 && paragraphs.iter().any(|p| ends_sentence(p)) {
                search.offer(1, Story { paragraphs, ..Story::default() });
            }
            continue;
        }
        for value in values(script, &mut bytes) {
            search.visit(&value);
        }
    }
    let (_, found, story) = search.best?;
    (found > shown_weight * 3 / 2 && found > shown_weight + 120).then_some(story)
}

/// The JSON values of a script: all of it, what it assigns, or what it gives to `JSON.parse`.
fn values(script: &str, bytes: &mut usize) -> Vec<Value> {
    let mut found = Vec::new();
    let mut rest = script.trim_start();
    if !rest.starts_with(['{', '[']) {
        rest = next_value(rest).unwrap_or_default();
    }
    for _ in 0..MAX_ATTEMPTS {
        if rest.is_empty() || rest.len() > *bytes {
            break;
        }
        *bytes -= rest.len();
        let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        let read = stream.next().and_then(Result::ok);
        let end = if read.is_some() { stream.byte_offset() } else { 1 };
        match read {
            Some(Value::String(inner)) => found.extend(serde_json::from_str(&inner).ok()),
            Some(value) => found.push(value),
            None => {}
        }
        rest = rest.get(end..).and_then(next_value).unwrap_or_default();
    }
    found
}

/// From the next object that is assigned or string that is parsed.
fn next_value(script: &str) -> Option<&str> {
    const PARSE: &str = "JSON.parse(";
    let assigned = script.match_indices('=').find_map(|(at, _)| {
        let value = script.get(at + 1..)?.trim_start();
        value.starts_with("{\"").then_some(value)
    });
    let parsed =
        script.find(PARSE).and_then(|at| script.get(at + PARSE.len()..)).filter(|v| v.starts_with('"'));
    // The longer rest is the earlier one.
    assigned.into_iter().chain(parsed).max_by_key(|rest| rest.len())
}

struct Search {
    /// The page's title and the beginning of its text, loosened.
    title: String,
    stub: String,
    visits: usize,
    /// How sure, how heavy, and the story.
    best: Option<(u8, usize, Story)>,
}

impl Search {
    fn visit(&mut self, root: &Value) {
        let mut open = vec![root];
        while let Some(value) = open.pop() {
            if self.visits == 0 {
                return;
            }
            self.visits -= 1;
            match value {
                Value::Array(values) => open.extend(values),
                Value::Object(map) => {
                    self.consider(map);
                    open.extend(map.values());
                }
                _ => {}
            }
        }
    }

    fn consider(&mut self, map: &Map<String, Value>) {
        const BODIES: &[&str] = &[
            "articleBody",
            "article_body",
            "body",
            "bodyHtml",
            "body_html",
            "bodyText",
            "content",
            "contentHtml",
            "content_html",
            "contents",
            "html",
            "text",
            "fullText",
            "paragraphs",
            "blocks",
            "components",
            "elements",
            "content_elements",
            "contentElements",
            "bodyElements",
            "sections",
            "story",
            "rendered",
        ];
        let bodies = BODIES.iter().filter_map(|key| map.get(*key)).filter(|v| is_long(v)).map(|value| {
            let mut gathering = Gathering { visits: self.visits, ..Gathering::default() };
            gathering.gather(value, "", 0);
            self.visits = gathering.visits;
            gathering.paragraphs
        });
        let heavy = |paragraphs: &Vec<String>| {
            paragraphs.iter().filter(|p| ends_sentence(p)).map(|p| weight(p)).sum::<usize>()
        };
        let Some(paragraphs) = bodies.max_by_key(heavy).filter(|p| heavy(p) >= 150) else { return };
        let headline =
            ["headline", "title", "name", "heading"].iter().find_map(|key| text_in(map.get(*key)?));
        let named = headline.as_deref().map(loose).is_some_and(|headline| {
            let (title, headline) = (self.title.as_str(), headline.as_str());
            headline == title && !title.is_empty()
                || headline.len() >= 15 && title.contains(headline)
                || title.len() >= 15 && headline.contains(title)
        });
        let begun =
            || !self.stub.is_empty() && paragraphs.iter().take(5).any(|p| loose(p).contains(&self.stub));
        let sure = if named {
            2
        } else if begun() || self.title.is_empty() && self.stub.is_empty() && headline.is_some() {
            1
        } else {
            return;
        };
        let people = ["authors", "author", "byline", "bylines", "creator", "creators"]
            .iter()
            .find_map(|key| map.get(*key))
            .map(|value| texts_of(value, 20));
        let when = |keys: &[&str]| keys.iter().find_map(|key| map.get(*key)?.as_str()).map(str::to_owned);
        let story = Story {
            headline,
            authors: people.unwrap_or_default(),
            published: when(&[
                "datePublished",
                "publishedAt",
                "published_at",
                "publishDate",
                "publishedDate",
                "publicationDate",
                "firstPublished",
                "first_publish_date",
                "publish_date",
                "published",
                "pubDate",
                "display_date",
                "date",
                "createdAt",
            ]),
            modified: when(&[
                "dateModified",
                "modifiedAt",
                "updatedAt",
                "updated_at",
                "lastModified",
                "modified",
            ]),
            paragraphs,
        };
        self.offer(sure, story);
    }

    fn offer(&mut self, sure: u8, story: Story) {
        let weight = story.paragraphs.iter().map(|p| weight(p)).sum();
        if self.best.as_ref().is_none_or(|(s, w, _)| (sure, weight) > (*s, *w)) {
            self.best = Some((sure, weight, story));
        }
    }
}

/// Whether a value may hold a body: a cheap look before it is gathered.
fn is_long(value: &Value) -> bool {
    match value {
        Value::String(text) => text.len() >= 150,
        Value::Array(values) => !values.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => false,
    }
}

/// A text, or the one an object renders or calls basic.
fn text_in(value: &Value) -> Option<String> {
    let text = value
        .as_str()
        .or_else(|| ["basic", "rendered", "text", "main"].iter().find_map(|key| value.get(*key)?.as_str()))?;
    let text = squeeze(&plain(text));
    (!text.is_empty()).then_some(text)
}

/// Keys under which blocks and runs keep their text.
const TEXTS: &[&str] = &[
    "text",
    "html",
    "value",
    "content",
    "children",
    "paragraphs",
    "blocks",
    "model",
    "body",
    "copy",
    "rendered",
    "items",
    "elements",
    "nodes",
    "data",
    "attributes",
    "props",
];

#[derive(Default)]
struct Gathering {
    paragraphs: Vec<String>,
    visits: usize,
}

impl Gathering {
    /// Adds a value's paragraphs; `kind` is that of the block around it.
    fn gather(&mut self, value: &Value, kind: &str, depth: usize) {
        const MAX_DEPTH: usize = 16;
        if depth > MAX_DEPTH || self.visits == 0 || self.paragraphs.len() >= MAX_PARAGRAPHS {
            return;
        }
        self.visits -= 1;
        match value {
            Value::String(text) => self.paragraphs.extend(lines(text)),
            Value::Array(values) if is_paragraph(kind) => {
                let mut run = String::new();
                values.iter().for_each(|value| self.join(value, &mut run, depth));
                self.paragraphs.extend(lines(&run));
            }
            Value::Array(values) => values.iter().for_each(|value| self.gather(value, kind, depth + 1)),
            Value::Object(map) => {
                let own = kind_of(map);
                if !is_furniture(own) {
                    let own = if own.is_empty() { kind } else { own };
                    let before = self.paragraphs.len();
                    for value in TEXTS.iter().filter_map(|key| map.get(*key)) {
                        self.gather(value, own, depth + 1);
                        if self.paragraphs.len() > before {
                            break;
                        }
                    }
                }
            }
            _ => {}
        }
    }

    /// Adds the text of a run in a paragraph.
    fn join(&mut self, value: &Value, run: &mut String, depth: usize) {
        const MAX_DEPTH: usize = 24;
        if depth > MAX_DEPTH || self.visits == 0 {
            return;
        }
        self.visits -= 1;
        match value {
            Value::String(text) => run.push_str(text),
            Value::Array(values) => values.iter().for_each(|value| self.join(value, run, depth + 1)),
            Value::Object(map) if !is_furniture(kind_of(map)) => {
                let before = run.len();
                for value in TEXTS.iter().filter_map(|key| map.get(*key)) {
                    self.join(value, run, depth + 1);
                    if run.len() > before {
                        break;
                    }
                }
            }
            _ => {}
        }
    }
}

fn kind_of(map: &Map<String, Value>) -> &str {
    ["type", "_type", "nodeType", "kind", "__typename", "blockType", "tag"]
        .iter()
        .find_map(|key| map.get(*key)?.as_str())
        .unwrap_or_default()
}

/// Whether a block's children are the runs of one paragraph.
fn is_paragraph(kind: &str) -> bool {
    let kind = kind.to_ascii_lowercase();
    kind.contains("paragraph")
        || kind.starts_with("heading")
        || matches!(
            kind.as_str(),
            "p" | "block" | "h2" | "h3" | "h4" | "li" | "list-item" | "listitem" | "list_item"
        )
}

fn is_furniture(kind: &str) -> bool {
    const PARTS: &[&str] = &[
        "image",
        "photo",
        "picture",
        "video",
        "audio",
        "podcast",
        "gallery",
        "embed",
        "advert",
        "newsletter",
        "related",
        "promo",
        "social",
        "iframe",
        "button",
        "caption",
        "byline",
        "author",
        "signup",
        "script",
        "style",
    ];
    let kind = kind.to_ascii_lowercase();
    matches!(kind.as_str(), "ad" | "ads" | "cta") || PARTS.iter().any(|part| kind.contains(part))
}

fn lines(text: &str) -> Vec<String> {
    plain(text).lines().map(squeeze).filter(|line| line.chars().any(char::is_alphanumeric)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::parse;

    const ONE: &str =
        "The harbour council voted on Tuesday evening to repair the old ferry pier before the storms.";
    const TWO: &str =
        "Engineers had warned this summer that two of the nine piles were hollow and might give way.";

    fn told(script: &str, title: &str, shown: &[String]) -> Option<Story> {
        let parsed = parse(&format!("<div id=app></div>{script}"));
        story(&Outline::of(&parsed.html), title, shown)
    }

    #[test]
    fn states_of_many_shapes_are_read() {
        for script in [
            format!(
                r#"<script id="__NEXT_DATA__" type="application/json">{{"props":{{"story":{{"headline":"Pier repaired","body":"<p>{ONE}</p><p>{TWO}</p>"}}}}}}</script>"#
            ),
            format!(
                r#"<script>window.__INITIAL_STATE__ = {{"a":{{"title":"Pier repaired","paragraphs":["{ONE}","{TWO}"]}}}}; start();</script>"#
            ),
            format!(
                r#"<script>var x = {{a:1}}; window.__APOLLO_STATE__={{"Article:1":{{"title":"Pier repaired","content":{{"type":"doc","content":[{{"type":"paragraph","content":[{{"type":"text","text":"{ONE}"}}]}},{{"type":"image","text":"At the pier."}},{{"type":"paragraph","content":[{{"type":"text","text":"{}"}},{{"type":"text","text":"{}"}}]}}]}}}}}}</script>"#,
                &TWO[..20],
                &TWO[20..]
            ),
            format!(
                r#"<script type="application/json">[{{"headlines":1,"headline":{{"basic":"Pier repaired"}},"content_elements":[{{"type":"text","content":"{ONE}"}},{{"type":"text","content":"{TWO}"}}]}}]</script>"#
            ),
            format!(
                r#"<script>window.__STATE__ = JSON.parse("{{\"title\":\"Pier repaired\",\"blocks\":[{{\"type\":\"text\",\"model\":{{\"text\":\"{ONE}\"}}}},{{\"type\":\"text\",\"model\":{{\"text\":\"{TWO}\"}}}}]}}");</script>"#
            ),
        ] {
            let found = told(&script, "Pier repaired", &[]).expect(&script);
            assert_eq!(found.paragraphs, [ONE, TWO], "{script}");
            assert_eq!(found.headline.as_deref(), Some("Pier repaired"), "{script}");
        }
        let template =
            format!("<script type='text/template'><div>Posted by Ann Able<br>{ONE}<br>{TWO}</div></script>");
        assert_eq!(told(&template, "Pier repaired", &[]).unwrap().paragraphs, [ONE, TWO]);
    }

    #[test]
    fn another_story_or_no_more_than_the_page_shows_is_not_taken() {
        let script = format!(
            r#"<script type="application/json">{{"title":"Pier repaired","date":"2024-03-05","authors":[{{"name":"Ann Able"}}],"body":["{ONE}","{TWO}","{ONE}"]}}</script>"#
        );
        assert_eq!(told(&script, "Herring catch falls again", &[]), None);
        assert_eq!(told(&script, "Pier repaired", &[ONE.to_owned(), TWO.to_owned()]), None);
        let begun = told(&script, "", &[ONE[..41].to_owned()]).unwrap();
        assert_eq!(
            (begun.published.as_deref(), begun.authors),
            (Some("2024-03-05"), vec!["Ann Able".to_owned()])
        );
    }

    #[test]
    fn broken_state_is_skipped() {
        for script in
            ["={\"".repeat(2000), "[".repeat(5000), "JSON.parse(\"".repeat(1000), "= {\"a\":".repeat(900)]
        {
            assert_eq!(told(&format!("<script>{script}</script>"), "a", &[]), None);
        }
    }
}
