use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use ::http::{HeaderMap, HeaderValue, StatusCode, Version};
use flate2::{Compression, write::GzEncoder};
use proptest::prelude::*;

use super::*;

const NOW_MS: i64 = 1_700_000_000_007;
const CAP: usize = 1 << 20;

fn settings(folder: &Path) -> Settings {
    Settings {
        folder: folder.to_owned(),
        instance: "fetcher-0".to_owned(),
        software: "wireroom/9".to_owned(),
        max_bytes: 1 << 30,
        max_age_ms: 1_000,
    }
}

fn exchange(n: usize) -> Exchange {
    let header = |name: &'static str, value| (name.parse().unwrap(), HeaderValue::from_static(value));
    Exchange {
        url: format!("https://harbour.example/{n}?a=b"),
        at_ms: NOW_MS,
        address: Some("192.0.2.7".parse().unwrap()),
        version: Version::HTTP_2,
        request: HeaderMap::from_iter([header("user-agent", "wireroom/9")]),
        status: StatusCode::OK,
        headers: [
            header("content-type", "text/html"),
            header("transfer-encoding", "chunked"),
            header("set-cookie", "a=b"),
            header("set-cookie", "c=d"),
        ]
        .into_iter()
        .fold(HeaderMap::new(), |mut headers, (name, value)| {
            headers.append::<::http::HeaderName>(name, value);
            headers
        }),
        body: format!("<p>ferry {n}").into(),
        unchanged: None,
        fields: vec![("Wireroom-Seen", format!("{n}"))],
    }
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn read(path: &Path) -> (Vec<Captured>, Option<ReadError>) {
    let (mut captured, mut error) = (Vec::new(), None);
    for next in Reader::open(path, CAP).unwrap() {
        match next {
            Ok(one) => captured.push(one),
            Err(end) => error = Some(end),
        }
    }
    (captured, error)
}

fn urls(captured: &[Captured]) -> Vec<&str> {
    captured.iter().map(|one| one.url.as_str()).collect()
}

/// The records of a file, as text.
fn text(path: &Path) -> String {
    let mut text = String::new();
    let mut gzip = flate2::read::MultiGzDecoder::new(fs::File::open(path).unwrap());
    std::io::Read::read_to_string(&mut gzip, &mut text).unwrap();
    text
}

#[test]
fn what_is_written_is_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(settings(folder.path())).unwrap();
    writer.write(&exchange(1), NOW_MS).unwrap();
    assert_eq!(names(folder.path()), ["wireroom-20231114221320-fetcher-0-1.warc.gz.open"]);
    writer.write(&exchange(2), NOW_MS).unwrap();
    writer.close().unwrap();
    let name = "wireroom-20231114221320-fetcher-0-1.warc.gz";
    assert_eq!(names(folder.path()), [name]);

    let (captured, error) = read(&folder.path().join(name));
    assert!(error.is_none());
    assert_eq!(urls(&captured), ["https://harbour.example/1?a=b", "https://harbour.example/2?a=b"]);
    let first = &captured[0];
    assert_eq!((first.status, first.at_ms, &first.body[..]), (200, Some(NOW_MS), &b"<p>ferry 1"[..]));
    let headers: Vec<_> = first.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(headers, [("content-type", "text/html"), ("set-cookie", "a=b"), ("set-cookie", "c=d")]);
    assert_eq!(
        (first.field("warc-ip-address"), first.field("Wireroom-Seen")),
        (Some("192.0.2.7"), Some("1"))
    );
    assert_eq!(first.field("WARC-Protocol"), Some("h2"));

    let text = text(&folder.path().join(name));
    assert!(text.starts_with("WARC/1.1\r\nWARC-Type: warcinfo\r\n"), "{text}");
    assert!(
        text.contains(
            "\r\n\r\nGET /1?a=b HTTP/1.1\r\nhost: harbour.example\r\nuser-agent: wireroom/9\r\n\r\n"
        )
    );
    assert!(text.contains("\r\n\r\nHTTP/1.1 200 OK\r\ncontent-type: text/html\r\n"), "{text}");
}

#[test]
fn what_has_not_changed_is_a_revisit_that_refers_to_what_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(settings(folder.path())).unwrap();
    for unchanged in [Unchanged::NotModified(NOW_MS - 7), Unchanged::SameBody(NOW_MS - 7)] {
        writer.write(&Exchange { unchanged: Some(unchanged), ..exchange(1) }, NOW_MS).unwrap();
    }
    writer.close().unwrap();
    let path = folder.path().join(&names(folder.path())[0]);
    assert_eq!(read(&path).0, []);
    let text = text(&path);
    for profile in ["server-not-modified", "identical-payload-digest"] {
        assert!(
            text.contains(&format!("WARC-Profile: http://netpreserve.org/warc/1.1/revisit/{profile}\r\n"))
        );
    }
    assert_eq!(text.matches("WARC-Refers-To-Date: 2023-11-14T22:13:20.000Z\r\n").count(), 2);
    assert_eq!(text.matches("WARC-Refers-To-Target-URI: https://harbour.example/1?a=b\r\n").count(), 2);
    assert_eq!((text.matches("WARC-Payload-Digest").count(), text.matches("ferry").count()), (1, 0));
}

