//! Bytes to text: byte order mark, then the Content-Type header, then what the page declares, then detection.
//!
//! A declared encoding that the bytes contradict (UTF-8 declared, not UTF-8 sent) is overruled by detection, since
//! headers and templates are wrong more often than bytes are by chance valid. What was encoded twice is undone.

mod doubled;

use std::borrow::Cow;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};

/// Bytes read beyond this are ignored, with a warning.
pub(crate) const MAX_INPUT_BYTES: usize = 8 << 20;

/// How far into a page a `<meta charset>` is looked for; the HTML standard says 1,024, real pages need more.
const META_PRESCAN_BYTES: usize = 4096;

/// Decoded text, and what was doubtful about it.
pub(crate) struct Decoded<'a> {
    pub text: Cow<'a, str>,
    /// As [`Extraction::charset_via`](crate::Extraction::charset_via) has it.
    pub charset_via: &'static str,
    pub warning: Option<String>,
}

/// Decodes `bytes`; never fails, undecodable sequences become U+FFFD.
pub(crate) fn decode<'a>(bytes: &'a [u8], content_type: Option<&str>, url: Option<&str>) -> Decoded<'a> {
    let decoded = decode_once(bytes, content_type, url);
    match doubled::undone(&decoded.text) {
        None => decoded,
        Some(text) => {
            let warning = decoded.warning.or_else(|| Some("encoded twice, which is undone".to_owned()));
            Decoded { text: text.into(), warning, ..decoded }
        }
    }
}

fn decode_once<'a>(bytes: &'a [u8], content_type: Option<&str>, url: Option<&str>) -> Decoded<'a> {
    let cut = bytes.get(..MAX_INPUT_BYTES).unwrap_or(bytes);
    let mut warning = (cut.len() < bytes.len())
        .then(|| format!("only the first {MAX_INPUT_BYTES} bytes of {} were read", bytes.len()));
    if let Some((encoding, mark)) = Encoding::for_bom(cut) {
        let (text, _) = encoding.decode_without_bom_handling(cut.get(mark..).unwrap_or_default());
        return Decoded { text, charset_via: "bom", warning };
    }
    // UTF-16 cannot declare itself in markup; its first `<` does.
    let wide = [(&b"<\0"[..], UTF_16LE), (b"\0<", UTF_16BE)];
    if let Some((_, encoding)) = wide.into_iter().find(|(start, _)| cut.starts_with(start)) {
        return Decoded { text: encoding.decode_without_bom_handling(cut).0, charset_via: "guess", warning };
    }
    let of_header = content_type.and_then(charset_of_header).map(|encoding| (encoding, "header"));
    let of_page = || charset_of_markup(cut).map(|encoding| (encoding, "page"));
    let found = of_header.or_else(of_page);
    let (declared, via) = found.unwrap_or((UTF_8, "guess"));
    if let Some(text) = declared.decode_without_bom_handling_and_without_replacement(cut)
        && (found.is_some() || !looks_like_escape_encoding(cut))
    {
        return Decoded { text, charset_via: via, warning };
    }
    let detected = detect(cut, url);
    if found.is_some() && declared != detected && warning.is_none() {
        warning = Some(format!("declared as {}, read as {}", declared.name(), detected.name()));
    }
    // One stray byte in a long UTF-8 page must not turn it all into another encoding.
    let encoding = if mostly_utf8(cut) { UTF_8 } else { detected };
    let charset_via = if encoding == declared { via } else { "guess" };
    Decoded { text: encoding.decode_without_bom_handling(cut).0, charset_via, warning }
}

fn charset_of_header(header: &str) -> Option<&'static Encoding> {
    charset_label(header.as_bytes())
}

/// `<meta charset=…>`, `<meta … content="…; charset=…">` and `<?xml encoding=…?>`, all alike.
fn charset_of_markup(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = bytes.get(..META_PRESCAN_BYTES).unwrap_or(bytes);
    let encoding = charset_label(head).or_else(|| label_after(head, b"encoding"))?;
    // A page that could be read up to here as ASCII is not UTF-16, whatever it says (HTML standard, 13.2.3.2).
    Some(if encoding.name().starts_with("UTF-16") { UTF_8 } else { encoding })
}

