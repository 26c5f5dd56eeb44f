//! The three services as processes of their own on Kafka.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use crate::broker::Broker;
use crate::press::Press;
use crate::run::Notes;
use crate::topics::Topics;
use crate::{run, wait};

/// A process: which service, the instance's name, and the roles that run in it.
pub type Process = (&'static str, &'static str, &'static [&'static str]);

/// Two instances of each service.
pub const PAIRS: [Process; 6] = [
    ("fetcher", "fetcher-0", &["fetcher"]),
    ("fetcher", "fetcher-1", &["fetcher"]),
    ("extractor", "extractor-0", &["extractor"]),
    ("extractor", "extractor-1", &["extractor"]),
    ("normalizer", "normalizer-0", &["prepare", "cluster"]),
    ("normalizer", "normalizer-1", &["prepare", "cluster"]),
];

/// Each role in a process of its own, as the chart runs them.
pub const APART: [Process; 6] = [
    ("fetcher", "fetcher-0", &["fetcher"]),
    ("fetcher", "fetcher-1", &["fetcher"]),
    ("extractor", "extractor-0", &["extractor"]),
    ("extractor", "extractor-1", &["extractor"]),
    ("normalizer", "prepare-0", &["prepare"]),
    ("normalizer", "cluster-0", &["cluster"]),
];

/// Enough for four instances of each, and few enough to be quick.
pub const PARTITIONS: u64 = 6;

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
    /// Variables: whatever is changed here counts from its next start on.
    pub settings: Vec<(String, String)>,
    service: &'static str,
    folder: PathBuf,
    starts: usize,
    child: Child,
}

impl Services {
    /// Two instances of each service.
    pub fn start(broker: &Broker, press: &Press, prefix: &str) -> Self {
        Self::start_these(&PAIRS, |_| Vec::new(), broker, press, prefix)
    }

    /// Makes the topics, starts the processes, each with more settings (variables and their values) by its name, and waits
    /// until each holds partitions of its first role.
    pub fn start_these(
        processes: &[Process],
        more: impl Fn(&str) -> Vec<(&'static str, String)>,
        broker: &Broker,
        press: &Press,
        prefix: &str,
    ) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut settings = on_kafka(broker, prefix);
        settings.push(("WIREROOM__FETCHER__PROXY".to_owned(), press.proxy()));
        settings.push(("WIREROOM__FETCHER__DELAY".to_owned(), "10ms".to_owned()));
        create_topics(&settings);
        let start = |(service, name, roles): &Process| {
            let more = more(name).into_iter().map(|(key, value)| (key.to_owned(), value));
            let settings = settings.iter().cloned().chain(more).collect();
            Service::start(service, name, roles, settings, folder.path().join(name))
        };
        let topics = Topics::on_kafka(broker.bootstrap(), prefix);
        let services = Self { processes: processes.iter().map(start).collect(), topics, folder };
        services.processes.iter().for_each(Service::wait_for_partitions);
        services
    }

    /// A folder that is gone with the services.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Puts inputs into the pipeline. The ids of the requests.
    pub fn submit(&self, inputs: &[String]) -> Vec<String> {
        self.topics.submit(inputs)
    }

    /// The processes that run a role.
    pub fn of(&mut self, role: &str) -> impl Iterator<Item = &mut Service> {
        self.processes.iter_mut().filter(move |service| service.roles.contains(&role))
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
        ("PARTITIONS", &PARTITIONS.to_string()),
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
        let child = spawn(service, name, roles, &settings, &folder, 1);
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
        self.start_again();
        notes
    }

    /// Starts the process again that has ended.
    pub fn start_again(&mut self) {
        self.starts += 1;
        self.child = spawn(self.service, self.name, self.roles, &self.settings, &self.folder, self.starts);
    }

    /// Stops the process as an orchestrator does.
    ///
    /// # Panics
    /// If it does not end well.
    pub fn stop(&mut self) {
        self.ask_to_end();
        let status = self.wait();
        assert!(status.success(), "{} ended with {status}:\n{}", self.name, self.log());
    }

    /// CPU time spent, that of the kernel for it included.
    pub fn cpu(&self) -> Duration {
        cpu_of(self.child.id())
    }

    /// SIGTERM.
    pub fn ask_to_end(&self) {
        let pid = Pid::from_raw(self.child.id().try_into().expect("a process id"));
        kill(pid, Signal::SIGTERM).expect("the process is there");
    }

    /// How the process ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the process is ours")
    }

    /// Waits for the end.
    pub fn wait(&mut self) -> ExitStatus {
        let mut ended = None;
        wait::until(&format!("{} ends", self.name), || {
            ended = self.ended();
            ended.is_some()
        });
        ended.expect("it ended")
    }

    /// Whether `/readyz` says so.
    pub fn is_ready(&self) -> bool {
        self.get("/readyz").is_some_and(|(status, _)| status == 200)
    }

    /// What the process said last.
    pub fn log(&self) -> String {
        fs::read_to_string(log_of(&self.folder, self.starts)).unwrap_or_default()
    }

    /// As it says in its log: the port was left open.
    pub fn address(&self) -> Option<String> {
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

fn spawn(
    service: &str,
    name: &str,
    roles: &[&str],
    settings: &[(String, String)],
    folder: &Path,
    nth: usize,
) -> Child {
    let mut command = run::wireroom();
    command.arg(service);
    if let ("normalizer", [role]) = (service, roles) {
        command.args(["--role", role]);
    }
    command
        .args(["--instance", name, "--listen", "127.0.0.1:0", "--data"])
        .arg(folder)
        .envs(settings.iter().cloned())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(log_of(folder, nth)).expect("a log"))
        .spawn()
        .expect("the service starts")
}

/// The 14th and 15th field of stat, counted after the name, which may hold spaces (proc_pid_stat(5)): hundredths of a
/// second on Linux.
fn cpu_of(process: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("the process is there");
    let fields = stat.rsplit_once(") ").expect("a name").1.split(' ');
    let ticks: u64 = fields.skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("ticks")).sum();
    Duration::from_millis(10 * ticks)
}

fn log_of(folder: &Path, nth: usize) -> PathBuf {
    folder.join(format!("log.{nth}"))
}
