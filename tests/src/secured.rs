//! A broker that lets nobody do what it was not told to, and that is reached in four ways: by SASL over TLS (SCRAM, PLAIN
//! and OAUTHBEARER), by TLS alone, by TLS both ways, and in the clear, which is for itself and for what a test sets up.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Child, Stdio};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

use crate::broker::{self, Broker, free_port};
use crate::tokens::Tokens;

/// The end of every password, so that a test can look for all of them.
pub const SECRET: &str = "9f2c-the-secret";

/// One line of the table in `deploy/acls.md`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acl {
    /// Whose.
    pub user: String,
    /// `topic`, `group`, `transactional-id`.
    pub resource: String,
    /// Whole, or with `*` at its end.
    pub name: String,
    /// One of them.
    pub operation: String,
}

/// See the [module's documentation](self).
#[derive(Debug)]
pub struct Secured {
    broker: Broker,
    folder: tempfile::TempDir,
    ports: Ports,
    admin: Child,
    answers: BufReader<std::process::ChildStdout>,
    /// Gives the tokens of OAUTHBEARER.
    pub tokens: Tokens,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    sasl: u16,
    tls: u16,
    both_ways: u16,
}

/// The settings of a client, as variables of `wireroom`.
pub type Settings = Vec<(String, String)>;

/// The table of `deploy/acls.md`, an operation a line.
///
/// # Panics
/// If it has none.
pub fn table() -> Vec<Acl> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/acls.md");
    let text = fs::read_to_string(file).expect("the table is there");
    let lines = text.lines().filter_map(|line| {
        let cells: Vec<_> =
            line.trim_matches('|').split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        <[&str; 4]>::try_from(cells).ok()
    });
    let acls: Vec<Acl> = lines
        .filter(|[_, resource, ..]| ["topic", "group", "transactional-id", "cluster"].contains(resource))
        .flat_map(|[user, resource, name, operations]| {
            operations.split(", ").map(move |operation| Acl {
                user: user.to_owned(),
                resource: resource.to_owned(),
                name: name.to_owned(),
                operation: operation.to_owned(),
            })
        })
        .collect();
    assert!(!acls.is_empty(), "deploy/acls.md has no table");
    acls
}

impl Secured {
    /// Starts one that knows the users of the [`table`], all but `tail` by SCRAM and that one by PLAIN.
    ///
    /// # Panics
    /// Where it cannot be started, saying why.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        write_certificates(folder.path());
        let ports = Ports { sasl: free_port(), tls: free_port(), both_ways: free_port() };
        let settings = |port, controller| broker::Settings {
            properties: properties(folder.path(), ports, port, controller),
            scram: users()
                .iter()
                .map(|user| format!("SCRAM-SHA-512=[name={user},password={user}-{SECRET}]"))
                .collect(),
        };
        let broker =
            Broker::start_with(settings).unwrap_or_else(|error| panic!("no Kafka to test on: {error:#}"));
        let mut admin =
            broker.java("Acls.java").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("java runs");
        let answers = BufReader::new(admin.stdout.take().expect("a pipe"));
        Self { broker, folder, ports, admin, answers, tokens: Tokens::start(SECRET) }
    }

    /// Gives a user what a line says, under this prefix.
    pub fn give(&mut self, acl: &Acl, prefix: &str) {
        self.tell('+', acl, prefix);
    }

    /// Takes it away.
    pub fn take(&mut self, acl: &Acl, prefix: &str) {
        self.tell('-', acl, prefix);
    }

    fn tell(&mut self, what: char, acl: &Acl, prefix: &str) {
        let name = acl.name.replacen("wireroom.", &format!("{prefix}."), 1);
        let (pattern, name) = match name.strip_suffix('*') {
            Some(start) => ("PREFIXED", start),
            None => ("LITERAL", name.as_str()),
        };
        let resource = acl.resource.replace('-', "_");
        let line = format!("{what} {} {resource} {pattern} {name} {}\n", acl.user, operation(&acl.operation));
        self.admin.stdin.as_mut().expect("a pipe").write_all(line.as_bytes()).expect("it takes lines");
        // The client's log comes the same way.
        let mut answers = self.answers.by_ref().lines().map_while(Result::ok);
        assert!(answers.any(|answer| answer == "done"), "{line}");
    }

    /// A user by SASL: `SCRAM-SHA-512` or `PLAIN`.
    pub fn sasl(&self, mechanism: &str, user: &str) -> Settings {
        let more = [
            ("SECURITY_PROTOCOL", "SASL_SSL".to_owned()),
            ("SASL_MECHANISM", mechanism.to_owned()),
            ("SASL_USERNAME", user.to_owned()),
            ("SASL_PASSWORD", format!("{user}-{SECRET}")),
        ];
        self.settings(self.ports.sasl, &more)
    }

    /// A user by a token of the identity provider (OAUTHBEARER).
    pub fn oauth(&self, user: &str) -> Settings {
        let more = [
            ("SECURITY_PROTOCOL", "SASL_SSL".to_owned()),
            ("SASL_MECHANISM", "OAUTHBEARER".to_owned()),
            ("SASL_OAUTHBEARER_METHOD", "oidc".to_owned()),
            ("SASL_OAUTHBEARER_TOKEN_ENDPOINT_URL", self.tokens.url().to_owned()),
            ("SASL_OAUTHBEARER_CLIENT_ID", user.to_owned()),
            ("SASL_OAUTHBEARER_CLIENT_SECRET", format!("{user}-{SECRET}")),
        ];
        self.settings(self.ports.sasl, &more)
    }

    /// Nobody in particular, who here may do everything.
    pub fn tls(&self) -> Settings {
        self.settings(self.ports.tls, &[("SECURITY_PROTOCOL", "SSL".to_owned())])
    }

    /// The user `CN=reader`, by a certificate.
    pub fn both_ways(&self) -> Settings {
        let more = [
            ("SECURITY_PROTOCOL", "SSL".to_owned()),
            ("SSL_CERTIFICATE_LOCATION", self.file("reader.pem")),
            ("SSL_KEY_LOCATION", self.file("reader.pem")),
        ];
        self.settings(self.ports.both_ways, &more)
    }

    /// The same without the certificate.
    pub fn one_way(&self) -> Settings {
        self.settings(self.ports.both_ways, &[("SECURITY_PROTOCOL", "SSL".to_owned())])
    }

    fn settings(&self, port: u16, more: &[(&str, String)]) -> Settings {
        let ca = ("SSL_CA_LOCATION", self.file("ca.pem"));
        let client = more.iter().chain([&ca]);
        let client = client.map(|(name, value)| (format!("WIREROOM__KAFKA__CLIENT__{name}"), value.clone()));
        let brokers = ("WIREROOM__KAFKA__BROKERS".to_owned(), format!("127.0.0.1:{port}"));
        client.chain([brokers]).collect()
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    /// In the clear, for what a test sets up.
    pub fn broker(&self) -> &Broker {
        &self.broker
    }
}

