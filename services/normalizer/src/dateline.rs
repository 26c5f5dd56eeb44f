//! Datelines: the place, the day and the agency that a text opens with.

use std::sync::LazyLock;

use regex::{Captures, Regex};

/// Agencies as they sign their texts; a regional service may follow (`dpa/lno`).
const AGENCIES: &str = "AA|AAP|ABI|Adnkronos|AFP|Agerpres|AGI|ANI|ANKA|ANP|ANSA|Antara|AP|APA|ATS|BTA|Belga|Bernama|CNA|\
    The Canadian Press|Canadian Press|CP|ČTK|CTK|DHA|dpa|EFE|epd|Europa Press|FENA|Hina|IANS|İHA|IHA|Interfax|IRNA|ISNA|\
    ITAR-TASS|Itar-Tass|Keystone-ATS|Keystone-SDA|KNA|KUNA|Kyodo|LaPresse|Lusa|MAP|MENA|MTI|NTB|PA|PA Media|PAP|Petra|PTI|\
    QNA|Reuters|Ritzau|SDA|SID|SITA|SPA|STA|STT|TASR|Tanjug|TASS|Télam|TT|Ukrinform|UPI|VNA|WAM|Xinhua|Yonhap|\
    АПА|Интерфакс|РИА Новости|ТАСС|Укринформ|УНИАН|БТА|БелТА|رويترز|أ ف ب|د ب أ|وام|واس|الأناضول";

/// Words in capitals before a dash that are no places.
const LABELS: &[&str] = &[
    "ALERT",
    "ANALYSIS",
    "BREAKING",
    "COLUMN",
    "COMMENT",
    "CORRECTED",
    "EDITORIAL",
    "EXCLUSIVE",
    "EXPLAINER",
    "FACTBOX",
    "FEATURE",
    "FLASH",
    "INTERVIEW",
    "LIVE",
    "NEWS",
    "NOTE",
    "OPINION",
    "PHOTOS",
    "REVIEW",
    "SPONSORED",
    "TRENDING",
    "UPDATE",
    "UPDATED",
    "URGENT",
    "VIDEO",
    "WARNING",
    "WATCH",
];

/// What was found before a text.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Opening {
    /// Place and day as printed: `PARIS, March 3`; empty where only an agency signs.
    pub(crate) dateline: String,
    /// As printed; empty where none signs.
    pub(crate) agency: String,
}

/// Parts a first paragraph into its dateline and its text. Only what can be nothing else is one: a known agency where
/// agencies stand, or a place in capitals before a long dash and the beginning of a sentence. After an acronym that the
/// sentence is about, it goes on in lower case: NATO — the alliance — said so.
pub(crate) fn split(paragraph: &str) -> Option<(Opening, &str)> {
    // Most texts open with none: captures would cost more than the look.
    let found = PATTERNS.iter().find(|pattern| pattern.is_match(paragraph))?.captures(paragraph)?;
    let named = |name| found.name(name).map_or("", |part| part.as_str().trim_end_matches([' ', ',']));
    let opening = Opening { dateline: named("place").to_owned(), agency: agency(&found) };
    if LABELS.contains(&opening.dateline.as_str()) {
        return None;
    }
    let (head, text) = paragraph.split_at_checked(found.get(0)?.end())?;
    let is_signed =
        !opening.dateline.is_empty() && !opening.agency.is_empty() || head.starts_with(['(', '[']);
    (is_signed || begins_sentence(text)).then_some((opening, text))
}

fn begins_sentence(text: &str) -> bool {
    text.chars().find(|c| c.is_alphanumeric()).is_some_and(|c| !c.is_lowercase())
}

fn agency(found: &Captures<'_>) -> String {
    let agency = found.name("agency").map_or("", |agency| agency.as_str());
    // Of `dpa/lno` the agency is dpa.
    agency.split('/').next().unwrap_or_default().to_owned()
}

