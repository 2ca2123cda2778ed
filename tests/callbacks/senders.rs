//! Those who call: several at once, each with its own orders, and each until it is answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use reqwest::Method;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::PATIENCE;
use super::harness::Caller;
use super::life::Call;

const SENDERS: usize = 16;

pub struct Senders {
    tasks: JoinSet<()>,
    shared: Arc<Shared>,
}

struct Shared {
    caller: Caller,
    /// Where the gateway is, and which one it is
    gateway: watch::Sender<(usize, String)>,
    answered: watch::Sender<usize>,
    sent: AtomicUsize,
}

/// What was sent in all.
pub struct Sent {
    pub sent: usize,
    /// Of these, because no answer came
    pub again: usize,
}

impl Senders {
    /// Begins to make the calls. Those of an order are made one after another by one sender, repetitions by another.
    pub fn start(base_url: &str, calls: Vec<Call>) -> Self {
        let shared = Arc::new(Shared {
            caller: Caller::new(String::new(), None),
            gateway: watch::Sender::new((0, base_url.to_owned())),
            answered: watch::Sender::new(0),
            sent: AtomicUsize::new(0),
        });
        let mut of_each: BTreeMap<usize, Vec<Call>> = BTreeMap::new();
        for call in calls {
            of_each.entry((call.life + usize::from(call.repeats)) % SENDERS).or_default().push(call);
        }
        let mut tasks = JoinSet::new();
        for calls in of_each.into_values() {
            let shared = Arc::clone(&shared);
            tasks.spawn(async move {
                for call in &calls {
                    shared.make(call).await;
                }
            });
        }
        Senders { tasks, shared }
    }

    pub async fn until_answered(&self, count: usize) {
        let mut answered = self.shared.answered.subscribe();
        let reached = answered.wait_for(|answered| *answered >= count);
        tokio::time::timeout(PATIENCE, reached).await.expect("callbacks are not answered").unwrap();
    }

    /// There is another gateway.
    pub fn go_on_at(&self, base_url: &str) {
        self.shared.gateway.send_modify(|(generation, url)| {
            *generation += 1;
            base_url.clone_into(url);
        });
    }

    /// Waits until all calls are answered.
    pub async fn end(mut self) -> Sent {
        while let Some(ended) = self.tasks.join_next().await {
            ended.unwrap();
        }
        let sent = self.shared.sent.load(Ordering::Relaxed);
        Sent { sent, again: sent - *self.shared.answered.borrow() }
    }
}

impl Shared {
    /// Makes a call until it is answered. One that is not is made again as soon as there is another gateway; while there
    /// is one, each is answered.
    async fn make(&self, call: &Call) {
        let mut gateway = self.gateway.subscribe();
        loop {
            let (generation, base_url) = gateway.borrow_and_update().clone();
            self.sent.fetch_add(1, Ordering::Relaxed);
            match self.post(&format!("{base_url}{}", call.path), call.body.clone()).await {
                Ok((status, answer)) => {
                    let taken: Value = serde_json::from_str(&answer).unwrap_or_default();
                    assert_eq!((status, &taken["code"]), (200, &Value::from(200)), "{answer}");
                    self.answered.send_modify(|answered| *answered += 1);
                    return;
                }
                Err(error) => {
                    let next = gateway.wait_for(|(known, _)| *known > generation);
                    let next = tokio::time::timeout(PATIENCE, next).await;
                    assert!(next.is_ok(), "no answer from a gateway that runs: {error}");
                }
            }
        }
    }

    async fn post(&self, url: &str, body: String) -> Result<(u16, String), reqwest::Error> {
        let request = self.caller.request(Method::POST, url).header("content-type", "application/json");
        let response = request.body(body).send().await?;
        Ok((response.status().as_u16(), response.text().await?))
    }
}
