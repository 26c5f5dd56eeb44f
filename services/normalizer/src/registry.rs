//! A schema registry: the schemas of canonical and changes are there before a record that they are of.
//!
//! Subjects go by topic: `PREFIX.canonical.v1-value`; files that are imported are subjects of their own names. To register
//! what is there already changes nothing and gives the same id. See "Schema Registry API Reference" of Confluent's
//! documentation, which Karapace, Redpanda and Apicurio follow.

use std::{fmt, io::Read, time::Duration};

use pipeline::Settings;
use reqwest::{
    StatusCode,
    blocking::{Client, RequestBuilder, Response},
    header::{ACCEPT, CONTENT_TYPE},
};
use serde::Deserialize;
use serde_json::{Value, json};
use thiserror::Error;
use tracing::{error, info};
use wire::{Encoding, Schema, SchemaIds, Topic};

const JSON: &str = "application/vnd.schemaregistry.v1+json";

/// How long one request may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// An answer has a few numbers, or a reason; what is longer is cut.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;

/// The pauses between attempts while a registry is away.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Section `[normalizer.schema_registry]`.
#[derive(Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Registry {
    /// `http://registry:8081`.
    pub url: String,
    /// For basic authentication, where it asks for that.
    pub user: String,
    /// The user's; it is never logged.
    pub password: String,
}

/// Schemas that are not registered.
#[derive(Debug, Error)]
pub enum RegistryError {
    /// An address that is none.
    #[error(
        "the schema registry's url {0:?} is none (http://registry:8081; user and password have settings of their own)"
    )]
    Url(String),
    /// It is away: to be tried again.
    #[error(
        "the schema registry at {url} does not answer: {cause}; is it running there, and is [normalizer.schema_registry] url \
         right? Nothing is published before it has the schemas"
    )]
    Away {
        /// Where.
        url: String,
        /// Why.
        cause: String,
    },
    /// It will not have the schema.
    #[error(
        "the schema registry at {url} refuses the schema of {subject} ({status}): {cause}; {}",
        way_out(*.status)
    )]
    Refused {
        /// Where.
        url: String,
        /// Which.
        subject: String,
        /// Of the answer.
        status: u16,
        /// In its own words.
        cause: String,
    },
}

fn way_out(status: u16) -> &'static str {
    match status {
        401 | 403 => {
            "give `user` and `password` of one who may write subjects under [normalizer.schema_registry]"
        }
        409 => {
            "another schema stands there: take that away or set the subject's compatibility to NONE where no reader needs \
             it, or use another kafka.prefix"
        }
        _ => "is that address a schema registry's, and does it know this kind of schema?",
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("url", &self.url).field("user", &self.user).finish_non_exhaustive()
    }
}

