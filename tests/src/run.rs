//! The program under test, and what its runs give.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::press::Expected;

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
