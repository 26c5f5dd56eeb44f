//! The broker that every other test on Kafka stands on does what they rely on.

use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::Message as _;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{Offset, TopicPartitionList};
use tests::broker::Broker;

const TIMEOUT: Duration = Duration::from_secs(30);

#[test]
fn read_committed_hides_what_was_aborted() {
    let broker = Broker::shared();
    broker.create_topic("broker.transactions", 1, &[]);
    let producer = transactional_producer(broker, "broker.transactions");

    produce_in_transaction(&producer, "broker.transactions", b"aborted");
    producer.abort_transaction(TIMEOUT).unwrap();
    produce_in_transaction(&producer, "broker.transactions", b"committed");
    producer.commit_transaction(TIMEOUT).unwrap();

    assert_eq!(payloads(broker, "broker.transactions", "read_committed"), [b"committed"]);
    assert_eq!(payloads(broker, "broker.transactions", "read_uncommitted"), [&b"aborted"[..], b"committed"]);
}

#[test]
fn a_record_of_eight_megabytes_passes() {
    let broker = Broker::shared();
    broker.create_topic("broker.large", 1, &[("max.message.bytes", "10485760")]);
    let producer = transactional_producer(broker, "broker.large");
    // Not compressible, so that it is as large on the wire.
    let body: Vec<u8> =
        (0..8u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761).rotate_left(n % 31) >> 11) as u8).collect();

    produce_in_transaction(&producer, "broker.large", &body);
    producer.commit_transaction(TIMEOUT).unwrap();

    assert!(payloads(broker, "broker.large", "read_committed") == [body]);
}

#[test]
fn a_killed_broker_comes_back_with_its_data() {
    let mut broker = Broker::own();
    broker.create_topic("broker.killed", 1, &[]);
    let producer = transactional_producer(&broker, "broker.killed");
    produce_in_transaction(&producer, "broker.killed", b"before");
    producer.commit_transaction(TIMEOUT).unwrap();

    broker.kill();
    let probe: BaseConsumer = broker.client().create().unwrap();
    assert!(probe.fetch_metadata(None, Duration::from_millis(300)).is_err(), "a killed broker answers");
    broker.restart();

    produce_in_transaction(&producer, "broker.killed", b"after");
    producer.commit_transaction(TIMEOUT).unwrap();
    assert_eq!(payloads(&broker, "broker.killed", "read_committed"), [&b"before"[..], b"after"]);
}

fn transactional_producer(broker: &Broker, id: &str) -> BaseProducer {
    let mut config: ClientConfig = broker.client();
    config
        .set("transactional.id", id)
        .set("message.max.bytes", "12582912")
        .set("queue.buffering.max.kbytes", "65536");
    let producer: BaseProducer = config.create().unwrap();
    producer.init_transactions(TIMEOUT).unwrap();
    producer
}

/// Leaves the transaction open, with the record at the broker.
fn produce_in_transaction(producer: &BaseProducer, topic: &str, payload: &[u8]) {
    producer.begin_transaction().unwrap();
    producer.send(BaseRecord::<(), [u8]>::to(topic).payload(payload)).map_err(|(error, _)| error).unwrap();
    producer.flush(TIMEOUT).unwrap();
}

/// What a consumer reads from the start of a topic's one partition to its end.
fn payloads(broker: &Broker, topic: &str, isolation: &str) -> Vec<Vec<u8>> {
    let consumer: BaseConsumer = broker
        .client()
        .set("group.id", "unused")
        .set("isolation.level", isolation)
        .set("enable.partition.eof", "true")
        .set("fetch.message.max.bytes", "12582912")
        .create()
        .unwrap();
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(topic, 0, Offset::Beginning).unwrap();
    consumer.assign(&assignment).unwrap();

    let deadline = Instant::now() + TIMEOUT;
    let mut payloads = Vec::new();
    loop {
        assert!(Instant::now() < deadline, "the end of {topic} is not reached");
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) => payloads.push(message.payload().unwrap().to_vec()),
            Some(Err(rdkafka::error::KafkaError::PartitionEOF(_))) => return payloads,
            Some(Err(error)) => panic!("{topic}: {error}"),
            None => {}
        }
    }
}
