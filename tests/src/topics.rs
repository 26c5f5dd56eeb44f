//! The topics of a pipeline, read through the program as its users read them, and what must hold of them at the end.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;

use crate::press::Expected;
use crate::run;

/// Where topics are: in the data folder of an embedded log, or on Kafka under a prefix.
#[derive(Debug)]
pub struct Topics {
    place: Vec<String>,
}

/// What was given up.
#[derive(Debug)]
pub struct DeadLetter {
    /// `STAGE/PARTITION/OFFSET`.
    pub id: String,
    /// One word.
    pub reason: String,
    /// For people.
    pub detail: String,
    /// Of the request that it is, or came of.
    pub request_id: String,
}

/// Whether a tombstone came with a change.
fn is_end(change: &Value) -> bool {
    let is_taken_down = change["withdrawal"]["cause"] == "takedown";
    is_taken_down || change["change"] == "buried" || !text(change, "superseded_by").is_empty()
}

impl Topics {
    /// In the folder of a process, running or stopped.
    pub fn in_folder(data: &Path) -> Self {
        Self { place: vec!["--data".to_owned(), data.display().to_string()] }
    }

    /// On Kafka.
    pub fn on_kafka(brokers: &str, prefix: &str) -> Self {
        Self { place: ["--kafka", brokers, "--prefix", prefix].map(str::to_owned).to_vec() }
    }

    /// As arguments of `tail`, `submit` and `deadletters`.
    pub fn place(&self) -> &[String] {
        &self.place
    }

    /// Puts inputs into the pipeline. The ids of the requests.
    ///
    /// # Panics
    /// If one is refused.
    pub fn submit(&self, inputs: &[String]) -> Vec<String> {
        let command: Vec<&str> = ["submit"].into_iter().chain(inputs.iter().map(String::as_str)).collect();
        self.ask(&command).lines().map(str::to_owned).collect()
    }

    /// Every record of a topic.
    pub fn read(&self, topic: &str) -> Vec<Value> {
        let lines = self.ask(&["tail", topic, "--from-beginning", "--no-follow"]);
        lines.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
    }

    /// What was given up, of all stages.
    pub fn dead_letters(&self) -> Vec<DeadLetter> {
        let list = self.ask(&["deadletters", "list"]);
        let letter = |line: &str| {
            let [id, reason, detail] = line.splitn(3, '\t').collect::<Vec<_>>()[..] else {
                panic!("no dead letter: {line}");
            };
            let shown: Value =
                serde_json::from_str(&self.ask(&["deadletters", "show", id])).expect("a dead letter as JSON");
            let record = &shown["record"];
            let request = [&record["request_id"], &record["request"]["request_id"]];
            DeadLetter {
                id: id.to_owned(),
                reason: reason.to_owned(),
                detail: detail.to_owned(),
                request_id: request.into_iter().find_map(Value::as_str).unwrap_or_default().to_owned(),
            }
        };
        list.lines().map(letter).collect()
    }

    /// The articles that stand in canonical.
    pub fn canonical(&self) -> Vec<Expected> {
        run::articles(standing(self.read("canonical")).values())
    }

    /// Holds that `changes` has every version of every article once, from 1 without gaps, and that canonical stands as
    /// the last of them say.
    ///
    /// # Panics
    /// If it does not.
    pub fn assert_versions(&self) {
        let changes = self.read("changes");
        let mut versions: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
        let mut last: BTreeMap<&str, &Value> = BTreeMap::new();
        for change in &changes {
            let id = text(change, "article_id");
            versions.entry(id).or_default().push(change["version"].as_u64().expect("a version"));
            last.insert(id, change);
        }
        for (id, versions) in versions {
            let right: Vec<u64> = (1..=versions.len() as u64).collect();
            assert_eq!(versions, right, "the versions of {id} in changes");
        }
        let standing = standing(self.read("canonical"));
        let stand: BTreeMap<&str, u64> =
            standing.iter().map(|(id, record)| (id.as_str(), record["version"].as_u64().unwrap())).collect();
        let said: BTreeMap<&str, u64> = last
            .into_iter()
            .filter(|(_, change)| !is_end(change))
            .map(|(id, change)| (id, change["version"].as_u64().unwrap()))
            .collect();
        assert_eq!(stand, said, "the versions that stand in canonical, and the last ones in changes");
    }

