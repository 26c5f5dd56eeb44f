//! Record headers: CloudEvents in binary mode for Kafka, and the trace context that came with the request.

/// W3C trace context; carried from record to record, its span that of whoever wrote the record where spans are sent.
pub const TRACEPARENT: &str = "traceparent";

/// Headers of a record, in order.
pub type Headers = Vec<(String, Vec<u8>)>;

/// The CloudEvents headers of a record: `kind` is its message's name (`Request`), `id` unique among them, `source` the
/// stage. With the `traceparent` of the record it came of, and the run it belongs to.
pub fn headers(kind: &str, id: &str, source: &str, run_id: &str, came_with: &[(String, Vec<u8>)]) -> Headers {
    let mut headers: Headers = [
        ("ce_specversion", "1.0"),
        ("ce_type", &format!("wireroom.v1.{kind}")),
        ("ce_id", id),
        ("ce_source", &format!("/wireroom/{source}")),
        ("content-type", "application/protobuf"),
    ]
    .map(|(name, value)| (name.to_owned(), value.as_bytes().to_vec()))
    .into();
    if !run_id.is_empty() {
        headers.push(("wireroom_run_id".to_owned(), run_id.as_bytes().to_vec()));
    }
    headers.extend(came_with.iter().find(|(name, _)| name == TRACEPARENT).cloned());
    headers
}

/// The value of a header, if it is there and text.
pub fn header<'a>(headers: &'a [(String, Vec<u8>)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n == name).and_then(|(_, value)| std::str::from_utf8(value).ok())
}
