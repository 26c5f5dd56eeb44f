//! Holds that what `wireroom tail --format ninjs` writes is valid: `ninjs SCHEMA WIREROOM` runs the program over the press
//! and checks each of its articles against the JSON schema of IPTC ninjs.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tests::press::{self, Press};

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let usage = "usage: ninjs SCHEMA WIREROOM";
    let (schema, wireroom) = (arguments.next().context(usage)?, arguments.next().context(usage)?);
    let text = std::fs::read_to_string(&schema).with_context(|| format!("cannot read {schema}"))?;
    let mut parsed = serde_json::from_str(&text).with_context(|| format!("{schema} is no JSON"))?;
    // Places are not written; their schema lies elsewhere.
    leave_out_remote(&mut parsed);
    let validator =
        jsonschema::validator_for(&parsed).with_context(|| format!("{schema} is no JSON schema"))?;

    let articles = articles(Path::new(&wireroom))?;
    ensure!(articles.lines().count() > 50, "the run gave {} articles", articles.lines().count());
    let mut faults = Vec::new();
    for line in articles.lines() {
        let article: Value = serde_json::from_str(line)?;
        // The format has no word for a record that is no more.
        if article["tombstone"] == true {
            continue;
        }
        let uri = article["uri"].as_str().unwrap_or_default().to_owned();
        faults.extend(
            validator.iter_errors(&article).map(|fault| format!("{uri}: {}: {fault}", fault.instance_path())),
        );
    }
    println!("ninjs: {} articles, {} faults", articles.lines().count(), faults.len());
    ensure!(faults.is_empty(), "not valid by {schema}:\n{}", faults.join("\n"));
    Ok(())
}

/// The articles of a run over the press, as `tail` writes them.
fn articles(wireroom: &Path) -> Result<String> {
    let press = Press::with_articles(50);
    let folder = tempfile::tempdir()?;
    let data = folder.path().join("data");
    let documents = press::write_documents(folder.path())?;
    let run = Command::new(wireroom)
        .arg("run")
        .args(press::inputs())
        .args(press.article_urls())
        .args(documents)
        .arg("--data")
        .arg(&data)
        .arg("--out")
        .arg(folder.path().join("out.jsonl"))
        .args(["--proxy", &press.proxy(), "--delay", "10ms"])
        .output()
        .with_context(|| format!("cannot run {}", wireroom.display()))?;
    // Some of the press's inputs cannot be had.
    ensure!(
        run.status.code() == Some(1),
        "the run ended with {}: {}",
        run.status,
        String::from_utf8_lossy(&run.stderr)
    );
    let tail = Command::new(wireroom)
        .args(["tail", "--from-beginning", "--no-follow", "--format", "ninjs", "--data"])
        .arg(&data)
        .output()?;
    ensure!(
        tail.status.success(),
        "tail ended with {}: {}",
        tail.status,
        String::from_utf8_lossy(&tail.stderr)
    );
    Ok(String::from_utf8(tail.stdout)?)
}

fn leave_out_remote(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            if fields
                .get("$ref")
                .and_then(Value::as_str)
                .is_some_and(|at| at.starts_with("https://geojson.org/"))
            {
                *schema = json!(true);
                return;
            }
            fields.values_mut().for_each(leave_out_remote);
        }
        Value::Array(items) => items.iter_mut().for_each(leave_out_remote),
        _ => {}
    }
}
