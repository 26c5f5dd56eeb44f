//! One parse per page, bounded: the page as a flat list of nodes in document order, each knowing its parent and the end
//! of its subtree, so that everything after the parse is a loop over a slice and nothing recurses on a page's depth.
//!
//! html5ever's cost grows with the depth of the open elements (every block start tag walks them), with the square of a
//! tag's attributes, and, for unclosed formatting elements, with their number times that of the paragraphs. The markup
//! is therefore flattened beyond [`MAX_DEPTH`] and the parse stopped at [`MAX_NODES`].

use std::borrow::Cow;

use html5ever::tendril::TendrilSink;
use scraper::{Html, HtmlTreeSink, Node as DomNode, node::Element};

/// Open elements beyond which start tags are dropped; browsers flatten at 512 too.
const MAX_DEPTH: usize = 512;
/// Attributes beyond which a tag is dropped.
const MAX_ATTRIBUTES: usize = 512;
/// Nodes after which the parse stops.
const MAX_NODES: usize = 400_000;
/// How much is parsed between two looks at the node count.
const CHUNK_BYTES: usize = 16 << 10;

/// A parsed page, and what was cut from it.
pub(crate) struct Parsed {
    pub html: Html,
    pub warnings: Vec<String>,
}

/// Parses markup within the bounds above.
pub(crate) fn parse(markup: &str) -> Parsed {
    let mut warnings = Vec::new();
    let flat = flatten(markup);
    if matches!(flat, Cow::Owned(_)) {
        warnings.push(format!("markup nested deeper than {MAX_DEPTH} elements was flattened"));
    }
    let mut parser = html5ever::driver::parse_document(
        HtmlTreeSink::new(Html::new_document()),
        html5ever::ParseOpts::default(),
    );
    let mut rest: &str = &flat;
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(char_boundary(rest, CHUNK_BYTES));
        parser.process(chunk.into());
        rest = after;
        if parser.tokenizer.sink.sink.0.borrow().tree.values().len() > MAX_NODES {
            warnings.push(format!("only the first {MAX_NODES} nodes were read"));
            break;
        }
    }
    Parsed { html: parser.finish(), warnings }
}

/// The page's elements and texts in document order.
pub(crate) struct Outline<'a> {
    nodes: Vec<Node<'a>>,
}

/// An element or a text; `end` is one past the last node of its subtree.
pub(crate) struct Node<'a> {
    pub parent: usize,
    pub end: usize,
    pub content: Content<'a>,
}

