//! What an order is checked against counts as it is at the moment, at every replica, however lately a replica looked.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Bench, GatewayProcess, order};

#[tokio::test]
async fn what_is_changed_of_an_account_at_one_replica_counts_for_the_next_order_at_another() {
    let bench = Bench::start().await;
    let other = GatewayProcess::start(&bench.database).await;
    bench.hold("otms-demo", "pause").await;
    assert_eq!(other.caller.post("/v1/orders", &order("SO-1")).await.status, 202);
    bench.limit_queue("otms-demo", 1).await;
    other.caller.post("/v1/orders", &order("SO-2")).await.problem(429, "queue-full");
}

#[tokio::test]
async fn an_account_that_was_deleted_takes_no_order_and_one_of_its_name_is_another() {
    let bench = Bench::start().await;
    let other = GatewayProcess::start(&bench.database).await;
    let waited = other.caller.send_with(Method::POST, "/v1/orders", &order("SO-1"), &[("prefer", "wait=30")]).await;
    assert_eq!(waited.status, 201);
    let mut account = bench.caller.get("/v1/accounts/otms-demo").await.body;
    assert_eq!(bench.caller.delete("/v1/accounts/otms-demo").await.status, 204);
    let errors = other.caller.post("/v1/orders", &order("SO-2")).await.problem(422, "unknown-account");
    assert_eq!(errors[0].0, "/account");

    let members = account.as_object_mut().unwrap();
    members.retain(|name, _| ["id", "provider", "displayName", "baseUrl", "settings"].contains(&name.as_str()));
    members.insert("credentials".into(), json!({"username": "x", "password": "y"}));
    members.insert("queueLimit".into(), json!(1));
    let again = bench.caller.post("/v1/accounts", &account).await;
    assert_eq!(again.status, 201, "{:#}", again.body);
    bench.hold("otms-demo", "pause").await;
    assert_eq!(other.caller.post("/v1/orders", &order("SO-3")).await.status, 202);
    other.caller.post("/v1/orders", &order("SO-4")).await.problem(429, "queue-full");
}

/// Who is refused is refused by what is true now, not by what was.
#[tokio::test]
async fn what_would_not_have_passed_a_moment_ago_passes_now() {
    let bench = Bench::start().await;
    let other = GatewayProcess::start(&bench.database).await;
    bench.hold("otms-demo", "pause").await;
    bench.limit_queue("otms-demo", 1).await;
    assert_eq!(other.caller.post("/v1/orders", &order("SO-1")).await.status, 202);
    other.caller.post("/v1/orders", &order("SO-2")).await.problem(429, "queue-full");
    bench.limit_queue("otms-demo", 2).await;
    assert_eq!(other.caller.post("/v1/orders", &order("SO-2")).await.status, 202);
}
