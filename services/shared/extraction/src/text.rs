//! Small questions about text that every part of the extractor asks.

use html5ever::tendril::StrTendril;
use unicode_normalization::UnicodeNormalization;

use crate::{counts::Counts, tree::resolved};

/// White space squeezed to single spaces, invisible characters dropped, composed (NFC).
pub(crate) fn squeeze(text: &str) -> String {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || is_invisible(c));
    let mut out = String::with_capacity(text.len());
    let mut composed = true;
    let mut has_right_to_left = None;
    // Runs are copied whole; `start` is where the one at hand began.
    let (mut gap, mut start) = (false, 0);
    let mut run = |from: usize, to: usize, gap: &mut bool| {
        if let Some(run) = text.get(from..to).filter(|run| !run.is_empty()) {
            if *gap && !out.is_empty() {
                out.push(' ');
            }
            *gap = false;
            out.push_str(run);
        }
    };
    for (at, c) in text.char_indices() {
        // A single space between words is part of a run.
        let next = || text.as_bytes().get(at + 1);
        if c > ' ' && c < '\u{7f}' || c == ' ' && at > start && next().is_some_and(u8::is_ascii_graphic) {
            continue;
        }
        let is_space = c.is_whitespace();
        let mut directs = || {
            is_direction_mark(c)
                && *has_right_to_left.get_or_insert_with(|| text.chars().any(is_right_to_left))
        };
        if is_space || is_invisible(c) && !directs() {
            run(start, at, &mut gap);
            gap |= is_space;
            start = at + c.len_utf8();
        } else {
            composed &= is_composed(c);
        }
    }
    run(start, text.len(), &mut gap);
    if composed || unicode_normalization::is_nfc(&out) { out } else { out.nfc().collect() }
}

/// Whether a character is one that NFC neither changes nor joins to one before it; of the common ones.
fn is_composed(c: char) -> bool {
    matches!(
        c,
        '\0'..='\u{2ff}' | '\u{400}'..='\u{482}' | '\u{2010}'..='\u{203a}' | '\u{20ac}'
            | '\u{3001}'..='\u{3029}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}'
            | '\u{4e00}'..='\u{9fff}' | '\u{ac00}'..='\u{d7a3}'
    )
}

/// Zero-width, soft-hyphen, directional and control characters: they break words and comparisons, and nobody sees them.
pub(crate) fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2060}' | '\u{feff}' | '\u{202a}'..='\u{202e}'
    ) || (c.is_control() && !c.is_whitespace())
}

/// Where scripts of two directions meet, these say which side a bracket is on.
fn is_direction_mark(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}')
}

fn is_right_to_left(c: char) -> bool {
    matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}')
}

/// Letters and digits in lower case, single spaces between words: equal for texts that differ in punctuation only.
pub(crate) fn loose(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut gap = false;
    for c in text.chars() {
        let counts = if c.is_ascii() { c.is_ascii_alphanumeric() } else { c.is_alphanumeric() };
        if counts {
            if gap && !out.is_empty() {
                out.push(b' ');
            }
            gap = false;
            push_lower(&mut out, c);
        } else if !is_invisible(c) {
            gap = true;
        }
    }
    String::from_utf8(out).unwrap_or_default()
}

/// Appends a character in lower case, in UTF-8.
#[inline]
pub(crate) fn push_lower(out: &mut Vec<u8>, c: char) {
    if c.is_ascii() {
        out.push((c as u8).to_ascii_lowercase());
    } else {
        push_other_lower(out, c);
    }
}

fn push_other_lower(out: &mut Vec<u8>, c: char) {
    c.to_lowercase().for_each(|c| out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()));
}

/// How many words; scripts without spaces count two characters a word.
pub(crate) fn word_count(text: &str) -> usize {
    Counts::of(text).words()
}

/// How much reading a text is: its letters and digits, those of unspaced scripts thrice, as they say as much more.
pub(crate) fn weight(text: &str) -> usize {
    if text.is_ascii() {
        return text.bytes().filter(|b| !is_ascii_space(*b)).count();
    }
    text.chars().map(|c| if is_unspaced(c) { 3 } else { usize::from(!c.is_whitespace()) }).sum()
}

