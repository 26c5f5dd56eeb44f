//! One HTTP request: no redirect followed, no body inflated, everything bounded.

use std::{error::Error as _, net::IpAddr, time::Duration};

use article::CanonicalUrl;
use bytes::Bytes;
use crawl::Failure;
use reqwest::{
    Certificate, Proxy,
    header::{ACCEPT, ACCEPT_ENCODING, HeaderMap, HeaderValue},
    redirect,
};
use tokio::time::Instant;

use crate::{
    config::{Config, ConfigError},
    metrics::metrics,
    resolver::{PublicResolver, Unresolved},
};

/// Most headers an answer may have.
const MAX_HEADERS: usize = 200;
/// Longest list of headers over HTTP/2, in bytes.
const MAX_HEADER_BYTES: u32 = 64 << 10;
/// Longest message of a failure, in characters.
const MAX_MESSAGE_CHARS: usize = 300;

/// The HTTP client and the rules it keeps. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    is_proxied: bool,
    allow_private: bool,
    timeout: Duration,
}

/// What is asked for; a label of the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Page,
    Robots,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// As sent.
    pub body: Bytes,
    /// Whether there was more than the cap allowed.
    pub is_cut: bool,
    pub latency_ms: u32,
}

impl Client {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        if crawl::product_token(&config.user_agent).is_empty() {
            return Err(ConfigError::UserAgent(config.user_agent.clone()));
        }
        let headers: HeaderMap = [
            (
                ACCEPT,
                HeaderValue::from_static("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
            ),
            (ACCEPT_ENCODING, HeaderValue::from_static("gzip, br, zstd")),
        ]
        .into_iter()
        .collect();
        let mut builder = reqwest::Client::builder()
            .user_agent(&config.user_agent)
            .default_headers(headers)
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .connect_timeout(config.connect_timeout)
            .http1_max_headers(MAX_HEADERS)
            .http2_max_header_list_size(MAX_HEADER_BYTES)
            .pool_max_idle_per_host(1)
            .pool_idle_timeout(Duration::from_secs(30));
        builder = match &config.proxy {
            Some(proxy) => builder.proxy(proxy_at(proxy)?),
            // Behind a proxy the only name resolved here is the proxy's own, which may be private.
            None => builder
                .dns_resolver(PublicResolver::of_system(config.connect_timeout / 2, config.allow_private)),
        };
        if let Some(path) = &config.extra_ca {
            let failed = |cause: String| ConfigError::ExtraCa { path: path.clone(), cause };
            let pem = std::fs::read(path).map_err(|cause| failed(cause.to_string()))?;
            let authorities = Certificate::from_pem_bundle(&pem).map_err(|cause| failed(chain(&cause)))?;
            if authorities.is_empty() {
                return Err(failed("it holds no certificate".to_owned()));
            }
            builder = builder.tls_certs_merge(authorities);
        }
        Ok(Self {
            http: builder.build().map_err(|cause| ConfigError::Client(chain(&cause)))?,
            is_proxied: config.proxy.is_some(),
            allow_private: config.allow_private,
            timeout: config.timeout,
        })
    }

    /// Asks for `url` and reads up to `cap` bytes of the answer's body. `allowed` shortens the time-out.
    pub(crate) async fn get(
        &self,
        url: &CanonicalUrl,
        asked: Asked,
        cap: usize,
        allowed: Duration,
    ) -> Result<Answer, Failure> {
        let started = Instant::now();
        let answer = match self.refused_literal(url) {
            Some(address) => Err(Failure::AddressRefused(address)),
            None => {
                let answer = tokio::time::timeout(self.timeout.min(allowed), self.exchange(url, cap)).await;
                answer.unwrap_or(Err(Failure::Timeout))
            }
        };
        let elapsed = started.elapsed();
        metrics().seconds.observe(elapsed.as_secs_f64());
        count(asked, &answer);
        let latency_ms = u32::try_from(elapsed.as_millis()).unwrap_or(u32::MAX);
        answer.map(|answer| Answer { latency_ms, ..answer })
    }

    /// Literals never reach the resolver.
    fn refused_literal(&self, url: &CanonicalUrl) -> Option<IpAddr> {
        if self.allow_private { None } else { crawl::refused_literal(url) }
    }

    async fn exchange(&self, url: &CanonicalUrl, cap: usize) -> Result<Answer, Failure> {
        let failed = |error| failure_of(error, self.is_proxied);
        let mut response = self.http.get(url.as_str()).send().await.map_err(failed)?;
        let mut answer = Answer {
            status: response.status().as_u16(),
            headers: std::mem::take(response.headers_mut()),
            body: Bytes::new(),
            is_cut: false,
            latency_ms: 0,
        };
        // The bodies of errors and redirects are of no use: the connection is worth less than the time.
        if !response.status().is_success() {
            return Ok(answer);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            let room = cap - body.len();
            body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
            if chunk.len() > room {
                answer.is_cut = true;
                break;
            }
        }
        answer.body = body.into();
        Ok(answer)
    }
}

fn proxy_at(address: &str) -> Result<Proxy, ConfigError> {
    let failed = |cause: String| ConfigError::Proxy { proxy: address.to_owned(), cause };
    if !["http://", "https://"].iter().any(|scheme| address.starts_with(scheme)) {
        return Err(failed("it is no http or https URL".to_owned()));
    }
    Proxy::all(address).map_err(|cause| failed(chain(&cause)))
}

/// What went wrong, told apart by what lies beneath: reqwest itself knows little more than "connecting".
fn failure_of(error: reqwest::Error, is_proxied: bool) -> Failure {
    let error = error.without_url();
    let mut cause = error.source();
    while let Some(inner) = cause {
        match inner.downcast_ref::<Unresolved>() {
            Some(Unresolved::NoSuchHost) => return Failure::NoSuchHost,
            Some(Unresolved::Refused(address)) => return Failure::AddressRefused(*address),
            Some(Unresolved::Dns(cause)) => return Failure::Dns(cause.clone()),
            None => cause = inner.source(),
        }
    }
    let message = chain(&error);
    let says = |word: &str| message.contains(word);
    if says("certificate") || says("fatal alert") || says("TLS") || says("corrupt message") {
        return Failure::Tls(message);
    }
    // A proxy that answers CONNECT with an error is there: what is missing is the host behind it.
    if is_proxied && error.is_connect() && !says("tunnel error: unsuccessful") {
        return Failure::Proxy(message);
    }
    if error.is_timeout() { Failure::Timeout } else { Failure::Connection(message) }
}

/// An error and its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let text = inner.to_string();
        if !message.contains(&text) {
            message = format!("{message}: {text}");
        }
        cause = inner.source();
    }
    message.chars().take(MAX_MESSAGE_CHARS).collect()
}

fn count(asked: Asked, answer: &Result<Answer, Failure>) {
    let metrics = metrics();
    let class = match answer {
        Ok(answer) => match answer.status {
            100..=199 => "1xx",
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        },
        Err(failure) => failure.reason(),
    };
    let kind = match asked {
        Asked::Page => "page",
        Asked::Robots => "robots",
    };
    metrics.requests.with_label_values(&[kind, class]).inc();
    match answer {
        Ok(answer) => metrics.bytes.inc_by(answer.body.len() as u64),
        Err(Failure::AddressRefused(_)) => metrics.ssrf_blocked.inc(),
        Err(_) => {}
    }
}
