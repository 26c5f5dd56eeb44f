//! The contract of a log (invariants 1 to 6 of services/ARCHITECTURE.md), on both.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    thread,
    time::{Duration, Instant},
};

use pipeline::{Action, AnyLog, Clock, Limits, Log, Progress, Record, Shutdown};
use tests::{
    broker::Broker,
    counter::{COUNTER, Counter, PARTITIONS, create_topics, open, output, settings},
    wait,
};

/// A log of its own for one test.
struct Place {
    brokers: Option<(String, String)>,
    data: tempfile::TempDir,
}

impl Place {
    fn embedded() -> Self {
        Self { brokers: None, data: tempfile::tempdir().unwrap() }
    }

    fn kafka() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let prefix = format!("contract-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
        let brokers = Broker::shared().bootstrap().to_owned();
        create_topics(&brokers, &prefix, PARTITIONS).unwrap();
        Self { brokers: Some((brokers, prefix)), data: tempfile::tempdir().unwrap() }
    }

    fn brokers(&self) -> Option<(&str, &str)> {
        self.brokers.as_ref().map(|(brokers, prefix)| (brokers.as_str(), prefix.as_str()))
    }

    fn open(&self, clock: &Clock) -> AnyLog {
        open(self.brokers(), self.data.path(), "one", clock.clone(), None).unwrap()
    }

    /// Runs the counter in this process until `until` holds.
    fn run(&self, log: &AnyLog, stage: &mut Counter, until: impl Fn() -> bool + Sync) {
        let (progress, shutdown) = (Progress::default(), Shutdown::default());
        let mut role = log.role(COUNTER).unwrap();
        thread::scope(|scope| {
            scope.spawn(|| {
                wait::until("what the test waits for", &until);
                shutdown.request();
            });
            pipeline::run(role.as_mut(), stage, &settings(&progress, &shutdown)).unwrap();
        });
    }

    /// Runs the counter in a process of its own; whether it ended well.
    fn worker(&self, data: &Path, args: &[&str]) -> bool {
        let mut command = Command::new(env!("CARGO_BIN_EXE_worker"));
        command.arg(data).arg("one").args(args).stdout(Stdio::null()).stderr(Stdio::null());
        if let Some((brokers, prefix)) = self.brokers() {
            command.args(["--kafka", brokers, prefix]);
        }
        command.status().unwrap().success()
    }
}

fn numbers(range: std::ops::Range<u64>, keys: u64) -> Vec<pipeline::Output> {
    range
        .map(|i| output("numbers", format!("k{}", i % keys).as_bytes(), format!("v{i}").as_bytes()))
        .collect()
}

fn texts(records: &[Record]) -> Vec<String> {
    let text = |r: &Record| String::from_utf8(r.value.clone().unwrap_or_default().to_vec()).unwrap();
    records.iter().map(text).collect()
}

/// Every input was numbered once, and each key's numbers have no gap.
fn assert_exactly_once(log: &AnyLog, inputs: u64, keys: u64) {
    let numbered = texts(&log.read("numbered", &[]).unwrap());
    let mut by_key: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    let mut values = BTreeSet::new();
    for line in &numbered {
        let (number, value) = line.split_once(' ').unwrap();
        let (key, n) = number.split_once('=').unwrap();
        by_key.entry(key).or_default().push(n.parse().unwrap());
        assert!(values.insert(value), "{value} twice");
    }
    assert_eq!(values.len() as u64, inputs);
    assert_eq!(by_key.len() as u64, keys.min(inputs));
    for (key, ns) in by_key {
        assert_eq!(ns, (1..=ns.len() as u64).collect::<Vec<_>>(), "{key}");
    }
}

/// Steps happen, survive a restart, and go on where they ended.
fn steps_survive_a_restart(place: &Place) {
    for round in 1..=2 {
        let log = place.open(&Clock::system());
        log.append(numbers((round - 1) * 100..round * 100, 7)).unwrap();
        place.run(&log, &mut Counter::default(), || {
            log.read("numbered", &[]).unwrap().len() as u64 == round * 100
        });
        assert_exactly_once(&log, round * 100, 7);
    }
}

