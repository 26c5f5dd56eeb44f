//! What the decider counts.

use article::{Moment, Precision};
use metrics::{NORMALIZER_ARRIVALS, NORMALIZER_FRESHNESS_SECONDS, NORMALIZER_PUBLICATIONS};
use wire::Article;

use crate::arrival::Arrival;

/// Counts an arrival that was decided on at `now_ms`, and how old it is where it is published for the first time.
pub(crate) fn count(arrival: &Arrival, article: &Article, now_ms: i64) {
    NORMALIZER_ARRIVALS.with_label_values(&[arrival.relation.as_str()]).inc();
    for publication in &arrival.publications {
        let change = publication.change.change.as_str();
        NORMALIZER_PUBLICATIONS.with_label_values(&[change]).inc();
        if change == "created" && publication.change.article_id == article.article_id {
            for (since, age_ms) in ages(article, now_ms) {
                NORMALIZER_FRESHNESS_SECONDS.with_label_values(&[since]).observe(age_ms as f64 / 1000.0);
            }
        }
    }
}

/// How long ago an article was published, asked for and fetched, where that is known.
fn ages(article: &Article, now_ms: i64) -> impl Iterator<Item = (&'static str, i64)> {
    let published = Moment::parse(&article.published_at).ok();
    let published = published.filter(|at| at.precision() == Precision::Instant).map(|at| at.as_millis());
    let known = |at_ms: i64| Some(at_ms).filter(|at_ms| *at_ms != 0);
    let instants = [
        ("published", published),
        ("seen", known(article.seen_at_ms)),
        ("fetched", known(article.fetched_at_ms)),
    ];
    instants.into_iter().filter_map(move |(since, at_ms)| Some((since, now_ms.saturating_sub(at_ms?).max(0))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_known_to_the_second_has_an_age() {
        let article = |published_at: &str, fetched_at_ms| Article {
            published_at: published_at.to_owned(),
            seen_at_ms: 1_800_000_000_000,
            fetched_at_ms,
            ..Article::default()
        };
        let ages = |article: &Article| ages(article, 1_800_000_060_000).collect::<Vec<_>>();
        let article_of = article("2027-01-15T08:00:30Z", 1_800_000_058_000);
        assert_eq!(ages(&article_of), [("published", 30_000), ("seen", 60_000), ("fetched", 2_000)]);
        for published_at in ["2027-01-15", "2027-01-15T08:00:30", ""] {
            assert_eq!(ages(&article(published_at, 0)), [("seen", 60_000)], "{published_at}");
        }
        assert_eq!(ages(&article("2027-01-15T09:00:00Z", 0)), [("published", 0), ("seen", 60_000)]);
    }
}
