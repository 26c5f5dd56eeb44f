//! Texts as word tokens, and their hashes. **Frozen as v1**: every constant and step here is in stored state.

use std::ops::Range;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};
use xxhash_rust::xxh3;

use crate::figures::Figures;

/// Seed of every hash of this crate.
const SEED: u64 = 0x7769_7265_726f_6f6d;

/// One shingle hash in this many is kept.
pub(crate) const SCALE: u64 = 8;

/// A text of fewer words keeps all its shingles: an eighth of them would be too few to judge by.
const SHORT_TEXT_WORDS: u32 = 120;

/// What is read of one text. A longer one is judged by its beginning.
const MAX_TEXT_BYTES: usize = 1 << 20;

/// Paragraphs kept apart; what follows counts as part of the last.
const MAX_PARAGRAPHS: usize = 512;

/// Units a word spans in a shingle. A character of a script that writes no spaces is a token of its own and spans
/// less: a Chinese word has about two, a Thai word about four.
const WORD_UNITS: u8 = 4;
const IDEOGRAPH_UNITS: u8 = 2;
const THAI_UNITS: u8 = 1;

/// The name of a text: equal for texts with the same words in the same order, whatever their typography, line breaks
/// and punctuation. XXH3, 128 bits, over the tokens, each followed by a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TextHash(pub u128);

/// A text read once.
///
/// Tokens are the alphanumeric runs of the NFKC form in lower case; apostrophes, soft hyphens and zero-width characters
/// inside a word vanish, as do points and commas inside a number. A shingle of *n* words is hashed by XXH3 (64 bits)
/// over the little-endian XXH3 hashes of its tokens, and counts to the paragraph it begins in: paragraph and line breaks
/// do not hide that two texts are the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The exact text's name.
    pub text_hash: TextHash,
    /// Number of words, two ideographs or four Thai letters counting as one.
    pub words: u32,
    /// In the order of the text.
    pub paragraphs: Vec<Paragraph>,
}

/// The shingle hashes of a paragraph, in the order of the text: those ≡ 0 mod 8, of a short text all of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Paragraph {
    /// XXH3 over its token hashes: what a domain repeats has the same.
    pub hash: u64,
    /// Number of words, two ideographs or four Thai letters counting as one.
    pub words: u32,
    /// Hashes of 5-word shingles.
    pub five: Vec<u64>,
    /// Hashes of 3-word shingles.
    pub three: Vec<u64>,
    /// Figures with their context: the hash of the two words before in the high half, of the figure in the low.
    pub figures: Vec<u64>,
}

impl Document {
    /// Reads `text`; blank lines part paragraphs, or, where there are none, line breaks do.
    pub fn read(text: &str) -> Self {
        let text = cut(text, MAX_TEXT_BYTES);
        // Its tokens, each followed by a space.
        let mut spelt = String::with_capacity(text.len() + 1);
        let mut tokens = Vec::with_capacity(text.len() / 5);
        let mut ranges = Vec::new();
        for part in split_paragraphs(text) {
            let begin = tokens.len();
            for_each_token(part, &mut spelt, |word, units| {
                let figure = word.starts_with(|c: char| c.is_numeric());
                tokens.push(Token { hash: xxh3::xxh3_64_with_seed(word.as_bytes(), SEED), units, figure });
            });
            if begin < tokens.len() {
                ranges.push(begin..tokens.len());
            }
        }
        let hashes: Vec<u8> = tokens.iter().flat_map(|token| token.hash.to_le_bytes()).collect();
        let words = words_of(&tokens);
        let all = words < SHORT_TEXT_WORDS;
        let paragraphs = ranges.into_iter().map(|range| {
            let own = tokens.get(range.clone()).unwrap_or_default();
            Paragraph {
                hash: hash_of(&hashes, range.clone()),
                words: words_of(own),
                five: shingles(&tokens, &hashes, range.clone(), 5, all),
                three: shingles(&tokens, &hashes, range, 3, all),
                figures: figures(own),
            }
        });
        let paragraphs = paragraphs.collect();
        Self { text_hash: TextHash(xxh3::xxh3_128_with_seed(spelt.as_bytes(), SEED)), words, paragraphs }
    }
}

/// The words of a text as they are compared: its tokens, in the form that is hashed.
pub fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    for_each_token(cut(text, MAX_TEXT_BYTES), &mut String::new(), |word, _| words.push(word.to_owned()));
    words
}

/// Words in a row: with spaces, but between two characters of a script that writes none.
pub fn spell(words: &[String]) -> String {
    let mut spelt = String::new();
    let is_unspaced = |c: char| units_of_unspaced(c).is_some();
    for word in words {
        let is_joined = spelt.ends_with(is_unspaced) && word.starts_with(is_unspaced);
        if !spelt.is_empty() && !is_joined {
            spelt.push(' ');
        }
        spelt.push_str(word);
    }
    spelt
}

#[derive(Clone, Copy)]
struct Token {
    hash: u64,
    units: u8,
    figure: bool,
}

