//! The fetcher whole, on the embedded log and a small web on loopback.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod content;
mod credentials;
mod dns;
mod hosts;
mod http2;
mod keep;
mod names;
mod protocol;
mod run;
mod server;
mod websub;

use std::{
    io::Write,
    time::{Duration, Instant},
};

use archive::StoreSettings;
use fetcher::{Config, Hints, Questions, ROLE};
use pipeline::{Clock, Limits, Progress, Settings, Shutdown, embedded::Embedded, metrics::RoleMetrics};
use prost::Message;
use run::{config, fetch, request, with_document};
use server::{Host, Reply};
use wire::{Page, Request};

#[test]
fn redirects_are_followed_within_the_host_and_handed_on_across() {
    let b = Host::start(12, |path| (path == "/landed").then(|| Reply::html("landed")));
    let to = b.url("/landed");
    let a = Host::start(11, move |path| match path {
        "/1" => Some(Reply::redirect("/2")),
        "/2" => Some(Reply::redirect("3?utm_source=x")),
        "/3" => Some(Reply::html("here")),
        "/loop" => Some(Reply::redirect("/pool")),
        "/pool" => Some(Reply::redirect("/loop")),
        "/itself" => Some(Reply::redirect("/itself;jsessionid=1")),
        "/harbour" => Some(Reply::redirect("/häfen")),
        "/h%C3%A4fen" => Some(Reply::html("as it is written")),
        "/away" => Some(Reply::redirect(&to)),
        "/nowhere" => Some(Reply::status(301)),
        _ => None,
    });
    let ended = fetch(
        &config(),
        &["/1", "/loop", "/itself", "/harbour", "/away", "/nowhere"].map(|path| request(&a.url(path))),
    );
    assert_eq!(ended.page(&a.url("/1")).response.as_ref().unwrap().final_url, a.url("/3"));
    assert_eq!(ended.reason(&a.url("/loop")), "redirects");
    assert_eq!(ended.reason(&a.url("/nowhere")), "bad_redirect");
    assert_eq!(ended.reason(&a.url("/itself")), "bad_redirect");
    assert_eq!(a.targets().iter().filter(|target| *target == "/itself").count(), 1, "{:?}", a.targets());
    assert_eq!(ended.body(&a.url("/harbour")), b"as it is written");
    let moved = ended.page(&b.url("/landed")).request.clone().unwrap();
    assert_eq!((moved.via.as_str(), moved.hops, moved.request_id), ("redirect", 1, a.url("/away")));
    assert_eq!((ended.pages.len(), ended.dead.len()), (3, 3));
}

#[test]
fn what_robots_txt_disallows_is_never_asked_for() {
    let a = Host::start(13, |path| match path {
        "/robots.txt" => {
            Some(Reply::of(200, "text/plain", b"User-agent: Wireroom the bot\nDisallow: /private\n"))
        }
        "/public" => Some(Reply::redirect("/private/x")),
        _ => Some(Reply::html("page")),
    });
    let ended = fetch(&config(), &["/private/1", "/public", "/open"].map(|path| request(&a.url(path))));
    assert_eq!(ended.reason(&a.url("/private/1")), "robots_denied");
    assert_eq!(ended.reason(&a.url("/public")), "robots_denied");
    assert_eq!(ended.body(&a.url("/open")), b"page");
    let mut targets = a.targets();
    targets.sort();
    assert_eq!(targets, ["/open", "/public"]);
}

#[test]
fn a_robots_txt_that_cannot_be_had_allows_nothing() {
    for (n, status) in [(14, 503), (15, 429), (16, 500)] {
        let a = Host::start(n, move |path| {
            Some(if path == "/robots.txt" { Reply::status(status) } else { Reply::html("page") })
        });
        let patience = Duration::from_secs(1);
        let config = Config { give_up_after: patience, ..config() };
        let ended = fetch(&config, &[request(&a.url("/1")), with_document(&a.url("/2"))]);
        assert_eq!(ended.reason(&a.url("/1")), "robots_unreachable", "{status}");
        assert!(ended.page(&a.url("/2")).failure.contains("robots.txt"), "{status}");
        assert_eq!(a.targets(), [""; 0], "{status}");
    }
}

