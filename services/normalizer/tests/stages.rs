//! Both stages on the embedded log: steps, restarts, dead letters.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{collections::BTreeMap, time::Duration};

use normalizer::{CLUSTER_ROLE, Cluster, ClusterSettings, Languages, PREPARE_ROLE, Prepare};
use pipeline::{
    Clock, Limits, Log, Output, Record, Stage,
    embedded::{Embedded, EmbeddedRole, Options},
};
use prost::Message;
use wire::{Article, CanonicalArticle, Change, Encoding, Withdrawal};

const NOW_MS: i64 = 1_800_000_000_000;

struct World {
    folder: tempfile::TempDir,
}

/// The log with the two roles and their stages, as long as the process lives.
struct Process {
    log: Embedded,
    prepare: (EmbeddedRole, Prepare),
    cluster: (EmbeddedRole, Cluster),
    batch: usize,
}

impl World {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn start(&self, batch: usize, encoding: Encoding) -> Process {
        let clock = Clock::manual(NOW_MS);
        let options = Options { clock: clock.clone(), ..Options::default() };
        let log = Embedded::open(self.folder.path(), &options).unwrap();
        let settings = ClusterSettings { encoding, ..ClusterSettings::default() };
        Process {
            prepare: (log.role(PREPARE_ROLE).unwrap(), Prepare::default()),
            cluster: (log.role(CLUSTER_ROLE).unwrap(), Cluster::new(clock, settings)),
            log,
            batch,
        }
    }
}

impl Process {
    fn submit(&self, articles: &[Article]) {
        let record = |article: &Article| Output {
            topic: "articles",
            partition: None,
            key: article.article_id.clone().into(),
            value: Some(article.encode_to_vec().into()),
            headers: vec![(wire::TRACEPARENT.to_owned(), b"00-trace".to_vec())],
        };
        self.log.append(articles.iter().map(record).collect()).unwrap();
    }

    fn run(&mut self) {
        while turn(&mut self.prepare.0, &mut self.prepare.1, self.batch, true) {}
        while turn(&mut self.cluster.0, &mut self.cluster.1, self.batch, true) {}
    }

    fn topic(&self, topic: &str) -> Vec<Record> {
        self.log.read(topic, 0, 10_000).unwrap()
    }

    fn canonical(&self) -> BTreeMap<String, CanonicalArticle> {
        let mut canonical = BTreeMap::new();
        for record in self.topic("canonical") {
            let key = String::from_utf8(record.key.to_vec()).unwrap();
            match record.value {
                Some(value) => canonical.insert(key, Encoding::decode_either(&value).unwrap()),
                None => canonical.remove(&key),
            };
        }
        canonical
    }

    fn changes(&self) -> Vec<Change> {
        self.topic("changes")
            .iter()
            .map(|r| Encoding::decode_either(r.value.as_ref().unwrap()).unwrap())
            .collect()
    }
}

/// One poll and its step; `commit` false gives the step up. Tells whether there was anything.
fn turn(log: &mut EmbeddedRole, stage: &mut dyn Stage, records: usize, commit: bool) -> bool {
    let limits = Limits { records, bytes: 1 << 20, timers: 1 };
    let inputs = log.poll(limits, Duration::ZERO).unwrap();
    inputs.revoked.iter().for_each(|partition| stage.revoked(*partition));
    for partition in &inputs.assigned {
        stage.assigned(*partition, &log.state(*partition).unwrap()).unwrap();
    }
    if inputs.records.is_empty() {
        return !inputs.is_empty();
    }
    let mut step = log.step();
    stage.process(&inputs, &mut step).unwrap();
    inputs.records.iter().for_each(|record| step.take(&record.origin));
    if commit {
        log.commit(step).unwrap();
    } else {
        log.rewind().unwrap();
    }
    true
}

fn words(seed: usize, count: usize) -> String {
    (0..count).map(|at| format!("w{}x{} ", seed, (at * 7919 + seed) % 10_007)).collect()
}

