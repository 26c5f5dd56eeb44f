//! robots.txt by RFC 9309: 4xx allows everything; silence, 429 and 5xx allow nothing, unless an earlier copy is at hand.
//!
//! What cannot be read is never taken for "allow all": a host whose robots.txt cannot be had waits.

use article::CanonicalUrl;

/// What is read of a robots.txt, the least that RFC 9309 section 2.5 asks for; the rest is ignored.
pub const MAX_ROBOTS_BYTES: usize = 500 * 1024;
/// How long a copy is used (RFC 9309 section 2.4).
const MAX_AGE_MS: i64 = 24 * 3_600_000;
/// How soon a copy that could not be renewed is tried again.
const RENEWAL_MS: i64 = 3_600_000;

/// What is known of the robots.txt of an origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RobotsFile {
    /// When it was fetched.
    pub fetched_at_ms: i64,
    /// What it says, if anything.
    pub availability: Availability,
    /// At most [`MAX_ROBOTS_BYTES`].
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

/// The rules for one crawler.
#[derive(Debug, Clone)]
pub struct Robots(robotxt::Robots);

/// The file after it was fetched at `now_ms`, where `known` is the copy from before.
pub fn robots_after_fetch(known: Option<&RobotsFile>, fetch: RobotsFetch, now_ms: i64) -> RobotsFile {
    let fresh = |availability, text| RobotsFile { fetched_at_ms: now_ms, availability, text };
    match fetch {
        RobotsFetch::Text(mut text) => {
            // One byte more than is used tells the parser whether the last line is whole.
            text.truncate(MAX_ROBOTS_BYTES + 1);
            fresh(Availability::Rules, text)
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
    let end = user_agent.find(|c: char| !is_token_byte(c as u32)).unwrap_or(user_agent.len());
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
            Availability::Rules => Some(Robots::parse(&self.text, token)),
            Availability::Allow => Some(Robots(robotxt::Robots::allow_all())),
            Availability::Unreachable => None,
        }
    }
}

impl Robots {
    /// Reads the rules that concern the crawler with this product token.
    pub fn parse(text: &[u8], token: &str) -> Self {
        Self(robotxt::Robots::parse(&cut_agents(text), token))
    }

    /// Whether `url` may be fetched.
    pub fn allows(&self, url: &CanonicalUrl) -> bool {
        let path = url.as_str().strip_prefix(url.origin()).filter(|p| !p.is_empty()).unwrap_or("/");
        self.0.is_allowed(path)
    }

