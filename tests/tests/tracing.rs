//! Spans at a collector: one trace for each page's way through the pipeline, whichever processes it goes through.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, routing::post};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};
use prost::Message as _;
use tests::broker::Broker;
use tests::press::{self, Press};
use tests::run;

/// Takes spans as a collector does, and keeps them. It is none: it does what this test needs.
struct Collector {
    address: String,
    spans: Arc<Mutex<Vec<Span>>>,
    _runtime: tokio::runtime::Runtime,
}

impl Collector {
    fn start() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let spans = Arc::new(Mutex::new(Vec::new()));
        let kept = spans.clone();
        let app = Router::new().route(
            "/v1/traces",
            post(async move |body: Bytes| {
                let sent = ExportTraceServiceRequest::decode(body).unwrap();
                let scopes = sent.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
                kept.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
            }),
        );
        runtime.spawn(async move { axum::serve(listener, app).await });
        Self { address, spans, _runtime: runtime }
    }

    /// What came, by trace.
    fn traces(&self) -> Vec<Vec<Span>> {
        let mut traces: BTreeMap<Vec<u8>, Vec<Span>> = BTreeMap::new();
        for span in self.spans.lock().unwrap().iter() {
            traces.entry(span.trace_id.clone()).or_default().push(span.clone());
        }
        traces.into_values().collect()
    }
}

/// The names of a trace's spans from its first on, each the parent of the next.
fn way(trace: &[Span]) -> Vec<&str> {
    let mut names = Vec::new();
    let mut at = Vec::new();
    while let Some(span) = trace.iter().find(|span| span.parent_span_id == at) {
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{span:?}");
        names.push(span.name.as_str());
        at.clone_from(&span.span_id);
    }
    assert_eq!(names.len(), trace.len(), "one way, and nothing beside it");
    names
}

fn fact<'a>(span: &'a Span, name: &str) -> &'a str {
    let fact = span.attributes.iter().find(|fact| fact.key == name);
    match fact.and_then(|fact| fact.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text,
        other => panic!("{name}: {other:?}"),
    }
}

/// Two articles and a page that is gone, traced or not.
fn run_traced(collector: &Collector, sample: &str, more: &[&str]) -> Vec<String> {
    let (press, folder) = (Press::with_articles(2), tempfile::tempdir().unwrap());
    let urls = press.article_urls();
    let output = run::wireroom()
        .arg("run")
        .args(&urls)
        .arg(press::GONE)
        .args(["--proxy", &press.proxy(), "--delay", "20ms", "--data"])
        .arg(folder.path().join("data"))
        .args(more)
        .env("WIREROOM__TRACING__ENDPOINT", &collector.address)
        .env("WIREROOM__TRACING__SAMPLE", sample)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    urls
}

fn assert_every_page_has_a_trace(more: &[&str]) {
    let collector = Collector::start();
    let urls = run_traced(&collector, "1", more);
    let traces = collector.traces();
    assert_eq!(traces.len(), urls.len() + 1);
    for trace in traces {
        let first = trace.iter().find(|span| span.parent_span_id.is_empty()).expect("it begins somewhere");
        let url = fact(first, "url.full");
        if url == press::GONE {
            assert_eq!(way(&trace), ["fetch"]);
            let status = first.status.as_ref().unwrap();
            assert_eq!((status.code(), status.message.as_str()), (StatusCode::Error, "gone"));
        } else {
            assert!(urls.iter().any(|one| one == url), "{url}");
            assert_eq!(way(&trace), ["fetch", "extract", "prepare", "cluster"]);
            let extract = trace.iter().find(|span| span.name == "extract").unwrap();
            assert_eq!(fact(extract, "messaging.destination.name"), "pages");
        }
    }
}

#[test]
fn every_page_has_a_trace_on_the_embedded_log() {
    assert_every_page_has_a_trace(&[]);
}

#[test]
fn every_page_has_a_trace_on_kafka() {
    assert_every_page_has_a_trace(&["--kafka", Broker::shared().bootstrap()]);
}

#[test]
fn what_is_not_sampled_is_not_told() {
    let collector = Collector::start();
    run_traced(&collector, "0", &[]);
    assert!(collector.traces().is_empty());
}