static PATTERNS: LazyLock<Vec<Regex>> = LazyLock::new(|| {
    // A name of up to five words in capitals, or each with one, then what parts it from the next.
    let word =
        r"(?:\p{Lu}[\p{L}\p{M}.'’]*|d[eouai]s?|del|la|le|les|el|am|an|der|den|sur|upon|und|[\p{Lo}\p{M}]+)";
    let place = format!(r"{word}(?:[ /-]{word}){{0,4}}(?:, {word}(?:[ -]{word}){{0,2}})?");
    let capitals = r"\p{Lu}[\p{Lu}\p{M}.'’]+(?:[ /-]\p{Lu}[\p{Lu}\p{M}.'’]*){0,3}";
    let day = r"(?:,? (?:\p{L}{3,10}\.? \d{1,2}|\d{1,2}\.? \p{L}{3,10}\.?)(?:,? \d{4})?)";
    let agency = format!(r"(?P<agency>(?:{AGENCIES})(?:/[\p{{L}}]{{1,12}})*)");
    let dash = r"\s*(?:\.?\s?(?:[-–—―]{1,2}|:)|\.)\s*";
    let long_dash = r"\s*(?:[–—―]|--)\s*";
    [
        // PARIS, March 3 (AFP) — ; Berlin (dpa/lno) - ; Madrid, 3 mar (EFE).- ; القاهرة (رويترز) -
        format!(r"(?P<place>{place}{day}?)\s?[(\[]{agency}[)\]]{dash}"),
        // Any agency between a place in capitals, with its day, and a long dash.
        format!(r"(?P<place>{capitals}{day})\s?\((?P<agency>\p{{Lu}}[\p{{L}} ]{{1,24}})\){long_dash}"),
        // (ANSA) - ROMA, 03 MAR -
        format!(r"[(\[]{agency}[)\]]{dash}(?P<place>{capitals}{day}){dash}"),
        // (dpa) ; (Reuters) -
        format!(r"[(\[]{agency}[)\]](?:{dash}|\s+)"),
        // ANKARA/AA - ; a line of its own
        format!(r"(?P<place>{capitals})\s?/\s?{agency}(?:{dash}|$)"),
        // МОСКВА, 3 мар - РИА Новости. ; МОСКВА, 3 марта. /ТАСС/.
        format!(r"(?P<place>{capitals}{day})\.?\s?(?:[-–—]\s?|/){agency}/?\.\s+"),
        // AFP — ; Reuters -
        format!(r"{agency}\s(?:[-–—―]|--)\s"),
        // 新华社北京3月3日电（记者…）
        "(?P<agency>新华社|中新社|中新网|新華社)(?P<place>[^\\d\\s，。、电電]{1,10}?(?:\\d{1,2}月)?(?:\\d{1,2}日))[电電](?:[（(][^）)]{1,40}[）)])?\\s*"
            .to_owned(),
        // 【ロンドン共同】
        "【(?P<place>[^】\\s]{1,15}?)[＝=]?(?P<agency>共同|時事|AFP|ロイター)(?:通信)?】\\s*".to_owned(),
        // (서울=연합뉴스) 홍길동 기자 =
        "[(\\[](?P<place>[^)\\]=\\s]{1,15})=(?P<agency>연합뉴스|뉴시스|뉴스1)[)\\]]\\s*(?:[\\p{Hangul}· ]{2,20} (?:기자|특파원) = ?)?"
            .to_owned(),
        // PORT ALDER, March 3 — ; LONDON —
        format!(r"(?P<place>{capitals}(?:, {word}(?: {word})?)?{day}?){long_dash}"),
    ]
    .iter()
    .filter_map(|pattern| Regex::new(&format!("^{pattern}")).ok())
    .collect()
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_opens_with_is_parted_from_it() {
        for (paragraph, dateline, agency, text) in [
            ("LONDON (Reuters) - Trains ran.", "LONDON", "Reuters", "Trains ran."),
            ("PARIS, March 3 (AFP) — Trains ran.", "PARIS, March 3", "AFP", "Trains ran."),
            ("PORT ALDER, Aldermere (AP) — Trains ran.", "PORT ALDER, Aldermere", "AP", "Trains ran."),
            ("BEIJING, March 3 (Xinhua) -- Trains ran.", "BEIJING, March 3", "Xinhua", "Trains ran."),
            ("Berlin/Port Alder (dpa/lno) - Züge fuhren.", "Berlin/Port Alder", "dpa", "Züge fuhren."),
            ("Frankfurt am Main (dpa) – Züge fuhren.", "Frankfurt am Main", "dpa", "Züge fuhren."),
            ("Madrid, 3 mar (EFE).- Los trenes.", "Madrid, 3 mar", "EFE", "Los trenes."),
            ("Rio de Janeiro (AFP) - Os trens.", "Rio de Janeiro", "AFP", "Os trens."),
            ("(ANSA) - ROMA, 03 MAR - I treni.", "ROMA, 03 MAR", "ANSA", "I treni."),
            ("(dpa) Züge fuhren.", "", "dpa", "Züge fuhren."),
            ("(Reuters) - Trains ran.", "", "Reuters", "Trains ran."),
            ("AFP — Trains ran.", "", "AFP", "Trains ran."),
            ("ANKARA/AA - Trenler.", "ANKARA", "AA", "Trenler."),
            ("ANKARA/AA", "ANKARA", "AA", ""),
            ("ANKARA (AA) - Trenler.", "ANKARA", "AA", "Trenler."),
            ("МОСКВА, 3 мар - РИА Новости. Поезда.", "МОСКВА, 3 мар", "РИА Новости", "Поезда."),
            ("МОСКВА, 3 марта. /ТАСС/. Поезда.", "МОСКВА, 3 марта.", "ТАСС", "Поезда."),
            ("القاهرة (رويترز) - القطارات.", "القاهرة", "رويترز", "القطارات."),
            ("新华社北京3月3日电（记者王小明）列车开行。", "北京3月3日", "新华社", "列车开行。"),
            ("【ロンドン共同】列車が走った。", "ロンドン", "共同", "列車が走った。"),
            ("(서울=연합뉴스) 홍길동 기자 = 열차가 달렸다.", "서울", "연합뉴스", "열차가 달렸다."),
            (
                "STENNICK, March 3 (Meridian Wire) — Trains ran.",
                "STENNICK, March 3",
                "Meridian Wire",
                "Trains ran.",
            ),
            ("STENNICK, Ald. — Trains ran.", "STENNICK, Ald.", "", "Trains ran."),
            ("LONDON — Trains ran.", "LONDON", "", "Trains ran."),
            ("LONDON — “Trains ran.”", "LONDON", "", "“Trains ran.”"),
            ("LONDON — 12 trains ran.", "LONDON", "", "12 trains ran."),
            ("PORT ALDER, March 3 — Trains ran.", "PORT ALDER, March 3", "", "Trains ran."),
        ] {
            let expected = Opening { dateline: dateline.into(), agency: agency.into() };
            assert_eq!(split(paragraph), Some((expected, text)), "{paragraph}");
        }
    }

    #[test]
    fn what_may_be_part_of_the_text_stays() {
        for paragraph in [
            "Trains ran in LONDON (Reuters) - or so it said.",
            "The minister told the station (AFP) - that trains ran.",
            "The Association (AP) said trains ran.",
            "London - Trains ran.",
            "Ann Able — the mayor — said so.",
            "BREAKING — Trains ran.",
            "WATCH - Trains ran.",
            "I — we all — saw trains.",
            "NATO — the western alliance — said so.",
            "США — крупнейший экспортёр.",
            "HIV – das Virus – bleibt.",
            "Petra — the rose-red city — is old.",
            "AP said that trains ran.",
            "(see below) Trains ran.",
            "【写真】列車が走った。",
            "新华社说列车开行。",
            "",
        ] {
            assert_eq!(split(paragraph), None, "{paragraph}");
        }
    }

    #[test]
    fn every_pattern_can_be_read() {
        assert_eq!(PATTERNS.len(), 11);
    }
}
