//! What deciding needs of an article.

use article::{ArticleId, CanonicalUrl, Moment, Precision};
use bytes::Bytes;
use neardup::{Member, Paragraph, Sketch, TextHash};
use wire::{Article, ArticleState, ParagraphSketch, Prepared};

use crate::{boilerplate, revision::is_teaser};

/// How far a date of publication may lie after the sighting: time zones, and clocks that are fast.
const FUTURE_TOLERANCE_MS: i64 = 24 * 3_600_000;

/// 1990-01-01, before the web: no page is older.
const BEFORE_THE_WEB_MS: i64 = 631_152_000_000;

/// How far a source is trusted of which that is not said.
const USUAL_TRUST: u8 = 50;

/// Domains of news agencies: what they publish themselves is the original of what others carry.
const AGENCIES: &[&str] = &[
    "aa.com.tr",
    "aap.com.au",
    "afp.com",
    "agerpres.ro",
    "anp.nl",
    "ansa.it",
    "antaranews.com",
    "ap.org",
    "apa.at",
    "apnews.com",
    "belga.be",
    "bernama.com",
    "bta.bg",
    "ceskenoviny.cz",
    "dpa-international.com",
    "dpa.com",
    "efe.com",
    "hina.hr",
    "interfax.com",
    "interfax.ru",
    "irna.ir",
    "kyodonews.jp",
    "kyodonews.net",
    "ntb.no",
    "pap.pl",
    "ptinews.com",
    "reuters.com",
    "ria.ru",
    "ritzau.dk",
    "spa.gov.sa",
    "sta.si",
    "tanjug.rs",
    "tass.com",
    "tass.ru",
    "tt.se",
    "ukrinform.net",
    "upi.com",
    "wam.ae",
    "xinhuanet.com",
    "yna.co.kr",
];

/// The sketch of an article that has just arrived, without the paragraphs that its domain repeats.
pub(crate) fn sketch(prepared: Prepared, repeated: &[u32]) -> Sketch {
    let own = prepared.paragraphs.into_iter();
    let own = own.filter(|paragraph| !repeated.contains(&boilerplate::name(paragraph)));
    let own: Vec<Paragraph> = own.map(to_paragraph).collect();
    Sketch::of(&own)
}

/// Reads the facts of an article that has just arrived; the rest of its state is left empty.
pub(crate) fn facts(text_hash: &Bytes, article: &Article) -> ArticleState {
    let published = Moment::parse(&article.published_at).ok().filter(|moment| is_plausible(moment, article));
    let publisher = article.publisher.clone().unwrap_or_default();
    ArticleState {
        article_id: article.article_id.clone(),
        text_hash: text_hash.clone(),
        published_at_ms: published.as_ref().map(latest_ms),
        seen_at_ms: article.seen_at_ms,
        is_agency: AGENCIES.binary_search(&publisher.domain.as_str()).is_ok(),
        trust: article.trust,
        is_teaser: is_teaser(article),
        declared_original_id: declared_original(article).unwrap_or_default(),
        place: place(article),
        publisher: Some(publisher),
        labels: article.labels.clone(),
        ..ArticleState::default()
    }
}

/// Whether the article can have been published at that moment: not before the web, and not after it was read, which may be
/// long after it was first asked for.
pub(crate) fn is_plausible(moment: &Moment, article: &Article) -> bool {
    let latest_ms = match article.seen_at_ms.max(article.fetched_at_ms) {
        0 => i64::MAX,
        read_at_ms => read_at_ms.saturating_add(FUTURE_TOLERANCE_MS),
    };
    (BEFORE_THE_WEB_MS..=latest_ms).contains(&moment.as_millis())
}

/// The name that an article's URL gives, which is not its id where its page names another address as canonical.
pub(crate) fn id_of_url(url: &str) -> Option<String> {
    CanonicalUrl::parse(url).ok().map(|url| ArticleId::of_url(&url).as_str().to_owned())
}

