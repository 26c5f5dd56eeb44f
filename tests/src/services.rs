//! The three services as processes of their own on Kafka, two instances of each.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::broker::Broker;
use crate::press::Press;
use crate::run::Notes;
use crate::topics::Topics;
use crate::{run, wait};

/// The processes: service, instance, and the roles that run in it.
const PROCESSES: [(&str, &str, &[&str]); 6] = [
    ("fetcher", "fetcher-0", &["fetcher"]),
    ("fetcher", "fetcher-1", &["fetcher"]),
    ("extractor", "extractor-0", &["extractor"]),
    ("extractor", "extractor-1", &["extractor"]),
    ("normalizer", "normalizer-0", &["prepare", "cluster"]),
    ("normalizer", "normalizer-1", &["prepare", "cluster"]),
];

/// Enough for both instances of each, and few enough to be quick.
const PARTITIONS: &str = "6";

/// The services on one Kafka, with what they left there.
#[derive(Debug)]
pub struct Services {
    /// One process each.
    pub processes: Vec<Service>,
    /// What they read and write.
    pub topics: Topics,
    folder: tempfile::TempDir,
}

/// One process. It is killed when dropped.
#[derive(Debug)]
pub struct Service {
    /// Of this instance.
    pub name: &'static str,
    /// What runs in it.
    pub roles: &'static [&'static str],
    service: &'static str,
    settings: Vec<(String, String)>,
    folder: PathBuf,
    starts: usize,
    child: Child,
}

impl Services {
    /// Makes the topics, starts the processes, and waits until each holds partitions of every role but the decider, of
    /// which one stands by.
    pub fn start(broker: &Broker, press: &Press, prefix: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = on_kafka(broker, prefix);
        settings.push(("WIREROOM__FETCHER__PROXY".to_owned(), press.proxy()));
        settings.push(("WIREROOM__FETCHER__DELAY".to_owned(), "10ms".to_owned()));
        create_topics(&settings);
        let processes = PROCESSES.map(|(service, name, roles)| {
            Service::start(service, name, roles, settings.clone(), folder.path().join(name))
        });
        let topics = Topics::on_kafka(broker.bootstrap(), prefix);
        let services = Self { processes: processes.into(), topics, folder };
        services.processes.iter().for_each(Service::wait_for_partitions);
        services
    }

    /// A folder that is gone with the services.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Puts inputs into the pipeline. The ids of the requests.
    pub fn submit(&self, inputs: &[String]) -> Vec<String> {
        let output =
            run::wireroom().arg("submit").args(inputs).args(self.topics.place()).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text").lines().map(str::to_owned).collect()
    }

    /// Stops every process as an orchestrator does. How each ended.
    pub fn stop(&mut self) -> Vec<(&'static str, ExitStatus)> {
        self.processes.iter().for_each(Service::ask_to_end);
        self.processes.iter_mut().map(|service| (service.name, service.wait())).collect()
    }
}

/// The settings, as variables, of services on a broker under a prefix.
pub fn on_kafka(broker: &Broker, prefix: &str) -> Vec<(String, String)> {
    let settings = [
        ("BROKERS", broker.bootstrap()),
        ("PREFIX", prefix),
        ("PARTITIONS", PARTITIONS),
        ("SESSION_TIMEOUT", "6s"),
        ("TRANSACTION_TIMEOUT", "5s"),
    ];
    settings.map(|(key, value)| (format!("WIREROOM__KAFKA__{key}"), value.to_owned())).to_vec()
}

/// Makes the topics of services with these settings.
///
/// # Panics
/// If they cannot be made.
pub fn create_topics(settings: &[(String, String)]) {
    let mut create = run::wireroom();
    create.args(["topics", "create"]).envs(settings.iter().cloned());
    let created = create.output().expect("it runs");
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
}

impl Service {
    /// Starts a process that keeps its data in a folder.
    pub fn start(
        service: &'static str,
        name: &'static str,
        roles: &'static [&'static str],
        settings: Vec<(String, String)>,
        folder: PathBuf,
    ) -> Self {
        fs::create_dir_all(&folder).expect("a folder");
        let child = spawn(service, name, &settings, &folder, 1);
        Self { name, roles, service, settings, folder, starts: 1, child }
    }

    /// `/metrics` and its like: status and body. Nothing where the process is not that far, or gone.
    pub fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.address()?).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
    }

    /// A counter or gauge of a role.
    pub fn count(&self, metric: &str, role: &str) -> Option<u64> {
        let (_, metrics) = self.get("/metrics")?;
        let series = format!("{metric}{{role=\"{role}\"}} ");
        metrics.lines().find_map(|line| line.strip_prefix(series.as_str())?.parse().ok())
    }

    /// What its roles are at.
    pub fn notes(&self) -> Notes {
        Notes::in_folder(&self.folder, self.roles)
    }

    /// Kills the process as `kill -9` does.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Waits until the process holds partitions of its first role.
    pub fn wait_for_partitions(&self) {
        wait::until(&format!("{} holds partitions", self.name), || {
            self.count("wireroom_partitions_assigned", self.roles[0]).is_some_and(|held| held > 0)
        });
    }

    /// Kills the process as `kill -9` does, and starts it again. What its [`notes`](Self::notes) said in between.
    pub fn kill_and_restart(&mut self) -> Vec<String> {
        self.kill();
        let notes = self.notes().all();
        self.starts += 1;
        self.child = spawn(self.service, self.name, &self.settings, &self.folder, self.starts);
        notes
    }

    /// SIGTERM.
    pub fn ask_to_end(&self) {
        let pid = Pid::from_raw(self.child.id().try_into().expect("a process id"));
        kill(pid, Signal::SIGTERM).expect("the process is there");
    }

    /// Waits for the end.
    pub fn wait(&mut self) -> ExitStatus {
        let mut ended = None;
        wait::until(&format!("{} ends", self.name), || {
            ended = self.child.try_wait().expect("the process is ours");
            ended.is_some()
        });
        ended.expect("it ended")
    }

    /// What the process said last.
    pub fn log(&self) -> String {
        fs::read_to_string(log_of(&self.folder, self.starts)).unwrap_or_default()
    }

    /// As it says in its log: the port was left open.
    fn address(&self) -> Option<String> {
        let log = self.log();
        let lines = log.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        lines.filter_map(|line| line["address"].as_str().map(str::to_owned)).next()
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            let log = self.log();
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("{} said last:\n{}", self.name, lines[lines.len().saturating_sub(15)..].join("\n"));
        }
    }
}

fn spawn(service: &str, name: &str, settings: &[(String, String)], folder: &Path, nth: usize) -> Child {
    run::wireroom()
        .arg(service)
        .args(["--instance", name, "--listen", "127.0.0.1:0", "--data"])
        .arg(folder)
        .envs(settings.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(log_of(folder, nth)).expect("a log"))
        .spawn()
        .expect("the service starts")
}

fn log_of(folder: &Path, nth: usize) -> PathBuf {
    folder.join(format!("log.{nth}"))
}
