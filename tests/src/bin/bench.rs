//! Measures the whole pipeline on each log over generated articles: one `name value unit` a line.
//!
//! usage: `bench WIREROOM [ARTICLES]`
//!
//! CPU is that of the program's threads, by the role they are named after; the rest is `other`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tests::broker::Broker;
use tests::press::Press;

const ROLES: [&str; 4] = ["fetcher", "extractor", "prepare", "cluster"];

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next().context("usage: bench WIREROOM [ARTICLES]")?;
    let articles = arguments.next().map_or(Ok(2_000), |number| number.parse())?;

    measure("embedded", &program, articles, &[])?;
    measure("kafka", &program, articles, &["--kafka", Broker::shared().bootstrap()])
}

fn measure(log: &str, program: &str, articles: usize, more: &[&str]) -> Result<()> {
    let press = Press::with_articles(articles);
    let folder = tempfile::tempdir()?;
    let urls = folder.path().join("urls.txt");
    let pages = press.article_urls().len();
    fs::write(&urls, press.article_urls().join("\n") + "\n")?;

    let started = Instant::now();
    let mut child = Command::new(program)
        .arg("run")
        .arg(&urls)
        .arg("--out")
        .arg(folder.path().join("out.jsonl"))
        .arg("--data")
        .arg(folder.path().join("data"))
        .args(["--proxy", &press.proxy(), "--delay", "0s"])
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot run {program}"))?;
    let mut cpu = BTreeMap::new();
    let status = loop {
        cpu.extend(cpu_by_thread(child.id()));
        if let Some(status) = child.try_wait()? {
            break status;
        }
        pause();
    };
    let seconds = started.elapsed().as_secs_f64();
    ensure!(status.success(), "the run on {log} ended with {status}");
    let canonical = fs::read_to_string(folder.path().join("out.jsonl"))?.lines().count();
    ensure!(canonical == articles, "{canonical} canonical articles came of {articles}");

    println!("pages_per_second_{log} {:.0} pages/s", pages as f64 / seconds);
    for (role, time) in by_role(&cpu) {
        println!("cpu_per_page_{log}_{role} {:.0} us", time.as_micros() as f64 / pages as f64);
    }
    Ok(())
}

fn by_role(cpu: &BTreeMap<u32, (String, Duration)>) -> BTreeMap<&'static str, Duration> {
    let mut sums = BTreeMap::new();
    for (name, time) in cpu.values() {
        let role = ROLES.into_iter().find(|role| name.starts_with(role)).unwrap_or("other");
        *sums.entry(role).or_default() += *time;
    }
    sums
}

/// Name and CPU time of every thread of a process, by its id.
fn cpu_by_thread(process: u32) -> BTreeMap<u32, (String, Duration)> {
    let entries = fs::read_dir(format!("/proc/{process}/task"));
    let tasks = entries.into_iter().flatten().filter_map(Result::ok);
    tasks
        .filter_map(|task| {
            let id = task.file_name().to_str()?.parse().ok()?;
            let name = fs::read_to_string(task.path().join("comm")).ok()?;
            Some((id, (name.trim_end().to_owned(), cpu_of(&task.path())?)))
        })
        .collect()
}

/// The first number of schedstat: nanoseconds on a CPU (Documentation/scheduler/sched-stats.rst of Linux).
fn cpu_of(task: &Path) -> Option<Duration> {
    let statistics = fs::read_to_string(task.join("schedstat")).ok()?;
    Some(Duration::from_nanos(statistics.split(' ').next()?.parse().ok()?))
}

#[allow(clippy::disallowed_methods, reason = "between two looks at a process that is being measured")]
fn pause() {
    std::thread::sleep(Duration::from_millis(10));
}
