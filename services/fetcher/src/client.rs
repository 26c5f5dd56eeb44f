//! One HTTP request: no redirect followed, no body inflated, everything bounded.

use std::{error::Error as _, net::IpAddr, time::Duration};

use article::CanonicalUrl;
use bytes::Bytes;
use crawl::{Failure, Kind, Validators, sniff};
use reqwest::{
    Certificate, Proxy, Version,
    header::{
        ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
        IF_MODIFIED_SINCE, IF_NONE_MATCH, USER_AGENT,
    },
    redirect, retry,
};
use tokio::time::Instant;
use wire::inflate_start;

use crate::{
    addresses::{Addresses, Asking},
    config::{Config, ConfigError},
    memory::{Memory, Reserved},
    resolver::{PublicResolver, Unresolved},
    visit::{SNIFFED_BYTES, header},
};

/// Most headers an answer may have.
const MAX_HEADERS: usize = 200;
/// Longest list of headers over HTTP/2, in bytes.
const MAX_HEADER_BYTES: u32 = 64 << 10;
/// Most bytes that are set aside for a body before any of it is there.
const MAX_BELIEVED_BYTES: usize = 64 << 10;
/// With so many bytes of a body it is first looked what it is ...
const FIRST_LOOK_BYTES: usize = 2 * SNIFFED_BYTES;
/// ... and when it has so many times as many, again, if that was not to be seen then: some encodings come in large blocks.
const LOOK_AGAIN: usize = 16;
/// Longest message of a failure, in characters.
const MAX_MESSAGE_CHARS: usize = 300;

/// The HTTP client and the rules it keeps. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Client {
    http: reqwest::Client,
    /// Sent with every request.
    pub(crate) headers: HeaderMap,
    /// `None` behind a proxy, which resolves names itself.
    resolver: Option<PublicResolver>,
    addresses: Addresses,
    allow_private: bool,
    timeout: Duration,
    pub(crate) memory: Memory,
}

/// What is asked for; a label of the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Page,
    Robots,
    /// To be told of a list.
    Hub,
}

/// How an address is asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ask<'a> {
    pub kind: Asked,
    /// Most bytes read of the body.
    pub cap: usize,
    /// Shortens the time-out, in which the wait for room in memory does not count.
    pub allowed: Duration,
    /// What need not be sent again.
    pub known: &'a Validators,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub version: Version,
    /// Who answered; unknown behind a proxy.
    pub address: Option<IpAddr>,
    pub headers: HeaderMap,
    /// As sent.
    pub body: Bytes,
    /// What the body is, where that was looked for.
    pub body_kind: Option<Kind>,
    /// Whether there was more than the cap allowed.
    pub is_cut: bool,
    /// Without the wait for room in memory.
    pub latency_ms: u32,
    /// The room that the body takes up.
    pub reserved: Option<Reserved>,
}

