//! `wireroom sources`: the outlets that are watched.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use crawl::{Outlet, Sources, SourcesError, Watched};
use fetcher::{Probe, Reading, SourcesFileError};
use serde_json::{Value, json};
use service::Config;

use crate::{
    Outcome,
    cli::SourcesCommand,
    serve,
    streams::{stdout, tell},
};

pub fn command(command: &SourcesCommand) -> Result<Outcome> {
    match command {
        SourcesCommand::Import { files, out } => import(files, out),
        SourcesCommand::List { file, json } => list(&fetcher::load_sources(file)?, *json),
        SourcesCommand::Check { file, fetch, proxy, allow_private, config } => {
            let sources = match fetcher::load_sources(file) {
                Ok(sources) => sources,
                Err(SourcesFileError::Wrong(_, wrong)) => return Ok(told(file, &wrong)),
                Err(failure) => return Err(failure.into()),
            };
            if !*fetch {
                return said(&sources);
            }
            let config = serve::known(Config::load(config.as_deref())?)?;
            let mut config = fetcher::Config::of(&config)?;
            config.proxy = proxy.clone().or(config.proxy);
            config.allow_private |= *allow_private;
            fetch_all(&sources, &config)
        }
    }
}

/// Every file's outlets, one after another. What is named twice is told of.
fn import(files: &[PathBuf], out: &Path) -> Result<Outcome> {
    let mut whole = String::new();
    for file in files {
        let bytes = fs::read(file).with_context(|| format!("{}", file.display()))?;
        match read(file, &bytes) {
            Ok(sources) if sources.outlets().is_empty() => {
                bail!("{}: it names no outlet; begin each with [[outlet]]", file.display())
            }
            Ok(sources) => whole += &format!("{}\n", sources.to_toml()),
            Err(wrong) => return Ok(told(file, &wrong)),
        }
    }
    if let Err(wrong) = Sources::from_toml(&whole) {
        return Ok(told(Path::new("all of them together"), &wrong));
    }
    if out.to_str() == Some("-") {
        stdout().write_all(whole.as_bytes())?;
        return Ok(Outcome::Done);
    }
    let whole_or_nothing = || {
        // Renamed into place: a fetcher may be watching it.
        let new = out.with_extension("new");
        fs::write(&new, &whole)?;
        fs::rename(&new, out)
    };
    whole_or_nothing().with_context(|| format!("{} cannot be written", out.display()))?;
    Ok(Outcome::Done)
}

fn read(file: &Path, bytes: &[u8]) -> Result<Sources, SourcesError> {
    let ending = file.extension().and_then(OsStr::to_str).unwrap_or_default().to_ascii_lowercase();
    match ending.as_str() {
        "csv" => Sources::from_csv(bytes),
        "toml" => Sources::from_toml(&String::from_utf8_lossy(bytes)),
        _ => Sources::from_opml(bytes),
    }
}

fn list(sources: &Sources, is_json: bool) -> Result<Outcome> {
    let mut out = stdout();
    if is_json {
        for outlet in sources.outlets() {
            writeln!(out, "{}", as_json(outlet))?;
        }
        return Ok(Outcome::Done);
    }
    let width = sources.outlets().iter().map(|outlet| outlet.id.len()).max().unwrap_or(0).max(2);
    writeln!(out, "{:width$}  FEEDS  SITEMAPS  SECTIONS  QUOTA  PAUSED", "ID")?;
    for outlet in sources.outlets() {
        let quota =
            outlet.daily_quota.filter(|quota| *quota > 0).map_or("-".to_owned(), |quota| quota.to_string());
        let paused = outlet.watched().filter(|list| list.is_paused).count();
        let paused = match (outlet.is_paused, paused) {
            (true, _) => "yes".to_owned(),
            (false, 0) => "-".to_owned(),
            (false, lists) => format!("{lists} of its lists"),
        };
        writeln!(
            out,
            "{:width$}  {:5}  {:8}  {:8}  {quota:>5}  {paused}",
            outlet.id,
            outlet.feeds.len(),
            outlet.sitemaps.len(),
            outlet.sections.len(),
        )?;
    }
    Ok(Outcome::Done)
}

