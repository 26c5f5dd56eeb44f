//! A page as lines of text, each with what the elements around it say of its being a byline.

use std::ops::Range;

use crate::{
    marks::Marks,
    text::squeeze,
    tree::{Content, Element, Outline, attr},
};

/// A line, or the text of a link within one.
#[derive(Debug, Default, Clone)]
pub(crate) struct Line {
    pub at: usize,
    pub text: String,
    pub evidence: Evidence,
    /// What stands before it in its line.
    pub lead: String,
}

/// What speaks for a text being a byline.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// 4 for `rel=author` and `itemprop=author`, 3 or 2 for an address that is an author's page, or may be.
    pub link: u8,
    /// Marked as an author.
    pub author: bool,
    /// Marked as a byline.
    pub byline: bool,
    pub heading: bool,
    /// In a column or footer.
    pub aside: bool,
    /// Among comments, related articles, menus.
    pub elsewhere: bool,
}

/// Longer lines are prose.
const MAX_LINE_BYTES: usize = 240;
const MAX_LINES: usize = 4000;
/// Nodes of an element beyond which its marks say nothing of a line in it.
const MAX_MARKED: usize = 160;
/// The page's lines around the article, and the texts of links to authors.
///
/// `first` is the node of the article's first paragraph: what surrounds it says nothing of a line.
pub(crate) fn lines(outline: &Outline, all_marks: &[Marks], range: Range<usize>, first: usize) -> Vec<Line> {
    let mut found: Vec<Line> = Vec::new();
    let mut line = Line::default();
    let mut links: Vec<Line> = Vec::new();
    // The elements around the node at hand that speak for or against a byline: `(end, evidence)`.
    let mut around: Vec<(usize, Evidence)> = Vec::new();
    let mut ends: Vec<usize> = Vec::new();
    let mut next = 0;
    while next < outline.len().min(range.end) && found.len() < MAX_LINES {
        let at = next;
        next += 1;
        while ends.last().is_some_and(|end| *end <= at) {
            ends.pop();
            flush(&mut line, &mut links, &mut found);
        }
        while around.last().is_some_and(|(end, _)| *end <= at) {
            around.pop();
        }
        let node = outline.node(at);
        let here = around.last().map(|(_, e)| *e).unwrap_or_default();
        match node.content {
            Content::Element(element) => {
                let name = element.name();
                if matches!(
                    name,
                    "script" | "style" | "noscript" | "template" | "svg" | "select" | "textarea"
                ) || node.end <= range.start
                {
                    next = node.end;
                    continue;
                }
                let marks = all_marks.get(at).copied().unwrap_or_default();
                let holds_article = at <= first && first < node.end;
                let evidence = here.with(element, marks, holds_article, node.end - at);
                if evidence != here {
                    around.push((node.end, evidence));
                }
                if is_block(name) {
                    flush(&mut line, &mut links, &mut found);
                    ends.push(node.end);
                }
                let is_named = evidence.author && !here.author && !is_block(name);
                let is_short = line.text.len() <= MAX_LINE_BYTES && node.end - at < 20;
                if is_short && (evidence.link > here.link || is_named) {
                    let text = first_line(outline, at);
                    if !text.is_empty() {
                        links.push(Line { at, text, evidence, lead: squeeze(&line.text) });
                    }
                }
            }
            Content::Text(text) => {
                if line.text.len() > MAX_LINE_BYTES || text.trim().is_empty() {
                    line.text.push(' ');
                    continue;
                }
                if is_seam(&line.text, text) {
                    flush(&mut line, &mut links, &mut found);
                } else if line.text.ends_with(char::is_alphanumeric)
                    && text.starts_with(char::is_alphanumeric)
                {
                    line.text.push(' ');
                }
                if line.text.trim().is_empty() {
                    line.at = at;
                    line.evidence = Evidence { link: 0, ..here };
                } else {
                    line.evidence.author |= here.author;
                    line.evidence.byline |= here.byline;
                }
                line.text.push_str(text);
            }
        }
    }
    flush(&mut line, &mut links, &mut found);
    found
}

/// The first line of an element's text.
fn first_line(outline: &Outline, at: usize) -> String {
    let mut text = String::new();
    for content in outline.contents(at + 1..outline.node(at).end).take(20) {
        match content {
            Content::Element(element) if is_block(element.name()) && !text.trim().is_empty() => break,
            Content::Text(next) if is_seam(&text, next) => break,
            Content::Text(next) if text.len() < MAX_LINE_BYTES => text.push_str(next),
            _ => {}
        }
    }
    squeeze(&text)
}

