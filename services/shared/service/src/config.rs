//! Configuration: defaults, then a TOML file, then the environment (`WIREROOM__SECTION__KEY`).
//!
//! Variables are text: it is the setting that makes a number of one. What has the form of a list or a table is that. In
//! names of librdkafka's settings `_` stands for `.`, as few shells take dots in a variable's name:
//! `WIREROOM__KAFKA__CLIENT__SASL_PASSWORD`.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use figment::{
    Figment, Metadata, Profile, Provider,
    providers::{Format, Toml},
    value::{Dict, Map, Value},
};
use pipeline::kafka;
use serde::{Deserialize, de::DeserializeOwned};
use thiserror::Error;

use crate::{hold::hold_for_tests, mistake};

/// The configuration as read. Sections of roles are read by whoever knows them.
#[derive(Debug, Clone)]
pub struct Config {
    figment: Figment,
    /// `[kafka]`.
    pub kafka: KafkaSection,
    /// `[service]`.
    pub service: ServiceSection,
    /// `[tracing]`.
    pub tracing: trace::Section,
}

/// Where Kafka is and who we are there.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct KafkaSection {
    /// `host:port`, several by comma.
    pub brokers: String,
    /// First part of topics, groups and transactional ids.
    pub prefix: String,
    /// Names this instance among its like, and after a restart (a StatefulSet's pod name). Empty: a name kept in the data
    /// folder.
    pub instance: String,
    /// Keep partitions over a quick restart (KIP-345).
    pub static_membership: bool,
    /// An instance not heard of for so long loses its partitions.
    #[serde(with = "humantime_serde")]
    pub session_timeout: Duration,
    /// An open transaction not ended after so long is aborted.
    #[serde(with = "humantime_serde")]
    pub transaction_timeout: Duration,
    /// Partitions of topics that `topics create` makes.
    pub partitions: i32,
    /// Copies of topics that `topics create` makes; -1 is the brokers' default.
    pub replication: i32,
    /// Further settings of the client library: `[kafka.client]`, `"security.protocol" = "SASL_SSL"`.
    pub client: BTreeMap<String, String>,
}

/// The process itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ServiceSection {
    /// Where /metrics, /livez and /readyz are served; each service has a port of its own on loopback by default.
    pub listen: Option<SocketAddr>,
    /// How logs are written.
    pub log_format: LogFormat,
    /// Which are written (`info`, `wireroom=debug,warn` ...).
    pub log_filter: String,
    /// After a SIGTERM, open work has so long to end.
    #[serde(with = "humantime_serde")]
    pub drain_deadline: Duration,
    /// Local copies of state and crash notes; `wireroom-data/SERVICE` by default. One process each.
    pub data: Option<PathBuf>,
}

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

/// A configuration that cannot be used.
#[derive(Debug, Error)]
pub enum ConfigError {
    /// No such file.
    #[error("the configuration file {0} cannot be read: {1}")]
    File(PathBuf, std::io::Error),
    /// A file that is no TOML.
    #[error("the configuration file {0} is no TOML: {1}")]
    Syntax(PathBuf, Box<figment::Error>),
    /// A data folder that cannot be written.
    #[error("the data folder {0} cannot be used: {1}; name another with --data")]
    Folder(PathBuf, std::io::Error),
    /// A section, a setting or a value that is none: a sentence.
    #[error("{0}")]
    Mistake(String),
    /// A setting with which a role, or the client of Kafka, does not start.
    #[error("{0:#}")]
    Refused(anyhow::Error),
}

