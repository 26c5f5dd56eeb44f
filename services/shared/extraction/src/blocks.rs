//! A page as a sequence of blocks: runs of text that no block-level boundary divides.

use std::cell::OnceCell;

use crate::{
    counts::Counts,
    phrases::Said,
    text::{ends_sentence, loose, squeeze, weight},
    tree::{Content, Outline, attr},
};

/// What a block is, by the nearest element that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Paragraph,
    Heading(u8),
    Item,
    Quote,
    Pre,
    Cell,
    Caption,
    /// Text in a `div`, `span` or the like.
    Loose,
}

/// One block, in document order.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    pub text: String,
    pub kind: Kind,
    /// The block-level element the text stands in.
    pub element: usize,
    /// The first text node of the block.
    pub at: usize,
    /// [`weight`] of the text, and of its part inside links.
    pub weight: usize,
    pub link_weight: usize,
    /// What is counted in the text.
    pub counts: Counts,
    answers: Answers,
}

/// What is asked of a block's text again and again, answered once.
#[derive(Debug, Clone, Default)]
struct Answers {
    prose: OnceCell<f32>,
    ends: OnceCell<bool>,
    key: OnceCell<Box<str>>,
    said: OnceCell<Said>,
}

impl Block {
    pub fn words(&self) -> usize {
        self.counts.words()
    }

    pub fn sentences(&self) -> usize {
        self.counts.sentences as usize
    }

    /// [`ends_sentence`].
    pub fn ends_sentence(&self) -> bool {
        *self.answers.ends.get_or_init(|| ends_sentence(&self.text))
    }

    /// The text in [`loose`] form.
    pub fn key(&self) -> &str {
        self.answers.key.get_or_init(|| loose(&self.text).into())
    }

    /// What its phrases say.
    pub fn said(&self) -> Said {
        *self.answers.said.get_or_init(|| Said::of(&self.text, self.words()))
    }

    /// How much of the block is prose: text outside links, of blocks that read like sentences.
    pub fn prose(&self) -> f64 {
        f64::from(*self.answers.prose.get_or_init(|| self.count_prose() as f32))
    }

    fn count_prose(&self) -> f64 {
        let own = (self.weight - self.link_weight) as f64;
        if self.link_density() > 0.5 {
            return 0.0;
        }
        match self.kind {
            Kind::Heading(_) | Kind::Caption => 0.0,
            Kind::Paragraph | Kind::Quote => {
                if self.weight < 20 {
                    own * 0.2
                } else {
                    own
                }
            }
            Kind::Pre => own * 0.5,
            Kind::Item | Kind::Cell | Kind::Loose => {
                if self.weight >= 80 && self.sentences() > 0 {
                    own
                } else if self.weight >= 40 {
                    own * 0.3
                } else {
                    0.0
                }
            }
        }
    }

    /// The share of the text that is links.
    pub fn link_density(&self) -> f64 {
        if self.weight == 0 { 0.0 } else { self.link_weight as f64 / self.weight as f64 }
    }
}

/// Stands for `<br>` while a block is gathered.
const LINE_BREAK: char = '\u{1e}';

/// Divides a page into blocks. Scripts, forms' fields, media and frames have no text.
pub(crate) fn blocks(outline: &Outline) -> Vec<Block> {
    let mut gathered = Gathered::default();
    // Open block-level elements: (index, end, kind of text directly inside).
    let mut open: Vec<(usize, usize, Kind)> = vec![(0, outline.len(), Kind::Loose)];
    let mut link_end = 0;
    let mut at = 0;
    while at < outline.len() {
        while let Some(&(element, end, kind)) = open.last()
            && end <= at
            && open.len() > 1
        {
            gathered.flush(element, kind);
            open.pop();
        }
        let (element, _, kind) = open.last().copied().unwrap_or((0, 0, Kind::Loose));
        let node = outline.node(at);
        match node.content {
            Content::Text(text) => gathered.push(at, text, at < link_end),
            Content::Element(found) => match found.name() {
                "script" | "style" | "noscript" | "template" | "svg" | "math" | "iframe" | "object"
                | "video" | "audio" | "canvas" | "select" | "textarea" | "button" | "head" | "input"
                | "datalist" | "map" | "rp" | "rt" => {
                    at = node.end;
                    continue;
                }
                "br" => gathered.line_break(element, kind),
                "wbr" => {}
                "a" => {
                    if attr(found, "href").is_some() {
                        link_end = link_end.max(node.end);
                    }
                }
                name if is_inline(name) => {}
                name => {
                    gathered.flush(element, kind);
                    open.push((at, node.end, kind_of(name, kind)));
                }
            },
        }
        at += 1;
    }
    while let Some((element, _, kind)) = open.pop() {
        gathered.flush(element, kind);
    }
    gathered.blocks
}

