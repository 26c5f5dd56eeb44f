//! A real Apache Kafka for tests: one broker that is its own controller, on loopback.
//!
//! Its jars come from Maven Central once and stay in `.cache/` of the workspace. It needs a JDK (17 or later)
//! and, the first time, Maven. `WIREROOM_TEST_KAFKA=host:port` makes [`Broker::shared`] use a running broker
//! instead; tests that kill theirs start it all the same.
//!
//! A broker ends with the value that owns it and with the process that started it, however that process ends,
//! and leaves no files behind.

mod topics;

use std::fs::{self, File};
use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _};

const KAFKA_VERSION: &str = "4.1.1";

/// Names a running broker that the shared one stands aside for.
const RUNNING_BROKER: &str = "WIREROOM_TEST_KAFKA";

/// A start takes two seconds on an idle machine; the rest is for one that compiles at the same time.
const START_TIMEOUT: Duration = Duration::from_secs(90);

/// A quick start and a small footprint matter more here than throughput.
const JVM_FLAGS: [&str; 4] = ["-Xms64m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"];

/// Runs the JVM until it reads a line or its input ends, which it does when the test process is gone. Only the
/// line `keep` spares the data.
const WATCHDOG: &str = r#"
directory=$1; shift
"$@" >>"$directory/broker.log" 2>&1 </dev/null &
read -r word
kill -KILL $!
wait $!
[ "$word" = keep ] || rm -rf "$directory"
"#;

/// A running broker.
#[derive(Debug)]
pub struct Broker {
    bootstrap: String,
    jvm: Option<Jvm>,
}

/// What a broker has beside what all have.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    /// Lines of `server.properties`.
    pub(crate) properties: String,
    /// Users by SCRAM, as `--add-scram` takes them.
    pub(crate) scram: Vec<String>,
}

/// The broker's process, as started here.
#[derive(Debug)]
struct Jvm {
    jars: PathBuf,
    directory: PathBuf,
    watchdog: Option<Child>,
}

