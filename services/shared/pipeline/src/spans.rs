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

    /// Tells them: their step is committed, with these records refused.
    pub(crate) fn end(self, refused: &[(Origin, &'static str)]) {
        if self.open.is_empty() {
            return;
        }
        let ended_at = now();
        for (origin, span) in self.open {
            let reason = refused.iter().find(|(of, _)| *of == origin).map(|(_, reason)| *reason);
            self.tracer.end(span, ended_at, reason);
        }
    }

    /// Which of these letters are of a record that is traced, and why it was refused.
    pub(crate) fn refused(&self, letters: &[DeadLetter]) -> Vec<(Origin, &'static str)> {
        let is_traced = |letter: &&DeadLetter| self.open.iter().any(|(origin, _)| *origin == letter.origin);
        letters.iter().filter(is_traced).map(|letter| (letter.origin.clone(), letter.reason)).collect()
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
