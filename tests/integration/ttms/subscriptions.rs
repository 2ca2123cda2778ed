//! Subscriptions: by a caller's wish, and by the gateway itself.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{ACCOUNT, PROVIDER, deafen, placed, requests, transport_order};
use crate::harness::{Answer, Bench};

/// The demo account can be called, so it is subscribed to everything without being told to.
pub const ALL_BY_ITSELF: &str = "select count(*) = 3 from subscriptions where subscribed_at is not null and automatic";

fn path(topic: &str) -> String {
    format!("/v1/accounts/{ACCOUNT}/subscriptions/{topic}")
}

async fn put(bench: &Bench, topic: &str, wish: Value) -> Answer {
    bench.caller.send_with(Method::PUT, &path(topic), &wish, &[]).await
}

async fn holdings(bench: &Bench) -> Value {
    bench.control().get(&format!("/control/{PROVIDER}/holdings")).await.body
}

#[tokio::test]
async fn an_account_is_subscribed_on_a_callers_wish() {
    let bench = Bench::start().await;
    until(&bench, ALL_BY_ITSELF).await;
    let account = format!("/v1/accounts/{ACCOUNT}");
    let change = json!({"publicCallbackUrl": null});
    assert_eq!(bench.caller.send_with(Method::PATCH, &account, &change, &[]).await.status, 200);
    assert_eq!(bench.caller.delete(&path("orders")).await.status, 204);
    bench.caller.get(&path("orders")).await.problem(404, "not-found");
    put(&bench, "orders", json!({})).await.problem(409, "state-conflict");
    let wish = json!({"states": ["1", "4"], "callbackUrl": "https://gateway.example.com/hooks"});
    let made = put(&bench, "orders", wish).await;
    assert_eq!((made.status, &made.body["automatic"]), (200, &json!(false)), "{:#}", made.body);
    assert!(made.body["subscribedAt"].is_string());
    let read = bench.caller.get(&path("orders")).await.body;
    assert_eq!(
        (&read["states"], &read["callbackUrl"]),
        (&json!(["1", "4"]), &json!("https://gateway.example.com/hooks"))
    );
    assert!(holdings(&bench).await.to_string().contains("https://gateway.example.com/hooks"));
    // Its path may be a secret: it is not kept in the clear.
    let kept = bench.database.texts("select encode(callback_url, 'escape') from subscriptions").await;
    assert!(!kept[0].contains("gateway.example.com"));
    assert_eq!(bench.caller.delete(&path("orders")).await.status, 204);
    bench.caller.get(&path("orders")).await.problem(404, "not-found");
    assert!(!holdings(&bench).await.to_string().contains("gateway.example.com"));
}

#[tokio::test]
async fn what_is_no_subscription_is_refused() {
    let bench = Bench::start().await;
    put(&bench, "parcels", json!({})).await.problem(404, "not-found");
    let wish = json!({"states": ["99"], "callbackUrl": "https://gateway.example.com/hooks"});
    let refused = put(&bench, "orders", wish).await;
    assert_eq!(refused.problem(422, "validation-failed")[0].0, "/states/0");
    let elsewhere = "/v1/accounts/otms-demo/subscriptions/orders";
    let refused = bench.caller.send_with(Method::PUT, elsewhere, &json!({}), &[]).await;
    refused.problem(422, "unsupported-by-provider");
    let reader = bench.key(&["orders:read", "orders:write"], None).await;
    reader.get(&path("orders")).await.problem(403, "forbidden");
}

#[tokio::test]
async fn an_account_that_can_be_called_is_subscribed_by_itself() {
    let bench = Bench::start().await;
    until(&bench, ALL_BY_ITSELF).await;
    let account = format!("/v1/accounts/{ACCOUNT}");
    let callback_url = bench.caller.get(&account).await.body["callbackUrl"].clone();
    for topic in ["orders", "trips", "customer-orders"] {
        assert_eq!(bench.caller.get(&path(topic)).await.body["callbackUrl"], callback_url, "{topic}");
    }
    // One that a caller ended stays ended.
    assert_eq!(bench.caller.delete(&path("trips")).await.status, 204);
    bench.database.advance(Duration::from_secs(600)).await;
    let change = json!({"publicCallbackUrl": "https://elsewhere.example.com"});
    assert_eq!(bench.caller.send_with(Method::PATCH, &account, &change, &[]).await.status, 200);
    let again = "select count(*) = 2 from subscriptions where subscribed_at > onelane_now() - interval '5 minutes'";
    until(&bench, again).await;
    bench.caller.get(&path("trips")).await.problem(404, "not-found");
    let moved = bench.caller.get(&path("orders")).await.body;
    assert!(moved["callbackUrl"].as_str().unwrap().starts_with("https://elsewhere.example.com/"), "{moved:#}");
}

#[tokio::test]
async fn an_order_of_which_nothing_was_heard_is_asked_about() {
    let bench = Bench::start().await;
    deafen(&bench).await;
    let order = placed(&bench, &transport_order("SO-1")).await;
    for stage in ["confirmed", "picked_up"] {
        let path =
            format!("/control/{PROVIDER}/orders/{}/advance", order.body["providerOrderNumber"].as_str().unwrap());
        assert_eq!(bench.control().post(&path, &json!({"to": stage})).await.status, 200);
    }
    bench.database.advance(Duration::from_secs(3700)).await;
    until(&bench, "select exists (select from orders where status = 'in_transit')").await;
    assert_eq!(requests(&bench, "find_order"), 1);
}

/// Waits for the ledger to say yes; no submission changes its state meanwhile.
pub async fn until(bench: &Bench, question: &'static str) {
    let mut connection = bench.database.connection().await;
    let answered = async {
        while !sqlx::query_scalar::<_, bool>(question).fetch_one(&mut connection).await.unwrap() {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(30), answered).await.is_ok(), "still no: {question}");
}
