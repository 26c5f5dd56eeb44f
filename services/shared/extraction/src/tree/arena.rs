//! The tree that html5ever builds: nodes tied by indices, their texts shared with the markup.

use std::{
    borrow::Cow,
    cell::{Cell, Ref, RefCell},
};

use html5ever::{
    Attribute, LocalName, Namespace, QualName, local_name, ns,
    tendril::StrTendril,
    tree_builder::{ElemName, ElementFlags, NodeOrText, QuirksMode, TreeSink},
};
use thin_vec::ThinVec;

/// An element's name, and those of its attributes that were kept.
pub(crate) struct Element {
    name: LocalName,
    attributes: ThinVec<(LocalName, StrTendril)>,
    language: Language,
}

/// What an element is of: the tree builder knows no other.
#[derive(Debug, Clone, Copy)]
enum Language {
    Html,
    Svg,
    MathMl,
}

impl Element {
    /// The name without a namespace.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn attrs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.attributes.iter().map(|(name, value)| (&**name, &**value))
    }
}

/// An element, or a text.
#[derive(Clone, Copy)]
pub(crate) enum Content<'a> {
    Element(&'a Element),
    Text(&'a str),
}

/// One step of a walk in document order. Only elements are closed.
pub(crate) enum Step<'a> {
    /// With its place in the arena.
    Open(u32, Content<'a>),
    Close,
}

/// The parsed page.
pub(crate) struct Arena {
    /// In pieces of [`PIECE`], so that growing moves none and takes no more than is needed.
    pieces: Vec<Vec<Node>>,
    len: u32,
    /// The name of what has none.
    nameless: LocalName,
}

/// A page of little but tags has one for every few bytes: they must be small.
struct Node {
    value: Value,
    parent: u32,
    first: u32,
    last: u32,
    previous: u32,
    next: u32,
    depth: u32,
}

enum Value {
    Element(Element),
    Text(StrTendril),
    /// The document, and what is not kept.
    Other,
}

const _: () = assert!(size_of::<Node>() <= 48);

/// Nodes in a piece.
const PIECE: usize = 64;
/// The document's index.
const ROOT: u32 = 0;
/// No node.
const NONE: u32 = u32::MAX;

impl Arena {
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Goes through all elements and texts.
    pub fn walk<'a>(&'a self, mut visit: impl FnMut(Step<'a>)) {
        let (mut at, mut node) = (ROOT, self.node(ROOT));
        loop {
            if let Some(content) = node.content() {
                visit(Step::Open(at, content));
            }
            if node.first != NONE {
                (at, node) = (node.first, self.node(node.first));
                continue;
            }
            // Up to the nearest node that has one after it.
            loop {
                if matches!(node.value, Value::Element(_)) {
                    visit(Step::Close);
                }
                if node.next != NONE {
                    (at, node) = (node.next, self.node(node.next));
                    break;
                }
                if node.parent == NONE {
                    return;
                }
                node = self.node(node.parent);
            }
        }
    }

    /// What stands in a place that a walk has told.
    pub fn content(&self, at: u32) -> Content<'_> {
        self.node(at).content().unwrap_or(Content::Text(""))
    }

    fn node(&self, at: u32) -> &Node {
        &self.pieces[at as usize / PIECE][at as usize % PIECE]
    }

    fn node_mut(&mut self, at: u32) -> &mut Node {
        &mut self.pieces[at as usize / PIECE][at as usize % PIECE]
    }

    fn add(&mut self, value: Value) -> u32 {
        let at = self.len;
        self.len += 1;
        let node =
            Node { value, parent: NONE, first: NONE, last: NONE, previous: NONE, next: NONE, depth: 0 };
        match self.pieces.last_mut().filter(|piece| piece.len() < PIECE) {
            Some(piece) => piece.push(node),
            None => {
                let mut piece = Vec::with_capacity(PIECE);
                piece.push(node);
                self.pieces.push(piece);
            }
        }
        at
    }

    fn detach(&mut self, at: u32) {
        let &Node { parent, previous, next, .. } = self.node(at);
        if parent == NONE {
            return;
        }
        match previous {
            NONE => self.node_mut(parent).first = next,
            previous => self.node_mut(previous).next = next,
        }
        match next {
            NONE => self.node_mut(parent).last = previous,
            next => self.node_mut(next).previous = previous,
        }
        let node = self.node_mut(at);
        (node.parent, node.previous, node.next) = (NONE, NONE, NONE);
    }

    /// Puts a node without a parent under `parent`, before its child `next` or last.
    fn attach(&mut self, at: u32, parent: u32, next: u32) {
        let previous = if next == NONE { self.node(parent).last } else { self.node(next).previous };
        let depth = self.node(parent).depth + 1;
        let node = self.node_mut(at);
        (node.parent, node.previous, node.next, node.depth) = (parent, previous, next, depth);
        match previous {
            NONE => self.node_mut(parent).first = at,
            previous => self.node_mut(previous).next = at,
        }
        match next {
            NONE => self.node_mut(parent).last = at,
            next => self.node_mut(next).previous = at,
        }
    }

    /// Puts a node or text under `parent`, before its child `next` or last; a text joins the one before it.
    fn insert(&mut self, parent: u32, next: u32, child: NodeOrText<u32>) {
        match child {
            NodeOrText::AppendNode(at) => {
                self.detach(at);
                self.attach(at, parent, next);
            }
            NodeOrText::AppendText(text) => {
                let previous = if next == NONE { self.node(parent).last } else { self.node(next).previous };
                if previous != NONE
                    && let Value::Text(before) = &mut self.node_mut(previous).value
                {
                    before.push_tendril(&text);
                    return;
                }
                let at = self.add(Value::Text(text));
                self.attach(at, parent, next);
            }
        }
    }
}

