//! Doubts: the provider is asked before anything is sent again.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{PROVIDER, cancel, customer_order, held, placed, requests, transport_order};
use crate::harness::Bench;

const LEASE: Duration = Duration::from_secs(100);

async fn attempts(bench: &Bench, submission: Uuid) -> Vec<Value> {
    let answer = bench.caller.get(&format!("/v1/submissions/{submission}/attempts")).await;
    answer.body["items"].as_array().unwrap().clone()
}

/// Has a fault strike the creation of an order; gives its submission, in doubt.
async fn in_doubt(bench: &Bench, order: &Value, fault: Value) -> Uuid {
    bench.faults_of(PROVIDER, json!([fault])).await;
    let submission = bench.caller.post("/v1/orders", order).await.submission();
    bench.database.wait_for_state(submission, "in_doubt").await;
    submission
}

#[tokio::test]
async fn a_creation_that_was_made_is_found_and_not_sent_again() {
    let bench = Bench::start().await;
    let fault = json!({"kind": "commit_then_drop", "endpoint": "create_order", "times": 1});
    let submission = in_doubt(&bench, &transport_order("SO-1"), fault).await;
    bench.database.advance(LEASE).await;
    bench.database.wait_for_state(submission, "accepted").await;
    assert_eq!(held(&bench, "SO-1").len(), 1);
    assert_eq!(requests(&bench, "create_order"), 1);
    let read = bench.caller.get(&format!("/v1/submissions/{submission}")).await.body;
    assert_eq!(read["providerOrderNumber"], held(&bench, "SO-1")[0]["providerOrderNumber"]);
    let codes: Vec<_> = read["results"].as_array().unwrap().iter().map(|result| &result["code"]).collect();
    assert!(codes.contains(&&json!("evidence.confirmed")), "{codes:?}");
    // The question stands in the audit trail.
    let attempts = attempts(&bench, submission).await;
    let urls: Vec<_> = attempts.iter().map(|attempt| attempt["request"]["url"].as_str().unwrap_or_default()).collect();
    assert!(urls[0].contains("/order/create_order") && urls[1].contains("/order/find_order/v2"), "{urls:?}");
}

#[tokio::test]
async fn a_creation_that_never_arrived_is_sent_again_after_two_questions() {
    let bench = Bench::start().await;
    let fault = json!({"kind": "reset_before_read", "endpoint": "create_order", "times": 1});
    let submission = in_doubt(&bench, &transport_order("SO-1"), fault).await;
    bench.database.advance(LEASE).await;
    bench
        .database
        .wait_until(Duration::from_secs(30), "select exists (select from submissions where misses = 1)")
        .await;
    assert_eq!((held(&bench, "SO-1").len(), requests(&bench, "find_order")), (0, 1));
    // Not before 30 seconds have passed.
    bench.database.advance(Duration::from_secs(31)).await;
    bench.database.wait_for_state(submission, "accepted").await;
    assert_eq!((held(&bench, "SO-1").len(), requests(&bench, "find_order")), (1, 2));
    assert_eq!(held(&bench, "SO-1")[0]["created"], 1);
}

#[tokio::test]
async fn an_acceptance_order_that_was_made_is_found_by_its_reference() {
    let bench = Bench::start().await;
    let fault = json!({"kind": "commit_then_drop", "endpoint": "create_customer_order", "times": 1});
    let submission = in_doubt(&bench, &customer_order("SO-1"), fault).await;
    bench.database.advance(LEASE).await;
    bench.database.wait_for_state(submission, "accepted").await;
    assert_eq!(held(&bench, "SO-1").len(), 1);
}

#[tokio::test]
async fn several_acceptance_orders_of_one_reference_are_for_a_person() {
    let bench = Bench::start().await;
    let mut first = customer_order("SO-1");
    first["customerReference"] = json!("REF-1");
    placed(&bench, &first).await;
    let mut second = customer_order("SO-2");
    second["customerReference"] = json!("REF-1");
    let fault = json!({"kind": "commit_then_drop", "endpoint": "create_customer_order", "times": 1});
    let submission = in_doubt(&bench, &second, fault).await;
    bench.database.advance(LEASE).await;
    let asked = "select exists (select from submissions where state = 'in_doubt' and not ready)";
    bench.database.wait_until(Duration::from_secs(30), asked).await;
    let read = bench.caller.get(&format!("/v1/submissions/{submission}")).await.body;
    let codes: Vec<_> = read["results"].as_array().unwrap().iter().map(|result| &result["code"]).collect();
    assert!(codes.contains(&&json!("evidence.ambiguous")), "{codes:?}");
    assert_eq!(held(&bench, "REF-1").len(), 2);
}

#[tokio::test]
async fn a_cancellation_that_was_done_is_found() {
    let bench = Bench::start().await;
    let order = placed(&bench, &transport_order("SO-1")).await;
    bench.faults_of(PROVIDER, json!([{"kind": "commit_then_drop", "endpoint": "cancel_orders", "times": 1}])).await;
    let path = format!("/v1/orders/{}/cancel", order.id());
    let submission = bench.caller.post(&path, &Value::Null).await.submission();
    bench.database.wait_for_state(submission, "in_doubt").await;
    bench.database.advance(LEASE).await;
    bench.database.wait_for_state(submission, "accepted").await;
    let read = bench.caller.get(&format!("/v1/orders/{}", order.id())).await.body;
    assert_eq!(read["status"], "cancelled");
    assert_eq!(requests(&bench, "cancel_orders"), 1);
}

#[tokio::test]
async fn a_cancellation_that_was_not_done_is_sent_again() {
    let bench = Bench::start().await;
    let order = placed(&bench, &customer_order("SO-1")).await;
    let fault = json!({"kind": "reset_before_read", "endpoint": "cancel_customer_orders", "times": 1});
    bench.faults_of(PROVIDER, json!([fault])).await;
    let path = format!("/v1/orders/{}/cancel", order.id());
    let submission = bench.caller.post(&path, &Value::Null).await.submission();
    bench.database.wait_for_state(submission, "in_doubt").await;
    bench.database.advance(LEASE).await;
    bench
        .database
        .wait_until(Duration::from_secs(30), "select exists (select from submissions where misses = 1)")
        .await;
    bench.database.advance(Duration::from_secs(31)).await;
    bench.database.wait_for_state(submission, "accepted").await;
    assert_eq!(held(&bench, "SO-1")[0]["cancelled"], 1);
    assert_eq!(cancel(&bench, order.id()).await.status, 200);
}

#[tokio::test]
async fn a_question_without_an_answer_is_put_again() {
    let bench = Bench::start().await;
    let faults = json!([
        {"kind": "commit_then_drop", "endpoint": "create_order", "times": 1},
        {"kind": "html", "endpoint": "find_order", "status": 502, "times": 1},
    ]);
    bench.faults_of(PROVIDER, faults).await;
    let submission = bench.caller.post("/v1/orders", &transport_order("SO-1")).await.submission();
    bench.database.wait_for_state(submission, "in_doubt").await;
    bench.database.advance(LEASE).await;
    let asked = "select exists (select from attempts where number = 2 and outcome = 'in_doubt')";
    bench.database.wait_until(Duration::from_secs(30), asked).await;
    bench.database.advance(Duration::from_secs(1800)).await;
    bench.database.wait_for_state(submission, "accepted").await;
    assert_eq!(held(&bench, "SO-1").len(), 1);
}
