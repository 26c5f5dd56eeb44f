//! What a page costs the fetcher, frontier and embedded log included, against a bare loop that asks for the same pages and
//! inflates them; and what one slow host costs the others. Prints one `name value unit` a line.
//!
//! The server is a process of its own, so that its CPU is not counted: 200 hosts, each with an address of its own on
//! loopback, and gzipped pages of 65 KB.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement fails by panicking"
)]

use std::{
    io::{BufRead, BufReader, Write},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use fetcher::{Config, Hints, Questions, ROLE};
use pipeline::{
    Clock, Limits, Output, Progress, Settings, Shutdown,
    embedded::{Embedded, Options},
    metrics::RoleMetrics,
};
use prost::Message;
use wire::Request;

const HOSTS: usize = 200;
const PAGES: usize = 8_000;
const PAGE_BYTES: usize = 65_000;
const IN_FLIGHT: usize = 64;
/// How long the slow host takes for an answer.
const SLOW: Duration = Duration::from_secs(30);

fn main() {
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return serve();
    }
    let server = Server::start();
    let bare = bare_loop(&server);
    let fetcher = fetch(&server, false);
    println!("bare_loop_cpu_per_page {:.0} us", bare.cpu_us);
    println!("fetcher_cpu_per_page {:.0} us", fetcher.cpu_us);
    println!("fetcher_cpu_to_bare_loop {:.2} ratio", fetcher.cpu_us / bare.cpu_us);
    println!("fetcher_rate {:.0} pages/s", fetcher.per_second);
    let beside_slow = fetch(&server, true);
    println!("fetcher_rate_beside_a_slow_host {:.0} pages/s", beside_slow.per_second);
    println!(
        "slow_host_costs_the_others {:.1} %",
        100.0 * (1.0 - beside_slow.per_second / fetcher.per_second)
    );
}

/// What fetching took.
struct Cost {
    /// A page, in microseconds.
    cpu_us: f64,
    per_second: f64,
}

fn measure(pages: usize, work: impl FnOnce()) -> Cost {
    let (cpu, started) = (cpu(), Instant::now());
    work();
    let spent = cpu_since(cpu);
    Cost {
        cpu_us: spent.as_secs_f64() * 1e6 / pages as f64,
        per_second: pages as f64 / started.elapsed().as_secs_f64(),
    }
}

fn cpu() -> Duration {
    let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_SELF).unwrap();
    [usage.user_time(), usage.system_time()]
        .map(|time| Duration::new(time.tv_sec() as u64, time.tv_usec() as u32 * 1000))
        .iter()
        .sum()
}

fn cpu_since(before: Duration) -> Duration {
    cpu() - before
}

fn bare_loop(server: &Server) -> Cost {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let urls: Vec<String> = server.urls(0).collect();
    measure(PAGES, || {
        runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(1).build().unwrap();
            let (urls, next) =
                (std::sync::Arc::new(urls), std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0)));
            let workers = (0..IN_FLIGHT).map(|_| {
                let (client, urls, next) = (client.clone(), urls.clone(), next.clone());
                tokio::spawn(async move {
                    while let Some(url) = urls.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                        let answer = client.get(url).header("accept-encoding", "gzip").send().await.unwrap();
                        let body = answer.bytes().await.unwrap();
                        assert_eq!(wire::inflate("gzip", &body, 1 << 20).unwrap().len(), PAGE_BYTES);
                    }
                })
            });
            for worker in workers.collect::<Vec<_>>() {
                worker.await.unwrap();
            }
        });
    })
}

/// Fetches every page; beside a slow host, all but its own.
fn fetch(server: &Server, is_beside_slow: bool) -> Cost {
    let folder = tempfile::tempdir().unwrap();
    let log = Embedded::open(folder.path(), &Options::default()).unwrap();
    let slow = is_beside_slow.then(|| server.slow());
    let outputs = slow.into_iter().chain(server.urls(usize::from(is_beside_slow))).map(|url| Output {
        topic: "requests",
        key: article::CanonicalUrl::parse(&url).unwrap().registrable_domain().to_owned().into(),
        value: Some(Request { request_id: url.clone(), url, ..Request::default() }.encode_to_vec().into()),
        headers: Vec::new(),
    });
    let outputs: Vec<Output> = outputs.collect();
    let pages = outputs.len() - usize::from(is_beside_slow);
    log.append(outputs).unwrap();
    let config = Config {
        delay: Duration::ZERO,
        latency_factor: 0,
        max_in_flight: IN_FLIGHT,
        allow_private: true,
        revisits: Vec::new(),
        ..Config::default()
    };
    let settings = Settings {
        limits: Limits { records: 256, bytes: 16 << 20, timers: 256 },
        wait: Duration::from_millis(100),
        progress: Progress::default(),
        shutdown: Shutdown::default(),
        metrics: RoleMetrics::of(&ROLE),
    };
    let mut role = log.role(ROLE).unwrap();
    measure(pages, || {
        thread::scope(|scope| {
            let running = scope.spawn(|| {
                fetcher::run(
                    &mut role,
                    &config,
                    &Clock::system(),
                    &settings,
                    Hints::default(),
                    Questions::default(),
                )
                .unwrap()
            });
            while log.end("pages").unwrap() < pages as i64 && !running.is_finished() {
                Shutdown::default().wait(Duration::from_millis(20));
            }
            settings.shutdown.request();
        });
    })
}

struct Server {
    process: Child,
    port: u16,
}

impl Server {
    fn start() -> Self {
        let program = std::env::current_exe().unwrap();
        let mut process = Command::new(program).arg("serve").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        Self { process, port: line.trim().parse().unwrap() }
    }

    /// Pages of every host but the first `left_out`, one host after the other.
    fn urls(&self, left_out: usize) -> impl Iterator<Item = String> {
        let port = self.port;
        (0..PAGES)
            .map(move |n| (n % HOSTS, n))
            .filter(move |(host, _)| *host >= left_out)
            .map(move |(host, n)| format!("http://127.0.1.{}:{port}/page/{n}", host + 1))
    }

    fn slow(&self) -> String {
        format!("http://127.0.1.1:{}/slow", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn serve() {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let page: &'static [u8] = Vec::leak(answer());
    for stream in listener.incoming().flatten() {
        thread::spawn(move || talk(stream, page));
    }
}

/// Answers until the client goes.
fn talk(stream: TcpStream, page: &[u8]) {
    stream.set_nodelay(true).unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut writer = stream;
    let mut line = String::new();
    let mut target = String::new();
    loop {
        line.clear();
        match reader.read_line(&mut line) {
            Ok(0) | Err(_) => return,
            Ok(_) if line.starts_with("GET ") => line.clone_into(&mut target),
            Ok(_) if line == "\r\n" => {
                let answer = if target.contains("/robots.txt") {
                    b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"
                } else {
                    if target.contains("/slow") {
                        Shutdown::default().wait(SLOW);
                    }
                    page
                };
                if writer.write_all(answer).is_err() {
                    return;
                }
            }
            Ok(_) => {}
        }
    }
}

/// A page of words that compress as news does, to about a third.
fn answer() -> Vec<u8> {
    let mut state = 1_u64;
    let mut text = String::from("<html><title>Ferry</title><p>");
    while text.len() < PAGE_BYTES {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let word = (state >> 33) % 4_000;
        text.push_str(&format!(
            "{}{:x} ",
            ["ferry", "pier", "coun", "tide", "ves"][(word % 5) as usize],
            word
        ));
    }
    text.truncate(PAGE_BYTES);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text.as_bytes()).unwrap();
    let body = gzip.finish().unwrap();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    [head.into_bytes(), body].concat()
}
