//! The text's language: detected, and weighed against what the page declares.

use crate::text::{cut, word_count};

/// A language and how sure it is, from 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Language {
    /// ISO 639-1 where it has a code for the language, else ISO 639-3.
    pub code: String,
    pub confidence: f64,
    /// `text`, `declared`, or `text+declared` when they agree.
    pub source: &'static str,
}

/// Characters given to the detector: enough for certainty, and a bounded cost.
const SAMPLE_CHARS: usize = 1000;

/// Decides the language of `text`, with the codes the page declares in order of trust.
pub(crate) fn language<'a>(text: &str, declared: impl IntoIterator<Item = &'a str>) -> Option<Language> {
    let declared: Vec<String> = declared.into_iter().filter_map(primary_subtag).collect();
    let detected = whatlang::detect(cut(text, SAMPLE_CHARS))
        .map(|info| (two_letters(info.lang().code()), info.confidence()));
    match (detected, declared.first()) {
        (Some((code, _)), _) if declared.contains(&code) => {
            Some(Language { code, confidence: 1.0, source: "text+declared" })
        }
        (Some((code, confidence)), None) => Some(Language { code, confidence, source: "text" }),
        // A long text that the detector is sure of outweighs a template's default.
        (Some((code, confidence)), Some(_)) if confidence >= 0.9 && word_count(text) >= 40 => {
            Some(Language { code, confidence: 0.9, source: "text" })
        }
        (_, Some(code)) => Some(Language { code: code.clone(), confidence: 0.5, source: "declared" }),
        (None, None) => None,
    }
}

/// `en` of `en-GB`, `en_US` or `eng`.
fn primary_subtag(tag: &str) -> Option<String> {
    let primary = tag.trim().split(['-', '_', ',']).next()?.to_lowercase();
    let is_code = (2..=3).contains(&primary.len()) && primary.bytes().all(|b| b.is_ascii_lowercase());
    is_code.then(|| match primary.as_str() {
        "no" | "nn" => "nb".to_owned(),
        three if three.len() == 3 => two_letters(three),
        _ => primary,
    })
}

fn two_letters(code: &str) -> String {
    const CODES: &[(&str, &str)] = &[
        ("afr", "af"),
        ("aka", "ak"),
        ("amh", "am"),
        ("ara", "ar"),
        ("aze", "az"),
        ("bel", "be"),
        ("ben", "bn"),
        ("bul", "bg"),
        ("cat", "ca"),
        ("ces", "cs"),
        ("cmn", "zh"),
        ("cym", "cy"),
        ("dan", "da"),
        ("deu", "de"),
        ("ell", "el"),
        ("eng", "en"),
        ("epo", "eo"),
        ("est", "et"),
        ("fin", "fi"),
        ("fra", "fr"),
        ("guj", "gu"),
        ("heb", "he"),
        ("hin", "hi"),
        ("hrv", "hr"),
        ("hun", "hu"),
        ("hye", "hy"),
        ("ind", "id"),
        ("ita", "it"),
        ("jav", "jv"),
        ("jpn", "ja"),
        ("kan", "kn"),
        ("kat", "ka"),
        ("khm", "km"),
        ("kor", "ko"),
        ("lat", "la"),
        ("lav", "lv"),
        ("lit", "lt"),
        ("mal", "ml"),
        ("mar", "mr"),
        ("mkd", "mk"),
        ("mya", "my"),
        ("nep", "ne"),
        ("nld", "nl"),
        ("nob", "nb"),
        ("ori", "or"),
        ("pan", "pa"),
        ("pes", "fa"),
        ("pol", "pl"),
        ("por", "pt"),
        ("ron", "ro"),
        ("rus", "ru"),
        ("sin", "si"),
        ("slk", "sk"),
        ("slv", "sl"),
        ("sna", "sn"),
        ("spa", "es"),
        ("srp", "sr"),
        ("swe", "sv"),
        ("tam", "ta"),
        ("tel", "te"),
        ("tgl", "tl"),
        ("tha", "th"),
        ("tuk", "tk"),
        ("tur", "tr"),
        ("ukr", "uk"),
        ("urd", "ur"),
        ("uzb", "uz"),
        ("vie", "vi"),
        ("yid", "yi"),
        ("zul", "zu"),
    ];
    CODES
        .iter()
        .find(|(three, _)| *three == code)
        .map_or_else(|| code.to_owned(), |(_, two)| (*two).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_declaration_are_weighed() {
        let german = "Der Stadtrat hat am Dienstag nach langer Debatte beschlossen, die alte Brücke über den Fluss zu sanieren. ".repeat(4);
        for (text, declared, code, source) in [
            (german.as_str(), vec!["de-AT"], "de", "text+declared"),
            (&german, vec!["en"], "de", "text"),
            (&german, vec![], "de", "text"),
            ("Ok", vec!["fr_FR"], "fr", "declared"),
        ] {
            let found = language(text, declared.clone()).unwrap();
            assert_eq!((found.code.as_str(), found.source), (code, source), "{declared:?}");
        }
        assert_eq!(language("", []), None);
    }
}
