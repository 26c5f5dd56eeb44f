//! Spans of what each stage did with a record, told to an OpenTelemetry collector.
//!
//! A trace is the way of one request: fetch, extract, prepare, cluster. It begins where the request's record has no
//! `traceparent`, in the fetcher, for a share of the requests; whoever submits a request with one decides for it. From
//! then on the header travels from record to record, and each stage puts itself into it: its span is the parent of the
//! next stage's. A stage that works on many records at once has a span for each, as long as the step.
//!
//! The ids are made of what the span is of, not of chance: a step that is done again after a crash writes the same
//! bytes. A span is told when its step is committed; one that never is, is not told.

mod context;
mod tracer;

pub use context::Context;
pub use tracer::{Section, Span, TraceError, Tracer};

/// Where a record carries its trace context.
const TRACEPARENT: &str = "traceparent";

/// Headers of a record, in order.
pub type Headers = Vec<(String, Vec<u8>)>;

/// The id of the trace that a record belongs to, if that is recorded.
pub fn sampled(headers: &Headers) -> Option<u128> {
    Context::of(headers).filter(|context| context.is_sampled).map(|context| context.trace_id)
}
