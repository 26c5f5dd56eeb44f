//! Deciders by language on Kafka: each has its languages, withdrawals reach all, and who is configured otherwise stays out.

use std::process::{Output, Stdio};

use fastrand::Rng;
use pipeline::{Output as Record, kafka};
use prost::Message as _;
use tests::broker::Broker;
use tests::services::{Service, create_topics, on_kafka};
use tests::topics::Topics;
use tests::{made, run, wait};
use wire::Article;

const LANGUAGES: &str = "[\"de\", \"fr, es\"]";
const STORIES: usize = 30;

/// Stories in three languages, a copy of each, and the first copy again at a place where it is taken for English.
fn articles() -> Vec<Article> {
    let mut random = Rng::with_seed(11);
    let mut articles = Vec::new();
    for n in 0..STORIES {
        let language = ["de", "es", "en"][n % 3].to_owned();
        let story = Article { language: language.clone(), ..made::article(n, &mut random) };
        let place = made::article(STORIES + n, &mut random);
        articles.extend([story.clone(), Article { body_text: story.body_text, language, ..place }]);
    }
    let mistaken = made::article(2 * STORIES, &mut random);
    articles.push(Article {
        body_text: articles[0].body_text.clone(),
        language: "en".to_owned(),
        ..mistaken
    });
    articles.iter_mut().for_each(|article| article.seen_at_ms = 1_780_000_000_000);
    articles
}

/// One command of the program, with these settings and these besides.
fn wireroom(settings: &[(String, String)], arguments: &[&str]) -> Output {
    let mut command = run::wireroom();
    command.args(arguments).envs(settings.iter().cloned()).stdin(Stdio::null());
    command.output().expect("it runs")
}

#[test]
fn each_decider_has_its_languages_and_withdrawals_reach_all() {
    let broker = Broker::shared();
    let prefix = format!("languages-{}", std::process::id());
    let plain = on_kafka(broker, &prefix);
    let mut settings = plain.clone();
    settings.push(("WIREROOM__NORMALIZER__LANGUAGES".to_owned(), LANGUAGES.to_owned()));
    create_topics(&settings);
    let folder = tempfile::tempdir().unwrap();
    let start = |name: &'static str, roles: &'static [&'static str]| {
        Service::start("normalizer", name, roles, settings.clone(), folder.path().join(name))
    };
    let mut services = [
        start("prepare-0", &["prepare"]),
        start("cluster-0", &["cluster"]),
        start("cluster-1", &["cluster"]),
        start("cluster-2", &["cluster"]),
    ];
    wait::until("each decider has a partition", || {
        services[1..].iter().all(|s| s.count("wireroom_partitions_assigned", "cluster") == Some(1))
    });

    let visitor = kafka::Options::new(broker.bootstrap(), &prefix, "visitor", folder.path());
    let log = kafka::Kafka::open(visitor).unwrap();
    let record = |article: &Article| Record {
        topic: "articles",
        partition: None,
        key: article.article_id.clone().into(),
        value: Some(article.encode_to_vec().into()),
        headers: Vec::new(),
    };
    let articles = articles();
    log.append(articles.iter().map(record).collect()).unwrap();
    let topics = Topics::on_kafka(broker.bootstrap(), &prefix);
    let occurrences =
        |topics: &Topics| topics.canonical().iter().map(|article| article.occurrences.len()).sum::<usize>();
    wait::until("each story stands once, and the one that was mistaken twice", || {
        topics.canonical().len() == STORIES + 1 && occurrences(&topics) == STORIES
    });
    topics.assert_versions();

    // One outlet has articles in all languages.
    let domain = &articles[0].publisher.as_ref().unwrap().domain;
    let of_domain = |topics: &Topics| {
        topics.canonical().iter().filter(|article| article.place.contains(domain.as_str())).count()
    };
    assert!(of_domain(&topics) >= 3);
    let ordered = wireroom(&settings, &["withdraw", "--takedown", "--domain", domain]);
    assert!(ordered.status.success(), "{}", String::from_utf8_lossy(&ordered.stderr));
    wait::until("nothing of the outlet stands", || of_domain(&topics) == 0);
    topics.assert_versions();
    services.iter_mut().for_each(Service::stop);

    assert!(wireroom(&settings, &["topics", "check"]).status.success());
    let refused = wireroom(&plain, &["topics", "check"]);
    let said = String::from_utf8_lossy(&refused.stdout);
    assert!(!refused.status.success() && said.contains("prepared.v1 has 3 partitions"), "{said}");
    for role in ["prepare", "cluster"] {
        let data = folder.path().join(format!("stranger-{role}"));
        let data = data.to_str().unwrap();
        let arguments = ["normalizer", "--role", role, "--listen", "127.0.0.1:0", "--data", data];
        let refused = wireroom(&plain, &arguments);
        let said = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && said.contains("[normalizer] languages makes 1"), "{said}");
    }
}

#[test]
fn an_embedded_log_has_no_deciders_by_language() {
    let folder = tempfile::tempdir().unwrap();
    let settings = [("WIREROOM__NORMALIZER__LANGUAGES".to_owned(), LANGUAGES.to_owned())];
    std::fs::write(folder.path().join("story.txt"), "A story.").unwrap();
    let story = folder.path().join("story.txt");
    let refused = wireroom(&settings, &["run", story.to_str().unwrap()]);
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("embedded"), "{said}");
}
