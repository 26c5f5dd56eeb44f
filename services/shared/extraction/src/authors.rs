//! Authors' names from bylines: split, freed of prefixes, roles, agencies and handles.

use crate::{
    phrases::is_agency,
    text::{loose, squeeze},
};

/// Who wrote it, by one source's account.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Credits {
    pub names: Vec<String>,
    pub agency: Option<String>,
}

/// More names than any article has.
const MAX_NAMES: usize = 20;

/// Reads the names in bylines.
pub(crate) fn credits<'t>(bylines: impl IntoIterator<Item = &'t str>) -> Credits {
    let mut found = Credits::default();
    for byline in bylines {
        for part in split(byline) {
            if let Some(agency) = agency_of(&part) {
                found.agency.get_or_insert(agency);
            } else if is_name(&part)
                && found.names.len() < MAX_NAMES
                && !found.names.iter().any(|known| loose(known) == loose(&part))
            {
                found.names.push(part);
            }
        }
    }
    found
}

/// An agency's name alone, or with a word around it (`AFP`, `Reuters staff`).
fn agency_of(part: &str) -> Option<String> {
    let bare = part.trim_end_matches(" staff").trim_end_matches(" Staff");
    is_agency(bare).then(|| bare.to_owned())
}

fn split(byline: &str) -> Vec<String> {
    let mut text = squeeze(byline);
    if text.len() > 400 || text.contains("://") && !text.contains(' ') {
        return Vec::new();
    }
    for open in ['(', '['] {
        while let Some(start) = text.find(open)
            && let Some(length) = text.get(start..).and_then(|rest| rest.find([')', ']']))
        {
            let inside = text.get(start + 1..start + length).unwrap_or_default().to_owned();
            let glue = if is_agency(&inside) { format!(", {inside}") } else { String::new() };
            text.replace_range(start..=start + length, &glue);
        }
    }
    let text = strip_prefix(&text);
    // What follows a bar or a spaced dash is a role, a paper or a date.
    let text = text
        .split(
            [" | ", " - ", " – ", " — ", " • ", " · "]
                .as_slice()
                .iter()
                .find(|s| text.contains(**s))
                .copied()
                .unwrap_or("\n"),
        )
        .next();
    let mut parts = vec![text.unwrap_or_default().to_owned()];
    for separator in [
        ";", ",", "/", "\n", " and ", " & ", " und ", " et ", " y ", " e ", " og ", " och ", " en ",
        " with ", " i ", " и ",
    ] {
        parts = parts
            .iter()
            .flat_map(|p| p.split(separator))
            .map(|p| strip_prefix(p.trim()).trim().to_owned())
            .collect();
    }
    parts.iter().map(|p| clean(p)).filter(|p| !p.is_empty()).collect()
}

/// Whether a text opens as bylines do.
pub(crate) fn has_byline_prefix(text: &str) -> bool {
    strip_prefix(text).len() < text.trim().len()
}

/// "By", "Von", "Par" and their like.
fn strip_prefix(text: &str) -> &str {
    const PREFIXES: &[&str] = &[
        "by",
        "von",
        "par",
        "por",
        "di",
        "da",
        "door",
        "av",
        "af",
        "przez",
        "autor",
        "autorin",
        "author",
        "authors",
        "written by",
        "story by",
        "text",
        "text by",
        "posted by",
        "reported by",
        "words by",
        "texte",
        "texto",
        "redazione di",
        "a cura di",
        "ein kommentar von",
        "kommentar von",
        "eine analyse von",
        "interview",
        "aus",
        "report by",
        "analysis by",
        "opinion by",
        "review by",
        "foto",
        "автор",
        "ein gastbeitrag von",
        "and",
        "und",
        "und von",
        "and by",
        "published by",
        "article by",
        "contributed by",
    ];
    let text = text.trim().trim_start_matches([':', '-', '–', '|', ' ']);
    let lower = text.to_lowercase();
    let longest = PREFIXES
        .iter()
        .filter(|p| lower.strip_prefix(**p).is_some_and(|rest| rest.starts_with([' ', ':'])))
        .max_by_key(|p| p.len());
    longest.and_then(|p| text.get(p.len()..)).map_or(text, |rest| rest.trim_start_matches([':', ' ']))
}