#[test]
fn a_file_is_closed_by_size_and_by_age() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(Settings { max_bytes: 1, ..settings(folder.path()) }).unwrap();
    writer.write(&exchange(1), NOW_MS).unwrap();
    writer.write(&exchange(2), NOW_MS).unwrap();
    let closed = |n| format!("wireroom-20231114221320-fetcher-0-{n}.warc.gz");
    assert_eq!(names(folder.path()), [closed(1), closed(2)]);

    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(settings(folder.path())).unwrap();
    writer.write(&exchange(1), NOW_MS).unwrap();
    writer.close_if_old(NOW_MS + 999).unwrap();
    assert_eq!(names(folder.path()), [format!("{}.open", closed(1))]);
    writer.write(&exchange(2), NOW_MS + 1_000).unwrap();
    assert_eq!(
        names(folder.path()),
        [closed(1), "wireroom-20231114221321-fetcher-0-2.warc.gz.open".to_owned()]
    );
}

#[test]
fn a_dead_process_leaves_whole_records_and_a_living_one_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut living = Writer::open(settings(folder.path())).unwrap();
    living.write(&exchange(1), NOW_MS).unwrap();
    let open = folder.path().join(&names(folder.path())[0]);
    let begun = fs::read(&open).unwrap();
    let dead = |name: &str| folder.path().join(format!("wireroom-{name}.warc.gz"));
    let open_at = |path: &PathBuf| PathBuf::from(format!("{}.open", path.display()));
    fs::write(open_at(&dead("torn")), &begun[..begun.len() - 1]).unwrap();
    fs::write(open_at(&dead("whole")), &begun).unwrap();
    fs::write(open_at(&dead("nothing")), &begun[..20]).unwrap();
    fs::write(folder.path().join("others.warc.gz.open"), b"x").unwrap();

    let mut next = Writer::open(settings(folder.path())).unwrap();
    let name = open.file_name().unwrap().to_str().unwrap().to_owned();
    let left = ["others.warc.gz.open", &name, "wireroom-torn.warc.gz", "wireroom-whole.warc.gz"];
    assert_eq!(names(folder.path()), left);
    for name in ["torn", "whole"] {
        let (captured, error) = read(&dead(name));
        assert!(error.is_none());
        assert_eq!(urls(&captured), ["https://harbour.example/1?a=b"], "{name}");
    }
    // The request was torn.
    assert!(!text(&dead("torn")).contains("WARC-Type: request"));
    assert_eq!(fs::read(dead("whole")).unwrap(), begun);

    // Two of the same name share the folder.
    next.write(&exchange(2), NOW_MS).unwrap();
    drop((living, next));
    assert_eq!(names(folder.path()).iter().filter(|name| name.starts_with("wireroom-2")).count(), 2);
}

#[test]
fn what_cannot_be_written_leaves_nothing_behind() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(settings(folder.path())).unwrap();
    fs::remove_dir(folder.path()).unwrap();
    let error = writer.write(&exchange(1), NOW_MS).unwrap_err().to_string();
    assert!(error.contains(&folder.path().display().to_string()), "{error}");
    fs::create_dir(folder.path()).unwrap();
    writer.write(&exchange(1), NOW_MS).unwrap();
    writer.close().unwrap();
    assert_eq!(read(&folder.path().join(&names(folder.path())[0])).0.len(), 1);
}

fn foreign(kind: &str, url: &str, block: &str) -> String {
    format!(
        "WARC/1.0\r\nWARC-Type: {kind}\r\nWARC-Target-URI: {url}\r\nWARC-Date: 2023-11-14T22:13:20Z\r\n\
         content-type: application/http;\r\n msgtype={kind}\r\nContent-Length: {}\r\n\r\n{block}\r\n\r\n",
        block.len()
    )
}

