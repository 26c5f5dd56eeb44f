//! `wireroom fetcher --explain`: what a fetcher would do with a URL now, and why.

use std::{fmt::Write as _, io::Write as _, path::Path};

use anyhow::{Context, Result, bail};
use article::{CanonicalUrl, Moment};
use fetcher::{Explanation, Verdict};
use pipeline::embedded::{Embedded, Options};

use crate::{Outcome, Usage, admin, serve, streams::stdout};

pub fn explain(args: &service::Args, url: &str, at: Option<&str>, is_json: bool) -> Result<Outcome> {
    let url = CanonicalUrl::parse(url).map_err(|cause| Usage::wrong(format_args!("--explain: {cause}")))?;
    let config = serve::load(args)?;
    let said = match (at, &args.data) {
        (Some(address), _) => ask(address, &url)?,
        (None, Some(data)) => of_folder(data, &config, &url)?,
        (None, None) => {
            let address = config.service.listen_or(fetcher::SERVICE.port).to_string();
            ask(&address, &url).context("name a fetcher with --at HOST:PORT, or a folder with --data DIR")?
        }
    };
    writeln!(stdout(), "{}", if is_json { serde_json::to_string(&said)? } else { for_people(&said) })?;
    Ok(Outcome::Done)
}

/// Asks the process on the folder, or reads the folder where none runs.
fn of_folder(data: &Path, config: &service::Config, url: &CanonicalUrl) -> Result<Explanation> {
    if admin::Client::of(data).is_some()
        && let Some(address) = admin::address_of(data)
    {
        return ask(&address, url);
    }
    if !data.join("log").is_dir() {
        bail!("{} holds no embedded log; give the folder of `wireroom run --data`", data.display());
    }
    let log = Embedded::open(data, &Options::default())?;
    Ok(fetcher::explain_stopped(&log, &fetcher::Config::of(config)?, url)?)
}

fn ask(address: &str, url: &CanonicalUrl) -> Result<Explanation> {
    let http = reqwest::blocking::Client::builder().no_proxy().build()?;
    let asked =
        reqwest::Url::parse_with_params(&format!("http://{address}/explain"), [("url", url.as_str())])
            .with_context(|| format!("{address} is no HOST:PORT"))?;
    let answer = http.get(asked).send().with_context(|| format!("no fetcher answers at {address}"))?;
    if !answer.status().is_success() {
        let status = answer.status();
        bail!("the process at {address} answers {status}: {}", answer.text().unwrap_or_default().trim());
    }
    answer.json().with_context(|| format!("what answers at {address} is no fetcher of this version"))
}