impl Broker {
    /// The broker all tests of this process share: the one `WIREROOM_TEST_KAFKA` names, or one of our own.
    ///
    /// # Panics
    /// Where neither can be had, saying what to install.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<Broker, String>> = OnceLock::new();
        let broker = SHARED.get_or_init(|| {
            let broker = match std::env::var(RUNNING_BROKER) {
                Ok(bootstrap) => Self::running(bootstrap),
                Err(_) => Self::start(),
            };
            broker.map_err(|error| format!("{error:#}"))
        });
        broker.as_ref().unwrap_or_else(|error| panic!("no Kafka to test on: {error}"))
    }

    /// A broker for one test, which may [kill](Self::kill) it.
    ///
    /// # Panics
    /// Where it cannot be started, saying what to install.
    pub fn own() -> Self {
        Self::start().unwrap_or_else(|error| panic!("no Kafka to test on: {error:#}"))
    }

    /// `host:port` for `bootstrap.servers`.
    pub fn bootstrap(&self) -> &str {
        &self.bootstrap
    }

    /// A client configuration that names this broker and comes back quickly when it does.
    pub fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.bootstrap)
            .set("reconnect.backoff.ms", "20")
            .set("reconnect.backoff.max.ms", "200");
        config
    }

    /// Creates a topic with topic-level settings.
    ///
    /// # Panics
    /// If the broker refuses it, as it does for a name it has.
    pub fn create_topic(&self, name: &str, partitions: i32, settings: &[(&str, &str)]) {
        let admin: AdminClient<DefaultClientContext> = self.client().create().expect("an admin client");
        let topic = settings
            .iter()
            .fold(NewTopic::new(name, partitions, TopicReplication::Fixed(1)), |topic, (key, value)| {
                topic.set(key, value)
            });
        let options = AdminOptions::new().operation_timeout(Some(Duration::from_secs(30)));
        let created = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime")
            .block_on(admin.create_topics([&topic], &options));
        for topic in created.expect("the broker answers") {
            topic.unwrap_or_else(|(name, code)| panic!("topic {name} is not created: {code}"));
        }
    }

    /// A program of one file of `tests/broker`, with Kafka's own libraries.
    ///
    /// # Panics
    /// On a broker that was not started here.
    pub(crate) fn java(&self, file: &str) -> Command {
        let mut java = self.jvm.as_ref().expect("a broker of our own").java();
        java.arg(project().join("tests/broker").join(file)).arg(&self.bootstrap);
        java
    }

    /// Kills the broker as `kill -9` does; its data stay. Returns when the process is gone.
    ///
    /// # Panics
    /// On a broker that was not started here.
    pub fn kill(&mut self) {
        self.jvm.as_mut().expect("a broker of another's is not ours to kill").end(Data::Keep);
    }

    /// Starts a killed broker again on the same port and data, and waits until it answers.
    ///
    /// # Panics
    /// If it does not come back, or was not started here.
    pub fn restart(&mut self) {
        let jvm = self.jvm.as_mut().expect("a broker of another's is not ours to restart");
        jvm.end(Data::Keep);
        jvm.start().and_then(|()| jvm.await_answer(&self.bootstrap)).expect("the broker comes back");
    }

    fn running(bootstrap: String) -> Result<Self> {
        await_metadata(&bootstrap, Duration::from_secs(15)).with_context(|| {
            format!("{RUNNING_BROKER}={bootstrap} does not answer; start it, or unset the variable")
        })?;
        Ok(Self { bootstrap, jvm: None })
    }

    fn start() -> Result<Self> {
        Self::start_with(|_, _| Settings::default())
    }

    /// Starts a broker with settings that go before those of all. They are told its ports: for clients and its own.
    pub(crate) fn start_with(more: impl Fn(u16, u16) -> Settings) -> Result<Self> {
        let jars = jars()?;
        let directory = tempfile::Builder::new().prefix("wireroom-kafka-").tempdir()?.keep();
        let [port, controller_port] = [free_port(), free_port()];
        let Settings { properties: more, scram } = more(port, controller_port);
        // Of a property that is there twice the last counts.
        let properties = properties(&directory, port, controller_port) + &more;
        fs::write(directory.join("server.properties"), properties)?;

        let mut jvm = Jvm { jars, directory, watchdog: None };
        jvm.format(&scram)?;
        jvm.start()?;
        let bootstrap = format!("127.0.0.1:{port}");
        jvm.await_answer(&bootstrap)?;
        Ok(Self { bootstrap, jvm: Some(jvm) })
    }
}

/// What becomes of a broker's data when it ends.
#[derive(PartialEq)]
enum Data {
    Keep,
    Remove,
}

impl Jvm {
    fn format(&self, scram: &[String]) -> Result<()> {
        let output = self
            .java()
            .args(["kafka.tools.StorageTool", "format", "--cluster-id", "d2lyZXJvb210ZXN0MDAwMA", "--config"])
            .arg(self.directory.join("server.properties"))
            .args(scram.iter().flat_map(|user| ["--add-scram", user]))
            .output()
            .context(INSTALL_JAVA)?;
        ensure!(
            output.status.success(),
            "the broker's storage cannot be formatted: {}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(())
    }

    fn start(&mut self) -> Result<()> {
        let java = self.java();
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "broker"])
            .arg(&self.directory)
            .arg(java.get_program())
            .args(java.get_args())
            .arg("kafka.Kafka")
            .arg(self.directory.join("server.properties"))
            // Ctrl-C is for the test process; the watchdog outlives it to clean up.
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .context("cannot run sh")?;
        self.watchdog = Some(watchdog);
        Ok(())
    }

    fn java(&self) -> Command {
        let mut java = Command::new("java");
        java.args(JVM_FLAGS)
            .arg(format!(
                "-Dlog4j2.configurationFile={}",
                project().join("tests/broker/log4j2.xml").display()
            ))
            .arg("-cp")
            .arg(self.jars.join("*"));
        java
    }

    fn await_answer(&self, bootstrap: &str) -> Result<()> {
        await_metadata(bootstrap, START_TIMEOUT).with_context(|| {
            let log = fs::read_to_string(self.directory.join("broker.log")).unwrap_or_default();
            let lines: Vec<&str> = log.lines().collect();
            format!(
                "the broker does not start; its log ends:\n{}",
                lines[lines.len().saturating_sub(30)..].join("\n")
            )
        })
    }

    fn end(&mut self, data: Data) {
        let Some(mut watchdog) = self.watchdog.take() else { return };
        if let Some(mut stdin) = watchdog.stdin.take()
            && data == Data::Keep
        {
            // A watchdog that is gone has taken the broker with it.
            let _ = stdin.write_all(b"keep\n");
        }
        let _ = watchdog.wait();
    }
}

