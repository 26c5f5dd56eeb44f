//! How long nothing is decided when another instance takes the decider's place on Kafka: `bench_handover [ARTICLES
//! [WINDOW]]`, 200,000 articles of which 60,000 are in the window unless told. Prints one `name value unit` a line.
//!
//! `standing_by`: the heir has followed the changelog, as an instance does that holds nothing. `from_nothing`: its folder is
//! empty. The last owner leaves in good order; one that dies keeps its place for `kafka.session_timeout` besides.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use fastrand::Rng;
use normalizer::{CLUSTER_ROLE, Cluster, ClusterSettings, prepare};
use pipeline::kafka::{Kafka, KafkaRole, Options, admin::TopicSpec, admin::create};
use pipeline::{Clock, Inputs, Limits, Log as _, Origin, Record, Stage as _};
use prost::Message as _;
use tests::broker::Broker;
use tests::made;

const BATCH: usize = 256;
const WINDOW_MS: i64 = 14 * 24 * 3_600_000;
const PREFIX: &str = "handover";
const NONE: Limits = Limits { records: 0, bytes: 0, timers: 0 };

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(|number| number.parse::<usize>());
    let articles = arguments.next().unwrap_or(Ok(200_000))?;
    let window = arguments.next().unwrap_or(Ok(60_000))?;
    let broker = Broker::own();
    let folder = tempfile::tempdir()?;
    let options = |name: &str| Options::new(broker.bootstrap(), PREFIX, name, folder.path().join(name));
    let topics = [
        TopicSpec::deleted("prepared", 1, 1),
        TopicSpec::compacted("canonical", 6),
        TopicSpec::deleted("changes", 6, 1),
        TopicSpec::dead_letters("deadletters.normalizer", 1),
        TopicSpec::changelog("cluster", 1),
    ];
    create(&options("admin"), &topics, 1)?;

    let mut owner = Decider::join(options("one"))?;
    owner.take_over()?;
    let mut heir = Decider::join(options("two"))?;
    let mut random = Rng::with_seed(7);
    for first in (0..articles).step_by(BATCH) {
        let step = first..articles.min(first + BATCH);
        owner.decide(step.map(|n| (n as i64 * WINDOW_MS / window as i64, made::article(n, &mut random))))?;
        // Who does not poll for minutes is out of the group.
        owner.role.poll(NONE, Duration::ZERO)?;
        heir.role.poll(NONE, Duration::from_millis(5))?;
        if first % (64 * BATCH) == 0 {
            eprint!("\r{first} articles");
        }
    }
    eprintln!("\r{articles} articles");
    println!(
        "handover_state {:.0} bytes/article",
        bytes_in(&folder.path().join("one")) as f64 / articles as f64
    );
    // What came last is followed in a moment.
    let caught_up = Instant::now();
    while caught_up.elapsed() < Duration::from_secs(5) {
        heir.role.poll(NONE, Duration::from_millis(100))?;
    }
    drop(owner);
    println!("handover_standing_by {:.1} s", heir.take_over()?.as_secs_f64());
    drop(heir);
    println!("handover_from_nothing {:.1} s", Decider::join(options("three"))?.take_over()?.as_secs_f64());
    Ok(())
}

struct Decider {
    role: KafkaRole,
    stage: Cluster,
    decided: i64,
}

impl Decider {
    fn join(options: Options) -> Result<Self> {
        let role = Kafka::open(options)?.role(CLUSTER_ROLE)?;
        Ok(Self { role, stage: Cluster::new(Clock::system(), ClusterSettings::default()), decided: 0 })
    }

    /// Waits for the partition; how long it took until an article could be decided.
    fn take_over(&mut self) -> Result<Duration> {
        let started = Instant::now();
        loop {
            let gained = self.role.poll(NONE, Duration::from_millis(50))?.assigned;
            if let Some(partition) = gained.first() {
                let state = self.role.state(*partition).context("a partition that is held has its state")?;
                self.stage.assigned(*partition, &state)?;
                return Ok(started.elapsed());
            }
        }
    }

    fn decide(&mut self, articles: impl Iterator<Item = (i64, wire::Article)>) -> Result<()> {
        const BEGINNING_MS: i64 = 1_700_000_000_000;
        let records = articles.map(|(at_ms, article)| {
            let seen_at_ms = BEGINNING_MS + at_ms;
            let article = wire::Article { seen_at_ms, fetched_at_ms: seen_at_ms, ..article };
            self.decided += 1;
            Record {
                origin: Origin { topic: "prepared".to_owned(), partition: 0, offset: self.decided },
                key: "0".into(),
                value: Some(prepare(article).encode_to_vec().into()),
                headers: Vec::new(),
                written_at_ms: seen_at_ms,
            }
        });
        let inputs = Inputs { records: records.collect(), ..Inputs::default() };
        let mut step = self.role.step();
        self.stage.process(&inputs, &mut step)?;
        // What is handed over is the state; who reads the articles is not asked.
        step.take_outputs();
        self.role.commit(step)?;
        Ok(())
    }
}

fn bytes_in(folder: &Path) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let size = |entry: std::fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => bytes_in(&entry.path()),
        Ok(found) => found.len(),
        Err(_) => 0,
    };
    entries.flatten().map(size).sum()
}
