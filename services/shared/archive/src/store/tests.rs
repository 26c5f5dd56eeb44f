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
const DOMAIN: &str = "harbour.example";
const FERRY: &str = "https://harbour.example/ferry";

/// Where nothing is.
fn absent() -> String {
    format!("{}/{}", folder_of(DOMAIN, Some(FERRY)), blake3::hash(b"absent").to_hex())
}

fn body(text: &'static str) -> Bytes {
    Bytes::from_static(text.as_bytes())
}

fn files(folder: &FilePath) -> usize {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}

#[tokio::test]
async fn a_body_comes_back_by_its_key_and_is_kept_once_for_an_address() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("new/bodies");
    for location in [at.display().to_string(), format!("file://{}", at.display())] {
        let store = Store::open(&location).unwrap();
        let key = store.put(DOMAIN, FERRY, body("ferry")).await.unwrap();
        assert!(key.starts_with("harbour.example/"), "{key}");
        assert_eq!(store.get(&key, CAP).await.unwrap(), body("ferry"));
    }
    assert_eq!(files(&at), 2, "the body and the marker");
}

#[tokio::test]
async fn what_is_wrong_with_a_body_is_final() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().display().to_string()).unwrap();
    let key = store.put(DOMAIN, FERRY, body("ferry")).await.unwrap();
    let too_large = store.get(&key, 4).await.unwrap_err();
    let missing = store.get(&absent(), CAP).await.unwrap_err();
    fs::write(folder.path().join(&key), "furry").unwrap();
    let damaged = store.get(&key, CAP).await.unwrap_err();
    for (error, says) in [(too_large, "has 5 bytes"), (missing, "is not in the store"), (damaged, "damaged")]
    {
        assert!(!error.is_transient() && error.to_string().contains(says), "{error}");
    }
    let hash = "0".repeat(64);
    for key in
        ["../../etc/passwd", &hash, &format!("../00/{hash}/{hash}"), &format!("/00/{hash}/{hash}"), MARKER]
    {
        let error = store.get(key, CAP).await.unwrap_err();
        assert!(!error.is_transient() && error.to_string().contains("is no key"), "{error}");
    }
}

#[tokio::test]
async fn a_store_that_is_not_there_is_an_outage() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("mount");
    let store = Store::open(&at.display().to_string()).unwrap();
    let key = store.put(DOMAIN, FERRY, body("ferry")).await.unwrap();
    fs::rename(&at, folder.path().join("unmounted")).unwrap();
    fs::create_dir(&at).unwrap();
    let empty = store.get(&key, CAP).await.unwrap_err();
    fs::remove_dir(&at).unwrap();
    fs::write(&at, "a file where the folder was").unwrap();
    let unwritable = store.put(DOMAIN, FERRY, body("ship")).await.unwrap_err();
    assert!(empty.is_transient() && unwritable.is_transient(), "{empty}; {unwritable}");
}

#[test]
fn a_location_that_is_none_is_refused_with_a_remedy() {
    for location in ["", "ftp://host/x", "file://relative", "/dev/null/x", "s3://"] {
        let error = Store::open(location).unwrap_err();
        assert!(!error.is_transient() && error.to_string().contains("s3://bucket/prefix"), "{error}");
    }
}

/// The bodies of one address, or of a domain, are erased; the same bodies stay where others answered with them.
async fn erases(store: &Store) {
    let other = "https://harbour.example/bridge";
    let mut keys = Vec::new();
    for (domain, url, text) in [
        (DOMAIN, FERRY, "ferry"),
        (DOMAIN, FERRY, "ferry, corrected"),
        (DOMAIN, other, "ferry"),
        ("harbour.example.org", "https://harbour.example.org/ferry", "ferry"),
        ("[::1]", "http://[::1]/ferry", "ferry"),
    ] {
        keys.push(store.put(domain, url, body(text)).await.unwrap());
    }
    let mut erased = 0;
    for (domain, url, gone) in [
        (DOMAIN, Some(FERRY.replace("https:", "http:").as_str()), 2),
        (DOMAIN, Some(FERRY), 0),
        ("example", None, 0),
        (DOMAIN, None, 1),
        ("harbour.example.org", Some("https://harbour.example.org/ferry"), 1),
        ("[::1]", None, 1),
    ] {
        assert_eq!(store.erase(domain, url).await.unwrap(), gone, "{domain} {url:?}");
        erased += gone as usize;
        for (at, key) in keys.iter().enumerate() {
            let found = store.get(key, CAP).await;
            assert_eq!(matches!(found, Err(StoreError::Missing { .. })), at < erased, "{key}: {found:?}");
        }
    }
}

