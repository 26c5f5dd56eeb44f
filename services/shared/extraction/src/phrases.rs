//! Lines that press products print around articles, told by their words, in the languages of the larger presses.
//!
//! General turns of phrase only; no rule is for one site. The phrases are in `phrases.txt`.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::text::{ends_sentence, push_lower, sentence_count, word_count};

/// What a line that is not the article's own is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Furniture {
    /// Heads a list of other articles: "Read more", "Related".
    RelatedHeading,
    /// One pointer to another article: "Read also: …".
    ReadAlso,
    /// "Topics: a, b, c".
    Tags,
    /// "Share this", "Follow us on …".
    Share,
    /// Newsletter forms, subscriptions, money.
    Appeal,
    /// "Comments", "Leave a reply".
    Comments,
    /// "© …", "All rights reserved".
    Legal,
    /// "Advertisement".
    Ad,
    /// "4 min read", "Updated …", "Listen to this article", "Skip to content".
    Control,
    /// "About the author", an editor's or agency's closing line.
    Author,
}

/// What a line says by its phrases.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Said {
    pub furniture: Option<Furniture>,
    /// How many appeal terms it has; for text already known to stand outside the story.
    pub appeal_terms: u16,
    /// It is a caption or its credit.
    pub caption: bool,
}

impl Said {
    /// Asks all at once, as reading the line takes longer than each. `words` are those of the line.
    pub fn of(line: &str, words: usize) -> Self {
        let padded = normalise(line);
        let (lower, appeal) = (padded.trim_matches(' '), Appeal::of(&padded));
        Self {
            furniture: furniture_of(line, lower, words, &appeal),
            appeal_terms: (appeal.terms + appeal.strong) as u16,
            caption: is_caption_of(line, lower, words),
        }
    }
}

/// [`Said::furniture`] of a line of which nothing else is asked.
pub(crate) fn furniture(line: &str) -> Option<Furniture> {
    let padded = normalise(line);
    let lower = padded.trim_matches(' ');
    furniture_of(line, lower, word_count(lower), &Appeal::of(&padded))
}

/// Tells what furniture a line is, if any. Long texts are never furniture but appeals.
fn furniture_of(line: &str, lower: &str, words: usize, appeal: &Appeal) -> Option<Furniture> {
    if is_shortcode(line) {
        return Some(Furniture::Control);
    }
    if line.len() > 420 {
        return appeal.is_made(line).then_some(Furniture::Appeal);
    }
    let whole = |table: &[String]| that_open(table, lower).any(str::is_empty);
    let opens = |table: &[String]| that_open(table, lower).any(ends_word);
    if words <= 40 && that_open(&TABLES.tag_openings, lower).any(labels) {
        return Some(Furniture::Tags);
    }
    if words <= 8 && whole(&TABLES.related_headings) || words <= 6 && opens(&TABLES.related_heading_openings)
    {
        return Some(Furniture::RelatedHeading);
    }
    if words <= 60 && TABLES.more_endings.iter().any(|p| lower.ends_with(p.as_str())) {
        return Some(Furniture::RelatedHeading);
    }
    if words <= 40 && that_open(&TABLES.read_also, lower).any(labels)
        || words <= 25 && opens(&TABLES.read_also_bare)
    {
        return Some(Furniture::ReadAlso);
    }
    if words <= 14 && (whole(&TABLES.share) || opens(&TABLES.share_openings)) {
        return Some(Furniture::Share);
    }
    if words <= 12 && (whole(&TABLES.comments) || opens(&TABLES.comment_openings)) {
        return Some(Furniture::Comments);
    }
    if words <= 40 && opens(&TABLES.legal_openings)
        || words <= 30 && LEGAL_PARTS.iter().any(|parts| parts.is_match(lower))
    {
        return Some(Furniture::Legal);
    }
    if words <= 6 && (whole(&TABLES.ads) || opens(&TABLES.ad_openings)) {
        return Some(Furniture::Ad);
    }
    if words <= 12 && (whole(&TABLES.controls) || opens(&TABLES.control_openings) || is_reading_time(lower)) {
        return Some(Furniture::Control);
    }
    if words <= 10 && opens(&TABLES.author_openings) || is_credits(line) {
        return Some(Furniture::Author);
    }
    (words <= 25 && opens(&TABLES.appeal_openings) || appeal.is_made(line)).then_some(Furniture::Appeal)
}

