//! Measures the services as processes of their own on Kafka: one `name value unit` a line.
//!
//! usage: `bench_services [ARTICLES]`
//!
//! First as fast as they go, which gives what a million pages cost; then at half that pace, which gives how long an
//! article takes from its fetch until a consumer has its canonical record. Broker, press and services share the machine.
//! The press answers at once; its pages are of the mean size that is printed.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use pipeline::Clock;
use prost::Message as _;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use rdkafka::{Message as _, Offset, TopicPartitionList};
use tests::broker::Broker;
use tests::press::Press;
use tests::services::{Process, Services};
use wire::{Article, Encoding, Request};

const PROCESSES: [Process; 4] = [
    ("fetcher", "fetcher-0", &["fetcher"]),
    ("extractor", "extractor-0", &["extractor"]),
    ("normalizer", "prepare-0", &["prepare"]),
    ("normalizer", "cluster-0", &["cluster"]),
];

const HALF_LOAD_SECONDS: f64 = 20.0;
const MILLION: f64 = 1e6;
const DEADLINE: Duration = Duration::from_secs(300);

fn main() -> Result<()> {
    let articles = std::env::args().nth(1).map_or(Ok(12_000), |number| number.parse())?;
    let broker = Broker::own();
    let pace = full_load(&broker, articles)?;
    half_load(&broker, pace / 2.0)
}

/// What pages cost. Gives the pages that were published a second.
fn full_load(broker: &Broker, articles: usize) -> Result<f64> {
    let press = Press::with_articles(articles);
    let urls = press.article_urls();
    let mut services = Services::start_these(&PROCESSES, |_| without_delay(), broker, &press, "full");
    let cpu = |services: &Services| -> BTreeMap<&str, Duration> {
        services.processes.iter().map(|service| (service.roles[0], service.cpu())).collect()
    };
    let (before, started) = (cpu(&services), Instant::now());
    submit(&services, &urls)?;
    wait_for_end(&services, urls.len())?;
    let pace = urls.len() as f64 / started.elapsed().as_secs_f64();
    let millions = urls.len() as f64 / MILLION;

    println!("pages_per_second_services {pace:.0} pages/s");
    for (role, spent) in cpu(&services) {
        let spent = (spent - before[role]).as_secs_f64();
        println!("cpu_per_million_pages_{role} {:.0} s", spent / millions);
    }
    let fetched = metric(&services, "fetcher", "wireroom_fetcher_received_bytes_total")?;
    let read = metric(&services, "extractor", "wireroom_extractor_read_bytes_total")?;
    println!("page_bytes_as_sent {:.0} bytes", fetched / urls.len() as f64);
    println!("page_bytes_inflated {:.0} bytes", read / urls.len() as f64);
    println!("bytes_fetched_per_million_pages {:.2} GB", fetched / millions / 1e9);
    ensure!(services.stop().iter().all(|(_, status)| status.success()), "a service did not end well");

    let mut all = 0;
    for (topic, bytes) in broker.stored("full.") {
        all += bytes;
        let topic = topic.trim_start_matches("full.").trim_end_matches(".v1").replace('.', "_");
        println!("kafka_bytes_per_million_pages_{topic} {:.3} GB", bytes as f64 / millions / 1e9);
    }
    println!("kafka_bytes_per_million_pages {:.2} GB", all as f64 / millions / 1e9);
    for service in
        services.processes.iter().filter(|service| ["fetcher", "cluster"].contains(&service.roles[0]))
    {
        let bytes = bytes_in(&services.folder().join(service.name).join("state"));
        println!(
            "state_bytes_per_million_pages_{} {:.3} GB",
            service.roles[0],
            bytes as f64 / millions / 1e9
        );
    }
    Ok(pace)
}

/// How long articles take when requests come at this pace.
fn half_load(broker: &Broker, pace: f64) -> Result<()> {
    let press = Press::with_articles((pace * HALF_LOAD_SECONDS) as usize);
    let urls = press.article_urls();
    let services = Services::start_these(&PROCESSES, |_| without_delay(), broker, &press, "half");
    let is_over = AtomicBool::new(false);
    let (arrived, pace) = thread::scope(|scope| -> Result<_> {
        let watcher = scope.spawn(|| watch(broker, "half.canonical.v1", &is_over));
        let started = Instant::now();
        submit_at(broker, "half.requests.v1", &urls, pace)?;
        let pace = urls.len() as f64 / started.elapsed().as_secs_f64();
        wait_for_end(&services, urls.len())?;
        is_over.store(true, Ordering::SeqCst);
        Ok((watcher.join().expect("it does not panic")?, pace))
    })?;
    let mut took: Vec<i64> = Vec::new();
    for article in read(broker, "half.articles.v1")? {
        let article: Article = Encoding::decode_either(&article)?;
        took.extend(arrived.get(&article.article_id).map(|at_ms| at_ms - article.fetched_at_ms));
    }
    took.sort_unstable();
    let share = |share: f64| took.get((took.len() as f64 * share) as usize).context("no article came");
    println!("pages_per_second_at_half_load {pace:.0} pages/s");
    println!("fetched_to_canonical_p50_at_half_load {} ms", share(0.5)?);
    println!("fetched_to_canonical_p99_at_half_load {} ms", share(0.99)?);
    Ok(())
}

