//! A provider with sessions, lookups, trips and live reads: 3TMS through a whole gateway.

mod callbacks;
mod changes;
mod doubts;
mod lanes;
mod life;
mod live;
mod resends;
mod sessions;
mod subscriptions;
mod trips;
mod whole_life;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Bench, order};

const PROVIDER: &str = "ttms";
const ACCOUNT: &str = "ttms-demo";

/// The order of the other tests, for this account.
fn transport_order(number: &str) -> Value {
    let mut order = order(number);
    order["account"] = json!(ACCOUNT);
    order
}

/// An acceptance order.
fn customer_order(number: &str) -> Value {
    let mut order = transport_order(number);
    order["documentType"] = json!("customer_order");
    order
}

/// Creates an order and expects that the provider takes it.
async fn placed(bench: &Bench, order: &Value) -> Answer {
    let placed = bench.caller.place(order).await;
    assert_eq!(placed.status, 201, "{:#}", placed.body);
    assert_eq!(placed.body["submission"]["state"], "accepted", "{:#}", placed.body);
    placed
}

/// PATCH, and waits for the end.
async fn patch(bench: &Bench, id: &str, change: &Value) -> Answer {
    bench.caller.send_with(Method::PATCH, &format!("/v1/orders/{id}"), change, &[("prefer", "wait=30")]).await
}

async fn cancel(bench: &Bench, id: &str) -> Answer {
    bench.caller.post_with(&format!("/v1/orders/{id}/cancel"), &Value::Null, &[("prefer", "wait=30")]).await
}

/// Has the provider call the account no more: the gateway hears of orders by asking only. The demo account can be
/// called, so it was subscribed by itself.
async fn deafen(bench: &Bench) {
    subscriptions::until(bench, subscriptions::ALL_BY_ITSELF).await;
    for topic in ["orders", "trips", "customer-orders"] {
        let path = format!("/v1/accounts/{ACCOUNT}/subscriptions/{topic}");
        assert_eq!(bench.caller.delete(&path).await.status, 204);
    }
}

/// What the simulator holds under one of our numbers, or references.
fn held(bench: &Bench, number: &str) -> Vec<Value> {
    let books = bench.simulator_of(PROVIDER).books(Some(number));
    books.iter().map(|entry| serde_json::to_value(entry).unwrap()).collect()
}

fn requests(bench: &Bench, endpoint: &str) -> u64 {
    bench.arrived(PROVIDER, endpoint).map_or(0, |reading| reading.requests)
}

/// Gives the account another throttle, so that a test need not wait for an hour.
async fn unthrottle(bench: &Bench, endpoints: &[&str]) {
    let throttles: serde_json::Map<String, Value> = endpoints
        .iter()
        .map(|endpoint| ((*endpoint).to_owned(), json!({"requests": 100_000, "windowSeconds": 60})))
        .collect();
    let path = format!("/v1/accounts/{ACCOUNT}");
    let changed = bench.caller.send_with(Method::PATCH, &path, &json!({"throttles": throttles}), &[]).await;
    assert_eq!(changed.status, 200, "{:#}", changed.body);
}
