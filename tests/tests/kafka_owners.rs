//! Kafka's own: partitions change hands, and state with them (invariants 3 and 4 of services/ARCHITECTURE.md).

use std::{
    collections::BTreeSet,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::Duration,
};

use nix::{
    sys::{
        signal::{Signal, kill},
        wait::{WaitPidFlag, WaitStatus, waitpid},
    },
    unistd::Pid,
};
use pipeline::{AnyLog, Clock, Limits, Progress};
use tests::{
    broker::Broker,
    counter::{COUNTER, PARTITIONS, create_topics, open, output},
    wait,
};

/// A counter on Kafka, run by any number of processes.
struct Counters {
    brokers: String,
    prefix: String,
    data: tempfile::TempDir,
    log: AnyLog,
    inputs: u64,
}

const KEYS: u64 = 24;

impl Counters {
    fn on(broker: &Broker) -> Self {
        Self::of(broker, PARTITIONS)
    }

    fn of(broker: &Broker, partitions: i32) -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let prefix = format!("owners-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        let brokers = broker.bootstrap().to_owned();
        create_topics(&brokers, &prefix, partitions).unwrap();
        let data = tempfile::tempdir().unwrap();
        let log =
            open(Some((&brokers, &prefix)), &data.path().join("reader"), "reader", Clock::system(), None);
        Self { brokers, prefix, data, log: log.unwrap(), inputs: 0 }
    }

    fn add(&mut self, inputs: u64) {
        let range = self.inputs..self.inputs + inputs;
        let numbers =
            range.map(|i| output("numbers", format!("k{}", i % KEYS).as_bytes(), format!("v{i}").as_bytes()));
        self.log.append(numbers.collect()).unwrap();
        self.inputs += inputs;
    }

    fn folder(&self, instance: &str) -> PathBuf {
        self.data.path().join(instance)
    }

    fn start(&self, instance: &str, args: &[&str]) -> Worker {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        command
            .arg(self.folder(instance))
            .arg(instance)
            .args(["--kafka", &self.brokers, &self.prefix])
            .args(args);
        let log = std::fs::File::create(self.data.path().join(format!("{instance}.log"))).unwrap();
        Worker(command.stdout(Stdio::piped()).stderr(log).spawn().unwrap())
    }

    fn numbered(&self) -> Vec<String> {
        let text = |r: pipeline::Record| String::from_utf8(r.value.unwrap_or_default().to_vec()).unwrap();
        self.log.read("numbered", &[]).unwrap().into_iter().map(text).collect()
    }

    fn wait_for_all(&self) {
        // While a broker is away, nothing can be read.
        let numbered = || self.log.read("numbered", &[]).map_or(0, |records| records.len() as u64);
        wait::until("every input is numbered", || numbered() >= self.inputs);
    }

    /// Every input once; the numbers of each key from 1 without gaps.
    fn assert_exactly_once(&self) {
        let numbered = self.numbered();
        let numbers: BTreeSet<&str> = numbered.iter().map(|line| line.split_once(' ').unwrap().0).collect();
        let values: BTreeSet<&str> = numbered.iter().map(|line| line.split_once(' ').unwrap().1).collect();
        assert_eq!(
            (numbered.len() as u64, values.len() as u64, numbers.len() as u64),
            (self.inputs, self.inputs, self.inputs)
        );
        for key in 0..KEYS {
            let n = numbers.iter().filter(|n| n.starts_with(&format!("k{key}="))).count();
            assert!((1..=n).all(|i| numbers.contains(format!("k{key}={i}").as_str())), "k{key} has a gap");
        }
    }
}

impl Drop for Counters {
    fn drop(&mut self) {
        if thread::panicking() {
            for instance in ["one", "two", "three", "sleeper", "heir"] {
                let log = std::fs::read_to_string(self.data.path().join(format!("{instance}.log")))
                    .unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(30).collect();
                eprintln!("{instance} said last:\n{}", tail.into_iter().rev().collect::<Vec<_>>().join("\n"));
            }
        }
    }
}

struct Worker(Child);

impl Worker {
    fn pid(&self) -> Pid {
        Pid::from_raw(self.0.id() as i32)
    }

    fn wait_until_stopped(&self) {
        let is_stopped = || {
            let status = waitpid(self.pid(), Some(WaitPidFlag::WUNTRACED | WaitPidFlag::WNOHANG));
            matches!(status, Ok(WaitStatus::Stopped(..)))
        };
        wait::until("the process stops itself", is_stopped);
    }

