//! Credentials in addresses: never logged, never forwarded, never in records or in what dead letters say.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use fetcher::Config;
use prost::Message;
use wire::{Document, Request};

use super::{
    config, fetch,
    server::{Host, Reply},
};

const USER: &str = "nightdesk";
const PASSWORD: &str = "s3kr1t-of-the-harbour";

/// What was logged, by every test of the process.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn credentials_are_never_logged_forwarded_or_written() {
    let logged = Logged::default();
    let (writer, level) = (logged.clone(), tracing_subscriber::filter::LevelFilter::DEBUG);
    let subscriber = tracing_subscriber::fmt().with_max_level(level).with_writer(move || writer.clone());
    subscriber.init();

    let b = Host::start(130, |path| (path == "/landed").then(|| Reply::html("landed")));
    let at = |host: &Host, path: &str| format!("http://{USER}:{PASSWORD}@{}{path}", host.address);
    let across = at(&b, "/landed");
    let here = Arc::new(OnceLock::<String>::new());
    let within = here.clone();
    let host = Host::start(131, move |path| match path {
        "/page" | "/page?within" => Some(Reply::html("page")),
        "/within" => Some(Reply::redirect(within.get().unwrap())),
        "/across" => Some(Reply::redirect(&across)),
        "/unusable" => Some(Reply::redirect(&format!("ftp://{USER}:{PASSWORD}@press.example/"))),
        "/busy" => Some(Reply::status(500)),
        "/feed" => {
            let link = format!("http://{USER}:{PASSWORD}@127.0.0.132:1/of-feed");
            let feed = format!("<rss><channel><item><link>{link}</link></item></channel></rss>");
            Some(Reply::of(200, "text/xml", feed.as_bytes()))
        }
        _ => None,
    });
    here.set(at(&host, "/page?within")).unwrap();
    let asked =
        |n: usize, url: String| Request { request_id: format!("request-{n}"), url, ..Request::default() };
    let mut requests: Vec<Request> =
        ["/page", "/within", "/across", "/unusable", "/busy", "/feed", "/gone", "/stands-in"]
            .iter()
            .enumerate()
            .map(|(n, path)| asked(n, at(&host, path)))
            .collect();
    requests[7].document = Some(Document { content: "A reprint.".into(), ..Document::default() });
    requests.push(asked(8, format!("http://{USER}:{PASSWORD}@harbour example/")));
    requests.push(asked(9, format!("http://{USER}:{PASSWORD}@127.0.0.132:1/closed")));
    requests.push(asked(10, format!("http://{USER}:{PASSWORD}@127.0.0.131:99999/")));
    let config = Config {
        memento: Some(format!("{}?copy-of={{url}}", host.url("/timegate"))),
        give_up_after: Duration::from_secs(1),
        ..config()
    };
    let ended = fetch(&config, &requests);

    let holds = |text: &str| text.contains(PASSWORD) || text.contains(USER);
    for page in ended.pages.values() {
        assert!(!holds(&String::from_utf8_lossy(&page.encode_to_vec())), "{page:?}");
    }
    for (url, (reason, detail)) in &ended.dead {
        assert!(!holds(detail), "{url}, {reason}: {detail}");
    }
    assert_eq!(ended.pages.len(), 4, "{ended:?}");
    for seen in host.all_seen().iter().chain(&b.all_seen()) {
        assert!(!holds(&format!("{seen:?}")), "{seen:?}");
        let headers = seen.headers.join("\n").to_ascii_lowercase();
        assert!(!headers.contains("authorization") && !headers.contains("referer"), "{headers}");
    }
    assert!(host.targets().iter().any(|target| target.starts_with("/timegate?copy-of=")));
    let logged = String::from_utf8_lossy(&logged.0.lock().unwrap()).into_owned();
    assert!(logged.contains("request-0") && logged.contains("given up"), "the log was captured");
    assert!(!holds(&logged), "{:?}", logged.lines().find(|line| holds(line)));
}
