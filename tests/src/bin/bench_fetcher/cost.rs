//! CPU a page, from the request in the topic to the page in it (frontier and embedded log included), against the least
//! that a program has to do that reads pages: a bare loop over reqwest that inflates the bodies and forgets them.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};

use crate::{
    figure, part,
    run::{self, config, cpu_us},
    web::{Web, host},
};

const HOSTS: usize = 200;
const PAGES: usize = 12_000;
/// Each side takes turns; its best counts, as the one least disturbed.
const ROUNDS: usize = 3;
/// What the fetcher has in flight, too.
const IN_FLIGHT: usize = 64;
/// A page that inflates to more is an error.
const MAX_BYTES: usize = 8 << 20;

pub fn measure() -> Result<()> {
    let web = Web::open("plain")?;
    let mut best = [f64::MAX; 3];
    for _ in 0..ROUNDS {
        let folder = tempfile::tempdir()?;
        let took = [
            part("bare", &[&web.port, &"inflate"])?,
            part("fetch", &[&web.port, &folder.path().display()])?,
            part("bare", &[&web.port, &"pass"])?,
        ];
        for (best, took) in best.iter_mut().zip(&took) {
            *best = best.min(figure(took, "cpu_us")? / PAGES as f64);
        }
    }
    let [bare, fetcher, passing] = best;
    println!("fetcher_cpu_per_page {fetcher:.0} us");
    println!("fetcher_cpu_per_page_bare_inflating {bare:.0} us");
    println!("fetcher_cpu_per_page_bare_passing_on {passing:.0} us");
    println!("fetcher_cpu_against_bare_inflating {:.2} ratio", fetcher / bare);
    Ok(())
}

fn url(n: usize, port: &str) -> String {
    format!("http://{}:{port}/page/{}", host(n % HOSTS), n / HOSTS)
}

/// The bare loop.
pub fn bare(arguments: &[&str]) -> Result<()> {
    let [port, what] = arguments else { anyhow::bail!("usage: part bare PORT inflate|pass") };
    let (port, inflates) = (port.to_string(), *what == "inflate");
    let client = reqwest::Client::builder().no_proxy().build()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let before = cpu_us()?;
    let next = Arc::new(AtomicUsize::new(0));
    let loops = (0..IN_FLIGHT).map(|_| {
        let (client, next, port) = (client.clone(), next.clone(), port.clone());
        runtime.spawn(async move {
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= PAGES {
                    return Ok::<_, anyhow::Error>(());
                }
                let request = client.get(url(n, &port)).header("accept-encoding", "gzip");
                let body = request.send().await?.error_for_status()?.bytes().await?;
                if inflates {
                    std::hint::black_box(wire::inflate("gzip", &body, MAX_BYTES)?);
                }
            }
        })
    });
    for done in loops.collect::<Vec<_>>() {
        runtime.block_on(done)??;
    }
    println!("cpu_us {}", cpu_us()? - before);
    Ok(())
}

/// The fetcher over a log that holds the requests.
pub fn fetch(arguments: &[&str]) -> Result<()> {
    let [port, folder] = arguments else { anyhow::bail!("usage: part fetch PORT FOLDER") };
    let log = run::open(Path::new(folder))?;
    run::submit(&log, (0..PAGES).map(|n| url(n, port)))?;
    let worker = fetcher::worker(config(Duration::ZERO))?;
    let before = cpu_us()?;
    run::until(&log, vec![worker], |_| Ok(run::ended(&log)? == PAGES as i64))?;
    let pages = log.end(wire::Topic::Pages.name())?;
    ensure!(pages == PAGES as i64, "{pages} pages came of {PAGES} requests");
    drop(log);
    println!("cpu_us {}", cpu_us().context("CPU")? - before);
    Ok(())
}