fn words_of(tokens: &[Token]) -> u32 {
    tokens.iter().map(|token| u32::from(token.units)).sum::<u32>().div_ceil(u32::from(WORD_UNITS))
}

/// XXH3 over the hashes of some tokens, in `hashes` eight bytes each.
fn hash_of(hashes: &[u8], tokens: Range<usize>) -> u64 {
    xxh3::xxh3_64_with_seed(hashes.get(tokens.start * 8..tokens.end * 8).unwrap_or_default(), SEED)
}

/// Hashes of the shingles that begin in `range`. A text shorter than a shingle is one shingle.
fn shingles(tokens: &[Token], hashes: &[u8], range: Range<usize>, words: usize, all: bool) -> Vec<u64> {
    let span = words * usize::from(WORD_UNITS);
    let scale = if all { 1 } else { SCALE as usize };
    let mut kept = Vec::with_capacity(range.len() / scale + range.len() / (2 * scale) + 2);
    let mut units = 0;
    let mut end = range.start;
    for begin in range {
        while units < span
            && let Some(token) = tokens.get(end)
        {
            units += usize::from(token.units);
            end += 1;
        }
        if units < span && begin > 0 {
            break;
        }
        let hash = hash_of(hashes, begin..end);
        if all || hash.is_multiple_of(SCALE) {
            kept.push(hash);
        }
        units -= tokens.get(begin).map_or(0, |token| usize::from(token.units));
    }
    kept
}

/// Each figure of a paragraph under the hash of the two words before it, or, at the paragraph's beginning, of the two
/// after it. A figure among those stands for any: reports recur with all their numbers changed.
fn figures(paragraph: &[Token]) -> Vec<u64> {
    let mut figures = Figures::default();
    for (at, token) in paragraph.iter().enumerate().filter(|(_, token)| token.figure) {
        let before = at.checked_sub(2).and_then(|from| paragraph.get(from..at));
        let after = || paragraph.get(at + 1..at + 3);
        let Some(context) = before.or_else(after) else { continue };
        let mut hasher = xxh3::Xxh3::with_seed(SEED);
        for word in context {
            hasher.update(&if word.figure { [1; 8] } else { word.hash.to_le_bytes() });
        }
        figures.add(hasher.digest(), token.hash);
    }
    figures.into_vec()
}

fn cut(text: &str, bytes: usize) -> &str {
    (0..=bytes.min(text.len())).rev().find_map(|at| text.get(..at)).unwrap_or_default()
}

fn split_paragraphs(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let blank = |line: &str| line.trim().is_empty();
    let has_blank_lines = text.trim().lines().any(blank);
    let mut begin = 0;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        at += line.len();
        if (blank(line) || !has_blank_lines) && parts.len() + 1 < MAX_PARAGRAPHS {
            parts.push(text.get(begin..at).unwrap_or_default());
            begin = at;
        }
    }
    parts.push(text.get(begin..).unwrap_or_default());
    parts
}

/// Appends the tokens to `spelt`, each followed by a space, and calls `each` with every one and its units.
fn for_each_token(text: &str, spelt: &mut String, each: impl FnMut(&str, u8)) {
    // Nearly every text is in that form as it is.
    let mut text = if text.is_ascii() || is_nfkc_quick(text.chars()) == IsNormalized::Yes {
        text.to_owned()
    } else {
        text.nfkc().collect::<String>()
    };
    text.make_ascii_lowercase();
    tokenise(&text, spelt, each);
}

/// Which bytes are of a word whatever stands beside them, once a text is in ASCII's lower case.
const WORD_BYTES: [bool; 256] = {
    let mut is_word = [false; 256];
    let mut byte = 0;
    while byte < 128 {
        is_word[byte] = (byte as u8).is_ascii_alphanumeric();
        byte += 1;
    }
    is_word
};

/// The tokens of a text in NFKC and in ASCII's lower case.
fn tokenise(text: &str, spelt: &mut String, mut each: impl FnMut(&str, u8)) {
    let mut rest = text;
    let mut begin = spelt.len();
    let mut flush = |spelt: &mut String, units| {
        if let Some(word) = spelt.get(begin..).filter(|word| !word.is_empty()) {
            each(word, units);
            spelt.push(' ');
            begin = spelt.len();
        }
    };
    loop {
        let is_other = |byte: u8| !WORD_BYTES.get(usize::from(byte)).is_some_and(|is_word| *is_word);
        let run = rest.bytes().position(is_other).unwrap_or(rest.len());
        let (word, after) = rest.split_at_checked(run).unwrap_or((rest, ""));
        spelt.push_str(word);
        let Some((&next, _)) = after.as_bytes().split_first() else { break };
        let after_next = after.get(1..).unwrap_or_default();
        match next {
            b'.' | b',' => {
                // 1,000 and 3.5 are one figure.
                let is_within_figure =
                    spelt.ends_with(char::is_numeric) && after_next.starts_with(char::is_numeric);
                if !is_within_figure {
                    flush(spelt, WORD_UNITS);
                }
                rest = after_next;
            }
            // Inside a word it is no break: don't.
            b'\'' | b'`' => rest = after_next,
            ..=0x7f => {
                flush(spelt, WORD_UNITS);
                rest = after_next;
            }
            _ => {
                let mut chars = after.chars();
                let c = chars.next().unwrap_or_default();
                rest = chars.as_str();
                // Inside a word it is no break: co\u{ad}operation.
                if is_silent(c) {
                    continue;
                }
                for c in c.to_lowercase() {
                    if let Some(units) = units_of_unspaced(c) {
                        flush(spelt, WORD_UNITS);
                        spelt.push(c);
                        flush(spelt, units);
                    } else if c.is_alphanumeric() {
                        spelt.push(c);
                    } else if !is_silent(c) && !unicode_normalization::char::is_combining_mark(c) {
                        flush(spelt, WORD_UNITS);
                    }
                }
            }
        }
    }
    flush(spelt, WORD_UNITS);
}