#[test]
fn a_robots_txt_that_cannot_be_read_allows_nothing() {
    let torn = |path: &str| -> Option<Reply> {
        let text = Reply::of(200, "text/plain", b"User-agent: *\nDisallow: /private\n");
        Some(if path == "/robots.txt" { text.with("Content-Encoding", "gzip") } else { Reply::html("page") })
    };
    let deflated = |path: &str| -> Option<Reply> {
        let text = Reply::of(200, "text/plain", b"x");
        Some(if path == "/robots.txt" {
            text.with("Content-Encoding", "deflate")
        } else {
            Reply::html("page")
        })
    };
    for a in [Host::start(130, torn), Host::start(131, deflated)] {
        let config = Config { give_up_after: Duration::from_secs(1), ..config() };
        let ended = fetch(&config, &[request(&a.url("/1"))]);
        assert_eq!(ended.reason(&a.url("/1")), "robots_unreachable");
        assert_eq!(a.targets(), [""; 0]);
    }
}

#[test]
fn a_robots_txt_that_asks_for_time_is_asked_for_once() {
    let a = Host::start(132, |path| {
        Some(if path == "/robots.txt" {
            Reply::status(503).with("Retry-After", "3600")
        } else {
            Reply::html("page")
        })
    });
    let requests = ["/1", "/2"].map(|path| request(&a.url(path)));
    let ended = run::fetch_until(&config(), &requests, || !a.all_seen().is_empty());
    assert_eq!((ended.queued.len(), a.all_seen().len()), (2, 1), "{ended:?}");
}

#[test]
fn failures_end_as_dead_letters_with_their_reason_and_documents_stand_in() {
    let a = Host::start(17, |path| match path {
        "/500" => Some(Reply::status(500)),
        "/410" => Some(Reply::status(410)),
        "/451" => Some(Reply::status(451)),
        "/403" => Some(Reply::status(403)),
        "/long" => Some(Reply::html(&"a".repeat(100_001))),
        "/just" => Some(Reply::html(&"a".repeat(100_000))),
        "/pdf" => Some(Reply::of(200, "text/html", b"%PDF-1.7 ...")),
        "/deflate" => Some(Reply::html("x").with("Content-Encoding", "deflate")),
        _ => None,
    });
    let closed = "http://127.0.0.18:1/".to_owned();
    let mut requests = ["/404", "/410", "/451", "/403", "/500", "/long", "/just", "/pdf", "/deflate"]
        .map(|path| request(&a.url(path)))
        .to_vec();
    requests.push(with_document(&a.url("/gone")));
    requests.push(request(&closed));
    let ended = fetch(&Config { give_up_after: Duration::from_secs(3), ..config() }, &requests);
    for (path, reason) in [
        ("/404", "gone"),
        ("/410", "gone"),
        ("/451", "withheld"),
        ("/403", "forbidden"),
        ("/500", "server_error"),
        ("/long", "too_large"),
        ("/pdf", "unsupported"),
        ("/deflate", "unsupported"),
    ] {
        assert_eq!(ended.reason(&a.url(path)), reason, "{path}");
    }
    assert_eq!(ended.reason(&closed), "robots_unreachable");
    assert_eq!(ended.body(&a.url("/just")).len(), 100_000);
    let stands_in = ended.page(&a.url("/gone"));
    assert_eq!(stands_in.failure, "the server answered 404");
    assert!(stands_in.response.is_none() && stands_in.request.as_ref().unwrap().document.is_some());
    assert_eq!(a.targets().iter().filter(|path| *path == "/500").count(), 3, "tried as often as allowed");
    assert_eq!((ended.pages.len(), ended.dead.len()), (2, 9));
}

#[test]
fn retry_after_holds_for_the_whole_host() {
    let calls = std::sync::atomic::AtomicU32::new(0);
    let a = Host::start(19, move |path| {
        let is_first = path != "/robots.txt" && calls.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
        Some(if is_first { Reply::status(429).with("Retry-After", "1") } else { Reply::html("page") })
    });
    let calls = [request(&a.url("/1")), request(&a.url("/2"))];
    let ended = fetch(&config(), &calls);
    assert_eq!(ended.pages.len(), 2);
    let seen = a.seen();
    assert!(seen[1].at - seen[0].at >= Duration::from_millis(1000), "asked again too soon");
}

#[test]
fn a_host_is_asked_at_its_pace_and_holds_up_nobody() {
    let slow = Host::start(20, |_| Some(Reply::html("slow").after(Duration::from_millis(1500))));
    let fast = Host::start(21, |_| Some(Reply::html("fast")));
    let mut requests = vec![request(&slow.url("/1"))];
    requests.extend((0..5).map(|n| request(&fast.url(&format!("/{n}")))));
    let config = Config { delay: Duration::from_millis(150), ..config() };
    let ended = fetch(&config, &requests);
    assert_eq!(ended.pages.len(), 6);
    let seen = fast.seen();
    for pair in seen.windows(2) {
        assert!(pair[1].at - pair[0].at >= Duration::from_millis(150), "the delay was not kept");
    }
    let slow_answered_at = slow.seen()[0].at + Duration::from_millis(1500);
    assert!(seen[4].at < slow_answered_at, "held up by the slow host");
}