/// Whether a line is an instruction to the site's system, which failed to obey it: `[gallery ids="1,2"]`.
fn is_shortcode(line: &str) -> bool {
    let Some((name, rest)) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')?.split_once(' ')) else {
        return false;
    };
    let is_name = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b))
    };
    is_name(name)
        && rest.split_once('=').is_some_and(|(attribute, _)| is_name(attribute.trim()))
        && (name == "caption" || !rest.contains(']'))
}

/// Whether each line says who made a part of the article: `Photos: Ann Able`.
fn is_credits(text: &str) -> bool {
    let is_credit = |line: &str| {
        line.split_once(':').is_some_and(|(label, names)| {
            word_count(label) <= 5 && names.split_whitespace().any(is_named) && !ends_sentence(names)
        })
    };
    let first = text.split(':').next().unwrap_or_default();
    let is_label = || TABLES.credit_labels.binary_search(&first.trim().to_lowercase()).is_ok();
    let one = |line: &str| line.split_whitespace().skip(1).filter(|w| w.len() > 3).all(is_named);
    first.len() <= 24 && is_label() && text.lines().all(is_credit) && (text.contains('\n') || one(text))
}

/// Whether a word is written as a name is.
fn is_named(word: &str) -> bool {
    word.starts_with(char::is_uppercase)
}

/// [`Said::caption`] of a line of which nothing else is asked.
pub(crate) fn is_caption(line: &str) -> bool {
    let padded = normalise(line);
    let lower = padded.trim_matches(' ');
    is_caption_of(line, lower, word_count(lower))
}

/// [`Said::appeal_terms`] of a text of which nothing else is asked.
pub(crate) fn appeal_terms(text: &str) -> usize {
    let appeal = Appeal::of(&normalise(text));
    appeal.terms + appeal.strong
}

/// Whether a text asks its reader for money, an address or a click.
pub(crate) fn is_appeal(text: &str) -> bool {
    Appeal::of(&normalise(text)).is_made(text)
}

/// How to reach a writer: an e-mail address, or a handle to follow.
pub(crate) fn is_contact(text: &str) -> bool {
    let lower = normalise(text);
    let lower = lower.trim_matches(' ');
    let mail = lower
        .split_whitespace()
        .any(|w| w.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.')));
    let asks = || {
        ["contact ", "follow ", "reach ", "email ", "e-mail ", "write to ", "tips"]
            .iter()
            .any(|p| lower.contains(p))
    };
    mail && word_count(lower) <= 25
        || (mail || lower.contains(" @") || lower.contains(" on twitter") || lower.contains(" on x"))
            && asks()
}

/// How many different phrases of each table a text has.
struct Appeal {
    strong: usize,
    terms: usize,
    addressed: bool,
}

impl Appeal {
    fn of(padded: &str) -> Self {
        // One automaton over all three tables.
        static AUTOMATON: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
            let Tables { strong_appeals, appeal_terms, address, .. } = &*TABLES;
            automaton([strong_appeals, appeal_terms, address].into_iter().flatten())
        });
        let mut found: Vec<usize> = AUTOMATON
            .iter()
            .flat_map(|phrases| phrases.find_overlapping_iter(padded))
            .map(|m| m.pattern().as_usize())
            .collect();
        found.sort_unstable();
        found.dedup();
        let strong = found.partition_point(|id| *id < TABLES.strong_appeals.len());
        let terms = found.partition_point(|id| *id < TABLES.strong_appeals.len() + TABLES.appeal_terms.len());
        Self { strong, terms: terms - strong, addressed: terms < found.len() }
    }

    /// Whether a text asks its reader for money, an address or a click: it addresses the reader and speaks of such
    /// things at least twice.
    fn is_made(&self, text: &str) -> bool {
        let needed = || if sentence_count(text) > 4 { 4 } else { 2 };
        self.strong > 0
            || self.addressed && self.terms >= 2 && self.terms >= needed() && !text.contains(['“', '„', '«'])
    }
}

