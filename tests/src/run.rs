//! The program under test, and what its runs give.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::press::{Expected, Press};
use crate::wait;

/// `wireroom`, in the profile of the tests. Built once a process, so that no test runs a program of yesterday.
pub fn wireroom() -> Command {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    Command::new(PROGRAM.get_or_init(build))
}

fn build() -> PathBuf {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--locked", "--package", "wireroom", "--bin", "wireroom"]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    let output = cargo.output().expect("cargo runs");
    assert!(output.status.success(), "wireroom is not built: {}", String::from_utf8_lossy(&output.stderr));
    // This executable is target/PROFILE/deps/TEST or target/PROFILE/BIN.
    let executable = std::env::current_exe().expect("a path");
    let program =
        executable.ancestors().skip(1).map(|folder| folder.join("wireroom")).find(|path| path.is_file());
    program.unwrap_or_else(|| panic!("no wireroom beside {}", executable.display()))
}

/// The canonical articles of a file that `--out` wrote, in the terms of [`crate::press::expected`], sorted by place.
///
/// # Panics
/// If the file is none of `wireroom run`.
pub fn canonical(out: &Path) -> Vec<Expected> {
    let lines = fs::read_to_string(out).unwrap_or_else(|error| panic!("{}: {error}", out.display()));
    let records: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    articles(&records)
}

/// Canonical records in the terms of [`crate::press::expected`], sorted by place.
///
/// # Panics
/// If one is no canonical record.
pub fn articles<'a>(records: impl IntoIterator<Item = &'a Value>) -> Vec<Expected> {
    let mut articles: Vec<_> = records
        .into_iter()
        .map(|article| Expected {
            place: place(article),
            relation: word(article, "relation"),
            text: article["body_text"].as_str().expect("a body").to_owned(),
            occurrences: occurrences(article),
        })
        .collect();
    articles.sort_by(|a, b| a.place.cmp(&b.place));
    articles
}

fn occurrences(article: &Value) -> BTreeSet<(String, &'static str)> {
    let all = article["occurrences"].as_array().into_iter().flatten();
    all.map(|occurrence| (place(occurrence), word(occurrence, "relation"))).collect()
}

/// The URL, or the name of the file of a document.
fn place(value: &Value) -> String {
    let url = value["url"].as_str().unwrap_or_default();
    let is_url = url.starts_with("http://") || url.starts_with("https://");
    if is_url { url.to_owned() } else { url.rsplit('/').next().unwrap_or_default().to_owned() }
}

fn word(value: &Value, key: &str) -> &'static str {
    const RELATIONS: [&str; 6] = ["original", "copy", "excerpt", "revision", "extension", "derived"];
    let word = value[key].as_str().unwrap_or_default();
    RELATIONS.into_iter().find(|known| *known == word).unwrap_or_else(|| panic!("{word:?} is no relation"))
}

/// The notes that roles keep beside their work in a data folder: what each is at. Held open, so that a look takes no
/// longer than an action does.
#[derive(Debug)]
pub struct Notes {
    folder: PathBuf,
    roles: &'static [&'static str],
    open: BTreeMap<&'static str, fs::File>,
}

impl Notes {
    /// Of the process that has this data folder. It need not run.
    pub fn in_folder(data: &Path, roles: &'static [&'static str]) -> Self {
        Self { folder: data.join("attempts"), roles, open: BTreeMap::new() }
    }

    /// Whether a role is at an action.
    pub fn is_at(&mut self, role: &'static str, action: &str) -> bool {
        self.word(role).is_some_and(|word| word.trim_ascii() == action.as_bytes())
    }

    /// Whether any role is in the middle of a step. Reading is what a role does while it waits, too.
    pub fn in_flight(&mut self) -> bool {
        const STEP: [&str; 5] = ["work", "produce", "state", "offsets", "commit"];
        let roles = self.roles;
        roles.iter().any(|role| STEP.iter().any(|action| self.is_at(role, action)))
    }

    /// All of them, as `role/action`.
    pub fn all(&mut self) -> Vec<String> {
        let roles = self.roles;
        let note = |role: &&'static str| {
            let word = self.word(role)?;
            Some(format!("{role}/{}", String::from_utf8_lossy(word.trim_ascii())))
        };
        roles.iter().filter_map(note).collect()
    }

    fn word(&mut self, role: &'static str) -> Option<[u8; 8]> {
        let file = match self.open.entry(role) {
            Entry::Occupied(open) => open.into_mut(),
            Entry::Vacant(place) => place.insert(fs::File::open(self.folder.join(role)).ok()?),
        };
        let mut word = [0; 8];
        file.read_exact_at(&mut word, 0).ok()?;
        Some(word)
    }
}

/// A process that is killed as by `kill -9` when this is dropped: nothing in it gets to know.
#[derive(Debug)]
pub struct Running(pub Child);

impl Running {
    /// Stops it as an orchestrator does, and waits for its end.
    pub fn stop(mut self) -> ExitStatus {
        let pid = Pid::from_raw(self.0.id().try_into().expect("a process id"));
        kill(pid, Signal::SIGTERM).expect("the process is there");
        let mut ended = None;
        wait::until("the process ends", || {
            ended = self.0.try_wait().expect("the process is ours");
            ended.is_some()
        });
        ended.expect("it ended")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// `wireroom run --follow` over the press, in a folder that can be asked as soon as this returns.
pub fn follower(press: &Press, data: &Path) -> Running {
    // It runs by itself: what it begins with is not there.
    follower_of(press, data, ["nothing-to-begin-with"])
}

/// The same, with these arguments. Lists are read again within half a second.
pub fn follower_of<A: AsRef<OsStr>>(
    press: &Press,
    data: &Path,
    arguments: impl IntoIterator<Item = A>,
) -> Running {
    let child = wireroom()
        .args(["run", "--follow", "--delay", "20ms", "--proxy", &press.proxy(), "--data"])
        .arg(data)
        .args(arguments)
        .env("WIREROOM__FETCHER__MIN_POLL", "100ms")
        .env("WIREROOM__FETCHER__MAX_POLL", "500ms")
        .env("WIREROOM__SERVICE__LISTEN", "127.0.0.1:0")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program runs");
    let mut running = Running(child);
    wait::until("the process answers", || {
        let ended = running.0.try_wait().expect("the process is ours");
        assert!(ended.is_none(), "the process ended instead of running: {ended:?}");
        let tail = || wireroom().args(["tail", "requests", "--no-follow", "--data"]).arg(data).output();
        data.join("admin").exists() && tail().expect("the program runs").status.success()
    });
    running
}
