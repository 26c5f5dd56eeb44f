//! services/METRICS.md says what the code declares, and nothing else.

use std::{collections::BTreeSet, path::Path};

use metrics::{Kind, Metric};

fn row(metric: &Metric) -> String {
    let labels: Vec<String> =
        metric.labels.iter().map(|(label, values)| format!("`{label}`: {values}")).collect();
    let Metric { name, kind, unit, help, .. } = metric;
    format!("| `{name}` | {kind} | {} | {unit} | {} |", labels.join("; "), help.trim())
}

/// Every metric under the heading of who exposes it.
fn documentation() -> Vec<String> {
    let mut lines = Vec::new();
    let mut of = "";
    for metric in metrics::all() {
        if metric.of != of {
            of = metric.of;
            lines.push(format!("## {of}"));
            lines.push("| Name | Type | Labels | Unit | |".to_owned());
            lines.push("|---|---|---|---|---|".to_owned());
        }
        lines.push(row(metric));
    }
    lines
}

#[test]
fn the_documentation_is_the_list() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../METRICS.md");
    let written = std::fs::read_to_string(&path).unwrap();
    let written: Vec<&str> = written.lines().filter(|line| line.starts_with(['|', '#'])).skip(1).collect();
    let declared = documentation();
    assert_eq!(written, declared, "services/METRICS.md has to be:\n{}", declared.join("\n"));
}

#[test]
fn names_and_labels_follow_prometheus() {
    let mut names = BTreeSet::new();
    for metric in metrics::all() {
        let Metric { of, name, kind, labels, help, .. } = metric;
        assert!(names.insert(name), "{name} is declared twice");
        let prefix =
            if *of == "every process" && name.starts_with("process_") { "process_" } else { "wireroom_" };
        assert!(name.starts_with(prefix), "{name}");
        assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_'), "{name}");
        assert_eq!(
            name.ends_with("_total"),
            *kind == Kind::Counter,
            "{name}: counters end with _total, nothing else does"
        );
        for (unit, suffix) in [("seconds", "_seconds"), ("bytes", "_bytes")] {
            let name = name.strip_suffix("_total").unwrap_or(name);
            assert_eq!(metric.unit.ends_with(unit), name.ends_with(suffix), "{name} in {}", metric.unit);
        }
        assert!(help.trim().ends_with('.'), "{name}: {help}");
        for (label, values) in *labels {
            assert!(
                !["url", "host", "domain", "source", "article"].contains(label),
                "{name}: {label} has no bound"
            );
            assert!(!values.is_empty(), "{name}: {label}");
        }
    }
}

#[test]
fn what_is_begun_is_registered_as_declared() {
    metrics::all().for_each(|metric| metrics::begin(metric.of));
    metrics::tell_build("1.2.3");
    let exposed = prometheus::gather();
    for metric in metrics::all().filter(|metric| metric.labels.is_empty() && metric.of != "every process") {
        let family = exposed.iter().find(|family| family.name() == metric.name);
        let family = family.unwrap_or_else(|| panic!("{} is not exposed from the beginning", metric.name));
        assert_eq!(family.help(), metric.help.trim());
    }
    for family in &exposed {
        assert!(
            metrics::all().any(|metric| metric.name == family.name()),
            "{} is not in the list",
            family.name()
        );
    }
}
