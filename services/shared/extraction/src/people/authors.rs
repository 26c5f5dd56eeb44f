//! Names in a byline: split, freed of prefixes, roles, agencies and addresses, and ranked by how surely they are people.

use super::signs::{has_listed, is_calendar, is_listed, longest_lead, longest_prefix};
use crate::{
    phrases::is_agency,
    text::{loose, squeeze, unescape},
};

/// Who wrote it, by one source's account.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Credits {
    pub names: Vec<String>,
    pub agency: Option<String>,
}

/// What a name looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// An agency, a desk, a company.
    Desk,
    /// One word, or words in lower case: a first name or an account's.
    Handle,
    /// A first and a last name, or a name in a script without capitals.
    Person,
}

/// One name of a byline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub text: String,
    pub rank: Rank,
    pub is_agency: bool,
}

/// More names than any article has.
pub(crate) const MAX_NAMES: usize = 20;
const MAX_BYLINE_BYTES: usize = 600;

/// The names, and the agency, in bylines.
pub(crate) fn credits<'t>(bylines: impl IntoIterator<Item = &'t str>) -> Credits {
    let mut found = Credits::default();
    for name in bylines.into_iter().flat_map(names) {
        if name.is_agency {
            found.agency.get_or_insert(name.text);
        } else if name.rank > Rank::Desk
            && found.names.len() < MAX_NAMES
            && !found.names.iter().any(|known| loose(known) == loose(&name.text))
        {
            found.names.push(name.text);
        }
    }
    found
}

/// The names in one byline: its people and the agency with them, else the whole as what signs.
pub(crate) fn names(byline: &str) -> Vec<Name> {
    let text = squeeze(&unescape(byline));
    if text.is_empty() || text.len() > MAX_BYLINE_BYTES || text.contains("://") && !text.contains(' ') {
        return Vec::new();
    }
    let text = without_brackets(&text.replace("[at]", "@").replace("(at)", "@"));
    let is_prefixed = has_byline_prefix(&text);
    let bare = strip_prefix(&text);
    // Behind a bar or a spaced dash stands a role, a paper or a date; the people are on one side only.
    let all =
        || segments(bare).flat_map(|s| [infix(s, &[" By ", " Von ", " Por ", " Par "]), Some(s)]).flatten();
    let lower =
        || segments(bare).filter_map(|s| infix(s, &[" by ", " von ", " par ", " por ", " door ", " av "]));
    if let Some(found) = all().chain(lower()).map(people).find(|p| p.iter().any(|n| n.rank == Rank::Person)) {
        return found;
    }
    let mut segments = segments(bare);
    let first = segments.next().unwrap_or_default();
    let is_whole = segments.all(|rest| rest.contains(|c: char| c.is_ascii_digit()));
    let handles = people(first);
    let repeats = handles.iter().enumerate().any(|(i, name)| handles.iter().skip(i + 1).any(|n| n == name));
    if is_prefixed || is_whole && !repeats && !has_end(first) {
        let from_infix = infix(first, &[" by ", " von "]).map(people).unwrap_or_default();
        if !handles.is_empty() || !from_infix.is_empty() {
            return if handles.is_empty() { from_infix } else { handles };
        }
    }
    whole(bare).into_iter().collect()
}

/// Whether a byline names somebody.
pub(crate) fn names_a_person(byline: &str) -> bool {
    names(byline).iter().any(|name| name.rank == Rank::Person)
}

/// What follows "by" in a line that begins with something else of few words: `Published in March by Ann Able`.
fn infix<'t>(text: &'t str, joints: &[&str]) -> Option<&'t str> {
    let (lead, name) =
        joints.iter().filter_map(|joint| text.rsplit_once(joint)).min_by_key(|(_, name)| name.len())?;
    (lead.split(' ').count() <= 8).then_some(name)
}

/// Whether a place or a date seems to follow a name.
fn has_end(text: &str) -> bool {
    text.split(' ').any(|word| has_listed("ends", word))
}

/// "By", "Von", "Par" and their like, taken off.
pub(crate) fn strip_prefix(text: &str) -> &str {
    let text = without_signs(text);
    let rest = longest_prefix(text).or_else(|| longest_lead(text));
    rest.map_or(text, |rest| rest.trim_start_matches([':', '：', ' ']))
}

/// Whether a text opens as bylines do.
pub(crate) fn has_byline_prefix(text: &str) -> bool {
    longest_prefix(without_signs(text)).is_some()
}

/// The text without the signs that set a byline off: `— By Ann Able`.
fn without_signs(text: &str) -> &str {
    text.trim().trim_start_matches([':', '-', '–', '—', '|', '•', '·', '/', ',', '>', ' '])
}

