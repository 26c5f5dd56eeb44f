//! SIGTERM under load, as Kubernetes sends it: a service says first that it is not ready, ends its step and itself within
//! its deadline, and nothing is lost or doubled; what waited meanwhile is done after its restart.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tests::broker::Broker;
use tests::press::{Expected, Press};
use tests::services::{APART, PAIRS, Process, Service, Services};
use tests::topics::Topics;
use tests::{run, wait};

/// More than are submitted in the time that a test takes.
const ARTICLES: usize = 3_000;
/// Of a service, where nothing is configured.
const DRAIN_DEADLINE: Duration = Duration::from_secs(25);
const HOLD: &str = "WIREROOM_HOLD_AT";

/// The roles, and what they read.
const INPUTS: [(&str, &str); 4] =
    [("fetcher", "requests"), ("extractor", "pages"), ("prepare", "articles"), ("cluster", "prepared")];

#[test]
fn each_service_drains_under_load() {
    under_load(
        "drain",
        &APART,
        |_| Vec::new(),
        |services| {
            for (role, _) in INPUTS {
                let victim = services.iter_mut().find(|service| service.roles.contains(&role)).unwrap();
                wait_for_work(victim, role);
                drain(victim);
                victim.start_again();
                // Before the next, so that there is something to do for it, too.
                wait_for_work(victim, role);
            }
        },
    );
}

#[test]
fn a_rolling_restart_under_load() {
    // As the chart has it for those with state: whoever is back soon has its partitions still.
    let is_static = |_: &str| vec![("WIREROOM__KAFKA__STATIC_MEMBERSHIP", "true".to_owned())];
    under_load("rolling", &PAIRS, is_static, |services| {
        for service in services.iter_mut().rev() {
            drain(service);
            service.start_again();
            wait::until(&format!("{} is ready again", service.name), || service.is_ready());
        }
    });
}

#[test]
fn what_does_not_drain_ends_at_its_deadline() {
    let deadline = Duration::from_secs(2);
    let settings = |name: &str| {
        let hold = (HOLD, "extractor/commit/3".to_owned());
        let drain = ("WIREROOM__SERVICE__DRAIN_DEADLINE", "2s".to_owned());
        if name == "extractor-0" { vec![hold, drain] } else { Vec::new() }
    };
    let one_of_each: Vec<Process> = APART.into_iter().filter(|(_, name, _)| name.ends_with("-0")).collect();
    under_load("deadline", &one_of_each, settings, |services| {
        let held = services.iter_mut().find(|service| service.name == "extractor-0").unwrap();
        let mut notes = held.notes();
        let mut since = None;
        wait::until("the extractor is held in its commit", || {
            since = since
                .filter(|_| notes.is_at("extractor", "commit"))
                .or_else(|| notes.is_at("extractor", "commit").then(Instant::now));
            since.is_some_and(|since: Instant| since.elapsed() > Duration::from_millis(200))
        });
        held.ask_to_end();
        let asked = Instant::now();
        wait::until("it is not ready", || !held.is_ready());
        let status = held.wait();
        assert_eq!(status.code(), Some(1), "{}", held.log());
        assert!(asked.elapsed() >= deadline, "it ended after {:?}", asked.elapsed());
        held.settings.retain(|(key, _)| key != HOLD);
        held.start_again();
        wait_for_work(held, "extractor");
    });
}

/// Runs services, and something that is done to them, while articles are submitted all the time; then holds that what
/// came out is what one process makes of the same, once, and that nothing waits any more.
fn under_load(
    name: &str,
    processes: &[Process],
    settings: impl Fn(&str) -> Vec<(&'static str, String)>,
    incident: impl FnOnce(&mut [Service]),
) {
    let press = Press::with_articles(ARTICLES);
    let broker = Broker::shared();
    let prefix = format!("{name}-{}", std::process::id());
    let mut services = Services::start_these(processes, settings, broker, &press, &prefix);

    let (urls, is_over) = (press.article_urls(), AtomicBool::new(false));
    let Services { processes, topics, .. } = &mut services;
    let submitted = thread::scope(|scope| {
        let feeder = scope.spawn(|| submit_until(&is_over, topics, &urls));
        incident(processes);
        is_over.store(true, Ordering::SeqCst);
        feeder.join().unwrap()
    });
    println!("{name}: {} requests were submitted meanwhile", submitted.len());

    let expected = one_process(&press, &urls[..submitted.len()], services.folder());
    wait::until("as many articles as of one process", || services.topics.canonical().len() == expected.len());
    let mut lags = BTreeMap::new();
    wait::until("nothing waits for any role", || {
        lags = INPUTS
            .map(|(role, topic)| {
                (role, broker.lag(&format!("{prefix}.{role}"), &format!("{prefix}.{topic}.v1")))
            })
            .into();
        lags.values().all(|lag| *lag == 0)
    });
    for (name, status) in services.stop() {
        assert!(status.success(), "{name} ended with {status}");
    }
    assert_eq!(services.topics.canonical(), expected);
    services.topics.assert_versions();
    services.topics.assert_accounted(&submitted);
}

/// Submits articles, a few at a time, until it is over.
fn submit_until(is_over: &AtomicBool, topics: &Topics, urls: &[String]) -> Vec<String> {
    let mut submitted = Vec::new();
    for some in urls.chunks(40) {
        if is_over.load(Ordering::SeqCst) {
            return submitted;
        }
        submitted.extend(topics.submit(some));
    }
    panic!("the press has no more articles: there was no load at the end");
}

/// The canonical articles of one run on the embedded log.
fn one_process(press: &Press, urls: &[String], folder: &Path) -> Vec<Expected> {
    let [list, out] = ["urls.txt", "one-process.jsonl"].map(|name| folder.join(name));
    std::fs::write(&list, urls.join("\n") + "\n").unwrap();
    let mut run = run::wireroom();
    run.arg("run").arg(&list).arg("--out").arg(&out).args(["--proxy", &press.proxy(), "--delay", "0s"]);
    let output = run.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    run::canonical(&out)
}

/// Waits until a process has read something, now.
fn wait_for_work(service: &Service, role: &str) {
    let read = || service.count("wireroom_records_consumed_total", role);
    let mut before = None;
    wait::until(&format!("{} is at work", service.name), || {
        let now = read();
        before = before.or(now);
        now > before
    });
}

/// Stops a process, and holds what it owes to whoever watches it.
fn drain(service: &mut Service) {
    assert!(service.is_ready(), "{} is not ready to begin with", service.name);
    service.ask_to_end();
    let asked = Instant::now();
    let mut answers = Vec::new();
    let status = loop {
        answers.push(service.get("/readyz").map(|(status, _)| status));
        if let Some(status) = service.ended() {
            break status;
        }
        assert!(asked.elapsed() < DRAIN_DEADLINE, "{} does not end", service.name);
    };
    println!("{} drained in {:?}", service.name, asked.elapsed());
    assert!(status.success(), "{} ended with {status}:\n{}", service.name, service.log());
    // The signal has to arrive; then it says that it drains, as long as it answers.
    answers.dedup();
    assert!(
        matches!(
            answers[..],
            [Some(200), Some(503)] | [Some(503)] | [Some(200), Some(503), None] | [Some(503), None]
        ),
        "{}: {answers:?}",
        service.name
    );
}