impl Config {
    /// Reads `file`, if there is one, and the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let text =
            |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self::of(file, std::env::vars_os().filter_map(text))
    }

    fn of(
        file: Option<&Path>,
        variables: impl Iterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut figment = Figment::new();
        if let Some(file) = file {
            std::fs::read_to_string(file).map_err(|cause| ConfigError::File(file.to_owned(), cause))?;
            figment = figment.merge(Toml::file_exact(file));
            // Otherwise it would look like a file without sections.
            figment.data().map_err(|cause| ConfigError::Syntax(file.to_owned(), Box::new(cause)))?;
        }
        let variables = variables.filter_map(|(name, text)| Variable::new(name, text));
        let figment = variables.fold(figment, Figment::merge);
        let kafka = section(&figment, "kafka")?;
        let service = section(&figment, "service")?;
        let tracing = section(&figment, "tracing")?;
        Ok(Self { figment, kafka, service, tracing })
    }

    /// A section, its defaults where the configuration is silent.
    pub fn section<T: DeserializeOwned + Default>(&self, name: &str) -> Result<T, ConfigError> {
        section(&self.figment, name)
    }

    /// Refuses sections other than these and the shell's own.
    pub fn only_sections(&self, known: &[&str]) -> Result<(), ConfigError> {
        let all: BTreeMap<String, Value> = self
            .figment
            .extract()
            .map_err(|cause| ConfigError::Mistake(format!("the configuration cannot be read: {cause}")))?;
        let known: Vec<&str> = ["kafka", "service", "tracing"].iter().chain(known).copied().collect();
        let Some((name, value)) = all.iter().find(|(name, _)| !known.contains(&name.as_str())) else {
            return Ok(());
        };
        let place = mistake::place(self.figment.find_metadata(name));
        let which = mistake::which(name, &known);
        Err(ConfigError::Mistake(match value {
            Value::Dict(..) => format!("[{name}]{place} is no section; {which}"),
            _ => format!("{name}{place} is in no section: write it below one, such as [fetcher]"),
        }))
    }
}

/// A variable of the environment that sets something.
struct Variable {
    name: String,
    /// From the section to the key.
    path: Vec<String>,
    value: Value,
}

impl Variable {
    fn new(name: String, text: String) -> Option<Self> {
        let mut path: Vec<String> =
            name.strip_prefix("WIREROOM__")?.to_lowercase().split("__").map(str::to_owned).collect();
        let value = match path.as_mut_slice() {
            [section, table, setting] if section == "kafka" && table == "client" => {
                *setting = setting.replace('_', ".");
                text.into()
            }
            _ => match text.parse() {
                Ok(value @ (Value::Array(..) | Value::Dict(..) | Value::String(..))) => value,
                // As a name, 007 is not 7.
                _ => text.into(),
            },
        };
        Some(Self { name, path, value })
    }
}

impl Provider for Variable {
    fn metadata(&self) -> Metadata {
        Metadata::named(format!("the variable {}", self.name))
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        let nest = |value: Value, key: &String| Dict::from([(key.clone(), value)]).into();
        let value = self.path.iter().rev().fold(self.value.clone(), nest);
        Ok(value.into_dict().map(|settings| (Profile::Default, settings)).into_iter().collect())
    }
}

impl ServiceSection {
    /// The address to serve on, or this port of loopback.
    pub fn listen_or(&self, port: u16) -> SocketAddr {
        self.listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], port)))
    }

    /// The folder of the service of this name.
    pub fn data_of(&self, name: &str) -> PathBuf {
        self.data.clone().unwrap_or_else(|| Path::new("wireroom-data").join(name))
    }
}

impl KafkaSection {
    /// What the log on Kafka is opened with by a process that runs roles and keeps its data in `data`. Without an
    /// `instance` of its own it has the name that the folder was given once: whoever comes back to a folder is known.
    pub fn member(&self, data: &Path) -> Result<kafka::Options, ConfigError> {
        let instance = match self.instance.as_str() {
            "" => name_of_folder(data).map_err(|cause| ConfigError::Folder(data.to_owned(), cause))?,
            named => named.to_owned(),
        };
        Ok(kafka::Options {
            is_static_member: self.static_membership,
            session_timeout: self.session_timeout,
            transaction_timeout: self.transaction_timeout,
            client: self.client.clone(),
            probe: hold_for_tests(),
            ..kafka::Options::new(&self.brokers, &self.prefix, &instance, data)
        })
    }

