//! One request to a provider, bounded in time and size. The only place that does provider I/O.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderValue, InvalidHeaderValue};

use crate::provider::{Mask, Request};
use crate::reach::{self, AllowedNetworks, BadTarget, GuardedResolver};

/// The longest answer that is read.
const MOST_ANSWER_BYTES: usize = 8 * 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The HTTP client for providers.
#[derive(Debug, Clone)]
pub struct Sender {
    client: reqwest::Client,
    /// For this machine, which no proxy reaches
    direct: reqwest::Client,
    networks: Arc<AllowedNetworks>,
}

/// An answer as it came.
pub struct Received {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub retry_after: Option<Duration>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum SendError {
    #[error("the HTTP client cannot be set up: {0}")]
    SetUp(reqwest::Error),
    #[error("nothing was sent: {0}")]
    NotSent(String),
    #[error("no whole answer came: {0}")]
    NoAnswer(String),
    #[error("the answer is longer than {MOST_ANSWER_BYTES} bytes")]
    TooLong,
}

impl SendError {
    /// The same, without what it may repeat of the request.
    pub(super) fn masked(self, mask: &Mask) -> Self {
        match self {
            SendError::NotSent(words) => SendError::NotSent(mask.text(&words)),
            SendError::NoAnswer(words) => SendError::NoAnswer(mask.text(&words)),
            other @ (SendError::SetUp(_) | SendError::TooLong) => other,
        }
    }
}

impl Sender {
    pub fn new(networks: Arc<AllowedNetworks>) -> Result<Self, SendError> {
        Ok(Sender {
            client: guarded(&networks).build().map_err(SendError::SetUp)?,
            direct: guarded(&networks).no_proxy().build().map_err(SendError::SetUp)?,
            networks,
        })
    }

    /// Whether something may be sent to a URL, as far as can be told without asking for its name's addresses.
    pub fn check(&self, url: &reqwest::Url) -> Result<(), BadTarget> {
        reach::check_address(url, &self.networks)
    }

    fn client_for(&self, url: &reqwest::Url) -> &reqwest::Client {
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
        let loopback = host.parse::<std::net::IpAddr>().map_or(host == "localhost", |address| address.is_loopback());
        if loopback { &self.direct } else { &self.client }
    }

    /// Sends a request and reads the whole answer within `deadline`.
    pub async fn send(&self, request: &Request, deadline: Duration) -> Result<Received, SendError> {
        let method = reqwest::Method::from_bytes(request.method.as_bytes())
            .map_err(|error| SendError::NotSent(error.to_string()))?;
        let url = reqwest::Url::parse(&request.url).map_err(|error| SendError::NotSent(error.to_string()))?;
        self.check(&url).map_err(|bad| SendError::NotSent(format!("the address {bad}")))?;
        let client = self.client_for(&url);
        let mut builder = client.request(method, url).timeout(deadline).body(request.body.clone());
        for (name, value) in &request.headers {
            let value = header_value(request, name, value).map_err(|error| SendError::NotSent(error.to_string()))?;
            builder = builder.header(*name, value);
        }
        let mut response = builder.send().await.map_err(describe)?;
        let headers: Vec<(String, String)> = response
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
            .collect();
        let retry_after = response
            .headers()
            .get(reqwest::header::RETRY_AFTER)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.trim().parse().ok())
            .map(|seconds: u64| Duration::from_secs(seconds.min(3600)));
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(describe)? {
            if body.len() + chunk.len() > MOST_ANSWER_BYTES {
                return Err(SendError::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Received { status, headers, body, retry_after })
    }
}

/// A client that reaches what it may alone, never follows, never repeats, and gives up in time. Through a proxy it
/// reaches what the proxy may, whose own name is looked up here.
#[expect(clippy::disallowed_methods, reason = "every client of a provider comes from here, with its guards")]
fn guarded(networks: &Arc<AllowedNetworks>) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .dns_resolver(GuardedResolver::new(Arc::clone(networks)))
        .user_agent(concat!("onelane/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(CONNECT_TIMEOUT)
        // A redirect would carry credentials elsewhere.
        .redirect(reqwest::redirect::Policy::none())
        // A request that goes twice must be our own decision, on record.
        .retry(reqwest::retry::never())
        .pool_idle_timeout(Duration::from_secs(30))
}

/// A header's value; one that is secret is shown by no log.
fn header_value(request: &Request, name: &str, value: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let mut written = HeaderValue::from_str(value)?;
    written.set_sensitive(request.secret_headers.iter().any(|secret| secret.eq_ignore_ascii_case(name)));
    Ok(written)
}

/// Tells apart what never left from what may have arrived. The address is not repeated: it may hold a token.
fn describe(error: reqwest::Error) -> SendError {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    if error.is_connect() || error.is_builder() { SendError::NotSent(words) } else { SendError::NoAnswer(words) }
}
