//! The page as a flat list of nodes in document order, each knowing its parent and the end of its subtree, so that
//! everything after the parse is a loop over a slice and nothing recurses on a page's depth.

use std::ops::Range;

use super::arena::{Arena, Content, Element, Step};

/// The page's elements and texts in document order.
pub(crate) struct Outline<'a> {
    page: &'a Arena,
    nodes: Vec<Stored>,
}

/// A [`Node`] in less room.
struct Stored {
    parent: u32,
    end: u32,
    /// Its place in the arena.
    place: u32,
}

/// An element or a text; `end` is one past the last node of its subtree.
pub(crate) struct Node<'a> {
    pub parent: usize,
    pub end: usize,
    pub content: Content<'a>,
}

impl<'a> Outline<'a> {
    pub fn of(page: &'a Arena) -> Self {
        let mut nodes: Vec<Stored> = Vec::with_capacity(page.len());
        let mut open: Vec<u32> = Vec::new();
        page.walk(|step| match step {
            Step::Open(place, content) => {
                let at = nodes.len() as u32;
                nodes.push(Stored { parent: open.last().copied().unwrap_or(at), end: at + 1, place });
                if matches!(content, Content::Element(_)) {
                    open.push(at);
                }
            }
            Step::Close => {
                let end = nodes.len() as u32;
                if let Some(closed) = open.pop().and_then(|at| nodes.get_mut(at as usize)) {
                    closed.end = end;
                }
            }
        });
        Self { page, nodes }
    }

    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    pub fn node(&self, at: usize) -> Node<'a> {
        let Stored { parent, end, place } = self.nodes[at];
        Node { parent: parent as usize, end: end as usize, content: self.page.content(place) }
    }

    /// What stands in a range of nodes.
    pub fn contents(&self, range: Range<usize>) -> impl Iterator<Item = Content<'a>> {
        self.nodes.get(range).unwrap_or_default().iter().map(|node| self.page.content(node.place))
    }

    /// The text of an element that holds nothing but text, as scripts do.
    pub fn raw_text(&self, at: usize) -> Option<&'a str> {
        match self.content(at + 1)? {
            Content::Text(text) => Some(text),
            Content::Element(_) => None,
        }
    }

    pub fn element(&self, at: usize) -> Option<&'a Element> {
        match self.content(at)? {
            Content::Element(element) => Some(element),
            Content::Text(_) => None,
        }
    }

    fn content(&self, at: usize) -> Option<Content<'a>> {
        self.nodes.get(at).map(|node| self.page.content(node.place))
    }

    /// The element's name, empty for a text.
    pub fn name(&self, at: usize) -> &'a str {
        self.element(at).map_or("", Element::name)
    }

    pub fn elements(&self) -> impl Iterator<Item = (usize, &'a Element)> + '_ {
        self.nodes.iter().enumerate().filter_map(|(at, node)| match self.page.content(node.place) {
            Content::Element(element) => Some((at, element)),
            Content::Text(_) => None,
        })
    }

    pub fn children(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let end = self.nodes.get(at).map_or(0, |n| n.end as usize);
        let mut next = at + 1;
        std::iter::from_fn(move || {
            let child = (next < end).then_some(next)?;
            next = self.nodes.get(child)?.end as usize;
            Some(child)
        })
    }

    /// From the parent to the root.
    pub fn ancestors(&self, at: usize) -> impl Iterator<Item = usize> + '_ {
        let mut here = at;
        std::iter::from_fn(move || {
            let parent = self.nodes.get(here)?.parent as usize;
            let climbed = (parent != here).then_some(parent);
            here = parent;
            climbed
        })
    }

    /// All text of the subtree, white space squeezed, scripts left out; at most `limit` bytes or so.
    pub fn text(&self, at: usize, limit: usize) -> String {
        let end = self.nodes.get(at).map_or(0, |n| n.end as usize);
        let mut out = String::new();
        let mut next = at;
        // The element of the text before.
        let mut last = at;
        while next < end && out.len() < limit {
            let node = &self.nodes[next];
            next += 1;
            match self.page.content(node.place) {
                Content::Text(text) => {
                    let own = node.parent as usize;
                    // Elements styled as blocks need no white space between them.
                    if own != last
                        && ![own, last].iter().any(|at| sets_letters(self.name(*at)))
                        && out.ends_with(char::is_lowercase)
                        && text.starts_with(char::is_uppercase)
                    {
                        out.push(' ');
                    }
                    out.push_str(text);
                    last = own;
                }
                Content::Element(element) => match element.name() {
                    "script" | "style" | "noscript" | "template" | "svg" => next = node.end as usize,
                    "br" | "p" | "div" | "li" => out.push(' '),
                    _ => {}
                },
            }
        }
        crate::text::squeeze(&out)
    }
}

/// Whether an element is there for the looks of letters, within words too.
fn sets_letters(name: &str) -> bool {
    matches!(name, "b" | "em" | "font" | "i" | "mark" | "strong" | "sub" | "sup" | "u")
}
