//! What a page is. A real article must never be lost, so everything but an article needs evidence, and the more text
//! there is the more of it.

use std::{borrow::Cow, sync::LazyLock};

use article::Verdict;

use crate::{
    evidence::{MAX_CHALLENGE_WORDS, Signs},
    phrases::section,
    text::{loose, word_count},
};

/// A verdict and the evidence for it.
type Finding = Option<(Verdict, Cow<'static, str>)>;

/// The verdict and what it rests on.
pub(crate) fn judge(signs: &Signs) -> (Verdict, Vec<String>) {
    let page = Page { signs, words: signs.words };
    // In order: what stands earlier is surer, or would be taken for what stands later.
    let (verdict, why) = page
        .challenge()
        .or_else(|| page.parked())
        .or_else(|| page.error())
        .or_else(|| page.consent())
        .or_else(|| page.shell())
        .or_else(|| page.liveblog())
        .or_else(|| page.listing())
        .or_else(|| page.gallery())
        .or_else(|| page.teaser())
        .or_else(|| page.other())
        .unwrap_or_else(|| {
            let declared = signs.says.article || signs.says.og_article;
            (Verdict::Article, if declared { "declares itself an article" } else { "prose" }.into())
        });
    (verdict, vec![format!("{} words in {} paragraphs", page.words, signs.paragraphs), why.into_owned()])
}

struct Page<'a> {
    signs: &'a Signs<'a>,
    words: usize,
}

impl Page<'_> {
    /// A heading of which a phrase is at least half.
    fn headed(&self, phrases: &'static Phrases) -> Option<&'static str> {
        self.signs.headings.iter().find_map(|heading| {
            let heading = loose(heading);
            phrases.all_in(&heading).find(|phrase| phrase.trim().len() * 2 >= heading.len())
        })
    }

    /// The title and the first text of the page.
    fn opening(&self) -> String {
        loose(&[&self.signs.headings.join(" "), " ", self.signs.opening].concat())
    }

    fn challenge(&self) -> Finding {
        let Signs { says, markup, .. } = self.signs;
        if says.article && self.words > 0 || self.words >= MAX_CHALLENGE_WORDS {
            return None;
        }
        if let Some(phrase) = self.headed(&TABLES.challenge_headings) {
            return found(Verdict::Challenge, phrase);
        }
        if self.words < 60 || markup.has_captcha && !says.og_article {
            let opening = self.opening();
            if let Some(phrase) = TABLES.challenge_texts.all_in(&opening).next() {
                return found(Verdict::Challenge, phrase);
            }
        }
        (self.words == 0 && markup.has_captcha && self.signs.page_weight < 200)
            .then(|| (Verdict::Challenge, "a challenge's markup and no text".into()))
    }

    fn parked(&self) -> Finding {
        const MAX_WORDS: usize = 120;
        let Signs { says, markup, text, .. } = self.signs;
        if says.article && self.words > 0 || self.words >= MAX_WORDS {
            return None;
        }
        // What goes on is a report on the trade in domains.
        if markup.has_parking && !says.og_article {
            return Some((Verdict::Parked, "the markup of a parking service".into()));
        }
        if self.words >= if says.og_article { 25 } else { 60 } {
            return None;
        }
        let about = || [&self.opening(), " ", &loose(text), " ", &loose(&self.signs.shape.leftover)].concat();
        let phrase = self.headed(&TABLES.parked_headings);
        found(Verdict::Parked, phrase.or_else(|| TABLES.parked_texts.all_in(&about()).next())?)
    }

    fn error(&self) -> Finding {
        let Signs { says, .. } = self.signs;
        if says.article && self.words > 0 {
            return None;
        }
        let headed = self.headed(&TABLES.error_headings);
        if headed.is_none() && self.words >= if says.og_article { 25 } else { 40 } {
            return None;
        }
        let text = || TABLES.error_texts.all_in(&self.opening()).next();
        // "Forbidden" may be a film; "404" and "Page not found" hardly are stories.
        let plain = |phrase: &str| word_count(phrase) >= 3 || phrase.contains(char::is_numeric);
        match headed {
            Some(phrase) if self.words < if plain(phrase) { 60 } else { 25 } => found(Verdict::Error, phrase),
            _ => found(Verdict::Error, text()?),
        }
    }

    fn consent(&self) -> Finding {
        const MAX_PAGE_WEIGHT: usize = 6000;
        let Signs { says, text, page_weight, .. } = self.signs;
        if says.article && self.words > 0 || self.words >= 300 || *page_weight > MAX_PAGE_WEIGHT {
            return None;
        }
        // A banner before an article is not the article.
        let about = if self.words == 0 {
            self.opening()
        } else {
            loose(&[&self.signs.headings.join(" "), " ", *text].concat())
        };
        let phrase = TABLES.consent.all_in(&about).next()?;
        let terms = TABLES.consent_terms.all_in(&about).take(3).count();
        let enough = match self.words {
            0..25 => 1,
            _ if self.headed(&TABLES.consent).is_some() => 1,
            25..50 => 2,
            _ => 3,
        };
        if terms >= enough { found(Verdict::Consent, phrase) } else { None }
    }

    fn shell(&self) -> Finding {
        const FEW_WORDS: usize = 25;
        let Signs { says, markup, page_weight, .. } = self.signs;
        let declared = says.article || says.og_article;
        if self.words >= FEW_WORDS || declared && self.words > 0 || *page_weight >= 600 {
            return None;
        }
        let why = if markup.has_empty_mount && markup.scripts > 0 {
            "an empty element that scripts fill"
        } else if TABLES.script_needed.all_in(&loose(&markup.noscript)).next().is_some() {
            "asks for scripts"
        } else if markup.scripts >= if *page_weight == 0 { 1 } else { 3 } {
            "scripts and hardly any text"
        } else {
            return None;
        };
        Some((Verdict::ScriptShell, why.into()))
    }

    fn liveblog(&self) -> Finding {
        let Signs { says, shape, markup, .. } = self.signs;
        if self.words == 0 {
            return None;
        }
        if says.liveblog {
            return Some((Verdict::Liveblog, "declares itself a live blog".into()));
        }
        let titled =
            || self.signs.headings.iter().any(|heading| TABLES.live.all_in(&loose(heading)).next().is_some());
        let timed = shape.clock_lines >= 5 && shape.clock_lines * 6 >= self.signs.paragraphs;
        (timed && (markup.has_live_entries || titled()))
            .then(|| (Verdict::Liveblog, format!("{} entries with their times", shape.clock_lines).into()))
    }

    fn teaser(&self) -> Finding {
        const MAX_WORDS: usize = 250;
        if self.words == 0 || self.words >= MAX_WORDS {
            return None;
        }
        if self.signs.says.paywalled {
            return Some((Verdict::Teaser, "declared as not free, and short".into()));
        }
        let last = self.signs.text.rsplit("\n\n").take(2).collect::<Vec<_>>().join("\n");
        let end = loose(&[&last, "\n", &self.signs.shape.leftover].concat());
        found(Verdict::Teaser, TABLES.gate.all_in(&end).next()?)
    }

    fn listing(&self) -> Finding {
        const MAX_LEAD_WORDS: usize = 40;
        let Signs { says, shape, markup, is_front, .. } = self.signs;
        let headings = shape.linked_headings;
        let many = headings >= 4 || markup.cards >= 5 || says.listing || self.signs.link_density > 0.3;
        if *is_front && many && !(says.article && headings < 4) {
            return Some((Verdict::Listing, "a front page of many stories".into()));
        }
        if says.article {
            return None;
        }
        // An article of many parts has something to say before the first; and a listing may describe itself.
        let mut entries =
            headings >= 5 && headings * 3 >= self.signs.paragraphs && shape.lead_words < MAX_LEAD_WORDS;
        if !says.og_article {
            let titled = || self.headed(&TABLES.listing_titles).is_some();
            let listed = says.listing || self.signs.is_listing_path || titled();
            entries |= self.signs.link_density > 0.5
                || markup.cards >= 8 && self.words < 40
                || says.listing && self.words < 200
                || listed
                    && shape.lead_words < 2 * MAX_LEAD_WORDS
                    && (headings >= 3 || shape.linked_lines >= 5 || markup.cards >= 5 && self.words < 300);
        }
        // A newsflash has links around it, too, but some words of its own.
        entries |= self.words < 30 && markup.story_links >= if self.words == 0 { 8 } else { 15 };
        entries.then(|| (Verdict::Listing, "many links or entries and little prose of its own".into()))
    }

    fn gallery(&self) -> Finding {
        let Signs { says, markup, .. } = self.signs;
        let declared = says.article || says.og_article;
        let shows = says.gallery && self.words < 150
            || markup.pictures >= 4 && self.words < if declared { 40 } else { 80 };
        shows.then(|| (Verdict::Gallery, "a gallery with little text".into()))
    }

    fn other(&self) -> Finding {
        let Signs { says, markup, page_weight, .. } = self.signs;
        let declared = says.article || says.og_article;
        let too_little =
            || Some((Verdict::Other, "too little text for an article that is not declared as one".into()));
        let thing = says.thing && self.words < 250 || says.video && self.words < 60;
        match self.words {
            0 if *page_weight == 0 => Some((Verdict::Error, "no text at all".into())),
            0 => Some((Verdict::Other, "no prose".into())),
            _ if thing && !declared => Some((Verdict::Other, "declares itself something else".into())),
            // A newsflash stands in the one `<article>` of its page.
            1..15 if !declared => too_little(),
            15..30 if !declared && markup.cards != 1 => too_little(),
            _ => None,
        }
    }
}

