//! The services as separate processes on one Kafka, two instances of each, give what one process gives on the embedded
//! log.

use std::collections::BTreeMap;
use std::path::Path;

use tests::broker::Broker;
use tests::press::{self, Expected, Press};
use tests::services::{Process, Services};
use tests::{run, wait};

const ARTICLES: usize = 60;

/// Of the press's inputs: one page is gone, robots.txt refuses another.
const FAILING: usize = 2;

#[test]
fn two_instances_of_each_give_what_one_process_gives() {
    let press = Press::with_articles(ARTICLES);
    let prefix = format!("services-{}", std::process::id());
    let mut services = Services::start(Broker::shared(), &press, &prefix);
    let documents = press::write_documents(services.folder()).unwrap();
    let mut inputs: Vec<String> = documents.iter().map(|path| path.display().to_string()).collect();
    inputs.extend(press::inputs());
    inputs.extend(press.article_urls());
    let expected = one_process(&press, &inputs, services.folder());
    assert!(expected.len() > ARTICLES, "{} canonical articles", expected.len());

    assert_probes(&services);
    let submitted = services.submit(&inputs);
    assert_eq!(submitted.len(), inputs.len());
    wait::until("as many articles and dead letters as of one process", || {
        services.topics.canonical().len() == expected.len()
            && services.topics.dead_letters().len() >= FAILING
            && is_drained(&services)
    });

    let handled = handled(&services);
    println!("records handled, by role and instance: {handled:?}");
    for (role, counts) in &handled {
        // `prepared` has one partition: one decider, and one that stands by.
        let idle = counts.values().filter(|count| **count == 0).count();
        assert_eq!(idle, usize::from(*role == "cluster"), "{role}: {counts:?}");
    }

    services.processes.iter().for_each(|service| service.ask_to_end());
    for service in &services.processes {
        // The signal has to arrive first; then it is gone, or says that it drains.
        wait::until(&format!("{} is no longer ready", service.name), || {
            service.get("/readyz").is_none_or(|(status, _)| status == 503)
        });
    }
    for service in &mut services.processes {
        let status = service.wait();
        assert!(status.success(), "{} ended with {status}:\n{}", service.name, service.log());
    }

    let got = services.topics.canonical();
    assert_eq!(places(&got), places(&expected));
    assert_eq!(got, expected);
    services.topics.assert_versions();
    services.topics.assert_accounted(&submitted);
}

#[test]
fn who_reaches_no_broker_is_not_ready() {
    const IDLE: [Process; 1] = [("extractor", "extractor-0", &["extractor"])];
    let (mut broker, press) = (Broker::own(), Press::open());
    let services = Services::start_these(&IDLE, |_| Vec::new(), &broker, &press, "away");
    let extractor = &services.processes[0];
    wait::until("it is ready", || extractor.is_ready());
    broker.kill();
    wait::until("it is not ready", || !extractor.is_ready());
    let (status, why) = extractor.get("/readyz").unwrap();
    assert_eq!(
        (status, why.as_str()),
        (503, "the extractor has no place in its group, or no broker answers\n")
    );
    assert_eq!(extractor.get("/livez").unwrap().0, 200);
    broker.restart();
    wait::until("it is ready again", || extractor.is_ready());
}

/// The canonical articles of one run on the embedded log.
fn one_process(press: &Press, inputs: &[String], folder: &Path) -> Vec<Expected> {
    let out = folder.join("one-process.jsonl");
    let output = run::wireroom()
        .arg("run")
        .args(inputs)
        .arg("--out")
        .arg(&out)
        .args(["--proxy", &press.proxy(), "--delay", "10ms"])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    run::canonical(&out)
}

fn assert_probes(services: &Services) {
    for service in &services.processes {
        let (status, _) = service.get("/livez").unwrap();
        assert_eq!(status, 200, "/livez of {}", service.name);
        let (_, metrics) = service.get("/metrics").unwrap();
        assert!(metrics.contains("# TYPE wireroom_records_consumed_total counter"), "{metrics}");
        for line in metrics.lines().filter(|line| line.starts_with("# TYPE ")) {
            let is_declared =
                metrics::all().any(|metric| line == format!("# TYPE {} {}", metric.name, metric.kind));
            assert!(is_declared, "{}: {line}: not in the list of metrics", service.name);
        }
    }
    let is_ready = |service: &str| {
        let of_it = services.processes.iter().filter(|process| process.name.starts_with(service));
        of_it.filter(|process| process.get("/readyz").is_some_and(|(status, _)| status == 200)).count()
    };
    wait::until("the services are ready", || {
        // The normalizer that stands by holds no partition of `prepared`.
        is_ready("fetcher") == 2 && is_ready("extractor") == 2 && is_ready("normalizer") >= 1
    });
}

/// Whether no fetcher has anything queued.
fn is_drained(services: &Services) -> bool {
    let fetchers = services.processes.iter().filter(|service| service.roles == ["fetcher"]);
    let mut metrics = fetchers.map(|service| service.get("/metrics").map_or(String::new(), |(_, body)| body));
    metrics.all(|metrics| {
        let mut lanes =
            metrics.lines().filter(|line| line.starts_with("wireroom_fetcher_frontier_depth{")).peekable();
        lanes.peek().is_some() && lanes.all(|line| line.ends_with(" 0"))
    })
}

fn handled(services: &Services) -> BTreeMap<&'static str, BTreeMap<&'static str, u64>> {
    let mut handled: BTreeMap<_, BTreeMap<_, _>> = BTreeMap::new();
    for service in &services.processes {
        for role in service.roles {
            let count = service.count("wireroom_records_consumed_total", role).unwrap_or(0);
            handled.entry(*role).or_default().insert(service.name, count);
        }
    }
    handled
}

fn places(articles: &[Expected]) -> Vec<&str> {
    articles.iter().map(|article| article.place.as_str()).collect()
}
