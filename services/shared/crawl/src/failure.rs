//! Why a fetch came to nothing, and whether trying again can help.

use std::net::IpAddr;

use thiserror::Error;

use crate::Signal;

/// Why a URL could not be had. [`Failure::reason`] is the bounded word for metrics and dead letters, the message is
/// for people.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Failure {
    /// The server answered with a status that is no page.
    #[error("the server answered {0}")]
    Status(u16),
    /// The server asks for fewer requests: 429, or 503.
    #[error("the server answered {status} and asks to come back later")]
    Busy {
        /// 429 or 503.
        status: u16,
        /// What it asked for, where it said.
        retry_after_ms: Option<i64>,
    },
    /// No answer within the time allowed, or one that came too slowly.
    #[error("no complete answer within the time-out")]
    Timeout,
    /// The connection was refused, reset or broken off.
    #[error("the connection failed: {0}")]
    Connection(String),
    /// The certificate is not trusted, or TLS could not be agreed on.
    #[error(
        "no trusted TLS connection: {0}; if the certificate is your own, name its authority in `extra_ca`"
    )]
    Tls(String),
    /// The name does not exist: the DNS says so with authority.
    #[error("the host name does not exist")]
    NoSuchHost,
    /// The DNS does not answer: that says nothing of the host.
    #[error("the DNS did not answer: {0}")]
    Dns(String),
    /// The configured proxy does not answer: that says nothing of the host.
    #[error("the proxy does not answer: {0}")]
    Proxy(String),
    /// The archive or the store of bodies does not take the page: that says nothing of the host.
    #[error("the page cannot be kept: {0}")]
    Unkept(String),
    /// The address is not public.
    #[error("{0} is not a public address; `allow_private` would permit it")]
    AddressRefused(IpAddr),
    /// As many connections as allowed are open to the host's address: it is not asked now.
    #[error("{0} is asked by as many others as allowed at a time")]
    AddressBusy(IpAddr),
    /// robots.txt disallows it.
    #[error("robots.txt disallows it")]
    RobotsDenied,
    /// robots.txt cannot be had, which is a prohibition for as long as it lasts (RFC 9309 section 2.3.1.4).
    #[error("robots.txt cannot be had ({cause}), and nothing is fetched without it")]
    RobotsUnreachable {
        /// Why not.
        cause: String,
        /// What the server asked for, where it answered with 429 or 503 and said.
        retry_after_ms: Option<i64>,
    },
    /// More redirects than allowed.
    #[error("more than {0} redirects")]
    TooManyRedirects(u32),
    /// A redirect to nowhere: no `Location`, or none that is a web address.
    #[error("a redirect to nowhere: {0}")]
    BadRedirect(String),
    /// Longer than allowed.
    #[error("the answer is longer than the {0} bytes allowed")]
    TooLarge(u64),
    /// Not something an article can be taken from.
    #[error("the answer is {0}, from which no article can be taken")]
    Unsupported(&'static str),
    /// A feed or sitemap that cannot be read.
    #[error("{0}")]
    Unreadable(String),
    /// Its time ran out before anything was tried.
    #[error("it expired before its turn came")]
    Expired,
    /// The request itself makes no sense.
    #[error("{0}")]
    BadRequest(String),
}

/// Whether trying again can help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It cannot.
    Final,
    /// It may, some times.
    Transient,
    /// The failure is our own (DNS, proxy, store): it is tried until the request expires.
    Outage,
}

impl Failure {
    /// The failure that a status is; `None` for 2xx and for redirects, which are no failures.
    pub fn of_status(status: u16, retry_after_ms: Option<i64>) -> Option<Self> {
        match status {
            200..=299 | 301 | 302 | 303 | 307 | 308 => None,
            429 | 503 => Some(Self::Busy { status, retry_after_ms }),
            _ => Some(Self::Status(status)),
        }
    }

    /// Whether trying again can help.
    pub fn fate(&self) -> Fate {
        match self {
            // Request Timeout, Misdirected Request, Too Early: the server asks for another try.
            Self::Status(408 | 421 | 425 | 500..=599) => Fate::Transient,
            Self::Busy { .. } | Self::Timeout | Self::Connection(_) | Self::RobotsUnreachable { .. } => {
                Fate::Transient
            }
            Self::Dns(_) | Self::Proxy(_) | Self::AddressBusy(_) | Self::Unkept(_) => Fate::Outage,
            _ => Fate::Final,
        }
    }