    /// The same for a process that runs no role and keeps nothing.
    pub fn visitor(&self) -> kafka::Options {
        kafka::Options {
            client: self.client.clone(),
            ..kafka::Options::new(&self.brokers, &self.prefix, "visitor", PathBuf::new())
        }
    }
}

fn name_of_folder(data: &Path) -> std::io::Result<String> {
    let file = data.join("instance");
    if let Ok(name) = std::fs::read_to_string(&file)
        && !name.trim().is_empty()
    {
        return Ok(name.trim().to_owned());
    }
    let name = ulid::Ulid::generate().to_string();
    std::fs::create_dir_all(data)?;
    std::fs::write(&file, &name)?;
    Ok(name)
}

impl Default for KafkaSection {
    fn default() -> Self {
        Self {
            brokers: "localhost:9092".to_owned(),
            prefix: "wireroom".to_owned(),
            instance: String::new(),
            static_membership: true,
            session_timeout: Duration::from_secs(45),
            transaction_timeout: Duration::from_secs(30),
            partitions: 12,
            replication: -1,
            client: BTreeMap::new(),
        }
    }
}

impl Default for ServiceSection {
    fn default() -> Self {
        Self {
            listen: None,
            log_format: LogFormat::Auto,
            log_filter: "info".to_owned(),
            drain_deadline: Duration::from_secs(25),
            data: None,
        }
    }
}

