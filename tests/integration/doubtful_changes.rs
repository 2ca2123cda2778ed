//! Changes whose answer is lost, where the same document again is safe.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Bench, order};

const LEASE: Duration = Duration::from_secs(91);

/// Loses the answer to a change; gives what the simulator holds after the doubt has ended.
async fn changed_in_doubt(path: &str, change: Value, fault: Value) -> Value {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    bench.faults(json!([fault])).await;
    let path = format!("/v1/orders/{}{path}", placed.id());
    let submission = bench.caller.send_with(Method::PATCH, &path, &change, &[]).await.submission();
    bench.database.wait_for_state(submission, "in_doubt").await;
    bench.database.advance(LEASE).await;
    bench.database.wait_for_state(submission, "accepted").await;
    let read = bench.caller.get(&format!("/v1/submissions/{submission}")).await.body;
    assert_eq!((&read["attempts"], &read["mayExist"]), (&json!(2), &json!(true)), "{read:#}");
    let amended = "select count(*) from events where type in ('order.amended', 'order.custom_fields_updated')";
    assert_eq!(bench.database.count(amended).await, 1, "it happened once");
    serde_json::to_value(&bench.books("SO-1")[0]).unwrap()
}

#[tokio::test]
async fn an_amendment_whose_answer_is_lost_is_sent_again() {
    for (kind, amended) in [("commit_then_drop", 2), ("reset_before_read", 1)] {
        let fault = json!({"kind": kind, "endpoint": "orderImport", "times": 1});
        let held = changed_in_doubt("", json!({"remarks": "call first"}), fault).await;
        assert_eq!((&held["created"], &held["amended"]), (&json!(1), &json!(amended)), "{held:#}");
        assert_eq!(held["document"]["orderRemarks"], "call first");
    }
}

#[tokio::test]
async fn custom_fields_whose_answer_is_lost_are_sent_again() {
    for (kind, updates) in [("commit_then_drop", 2), ("reset_before_read", 1)] {
        let fault = json!({"kind": kind, "endpoint": "orderCustomUpdate", "times": 1});
        let held = changed_in_doubt("/custom-fields", json!({"customFields": {"text1": "one"}}), fault).await;
        assert_eq!(held["customFieldUpdates"], json!(updates), "{held:#}");
        assert_eq!(held["document"]["customFields"], json!({"customText1": "one"}));
    }
}
