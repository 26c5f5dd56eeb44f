//! What a page tells machines they may do with it: robots meta elements and `X-Robots-Tag` (Google's "Robots meta tag
//! specifications", `noai` and `noimageai` as DeviantArt began them), and the TDM Reservation Protocol (W3C TDMRep).

use article::Moment;
use serde::{Serialize, Serializer};

use crate::{dates::read_date, text::cut};

/// Who is meant, besides everyone: what publishers tell the news search they know holds for others that do the same.
const HEARD: [&str; 3] = ["robots", "googlebot", "googlebot-news"];
/// Directives that take a value, and are no agents.
const WITH_VALUE: [&str; 5] =
    ["max-snippet", "max-image-preview", "max-video-preview", "unavailable_after", "indexifembedded"];
/// Longest header or meta content that is read, and longest address that is kept.
const MAX_CHARS: usize = 2048;

/// What a publisher asks of machines. Nothing is asked by default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Directives {
    /// Not to be found by searching.
    pub noindex: bool,
    /// Its links are not to be followed.
    pub nofollow: bool,
    /// No copy is to be kept for others.
    pub noarchive: bool,
    /// No part is to be shown.
    pub nosnippet: bool,
    /// Not to be learnt from.
    pub noai: bool,
    /// Its pictures are not to be learnt from.
    pub noimageai: bool,
    /// Not to be shown after.
    pub unavailable_after: Option<Moment>,
    /// Whether text and data mining is reserved, where said.
    pub tdm_reservation: Option<bool>,
    /// The address of the policy for mining, where said.
    pub tdm_policy: Option<String>,
}

impl Directives {
    /// Of `X-Robots-Tag` headers, a line each: `noarchive`, `googlebot: noindex, nosnippet`,
    /// `unavailable_after: 25 Jun 2026 15:00:00 GMT`. What is said to other agents is not heard.
    pub fn of_header(lines: &str) -> Self {
        let mut out = Self::default();
        cut(lines, MAX_CHARS).lines().for_each(|line| out.read(line));
        out
    }

    /// Of meta elements, by name and content: robots directives and the statements of TDMRep.
    pub fn of_metas<'a>(metas: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut out = Self::default();
        for (name, content) in metas {
            match name.trim().to_ascii_lowercase().as_str() {
                "tdm-reservation" => out.tdm_reservation = out.tdm_reservation.or(reservation(content)),
                "tdm-policy" => out.tdm_policy = out.tdm_policy.take().or(policy(content)),
                name if HEARD.contains(&name) => out.read(cut(content, MAX_CHARS)),
                _ => {}
            }
        }
        out
    }

    /// Of the headers of the TDM Reservation Protocol.
    pub fn of_tdm(reserved: Option<&str>, policy_url: Option<&str>) -> Self {
        Self {
            tdm_reservation: reserved.and_then(reservation),
            tdm_policy: policy_url.and_then(policy),
            ..Self::default()
        }
    }

    /// What both ask. Where they differ about mining, the other counts: give it the page, which stands above the
    /// header (TDMRep section 5).
    pub fn and(self, other: &Self) -> Self {
        let (mining, at) = match other.tdm_reservation {
            Some(_) => (other.tdm_reservation, other.tdm_policy.clone()),
            None => (self.tdm_reservation, other.tdm_policy.clone().or(self.tdm_policy)),
        };
        Self {
            noindex: self.noindex | other.noindex,
            nofollow: self.nofollow | other.nofollow,
            noarchive: self.noarchive | other.noarchive,
            nosnippet: self.nosnippet | other.nosnippet,
            noai: self.noai | other.noai,
            noimageai: self.noimageai | other.noimageai,
            unavailable_after: self.unavailable_after.or(other.unavailable_after),
            tdm_reservation: mining,
            tdm_policy: at,
        }
    }

    /// The words for what is asked, in the order of the alphabet.
    pub fn words(&self) -> Vec<&'static str> {
        let said = [
            (self.noai, "noai"),
            (self.noarchive, "noarchive"),
            (self.nofollow, "nofollow"),
            (self.noimageai, "noimageai"),
            (self.noindex, "noindex"),
            (self.nosnippet, "nosnippet"),
            (self.tdm_reservation == Some(true), "tdm-reservation"),
            (self.unavailable_after.is_some(), "unavailable_after"),
        ];
        said.into_iter().filter_map(|(is_said, word)| is_said.then_some(word)).collect()
    }

    fn read(&mut self, list: &str) {
        let mut is_heard = true;
        let mut parts = list.split(',');
        while let Some(part) = parts.next() {
            let mut part = part.trim();
            while let Some((name, rest)) = part.split_once(':') {
                let name = name.trim().to_ascii_lowercase();
                if WITH_VALUE.contains(&name.as_str()) {
                    break;
                }
                is_heard = name == "*" || HEARD.contains(&name.as_str());
                part = rest.trim();
            }
            let (name, value) = part.split_once(':').unwrap_or((part, ""));
            let name = name.trim().to_ascii_lowercase();
            // The day of the week is set off by a comma.
            let mut value = value.trim().to_owned();
            if name == "unavailable_after" && !value.contains(|c: char| c.is_ascii_digit()) {
                value = parts.next().unwrap_or_default().trim().to_owned();
            }
            if is_heard {
                self.take(&name, &value);
            }
        }
    }

    fn take(&mut self, directive: &str, value: &str) {
        match directive {
            "none" => (self.noindex, self.nofollow) = (true, true),
            "noindex" => self.noindex = true,
            "nofollow" => self.nofollow = true,
            "noarchive" | "nocache" => self.noarchive = true,
            "nosnippet" => self.nosnippet = true,
            "max-snippet" => self.nosnippet |= value == "0",
            "noai" => self.noai = true,
            "noimageai" => self.noimageai = true,
            "unavailable_after" => self.unavailable_after = read_date(value, false),
            _ => {}
        }
    }
}

