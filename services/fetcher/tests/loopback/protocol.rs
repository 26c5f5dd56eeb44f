//! Hosts that do not keep to HTTP/1.1, or to its spirit, each case by name.

use std::{
    collections::HashSet,
    io::{self, Write},
    net::TcpStream,
    sync::Mutex,
    time::Duration,
};

use fetcher::Config;

use super::{
    config, fetch, request,
    run::Ended,
    server::{Host, Reply, Then, tick},
};

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n";
const EVERY: Duration = Duration::from_millis(20);

fn impatient() -> Config {
    Config { timeout: Duration::from_millis(400), max_attempts: 2, ..config() }
}

/// One that has no robots.txt, and answers everything else by `speak`.
fn host(n: u8, speak: impl Fn(&mut TcpStream) -> io::Result<()> + Send + Sync + 'static) -> Host {
    Host::wild(n, move |path, stream| {
        match path {
            "/robots.txt" => Reply::status(404).with("Connection", "close").say(stream)?,
            _ => speak(stream)?,
        }
        Ok(Then::HangUp)
    })
}

/// Asks the host for one page: how it ended, and how often it was asked for.
fn ask(host: &Host) -> (Ended, String, usize) {
    let url = host.url("/story");
    let ended = fetch(&impatient(), &[request(&url)]);
    let asked = host.targets().len();
    (ended, url, asked)
}

/// Writes the same over and over while the client listens.
fn drip(stream: &mut TcpStream, piece: &[u8]) -> io::Result<()> {
    while tick(stream, EVERY)? {
        stream.write_all(piece)?;
    }
    Ok(())
}

fn flood(stream: &mut TcpStream, piece: &[u8]) -> io::Result<()> {
    loop {
        stream.write_all(piece)?;
    }
}

#[test]
fn slow_headers() {
    let host = host(60, |stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nX-Slow: ")?;
        drip(stream, b"a")
    });
    let (ended, url, asked) = ask(&host);
    assert_eq!((ended.reason(&url), asked), ("timeout", 2));
}

#[test]
fn slow_bodies_byte_by_byte() {
    let host = host(61, |stream| {
        stream.write_all(OK)?;
        stream.write_all(b"Content-Length: 5000\r\n\r\n<html>")?;
        drip(stream, b"a")
    });
    let (ended, url, asked) = ask(&host);
    assert_eq!((ended.reason(&url), asked), ("timeout", 2));
}

#[test]
fn endless_bodies() {
    let chunked = host(62, |stream| {
        stream.write_all(OK)?;
        stream.write_all(b"Transfer-Encoding: chunked\r\n\r\n")?;
        flood(stream, b"6\r\n<html>\r\n")
    });
    let unmeasured = host(63, |stream| {
        stream.write_all(OK)?;
        stream.write_all(b"\r\n")?;
        flood(stream, &[b'a'; 1000])
    });
    for host in [chunked, unmeasured] {
        let (ended, url, asked) = ask(&host);
        assert_eq!((ended.reason(&url), asked), ("too_large", 1));
    }
}

#[test]
fn a_content_length_that_is_too_long() {
    let host = host(64, |stream| {
        stream.write_all(OK)?;
        stream.write_all(b"Content-Length: 5000\r\n\r\n<html>half")
    });
    let (ended, url, asked) = ask(&host);
    assert_eq!((ended.reason(&url), asked), ("connection", 2), "half a page is none");
}

#[test]
fn a_content_length_that_is_too_short() {
    let host = Host::wild(65, |path, stream| {
        let reply = match path {
            "/robots.txt" => Reply::status(404),
            "/short" => {
                stream.write_all(OK)?;
                stream.write_all(b"Content-Length: 6\r\n\r\n<html> and more")?;
                stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nsmuggled!")?;
                return Ok(Then::Listen);
            }
            _ => Reply::html("its own"),
        };
        reply.say(stream)?;
        Ok(Then::Listen)
    });
    let urls = ["/short", "/next"].map(|path| host.url(path));
    let ended = fetch(&impatient(), &urls.clone().map(|url| request(&url)));
    assert_eq!(ended.body(&urls[0]), b"<html>");
    assert_eq!(ended.body(&urls[1]), b"its own", "the rest of one answer is not the next one");
}

#[test]
fn two_content_lengths() {
    let host = host(66, |stream| {
        stream.write_all(OK)?;
        stream.write_all(b"Content-Length: 6\r\nContent-Length: 9\r\n\r\n<html>abc")
    });
    let (ended, url, _) = ask(&host);
    assert_eq!(ended.reason(&url), "connection");
}

