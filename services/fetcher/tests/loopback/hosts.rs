//! Hosts that are unwell, or mean us ill, each case by name.

use std::{
    net::TcpStream,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use fetcher::Config;
use jiff::{Timestamp, fmt::rfc2822::DateTimePrinter};
use pipeline::Clock;

use super::{
    config, fetch, request,
    run::fetch_until,
    server::{Host, Reply, Then, tick},
    with_document,
};

#[test]
fn robots_txt_that_times_out() {
    let host = Host::wild(90, |path, stream: &mut TcpStream| {
        match path {
            "/robots.txt" => while tick(stream, Duration::from_secs(1))? {},
            _ => Reply::html("page").say(stream)?,
        }
        Ok(Then::HangUp)
    });
    let config =
        Config { timeout: Duration::from_millis(200), give_up_after: Duration::from_secs(3), ..config() };
    let ended = fetch(&config, &[request(&host.url("/1")), with_document(&host.url("/2"))]);
    assert_eq!(ended.reason(&host.url("/1")), "robots_unreachable");
    assert!(ended.page(&host.url("/2")).failure.contains("robots.txt"));
    assert_eq!(host.targets(), [""; 0], "silence is not consent");
    assert!(host.all_seen().len() >= 2, "it was tried again");
}

#[test]
fn redirect_loops_across_domains() {
    let (first, second) = (Arc::new(OnceLock::new()), Arc::new(OnceLock::new()));
    let to = |other: &Arc<OnceLock<String>>| {
        let other = other.clone();
        move |path: &str| (path != "/robots.txt").then(|| Reply::redirect(other.get().unwrap()))
    };
    let (a, b) = (Host::start(91, to(&second)), Host::start(92, to(&first)));
    first.set(a.url("/a")).unwrap();
    second.set(b.url("/b")).unwrap();
    let ended = fetch(&config(), &[request(&a.url("/a"))]);
    assert_eq!(ended.reason(&b.url("/b")), "redirects");
    assert_eq!((a.targets().len(), b.targets().len()), (3, 3));
}

#[test]
fn redirects_to_what_is_inside_in_every_spelling() {
    const INSIDE: [&str; 26] = [
        "http://169.254.169.254/latest/meta-data",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0251.0376.0251.0376/",
        "http://169.254.43518/",
        "http://[::ffff:169.254.169.254]/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[0:0:0:0:0:ffff:7f00:1]/",
        "http://[::127.0.0.1]/",
        "http://[::1]/",
        "http://[::]/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://127.1/",
        "http://127.0.0.1./",
        "http://0/",
        "http://017700000001/",
        "http://%31%32%37.0.0.1/",
        "http://%EF%BC%91%EF%BC%92%EF%BC%97.0.0.1/",
        "http://127%E3%80%820%E3%80%820%E3%80%821/",
        "http://press.example@10.0.0.1/",
        "//192.168.0.1/",
        "http:\\\\100.64.0.1\\",
    ];
    let proxy = Host::start(93, |target| {
        let number = target.strip_prefix("http://press.example/")?.parse::<usize>().ok()?;
        Some(Reply::redirect(INSIDE.get(number)?))
    });
    let config =
        Config { proxy: Some(format!("http://{}", proxy.address)), allow_private: false, ..config() };
    let requests: Vec<_> = (0..INSIDE.len()).map(|n| request(&format!("http://press.example/{n}"))).collect();
    let ended = fetch(&config, &requests);
    let reasons: Vec<_> = ended.dead.values().map(|(reason, _)| reason.as_str()).collect();
    assert!(reasons.iter().all(|reason| *reason == "address_refused"), "{ended:?}");
    assert_eq!(proxy.targets().len(), INSIDE.len(), "{:?}", proxy.targets());
    assert!(proxy.targets().iter().all(|target| target.starts_with("http://press.example/")));
}

#[test]
fn a_name_that_is_inside() {
    let inside = Host::start(1, |_| Some(Reply::html("secret")));
    let url = format!("http://localhost:{}/", inside.address.port());
    let ended = fetch(&Config { allow_private: false, ..config() }, &[request(&url)]);
    assert_eq!(ended.reason(&url), "address_refused");
    assert!(inside.all_seen().is_empty());
}

#[test]
fn a_429_with_a_date() {
    let (is_over, now_ms) = (AtomicBool::new(false), || Clock::system().now_ms());
    // Dates are of whole seconds.
    let until_ms = (now_ms() / 1000 + 2) * 1000;
    let date = Timestamp::from_millisecond(until_ms).unwrap();
    let date = DateTimePrinter::new().timestamp_to_rfc9110_string(&date).unwrap();
    let host = Host::start(94, move |path| match path {
        "/robots.txt" => None,
        _ if is_over.swap(true, Ordering::SeqCst) => Some(Reply::html("page")),
        _ => Some(Reply::status(429).with("Retry-After", &date)),
    });
    let began = (Instant::now(), now_ms());
    let ended = fetch(&config(), &["/1", "/2"].map(|path| request(&host.url(path))));
    assert_eq!(ended.pages.len(), 2);
    for seen in &host.seen()[1..] {
        let at_ms = began.1 + (seen.at - began.0).as_millis() as i64;
        assert!(at_ms >= until_ms - 5, "{} ms too soon", until_ms - at_ms);
    }
}

#[test]
fn a_429_for_longer_than_we_stay() {
    let host = Host::start(95, |path| {
        (path != "/robots.txt").then(|| Reply::status(429).with("Retry-After", "3600"))
    });
    let urls = ["/1", "/2", "/3"].map(|path| host.url(path));
    let ended = fetch_until(&config(), &urls.clone().map(|url| request(&url)), || !host.targets().is_empty());
    assert_eq!((ended.queued.len(), host.targets().len()), (3, 1), "they wait, and nobody is asked");
}

#[test]
fn a_503_storm() {
    let host = Host::start(96, |path| (path != "/robots.txt").then(|| Reply::status(503)));
    let urls: Vec<_> = (0..10).map(|n| host.url(&format!("/{n}"))).collect();
    let requests: Vec<_> = urls.iter().map(|url| request(url)).collect();
    let ended = fetch(&Config { give_up_after: Duration::from_secs(3), ..config() }, &requests);
    assert!(urls.iter().all(|url| ended.reason(url) == "busy"), "{ended:?}");
    let seen = host.seen();
    assert!(seen.len() <= 6, "{} requests to a host that asks for fewer", seen.len());
    for (n, pair) in seen.windows(2).enumerate() {
        assert!(pair[1].at - pair[0].at >= Duration::from_millis(50 << n), "the {n}th pause is too short");
    }
}

#[test]
fn a_503_storm_that_passes() {
    let calls = std::sync::atomic::AtomicU32::new(0);
    let host = Host::start(97, move |path| match path {
        "/robots.txt" => None,
        _ if calls.fetch_add(1, Ordering::SeqCst) < 4 => Some(Reply::status(503)),
        path => Some(Reply::html(path)),
    });
    let urls: Vec<_> = (0..10).map(|n| host.url(&format!("/{n}"))).collect();
    let ended =
        fetch(&Config { max_attempts: 1, ..config() }, &urls.iter().map(|u| request(u)).collect::<Vec<_>>());
    assert_eq!((ended.pages.len(), ended.dead.len()), (10, 0), "what speaks for the host costs no URL");
}

#[test]
fn a_host_that_vanishes() {
    // One connection is for its robots.txt.
    let host = Host::vanishing(98, 3, |path| (path != "/robots.txt").then(|| Reply::html("page")));
    let other = Host::start(99, |path| (path != "/robots.txt").then(|| Reply::html("page")));
    let mut requests: Vec<_> = (0..5).map(|n| request(&host.url(&format!("/{n}")))).collect();
    requests.extend((0..5).map(|n| request(&other.url(&format!("/{n}")))));
    let ended = fetch(&Config { give_up_after: Duration::from_secs(3), ..config() }, &requests);
    assert_eq!((ended.pages.len(), ended.dead.len()), (7, 3));
    assert!(ended.dead.values().all(|(reason, _)| reason == "connection"), "{ended:?}");
}

#[test]
fn a_host_that_vanishes_while_we_stay() {
    let host = Host::vanishing(100, 3, |path| (path != "/robots.txt").then(|| Reply::html("page")));
    let requests: Vec<_> = (0..5).map(|n| request(&host.url(&format!("/{n}")))).collect();
    let ended = fetch_until(&config(), &requests, || host.targets().len() == 2);
    assert_eq!((ended.pages.len() + ended.queued.len(), ended.dead.len()), (5, 0));
    assert!(ended.queued.len() >= 3);
}

#[test]
fn a_part_of_a_domain_that_is_dead_holds_up_no_other() {
    let host = Host::start(101, |path| (path != "/robots.txt").then(|| Reply::html("page")));
    let dead = "http://127.0.0.101:1/".to_owned();
    let mut requests = vec![request(&dead)];
    requests.extend((0..5).map(|n| request(&host.url(&format!("/{n}")))));
    let ended = fetch(&Config { give_up_after: Duration::from_secs(3), ..config() }, &requests);
    assert_eq!((ended.pages.len(), ended.reason(&dead)), (5, "robots_unreachable"));
}
