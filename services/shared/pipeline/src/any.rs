//! Either log, where it does not matter which.

use crate::{Log, LogError, Output, Record, Role, embedded::Embedded, kafka::Kafka};

/// A log of either kind. Cheap to clone.
#[derive(Clone)]
pub enum AnyLog {
    /// One fjall database, no server.
    Embedded(Embedded),
    /// Kafka.
    Kafka(Kafka),
}

impl AnyLog {
    /// Takes a role's place on it.
    pub fn role(&self, role: Role) -> Result<Box<dyn Log>, LogError> {
        Ok(match self {
            Self::Embedded(log) => Box::new(log.role(role)?),
            Self::Kafka(log) => Box::new(log.role(role)?),
        })
    }

    /// Writes records that no role's step writes. Returns when they are there for good.
    pub fn append(&self, outputs: Vec<Output>) -> Result<(), LogError> {
        match self {
            Self::Embedded(log) => log.append(outputs),
            Self::Kafka(log) => log.append(outputs),
        }
    }

    /// Where each partition of a topic ends now.
    pub fn ends(&self, topic: &str) -> Result<Vec<i64>, LogError> {
        match self {
            Self::Embedded(log) => Ok(vec![log.end(topic)?]),
            Self::Kafka(log) => log.ends(topic),
        }
    }

    /// The committed records of a topic, from these offsets (0 where a partition has none) to where it ends now.
    pub fn read(&self, topic: &'static str, from: &[i64]) -> Result<Vec<Record>, LogError> {
        match self {
            Self::Embedded(log) => log.read(topic, from.first().copied().unwrap_or(0), usize::MAX),
            Self::Kafka(log) => log.read(topic, from)?.to_end(),
        }
    }
}
