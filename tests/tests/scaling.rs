//! One, two and four instances of *extractor* and of *prepare* on one Kafka: the same comes out, and a record costs as
//! much CPU time as with one.
//!
//! What is measured is the work on a backlog: the instances hold their partitions, and have read a few records, before it
//! comes, so that the time of their start is not counted. The processes are those of the tests' profile: only ratios mean something.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tests::broker::Broker;
use tests::press::Press;
use tests::services::{PARTITIONS, Process, Service, Services};
use tests::topics::Topics;
use tests::{run, wait};

const ARTICLES: usize = 800;
const EXTRACTORS: [Process; 4] = [
    ("extractor", "extractor-0", &["extractor"]),
    ("extractor", "extractor-1", &["extractor"]),
    ("extractor", "extractor-2", &["extractor"]),
    ("extractor", "extractor-3", &["extractor"]),
];
const PREPARES: [Process; 4] = [
    ("normalizer", "prepare-0", &["prepare"]),
    ("normalizer", "prepare-1", &["prepare"]),
    ("normalizer", "prepare-2", &["prepare"]),
    ("normalizer", "prepare-3", &["prepare"]),
];

/// Records of each partition on which processes prepare what they need for any.
const WARM_UP: usize = 4;
/// So much more a record may cost with several instances.
const ALLOWED: f64 = 1.1;
/// A machine that has other things to do makes all of it dearer: a figure is the least of as many.
const TRIES: usize = 8;

/// A role, what it reads, and what it writes.
struct Stage {
    processes: [Process; 4],
    role: &'static str,
    input: &'static str,
    output: &'static str,
    /// So often it gets all of it: the kernel tells CPU time in hundredths of a second.
    times: u32,
}

#[test]
fn instances_share_the_work_and_add_none() {
    let press = Press::with_articles(ARTICLES);
    let filled = format!("scaling-{}", std::process::id());
    fill(&press, &filled);

    for stage in [
        Stage { processes: EXTRACTORS, role: "extractor", input: "pages", output: "articles", times: 2 },
        Stage { processes: PREPARES, role: "prepare", input: "articles", output: "prepared", times: 8 },
    ] {
        let mut cost: BTreeMap<usize, Duration> = BTreeMap::new();
        for attempt in 1..=TRIES {
            for instances in [1, 2, 4] {
                let prefix = format!("{filled}-{}-{instances}-{attempt}", stage.role);
                let spent = measure(&stage, instances, &press, &filled, &prefix);
                let least = cost.entry(instances).or_insert(spent);
                *least = spent.min(*least);
            }
            println!("{}, CPU a record by instances: {cost:?}", stage.role);
            if is_even(&cost) {
                break;
            }
        }
        assert!(is_even(&cost), "{}: CPU a record by instances: {cost:?}", stage.role);
    }
}

fn is_even(cost: &BTreeMap<usize, Duration>) -> bool {
    cost.values().all(|spent| spent.as_secs_f64() <= ALLOWED * cost[&1].as_secs_f64())
}

/// Leaves the topics of a run behind.
fn fill(press: &Press, prefix: &str) {
    let folder = tempfile::tempdir().unwrap();
    let urls = folder.path().join("urls.txt");
    std::fs::write(&urls, press.article_urls().join("\n") + "\n").unwrap();
    let mut run = run::wireroom();
    run.arg("run").arg(&urls).args(["--proxy", &press.proxy(), "--delay", "0s", "--prefix", prefix]);
    run.args(["--kafka", Broker::shared().bootstrap()]).arg("--data").arg(folder.path().join("data"));
    run.env("WIREROOM__KAFKA__PARTITIONS", PARTITIONS.to_string());
    let output = run.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// CPU time a record of a stage's instances, all together. They read a copy of what the run left, and have to write what
/// it wrote.
fn measure(stage: &Stage, instances: usize, press: &Press, filled: &str, prefix: &str) -> Duration {
    let broker = Broker::shared();
    let mut services =
        Services::start_these(&stage.processes[..instances], |_| Vec::new(), broker, press, prefix);
    wait::until("every instance has its share", || {
        let held = |service: &Service| service.count("wireroom_partitions_assigned", stage.role);
        let held: Option<Vec<u64>> = services.processes.iter().map(held).collect();
        held.is_some_and(|held| !held.contains(&0) && held.iter().sum::<u64>() == PARTITIONS)
    });
    let (group, from) = (format!("{prefix}.{}", stage.role), format!("{filled}.{}.v1", stage.input));
    let to = format!("{prefix}.{}.v1", stage.input);
    let work = |times: u32, most: usize| {
        let records: usize = (0..times).map(|_| broker.copy(&from, &to, most)).sum();
        wait::until("all of it is read", || broker.lag(&group, &to) == 0);
        records
    };
    let spent = || services.processes.iter().map(Service::cpu).sum::<Duration>();
    let warmed_up = work(1, WARM_UP);
    let before = spent();
    let records = work(stage.times, usize::MAX);
    let spent = spent() - before;

    let expected = output(&Topics::on_kafka(broker.bootstrap(), filled), stage.output);
    assert_eq!(expected.len() * stage.times as usize, records);
    let written = output(&services.topics, stage.output);
    let is_same = written.keys().eq(expected.keys());
    assert!(is_same, "{instances} instances of {} write something else than one process", stage.role);
    // Once for every time that it was read: some as they warmed up, too.
    let times = stage.times as usize;
    let is_once = written.values().all(|count| (times..=times + 1).contains(count));
    let is_all = written.values().sum::<usize>() == records + warmed_up;
    assert!(is_once && is_all, "{instances} instances of {} write more or less than they read", stage.role);
    for (name, status) in services.stop() {
        assert!(status.success(), "{name} ended with {status}");
    }
    spent / u32::try_from(records).unwrap()
}

/// What stands in a topic, and how often.
fn output(topics: &Topics, topic: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for record in topics.read(topic) {
        *counts.entry(Value::to_string(&record)).or_default() += 1;
    }
    counts
}
