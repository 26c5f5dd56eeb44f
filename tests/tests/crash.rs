//! kill -9 at any moment, restarted: the canonical articles end as those of a run that nobody disturbed, every version
//! is published once, and nothing that went in is lost.
//!
//! `WIREROOM_CRASH_KILLS` says how many kills each log gets (5 by default), five to a round. Each falls on a given action
//! of a given role, in the middle of a step: `WIREROOM_HOLD_AT` makes the role stop there, the note that it keeps beside
//! its work tells, and then the process is killed from outside. What every role was at is printed. A fifth as many kills
//! fall on the services as processes of their own, whenever they are seen at work.

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
const KILLS_A_ROUND: usize = 5;
const ROLES: [&str; 4] = ["fetcher", "extractor", "prepare", "cluster"];
const ACTIONS: [&str; 6] = ["read", "work", "produce", "state", "offsets", "commit"];

/// A note that says the same for so long is of a role that is held.
const HELD: Duration = Duration::from_millis(30);
/// So long the kill of a service waits for the action that it is aimed at; then any step in flight will do.
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
    let rounds = kills().div_ceil(5 * KILLS_A_ROUND);
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

fn kills() -> usize {
    std::env::var("WIREROOM_CRASH_KILLS").map_or(5, |kills| kills.parse().unwrap())
}

/// Compares every round with a run that nobody disturbed.
fn crash_rounds(log: &str, kafka: impl Fn(usize) -> Option<(&'static str, String)>) {
    let press = Press::with_articles(ARTICLES);
    let undisturbed = Round::new(&press, kafka(0)).finish();
    assert!(undisturbed.len() >= ARTICLES, "{} canonical articles of {ARTICLES}", undisturbed.len());

    let mut interrupted: BTreeMap<String, usize> = BTreeMap::new();
    let (mut kills_left, mut aim, mut number) = (kills(), 0, 0);
    while kills_left > 0 {
        number += 1;
        let round = Round::new(&press, kafka(number));
        for _ in 0..KILLS_A_ROUND.min(kills_left) {
            // Every action within the first six kills, every role at every action within twenty-four.
            let (role, action) = (ROLES[(aim + aim / 12) % ROLES.len()], ACTIONS[aim % ACTIONS.len()]);
            // A role reads all the time, at first in vain.
            let nth = if action == "read" { 20 + aim % 7 } else { 1 + aim % 3 };
            aim += 1;
            let Some(notes) = round.kill_at(role, action, nth) else { break };
            println!("{log}, round {number}: killed at {role}/{action}; at that moment {}", notes.join(" "));
            *interrupted.entry(action.to_owned()).or_default() += 1;
            kills_left -= 1;
        }
        assert_eq!(round.finish(), undisturbed, "{log}, round {number}");
        round.assert_whole();
    }
    println!("{log}: {number} rounds, kills by the action they interrupted: {interrupted:?}");
    if kills() >= 2 * ACTIONS.len() {
        assert_eq!(interrupted.len(), ACTIONS.len(), "every action was interrupted: {interrupted:?}");
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

    /// Starts the run and kills it when `role` is at `action` for the `nth` time. Gives what every role was at; nothing
    /// if the run ended before.
    fn kill_at(&self, role: &'static str, action: &str, nth: usize) -> Option<Vec<String>> {
        let hold_at = format!("{role}/{action}/{nth}");
        let mut run = run::Running(self.command().env("WIREROOM_HOLD_AT", hold_at).spawn().unwrap());
        let mut notes = Notes::in_folder(&self.data(), &ROLES);
        let deadline = Instant::now() + TIMEOUT;
        let mut held_since: Option<Instant> = None;
        while held_since.is_none_or(|since| since.elapsed() < HELD) {
            if run.0.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(Instant::now() < deadline, "the run does not end:\n{}", self.stderr());
            held_since = held_since.filter(|_| notes.is_at(role, action));
            if held_since.is_none() && notes.is_at(role, action) {
                held_since = Some(Instant::now());
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
        } else {
            assert!(
                self.data().join("bodies/pages").exists(),
                "pages are of a size that goes past the database"
            );
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