    /// SIGTERM; how many records the process says it handled.
    fn drain(mut self) -> u64 {
        kill(self.pid(), Signal::SIGTERM).unwrap();
        wait::until("the process drains", || self.0.try_wait().unwrap().is_some());
        let mut said = String::new();
        std::io::Read::read_to_string(&mut self.0.stdout.take().unwrap(), &mut said).unwrap();
        said.split(' ').nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn instances_come_and_go() {
    let mut counters = Counters::on(Broker::shared());
    counters.add(500);
    let one = counters.start("one", &[]);
    counters.wait_for_all();
    let two = counters.start("two", &[]);
    let mut two_works = 0;
    for _ in 0..8 {
        counters.add(200);
        counters.wait_for_all();
        two_works = std::fs::read_dir(counters.folder("two").join("attempts")).map_or(0, |d| d.count());
    }
    assert!(two_works > 0);
    let handled = (one.drain(), two.drain());
    println!("handled: {handled:?}");
    assert!(handled.0 > 0 && handled.1 > 0, "both instances worked: {handled:?}");
    counters.add(100);
    let three = counters.start("three", &[]);
    counters.wait_for_all();
    assert_eq!(three.drain(), 100);
    counters.assert_exactly_once();
}

#[test]
fn an_owner_that_slept_past_its_session_cannot_commit() {
    let mut counters = Counters::on(Broker::shared());
    counters.add(300);
    let sleeper = counters.start("sleeper", &["--at", "offsets", "3", "stop"]);
    sleeper.wait_until_stopped();
    let heir = counters.start("heir", &[]);
    counters.wait_for_all();
    kill(sleeper.pid(), Signal::SIGCONT).unwrap();
    let log = counters.data.path().join("sleeper.log");
    wait::until("the sleeper's transaction is refused", || {
        std::fs::read_to_string(&log).unwrap_or_default().contains("transaction aborted")
    });
    counters.add(300);
    counters.wait_for_all();
    counters.assert_exactly_once();
    drop((sleeper, heir));
}

#[test]
fn state_is_rebuilt_where_the_folder_is_gone() {
    let mut counters = Counters::on(Broker::shared());
    for round in 0..3 {
        counters.add(200);
        let one = counters.start("one", &[]);
        counters.wait_for_all();
        one.drain();
        if round == 0 {
            std::fs::remove_dir_all(counters.folder("one")).unwrap();
        }
    }
    counters.assert_exactly_once();
}

#[test]
fn rebuilding_state_is_a_sign_of_life() {
    let mut counters = Counters::on(Broker::shared());
    counters.add(400);
    let one = counters.start("one", &[]);
    counters.wait_for_all();
    one.drain();
    let place = Some((counters.brokers.as_str(), counters.prefix.as_str()));
    let log = open(place, &counters.folder("heir"), "heir", Clock::system(), None).unwrap();
    let mut role = log.role(COUNTER).unwrap();
    let progress = Progress::default();
    role.beat_in(progress.clone());
    let no_records = Limits { records: 0, bytes: 1, timers: 0 };
    wait::until("the heir holds every partition", || {
        role.poll(no_records, Duration::from_millis(50)).unwrap();
        role.assignment().len() == PARTITIONS as usize
    });
    // Polls are counted by the loop of a role, which does not run here: these are changes that were read. A step, of 16
    // records or fewer, changes the rows of several keys.
    assert!(progress.beats() >= 100, "{} beats while a changelog was read", progress.beats());
}

#[test]
fn who_stands_by_has_the_state_before_it_takes_over() {
    let mut counters = Counters::of(Broker::shared(), 1);
    counters.add(400);
    let one = counters.start("one", &[]);
    counters.wait_for_all();
    let place = Some((counters.brokers.as_str(), counters.prefix.as_str()));
    let log = open(place, &counters.folder("heir"), "heir", Clock::system(), None).unwrap();
    let mut role = log.role(COUNTER).unwrap();
    let progress = Progress::default();
    role.beat_in(progress.clone());
    let no_records = Limits { records: 0, bytes: 1, timers: 0 };
    // A beat for each change, of which every input makes one: no step has two of a key. What comes later is followed, too.
    for more in [0, 100] {
        counters.add(more);
        counters.wait_for_all();
        wait::until("the heir has read the changelog", || {
            role.poll(no_records, Duration::from_millis(50)).unwrap();
            progress.beats() >= counters.inputs
        });
    }
    assert!(role.assignment().is_empty(), "it stands by");
    drop(one);
    let before = progress.beats();
    wait::until("the heir holds the partition", || {
        role.poll(no_records, Duration::from_millis(50)).unwrap();
        !role.assignment().is_empty()
    });
    let read = progress.beats() - before;
    assert!(read < 50, "{read} changes were read to take over");
    let state = role.state(0).unwrap();
    let counted = |key: u64| {
        let n = state.get(format!("k{key}").as_bytes()).unwrap().unwrap();
        String::from_utf8_lossy(&n).parse::<u64>().unwrap()
    };
    assert_eq!((0..KEYS).map(counted).sum::<u64>(), counters.inputs);
}

#[test]
fn a_local_copy_that_missed_changes_catches_up() {
    let mut counters = Counters::on(Broker::shared());
    for instance in ["one", "two", "one", "two"] {
        counters.add(150);
        let worker = counters.start(instance, &[]);
        counters.wait_for_all();
        worker.drain();
    }
    counters.assert_exactly_once();
}

#[test]
fn a_broker_that_dies_and_returns() {
    let mut broker = Broker::own();
    let mut counters = Counters::on(&broker);
    counters.add(200);
    let one = counters.start("one", &[]);
    counters.wait_for_all();
    for _ in 0..2 {
        counters.add(400);
        broker.kill();
        broker.restart();
        counters.wait_for_all();
    }
    one.drain();
    counters.assert_exactly_once();
}
