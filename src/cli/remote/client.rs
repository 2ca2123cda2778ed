//! The one place of the command line that calls a gateway.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response, Url};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tokio::time::Instant;

use super::RemoteProblem;
use crate::cli::exit::{Failure, bad_input};

/// For a connection to be made.
const CONNECT: Duration = Duration::from_secs(10);
/// For an answer; the gateway itself gives up a request after 120 seconds.
const ANSWER: Duration = Duration::from_secs(130);
/// Longer than the silence of an event stream.
const SILENCE: Duration = Duration::from_secs(45);
/// How long a gateway may say that requests come too often before that is told.
const TOO_OFTEN: Duration = Duration::from_secs(60);

/// Which gateway, and who calls.
#[derive(Debug, clap::Args)]
pub struct RemoteArguments {
    /// Where the gateway is reached
    #[arg(long, env = "ONELANE_URL", default_value = "http://127.0.0.1:8080", global = true)]
    url: String,
    /// A file that holds the API key; without it ONELANE_API_KEY counts
    #[arg(long, env = "ONELANE_API_KEY_FILE", value_name = "FILE", global = true)]
    api_key_file: Option<PathBuf>,
}

/// A gateway, and the API key it is called with.
pub struct Gateway {
    client: reqwest::Client,
    streaming: reqwest::Client,
    url: Url,
    authorization: HeaderValue,
}

/// What came back.
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    /// Null when there is none; a text when it is no JSON
    pub body: Value,
}

/// A request to be made.
pub struct Call<'a> {
    method: Method,
    path: &'a str,
    query: Vec<(&'a str, String)>,
    headers: Vec<(&'static str, String)>,
    body: Option<(&'static str, Vec<u8>)>,
}

impl<'a> Call<'a> {
    fn new(method: Method, path: &'a str) -> Self {
        Call { method, path, query: Vec::new(), headers: Vec::new(), body: None }
    }

    pub fn get(path: &'a str) -> Self {
        Self::new(Method::GET, path)
    }

    pub fn delete(path: &'a str) -> Self {
        Self::new(Method::DELETE, path)
    }

    pub fn post(path: &'a str, body: Vec<u8>) -> Self {
        Call { body: Some(("application/json", body)), ..Self::new(Method::POST, path) }
    }

    /// A merge patch.
    pub fn patch(path: &'a str, changes: &Value) -> Self {
        let body = changes.to_string().into_bytes();
        Call { body: Some(("application/merge-patch+json", body)), ..Self::new(Method::PATCH, path) }
    }

    #[must_use]
    pub fn query(mut self, name: &'a str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

impl Gateway {
    pub fn of(arguments: &RemoteArguments) -> anyhow::Result<Self> {
        let RemoteArguments { url, api_key_file } = arguments;
        let parsed = Url::parse(url).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        let parsed = parsed.ok_or_else(|| bad_input(format!("{url} is no URL of a gateway, like https://host")))?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(bad_input("the URL must not hold credentials; the API key is given by ONELANE_API_KEY"));
        }
        let key = api_key(api_key_file.as_deref())?;
        let mut authorization = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()))
            .map_err(|_| bad_input("the API key has characters that no key has"))?;
        authorization.set_sensitive(true);
        let client = builder().timeout(ANSWER).build().context("no HTTP client can be made")?;
        let streaming = builder().read_timeout(SILENCE).build().context("no HTTP client can be made")?;
        Ok(Gateway { client, streaming, url: parsed, authorization })
    }

    /// Makes a call and reads its answer. What is no success is a refusal; a key that comes too often comes again
    /// when it may.
    pub async fn ask(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let begun = Instant::now();
        loop {
            let answer = self.ask_once(call).await?;
            match answer.retry_after() {
                Some(wait) if answer.status == 429 && begun.elapsed() + wait < TOO_OFTEN => {
                    tokio::time::sleep(wait).await;
                }
                _ => return answer.success(),
            }
        }
    }

    /// Makes a call and reads its answer, whatever it is.
    pub async fn ask_once(&self, call: &Call<'_>) -> Result<Answer, Failure> {
        let response = self.send(&self.client, call).await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let body = response.bytes().await.map_err(|error| self.unreachable(&error))?;
        let body = match serde_json::from_slice(&body) {
            Ok(body) => body,
            Err(_) if body.is_empty() => Value::Null,
            Err(_) => Value::String(String::from_utf8_lossy(&body).into_owned()),
        };
        Ok(Answer { status, headers, body })
    }

    /// Opens a stream, which is read as it comes.
    pub async fn open(&self, call: &Call<'_>) -> Result<Response, Failure> {
        let response = self.send(&self.streaming, call).await?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let body = response.bytes().await.unwrap_or_default();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        Err(Failure::Refused(Box::new(RemoteProblem::of(status, &body))))
    }

    /// Every item of a list, page after page.
    pub async fn all(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<Value>, Failure> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut call = Call::get(path).query("limit", "200");
            for (name, value) in query {
                call = call.query(name, *value);
            }
            if let Some(cursor) = &cursor {
                call = call.query("cursor", cursor.clone());
            }
            let page = self.ask(&call).await?.body;
            items.extend(page["items"].as_array().into_iter().flatten().cloned());
            match page["nextCursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(items),
            }
        }
    }

    async fn send(&self, client: &reqwest::Client, call: &Call<'_>) -> Result<Response, Failure> {
        let Call { method, path, query, headers, body } = call;
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.url.path().trim_end_matches('/')));
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let mut request = client.request(method.clone(), url).header(AUTHORIZATION, self.authorization.clone());
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if let Some((content_type, body)) = body {
            request = request.header(CONTENT_TYPE, *content_type).body(body.clone());
        }
        request.send().await.map_err(|error| self.unreachable(&error))
    }

    fn unreachable(&self, error: &reqwest::Error) -> Failure {
        let mut cause: &dyn std::error::Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        let words = if error.is_timeout() { "it did not answer in time".to_owned() } else { cause.to_string() };
        Failure::Unreachable(format!(
            "the gateway at {} cannot be reached: {words}; --url or ONELANE_URL says where it is",
            self.url
        ))
    }
}

