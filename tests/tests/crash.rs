//! kill -9 at any moment, restarted: the canonical articles end as those of a run that nobody disturbed.
//!
//! `WIREROOM_CRASH_ROUNDS` says how many rounds each log gets (2 by default). In each the program is killed a few
//! times while work is in flight: when the note that a role keeps beside its work says that it is at a given action of
//! a step. The notes also say, after the kill, what each role was at; that is printed.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tests::broker::Broker;
use tests::press::{Expected, Press};
use tests::{run, wait};

const ARTICLES: usize = 60;
const KILLS_A_ROUND: usize = 3;
const ROLES: [&str; 4] = ["fetcher", "extractor", "prepare", "cluster"];
const ACTIONS: [&str; 6] = ["read", "work", "produce", "state", "offsets", "commit"];

/// Generous: the machine may be compiling at the same time.
const TIMEOUT: Duration = Duration::from_secs(180);

#[test]
fn killed_at_any_moment_on_the_embedded_log() {
    crash_rounds("embedded", |_| Vec::new());
}

#[test]
fn killed_at_any_moment_on_kafka() {
    let broker = Broker::shared().bootstrap();
    let process = std::process::id();
    crash_rounds("kafka", |round| {
        vec![
            "--kafka".to_owned(),
            broker.to_owned(),
            "--prefix".to_owned(),
            format!("crash-{process}-{round}"),
        ]
    });
}

/// Compares every round with a run that nobody disturbed.
fn crash_rounds(log: &str, arguments: impl Fn(usize) -> Vec<String>) {
    let press = Press::with_articles(ARTICLES);
    let undisturbed = Round::new(&press, arguments(0)).finish();
    assert!(undisturbed.len() >= ARTICLES, "{} canonical articles of {ARTICLES}", undisturbed.len());

    let rounds: usize = std::env::var("WIREROOM_CRASH_ROUNDS").map_or(2, |rounds| rounds.parse().unwrap());
    let mut interrupted = BTreeMap::new();
    for number in 1..=rounds {
        let round = Round::new(&press, arguments(number));
        for kill in 0..KILLS_A_ROUND {
            let target = number * KILLS_A_ROUND + kill;
            let (role, action) = (ROLES[target % ROLES.len()], ACTIONS[target / ROLES.len() % ACTIONS.len()]);
            let Some(notes) = round.kill_at(role, action, target % 7) else { break };
            println!("{log}, round {number}: aimed at {role}/{action}, interrupted {}", notes.join(" "));
            notes.into_iter().for_each(|note| *interrupted.entry(note).or_insert(0) += 1);
        }
        assert_eq!(round.finish(), undisturbed, "{log}, round {number}");
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
    arguments: Vec<String>,
}

impl<'a> Round<'a> {
    fn new(press: &'a Press, arguments: Vec<String>) -> Self {
        Self { press, folder: tempfile::tempdir().unwrap(), arguments }
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
            .args(["--proxy", &self.press.proxy(), "--delay", "10ms"])
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(fs::File::create(self.folder.path().join("stderr")).unwrap());
        command
    }

    /// Starts the run and kills it the `nth` time (from 0) that `role` is seen at `action`, after at least one page
    /// was served. Gives what every role was at, as `role/action`; nothing if the run ended before.
    fn kill_at(&self, role: &str, action: &str, nth: usize) -> Option<Vec<String>> {
        let before = self.press.served().len();
        let mut run = Running(self.command().spawn().unwrap());
        let deadline = Instant::now() + TIMEOUT;
        let (mut in_flight, mut seen, mut was_there) = (false, 0, false);
        while seen <= nth {
            if run.0.try_wait().unwrap().is_some() {
                return None;
            }
            assert!(Instant::now() < deadline, "the run does not end:\n{}", self.stderr());
            in_flight = in_flight || self.press.served().len() > before;
            let is_there = in_flight && self.note(role).is_some_and(|note| note == action);
            seen += usize::from(is_there && !was_there);
            was_there = is_there;
            // No sleep: an action takes microseconds.
            std::thread::yield_now();
        }
        drop(run);
        Some(ROLES.iter().filter_map(|role| Some(format!("{role}/{}", self.note(role)?))).collect())
    }

    /// Runs to the end.
    fn finish(&self) -> Vec<Expected> {
        let mut run = Running(self.command().spawn().unwrap());
        let mut ended = None;
        wait::until("the end of the run", || {
            ended = run.0.try_wait().unwrap();
            ended.is_some()
        });
        let status = ended.unwrap();
        assert!(status.success(), "{status}:\n{}", self.stderr());
        run::canonical(&self.out())
    }

    /// What a role is at, by the first word of the note it keeps in the data folder.
    fn note(&self, role: &str) -> Option<String> {
        let mut note = [0; 8];
        fs::File::open(self.data().join("attempts").join(role)).ok()?.read_exact(&mut note).ok()?;
        Some(str::from_utf8(&note).ok()?.trim_end().to_owned())
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

/// A process that is killed as by `kill -9` when this is dropped: nothing in it gets to know.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
