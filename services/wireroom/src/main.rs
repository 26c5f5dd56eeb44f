//! The one program users type: everything in one process, or one service, or a look at what the topics hold.

mod admin;
mod cli;
mod deadletters;
mod explain;
mod filters;
mod formats;
mod input;
mod likeness;
mod outlets;
mod reextract;
mod run;
mod serve;
mod source;
mod streams;
mod submit;
mod tail;
mod topics;
mod withdraw;

use std::{fmt::Display, process::ExitCode};

use clap::Parser;
use cli::{Cli, Command};
use thiserror::Error;

/// What a command ended with; scripts read it from the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// 0: all done.
    Done,
    /// 1: done, but for some of it, each named.
    SomeFailed,
}

/// What was typed or configured cannot be done.
#[derive(Debug, Error)]
#[error("{0}")]
struct Usage(String);

fn main() -> ExitCode {
    match command(Cli::parse()) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::SomeFailed) => ExitCode::FAILURE,
        Err(failure) if streams::was_read_enough(&failure) => ExitCode::SUCCESS,
        Err(failure) => {
            streams::tell(format_args!("wireroom: {failure:#}"));
            // As clap answers an argument that is none.
            if is_usage(&failure) { ExitCode::from(2) } else { ExitCode::FAILURE }
        }
    }
}

impl Usage {
    /// With what is wrong, in a sentence.
    fn wrong(what: impl Display) -> anyhow::Error {
        Self(what.to_string()).into()
    }
}

fn is_usage(failure: &anyhow::Error) -> bool {
    failure.is::<Usage>() || service::is_misconfigured(failure) || failure.is::<fetcher::ConfigError>()
}

fn command(cli: Cli) -> anyhow::Result<Outcome> {
    match cli.command {
        Command::Run(options) => run::run(&options),
        Command::Fetcher { args, explain: None, .. } => serve::fetcher(&args),
        Command::Fetcher { args, explain: Some(url), at, json } => {
            explain::explain(&args, &url, at.as_deref(), json)
        }
        Command::Extractor(args) => serve::extractor(&args),
        Command::Normalizer { args, role } => serve::normalizer(&args, role),
        Command::Extract { file } => filters::extract(file.as_deref()),
        Command::Cluster(options) => likeness::cluster(&options),
        Command::Topics(command) => topics::command(&command),
        Command::Submit(options) => submit::submit(&options),
        Command::Withdraw(options) => withdraw::withdraw(&options),
        Command::Sources(command) => outlets::command(&command),
        Command::Tail(options) => tail::tail(&options),
        Command::Deadletters { command, at } => deadletters::command(command, &at),
        Command::CheckConfig(args) => serve::check_config(&args),
    }
}
