//! What is written can be read by warcio, on which pywb and its like are built; and the other way round.
//!
//! warcio comes from PyPI, once, into the folder of the build. `make setup` sees to Python.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use archive::warc::{Exchange, Reader, Settings, Unchanged, Writer};
use http::{
    HeaderMap, HeaderValue, StatusCode, Version,
    header::{CONTENT_ENCODING, SET_COOKIE},
};

const WARCIO: &str = "warcio==1.8.1";
const NOW_MS: i64 = 1_700_000_000_007;

#[test]
fn warcio_reads_our_archives_and_we_read_its_own() {
    let python = python_with_warcio();
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        folder: folder.path().to_owned(),
        instance: "fetcher-0".to_owned(),
        software: "wireroom/9".to_owned(),
        max_bytes: 1 << 30,
        max_age_ms: 1_000,
    };
    let mut writer = Writer::open(settings).unwrap();
    let plain = exchange("plain", "<p>ferry");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"<p>crane").unwrap();
    let mut zipped = exchange("zipped", "");
    zipped.headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    zipped.body = gzip.finish().unwrap().into();
    let unchanged = Some(Unchanged::NotModified(NOW_MS - 7));
    let revisit = Exchange { unchanged, status: StatusCode::NOT_MODIFIED, ..exchange("plain", "") };
    for one in [plain, zipped, exchange("empty", ""), revisit] {
        writer.write(&one, NOW_MS).unwrap();
    }
    writer.close().unwrap();
    let ours = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let theirs = folder.path().join("own.warc.gz");

    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/read_and_write.py");
    let read = output(Command::new(python).arg(script).arg(ours).arg(&theirs));
    let expected = r#"
{"type": "warcinfo", "url": null, "date": "2023-11-14T22:13:20.007Z", "refers_to": null, "status": null, "cookies": [], "content": "software: wireroom/9\r\nformat: WARC File Format 1.1\r\nconformsTo: http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\n"}
{"type": "response", "url": "https://harbour.example/plain", "date": "2023-11-14T22:13:20.007Z", "refers_to": null, "status": "200", "cookies": ["a=b", "c=d"], "content": "<p>ferry"}
{"type": "request", "url": "https://harbour.example/plain", "date": "2023-11-14T22:13:20.007Z", "refers_to": null, "status": "/plain", "cookies": [], "content": ""}
{"type": "response", "url": "https://harbour.example/zipped", "date": "2023-11-14T22:13:20.007Z", "refers_to": null, "status": "200", "cookies": ["a=b", "c=d"], "content": "<p>crane"}
{"type": "request", "url": "https://harbour.example/zipped", "date": "2023-11-14T22:13:20.007Z", "refers_to": null, "status": "/zipped", "cookies": [], "content": ""}
{"type": "response", "url": "https://harbour.example/empty", "date": "2023-11-14T22:13:20.007Z", "refers_to": null, "status": "200", "cookies": ["a=b", "c=d"], "content": ""}
{"type": "request", "url": "https://harbour.example/empty", "date": "2023-11-14T22:13:20.007Z", "refers_to": null, "status": "/empty", "cookies": [], "content": ""}
{"type": "revisit", "url": "https://harbour.example/plain", "date": "2023-11-14T22:13:20.007Z", "refers_to": "2023-11-14T22:13:20.000Z", "status": "304", "cookies": ["a=b", "c=d"], "content": ""}
{"type": "request", "url": "https://harbour.example/plain", "date": "2023-11-14T22:13:20.007Z", "refers_to": null, "status": "/plain", "cookies": [], "content": ""}
"#;
    assert_eq!(String::from_utf8(read.stdout).unwrap().trim(), expected.trim());

    let theirs: Vec<_> = Reader::open(&theirs, 1 << 20).unwrap().map(Result::unwrap).collect();
    assert_eq!(theirs.len(), 1);
    assert_eq!((theirs[0].url.as_str(), theirs[0].status), ("https://harbour.example/own", 200));
    assert_eq!(theirs[0].body, "<p>ferry");
    assert!(theirs[0].at_ms.is_some());
}

fn exchange(name: &str, body: &str) -> Exchange {
    let mut headers = HeaderMap::new();
    headers.append(SET_COOKIE, HeaderValue::from_static("a=b"));
    headers.append(SET_COOKIE, HeaderValue::from_static("c=d"));
    Exchange {
        url: format!("https://harbour.example/{name}"),
        at_ms: NOW_MS,
        address: None,
        version: Version::HTTP_11,
        request: HeaderMap::new(),
        status: StatusCode::OK,
        headers,
        body: body.to_owned().into(),
        unchanged: None,
        fields: vec![("Wireroom-Request", r#"{"seen_at_ms":7,"title":"Fähre"}"#.to_owned())],
    }
}

/// A Python of the build's own that has warcio.
fn python_with_warcio() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join(WARCIO);
    let python = home.join("bin/python");
    let is_there =
        || Command::new(&python).args(["-c", "import warcio"]).output().is_ok_and(|o| o.status.success());
    if !is_there() {
        output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home));
        output(Command::new(&python).args(["-m", "pip", "install", "--quiet", WARCIO]));
    }
    python
}

/// # Panics
/// If the command fails, with what it said.
fn output(command: &mut Command) -> Output {
    const REMEDY: &str = "this test needs python3 with venv (`make setup` installs python3-venv) and PyPI";
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}; {REMEDY}"));
    let said = [&output.stdout[..], &output.stderr].map(String::from_utf8_lossy).concat();
    assert!(output.status.success(), "{command:?} failed: {said}\n{REMEDY}");
    output
}
