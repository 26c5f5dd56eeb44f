//! Spans at a collector: one trace for each page's way through the pipeline, whichever processes it goes through.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::{Router, body::Bytes, routing::post};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};
use prost::Message as _;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use tests::broker::Broker;
use tests::press::{self, Press};
use tests::services::{Process, Services};
use tests::{run, wait};
use trace::Context;

/// What is done to every page, in order.
const WAY: [&str; 4] = ["fetch", "extract", "prepare", "cluster"];
/// Each in a process of its own.
const PROCESSES: [Process; 4] = [
    ("fetcher", "fetcher-0", &["fetcher"]),
    ("extractor", "extractor-0", &["extractor"]),
    ("normalizer", "prepare-0", &["prepare"]),
    ("normalizer", "cluster-0", &["cluster"]),
];
/// What these call themselves.
const SERVICES: [&str; 4] = ["fetcher", "extractor", "normalizer-prepare", "normalizer"];

/// Takes spans as a collector does, and keeps them, with what is said of their process. It is none: it does what this test
/// needs.
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
                for process in sent.resource_spans {
                    let told = process.resource.unwrap_or_default().attributes;
                    for mut span in process.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                        span.attributes.extend(told.clone());
                        // What was not seen to arrive is sent again.
                        let mut kept = kept.lock().unwrap();
                        if kept.iter().all(|known: &Span| known.span_id != span.span_id) {
                            kept.push(span);
                        }
                    }
                }
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

/// A trace's spans in order, from the child of `parent` on (of none, where that is empty), each the parent of the next.
fn way<'a>(trace: &'a [Span], parent: &[u8]) -> Vec<&'a Span> {
    let mut way: Vec<&Span> = Vec::new();
    let mut at = parent;
    while let Some(span) = trace.iter().find(|span| span.parent_span_id == at) {
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano, "{span:?}");
        way.push(span);
        at = &span.span_id;
    }
    assert_eq!(way.len(), trace.len(), "one way, and nothing beside it: {trace:?}");
    way
}

fn names<'a>(way: &[&'a Span]) -> Vec<&'a str> {
    way.iter().map(|span| span.name.as_str()).collect()
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
            assert_eq!(names(&way(&trace, &[])), ["fetch"]);
            let status = first.status.as_ref().unwrap();
            assert_eq!((status.code(), status.message.as_str()), (StatusCode::Error, "gone"));
        } else {
            assert!(urls.iter().any(|one| one == url), "{url}");
            let way = way(&trace, &[]);
            assert_eq!(names(&way), WAY);
            assert_eq!(fact(way[1], "messaging.destination.name"), "pages");
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

#[test]
fn a_trace_goes_from_process_to_process() {
    let (collector, press) = (Collector::start(), Press::with_articles(4));
    let (broker, prefix) = (Broker::shared(), format!("tracing-{}", std::process::id()));
    let settings = |_: &str| {
        vec![
            ("WIREROOM__TRACING__ENDPOINT", collector.address.clone()),
            ("WIREROOM__TRACING__SAMPLE", "1".to_owned()),
        ]
    };
    let mut services = Services::start_these(&PROCESSES, settings, broker, &press, &prefix);
    // The first of the press's articles has a copy, which would be no record of its own.
    let urls = press.article_urls().split_off(2);
    let [begun_here, begun_elsewhere, not_recorded] = urls.try_into().unwrap();
    let [elsewhere, unrecorded] =
        [("theirs", 1.0), ("unrecorded", 0.0)].map(|(subject, share)| Context::root(subject, share));
    services.submit(std::slice::from_ref(&begun_here));
    let requests = format!("{prefix}.requests.v1");
    submit_traced(broker, &requests, &[(&begun_elsewhere, elsewhere), (&not_recorded, unrecorded)]);

    wait::until("every page is an article, and what is recorded has arrived", || {
        let told = collector.traces().iter().map(Vec::len).sum::<usize>();
        told >= 2 * WAY.len() && services.topics.canonical().len() == 3
    });
    for (name, status) in services.stop() {
        assert!(status.success(), "{name} ended with {status}");
    }
    let traces = collector.traces();
    assert_eq!(traces.len(), 2, "{traces:?}");
    for trace in traces {
        let is_theirs = trace[0].trace_id == elsewhere.trace_id.to_be_bytes();
        let parent = if is_theirs { elsewhere.span_id.to_be_bytes().to_vec() } else { Vec::new() };
        let way = way(&trace, &parent);
        assert_eq!(names(&way), WAY);
        assert_eq!(way.iter().map(|span| fact(span, "service.name")).collect::<Vec<_>>(), SERVICES);
        assert_eq!(fact(way[0], "url.full"), if is_theirs { &begun_elsewhere } else { &begun_here });
    }
}

/// Requests of another program, which traces what it does.
fn submit_traced(broker: &Broker, topic: &str, requests: &[(&String, Context)]) {
    let producer: BaseProducer = broker.client().create().unwrap();
    for (url, context) in requests {
        let request =
            wire::Request { request_id: (*url).clone(), url: (*url).clone(), ..wire::Request::default() };
        let traceparent = context.to_string();
        let headers =
            OwnedHeaders::new().insert(Header { key: wire::TRACEPARENT, value: Some(&traceparent) });
        let value = request.encode_to_vec();
        producer.send(BaseRecord::to(topic).key(url.as_str()).payload(&value).headers(headers)).unwrap();
    }
    producer.flush(Duration::from_secs(30)).unwrap();
}
