//! A small stage that shows whether steps are atomic: it numbers what it reads, by key, in its state.
//!
//! Every record of topic `numbers` gives one record in topic `numbered`, `<key>=<n> <value>`, n counting from 1 without
//! gaps, whatever crashes. Some values ask for trouble: `panic`, `die` (the process kills itself at work), `refuse`
//! (dead letter), `timer:<ms>` (a record `<key> rang` in topic `rang` so much later).

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Result;
use nix::sys::signal::{Signal, raise};
use pipeline::{
    Action, AnyLog, Clock, DeadLetter, Inputs, Limits, LogError, Output, Probe, Progress, Record, Role,
    Settings, Shutdown, Stage, Step,
    embedded::{self, Embedded},
    kafka::{self, Kafka, admin::TopicSpec},
    metrics::RoleMetrics,
};

/// The role of the counter.
pub const COUNTER: Role = Role {
    name: "counter",
    input: "numbers",
    dead_letters: "deadletters.counter",
    state_version: Some(1),
    numbered: &[],
};

/// How many partitions its input has on Kafka.
pub const PARTITIONS: i32 = 4;

/// The stage; see the module's documentation.
#[derive(Debug, Default)]
pub struct Counter {
    /// How many calls are still to fail for a reason outside.
    pub outages: u32,
}

impl Stage for Counter {
    fn process(&mut self, inputs: &Inputs, step: &mut Step) -> Result<(), LogError> {
        for timer in &inputs.timers {
            step.clear_timer(timer.partition, &timer.key)?;
            let rang = [&timer.key[..], b" rang"].concat();
            step.emit(output("rang", &timer.key, &rang));
        }
        for record in &inputs.records {
            self.count(record, step)?;
        }
        if self.outages > 0 {
            self.outages -= 1;
            return Err(LogError::Unavailable("an outage that the test asked for".to_owned()));
        }
        Ok(())
    }
}

impl Counter {
    fn count(&self, record: &Record, step: &mut Step) -> Result<(), LogError> {
        let partition = record.origin.partition;
        let value = record.value.clone().unwrap_or_default();
        let text = String::from_utf8_lossy(&value[..value.len().min(32)]).into_owned();
        match text.as_str() {
            "panic" => panic!("a panic that the test asked for"),
            "die" => die(),
            "refuse" => {
                step.dead_letter(DeadLetter::of(record, "refused", "the test asked for it"));
                return Ok(());
            }
            _ => {}
        }
        if let Some(ms) = text.strip_prefix("timer:").and_then(|ms| ms.parse::<i64>().ok()) {
            step.set_timer(partition, &record.key, record.written_at_ms + ms)?;
        }
        let counted = step.get(partition, &record.key)?;
        let n = counted.map_or(0, |n| String::from_utf8_lossy(&n).parse::<u64>().unwrap()) + 1;
        step.put(partition, &record.key, n.to_string())?;
        let head = format!("{}={n} ", String::from_utf8_lossy(&record.key));
        step.emit(output("numbered", &record.key, &[head.as_bytes(), &value].concat()));
        Ok(())
    }
}

/// A record without headers.
pub fn output(topic: &'static str, key: &[u8], value: &[u8]) -> Output {
    Output {
        topic,
        partition: None,
        key: key.to_vec().into(),
        value: Some(value.to_vec().into()),
        headers: vec![],
    }
}

/// kill -9 of oneself.
pub fn die() -> ! {
    let _ = raise(Signal::SIGKILL);
    std::process::abort();
}

/// What a crash test does to the process at an action: the `n`th time (from 1) it comes to it.
pub fn at(action: Action, n: u64, what: impl Fn() + Send + Sync + 'static) -> Probe {
    let seen = std::sync::atomic::AtomicU64::new(0);
    Arc::new(move |_, now| {
        if now == action && seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst) + 1 == n {
            what();
        }
    })
}

/// The settings of a stage in a test.
pub fn settings(progress: &Progress, shutdown: &Shutdown) -> Settings {
    Settings {
        limits: Limits { records: 16, bytes: 4 << 20, timers: 16 },
        wait: Duration::from_millis(50),
        progress: progress.clone(),
        shutdown: shutdown.clone(),
        metrics: RoleMetrics::of(&COUNTER),
        tracer: trace::Tracer::default(),
    }
}

/// Opens the embedded log in `data`, or the one on `brokers` under `prefix`.
pub fn open(
    brokers: Option<(&str, &str)>,
    data: &Path,
    instance: &str,
    clock: Clock,
    probe: Option<Probe>,
) -> Result<AnyLog> {
    Ok(match brokers {
        None => {
            AnyLog::Embedded(Embedded::open(data, &embedded::Options { clock, probe, ..Default::default() })?)
        }
        Some((brokers, prefix)) => {
            AnyLog::Kafka(Kafka::open(kafka_options(brokers, prefix, instance, data, clock, probe))?)
        }
    })
}

/// Options with the short time-outs that tests want.
pub fn kafka_options(
    brokers: &str,
    prefix: &str,
    instance: &str,
    data: &Path,
    clock: Clock,
    probe: Option<Probe>,
) -> kafka::Options {
    kafka::Options {
        is_static_member: true,
        session_timeout: Duration::from_secs(6),
        transaction_timeout: Duration::from_secs(5),
        clock,
        probe,
        ..kafka::Options::new(brokers, prefix, instance, data)
    }
}

/// Makes the counter's topics.
pub fn create_topics(brokers: &str, prefix: &str, partitions: i32) -> Result<()> {
    let options = kafka_options(brokers, prefix, "admin", Path::new("."), Clock::system(), None);
    let topics = [
        TopicSpec::deleted("numbers", partitions, 1).fixed(),
        TopicSpec::deleted("numbered", partitions, 1),
        TopicSpec::deleted("rang", 1, 1),
        TopicSpec::dead_letters("deadletters.counter", 1),
        TopicSpec::changelog("counter", partitions),
    ];
    kafka::admin::create(&options, &topics, 1)?;
    Ok(())
}