fn article(id: &str, published_at: &str, body_text: String) -> Article {
    Article {
        article_id: id.to_owned(),
        url: format!("https://{id}.example/story"),
        headline: format!("Headline of {id}"),
        published_at: published_at.to_owned(),
        body_text,
        seen_at_ms: NOW_MS,
        run_id: "run".to_owned(),
        ..Article::default()
    }
}

fn articles() -> Vec<Article> {
    vec![
        article("copy", "2026-03-19T12:00:00Z", format!("{} {}", words(1, 200), words(4, 8))),
        article("other", "2026-03-19T12:00:00Z", words(2, 200)),
        article("original", "2026-03-19T10:00:00Z", words(1, 200)),
        article("extension", "2026-03-20T10:00:00Z", format!("{} {}", words(1, 200), words(3, 200))),
    ]
}

/// Six long texts and two short ones, each with the same words under it.
fn of_one_site() -> Vec<Article> {
    let article = |number: usize| {
        let own = words(20 + number, if number < 6 { 400 } else { 90 });
        let body = format!("{own}\n\n{}", words(19, 100));
        Article {
            url: format!("https://harbour.example/{number}"),
            ..article(&format!("h{number}"), "2026-03-19", body)
        }
    };
    (0..8).map(article).collect()
}

#[test]
fn batches_aborts_and_restarts_leave_no_trace() {
    let mut outcomes = Vec::new();
    for (batch, disturbed) in [(1, false), (100, false), (1, true), (2, true)] {
        let world = World::new();
        let mut process = world.start(batch, Encoding::Protobuf);
        process.submit(&[articles(), of_one_site()].concat());
        while turn(&mut process.prepare.0, &mut process.prepare.1, batch, true) {}
        while !process.cluster.0.is_at_end().unwrap() {
            if disturbed {
                turn(&mut process.cluster.0, &mut process.cluster.1, batch, false);
            }
            turn(&mut process.cluster.0, &mut process.cluster.1, batch, true);
            if disturbed {
                drop(process);
                process = world.start(batch, Encoding::Protobuf);
                turn(&mut process.cluster.0, &mut process.cluster.1, 0, true);
            }
        }
        let written: Vec<_> = ["canonical", "changes"]
            .iter()
            .flat_map(|topic| process.topic(topic))
            .map(|record| (record.origin, record.key, record.value, record.headers))
            .collect();
        outcomes.push(written);
    }
    assert!(outcomes.iter().all(|outcome| *outcome == outcomes[0]), "byte for byte the same");
    let created = |name: &str| outcomes[0].iter().filter(|(_, key, ..)| *key == name).count();
    assert_eq!((created("h6"), created("h7")), (2, 2), "what the site repeats was learnt in between");
}

#[test]
fn articles_become_canonical_records_and_changes() {
    let world = World::new();
    let mut process = world.start(2, Encoding::Json);
    process.submit(&articles());
    process.run();
    let canonical = process.canonical();
    assert_eq!(canonical.keys().collect::<Vec<_>>(), ["extension", "original", "other"]);
    let original = &canonical["original"];
    assert_eq!(
        (original.version, original.status.as_str(), original.relation.as_str()),
        (2, "usable", "original")
    );
    assert_eq!(
        original.occurrences.iter().map(|o| o.url.as_str()).collect::<Vec<_>>(),
        ["https://copy.example/story"]
    );
    assert_eq!(original.processed_at, "2027-01-15T08:00:00Z");
    assert_eq!(canonical["extension"].related[0].article_id, "original");
    let changes: Vec<_> = process
        .changes()
        .into_iter()
        .map(|change| (change.article_id, change.version, change.change))
        .collect();
    let expected = [
        ("copy", 1, "created"),
        ("other", 1, "created"),
        ("original", 1, "takeover"),
        ("copy", 2, "superseded"),
        ("original", 2, "reprocessed"),
        ("extension", 1, "created"),
    ];
    assert_eq!(changes, expected.map(|(id, version, change)| (id.to_owned(), version, change.to_owned())));
    let record = &process.topic("canonical")[0];
    assert_eq!(wire::header(&record.headers, "content-type"), Some("application/json"));
    assert_eq!(wire::header(&record.headers, wire::TRACEPARENT), Some("00-trace"));
    assert_eq!(wire::header(&record.headers, "ce_id"), Some("copy/1"));
}

