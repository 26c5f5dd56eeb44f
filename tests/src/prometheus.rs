//! A real Prometheus (Debian's package) that scrapes services every second.
//!
//! Which ones it learns from a file, so that a process that comes back on another port is the same instance.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::broker::free_port;
use crate::services::Service;
use crate::wait;

const INSTALL: &str = "cannot run prometheus: install it (on Debian: apt-get install prometheus)";

/// As deploy/prometheus has it, but quick.
const CONFIGURATION: &str = "
global: {scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}
rule_files: [rules.yaml]
scrape_configs:
  - job_name: wireroom
    file_sd_configs: [{files: [targets.json], refresh_interval: 1s}]
";

/// A running Prometheus. It ends, and its data are gone, when dropped.
#[derive(Debug)]
pub struct Prometheus {
    port: u16,
    child: Child,
    folder: tempfile::TempDir,
}

/// A series of an answer: its labels, and its value now.
pub type Series = (BTreeMap<String, String>, f64);

impl Prometheus {
    /// Starts one with these rules, and waits until it answers.
    ///
    /// # Panics
    /// Where it is not installed, or does not take the rules.
    pub fn start(rules: &str) -> Self {
        let (folder, port) = (tempfile::tempdir().expect("a folder"), free_port());
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).expect("a file");
        write("prometheus.yml", CONFIGURATION);
        write("rules.yaml", rules);
        write("targets.json", "[]");
        let child = Command::new("prometheus")
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data"])
            .arg("--enable-feature=exemplar-storage")
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.path().join("log")).expect("a log"))
            .spawn()
            .expect(INSTALL);
        let mut prometheus = Self { port, child, folder };
        wait::until("Prometheus answers", || {
            let ended = prometheus.child.try_wait().expect("the process is ours");
            assert!(ended.is_none(), "Prometheus ended with {ended:?}:\n{}", prometheus.log());
            prometheus.ask("GET", "/-/ready", "").is_some_and(|(head, _)| head.contains(" 200 "))
        });
        prometheus
    }

    /// Scrapes these from now on, each by its own name, wherever it listens.
    pub fn scrape(&self, services: &[Service]) {
        let target = |service: &Service| {
            let mut address = None;
            wait::until(&format!("{} listens", service.name), || {
                address = service.address();
                address.is_some()
            });
            let component = service.name.split('-').next();
            json!({"targets": [address], "labels": {"instance": service.name, "component": component}})
        };
        let targets = Value::from(services.iter().map(target).collect::<Vec<_>>());
        // It must not read half of it.
        let [written, targets_file] =
            ["targets.new", "targets.json"].map(|name| self.folder.path().join(name));
        fs::write(&written, targets.to_string()).expect("a file");
        fs::rename(written, targets_file).expect("a file");
    }

    /// What an expression gives now: series without a number (NaN) left out.
    ///
    /// # Panics
    /// If Prometheus refuses it.
    pub fn query(&self, expression: &str) -> Vec<Series> {
        let encoded: String = expression.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let (head, body) = self.ask("POST", "/api/v1/query", &format!("query={encoded}")).expect("an answer");
        assert!(head.contains(" 200 "), "{expression}: {body}");
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        let series = answer["data"]["result"].as_array().expect("a vector").iter();
        let value = |series: &Value| series["value"][1].as_str().expect("a value").parse().expect("a number");
        let labels = |series: &Value| serde_json::from_value(series["metric"].clone()).expect("labels");
        series
            .map(|series| (labels(series), value(series)))
            .filter(|(_, value): &Series| !value.is_nan())
            .collect()
    }

    /// Its rules, as it understands them.
    pub fn rules(&self) -> Vec<Value> {
        let (_, body) = self.ask("GET", "/api/v1/rules", "").expect("an answer");
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        let groups = answer["data"]["groups"].as_array().into_iter().flatten();
        groups.flat_map(|group| group["rules"].as_array().expect("rules").clone()).collect()
    }

    /// The traces that are named as examples of what a series counted.
    pub fn exemplars(&self, series: &str) -> Vec<String> {
        let (_, body) = self
            .ask("POST", "/api/v1/query_exemplars", &format!("query={series}&start=0&end=9999999999"))
            .expect("an answer");
        let answer: Value = serde_json::from_str(&body).expect("JSON");
        let series = answer["data"].as_array().into_iter().flatten();
        let exemplars = series.flat_map(|series| series["exemplars"].as_array().cloned().unwrap_or_default());
        exemplars.filter_map(|exemplar| exemplar["labels"]["trace_id"].as_str().map(str::to_owned)).collect()
    }

    /// Whether an alert fires now.
    pub fn fires(&self, alert: &str) -> bool {
        !self.query(&format!("ALERTS{{alertname=\"{alert}\",alertstate=\"firing\"}}")).is_empty()
    }

    /// HTTP/1.0, whose answers end with the connection.
    fn ask(&self, method: &str, path: &str, form: &str) -> Option<(String, String)> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        let (kind, length) = ("Content-Type: application/x-www-form-urlencoded", form.len());
        write!(stream, "{method} {path} HTTP/1.0\r\n{kind}\r\nContent-Length: {length}\r\n\r\n{form}")
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        Some((head.to_owned(), body.to_owned()))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The expressions of the panels of the chart's dashboards, every variable as wide as it goes: dashboard and panel, and
/// what it asks for.
///
/// # Panics
/// If there are none.
pub fn panels(dashboards: &Path) -> Vec<(String, String)> {
    let files = fs::read_dir(dashboards).expect("dashboards").map(|file| file.expect("a file").path());
    let read =
        |path| -> Value { serde_json::from_str(&fs::read_to_string(path).expect("a file")).expect("JSON") };
    let dashboards = files.map(read);
    let panels = dashboards.flat_map(|dashboard| {
        let title = dashboard["title"].as_str().expect("a title").to_owned();
        let of_it = dashboard["panels"].as_array().expect("panels").clone();
        let named = move |panel: &Value| format!("{title}: {}", panel["title"].as_str().expect("a title"));
        of_it.into_iter().flat_map(move |panel| {
            let name = named(&panel);
            let targets = panel["targets"].as_array().cloned().unwrap_or_default();
            targets.into_iter().map(move |target| {
                let expression = target["expr"].as_str().expect("an expression");
                let variables =
                    [("$__rate_interval", "10m"), ("$namespace", ".*"), ("$job", ".*"), ("$instance", ".*")];
                let plain =
                    variables.iter().fold(expression.to_owned(), |text, (from, to)| text.replace(from, to));
                (name.clone(), plain)
            })
        })
    });
    let panels: Vec<_> = panels.collect();
    assert!(!panels.is_empty(), "there are no panels");
    panels
}
