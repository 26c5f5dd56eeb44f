//! Markup to tokens, as the HTML standard says (13.2.5), for html5ever's tree builder.
//!
//! html5ever's own tokenizer takes input in pieces and so goes character by character. Here the whole page is at hand:
//! runs are sought with `memchr` and shared, attributes that nobody asks for are skipped, and errors are not told.

use html5ever::{
    Attribute, LocalName, QualName, ns,
    tendril::StrTendril,
    tokenizer::{Doctype, Tag, TagKind, Token, TokenSink, TokenSinkResult, states::RawKind},
};
use memchr::{memchr, memchr2, memmem};

use super::{attributes::kept, references::resolved};

/// Feeds a page's tokens to `sink`.
pub(super) fn tokenize(markup: &str, sink: &impl TokenSink) {
    let page = normalised(markup);
    Tokens { bytes: page.as_bytes(), page: &page, sink, at: 0, attributes: Vec::new() }.run();
}

/// Line ends as `\n`, without NUL and a byte order mark.
fn normalised(markup: &str) -> StrTendril {
    let markup = markup.strip_prefix('\u{feff}').unwrap_or(markup);
    let Some(mut at) = memchr2(b'\r', b'\0', markup.as_bytes()) else {
        return StrTendril::from_slice(markup);
    };
    let mut page = String::with_capacity(markup.len());
    let mut rest = markup;
    loop {
        let (before, from) = rest.split_at(at);
        page.push_str(before);
        if from.starts_with('\r') && !from.starts_with("\r\n") {
            page.push('\n');
        }
        rest = from.get(1..).unwrap_or_default();
        match memchr2(b'\r', b'\0', rest.as_bytes()) {
            Some(next) => at = next,
            None => {
                page.push_str(rest);
                return StrTendril::from_slice(&page);
            }
        }
    }
}

struct Tokens<'p, S> {
    page: &'p StrTendril,
    bytes: &'p [u8],
    sink: &'p S,
    /// The next byte to be read.
    at: usize,
    /// The attributes of the tag being read.
    attributes: Vec<Attribute>,
}

