//! 100,000 hosts with 20 URLs each in the frontier: what it takes up, how long it takes to open, how soon the next host
//! is found, and that none is asked more often than it may be.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use fetcher::Config;
use pipeline::{Limits, Log as _};

use crate::{
    figure, part,
    run::{self, config, cpu_us, resident_mb},
    web::{Web, host},
};

const HOSTS: usize = 100_000;
const URLS: usize = 20;
const REQUESTS: usize = HOSTS * URLS;
/// Between two requests to a host.
const DELAY: Duration = Duration::from_secs(40);
/// How long hosts are asked: some for the second time.
const ASKING: Duration = Duration::from_secs(75);
/// How often the next host is looked for.
const LOOKS: usize = 10_000;

pub fn measure() -> Result<()> {
    let (mut web, folder) = (Web::open("mute")?, tempfile::tempdir()?);
    let data = folder.path().display();
    let filled = part("fill", &[&web.port, &data])?;
    println!("frontier_taking_in_a_request {:.0} us", figure(&filled, "cpu_us")? / REQUESTS as f64);
    println!("frontier_memory_taking_in {:.0} MB", figure(&filled, "peak_mb")?);
    let next = part("next", &[&data])?;
    println!("frontier_next_host {:.1} us", figure(&next, "us")?);
    web.speak()?;
    let polled = part("poll", &[&data])?;
    println!("frontier_opening {:.1} s", figure(&polled, "opening_s")?);
    println!("frontier_memory_open {:.0} MB", figure(&polled, "open_mb")?);
    println!("frontier_memory_asking {:.0} MB", figure(&polled, "peak_mb")?);
    let seen = web.report()?;
    println!("frontier_pages {} pages", figure(&seen, "pages")?);
    println!("frontier_hosts_asked_again {} hosts", figure(&seen, "gaps")?);
    println!("frontier_least_gap {:.0} ms of {}", figure(&seen, "least_gap_ms")?, DELAY.as_millis());
    Ok(())
}

/// Takes all requests in. The web is mute: the one visit that is allowed lasts for ever.
pub fn fill(arguments: &[&str]) -> Result<()> {
    let [port, folder] = arguments else { anyhow::bail!("usage: part fill PORT FOLDER") };
    let log = run::open(Path::new(folder))?;
    let urls = (0..REQUESTS).map(|n| format!("http://{}:{port}/page/{}", host(n % HOSTS), n / HOSTS));
    run::submit(&log, urls)?;
    let before = cpu_us()?;
    let never = Duration::from_secs(86_400);
    let config = Config { max_in_flight: 1, timeout: never, connect_timeout: never, ..config(DELAY) };
    run::until(&log, vec![fetcher::worker(config)?], |_| {
        Ok(log.position(&fetcher::ROLE)? == REQUESTS as i64)
    })?;
    println!("cpu_us {}", cpu_us()? - before);
    println!("peak_mb {}", resident_mb("VmHWM")?);
    Ok(())
}

/// How long a poll takes that finds the next host.
pub fn next(arguments: &[&str]) -> Result<()> {
    let log = run::open(Path::new(arguments.first().context("usage: part next FOLDER")?))?;
    let mut place = log.role(fetcher::ROLE)?;
    let limits = Limits { records: 0, bytes: 0, timers: 1 };
    place.poll(limits, Duration::ZERO)?;
    let started = Instant::now();
    for _ in 0..LOOKS {
        let found = place.poll(limits, Duration::ZERO)?.timers.len();
        ensure!(found == 1, "every host is due");
    }
    println!("us {}", started.elapsed().as_secs_f64() * 1e6 / LOOKS as f64);
    Ok(())
}

/// Opens the frontier and lets the fetcher work on it for a while.
pub fn poll(arguments: &[&str]) -> Result<()> {
    let log = run::open(Path::new(arguments.first().context("usage: part poll FOLDER")?))?;
    let started = Instant::now();
    let mut opened = None;
    run::until(&log, vec![fetcher::worker(config(DELAY))?], |running| {
        let is_open = running.roles().iter().all(|(_, progress)| progress.pending() > 0);
        if is_open && opened.is_none() {
            println!("opening_s {}", started.elapsed().as_secs_f64());
            println!("open_mb {}", resident_mb("VmRSS")?);
            opened = Some(Instant::now());
        }
        Ok(opened.is_some_and(|opened| opened.elapsed() >= ASKING))
    })?;
    println!("peak_mb {}", resident_mb("VmHWM")?);
    Ok(())
}
