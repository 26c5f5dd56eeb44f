//! Measures the fetcher on a web of its own on loopback: one `name value unit` a line.
//!
//! usage: `bench_fetcher [cost|frontier|bombs|slow]...`, all of them where none is named
//!
//! What is measured runs in processes of their own (`bench_fetcher part NAME ...`), and so does the web: neither pays for
//! the other. CPU is that of the whole process, kernel included; the machine may be busy with other things, for ratios
//! are of the same run. No DNS is asked: the hosts are addresses in 127.0.0.0/8.

mod bombs;
mod cost;
mod frontier;
mod run;
mod slow;
mod web;

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, bail, ensure};

/// What a part of a measurement says, by name.
type Figures = BTreeMap<String, f64>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["part", "web", rest @ ..] => web::serve(rest),
        ["part", "bare", rest @ ..] => cost::bare(rest),
        ["part", "fetch", rest @ ..] => cost::fetch(rest),
        ["part", "fill", rest @ ..] => frontier::fill(rest),
        ["part", "next", rest @ ..] => frontier::next(rest),
        ["part", "poll", rest @ ..] => frontier::poll(rest),
        ["part", "bombs", rest @ ..] => bombs::fetch(rest),
        ["part", "extract", rest @ ..] => bombs::extract(rest),
        ["part", "slow", rest @ ..] => slow::fetch(rest),
        [] => ["cost", "frontier", "bombs", "slow"].into_iter().try_for_each(measure),
        named => named.iter().try_for_each(|name| measure(name)),
    }
}

fn measure(name: &str) -> Result<()> {
    match name {
        "cost" => cost::measure(),
        "frontier" => frontier::measure(),
        "bombs" => bombs::measure(),
        "slow" => slow::measure(),
        _ => bail!("there is no measurement {name:?}: name cost, frontier, bombs or slow"),
    }
}

/// Runs a part of a measurement in a process of its own, and takes what it says.
fn part(name: &str, arguments: &[&dyn ToString]) -> Result<Figures> {
    let mut command = Command::new(std::env::current_exe()?);
    command.args(["part", name]).args(arguments.iter().map(|argument| argument.to_string()));
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("cannot run {name}"))?;
    let out = child.stdout.take().context("its output")?;
    let mut figures = Figures::new();
    for line in BufReader::new(out).lines() {
        let line = line?;
        let (figure, value) = line.split_once(' ').with_context(|| format!("{name} says {line:?}"))?;
        figures.insert(figure.to_owned(), value.parse()?);
    }
    let status = child.wait()?;
    ensure!(status.success(), "{name} ended with {status}");
    Ok(figures)
}

/// What a part says under a name.
fn figure(figures: &Figures, name: &str) -> Result<f64> {
    figures.get(name).copied().with_context(|| format!("nothing is said of {name}"))
}