fn found(verdict: Verdict, phrase: &str) -> Finding {
    Some((verdict, format!("says {:?}", phrase.trim()).into()))
}

/// Loosened phrases, between spaces where their script has them.
struct Phrases(Vec<String>);

impl Phrases {
    fn read(name: &str) -> Self {
        let pad = |phrase: String| {
            let phrase = loose(&phrase);
            if phrase.chars().any(crate::text::is_unspaced) { phrase } else { format!(" {phrase} ") }
        };
        Self(section(PHRASES, name).into_iter().map(pad).collect())
    }

    /// Those that a loosened text has.
    fn all_in<'s>(&'s self, text: &str) -> impl Iterator<Item = &'s str> + use<'s> {
        let padded = format!(" {text} ");
        self.0.iter().map(String::as_str).filter(move |phrase| padded.contains(*phrase))
    }
}

macro_rules! tables {
    ($($name:ident),* $(,)?) => {
        /// The tables of `verdict.txt`.
        struct Tables { $($name: Phrases),* }

        impl Tables {
            #[cfg(test)]
            const NAMES: &[&str] = &[$(stringify!($name)),*];

            fn read() -> Self {
                Self { $($name: Phrases::read(stringify!($name))),* }
            }
        }
    };
}

tables! {
    challenge_headings, challenge_texts, parked_headings, parked_texts, error_headings, error_texts, consent, consent_terms, gate, script_needed,
    live, listing_titles,
}

static TABLES: LazyLock<Tables> = LazyLock::new(Tables::read);

const PHRASES: &str = include_str!("verdict.txt");

#[cfg(test)]
mod tests;
