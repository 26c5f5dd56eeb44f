//! What a page is. A real article must never be lost, so everything but an article needs evidence, and the more text
//! there is the more of it.

use article::Verdict;

use crate::text::{loose, word_count};

/// What the verdict is taken from.
#[derive(Debug, Default)]
pub(crate) struct Signs<'a> {
    pub title: &'a str,
    pub text: &'a str,
    pub paragraphs: usize,
    /// The share of the body's text that is links.
    pub link_density: f64,
    /// [`crate::text::weight`] of all visible text.
    pub page_weight: usize,
    /// The page declares itself an article (JSON-LD type, og:type).
    pub declared_article: bool,
    pub declared_liveblog: bool,
    pub declared_listing: bool,
    pub gallery: bool,
    pub paywalled: bool,
    /// `<article>` elements.
    pub cards: usize,
    pub scripts: usize,
    /// The address has no path: a front page.
    pub is_front: bool,
    /// The first text of the page, body or not.
    pub opening: &'a str,
}

/// The verdict and the signs it rests on.
pub(crate) fn judge(signs: &Signs) -> (Verdict, Vec<String>) {
    let words = word_count(signs.text);
    let mut evidence = vec![format!("{words} words in {} paragraphs", signs.paragraphs)];
    let mut say = |verdict: Verdict, why: &str| {
        evidence.push(why.to_owned());
        (verdict, std::mem::take(&mut evidence))
    };
    let opening = loose(&format!("{} {}", signs.title, signs.opening));
    if words < 120 && !signs.declared_article {
        if let Some(phrase) = phrase_in(&opening, CHALLENGE) {
            return say(Verdict::Challenge, &format!("says {phrase:?}"));
        }
        if let Some(phrase) =
            phrase_in(&loose(signs.title), ERROR).or_else(|| phrase_in(&opening, ERROR_TEXT))
        {
            return say(Verdict::Error, &format!("says {phrase:?}"));
        }
        if (words < 60 || signs.page_weight < 3000)
            && let Some(phrase) = phrase_in(&opening, CONSENT)
        {
            return say(Verdict::Consent, &format!("says {phrase:?}"));
        }
    }
    if signs.declared_liveblog && words > 0 {
        return say(Verdict::Liveblog, "declares itself a live blog");
    }
    if signs.paywalled && words > 0 && words < 250 {
        return say(Verdict::Teaser, "declared as not free, and short");
    }
    if words == 0 {
        if signs.page_weight < 200 && signs.scripts >= 3 {
            return say(Verdict::ScriptShell, "scripts and no text");
        }
        if signs.page_weight == 0 {
            return say(Verdict::Error, "no text at all");
        }
        return say(Verdict::Other, "no prose");
    }
    if words < 25 && signs.page_weight < 600 && signs.scripts >= 3 && !signs.declared_article {
        return say(Verdict::ScriptShell, "scripts and hardly any text");
    }
    if signs.declared_article {
        if signs.gallery && words < 150 {
            return say(Verdict::Gallery, "a gallery with little text");
        }
        return say(Verdict::Article, "declares itself an article");
    }
    if signs.is_front && (signs.cards >= 5 || signs.declared_listing || signs.link_density > 0.3) {
        return say(Verdict::Listing, "a front page of many stories");
    }
    if signs.declared_listing && words < 200 || signs.link_density > 0.5 || (signs.cards >= 8 && words < 150)
    {
        return say(Verdict::Listing, "many links or entries and little prose of its own");
    }
    if signs.gallery && words < 80 {
        return say(Verdict::Gallery, "a gallery with little text");
    }
    if words < 30 {
        return say(Verdict::Other, "too little text for an article that is not declared as one");
    }
    say(Verdict::Article, "prose")
}