    /// The crawl-delay asked for, 0 where there is none.
    pub fn crawl_delay_ms(&self) -> i64 {
        self.0.crawl_delay().map_or(0, |delay| i64::try_from(delay.as_millis()).unwrap_or(i64::MAX))
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

/// Cuts every `User-agent` value to its product token, as Google's parser does: `Foo Bar` and `Foo/1.0` are Foo
/// (RFC 9309 section 2.2.1 allows nothing else there, and sites write it).
fn cut_agents(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for line in text.split_inclusive(|b| matches!(b, b'\n' | b'\r' | 0)) {
        match agent_value(line) {
            Some(value) => {
                let token = match value {
                    [b'*'] | [b'*', b' ' | b'\t' | b'\r' | b'\n' | b'#' | 0, ..] => b"*".as_slice(),
                    _ => {
                        let end =
                            value.iter().position(|b| !is_token_byte(u32::from(*b))).unwrap_or(value.len());
                        value.get(..end).unwrap_or_default()
                    }
                };
                out.extend_from_slice(b"user-agent:");
                out.extend_from_slice(token);
                out.push(b'\n');
            }
            None => out.extend_from_slice(line),
        }
    }
    out
}

fn agent_value(line: &[u8]) -> Option<&[u8]> {
    let line = line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line).trim_ascii_start();
    let rest = [b"user-agent".as_slice(), b"user agent", b"useragent"].iter().find_map(|name| {
        let (start, rest) = line.split_at_checked(name.len())?;
        start.eq_ignore_ascii_case(name).then_some(rest)
    })?;
    let value = rest.trim_ascii_start();
    match value.strip_prefix(b":") {
        Some(value) => Some(value.trim_ascii_start()),
        None => (value.len() < rest.len()).then_some(value),
    }
}

fn is_token_byte(c: u32) -> bool {
    u8::try_from(c).is_ok_and(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn allows(text: &str, path: &str) -> bool {
        let url = CanonicalUrl::parse(&format!("https://www.example.com{path}")).unwrap();
        Robots::parse(text.as_bytes(), "wireroom").allows(&url)
    }

    #[test]
    fn rules_are_matched_as_the_standard_says() {
        for (text, path, allowed) in [
            ("", "/x", true),
            ("User-agent: *\nDisallow: /", "/x", false),
            ("User-agent: *\nDisallow:", "/x", true),
            ("User-agent: other\nDisallow: /", "/x", true),
            ("User-agent: wireroom\nDisallow: /a\nUser-agent: *\nDisallow: /", "/b", true),
            ("User-agent: wireroom\nDisallow: /a\nUser-agent: *\nDisallow: /", "/a/b", false),
            ("User-agent: WireRoom\nDisallow: /", "/x", false),
            // Product tokens are cut, in the file as in Google's parser.
            ("User-agent: wireroom bot\nDisallow: /", "/x", false),
            ("User-agent: wireroom/2.0\nDisallow: /", "/x", false),
            ("User-agent: wireroomer\nDisallow: /", "/x", true),
            ("User-agent: * # all\nDisallow: /", "/x", false),
            ("User-agent: *bot\nDisallow: /", "/x", true),
            ("\u{feff}user agent wireroom\ndisallow /", "/x", false),
            // The longest match wins, allow on a tie.
            ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", true),
            ("User-agent: *\nAllow: /a\nDisallow: /a", "/a", true),
            ("User-agent: *\nDisallow: /*.pdf$", "/x.pdf", false),
            ("User-agent: *\nDisallow: /*.pdf$", "/x.pdf?y", true),
            ("User-agent: *\nDisallow: /search?q=", "/search?q=a", false),
            ("User-agent: *\nDisallow: /%7Euser", "/~user/x", false),
            // Groups of one agent are joined; several agents may head one group.
            ("User-agent: wireroom\nDisallow: /a\n\nUser-agent: wireroom\nDisallow: /b", "/b", false),
            ("User-agent: x\nUser-agent: wireroom\nDisallow: /b", "/b", false),
            ("<!doctype html><title>Not found</title>", "/x", true),
            ("User-agent: *\nDisallow: /", "/robots.txt", true),
        ] {
            assert_eq!(allows(text, path), allowed, "{text:?} {path}");
        }
    }

    #[test]
    fn crawl_delay_is_read_however_long() {
        let delay = |text: &str| Robots::parse(text.as_bytes(), "wireroom").crawl_delay_ms();
        assert_eq!(delay("User-agent: *\nCrawl-delay: 2.5"), 2_500);
        assert_eq!(delay("User-agent: *\nCrawl-delay: 604800"), 604_800_000);
        assert_eq!(delay("User-agent: *\nCrawl-delay: -1"), 0);
        assert_eq!(delay("User-agent: *\nCrawl-delay: NaN"), 0);
        assert_eq!(delay("User-agent: x\nCrawl-delay: 9"), 0);
    }

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
            let file = robots_after_fetch(before, fetch.clone(), now);
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
    fn a_copy_lasts_a_day_and_one_not_renewed_an_hour() {
        let file = robots_after_fetch(None, RobotsFetch::Text(b"x".to_vec()), 0);
        assert!(file.is_fresh(MAX_AGE_MS - 1) && !file.is_fresh(MAX_AGE_MS));
        let kept = robots_after_fetch(Some(&file), RobotsFetch::Failed, MAX_AGE_MS);
        assert!(kept.is_fresh(MAX_AGE_MS + RENEWAL_MS - 1) && !kept.is_fresh(MAX_AGE_MS + RENEWAL_MS));
    }

    #[test]
    fn what_follows_500_kib_is_ignored() {
        let text = format!("User-agent: *\n{}Disallow: /x\n", "# padding\n".repeat(60_000));
        let file = robots_after_fetch(None, RobotsFetch::Text(text.into_bytes()), 0);
        assert!(file.text.len() <= MAX_ROBOTS_BYTES + 1);
        assert!(
            file.rules("wireroom").unwrap().allows(&CanonicalUrl::parse("https://example.com/x").unwrap())
        );
    }

    #[test]
    fn tokens() {
        assert_eq!(product_token("wireroom/0.1 (+https://example.com/bot)"), "wireroom");
        assert_eq!(product_token("Some-Bot"), "Some-Bot");
        assert_eq!(product_token(""), "");
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(text in proptest::collection::vec(any::<u8>(), 0..500), path in "/[ -~]{0,40}") {
            let robots = Robots::parse(&text, "wireroom");
            if let Ok(url) = CanonicalUrl::parse(&format!("https://example.com{path}")) {
                robots.allows(&url);
            }
            robots.crawl_delay_ms();
        }

        #[test]
        fn lines_that_name_no_agent_are_kept(lines in proptest::collection::vec("[a-zA-Z:/* ]{0,20}", 0..20)) {
            let text = lines.join("\n");
            prop_assume!(!text.to_ascii_lowercase().replace(' ', "").contains("useragent"));
            prop_assert_eq!(cut_agents(text.as_bytes()), text.as_bytes());
        }
    }
}