#[derive(Clone, Copy)]
pub(crate) enum Content<'a> {
    Element(&'a Element),
    Text(&'a str),
}

impl<'a> Outline<'a> {
    pub fn of(html: &'a Html) -> Self {
        let mut nodes: Vec<Node<'a>> = Vec::new();
        let mut open: Vec<usize> = Vec::new();
        for edge in html.tree.root().traverse() {
            match edge {
                ego_tree::iter::Edge::Open(node) => {
                    let content = match node.value() {
                        DomNode::Element(element) => Content::Element(element),
                        DomNode::Text(text) => Content::Text(text),
                        _ => continue,
                    };
                    let at = nodes.len();
                    nodes.push(Node { parent: open.last().copied().unwrap_or(at), end: at + 1, content });
                    if matches!(content, Content::Element(_)) {
                        open.push(at);
                    }
                }
                ego_tree::iter::Edge::Close(node) if node.value().is_element() => {
                    let end = nodes.len();
                    if let Some(closed) = open.pop().and_then(|at| nodes.get_mut(at)) {
                        closed.end = end;
                    }
                }
                ego_tree::iter::Edge::Close(_) => {}
            }
        }
        Self { nodes }
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn node(&self, at: usize) -> &Node<'a> {
        &self.nodes[at]
    }

    pub fn nodes(&self) -> &[Node<'a>] {
        &self.nodes
    }

    pub fn element(&self, at: usize) -> Option<&'a Element> {
        match self.nodes.get(at)?.content {
            Content::Element(element) => Some(element),
            Content::Text(_) => None,
        }
    }

    /// The element's name, empty for a text.
    pub fn name(&self, at: usize) -> &'a str {
        self.element(at).map_or("", Element::name)
    }

    pub fn elements(&self) -> impl Iterator<Item = (usize, &'a Element)> + '_ {
        self.nodes.iter().enumerate().filter_map(|(at, node)| match node.content {
            Content::Element(element) => Some((at, element)),
            Content::Text(_) => None,
        })
    }

    pub fn children(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.nodes.get(at).map_or(0, |n| n.end);
        let mut next = at + 1;
        std::iter::from_fn(move || {
            let child = (next < end).then_some(next)?;
            next = self.nodes.get(child)?.end;
            Some(child)
        })
    }

    /// From the parent to the root.
    pub fn ancestors(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let mut here = at;
        std::iter::from_fn(move || {
            let parent = self.nodes.get(here)?.parent;
            let climbed = (parent != here).then_some(parent);
            here = parent;
            climbed
        })
    }

    /// All text of the subtree, white space squeezed, scripts left out; at most `limit` bytes or so.
    pub fn text(&self, at: usize, limit: usize) -> String {
        let end = self.nodes.get(at).map_or(0, |n| n.end);
        let mut out = String::new();
        let mut next = at;
        while next < end && out.len() < limit {
            let node = &self.nodes[next];
            next += 1;
            match node.content {
                Content::Text(text) => out.push_str(text),
                Content::Element(element) => match element.name() {
                    "script" | "style" | "noscript" | "template" | "svg" => next = node.end,
                    "br" | "p" | "div" | "li" => out.push(' '),
                    _ => {}
                },
            }
        }
        crate::text::squeeze(&out)
    }
}

/// An attribute's value. (`Element::attr` interns the name on every call.)
pub(crate) fn attr<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    element.attrs().find(|(found, _)| *found == name).map(|(_, value)| value)
}

fn char_boundary(text: &str, at: usize) -> usize {
    (at.min(text.len())..=text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(text.len())
}

/// Drops the tags that would nest deeper than [`MAX_DEPTH`] or carry too many attributes. Borrowed when none did.
fn flatten(markup: &str) -> Cow<'_, str> {
    let bytes = markup.as_bytes();
    let mut out = String::new();
    let (mut copied, mut depth, mut at) = (0usize, 0usize, 0usize);
    while let Some(found) = bytes.get(at..).and_then(|rest| rest.iter().position(|b| *b == b'<')) {
        let start = at + found;
        let rest = bytes.get(start + 1..).unwrap_or_default();
        if rest.starts_with(b"!--") {
            let body = start + 4;
            at = find(bytes, body, b"-->").map_or(bytes.len(), |i| i + 3);
            continue;
        }
        let closing = rest.first() == Some(&b'/');
        let name_at = start + 1 + usize::from(closing);
        let name = tag_name(bytes.get(name_at..).unwrap_or_default());
        if name.is_empty() {
            at = start + 1;
            continue;
        }
        let (end, attributes) = tag_end(bytes, name_at + name.len());
        at = end;
        let mut drop = attributes > MAX_ATTRIBUTES;
        if nests(name) {
            if closing {
                drop |= depth > MAX_DEPTH;
                depth = depth.saturating_sub(1);
            } else {
                depth += 1;
                drop |= depth > MAX_DEPTH;
            }
        }
        if drop {
            out.push_str(markup.get(copied..start).unwrap_or_default());
            copied = end;
        } else if !closing && is_raw_text(name) {
            let close = [b"</".as_slice(), name].concat();
            at = find(bytes, end, &close).unwrap_or(bytes.len());
        }
    }
    if copied == 0 {
        return Cow::Borrowed(markup);
    }
    out.push_str(markup.get(copied..).unwrap_or_default());
    Cow::Owned(out)
}

fn tag_name(bytes: &[u8]) -> &[u8] {
    if !bytes.first().is_some_and(u8::is_ascii_alphabetic) {
        return &[];
    }
    let end = bytes.iter().take(32).position(|b| b.is_ascii_whitespace() || b"/>".contains(b));
    bytes.get(..end.unwrap_or(32.min(bytes.len()))).unwrap_or_default()
}

