//! robots.txt by RFC 9309: 4xx allows everything; silence, 429 and 5xx allow nothing, unless an earlier copy is at hand.
//!
//! What cannot be read is never taken for "allow all": a host whose robots.txt cannot be had waits.

mod pattern;
mod rules;
#[cfg(test)]
mod table;

pub use rules::{Robots, Rule};

/// What is read of a robots.txt, the least that RFC 9309 section 2.5 asks for; the rest is ignored.
pub const MAX_ROBOTS_BYTES: usize = 500 * 1024;
/// How long a copy is used (RFC 9309 section 2.4).
const MAX_AGE_MS: i64 = 24 * 3_600_000;
/// How soon a copy that could not be renewed is tried again: later than the host is, after its longest back-off.
const RENEWAL_MS: i64 = 2 * 3_600_000;

/// What is known of the robots.txt of an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RobotsFile {
    /// When it was fetched.
    pub fetched_at_ms: i64,
    /// What it says, if anything.
    pub availability: Availability,
    /// The rules that concern us, and no others ([`Robots::to_text`]).
    pub text: Vec<u8>,
}

/// What a robots.txt says, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Availability {
    /// Its text holds.
    Rules,
    /// There is none (4xx): everything is allowed.
    Allow,
    /// It cannot be had, and never could: nothing is allowed for now.
    Unreachable,
}

/// How a fetch of robots.txt ended, redirects followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RobotsFetch {
    /// With a text.
    Text(Vec<u8>),
    /// With another status.
    Status(u16),
    /// In more than five redirects, which RFC 9309 section 2.3.1.2 lets count as "there is none".
    TooManyRedirects,
    /// Without an answer.
    Failed,
}

/// The file after it was fetched at `now_ms` by the crawler with this product token, where `known` is the copy from
/// before. Give one byte more than [`MAX_ROBOTS_BYTES`] of a longer text: it tells whether the last line is whole.
pub fn robots_after_fetch(
    known: Option<&RobotsFile>,
    fetch: RobotsFetch,
    token: &str,
    now_ms: i64,
) -> RobotsFile {
    let fresh = |availability, text| RobotsFile { fetched_at_ms: now_ms, availability, text };
    match fetch {
        RobotsFetch::Text(text) => {
            fresh(Availability::Rules, Robots::parse(&text, token).to_text().into_bytes())
        }
        RobotsFetch::Status(429) | RobotsFetch::Failed => unreachable_now(known, now_ms),
        RobotsFetch::Status(400..=499) | RobotsFetch::TooManyRedirects => {
            fresh(Availability::Allow, Vec::new())
        }
        RobotsFetch::Status(_) => unreachable_now(known, now_ms),
    }
}

/// The product token of a `User-Agent`, by which robots.txt knows a crawler: `Name` of `Name/1.0 (+https://…)`.
pub fn product_token(user_agent: &str) -> &str {
    let end = user_agent.bytes().position(|b| !is_token_byte(b)).unwrap_or(user_agent.len());
    user_agent.get(..end).unwrap_or_default()
}

impl RobotsFile {
    /// Whether it need not be fetched again yet.
    pub fn is_fresh(&self, now_ms: i64) -> bool {
        self.availability != Availability::Unreachable
            && now_ms.saturating_sub(self.fetched_at_ms) < MAX_AGE_MS
    }

    /// The rules for the crawler with this product token. `None` where nothing is allowed for now.
    pub fn rules(&self, token: &str) -> Option<Robots> {
        match self.availability {
            Availability::Rules => Some(Robots::parse_kept(&self.text, token)),
            Availability::Allow => Some(Robots::default()),
            Availability::Unreachable => None,
        }
    }
}

impl Availability {
    /// The word that stands in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Allow => "allow",
            Self::Unreachable => "unreachable",
        }
    }

    /// Reads the word; what is unknown allows nothing.
    pub fn parse(word: &str) -> Self {
        match word {
            "rules" => Self::Rules,
            "allow" => Self::Allow,
            _ => Self::Unreachable,
        }
    }
}