fn charset_label(bytes: &[u8]) -> Option<&'static Encoding> {
    label_after(bytes, b"charset")
}

fn label_after(bytes: &[u8], key: &[u8]) -> Option<&'static Encoding> {
    let at = bytes.windows(key.len()).position(|window| window.eq_ignore_ascii_case(key))?;
    let rest = bytes.get(at + key.len()..)?.trim_ascii_start().strip_prefix(b"=")?;
    let is_label = |b: &u8| b.is_ascii_alphanumeric() || b"-_:.".contains(b);
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix(b"\"").or_else(|| rest.strip_prefix(b"'")).unwrap_or(rest);
    let end = rest.iter().position(|b| !is_label(b)).unwrap_or(rest.len());
    Encoding::for_label(rest.get(..end)?)
}

fn detect(bytes: &[u8], url: Option<&str>) -> &'static Encoding {
    let host = url.and_then(|u| url::Url::parse(u).ok()).and_then(|u| u.host_str().map(str::to_owned));
    let top_level = host
        .as_deref()
        .and_then(|h| h.rsplit('.').next())
        .filter(|t| t.is_ascii() && !t.bytes().any(|b| b.is_ascii_uppercase() || b == b'.') && !t.is_empty());
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(bytes, true);
    detector.guess(top_level.map(str::as_bytes), Utf8Detection::Allow)
}

/// ISO-2022-JP is plain ASCII with escapes, hence valid UTF-8.
fn looks_like_escape_encoding(bytes: &[u8]) -> bool {
    bytes.windows(2).any(|w| w == b"\x1b$" || w == b"\x1b(")
}

fn mostly_utf8(bytes: &[u8]) -> bool {
    let (mut valid, mut broken) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        valid += chunk.valid().bytes().filter(|b| !b.is_ascii()).count();
        broken += chunk.invalid().len();
    }
    broken == 0 || valid > broken * 20
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_by_every_road() {
        let cp1251 =
            encoding_rs::WINDOWS_1251.encode("Совет принял решение о бюджете города на будущий год.").0;
        let declared = [b"<meta charset=windows-1251><p>".as_slice(), &cp1251].concat();
        let quoted =
            [b"<meta http-equiv=x content='text/html; charset=\"cp1251\"'>".as_slice(), &cp1251].concat();
        let lying = [b"<meta charset=utf-8><p>".as_slice(), &cp1251].concat();
        for (bytes, header, via) in [
            (declared.as_slice(), None, "page"),
            (declared.as_slice(), Some("text/html; charset=cp1251"), "header"),
            (quoted.as_slice(), None, "page"),
            (lying.as_slice(), None, "guess"),
            (&cp1251, Some("text/html; charset=Windows-1251"), "header"),
            (&cp1251, Some("text/html; charset=utf-8"), "guess"),
            (&cp1251, None, "guess"),
        ] {
            let decoded = decode(bytes, header, None);
            assert!(decoded.text.contains("принял решение"), "{header:?}");
            assert_eq!(decoded.charset_via, via, "{header:?}");
        }
        for (bytes, header, via) in [
            (b"\xff\xfeh\0i\0".as_slice(), None, "bom"),
            (b"\xef\xbb\xbfhi", Some("text/html; charset=latin1"), "bom"),
            (b"hi", None, "guess"),
        ] {
            let decoded = decode(bytes, header, None);
            assert_eq!((&*decoded.text, decoded.charset_via), ("hi", via));
        }
    }

    #[test]
    fn one_stray_byte_does_not_change_the_encoding() {
        let bytes = ["Größere Mühe über Ärger und Öl. ".repeat(20).as_bytes(), b"\x92s"].concat();
        assert!(decode(&bytes, None, None).text.starts_with("Größere Mühe"));
        assert_eq!(decode(&bytes, Some("text/html; charset=utf-8"), None).charset_via, "header");
    }

    #[test]
    fn input_is_cut_at_the_cap() {
        let bytes = vec![b'a'; MAX_INPUT_BYTES + 1];
        let decoded = decode(&bytes, None, None);
        assert_eq!(decoded.text.len(), MAX_INPUT_BYTES);
        assert!(decoded.warning.is_some());
    }
}
