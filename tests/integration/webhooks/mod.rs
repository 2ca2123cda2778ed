//! Webhooks on real sockets.

mod deliveries;
mod endpoints;
mod limits;
mod tries;

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Bench};

const PATIENCE: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// An endpoint that was added.
struct Endpoint {
    path: String,
    secret: String,
}

impl Endpoint {
    async fn add(bench: &Bench, url: &str, mut body: Value) -> Self {
        body["url"] = json!(url);
        let created = bench.caller.post("/v1/webhook-endpoints", &body).await;
        assert_eq!(created.status, 201, "{:#}", created.body);
        let secret = created.body["secret"].as_str().unwrap().to_owned();
        Endpoint { path: format!("/v1/webhook-endpoints/{}", created.id()), secret }
    }

    async fn read(&self, bench: &Bench) -> Value {
        bench.caller.get(&self.path).await.body
    }

    async fn deliveries(&self, bench: &Bench) -> Vec<Value> {
        let listed = bench.caller.get(&format!("{}/deliveries?limit=200", self.path)).await;
        assert_eq!(listed.status, 200, "{:#}", listed.body);
        listed.body["items"].as_array().unwrap().clone()
    }

    async fn enable(&self, bench: &Bench) {
        let enabled = bench.caller.send_with(Method::PATCH, &self.path, &json!({"enabled": true}), &[]).await;
        assert_eq!((enabled.status, &enabled.body["enabled"]), (200, &json!(true)), "{:#}", enabled.body);
    }

    async fn redeliver(&self, bench: &Bench, id: &str) -> Answer {
        bench.caller.post(&format!("{}/deliveries/{id}/redeliver", self.path), &Value::Null).await
    }
}

/// Makes an event.
async fn happen(bench: &Bench) {
    bench.pause().await;
    bench.resume().await;
}

/// Waits until a question to the ledger is answered with yes.
async fn until(bench: &Bench, question: &'static str) {
    bench.database.wait_until(PATIENCE, question).await;
}

const ALL_SETTLED: &str = "select not exists (select from webhook_deliveries where lease_until is not null)
    and exists (select from webhook_deliveries where attempts > 0)";
const ALL_DELIVERED: &str = "select not exists (select from webhook_deliveries where state <> 'delivered')
    and exists (select from webhook_deliveries)";
