//! Kafka that is closed: TLS, SASL, and every service with the permissions of `deploy/acls.md` and no others.
//!
//! One broker for all, and so one test: its parts are functions.

use std::{path::Path, process::Output, time::Duration};

use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use tests::press::{BLANK, GONE, Press, REPRINT, TAKEN_OVER};
use tests::run;
use tests::secured::{Acl, SECRET, Secured, Settings, table};
use tests::services::Service;
use tests::wait;

const PREFIX: &str = "closed";

/// Services by user, with the roles they run.
const SERVICES: [(&str, &str, &[&str]); 4] = [
    ("fetcher", "fetcher", &["fetcher"]),
    ("extractor", "extractor", &["extractor"]),
    ("normalizer", "prepare", &["prepare"]),
    ("normalizer", "cluster", &["cluster"]),
];

/// Of them the one that comes with tokens of an identity provider.
const BY_TOKEN: &str = "extractor";

/// Topics with a record that their reader cannot make anything of.
const BROKEN: [&str; 3] = ["pages", "articles", "prepared"];

#[test]
fn kafka_that_is_closed() {
    let mut kafka = Secured::start();
    let acls = table();
    acls.iter().for_each(|acl| kafka.give(acl, PREFIX));

    well(&wireroom(kafka.sasl("SCRAM-SHA-512", "topics"), &["topics", "create"]));
    well(&wireroom(kafka.oauth("topics"), &["topics", "check"]));
    an_article_goes_through(&kafka);
    every_way_in(&mut kafka);
    passwords_are_not_told(&kafka);
    commands_lack(&mut kafka, &acls);
    services_lack(&mut kafka, &acls);
    writers_lack(&mut kafka, &acls);
}

/// With the table's permissions alone.
fn an_article_goes_through(kafka: &Secured) {
    let (press, folder) = (Press::with_articles(2), tempfile::tempdir().unwrap());
    let mut services = start_all(kafka, &press, folder.path());
    let mut submit = vec!["submit"];
    let urls = press.article_urls();
    // What is gone becomes a dead letter, which is to be written, too.
    submit.extend([&urls[0], GONE]);
    well(&wireroom(kafka.sasl("SCRAM-SHA-512", "submit"), &submit));
    let published = |services: &[Service], count| {
        wait::until(&format!("{count} in canonical"), || {
            if let Some(ended) = services.iter().find(|service| service.log().contains("cannot go on")) {
                panic!("{}: {}", ended.name, ended.log());
            }
            read(kafka.sasl("PLAIN", "tail"), "canonical").lines().count() == count
        });
    };
    published(&services, 1);
    write_broken_records(kafka);
    // Each of its clients has had its token renewed, and has come to the broker with the new one.
    let given = kafka.tokens.given(BY_TOKEN);
    wait::until("tokens are renewed", || kafka.tokens.given(BY_TOKEN) >= 3 * given);
    well(&wireroom(kafka.oauth("submit"), &["submit", &urls[1]]));
    published(&services, 2);
    assert!(!read(kafka.sasl("PLAIN", "tail"), "changes").is_empty());
    wait::until("what is gone and what is broken are dead letters", || {
        let listed = wireroom(kafka.sasl("SCRAM-SHA-512", "deadletters"), &["deadletters", "list"]);
        let listed = String::from_utf8_lossy(&listed.stdout);
        listed.contains("gone") && listed.lines().count() > BROKEN.len()
    });
    for service in &mut services {
        service.ask_to_end();
        assert!(service.wait().success(), "{}: {}", service.name, service.log());
        assert!(!service.log().contains(SECRET), "{}", service.log());
    }
    let extractor = services.iter().find(|service| service.name == "extractor").unwrap().log();
    let told = extractor.lines().find(|line| line.contains("dead letters written")).unwrap_or_default();
    for field in [r#""topic":"pages""#, r#""offset":"#, r#""reason":"malformed""#] {
        assert!(told.contains(field), "{told:?} has no {field}");
    }
}

fn start_all(kafka: &Secured, press: &Press, folder: &Path) -> Vec<Service> {
    let start = |(service, user, roles): &(&'static str, &'static str, &'static [&'static str])| {
        let mut settings = of_service(kafka, user);
        settings.push(("WIREROOM__FETCHER__PROXY".to_owned(), press.proxy()));
        settings.push(("WIREROOM__FETCHER__DELAY".to_owned(), "10ms".to_owned()));
        Service::start(service, user, roles, settings, folder.join(user))
    };
    SERVICES.iter().map(start).collect()
}