#[test]
fn with_room_for_one_body_each_has_its_turn() {
    let body = "a".repeat(90_000);
    let hosts: Vec<_> = (30..40)
        .map(|n| {
            let body = body.clone();
            Host::start(n, move |path| match path {
                "/robots.txt" => Some(Reply::of(200, "text/plain", b"User-agent: *\nAllow: /\n")),
                _ => Some(Reply::html(&body)),
            })
        })
        .collect();
    let least = Config { max_in_flight_bytes: 513_024, ..config() };
    let requests: Vec<_> =
        hosts.iter().flat_map(|host| ["/1", "/2"].map(|path| request(&host.url(path)))).collect();
    let ended = fetch(&least, &requests);
    assert_eq!((ended.pages.len(), ended.dead.len()), (20, 0));
}

#[test]
fn a_host_that_never_answers_is_given_up() {
    let mute = Host::start(22, |path| {
        (path != "/robots.txt").then(|| Reply::html("late").after(Duration::from_secs(20)))
    });
    let config = Config { timeout: Duration::from_millis(500), max_attempts: 2, ..config() };
    let ended = fetch(&config, &[request(&mute.url("/1"))]);
    assert_eq!(ended.reason(&mute.url("/1")), "timeout");
}

#[test]
fn addresses_that_are_not_public_are_refused() {
    let inside = Host::start(23, |_| Some(Reply::html("secret")));
    let config = Config { allow_private: false, ..config() };
    let port = inside.address.port();
    let urls = [
        inside.url("/1"),
        format!("http://[::ffff:127.0.0.23]:{port}/2"),
        format!("http://2130706455:{port}/3"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
    ];
    let ended = fetch(&config, &urls.clone().map(|url| request(&url)));
    let reasons: Vec<_> = ended.dead.values().map(|dead| dead.0.as_str()).collect();
    assert_eq!(reasons, ["address_refused"; 4]);
    assert!(inside.targets().is_empty());
}

#[test]
fn behind_a_proxy_literals_are_still_refused() {
    let proxy = Host::start(24, |target| match target {
        "http://press.example/" => Some(Reply::html("through the proxy")),
        "http://press.example/away" => Some(Reply::redirect("http://169.254.169.254/latest/meta-data")),
        "http://press.example/inside" => Some(Reply::redirect("http://[::ffff:10.0.0.1]/")),
        _ => None,
    });
    let config =
        Config { proxy: Some(format!("http://{}", proxy.address)), allow_private: false, ..config() };
    let urls = ["http://press.example/", "http://press.example/away", "http://press.example/inside"];
    let ended = fetch(&config, &urls.map(request));
    assert_eq!(ended.body("http://press.example/"), b"through the proxy");
    assert_eq!(ended.reason("http://169.254.169.254/latest/meta-data"), "address_refused");
    assert_eq!(ended.reason("http://[::ffff:a00:1]/"), "address_refused");
    assert!(proxy.targets().iter().all(|target| target.starts_with("http://press.example/")));
}

#[test]
fn a_proxy_that_is_down_is_our_outage() {
    let config = Config { proxy: Some("http://127.0.0.25:1".to_owned()), max_attempts: 1, ..config() };
    let expires_at_ms = Clock::system().now_ms() + 800;
    let requests = ["http://press.example/1", "https://press.example/2"]
        .map(|url| Request { expires_at_ms, ..with_document(url) });
    let started = Instant::now();
    let ended = fetch(&config, &requests);
    assert!(
        started.elapsed() > Duration::from_millis(500),
        "tried until it expired, whatever the attempts allowed"
    );
    assert_eq!(ended.pages.len(), 2);
    assert!(ended.pages.values().all(|page| page.failure.contains("proxy does not answer")), "{ended:?}");
}

#[test]
fn bodies_travel_as_they_were_sent() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all("<!doctype html><p>Ferry</p>".repeat(100).as_bytes()).unwrap();
    let body = gzip.finish().unwrap();
    let sent = body.clone();
    let a = Host::start(26, move |path| {
        let reply = Reply::of(200, "text/html", &sent).with("Content-Encoding", "gzip");
        (path == "/1").then(|| reply.with("X-Robots-Tag", "noarchive").with("Set-Cookie", "a=b"))
    });
    let config = Config { user_agent: "wireroom/9 (+mailto:desk@press.example)".to_owned(), ..config() };
    let ended = fetch(&config, &[request(&a.url("/1"))]);
    let response = ended.page(&a.url("/1")).response.as_ref().unwrap();
    assert_eq!((response.body.as_ref(), response.content_encoding.as_str()), (body.as_slice(), "gzip"));
    assert_eq!((response.content_type.as_str(), response.status), ("text/html", 200));
    assert_eq!(response.headers, [("x-robots-tag".to_owned(), "noarchive".to_owned())].into());
    let asked = a.seen().remove(0).headers.join("\n").to_ascii_lowercase();
    assert!(asked.contains("user-agent: wireroom/9 (+mailto:desk@press.example)"), "{asked}");
    assert!(asked.contains("accept-encoding: gzip, br, zstd"), "{asked}");
}