impl Drop for Jvm {
    fn drop(&mut self) {
        self.end(Data::Remove);
        let _ = fs::remove_dir_all(&self.directory);
    }
}

const INSTALL_JAVA: &str = "cannot run java: install a JDK, 17 or later (on Debian: apt-get install \
    openjdk-17-jdk-headless), or set WIREROOM_TEST_KAFKA=host:port to use a running broker";
const INSTALL_MAVEN: &str = "cannot run mvn, which fetches Kafka: install Maven (on Debian: apt-get install maven), \
    or set WIREROOM_TEST_KAFKA=host:port to use a running broker";

/// The folder of Kafka's jars, fetched the first time. Test processes that start together fetch them once.
fn jars() -> Result<PathBuf> {
    let cache = project().join(".cache");
    let jars = cache.join(format!("kafka-{KAFKA_VERSION}"));
    if jars.is_dir() {
        return Ok(jars);
    }
    fs::create_dir_all(&cache)?;
    let lock = File::create(cache.join("kafka.lock"))?;
    lock.lock().context("cannot lock the cache of jars")?;
    if jars.is_dir() {
        return Ok(jars);
    }

    // Whatever has the final name is complete.
    let partial = cache.join("kafka.partial");
    let _ = fs::remove_dir_all(&partial);
    let output = Command::new("mvn")
        .args(["--quiet", "--batch-mode", "--file"])
        .arg(project().join("tests/broker/pom.xml"))
        .arg("dependency:copy-dependencies")
        .args(["-DincludeScope=runtime", &format!("-Dkafka.version={KAFKA_VERSION}")])
        .arg(format!("-DoutputDirectory={}", partial.display()))
        .output()
        .context(INSTALL_MAVEN)?;
    if !output.status.success() {
        bail!(
            "Maven cannot fetch Kafka {KAFKA_VERSION} (check the way to Maven Central, or set \
             {RUNNING_BROKER}=host:port to use a running broker): {}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
    fs::rename(&partial, &jars)?;
    Ok(jars)
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate lies in the workspace")
}

/// A port nobody listens on, below the range that outgoing connections are given: while a broker is down, no
/// client's own connection may take its port.
pub(crate) fn free_port() -> u16 {
    const FIRST: u16 = 20_000;
    const COUNT: u16 = 12_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Test processes that start together search from different places.
    let start = (std::process::id().wrapping_mul(61) % u32::from(COUNT)) as u16;
    (0..COUNT)
        .map(|_| FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT)
        .find(|&port| TcpListener::bind(("127.0.0.1", port)).is_ok())
        .expect("a free port")
}

/// Waits until the broker answers for the cluster's metadata and names itself in them.
fn await_metadata(bootstrap: &str, timeout: Duration) -> Result<()> {
    let deadline = Instant::now() + timeout;
    let client: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("reconnect.backoff.ms", "20")
        .set("reconnect.backoff.max.ms", "200")
        .set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg)
        .create()?;
    loop {
        match client.fetch_metadata(None, Duration::from_secs(1)) {
            Ok(metadata) if !metadata.brokers().is_empty() => return Ok(()),
            Ok(_) => ensure!(Instant::now() < deadline, "no broker has joined the cluster"),
            Err(error) => ensure!(Instant::now() < deadline, "{error}"),
        }
    }
}

fn properties(directory: &Path, port: u16, controller_port: u16) -> String {
    let data = directory.join("data");
    format!(
        "process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller_port}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
log.dirs={data}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
message.max.bytes=12582912
replica.fetch.max.bytes=12582912
log.cleaner.backoff.ms=1000
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=200
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
auto.create.topics.enable=false
",
        data = data.display()
    )
}