#[test]
fn what_is_no_article_goes_to_the_dead_letters_and_the_rest_goes_on() {
    let world = World::new();
    let mut process = world.start(10, Encoding::Protobuf);
    let record = |topic, value: Option<&[u8]>| Output {
        topic,
        partition: None,
        key: "k".into(),
        value: value.map(|value| value.to_vec().into()),
        headers: Vec::new(),
    };
    let bad = [Some(&[0xff, 0xff][..]), Some(&[]), None];
    process.log.append(bad.iter().map(|value| record("articles", *value)).collect()).unwrap();
    process.log.append(bad.iter().map(|value| record("prepared", *value)).collect()).unwrap();
    let walls = ["consent", "challenge", "nonsense"].map(|verdict| Article {
        verdict: verdict.to_owned(),
        ..article(verdict, "2026-03-19", words(9, 80))
    });
    process.submit(&walls);
    process.submit(&articles());
    process.run();
    let dead = process.topic("deadletters.normalizer");
    let reasons: Vec<_> =
        dead.iter().map(|letter| wire::header(&letter.headers, "wireroom_reason")).collect();
    let count = |reason| reasons.iter().filter(|given| **given == Some(reason)).count();
    assert_eq!((count("malformed"), count("not_an_article"), dead.len()), (6, walls.len(), 9));
    assert_eq!(dead[0].value.as_deref(), Some(&[0xff, 0xff][..]));
    assert_eq!(process.canonical().len(), 3);
}

#[test]
fn a_withdrawal_goes_through_both_stages() {
    let world = World::new();
    let mut process = world.start(10, Encoding::Json);
    let because =
        |cause: &str| Withdrawal { cause: cause.to_owned(), at_ms: NOW_MS, ..Withdrawal::default() };
    let withdrawn = |id: &str, cause: &str| Article {
        withdrawal: Some(because(cause)),
        ..article(id, "", String::new())
    };
    process.submit(&articles());
    process.submit(&[withdrawn("other", "gone"), withdrawn("original", "a whim")]);
    process.run();
    let canonical = process.canonical();
    let statuses: Vec<_> = canonical.values().map(|record| record.status.as_str()).collect();
    assert_eq!(statuses, ["usable", "usable", "withdrawn"]);
    assert_eq!(canonical["other"].withdrawal, Some(because("gone")));
    assert_eq!(process.changes().last().unwrap().withdrawal, Some(because("gone")));
    let dead = process.topic("deadletters.normalizer");
    let reasons: Vec<_> =
        dead.iter().map(|letter| wire::header(&letter.headers, "wireroom_reason")).collect();
    assert_eq!(reasons, [Some("malformed")], "no cause that is known");
}

#[test]
fn a_clock_that_is_ahead_closes_no_window() {
    let world = World::new();
    let mut process = world.start(10, Encoding::Protobuf);
    let ahead = Article { seen_at_ms: i64::MAX, ..article("ahead", "", words(7, 200)) };
    let copy = article("copy", "2026-03-19T12:00:00Z", format!("{} {}", words(1, 200), words(4, 8)));
    process.submit(&[article("original", "2026-03-19T10:00:00Z", words(1, 200)), ahead, copy]);
    process.run();
    let canonical = process.canonical();
    assert_eq!(canonical["original"].occurrences.len(), 1);
    assert_eq!(canonical.len(), 2);
}