fn as_json(outlet: &Outlet) -> Value {
    let lists = |lists: &[Watched]| {
        let list = |list: &Watched| {
            json!({
                "url": list.url.as_str(), "min_interval_ms": list.min_interval_ms, "max_interval_ms": list.max_interval_ms,
                "priority": list.priority, "paused": list.is_paused,
            })
        };
        lists.iter().map(list).collect::<Vec<_>>()
    };
    json!({
        "id": outlet.id, "name": outlet.name, "feeds": lists(&outlet.feeds), "sitemaps": lists(&outlet.sitemaps),
        "sections": lists(&outlet.sections), "country": outlet.country, "language": outlet.language,
        "delay_ms": outlet.delay_ms, "daily_quota": outlet.daily_quota, "priority": outlet.priority,
        "trust": outlet.trust, "sponsored": if outlet.skips_sponsored { "skip" } else { "keep" },
        "paused": outlet.is_paused, "labels": outlet.labels,
    })
}

fn said(sources: &Sources) -> Result<Outcome> {
    let lists: usize = sources.outlets().iter().map(|outlet| outlet.watched().count()).sum();
    writeln!(stdout(), "{} outlets with {lists} lists, all well", sources.outlets().len())?;
    Ok(Outcome::Done)
}

fn told(file: &Path, wrong: &SourcesError) -> Outcome {
    wrong.problems.iter().for_each(|problem| tell(format_args!("{}: {problem}", file.display())));
    Outcome::SomeFailed
}

/// Reads every list that is not paused, and says what came of it as soon as it is known.
fn fetch_all(sources: &Sources, config: &fetcher::Config) -> Result<Outcome> {
    let mut lists: Vec<(&Outlet, Probe)> = Vec::new();
    for outlet in sources.outlets().iter().filter(|outlet| !outlet.is_paused) {
        let others = outlet.feeds.iter().chain(&outlet.sitemaps).map(|list| (list, false));
        let all = others.chain(outlet.sections.iter().map(|list| (list, true)));
        let probes = all.filter(|(list, _)| !list.is_paused);
        lists.extend(probes.map(|(list, is_section)| (outlet, Probe { url: list.url.clone(), is_section })));
    }
    let probes = lists.iter().map(|(_, probe)| probe.clone()).collect();
    let (mut out, mut outcome) = (stdout(), Outcome::Done);
    let mut unheard: BTreeSet<usize> = (0..lists.len()).collect();
    for (n, reading) in fetcher::probe(config, probes)? {
        let Some((outlet, probe)) = lists.get(n) else { continue };
        unheard.remove(&n);
        let found = match reading {
            Ok(reading) => describe(outlet, &reading),
            Err(why) => {
                outcome = Outcome::SomeFailed;
                format!("cannot be watched: {why}")
            }
        };
        writeln!(out, "{}: {}: {found}", outlet.id, probe.url.as_str())?;
    }
    for (outlet, probe) in unheard.iter().filter_map(|n| lists.get(*n)) {
        outcome = Outcome::SomeFailed;
        writeln!(
            out,
            "{}: {}: cannot be watched: reading its domain's lists panicked",
            outlet.id,
            probe.url.as_str()
        )?;
    }
    Ok(outcome)
}

fn describe(outlet: &Outlet, reading: &Reading) -> String {
    let newest =
        reading.newest.as_ref().map_or(", undated".to_owned(), |date| format!(", the newest of {date}"));
    let known = |feed: &&String| outlet.feeds.iter().all(|list| list.url.as_str() != feed.as_str());
    let feeds: Vec<&str> = reading.feeds.iter().filter(known).map(String::as_str).collect();
    let feeds =
        if feeds.is_empty() { String::new() } else { format!("; it names the feeds {}", feeds.join(", ")) };
    let noun = if reading.entries == 1 { "entry" } else { "entries" };
    format!("a {} of {} {noun}{newest}{feeds}", reading.kind, reading.entries)
}
