//! Undoes text that was encoded twice: UTF-8 read as Windows-1252 or Latin-1 somewhere on its way, and encoded again
//! (`donâ€™t`, `MÃ¼hle`).

use encoding_rs::WINDOWS_1252;

/// So many runs of characters that are as good as never written, and are the bytes of another one.
const FEWEST: usize = 3;

/// The text as it was before it was encoded a second time; nothing where it was not.
///
/// A C1 control in a run is proof, as no page has one on purpose. Without it there have to be several runs, with more of the
/// characters beyond ASCII than stand elsewhere.
pub(super) fn undone(text: &str) -> Option<String> {
    let (mut count, mut within, mut is_proven) = (0, 0, false);
    for (at, run) in runs(text) {
        let run = text.get(at..at + run.bytes).unwrap_or_default();
        count += 1;
        within += run.chars().count();
        is_proven |= run.chars().any(|c| ('\u{80}'..='\u{9f}').contains(&c));
    }
    let is_likely = || count >= FEWEST && within * 2 > text.chars().filter(|c| !c.is_ascii()).count();
    if !is_proven && !is_likely() {
        return None;
    }
    let mut undone = String::with_capacity(text.len());
    let mut end = 0;
    for (at, run) in runs(text) {
        undone.push_str(text.get(end..at).unwrap_or_default());
        undone.push(run.meant);
        end = at + run.bytes;
    }
    undone.push_str(text.get(end..).unwrap_or_default());
    Some(undone)
}

/// Characters that stand for the bytes of one.
struct Run {
    /// Their length in the text.
    bytes: usize,
    meant: char,
}

/// The runs of a text and where they begin.
fn runs(text: &str) -> impl Iterator<Item = (usize, Run)> {
    // What begins a character's bytes, U+00C2 to U+00F4, has this byte in front, and is followed by one beyond ASCII.
    let mut end = 0;
    memchr::memchr_iter(0xc3, text.as_bytes()).filter_map(move |at| {
        let is_open = at >= end && text.as_bytes().get(at + 2).is_some_and(|next| !next.is_ascii());
        let run = is_open.then(|| run(text.get(at..)?)).flatten()?;
        end = at + run.bytes;
        Some((at, run))
    })
}

/// The run that a text begins with.
fn run(text: &str) -> Option<Run> {
    let mut chars = text.chars();
    let mut bytes = [0; 4];
    let lead = u8::try_from(chars.next()?).ok()?;
    let length = match lead {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let bytes = bytes.get_mut(..length)?;
    let (first, rest) = bytes.split_first_mut()?;
    *first = lead;
    for byte in rest {
        *byte = byte_of(chars.next()?)?;
    }
    let meant = std::str::from_utf8(bytes).ok()?.chars().next()?;
    Some(Run { bytes: text.len() - chars.as_str().len(), meant })
}

/// The byte that both encodings read as this character, if it continues one in UTF-8.
fn byte_of(c: char) -> Option<u8> {
    let byte = u8::try_from(c).ok().or_else(|| {
        let mut utf8 = [0; 4];
        match WINDOWS_1252.encode(c.encode_utf8(&mut utf8)) {
            (bytes, _, false) => bytes.first().copied(),
            _ => None,
        }
    });
    byte.filter(|byte| (0x80..=0xbf).contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubled(text: &str, encoding: &'static encoding_rs::Encoding) -> String {
        encoding.decode_without_bom_handling(text.as_bytes()).0.into_owned()
    }

    #[test]
    fn what_was_encoded_twice_is_as_it_was() {
        let text = "Die Mühle ist größer als früher: “Don’t”, sagt Zoë – 5 €. 北京 🗞";
        let latin: String = text.bytes().map(char::from).collect();
        for twice in [doubled(text, WINDOWS_1252), latin] {
            assert_eq!(undone(&twice).as_deref(), Some(text), "{twice}");
        }
        let unproven = "Die Mühle ist größer als früher.";
        assert_eq!(undone(&doubled(unproven, WINDOWS_1252)).as_deref(), Some(unproven));
        let latin: String = "Fundację ó".bytes().map(char::from).collect();
        let mixed = format!("Sprzeciw wobec ataków na Fundację. {latin}");
        assert_eq!(undone(&mixed).as_deref(), Some("Sprzeciw wobec ataków na Fundację. Fundację ó"));
    }

    #[test]
    fn what_was_encoded_once_stays() {
        for text in [
            "",
            "Plain text",
            "Die Mühle ist größer als früher, Ä”, sagt er.",
            "«Â», a letter of Romanian",
            "How pages show Ã¼ and â€™ where an editor chose wrong: that is well known – and mended in a minute.",
            "Não é — SÃO PAULO, 5 €",
        ] {
            assert_eq!(undone(text), None, "{text}");
        }
    }
}