/// The text without what stands in brackets, but for a part of a name in them and an agency.
fn without_brackets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, (inside, after))) =
        rest.split_once(['(', '[']).and_then(|(before, from)| Some((before, from.split_once([')', ']'])?)))
    {
        out.push_str(before);
        if is_agency(inside) {
            out.push_str(", ");
            out.push_str(inside);
        } else if after.starts_with(' ') && is_capitalised(inside) && !inside.contains(' ') {
            out.push('(');
            out.push_str(inside);
            out.push(')');
        }
        rest = after;
    }
    out.push_str(rest);
    squeeze(&out)
}

fn segments(text: &str) -> impl Iterator<Item = &str> {
    const BARS: &[&str] = &[" | ", " - ", " – ", " — ", " • ", " · ", " // ", "\n"];
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let here = rest?;
        let cut = BARS.iter().filter_map(|bar| here.find(bar).map(|at| (at, bar.len()))).min();
        let (at, length) = cut.unwrap_or((here.len(), 0));
        rest = cut.and_then(|_| here.get(at + length..));
        here.get(..at)
    })
}

/// The people of a list of names, and the agency among them. Handles only where all are.
fn people(text: &str) -> Vec<Name> {
    let mut found: Vec<Name> = Vec::new();
    for part in split(text) {
        if is_collective(part) {
            continue;
        }
        let (part, is_cut) = clean(part);
        if part.is_empty() {
            continue;
        }
        if let Some(agency) = agency_of(&part) {
            found.push(Name { text: agency, rank: Rank::Desk, is_agency: true });
            continue;
        }
        let (part, agency) = without_agency(&part);
        if is_person(part) {
            found.push(Name { text: part.to_owned(), rank: Rank::Person, is_agency: false });
        } else if let Some(last) = found.last_mut().filter(|_| is_generation(part)) {
            last.text = format!("{}, {part}", last.text);
        } else if !is_cut && is_handle(part) {
            found.push(Name { text: part.to_owned(), rank: Rank::Handle, is_agency: false });
        }
        if let Some(agency) = agency {
            found.push(Name { text: agency.to_owned(), rank: Rank::Desk, is_agency: true });
        }
    }
    if found.iter().any(|n| n.rank == Rank::Person) {
        // A single word after a full name is a place, a degree or an employer.
        found.retain(|n| n.rank != Rank::Handle);
    }
    found
}

fn split<'t>(text: &'t str) -> Vec<&'t str> {
    // A letter that joins names in one language is part of them in another.
    const JOINTS: &[(&str, bool)] = &[
        (" and ", false),
        (" und ", false),
        (" et ", false),
        (" & ", false),
        (" og ", false),
        (" och ", false),
        (" with ", false),
        (" mit ", false),
        (" en ", true),
        (" y ", true),
        (" e ", true),
        (" i ", true),
        (" и ", true),
        (" ve ", true),
        (" dan ", true),
        (" và ", true),
    ];
    let mut parts: Vec<&str> = text.split([';', ',', '/', '\n', '、', '，', '；', '|', '·']).collect();
    for (joint, needs_full_names) in JOINTS.iter().filter(|(joint, _)| text.contains(joint)) {
        let sides = |part: &'t str| {
            let is_full = part.split(joint).all(|side| side.trim().contains(' '));
            let is_list = (is_full || !needs_full_names) && !is_institution(part);
            part.splitn(if is_list { usize::MAX } else { 1 }, joint)
        };
        parts = parts.into_iter().flat_map(sides).collect();
    }
    parts.into_iter().map(strip_prefix).filter(|part| !part.is_empty()).collect()
}

/// `Institute of Tides and Currents`: what it is for is no list of names.
fn is_institution(part: &str) -> bool {
    let mut words = part.split(' ').peekable();
    std::iter::from_fn(|| words.next().map(|word| (word, words.peek().copied())))
        .any(|(word, next)| matches!(next, Some("of" | "for" | "für")) && has_listed("desks", word))
}

/// An agency's name alone, or with a word around it (`AFP`, `Reuters staff`).
fn agency_of(part: &str) -> Option<String> {
    let bare = part.trim_end_matches(" staff").trim_end_matches(" Staff");
    is_agency(bare).then(|| bare.to_owned())
}

/// `Ann Able The Associated Press`: the name, and the agency after it.
fn without_agency(part: &str) -> (&str, Option<&str>) {
    let cut = part.match_indices(' ').take(6).map(|(at, _)| part.split_at(at)).find_map(|(name, rest)| {
        let agency = rest.trim_start();
        (is_agency(agency) && agency.len() > 2).then_some((name, Some(agency)))
    });
    cut.unwrap_or((part, None))
}