/// The hosts are no one's: they are asked as fast as they answer.
fn without_delay() -> Vec<(&'static str, String)> {
    let settings = [("WIREROOM__FETCHER__DELAY", "0s"), ("WIREROOM__FETCHER__LATENCY_FACTOR", "0")];
    settings.map(|(key, value)| (key, value.to_owned())).to_vec()
}

fn submit(services: &Services, urls: &[String]) -> Result<()> {
    let list = services.folder().join("urls.txt");
    fs::write(&list, urls.join("\n") + "\n")?;
    services.submit(&[list.display().to_string()]);
    Ok(())
}

/// Writes so many requests a second, one after the other.
fn submit_at(broker: &Broker, topic: &str, urls: &[String], pace: f64) -> Result<()> {
    let producer: ThreadedProducer<DefaultProducerContext> =
        broker.client().set("linger.ms", "1").create()?;
    let started = Instant::now();
    for (nth, url) in urls.iter().enumerate() {
        pause(Duration::from_secs_f64(nth as f64 / pace).saturating_sub(started.elapsed()));
        let request = Request {
            request_id: format!("bench-{nth}"),
            url: url.clone(),
            lane: "live".to_owned(),
            seen_at_ms: Clock::system().now_ms(),
            ..Request::default()
        };
        // The press's domains are its hosts.
        let (key, value) = (url.split('/').nth(2).context("a host")?, request.encode_to_vec());
        let headers = wire::headers("Request", &request.request_id, "submit", "", &[]);
        let headers = headers.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value) })
        });
        let record = BaseRecord::to(topic).key(key).payload(&value).headers(headers);
        producer.send(record).map_err(|(cause, _)| cause)?;
    }
    Ok(producer.flush(DEADLINE)?)
}

/// Waits until so many pages are decided on.
fn wait_for_end(services: &Services, pages: usize) -> Result<()> {
    let deadline = Instant::now() + DEADLINE;
    while metric(services, "cluster", "wireroom_normalizer_arrivals_total")? < pages as f64 {
        ensure!(Instant::now() < deadline, "the pages are not through within {DEADLINE:?}");
        pause(Duration::from_millis(100));
    }
    Ok(())
}

/// The sum of a counter's series in the process of a role.
fn metric(services: &Services, role: &str, name: &str) -> Result<f64> {
    let service = services.processes.iter().find(|service| service.roles == [role]).context("a process")?;
    let (_, metrics) = service.get("/metrics").context("the service answers")?;
    let of_it = metrics
        .lines()
        .filter_map(|line| line.strip_prefix(name))
        .filter(|rest| rest.starts_with(['{', ' ']));
    of_it.map(|rest| Ok(rest.rsplit_once(' ').context("a value")?.1.parse::<f64>()?)).sum()
}

/// When each key of a topic was first seen by somebody who follows it.
fn watch(broker: &Broker, topic: &str, is_over: &AtomicBool) -> Result<BTreeMap<String, i64>> {
    let consumer = consumer(broker, topic)?;
    let mut seen = BTreeMap::new();
    while !is_over.load(Ordering::SeqCst) {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(message)) => {
                let key = String::from_utf8_lossy(message.key().unwrap_or_default()).into_owned();
                seen.entry(key).or_insert_with(|| Clock::system().now_ms());
            }
            Some(Err(KafkaError::PartitionEOF(_))) | None => {}
            Some(Err(cause)) => return Err(cause.into()),
        }
    }
    Ok(seen)
}

/// Every value of a topic.
fn read(broker: &Broker, topic: &str) -> Result<Vec<Vec<u8>>> {
    let consumer = consumer(broker, topic)?;
    let (mut values, mut at_work) = (Vec::new(), consumer.assignment()?.count());
    while at_work > 0 {
        match consumer.poll(DEADLINE).context("the topic has an end")? {
            Ok(message) => values.push(message.payload().unwrap_or_default().to_vec()),
            Err(KafkaError::PartitionEOF(_)) => at_work -= 1,
            Err(cause) => return Err(cause.into()),
        }
    }
    Ok(values)
}

/// Of all partitions, committed records only.
fn consumer(broker: &Broker, topic: &str) -> Result<BaseConsumer> {
    let mut config = broker.client();
    config
        .set("group.id", "bench")
        .set("isolation.level", "read_committed")
        .set("enable.partition.eof", "true");
    let consumer: BaseConsumer = config.set("fetch.wait.max.ms", "10").create()?;
    let metadata = consumer.fetch_metadata(Some(topic), DEADLINE)?;
    let partitions = metadata.topics().first().context("the topic")?.partitions().len();
    let mut all = TopicPartitionList::new();
    for partition in 0..i32::try_from(partitions)? {
        all.add_partition_offset(topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&all)?;
    Ok(consumer)
}

fn bytes_in(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let bytes = |entry: fs::DirEntry| match entry.metadata() {
        Ok(found) if found.is_dir() => bytes_in(&entry.path()),
        // What is reserved and not written takes up no room.
        Ok(found) => found.len().min(512 * found.blocks()),
        Err(_) => 0,
    };
    entries.map(bytes).sum()
}

#[allow(clippy::disallowed_methods, reason = "between two looks at processes that are being measured")]
fn pause(span: Duration) {
    thread::sleep(span);
}
