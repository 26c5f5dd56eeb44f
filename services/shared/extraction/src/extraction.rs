//! The result.

use std::collections::BTreeMap;

use article::{Moment, Verdict};
use serde::{Serialize, Serializer};

use crate::directives::Directives;

/// What was read from a page or document. Serialises to the JSON object that `extract` prints for it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Extraction {
    /// The headline, without the site's name.
    pub title: Option<String>,
    /// The standfirst as shown under the headline.
    pub subtitle: Option<String>,
    /// The description the page declares.
    pub summary: Option<String>,
    /// The body: paragraphs joined by a blank line. Empty where there is none.
    pub text: String,
    /// Who signs: people, without roles and agencies; a desk, an agency or a company where it signs as they do.
    pub authors: Vec<String>,
    /// The byline as shown or declared.
    pub byline: Option<String>,
    /// The news agency credited.
    pub agency: Option<String>,
    /// When it was published, with the offset and precision given.
    #[serde(rename = "published_at", serialize_with = "moment")]
    pub published: Option<Moment>,
    /// When it was last changed.
    #[serde(rename = "modified_at", serialize_with = "moment")]
    pub modified: Option<Moment>,
    /// ISO 639-1 code (639-3 where there is none).
    pub language: Option<String>,
    /// From 0 to 1.
    pub language_confidence: f64,
    /// The canonical link declared, made absolute.
    pub canonical_url: Option<String>,
    /// The AMP twin declared, made absolute.
    pub amp_url: Option<String>,
    /// Addresses this claims to be taken from: an "Original url" line, a canonical link to another domain. Claims, never
    /// identity.
    pub declared_original: Vec<String>,
    /// The site's name.
    pub site_name: Option<String>,
    /// The section it stands in.
    pub section: Option<String>,
    /// Keywords and tags declared.
    pub keywords: Vec<String>,
    /// Addresses of its pictures, the leading one first.
    pub images: Vec<String>,
    /// Whether the page says it is not free to read.
    pub is_paywalled: bool,
    /// Whether the page says that an advertiser paid for it.
    pub is_sponsored: bool,
    /// What the page tells robots, as words: `noarchive`, `noindex`, `tdm-reservation` …
    pub robots: Directives,
    /// The licence declared, as an address or a text.
    pub license: Option<String>,
    /// Which source each field was taken from.
    pub provenance: BTreeMap<&'static str, &'static str>,
    /// What told the encoding: `bom`, `header`, `page`, or `guess` where none of these did, or the bytes belied it. Of no
    /// use to readers of the text.
    #[serde(skip)]
    pub charset_via: &'static str,
    /// What was cut or doubtful.
    pub warnings: Vec<String>,
    /// What the page is.
    #[serde(serialize_with = "verdict")]
    pub verdict: Verdict,
    /// What the verdict rests on.
    pub evidence: Vec<String>,
}

impl Default for Extraction {
    fn default() -> Self {
        Self {
            title: None,
            subtitle: None,
            summary: None,
            text: String::new(),
            authors: Vec::new(),
            byline: None,
            agency: None,
            published: None,
            modified: None,
            language: None,
            language_confidence: 0.0,
            canonical_url: None,
            amp_url: None,
            declared_original: Vec::new(),
            site_name: None,
            section: None,
            keywords: Vec::new(),
            images: Vec::new(),
            is_paywalled: false,
            is_sponsored: false,
            robots: Directives::default(),
            license: None,
            provenance: BTreeMap::new(),
            charset_via: "guess",
            warnings: Vec::new(),
            verdict: Verdict::Other,
            evidence: Vec::new(),
        }
    }
}

impl Extraction {
    /// The value of a field, whose source is noted.
    pub(crate) fn from<T>(&mut self, field: &'static str, found: Option<(T, &'static str)>) -> Option<T> {
        let (value, source) = found?;
        self.provenance.insert(field, source);
        Some(value)
    }
}

fn moment<S: Serializer>(moment: &Option<Moment>, serializer: S) -> Result<S::Ok, S::Error> {
    match moment {
        Some(moment) => serializer.collect_str(moment),
        None => serializer.serialize_none(),
    }
}

fn verdict<S: Serializer>(verdict: &Verdict, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(verdict.as_str())
}
