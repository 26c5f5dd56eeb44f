//! What the topics hold is what `proto/asyncapi.yaml` promises, and the consumers of `deploy/consumers` read it.
//!
//! Their libraries come from PyPI and Maven Central, into the folder of the build.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;
use tests::broker::Broker;
use tests::press::{self, Press};
use tests::registry::Registry;
use tests::run;
use tests::topics::{Topics, standing};

/// A run over the press whose canonical records are in this encoding. Its prefix.
fn run_in(encoding: &str) -> String {
    run_with(encoding, encoding, Vec::new())
}

fn run_with(name: &str, encoding: &str, settings: Vec<(String, String)>) -> String {
    let (press, folder) = (Press::open(), tempfile::tempdir().unwrap());
    let prefix = format!("consumers-{name}-{}", std::process::id());
    let output = run::wireroom()
        .arg("run")
        .args(press::inputs())
        .args(press::write_documents(folder.path()).unwrap())
        .args(["--proxy", &press.proxy(), "--delay", "20ms", "--out", "out.jsonl"])
        .args(["--kafka", Broker::shared().bootstrap(), "--prefix", &prefix])
        .env("WIREROOM__NORMALIZER__ENCODING", encoding)
        .envs(settings)
        .current_dir(folder.path())
        .output()
        .unwrap();
    // Two inputs fail, for which there are dead letters.
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    prefix
}

#[test]
fn protobuf_is_read() {
    let prefix = run_in("protobuf");
    let standing = is_read(&prefix);
    assert_eq!(by_java(&prefix), standing);
}

#[test]
fn json_is_read() {
    let prefix = run_in("json");
    let standing = is_read(&prefix);
    kcat_shows(&prefix, &standing);
}

#[test]
fn framed_records_are_read() {
    let registry = Registry::start(&[]);
    let prefix = run_with("framed", "protobuf", registry.settings());
    let brokers = Broker::shared().bootstrap();
    let read = python("tests/consumers/framed.py", &[brokers, &prefix]);
    assert!(read.contains("canonical") && read.contains("changes"), "{read}");
    assert_eq!(by_java(&prefix), by_python(&prefix));
}

/// What stands in canonical: by article id, version and headline.
type Standing = BTreeMap<String, (Value, Value)>;

fn is_read(prefix: &str) -> Standing {
    let brokers = Broker::shared().bootstrap();
    let checked = python("tests/consumers/check.py", &[brokers, prefix]);
    for channel in ["requests", "pages", "articles", "prepared", "canonical", "changes", "deadlettersFetcher"]
    {
        assert!(checked.contains(channel), "nothing came by {channel}:\n{checked}");
    }

    let expected = headlines(standing(Topics::on_kafka(brokers, prefix).read("canonical")));
    assert_eq!(expected.len(), press::expected().len());
    assert_eq!(by_python(prefix), expected);
    expected
}

fn by_python(prefix: &str) -> Standing {
    let consumer = ["--prefix", prefix, "--group", prefix, "--to-end"];
    let args = [&[Broker::shared().bootstrap()], &consumer[..]].concat();
    let text = python("deploy/consumers/python/canonical.py", &args);
    let records = text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON"));
    headlines(standing(records.collect()))
}

fn by_java(prefix: &str) -> Standing {
    let mut maven = Command::new("mvn");
    maven.args(["--batch-mode", "--quiet", "--file", "deploy/consumers/java/pom.xml"]);
    maven.args(["compile", "exec:java"]);
    maven.arg(format!("-Dbuilt={}/consumers-java", env!("CARGO_TARGET_TMPDIR")));
    let brokers = Broker::shared().bootstrap();
    maven.arg(format!("-Dexec.args={brokers} {prefix} {prefix}-java --to-end"));
    let mut standing = Standing::new();
    // Maven resets colours where it has set none.
    for line in output(&mut maven).replace("\u{1b}[0m", "").lines() {
        match line.split('\t').collect::<Vec<_>>()[..] {
            [id, version, headline] => {
                let version = version.parse::<u64>().expect("a version");
                standing.insert(id.to_owned(), (version.into(), headline.into()));
            }
            // A tombstone, or Maven's own.
            _ => drop(standing.remove(line)),
        }
    }
    standing
}

/// The lines of the README, as they are there but for the names.
fn kcat_shows(prefix: &str, standing: &Standing) {
    let readme = std::fs::read_to_string(project().join("deploy/consumers/README.md")).unwrap();
    let lines: Vec<_> = readme.lines().filter(|line| line.starts_with("kcat ")).collect();
    let [partitions, heads, records, letters] = lines[..] else { panic!("{lines:?}") };
    let run = |line: &str| {
        let line = line
            .replace("kafka:9092", Broker::shared().bootstrap())
            .replace("wireroom.", &format!("{prefix}."));
        output(Command::new("sh").args(["-c", &line]))
    };
    assert!(run(partitions).contains("with 12 partitions"));
    let (heads, records) = (run(heads), run(records));
    for (id, (_, headline)) in standing {
        assert!(heads.contains(&format!("{id} ")), "{id} is not in:\n{heads}");
        assert!(records.contains(headline.as_str().expect("text")), "{headline} is not in:\n{records}");
    }
    assert!(heads.contains("content-type=application/json"), "{heads}");
    assert!(run(letters).contains("wireroom_reason="));
}

/// By article id: version and headline.
fn headlines(records: BTreeMap<String, Value>) -> Standing {
    let shown = |(id, record): (String, Value)| (id, (record["version"].clone(), record["headline"].clone()));
    records.into_iter().map(shown).collect()
}

/// What a program of the project prints.
fn python(program: &str, args: &[&str]) -> String {
    static HOME: LazyLock<PathBuf> = LazyLock::new(install);
    let mut command = Command::new(HOME.join("bin/python"));
    command.arg(program).args(args).env("PYTHONPATH", HOME.join("messages"));
    output(command.env("PYTHONDONTWRITEBYTECODE", "1"))
}

/// A Python of the build's own with what the consumers need, and the messages as modules.
fn install() -> PathBuf {
    let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("consumers");
    let program = home.join("bin/python");
    let requirements = ["deploy/consumers/python", "tests/consumers"]
        .map(|folder| std::fs::read_to_string(project().join(folder).join("requirements.txt")).unwrap())
        .concat();
    let installed = home.join("installed");
    if std::fs::read_to_string(&installed).ok().as_ref() != Some(&requirements) {
        output(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&home));
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        output(Command::new(&program).args(pip).args(["--requirement", "tests/consumers/requirements.txt"]));
        std::fs::write(&installed, requirements).unwrap();
    }
    let messages = home.join("messages");
    std::fs::create_dir_all(&messages).unwrap();
    let files =
        ["request", "page", "article", "canonical"].map(|name| format!("proto/wireroom/v1/{name}.proto"));
    let protoc = ["-m", "grpc_tools.protoc", "--proto_path=proto"];
    output(
        Command::new(&program).args(protoc).arg(format!("--python_out={}", messages.display())).args(files),
    );
    home
}

/// # Panics
/// If the command fails, with what it said.
fn output(command: &mut Command) -> String {
    const REMEDY: &str =
        "this test needs python3 with venv, Maven and kcat (`make setup`), PyPI and Maven Central";
    let output = command
        .current_dir(project())
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}; {REMEDY}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {stderr}\n{REMEDY}");
    String::from_utf8(output.stdout).expect("text")
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace")
}
