//! What the decider counts.

use article::{Moment, Precision};
use metrics::{NORMALIZER_ARRIVALS, NORMALIZER_FRESHNESS_SECONDS, NORMALIZER_PUBLICATIONS};
use wire::CanonicalArticle;

use crate::record::Publication;

/// Counts what was decided at `now_ms`: what an arrival is, what came of it, and how old an article is that is published
/// for the first time, with the trace it belongs to.
pub(crate) fn count(
    arrival: Option<&str>,
    publications: &[Publication],
    now_ms: i64,
    trace_id: Option<u128>,
) {
    if let Some(relation) = arrival {
        NORMALIZER_ARRIVALS.with_label_values(&[relation]).inc();
    }
    for publication in publications {
        let change = publication.change.change.as_str();
        NORMALIZER_PUBLICATIONS.with_label_values(&[change]).inc();
        for record in publication.record.iter().filter(|_| change == "created") {
            for (since, age_ms) in ages(record, now_ms) {
                metrics::observe(&NORMALIZER_FRESHNESS_SECONDS, &[since], age_ms as f64 / 1000.0, trace_id);
            }
        }
    }
}

/// How long ago an article was published, asked for and fetched, where that is known.
fn ages(record: &CanonicalArticle, now_ms: i64) -> impl Iterator<Item = (&'static str, i64)> {
    let instants =
        [("published", &record.published_at), ("seen", &record.seen_at), ("fetched", &record.fetched_at)];
    instants.into_iter().filter_map(move |(since, instant)| {
        let at = Moment::parse(instant).ok().filter(|at| at.precision() == Precision::Instant)?;
        Some((since, now_ms.saturating_sub(at.as_millis()).max(0)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::rfc3339;

    #[test]
    fn only_what_is_known_to_the_second_has_an_age() {
        let article = |published_at: &str, fetched_at_ms| CanonicalArticle {
            published_at: published_at.to_owned(),
            seen_at: rfc3339(1_800_000_000_000),
            fetched_at: rfc3339(fetched_at_ms),
            ..CanonicalArticle::default()
        };
        let ages = |article: &CanonicalArticle| ages(article, 1_800_000_060_000).collect::<Vec<_>>();
        let article_of = article("2027-01-15T08:00:30Z", 1_800_000_058_000);
        assert_eq!(ages(&article_of), [("published", 30_000), ("seen", 60_000), ("fetched", 2_000)]);
        for published_at in ["2027-01-15", "2027-01-15T08:00:30", ""] {
            assert_eq!(ages(&article(published_at, 0)), [("seen", 60_000)], "{published_at}");
        }
        assert_eq!(ages(&article("2027-01-15T09:00:00Z", 0)), [("published", 0), ("seen", 60_000)]);
    }
}