/// A line for everything there is to say.
fn for_people(said: &Explanation) -> String {
    let verdict = match said.verdict {
        Verdict::BeingFetched => "being fetched now",
        Verdict::Queued => "queued: will be fetched",
        Verdict::WouldBeFetched => "not asked for: would be fetched",
        Verdict::FetchedLately => "fetched lately: would not be fetched again",
        Verdict::Refused => "would not be fetched",
    };
    let mut lines = vec![("url", said.url.clone()), ("article", said.article_id.clone())];
    lines.push(("verdict", verdict.to_owned()));
    let when = if said.verdict == Verdict::FetchedLately { "until" } else { "not before" };
    lines.extend(said.not_before_ms.map(|at_ms| (when, instant(at_ms))));
    lines.extend(said.because.iter().map(|why| ("because", why.clone())));
    lines.push(("host", format!("{} (domain {})", said.host, said.domain)));
    let robots = &said.robots;
    let state = match robots.state.as_str() {
        "rules" => robots.rule.as_ref().map_or_else(
            || "no rule matches".to_owned(),
            |rule| rule.clone() + &robots.line.map(|line| format!(" (line {line})")).unwrap_or_default(),
        ),
        "allow" => "there is none".to_owned(),
        "unreachable" => "could not be had: nothing is fetched until it can".to_owned(),
        _ => "not known yet".to_owned(),
    };
    let age = robots.age_ms.map(|age_ms| format!(", copy {} old", duration(age_ms))).unwrap_or_default();
    let stale = if robots.age_ms.is_some() && !robots.is_fresh { ", to be fetched again first" } else { "" };
    lines.push(("robots.txt", format!("{state}{age}{stale}")));
    lines.push(("delay", format!("{} (from {})", duration(said.delay_ms), said.delay_from)));
    if let Some(domain) = &said.domain_state {
        let mut text = format!("next request {}, {} queued", instant(domain.next_at_ms), domain.queued);
        if let Some(since_ms) = domain.failing_since_ms {
            let _ = write!(text, ", failing since {} ({} in a row)", instant(since_ms), domain.failures);
        }
        lines.push(("domain", text));
    }
    if let Some(queued) = &said.queued {
        let kind = if queued.is_list { "list, " } else { "" };
        let mut text = format!("{kind}lane {}, priority {}", queued.lane, queued.priority);
        if queued.due_at_ms > 0 {
            let _ = write!(text, ", due {}", instant(queued.due_at_ms));
        }
        if queued.attempts > 0 {
            let _ = write!(text, ", {} attempts, the last: {}", queued.attempts, queued.last_failure);
        }
        if let Some(at_ms) = queued.expires_at_ms {
            let _ = write!(text, ", given up after {}", instant(at_ms));
        }
        if queued.visits > 0 {
            let _ = write!(text, ", fetched {} times", queued.visits);
        }
        lines.push(("queue", text));
    }
    if let Some(last) = &said.last_fetched {
        let mut text = format!("{}, body {}", instant(last.at_ms), last.body_hash);
        for (name, value) in [("ETag", &last.etag), ("Last-Modified", &last.last_modified)] {
            if !value.is_empty() {
                let _ = write!(text, ", {name} {value}");
            }
        }
        lines.push(("last fetched", text));
    }
    if let Some(source) = &said.source {
        let quota = match source.daily_quota {
            0 => "no quota".to_owned(),
            quota => format!("{quota} a day"),
        };
        lines.push(("source", format!("{}: {quota}, {} fetched today", source.id, source.fetched_today)));
    }
    for outlet in &said.outlets {
        let by = if outlet.by == "list" {
            "the URL is a list of it".to_owned()
        } else {
            format!("by its {}", outlet.by)
        };
        let paused = if outlet.is_paused { ", paused" } else { "" };
        lines.push(("outlet", format!("{} ({}), {by}{paused}", outlet.id, outlet.name)));
    }
    let lines = lines.into_iter().map(|(name, text)| format!("{name:<13}{text}"));
    lines.collect::<Vec<_>>().join("\n")
}

fn instant(unix_ms: i64) -> String {
    Moment::from_millis(unix_ms).map_or_else(|| "never".to_owned(), |at| at.to_string())
}

fn duration(ms: i64) -> String {
    let ms = u64::try_from(ms).unwrap_or_default();
    // Whole seconds tell the age of a copy, and fractions a delay.
    let ms = if ms > 60_000 { ms / 1000 * 1000 } else { ms };
    humantime::format_duration(std::time::Duration::from_millis(ms)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_a_line_for_everything() {
        let said: Explanation = serde_json::from_value(serde_json::json!({
            "url": "https://www.harbour.example/ports/1",
            "article_id": "a1",
            "host": "www.harbour.example",
            "domain": "harbour.example",
            "said_at_ms": 1_800_000_000_000_i64,
            "verdict": "queued",
            "not_before_ms": 1_800_000_060_000_i64,
            "because": ["its domain was asked a moment ago"],
            "robots": {"origin": "https://www.harbour.example", "state": "rules", "age_ms": 3_600_500, "is_fresh": true,
                "rule": "allow: /ports", "line": 7},
            "delay_ms": 1500,
            "delay_from": "latency",
            "domain_state": {"next_at_ms": 1_800_000_060_000_i64, "failures": 0, "failing_since_ms": null,
                "latency_ms": 300, "queued": 3},
            "queued": {"lane": "live", "priority": 0, "due_at_ms": 0, "expires_at_ms": null, "attempts": 0,
                "last_failure": "", "visits": 0, "is_list": false},
            "last_fetched": null,
            "source": {"id": "harbour", "daily_quota": 10, "fetched_today": 4},
            "outlets": [{"id": "harbour", "name": "The Harbour Post", "by": "host", "is_paused": true}],
        }))
        .unwrap();
        let expected = "\
url          https://www.harbour.example/ports/1
article      a1
verdict      queued: will be fetched
not before   2027-01-15T08:01:00Z
because      its domain was asked a moment ago
host         www.harbour.example (domain harbour.example)
robots.txt   allow: /ports (line 7), copy 1h old
delay        1s 500ms (from latency)
domain       next request 2027-01-15T08:01:00Z, 3 queued
queue        lane live, priority 0
source       harbour: 10 a day, 4 fetched today
outlet       harbour (The Harbour Post), by its host, paused";
        assert_eq!(for_people(&said), expected);
    }
}
