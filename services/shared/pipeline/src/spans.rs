//! The spans of a step: one for each record in it that is traced.

use std::time::SystemTime;

use trace::{Span, Tracer};

use crate::{DeadLetter, Origin, Record};

/// Those under way.
pub(crate) struct Spans<'a> {
    tracer: &'a Tracer,
    open: Vec<(Origin, Span)>,
}

impl<'a> Spans<'a> {
    /// Begins them; the records' `traceparent` then names them, and so does that of whatever a stage makes of a record.
    pub(crate) fn begin(tracer: &'a Tracer, role: &str, records: &mut [Record]) -> Self {
        let mut open = Vec::new();
        let (name, started_at, in_batch) = (verb(role), now(), records.len() as i64);
        for Record { origin, headers, .. } in records {
            let Origin { topic, partition, offset } = origin;
            if let Some(span) = tracer.begin(name, format_args!("{topic}/{partition}/{offset}"), headers) {
                let span = span
                    .since(started_at)
                    .with("messaging.destination.name", topic.clone())
                    .with("messaging.destination.partition.id", partition.to_string())
                    .with("messaging.kafka.offset", *offset)
                    .with("messaging.batch.message_count", in_batch);
                open.push((origin.clone(), span));
            }
        }
        Self { tracer, open }
    }

    /// Tells them: their step is committed, with these letters in it.
    pub(crate) fn end(self, letters: &[DeadLetter]) {
        if self.open.is_empty() {
            return;
        }
        let ended_at = now();
        for (origin, span) in self.open {
            let refused = letters.iter().find(|letter| letter.origin == origin);
            self.tracer.end(span, ended_at, refused.map(|letter| letter.reason));
        }
    }
}

/// What a role does, as its spans are named.
fn verb(role: &str) -> &'static str {
    match role {
        "fetcher" => "fetch",
        "extractor" => "extract",
        "prepare" => "prepare",
        "cluster" => "cluster",
        _ => "process",
    }
}

#[allow(
    clippy::disallowed_methods,
    reason = "spans are told in the machine's time, whatever time a stage lives in"
)]
fn now() -> SystemTime {
    SystemTime::now()
}