/// A step that fails leaves nothing behind and is done again.
fn a_failed_step_leaves_nothing(place: &Place) {
    let log = place.open(&Clock::system());
    log.append(numbers(0..40, 3)).unwrap();
    place.run(&log, &mut Counter { outages: 3 }, || log.read("numbered", &[]).unwrap().len() >= 40);
    assert_exactly_once(&log, 40, 3);
}

/// kill -9 between any two actions of a step, early and late, loses and doubles nothing.
fn a_crash_at_any_action_changes_nothing(place: &Place) {
    let (mut inputs, keys) = (0, 5);
    for action in Action::ALL {
        for n in ["1", "3"] {
            {
                let log = place.open(&Clock::system());
                log.append(numbers(inputs..inputs + 64, keys)).unwrap();
                inputs += 64;
            }
            let ended = place.worker(
                place.data.path(),
                &["--at", action.as_str(), n, "kill", "--until", &inputs.to_string()],
            );
            assert!(!ended, "the process must have died at {action:?} {n}");
        }
    }
    assert!(place.worker(place.data.path(), &["--until", &inputs.to_string()]));
    assert_exactly_once(&place.open(&Clock::system()), inputs, keys);
}

/// kill -9 the moment after a write was acknowledged: it is there.
fn what_was_acknowledged_survives_a_kill(place: &Place) {
    assert!(!place.worker(place.data.path(), &["--append", "50"]), "the process kills itself");
    let log = place.open(&Clock::system());
    place.run(&log, &mut Counter::default(), || log.read("numbered", &[]).unwrap().len() >= 50);
    assert_exactly_once(&log, 50, 1);
}

/// A record of 8 MB passes, and its dead letter too.
fn large_records_pass(place: &Place) {
    let log = place.open(&Clock::system());
    let mut body = vec![b'x'; 8 << 20];
    log.append(vec![output("numbers", b"large", &body)]).unwrap();
    body[..6].copy_from_slice(b"v12345");
    log.append(vec![output("numbers", b"large", &body)]).unwrap();
    place.run(&log, &mut Counter::default(), || log.read("numbered", &[]).unwrap().len() == 2);
    let numbered = log.read("numbered", &[]).unwrap();
    assert_eq!(numbered[1].value.as_ref().unwrap().len(), b"large=2 ".len() + body.len());
}

/// What is refused, what panics and what kills ends in the dead letters, bytes and headers unchanged; the rest goes on.
fn troublemakers_end_in_the_dead_letters(place: &Place) {
    let mut trouble: Vec<_> =
        ["refuse", "panic", "die"].map(|word| output("numbers", b"bad", word.as_bytes())).into();
    for output in &mut trouble {
        output.headers = vec![("traceparent".to_owned(), b"00-1-2-01".to_vec())];
    }
    {
        let log = place.open(&Clock::system());
        log.append(numbers(0..20, 5)).unwrap();
        log.append(trouble.clone()).unwrap();
        log.append(numbers(20..40, 5)).unwrap();
    }
    let deaths = (0..6).take_while(|_| !place.worker(place.data.path(), &["--until", "43"])).count();
    assert_eq!(deaths, 3, "the third death on a record is the last");
    let log = place.open(&Clock::system());
    assert_exactly_once(&log, 40, 5);
    let dead = log.read("deadletters.counter", &[]).unwrap();
    let header = |r: &Record, name: &str| {
        let found = r.headers.iter().find(|(n, _)| n == name);
        String::from_utf8(found.unwrap_or_else(|| panic!("no header {name}")).1.clone()).unwrap()
    };
    let mut reasons: Vec<_> = dead
        .iter()
        .map(|r| (texts(std::slice::from_ref(r))[0].clone(), header(r, "wireroom_reason")))
        .collect();
    reasons.sort();
    let expected = [("die", "poison"), ("panic", "panic"), ("refuse", "refused")];
    assert_eq!(reasons, expected.map(|(value, reason)| (value.to_owned(), reason.to_owned())));
    for letter in &dead {
        assert_eq!(&letter.key[..], b"bad");
        assert_eq!(letter.headers[0], trouble[0].headers[0]);
        assert_eq!(header(letter, "__connect.errors.topic"), "numbers");
    }
}