/// A caption or its credit: opens with a picture word, or ends, after its last sentence, in an agency's name.
fn is_caption_of(line: &str, lower: &str, words: usize) -> bool {
    if line.len() > 600 || line.is_empty() {
        return false;
    }
    if words <= 40 && that_open(&TABLES.caption_openings, lower).any(labels) {
        return true;
    }
    if CREDIT_PARTS.iter().any(|parts| parts.is_match(lower)) && sentence_count(line) <= 3 {
        return true;
    }
    if ends_sentence(line) && !line.trim_end().ends_with(')') {
        return false;
    }
    let open = line.trim_end().trim_end_matches([')', ']']);
    // The credit: what follows the last sentence, bracket, bar or dash.
    let at = open.rfind(['.', '(', '|', '—', '–', '©', '[']).map_or(0, |at| at);
    let credit = open.get(at..).unwrap_or_default().trim_matches(|c: char| !c.is_alphanumeric());
    let credited = word_count(credit);
    if credited == 0 || credited > 8 || words > 60 {
        return false;
    }
    let alone = at == 0;
    // `2. Paint/Stain` and `vs. Oil/Wax` end no sentence before the slashed words.
    let before = open.get(..at).unwrap_or_default();
    let ends = !open.get(at..).unwrap_or_default().starts_with('.')
        || before
            .rsplit(' ')
            .next()
            .is_some_and(|word| word.chars().filter(|c| c.is_alphabetic()).count() > 2);
    let slashed = ends && credit.contains('/') && credit.split('/').all(is_named);
    let agency = credit.split(['/', ' ', ',', ':']).any(|w| TABLES.picture_agencies.iter().any(|a| a == w));
    (agency && (!alone || credited <= 4 && slashed))
        || (slashed && !alone && !credit.contains("//") && !credit.contains(". "))
}

/// A picture or news agency's name, or one of its desks.
pub(crate) fn is_agency(name: &str) -> bool {
    let name = name.trim().trim_end_matches('.');
    let short = name.split(['/', ' ', '-', ',']).next().unwrap_or_default();
    TABLES.news_agencies.iter().any(|a| a.eq_ignore_ascii_case(name))
        || (short.len() >= 2 && TABLES.picture_agencies.iter().any(|a| a == name))
}

/// In lower case, with plain spaces and apostrophes, without the signs around it, between two spaces.
fn normalise(line: &str) -> String {
    let trimmed = line.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '©' | '$' | '€' | '£'));
    let mut out = Vec::with_capacity(trimmed.len() + 2);
    out.push(b' ');
    for c in trimmed.chars() {
        match c {
            '’' | '‘' | 'ʼ' => out.push(b'\''),
            c if c.is_whitespace() => out.push(b' '),
            c => push_lower(&mut out, c),
        }
    }
    out.push(b' ');
    String::from_utf8(out).unwrap_or_default()
}

fn ends_word(rest: &str) -> bool {
    !rest.chars().next().is_some_and(char::is_alphanumeric)
}

/// Whether a label may stand before this: `label: rest`, `label | rest`; a label alone counts too.
fn labels(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty() || rest.starts_with([':', '|', '»', '>', '→', '：', '-', '–', '—', '►'])
}

fn is_reading_time(lower: &str) -> bool {
    let digits = lower.chars().take_while(char::is_ascii_digit).count();
    let rest = lower.get(digits..).unwrap_or_default().trim_start_matches(['-', ' ']);
    digits > 0 && digits <= 3 && that_open(&TABLES.reading_times, rest).next().is_some()
}

/// What follows, in a line, each phrase of a table that opens it.
fn that_open<'t>(table: &'t [String], line: &'t str) -> impl Iterator<Item = &'t str> {
    let first = line.as_bytes().first();
    let start = table.partition_point(|phrase| phrase.as_bytes().first() < first);
    let near = table.get(start..).unwrap_or_default().iter();
    near.take_while(move |phrase| phrase.as_bytes().first() == first)
        .filter_map(|phrase| line.strip_prefix(phrase.as_str()))
}

/// Finds any of some phrases in a text. They are constants: that it builds is tested.
fn automaton<'t>(phrases: impl IntoIterator<Item = &'t String>) -> Option<AhoCorasick> {
    AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(phrases).ok()
}

static LEGAL_PARTS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| automaton(&TABLES.legal_parts));
static CREDIT_PARTS: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| automaton(&TABLES.credit_parts));

macro_rules! tables {
    ($($name:ident),* $(,)?) => {
        /// The tables of `phrases.txt`.
        struct Tables { $($name: Vec<String>),* }

        impl Tables {
            #[cfg(test)]
            const NAMES: &[&str] = &[$(stringify!($name)),*];

            fn read(text: &str) -> Self {
                Self { $($name: section(text, stringify!($name))),* }
            }
        }
    };
}

