//! A request and its answer, as the records they become.

use std::{io, net::IpAddr};

use bytes::Bytes;
use http::{
    HeaderMap, StatusCode, Version,
    header::{HOST, HeaderName, TRANSFER_ENCODING},
};

use super::record::{Record, digest, new_id};

const RESPONSE: &str = "application/http; msgtype=response";
const REQUEST: &str = "application/http; msgtype=request";

/// A request and its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// What was asked for: absolute, without user and fragment.
    pub url: String,
    /// When, in Unix milliseconds.
    pub at_ms: i64,
    /// Who answered; `None` where that is not known (behind a proxy).
    pub address: Option<IpAddr>,
    /// Of the answer. Heads are written as those of HTTP/1, as every reader expects; `WARC-Protocol` has the truth.
    pub version: Version,
    /// Sent, beside `Host`.
    pub request: HeaderMap,
    /// Of the answer.
    pub status: StatusCode,
    /// Of the answer.
    pub headers: HeaderMap,
    /// As sent: compressed by `Content-Encoding`, but in one piece, whatever `Transfer-Encoding` it had.
    pub body: Bytes,
    /// Set where the answer says that nothing has changed: it becomes a `revisit` without its body.
    pub unchanged: Option<Unchanged>,
    /// Further fields of the record, for our own use.
    pub fields: Vec<(&'static str, String)>,
}

/// What an answer is the same as: an earlier one for the same URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unchanged {
    /// The server says so (304), of the answer at this instant (Unix milliseconds).
    NotModified(i64),
    /// The body is the same as at this instant (Unix milliseconds).
    SameBody(i64),
}

impl Exchange {
    /// Writes its records, each a gzip member: the answer, then the request.
    pub(super) fn write(&self, warcinfo: &str, out: &mut Vec<u8>) -> io::Result<()> {
        let id = new_id();
        let answer = match self.unchanged {
            None => self.record("response", &id, RESPONSE, self.answer(&self.body)),
            Some(Unchanged::NotModified(at_ms)) => self.revisit(&id, "server-not-modified", at_ms),
            Some(Unchanged::SameBody(at_ms)) => self.revisit(&id, "identical-payload-digest", at_ms),
        };
        let answer = match self.unchanged {
            Some(Unchanged::NotModified(_)) => answer,
            _ => answer.field("WARC-Payload-Digest", &digest(&[&self.body])),
        };
        let answer = answer.field("WARC-Warcinfo-ID", warcinfo);
        self.fields.iter().fold(answer, |answer, (name, value)| answer.field(name, value)).write(out)?;
        self.record("request", &new_id(), REQUEST, self.question())
            .field("WARC-Concurrent-To", &id)
            .field("WARC-Warcinfo-ID", warcinfo)
            .write(out)
    }

    fn record(&self, kind: &str, id: &str, content_type: &str, block: Vec<u8>) -> Record {
        let record = Record::new(kind, id, self.at_ms, content_type, block)
            .field("WARC-Target-URI", &self.url)
            .field("WARC-Protocol", protocol(self.version));
        match self.address {
            Some(address) => record.field("WARC-IP-Address", &address.to_string()),
            None => record,
        }
    }

    fn revisit(&self, id: &str, profile: &str, at_ms: i64) -> Record {
        self.record("revisit", id, RESPONSE, self.answer(&[]))
            .field("WARC-Profile", &format!("http://netpreserve.org/warc/1.1/revisit/{profile}"))
            .field("WARC-Refers-To-Target-URI", &self.url)
            .field("WARC-Refers-To-Date", &super::record::date(at_ms))
    }

    fn answer(&self, body: &[u8]) -> Vec<u8> {
        let reason = self.status.canonical_reason().unwrap_or_default();
        let mut block =
            format!("{} {} {reason}\r\n", http_1(self.version), self.status.as_u16()).into_bytes();
        headers(&self.headers, &TRANSFER_ENCODING, &mut block);
        block.extend_from_slice(body);
        block
    }

    fn question(&self) -> Vec<u8> {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let slash = if path.starts_with('/') { "" } else { "/" };
        let mut block =
            format!("GET {slash}{path} {}\r\nhost: {host}\r\n", http_1(self.version)).into_bytes();
        headers(&self.request, &HOST, &mut block);
        block
    }
}

fn headers(headers: &HeaderMap, but: &HeaderName, block: &mut Vec<u8>) {
    for (name, value) in headers.iter().filter(|(name, _)| *name != but) {
        block.extend_from_slice(name.as_str().as_bytes());
        block.extend_from_slice(b": ");
        block.extend_from_slice(value.as_bytes());
        block.extend_from_slice(b"\r\n");
    }
    block.extend_from_slice(b"\r\n");
}

fn http_1(version: Version) -> &'static str {
    if version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" }
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "http/1.0",
        Version::HTTP_2 => "h2",
        _ => "http/1.1",
    }
}
