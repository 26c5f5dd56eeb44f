//! HTTP/2, agreed on in the TLS handshake (ALPN), with an authority of one's own.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex},
    thread,
};

use fetcher::Config;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivateKeyDer},
};

use super::{config, fetch, request};

/// What the client agreed to, and the paths it asked for then.
type Seen = Arc<Mutex<Vec<(Option<Vec<u8>>, String)>>>;

struct Host {
    address: SocketAddr,
    certificate: String,
    seen: Seen,
}

#[test]
fn a_host_that_speaks_http2_is_asked_in_http2() {
    let host = start("127.0.0.50");
    let folder = tempfile::tempdir().unwrap();
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, &host.certificate).unwrap();
    let url = format!("https://{}/story", host.address);
    let ended = fetch(&Config { extra_ca: Some(authority), ..config() }, &[request(&url)]);
    assert_eq!(ended.body(&url), b"<html>by HTTP/2</html>");
    let h2 = Some(b"h2".to_vec());
    assert_eq!(
        *host.seen.lock().unwrap(),
        [(h2.clone(), "/robots.txt".to_owned()), (h2, "/story".to_owned())]
    );
}

#[test]
fn a_certificate_of_nobody_is_refused() {
    let url = format!("https://{}/story", start("127.0.0.51").address);
    assert_eq!(fetch(&config(), &[request(&url)]).reason(&url), "tls");
}

fn start(ip: &str) -> Host {
    let signed = rcgen::generate_simple_self_signed(vec![ip.to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
    let mut tls = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![signed.cert.der().clone()], key)
        .unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let listener = TcpListener::bind((ip, 0)).unwrap();
    let host = Host {
        address: listener.local_addr().unwrap(),
        certificate: signed.cert.pem(),
        seen: Seen::default(),
    };
    let seen = host.seen.clone();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(serve(listener, TlsAcceptor::from(Arc::new(tls)), seen));
    });
    host
}

async fn serve(listener: TcpListener, tls: TlsAcceptor, seen: Seen) {
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (tls, seen) = (tls.clone(), seen.clone());
        tokio::spawn(async move {
            // A client that does not trust the certificate hangs up.
            let Ok(stream) = tls.accept(stream).await else { return };
            let agreed = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
            let mut connection = h2::server::handshake(stream).await.unwrap();
            while let Some(Ok((asked, mut reply))) = connection.accept().await {
                let path = asked.uri().path().to_owned();
                let is_page = path == "/story";
                seen.lock().unwrap().push((agreed.clone(), path));
                let head = http::Response::builder().status(if is_page { 200 } else { 404 });
                let head = head.header("content-type", "text/html").body(()).unwrap();
                let mut body = reply.send_response(head, !is_page).unwrap();
                if is_page {
                    body.send_data("<html>by HTTP/2</html>".into(), true).unwrap();
                }
            }
        });
    }
}