/// One past the tag's `>`, and about how many attributes it has.
fn tag_end(bytes: &[u8], from: usize) -> (usize, usize) {
    let (mut quote, mut attributes, mut after_equals) = (None, 0usize, false);
    for (offset, &b) in bytes.get(from..).unwrap_or_default().iter().enumerate() {
        match quote {
            Some(q) if q == b => quote = None,
            Some(_) => {}
            None => match b {
                b'>' => return (from + offset + 1, attributes),
                b'"' | b'\'' if after_equals => quote = Some(b),
                b'=' => {
                    after_equals = true;
                    continue;
                }
                b'/' => attributes += 1,
                b if b.is_ascii_whitespace() => {
                    attributes += 1;
                    continue;
                }
                _ => {}
            },
        }
        after_equals = false;
    }
    (bytes.len(), attributes)
}

/// Whether an element of this name stays open until closed: void elements do not, and those whose end tag may be left
/// out close each other.
fn nests(name: &[u8]) -> bool {
    const FLAT: &[&str] = &[
        "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source",
        "track", "wbr", "p", "li", "dt", "dd", "option", "optgroup", "tr", "td", "th", "thead", "tbody",
        "tfoot", "colgroup", "path", "rect", "circle", "use", "html", "head", "body",
    ];
    !FLAT.iter().any(|flat| name.eq_ignore_ascii_case(flat.as_bytes()))
}

fn is_raw_text(name: &[u8]) -> bool {
    ["script", "style", "textarea", "title", "noscript", "iframe", "xmp", "noembed", "noframes"]
        .iter()
        .any(|raw| name.eq_ignore_ascii_case(raw.as_bytes()))
}

fn find(bytes: &[u8], from: usize, needle: &[u8]) -> Option<usize> {
    let rest = bytes.get(from..)?;
    let first = needle.first()?;
    let mut at = 0;
    while let Some(offset) = rest.get(at..)?.iter().position(|b| b == first) {
        at += offset;
        if rest.get(at..at + needle.len()).is_some_and(|found| found.eq_ignore_ascii_case(needle)) {
            return Some(from + at);
        }
        at += 1;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(markup: &str) -> Vec<String> {
        let parsed = parse(markup);
        Outline::of(&parsed.html).elements().map(|(_, e)| e.name().to_owned()).collect()
    }

    #[test]
    fn subtrees_are_ranges() {
        let parsed = parse("<body><div><p>a <b>b</b></p></div><p>c</p></body>");
        let outline = Outline::of(&parsed.html);
        let div = outline.elements().find(|(_, e)| e.name() == "div").unwrap().0;
        assert_eq!(outline.text(div, 100), "a b");
        let body = outline.node(div).parent;
        assert_eq!(outline.children(body).map(|c| outline.name(c)).collect::<Vec<_>>(), ["div", "p"]);
        assert_eq!(outline.ancestors(div).map(|a| outline.name(a)).collect::<Vec<_>>(), ["body", "html"]);
    }

    #[test]
    fn ordinary_markup_is_not_touched() {
        let page = "<p a='>'>x<script>if (a<b) '<div><div>'</script><!-- <div> --><textarea><div></textarea>"
            .repeat(600);
        assert!(matches!(flatten(&page), Cow::Borrowed(_)));
    }

    #[test]
    fn depth_attributes_and_nodes_are_bounded() {
        assert!(names(&"<div>".repeat(100_000)).len() < 600);
        let attributes: String = (0..100_000).map(|i| format!(" a{i}=1")).collect();
        assert!(!names(&format!("<i{attributes}>x</i>")).contains(&"i".to_owned()));
        let fonts: String = (0..500).map(|i| format!("<font size={i}>")).collect();
        let parsed = parse(&format!("<p>{fonts}</p>{}", "<p>x</p>".repeat(100_000)));
        assert!(!parsed.warnings.is_empty());
        assert!(Outline::of(&parsed.html).len() < MAX_NODES * 3);
    }
}
