//! One parse per page, bounded in nesting, attributes and nodes.

mod arena;
mod attributes;
mod outline;
mod references;
mod tokens;

use std::cell::Cell;

use html5ever::{
    LocalName, local_name,
    tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult},
    tree_builder::{TreeBuilder, TreeBuilderOpts, TreeSink},
};

pub(crate) use self::{
    arena::{Arena, Content, Element},
    outline::Outline,
    references::resolved,
};
use arena::Growing;

/// Open elements beyond which start tags are dropped; browsers flatten at 512 too.
const MAX_DEPTH: usize = 512;
/// Nodes after which the parse stops.
const MAX_NODES: usize = 400_000;

/// A parsed page, and what was cut from it.
pub(crate) struct Parsed {
    pub html: Arena,
    pub warnings: Vec<String>,
}

/// Parses markup within the bounds above.
pub(crate) fn parse(markup: &str) -> Parsed {
    let bounded = Bounded::new();
    tokens::tokenize(markup, &bounded);
    let Bounded { builder, cut_depth, cut_nodes, .. } = bounded;
    let mut warnings = Vec::new();
    if cut_depth.get() {
        warnings.push(format!("markup nested deeper than {MAX_DEPTH} elements was flattened"));
    }
    if cut_nodes.get() {
        warnings.push(format!("only the first {MAX_NODES} nodes were read"));
    }
    Parsed { html: builder.sink.finish(), warnings }
}

/// Passes tokens on within the bounds. html5ever's cost grows with the depth of the open elements (every block start tag
/// walks them) and, for unclosed formatting elements, with their number times that of the paragraphs.
struct Bounded {
    builder: TreeBuilder<u32, Growing>,
    /// Elements whose start tags were dropped, and which are open still.
    dropped: Cell<usize>,
    cut_depth: Cell<bool>,
    cut_nodes: Cell<bool>,
}

impl Bounded {
    fn new() -> Self {
        Self {
            builder: TreeBuilder::new(Growing::new(), TreeBuilderOpts::default()),
            dropped: Cell::default(),
            cut_depth: Cell::default(),
            cut_nodes: Cell::default(),
        }
    }

    /// Whether a tag would nest too deep, or closes one that did.
    fn drops(&self, tag: &Tag) -> bool {
        let dropped = self.dropped.get();
        match tag.kind {
            TagKind::StartTag => {
                let drops = self.builder.sink.depth() >= MAX_DEPTH && !is_raw_text(&tag.name);
                if drops {
                    self.cut_depth.set(true);
                    self.dropped.set(dropped + usize::from(nests(&tag.name)));
                }
                drops
            }
            TagKind::EndTag if is_raw_text(&tag.name) => false,
            TagKind::EndTag => {
                self.dropped.set(dropped.saturating_sub(usize::from(nests(&tag.name))));
                dropped > 0
            }
        }
    }
}

impl TokenSink for Bounded {
    type Handle = u32;

    fn process_token(&self, token: Token, line: u64) -> TokenSinkResult<u32> {
        if self.builder.sink.len() > MAX_NODES && token != Token::EOFToken {
            self.cut_nodes.set(true);
            return TokenSinkResult::Continue;
        }
        match &token {
            Token::TagToken(tag) if self.drops(tag) => TokenSinkResult::Continue,
            _ => self.builder.process_token(token, line),
        }
    }

    fn end(&self) {
        self.builder.end();
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&self) -> bool {
        self.builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

/// An attribute's value.
pub(crate) fn attr<'a>(element: &'a Element, name: &str) -> Option<&'a str> {
    debug_assert!(attributes::kept(name).is_some(), "{name} is not among the attributes kept");
    element.attrs().find(|(found, _)| *found == name).map(|(_, value)| value)
}

/// Whether an element of this name stays open until closed: void elements do not, and those whose end tag may be left
/// out close each other.
fn nests(name: &LocalName) -> bool {
    !matches!(
        *name,
        local_name!("area")
            | local_name!("base")
            | local_name!("br")
            | local_name!("col")
            | local_name!("embed")
            | local_name!("hr")
            | local_name!("img")
            | local_name!("input")
            | local_name!("link")
            | local_name!("meta")
            | local_name!("param")
            | local_name!("source")
            | local_name!("track")
            | local_name!("wbr")
            | local_name!("p")
            | local_name!("li")
            | local_name!("dt")
            | local_name!("dd")
            | local_name!("option")
            | local_name!("optgroup")
            | local_name!("tr")
            | local_name!("td")
            | local_name!("th")
            | local_name!("thead")
            | local_name!("tbody")
            | local_name!("tfoot")
            | local_name!("colgroup")
    )
}

/// Elements whose content is no markup, so that they nest nothing.
fn is_raw_text(name: &LocalName) -> bool {
    matches!(
        *name,
        local_name!("script")
            | local_name!("style")
            | local_name!("textarea")
            | local_name!("title")
            | local_name!("noscript")
            | local_name!("iframe")
            | local_name!("xmp")
            | local_name!("noembed")
            | local_name!("noframes")
    )
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
    fn depth_attributes_and_nodes_are_bounded() {
        assert!(names(&"<div>".repeat(100_000)).len() < 600);
        let attributes: String = (0..1000).map(|i| format!(" data-a{i}=1")).collect();
        let parsed = parse(&format!("<i{attributes} class=b>x</i>"));
        let counts: Vec<usize> =
            Outline::of(&parsed.html).elements().map(|(_, e)| e.attrs().count()).collect();
        assert_eq!(counts.iter().sum::<usize>(), 1);
        let fonts: String = (0..500).map(|i| format!("<font size={i}>")).collect();
        let parsed = parse(&format!("<p>{fonts}</p>{}", "<p>x</p>".repeat(100_000)));
        assert!(!parsed.warnings.is_empty());
        assert!(Outline::of(&parsed.html).len() < MAX_NODES * 3);
    }
}
