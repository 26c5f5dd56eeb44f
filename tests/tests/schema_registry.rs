//! Schemas at a registry, and records in its frame. The registry is a stub: see `tests::registry`.

use std::process::Output;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::{Message as _, Offset, TopicPartitionList};
use tests::broker::Broker;
use tests::press::Press;
use tests::registry::{PASSWORD, Registry};
use tests::services::{Service, create_topics, on_kafka};
use tests::topics::{Topics, standing};
use tests::{run, wait};

/// Two articles, with these settings.
fn run_with(registry: &Registry, encoding: &str, more: &[&str]) -> Output {
    let (press, folder) = (Press::with_articles(2), tempfile::tempdir().unwrap());
    let output = run::wireroom()
        .arg("run")
        .args(press.article_urls())
        .args(["--proxy", &press.proxy(), "--delay", "20ms", "--out", "out.jsonl"])
        .args(more)
        .envs(registry.settings())
        .env("WIREROOM__NORMALIZER__ENCODING", encoding)
        .current_dir(folder.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains(PASSWORD), "{said}");
    if output.status.success() {
        let out = std::fs::read_to_string(folder.path().join("out.jsonl")).unwrap();
        assert_eq!(out.lines().count(), 2, "{out}");
    }
    output
}

fn assert_well(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn prefix_of(name: &str) -> String {
    format!("registry-{name}-{}", std::process::id())
}

/// The first value of a topic, as it is there.
fn raw(topic: &str) -> Vec<u8> {
    let mut client = Broker::shared().client();
    let consumer: BaseConsumer = client.set("group.id", "raw").create().unwrap();
    let metadata = consumer.fetch_metadata(Some(topic), Duration::from_secs(10)).unwrap();
    let mut partitions = TopicPartitionList::new();
    for partition in metadata.topics()[0].partitions() {
        partitions.add_partition_offset(topic, partition.id(), Offset::Beginning).unwrap();
    }
    consumer.assign(&partitions).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        assert!(Instant::now() < deadline, "{topic} is empty");
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100))
            && let Some(value) = message.payload()
        {
            return value.to_vec();
        }
    }
}

fn assert_framed(encoding: &str, starts: [&[u8]; 2], subjects: usize) {
    let (registry, prefix) = (Registry::start(&[]), prefix_of(encoding));
    let on_kafka = ["--kafka", Broker::shared().bootstrap(), "--prefix", &prefix];
    assert_well(&run_with(&registry, encoding, &on_kafka));

    let schemas = registry.schemas();
    assert_eq!(schemas.len(), subjects, "{schemas:?}");
    for (topic, start) in ["canonical", "changes"].into_iter().zip(starts) {
        let subject = format!("{prefix}.{topic}.v1-value");
        let id = schemas.iter().position(|(of, _)| *of == subject).expect("it is registered") + 1;
        let value = raw(&format!("{prefix}.{topic}.v1"));
        let frame = [&[0, 0, 0, 0, id as u8], start].concat();
        assert!(value.starts_with(&frame), "{topic}: {:?}", &value[..12]);
    }
    let topics = Topics::on_kafka(Broker::shared().bootstrap(), &prefix);
    assert_eq!(standing(topics.read("canonical")).len(), 2);
    topics.assert_versions();

    // Once more: all is there.
    assert_well(&run_with(&registry, encoding, &on_kafka));
    assert_eq!(registry.schemas(), schemas);
}

#[test]
fn protobuf_is_framed() {
    assert_framed("protobuf", [&[0], &[2, 8]], 3);
}

#[test]
fn json_is_framed() {
    assert_framed("json", [b"{", b"{"], 2);
}

#[test]
fn the_file_that_is_imported_is_a_reference() {
    let registry = Registry::start(&[]);
    assert_well(&run_with(&registry, "protobuf", &[]));
    let schemas = registry.schemas();
    assert_eq!(schemas[0].0, "wireroom/v1/article.proto");
    for (subject, schema) in &schemas[1..] {
        assert_eq!(schema["schemaType"], "PROTOBUF");
        let expected = serde_json::json!([
            { "name": "wireroom/v1/article.proto", "subject": "wireroom/v1/article.proto", "version": 1 }
        ]);
        assert_eq!(schema["references"], expected, "{subject}");
    }
}

#[test]
fn a_registry_that_is_away_is_waited_for() {
    let registry = Registry::start(&[(503, "no leader"), (500, "Error in the backend datastore")]);
    assert_well(&run_with(&registry, "protobuf", &[]));
    assert_eq!(registry.schemas().len(), 3);
}

#[test]
fn a_registry_that_refuses_ends_the_process() {
    let incompatible = "Schema being registered is incompatible with an earlier schema";
    for (status, why, way_out) in
        [(409, incompatible, "compatibility"), (401, "Unauthorized", "[normalizer.schema_registry]")]
    {
        let output = run_with(&Registry::start(&[(status, why)]), "json", &[]);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        for named in ["wireroom.canonical.v1-value", why, way_out] {
            assert!(said.contains(named), "{named} is not in: {said}");
        }
    }
}

#[test]
fn a_decider_without_its_registry_is_alive_and_not_ready() {
    let mut settings = on_kafka(Broker::shared(), &prefix_of("away"));
    create_topics(&settings);
    settings.push(("WIREROOM__NORMALIZER__SCHEMA_REGISTRY__URL".into(), "http://127.0.0.1:9".into()));
    let folder = tempfile::tempdir().unwrap();
    let mut service = Service::start("normalizer", "n-0", &["cluster"], settings, folder.path().join("n-0"));
    wait::until("it says what it waits for", || service.log().contains("http://127.0.0.1:9 does not answer"));
    wait::until("it is alive", || service.get("/livez").is_some_and(|(status, _)| status == 200));
    assert_eq!(service.get("/readyz").unwrap().0, 503);
    service.ask_to_end();
    assert!(service.wait().success());
}
