//! What marks an article as paid for by an advertiser, in the words that publishers use for it.

use crate::CanonicalUrl;

/// Names of categories, keywords and folders, letters and digits alone.
const NAMES: &[&str] = &[
    "advertisementfeature",
    "advertisercontent",
    "advertorial",
    "advertorials",
    "annonsorinnehall",
    "annonsorinnhold",
    "annonsörinnehåll",
    "annonsørinnhold",
    "anzeige",
    "brandcontent",
    "brandedcontent",
    "brandpost",
    "brandposts",
    "brandvoice",
    "contenidopatrocinado",
    "conteudopatrocinado",
    "conteúdopatrocinado",
    "contenusponsorise",
    "contenusponsorisé",
    "contenutosponsorizzato",
    "gesponsert",
    "gesponsord",
    "infopub",
    "nativead",
    "nativeads",
    "nativeadvertising",
    "paidcontent",
    "paidpartnership",
    "paidpost",
    "paidposts",
    "partnercontent",
    "patrocinado",
    "publireportage",
    "publireportages",
    "publireportaje",
    "publiredactionnel",
    "publirédactionnel",
    "sponsored",
    "sponsoredarticle",
    "sponsoredarticles",
    "sponsoredcontent",
    "sponsoredpost",
    "sponsoredposts",
    "sponsoredstories",
    "sponsoredstory",
    "sponsorcontent",
    "sponsorisé",
    "sponsorizzato",
];
/// With which such a name begins, the advertiser's following.
const BEGINNINGS: &[&str] = &["sponsoredby", "paidforby"];
/// Longest name that is looked at, in bytes.
const MAX_NAME_BYTES: usize = 80;

/// Whether a category, a keyword or a folder of this name holds what advertisers pay for.
pub fn is_paid_for(name: &str) -> bool {
    if name.len() > MAX_NAME_BYTES {
        return false;
    }
    let letters =
        name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    NAMES.contains(&&*letters) || BEGINNINGS.iter().any(|beginning| letters.starts_with(beginning))
}

/// Whether a folder in the address does.
pub fn is_paid_address(url: &CanonicalUrl) -> bool {
    let path = url.as_str().strip_prefix(url.origin()).unwrap_or_default();
    path.split(['?', '#']).next().unwrap_or_default().split('/').any(is_paid_for)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for name in [
            "Sponsored",
            " sponsored-content ",
            "Partner Content",
            "ANZEIGE",
            "Sponsored by Tidewater Ltd",
            "Publirédactionnel",
        ] {
            assert!(is_paid_for(name), "{name}");
        }
        for name in ["", "Sponsorship", "Partners", "Ports", "Anzeigen", "Sponsored walks raise record sum"] {
            assert!(!is_paid_for(name), "{name}");
        }
    }

    #[test]
    fn addresses() {
        let is_paid = |path: &str| {
            is_paid_address(
                &CanonicalUrl::parse(&format!("https://sponsored.harbour.example{path}")).unwrap(),
            )
        };
        for path in ["/sponsored/a-better-boat", "/2026/03/partner-content/a?b=c", "/Advertorial/1.html"] {
            assert!(is_paid(path), "{path}");
        }
        for path in ["/", "/sponsored-walk-raises-record-sum", "/news/1?from=/sponsored/", "/sponsorship/1"] {
            assert!(!is_paid(path), "{path}");
        }
    }
}
