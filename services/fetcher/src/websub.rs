//! WebSub (W3C Recommendation of 2018): hubs that tell when a feed has something new. What is sent to them, and what may be
//! believed of what they send; functions over values.
//!
//! Nothing is kept of a subscription where it is answered for. The callback's path names the list and vouches for itself,
//! and the secret follows from it, so that every instance with the same key can answer a hub.

pub(crate) mod callback;
pub(crate) mod hub;
pub(crate) mod lease;

use std::fmt;

use article::CanonicalUrl;
use aws_lc_rs::hmac;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use url::form_urlencoded;

use crate::config::{Config, ConfigError};

/// How `via` calls requests that come of what a hub said.
pub(crate) const VIA: &str = "websub";
/// Shortest key, in bytes.
const LEAST_KEY_BYTES: usize = 16;
/// How long a subscription is asked for; hubs have their own mind.
const LEASE_SECONDS: i64 = 10 * 86_400;
/// Longest lease that is believed: by then the hub may be another.
const MAX_LEASE_SECONDS: i64 = 90 * 86_400;
/// Longest name of a list (its address at the hub, and our own where that is another); hubs keep callbacks in columns.
const MAX_NAME_BYTES: usize = 1_000;
const MAX_CHALLENGE_BYTES: usize = 1_024;

/// A hub, and what a list is called there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hub {
    pub url: CanonicalUrl,
    /// Letter for letter as the list names itself.
    pub topic: String,
}

/// Where hubs reach us, and what makes paths and secrets.
#[derive(Clone)]
pub(crate) struct Callbacks {
    base: String,
    path_key: [u8; 32],
    secret_key: [u8; 32],
}

/// A list, as a callback names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subscribed {
    /// As it is known in the frontier.
    pub url: String,
    pub topic: String,
    /// With which its hub signs.
    pub secret: String,
}

/// What a hub says of a subscription.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// It asks whether the subscription was wanted, and says how long it will last.
    Granted {
        /// To be given back.
        challenge: String,
        lease_ms: i64,
    },
    Denied,
}

impl Callbacks {
    /// As configured; none where no callback is.
    pub(crate) fn of(config: &Config) -> Result<Option<Self>, ConfigError> {
        let Some(callback) = &config.websub_callback else { return Ok(None) };
        let refused = |cause: String| ConfigError::WebsubCallback(cause);
        let base = CanonicalUrl::parse(callback).map_err(|error| refused(error.to_string()))?;
        if callback.contains(['?', '#']) {
            return Err(refused("it has a query or a fragment".to_owned()));
        }
        let key = config.websub_key.as_ref().map(|key| key.0.as_bytes()).unwrap_or_default();
        if key.len() < LEAST_KEY_BYTES {
            return Err(ConfigError::WebsubKey(LEAST_KEY_BYTES));
        }
        Ok(Some(Self {
            base: base.as_str().trim_end_matches('/').to_owned(),
            path_key: blake3::derive_key("wireroom websub v1 path of a callback", key),
            secret_key: blake3::derive_key("wireroom websub v1 secret of a subscription", key),
        }))
    }

    /// The form that asks `hub` to tell of the list at `url` (section 5.1); none where its name is unreasonable.
    pub(crate) fn form(&self, hub: &Hub, url: &str) -> Option<String> {
        let name = if hub.topic == url { url.to_owned() } else { format!("{} {url}", hub.topic) };
        if name.len() > MAX_NAME_BYTES || hub.topic.contains(char::is_whitespace) {
            return None;
        }
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("hub.mode", "subscribe")
            .append_pair("hub.topic", &hub.topic)
            .append_pair("hub.callback", &format!("{}/websub/{}", self.base, self.path(&name)))
            .append_pair("hub.secret", &self.secret(&name))
            .append_pair("hub.lease_seconds", &LEASE_SECONDS.to_string())
            .finish();
        Some(form)
    }

    /// The list that a callback's path names; none where the path is not of our making.
    pub(crate) fn read(&self, path: &str) -> Option<Subscribed> {
        let (name, mark) = path.split_once('.')?;
        let name = BASE64URL_NOPAD.decode(name.as_bytes()).ok()?;
        let mark: [u8; 32] = BASE64URL_NOPAD.decode(mark.as_bytes()).ok()?.try_into().ok()?;
        // Hashes are compared in constant time.
        if blake3::keyed_hash(&self.path_key, &name) != blake3::Hash::from_bytes(mark) {
            return None;
        }
        let name = String::from_utf8(name).ok()?;
        let (topic, url) = name.split_once(' ').unwrap_or((&name, &name));
        Some(Subscribed { url: url.to_owned(), topic: topic.to_owned(), secret: self.secret(&name) })
    }

