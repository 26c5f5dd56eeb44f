//! From the work on a record to the collector.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use opentelemetry::{
    InstrumentationScope, KeyValue,
    trace::{SpanContext, SpanKind, Status, TraceFlags, TraceState},
};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{BatchSpanProcessor, SpanData, SpanEvents, SpanLinks, SpanProcessor},
};
use serde::Deserialize;
use thiserror::Error;

use crate::{Context, Headers, TRACEPARENT};

/// How long the last spans may take to be told at the end.
const LAST_WORD: Duration = Duration::from_secs(3);

/// `[tracing]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Section {
    /// The collector's OTLP endpoint over HTTP (`http://collector:4318`). Empty: OTEL_EXPORTER_OTLP_ENDPOINT in the
    /// environment, and nothing is traced where that is not set either.
    pub endpoint: String,
    /// Share of the requests that are traced, of those that come without a decision of their own.
    pub sample: f64,
}

impl Default for Section {
    fn default() -> Self {
        Self { endpoint: String::new(), sample: 0.01 }
    }
}

/// Why nothing can be traced.
#[derive(Debug, Error)]
pub enum TraceError {
    /// The endpoint is none.
    #[error(
        "tracing cannot begin: {cause}; tracing.endpoint is {endpoint:?}, and looks like http://collector:4318"
    )]
    Endpoint {
        /// As configured.
        endpoint: String,
        /// What is wrong with it.
        cause: ExporterBuildError,
    },
    /// The share is none.
    #[error("tracing.sample is {0}: it is a share, from 0 to 1")]
    Share(f64),
}

/// Tells spans to a collector, or does nothing. Cheap to clone; the last clone tells what is left.
#[derive(Clone, Default)]
pub struct Tracer(Option<Arc<Exporter>>);

struct Exporter {
    spans: BatchSpanProcessor,
    share: f64,
}

/// Work on one record, under way.
#[derive(Debug)]
#[must_use = "a span is told when it is ended"]
pub struct Span {
    name: &'static str,
    context: Context,
    parent: Option<Context>,
    started_at: SystemTime,
    facts: Vec<KeyValue>,
}

impl Tracer {
    /// Of a process of this service; off where there is no endpoint. The variables OTEL_SERVICE_NAME,
    /// OTEL_RESOURCE_ATTRIBUTES and OTEL_EXPORTER_OTLP_HEADERS have their standard meaning.
    pub fn start(section: &Section, service: &'static str) -> Result<Self, TraceError> {
        if !(0.0..=1.0).contains(&section.sample) {
            return Err(TraceError::Share(section.sample));
        }
        let is_in_environment = ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
        let exporter = match section.endpoint.trim_end_matches('/') {
            "" if !is_in_environment => return Ok(Self::default()),
            "" => SpanExporter::builder().with_http().build(),
            named => SpanExporter::builder().with_http().with_endpoint(format!("{named}/v1/traces")).build(),
        };
        let exporter =
            exporter.map_err(|cause| TraceError::Endpoint { endpoint: section.endpoint.clone(), cause })?;
        let mut spans = BatchSpanProcessor::builder(exporter).build();
        let told = ["OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"].iter().any(|name| {
            std::env::var(name)
                .is_ok_and(|value| *name == "OTEL_SERVICE_NAME" || value.contains("service.name"))
        });
        let mut resource = Resource::builder().with_attributes([
            KeyValue::new("service.namespace", "wireroom"),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ]);
        if !told {
            resource = resource.with_service_name(service);
        }
        spans.set_resource(&resource.build());
        Ok(Self(Some(Arc::new(Exporter { spans, share: section.sample }))))
    }

    /// Begins work on a record that came with `headers`, which then name it as the parent of what comes next. `subject`
    /// tells the record from all others that get the same work. `None` where it is not traced.
    pub fn begin(
        &self,
        name: &'static str,
        subject: impl fmt::Display,
        headers: &mut Headers,
    ) -> Option<Span> {
        self.0.as_ref()?;
        let parent = Context::of(headers).filter(|parent| parent.is_sampled)?;
        Some(Span::new(name, parent.child(name, &subject.to_string()), Some(parent), headers))
    }

    /// The same for the `nth` attempt at work with which a trace may begin: what has no `traceparent` is traced if it is
    /// among the share.
    pub fn begin_trace(
        &self,
        name: &'static str,
        subject: &str,
        nth: u32,
        headers: &mut Headers,
    ) -> Option<Span> {
        let exporter = self.0.as_ref()?;
        if Context::of(headers).is_some() {
            return self.begin(name, format_args!("{subject} {nth}"), headers);
        }
        let root = Context::root(subject, exporter.share).child(name, &format!("{subject} {nth}"));
        root.is_sampled.then(|| Span::new(name, root, None, headers))
    }

    /// Tells a span; `failure` says why the record was refused.
    pub fn end(&self, span: Span, ended_at: SystemTime, failure: Option<&str>) {
        let Some(exporter) = &self.0 else { return };
        let Span { name, context, parent, started_at, facts } = span;
        exporter.spans.on_end(SpanData {
            span_context: SpanContext::new(
                context.trace_id.into(),
                context.span_id.into(),
                TraceFlags::SAMPLED,
                false,
                TraceState::default(),
            ),
            parent_span_id: parent.map_or(0, |parent| parent.span_id).into(),
            parent_span_is_remote: parent.is_some(),
            span_kind: SpanKind::Consumer,
            name: name.into(),
            start_time: started_at,
            end_time: ended_at.max(started_at),
            attributes: facts,
            dropped_attributes_count: 0,
            events: SpanEvents::default(),
            links: SpanLinks::default(),
            status: failure.map_or(Status::Unset, |reason| Status::error(reason.to_owned())),
            instrumentation_scope: InstrumentationScope::builder("wireroom").build(),
        });
    }
}

impl Span {
    fn new(name: &'static str, context: Context, parent: Option<Context>, headers: &mut Headers) -> Self {
        let value = context.to_string().into_bytes();
        match headers.iter_mut().find(|(name, _)| name == TRACEPARENT) {
            Some((_, header)) => *header = value,
            None => headers.push((TRACEPARENT.to_owned(), value)),
        }
        Self { name, context, parent, started_at: SystemTime::UNIX_EPOCH, facts: Vec::new() }
    }

    /// The trace it is of.
    pub fn trace_id(&self) -> u128 {
        self.context.trace_id
    }

    /// Since when it is worked on.
    pub fn since(mut self, started_at: SystemTime) -> Self {
        self.started_at = started_at;
        self
    }

    /// With something known of it: an attribute.
    pub fn with(mut self, name: &'static str, value: impl Into<opentelemetry::Value>) -> Self {
        self.facts.push(KeyValue::new(name, value));
        self
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        // A collector that is away has no right to hold up the end.
        let _ = self.spans.shutdown_with_timeout(LAST_WORD);
    }
}