#[expect(clippy::disallowed_methods, reason = "it calls this gateway, and no provider")]
fn builder() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(CONNECT)
        // A key does not follow where another address sends it.
        .redirect(reqwest::redirect::Policy::none())
        .user_agent(concat!("onelane/", env!("CARGO_PKG_VERSION")))
}

/// The key: from its file, else from the environment. Never from the command line, which others see.
fn api_key(file: Option<&Path>) -> anyhow::Result<SecretString> {
    let key = match file {
        Some(path) => std::fs::read_to_string(path)
            .map_err(|error| bad_input(format!("the API key in {} cannot be read: {error}", path.display())))?,
        None => std::env::var("ONELANE_API_KEY").unwrap_or_default(),
    };
    match key.trim() {
        "" => Err(bad_input("an API key is needed: set ONELANE_API_KEY, or name a file with --api-key-file")),
        key => Ok(SecretString::from(key)),
    }
}

impl Answer {
    /// The answer, if it is a success.
    pub fn success(self) -> Result<Self, Failure> {
        if (200..300).contains(&self.status) { Ok(self) } else { Err(Failure::Refused(Box::new(self.problem()))) }
    }

    pub fn problem(&self) -> RemoteProblem {
        RemoteProblem::of(self.status, &self.body)
    }

    /// When the gateway wants to be asked again.
    pub fn retry_after(&self) -> Option<Duration> {
        let seconds = self.headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
        Some(Duration::from_secs(seconds))
    }

    pub fn is_replay(&self) -> bool {
        self.headers.get("idempotency-replayed").is_some_and(|value| value == "true")
    }
}

/// A part of a path that somebody typed.
pub fn path_segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => segment.push(char::from(byte)),
            _ => {
                let _ = write!(segment, "%{byte:02X}");
            }
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::path_segment;

    #[test]
    fn what_somebody_typed_stays_one_part_of_a_path() {
        assert_eq!(path_segment("acme-1"), "acme-1");
        assert_eq!(path_segment("../x?y#ü"), "..%2Fx%3Fy%23%C3%BC");
    }
}
