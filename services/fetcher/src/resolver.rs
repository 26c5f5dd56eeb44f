//! Names to public addresses. The answers are checked here, where the connection takes them from: a name that answers
//! otherwise the next time (DNS rebinding) is checked again the next time.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use hickory_resolver::{
    TokioResolver,
    config::{NameServerConfig, ResolverConfig},
    net::{NetError, runtime::TokioRuntimeProvider},
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;
use tracing::warn;

/// Why a name gave no address to connect to.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(crate) enum Unresolved {
    #[error("the host name does not exist")]
    NoSuchHost,
    #[error("{0} is not a public address")]
    Refused(IpAddr),
    #[error("the DNS did not answer: {0}")]
    Dns(String),
}

/// Name servers, asked directly. `None` where there are none: then every look-up fails.
#[derive(Clone)]
pub(crate) struct PublicResolver {
    dns: Arc<Option<TokioResolver>>,
    patience: Duration,
    admits: fn(IpAddr) -> bool,
}

impl PublicResolver {
    /// Asks `servers`, or where none are given those of the system's configuration, which answer within `patience` or not
    /// at all. It has to be less than is allowed for connecting, or a dead DNS would pass for a dead host. Addresses that
    /// `admits` does not take are refused.
    pub(crate) fn new(servers: &[SocketAddr], patience: Duration, admits: fn(IpAddr) -> bool) -> Self {
        let dns = if servers.is_empty() {
            TokioResolver::builder_tokio().and_then(|builder| builder.build())
        } else {
            asking(servers)
        };
        let dns = dns.inspect_err(|error| warn!(%error, "no name servers: names cannot be resolved")).ok();
        Self { dns: Arc::new(dns), patience, admits }
    }
}

fn asking(servers: &[SocketAddr]) -> Result<TokioResolver, NetError> {
    let server = |address: &SocketAddr| {
        let mut server = NameServerConfig::udp_and_tcp(address.ip());
        server.connections.iter_mut().for_each(|connection| connection.port = address.port());
        server
    };
    let config = ResolverConfig::from_name_servers(servers.iter().map(server).collect());
    TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).build()
}

impl PublicResolver {
    /// The addresses of a name that may be connected to; at least one.
    pub(crate) async fn look_up(&self, name: &str) -> Result<Vec<IpAddr>, Unresolved> {
        let looked_up = tokio::time::timeout(self.patience, look_up((*self.dns).as_ref(), name)).await;
        let silent = |_| Unresolved::Dns(format!("nothing within {:?}", self.patience));
        admitted(looked_up.map_err(silent)??, self.admits)
    }
}

impl Resolve for PublicResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let addresses = resolver.look_up(name.as_str()).await?;
            Ok(Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0))) as Addrs)
        })
    }
}

async fn look_up(dns: Option<&TokioResolver>, name: &str) -> Result<Vec<IpAddr>, Unresolved> {
    let dns = dns.ok_or_else(|| Unresolved::Dns("the system names no name servers".to_owned()))?;
    // The final dot keeps the system's search domains out: `intranet` is not to become `intranet.corp.example`.
    match dns.lookup_ip(format!("{}.", name.trim_end_matches('.'))).await {
        Ok(found) => Ok(found.iter().collect()),
        Err(error) if error.is_nx_domain() || error.is_no_records_found() => Err(Unresolved::NoSuchHost),
        Err(error) => Err(Unresolved::Dns(error.to_string())),
    }
}

/// Those that may be connected to; an error where there are none.
fn admitted(addresses: Vec<IpAddr>, admits: fn(IpAddr) -> bool) -> Result<Vec<IpAddr>, Unresolved> {
    let (admitted, refused): (Vec<_>, Vec<_>) = addresses.into_iter().partition(|&address| admits(address));
    match refused.first() {
        _ if !admitted.is_empty() => Ok(admitted),
        Some(address) => Err(Unresolved::Refused(*address)),
        None => Err(Unresolved::NoSuchHost),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_answers_are_handed_on() {
        let ip = |text: &str| text.parse::<IpAddr>().unwrap();
        let [public, private, mapped] = [ip("93.184.215.14"), ip("10.0.0.1"), ip("::ffff:169.254.169.254")];
        assert_eq!(admitted(vec![private, public], crawl::is_public), Ok(vec![public]));
        assert_eq!(admitted(vec![mapped], crawl::is_public), Err(Unresolved::Refused(mapped)));
        assert_eq!(admitted(vec![private], |_| true), Ok(vec![private]));
        assert_eq!(admitted(vec![], |_| true), Err(Unresolved::NoSuchHost));
    }
}