impl<S: TokenSink> Tokens<'_, S> {
    fn run(mut self) {
        while self.at < self.bytes.len() {
            self.text();
            if self.at < self.bytes.len() {
                self.markup();
            }
        }
        self.emit(Token::EOFToken);
        self.sink.end();
    }

    /// Emits a token that changes nothing in how the next is read.
    fn emit(&self, token: Token) {
        let _ = self.sink.process_token(token, 1);
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn share(&self, start: usize, end: usize) -> StrTendril {
        self.page.subtendril(start as u32, (end - start) as u32)
    }

    /// Emits what stands between two places, its character references resolved if `is_coded`.
    fn characters(&self, start: usize, end: usize, is_coded: bool) {
        if start < end {
            let text = self.share(start, end);
            let text = if is_coded { resolved(text, false) } else { text };
            self.emit(Token::CharacterTokens(text));
        }
    }

    /// Text up to the next tag, comment or the like.
    fn text(&mut self) {
        let start = self.at;
        let mut from = start;
        loop {
            let Some(found) = memchr(b'<', self.bytes.get(from..).unwrap_or_default()) else {
                self.at = self.bytes.len();
                break;
            };
            self.at = from + found;
            match self.bytes.get(self.at + 1) {
                Some(b) if b.is_ascii_alphabetic() || matches!(b, b'!' | b'?') => break,
                Some(b'/') if self.at + 2 < self.bytes.len() => break,
                _ => from = self.at + 1,
            }
        }
        self.characters(start, self.at, true);
    }

    /// What a `<` opens.
    fn markup(&mut self) {
        match self.bytes.get(self.at + 1) {
            Some(b'/') => match self.bytes.get(self.at + 2) {
                Some(b) if b.is_ascii_alphabetic() => {
                    self.at += 2;
                    self.tag(TagKind::EndTag);
                }
                _ => self.bogus_comment(2),
            },
            Some(b'!') => {
                self.at += 2;
                let rest = self.rest();
                if rest.starts_with(b"--") {
                    self.comment();
                } else if rest.get(..7).is_some_and(|r| r.eq_ignore_ascii_case(b"doctype")) {
                    self.doctype();
                } else if rest.starts_with(b"[CDATA[")
                    && self.sink.adjusted_current_node_present_but_not_in_html_namespace()
                {
                    let start = self.at + 7;
                    let end = self.bytes.get(start..).and_then(|rest| memmem::find(rest, b"]]>"));
                    let end = end.map_or(self.bytes.len(), |end| start + end);
                    self.characters(start, end, false);
                    self.at = (end + 3).min(self.bytes.len());
                } else {
                    self.bogus_comment(0);
                }
            }
            Some(b'?') => self.bogus_comment(1),
            _ => {
                self.at += 1;
                self.tag(TagKind::StartTag);
            }
        }
    }

    fn skip_past(&mut self, byte: u8) {
        self.at = memchr(byte, self.rest()).map_or(self.bytes.len(), |found| self.at + found + 1);
    }

    fn bogus_comment(&mut self, opening: usize) {
        self.at += opening;
        let is_empty_end_tag = opening == 2 && self.peek() == Some(b'>');
        self.skip_past(b'>');
        if !is_empty_end_tag {
            self.emit(Token::CommentToken(StrTendril::new()));
        }
    }

    /// From its dashes on. Ends at `-->` or `--!>`, or at once with `>` or `->`.
    fn comment(&mut self) {
        self.at += 2;
        self.emit(Token::CommentToken(StrTendril::new()));
        if self.peek() == Some(b'>') {
            self.at += 1;
        } else if self.rest().starts_with(b"->") {
            self.at += 2;
        } else {
            loop {
                let Some(found) = memchr(b'>', self.rest()) else {
                    self.at = self.bytes.len();
                    return;
                };
                let before = self.rest().get(..found).unwrap_or_default();
                let ends = before.ends_with(b"--") || before.ends_with(b"--!");
                self.at += found + 1;
                if ends {
                    return;
                }
            }
        }
    }

    fn doctype(&mut self) {
        let start = self.at + 7;
        self.skip_past(b'>');
        let closed = self.bytes.get(self.at - 1) == Some(&b'>');
        let end = if closed { self.at - 1 } else { self.at };
        let text = self.page.get(start..end).unwrap_or_default();
        self.emit(Token::DoctypeToken(doctype(text, closed)));
    }

    fn skip_space(&mut self) {
        let space = self.rest().iter().position(|b| !b.is_ascii_whitespace());
        self.at = space.map_or(self.bytes.len(), |space| self.at + space);
    }

    /// A tag, from its name on, and the raw text that follows it. One that the page's end cuts off is none.
    fn tag(&mut self, kind: TagKind) {
        let start = self.at;
        let is_end = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'/' | b'>');
        self.at = self.rest().iter().position(is_end).map_or(self.bytes.len(), |end| start + end);
        let name = lower(self.page.get(start..self.at).unwrap_or_default(), |name| LocalName::from(name));
        self.attributes.clear();
        let Some(self_closing) = self.attributes(kind == TagKind::StartTag) else { return };
        let tag = Tag {
            kind,
            name: name.clone(),
            self_closing,
            attrs: self.attributes.drain(..).collect(),
            had_duplicate_attributes: false,
        };
        match self.sink.process_token(Token::TagToken(tag), 1) {
            TokenSinkResult::RawData(kind) => self.raw_text(kind, &name),
            TokenSinkResult::Plaintext => {
                self.characters(self.at, self.bytes.len(), false);
                self.at = self.bytes.len();
            }
            _ => {}
        }
    }

    /// Reads to the tag's end, keeping attributes if asked to: whether the tag closes itself, or none at the page's end.
    fn attributes(&mut self, keeps: bool) -> Option<bool> {
        loop {
            self.skip_space();
            match self.peek()? {
                b'>' => {
                    self.at += 1;
                    return Some(false);
                }
                b'/' => {
                    self.at += 1;
                    if self.peek() == Some(b'>') {
                        self.at += 1;
                        return Some(true);
                    }
                }
                _ => self.attribute(keeps),
            }
        }
    }

    fn attribute(&mut self, keeps: bool) {
        let start = self.at;
        // An equals sign may begin a name.
        let is_end = |b: &u8| b.is_ascii_whitespace() || matches!(b, b'/' | b'>' | b'=');
        let rest = self.bytes.get(start + 1..).unwrap_or_default();
        self.at = rest.iter().position(is_end).map_or(self.bytes.len(), |end| start + 1 + end);
        let name = self.page.get(start..self.at).unwrap_or_default();
        self.skip_space();
        let (mut value_start, mut value_end) = (self.at, self.at);
        if self.peek() == Some(b'=') {
            self.at += 1;
            self.skip_space();
            (value_start, value_end) = match self.peek() {
                Some(quote @ (b'"' | b'\'')) => {
                    let start = self.at + 1;
                    self.at = start;
                    self.skip_past(quote);
                    let closed = self.at > start && self.bytes.get(self.at - 1) == Some(&quote);
                    (start, if closed { self.at - 1 } else { self.at })
                }
                _ => {
                    let start = self.at;
                    let is_end = |b: &u8| b.is_ascii_whitespace() || *b == b'>';
                    self.at = self.rest().iter().position(is_end).map_or(self.bytes.len(), |end| start + end);
                    (start, self.at)
                }
            };
        }
        if keeps
            && let Some(name) = lower(name, kept)
            && !self.attributes.iter().any(|known| known.name.local == *name)
        {
            let value = resolved(self.share(value_start, value_end), true);
            self.attributes.push(Attribute { name: QualName::new(None, ns!(), name.clone()), value });
        }
    }

    /// The content of an element whose content is no markup, up to its end tag.
    fn raw_text(&mut self, kind: RawKind, name: &str) {
        let start = self.at;
        self.at = match kind {
            RawKind::ScriptData | RawKind::ScriptDataEscaped(_) => self.end_of_script(),
            RawKind::Rcdata | RawKind::Rawtext => self.end_of_raw_text(name),
        };
        self.characters(start, self.at, kind == RawKind::Rcdata);
    }

    fn end_of_raw_text(&self, name: &str) -> usize {
        let mut at = self.at;
        while let Some(found) = memchr(b'<', self.bytes.get(at..).unwrap_or_default()) {
            at += found;
            if self.is_tag(at, b"</", name) {
                return at;
            }
            at += 1;
        }
        self.bytes.len()
    }

    /// In a comment inside a script, a script may open and close.
    fn end_of_script(&self) -> usize {
        let mut at = self.at;
        let (mut escaped, mut doubly) = (false, false);
        while let Some(found) = memchr2(b'<', b'>', self.bytes.get(at..).unwrap_or_default()) {
            at += found;
            if self.bytes.get(at) == Some(&b'>') {
                if escaped && self.bytes.get(..at).is_some_and(|before| before.ends_with(b"--")) {
                    (escaped, doubly) = (false, false);
                }
            } else if self.is_tag(at, b"</", "script") {
                if !doubly {
                    return at;
                }
                doubly = false;
            } else if escaped {
                doubly |= self.is_tag(at, b"<", "script");
            } else {
                escaped = self.bytes.get(at..).is_some_and(|rest| rest.starts_with(b"<!--"));
            }
            at += 1;
        }
        self.bytes.len()
    }

    /// Whether a tag of this name stands here.
    fn is_tag(&self, at: usize, opening: &[u8], name: &str) -> bool {
        let rest = self.bytes.get(at..).and_then(|rest| rest.strip_prefix(opening)).unwrap_or_default();
        rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name.as_bytes()))
            && rest.get(name.len()).is_some_and(|b| b.is_ascii_whitespace() || matches!(b, b'/' | b'>'))
    }
}