impl Drop for Secured {
    fn drop(&mut self) {
        let _ = self.admin.kill();
        let _ = self.admin.wait();
    }
}

/// As Kafka names it: `DescribeConfigs` is `DESCRIBE_CONFIGS`.
fn operation(name: &str) -> String {
    name.replace("Configs", "_Configs").to_uppercase()
}

fn users() -> Vec<String> {
    let mut users: Vec<String> = table().into_iter().map(|acl| acl.user).collect();
    users.dedup();
    users
}

fn properties(folder: &Path, ports: Ports, port: u16, controller: u16) -> String {
    let Ports { sasl, tls, both_ways } = ports;
    let file = |name: &str| folder.join(name).display().to_string();
    let plain = "org.apache.kafka.common.security.plain.PlainLoginModule required";
    let scram = "org.apache.kafka.common.security.scram.ScramLoginModule required";
    let oauth = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required";
    let at = |name: &str, port: u16| format!("{name}://127.0.0.1:{port}");
    let listeners =
        [at("PLAINTEXT", port), at("SASL", sasl), at("TLS", tls), at("BOTH", both_ways)].join(",");
    format!(
        "listeners={listeners},{}
advertised.listeners={listeners}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL:SASL_SSL,TLS:SSL,BOTH:SSL
ssl.keystore.type=PEM
ssl.keystore.location={}
ssl.truststore.type=PEM
ssl.truststore.location={}
listener.name.both.ssl.client.auth=required
listener.name.sasl.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-512,OAUTHBEARER
listener.name.sasl.plain.sasl.jaas.config={plain} user_tail=\"tail-{SECRET}\";
listener.name.sasl.scram-sha-512.sasl.jaas.config={scram};
listener.name.sasl.oauthbearer.sasl.jaas.config={oauth};
listener.name.sasl.oauthbearer.connections.max.reauth.ms=3600000
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
allow.everyone.if.no.acl.found=false
super.users=User:ANONYMOUS
",
        at("CONTROLLER", controller),
        file("broker.pem"),
        file("ca.pem"),
    )
}

/// An authority, and what it signed: the broker's certificate and the user's `CN=reader`.
fn write_certificates(folder: &Path) {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.distinguished_name.push(DnType::CommonName, "authority");
    let key = KeyPair::generate().expect("a key");
    let certificate = authority.self_signed(&key).expect("a certificate");
    fs::write(folder.join("ca.pem"), certificate.pem()).expect("it is written");
    let issuer = Issuer::new(authority, key);
    for name in ["broker", "reader"] {
        let mut params = CertificateParams::new(vec![Ipv4Addr::LOCALHOST.to_string()]).expect("a name");
        params.distinguished_name = Default::default();
        params.distinguished_name.push(DnType::CommonName, name);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &issuer).expect("a certificate");
        let both = key.serialize_pem() + &certificate.pem();
        fs::write(folder.join(format!("{name}.pem")), both).expect("it is written");
    }
}
