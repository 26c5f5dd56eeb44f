//! `wireroom withdraw`: what was published is published no longer.

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use flate2::read::{GzDecoder, MultiGzDecoder};
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

/// Everything in a folder, file after file, with what is compressed in it once more as it was.
fn texts(folder: &Path) -> String {
    const GZIP: [u8; 3] = [0x1f, 0x8b, 8];
    let text = |path: PathBuf| {
        if path.is_dir() {
            return texts(&path);
        }
        let mut bytes = fs::read(path).unwrap();
        let mut inflated = Vec::new();
        if MultiGzDecoder::new(&bytes[..]).read_to_end(&mut inflated).is_ok() {
            bytes = inflated;
        }
        let mut text = String::from_utf8_lossy(&bytes).into_owned();
        for (at, _) in bytes.windows(GZIP.len()).enumerate().filter(|(_, start)| *start == GZIP) {
            let mut inflated = Vec::new();
            // What only looks like its beginning, or follows its end, is none.
            let _ = GzDecoder::new(&bytes[at..]).read_to_end(&mut inflated);
            text += &String::from_utf8_lossy(&inflated);
        }
        text
    };
    fs::read_dir(folder).unwrap().map(|entry| text(entry.unwrap().path())).collect()
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

#[test]
fn a_takedown_leaves_the_text_in_neither_canonical_nor_bodies_nor_archive() {
    let (press, folder) = (Press::with_articles(12), tempfile::tempdir().unwrap());
    let at = |name: &str| folder.path().join(name);
    let (data, bodies, archive) = (at("data"), at("bodies"), at("archive"));
    let urls = at("urls.txt");
    fs::write(&urls, press.article_urls().join("\n")).unwrap();
    let wireroom = |arguments: &[&str]| {
        let mut command = run::wireroom();
        command
            .args(arguments)
            .arg("--data")
            .arg(&data)
            .env("WIREROOM__FETCHER__ARCHIVE", &archive)
            .env("WIREROOM__FETCHER__USER_AGENT", "wireroom/9 (+mailto:desk@press.example)")
            .env("WIREROOM__STORE__LOCATION", &bodies)
            .env("WIREROOM__STORE__ABOVE_BYTES", "1");
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let out = at("out.jsonl");
    let run = [
        "run",
        urls.to_str().unwrap(),
        "--proxy",
        &press.proxy(),
        "--delay",
        "0s",
        "--out",
        out.to_str().unwrap(),
    ];
    wireroom(&run);

    // Each stands alone, and is the only one of its domain.
    let mut articles = Topics::in_folder(&data).read("canonical");
    // Of an article whose original came after it.
    articles.retain(|record| record["tombstone"] != true);
    let alone = |article: &&Value| {
        let domain = &article["publisher"]["domain"];
        article["occurrences"].as_array().is_none_or(Vec::is_empty)
            && articles.iter().filter(|other| other["publisher"]["domain"] == *domain).count() == 1
    };
    let chosen: Vec<&Value> = articles.iter().filter(alone).take(3).collect();
    let [by_url, by_domain, stays] = chosen[..] else { panic!("{} stand alone", chosen.len()) };
    let word = |article: &Value, key: &str| article[key].as_str().unwrap().to_owned();
    let texts = || [texts(&bodies), texts(&archive)];
    // Markup is between sentences, and not in them.
    let sentence = |article: &Value| {
        word(article, "body_text")
            .split(['.', '\'', '"', '\n', '&', '\u{2019}'])
            .max_by_key(|part| part.len())
            .unwrap()
            .to_owned()
    };
    for article in [by_url, by_domain, stays] {
        assert!(texts().iter().all(|text| text.contains(&sentence(article))), "{}", article["url"]);
    }

    for _ in 0..2 {
        let said = wireroom(&["withdraw", "--takedown", &word(by_url, "url")]);
        assert!(said.contains(" records erased: ") && said.contains(" bodies erased: "), "{said}");
        let domain = by_domain["publisher"]["domain"].as_str().unwrap();
        wireroom(&["withdraw", "--takedown", "--domain", domain]);
    }
    // Everything is fetched once more, and what was taken down comes in nowhere.
    wireroom(&run);
    for article in [by_url, by_domain] {
        assert!(last(&data, &word(article, "article_id")).is_none(), "{}", article["url"]);
    }
    let canonical = Topics::in_folder(&data).read("canonical");
    for article in [by_url, by_domain] {
        let of_article = canonical.iter().filter(|record| record["article_id"] == article["article_id"]);
        assert!(
            of_article.clone().all(|record| record["tombstone"] == true),
            "no version of {}",
            article["url"]
        );
        assert!(texts().iter().all(|text| !text.contains(&sentence(article))), "{}", article["url"]);
        assert!(texts().iter().all(|text| !text.contains(&word(article, "headline"))), "{}", article["url"]);
    }
    assert!(texts().iter().all(|text| text.contains(&sentence(stays))));
    assert!(last(&data, &word(stays, "article_id")).is_some());
}
