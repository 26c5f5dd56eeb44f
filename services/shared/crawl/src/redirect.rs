//! Where a redirect leads: on at once within the domain, back to the frontier across domains.

use article::CanonicalUrl;

use crate::Failure;

/// Most redirects followed in a row within a domain.
const MAX_IN_PLACE: u32 = 10;
/// Most domains a request is handed on to.
const MAX_ACROSS: u32 = 5;

/// What a redirect asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redirect {
    /// The same registrable domain: followed now, in the same turn of the host.
    Follow(CanonicalUrl),
    /// Another domain, whose politeness is not ours to spend: a new request with this many hops.
    Requeue {
        /// Where to.
        url: CanonicalUrl,
        /// Domains crossed, this one included.
        hops: u32,
    },
    /// Nowhere.
    Refused(Failure),
}

/// Judges the redirect that `from` answered with, after `in_place` redirects followed in this fetch and `across`
/// domains crossed before it.
pub fn redirect(from: &CanonicalUrl, location: Option<&str>, in_place: u32, across: u32) -> Redirect {
    let Some(location) = location.filter(|l| !l.trim().is_empty()) else {
        return Redirect::Refused(Failure::BadRedirect("it names no place".into()));
    };
    let url = match from.join(location) {
        Ok(url) => url,
        Err(error) => return Redirect::Refused(Failure::BadRedirect(error.to_string())),
    };
    if url.registrable_domain() != from.registrable_domain() {
        let hops = across.saturating_add(1);
        if hops > MAX_ACROSS {
            return Redirect::Refused(Failure::TooManyRedirects(MAX_ACROSS));
        }
        return Redirect::Requeue { url, hops };
    }
    if url == *from {
        return Redirect::Refused(Failure::BadRedirect("it leads to itself".into()));
    }
    if in_place >= MAX_IN_PLACE {
        return Redirect::Refused(Failure::TooManyRedirects(MAX_IN_PLACE));
    }
    Redirect::Follow(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirects_lead_on_or_back_to_the_frontier() {
        let from = CanonicalUrl::parse("https://www.example.co.uk/a/b").unwrap();
        let url = |u: &str| CanonicalUrl::parse(u).unwrap();
        let follow = |u: &str| Redirect::Follow(url(u));
        for (location, expected) in [
            ("../c", follow("https://www.example.co.uk/c")),
            ("//example.co.uk/c", follow("https://example.co.uk/c")),
            ("http://m.example.co.uk/c?utm_source=x", follow("http://m.example.co.uk/c")),
            ("https://other.co.uk/c", Redirect::Requeue { url: url("https://other.co.uk/c"), hops: 3 }),
            ("http://127.0.0.1/", Redirect::Requeue { url: url("http://127.0.0.1/"), hops: 3 }),
        ] {
            assert_eq!(redirect(&from, Some(location), 0, 2), expected, "{location}");
        }
    }

    #[test]
    fn redirects_end() {
        let from = CanonicalUrl::parse("https://example.com/a").unwrap();
        for (location, in_place, across, reason) in [
            (Some("/b"), 10, 0, "redirects"),
            (Some("https://example.org/"), 0, 5, "redirects"),
            (Some("javascript:alert(1)"), 0, 0, "bad_redirect"),
            (Some("/a?utm_source=x"), 0, 0, "bad_redirect"),
            (Some("ftp://example.com/x"), 0, 0, "bad_redirect"),
            (Some("  "), 0, 0, "bad_redirect"),
            (None, 0, 0, "bad_redirect"),
        ] {
            match redirect(&from, location, in_place, across) {
                Redirect::Refused(failure) => assert_eq!(failure.reason(), reason, "{location:?}"),
                other => panic!("{location:?} led to {other:?}"),
            }
        }
    }
}