#[derive(Default)]
struct Gathered {
    blocks: Vec<Block>,
    text: String,
    at: Option<usize>,
    link_weight: usize,
}

impl Gathered {
    fn push(&mut self, at: usize, text: &str, in_link: bool) {
        if self.at.is_none() {
            if text.chars().all(char::is_whitespace) {
                return;
            }
            self.at = Some(at);
        }
        self.text.push_str(text);
        if in_link {
            self.link_weight += weight(text);
        }
    }

    fn line_break(&mut self, element: usize, kind: Kind) {
        if self.text.trim_end().ends_with(LINE_BREAK) {
            self.flush(element, kind);
        } else if self.at.is_some() {
            self.text.push(LINE_BREAK);
        }
    }

    fn flush(&mut self, element: usize, kind: Kind) {
        let Some(at) = self.at.take() else { return };
        let text = if kind == Kind::Pre {
            self.text.trim_matches('\n').trim_end().replace(LINE_BREAK, "\n")
        } else {
            let mut lines = self.text.split(LINE_BREAK).map(squeeze).filter(|line| !line.is_empty());
            let first = lines.next().unwrap_or_default();
            lines.fold(first, |text, line| text + "\n" + &line)
        };
        self.text.clear();
        let link_weight = std::mem::take(&mut self.link_weight);
        let counts = Counts::of(&text);
        if !counts.is_wordless() {
            let weight = counts.weight();
            if self.blocks.len() == self.blocks.capacity() {
                // Doubling would take three times what is needed while it lasts.
                self.blocks.reserve_exact(self.blocks.len() / 4 + 64);
            }
            self.blocks.push(Block {
                text,
                kind,
                element,
                at,
                weight,
                link_weight: link_weight.min(weight),
                counts,
                answers: Answers::default(),
            });
        }
    }
}

fn kind_of(name: &str, outer: Kind) -> Kind {
    match name {
        "h1" => Kind::Heading(1),
        "h2" => Kind::Heading(2),
        "h3" => Kind::Heading(3),
        "h4" => Kind::Heading(4),
        "h5" | "h6" => Kind::Heading(5),
        "figcaption" | "caption" => Kind::Caption,
        _ if outer == Kind::Caption || matches!(outer, Kind::Heading(_)) => outer,
        "blockquote" | "q" => Kind::Quote,
        "pre" => Kind::Pre,
        "p" if outer == Kind::Quote => Kind::Quote,
        "p" => Kind::Paragraph,
        "li" | "dd" | "dt" => Kind::Item,
        "td" | "th" => Kind::Cell,
        "div" | "section" | "span" if outer == Kind::Quote || outer == Kind::Item => outer,
        _ => Kind::Loose,
    }
}

fn is_inline(name: &str) -> bool {
    matches!(
        name,
        "span"
            | "b"
            | "i"
            | "em"
            | "strong"
            | "u"
            | "s"
            | "small"
            | "big"
            | "sub"
            | "sup"
            | "font"
            | "abbr"
            | "acronym"
            | "cite"
            | "code"
            | "kbd"
            | "samp"
            | "var"
            | "mark"
            | "q"
            | "time"
            | "data"
            | "ins"
            | "del"
            | "strike"
            | "label"
            | "bdi"
            | "bdo"
            | "dfn"
            | "tt"
            | "ruby"
            | "rb"
            | "img"
            | "picture"
            | "source"
            | "nobr"
            | "output"
            | "meter"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::parse;

    #[test]
    fn blocks_end_where_block_elements_do() {
        let parsed = parse(
            "<body><div>One <b>bold</b> run<p>Two<br>lines</p>tail</div>a<br><br>b<ul><li>item <a href=x>link</a></ul>\
             <blockquote><p>said</p></blockquote><figure><figcaption><span>cap</span></figcaption></figure>\
             <table><tr><td>cell</table><script>no</script></body>",
        );
        let found = blocks(&Outline::of(&parsed.html));
        let found: Vec<_> = found.iter().map(|b| (b.text.as_str(), b.kind)).collect();
        assert_eq!(
            found,
            [
                ("One bold run", Kind::Loose),
                ("Two\nlines", Kind::Paragraph),
                ("tail", Kind::Loose),
                ("a", Kind::Loose),
                ("b", Kind::Loose),
                ("item link", Kind::Item),
                ("said", Kind::Quote),
                ("cap", Kind::Caption),
                ("cell", Kind::Cell),
            ]
        );
    }

    #[test]
    fn links_are_weighed() {
        let parsed = parse("<p><a href=x>aaaa</a> bbbb</p>");
        assert!((blocks(&Outline::of(&parsed.html))[0].link_density() - 0.5).abs() < 0.01);
    }
}