impl Registry {
    /// Registers the schemas of canonical and changes under this prefix, and waits while the registry is away. Nothing where
    /// it was asked to stop first.
    pub(crate) fn register_patiently(
        &self,
        prefix: &str,
        encoding: Encoding,
        run: &Settings,
    ) -> Result<Option<SchemaIds>, RegistryError> {
        let mut pause = FIRST_PAUSE;
        while !run.shutdown.is_requested() {
            // It is alive, and not ready.
            run.progress.beat();
            match self.register(prefix, encoding) {
                Err(away @ RegistryError::Away { .. }) => {
                    error!(cause = %away, "waiting for the schema registry")
                }
                Err(refused) => return Err(refused),
                Ok(ids) => {
                    let SchemaIds { canonical, changes } = ids;
                    info!(url = self.url, canonical, changes, "the schemas are registered");
                    return Ok(Some(ids));
                }
            }
            run.shutdown.wait(pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        Ok(None)
    }

    /// Registers the schemas of canonical and changes under this prefix. Not to be called on a thread of an async runtime.
    pub fn register(&self, prefix: &str, encoding: Encoding) -> Result<SchemaIds, RegistryError> {
        let id_of = |topic: Topic| {
            let schema = Schema::of(topic, encoding);
            let references = schema.imports.iter().map(|(name, text)| {
                self.put(name, json!({ "schemaType": schema.kind, "schema": text }))?;
                // The first answer says no version.
                let found = self.post(name, "", &json!({ "schemaType": schema.kind, "schema": text }))?;
                Ok(json!({ "name": name, "subject": name, "version": self.number(&found, "version", name)? }))
            });
            let references: Vec<Value> = references.collect::<Result<_, RegistryError>>()?;
            let subject = format!("{prefix}.{}.v1-value", topic.name());
            let body = json!({ "schemaType": schema.kind, "schema": schema.text, "references": references });
            self.put(&subject, body)
        };
        Ok(SchemaIds { canonical: id_of(Topic::Canonical)?, changes: id_of(Topic::Changes)? })
    }

    /// Registers a schema. Its id.
    fn put(&self, subject: &str, schema: Value) -> Result<u32, RegistryError> {
        let answer = self.post(subject, "versions", &schema)?;
        self.number(&answer, "id", subject)
    }

    fn number(&self, answer: &Value, name: &str, subject: &str) -> Result<u32, RegistryError> {
        let number = answer.get(name).and_then(Value::as_u64).and_then(|number| number.try_into().ok());
        number.ok_or_else(|| self.refused(subject, StatusCode::OK, format!("its answer has no {name}")))
    }

    fn post(&self, subject: &str, what: &str, body: &Value) -> Result<Value, RegistryError> {
        let away = |cause: &dyn std::error::Error| {
            let causes = std::iter::successors(Some(cause), |cause| cause.source());
            let cause = causes.map(ToString::to_string).collect::<Vec<_>>().join(": ");
            RegistryError::Away { url: self.url.clone(), cause }
        };
        let request = self.request(subject, what)?.body(body.to_string());
        let answer = request.send().map_err(|cause| away(&cause.without_url()))?;
        let status = answer.status();
        let text = text_of(answer).map_err(|cause| away(&cause))?;
        let value: Value = serde_json::from_str(&text).unwrap_or_default();
        if status.is_success() {
            return Ok(value);
        }
        let said = value.get("message").and_then(Value::as_str).unwrap_or(&text);
        let cause: String = said.chars().take(500).collect();
        let is_passing = matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS);
        if status.is_server_error() || is_passing {
            return Err(RegistryError::Away { url: self.url.clone(), cause: format!("{status} {cause}") });
        }
        Err(self.refused(subject, status, cause))
    }

    fn request(&self, subject: &str, what: &str) -> Result<RequestBuilder, RegistryError> {
        let none = || RegistryError::Url(self.shown());
        let mut url = reqwest::Url::parse(&self.url).map_err(|_| none())?;
        if !url.username().is_empty() || url.password().is_some() || !url.has_host() {
            return Err(none());
        }
        url.path_segments_mut()
            .map_err(|()| none())?
            .pop_if_empty()
            .extend(["subjects", subject].into_iter().chain(Some(what).filter(|what| !what.is_empty())));
        let client = Client::builder().timeout(TIMEOUT).build();
        let client =
            client.map_err(|cause| RegistryError::Away { url: self.shown(), cause: cause.to_string() })?;
        let request = client.post(url).header(CONTENT_TYPE, JSON).header(ACCEPT, JSON);
        Ok(match self.user.as_str() {
            "" => request,
            user => request.basic_auth(user, Some(&self.password)),
        })
    }

    /// The address without what stands before an `@`.
    fn shown(&self) -> String {
        self.url.rsplit('@').next().unwrap_or_default().to_owned()
    }

    fn refused(&self, subject: &str, status: StatusCode, cause: String) -> RegistryError {
        let (url, subject, status) = (self.url.clone(), subject.to_owned(), status.as_u16());
        RegistryError::Refused { url, subject, status, cause }
    }
}

fn text_of(answer: Response) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    answer.take(MAX_ANSWER_BYTES).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_not_shown() {
        let registry = Registry {
            url: "http://ann:hunter2@registry.example".into(),
            user: "ann".into(),
            password: "hunter2".into(),
        };
        let error = registry.register("p", Encoding::Protobuf).unwrap_err();
        assert!(error.to_string().contains("registry.example"), "{error}");
        let debugged = format!("{:?}", Registry { url: String::new(), ..registry });
        assert!(!format!("{error}{error:?}{debugged}").contains("hunter2"), "{error:?} {debugged}");
    }

    #[test]
    fn subjects_are_one_part_of_the_path() {
        let registry = Registry { url: "http://registry.example/api/".into(), ..Registry::default() };
        let request = registry.request("wireroom/v1/article.proto", "versions").unwrap().build().unwrap();
        assert_eq!(request.url().path(), "/api/subjects/wireroom%2Fv1%2Farticle.proto/versions");
        let request = registry.request("a", "").unwrap().build().unwrap();
        assert_eq!(request.url().path(), "/api/subjects/a");
    }
}