fn phrase_in(text: &str, phrases: &[&'static str]) -> Option<&'static str> {
    let padded = format!(" {text} ");
    phrases.iter().copied().find(|phrase| padded.contains(&format!(" {phrase} ")))
}

const CHALLENGE: &[&str] = &[
    "just a moment",
    "checking your browser",
    "verify you are human",
    "verifying you are human",
    "are you a robot",
    "are you human",
    "attention required cloudflare",
    "enable javascript and cookies to continue",
    "please complete the security check",
    "unusual traffic",
    "human verification",
    "press hold to confirm",
    "captcha",
    "ddos protection by",
    "access to this page has been denied",
    "bot detection",
    "security check",
    "request unsuccessful incapsula",
    "pardon our interruption",
];

const ERROR: &[&str] = &[
    "404",
    "403 forbidden",
    "403",
    "500 internal server error",
    "502 bad gateway",
    "503",
    "504 gateway time out",
    "page not found",
    "not found",
    "seite nicht gefunden",
    "page introuvable",
    "página no encontrada",
    "pagina non trovata",
    "access denied",
    "error",
    "pagina niet gevonden",
    "internal server error",
    "service unavailable",
    "forbidden",
    "страница не найдена",
    "nicht gefunden",
    "410 gone",
    "site not found",
];

const ERROR_TEXT: &[&str] = &[
    "page not found",
    "the page you requested",
    "the page you are looking for",
    "this page does not exist",
    "this page doesn t exist",
    "404 not found",
    "can t be found",
    "cannot be found",
    "could not be found",
    "no longer available",
    "seite nicht gefunden",
    "page introuvable",
    "página no encontrada",
    "pagina non trovata",
    "internal server error",
    "bad gateway",
    "service unavailable",
    "an error occurred",
    "you don t have permission to access",
    "access denied",
    "diese seite existiert nicht",
    "страница не найдена",
];

const CONSENT: &[&str] = &[
    "before you continue",
    "we value your privacy",
    "accept all cookies",
    "accept cookies",
    "your privacy choices",
    "cookie consent",
    "we and our partners",
    "alle akzeptieren",
    "wir verwenden cookies",
    "zustimmen",
    "mit werbung weiterlesen",
    "tout accepter",
    "nous utilisons des cookies",
    "aceptar todo",
    "utilizamos cookies",
    "accetta tutti",
    "utilizziamo i cookie",
    "wij gebruiken cookies",
    "alles accepteren",
    "contentpass",
    "consent to cookies",
    "manage cookies",
    "privacy settings",
    "datenschutz einstellungen",
    "we use cookies",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts() {
        let prose = "The council met on Tuesday and voted for the bridge. ".repeat(20);
        for (signs, verdict) in [
            (Signs { text: &prose, paragraphs: 5, ..Signs::default() }, Verdict::Article),
            (
                Signs { text: &prose, title: "404: how an error page was born", ..Signs::default() },
                Verdict::Article,
            ),
            (Signs { text: "Short news.", declared_article: true, ..Signs::default() }, Verdict::Article),
            (
                Signs { text: "The start …", paywalled: true, declared_article: true, ..Signs::default() },
                Verdict::Teaser,
            ),
            (Signs { text: &prose, declared_liveblog: true, ..Signs::default() }, Verdict::Liveblog),
            (
                Signs { title: "Just a moment...", text: "Verifying you are human.", ..Signs::default() },
                Verdict::Challenge,
            ),
            (Signs { title: "Page not found", text: "Sorry.", ..Signs::default() }, Verdict::Error),
            (
                Signs {
                    title: "The Quay",
                    text: "We value your privacy.",
                    opening: "We value your privacy.",
                    ..Signs::default()
                },
                Verdict::Consent,
            ),
            (Signs { scripts: 9, ..Signs::default() }, Verdict::ScriptShell),
            (Signs::default(), Verdict::Error),
            (Signs { text: &prose, is_front: true, cards: 30, ..Signs::default() }, Verdict::Listing),
            (Signs { text: &prose, link_density: 0.8, ..Signs::default() }, Verdict::Listing),
            (Signs { text: "A few words.", page_weight: 900, ..Signs::default() }, Verdict::Other),
        ] {
            assert_eq!(judge(&signs).0, verdict, "{signs:?}");
        }
    }
}
