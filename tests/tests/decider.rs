//! The decider on Kafka, killed in the middle of its batches and taken over by another instance: what it publishes is,
//! record by record, what one decider publishes that reads the same articles on an embedded log, in batches of another
//! size. So nothing is published twice or lost, no cluster is split, and replaying `prepared` gives the same again.
//!
//! `WIREROOM_DECIDER_KILLS` says how often it is killed (6 times by default).

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use fastrand::Rng;
use normalizer::{CLUSTER_ROLE, Cluster, ClusterSettings, prepare};
use pipeline::{AnyLog, Clock, Limits, Log as _, Output, Record, Stage as _, embedded, kafka};
use prost::Message as _;
use tests::broker::Broker;
use tests::made;
use tests::run::{Notes, Running, wireroom};
use tests::services::{create_topics, on_kafka};
use tests::wait;
use wire::{Article, CanonicalArticle, Change, Withdrawal};

const ACTIONS: [&str; 5] = ["work", "produce", "state", "offsets", "commit"];
/// Articles before each start, and again until it is in its second step, which is the one that is killed: a record on
/// which process after process dies would be taken for the cause.
const PORTION: usize = 12;
/// A step takes no longer, as a rule.
const STEP: Duration = Duration::from_millis(600);
/// A note that says the same for so long is of a role that is held.
const HELD: Duration = Duration::from_millis(30);

#[test]
fn killed_and_taken_over_it_publishes_what_an_undisturbed_one_does() {
    let kills = std::env::var("WIREROOM_DECIDER_KILLS").map_or(6, |kills| kills.parse().unwrap());
    let press = prepared((4 * kills + 4) * PORTION);
    let prefix = format!("decider-{}", std::process::id());
    let decider = Decider::on(Broker::shared(), &prefix);
    let mut portions = press.chunks(PORTION);
    for kill in 0..kills {
        decider.kill_at(ACTIONS[kill % ACTIONS.len()], &mut portions);
    }
    // The last one has an heir.
    let heir = decider.start("two", None);
    decider.kill_at("commit", &mut portions);
    portions.for_each(|portion| decider.append(portion));
    let expected = undisturbed(&press);
    decider.wait_for(&expected);
    assert_eq!(heir.stop().code(), Some(0));

    let published = decider.published();
    for (topic, records) in &expected {
        assert_eq!(published[topic].len(), records.len(), "{topic}");
        for (key, values) in records {
            assert_eq!(&published[topic][key], values, "{topic} {}", String::from_utf8_lossy(key));
        }
    }
    let count = |topic: &str| expected[topic].values().map(Vec::len).sum::<usize>();
    println!("{kills} kills; {} canonical records, {} changes", count("canonical"), count("changes"));
    assert!(count("changes") > press.len() / 2);
    assert!(expected["canonical"].len() < press.len() * 9 / 10, "copies were joined");
}

/// What was published, by topic and key, in order; but for the time of processing.
type Published = BTreeMap<&'static str, BTreeMap<Vec<u8>, Vec<String>>>;