/// The copy from before holds on, and is tried again sooner than a fresh one.
fn unreachable_now(known: Option<&RobotsFile>, now_ms: i64) -> RobotsFile {
    match known {
        Some(known) if known.availability != Availability::Unreachable => {
            RobotsFile { fetched_at_ms: now_ms - MAX_AGE_MS + RENEWAL_MS, ..known.clone() }
        }
        _ => RobotsFile { fetched_at_ms: now_ms, availability: Availability::Unreachable, text: Vec::new() },
    }
}

/// Section 2.2.1.
fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || matches!(byte, b'-' | b'_')
}

#[cfg(test)]
mod tests {
    use article::CanonicalUrl;

    use super::*;

    #[test]
    fn silence_never_allows() {
        use Availability::{Allow, Rules, Unreachable};
        let known = RobotsFile { fetched_at_ms: 0, availability: Rules, text: b"old".to_vec() };
        let none = RobotsFile { fetched_at_ms: 0, availability: Allow, text: vec![] };
        for (before, fetch, after) in [
            (None, RobotsFetch::Text(b"new".to_vec()), Rules),
            (None, RobotsFetch::Status(404), Allow),
            (None, RobotsFetch::Status(403), Allow),
            (None, RobotsFetch::TooManyRedirects, Allow),
            (None, RobotsFetch::Status(429), Unreachable),
            (None, RobotsFetch::Status(500), Unreachable),
            (None, RobotsFetch::Status(503), Unreachable),
            (None, RobotsFetch::Failed, Unreachable),
            (Some(&known), RobotsFetch::Status(500), Rules),
            (Some(&known), RobotsFetch::Failed, Rules),
            (Some(&known), RobotsFetch::Status(410), Allow),
            (Some(&none), RobotsFetch::Failed, Allow),
        ] {
            let now = 100 * MAX_AGE_MS;
            let file = robots_after_fetch(before, fetch.clone(), "wireroom", now);
            assert_eq!(file.availability, after, "{before:?} {fetch:?}");
            assert_eq!(file.rules("wireroom").is_none(), after == Unreachable);
            assert_eq!(
                file.is_fresh(now),
                after != Unreachable,
                "unreachable is asked again on the next turn"
            );
        }
    }

    #[test]
    fn a_copy_lasts_a_day_and_one_not_renewed_two_hours() {
        let file = robots_after_fetch(None, RobotsFetch::Text(b"x".to_vec()), "wireroom", 0);
        assert!(file.is_fresh(MAX_AGE_MS - 1) && !file.is_fresh(MAX_AGE_MS));
        let kept = robots_after_fetch(Some(&file), RobotsFetch::Failed, "wireroom", MAX_AGE_MS);
        assert!(kept.is_fresh(MAX_AGE_MS + RENEWAL_MS - 1) && !kept.is_fresh(MAX_AGE_MS + RENEWAL_MS));
    }

    #[test]
    fn the_file_keeps_what_concerns_us() {
        let text = b"user-agent: *\ndisallow: /\nuser-agent: wireroom\ndisallow: /x";
        let file = robots_after_fetch(None, RobotsFetch::Text(text.to_vec()), "wireroom", 0);
        assert_eq!(file.text, b"user-agent: *\ndisallow: /x #4\n");
        let allows = |url: &str| file.rules("wireroom").unwrap().allows(&CanonicalUrl::parse(url).unwrap());
        assert!(allows("https://harbour.example/a") && !allows("https://harbour.example/x"));
    }

    #[test]
    fn tokens() {
        assert_eq!(product_token("wireroom/0.1 (+https://example.com/bot)"), "wireroom");
        assert_eq!(product_token("Some-Bot"), "Some-Bot");
        assert_eq!(product_token(""), "");
    }
}
