//! The loopback endpoint of a process on the embedded log, through which `tail`, `submit` and `deadletters` reach its
//! topics while it runs: `GET /topics/NAME?from=N&limit=M`, `GET /topics/NAME/end`, `POST /topics/NAME`.
//!
//! Records are JSON objects, their bytes in base64. The address is in the file `admin` of the data folder.

use std::{path::Path, time::Duration};

use anyhow::{Context, Result, bail};
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path as UrlPath, Query},
    http::StatusCode,
    routing::get,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use pipeline::{Origin, Output, Record, embedded::Embedded};
use serde::{Deserialize, Serialize};

/// The file of a data folder that says where its process listens.
const ADDRESS_FILE: &str = "admin";
/// Records in one answer.
const MAX_RECORDS: usize = 256;
/// Of a record that is handed in: the largest that a log takes, in base64.
const MAX_BODY_BYTES: usize = 16 << 20;
/// A process on this machine answers within so long.
const PATIENCE: Duration = Duration::from_secs(2);

/// A record on this wire.
#[derive(Debug, Serialize, Deserialize)]
struct WireRecord {
    offset: i64,
    key: String,
    value: Option<String>,
    headers: Vec<(String, String)>,
    written_at_ms: i64,
}

#[derive(Debug, Deserialize)]
struct From {
    from: i64,
    limit: usize,
}

/// The routes over a log.
pub fn router(log: &Embedded) -> Router {
    let (reading, ending, writing) = (log.clone(), log.clone(), log.clone());
    let read = async move |UrlPath(topic): UrlPath<String>, Query(at): Query<From>| {
        let records = reading.read(&topic, at.from, at.limit.min(MAX_RECORDS)).map_err(failed)?;
        Ok::<_, Failure>(Json(records.into_iter().map(WireRecord::of).collect::<Vec<_>>()))
    };
    let end = async move |UrlPath(topic): UrlPath<String>| {
        Ok::<_, Failure>(Json(ending.end(&topic).map_err(failed)?))
    };
    let append = async move |UrlPath(topic): UrlPath<String>, Json(records): Json<Vec<WireRecord>>| {
        let topic =
            input_topic(&topic).ok_or((StatusCode::BAD_REQUEST, format!("{topic} takes no records")))?;
        let outputs: Result<Vec<Output>> = records.into_iter().map(|record| record.output(topic)).collect();
        let outputs = outputs.map_err(|cause| (StatusCode::BAD_REQUEST, format!("{cause:#}")))?;
        writing.append(outputs).map_err(failed)
    };
    Router::new()
        .route("/topics/{topic}", get(read).post(append))
        .route("/topics/{topic}/end", get(end))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

/// Says in the data folder where its process listens.
pub fn announce(data: &Path, address: std::net::SocketAddr) -> Result<()> {
    std::fs::write(data.join(ADDRESS_FILE), address.to_string()).context("the data folder cannot be written")
}

/// The topics that records may be put into from outside.
pub fn input_topic(name: &str) -> Option<&'static str> {
    wire::Topic::ALL.iter().map(|topic| topic.name()).find(|known| *known == name)
}

/// Where the process listens that runs on this data folder, if one has.
pub fn address_of(data: &Path) -> Option<String> {
    Some(std::fs::read_to_string(data.join(ADDRESS_FILE)).ok()?.trim().to_owned())
}

/// A running process, asked through its endpoint.
pub struct Client {
    base: String,
    http: reqwest::blocking::Client,
}

impl Client {
    /// The process that runs on this data folder, if one does: of one that has ended, another program may have the port.
    pub fn of(data: &Path) -> Option<Self> {
        let address = address_of(data)?;
        let http = reqwest::blocking::Client::builder().no_proxy().build().ok()?;
        let client = Self { base: format!("http://{address}/topics"), http };
        let end = client.http.get(format!("{}/requests/end", client.base)).timeout(PATIENCE).send();
        end.is_ok_and(|answer| answer.status().is_success()).then_some(client)
    }

    pub fn end(&self, topic: &str) -> Result<i64> {
        Ok(self.http.get(format!("{}/{topic}/end", self.base)).send()?.error_for_status()?.json()?)
    }

    pub fn read(&self, topic: &str, from: i64) -> Result<Vec<Record>> {
        let url = format!("{}/{topic}?from={from}&limit={MAX_RECORDS}", self.base);
        let records: Vec<WireRecord> = self.http.get(url).send()?.error_for_status()?.json()?;
        records.into_iter().map(|record| record.record(topic)).collect()
    }

    pub fn append(&self, outputs: Vec<Output>) -> Result<()> {
        for output in outputs {
            let record = WireRecord {
                offset: 0,
                key: BASE64_STANDARD.encode(&output.key),
                value: output.value.map(|value| BASE64_STANDARD.encode(value)),
                headers: output.headers.into_iter().map(|(n, v)| (n, BASE64_STANDARD.encode(v))).collect(),
                written_at_ms: 0,
            };
            let answer = self.http.post(format!("{}/{}", self.base, output.topic)).json(&[record]).send()?;
            if !answer.status().is_success() {
                bail!("the running process refuses it: {}", answer.text().unwrap_or_default());
            }
        }
        Ok(())
    }
}

impl WireRecord {
    fn of(record: Record) -> Self {
        Self {
            offset: record.origin.offset,
            key: BASE64_STANDARD.encode(record.key),
            value: record.value.map(|value| BASE64_STANDARD.encode(value)),
            headers: record.headers.into_iter().map(|(n, v)| (n, BASE64_STANDARD.encode(v))).collect(),
            written_at_ms: record.written_at_ms,
        }
    }

    fn record(self, topic: &str) -> Result<Record> {
        let decode = |text: String| BASE64_STANDARD.decode(text).context("no base64");
        let headers = self.headers.into_iter().map(|(n, v)| Ok((n, decode(v)?))).collect::<Result<_>>()?;
        Ok(Record {
            origin: Origin { topic: topic.to_owned(), partition: 0, offset: self.offset },
            key: decode(self.key)?.into(),
            value: self.value.map(decode).transpose()?.map(Into::into),
            headers,
            written_at_ms: self.written_at_ms,
        })
    }

    fn output(self, topic: &'static str) -> Result<Output> {
        let Record { key, value, headers, .. } = self.record(topic)?;
        Ok(Output { topic, partition: None, key, value, headers })
    }
}

type Failure = (StatusCode, String);

fn failed(cause: pipeline::LogError) -> Failure {
    (StatusCode::INTERNAL_SERVER_ERROR, cause.to_string())
}
