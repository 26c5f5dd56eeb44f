//! kill -9 at any moment, restarted: the canonical articles end as those of a run that nobody disturbed, every version
//! is published once, and nothing that went in is lost.
//!
//! `WIREROOM_CRASH_ROUNDS` says how many rounds each log gets (2 by default). In each the program is killed a few
//! times while work is in flight: when the note that a role keeps beside its work says that it is at a given action of
//! a step. The notes also say, after the kill, what each role was at; that is printed. A fifth as many rounds kill the
//! services as processes of their own, each once a round.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use tests::broker::Broker;
use tests::press::{Expected, Press};
use tests::run::Notes;
use tests::services::{Service, Services};
use tests::topics::{Topics, standing};
use tests::{run, wait};

const ARTICLES: usize = 60;
const KILLS_A_ROUND: usize = 3;
const ROLES: [&str; 4] = ["fetcher", "extractor", "prepare", "cluster"];
const ACTIONS: [&str; 6] = ["read", "work", "produce", "state", "offsets", "commit"];

/// So long a kill waits for the action that it is aimed at; then any step in flight will do.
const PATIENCE: Duration = Duration::from_millis(500);

/// Generous: the machine may be compiling at the same time.
const TIMEOUT: Duration = Duration::from_secs(180);

#[test]
fn killed_at_any_moment_on_the_embedded_log() {
    crash_rounds("embedded", |_| None);
}

#[test]
fn killed_at_any_moment_on_kafka() {
    let process = std::process::id();
    crash_rounds("kafka", |round| Some((Broker::shared().bootstrap(), format!("crash-{process}-{round}"))));
}

#[test]
fn services_killed_at_any_moment() {
    let press = Press::with_articles(ARTICLES);
    let undisturbed = Round::new(&press, None).finish();
    let rounds = rounds().div_ceil(5);
    let mut interrupted = BTreeMap::new();
    for number in 1..=rounds {
        let prefix = format!("services-crash-{}-{number}", std::process::id());
        let mut services = Services::start(Broker::shared(), &press, &prefix);
        let urls = press.article_urls();
        let mut submitted = Vec::new();
        let each = urls.len().div_ceil(services.processes.len());
        for (kill, portion) in urls.chunks(each).enumerate() {
            // Another order in every round, so that other services are in the middle of it.
            let victim = (kill * 5 + number) % services.processes.len();
            let aim = ACTIONS[1 + (kill + number) % (ACTIONS.len() - 1)];
            submitted.extend(services.submit(portion));
            let notes = kill_in_flight(&mut services.processes[victim], aim);
            println!("services, round {number}: interrupted {}", notes.join(" "));
            notes.into_iter().for_each(|note| *interrupted.entry(note).or_insert(0) += 1);
        }
        let lost = |standing: &BTreeMap<_, _>| run::articles(standing.values()) != undisturbed;
        wait::until("the canonical articles of an undisturbed run", || {
            !lost(&standing(services.topics.read("canonical")))
        });
        services.stop();
        assert_eq!(services.topics.canonical(), undisturbed, "round {number}");
        services.topics.assert_versions();
        services.topics.assert_accounted(&submitted);
    }
    println!("services: {rounds} rounds, interrupted {interrupted:?}");
}

/// Kills a service, and starts it again, when one of its roles is at the action aimed at, or else in a step. Gives what
/// its roles were at.
fn kill_in_flight(service: &mut Service, aim: &str) -> Vec<String> {
    let mut notes = service.notes();
    let started = Instant::now();
    // Its share of the work may be done by now: then it is killed idle.
    while started.elapsed() < 10 * PATIENCE {
        let is_aimed_at = service.roles.iter().any(|role| notes.is_at(role, aim));
        if is_aimed_at || (started.elapsed() > PATIENCE && notes.in_flight()) {
            break;
        }
        std::thread::yield_now();
    }
    service.kill_and_restart()
}

fn rounds() -> usize {
    std::env::var("WIREROOM_CRASH_ROUNDS").map_or(2, |rounds| rounds.parse().unwrap())
}