impl Serialize for Directives {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.words().serialize(serializer)
    }
}

fn reservation(text: &str) -> Option<bool> {
    match text.trim() {
        "1" => Some(true),
        "0" => Some(false),
        _ => None,
    }
}

fn policy(text: &str) -> Option<String> {
    let text = text.trim();
    let is_address = text.starts_with("https://") || text.starts_with("http://");
    (is_address && text.len() <= MAX_CHARS).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn headers() {
        for (lines, words) in [
            ("", ""),
            ("noarchive", "noarchive"),
            ("NoArchive , NOSNIPPET", "noarchive nosnippet"),
            ("all, index, follow, max-image-preview:large", ""),
            ("none", "nofollow noindex"),
            ("nocache", "noarchive"),
            ("noai, noimageai", "noai noimageai"),
            ("max-snippet:0", "nosnippet"),
            ("max-snippet: 50, noarchive", "noarchive"),
            ("googlebot: noindex, nosnippet", "noindex nosnippet"),
            ("googlebot-news: noindex", "noindex"),
            ("robots: noarchive", "noarchive"),
            ("otherbot: noindex, noarchive", ""),
            ("otherbot: noindex\nnoarchive", "noarchive"),
            ("noai, otherbot: noindex, googlebot: nosnippet", "noai nosnippet"),
            ("otherbot: max-snippet:0, nosnippet", ""),
            ("unavailable_after: 25 Jun 2026 15:00:00 GMT", "unavailable_after"),
            (
                "noai, unavailable_after: Thu, 25 Jun 2026 15:00:00 GMT, noarchive",
                "noai noarchive unavailable_after",
            ),
            ("unavailable_after: soon", ""),
            ("noarchived, xnoarchive", ""),
        ] {
            assert_eq!(Directives::of_header(lines).words().join(" "), words, "{lines}");
        }
        let until =
            Directives::of_header("unavailable_after: Thu, 25 Jun 2026 15:00:00 GMT").unavailable_after;
        assert!(until.unwrap().to_string().starts_with("2026-06-25T15:00:00"));
    }

    #[test]
    fn metas() {
        assert!(Directives::of_metas([("Robots", "NOINDEX,noarchive")]).noarchive);
        assert!(Directives::of_metas([("googlebot", "nosnippet")]).nosnippet);
        assert_eq!(Directives::of_metas([("otherbot", "noindex")]), Directives::default());
        assert_eq!(Directives::of_metas([("TDM-Reservation", "1")]).tdm_reservation, Some(true));
        assert_eq!(Directives::of_metas([("tdm-reservation", "yes")]).tdm_reservation, None);
        let policy = |text| Directives::of_metas([("tdm-policy", text)]).tdm_policy;
        assert_eq!(
            policy(" https://harbour.example/tdm.json "),
            Some("https://harbour.example/tdm.json".into())
        );
        assert_eq!(policy("javascript:1"), None);
    }

    #[test]
    fn the_page_stands_above_the_header() {
        let header = Directives::of_tdm(Some("1"), Some("https://harbour.example/tdm.json"));
        let silent = Directives::of_metas([("robots", "noai")]);
        let both = header.clone().and(&silent);
        assert!(both.noai && both.tdm_reservation == Some(true) && both.tdm_policy.is_some());
        let page =
            Directives::of_metas([("tdm-policy", "https://harbour.example/p"), ("tdm-reservation", "1")]);
        assert_eq!(page.tdm_policy.as_deref(), Some("https://harbour.example/p"));
        let freed = header.and(&Directives::of_metas([("tdm-reservation", "0")]));
        assert_eq!((freed.tdm_reservation, freed.tdm_policy), (Some(false), None));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "[a-z:, \n_-]{0,80}|.{0,80}") {
            Directives::of_header(&text);
            Directives::of_metas([("robots", text.as_str())]);
        }
    }
}