/// [`char::is_whitespace`] of ASCII.
fn is_ascii_space(b: u8) -> bool {
    matches!(b, b' ' | b'\t'..=b'\r')
}

/// Whether a character is of a script without spaces between words.
pub(crate) fn is_unspaced(c: char) -> bool {
    c > '\u{0dff}'
        && matches!(c, '\u{0e00}'..='\u{0e7f}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}')
}

/// Whether it ends as a sentence does, closing quotes and brackets aside.
pub(crate) fn ends_sentence(text: &str) -> bool {
    let last = text.trim_end_matches(|c: char| c.is_whitespace() || is_closing(c)).chars().next_back();
    last.is_some_and(is_sentence_end)
}

/// A full stop of any script.
pub(crate) const fn is_sentence_end(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '।' | '؟' | '۔' | '։' | '።')
}

/// A quotation mark or bracket that closes, or stands for one.
pub(crate) const fn is_closing(c: char) -> bool {
    matches!(
        c,
        '"' | '\''
            | ')'
            | ']'
            | '}'
            | '”'
            | '’'
            | '»'
            | '“'
            | '›'
            | '‹'
            | '«'
            | '」'
            | '』'
            | '）'
            | '*'
            | '_'
    )
}

/// About how many sentences: ends that white space and no lower-case letter follow.
pub(crate) fn sentence_count(text: &str) -> usize {
    Counts::of(text).sentences as usize
}

/// The first `limit` characters.
pub(crate) fn cut(text: &str, limit: usize) -> &str {
    text.char_indices().nth(limit).map_or(text, |(at, _)| text.get(..at).unwrap_or(text))
}

/// Character references in text that was escaped twice, as in JSON-LD and meta values.
pub(crate) fn unescape(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    // Such values hold addresses too, in which `&copy=1` is no reference.
    resolved(StrTendril::from_slice(text), true).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn squeezing_and_loosening() {
        assert_eq!(squeeze(" a\u{a0}\n b\u{ad}c\u{200b} "), "a bc");
        assert_eq!(squeeze("a\u{200e}b \u{200f}c"), "ab c");
        assert_eq!(squeeze("\u{200f}عبّارة\u{200f} (AB-12)"), "عبّارة\u{200f} (AB-12)");
        assert_eq!(loose("“Don't” — stop!"), "don t stop");
    }

    #[test]
    fn ascii_counts_as_other_text_does() {
        for text in ["", "a", " a  b-c\x0bd. ! e", "-- (f) \x1cg", "3.5 %"] {
            // The last word makes the text other than ASCII.
            let longer = format!("{text} é");
            assert_eq!(
                (word_count(text), weight(text)),
                (word_count(&longer) - 1, weight(&longer) - 1),
                "{text}"
            );
        }
    }

    #[test]
    fn what_counts_as_composed_is() {
        for c in ('\0'..=char::MAX).filter(|c| is_composed(*c)) {
            assert!(unicode_normalization::is_nfc(&format!("a{c}")), "{c:?}");
        }
        assert_eq!(squeeze("e\u{301} a\u{328}\u{301}"), "é ą\u{301}");
    }

    #[test]
    fn sentences() {
        for (text, ends, count) in [
            ("He said: “No.”", true, 1),
            ("One. Two! Three", false, 2),
            ("3.5 per cent", false, 0),
            ("東京で会議。大臣が出席した。", true, 2),
        ] {
            assert_eq!((ends_sentence(text), sentence_count(text)), (ends, count), "{text}");
        }
    }

    #[test]
    fn references() {
        for (text, expected) in [
            ("A &amp; B &#8217;s &#x201c; &nosuch; &", "A & B ’s “ &nosuch; &"),
            ("Jos&eacute; &Scaron;&iacute;p &mdash; &#150;", "José Šíp — –"),
            ("/?a=1&copy=2&lt;b", "/?a=1&copy=2<b"),
        ] {
            assert_eq!(unescape(text), expected);
        }
    }
}