/// Compares every round with a run that nobody disturbed.
fn crash_rounds(log: &str, kafka: impl Fn(usize) -> Option<(&'static str, String)>) {
    let press = Press::with_articles(ARTICLES);
    let undisturbed = Round::new(&press, kafka(0)).finish();
    assert!(undisturbed.len() >= ARTICLES, "{} canonical articles of {ARTICLES}", undisturbed.len());

    let rounds = rounds();
    let mut interrupted = BTreeMap::new();
    for number in 1..=rounds {
        let round = Round::new(&press, kafka(number));
        for kill in 0..KILLS_A_ROUND {
            let target = number * KILLS_A_ROUND + kill;
            let (role, action) = (ROLES[target % ROLES.len()], ACTIONS[target / ROLES.len() % ACTIONS.len()]);
            let Some(notes) = round.kill_at(role, action, 1 + target % 13) else { break };
            println!("{log}, round {number}: aimed at {role}/{action}, interrupted {}", notes.join(" "));
            notes.into_iter().for_each(|note| *interrupted.entry(note).or_insert(0) += 1);
        }
        assert_eq!(round.finish(), undisturbed, "{log}, round {number}");
        round.assert_whole();
    }
    println!("{log}: {rounds} rounds, interrupted {interrupted:?}");
    if rounds >= 50 {
        for action in ACTIONS {
            let hit = interrupted.keys().any(|note| note.ends_with(action));
            assert!(hit, "no kill in {rounds} rounds fell on {action}: {interrupted:?}");
        }
    }
}

/// One data folder, on which the same run is started until it ends by itself.
struct Round<'a> {
    press: &'a Press,
    folder: tempfile::TempDir,
    /// Brokers and prefix; without them the log is embedded.
    kafka: Option<(&'static str, String)>,
}

impl<'a> Round<'a> {
    fn new(press: &'a Press, kafka: Option<(&'static str, String)>) -> Self {
        Self { press, folder: tempfile::tempdir().unwrap(), kafka }
    }

    fn command(&self) -> Command {
        let mut command = run::wireroom();
        command
            .arg("run")
            .args(self.press.article_urls())
            .arg("--out")
            .arg(self.out())
            .arg("--data")
            .arg(self.data())
            .args(["--proxy", &self.press.proxy(), "--delay", "200ms"])
            .args(self.kafka.iter().flat_map(|(brokers, prefix)| ["--kafka", brokers, "--prefix", prefix]))
            // A name that stays: the brokers need not find out first that its last bearer is dead.
            .env("WIREROOM__KAFKA__INSTANCE", "run")
            .env("WIREROOM__KAFKA__SESSION_TIMEOUT", "6s")
            .env("WIREROOM__KAFKA__TRANSACTION_TIMEOUT", "5s")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.folder.path().join("stderr")).unwrap());
        command
    }

    /// Starts the run and, when the press has answered `answers` times, kills it as soon as `role` is at `action`, or
    /// else in any step. Gives what every role was at; nothing if the run ended before.
    fn kill_at(&self, role: &'static str, action: &str, answers: usize) -> Option<Vec<String>> {
        let wanted = self.press.served().len() + answers;
        let mut run = run::Running(self.command().spawn().unwrap());
        let mut notes = Notes::in_folder(&self.data(), &ROLES);
        let deadline = Instant::now() + TIMEOUT;
        let mut aimed_since: Option<Instant> = None;
        loop {
            if run.0.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(Instant::now() < deadline, "the run does not end:\n{}", self.stderr());
            match aimed_since {
                None if self.press.served().len() >= wanted => aimed_since = Some(Instant::now()),
                None => {}
                Some(_) if notes.is_at(role, action) => break,
                Some(since) if since.elapsed() > PATIENCE && notes.in_flight() => break,
                Some(_) => {}
            }
            // No sleep: an action takes microseconds.
            std::thread::yield_now();
        }
        drop(run);
        Some(notes.all())
    }

    /// Runs to the end.
    fn finish(&self) -> Vec<Expected> {
        let mut run = run::Running(self.command().spawn().unwrap());
        let mut ended = None;
        wait::until("the end of the run", || {
            ended = run.0.try_wait().unwrap();
            ended.is_some()
        });
        let status = ended.unwrap();
        assert!(status.success(), "{status}:\n{}", self.stderr());
        run::canonical(&self.out())
    }

    /// Every version once, and nothing lost.
    fn assert_whole(&self) {
        let topics = match &self.kafka {
            None => Topics::in_folder(&self.data()),
            Some((brokers, prefix)) => Topics::on_kafka(brokers, prefix),
        };
        topics.assert_versions();
        topics.assert_none_lost(&self.press.article_urls());
        if self.kafka.is_some() {
            topics.assert_accounted(&[]);
        }
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out.jsonl")
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn stderr(&self) -> String {
        fs::read_to_string(self.folder.path().join("stderr")).unwrap_or_default()
    }
}
