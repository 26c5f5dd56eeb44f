//! `wireroom run`: everything in one process, from inputs to canonical articles.

mod ledger;
mod live;
mod outcome;
mod progress;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use pipeline::{
    AnyLog, Clock, Drained, Shutdown,
    embedded::{Embedded, Options},
    kafka::{Kafka, admin::create},
};
use service::{Config, Health, Running, Worker, hold_for_tests, init_telemetry, stop_on_signals};
use trace::Tracer;
use wire::{Request, Watch};

use crate::{Outcome, admin, cli::RunOptions, input, serve, topics};
use ledger::Ledger;
use live::Live;
use progress::Display;

/// How long a run without --follow tries what cannot be had.
const GIVE_UP_AFTER: Duration = Duration::from_secs(30);
/// Where a run that is followed serves its metrics, unless told otherwise.
const PORT: u16 = 9463;
/// How often it is looked whether all is done.
const LOOK: Duration = Duration::from_millis(20);
/// How long the last records of a run that is followed may take to come, one after the other,
const LAST_RECORD: Duration = Duration::from_millis(500);
/// and all of them: a topic that others write to has no last one.
const LAST_RECORDS: Duration = Duration::from_secs(3);

/// A log, and the folder it is in.
struct Place {
    log: AnyLog,
    data: PathBuf,
    /// Deleted with the run, where the user named no folder.
    _temporary: Option<tempfile::TempDir>,
}

pub fn run(options: &RunOptions) -> Result<Outcome> {
    let config = serve::known(Config::load(options.config.as_deref())?)?;
    outcome::check(&options.out, &options.inputs)?;
    if let Some(sources) = &options.sources {
        fetcher::load_sources(sources)?;
    }
    let fetcher = fetcher_of(options, &config)?;
    init_telemetry(config.service.log_format, if options.follow { "info" } else { "error" });
    let shutdown = Shutdown::default();
    stop_on_signals(&shutdown, config.service.drain_deadline)?;
    let tracer = Tracer::start(&config.tracing, "run")?;

    let place = open(options, &config)?;
    let mut ledger = Ledger::open(&place, &options.inputs)?;
    let template = Request {
        request_id: ledger.run_id.clone(),
        run_id: ledger.run_id.clone(),
        seen_at_ms: ledger.seen_at_ms,
        via: "submitted".to_owned(),
        // Whoever types an address wants it now.
        refetch: true,
        watch: options.follow.then(Watch::default),
        ..Request::default()
    };
    let mut live = options.follow.then(|| Live::start(&place.log, &options.out)).transpose()?;
    let (requests, unusable) = input::requests(&options.inputs, &template, Some(&options.out));
    if !ledger.is_submitted {
        place.log.append(requests.iter().map(input::output).collect())?;
        ledger.submitted()?;
    }

    let running = Running::start(&place.log, workers(fetcher, options, &config)?, &shutdown, &tracer)?;
    serve_health(&place, &running, &shutdown, options, &config)?;
    let display = Display::start(requests.len(), options.follow);
    let mut drained = Drained::new(running.roles().iter().map(|(_, progress)| progress.clone()).collect());
    let mut is_written = Ok(true);
    while is_written.is_ok() && !shutdown.is_requested() {
        display.show(running.roles());
        match &mut live {
            Some(live) => is_written = live.write(LOOK),
            None if drained.check() => break,
            None => shutdown.wait(LOOK),
        }
    }
    let was_stopped = shutdown.is_requested();
    shutdown.request();
    running.join()?;
    display.end();
    is_written?;
    if let Some(live) = &mut live {
        let until = Instant::now() + LAST_RECORDS;
        while Instant::now() < until && live.write(LAST_RECORD)? {}
    }
    let out = live.is_none().then_some(&*options.out);
    let outcome = outcome::write(&place.log, &ledger, &requests, &unusable, out)?;
    if was_stopped && !options.follow {
        // The ledger stays: it is where to go on.
        bail!(
            "stopped before the end; {}",
            match &options.data {
                Some(_) => "start the same command again to go on",
                None => "what was not done is lost, as no --data says where to keep it",
            }
        );
    }
    ledger.finished()?;
    // What failed on the way is no failure of one that was to go on until stopped.
    let is_done = options.follow && unusable.is_empty();
    Ok(if is_done { Outcome::Done } else { outcome })
}

