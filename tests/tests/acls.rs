//! Each role as a user of its own, with the rights that deploy/kafka-acls.md gives it and no others, on a broker with
//! SASL/SCRAM and its authorizer.

use std::path::Path;
use std::process::Output;

use tests::broker::Guarded;
use tests::press::Press;
use tests::services::{APART, Services};
use tests::{run, wait};

const ARTICLES: usize = 10;
const USERS: [&str; 7] = [
    "wireroom-topics",
    "wireroom-fetcher",
    "wireroom-extractor",
    "wireroom-prepare",
    "wireroom-cluster",
    "wireroom-submit",
    "wireroom-reader",
];
/// As the file has it.
const PREFIX: &str = "wireroom";

#[test]
fn each_role_can_do_its_work_and_no_more() {
    let broker = Guarded::start(&USERS);
    let ask = |user: &str, command: &[&str]| -> Output {
        run::wireroom().args(command).envs(broker.settings(user)).output().unwrap()
    };
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/kafka-acls.md");
    let written = std::fs::read_to_string(file).unwrap();
    let commands = || written.lines().filter(|line| line.starts_with("allow wireroom-"));
    for user in USERS {
        assert!(
            commands().any(|command| command.split(' ').nth(1) == Some(user)),
            "nothing is written for {user}"
        );
    }

    let refused = ask("wireroom-topics", &["topics", "create"]);
    assert!(!refused.status.success(), "everything is allowed on this broker");
    broker.allow(commands());
    let created = ask("wireroom-topics", &["topics", "create"]);
    assert!(created.status.success(), "{}", String::from_utf8_lossy(&created.stderr));
    let checked = ask("wireroom-topics", &["topics", "check"]);
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));

    let press = Press::with_articles(ARTICLES);
    let user_of = |name: &str| broker.settings(&format!("wireroom-{}", name.split('-').next().unwrap()));
    let mut services = Services::start_these(&APART, user_of, &broker.broker, &press, PREFIX);
    let mut command = vec!["submit".to_owned(), "http://paper-00.example/news/gone".to_owned()];
    command.extend(press.article_urls());
    let submitted = run::wireroom().args(&command).envs(broker.settings("wireroom-submit")).output().unwrap();
    assert!(submitted.status.success(), "{}", String::from_utf8_lossy(&submitted.stderr));
    let read = |user: &str| ask(user, &["tail", "canonical", "--from-beginning", "--no-follow"]);
    wait::until("the reader has every article", || {
        let lines = read("wireroom-reader");
        assert!(lines.status.success(), "{}", String::from_utf8_lossy(&lines.stderr));
        lines.stdout.iter().filter(|byte| **byte == b'\n').count() >= ARTICLES
    });
    wait::until("what failed is a dead letter", || !services.topics.dead_letters().is_empty());

    assert!(!read("wireroom-fetcher").status.success(), "the fetcher may read what is not its business");
    let request = ask("wireroom-reader", &["submit", "http://paper-00.example/news/story-000000"]);
    assert!(!request.status.success(), "the reader may write requests");
    for (name, status) in services.stop() {
        assert!(status.success(), "{name} ended with {status}");
    }
}