impl Client {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        let admits = if config.allow_private { |_| true } else { crawl::is_public };
        Self::with(config, PublicResolver::new(&config.name_servers, config.connect_timeout / 2, admits))
    }

    /// With names resolved so.
    pub(crate) fn with(config: &Config, resolver: PublicResolver) -> Result<Self, ConfigError> {
        let user_agent = HeaderValue::from_str(&config.user_agent).ok();
        let Some(user_agent) = user_agent.filter(|_| !crawl::product_token(&config.user_agent).is_empty())
        else {
            return Err(ConfigError::UserAgent(config.user_agent.clone()));
        };
        config.check_bodies()?;
        let headers: HeaderMap = [
            (
                ACCEPT,
                HeaderValue::from_static("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"),
            ),
            (ACCEPT_ENCODING, HeaderValue::from_static("gzip, br, zstd")),
            (USER_AGENT, user_agent),
        ]
        .into_iter()
        .collect();
        let mut builder = reqwest::Client::builder()
            .default_headers(headers.clone())
            .redirect(redirect::Policy::none())
            // Not even of what HTTP/2 calls safe to repeat: the frontier says when a host is asked again.
            .retry(retry::never())
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
            None => builder.dns_resolver(resolver.clone()),
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
            headers,
            resolver: config.proxy.is_none().then_some(resolver),
            addresses: Addresses::new(config.max_in_flight_per_address),
            allow_private: config.allow_private,
            timeout: config.timeout,
            memory: Memory::of(config.max_in_flight_bytes),
        })
    }

    /// Asks for `url`.
    pub(crate) async fn get(&self, url: &CanonicalUrl, ask: Ask<'_>) -> Result<Answer, Failure> {
        let mut spent = Duration::ZERO;
        let answer = match self.asking(url).await {
            Err(failure) => Err(failure),
            Ok(_asking) => self.exchange(url, ask, &mut spent).await,
        };
        metrics::FETCHER_FETCH_SECONDS.observe(spent.as_secs_f64());
        count(ask.kind, &answer);
        let latency_ms = u32::try_from(spent.as_millis()).unwrap_or(u32::MAX);
        answer.map(|answer| Answer { latency_ms, ..answer })
    }

    /// Posts a form. The answer's body is not read.
    pub(crate) async fn post(
        &self,
        url: &CanonicalUrl,
        form: &str,
        allowed: Duration,
    ) -> Result<Answer, Failure> {
        let post = async {
            let _asking = self.asking(url).await?;
            let mut spent = Duration::ZERO;
            let request = self.http.post(url.as_str()).body(form.to_owned());
            let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            let sent = timed(self.timeout.min(allowed), &mut spent, request.send()).await?;
            let mut response = sent.map_err(|error| failure_of(error, self.resolver.is_none()))?;
            Ok(self.head(&mut response))
        };
        let answer = post.await;
        count(Asked::Hub, &answer);
        answer
    }

    /// The right to ask the host's address now. Literals never reach the resolver.
    async fn asking(&self, url: &CanonicalUrl) -> Result<Option<Asking>, Failure> {
        if let Some(address) = crawl::refused_literal(url).filter(|_| !self.allow_private) {
            return Err(Failure::AddressRefused(address));
        }
        let Some(resolver) = &self.resolver else { return Ok(None) };
        let host = url.host();
        let literal = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host).parse();
        let address = match literal {
            Ok(address) => Some(address),
            // Whoever shares the least shares the machine, in whatever order the DNS names them.
            Err(_) => resolver.look_up(host).await.map_err(failure_of_name)?.into_iter().min(),
        };
        let asking = address.map(|address| self.addresses.ask(address).ok_or(Failure::AddressBusy(address)));
        asking.transpose()
    }

    async fn exchange(
        &self,
        url: &CanonicalUrl,
        ask: Ask<'_>,
        spent: &mut Duration,
    ) -> Result<Answer, Failure> {
        let failed = |error| failure_of(error, self.resolver.is_none());
        let (cap, allowed) = (ask.cap, self.timeout.min(ask.allowed));
        let mut request = self.http.get(url.as_str());
        for (name, value) in conditions(ask.known) {
            request = request.header(name, value);
        }
        let mut response = timed(allowed, spent, request.send()).await?.map_err(failed)?;
        let mut answer = self.head(&mut response);
        // The bodies of errors and redirects are of no use: the connection is worth less than the time.
        if !response.status().is_success() {
            return Ok(answer);
        }
        let mut reserved = self.memory.body(cap).await;
        let look_at = if ask.kind == Asked::Page { FIRST_LOOK_BYTES } else { usize::MAX };
        let look = Look { headers: &answer.headers, at: look_at, seen: None };
        let body = timed(allowed, spent, read_body(&mut response, cap, look)).await?.map_err(failed)?;
        if let Some(kind) = body.kind.filter(|kind| is_hopeless(*kind)) {
            return Err(Failure::Unsupported(kind.as_str()));
        }
        (answer.body, answer.body_kind, answer.is_cut) = (body.bytes, body.kind, body.is_cut);
        reserved.shrink_to(answer.body.len());
        answer.reserved = Some(reserved);
        Ok(answer)
    }

    /// An answer, its body not read yet.
    fn head(&self, response: &mut reqwest::Response) -> Answer {
        Answer {
            status: response.status().as_u16(),
            version: response.version(),
            address: response.remote_addr().map(|at| at.ip()).filter(|_| self.resolver.is_some()),
            headers: std::mem::take(response.headers_mut()),
            body: Bytes::new(),
            body_kind: None,
            is_cut: false,
            latency_ms: 0,
            reserved: None,
        }
    }
}

/// What is sent so that the server answers only with what is not had already.
pub(crate) fn conditions(known: &Validators) -> impl Iterator<Item = (HeaderName, &str)> {
    let Validators { etag, last_modified } = known;
    let named = [(IF_NONE_MATCH, etag.as_str()), (IF_MODIFIED_SINCE, last_modified.as_str())];
    named.into_iter().filter(|(_, value)| !value.is_empty())
}

/// Waits for `work` for what is left of `allowed`, and adds what it takes to `spent`.
async fn timed<T>(
    allowed: Duration,
    spent: &mut Duration,
    work: impl Future<Output = T>,
) -> Result<T, Failure> {
    let started = Instant::now();
    let done = tokio::time::timeout(allowed.saturating_sub(*spent), work).await;
    *spent += started.elapsed();
    done.map_err(|_| Failure::Timeout)
}

/// A body as it was read.
struct Body {
    bytes: Bytes,
    kind: Option<Kind>,
    /// Whether there was more than the cap allows.
    is_cut: bool,
}

/// Looks what a body is while it is read.
struct Look<'a> {
    headers: &'a HeaderMap,
    /// With so many bytes.
    at: usize,
    seen: Option<Kind>,
}

impl Look<'_> {
    /// What the body is, as soon as as much of it is to be seen as telling takes.
    fn at(&mut self, body: &[u8]) -> Option<Kind> {
        if self.seen.is_none() && body.len() >= self.at {
            self.at = self.at.saturating_mul(LOOK_AGAIN);
            let named = |name| header(self.headers, name).unwrap_or_default();
            let start = inflate_start(named(CONTENT_ENCODING), body, SNIFFED_BYTES);
            self.seen = (start.len() == SNIFFED_BYTES).then(|| sniff(named(CONTENT_TYPE), &start));
        }
        self.seen
    }
}

