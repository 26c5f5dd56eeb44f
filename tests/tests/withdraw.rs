//! `wireroom withdraw`: what was published is published no longer.

use std::path::Path;

use serde_json::Value;
use tests::press::{self, Press};
use tests::topics::Topics;
use tests::{run, wait};

/// Runs `wireroom withdraw`; what it says.
fn withdraw(data: &Path, arguments: &[&str]) -> Result<String, String> {
    let output = run::wireroom().arg("withdraw").args(arguments).arg("--data").arg(data).output().unwrap();
    let said = |bytes| String::from_utf8(bytes).unwrap();
    if output.status.success() { Ok(said(output.stdout)) } else { Err(said(output.stderr)) }
}

/// The last record of canonical at a key: `None` is a tombstone.
fn last(data: &Path, id: &str) -> Option<Value> {
    let records = Topics::in_folder(data).read("changes");
    let last = records.iter().rfind(|change| change["article_id"] == id).unwrap();
    let canonical = Topics::in_folder(data).read("canonical");
    let record = canonical.iter().rfind(|record| record["article_id"] == id).unwrap();
    (record["version"] == last["version"]).then(|| record.clone())
}

#[test]
fn an_article_is_withdrawn_lifted_and_taken_down_while_all_runs_and_while_nothing_does() {
    let (press, folder) = (Press::open(), tempfile::tempdir().unwrap());
    let data = folder.path().join("data");
    let running = run::follower_of(&press, &data, [press::LATEST]);
    wait::until("an article is there", || !Topics::in_folder(&data).canonical().is_empty());
    let article = Topics::in_folder(&data).read("canonical").remove(0);
    let (id, url) = (article["article_id"].as_str().unwrap(), article["url"].as_str().unwrap());
    let status = |expected: &str| last(&data, id).is_some_and(|record| record["status"] == expected);

    let said = withdraw(&data, &[url, "--reason", "the harbour master denies it"]).unwrap();
    assert_eq!(said, format!("ordered\t{url}\n"));
    wait::until("it is withdrawn", || status("withdrawn"));
    let record = last(&data, id).unwrap();
    assert_eq!(record["withdrawal"]["reason"], "the harbour master denies it");
    assert_eq!((record["body_text"].as_str(), &record["headline"]), (Some(""), &article["headline"]));
    withdraw(&data, &[url, "--lift"]).unwrap();
    wait::until("it is back", || status("usable"));
    assert_eq!(last(&data, id).unwrap()["body_text"], article["body_text"]);
    assert!(running.stop().success());

    let domain = article["publisher"]["domain"].as_str().unwrap();
    let refused = withdraw(&data, &["--domain", &format!("news.{domain}")]).unwrap_err();
    assert!(refused.contains(domain), "{refused}");
    assert_eq!(
        withdraw(&data, &["--domain", domain, "--takedown"]).unwrap(),
        format!("takedown\t{domain}\n")
    );
    let running = run::follower_of(&press, &data, [press::LATEST]);
    wait::until("it is taken down", || last(&data, id).is_none());
    Topics::in_folder(&data).assert_versions();
    assert!(running.stop().success());
}