impl Node {
    /// None of what is not kept.
    fn content(&self) -> Option<Content<'_>> {
        match &self.value {
            Value::Element(element) => Some(Content::Element(element)),
            Value::Text(text) => Some(Content::Text(text)),
            Value::Other => None,
        }
    }
}

/// Where html5ever puts what it reads.
pub(super) struct Growing {
    arena: RefCell<Arena>,
    /// The node last put into the tree or, where that is closed, the one around it.
    current: Cell<u32>,
}

impl Growing {
    pub fn new() -> Self {
        let mut arena = Arena { pieces: Vec::new(), len: 0, nameless: local_name!("") };
        arena.add(Value::Other);
        Self { arena: RefCell::new(arena), current: Cell::new(ROOT) }
    }

    pub fn len(&self) -> usize {
        self.arena.borrow().len()
    }

    /// About how many elements are open. The depth in the tree grows as they do; moved nodes keep the depth they had.
    pub fn depth(&self) -> usize {
        self.arena.borrow().node(self.current.get()).depth as usize
    }

    fn insert(&self, parent: u32, next: u32, child: NodeOrText<u32>) {
        self.current.set(if let NodeOrText::AppendNode(at) = child { at } else { parent });
        self.arena.borrow_mut().insert(parent, next, child);
    }
}

/// An element's name as the tree builder asks for it.
#[derive(Debug)]
pub(super) struct FullName<'a> {
    namespace: &'static Namespace,
    local: Ref<'a, LocalName>,
}

impl ElemName for FullName<'_> {
    fn ns(&self) -> &Namespace {
        self.namespace
    }

    fn local_name(&self) -> &LocalName {
        &self.local
    }
}

impl Language {
    fn namespace(self) -> &'static Namespace {
        static HTML: Namespace = ns!(html);
        static SVG: Namespace = ns!(svg);
        static MATH_ML: Namespace = ns!(mathml);
        match self {
            Self::Html => &HTML,
            Self::Svg => &SVG,
            Self::MathMl => &MATH_ML,
        }
    }
}

impl TreeSink for Growing {
    type Handle = u32;
    type Output = Arena;
    type ElemName<'a> = FullName<'a>;

    fn finish(self) -> Arena {
        self.arena.into_inner()
    }

    fn get_document(&self) -> u32 {
        ROOT
    }

    fn elem_name<'a>(&'a self, target: &'a u32) -> FullName<'a> {
        static NONE: Namespace = ns!();
        let mut namespace = &NONE;
        let local = Ref::map(self.arena.borrow(), |arena| match &arena.node(*target).value {
            Value::Element(element) => {
                namespace = element.language.namespace();
                &element.name
            }
            Value::Text(_) | Value::Other => &arena.nameless,
        });
        FullName { namespace, local }
    }

    fn create_element(&self, name: QualName, attributes: Vec<Attribute>, _: ElementFlags) -> u32 {
        let language = match name.ns {
            ns!(svg) => Language::Svg,
            ns!(mathml) => Language::MathMl,
            _ => Language::Html,
        };
        let mut kept = ThinVec::with_capacity(attributes.len());
        kept.extend(attributes.into_iter().map(|attribute| (attribute.name.local, attribute.value)));
        self.arena.borrow_mut().add(Value::Element(Element { name: name.local, attributes: kept, language }))
    }

    fn create_comment(&self, _: StrTendril) -> u32 {
        self.arena.borrow_mut().add(Value::Other)
    }

    fn create_pi(&self, _: StrTendril, data: StrTendril) -> u32 {
        self.create_comment(data)
    }

    fn append(&self, parent: &u32, child: NodeOrText<u32>) {
        self.insert(*parent, NONE, child);
    }

    fn append_before_sibling(&self, sibling: &u32, child: NodeOrText<u32>) {
        if let NodeOrText::AppendNode(at) = child {
            self.arena.borrow_mut().detach(at);
        }
        let parent = self.arena.borrow().node(*sibling).parent;
        if parent != NONE {
            self.insert(parent, *sibling, child);
        }
    }

    fn append_based_on_parent_node(&self, element: &u32, previous: &u32, child: NodeOrText<u32>) {
        if self.arena.borrow().node(*element).parent == NONE {
            self.append(previous, child);
        } else {
            self.append_before_sibling(element, child);
        }
    }

    fn pop(&self, node: &u32) {
        let parent = self.arena.borrow().node(*node).parent;
        self.current.set(if parent == NONE { ROOT } else { parent });
    }

    /// A template's content is kept as its children.
    fn get_template_contents(&self, target: &u32) -> u32 {
        *target
    }

    fn same_node(&self, x: &u32, y: &u32) -> bool {
        x == y
    }

    fn add_attrs_if_missing(&self, target: &u32, attributes: Vec<Attribute>) {
        if let Value::Element(element) = &mut self.arena.borrow_mut().node_mut(*target).value {
            for attribute in attributes {
                if !element.attributes.iter().any(|(known, _)| *known == attribute.name.local) {
                    element.attributes.push((attribute.name.local, attribute.value));
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &u32) {
        self.arena.borrow_mut().detach(*target);
    }

    fn reparent_children(&self, node: &u32, new_parent: &u32) {
        let mut arena = self.arena.borrow_mut();
        loop {
            let child = arena.node(*node).first;
            if child == NONE {
                return;
            }
            arena.detach(child);
            arena.attach(child, *new_parent, NONE);
        }
    }

    fn parse_error(&self, _: Cow<'static, str>) {}

    fn append_doctype_to_document(&self, _: StrTendril, _: StrTendril, _: StrTendril) {}

    fn set_quirks_mode(&self, _: QuirksMode) {}
}
