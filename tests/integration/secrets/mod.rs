//! Secrets: sealed with keys that can be changed, and found in nothing that comes out.

mod callback_token;
mod canary;
mod improper;
mod keys;
mod mirror;
mod needles;
mod outlets;
mod rotation;

use std::time::Duration;

use onelane::sandbox::CallBack;
use serde_json::{Value, json};

use crate::harness::{Answer, Bench, Caller, TestDatabase, send};

/// A confirmation of the simulated warehouse, signed and addressed as it would make it.
fn confirmation(bench: &Bench, number: &str) -> CallBack {
    let simulator = bench.simulator_of("hongxun");
    let calling = simulator.calling().unwrap();
    calling.tell(json!({"customerNumber": number, "totalQuantity": 10, "actualQuantity": 10})).unwrap();
    calling.due().remove(0)
}

async fn post(url: &str, body: impl Into<reqwest::Body>) -> Answer {
    let caller = Caller::new(String::new(), None);
    send(caller.request(reqwest::Method::POST, url).header("content-type", "application/json").body(body)).await
}

/// Adds a webhook endpoint; gives its path and its secret.
async fn add_endpoint(caller: &Caller, url: &str) -> (String, String) {
    let created = caller.post("/v1/webhook-endpoints", &json!({"url": url})).await;
    assert_eq!(created.status, 201, "{:#}", created.body);
    (format!("/v1/webhook-endpoints/{}", created.id()), text(&created.body["secret"]))
}

/// Lets the time pass that the gateway rests before it asks again for a subscription: on a busy machine a slot of the
/// quota may have been missed.
async fn try_again(database: &TestDatabase) {
    if database.count("select count(*) from subscriptions where error is not null and due_at > onelane_now()").await > 0
    {
        database.advance(Duration::from_secs(301)).await;
    }
    tokio::task::yield_now().await;
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value:#}")).to_owned()
}
