//! Whose URL it is, by the list of sources.

use article::CanonicalUrl;
use crawl::{Outlet, Sources};
use serde::{Deserialize, Serialize};

use super::Explanation;

/// Outlets that are named, at most.
const MAX_OUTLETS: usize = 8;

/// An outlet to which a URL seems to belong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutletSaid {
    /// Its lasting name.
    pub id: String,
    /// Its name for people.
    pub name: String,
    /// By what: the URL is a `list` of its own, or it has one at the same `host` or `domain`.
    pub by: String,
    /// Whether it is paused, or the list is.
    pub is_paused: bool,
}

/// By what an outlet is known, and whether a URL and the address of a list have it in common.
type Sign = (&'static str, fn(&CanonicalUrl, &CanonicalUrl) -> bool);

/// The surest first.
const SIGNS: [Sign; 3] = [
    ("list", |url, list| url == list),
    ("host", |url, list| url.host() == list.host()),
    ("domain", |url, list| url.registrable_domain() == list.registrable_domain()),
];

impl Explanation {
    /// With what the list of sources says of the URL.
    pub(crate) fn by_sources(mut self, sources: &Sources, url: &CanonicalUrl) -> Self {
        self.outlets = outlets_of(sources, url);
        for outlet in self.outlets.iter().filter(|outlet| outlet.is_paused) {
            self.because.push(format!("its source {} is paused: nothing new is looked for there", outlet.id));
        }
        self
    }
}

fn outlets_of(sources: &Sources, url: &CanonicalUrl) -> Vec<OutletSaid> {
    let known_by = |(by, is_kin): Sign| -> Vec<OutletSaid> {
        let said = |outlet: &Outlet| {
            let list = outlet.watched().find(|list| is_kin(url, &list.url))?;
            let is_paused = outlet.is_paused || by == "list" && list.is_paused;
            Some(OutletSaid {
                id: outlet.id.clone(),
                name: outlet.name.clone(),
                by: by.to_owned(),
                is_paused,
            })
        };
        sources.outlets().iter().filter_map(said).take(MAX_OUTLETS).collect()
    };
    SIGNS.into_iter().map(known_by).find(|outlets| !outlets.is_empty()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_surest_sign_counts() {
        let sources = Sources::from_toml(
            r#"
            [[outlet]]
            id = "harbour-post"
            feeds = ["https://www.harbour.example/feed.xml"]
            [[outlet]]
            id = "harbour-sport"
            feeds = [{ url = "https://sport.harbour.example/feed.xml", paused = true }]
            [[outlet]]
            id = "isle"
            feeds = ["https://isle.example/feed.xml"]
            paused = true
            "#,
        )
        .unwrap();
        let said = |url: &str| -> Vec<(String, String, bool)> {
            let found = outlets_of(&sources, &CanonicalUrl::parse(url).unwrap());
            found.into_iter().map(|outlet| (outlet.id, outlet.by, outlet.is_paused)).collect()
        };
        let of = |id: &str, by: &str, is_paused| (id.to_owned(), by.to_owned(), is_paused);
        for (url, outlets) in [
            ("https://www.harbour.example/ports/1", vec![of("harbour-post", "host", false)]),
            ("https://sport.harbour.example/feed.xml", vec![of("harbour-sport", "list", true)]),
            ("https://sport.harbour.example/1", vec![of("harbour-sport", "host", false)]),
            (
                "https://harbour.example/1",
                vec![of("harbour-post", "domain", false), of("harbour-sport", "domain", false)],
            ),
            ("https://isle.example/1", vec![of("isle", "host", true)]),
            ("https://other.example/1", vec![]),
        ] {
            assert_eq!(said(url), outlets, "{url}");
        }
    }
}
