//! The press as a program: `press serve` answers as a proxy until it is stopped; `press demo` runs the pipeline over
//! it and shows what came out.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use clap::Parser;
use serde_json::Value;
use tests::press::{self, Press};

/// A small fictional press on loopback, behind a plain-HTTP proxy.
#[derive(Parser)]
#[command(name = "press")]
enum Cli {
    /// Serves the press until stopped. The first line of output is the proxy's address.
    Serve {
        /// Generated articles to serve besides the written ones.
        #[arg(long, default_value_t = 0)]
        articles: usize,
        /// Port on loopback; 0 takes a free one.
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// List the URLs to begin with, one a line, after the address.
        #[arg(long)]
        list: bool,
    },
    /// Runs the pipeline over the press, on the embedded log, and shows the canonical articles.
    Demo {
        /// The program: target/release/wireroom.
        wireroom: PathBuf,
    },
}

fn main() -> Result<()> {
    match Cli::parse() {
        Cli::Serve { articles, port, list } => serve(articles, port, list),
        Cli::Demo { wireroom } => demo(&wireroom),
    }
}

fn serve(articles: usize, port: u16, list: bool) -> Result<()> {
    let press = Press::listen(port, articles)
        .with_context(|| format!("cannot listen on port {port} of loopback; --port 0 takes a free one"))?;
    println!("{}", press.proxy());
    if list {
        press::inputs().iter().chain(&press.article_urls()).for_each(|url| println!("{url}"));
    }
    loop {
        std::thread::park();
    }
}

fn demo(wireroom: &Path) -> Result<()> {
    let press = Press::open();
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("articles.jsonl");
    let inputs = press::inputs();
    let documents = press::write_documents(folder.path())?;

    println!("The press answers at {}.", press.proxy());
    println!("{} URLs and {} reprints go in:\n", inputs.len(), documents.len());
    inputs.iter().for_each(|url| println!("  {url}"));
    press::DOCUMENTS.iter().for_each(|document| println!("  {}", document.name));
    println!();

    let mut run = Command::new(wireroom);
    run.arg("run").args(&inputs).args(&documents);
    run.arg("--out").arg(&out).arg("--data").arg(folder.path().join("data"));
    run.args(["--proxy", &press.proxy(), "--delay", "100ms"]);
    let status = run.status().with_context(|| format!("cannot run {}", wireroom.display()))?;
    // 1: some inputs failed, and the run has named them. Here two do: one is gone, robots.txt refuses the other.
    ensure!(matches!(status.code(), Some(0 | 1)), "wireroom run ended with {status}");

    let lines = fs::read_to_string(&out).with_context(|| format!("the run wrote no {}", out.display()))?;
    let articles: Vec<Value> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    ensure!(!articles.is_empty(), "the run gave no article");
    println!("\n{} canonical articles came out:", articles.len());
    articles.iter().for_each(|article| show(article, &articles));
    Ok(())
}

/// An article, and below it what joined it.
fn show(article: &Value, all: &[Value]) {
    let text = |key: &str| article[key].as_str().unwrap_or_default();
    let publisher = article["publisher"]["name"].as_str().unwrap_or("publisher unknown");
    let published = Some(text("published_at")).filter(|moment| !moment.is_empty()).unwrap_or("undated");
    println!("\n{}", text("headline"));
    println!("  {publisher}, {published}, {}", text("language"));
    println!("  {}", text("url"));
    println!("  {}", line_of(text("body_text")));
    for copy in list(article, "occurrences") {
        println!("    <- {:9} {}", string(copy, "relation"), string(copy, "url"));
    }
    if text("relation") != "original"
        && let Some(original) = list(article, "related").find_map(|related| original(related, all))
    {
        println!("    {} of: {}", text("relation"), string(original, "headline"));
    }
    for warning in list(article, "warnings").filter_map(Value::as_str) {
        println!("    warning: {warning}");
    }
}

/// The record that a reference means, if it is the original of the cluster.
fn original<'a>(related: &Value, all: &'a [Value]) -> Option<&'a Value> {
    all.iter().find(|other| other["article_id"] == related["article_id"] && other["relation"] == "original")
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

fn string<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// The beginning of a text, as much as a line holds.
fn line_of(text: &str) -> String {
    const WIDTH: usize = 100;
    let first = text.lines().next().unwrap_or_default();
    if first.chars().count() <= WIDTH {
        return first.to_owned();
    }
    let start: String = first.chars().take(WIDTH).collect();
    format!("{} …", start.rsplit_once(' ').map_or(start.as_str(), |(words, _)| words))
}
