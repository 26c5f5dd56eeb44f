use std::{collections::BTreeMap, fs, sync::Mutex};

use axum::{
    Router,
    body::Bytes as Body,
    extract::State,
    http::{Method, StatusCode, Uri},
    response::IntoResponse,
};

use super::*;

const CAP: usize = 1 << 20;

fn body(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn files(folder: &FilePath) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

#[tokio::test]
async fn a_body_comes_back_by_its_hash_and_is_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("new/bodies");
    for location in [at.display().to_string(), format!("file://{}", at.display())] {
        let store = Store::open(&location).unwrap();
        let key = store.put(body("ferry")).await.unwrap();
        assert_eq!(key, blake3::hash(b"ferry").to_hex().as_str());
        assert_eq!(store.get(&key, CAP).await.unwrap(), body("ferry"));
    }
    assert_eq!(files(&at), 2, "the body and the marker");
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_final() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().display().to_string()).unwrap();
    let key = store.put(body("ferry")).await.unwrap();
    let absent = blake3::hash(b"absent").to_hex();
    let too_large = store.get(&key, 4).await.unwrap_err();
    let missing = store.get(&absent, CAP).await.unwrap_err();
    fs::write(folder.path().join(&key[..2]).join(&key), "furry").unwrap();
    let damaged = store.get(&key, CAP).await.unwrap_err();
    let no_key = store.get("../../etc/passwd", CAP).await.unwrap_err();
    for (error, says) in [
        (too_large, "has 5 bytes"),
        (missing, "is not in the store"),
        (damaged, "damaged"),
        (no_key, "is no key"),
    ] {
        assert!(!error.is_transient() && error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn a_store_that_is_not_there_is_an_outage() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("mount");
    let store = Store::open(&at.display().to_string()).unwrap();
    let key = store.put(body("ferry")).await.unwrap();
    fs::rename(&at, folder.path().join("unmounted")).unwrap();
    fs::create_dir(&at).unwrap();
    let empty = store.get(&key, CAP).await.unwrap_err();
    fs::remove_dir(&at).unwrap();
    fs::write(&at, "a file where the folder was").unwrap();
    let unwritable = store.put(body("ship")).await.unwrap_err();
    assert!(empty.is_transient() && unwritable.is_transient(), "{empty}; {unwritable}");
}

#[test]
fn a_location_that_is_none_is_refused_with_a_remedy() {
    for location in ["", "ftp://host/x", "file://relative", "/dev/null/x", "s3://"] {
        let error = Store::open(location).unwrap_err();
        assert!(!error.is_transient() && error.to_string().contains("s3://bucket/prefix"), "{error}");
    }
}

type Objects = Arc<Mutex<BTreeMap<String, Body>>>;

/// As much of S3 as is asked for.
async fn answer(State(objects): State<Objects>, method: Method, at: Uri, body: Body) -> impl IntoResponse {
    let mut objects = objects.lock().unwrap();
    let headers = [("etag", "\"1\""), ("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT")];
    match (method, objects.get(at.path()).cloned()) {
        (Method::PUT, _) => {
            objects.insert(at.path().to_owned(), body);
            (StatusCode::OK, headers, Body::new())
        }
        (_, Some(object)) => (StatusCode::OK, headers, object),
        (_, None) => (StatusCode::NOT_FOUND, headers, Body::new()),
    }
}

#[tokio::test]
async fn the_same_on_s3() {
    let objects = Objects::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let service = Router::new().fallback(answer).with_state(objects.clone());
    let server = tokio::spawn(async move { axum::serve(listener, service).await });
    let builder = AmazonS3Builder::new()
        .with_endpoint(endpoint)
        .with_allow_http(true)
        .with_access_key_id("id")
        .with_secret_access_key("secret");
    let store = Store::on_s3("s3://press/bodies/", builder).unwrap();
    let absent = blake3::hash(b"absent").to_hex();
    assert!(store.get(&absent, CAP).await.unwrap_err().is_transient(), "nothing was ever put there");
    let key = store.put(body("ferry")).await.unwrap();
    assert_eq!(store.get(&key, CAP).await.unwrap(), body("ferry"));
    assert!(!store.get(&absent, CAP).await.unwrap_err().is_transient());
    let paths: Vec<String> = objects.lock().unwrap().keys().cloned().collect();
    let stored = format!("/press/bodies/{}/{key}", &key[..2]);
    assert_eq!(paths, [stored, format!("/press/bodies/{MARKER}")]);
    server.abort();
    let _ = server.await;
    let gone = store.get(&key, CAP).await.unwrap_err();
    assert!(gone.is_transient() && !gone.to_string().contains("secret"), "{gone}");
}