/// A part of a byline up to where a role, a place or a date begins, without what leads up to the name; and whether a
/// role was cut off.
fn clean(part: &str) -> (String, bool) {
    let words: Vec<&str> = part.split(' ').filter(|word| !is_address(word)).collect();
    let is_number = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
    // A month is one only beside a number: there are people of these names.
    let is_date = |at: usize, word: &str| {
        is_calendar(word) && part.contains(|c: char| c.is_ascii_digit())
            || crate::dates::month_of(&word.to_lowercase()).is_some()
                && words.get(at + 1).is_some_and(is_number)
    };
    let is_end = |at: usize, word: &str| {
        is_number(&word) || is_date(at, word) || has_listed("ends", word) || has_listed("roles", word)
    };
    // "Staff writer Ann Able": the name is what follows the role.
    let from = words
        .iter()
        .rposition(|w| has_listed("roles", w))
        .filter(|&at| {
            words.len() - at > 2
                && words.iter().take(at).enumerate().all(|(i, w)| !is_end(i, w) || has_listed("roles", w))
        })
        .filter(|&at| at < 3)
        .map_or(0, |at| at + 1);
    let is_cut = words.iter().any(|w| has_listed("roles", w));
    let end = (from..words.len()).find(|&at| is_end(at, words[at])).unwrap_or(words.len());
    let kept = words.get(from..end).unwrap_or_default();
    // A name shown twice, for narrow screens and for wide ones.
    let half = kept.len() / 2;
    let kept = if half > 0 && kept.get(..half) == kept.get(half..) {
        kept.get(..half).unwrap_or_default()
    } else {
        kept
    };
    let kept = kept.join(" ");
    let kept = kept.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | ')'));
    (kept.trim_start_matches('.').to_owned(), is_cut)
}

/// An address, of mail or of a page; never of a person whose name is on the page.
fn is_address(word: &str) -> bool {
    word.contains('@') || word.contains("://")
}

/// What signs where no person does: a desk, a company, an account.
fn whole(text: &str) -> Option<Name> {
    let text = text.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '.' | ')' | '!'));
    // A number after the name begins something else: a date, a time to read.
    let words = text.split(' ').enumerate();
    let end =
        words.filter(|(i, w)| *i > 1 && w.starts_with(|c: char| c.is_ascii_digit())).map(|(i, _)| i).next();
    let cut: Vec<&str> = text.split(' ').take(end.unwrap_or(usize::MAX)).collect();
    let words = cut.len();
    let text = cut.join(" ");
    let text = text.trim_end_matches([',', '|', ' ', '-', '–']);
    let plausible = text.chars().any(char::is_alphanumeric)
        && (2..=80).contains(&text.chars().count())
        && words <= 9
        && !is_listed("nobody", &text.to_lowercase())
        && !text.contains(['{', '<', '?'])
        && !(words <= 3
            && text.split(' ').all(|w| w.starts_with(|c: char| c.is_ascii_digit()) || is_calendar(w)));
    plausible.then(|| Name { rank: Rank::Desk, is_agency: is_agency(text), text: text.to_owned() })
}

/// `Harbour Post Staff`: what reads like a name before the last word is none.
fn is_collective(part: &str) -> bool {
    part.rsplit_once(' ').is_some_and(|(_, last)| {
        let last = last.to_lowercase();
        matches!(
            last.as_str(),
            "staff" | "team" | "editors" | "writers" | "reporters" | "contributors" | "journalists"
        )
    })
}

fn is_generation(part: &str) -> bool {
    matches!(part.trim_end_matches('.').to_lowercase().as_str(), "jr" | "sr" | "ii" | "iii" | "iv")
}

fn is_capitalised(word: &str) -> bool {
    word.chars().next().is_some_and(|c| c.is_uppercase() || is_caseless(c))
}

fn is_caseless(c: char) -> bool {
    c.is_alphabetic() && !c.is_lowercase() && !c.is_uppercase()
}

