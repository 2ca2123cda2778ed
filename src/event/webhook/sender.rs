//! Sends one delivery. The addresses of a name are checked when it is connected to, by the resolver that the client
//! itself uses: a name that leads elsewhere a moment after it was checked gains nothing.

use std::error::Error;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::networks::AllowedNetworks;
use super::target;

/// The longest that a delivery may take, from looking the name up to the status of the answer.
const DEADLINE: Duration = Duration::from_secs(15);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest wait that an endpoint may ask for.
const LONGEST_RETRY_AFTER: u64 = 3_600;
/// Answers no longer than this are read, so that the connection can serve again; what they say does not matter.
const MOST_ANSWER_BYTES: u64 = 16 * 1024;
/// How long reading one may take.
const READING: Duration = Duration::from_secs(1);

/// The HTTP client for webhooks.
#[derive(Debug, Clone)]
pub struct Sender {
    client: reqwest::Client,
    networks: Arc<AllowedNetworks>,
}

/// What an endpoint said.
pub struct Answered {
    pub status: u16,
    pub retry_after: Option<Duration>,
}

impl Sender {
    pub fn new(networks: Arc<AllowedNetworks>) -> Result<Self, reqwest::Error> {
        Ok(Sender { client: guarded(Arc::clone(&networks))?, networks })
    }

    /// Posts a body; gives the status of the answer, or why there is none.
    pub async fn post(&self, url: &str, headers: HeaderMap, body: Vec<u8>) -> Result<Answered, String> {
        let url = target::check(url, &self.networks).map_err(|bad| format!("the URL {bad}"))?;
        let request = self.client.post(url).headers(headers).body(body);
        let response = request.send().await.map_err(|error| words(error.without_url()))?;
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(|seconds: u64| Duration::from_secs(seconds.min(LONGEST_RETRY_AFTER)));
        if response.content_length().is_some_and(|length| length <= MOST_ANSWER_BYTES) {
            // Whatever becomes of it, the status is here.
            let _ = tokio::time::timeout(READING, response.bytes()).await;
        }
        Ok(Answered { status, retry_after })
    }
}

/// A client that reaches what it may alone, never follows, never repeats, and gives up in time.
#[expect(clippy::disallowed_methods, reason = "the client of webhooks, with guards of its own")]
fn guarded(networks: Arc<AllowedNetworks>) -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .user_agent(concat!("onelane/", env!("CARGO_PKG_VERSION")))
        .dns_resolver(GuardedResolver { networks })
        // A proxy would look names up by itself, and reach what this machine must not.
        .no_proxy()
        .timeout(DEADLINE)
        .connect_timeout(CONNECT_TIMEOUT)
        // A redirect would take events to where nobody agreed to.
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_gzip()
        .pool_idle_timeout(Duration::from_secs(30))
        .build()
}

/// Gives a name's addresses to the connector, but for those that must not be reached.
struct GuardedResolver {
    networks: Arc<AllowedNetworks>,
}

/// A name that leads to no address that may be reached.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("the name has no address")]
    NoAddress,
    #[error(
        "the name leads to networks that are not public; the operator allows such networks with ONELANE_ALLOWED_NETWORKS"
    )]
    NotPublic,
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let networks = Arc::clone(&self.networks);
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Vec<IpAddr> = found.map(|address| address.ip()).collect();
            let permitted = permitted(&addresses, &networks)?;
            let permitted = permitted.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(permitted) as Addrs)
        })
    }
}

fn permitted(addresses: &[IpAddr], networks: &AllowedNetworks) -> Result<Vec<IpAddr>, Refused> {
    if addresses.is_empty() {
        return Err(Refused::NoAddress);
    }
    let permitted: Vec<IpAddr> = addresses.iter().copied().filter(|address| networks.permit(*address)).collect();
    if permitted.is_empty() { Err(Refused::NotPublic) } else { Ok(permitted) }
}

/// An error with its causes.
fn words(error: impl Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_name_that_leads_to_several_addresses_only_those_that_may_be_reached_are_dialled() {
        let networks = AllowedNetworks::default();
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<IpAddr>>();
        let mixed = addresses(&["10.0.0.1", "1.1.1.1", "::1"]);
        assert_eq!(permitted(&mixed, &networks).unwrap(), addresses(&["1.1.1.1"]));
        assert!(matches!(permitted(&addresses(&["10.0.0.1", "fe80::1"]), &networks), Err(Refused::NotPublic)));
        assert!(matches!(permitted(&[], &networks), Err(Refused::NoAddress)));
    }

    #[tokio::test]
    async fn a_name_is_judged_by_where_it_leads_when_it_is_dialled() {
        let resolve = async |networks: AllowedNetworks| {
            GuardedResolver { networks: Arc::new(networks) }.resolve("localhost".parse().unwrap()).await
        };
        assert!(resolve(AllowedNetworks::default()).await.is_err());
        let found: Vec<SocketAddr> = resolve(AllowedNetworks::loopback()).await.unwrap().collect();
        assert!(!found.is_empty() && found.iter().all(|address| address.ip().is_loopback()), "{found:?}");
    }
}
