//! Where `tail`, `submit` and `deadletters` find the topics: on Kafka, in a running process, in a stopped one's folder.

use std::{
    path::Path,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use pipeline::{
    AnyLog, Clock, Output, Record,
    embedded::{Embedded, Options},
    kafka::{Kafka, Reader},
};
use service::Config;

use crate::{Usage, admin, cli::Place, serve};

/// How often a running process is asked for more.
const POLL: Duration = Duration::from_millis(200);

pub enum Source {
    Log(AnyLog),
    Process(admin::Client),
}

/// Reads a topic on and on.
pub enum Tail {
    Kafka(Reader),
    Embedded { source: Source, topic: &'static str, next: i64, read: std::vec::IntoIter<Record> },
}

impl Source {
    pub fn open(at: &Place) -> Result<Self> {
        let config = serve::known(Config::load(at.config.as_deref())?)?;
        if let Some(data) = at.data.as_deref().filter(|_| at.kafka.is_none()) {
            return Self::of_folder(data);
        }
        if at.kafka.is_none() && at.config.is_none() && std::env::var_os("WIREROOM__KAFKA__BROKERS").is_none()
        {
            return Err(Usage::wrong(
                "say where the topics are: --data DIR (of `wireroom run --data`) or --kafka HOST:PORT",
            ));
        }
        let mut kafka = config.kafka.clone();
        kafka.brokers = at.kafka.clone().unwrap_or(kafka.brokers);
        kafka.prefix = at.prefix.clone().unwrap_or(kafka.prefix);
        Ok(Self::Log(AnyLog::Kafka(Kafka::open(kafka.visitor())?)))
    }

    fn of_folder(data: &Path) -> Result<Self> {
        if let Some(process) = admin::Client::of(data) {
            return Ok(Self::Process(process));
        }
        if !data.join("log").is_dir() {
            bail!("{} holds no embedded log; give the folder of `wireroom run --data`", data.display());
        }
        let options = Options { clock: Clock::system(), ..Options::default() };
        match Embedded::open(data, &options) {
            Ok(log) => Ok(Self::Log(AnyLog::Embedded(log))),
            // A process that was just starting holds it, and answers by now.
            Err(refused) => admin::Client::of(data).map(Self::Process).ok_or_else(|| refused.into()),
        }
    }

    /// All records of a topic there are now.
    pub fn read(&self, topic: &'static str) -> Result<Vec<Record>> {
        let process = match self {
            Self::Log(log) => return Ok(log.read(topic, &[])?),
            Self::Process(process) => process,
        };
        let mut records: Vec<Record> = Vec::new();
        loop {
            let more = process.read(topic, records.last().map_or(0, |last| last.origin.offset + 1))?;
            if more.is_empty() {
                return Ok(records);
            }
            records.extend(more);
        }
    }

    /// How many partitions a topic has.
    pub fn partitions(&self, topic: &str) -> Result<usize> {
        match self {
            Self::Log(log) => Ok(log.ends(topic)?.len()),
            Self::Process(_) => Ok(1),
        }
    }

    pub fn append(&self, outputs: Vec<Output>) -> Result<()> {
        match self {
            Self::Log(log) => Ok(log.append(outputs)?),
            Self::Process(process) => process.append(outputs),
        }
    }

    /// Reads a topic from its beginning or its present end.
    pub fn tail(self, topic: &'static str, from_beginning: bool) -> Result<Tail> {
        let ends = match &self {
            _ if from_beginning => Vec::new(),
            Self::Log(log) => log.ends(topic)?,
            Self::Process(process) => vec![process.end(topic)?],
        };
        match self {
            Self::Log(AnyLog::Kafka(log)) => Ok(Tail::Kafka(log.read(topic, &ends)?)),
            source => {
                let next = ends.first().copied().unwrap_or(0);
                Ok(Tail::Embedded { source, topic, next, read: Vec::new().into_iter() })
            }
        }
    }
}

impl Tail {
    /// Whether all there was at the beginning has been given out; known once [`next`](Self::next) had nothing to give.
    pub fn is_at_end(&self) -> bool {
        match self {
            Self::Kafka(reader) => reader.is_past_end(),
            Self::Embedded { read, .. } => read.len() == 0,
        }
    }

    /// The next record, if one comes within `wait`.
    pub fn next(&mut self, wait: Duration) -> Result<Option<Record>> {
        let (source, topic, next, read) = match self {
            Self::Kafka(reader) => return Ok(reader.next(wait)?),
            Self::Embedded { source, topic, next, read } => (source, *topic, next, read),
        };
        let deadline = Instant::now() + wait;
        loop {
            if let Some(record) = read.next() {
                *next = record.origin.offset + 1;
                return Ok(Some(record));
            }
            *read = match source {
                Source::Log(log) => log.read(topic, &[*next])?.into_iter(),
                Source::Process(process) => process.read(topic, *next)?.into_iter(),
            };
            if read.len() == 0 {
                if Instant::now() >= deadline {
                    return Ok(None);
                }
                thread::park_timeout(POLL);
            }
        }
    }
}