/// SCRAM, PLAIN and OAUTHBEARER were used before.
fn every_way_in(kafka: &mut Secured) {
    assert!(!read(kafka.tls(), "canonical").is_empty());

    let reader = Acl {
        user: "CN=reader".to_owned(),
        resource: "topic".to_owned(),
        name: "wireroom.canonical.v1".to_owned(),
        operation: "Read".to_owned(),
    };
    refused(&tail(kafka.both_ways()), "topic closed.canonical.v1");
    kafka.give(&reader, PREFIX);
    assert!(!read(kafka.both_ways(), "canonical").is_empty());
    refused(&tail(kafka.one_way()), "SSL");
}

fn passwords_are_not_told(kafka: &Secured) {
    for (mut wrong, why) in [
        (kafka.sasl("SCRAM-SHA-512", "tail"), "SASL authentication error"),
        (kafka.oauth("tail"), "Failed to acquire SASL OAUTHBEARER token"),
    ] {
        for (name, value) in &mut wrong {
            if name.ends_with("SASL_PASSWORD") || name.ends_with("CLIENT_SECRET") {
                *value = format!("wrong-{SECRET}");
            }
        }
        refused(&tail(wrong), why);
    }
}

/// Each line of a command's, left out.
fn commands_lack(kafka: &mut Secured, acls: &[Acl]) {
    let replay_broken: &[&str] = &["deadletters", "replay", "--reason", "malformed"];
    let commands: [(&str, &[&str]); 9] = [
        ("wireroom.canonical.v1", &["tail", "canonical", "--from-beginning", "--no-follow"]),
        ("wireroom.changes.v1", &["tail", "changes", "--from-beginning", "--no-follow"]),
        ("wireroom.requests.v1", &["submit", "https://harbour.example/closed"]),
        ("wireroom.prepared.v1", &["withdraw", "https://harbour.example/closed"]),
        ("wireroom.deadletters.*", &["deadletters", "list"]),
        ("wireroom.requests.v1", &["deadletters", "replay", "--reason", "gone"]),
        ("wireroom.pages.v1", replay_broken),
        ("wireroom.articles.v1", replay_broken),
        ("wireroom.prepared.v1", replay_broken),
    ];
    for (name, args) in commands {
        let acl = acls.iter().find(|acl| acl.user == args[0] && acl.name == name).expect("its line");
        kafka.take(acl, PREFIX);
        let named = name.replace("wireroom", PREFIX).replace('*', "");
        refused(&wireroom(kafka.sasl("SCRAM-SHA-512", args[0]), args), &named);
        kafka.give(acl, PREFIX);
        well(&wireroom(kafka.sasl("SCRAM-SHA-512", args[0]), args));
    }
    let create = acls.iter().find(|acl| acl.operation == "Create").expect("its line");
    kafka.take(create, PREFIX);
    let mut fewer = kafka.sasl("SCRAM-SHA-512", "topics");
    fewer.push(("WIREROOM__KAFKA__PREFIX".to_owned(), format!("{PREFIX}.other")));
    refused(&wireroom(fewer, &["topics", "create"]), "to create topic closed.other.");
    kafka.give(create, PREFIX);
    for operation in ["Describe", "DescribeConfigs"] {
        let acl = acls.iter().find(|acl| acl.operation == operation).expect("its line");
        kafka.take(acl, PREFIX);
        let checked = wireroom(kafka.sasl("SCRAM-SHA-512", "topics"), &["topics", "check"]);
        let said = [checked.stdout, checked.stderr].concat();
        assert!(
            !checked.status.success() && String::from_utf8_lossy(&said).contains("closed."),
            "{operation}"
        );
        kafka.give(acl, PREFIX);
    }
}

/// What a service asks for when it starts, left out: its input, its changelog, its group, its transactional ids.
fn services_lack(kafka: &mut Secured, acls: &[Acl]) {
    for (service, user, roles) in SERVICES {
        let asked = |acl: &&Acl| {
            let is_changelog = acl.name.contains("changelog") && acl.operation == "Read";
            let is_input = acl.resource == "topic" && acl.operation == "Read";
            acl.user == user && (is_changelog || is_input || acl.resource != "topic")
        };
        for acl in acls.iter().filter(asked) {
            // Who may write a topic sees it, and finds out later that it may not read it.
            let write = Acl { operation: "Write".to_owned(), ..acl.clone() };
            let is_written = acls.contains(&write);
            if is_written {
                kafka.take(&write, PREFIX);
            }
            kafka.take(acl, PREFIX);
            let folder = tempfile::tempdir().unwrap();
            let mut started =
                Service::start(service, user, roles, of_service(kafka, user), folder.path().join(user));
            assert!(!started.wait().success(), "{user} runs without {acl:?}");
            let (log, named) = (started.log(), acl.name.replace("wireroom", PREFIX).replace('*', ""));
            assert!(log.contains(&named) && log.contains("deploy/acls.md"), "{acl:?}: {log}");
            assert!(!log.contains(SECRET), "{log}");
            kafka.give(acl, PREFIX);
            if is_written {
                kafka.give(&write, PREFIX);
            }
        }
    }
}

