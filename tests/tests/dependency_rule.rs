//! The architecture as rules on the dependency graph: dependencies point down only, pure crates know no I/O and no
//! clock, the runtime knows no domain, no service knows another.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// A crate depends on crates of the rows above its own only. The tests may depend on all.
const LAYERS: [&[&str]; 6] = [
    &["article", "archive", "metrics", "trace"],
    &["extraction", "neardup", "crawl", "wire", "pipeline"],
    &["service"],
    &["fetcher", "extractor", "normalizer"],
    &["wireroom"],
    &["tests"],
];

/// Functions over values: time is passed in, bytes are passed in.
const PURE: [&str; 4] = ["article", "extraction", "neardup", "crawl"];
const NOT_PURE: [&str; 7] = ["tokio", "hyper", "reqwest", "rdkafka", "fjall", "prometheus", "axum"];
const CLOCKS: [&str; 4] = ["SystemTime", "Instant::now", "Timestamp::now", "Zoned::now"];

/// They carry bytes, whatever these mean.
const DOMAINLESS: [&str; 4] = ["archive", "trace", "pipeline", "service"];
const DOMAIN: [&str; 5] = ["article", "wire", "extraction", "neardup", "crawl"];

const TOP_LEVEL: [&str; 10] = [
    "services",
    "proto",
    "deploy",
    "helm",
    "tests",
    "Makefile",
    "Cargo.toml",
    "Cargo.lock",
    "README.md",
    "LICENSE",
];

#[test]
fn dependencies_point_down_only() {
    let graph = Graph::of_workspace();
    let layers: BTreeMap<&str, usize> = LAYERS
        .iter()
        .enumerate()
        .flat_map(|(layer, names)| names.iter().map(move |name| (*name, layer)))
        .collect();
    let known: BTreeSet<&str> = layers.keys().copied().collect();
    assert_eq!(graph.members(), known, "the layers list exactly the crates of the workspace");

    for (name, layer) in &layers {
        for dependency in graph.dependencies(name) {
            if let Some(below) = layers.get(dependency) {
                assert!(below < layer, "{name} depends on {dependency}, which is not below it");
            }
        }
    }
}

#[test]
fn pure_crates_know_no_io() {
    let graph = Graph::of_workspace();
    for name in PURE {
        let tree = graph.tree(name);
        for banned in NOT_PURE {
            assert!(!tree.contains(banned), "{name} is pure, yet its dependencies include {banned}");
        }
    }
}

#[test]
fn pure_crates_read_no_clock() {
    for name in PURE {
        for file in rust_files(&root().join("services/shared").join(name).join("src")) {
            let source = fs::read_to_string(&file).unwrap();
            for clock in CLOCKS {
                assert!(!source.contains(clock), "{} reads a clock: {clock}", file.display());
            }
        }
    }
}

#[test]
fn the_runtime_knows_no_domain() {
    let graph = Graph::of_workspace();
    for name in DOMAINLESS {
        let tree = graph.tree(name);
        for domain in DOMAIN {
            assert!(!tree.contains(domain), "{name} depends on {domain}, a domain crate");
        }
    }
}

#[test]
fn the_top_level_holds_nothing_else() {
    for entry in fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        // What builds and runs leave here is not part of the repository.
        let exempt = name.starts_with('.') || ["target", "wireroom-data"].contains(&name.as_str());
        assert!(exempt || TOP_LEVEL.contains(&name.as_str()), "{name} has no place at the top level");
    }
}

/// Normal and build dependencies as cargo resolves them; those of tests are left out.
struct Graph {
    members: Vec<String>,
    names: BTreeMap<String, String>,
    edges: BTreeMap<String, Vec<String>>,
}

impl Graph {
    fn of_workspace() -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--locked"])
            .current_dir(root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();

        let names =
            array(&metadata["packages"]).map(|package| (text(&package["id"]), text(&package["name"])));
        let edges = array(&metadata["resolve"]["nodes"]).map(|node| {
            let dependencies = array(&node["deps"])
                .filter(|dependency| array(&dependency["dep_kinds"]).any(|kind| kind["kind"] != "dev"))
                .map(|dependency| text(&dependency["pkg"]));
            (text(&node["id"]), dependencies.collect())
        });
        Self {
            members: array(&metadata["workspace_members"]).map(text).collect(),
            names: names.collect(),
            edges: edges.collect(),
        }
    }

    fn members(&self) -> BTreeSet<&str> {
        self.members.iter().map(|id| self.names[id].as_str()).collect()
    }

    fn dependencies(&self, name: &str) -> impl Iterator<Item = &str> {
        self.edges[self.id(name)].iter().map(|id| self.names[id].as_str())
    }

    /// Everything a crate depends on, however far.
    fn tree(&self, name: &str) -> BTreeSet<&str> {
        let mut tree = BTreeSet::new();
        let mut open = vec![self.id(name)];
        while let Some(id) = open.pop() {
            for dependency in &self.edges[id] {
                if tree.insert(dependency.as_str()) {
                    open.push(dependency);
                }
            }
        }
        tree.into_iter().map(|id| self.names[id].as_str()).collect()
    }

    fn id(&self, name: &str) -> &str {
        self.members.iter().find(|id| self.names[*id] == name).unwrap_or_else(|| panic!("no crate {name}"))
    }
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().unwrap().iter()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => rust_files(&path),
            false => vec![path],
        })
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect()
}
