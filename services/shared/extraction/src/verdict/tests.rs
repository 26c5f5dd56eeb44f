use super::*;
use crate::evidence::{Markup, Says, Shape};

#[test]
fn the_tables_are_read_whole() {
    let sections: Vec<&str> =
        PHRASES.lines().filter_map(|l| l.strip_prefix('[')?.strip_suffix(']')).collect();
    assert_eq!(sections, Tables::NAMES);
    for name in Tables::NAMES {
        assert!(!Phrases::read(name).0.is_empty(), "{name} is empty");
    }
}

#[test]
fn phrases_are_whole_words_where_there_are_words() {
    let phrases = Phrases(vec![" not found ".to_owned(), "見つかりません".to_owned()]);
    for (text, is_in) in
        [("not found", true), ("not foundering", false), ("ページが見つかりませんでした", true), ("", false)]
    {
        assert_eq!(phrases.all_in(text).next().is_some(), is_in, "{text}");
    }
}

/// Each rule at its edge; whole pages are judged in `tests/verdicts.rs`.
#[test]
fn the_more_text_the_more_evidence() {
    let prose = "The council met on Tuesday and voted for the bridge. ".repeat(20);
    let flash = "The council met on Tuesday. ".repeat(7);
    let article = Says { article: true, ..Says::default() };
    let og = Says { og_article: true, ..Says::default() };
    let shape = |linked_headings, clock_lines, leftover: &str| Shape {
        linked_headings,
        clock_lines,
        leftover: leftover.to_owned(),
        linked_lines: 0,
        lead_words: 0,
    };
    for (signs, verdict) in [
        (Signs { text: &prose, ..Signs::default() }, Verdict::Article),
        (Signs { text: &prose, headings: vec!["404"], ..Signs::default() }, Verdict::Article),
        (Signs { text: &flash, headings: vec!["404"], ..Signs::default() }, Verdict::Error),
        (Signs { text: &flash, headings: vec!["404"], says: article, ..Signs::default() }, Verdict::Article),
        (
            Signs { text: &flash, headings: vec!["404 and how it came to be"], ..Signs::default() },
            Verdict::Article,
        ),
        (
            Signs { text: &flash, headings: vec!["This domain is for sale"], ..Signs::default() },
            Verdict::Parked,
        ),
        (
            Signs { text: &prose, headings: vec!["This domain is for sale"], ..Signs::default() },
            Verdict::Article,
        ),
        (
            Signs {
                text: &flash,
                headings: vec!["This domain is for sale"],
                says: article,
                ..Signs::default()
            },
            Verdict::Article,
        ),
        (
            Signs {
                text: &flash,
                markup: Markup { has_parking: true, ..Markup::default() },
                ..Signs::default()
            },
            Verdict::Parked,
        ),
        (Signs { text: &prose, headings: vec!["Just a moment"], ..Signs::default() }, Verdict::Article),
        (Signs { text: &flash, headings: vec!["Just a moment..."], ..Signs::default() }, Verdict::Challenge),
        (
            Signs { text: &flash, shape: shape(0, 0, "Already a subscriber? Log in"), ..Signs::default() },
            Verdict::Teaser,
        ),
        (
            Signs { text: &prose.repeat(2), shape: shape(0, 0, "Already a subscriber?"), ..Signs::default() },
            Verdict::Article,
        ),
        (Signs { text: &prose, shape: shape(6, 0, ""), paragraphs: 9, ..Signs::default() }, Verdict::Listing),
        (
            Signs { text: &prose, shape: shape(6, 0, ""), paragraphs: 9, says: article, ..Signs::default() },
            Verdict::Article,
        ),
        (
            Signs { text: &prose, shape: shape(6, 0, ""), paragraphs: 40, ..Signs::default() },
            Verdict::Article,
        ),
        (Signs { text: &prose, shape: shape(0, 6, ""), paragraphs: 9, ..Signs::default() }, Verdict::Article),
        (
            Signs {
                text: &prose,
                headings: vec!["Live: the storm"],
                shape: shape(0, 6, ""),
                paragraphs: 9,
                ..Signs::default()
            },
            Verdict::Liveblog,
        ),
        (Signs { text: &prose, link_density: 0.8, ..Signs::default() }, Verdict::Listing),
        (Signs { text: &prose, link_density: 0.8, says: og, ..Signs::default() }, Verdict::Article),
        (
            Signs { text: &flash, markup: Markup { pictures: 9, ..Markup::default() }, ..Signs::default() },
            Verdict::Gallery,
        ),
        (
            Signs { text: &prose, markup: Markup { pictures: 9, ..Markup::default() }, ..Signs::default() },
            Verdict::Article,
        ),
        (Signs { text: "Short news.", says: article, ..Signs::default() }, Verdict::Article),
        (Signs { text: "Short news.", page_weight: 900, ..Signs::default() }, Verdict::Other),
        (
            Signs { markup: Markup { scripts: 9, ..Markup::default() }, ..Signs::default() },
            Verdict::ScriptShell,
        ),
        (Signs::default(), Verdict::Error),
    ] {
        let signs = Signs { words: word_count(signs.text), ..signs };
        assert_eq!(judge(&signs).0, verdict, "{signs:?}");
    }
}