/// Whether no article is in it, nor a way to one.
fn is_hopeless(kind: Kind) -> bool {
    matches!(kind, Kind::Pdf | Kind::Media | Kind::Binary)
}

/// A body, to its end, to `cap` bytes, or to where it is seen to be hopeless.
async fn read_body(
    response: &mut reqwest::Response,
    cap: usize,
    mut look: Look<'_>,
) -> reqwest::Result<Body> {
    // What is said of the length is believed as far as it costs little.
    let said = response.content_length().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(0);
    let mut body = Vec::with_capacity(said.min(cap).min(MAX_BELIEVED_BYTES));
    let mut is_cut = false;
    while let Some(chunk) = response.chunk().await? {
        let room = cap - body.len();
        if body.capacity() - body.len() < chunk.len() {
            // Grown as a vector grows, but never beyond what is reserved.
            body.reserve_exact(body.len().max(chunk.len()).min(room));
        }
        body.extend_from_slice(chunk.get(..room).unwrap_or(&chunk));
        is_cut = chunk.len() > room;
        if is_cut || look.at(&body).is_some_and(is_hopeless) {
            break;
        }
    }
    body.shrink_to_fit();
    Ok(Body { bytes: body.into(), kind: look.seen, is_cut })
}

fn proxy_at(address: &str) -> Result<Proxy, ConfigError> {
    // It may hold credentials.
    let shown = address.rsplit_once('@').map_or(address.to_owned(), |(_, rest)| format!("…@{rest}"));
    let failed = |cause: String| ConfigError::Proxy { proxy: shown.clone(), cause };
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
            Some(unresolved) => return failure_of_name(unresolved.clone()),
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

fn failure_of_name(unresolved: Unresolved) -> Failure {
    match unresolved {
        Unresolved::NoSuchHost => Failure::NoSuchHost,
        Unresolved::Refused(address) => Failure::AddressRefused(address),
        Unresolved::Dns(cause) => Failure::Dns(cause),
    }
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
    let class = match answer {
        Ok(answer) => match answer.status {
            100..=199 => "1xx",
            200..=299 => "2xx",
            300..=399 => "3xx",
            429 => "429",
            400..=499 => "4xx",
            _ => "5xx",
        },
        Err(failure) => failure.reason(),
    };
    let kind = match asked {
        Asked::Page => "page",
        Asked::Robots => "robots",
        Asked::Hub => "hub",
    };
    metrics::FETCHER_REQUESTS.with_label_values(&[kind, class]).inc();
    match answer {
        Ok(answer) => metrics::FETCHER_RECEIVED_BYTES.inc_by(answer.body.len() as u64),
        Err(Failure::AddressRefused(_)) => metrics::FETCHER_SSRF_BLOCKED.inc(),
        Err(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        net::TcpListener,
        sync::mpsc::channel,
        thread,
    };

    use super::*;

    #[test]
    fn a_form_is_posted_to_no_private_address() {
        let client = Client::new(&Config::default()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let hub = CanonicalUrl::parse("http://127.0.0.1:1/").unwrap();
        let answer = runtime.block_on(client.post(&hub, "a=b", Duration::from_secs(5)));
        assert!(matches!(answer, Err(Failure::AddressRefused(_))), "{answer:?}");
    }

    #[test]
    fn a_body_is_read_when_there_is_room_and_waiting_is_not_held_against_the_host() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = CanonicalUrl::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
        let (told, answered) = channel();
        thread::spawn(move || {
            let mut stream = listener.accept().unwrap().0;
            let _ = stream.read(&mut [0; 4096]).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 4096\r\n\r\n").unwrap();
            stream.write_all(&[b'a'; 4096]).unwrap();
            told.send(()).unwrap();
        });
        let config = Config {
            allow_private: true,
            timeout: Duration::from_secs(1),
            max_body_bytes: 8 << 20,
            max_in_flight_bytes: 9 << 20,
            ..Config::default()
        };
        let client = Client::new(&config).unwrap();
        let all = client.memory.free_units();
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let others = runtime.block_on(client.memory.body(2 << 20));
        let asking = client.clone();
        let mut answer = runtime.spawn(async move {
            let known = &Validators::default();
            let allowed = Duration::from_secs(60);
            asking.get(&url, Ask { kind: Asked::Page, cap: 8 << 20, allowed, known }).await
        });
        answered.recv().unwrap();
        let waited =
            runtime.block_on(async { tokio::time::timeout(config.timeout * 3 / 2, &mut answer).await });
        assert!(waited.is_err(), "there is no room for the longest body");
        drop(others);
        let answer = runtime.block_on(answer).unwrap().unwrap();
        assert_eq!((answer.body.len(), client.memory.free_units()), (4096, all - 4));
        assert!(Duration::from_millis(answer.latency_ms.into()) < config.timeout);
        drop(answer);
        assert_eq!(client.memory.free_units(), all);
    }
}
