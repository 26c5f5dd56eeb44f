//! Bodies that are not what they are said to be, or far more, each case by name.

use std::{
    io::{self, Write},
    net::TcpStream,
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use fetcher::Config;
use wire::{Request, Watch};

use super::{
    config, fetch, request,
    run::{Ended, fetch_until},
    server::{Host, Reply, Then},
};

const ENCODINGS: [&str; 3] = ["gzip", "br", "zstd"];
const MEGABYTE: usize = 1 << 20;

fn packed(encoding: &str, text: &[u8]) -> Vec<u8> {
    match encoding {
        "gzip" => {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(text).unwrap();
            encoder.finish().unwrap()
        }
        "br" => {
            let mut out = Vec::new();
            brotli::CompressorWriter::new(&mut out, 4096, 1, 20).write_all(text).unwrap();
            out
        }
        "zstd" => zstd::encode_all(text, 1).unwrap(),
        _ => text.to_vec(),
    }
}

/// What inflates to `start` and then blanks: a gigabyte where that can be had by repetition (RFC 1952 section 2.2 and
/// RFC 8878 section 3.1 let members follow each other), 16 MB in brotli.
fn bomb(encoding: &str, start: &[u8]) -> Vec<u8> {
    static BLANKS: LazyLock<Vec<u8>> = LazyLock::new(|| vec![b' '; 16 * MEGABYTE]);
    static GZIP: LazyLock<Vec<u8>> = LazyLock::new(|| packed("gzip", &BLANKS).repeat(64));
    static ZSTD: LazyLock<Vec<u8>> = LazyLock::new(|| packed("zstd", &BLANKS).repeat(64));
    match encoding {
        "br" => packed("br", &[start, &BLANKS].concat()),
        "zstd" => [packed("zstd", start), ZSTD.clone()].concat(),
        _ => [packed("gzip", start), GZIP.clone()].concat(),
    }
}

fn encoded(content_type: &str, encoding: &str, body: &[u8]) -> Reply {
    Reply::of(200, content_type, body).with("Content-Encoding", encoding)
}

fn serve(n: u8, replies: Vec<(String, Reply)>) -> (Host, Vec<String>) {
    let paths: Vec<String> = replies.iter().map(|(path, _)| path.clone()).collect();
    let host =
        Host::start(n, move |path| replies.iter().find(|(of, _)| of == path).map(|(_, reply)| reply.clone()));
    let urls = paths.iter().map(|path| host.url(path)).collect();
    (host, urls)
}

fn fetch_all(config: &Config, urls: &[String]) -> Ended {
    fetch(config, &urls.iter().map(|url| request(url)).collect::<Vec<_>>())
}

const FEED: &[u8] = b"<rss version=\"2.0\"><channel></channel></rss>";

#[test]
fn truncated_pages_travel_as_they_were_sent() {
    let page = b"<!doctype html><p>The ferry is back.</p>".repeat(100);
    let torn = |encoding: &str| {
        let whole = packed(encoding, &page);
        whole[..whole.len() - 9].to_vec()
    };
    let replies = ENCODINGS.map(|e| (format!("/{e}"), encoded("text/html", e, &torn(e))));
    let (_host, urls) = serve(110, replies.into());
    let ended = fetch_all(&config(), &urls);
    for (url, encoding) in urls.iter().zip(ENCODINGS) {
        assert_eq!(ended.body(url), torn(encoding), "the extractor judges them: {encoding}");
    }
}

#[test]
fn truncated_lists_are_dead_letters() {
    let feed = [FEED, &b"<!-- and more -->".repeat(1000)].concat();
    let torn = |encoding: &str| {
        let whole = packed(encoding, &feed);
        whole[..whole.len() - 9].to_vec()
    };
    let mut replies: Vec<_> =
        ENCODINGS.iter().map(|e| (format!("/{e}"), encoded("application/rss+xml", e, &torn(e)))).collect();
    replies.push(("/sitemap.xml.gz".to_owned(), Reply::of(200, "application/gzip", &torn("gzip"))));
    let (_host, urls) = serve(111, replies);
    let ended = fetch_all(&config(), &urls);
    for url in &urls {
        assert_eq!(ended.reason(url), "unreadable", "{}", ended.detail(url));
    }
}

#[test]
fn bombs_as_pages_are_not_inflated() {
    let config = Config { max_body_bytes: 2 * MEGABYTE, ..config() };
    let bombs = ENCODINGS.map(|e| (e, bomb(e, b"<!doctype html><p>")));
    let replies = bombs.clone().map(|(e, bomb)| (format!("/{e}"), encoded("text/html", e, &bomb)));
    let (_host, urls) = serve(112, replies.into());
    let ended = fetch_all(&config, &urls);
    for (url, (encoding, bomb)) in urls.iter().zip(bombs) {
        assert!(ended.body(url) == bomb, "{encoding}");
    }
    assert!(ended.body(&urls[0]).len() > 1_000_000, "a megabyte that would be a thousand");
}

#[test]
fn bombs_as_lists() {
    let config = Config { max_body_bytes: 2 * MEGABYTE, max_list_bytes: MEGABYTE, ..config() };
    let mut replies = Vec::new();
    for e in ENCODINGS {
        replies.push((format!("/{e}-feed"), encoded("application/rss+xml", e, &bomb(e, b"<rss>"))));
        replies.push((format!("/{e}-sitemap"), encoded("application/xml", e, &bomb(e, b"<urlset>"))));
    }
    let (_host, urls) = serve(113, replies);
    let ended = fetch_all(&config, &urls);
    for url in &urls {
        assert_eq!(ended.reason(url), "too_large", "{}", ended.detail(url));
    }
}

#[test]
fn nested_bombs() {
    let config = Config { max_body_bytes: 2 * MEGABYTE, max_list_bytes: 2 * MEGABYTE, ..config() };
    let inner = bomb("gzip", b"<urlset>");
    let thrice = packed("gzip", &packed("gzip", &inner));
    let mut replies: Vec<_> = ENCODINGS
        .iter()
        .map(|e| (format!("/{e}.xml.gz"), encoded("application/gzip", e, &packed(e, &inner))))
        .collect();
    replies.push(("/thrice.xml.gz".to_owned(), Reply::of(200, "application/gzip", &thrice)));
    let (_host, urls) = serve(114, replies);
    let ended = fetch_all(&config, &urls);
    for url in &urls[..3] {
        assert_eq!(ended.reason(url), "too_large", "{}", ended.detail(url));
    }
    assert_eq!(ended.reason(&urls[3]), "unsupported", "{}", ended.detail(&urls[3]));
}

#[test]
fn a_robots_txt_that_is_a_bomb() {
    let bomb = bomb("gzip", b"User-agent: *\nDisallow: /private\n");
    let host = Host::start(115, move |path| match path {
        "/robots.txt" => Some(encoded("text/plain", "gzip", &bomb)),
        path => Some(Reply::html(path)),
    });
    let ended = fetch_all(&config(), &["/private", "/open"].map(|path| host.url(path)));
    assert_eq!(ended.reason(&host.url("/private")), "robots_denied");
    assert_eq!(ended.body(&host.url("/open")), b"/open");
}

#[test]
fn types_that_lie() {
    let binary: Vec<u8> = (0..5000_u32).map(|n| (n % 7) as u8).collect();
    let cases: [(&str, Vec<u8>, &str); 8] = [
        ("/pdf", b"%PDF-1.7 ...".to_vec(), "a PDF document"),
        ("/jpeg", b"\xff\xd8\xff\xe0 ...".to_vec(), "media"),
        ("/png", b"\x89PNG\r\n\x1a\n ...".to_vec(), "media"),
        ("/film", b"\0\0\0\x20ftypisom ...".to_vec(), "media"),
        ("/sound", b"ID3\x03 ...".to_vec(), "media"),
        ("/zip", b"PK\x03\x04 ...".to_vec(), "data"),
        ("/binary", binary, "data"),
        ("/gzip", packed("gzip", b"\x7fELF\x02\x01\x01\0\0"), "data"),
    ];
    let replies = cases.iter().map(|(path, body, _)| ((*path).to_owned(), Reply::of(200, "text/html", body)));
    let (_host, urls) = serve(116, replies.collect());
    let ended = fetch_all(&config(), &urls);
    for (url, (path, _, what)) in urls.iter().zip(&cases) {
        assert_eq!(ended.reason(url), "unsupported", "{path}");
        assert!(ended.detail(url).contains(&format!("the answer is {what}")), "{}", ended.detail(url));
    }
}

#[test]
fn what_is_no_page_is_not_read_to_its_end() {
    const STARTS: [(&str, &[u8]); 4] =
        [("", b"%PDF-1.7\n"), ("", b"\xff\xd8\xff\xe0"), ("", b"PK\x03\x04"), ("gzip", b"\x89PNG\r\n\x1a\n")];
    for (n, (encoding, start)) in (117..).zip(STARTS) {
        let start = packed(encoding, &[start, &noise(64 * 1024)].concat());
        let host = Host::wild(n, move |path, stream: &mut TcpStream| {
            if path == "/robots.txt" {
                Reply::status(404).with("Connection", "close").say(stream)?;
                return Ok(Then::HangUp);
            }
            let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: ";
            write!(stream, "{head}{encoding}\r\nContent-Length: 99999\r\n\r\n")?;
            stream.write_all(&start)?;
            // The rest never comes: who waits for it, waits in vain.
            io::Read::read(stream, &mut [0])?;
            Ok(Then::HangUp)
        });
        let config = Config { timeout: Duration::from_secs(20), max_attempts: 1, ..config() };
        let ended = fetch(&config, &[request(&host.url("/1"))]);
        assert_eq!(ended.reason(&host.url("/1")), "unsupported", "{}", ended.detail(&host.url("/1")));
    }
}

/// Bytes that no encoding makes smaller.
fn noise(bytes: usize) -> Vec<u8> {
    let step = |state: &mut u64| {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        Some(*state as u8)
    };
    std::iter::repeat_n((), bytes).scan(0x9e37_79b9_7f4a_7c15, |state, ()| step(state)).collect()
}

#[test]
fn what_is_had_is_asked_for_by_its_etag() {
    let calls = AtomicU32::new(0);
    let feed = b"<rss version=\"2.0\"><channel></channel></rss>";
    let host = Host::start(133, move |path| match path {
        "/robots.txt" => None,
        _ if calls.fetch_add(1, Ordering::SeqCst) == 0 => {
            Some(Reply::of(200, "application/rss+xml", feed).with("ETag", "\"v1\""))
        }
        _ => Some(Reply::status(304)),
    });
    let watch = Watch { min_interval_ms: 50, max_interval_ms: 50, ..Watch::default() };
    let watched = Request { watch: Some(watch), ..request(&host.url("/feed")) };
    // Nobody waits for a list: the run would end after its first reading.
    let waiting = request("http://127.0.0.134:1/");
    fetch_until(&config(), &[watched, waiting], || host.targets().len() > 2);
    let asked_for: Vec<bool> = host
        .seen()
        .iter()
        .map(|seen| seen.headers.iter().any(|header| header.eq_ignore_ascii_case("if-none-match: \"v1\"")))
        .collect();
    assert_eq!(asked_for[..3], [false, true, true], "{:?}", host.seen());
}