tables! {
    reading_times, related_headings, related_heading_openings, read_also, more_endings, read_also_bare, tag_openings, share, share_openings, comments, comment_openings, legal_openings, legal_parts, ads, ad_openings, controls, control_openings, author_openings, credit_labels, appeal_openings, strong_appeals, appeal_terms, address, caption_openings, credit_parts, picture_agencies, news_agencies,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| Tables::read(PHRASES));

const PHRASES: &str = include_str!("phrases.txt");

/// The phrases of a section of a table file, sorted.
pub(crate) fn section(text: &str, name: &str) -> Vec<String> {
    let lines = text
        .lines()
        .skip_while(|line| line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) != Some(name));
    let lines = lines.skip(1).take_while(|line| !line.starts_with('[')).filter(|line| !line.starts_with('#'));
    let phrases = lines.flat_map(|line| line.split(" | ")).filter(|p| !p.is_empty());
    let mut phrases: Vec<String> = phrases.map(|p| p.replace('_', " ")).collect();
    phrases.sort_unstable();
    phrases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn furniture_is_told_from_prose() {
        for (line, kind) in [
            ("Read more", Some(Furniture::RelatedHeading)),
            ("Mehr zum Thema:", Some(Furniture::RelatedHeading)),
            ("Read more about: Harbours, Ferries", Some(Furniture::Tags)),
            ("Lire aussi : Le port rouvre", Some(Furniture::ReadAlso)),
            ("Share this article", Some(Furniture::Share)),
            ("© 2024 The Harbour Post", Some(Furniture::Legal)),
            ("3 min read", Some(Furniture::Control)),
            ("Sign up for our morning letter", Some(Furniture::Appeal)),
            (
                "Readers like you support our independent reporting. Subscribe for $3 a month.",
                Some(Furniture::Appeal),
            ),
            (
                "To view this video please enable JavaScript, and consider upgrading to a web browser that supports \
                 HTML5 video",
                Some(Furniture::Legal),
            ),
            ("[gallery ids=\"17,18\" size=large]", Some(Furniture::Control)),
            ("[caption id=pier]The pier.[/caption]", Some(Furniture::Control)),
            ("[He] said the pier = a bridge [sic]", None),
            ("[the pier, which cost = nothing]", None),
            ("[row id=1]The pier is old.[/row]", None),
            ("Fotos: Ann Able\nStyling: Ben Baker\nDigital Director: Cal Carter", Some(Furniture::Author)),
            ("Redaktion: Ann Able, Ben Baker", Some(Furniture::Author)),
            ("Text: the words that this letter has.", None),
            ("Fotos: wie man sie richtig macht", None),
            ("Styling: Ann Able\nA pier is built in May", None),
            ("She read more than forty books that winter.", None),
            ("The minister asked lawmakers to support the bill.", None),
            ("Watch out for black ice, the police said.", None),
            ("The council voted on Tuesday.", None),
        ] {
            assert_eq!(furniture(line), kind, "{line}");
        }
    }

    #[test]
    fn the_tables_are_read_whole() {
        let sections: Vec<&str> =
            PHRASES.lines().filter_map(|l| l.strip_prefix('[')?.strip_suffix(']')).collect();
        assert_eq!(sections, Tables::NAMES);
        for name in Tables::NAMES {
            assert!(!section(PHRASES, name).is_empty(), "{name} is empty");
        }
        assert!(LEGAL_PARTS.is_some() && CREDIT_PARTS.is_some());
        let asks = normalise("Please donate: we need your help with our journalism");
        assert_eq!(Appeal::of(&asks).strong, 1);
    }

    #[test]
    fn captions_end_in_credits() {
        for line in [
            "The ferry leaves the harbour on Monday. AP",
            "The mayor opens the bridge. Ann Able/POOL/TASS",
            "Photo: Ann Able",
            "Firefighters at the mill (Ann Able/Getty Images)",
        ] {
            assert!(Said::of(line, word_count(line)).caption, "{line}");
        }
        for line in [
            "The ferry left on Monday.",
            "2. Sand the Paint/Stain",
            "Ferry – Oak / Elm",
            "Oak vs. Oil/Wax",
            "We sail. Collect gifts/cards",
            "He joined the AP in 1999, he said.",
            "A headline about the AP",
            "",
        ] {
            assert!(!Said::of(line, word_count(line)).caption, "{line}");
        }
    }
}
