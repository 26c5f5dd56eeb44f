//! Names, and a DNS that lies about them or falls silent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fetcher::Config;
use pipeline::Clock;

use super::{
    config,
    dns::{Dns, Said, at},
    fetch, request,
    server::{Host, Reply},
};

fn asking(dns: &Dns) -> Config {
    let connect_timeout = Duration::from_millis(800);
    Config { name_servers: vec![dns.address], allow_private: false, connect_timeout, ..config() }
}

#[test]
fn a_name_whose_addresses_change_between_check_and_connection() {
    let inside = Host::start(124, |_| Some(Reply::html("secret")));
    let dns = Dns::start(|name, before| match (name, before) {
        (_, 0) => at(&["8.8.8.8"]),
        ("loopback.example", _) => at(&["127.0.0.124"]),
        ("private.example", _) => at(&["10.0.0.1"]),
        ("metadata.example", _) => at(&["169.254.169.254"]),
        _ => at(&["::ffff:127.0.0.124"]),
    });
    let names = ["loopback.example", "private.example", "metadata.example", "mapped.example"];
    let urls = names.map(|name| format!("http://{name}:{}/", inside.address.port()));
    let ended = fetch(&asking(&dns), &urls.clone().map(|url| request(&url)));
    for (name, url) in names.iter().zip(&urls) {
        assert_eq!(ended.reason(url), "address_refused", "{}", ended.detail(url));
        assert!(dns.asked(name) >= 2, "once to be checked, once to be connected to");
    }
    assert!(inside.all_seen().is_empty());
}

#[test]
fn names_that_are_inside() {
    let inside = Host::start(125, |_| Some(Reply::html("secret")));
    let dns = Dns::start(|name, _| match name {
        "v4.example" => at(&["127.0.0.125"]),
        "several.example" => at(&["10.0.0.1", "127.0.0.125", "::1"]),
        "mapped.example" => at(&["::ffff:127.0.0.125"]),
        "alias.example" => Said::Alias("there.example", Box::new(at(&["127.0.0.125"]))),
        "chain.example" => {
            let last = Said::Alias("inside.example", Box::new(at(&["169.254.169.254"])));
            Said::Alias("a.example", Box::new(Said::Alias("b.example", Box::new(last))))
        }
        _ => Said::Nobody,
    });
    let names = ["v4", "several", "mapped", "alias", "chain"];
    let urls = names.map(|name| format!("http://{name}.example:{}/", inside.address.port()));
    let ended = fetch(&asking(&dns), &urls.clone().map(|url| request(&url)));
    for url in &urls {
        assert_eq!(ended.reason(url), "address_refused", "{}", ended.detail(url));
    }
    assert!(inside.all_seen().is_empty());
}

#[test]
fn a_name_that_does_not_exist_is_final() {
    let dns = Dns::start(|name, _| match name {
        "nobody.example" => Said::Nobody,
        "dangling.example" => Said::Alias("nobody.example", Box::new(Said::Nobody)),
        _ => at(&[]),
    });
    let names = ["nobody.example", "dangling.example", "addressless.example"];
    let urls = names.map(|name| format!("http://{name}/"));
    let ended = fetch(&asking(&dns), &urls.clone().map(|url| request(&url)));
    for url in &urls {
        assert_eq!(ended.reason(url), "no_such_host", "{}", ended.detail(url));
    }
}

#[test]
fn a_dns_that_fails_or_is_silent_is_an_outage() {
    let inside = Host::start(126, |_| Some(Reply::html("there")));
    for said in [Said::Failure, Said::Silence] {
        let broken = said.clone();
        let dns = Dns::start(move |name, before| match name {
            "recovers.example" if before >= 2 => at(&["127.0.0.126"]),
            _ => broken.clone(),
        });
        let url = |name: &str| format!("http://{name}.example:{}/", inside.address.port());
        let config = Config {
            allow_private: true,
            max_attempts: 1,
            connect_timeout: Duration::from_millis(400),
            ..asking(&dns)
        };
        let mut never = request(&url("never"));
        never.expires_at_ms = Clock::system().now_ms() + 1_200;
        let ended = fetch(&config, &[never, request(&url("recovers"))]);
        assert_eq!(ended.body(&url("recovers")), b"there", "however few the attempts: {said:?}");
        assert_eq!(ended.reason(&url("never")), "dns", "{said:?}: {ended:?}");
        assert!(ended.detail(&url("never")).contains("the DNS did not answer"), "{ended:?}");
        assert!(dns.asked("never.example") >= 2, "tried until it expired: {said:?}");
    }
}

#[test]
fn one_half_of_an_answer_is_not_the_whole() {
    let there = Host::start(127, |_| Some(Reply::html("there")));
    let url = format!("http://half.example:{}/", there.address.port());
    // Its v4 addresses cannot be had at first, and v6 ones it has none.
    let dns = Dns::start(|_, before| if before < 2 { Said::Failure } else { at(&["127.0.0.127"]) });
    let config = Config { allow_private: true, max_attempts: 1, ..asking(&dns) };
    let ended = fetch(&config, &[request(&url)]);
    assert_eq!(ended.body(&url), b"there");
}

#[test]
fn many_names_on_one_address_share_what_it_may_be_asked() {
    const NAMES: usize = 40;
    const MOST: usize = 3;
    let dns = Dns::start(|_, _| at(&["127.0.0.128"]));
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (asked_now, most_at_once) = (now.clone(), most.clone());
    let host = Host::wild(128, move |path, stream| {
        most_at_once.fetch_max(asked_now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        super::server::tick(stream, Duration::from_millis(20))?;
        asked_now.fetch_sub(1, Ordering::SeqCst);
        let reply = if path == "/robots.txt" { Reply::status(404) } else { Reply::html(path) };
        reply.with("Connection", "close").say(stream)?;
        Ok(super::server::Then::HangUp)
    });
    let port = host.address.port();
    let urls: Vec<_> = (0..NAMES).map(|n| format!("http://press{n}.example:{port}/story")).collect();
    let config = Config { max_in_flight_per_address: MOST, allow_private: true, ..asking(&dns) };
    let ended = fetch(&config, &urls.iter().map(|url| request(url)).collect::<Vec<_>>());
    assert_eq!(ended.pages.len(), NAMES);
    assert_eq!((most.load(Ordering::SeqCst), now.load(Ordering::SeqCst)), (MOST, 0));
}