fn open(options: &RunOptions, config: &Config) -> Result<Place> {
    let temporary = match &options.data {
        Some(_) => None,
        None => Some(tempfile::tempdir().context("no temporary folder; name one with --data")?),
    };
    let data = match (&options.data, &temporary) {
        (Some(data), _) => data.clone(),
        (None, Some(temporary)) => temporary.path().to_owned(),
        (None, None) => PathBuf::from("."),
    };
    let log = match &options.kafka {
        None => {
            let embedded = Options {
                fsync: options.fsync,
                compacted: topics::COMPACTED,
                probe: hold_for_tests(),
                ..Options::default()
            };
            AnyLog::Embedded(Embedded::open(&data, &embedded)?)
        }
        Some(brokers) => {
            let mut kafka = config.kafka.clone();
            kafka.brokers.clone_from(brokers);
            kafka.prefix = options.prefix.clone().unwrap_or(kafka.prefix);
            // Who does not come back to its folder must not be waited for.
            kafka.static_membership &= options.data.is_some();
            let log = Kafka::open(kafka.member(&data)?)?;
            let normalizer: normalizer::Config = config.section("normalizer")?;
            create(log.options(), &topics::specs(&kafka, &normalizer.languages), kafka.replication)?;
            AnyLog::Kafka(log)
        }
    };
    Ok(Place { log, data, _temporary: temporary })
}

/// The fetcher's settings, if it can start with them: said before anything is.
fn fetcher_of(options: &RunOptions, config: &Config) -> Result<fetcher::Config> {
    let mut fetcher = fetcher::Config::of(config)?;
    fetcher.proxy = options.proxy.clone().or(fetcher.proxy);
    fetcher.extra_ca = options.extra_ca.clone().or(fetcher.extra_ca);
    fetcher.delay = options.delay.unwrap_or(fetcher.delay);
    fetcher.sources = options.sources.clone().or(fetcher.sources);
    fetcher.allow_private |= options.allow_private;
    let patience = if options.follow { fetcher.give_up_after } else { GIVE_UP_AFTER };
    // A run that ends does not wait for tomorrow.
    if !options.follow {
        fetcher.revisits.clear();
        fetcher.daily_quota = 0;
        fetcher.sources = None;
    }
    fetcher.give_up_after = options.give_up_after.unwrap_or(patience);
    fetcher.check_start()?;
    Ok(fetcher)
}

fn workers(fetcher: fetcher::Config, options: &RunOptions, config: &Config) -> Result<Vec<Worker>> {
    let mut workers = vec![fetcher::worker(fetcher)?];
    workers.extend(extractor::workers(config)?);
    let prefix = options.prefix.as_deref().unwrap_or(&config.kafka.prefix);
    workers.extend(normalizer::configured(config.section("normalizer")?, prefix));
    Ok(workers)
}

/// A process that is followed can be watched; one on the embedded log can be asked for its topics, from this machine alone.
fn serve_health(
    place: &Place,
    running: &Running,
    shutdown: &Shutdown,
    options: &RunOptions,
    config: &Config,
) -> Result<()> {
    let health = Health::new(running.roles().to_vec(), shutdown.clone());
    if options.follow {
        health.clone().serve(config.service.listen_or(PORT), running.routes())?;
    }
    if let AnyLog::Embedded(log) = &place.log {
        let routes = admin::router(log).merge(running.routes());
        let address = health.serve(([127, 0, 0, 1], 0).into(), routes)?;
        admin::announce(&place.data, address)?;
    }
    Ok(())
}

fn now_ms() -> i64 {
    Clock::system().now_ms()
}

fn ledger_file(data: &Path) -> PathBuf {
    data.join("run.json")
}