/// Apostrophes, soft hyphens, joiners, byte-order marks.
fn is_silent(c: char) -> bool {
    matches!(
        c,
        '\'' | '\u{2018}' | '\u{2019}' | '\u{2bc}' | '`' | '\u{ad}' | '\u{200b}'
            ..='\u{200d}' | '\u{2060}' | '\u{feff}'
    )
}

/// Units of a character whose script writes no spaces between words; `None` for every other.
fn units_of_unspaced(c: char) -> Option<u8> {
    match c {
        '\u{3041}'..='\u{30ff}'
        | '\u{31f0}'..='\u{31ff}'
        | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}'
        | '\u{20000}'..='\u{323af}' => c.is_alphanumeric().then_some(IDEOGRAPH_UNITS),
        '\u{e01}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' => {
            c.is_alphabetic().then_some(THAI_UNITS)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tokens(text: &str) -> String {
        words(text).join(" ")
    }

    #[test]
    fn words_are_spelt_as_their_script_is() {
        for text in ["北京記者 said in 2015 по пути в город", "", "one two"] {
            assert_eq!(spell(&words(text)), text);
        }
    }

    #[test]
    fn typography_does_not_count() {
        for (text, expected) in [
            ("“Don’t”, she—said…", "dont she said"),
            ("Don't, SHE said", "dont she said"),
            ("an of\u{fb01}ce co\u{ad}operates", "an office cooperates"),
            (r"\$400 billion, 1,250.5 tonnes.", "400 billion 12505 tonnes"),
            ("in 2015. Then", "in 2015 then"),
            ("e\u{301}te\u{301} ÉTÉ", "été été"),
            ("北京（记者）", "北 京 记 者"),
            ("ｆｕｌｌ ｗｉｄｔｈ", "full width"),
            ("", ""),
        ] {
            assert_eq!(tokens(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_algorithm_is_frozen() {
        let document =
            Document::read("The mayor of Port Alder opened the new bridge on Monday, 12 years late.");
        let paragraph = &document.paragraphs[0];
        let first = |hashes: &[u64]| hashes.first().map(|hash| format!("{hash:016x}")).unwrap_or_default();
        let frozen = [&paragraph.five, &paragraph.three, &paragraph.figures].map(|hashes| first(hashes));
        assert_eq!(format!("{:032x}", document.text_hash.0), "29c829a76a00a7a01861d6dfb8e43657");
        assert_eq!(frozen, ["c0cc0fb634d7e887", "741ddb671f72f893", "6c318a753597498e"]);
        assert_eq!(format!("{:016x}", paragraph.hash), "575f3a4fcb7824e4");
    }

    #[test]
    fn line_breaks_do_not_hide_the_same_text() {
        let flowing = Document::read("One two three four five six seven.\n\nEight nine ten eleven twelve.");
        let wrapped =
            Document::read("One two three\nfour five six seven.\n\n\nEight nine\nten eleven twelve.");
        let lines = Document::read("One two three four five six seven.\nEight nine ten eleven twelve.");
        assert_eq!(flowing, wrapped);
        assert_eq!(flowing, lines);
        assert_eq!(flowing.paragraphs.len(), 2);
    }

    #[test]
    fn scripts_without_spaces_have_shingles_of_characters() {
        let document = Document::read("市长周一宣布新桥将于明年春天正式通车");
        assert_eq!(document.words, 9);
        assert_eq!(document.paragraphs[0].five.len(), 18 - 10 + 1);
    }

    #[test]
    fn a_text_shorter_than_a_shingle_is_one() {
        let document = Document::read("Breaking news");
        assert_eq!((document.paragraphs[0].five.len(), document.paragraphs[0].three.len()), (1, 1));
        assert!(Document::read(" \n ").paragraphs.is_empty());
    }

    #[test]
    fn paragraphs_are_bounded() {
        let document = Document::read(&"word\n\n".repeat(10_000));
        assert_eq!(document.paragraphs.len(), MAX_PARAGRAPHS);
    }
}
