//! Character references: `&amp;`, `&#8217;`, `&#x2019;`.

use html5ever::{
    data::{C1_REPLACEMENTS, NAMED_ENTITIES},
    tendril::StrTendril,
};
use memchr::memchr;

/// The text with its character references resolved.
pub(crate) fn resolved(text: StrTendril, in_attribute: bool) -> StrTendril {
    let Some(mut at) = memchr(b'&', text.as_bytes()) else { return text };
    let mut out = StrTendril::with_capacity(text.len() as u32);
    let mut rest: &str = &text;
    loop {
        let (before, from) = rest.split_at(at);
        out.push_slice(before);
        rest = from.get(1..).unwrap_or_default();
        match reference(rest, in_attribute) {
            Some(([first, second], length)) => {
                out.push_char(first);
                if second != '\0' {
                    out.push_char(second);
                }
                rest = rest.get(length..).unwrap_or_default();
            }
            None => out.push_char('&'),
        }
        match memchr(b'&', rest.as_bytes()) {
            Some(next) => at = next,
            None => {
                out.push_slice(rest);
                return out;
            }
        }
    }
}

/// The characters that a reference stands for (the second mostly NUL), and its length without the `&`.
fn reference(text: &str, in_attribute: bool) -> Option<([char; 2], usize)> {
    /// No name is longer.
    const LONGEST: usize = 32;
    if let Some(number) = text.strip_prefix('#') {
        let (digits, base) = match number.strip_prefix(['x', 'X']) {
            Some(digits) => (digits, 16),
            None => (number, 10),
        };
        let length = digits.bytes().take_while(|b| char::from(*b).is_digit(base)).count();
        let digits = digits.get(..length).filter(|digits| !digits.is_empty())?;
        let code = u32::from_str_radix(digits, base).unwrap_or(u32::MAX);
        let length = 1 + usize::from(base == 16) + length;
        let semicolon = usize::from(text.as_bytes().get(length) == Some(&b';'));
        return Some(([numbered(code), '\0'], length + semicolon));
    }
    let named = |length: usize| {
        let (first, second) = *NAMED_ENTITIES.get(text.get(..length)?)?;
        let characters = [char::from_u32(first)?, char::from_u32(second)?];
        (first != 0).then_some((characters, length))
    };
    let run = text.bytes().take(LONGEST).take_while(u8::is_ascii_alphanumeric).count();
    if text.as_bytes().get(run) == Some(&b';')
        && let Some(found) = named(run + 1)
    {
        return Some(found);
    }
    let found = (2..=run).rev().find_map(named)?;
    let next = text.as_bytes().get(found.1);
    let is_part_of_address = in_attribute && next.is_some_and(|b| *b == b'=' || b.is_ascii_alphanumeric());
    (!is_part_of_address).then_some(found)
}

fn numbered(code: u32) -> char {
    let replaced = code.checked_sub(0x80).and_then(|i| *C1_REPLACEMENTS.get(i as usize)?);
    replaced.or(char::from_u32(code).filter(|c| *c != '\0')).unwrap_or('\u{fffd}')
}