    /// What the failure says of the host rather than of the URL.
    pub fn signal(&self) -> Signal {
        match self {
            Self::Busy { retry_after_ms, .. }
            | Self::RobotsUnreachable { retry_after_ms: retry_after_ms @ Some(_), .. } => {
                Signal::Busy { retry_after_ms: *retry_after_ms }
            }
            Self::Timeout | Self::Connection(_) | Self::RobotsUnreachable { .. } => Signal::Unreachable,
            Self::Dns(_) | Self::Proxy(_) => Signal::Unasked,
            Self::AddressBusy(_) => Signal::Postponed,
            _ => Signal::Answered,
        }
    }

    /// Whether it is an attempt on the URL that failed. What speaks for the host (429, 503, no robots.txt) or for us says
    /// nothing of the URL, which is tried until it expires.
    pub fn is_of_url(&self) -> bool {
        self.fate() != Fate::Outage && !matches!(self, Self::Busy { .. } | Self::RobotsUnreachable { .. })
    }

    /// Whether the page is no longer there: not found, gone, or withheld by law.
    pub fn is_gone(&self) -> bool {
        matches!(self, Self::Status(404 | 410 | 451))
    }

    /// One word of a bounded vocabulary.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Status(404 | 410) => "gone",
            Self::Status(451) => "withheld",
            Self::Status(401..=403 | 407) => "forbidden",
            Self::Status(500..=599) => "server_error",
            Self::Status(_) => "status",
            Self::Busy { .. } => "busy",
            Self::Timeout => "timeout",
            Self::Connection(_) => "connection",
            Self::Tls(_) => "tls",
            Self::NoSuchHost => "no_such_host",
            Self::Dns(_) => "dns",
            Self::Proxy(_) => "proxy",
            Self::Unkept(_) => "unkept",
            Self::AddressRefused(_) => "address_refused",
            Self::AddressBusy(_) => "address_busy",
            Self::RobotsDenied => "robots_denied",
            Self::RobotsUnreachable { .. } => "robots_unreachable",
            Self::TooManyRedirects(_) => "redirects",
            Self::BadRedirect(_) => "bad_redirect",
            Self::TooLarge(_) => "too_large",
            Self::Unsupported(_) => "unsupported",
            Self::Unreadable(_) => "unreadable",
            Self::Expired => "expired",
            Self::BadRequest(_) => "bad_request",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_have_their_fate() {
        use Fate::{Final, Transient};
        for (status, fate) in [
            (200, None),
            (204, None),
            (301, None),
            (308, None),
            (304, Some(Final)),
            (400, Some(Final)),
            (401, Some(Final)),
            (403, Some(Final)),
            (404, Some(Final)),
            (408, Some(Transient)),
            (410, Some(Final)),
            (425, Some(Transient)),
            (429, Some(Transient)),
            (451, Some(Final)),
            (500, Some(Transient)),
            (502, Some(Transient)),
            (503, Some(Transient)),
            (504, Some(Transient)),
            (999, Some(Final)),
        ] {
            assert_eq!(Failure::of_status(status, None).map(|f| f.fate()), fate, "{status}");
        }
    }

    #[test]
    fn busy_speaks_for_the_host_and_a_500_for_the_url() {
        let busy = Failure::of_status(429, Some(7)).unwrap();
        assert_eq!(busy.signal(), Signal::Busy { retry_after_ms: Some(7) });
        assert_eq!(Failure::Status(500).signal(), Signal::Answered);
        assert_eq!((busy.is_of_url(), Failure::Status(500).is_of_url()), (false, true));
        assert_eq!(Failure::Timeout.signal(), Signal::Unreachable);
    }

    #[test]
    fn our_own_outages_are_never_final() {
        for failure in [Failure::Dns("SERVFAIL".into()), Failure::Proxy("refused".into())] {
            assert_eq!((failure.fate(), failure.signal()), (Fate::Outage, Signal::Unasked));
        }
        // The host was asked, and has answered.
        let unkept = Failure::Unkept("the disk is full".into());
        assert_eq!((unkept.fate(), unkept.signal()), (Fate::Outage, Signal::Answered));
        assert_eq!(Failure::NoSuchHost.fate(), Fate::Final);
    }
}
