//! Sends one delivery.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

use crate::reach::{self, AllowedNetworks, GuardedResolver};

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
        let url = reach::check(url, &self.networks).map_err(|bad| format!("the URL {bad}"))?;
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
        .dns_resolver(GuardedResolver::new(networks))
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
