//! Patterns of robots.txt: their one spelling, and what they match (RFC 9309 sections 2.2.2 and 2.2.3).

use std::fmt::Write;

use memchr::memmem;

/// The one spelling of a path or, where `is_pattern`, of a rule's: octets that are no ASCII, no visible or no URI
/// characters escaped, unreserved ones not, and in a query neither those that mean nothing there (RFC 3986 section
/// 3.4). What `*` and `$` are not special is escaped.
pub(super) fn normal(text: &[u8], is_pattern: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_query = false;
    let mut rest = text;
    while let [byte, after @ ..] = rest {
        rest = after;
        let escaped = after.get(..2).filter(|_| *byte == b'%').and_then(hex);
        if let Some(byte) = escaped {
            rest = after.get(2..).unwrap_or_default();
            let is_plain = is_unreserved(byte) || is_query && matches!(byte, b':' | b'/' | b'?' | b'@');
            push(&mut out, byte, is_plain);
            continue;
        }
        is_query |= *byte == b'?';
        let is_plain = match byte {
            b'*' => is_pattern,
            b'$' => is_pattern && after.is_empty(),
            b'"' | b'<' | b'>' | b'\\' | b'^' | b'`' | b'{' | b'|' | b'}' => false,
            _ => byte.is_ascii_graphic(),
        };
        push(&mut out, *byte, is_plain);
    }
    out
}

/// Whether a pattern in its one spelling matches the start of a path in its one spelling. Linear: what stands between
/// two `*` is looked for once, where it comes first.
pub(super) fn matches(path: &[u8], pattern: &[u8]) -> bool {
    let (pattern, is_whole) = match pattern {
        [start @ .., b'$'] => (start, true),
        _ => (pattern, false),
    };
    let mut parts = pattern.split(|b| *b == b'*');
    let Some(mut rest) = path.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let mut last: Option<&[u8]> = None;
    for part in parts {
        if let Some(part) = last.replace(part) {
            let Some(at) = memmem::find(rest, part) else { return false };
            rest = rest.get(at + part.len()..).unwrap_or_default();
        }
    }
    match last {
        Some(last) if is_whole => rest.ends_with(last),
        Some(last) => memmem::find(rest, last).is_some(),
        None => rest.is_empty() || !is_whole,
    }
}

fn push(out: &mut String, byte: u8, is_plain: bool) {
    if is_plain {
        out.push(char::from(byte));
    } else {
        // A string takes whatever is written to it.
        let _ = write!(out, "%{byte:02X}");
    }
}

fn hex(digits: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(digits).ok().filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// As the standard words it, and as slow as that.
    fn matches_slowly(path: &[u8], pattern: &[u8]) -> bool {
        match pattern {
            [] => true,
            [b'$'] => path.is_empty(),
            [b'*', rest @ ..] => (0..=path.len()).any(|n| matches_slowly(&path[n..], rest)),
            [byte, rest @ ..] => path.first() == Some(byte) && matches_slowly(&path[1..], rest),
        }
    }

    proptest! {
        #[test]
        fn matching_is_what_the_standard_words(path in "/[abc]{0,8}", pattern in "[/*]{0,2}[abc*]{0,6}\\$?") {
            prop_assert_eq!(
                matches(path.as_bytes(), pattern.as_bytes()),
                matches_slowly(path.as_bytes(), pattern.as_bytes())
            );
        }

        #[test]
        fn the_one_spelling_is_a_fixed_point(text in "[ -~é%/*$?2A]{0,20}") {
            let pattern = normal(text.as_bytes(), true);
            prop_assert_eq!(normal(pattern.as_bytes(), true), pattern);
        }
    }
}