fn published(read: impl Fn(&'static str) -> Vec<Record>) -> Published {
    let told = |topic, value: &[u8]| match topic {
        "canonical" => {
            let record = CanonicalArticle::decode(value).unwrap();
            format!("{:?}", CanonicalArticle { processed_at: String::new(), ..record })
        }
        _ => format!("{:?}", Change { processed_at: String::new(), ..Change::decode(value).unwrap() }),
    };
    let mut published = Published::new();
    for topic in ["canonical", "changes"] {
        let records: &mut BTreeMap<Vec<u8>, Vec<String>> = published.entry(topic).or_default();
        for Record { key, value, .. } in read(topic) {
            let told = value.map_or("tombstone".to_owned(), |value| told(topic, &value));
            records.entry(key.to_vec()).or_default().push(told);
        }
    }
    published
}

/// What one decider publishes on an embedded log, seven articles at a time.
fn undisturbed(press: &[Output]) -> Published {
    let folder = tempfile::tempdir().unwrap();
    let log = embedded::Embedded::open(folder.path(), &embedded::Options::default()).unwrap();
    log.append(press.to_vec()).unwrap();
    let mut role = log.role(CLUSTER_ROLE).unwrap();
    let mut stage = Cluster::new(Clock::system(), ClusterSettings::default());
    loop {
        let inputs = role.poll(Limits { records: 7, bytes: 1 << 30, timers: 7 }, Duration::ZERO).unwrap();
        for partition in &inputs.assigned {
            stage.assigned(*partition, &role.state(*partition).unwrap()).unwrap();
        }
        if inputs.records.is_empty() && inputs.assigned.is_empty() {
            return published(|topic| log.read(topic, 0, usize::MAX).unwrap());
        }
        let mut step = role.step();
        stage.process(&inputs, &mut step).unwrap();
        inputs.records.iter().for_each(|record| step.take(&record.origin));
        role.commit(step).unwrap();
    }
}

struct Decider {
    settings: Vec<(String, String)>,
    folder: tempfile::TempDir,
    log: AnyLog,
}

impl Decider {
    fn on(broker: &Broker, prefix: &str) -> Self {
        let settings = on_kafka(broker, prefix);
        create_topics(&settings);
        let folder = tempfile::tempdir().unwrap();
        let visitor = kafka::Options::new(broker.bootstrap(), prefix, "visitor", folder.path());
        Self { settings, folder, log: AnyLog::Kafka(kafka::Kafka::open(visitor).unwrap()) }
    }

    fn start(&self, instance: &str, hold_at: Option<&str>) -> Running {
        let data = self.folder.path().join(instance);
        let mut command = wireroom();
        command
            .args([
                "normalizer",
                "--role",
                "cluster",
                "--listen",
                "127.0.0.1:0",
                "--instance",
                instance,
                "--data",
            ])
            .arg(&data)
            .envs(self.settings.iter().cloned())
            .env("RUST_LOG", "error")
            .stdin(Stdio::null())
            .stdout(Stdio::null());
        if let Some(action) = hold_at {
            command.env("WIREROOM_HOLD_AT", format!("cluster/{action}/2"));
        }
        Running(command.spawn().unwrap())
    }

    fn append(&self, portion: &[Output]) {
        self.log.append(portion.to_vec()).unwrap();
    }

    /// Runs until it is at `action` of its second step, and kills it there.
    fn kill_at<'a>(&self, action: &str, portions: &mut impl Iterator<Item = &'a [Output]>) {
        self.append(portions.next().unwrap());
        let mut decider = self.start("one", Some(action));
        let mut notes = Notes::in_folder(&self.folder.path().join("one"), &["cluster"]);
        let mut appended = Instant::now();
        let mut held_since = None;
        wait::until("the decider is in its second step", || {
            assert!(decider.0.try_wait().unwrap().is_none(), "it ended by itself");
            if appended.elapsed() > STEP && held_since.is_none() {
                portions.next().into_iter().for_each(|portion| self.append(portion));
                appended = Instant::now();
            }
            held_since = held_since.filter(|_| notes.is_at("cluster", action));
            if notes.is_at("cluster", action) {
                held_since.get_or_insert_with(Instant::now);
            }
            held_since.is_some_and(|since| since.elapsed() > HELD)
        });
    }

    fn published(&self) -> Published {
        published(|topic| self.log.read(topic, &[]).unwrap())
    }

    fn wait_for(&self, expected: &Published) {
        let changes = |published: &Published| published["changes"].values().map(Vec::len).sum::<usize>();
        wait::until("everything is decided", || changes(&self.published()) >= changes(expected));
    }
}

/// Prepared articles of a week: of three in a row one is a copy, an excerpt, or a correction of an earlier one; and now
/// and then one is withdrawn.
fn prepared(articles: usize) -> Vec<Output> {
    let mut random = Rng::with_seed(7);
    let mut written: Vec<Article> = Vec::new();
    let mut outputs = Vec::new();
    for n in 0..articles {
        let seen_at_ms = 1_780_000_000_000 + (n as i64) * 600_000;
        let earlier = written.get(random.usize(0..written.len().max(1))).cloned();
        let mut article = match earlier.filter(|_| n % 3 == 2) {
            Some(earlier) => again(&earlier, n, &mut random),
            None => made::article(n, &mut random),
        };
        article.seen_at_ms = seen_at_ms;
        article.fetched_at_ms = seen_at_ms + 1_000;
        written.push(article.clone());
        if n % 20 == 19 {
            let withdrawal = Withdrawal { cause: "gone".to_owned(), ..Withdrawal::default() };
            article = Article { withdrawal: Some(withdrawal), body_text: String::new(), ..article };
        }
        let prepared = prepare(article);
        let value = Some(prepared.encode_to_vec().into());
        outputs.push(Output { topic: "prepared", partition: None, key: "0".into(), value, headers: vec![] });
    }
    outputs
}

/// The same text in another outlet, part of it, or the same article with another sentence in it.
fn again(earlier: &Article, n: usize, random: &mut Rng) -> Article {
    let fresh = made::article(n, random);
    let sentences: Vec<&str> = earlier.body_text.split("\n\n").collect();
    match random.u8(0..3) {
        0 => Article { body_text: earlier.body_text.clone(), ..fresh },
        1 => Article { body_text: sentences[..sentences.len() / 2].join("\n\n"), ..fresh },
        _ => Article { body_text: format!("{}\n\n{}", earlier.body_text, fresh.headline), ..earlier.clone() },
    }
}