/// Timers fire when due and once, across a restart.
fn timers_fire_once_and_survive(place: &Place) {
    let clock = Clock::manual(Clock::system().now_ms());
    {
        let log = place.open(&clock);
        let wishes = [("a", "timer:60000"), ("b", "timer:120000"), ("a", "timer:90000")];
        log.append(wishes.map(|(k, v)| output("numbers", k.as_bytes(), v.as_bytes())).into()).unwrap();
        place.run(&log, &mut Counter::default(), || log.read("numbered", &[]).unwrap().len() == 3);
        assert!(log.read("rang", &[]).unwrap().is_empty());
    }
    let log = place.open(&clock);
    clock.advance(100_000);
    place.run(&log, &mut Counter::default(), || !log.read("rang", &[]).unwrap().is_empty());
    assert_eq!(texts(&log.read("rang", &[]).unwrap()), ["a rang"], "b is not due, and a was put off once");
    clock.advance(100_000);
    place.run(&log, &mut Counter::default(), || log.read("rang", &[]).unwrap().len() > 1);
    assert_eq!(texts(&log.read("rang", &[]).unwrap()), ["a rang", "b rang"]);
}

/// A step reads its own writes, and a rewind hands out again what was not committed.
fn a_step_reads_its_own_writes(place: &Place) {
    let log = place.open(&Clock::system());
    log.append(numbers(0..3, 1)).unwrap();
    let mut role = log.role(COUNTER).unwrap();
    let read = |role: &mut dyn Log| {
        let mut records = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(60);
        while records.len() < 3 && Instant::now() < deadline {
            let limits = Limits { records: 10, bytes: 1 << 20, timers: 0 };
            records.extend(role.poll(limits, Duration::from_millis(100)).unwrap().records);
        }
        records
    };
    let records = read(role.as_mut());
    let partition = records[0].origin.partition;
    let mut step = role.step();
    step.put(partition, b"x/1", "one").unwrap();
    step.put(partition, b"x/2", "two").unwrap();
    step.delete(partition, b"x/1").unwrap();
    assert_eq!(step.get(partition, b"x/1").unwrap(), None);
    role.commit(step).unwrap();

    let mut step = role.step();
    assert_eq!(step.scan(partition, b"x/", 9).unwrap(), [("x/2".into(), "two".into())]);
    step.put(partition, b"x/0", "nil").unwrap();
    step.delete(partition, b"x/2").unwrap();
    assert_eq!(step.scan(partition, b"x/", 1).unwrap(), [("x/0".into(), "nil".into())]);
    assert!(step.put(99, b"x", "y").is_err(), "a partition not held");
    drop(step);

    role.rewind().unwrap();
    assert_eq!(read(role.as_mut()), records, "nothing was taken: the same records again");
    let mut step = role.step();
    step.take(&records[1].origin);
    role.commit(step).unwrap();
    role.rewind().unwrap();
    let again =
        role.poll(Limits { records: 10, bytes: 1 << 20, timers: 0 }, Duration::from_secs(30)).unwrap();
    assert_eq!((again.revoked.contains(&partition), again.assigned.contains(&partition)), (true, true));
}

macro_rules! on_both_logs {
    ($($test:ident),* $(,)?) => {
        mod embedded { $(#[test] fn $test() { super::$test(&super::Place::embedded()); })* }
        mod kafka { $(#[test] fn $test() { super::$test(&super::Place::kafka()); })* }
    };
}

on_both_logs! {
    steps_survive_a_restart,
    a_failed_step_leaves_nothing,
    a_crash_at_any_action_changes_nothing,
    what_was_acknowledged_survives_a_kill,
    large_records_pass,
    troublemakers_end_in_the_dead_letters,
    timers_fire_once_and_survive,
    a_step_reads_its_own_writes,
}