    /// Holds that every URL is the place of an article or occurrence in `changes`, or a dead letter names it.
    ///
    /// # Panics
    /// If one has been lost.
    pub fn assert_none_lost(&self, urls: &[String]) {
        let changes = self.read("changes");
        let occurrences = changes.iter().flat_map(|change| change["occurrences"].as_array()).flatten();
        let places: BTreeSet<&str> =
            changes.iter().chain(occurrences).map(|value| text(value, "url")).collect();
        let letters = self.dead_letters();
        for url in urls {
            let is_named = || letters.iter().any(|letter| letter.detail.contains(url.as_str()));
            assert!(places.contains(url.as_str()) || is_named(), "{url} is lost");
        }
    }

    /// Holds that every request ended once: as a page, as a dead letter, as the requests of the list it was, or with
    /// another one for the same page; every page in articles or a dead letter; every article in changes or a dead
    /// letter. On Kafka, where topics keep what was read.
    ///
    /// # Panics
    /// If one did not, or twice.
    pub fn assert_accounted(&self, submitted: &[String]) {
        let mut requests: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for request in self.read("requests") {
            let urls = requests.entry(text(&request, "request_id").to_owned()).or_default();
            urls.insert(text(&request, "url").to_owned());
        }
        let mut pages: Vec<String> = Vec::new();
        for page in self.read("pages") {
            let id = text(&page["request"], "request_id").to_owned();
            // Where a page was found by a redirect, whoever asks for its own address joins that request.
            if let (Some(urls), Some(url)) = (requests.get_mut(&id), page["response"]["final_url"].as_str()) {
                urls.insert(url.to_owned());
            }
            pages.push(id);
        }
        let articles = self.read("articles");
        let letters = self.dead_letters();
        let given_up = |stage: &str, id: &str| {
            let of_stage = letters.iter().filter(|letter| letter.id.starts_with(stage));
            of_stage.filter(|letter| letter.request_id == id).count()
        };

        for id in submitted {
            assert!(requests.contains_key(id), "the request {id} was accepted, and is not there");
        }
        let ends = |id: &String| pages.iter().filter(|page| *page == id).count() + given_up("fetcher", id);
        for (id, urls) in &requests {
            let was_list = requests.keys().any(|other| is_of_list(other, id));
            let is_twin = |(other, theirs): (&String, &BTreeSet<String>)| {
                other != id && !theirs.is_disjoint(urls) && ends(other) == 1
            };
            match ends(id) {
                0 => assert!(was_list || requests.iter().any(is_twin), "the request {id} has no end"),
                ends => assert_eq!(ends, usize::from(!was_list), "ends of the request {id}"),
            }
        }
        for id in &pages {
            let is_article = articles.iter().any(|article| text(article, "request_id") == id);
            let given_up = given_up("extractor", id);
            assert!(is_article || given_up == 1, "the page of {id}: {given_up} dead letters and no article");
        }
        let changes = self.read("changes");
        let occurrences = changes.iter().flat_map(|change| change["occurrences"].as_array()).flatten();
        let decided: BTreeSet<&str> =
            changes.iter().chain(occurrences).map(|value| text(value, "article_id")).collect();
        for article in &articles {
            let (id, request) = (text(article, "article_id"), text(article, "request_id"));
            let was_decided = decided.contains(id) || given_up("normalizer", request) > 0;
            assert!(was_decided, "the article {id} of the request {request} is not decided on");
        }
    }

    /// What the program answers.
    fn ask(&self, command: &[&str]) -> String {
        let output = run::wireroom().args(command).args(&self.place).output().expect("the program runs");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command:?} {:?}: {stderr}", self.place);
        String::from_utf8(output.stdout).expect("text")
    }
}

/// The last record of each key, tombstones taken away.
pub fn standing(records: Vec<Value>) -> BTreeMap<String, Value> {
    let mut standing = BTreeMap::new();
    for record in records {
        let id = text(&record, "article_id").to_owned();
        if record["tombstone"] == true {
            standing.remove(&id);
        } else {
            standing.insert(id, record);
        }
    }
    standing
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

/// Whether a request is one of those that a feed or sitemap gave: `LIST.HASH`.
fn is_of_list(request_id: &str, list: &str) -> bool {
    let hash = request_id.strip_prefix(list).and_then(|rest| rest.strip_prefix('.'));
    hash.is_some_and(|hash| u64::from_str_radix(hash, 16).is_ok())
}