/// What a service writes as it works, left out: it ends. On their way are an article and, for what else is written, a page that
/// is gone, an empty one, one that has moved to another domain, one that names its original there, and broken records.
fn writers_lack(kafka: &mut Secured, acls: &[Acl]) {
    let folder = tempfile::tempdir().unwrap();
    let is_written = |acl: &&Acl| {
        let is_service = SERVICES.iter().any(|(_, user, _)| *user == acl.user);
        is_service && acl.resource == "topic" && acl.operation == "Write"
    };
    let written: Vec<&Acl> = acls.iter().filter(is_written).collect();
    let press = Press::with_articles(written.len());
    // Another article each: of one that is published nothing more is written.
    for (acl, url) in written.into_iter().zip(press.article_urls()) {
        kafka.take(acl, PREFIX);
        let mut services = start_all(kafka, &press, folder.path());
        let submit = ["submit", "--refetch", GONE, BLANK, TAKEN_OVER.0, REPRINT.0, &url];
        well(&wireroom(kafka.sasl("SCRAM-SHA-512", "submit"), &submit));
        write_broken_records(kafka);
        let named = acl.name.replace("wireroom", PREFIX);
        wait::until(&format!("{} is denied {named}", acl.user), || {
            // With records for several topics it is not told which of them is denied.
            let is_told = |log: &str| {
                log.contains("deny") && (log.contains(&named) || log.contains("of its transaction"))
            };
            services.iter().any(|service| service.name == acl.user && is_told(&service.log()))
        });
        for service in &mut services {
            if service.name == acl.user {
                assert!(
                    !service.wait().success() && service.log().contains("deploy/acls.md"),
                    "{}",
                    service.log()
                );
            } else {
                service.ask_to_end();
                assert!(service.wait().success(), "{}: {}", service.name, service.log());
            }
        }
        kafka.give(acl, PREFIX);
    }
}

fn write_broken_records(kafka: &Secured) {
    let producer: BaseProducer = kafka.broker().client().create().unwrap();
    for topic in BROKEN {
        let topic = format!("{PREFIX}.{topic}.v1");
        let record: BaseRecord<'_, str, str> = BaseRecord::to(&topic).key("broken").payload("no message");
        producer.send(record).unwrap();
    }
    producer.flush(Duration::from_secs(30)).unwrap();
}

fn of_service(kafka: &Secured, user: &str) -> Settings {
    let mut settings = if user == BY_TOKEN { kafka.oauth(user) } else { kafka.sasl("SCRAM-SHA-512", user) };
    settings.push(("WIREROOM__KAFKA__PREFIX".to_owned(), PREFIX.to_owned()));
    settings.push(("WIREROOM__KAFKA__SESSION_TIMEOUT".to_owned(), "6s".to_owned()));
    if ["prepare", "cluster"].contains(&user) {
        settings.push(("WIREROOM__NORMALIZER__ROLE".to_owned(), user.to_owned()));
    }
    settings
}

/// The program with these settings; it tells no secret.
fn wireroom(settings: Settings, args: &[&str]) -> Output {
    let output = run::wireroom()
        .args(args)
        .env("WIREROOM__KAFKA__PREFIX", PREFIX)
        .env("WIREROOM__KAFKA__PARTITIONS", "2")
        .envs(settings)
        .output()
        .unwrap();
    for said in [&output.stdout, &output.stderr] {
        let said = String::from_utf8_lossy(said);
        assert!(!said.contains(SECRET), "{said}");
    }
    output
}

fn tail(settings: Settings) -> Output {
    wireroom(settings, &["tail", "canonical", "--from-beginning", "--no-follow"])
}

fn read(settings: Settings, topic: &str) -> String {
    let output = wireroom(settings, &["tail", topic, "--from-beginning", "--no-follow"]);
    well(&output);
    String::from_utf8(output.stdout).unwrap()
}

fn well(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn refused(output: &Output, named: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(named), "{named} is not in: {said}");
}