/// An article's state and its sketch as a member of its cluster.
pub(crate) fn member<'a>(state: &'a ArticleState, sketch: &'a Sketch) -> Member<'a> {
    Member {
        id: &state.article_id,
        text_hash: text_hash(state),
        sketch,
        published_at_ms: state.published_at_ms,
        seen_at_ms: state.seen_at_ms,
        is_agency: state.is_agency,
        trust: state.trust.and_then(|trust| u8::try_from(trust).ok()).unwrap_or(USUAL_TRUST),
        is_teaser: state.is_teaser,
        declared_original: Some(state.declared_original_id.as_str()).filter(|id| !id.is_empty()),
    }
}

pub(crate) fn from_wire(sketch: wire::Sketch) -> Sketch {
    Sketch {
        words: sketch.words,
        five: sketch.five,
        three: sketch.three,
        rest_five: sketch.rest_five,
        rest_three: sketch.rest_three,
        figures: sketch.figures,
        keys: sketch.keys,
    }
}

pub(crate) fn to_wire(sketch: Sketch) -> wire::Sketch {
    wire::Sketch {
        words: sketch.words,
        five: sketch.five,
        three: sketch.three,
        rest_five: sketch.rest_five,
        rest_three: sketch.rest_three,
        figures: sketch.figures,
        keys: sketch.keys,
    }
}

fn to_paragraph(paragraph: ParagraphSketch) -> Paragraph {
    let ParagraphSketch { hash, words, fives, threes, figures } = paragraph;
    Paragraph { hash, words, five: fives, three: threes, figures }
}

pub(crate) fn text_hash(state: &ArticleState) -> TextHash {
    TextHash(state.text_hash.as_ref().try_into().map_or(0, u128::from_be_bytes))
}

/// A date alone may mean any time of its day, and a time of day without its offset is read as UTC's, twelve hours behind
/// which the last clocks are: what is known to be earlier comes first.
fn latest_ms(moment: &Moment) -> i64 {
    let doubt_ms = match moment.precision() {
        Precision::Day => 86_399_999,
        Precision::Local => 12 * 3_600_000,
        Precision::Instant => 0,
    };
    moment.as_millis().saturating_add(doubt_ms)
}

fn declared_original(article: &Article) -> Option<String> {
    id_of_url(&article.declared_original).filter(|id| *id != article.article_id)
}

fn place(article: &Article) -> String {
    let named = [&article.url, &article.document_name].into_iter().find(|name| !name.is_empty());
    named.unwrap_or(&article.article_id).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(article: Article) -> ArticleState {
        let prepared = crate::prepare(article);
        facts(&prepared.exact_hash, prepared.article.as_ref().unwrap())
    }

    #[test]
    fn agencies_can_be_searched() {
        assert!(AGENCIES.is_sorted());
        let url = "https://www.reuters.com/world/1".into();
        assert!(read(Article { url, ..Article::default() }).is_agency);
    }

    #[test]
    fn a_day_ends_after_its_instants() {
        let seen_at_ms = 1_700_000_000_000;
        let at = |published_at: &str| {
            read(Article { published_at: published_at.into(), seen_at_ms, ..Article::default() })
        };
        assert!(at("2015-03-19").published_at_ms > at("2015-03-19T23:00:00Z").published_at_ms);
        assert!(at("2015-03-19").published_at_ms < at("2015-03-20T00:00:00Z").published_at_ms);
        assert!(at("2015-03-19T10:00:00").published_at_ms > at("2015-03-19T21:00:00Z").published_at_ms);
        for none in ["", "1815-03-19", "2031-01-01"] {
            assert_eq!(at(none).published_at_ms, None, "{none}");
        }
    }

    #[test]
    fn a_source_of_which_nothing_is_said_is_trusted_as_most() {
        for (trust, known) in [(None, 50), (Some(0), 0), (Some(100), 100), (Some(1000), 50)] {
            let state = read(Article { trust, ..Article::default() });
            assert_eq!(member(&state, &Sketch::default()).trust, known, "{trust:?}");
        }
    }

    #[test]
    fn an_article_is_placed_by_url_name_or_id() {
        let [url, name, id] = ["https://a.example/1", "reprint.txt", "0a"].map(str::to_owned);
        let mut article = Article {
            url: url.clone(),
            document_name: name.clone(),
            article_id: id.clone(),
            ..Article::default()
        };
        assert_eq!(place(&article), url);
        article.url.clear();
        assert_eq!(place(&article), name);
        article.document_name.clear();
        assert_eq!(place(&article), id);
    }
}
