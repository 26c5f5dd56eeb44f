//! What is kept of a page beside the log.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use archive::{
    Store, StoreSettings,
    warc::{Captured, Reader},
};
use wire::Hints;

use super::*;

fn archived(folder: &Path) -> Vec<Captured> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    assert!(files.iter().all(|file| file.extension().is_some_and(|e| e == "gz")), "all closed: {files:?}");
    files.iter().flat_map(|file| Reader::open(file, 1 << 20).unwrap()).map(Result::unwrap).collect()
}

fn in_folder(folder: &Path, above_bytes: usize) -> StoreSettings {
    StoreSettings { location: Some(folder.display().to_string()), above_bytes }
}

#[test]
fn a_page_is_archived_and_comes_back_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all("<!doctype html><p>Ferry</p>".repeat(100).as_bytes()).unwrap();
    let body = gzip.finish().unwrap();
    let a = Host::start(50, move |path| match path {
        "/moved" => Some(Reply::redirect("/1")),
        "/1" => {
            let reply = Reply::of(200, "text/html", &body).with("Content-Encoding", "gzip");
            Some(reply.with("X-Robots-Tag", "noarchive").with("Set-Cookie", "a=b"))
        }
        "/pdf" => Some(Reply::of(200, "application/pdf", b"%PDF-1.7 ...")),
        _ => None,
    });
    let config = Config {
        archive: Some(folder.path().to_owned()),
        user_agent: "wireroom/9 (+mailto:desk@press.example)".to_owned(),
        ..config()
    };
    let asked = Request {
        seen_at_ms: 7,
        source_id: "harbour-post".to_owned(),
        labels: [("desk".to_owned(), "Übersee".to_owned())].into(),
        hints: Some(Hints { title: "Ferry\r\nreturns".to_owned(), ..Hints::default() }),
        ..with_document(&a.url("/moved"))
    };
    let ended = fetch(&config, &[asked.clone(), request(&a.url("/pdf")), request(&a.url("/none"))]);
    let mut captured = archived(folder.path());
    assert_eq!(captured.len(), 1, "what is no page is not archived");
    let captured = captured.remove(0);
    assert_eq!((captured.url.as_str(), captured.header("set-cookie")), (a.url("/1").as_str(), Some("a=b")));
    assert_eq!(captured.field("WARC-IP-Address"), Some("127.0.0.50"));

    let template = Request {
        request_id: "again-1".to_owned(),
        labels: [("run".to_owned(), "again".to_owned())].into(),
        ..Request::default()
    };
    let output = fetcher::archived_page(captured, &template).unwrap();
    assert_eq!((output.topic, output.key), ("pages", wire::page_key(&a.url("/moved")).into()));
    let mut page = Page::decode(output.value.unwrap()).unwrap();
    let again = page.request.take().unwrap();
    assert_eq!(page.response, ended.page(&a.url("/moved")).response);
    let labels = [("desk", "Übersee"), ("run", "again")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    let expected = Request {
        request_id: "again-1".to_owned(),
        via: "archive".to_owned(),
        labels: labels.into(),
        document: None,
        ..asked
    };
    assert_eq!(again, expected);
}

#[test]
fn a_large_body_goes_to_the_store_and_a_small_one_stays() {
    let folder = tempfile::tempdir().unwrap();
    let large = "a".repeat(2_000);
    let body = large.clone();
    let a = Host::start(51, move |path| match path {
        "/large" => Some(Reply::html(&body)),
        "/small" => Some(Reply::html(&body[1..])),
        _ => None,
    });
    let config = Config { store: in_folder(folder.path(), 1_999), ..config() };
    let ended = fetch(&config, &["/large", "/small"].map(|path| request(&a.url(path))));
    assert_eq!(ended.body(&a.url("/small")).len(), 1_999);
    let response = ended.page(&a.url("/large")).response.as_ref().unwrap();
    assert!(response.body.is_empty());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = Store::open(&folder.path().display().to_string()).unwrap();
    assert_eq!(runtime.block_on(store.get(&response.body_ref, 1 << 20)).unwrap(), large);
}

/// The first visit finds `place` replaced by a file, the second as it was.
fn outage(n: u8, place: PathBuf) -> Host {
    let calls = AtomicU32::new(0);
    let aside = place.with_extension("aside");
    Host::start(n, move |path| {
        if path == "/robots.txt" {
            return None;
        }
        match calls.fetch_add(1, Ordering::SeqCst) {
            0 => {
                fs::rename(&place, &aside).unwrap();
                fs::write(&place, "no folder").unwrap();
            }
            _ => {
                fs::remove_file(&place).unwrap();
                fs::rename(&aside, &place).unwrap();
            }
        }
        Some(Reply::html(&"a".repeat(2_000)))
    })
}

#[test]
fn a_page_that_cannot_be_kept_is_fetched_again_however_few_the_attempts() {
    let folder = tempfile::tempdir().unwrap();
    let (bodies, archive) = (folder.path().join("bodies"), folder.path().join("archive"));
    for (n, place) in [(52, &bodies), (53, &archive)] {
        let a = outage(n, place.clone());
        let config = Config {
            store: in_folder(&bodies, 1_999),
            archive: Some(archive.clone()),
            max_attempts: 1,
            ..config()
        };
        let ended = fetch(&config, &[request(&a.url("/1"))]);
        assert_eq!(
            (ended.pages.len(), ended.dead.len(), a.targets().len()),
            (1, 0, 2),
            "{}",
            place.display()
        );
    }
    // The first was in the archive before its body failed to be stored: twice, then.
    assert_eq!(archived(&archive).len(), 3);
}

#[test]
fn places_that_cannot_be_used_are_refused_with_a_remedy() {
    let store = StoreSettings { location: Some("ftp://x".to_owned()), ..StoreSettings::default() };
    let error = Config { store, ..config() }.check().unwrap_err().to_string();
    assert!(error.contains("s3://bucket/prefix"), "{error}");
}

#[test]
fn what_was_taken_down_is_kept_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let (bodies, archive) = (folder.path().join("bodies"), folder.path().join("archive"));
    let a = Host::start(106, |path| match path {
        "/down" | "/kept" => Some(Reply::html(&format!("{path}{}", "a".repeat(2_000)))),
        _ => None,
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for place in [&bodies, &archive] {
        let place = Store::in_folder(place).unwrap();
        runtime.block_on(place.withhold("127.0.0.106", Some(&a.url("/down")))).unwrap();
    }
    let config = Config { store: in_folder(&bodies, 1_999), archive: Some(archive.clone()), ..config() };
    let ended = fetch(&config, &["/down", "/kept"].map(|path| request(&a.url(path))));
    let response = |path| ended.page(&a.url(path)).response.as_ref().unwrap();
    assert!(response("/down").body_ref.is_empty() && !response("/down").body.is_empty(), "it travels");
    assert!(!response("/kept").body_ref.is_empty());
    let files =
        fs::read_dir(&archive).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let captured = files.flat_map(|file| Reader::open(&file, 1 << 20).unwrap()).map(Result::unwrap);
    assert_eq!(captured.map(|captured| captured.url).collect::<Vec<_>>(), [a.url("/kept")]);
}
