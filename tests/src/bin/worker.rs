//! One process that runs the counter over a log, for tests that kill, stop and restart processes.
//!
//! usage: `worker DATA INSTANCE [--kafka BROKERS PREFIX] [--at ACTION N kill|stop] [--until RECORDS] [--append RECORDS]`
//!
//! Ends by itself once RECORDS records in all are numbered or dead letters, or on SIGTERM. With --append
//! it writes so many and kills itself the moment they are acknowledged.

use std::{path::Path, time::Duration};

use anyhow::{Context as _, Result};
use nix::sys::signal::{Signal, raise};
use pipeline::{Action, Clock, Progress, Shutdown};
use tests::counter::{COUNTER, Counter, at, die, open, output, settings};

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let after = |flag: &str, n: usize| {
        let at = args.iter().position(|a| a == flag)?;
        args.get(at + n).map(String::as_str)
    };
    let filter = tracing_subscriber::EnvFilter::new("info,rdkafka=off,librdkafka=off");
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false).init();
    let (data, instance) = (args.first().context("DATA")?, args.get(1).context("INSTANCE")?);
    let kafka = after("--kafka", 1).zip(after("--kafka", 2));
    let probe = match (after("--at", 1), after("--at", 2), after("--at", 3)) {
        (Some(action), Some(n), Some(what)) => {
            let action = Action::ALL.into_iter().find(|a| a.as_str() == action).context("ACTION")?;
            let stop = what == "stop";
            Some(at(action, n.parse()?, move || if stop { raise(Signal::SIGSTOP).unwrap() } else { die() }))
        }
        _ => None,
    };
    let log = open(kafka, Path::new(data), instance, Clock::system(), probe)?;
    if let Some(records) = after("--append", 1) {
        let numbers =
            (0..records.parse::<u64>()?).map(|i| output("numbers", b"k0", format!("v{i}").as_bytes()));
        log.append(numbers.collect())?;
        die();
    }
    let (progress, shutdown) = (Progress::default(), Shutdown::default());
    signal_hook::flag::register(signal_hook::consts::SIGTERM, shutdown.flag())?;
    if let Some(until) = after("--until", 1) {
        let (until, log, shutdown) = (until.parse::<usize>()?, log.clone(), shutdown.clone());
        std::thread::spawn(move || {
            let count = |topic| log.read(topic, &[]).map_or(0, |records| records.len());
            while count("numbered") + count("deadletters.counter") < until {
                shutdown.wait(Duration::from_millis(50));
            }
            shutdown.request();
        });
    }
    let mut counter = log.role(COUNTER)?;
    pipeline::run(counter.as_mut(), &mut Counter::default(), &settings(&progress, &shutdown))?;
    println!("handled {} records", progress.records());
    Ok(())
}
