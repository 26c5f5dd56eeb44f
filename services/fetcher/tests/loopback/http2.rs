//! TLS and HTTP/2, agreed on in the handshake (ALPN), with an authority of one's own; and servers that break off.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use fetcher::Config;
use h2::Reason;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

use super::{config, fetch, request, run::Ended};

/// What the client agreed to, the paths it asked for then, and when.
type Seen = Arc<Mutex<Vec<(Option<Vec<u8>>, String, Instant)>>>;

/// What a host does with a request for a page.
#[derive(Debug, Clone, Copy)]
enum Does {
    Answer,
    /// RST_STREAM.
    Reset(Reason),
    /// RST_STREAM in the middle of the body.
    ResetLater(Reason),
    /// GOAWAY after the answer: the connection is over.
    AnswerAndLeave,
    /// GOAWAY instead of an answer.
    Leave(Reason),
}

struct Host {
    address: SocketAddr,
    certificate: String,
    seen: Seen,
}

impl Host {
    /// With a certificate for `name` that ends with `year`. What it does with a request is by its path, and by how often
    /// that was asked for before.
    fn start(
        ip: &str,
        name: &str,
        year: i32,
        does: impl Fn(&str, usize) -> Does + Send + Sync + 'static,
    ) -> Self {
        let key = KeyPair::generate().unwrap();
        let mut certificate = CertificateParams::new(vec![name.to_owned()]).unwrap();
        certificate.not_after = date_time_ymd(year, 12, 31);
        let certificate = certificate.self_signed(&key).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let mut tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)
            .unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let host = Self {
            address: listener.local_addr().unwrap(),
            certificate: certificate.pem(),
            seen: Seen::default(),
        };
        let seen = host.seen.clone();
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(serve(listener, TlsAcceptor::from(Arc::new(tls)), seen, Arc::new(does)));
        });
        host
    }

    fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.address)
    }

    /// Fetches pages of it, its certificate trusted.
    fn fetch(&self, paths: &[&str]) -> Ended {
        let folder = tempfile::tempdir().unwrap();
        let authority = folder.path().join("authority.pem");
        std::fs::write(&authority, &self.certificate).unwrap();
        let requests: Vec<_> = paths.iter().map(|path| request(&self.url(path))).collect();
        fetch(&Config { extra_ca: Some(authority), ..config() }, &requests)
    }

    /// Pages asked for; each after its delay, whatever the protocol thinks of asking again.
    fn asked(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap().clone();
        let pages: Vec<_> = seen.iter().filter(|(_, path, _)| path != "/robots.txt").collect();
        for pair in pages.windows(2) {
            let pause = pair[1].2 - pair[0].2;
            assert!(
                pause >= config().delay - Duration::from_millis(2),
                "asked again after {pause:?}: {seen:?}"
            );
        }
        pages.iter().map(|(_, path, _)| path.clone()).collect()
    }
}

#[test]
fn a_host_that_speaks_http2_is_asked_in_http2() {
    let host = Host::start("127.0.0.50", "127.0.0.50", 4000, |_, _| Does::Answer);
    assert_eq!(host.fetch(&["/story"]).body(&host.url("/story")), b"<html>by HTTP/2</html>");
    let seen = host.seen.lock().unwrap();
    let seen: Vec<_> = seen.iter().map(|(agreed, path, _)| (agreed.as_deref(), path.as_str())).collect();
    assert_eq!(seen, [(Some(&b"h2"[..]), "/robots.txt"), (Some(b"h2"), "/story")]);
}

#[test]
fn goaway_after_an_answer() {
    let host = Host::start("127.0.0.51", "127.0.0.51", 4000, |_, _| Does::AnswerAndLeave);
    assert_eq!(host.fetch(&["/1", "/2", "/3"]).pages.len(), 3);
    // An answer may be lost with its connection: then it was asked for again.
    assert!(host.asked().len() >= 3);
}

