//! Names that turn inwards on the way: each hop of a visit is checked where it connects, and not only the first.

#[allow(dead_code, reason = "shared with the tests on loopback, which use all of it")]
#[path = "../tests/loopback/dns.rs"]
mod dns;
#[allow(dead_code, reason = "shared with the tests on loopback, which use all of it")]
#[path = "../tests/loopback/server.rs"]
mod server;

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use article::CanonicalUrl;
use crawl::{Failure, Validators};
use pipeline::Clock;

use crate::{
    client::Client,
    config::Config,
    keep::Keep,
    resolver::PublicResolver,
    visit::{Found, Job, Visitor},
};
use dns::{Dns, at};
use server::{Host, Reply};

/// Of all that is here, the one address that passes for public.
const OUTSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 140));

/// Visits a page, names resolved by `dns`.
fn visit(dns: &Dns, url: &str) -> Found {
    let config = Config { timeout: Duration::from_secs(5), ..Config::default() };
    let resolver = PublicResolver::new(&[dns.address], Duration::from_secs(5), |address| address == OUTSIDE);
    let client = Client::with(&config, resolver).unwrap();
    let visitor = Visitor::new(client, Keep::open(&config, None).unwrap(), Clock::system(), &config);
    let url = CanonicalUrl::parse(url).unwrap();
    let job = Job {
        id: 1,
        partition: 0,
        domain: url.registrable_domain().to_owned(),
        sequence: 1,
        request: wire::Request::default(),
        hops: 0,
        depth: 0,
        robots: Vec::new(),
        allowed: Duration::from_secs(20),
        known: Validators::default(),
        is_section: false,
        url,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(visitor.visit(job)).found
}

#[test]
fn a_redirect_to_a_name_that_is_inside() {
    let inside = Host::start(141, |_| Some(Reply::html("secret")));
    let port = inside.address.port();
    let outside = Host::start(140, move |path| match path {
        "/story" => Some(Reply::redirect("/next")),
        "/next" => Some(Reply::redirect(&format!("http://intranet.harbour.example:{port}/"))),
        _ => None,
    });
    let dns = Dns::start(|name, _| match name {
        "intranet.harbour.example" => at(&["127.0.0.141", "::ffff:127.0.0.141"]),
        _ => at(&["127.0.0.140"]),
    });
    let found = visit(&dns, &format!("http://www.harbour.example:{}/story", outside.address.port()));
    assert!(matches!(found, Found::Failed(Failure::AddressRefused(_))), "{found:?}");
    assert_eq!(outside.targets(), ["/story", "/next"]);
    assert!(inside.all_seen().is_empty());
}

#[test]
fn a_name_that_turns_inwards_after_the_first_hop() {
    let outside = Host::start(140, |path| {
        (path == "/story").then(|| Reply::redirect("http://www.harbour.example/next"))
    });
    // Its own port is of no matter: it is refused before anything is connected to.
    let dns = Dns::start(|name, before| match name {
        "www.harbour.example" if before > 0 => at(&["169.254.169.254"]),
        _ => at(&["127.0.0.140"]),
    });
    let found = visit(&dns, &format!("http://harbour.example:{}/story", outside.address.port()));
    assert!(matches!(found, Found::Failed(Failure::AddressRefused(_))), "{found:?}");
    assert_eq!(outside.targets(), ["/story"]);
}