#[test]
fn headers_without_end() {
    let host = host(67, |stream| {
        stream.write_all(OK)?;
        flood(stream, b"X-More: and more\r\n")
    });
    let (ended, url, asked) = ask(&host);
    assert_eq!((ended.reason(&url), asked), ("connection", 2));
}

#[test]
fn ten_thousand_headers() {
    let host = host(68, |stream| {
        stream.write_all(OK)?;
        let headers: String = (0..10_000).map(|n| format!("X-{n}: {n}\r\n")).collect();
        stream.write_all(headers.as_bytes())?;
        stream.write_all(b"Content-Length: 6\r\n\r\n<html>")
    });
    let (ended, url, asked) = ask(&host);
    assert_eq!((ended.reason(&url), asked), ("connection", 2));
}

#[test]
fn huge_header_values() {
    let of = |bytes: usize| {
        move |stream: &mut TcpStream| {
            stream.write_all(OK)?;
            stream.write_all(format!("ETag: \"{}\"\r\n", "a".repeat(bytes)).as_bytes())?;
            stream.write_all(b"Content-Length: 6\r\n\r\n<html>")
        }
    };
    let (ended, url, _) = ask(&host(69, of(1 << 20)));
    assert_eq!(ended.reason(&url), "connection");
    let (ended, url, _) = ask(&host(70, of(100_000)));
    assert_eq!(ended.body(&url), b"<html>");
    assert!(ended.page(&url).response.as_ref().unwrap().headers.is_empty(), "it is not carried along");
}

#[test]
fn no_status_line() {
    let beginnings: [&'static [u8]; 4] =
        [b"<html>a page of 1991", b"\0\0\x01\x02", b"HTTP/1.1 abc\r\n\r\n", b"\r\n\r\n\r\n"];
    for (n, beginning) in (71..).zip(beginnings) {
        let (ended, url, asked) = ask(&host(n, move |stream| stream.write_all(beginning)));
        assert_eq!((ended.reason(&url), asked), ("connection", 2), "{beginning:?}");
    }
}

#[test]
fn chunked_garbage() {
    let bodies: [&'static [u8]; 4] = [
        b"zz\r\n<html>\r\n0\r\n\r\n",
        b"ffffffffffffffffff\r\n<html>\r\n",
        b"6\r\n<html>0\r\n\r\n",
        b"6\r\n<html>\r\n",
    ];
    for (n, body) in (75..).zip(bodies) {
        let host = host(n, move |stream| {
            stream.write_all(OK)?;
            stream.write_all(b"Transfer-Encoding: chunked\r\n\r\n")?;
            stream.write_all(body)
        });
        let (ended, url, asked) = ask(&host);
        assert_eq!((ended.reason(&url), asked), ("connection", 2), "{body:?}");
    }
}

#[test]
fn keep_alives_that_are_closed_after_the_answer() {
    let host = Host::wild(80, |path, stream| {
        match path {
            "/robots.txt" => Reply::status(404).say(stream)?,
            // Nothing says that the connection will be closed.
            path => Reply::html(path).say(stream)?,
        }
        Ok(Then::HangUp)
    });
    let urls = ["/1", "/2", "/3"].map(|path| host.url(path));
    let ended = fetch(&impatient(), &urls.clone().map(|url| request(&url)));
    assert_eq!(ended.pages.len(), 3);
}

#[test]
fn keep_alives_that_are_closed_at_the_next_request() {
    let asked_before = Mutex::new(HashSet::new());
    let host = Host::wild(81, move |path, stream| {
        if path == "/robots.txt" {
            Reply::status(404).say(stream)?;
        } else if asked_before.lock().unwrap().insert(path.to_owned()) {
            return Ok(Then::HangUp);
        } else {
            Reply::html(path).say(stream)?;
        }
        Ok(Then::Listen)
    });
    let urls = ["/1", "/2", "/3"].map(|path| host.url(path));
    let ended = fetch(&impatient(), &urls.clone().map(|url| request(&url)));
    assert_eq!(ended.pages.len(), 3);
    // The delay is of 20 ms, by a clock of whole milliseconds.
    for pair in host.seen().windows(2) {
        let pause = pair[1].at - pair[0].at;
        assert!(pause >= Duration::from_millis(19), "asked again without its delay, after {pause:?}");
    }
}