#[test]
fn batches_of_any_size_write_the_same_bytes() {
    const DAY_MS: i64 = 24 * 3_600_000;
    let story = |n: usize| {
        let (seed, outlet) = (n * 5 % 13, n % 7);
        let own = if n.is_multiple_of(3) { words(100 + n, 80) } else { String::new() };
        let url = format!("https://outlet-{outlet}.example/{seed}");
        Article {
            article_id: format!("{:032x}", seed * 10 + outlet),
            url,
            body_text: format!("{}\n\n{own}", words(seed, 200)),
            seen_at_ms: NOW_MS - 40 * DAY_MS + n as i64 * DAY_MS / 4,
            verdict: "article".to_owned(),
            ..Article::default()
        }
    };
    let articles: Vec<Article> = (0..120).map(story).collect();
    let written = |batch: usize| {
        let world = World::new();
        let mut process = world.start(batch, Encoding::Protobuf);
        process.submit(&articles);
        process.run();
        let plain = |topic| {
            let records = process.topic(topic).into_iter();
            records.map(|record| (record.key, record.value, record.headers)).collect::<Vec<_>>()
        };
        [plain("canonical"), plain("changes")]
    };
    let one_by_one = written(1);
    assert!(one_by_one[0].len() > 30, "{} records", one_by_one[0].len());
    for batch in [7, 256] {
        assert!(written(batch) == one_by_one, "in batches of {batch}");
    }
}

#[test]
fn articles_go_to_the_partition_of_their_language_and_withdrawals_to_all() {
    let world = World::new();
    let mut process = world.start(10, Encoding::Protobuf);
    let articles = ["de", "en", "es", ""].map(|language| Article {
        language: language.to_owned(),
        ..article(language, "2026-03-19", words(1, 90))
    });
    let gone = Withdrawal { cause: "gone".to_owned(), at_ms: NOW_MS, ..Withdrawal::default() };
    let gone = Article { withdrawal: Some(gone), ..article("gone", "", String::new()) };
    let articles =
        articles.map(|article| Article { article_id: format!("a{}", article.language), ..article });
    process.submit(&articles);
    process.submit(&[gone]);
    let languages = Languages::try_from(vec!["de".to_owned(), "fr, es".to_owned()]).unwrap();
    let mut prepare = Prepare { languages };
    let inputs =
        process.prepare.0.poll(Limits { records: 9, bytes: 1 << 20, timers: 0 }, Duration::ZERO).unwrap();
    let mut step = process.prepare.0.step();
    prepare.process(&inputs, &mut step).unwrap();
    let sent: Vec<_> = step.take_outputs().into_iter().map(|output| (output.key, output.partition)).collect();
    let expected = [("ade", 1), ("aen", 0), ("aes", 2), ("a", 0), ("gone", 0), ("gone", 1), ("gone", 2)];
    assert_eq!(sent, expected.map(|(id, partition)| (id.into(), Some(partition))));
}

#[test]
fn consent_and_challenge_pages_never_form_a_cluster() {
    let world = World::new();
    let mut process = world.start(10, Encoding::Protobuf);
    let walls = ["consent", "challenge", "script_shell", "error", "listing", "other"];
    let of_sites = |verdict: &str| {
        // The same words on every site, as a provider of such walls has them.
        let wall = |site: &str| Article {
            verdict: verdict.to_owned(),
            ..article(&format!("{verdict}-{site}"), "2026-03-19T10:00:00Z", words(9, 300))
        };
        ["harbour", "isle", "tribune"].map(wall)
    };
    process.submit(&walls.iter().flat_map(|verdict| of_sites(verdict)).collect::<Vec<_>>());
    process.submit(&articles());
    process.run();
    assert_eq!(process.canonical().keys().collect::<Vec<_>>(), ["extension", "original", "other"]);
    let dead = process.topic("deadletters.normalizer");
    assert_eq!(dead.len(), 3 * walls.len());
    assert!(
        dead.iter().all(|letter| wire::header(&letter.headers, "wireroom_reason") == Some("not_an_article"))
    );
}
