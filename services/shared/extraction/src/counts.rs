//! What is counted in a text, in one pass over it.

use crate::text::{is_closing, is_sentence_end, is_unspaced};

/// Counts over a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counts {
    /// Characters other than white space, and those of them that are of scripts without spaces.
    pub characters: u32,
    unspaced: u32,
    pub digits: u32,
    pub commas: u32,
    /// What white space divides, and how much of it has letters or digits.
    pub tokens: u32,
    words: u32,
    /// Tokens of which the first letter is a capital; tokens of three letters at most.
    pub capitals: u32,
    pub short: u32,
    /// About how many sentences: ends that white space and no lower-case letter follow.
    pub sentences: u32,
}

/// What a character is: a set of the bits below.
type Class = u8;

const SPACE: Class = 1;
const LETTER: Class = 2;
const CAPITAL: Class = 4;
const DIGIT: Class = 8;
/// A letter or digit of any script.
const SAID: Class = 16;
const COMMA: Class = 32;
const END: Class = 64;
const CLOSING: Class = 128;

/// The classes of ASCII, which most text is.
static ASCII: [Class; 128] = {
    let mut classes = [0; 128];
    let mut at = 0;
    while at < classes.len() {
        let b = at as u8;
        classes[at] = match b {
            b'a'..=b'z' => LETTER | SAID,
            b'A'..=b'Z' => LETTER | SAID | CAPITAL,
            b'0'..=b'9' => DIGIT | SAID,
            b' ' | b'\t'..=b'\r' => SPACE,
            b',' => COMMA,
            _ if is_sentence_end(b as char) => END,
            _ if is_closing(b as char) => CLOSING,
            _ => 0,
        };
        at += 1;
    }
    classes
};

fn class(c: char) -> Class {
    if let Some(class) = ASCII.get(c as usize) {
        return *class;
    }
    let is = |holds: bool, class: Class| if holds { class } else { 0 };
    if c.is_alphabetic() {
        LETTER | SAID | is(c.is_uppercase(), CAPITAL)
    } else if c.is_whitespace() {
        SPACE
    } else {
        is(c.is_alphanumeric(), SAID)
            | is(matches!(c, '、' | '،' | '，'), COMMA)
            | is(is_sentence_end(c), END)
            | is(is_closing(c), CLOSING)
    }
}

/// The token being read.
#[derive(Clone, Copy, Default)]
struct Token {
    length: u32,
    letters: u32,
    classes: Class,
    is_capital: bool,
}

impl Counts {
    pub fn of(text: &str) -> Self {
        let mut counts = Self::default();
        let mut token = Token::default();
        let mut ended = false;
        for c in text.chars() {
            let class = class(c);
            if class & SPACE != 0 {
                counts.add(token);
                token = Token::default();
                counts.sentences += u32::from(ended);
                ended = false;
                continue;
            }
            token.length += 1;
            token.classes |= class;
            if class & LETTER != 0 {
                token.is_capital |= token.letters == 0 && class & CAPITAL != 0;
                token.letters += 1;
                counts.unspaced += u32::from(is_unspaced(c));
                ended = false;
                continue;
            }
            counts.unspaced += u32::from(is_unspaced(c));
            counts.digits += u32::from(class & DIGIT != 0);
            counts.commas += u32::from(class & COMMA != 0);
            if class & END == 0 {
                ended &= class & CLOSING != 0;
            } else if matches!(c, '。' | '！' | '？') {
                counts.sentences += 1;
            } else {
                ended = true;
            }
        }
        counts.add(token);
        counts.sentences += u32::from(ended);
        counts
    }

    fn add(&mut self, token: Token) {
        if token.length > 0 {
            self.characters += token.length;
            self.tokens += 1;
            self.words += u32::from(token.classes & SAID != 0);
            self.capitals += u32::from(token.is_capital);
            self.short += u32::from(token.letters <= 3);
        }
    }

    /// How many words; scripts without spaces count two characters a token.
    pub fn words(&self) -> usize {
        (self.words + self.unspaced / 2) as usize
    }

    /// Whether there is no letter or digit.
    pub fn is_wordless(&self) -> bool {
        self.words == 0
    }

    /// How much reading a text is: its characters, those of unspaced scripts thrice, as they say as much more.
    pub fn weight(&self) -> usize {
        (self.characters + 2 * self.unspaced) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_counted() {
        let counts = Counts::of("Two ferries, 15 boats: «Sí». 東京で会議。 — the U.S. fleet");
        assert_eq!((counts.tokens, counts.words(), counts.sentences), (10, 9 + 5 / 2, 3));
        assert_eq!((counts.characters, counts.weight()), (43, 43 + 2 * 5));
        assert_eq!((counts.digits, counts.commas), (2, 1));
        assert_eq!((counts.capitals, counts.short), (3, 6));
    }
}
