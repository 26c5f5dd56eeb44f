//! Pages that say, or whose server says, that the article is published no longer.

use article::{ArticleId, CanonicalUrl, UrlError};
use wire::{Article, Page, Publisher, Withdrawal};

/// A text that says more than this does not say that alone.
const MAX_NOTICE_CHARS: usize = 400;

/// How agencies begin an order to withdraw a story, as they print it.
const ORDERS: &[&str] = &[
    "ADVISORY: KILL",
    "EDITORS: KILL",
    "KILL:",
    "MANDATORY KILL",
    "STORY KILLED",
    "STORY WITHDRAWN",
    "WITHDRAWN:",
    // German, French, Spanish.
    "ACHTUNG, ZURÜCKGEZOGEN:",
    "ACHTUNG: MELDUNG ZURÜCKGEZOGEN",
    "ANNULATION:",
    "DÉPÊCHE ANNULÉE",
    "DESPACHO ANULADO",
];

/// What a page says in place of its article, in lower case: what it is about, then what became of it.
const NOTICES: &[(&str, &[&str], &[&str])] = &[
    (
        "en",
        &["this article has been ", "this story has been ", "this report has been ", "the article has been "],
        &["removed", "retracted", "withdrawn", "taken down", "deleted", "unpublished"],
    ),
    (
        "de",
        &["dieser artikel wurde ", "dieser beitrag wurde ", "diese meldung wurde "],
        &["zurückgezogen", "entfernt", "gelöscht", "depubliziert"],
    ),
    ("fr", &["cet article a été ", "cette dépêche a été "], &["retiré", "supprimé", "annulé", "dépublié"]),
    ("es", &["este artículo ha sido ", "esta noticia ha sido "], &["retirad", "eliminad", "anulad"]),
    ("it", &["questo articolo è stato ", "questa notizia è stata "], &["ritirat", "rimoss", "eliminat"]),
    (
        "pt",
        &["este artigo foi ", "esta notícia foi ", "esta matéria foi "],
        &["removid", "retirad", "excluíd"],
    ),
    ("nl", &["dit artikel is ", "dit bericht is "], &["ingetrokken", "verwijderd", "teruggetrokken"]),
    (
        "sv",
        &["den här artikeln har ", "artikeln har "],
        &["tagits bort", "dragits tillbaka", "avpublicerats"],
    ),
];

/// Whether the whole text is a note that the article is withdrawn. A text that goes on after it is an article that
/// reports on something else's withdrawal, or a correction.
pub(crate) fn is_notice(text: &str) -> bool {
    let text = text.trim();
    if text.chars().nth(MAX_NOTICE_CHARS).is_some() {
        return false;
    }
    if ORDERS.iter().any(|order| text.starts_with(order)) {
        return true;
    }
    let text = text.to_lowercase();
    let says = |(_, subjects, ends): &(&str, &[&str], &[&str])| {
        let rest = subjects.iter().find_map(|subject| text.strip_prefix(subject));
        rest.is_some_and(|rest| ends.iter().any(|end| rest.starts_with(end)))
    };
    NOTICES.iter().any(says)
}

/// What is left of the article of a page that bears a notice.
pub(crate) fn of_notice(article: Article) -> Article {
    let reason = format!("in place of its text: {}", article.body_text.replace('\n', " "));
    let at_ms = article.fetched_at_ms;
    Article {
        withdrawal: Some(Withdrawal { cause: "notice".to_owned(), reason, at_ms }),
        body_text: String::new(),
        ..article
    }
}

/// The article of a page that has been taken down, as was found at `found_at_ms`. Fails where what was asked for is no
/// address of a page.
pub(crate) fn of_gone(page: &Page, found_at_ms: i64) -> Result<Article, UrlError> {
    let request = page.request.clone().unwrap_or_default();
    let url = CanonicalUrl::parse(&request.url)?;
    let cause = match page.gone_status {
        410 => "gone",
        451 => "withheld",
        _ => "missing",
    };
    let (cause, reason) = (cause.to_owned(), page.failure.clone());
    Ok(Article {
        article_id: ArticleId::of_url(&url).as_str().to_owned(),
        url: url.as_str().to_owned(),
        publisher: Some(Publisher { domain: url.registrable_domain().to_owned(), ..Publisher::default() }),
        withdrawal: Some(Withdrawal { cause, reason, at_ms: found_at_ms }),
        fetched_at_ms: found_at_ms,
        seen_at_ms: request.seen_at_ms,
        request_id: request.request_id,
        run_id: request.run_id,
        source_id: request.source_id,
        ..Article::default()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_are_told_from_articles() {
        let long = format!("This article has been removed. {}", "The harbour master spoke. ".repeat(20));
        for (text, expected) in [
            ("MANDATORY KILL\n\nEditors, do not use the story HARBOUR-BRIDGE.", true),
            ("WITHDRAWN: Harbour bridge opens. A substitute follows.", true),
            ("This article has been removed.", true),
            ("This story has been retracted because its sources could not be verified.", true),
            ("Dieser Artikel wurde aus rechtlichen Gründen entfernt.", false),
            ("Dieser Artikel wurde zurückgezogen.", true),
            ("Cet article a été retiré à la demande de son auteur.", true),
            ("Este artículo ha sido eliminado.", true),
            ("Questo articolo è stato rimosso.", true),
            ("Esta notícia foi removida.", true),
            ("Dit artikel is ingetrokken.", true),
            ("Den här artikeln har tagits bort.", true),
            ("This article has been updated.", false),
            ("This article has been corrected: the bridge opened on Monday.", false),
            ("Kill: the new play at the harbour theatre.", false),
            ("Troops have been withdrawn.", false),
            ("The minister said that this article has been removed.", false),
            ("", false),
            (&long, false),
        ] {
            assert_eq!(is_notice(text), expected, "{text:?}");
        }
    }

    #[test]
    fn what_the_server_said_is_the_cause() {
        for (gone_status, expected) in [(404, "missing"), (410, "gone"), (451, "withheld"), (0, "missing")] {
            let url = "https://harbour.example/bridge?utm_source=x".to_owned();
            let request = Some(wire::Request { url, ..Default::default() });
            let article = of_gone(&Page { request, gone_status, ..Page::default() }, 9).unwrap();
            let withdrawal = article.withdrawal.unwrap();
            assert_eq!((withdrawal.cause.as_str(), withdrawal.at_ms), (expected, 9));
            assert_eq!(article.url, "https://harbour.example/bridge");
        }
        assert!(of_gone(&Page::default(), 9).is_err());
    }
}
