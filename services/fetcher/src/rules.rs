//! What the operator has set, in the terms of the frontier.

use article::CanonicalUrl;
use crawl::{Policy, RetryPolicy};

use crate::{
    config::{Config, ConfigError, millis},
    websub::Callbacks,
};

/// What stands for the page's address in a TimeGate's.
const URL_PLACE: &str = "{url}";

/// By what rules requests are taken in, fetched, and done with. Durations in milliseconds.
#[derive(Debug, Clone)]
pub(crate) struct Rules {
    pub policy: Policy,
    pub retries: RetryPolicy,
    pub fetched_for_ms: i64,
    pub remembered_for_ms: i64,
    /// After the first fetch of a page.
    pub revisits_ms: Vec<i64>,
    /// Articles of a source and domain a day; 0 for no bound.
    pub daily_quota: u32,
    /// Least and longest time between two readings of a list.
    pub poll_ms: (i64, i64),
    /// Where hubs reach us; none are asked otherwise.
    pub callbacks: Option<Callbacks>,
    memento: Option<String>,
}

impl Rules {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        let rules = Self {
            policy: Policy {
                delay_ms: millis(config.delay),
                latency_factor: i64::from(config.latency_factor),
                max_latency_delay_ms: millis(config.max_latency_delay),
                backoff_ms: millis(config.host_backoff),
                max_backoff_ms: millis(config.max_host_backoff),
            },
            retries: RetryPolicy {
                backoff_ms: millis(config.retry_backoff),
                max_backoff_ms: millis(config.max_retry_backoff),
                max_attempts: config.max_attempts,
                give_up_after_ms: millis(config.give_up_after),
            },
            fetched_for_ms: millis(config.fetched_for),
            remembered_for_ms: millis(config.remembered_for),
            revisits_ms: config.revisits.iter().map(|pause| millis(pause.0)).collect(),
            daily_quota: config.daily_quota,
            poll_ms: (millis(config.min_poll), millis(config.max_poll)),
            callbacks: Callbacks::of(config)?,
            memento: config.memento.clone(),
        };
        match &rules.memento {
            Some(gate) if !gate.contains(URL_PLACE) || rules.memento_of("https://example.com/").is_none() => {
                Err(ConfigError::Memento(gate.clone()))
            }
            _ => Ok(rules),
        }
    }

    /// Where an archived copy of `url` may be had, if one is looked for at all.
    pub(crate) fn memento_of(&self, url: &str) -> Option<CanonicalUrl> {
        CanonicalUrl::parse(&self.memento.as_ref()?.replace(URL_PLACE, url)).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timegate_has_a_place_for_the_address() {
        let rules = |gate: &str| Rules::new(&Config { memento: Some(gate.into()), ..Config::default() });
        let copy = rules("https://archive.example/web/{url}").unwrap().memento_of("https://a.example/1?b=c");
        assert_eq!(copy.unwrap().as_str(), "https://archive.example/web/https://a.example/1?b=c");
        for gate in ["https://archive.example/web/", "archive.example/{url}", "ftp://archive.example/{url}"] {
            assert!(matches!(rules(gate), Err(ConfigError::Memento(_))), "{gate}");
        }
    }
}