#[test]
fn feeds_and_sitemaps_lead_to_their_articles() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(b"<urlset><url><loc>/from-sitemap</loc></url></urlset>").unwrap();
    let sitemap = gzip.finish().unwrap();
    let a = Host::start(27, move |path| {
        match path {
        "/feed" => Some(Reply::of(
            200,
            "text/html",
            b"<rss version='2.0'><channel><item><title>Ferry</title><link>/from-feed</link></item></channel></rss>",
        )),
        "/index" => Some(Reply::of(
            200,
            "text/xml",
            b"<sitemapindex><sitemap><loc>/sitemap.xml.gz</loc></sitemap><sitemap><loc>/index</loc></sitemap></sitemapindex>",
        )),
        "/sitemap.xml.gz" => Some(Reply::of(200, "application/gzip", &sitemap)),
        "/from-feed" | "/from-sitemap" => Some(Reply::html("article")),
        _ => None,
    }
    });
    let config = Config { max_list_depth: 2, ..config() };
    let ended = fetch(&config, &[request(&a.url("/feed")), request(&a.url("/index"))]);
    assert_eq!(
        ended.page(&a.url("/from-feed")).request.as_ref().unwrap().hints.as_ref().unwrap().title,
        "Ferry"
    );
    assert_eq!(ended.body(&a.url("/from-sitemap")), b"article");
    assert_eq!(ended.page(&a.url("/from-sitemap")).request.as_ref().unwrap().depth, 2);
    assert_eq!(ended.reason(&a.url("/index")), "unsupported", "an index of itself ends");
}

#[test]
fn settings_that_cannot_be_used_are_refused_with_a_remedy() {
    let folder = tempfile::tempdir().unwrap();
    let log = Embedded::open(folder.path(), &pipeline::embedded::Options::default()).unwrap();
    let settings = Settings {
        limits: Limits { records: 1, bytes: 1, timers: 1 },
        wait: Duration::ZERO,
        progress: Progress::default(),
        shutdown: Shutdown::default(),
        metrics: RoleMetrics::of(&ROLE),
        tracer: trace::Tracer::default(),
    };
    settings.shutdown.request();
    config().check().unwrap();
    let long_bodies = || Config { max_body_bytes: 20 << 20, max_in_flight_bytes: 64 << 20, ..config() };
    let location = folder.path().join("store").display().to_string();
    let stored = |above_bytes| StoreSettings { location: Some(location.clone()), above_bytes };
    Config { store: stored(1 << 20), ..long_bodies() }.check().unwrap();
    let no_pem = folder.path().join("no.pem");
    std::fs::write(&no_pem, "no certificate").unwrap();
    for (config, says) in [
        (Config { user_agent: "1.0".into(), ..config() }, "begins with a name"),
        (Config { user_agent: "wireroom\n".into(), ..config() }, "must be one line"),
        (Config { max_in_flight_bytes: 100_000, ..config() }, "set it to 513024 or more"),
        (long_bodies(), "set it to 11534336 or less"),
        (Config { store: stored(12 << 20), ..long_bodies() }, "its above_bytes to 11534336 or less"),
        (Config { proxy: Some("socks5://x:1".into()), ..config() }, "write http://host:port"),
        (Config { websub_callback: Some("https://press.example".into()), ..config() }, "a websub_key, too"),
        (Config { extra_ca: Some("/nowhere.pem".into()), ..config() }, "/nowhere.pem"),
        (Config { extra_ca: Some(no_pem), ..config() }, "PEM file"),
    ] {
        let error = fetcher::run(
            &mut log.role(ROLE).unwrap(),
            &config,
            &Clock::system(),
            &settings,
            Hints::default(),
            Questions::default(),
        )
        .unwrap_err();
        assert!(error.to_string().contains(says), "{error}");
        assert_eq!(config.check().unwrap_err().to_string(), error.to_string());
    }
}