#[test]
fn archives_of_other_crawlers_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nferry\r\n0\r\n\r\n";
    let records = [
        foreign("warcinfo", "", "software: x\r\n"),
        foreign("response", "<https://a.example/1>", chunked),
        foreign("request", "https://a.example/1", "GET /1 HTTP/1.1\r\n\r\n"),
        foreign("response", "dns:a.example", "no http"),
        foreign(
            "response",
            "https://a.example/long",
            &format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(CAP + 1)),
        ),
        foreign("response", "https://a.example/2", "HTTP/1.1 404 Not Found\nA: b\n\nnone"),
    ];
    let whole = records.concat();
    let gzip = |text: &str| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(text.as_bytes()).unwrap();
        gzip.finish().unwrap()
    };
    let by_record: Vec<u8> = records.iter().flat_map(|record| gzip(record)).collect();
    for (name, content) in [
        ("a.warc", whole.clone().into_bytes()),
        ("b.warc.gz", by_record.clone()),
        ("c.warc.gz", gzip(&whole)),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let (captured, error) = read(&path);
        assert!(error.is_none(), "{name}: {error:?}");
        let found: Vec<_> = captured.iter().map(|c| (c.url.as_str(), c.status, &c.body[..])).collect();
        assert_eq!(
            found,
            [("https://a.example/1", 200, &b"ferry"[..]), ("https://a.example/2", 404, b"none")]
        );
        assert_eq!(captured[0].at_ms, Some(1_700_000_000_000));
    }
    for (name, content, records) in [
        ("torn.warc", whole.as_bytes()[..whole.len() - 30].to_vec(), 5),
        ("torn.warc.gz", by_record[..by_record.len() - 30].to_vec(), 5),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        let (captured, error) = read(&path);
        assert_eq!(urls(&captured), ["https://a.example/1"], "{name}");
        assert!(matches!(error, Some(ReadError::Torn(_, n)) if n == records), "{name}: {error:?}");
    }
    fs::write(folder.path().join("no.warc"), "<p>ferry").unwrap();
    assert!(matches!(read(&folder.path().join("no.warc")).1, Some(ReadError::NoRecord(_, 0))));
}

proptest! {
    #[test]
    fn no_bytes_stop_a_reader(noise in prop::collection::vec(any::<u8>(), 0..200), at in 0_usize..600, flip in any::<u8>()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.warc");
        fs::write(&path, &noise).unwrap();
        read(&path);
        let mut damaged = foreign("response", "https://a.example/1", "HTTP/1.1 200 OK\r\nA: b\r\n\r\nferry").into_bytes();
        let at = at % damaged.len();
        damaged[at] ^= flip;
        fs::write(&path, [damaged, noise].concat()).unwrap();
        read(&path);
    }
}

#[test]
fn what_is_erased_leaves_the_others_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(settings(folder.path())).unwrap();
    (0..4).for_each(|n| writer.write(&exchange(n), NOW_MS).unwrap());
    drop(writer);
    let gzip = folder.path().join(&names(folder.path())[0]);
    let plain = folder.path().join("plain.warc");
    let mut text = Vec::new();
    std::io::Read::read_to_end(
        &mut flate2::read::MultiGzDecoder::new(&fs::read(&gzip).unwrap()[..]),
        &mut text,
    )
    .unwrap();
    fs::write(&plain, text).unwrap();
    for path in [gzip, plain] {
        let (before, untouched) = (read(&path).0, fs::read(&path).unwrap());
        assert_eq!(erase(&path, |url| url == "https://other.example/").unwrap(), 0);
        assert_eq!(fs::read(&path).unwrap(), untouched);
        let meant = ["https://harbour.example/1?a=b", "https://harbour.example/3?a=b"];
        assert_eq!(erase(&path, |url| meant.contains(&url)).unwrap(), 4, "two requests and their responses");
        let (after, error) = read(&path);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(after, [before[0].clone(), before[2].clone()]);
        let all = fs::read(&path).unwrap();
        assert!(!String::from_utf8_lossy(&all).contains("ferry 1"));
    }
    assert_eq!(names(folder.path()).len(), 2, "nothing half written is left");
}

#[test]
fn two_who_erase_at_once_both_do() {
    let folder = tempfile::tempdir().unwrap();
    let mut writer = Writer::open(settings(folder.path())).unwrap();
    (0..64).for_each(|n| writer.write(&exchange(n), NOW_MS).unwrap());
    drop(writer);
    let path = folder.path().join(&names(folder.path())[0]);
    std::thread::scope(|scope| {
        for n in 0..8 {
            let url = format!("https://harbour.example/{n}?a=b");
            let path = &path;
            scope.spawn(move || assert_eq!(erase(path, |found| found == url).unwrap(), 2));
        }
    });
    let (left, error) = read(&path);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(left.len(), 64 - 8);
    assert_eq!(names(folder.path()).len(), 1, "nothing half written is left");
}

#[test]
fn a_torn_file_is_not_erased_from() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("torn.warc");
    fs::write(&path, "WARC/1.1\r\nWARC-Target-URI: https://harbour.example/\r\nContent-Length: 9\r\n\r\nabc")
        .unwrap();
    let before = fs::read(&path).unwrap();
    let error = erase(&path, |_| true).unwrap_err().to_string();
    assert!(error.starts_with("nothing is erased: ") && error.contains("torn"), "{error}");
    assert_eq!((fs::read(&path).unwrap(), names(folder.path()).len()), (before, 1));
}