fn section<T: DeserializeOwned + Default>(figment: &Figment, name: &str) -> Result<T, ConfigError> {
    if figment.find_value(name).is_err() {
        return Ok(T::default());
    }
    figment.extract_inner_lossy(name).map_err(|cause| ConfigError::Mistake(mistake::sentence(name, &cause)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn load(text: &str) -> Result<Config, ConfigError> {
        of(text, &[])
    }

    #[test]
    fn a_file_overrides_defaults() {
        let config = load(
            "[kafka]\nbrokers = 'a:1,b:2'\nsession_timeout = '10s'\n[kafka.client]\n'security.protocol' = 'SSL'",
        );
        let config = config.unwrap();
        assert_eq!(config.kafka.brokers, "a:1,b:2");
        assert_eq!(config.kafka.session_timeout, Duration::from_secs(10));
        assert_eq!(config.kafka.prefix, "wireroom");
        assert_eq!(config.kafka.client["security.protocol"], "SSL");
    }

    fn of(file: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let mut written = tempfile::NamedTempFile::new().unwrap();
        written.write_all(file.as_bytes()).unwrap();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::of(Some(written.path()), variables)
    }

    #[derive(Default, Deserialize)]
    #[serde(default, deny_unknown_fields)]
    struct Stage {
        key: String,
        share: f64,
        is_on: bool,
        days: Vec<u32>,
        quota: Option<u64>,
        #[serde(with = "humantime_serde")]
        wait: Duration,
    }

    #[test]
    fn variables_are_read_as_what_they_set() {
        let config = of(
            "[kafka]\nprefix = 'a'\n[stage]\nquota = 7",
            &[
                ("WIREROOM__KAFKA__PREFIX", "2024"),
                ("WIREROOM__KAFKA__PARTITIONS", "24"),
                ("WIREROOM__STAGE__KEY", "0000000000000007"),
                ("WIREROOM__STAGE__SHARE", "0.5"),
                ("WIREROOM__STAGE__IS_ON", "true"),
                ("WIREROOM__STAGE__DAYS", "[1, 7]"),
                ("WIREROOM_CONFIG", "no section"),
                ("PATH", "/bin"),
            ],
        );
        let config = config.unwrap();
        assert_eq!((config.kafka.prefix.as_str(), config.kafka.partitions), ("2024", 24));
        let Stage { key, share, is_on, days, quota, .. } = config.section("stage").unwrap();
        assert_eq!((key.as_str(), share, is_on), ("0000000000000007", 0.5, true));
        assert_eq!((days, quota), (vec![1, 7], Some(7)));
        config.only_sections(&["stage"]).unwrap();
    }

    #[test]
    fn settings_of_the_client_come_by_variables() {
        let config = of(
            "[kafka.client]\n'sasl.password' = 'old'\n'socket.timeout.ms' = '1'",
            &[
                ("WIREROOM__KAFKA__CLIENT__SASL_PASSWORD", r#"{"a\b'=1}, "#),
                ("WIREROOM__KAFKA__CLIENT__SOCKET_TIMEOUT_MS", "60000"),
                ("WIREROOM__KAFKA__CLIENT__SSL.CA.LOCATION", "/ca"),
            ],
        );
        let client = config.unwrap().kafka.client;
        assert_eq!(client.len(), 3);
        assert_eq!(client["sasl.password"], r#"{"a\b'=1}, "#);
        assert_eq!(client["socket.timeout.ms"], "60000");
        assert_eq!(client["ssl.ca.location"], "/ca");
    }

    #[test]
    fn a_mistake_in_the_environment_is_named() {
        let error = of("", &[("WIREROOM__KAFKA__SESSION_TIMEOUT", "10")]).unwrap_err().to_string();
        assert!(error.contains("the variable WIREROOM__KAFKA__SESSION_TIMEOUT"), "{error}");
        let error = of("", &[("WIREROOM__KAFKA__PARTITIONS", "many")]).unwrap_err().to_string();
        assert!(error.contains("partitions"), "{error}");
    }

    #[test]
    fn mistakes_are_named() {
        for (text, named) in [
            ("[kafka]\nbroker = 'a:1'", "broker"),
            ("[kafka]\nsession_timeout = 10", "session_timeout"),
            ("[service]\nlisten = 'nowhere'", "listen"),
            ("[[[", "invalid"),
        ] {
            let error = load(text).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
        for (text, said) in [
            ("[stage]\ndais = [1]", "stage.dais in FILE is no setting; did you mean days?"),
            (
                "[stage]\nport = 1",
                "stage.port in FILE is no setting; there are key, share, is_on, days, quota, wait",
            ),
            ("[stage]\nwait = 2", "stage.wait in FILE must be a duration such as \"2s\""),
            ("[stage]\nquota = 'x'", "stage.quota in FILE must be a whole number, not less than 0"),
            ("[stage]\ndays = [1, -1]", "stage.days.1 in FILE must be a whole number, not less than 0"),
            ("wait = '2s'", "wait in FILE is in no section: write it below one, such as [fetcher]"),
            ("[stagge]\nwait = '2s'", "[stagge] in FILE is no section; did you mean stage?"),
        ] {
            let mut written = tempfile::NamedTempFile::new().unwrap();
            written.write_all(text.as_bytes()).unwrap();
            let config = Config::of(Some(written.path()), std::iter::empty()).unwrap();
            let read = config.section::<Stage>("stage").and_then(|_| config.only_sections(&["stage"]));
            let file = written.path().display().to_string();
            assert_eq!(read.unwrap_err().to_string().replace(&file, "FILE"), said);
        }
        let unquoted = load("[kafka.client]\nsasl.password = 'secret'").unwrap_err().to_string();
        assert!(unquoted.contains("name with dots in quotes"), "{unquoted}");
        let number = load("[kafka.client]\n'sasl.password' = 12345").unwrap_err().to_string();
        assert!(
            number.starts_with("kafka.client.\"sasl.password\" in ") && !number.contains("12345"),
            "{number}"
        );
        let error =
            load("[fetchr]\ndelay = '1s'").unwrap().only_sections(&["fetcher"]).unwrap_err().to_string();
        assert!(error.contains("[fetchr]") && error.contains("fetcher"), "{error}");
        assert!(
            Config::load(Some(Path::new("/nowhere.toml"))).unwrap_err().to_string().contains("/nowhere.toml")
        );
    }
}
