//! What an operator may set.

use serde::Deserialize;
use wire::Rights;

/// The extractor's settings.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Pages whose publishers ask for any of these are refused: they are dead letters with the reason `reserved`. What
    /// publishers ask is on the record in any case.
    pub refuse: Vec<Directive>,
}

/// What publishers ask of machines, by robots directives (header or meta element) and the TDM Reservation Protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Directive {
    /// Not to be found by searching.
    Noindex,
    /// No copy is to be kept for others.
    Noarchive,
    /// No part is to be shown.
    Nosnippet,
    /// Not to be learnt from.
    Noai,
    /// Text and data mining is reserved.
    Tdm,
}

impl Directive {
    /// The word for it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Noindex => "noindex",
            Self::Noarchive => "noarchive",
            Self::Nosnippet => "nosnippet",
            Self::Noai => "noai",
            Self::Tdm => "tdm",
        }
    }

    /// Whether it is asked.
    pub(crate) fn is_asked(self, rights: &Rights) -> bool {
        match self {
            Self::Noindex => rights.noindex,
            Self::Noarchive => rights.noarchive,
            Self::Nosnippet => rights.nosnippet,
            Self::Noai => rights.noai,
            Self::Tdm => !rights.tdm.is_empty(),
        }
    }
}
