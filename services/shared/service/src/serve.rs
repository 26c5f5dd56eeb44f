//! A service on Kafka, from its arguments to its end.

use std::{path::PathBuf, process::ExitCode};

use clap::Parser;
use pipeline::{
    AnyLog, Shutdown,
    kafka::{Kafka, admin::check_client},
};
use trace::{TraceError, Tracer};
use tracing::info;

use crate::{Config, ConfigError, Health, Running, Worker, init_telemetry, stop_on_signals};

/// What scripts read; the last words of `--help`.
pub const EXIT_CODES: &str =
    "Exit codes: 0 all well, 1 something failed or is wrong (it is named), 2 wrong usage or configuration";

/// What every service takes on its command line; each goes before the file and the environment.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Args {
    /// Configuration file (TOML); WIREROOM__SECTION__KEY in the environment goes before it
    #[arg(long, value_name = "FILE", env = "WIREROOM_CONFIG")]
    pub config: Option<PathBuf>,
    /// Kafka, as host:port, several by comma
    #[arg(long, value_name = "HOST:PORT")]
    pub kafka: Option<String>,
    /// First part of topics and groups
    #[arg(long)]
    pub prefix: Option<String>,
    /// Folder for local state and crash notes [default: wireroom-data/SERVICE]
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Name of this instance, the same after a restart
    #[arg(long)]
    pub instance: Option<String>,
    /// Where to serve /metrics, /livez and /readyz (port 0: any free one) [default: a port of the service's on loopback]
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<std::net::SocketAddr>,
}

impl Args {
    /// The configuration with these arguments in it, if the client of Kafka would take it.
    pub fn load(&self) -> Result<Config, ConfigError> {
        let mut config = Config::load(self.config.as_deref())?;
        let Self { config: _, kafka, prefix, data, instance, listen } = self.clone();
        config.kafka.brokers = kafka.unwrap_or(config.kafka.brokers);
        config.kafka.prefix = prefix.unwrap_or(config.kafka.prefix);
        config.kafka.instance = instance.unwrap_or(config.kafka.instance);
        config.service.data = data.or(config.service.data);
        config.service.listen = listen.or(config.service.listen);
        check_client(&config.kafka.visitor()).map_err(|cause| ConfigError::Refused(cause.into()))?;
        Ok(config)
    }
}

/// A service: its name, under which it keeps its data, and the port that it serves on unless told otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Service {
    /// `fetcher`.
    pub name: &'static str,
    /// On loopback.
    pub port: u16,
}

/// Runs these roles on Kafka until a signal ends them.
pub fn serve(service: Service, config: &Config, workers: Vec<Worker>) -> anyhow::Result<()> {
    init_telemetry(config.service.log_format, &config.service.log_filter);
    let shutdown = Shutdown::default();
    stop_on_signals(&shutdown, config.service.drain_deadline)?;
    let tracer = Tracer::start(&config.tracing, service.name)?;
    let log = AnyLog::Kafka(Kafka::open(config.kafka.member(&config.service.data_of(service.name))?)?);
    let running = Running::start(&log, workers, &shutdown, &tracer)?;
    let health = Health::new(running.roles().to_vec(), shutdown);
    let address = health.serve(config.service.listen_or(service.port), running.routes())?;
    info!(%address, brokers = config.kafka.brokers, prefix = config.kafka.prefix, "running");
    running.join()
}

/// Whether it is the configuration that a process failed at: its exit code is 2 then, as where an argument is none.
pub fn is_misconfigured(failure: &anyhow::Error) -> bool {
    failure.is::<ConfigError>() || failure.is::<TraceError>()
}

/// The whole `main` of a thin binary: arguments, configuration, the roles that `workers` makes of it, exit code.
pub fn main(service: Service, workers: fn(&Config) -> anyhow::Result<Vec<Worker>>) -> ExitCode {
    #[derive(Parser)]
    #[command(version, after_help = EXIT_CODES)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }
    match serve_configured(service, &Cli::parse().args, workers) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            report(&failure);
            if is_misconfigured(&failure) { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

fn serve_configured(
    service: Service,
    args: &Args,
    workers: fn(&Config) -> anyhow::Result<Vec<Worker>>,
) -> anyhow::Result<()> {
    let config = args.load()?;
    serve(service, &config, workers(&config).map_err(ConfigError::Refused)?)
}

#[allow(clippy::print_stderr, reason = "the last word of a process that may not have come to logging")]
fn report(failure: &anyhow::Error) {
    eprintln!("{failure:#}");
}