#[test]
fn goaway_instead_of_an_answer() {
    for (ip, reason) in [
        ("127.0.0.52", Reason::NO_ERROR),
        ("127.0.0.53", Reason::ENHANCE_YOUR_CALM),
        ("127.0.0.54", Reason::INTERNAL_ERROR),
    ] {
        breaks_off(ip, Does::Leave(reason));
    }
}

#[test]
fn rst_stream() {
    for (ip, reason) in [
        ("127.0.0.55", Reason::REFUSED_STREAM),
        ("127.0.0.56", Reason::CANCEL),
        ("127.0.0.57", Reason::PROTOCOL_ERROR),
    ] {
        breaks_off(ip, Does::Reset(reason));
        breaks_off(ip, Does::ResetLater(reason));
    }
}

/// One page is had at the second attempt, the other is given up after the last.
fn breaks_off(ip: &str, does: Does) {
    let answers_later =
        move |path: &str, before| if path == "/1" && before > 0 { Does::Answer } else { does };
    let host = Host::start(ip, ip, 4000, answers_later);
    let ended = host.fetch(&["/1", "/2"]);
    assert_eq!(ended.body(&host.url("/1")), b"<html>by HTTP/2</html>", "{does:?}");
    assert_eq!(ended.reason(&host.url("/2")), "connection", "{does:?}");
    assert_eq!(host.asked().len(), 5, "{does:?}");
}

#[test]
fn a_certificate_of_nobody() {
    let url = Host::start("127.0.0.58", "127.0.0.58", 4000, |_, _| Does::Answer).url("/1");
    assert_eq!(fetch(&config(), &[request(&url)]).reason(&url), "tls");
}

#[test]
fn a_certificate_of_another() {
    let host = Host::start("127.0.0.59", "harbour.example", 4000, |_, _| Does::Answer);
    let ended = host.fetch(&["/1"]);
    assert_eq!(ended.reason(&host.url("/1")), "tls");
    assert!(ended.detail(&host.url("/1")).contains("extra_ca"), "it says the way out: {ended:?}");
}

#[test]
fn a_certificate_that_has_expired() {
    let host = Host::start("127.0.0.49", "127.0.0.49", 2020, |_, _| Does::Answer);
    assert_eq!(host.fetch(&["/1"]).reason(&host.url("/1")), "tls");
    assert_eq!(host.asked(), [""; 0]);
}

async fn serve(
    listener: TcpListener,
    tls: TlsAcceptor,
    seen: Seen,
    does: Arc<impl Fn(&str, usize) -> Does + Send + Sync + 'static>,
) {
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (tls, seen, does) = (tls.clone(), seen.clone(), does.clone());
        tokio::spawn(async move {
            // A client that does not trust the certificate hangs up.
            let Ok(stream) = tls.accept(stream).await else { return };
            let agreed = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((request, mut reply))) = connection.accept().await {
                let path = request.uri().path().to_owned();
                let before = {
                    let mut seen = seen.lock().unwrap();
                    seen.push((agreed.clone(), path.clone(), Instant::now()));
                    seen.iter().filter(|(_, asked, _)| *asked == path).count() - 1
                };
                let head =
                    |status| http::Response::builder().status(status).header("content-type", "text/html");
                if path == "/robots.txt" {
                    reply.send_response(head(404).body(()).unwrap(), true).unwrap();
                    continue;
                }
                let does = does(&path, before);
                match does {
                    Does::Reset(reason) => {
                        reply.send_reset(reason);
                        continue;
                    }
                    Does::Leave(reason) => {
                        connection.abrupt_shutdown(reason);
                        continue;
                    }
                    _ => {}
                }
                let mut body = reply.send_response(head(200).body(()).unwrap(), false).unwrap();
                if let Does::ResetLater(reason) = does {
                    body.send_data("<html>".into(), false).unwrap();
                    body.send_reset(reason);
                    continue;
                }
                body.send_data("<html>by HTTP/2</html>".into(), true).unwrap();
                if matches!(does, Does::AnswerAndLeave) {
                    connection.graceful_shutdown();
                }
            }
        });
    }
}
