//! An internal application that calls the gateway.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;
use uuid::Uuid;

/// Someone with an API key.
#[derive(Clone)]
pub struct Caller {
    client: Client,
    base_url: String,
    key: Option<String>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Caller {
    #[expect(clippy::disallowed_methods, reason = "a caller of the gateway, not a client of a provider")]
    pub fn new(base_url: String, key: Option<&str>) -> Self {
        Self::over(Client::new(), base_url, key)
    }

    /// The same, with a client of its own.
    pub fn over(client: Client, base_url: String, key: Option<&str>) -> Self {
        Caller { client, base_url, key: key.map(str::to_owned) }
    }

    /// The same gateway with another key.
    pub fn with_key(&self, key: &str) -> Self {
        Caller { key: Some(key.to_owned()), ..self.clone() }
    }

    /// The same gateway without a key.
    pub fn without_key(&self) -> Self {
        Caller { key: None, ..self.clone() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.base_url));
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    pub async fn get(&self, path: &str) -> Answer {
        send(self.request(Method::GET, path)).await
    }

    pub async fn delete(&self, path: &str) -> Answer {
        send(self.request(Method::DELETE, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.post_with(path, body, &[]).await
    }

    /// POST with further headers.
    pub async fn post_with(&self, path: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        self.send_with(Method::POST, path, body, headers).await
    }

    pub async fn send_with(&self, method: Method, path: &str, body: &Value, headers: &[(&str, &str)]) -> Answer {
        let mut request = self.request(method, path).body(body.to_string());
        if headers.iter().all(|(name, _)| *name != "content-type") {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        send(request).await
    }

    /// POST of bytes as they are.
    pub async fn post_bytes(&self, path: &str, content_type: &str, body: impl Into<reqwest::Body>) -> Answer {
        send(self.request(Method::POST, path).header("content-type", content_type).body(body)).await
    }

    /// POST of a JSON text as it is, with an `Idempotency-Key`.
    pub async fn post_text(&self, path: &str, text: String, key: &str) -> Answer {
        let request = self.request(Method::POST, path).header("content-type", "application/json");
        send(request.header("idempotency-key", key).body(text)).await
    }

    /// Creates an order and waits for its end.
    pub async fn place(&self, order: &Value) -> Answer {
        self.post_with("/v1/orders", order, &[("prefer", "wait=30")]).await
    }
}

pub async fn send(request: RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let text = response.text().await.unwrap();
    let body = if text.is_empty() { Value::Null } else { serde_json::from_str(&text).unwrap_or(Value::String(text)) };
    Answer { status, headers, body }
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Checks the form of a problem document and its status and type; gives the pointers and codes of its
    /// errors.
    pub fn problem(&self, status: u16, kind: &str) -> Vec<(String, String)> {
        assert_eq!(self.status, status, "{:#}", self.body);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.body["type"], format!("/problems/{kind}"), "{:#}", self.body);
        assert_eq!(self.body["status"], status);
        for member in ["title", "detail", "instance", "requestId"] {
            assert!(self.body[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {:#}", self.body);
        }
        assert_eq!(self.header("x-request-id"), self.body["requestId"].as_str());
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        errors
            .iter()
            .map(|error| {
                for member in ["detail", "detailZh"] {
                    assert!(error[member].as_str().is_some_and(|text| !text.is_empty()), "{error}");
                }
                (error["pointer"].as_str().unwrap().to_owned(), error["code"].as_str().unwrap().to_owned())
            })
            .collect()
    }

    /// The latest submission's id of an order in an answer.
    pub fn submission(&self) -> Uuid {
        self.body["submission"]["id"].as_str().unwrap_or_else(|| panic!("{:#}", self.body)).parse().unwrap()
    }

    pub fn id(&self) -> &str {
        self.body["id"].as_str().unwrap_or_else(|| panic!("{:#}", self.body))
    }
}
