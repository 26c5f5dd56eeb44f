//! A short text as words and numbers, whatever its script, for those who read dates.

use std::borrow::Cow;

use crate::text::is_invisible;

/// A word or a number, where it stands in its text.
#[derive(Debug)]
pub(crate) struct Token<'t> {
    /// In lower case.
    pub word: Cow<'t, str>,
    pub start: usize,
    pub end: usize,
    pub is_number: bool,
}

impl Token<'_> {
    /// The value of a number of one of these lengths.
    pub fn number(&self, lengths: std::ops::RangeInclusive<usize>) -> Option<i16> {
        (self.is_number && lengths.contains(&self.word.len())).then(|| self.word.parse().ok()).flatten()
    }
}

/// Every script's digits as ASCII ones, full-width signs as plain ones, invisible characters dropped.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let visible = text.chars().filter(|c| !is_invisible(*c));
    let plain = visible.map(|c| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => ZEROES
            .iter()
            .find_map(|zero| char::from_digit(u32::from(c).checked_sub(u32::from(*zero))?, 10))
            .unwrap_or(c),
    });
    Cow::Owned(plain.collect())
}

/// The noughts of scripts that have their own digits: Arabic, Persian, Devanagari, Bengali, Gujarati, Tamil, Thai.
const ZEROES: [char; 7] = ['\u{660}', '\u{6f0}', '\u{966}', '\u{9e6}', '\u{ae6}', '\u{be6}', '\u{e50}'];

pub(crate) fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
        || (c >= '\u{660}'
            && (ZEROES.iter().any(|z| (u32::from(*z)..u32::from(*z) + 10).contains(&u32::from(c)))
                || ('\u{ff10}'..='\u{ff19}').contains(&c)))
}

/// Letters, and the marks of scripts that write vowels and silence around them.
fn is_letter(c: char) -> bool {
    c.is_alphabetic() || matches!(c, '\u{94d}' | '\u{93c}' | '\u{9cd}' | '\u{e47}'..='\u{e4e}')
}

/// Signs that follow a year, month, day, hour or minute in Chinese, Japanese and Korean are words of their own.
pub(crate) fn is_unit(c: char) -> bool {
    c > '\u{2e80}'
        && matches!(
            c,
            '年' | '月'
                | '日'
                | '號'
                | '号'
                | '時'
                | '时'
                | '点'
                | '點'
                | '分'
                | '秒'
                | '년'
                | '월'
                | '일'
                | '시'
                | '분'
                | '초'
        )
}

pub(crate) fn tokens(text: &str) -> Vec<Token<'_>> {
    let mut found: Vec<Token<'_>> = Vec::new();
    let mut chars = text.char_indices().peekable();
    while let Some((start, c)) = chars.next() {
        let is_number = c.is_ascii_digit();
        if !is_number && !is_letter(c) {
            continue;
        }
        let mut end = start + c.len_utf8();
        while let Some(&(at, next)) = chars.peek() {
            // Thai abbreviates with full stops inside a word.
            let is_dot = next == '.'
                && is_thai(c)
                && text.get(at + 1..).and_then(|rest| rest.chars().next()).is_some_and(is_thai);
            let goes_on = if is_number {
                next.is_ascii_digit()
            } else {
                (is_letter(next) || is_dot) && !is_unit(c) && !is_unit(next)
            };
            if !goes_on {
                break;
            }
            end = at + next.len_utf8();
            chars.next();
        }
        let written = text.get(start..end).unwrap_or_default();
        let word = if written.chars().any(char::is_uppercase) {
            Cow::Owned(written.to_lowercase().replace('\u{307}', ""))
        } else {
            Cow::Borrowed(written)
        };
        found.push(Token { word, start, end, is_number });
    }
    found
}

fn is_thai(c: char) -> bool {
    ('\u{e01}'..='\u{e4e}').contains(&c)
}

/// What stands between a token and the next.
pub(crate) fn gap<'t>(text: &'t str, tokens: &[Token], at: usize) -> &'t str {
    let (Some(this), Some(next)) = (tokens.get(at), tokens.get(at + 1)) else { return "" };
    text.get(this.end..next.start).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_numbers_of_many_scripts() {
        for (text, expected) in [
            ("19. März, 10:30", "19 märz 10 30"),
            ("Mar 19th", "mar 19 th"),
            ("2015年3月19日发布", "2015 年 3 月 19 日 发布"),
            ("١٩ مارس", "19 مارس"),
            ("१९ मार्च", "19 मार्च"),
            ("１９：３０", "19 30"),
            ("19 มี.ค. 2558", "19 มี.ค 2558"),
            ("9 KASIM", "9 kasim"),
        ] {
            let text = plain(text);
            let words: Vec<String> = tokens(&text).iter().map(|t| t.word.to_string()).collect();
            assert_eq!(words.join(" "), expected);
        }
    }
}
