//! What the frontier keeps of a list's subscription, and when it is asked for: after a reading of the list, in the step
//! that notes that it was.

use article::CanonicalUrl;
use wire::{ListState, Subscription};

use super::{Callbacks, Hub, hub::Ask};

const HOUR_MS: i64 = 3_600_000;
/// A hub is not asked again about a list sooner: one that does not answer, or whose answers do not arrive, and whatever a
/// feed may name that is no hub.
const LEAST_PAUSE_MS: i64 = HOUR_MS;
/// How long a hub is left alone that has said no.
const DENIED_PAUSE_MS: i64 = 24 * HOUR_MS;

/// A list that was read whole names this hub, or none.
pub(crate) fn named(list: &mut ListState, hub: Option<&Hub>) {
    let is_known =
        |known: &Subscription, hub: &Hub| known.hub == hub.url.as_str() && known.topic == hub.topic;
    list.subscription = hub.map(|hub| match list.subscription.take() {
        Some(known) if is_known(&known, hub) => known,
        _ => Subscription {
            hub: hub.url.as_str().to_owned(),
            topic: hub.topic.clone(),
            ..Subscription::default()
        },
    });
}

/// What the hub of the list at `url` is to be asked for now, if anything. Noted as asked for.
pub(crate) fn ask(list: &mut ListState, url: &str, now_ms: i64, callbacks: &Callbacks) -> Option<Ask> {
    let known = list.subscription.as_mut().filter(|known| is_due(known, now_ms))?;
    let hub = Hub { url: CanonicalUrl::parse(&known.hub).ok()?, topic: known.topic.clone() };
    let form = callbacks.form(&hub, url)?;
    (known.subscribed_at_ms, known.is_denied) = (now_ms, false);
    Some(Ask { hub: hub.url, form, list: url.to_owned() })
}

/// The list's hub says until when it tells; 0: it refuses to.
pub(crate) fn granted(list: &mut ListState, until_ms: i64) {
    if let Some(known) = &mut list.subscription {
        (known.lease_until_ms, known.is_denied) = (until_ms, until_ms == 0);
    }
}

/// Whether the list's hub tells of what is new.
pub(crate) fn is_told(list: &ListState, now_ms: i64) -> bool {
    list.subscription.as_ref().is_some_and(|known| known.lease_until_ms > now_ms)
}

/// At two thirds of the lease; what is left of it leaves room for further attempts.
fn is_due(known: &Subscription, now_ms: i64) -> bool {
    let lease_ms = known.lease_until_ms.saturating_sub(known.subscribed_at_ms);
    let pause_ms = if known.is_denied { DENIED_PAUSE_MS } else { LEAST_PAUSE_MS.max(lease_ms / 3 * 2) };
    now_ms >= known.subscribed_at_ms.saturating_add(pause_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, Secret};

    const FEED: &str = "https://harbour.example/feed.xml";
    const NOW_MS: i64 = 1_800_000_000_000;

    fn hub(host: &str) -> Hub {
        Hub { url: CanonicalUrl::parse(&format!("https://{host}/")).unwrap(), topic: FEED.to_owned() }
    }

    fn asked(list: &mut ListState, at_ms: i64) -> bool {
        let config = Config {
            websub_callback: Some("https://press.example".to_owned()),
            websub_key: Some(Secret("0123456789abcdef".to_owned())),
            ..Config::default()
        };
        ask(list, FEED, at_ms, &Callbacks::of(&config).unwrap().unwrap()).is_some()
    }

    #[test]
    fn a_hub_is_asked_when_it_is_time() {
        for (lease_ms, next_ms) in [
            // It never answered.
            (None, HOUR_MS),
            // It said no.
            (Some(0), 24 * HOUR_MS),
            (Some(24 * HOUR_MS), 16 * HOUR_MS),
            // Shorter than is kept up with.
            (Some(HOUR_MS / 2), HOUR_MS),
        ] {
            let mut list = ListState::default();
            assert!(!asked(&mut list, NOW_MS), "it names no hub");
            named(&mut list, Some(&hub("hub.example")));
            assert!(asked(&mut list, NOW_MS));
            if let Some(lease_ms) = lease_ms {
                granted(&mut list, if lease_ms > 0 { NOW_MS + lease_ms } else { 0 });
            }
            assert_eq!(is_told(&list, NOW_MS), lease_ms.is_some_and(|lease_ms| lease_ms > 0));
            assert!(!asked(&mut list, NOW_MS + next_ms - 1), "{lease_ms:?}");
            assert!(asked(&mut list, NOW_MS + next_ms), "{lease_ms:?}");
        }
    }

    #[test]
    fn a_renewal_that_fails_is_tried_again_while_the_lease_lasts() {
        let mut list = ListState::default();
        named(&mut list, Some(&hub("hub.example")));
        assert!(asked(&mut list, NOW_MS));
        granted(&mut list, NOW_MS + 24 * HOUR_MS);
        assert!(asked(&mut list, NOW_MS + 16 * HOUR_MS));
        let again_ms = NOW_MS + 16 * HOUR_MS + 8 * HOUR_MS / 3 * 2;
        assert!(!asked(&mut list, again_ms - 1) && asked(&mut list, again_ms));
        assert!(is_told(&list, NOW_MS + 24 * HOUR_MS - 1) && !is_told(&list, NOW_MS + 24 * HOUR_MS));
    }

    #[test]
    fn another_hub_is_asked_at_once() {
        let mut list = ListState::default();
        named(&mut list, Some(&hub("hub.example")));
        assert!(asked(&mut list, NOW_MS));
        granted(&mut list, NOW_MS + HOUR_MS);
        named(&mut list, Some(&hub("hub.example")));
        assert!(is_told(&list, NOW_MS) && !asked(&mut list, NOW_MS));
        named(&mut list, Some(&hub("other.example")));
        assert!(!is_told(&list, NOW_MS) && asked(&mut list, NOW_MS));
        named(&mut list, None);
        assert_eq!(list, ListState::default());
    }
}
