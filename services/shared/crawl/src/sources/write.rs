//! Outlets as TOML, one field a line.

use std::{fmt::Write, time::Duration};

use toml::{Table, Value};

use super::{Outlet, Watched};

pub(super) fn outlet(outlet: &Outlet) -> String {
    let text = |text: &String| Value::String(text.clone()).to_string();
    let labels: Table = outlet.labels.iter().map(|(k, v)| (k.clone(), Value::String(v.clone()))).collect();
    let fields = [
        ("id", Some(text(&outlet.id))),
        ("name", Some(text(&outlet.name))),
        ("feeds", list(&outlet.feeds)),
        ("sitemaps", list(&outlet.sitemaps)),
        ("sections", list(&outlet.sections)),
        ("country", outlet.country.as_ref().map(text)),
        ("language", outlet.language.as_ref().map(text)),
        ("delay", outlet.delay_ms.map(duration)),
        ("daily_quota", outlet.daily_quota.map(|n| n.to_string())),
        ("priority", outlet.priority.map(|n| n.to_string())),
        ("trust", outlet.trust.map(|n| n.to_string())),
        ("sponsored", outlet.skips_sponsored.then(|| "\"skip\"".to_owned())),
        ("paused", outlet.is_paused.then(|| "true".to_owned())),
        ("labels", (!labels.is_empty()).then(|| Value::Table(labels).to_string())),
    ];
    let mut out = "[[outlet]]\n".to_owned();
    for (field, value) in fields {
        if let Some(value) = value {
            // A string takes whatever is written to it.
            let _ = writeln!(out, "{field} = {value}");
        }
    }
    out
}

fn list(watched: &[Watched]) -> Option<String> {
    let entries: Vec<String> = watched.iter().map(|watched| format!("    {},\n", entry(watched))).collect();
    (!entries.is_empty()).then(|| format!("[\n{}]", entries.concat()))
}

fn entry(watched: &Watched) -> String {
    let url = Value::String(watched.url.as_str().to_owned()).to_string();
    let fields = [
        ("min_interval", watched.min_interval_ms.map(duration)),
        ("max_interval", watched.max_interval_ms.map(duration)),
        ("priority", watched.priority.map(|n| n.to_string())),
        ("paused", watched.is_paused.then(|| "true".to_owned())),
    ];
    let differs: String =
        fields.into_iter().filter_map(|(field, value)| Some(format!(", {field} = {}", value?))).collect();
    if differs.is_empty() { url } else { format!("{{ url = {url}{differs} }}") }
}

fn duration(ms: i64) -> String {
    let duration = Duration::from_millis(u64::try_from(ms).unwrap_or(0));
    Value::String(humantime::format_duration(duration).to_string()).to_string()
}
