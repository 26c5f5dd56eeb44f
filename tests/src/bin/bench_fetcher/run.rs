//! The fetcher in this process, over an embedded log, and what the process takes up.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use fetcher::Config;
use nix::sys::resource::{UsageWho, getrusage};
use pipeline::{
    AnyLog, Output, Shutdown,
    embedded::{Embedded, Options},
};
use prost::Message as _;
use service::{Running, Worker};
use trace::Tracer;
use wire::{Request, Topic};

/// How long anything may take that ends by itself.
const DEADLINE: Duration = Duration::from_secs(1800);
/// Requests that are submitted at once.
const SUBMITTED: usize = 5_000;

/// The embedded log in `folder`, as services open it.
pub fn open(folder: &Path) -> Result<Embedded> {
    Ok(Embedded::open(folder, &Options::default())?)
}

/// As services run it, but for what keeps it from loopback, and with `delay` as the only reason to wait.
pub fn config(delay: Duration) -> Config {
    Config {
        user_agent: "wireroom-bench/1.0 (+https://harbour.example/bot)".to_owned(),
        allow_private: true,
        latency_factor: 0,
        revisits: Vec::new(),
        delay,
        ..Config::default()
    }
}

/// Submits requests for these URLs, whose hosts are addresses.
pub fn submit(log: &Embedded, urls: impl Iterator<Item = String>) -> Result<()> {
    let mut outputs = urls.enumerate().map(|(n, url)| output(n, url)).peekable();
    while outputs.peek().is_some() {
        log.append(outputs.by_ref().take(SUBMITTED).collect())?;
    }
    Ok(())
}

fn output(n: usize, url: String) -> Output {
    let host = url.split('/').nth(2).and_then(|place| place.split(':').next()).unwrap_or_default();
    let request = Request { request_id: format!("bench-{n}"), url: url.clone(), ..Request::default() };
    Output {
        topic: Topic::Requests.name(),
        partition: None,
        key: host.as_bytes().to_vec().into(),
        headers: wire::headers("Request", &request.request_id, "submit", "", &[]),
        value: Some(request.encode_to_vec().into()),
    }
}

/// Runs roles until `done`, and ends them.
pub fn until(
    log: &Embedded,
    workers: Vec<Worker>,
    mut done: impl FnMut(&Running) -> Result<bool>,
) -> Result<()> {
    let shutdown = Shutdown::default();
    let running = Running::start(&AnyLog::Embedded(log.clone()), workers, &shutdown, &Tracer::default())?;
    let deadline = Instant::now() + DEADLINE;
    while !done(&running)? {
        ensure!(!shutdown.is_requested(), "a role has ended; its error is in the log");
        ensure!(Instant::now() < deadline, "not done within {DEADLINE:?}");
        pause();
    }
    shutdown.request();
    running.join()
}

/// How many requests have ended: as a page or as a dead letter.
pub fn ended(log: &Embedded) -> Result<i64> {
    Ok(log.end(Topic::Pages.name())? + log.end(fetcher::ROLE.dead_letters)?)
}

/// CPU time of this process so far, in microseconds.
pub fn cpu_us() -> Result<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF)?;
    let times = [usage.user_time(), usage.system_time()];
    Ok(times.iter().map(|time| time.tv_sec() as f64 * 1e6 + time.tv_usec() as f64).sum())
}

/// Resident memory of this process in megabytes: now (`VmRSS`) or at its most (`VmHWM`).
pub fn resident_mb(what: &str) -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with(what)).context("it is in every status")?;
    let kilobytes: f64 = line.split_whitespace().nth(1).context("a number")?.parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}

#[allow(clippy::disallowed_methods, reason = "between two looks at roles that are being measured")]
pub fn pause() {
    std::thread::sleep(Duration::from_millis(20));
}
