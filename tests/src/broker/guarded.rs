//! A broker with users (SASL/SCRAM) and an authorizer, which refuses whatever is not allowed.

use std::io::Write as _;
use std::process::Stdio;

use super::{Broker, free_port, project};

/// A broker that asks who somebody is on one port; on its other one everything is allowed, for tests themselves.
#[derive(Debug)]
pub struct Guarded {
    /// As the tests see it.
    pub broker: Broker,
    address: String,
}

impl Guarded {
    /// Starts one that knows these users; each one's password is its name backwards.
    ///
    /// # Panics
    /// Where it cannot be started, saying what to install.
    pub fn start(users: &[&str]) -> Self {
        let address = format!("127.0.0.1:{}", free_port());
        let known = |user: &&str| {
            let user = format!("SCRAM-SHA-512=[name={user},password={}]", password(user));
            ["--add-scram".to_owned(), user]
        };
        let users: Vec<String> = users.iter().flat_map(known).collect();
        let broker = Broker::start_with(|port, controller| properties(port, controller, &address), &users)
            .unwrap_or_else(|error| panic!("no Kafka to test on: {error:#}"));
        Self { broker, address }
    }

    /// Settings, as variables, with which a process comes as this user.
    pub fn settings(&self, user: &str) -> Vec<(&'static str, String)> {
        let client = [
            ("WIREROOM__KAFKA__BROKERS", self.address.as_str()),
            ("WIREROOM__KAFKA__CLIENT__SECURITY_PROTOCOL", "SASL_PLAINTEXT"),
            ("WIREROOM__KAFKA__CLIENT__SASL_MECHANISMS", "SCRAM-SHA-512"),
            ("WIREROOM__KAFKA__CLIENT__SASL_USERNAME", user),
            ("WIREROOM__KAFKA__CLIENT__SASL_PASSWORD", &password(user)),
        ];
        client.map(|(key, value)| (key, value.to_owned())).to_vec()
    }

    /// Allows what these commands say: `allow USER --operation X ... --topic NAME [--resource-pattern-type prefixed]`, as
    /// `kafka-acls.sh` takes it. How many things are allowed now.
    ///
    /// # Panics
    /// If a command is none, or the broker refuses it.
    pub fn allow<'a>(&self, commands: impl Iterator<Item = &'a str>) -> usize {
        let lines: Vec<String> = commands.flat_map(bindings).collect();
        let jvm = self.broker.jvm.as_ref().expect("it was started here");
        let mut java = jvm.java();
        let source = project().join("tests/broker/Acls.java");
        java.arg(source).arg(self.broker.bootstrap()).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = java.spawn().expect("java runs");
        let mut input = child.stdin.take().expect("it is piped");
        input.write_all((lines.join("\n") + "\n").as_bytes()).expect("it reads");
        drop(input);
        assert!(child.wait().expect("it ends").success(), "the broker does not take {lines:#?}");
        lines.len()
    }
}

fn password(user: &str) -> String {
    user.chars().rev().collect()
}

/// What a command allows, as `Acls.java` reads it.
fn bindings(command: &str) -> Vec<String> {
    let words: Vec<&str> = command.split_whitespace().collect();
    let ["allow", user, options @ ..] = words.as_slice() else { panic!("{command:?} allows nothing") };
    let (options, rest) = options.as_chunks::<2>();
    assert!(rest.is_empty(), "an option without a value: {command}");
    let (mut operations, mut resource, mut pattern) = (Vec::new(), None, "LITERAL");
    for [option, value] in options {
        match *option {
            "--operation" => operations.push(*value),
            "--topic" => resource = Some(("TOPIC", *value)),
            "--group" => resource = Some(("GROUP", *value)),
            "--transactional-id" => resource = Some(("TRANSACTIONAL_ID", *value)),
            "--resource-pattern-type" => pattern = *value,
            other => panic!("{other}: {command}"),
        }
    }
    let (kind, name) = resource.unwrap_or_else(|| panic!("no resource: {command}"));
    let line = |operation| format!("User:{user} {operation} {kind} {pattern} {name}");
    operations.into_iter().map(line).collect()
}

/// A third listener, on which users say who they are.
fn properties(port: u16, controller_port: u16, address: &str) -> String {
    let scram = "org.apache.kafka.common.security.scram.ScramLoginModule";
    format!(
        "listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port},USERS://{address}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},USERS://{address}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,USERS:SASL_PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.users.scram-sha-512.sasl.jaas.config={scram} required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"
    )
}