    fn path(&self, name: &str) -> String {
        let mark = blake3::keyed_hash(&self.path_key, name.as_bytes());
        format!("{}.{}", BASE64URL_NOPAD.encode(name.as_bytes()), BASE64URL_NOPAD.encode(mark.as_bytes()))
    }

    fn secret(&self, name: &str) -> String {
        blake3::keyed_hash(&self.secret_key, name.as_bytes()).to_hex().to_string()
    }
}

impl fmt::Debug for Callbacks {
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Callbacks").field(&self.base).finish()
    }
}

impl Subscribed {
    /// What a hub says in the query of a GET (sections 5.2 and 5.3), where it is of this list. That it was asked is what
    /// the path vouches for. An unsubscription is nobody's wish.
    pub(crate) fn told(&self, query: &str) -> Option<Told> {
        let named = |name: &str| {
            form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value)
        };
        if named("hub.topic")? != self.topic.as_str() {
            return None;
        }
        match &*named("hub.mode")? {
            "denied" => Some(Told::Denied),
            "subscribe" => {
                let challenge = named("hub.challenge")?.into_owned();
                let lease = match named("hub.lease_seconds") {
                    // Hubs from before the standard leave it out.
                    None => LEASE_SECONDS,
                    Some(seconds) => seconds.parse().ok().filter(|seconds| *seconds > 0)?,
                };
                let lease_ms = lease.min(MAX_LEASE_SECONDS) * 1_000;
                let is_sound = (1..=MAX_CHALLENGE_BYTES).contains(&challenge.len());
                is_sound.then_some(Told::Granted { challenge, lease_ms })
            }
            _ => None,
        }
    }

    /// Whether its hub has signed `body` so (section 8: `method=hexadecimal`). Most hubs sign with SHA-1, whose weakness,
    /// collisions, is none of HMAC's; and a delivery is but a hint.
    pub(crate) fn is_signed(&self, signature: &str, body: &[u8]) -> bool {
        let Some((method, mark)) = signature.trim().split_once('=') else { return false };
        let algorithm = match method.to_ascii_lowercase().as_str() {
            "sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            "sha256" => hmac::HMAC_SHA256,
            "sha384" => hmac::HMAC_SHA384,
            "sha512" => hmac::HMAC_SHA512,
            _ => return false,
        };
        let key = hmac::Key::new(algorithm, self.secret.as_bytes());
        // In constant time.
        HEXLOWER_PERMISSIVE.decode(mark.as_bytes()).is_ok_and(|mark| hmac::verify(&key, body, &mark).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Secret;

    const FEED: &str = "https://harbour.example/feed.xml";

    fn config(callback: &str, key: &str) -> Config {
        Config {
            websub_callback: Some(callback.to_owned()),
            websub_key: Some(Secret(key.to_owned())),
            ..Config::default()
        }
    }

    fn callbacks(key: &str) -> Callbacks {
        Callbacks::of(&config("https://press.example/in/", key)).unwrap().unwrap()
    }

    fn hub(topic: &str) -> Hub {
        Hub { url: CanonicalUrl::parse("https://hub.example/").unwrap(), topic: topic.to_owned() }
    }

    fn field(form: &str, name: &str) -> String {
        form_urlencoded::parse(form.as_bytes()).find(|(key, _)| key == name).unwrap().1.into_owned()
    }

    fn path(form: &str) -> String {
        field(form, "hub.callback").strip_prefix("https://press.example/in/websub/").unwrap().to_owned()
    }

    #[test]
    fn a_form_says_all_that_the_callback_needs_to_know() {
        let ours = callbacks("0123456789abcdef");
        for topic in [FEED, "http://feeds.example/harbour?a=1&b=%20"] {
            let form = ours.form(&hub(topic), FEED).unwrap();
            assert_eq!(field(&form, "hub.mode"), "subscribe");
            assert_eq!(field(&form, "hub.topic"), topic);
            assert_eq!(field(&form, "hub.lease_seconds"), "864000");
            let secret = field(&form, "hub.secret");
            assert_eq!(secret.len(), 64);
            let read = callbacks("0123456789abcdef").read(&path(&form)).unwrap();
            assert_eq!(read, Subscribed { url: FEED.into(), topic: topic.into(), secret: secret.clone() });
            assert!(!path(&form).contains(&secret));
        }
        assert!(ours.form(&hub("https://a.example/ b"), FEED).is_none());
        assert!(ours.form(&hub(&format!("https://a.example/{}", "b".repeat(1_000))), FEED).is_none());
    }

    #[test]
    fn paths_that_are_not_ours_name_nothing() {
        let ours = callbacks("0123456789abcdef");
        let known = path(&ours.form(&hub(FEED), FEED).unwrap());
        let (name, mark) = known.split_once('.').unwrap();
        let other = BASE64URL_NOPAD.encode(b"https://harbour.example/feed.xmm");
        let cut = mark.get(1..).unwrap();
        for forged in [
            String::new(),
            name.into(),
            format!("{name}."),
            format!("{other}.{mark}"),
            format!("{name}.{cut}"),
        ] {
            assert!(ours.read(&forged).is_none(), "{forged}");
        }
        assert!(callbacks("0123456789abcdeg").read(&known).is_none(), "of another key");
        assert!(ours.read(&known).is_some());
    }

    proptest! {
        #[test]
        fn no_path_panics(path in "[A-Za-z0-9_.-]{0,200}") {
            prop_assert!(callbacks("0123456789abcdef").read(&path).is_none());
        }
    }

    #[test]
    fn what_hubs_say() {
        let ours = callbacks("0123456789abcdef");
        let feed = ours.read(&path(&ours.form(&hub(FEED), FEED).unwrap())).unwrap();
        let topic = "hub.topic=https%3A%2F%2Fharbour.example%2Ffeed.xml";
        let granted =
            |lease_s: i64| Some(Told::Granted { challenge: "a b".to_owned(), lease_ms: lease_s * 1_000 });
        let long = "x".repeat(1_025);
        for (query, told) in [
            ("hub.mode=subscribe&hub.challenge=a+b&hub.lease_seconds=600".to_owned(), granted(600)),
            ("hub.mode=subscribe&hub.challenge=a%20b".to_owned(), granted(864_000)),
            (
                "hub.mode=subscribe&hub.challenge=a+b&hub.lease_seconds=99999999999".to_owned(),
                granted(7_776_000),
            ),
            ("hub.mode=subscribe&hub.challenge=a+b&hub.lease_seconds=0".to_owned(), None),
            ("hub.mode=subscribe&hub.challenge=a+b&hub.lease_seconds=soon".to_owned(), None),
            ("hub.mode=subscribe&hub.lease_seconds=600".to_owned(), None),
            ("hub.mode=subscribe&hub.challenge=".to_owned(), None),
            (format!("hub.mode=subscribe&hub.challenge={long}"), None),
            ("hub.mode=denied&hub.reason=private".to_owned(), Some(Told::Denied)),
            ("hub.mode=unsubscribe&hub.challenge=a".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(feed.told(&format!("{topic}&{query}")), told, "{query}");
            assert_eq!(feed.told(&format!("hub.topic=https://other.example/&{query}")), None);
            assert_eq!(feed.told(&query), None);
        }
    }

    #[test]
    fn signatures() {
        // RFC 2202 (SHA-1) and RFC 4231, test case 2.
        let feed = Subscribed { url: FEED.into(), topic: FEED.into(), secret: "Jefe".into() };
        let body = b"what do ya want for nothing?";
        let sha1 = "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";
        let sha256 = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let sha384 = "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649";
        let sha512 = "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737";
        for (signature, is_good) in [
            (format!("sha1={sha1}"), true),
            (format!("sha256={sha256}"), true),
            (format!("sha384={sha384}"), true),
            (format!("sha512={sha512}"), true),
            (format!("SHA256={}", sha256.to_uppercase()), true),
            (format!("sha256={}", sha256.replace('5', "6")), false),
            (format!("sha256={}", sha256.get(..32).unwrap()), false),
            (format!("sha256={sha1}"), false),
            (format!("md5={sha1}"), false),
            ("sha256=".to_owned(), false),
            (sha256.to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(feed.is_signed(&signature, body), is_good, "{signature}");
        }
        assert!(!feed.is_signed(&format!("sha256={sha256}"), b"what do ya want for something?"));
    }

    #[test]
    fn settings() {
        let refused =
            |callback: &str, key: &str| Callbacks::of(&config(callback, key)).unwrap_err().to_string();
        assert!(refused("https://press.example/in", "").contains("websub_key"));
        assert!(refused("https://press.example/in", "too short").contains("websub_key"));
        assert!(refused("press.example", "0123456789abcdef").contains("websub_callback"));
        assert!(refused("https://press.example/?a=b", "0123456789abcdef").contains("websub_callback"));
        assert!(Callbacks::of(&Config::default()).unwrap().is_none());
        let config = config("https://press.example/in", "0123456789abcdef");
        assert!(!format!("{config:?} {:?}", callbacks("0123456789abcdef")).contains("0123456789"));
    }
}