fn clean(name: &str) -> String {
    let kept = name.split(' ').filter(|w| !w.starts_with('@') && !w.contains('@') && !w.contains("://"));
    // A date after the name ends it.
    let kept = kept.take_while(|w| !w.starts_with(|c: char| c.is_ascii_digit()) && !is_calendar_word(w));
    let kept = kept.collect::<Vec<_>>().join(" ");
    kept.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | '\'' | '’' | ')')).to_owned()
}

fn is_calendar_word(word: &str) -> bool {
    const WEEKDAYS: &[&str] = &[
        "monday",
        "tuesday",
        "wednesday",
        "thursday",
        "friday",
        "saturday",
        "sunday",
        "montag",
        "dienstag",
        "mittwoch",
        "donnerstag",
        "freitag",
        "samstag",
        "sonntag",
    ];
    let lower = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    WEEKDAYS.contains(&lower.as_str())
}

fn is_name(part: &str) -> bool {
    const ROLES: &[&str] = &[
        "staff",
        "editor",
        "reporter",
        "writer",
        "correspondent",
        "redaktion",
        "redaction",
        "rédaction",
        "redacción",
        "redazione",
        "redação",
        "newsroom",
        "desk",
        "team",
        "admin",
        "administrator",
        "updated",
        "published",
        "ago",
        "contributor",
        "editorial",
        "chief",
        "columnist",
        "producer",
        "director",
        "professor",
        "journalist",
        "journaliste",
        "periodista",
        "redakteur",
        "redakteurin",
        "redactie",
        "guest",
        "senior",
        "bureau",
        "minutes",
        "read",
        "share",
        "follow",
        "email",
        "subscribe",
        "more",
        "author",
        "authors",
        "byline",
        "posts",
        "view",
        "contact",
        "profile",
        "photo",
        "photographer",
        "unknown",
        "null",
        "none",
        "undefined",
        "am",
        "pm",
        "uhr",
        "phd",
        "md",
        "wires",
        "webmaster",
        "korrespondent",
        "ressortleiter",
        "reporterin",
        "volontär",
        "autorin",
        "agenturen",
        "agencies",
        "agencias",
        "agences",
        "facebook",
        "twitter",
    ];
    let words: Vec<&str> = part.split_whitespace().collect();
    let digits = part.chars().filter(char::is_ascii_digit).count();
    if words.is_empty()
        || words.len() > 6
        || part.chars().count() < 3
        || part.chars().count() > 60
        || digits > 0
    {
        return false;
    }
    let lower = part.to_lowercase();
    let has_role = lower.split(|c: char| !c.is_alphanumeric()).any(|w| ROLES.contains(&w));
    let has_capital = part.chars().any(|c| c.is_uppercase() || (c.is_alphabetic() && !c.is_lowercase()));
    !has_role
        && crate::dates::month_of(&lower).is_none()
        && has_capital
        && !part.contains(['?', '!', ':', '{', '<', '_'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bylines_become_names() {
        for (byline, names, agency) in [
            ("By Ann Able and Bo Baker", &["Ann Able", "Bo Baker"][..], None),
            ("Von Ann Able, dpa", &["Ann Able"], Some("dpa")),
            ("By AFP", &[], Some("AFP")),
            ("Ann Able (Reuters)", &["Ann Able"], Some("Reuters")),
            ("ANN ABLE, Staff Writer | The Quay", &["ANN ABLE"], None),
            ("Por Ana Ábel y José Baca", &["Ana Ábel", "José Baca"], None),
            ("Ann Able @annable", &["Ann Able"], None),
            ("Text: Ann Able; ann@example.com", &["Ann Able"], None),
            ("March 3, 2015", &[], None),
            ("https://example.com/ann", &[], None),
        ] {
            let found = credits([byline]);
            assert_eq!(
                (found.names.as_slice(), found.agency.as_deref()),
                (names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>().as_slice(), agency),
                "{byline}"
            );
        }
    }
}
