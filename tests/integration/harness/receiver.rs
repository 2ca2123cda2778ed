//! An application that receives webhooks, on a real socket, and answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use standardwebhooks::Webhook;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

/// How long a test waits for a webhook.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a receiver does with a webhook.
#[derive(Debug, Clone)]
pub enum Reply {
    Status(u16),
    WithHeader(u16, &'static str, String),
    /// As a provider answers.
    Body(&'static str, Vec<u8>),
    /// Takes it and says nothing.
    Silence,
}

/// A webhook as it came.
#[derive(Debug, Clone)]
pub struct Webhooked {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Webhooked {
    pub fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }

    /// The event's id.
    pub fn id(&self) -> &str {
        self.header("webhook-id")
    }

    pub fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// Whether it is signed with this secret, by an implementation that is not ours, and came in time.
    pub fn is_signed_with(&self, secret: &str) -> bool {
        Webhook::new(secret).unwrap().verify(&self.body, &self.headers).is_ok()
    }

    /// The same, whenever it came.
    pub fn was_signed_with(&self, secret: &str) -> bool {
        let timestamp = self.header("webhook-timestamp").parse().unwrap();
        let signature = Webhook::new(secret).unwrap().sign(self.id(), timestamp, &self.body).unwrap();
        self.header("webhook-signature").split(' ').any(|part| part == signature)
    }
}

/// The receiver.
pub struct Receiver {
    pub url: String,
    received: mpsc::UnboundedReceiver<Webhooked>,
    answering: Arc<Answering>,
}

struct Answering {
    sender: mpsc::UnboundedSender<Webhooked>,
    next: Mutex<VecDeque<Reply>>,
    otherwise: Mutex<Reply>,
}

impl Receiver {
    /// One that answers 200.
    pub async fn start() -> Self {
        let (sender, received) = mpsc::unbounded_channel();
        let answering =
            Arc::new(Answering { sender, next: Mutex::default(), otherwise: Mutex::new(Reply::Status(200)) });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let app = Router::new().fallback(answer).with_state(Arc::clone(&answering));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Receiver { url, received, answering }
    }

    /// Answers the next ones so, in this order.
    pub fn answer_next(&self, replies: impl IntoIterator<Item = Reply>) {
        self.answering.next.lock().unwrap().extend(replies);
    }

    /// Answers those so for which nothing else is said.
    pub fn answer_with(&self, reply: Reply) {
        *self.answering.otherwise.lock().unwrap() = reply;
    }

    /// The next webhook; fails when none comes within a while.
    pub async fn next(&mut self) -> Webhooked {
        tokio::time::timeout(PATIENCE, self.received.recv()).await.expect("no webhook came").unwrap()
    }

    /// What came and was not looked at yet.
    pub fn came(&mut self) -> Vec<Webhooked> {
        std::iter::from_fn(|| self.received.try_recv().ok()).collect()
    }
}

async fn answer(State(answering): State<Arc<Answering>>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let next = answering.next.lock().unwrap().pop_front();
    let reply = next.unwrap_or_else(|| answering.otherwise.lock().unwrap().clone());
    // Whoever looks may be gone.
    let _ = answering.sender.send(Webhooked { path: uri.path().to_owned(), headers, body });
    match reply {
        Reply::Status(status) => StatusCode::from_u16(status).unwrap().into_response(),
        Reply::WithHeader(status, name, value) => {
            (StatusCode::from_u16(status).unwrap(), [(name, value)]).into_response()
        }
        Reply::Body(content_type, body) => ([("content-type", content_type)], body).into_response(),
        Reply::Silence => std::future::pending().await,
    }
}