/// A first and a last name, each with a capital, particles aside; in a script without capitals two to eight letters of
/// an unspaced one, or words.
pub(crate) fn is_person(part: &str) -> bool {
    let letters = part.chars().filter(|c| c.is_alphabetic()).count();
    if letters < 2
        || part.chars().count() > 60
        || part.contains(['?', '!', ':', '{', '<', '_', '"', '“', '#', '=', '+'])
    {
        return false;
    }
    if part.chars().any(|c| c.is_ascii_digit()) || is_agency(part) {
        return false;
    }
    let words: Vec<&str> = part.split(' ').collect();
    if words.iter().any(|w| has_listed("desks", w) || has_listed("interface", w))
        || words.first().is_some_and(|w| is_calendar(w))
    {
        return false;
    }
    if words.len() == 1 {
        return part.chars().all(|c| is_caseless(c) && c > '\u{2e80}' || c == '·' || c == '・')
            && (2..=8).contains(&letters)
            && !part.ends_with(['社', '部', '网', '網', '局', '会']);
    }
    let capitals = words.iter().filter(|w| is_name_word(w)).count();
    let others = words.iter().filter(|w| !is_name_word(w));
    words.len() <= 6 && capitals >= 2 && others.into_iter().all(|w| is_listed("particles", &w.to_lowercase()))
}

fn is_name_word(word: &str) -> bool {
    let bare = word.trim_start_matches(['(', '\'', '’', '‘']);
    let bare = bare.strip_prefix("d'").or_else(|| bare.strip_prefix("d’")).unwrap_or(bare);
    is_capitalised(bare)
}

/// One word that may be somebody: no role, no date, no label.
pub(crate) fn is_handle(part: &str) -> bool {
    let length = part.chars().count();
    (2..=30).contains(&length)
        && !part.contains([' ', '?', '!', ':', '{', '<', '"', '#', '=', '+', '…'])
        && part.chars().any(char::is_alphabetic)
        && !has_listed("desks", part)
        && !has_listed("interface", part)
        && !is_listed("particles", &part.to_lowercase())
        && !is_listed("nobody", &part.to_lowercase())
        && !is_calendar(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bylines_become_names() {
        for (byline, people, agency) in [
            ("By Ann Able and Bo Baker", &["Ann Able", "Bo Baker"][..], None),
            ("Von Ann Able, dpa", &["Ann Able"], Some("dpa")),
            ("By AFP", &[], Some("AFP")),
            ("Ann Able (Reuters)", &["Ann Able"], Some("Reuters")),
            ("Ann Able The Associated Press", &["Ann Able"], Some("The Associated Press")),
            ("ANN ABLE, Staff Writer | The Quay", &["ANN ABLE"], None),
            ("Por Ana Ábel y José Baca", &["Ana Ábel", "José Baca"], None),
            ("Ana Ortega y Gasset", &["Ana Ortega y Gasset"], None),
            ("Ann Able @annable", &["Ann Able"], None),
            ("Text: Ann Able; ann@example.com", &["Ann Able"], None),
            ("Staff writer Ann Able", &["Ann Able"], None),
            ("Ann Able, Jr.", &["Ann Able, Jr."], None),
            ("Ann Able in Lisbon", &["Ann Able"], None),
            ("March 3, 2015 · Ann Able", &["Ann Able"], None),
            ("by Ann", &["Ann"], None),
            ("Ann van der Able, MD", &["Ann van der Able"], None),
            ("作者：李小明", &["李小明"], None),
            ("作者／李小明", &["李小明"], None),
            ("文・青木花子", &["青木花子"], None),
            ("كتبت: آمال القادر", &["آمال القادر"], None),
            ("रिपोर्ट: अंजलि एबल", &["अंजलि एबल"], None),
            ("Por Jos&eacute; &Aacute;bel", &["José Ábel"], None),
            ("Ann Able, Institute of Tides and Harbour Currents", &["Ann Able"], None),
            ("— By Ann Able", &["Ann Able"], None),
            ("ann(at)quay.example", &[], None),
            ("March 3, 2015", &[], None),
            ("https://example.com/ann", &[], None),
        ] {
            let found = credits([byline]);
            assert_eq!(
                (found.names.as_slice(), found.agency.as_deref()),
                (people.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>().as_slice(), agency),
                "{byline}"
            );
        }
    }

    #[test]
    fn what_is_no_person_signs_as_a_whole() {
        for (byline, text, rank) in [
            ("The Quay Team", "The Quay Team", Rank::Desk),
            ("Grand Quay Editorial Team", "Grand Quay Editorial Team", Rank::Desk),
            ("By Harbour Post Staff", "Harbour Post Staff", Rank::Desk),
            ("seagull", "seagull", Rank::Handle),
            ("Ann Able", "Ann Able", Rank::Person),
        ] {
            let found = names(byline);
            assert_eq!(found, [Name { text: text.to_owned(), rank, is_agency: false }], "{byline}");
        }
        assert_eq!(names("undefined"), []);
    }
}
