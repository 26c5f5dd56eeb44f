//! W3C Trace Context, level 2: where a piece of work stands in a trace.

use std::fmt;

use xxhash_rust::xxh3::{xxh3_64_with_seed, xxh3_128};

use crate::{Headers, TRACEPARENT};

/// What the header `traceparent` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// Of the whole; never 0.
    pub trace_id: u128,
    /// Of the work that the header came from; never 0.
    pub span_id: u64,
    /// Whether the trace is recorded.
    pub is_sampled: bool,
}

impl Context {
    /// Reads a header of version 00, or what a later version has in common with it (section 3.2.4 there). `None` for
    /// what is none, which a receiver ignores.
    pub fn parse(header: &str) -> Option<Self> {
        let hex = |text: &str, digits: usize| {
            let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            (text.len() == digits && text.bytes().all(is_hex)).then(|| u128::from_str_radix(text, 16).ok())?
        };
        let mut parts = header.trim().splitn(5, '-');
        let (version, trace_id) = (hex(parts.next()?, 2)?, hex(parts.next()?, 32)?);
        let (span_id, flags) = (u64::try_from(hex(parts.next()?, 16)?).ok()?, hex(parts.next()?, 2)?);
        let is_known = version != 0xff && (version > 0 || parts.next().is_none());
        (is_known && trace_id != 0 && span_id != 0).then_some(Self {
            trace_id,
            span_id,
            is_sampled: flags & 1 == 1,
        })
    }

    /// Of a record with these headers.
    pub fn of(headers: &Headers) -> Option<Self> {
        let (_, value) = headers.iter().find(|(name, _)| name == TRACEPARENT)?;
        Self::parse(std::str::from_utf8(value).ok()?)
    }

    /// The context of work of this kind on `subject`, which names it among all of its kind.
    pub fn child(&self, kind: &str, subject: &str) -> Self {
        Self { span_id: span_id(self.trace_id, kind, subject), ..*self }
    }

    /// A trace of `subject`, of which there is no work yet; recorded if it is among the `share` of traces that are (0 to
    /// 1). The choice is a function of the trace's id, as consistent probability sampling has it.
    pub fn root(subject: &str, share: f64) -> Self {
        /// The bits of a trace id that are random by the standard.
        const RANDOM_BITS: u32 = 56;
        let trace_id = xxh3_128(subject.as_bytes()).max(1);
        let drawn = (trace_id & ((1 << RANDOM_BITS) - 1)) as f64 / (1_u64 << RANDOM_BITS) as f64;
        Self { trace_id, span_id: span_id(trace_id, "", subject), is_sampled: drawn >= 1.0 - share }
    }
}

fn span_id(trace_id: u128, kind: &str, subject: &str) -> u64 {
    xxh3_64_with_seed(format!("{kind} {subject}").as_bytes(), trace_id as u64).max(1)
}

/// As the header has it.
impl fmt::Display for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "00-{:032x}-{:016x}-{:02x}", self.trace_id, self.span_id, u8::from(self.is_sampled))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    #[test]
    fn headers_are_read_as_the_standard_says() {
        let read = |header: &str| Context::parse(header).map(|context| context.is_sampled);
        for (header, expected) in [
            (format!("00-{TRACE}-b7ad6b7169203331-01"), Some(true)),
            (format!("00-{TRACE}-b7ad6b7169203331-00"), Some(false)),
            (format!(" 00-{TRACE}-b7ad6b7169203331-03 "), Some(true)),
            (format!("cc-{TRACE}-b7ad6b7169203331-01-what-comes-later"), Some(true)),
            (format!("00-{TRACE}-b7ad6b7169203331-01-more"), None),
            (format!("ff-{TRACE}-b7ad6b7169203331-01"), None),
            (format!("00-{}-b7ad6b7169203331-01", TRACE.to_uppercase()), None),
            (format!("00-{}-b7ad6b7169203331-01", "0".repeat(32)), None),
            (format!("00-{TRACE}-0000000000000000-01"), None),
            (format!("00-{TRACE}-b7ad6b716920333-01"), None),
            (format!("00-{TRACE}-b7ad6b7169203331"), None),
            ("00-1-2-01".to_owned(), None),
            (String::new(), None),
        ] {
            assert_eq!(read(&header), expected, "{header}");
        }
    }

    #[test]
    fn a_share_of_the_traces_is_recorded() {
        let recorded = |share| (0..10_000).filter(move |n| Context::root(&n.to_string(), share).is_sampled);
        assert_eq!((recorded(0.0).count(), recorded(1.0).count()), (0, 10_000));
        let tenth: Vec<_> = recorded(0.1).collect();
        assert!((900..1_100).contains(&tenth.len()), "{}", tenth.len());
        let half: Vec<_> = recorded(0.5).collect();
        assert!(tenth.iter().all(|n| half.contains(n)), "a larger share has all of a smaller one");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(subject in ".*", share in 0.0..1.0) {
            let root = Context::root(&subject, share);
            prop_assert_eq!(Context::parse(&root.to_string()), Some(root));
            let child = root.child("extract", &subject);
            prop_assert_eq!((child.trace_id, child.is_sampled), (root.trace_id, root.is_sampled));
            prop_assert_ne!(child.span_id, root.span_id);
        }

        #[test]
        fn nothing_panics(header in ".*") {
            Context::parse(&header);
        }
    }
}