#[tokio::test]
async fn what_an_address_answered_is_erased_and_the_same_of_others_stays() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path().join("bodies");
    let store = Store::open(&at.display().to_string()).unwrap();
    assert!(store.erase(DOMAIN, None).await.unwrap_err().is_transient(), "nothing was ever put there");
    erases(&store).await;
    assert_eq!(files(&at), 1, "the marker");
}

/// Marks hold for an address or a domain until they are lifted, and erasing leaves them.
async fn withholds(store: &Store) {
    let other = "https://harbour.example/bridge";
    for marked in [Some(FERRY), None] {
        assert!(!store.is_withheld(DOMAIN, FERRY).await.unwrap());
        store.withhold(DOMAIN, marked).await.unwrap();
        store.withhold(DOMAIN, marked).await.unwrap();
        store.erase(DOMAIN, None).await.unwrap();
        assert!(store.is_withheld(DOMAIN, FERRY).await.unwrap());
        assert_eq!(store.is_withheld(DOMAIN, other).await.unwrap(), marked.is_none());
        assert!(!store.is_withheld("isle.example", FERRY).await.unwrap());
        store.lift(DOMAIN, marked).await.unwrap();
        store.lift(DOMAIN, marked).await.unwrap();
    }
    assert!(!store.is_withheld(DOMAIN, other).await.unwrap());
}

#[tokio::test]
async fn what_is_withheld_is_so_until_it_is_lifted() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().display().to_string()).unwrap();
    store.put(DOMAIN, FERRY, body("ferry")).await.unwrap();
    withholds(&store).await;
}

type Objects = Arc<Mutex<BTreeMap<String, Body>>>;

/// As much of S3 as is asked for.
async fn answer(State(objects): State<Objects>, method: Method, at: Uri, body: Body) -> impl IntoResponse {
    let mut objects = objects.lock().unwrap();
    let headers = [("etag", "\"1\""), ("last-modified", "Tue, 14 Nov 2023 22:13:20 GMT")];
    let query = at.query().unwrap_or_default();
    if let Some(prefix) = query.split('&').find_map(|part| part.strip_prefix("prefix=")) {
        let prefix = format!("{}/{}", at.path(), prefix.replace("%2F", "/"));
        let of_key = |(key, value): (&String, &Body)| {
            let key = key.strip_prefix(&format!("{}/", at.path()))?;
            Some(format!(
                "<Contents><Key>{key}</Key><Size>{}</Size><LastModified>2023-11-14T22:13:20.000Z</LastModified></Contents>",
                value.len()
            ))
        };
        let found: String =
            objects.iter().filter(|(key, _)| key.starts_with(&prefix)).filter_map(of_key).collect();
        let answer = format!("<ListBucketResult>{found}</ListBucketResult>");
        return (StatusCode::OK, headers, Body::from(answer));
    }
    if method == Method::POST && query == "delete" {
        let asked = String::from_utf8(body.to_vec()).unwrap();
        let keys: Vec<&str> =
            asked.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next()).collect();
        keys.iter().for_each(|key| drop(objects.remove(&format!("{}/{key}", at.path()))));
        let deleted: String = keys.iter().map(|key| format!("<Deleted><Key>{key}</Key></Deleted>")).collect();
        return (StatusCode::OK, headers, Body::from(format!("<DeleteResult>{deleted}</DeleteResult>")));
    }
    match (method, objects.get(at.path()).cloned()) {
        (Method::PUT, _) => {
            objects.insert(at.path().to_owned(), body);
            (StatusCode::OK, headers, Body::new())
        }
        (Method::DELETE, _) => {
            objects.remove(at.path());
            (StatusCode::NO_CONTENT, headers, Body::new())
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
    assert!(store.get(&absent(), CAP).await.unwrap_err().is_transient(), "nothing was ever put there");
    let key = store.put(DOMAIN, FERRY, body("ferry")).await.unwrap();
    assert_eq!(store.get(&key, CAP).await.unwrap(), body("ferry"));
    assert!(!store.get(&absent(), CAP).await.unwrap_err().is_transient());
    let paths: Vec<String> = objects.lock().unwrap().keys().cloned().collect();
    assert_eq!(paths, [format!("/press/bodies/{key}"), format!("/press/bodies/{MARKER}")]);
    store.erase(DOMAIN, None).await.unwrap();
    erases(&store).await;
    withholds(&store).await;
    server.abort();
    let _ = server.await;
    let gone = store.get(&key, CAP).await.unwrap_err();
    assert!(gone.is_transient() && !gone.to_string().contains("secret"), "{gone}");
}
