//! What may be sent again without a question: changes, and the calls that go straight through.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{ACCOUNT, PROVIDER, customer_order, deafen, held, placed, requests, transport_order};
use crate::harness::Bench;

const LEASE: Duration = Duration::from_secs(100);

/// Loses the answer to a change, once before it was read and once after it was done.
async fn changed_in_doubt(order: &Value, endpoint: &str, path: &str, change: &Value) {
    for kind in ["commit_then_drop", "reset_before_read"] {
        let bench = Bench::start().await;
        let order = placed(&bench, order).await;
        bench.faults_of(PROVIDER, json!([{"kind": kind, "endpoint": endpoint, "times": 1}])).await;
        let path = format!("/v1/orders/{}{path}", order.id());
        let submission = bench.caller.send_with(Method::PATCH, &path, change, &[]).await.submission();
        bench.database.wait_for_state(submission, "in_doubt").await;
        bench.database.advance(LEASE).await;
        bench.database.wait_for_state(submission, "accepted").await;
        let read = bench.caller.get(&format!("/v1/submissions/{submission}")).await.body;
        assert_eq!((&read["attempts"], &read["mayExist"]), (&json!(2), &json!(true)), "{read:#}");
        let sent = "select count(*) from attempts t join submissions s on s.id = t.submission_id where s.operation <> 'create'";
        assert_eq!(bench.database.count(sent).await, 2);
        let amended = if kind == "commit_then_drop" { 2 } else { 1 };
        assert_eq!(held(&bench, "SO-1")[0]["amended"], json!(amended), "{kind} at {endpoint}");
    }
}

#[tokio::test]
async fn an_amendment_of_a_transport_order() {
    changed_in_doubt(&transport_order("SO-1"), "modify_order", "", &json!({"remarks": "call first"})).await;
}

#[tokio::test]
async fn custom_fields_of_a_transport_order() {
    let change = json!({"customFields": {"text3": "三"}});
    changed_in_doubt(&transport_order("SO-1"), "modify_order", "/custom-fields", &change).await;
}

#[tokio::test]
async fn an_amendment_of_an_acceptance_order() {
    changed_in_doubt(&customer_order("SO-1"), "update_customer_order", "", &json!({"remarks": "call first"})).await;
}

#[tokio::test]
async fn custom_fields_of_an_acceptance_order() {
    let change = json!({"customFields": {"text3": "三"}});
    changed_in_doubt(&customer_order("SO-1"), "update_customer_order", "/custom-fields", &change).await;
}

/// A call that goes straight through, whose answer is lost, and the same again; gives the answer to the second.
async fn repeated(bench: &Bench, endpoint: &str, method: Method, path: &str, body: &Value) -> crate::harness::Answer {
    bench.faults_of(PROVIDER, json!([{"kind": "commit_then_drop", "endpoint": endpoint, "times": 1}])).await;
    let before = requests(bench, endpoint);
    let lost = bench.caller.send_with(method.clone(), path, body, &[]).await;
    lost.problem(504, "provider-timeout");
    let again = bench.caller.send_with(method, path, body, &[]).await;
    assert_eq!(requests(bench, endpoint) - before, 2);
    again
}

#[tokio::test]
async fn a_subscription() {
    let bench = Bench::start().await;
    deafen(&bench).await;
    let path = format!("/v1/accounts/{ACCOUNT}/subscriptions/orders");
    let wish = json!({"states": ["1"], "callbackUrl": "https://gateway.example.com/hooks"});
    let made = repeated(&bench, "order_subscribe", Method::PUT, &path, &wish).await;
    assert_eq!(made.status, 200, "{:#}", made.body);
    let holdings = bench.control().get(&format!("/control/{PROVIDER}/holdings")).await.body.to_string();
    assert_eq!(holdings.matches("gateway.example.com").count(), 1, "{holdings}");
}

#[tokio::test]
async fn the_address_book() {
    let bench = Bench::start().await;
    let parties = json!({"parties": [{
        "name": "上海客户", "phone": "13900000002", "address": "上海市南京东路 782 号", "role": "consignee",
        "paymentTerm": "monthly_account", "remarks": ["一"],
    }]});
    let path = format!("/v1/accounts/{ACCOUNT}/parties");
    assert_eq!(repeated(&bench, "add_customers", Method::PUT, &path, &parties).await.status, 204);
}

#[tokio::test]
async fn devices_that_were_unbound_say_so() {
    let bench = Bench::start().await;
    let mut order = customer_order("SO-1");
    order["trackingDevices"] = json!(["868120223404879"]);
    let order = placed(&bench, &order).await;
    let path = format!("/v1/orders/{}/devices/unbind", order.id());
    let again = repeated(&bench, "batch_unbind_devices", Method::POST, &path, &Value::Null).await;
    // The provider's own words are the evidence.
    assert!(again.body["errors"][0]["detailZh"].as_str().unwrap().contains("未绑定设备"), "{:#}", again.body);
}