/// Whether two texts that touch are two lines all the same, as a name and a date in neighbouring spans.
fn is_seam(before: &str, after: &str) -> bool {
    before.chars().next_back().is_some_and(|c| c.is_lowercase() || c.is_ascii_digit())
        && after.chars().next().is_some_and(|c| c.is_uppercase() || c.is_ascii_digit())
}

/// Ends a line. Links in prose are not bylines.
fn flush(line: &mut Line, links: &mut Vec<Line>, found: &mut Vec<Line>) {
    let text = squeeze(&line.text);
    if text.len() <= MAX_LINE_BYTES {
        found.append(links);
        if !text.is_empty() {
            found.push(Line { at: line.at, text, evidence: line.evidence, lead: String::new() });
        }
    }
    links.clear();
    line.text.clear();
}

fn is_block(name: &str) -> bool {
    !matches!(
        name,
        "a" | "abbr"
            | "b"
            | "bdi"
            | "big"
            | "cite"
            | "em"
            | "font"
            | "i"
            | "mark"
            | "s"
            | "small"
            | "span"
            | "strong"
            | "sub"
            | "sup"
            | "u"
            | "address"
            | "img"
            | "wbr"
    )
}

impl Evidence {
    /// The evidence inside an element.
    fn with(mut self, element: &Element, marks: Marks, holds_article: bool, nodes: usize) -> Self {
        const ELSEWHERE: Marks = Marks::COMMENTS.with(Marks::RELATED).with(Marks::NAV);
        if !holds_article {
            self.elsewhere |=
                marks.has(ELSEWHERE) || matches!(element.name(), "figure" | "figcaption" | "blockquote");
            self.aside |= marks
                .has(Marks::ASIDE.with(Marks::FOOTER).with(Marks::AD).with(Marks::CAPTION).with(Marks::TAGS));
            if nodes < MAX_MARKED {
                self.author |= marks.has(Marks::AUTHOR) || attr(element, "class").is_some_and(names_author);
                self.byline |= marks.has(Marks::BYLINE);
            }
        }
        self.heading |= matches!(element.name(), "h2" | "h3" | "h4" | "h5" | "h6");
        let is_author_item = attr(element, "itemprop").is_some_and(|p| {
            p.split(' ').any(|p| matches!(p, "author" | "creator")) || (p == "name" && self.author)
        });
        if attr(element, "rel").is_some_and(|r| r.split(' ').any(|r| r == "author")) || is_author_item {
            self.link = self.link.max(4);
        } else if element.name() == "a" {
            self.link = self.link.max(attr(element, "href").map_or(0, address));
        }
        self
    }
}

/// Whether class names speak of an author in words grown together, as `authorname` or `StoryAuthor`.
fn names_author(class: &str) -> bool {
    // Few classes do.
    let speaks = class.as_bytes().windows(6).any(|part| part.eq_ignore_ascii_case(b"author"));
    speaks
        && class.split(' ').any(|token| {
            let token = token.to_ascii_lowercase();
            token.contains("author") && !token.contains("authori") && token.len() < 40
        })
}

/// How surely an address is that of an author's page.
fn address(href: &str) -> u8 {
    let path = href.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest);
    let mut segments = path.trim_end_matches('/').rsplit('/');
    let own = segments.next().unwrap_or_default();
    if own.is_empty() || path.len() > 300 {
        return 0;
    }
    let folder = |segment: &str| match segment.to_ascii_lowercase().as_str() {
        "author" | "authors" | "autor" | "autoren" | "autores" | "auteur" | "auteurs" | "autore"
        | "autori" | "writer" | "writers" | "contributor" | "contributors" | "byline" | "bylines"
        | "journalist" | "journalists" | "reporter" | "reporters" | "columnist" | "columnists"
        | "skribent" | "forfatter" | "redacteur" | "redakteur" | "penulis" => 3,
        "people" | "person" | "profile" | "profiles" | "profil" | "staff" | "user" | "users" | "member"
        | "members" | "redaktion" | "team" | "experts" | "by" | "editors" | "producers" | "our-team"
        | "bio" => 2,
        _ => 0,
    };
    segments.take(3).map(folder).max().unwrap_or(0)
}