/// Gives `name` in lower case to `of`.
fn lower<T>(name: &str, of: impl FnOnce(&str) -> T) -> T {
    if name.bytes().any(|b| b.is_ascii_uppercase()) { of(&name.to_ascii_lowercase()) } else { of(name) }
}

/// Reads what stands between `<!doctype` and `>`.
fn doctype(text: &str, closed: bool) -> Doctype {
    let text = text.trim_ascii_start();
    let (name, rest) = text.split_at(text.find(|c: char| c.is_ascii_whitespace()).unwrap_or(text.len()));
    let rest = rest.trim_ascii_start();
    let mut found = Doctype {
        name: (!name.is_empty()).then(|| lower(name, |name| StrTendril::from(name))),
        public_id: None,
        system_id: None,
        force_quirks: !closed || name.is_empty(),
    };
    let quoted = |text: &str| {
        let text = text.trim_ascii_start();
        let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let (value, rest) = text.get(1..)?.split_once(quote)?;
        Some((StrTendril::from(value), rest.to_owned()))
    };
    let keyword = rest.get(..6).unwrap_or_default();
    let after = rest.get(6..).unwrap_or_default();
    if keyword.eq_ignore_ascii_case("public") {
        match quoted(after) {
            Some((public, rest)) => {
                found.public_id = Some(public);
                found.system_id = quoted(&rest).map(|(system, _)| system);
            }
            None => found.force_quirks = true,
        }
    } else if keyword.eq_ignore_ascii_case("system") {
        match quoted(after) {
            Some((system, _)) => found.system_id = Some(system),
            None => found.force_quirks = true,
        }
    } else if !rest.is_empty() {
        found.force_quirks = true;
    }
    found
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use html5ever::{
        buffer_queue::BufferQueue,
        tokenizer::{Tokenizer, TokenizerOpts},
        tree_builder::TreeSink,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::tree::{
        Bounded,
        arena::{Arena, Content, Step},
    };

    /// The tree, texts that touch as one.
    fn shown(arena: &Arena) -> String {
        let mut out = String::new();
        arena.walk(|step| match step {
            Step::Open(_, Content::Element(element)) => {
                let kept = element.attrs().filter(|(name, _)| kept(name).is_some()).collect::<Vec<_>>();
                write!(out, "<{} {kept:?}>", element.name()).unwrap();
            }
            Step::Open(_, Content::Text(text)) => out += text,
            Step::Close => out += "</>",
        });
        out
    }

    fn ours(markup: &str) -> String {
        let sink = Bounded::new();
        tokenize(markup, &sink);
        shown(&sink.builder.sink.finish())
    }

    /// html5ever's tokenizer with the same tree builder behind it.
    fn theirs(markup: &str) -> String {
        let tokenizer = Tokenizer::new(Bounded::new(), TokenizerOpts::default());
        let input = BufferQueue::default();
        input.push_back(markup.into());
        while !matches!(tokenizer.feed(&input), html5ever::TokenizerResult::Done) {}
        tokenizer.end();
        shown(&tokenizer.sink.builder.sink.finish())
    }

    #[test]
    fn markup_is_read_as_html5ever_reads_it() {
        for markup in [
            "<!DOCTYPE html><p>a<table>b</table>",
            "<!doctype html PUBLIC \"-//W3C//DTD HTML 4.01//EN\" 'http://www.w3.org/TR/html4/strict.dtd'><p><table>",
            "<!DOCTYPE html SYSTEM 'about:legacy-compat'><p><table>",
            "<!DOCTYPE><p><table>",
            "<!DOCTYPE html PUBLIC><p><table>",
            "<!doctype html public \"-//W3C//DTD HTML 3.2//EN\"><p><table>",
            "\u{feff}a\r\nb\rc",
            "<P CLASS=Big ID='a\"b' class=two title=x/y>x</P >y",
            "<a href=x?a=1&copy=2&amp;b&lt>z</a>",
            "<i =class=a / id = 'b' hidden>x<br/>y</i/>",
            "a < b </ c> <> </> <?php x ?> <!x> <!-> d",
            "<!-->a<!--->b<!-- c --!>d<!-- -- > --->e<!-- f",
            "&amp;&ampx;&notit;&notin;&#8217;&#x201C;&#150;&#0;&#xd800;&#x110000;&#;&#x;&nosuch;& &;",
            "<title>a &amp; </b> c</title ><textarea>\n<p>&lt;</TEXTAREA>d",
            "<style>a</b></style><noscript><p>b</noscript><iframe><p></iframe><xmp><p>&amp;</xmp>c",
            "<script>if (a</b/.test('</scripts>')) </script >d",
            "<script><!-- <script> </script> a --> </script>b<script><!--></script>c",
            "<script><!-- </script>a<script>//<!-- <scripty></script>b",
            "<svg><![CDATA[a<p>b]]></svg><![CDATA[c]]>d<svg><path/><title>e</title></svg>",
            "<pre>\n\na</pre><plaintext>b</p><c>",
            "<p>a<b class=x",
            "<p>a</b",
            "<template><p>a</template><table><tr><p>b<td>c</table>",
            "<b><i>a</b>b</i><a>c<p><a>d",
        ] {
            assert_eq!(ours(markup), theirs(markup), "{markup}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

        #[test]
        fn any_markup_is_read_as_html5ever_reads_it(
            pieces in prop::collection::vec(
                prop_oneof![
                    "[<>/=!?'\"&;# a-cA-C\n\r-]{0,8}",
                    prop::sample::select(vec![
                        "<!--", "-->", "--!>", "<script>", "</script>", "<script", "<title>", "</title>", "<p ", "class=",
                        "<svg>", "</svg>", "<![CDATA[", "]]>", "&amp", "&#x26", "&not", "<style>", "</style ",
                        "<!DOCTYPE ", "html", "<table>", "<b>", "</b>",
                    ])
                    .prop_map(str::to_owned),
                ],
                0..12,
            )
        ) {
            let markup = pieces.concat();
            prop_assert_eq!(ours(&markup), theirs(&markup));
        }
    }
}
