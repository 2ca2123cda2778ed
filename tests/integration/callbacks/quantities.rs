//! Inbound orders that are confirmed in parts.

use reqwest::Method;
use serde_json::{Value, json};

use super::{confirmation, deliver, events, latest};
use crate::harness::{Answer, Bench};

async fn adopt(bench: &Bench, number: &str) -> Answer {
    let adopted =
        bench.caller.post("/v1/orders/adopt", &json!({"account": "hongxun-demo", "orderNumber": number})).await;
    assert_eq!(adopted.status, 201, "{:#}", adopted.body);
    adopted
}

async fn status(bench: &Bench, order: &Answer) -> String {
    let order = bench.caller.get(&format!("/v1/orders/{}", order.id())).await;
    order.body["status"].as_str().unwrap().to_owned()
}

async fn confirm(bench: &Bench, asked: Value) {
    let answer = deliver(&confirmation(bench, asked)).await;
    assert_eq!(answer.body["flag"], true, "{:#}", answer.body);
}

async fn count_incrementally(bench: &Bench) {
    let change = json!({"settings": {"quantityMode": "incremental"}});
    let changed = bench.caller.send_with(Method::PATCH, "/v1/accounts/hongxun-demo", &change, &[]).await;
    assert_eq!(changed.status, 200, "{:#}", changed.body);
}

#[tokio::test]
async fn an_order_is_complete_when_all_of_it_is_there() {
    let bench = Bench::start().await;
    let order = adopt(&bench, "RK-1").await;
    for (actual, expected) in [(3, "unknown"), (8, "unknown"), (10, "completed")] {
        confirm(&bench, json!({"actualQuantity": actual})).await;
        assert_eq!(status(&bench, &order).await, expected, "{actual}");
    }
    assert_eq!(events(&bench, "receivedQuantity").await, ["3", "8", "10"]);
    assert_eq!(events(&bench, "status").await, ["unknown", "unknown", "completed"]);
    let dispositions = events(&bench, "disposition").await;
    assert_eq!(dispositions, ["mismatch_quantity", "mismatch_quantity", "completeness_verified"]);
    // They are the order's own.
    let history = bench.caller.get(&format!("/v1/orders/{}/events", order.id())).await;
    assert_eq!(history.body["items"].as_array().unwrap().len(), 3);
    assert_eq!(history.body["items"][0]["data"]["orderNumber"], "RK-1");
    assert_eq!(bench.caller.get(&format!("/v1/orders/{}", order.id())).await.body["version"], 2);
}

/// What arrives late says how it was, and not how it is.
#[tokio::test]
async fn of_cumulative_confirmations_the_latest_counts() {
    let bench = Bench::start().await;
    let china = |minutes: i64| {
        let at = crate::harness::wall_clock() + chrono::TimeDelta::hours(8) + chrono::TimeDelta::minutes(minutes);
        at.format("%Y-%m-%d %H:%M:%S").to_string()
    };
    for (actual, minutes) in [(8, 0), (3, -5), (7, 1)] {
        confirm(&bench, json!({"actualQuantity": actual, "timestamp": china(minutes)})).await;
    }
    assert_eq!(events(&bench, "receivedQuantity").await, ["8", "8", "7"]);
    assert_eq!(events(&bench, "actualQuantity").await, ["8", "3", "7"]);
}

#[tokio::test]
async fn incremental_confirmations_add_up_and_repetitions_do_not() {
    let bench = Bench::start().await;
    count_incrementally(&bench).await;
    let order = adopt(&bench, "RK-1").await;
    let first = confirmation(&bench, json!({"actualQuantity": 4, "timestamp": "now"}));
    for _ in 0..3 {
        assert_eq!(deliver(&first).await.body["flag"], true);
    }
    assert_eq!(latest(&bench).await["state"], "duplicate");
    assert_eq!(status(&bench, &order).await, "unknown");
    confirm(&bench, json!({"actualQuantity": 6})).await;
    assert_eq!(status(&bench, &order).await, "completed");
    assert_eq!(events(&bench, "receivedQuantity").await, ["4", "10"]);
}

/// However many come at once, the last one sees all of them.
#[tokio::test]
async fn confirmations_at_once_are_counted_one_after_another() {
    let bench = Bench::start().await;
    count_incrementally(&bench).await;
    let calls: Vec<_> = (1..=10)
        .map(|quantity| confirmation(&bench, json!({"actualQuantity": quantity, "totalQuantity": 55})))
        .collect();
    futures_util::future::join_all(calls.iter().map(deliver)).await;
    let complete = "select count(*) from events where data ->> 'disposition' = 'completeness_verified'";
    assert_eq!(bench.database.count(complete).await, 1);
    assert_eq!(bench.database.count("select max((data ->> 'receivedQuantity')::bigint) from events").await, 55);
}

#[tokio::test]
async fn more_than_was_to_come_is_told_with_a_warning() {
    let bench = Bench::start().await;
    let order = adopt(&bench, "RK-1").await;
    confirm(&bench, json!({"actualQuantity": 11})).await;
    assert_eq!(status(&bench, &order).await, "unknown");
    let callback = latest(&bench).await;
    assert_eq!(
        (&callback["state"], &callback["warnings"][0]["code"]),
        (&json!("processed"), &json!("quantity.exceeds_total"))
    );
    assert_eq!(events(&bench, "disposition").await, ["mismatch_quantity"]);
}

#[tokio::test]
async fn a_state_that_nobody_documented_moves_no_order() {
    let bench = Bench::start().await;
    let order = adopt(&bench, "RK-1").await;
    confirm(&bench, json!({"orderStatus": "PARTIAL"})).await;
    assert_eq!(status(&bench, &order).await, "unknown");
    assert_eq!(events(&bench, "providerStatus").await, ["PARTIAL"]);
    assert_eq!(latest(&bench).await["warnings"][0]["code"], "status.unknown");
}

/// The whole way: the simulated provider calls by itself.
#[tokio::test]
async fn the_simulated_warehouse_confirms() {
    let bench = Bench::start().await;
    let order = adopt(&bench, "RK-1").await;
    let asked = json!({"customerNumber": "RK-1", "totalQuantity": 10, "actualQuantity": 4, "times": 2});
    let told = bench.control().post("/control/hongxun/callbacks", &asked).await;
    assert_eq!(told.status, 200, "{:#}", told.body);
    let answers = told.body["items"].as_array().unwrap();
    assert_eq!(answers.len(), 2);
    for answer in answers {
        assert_eq!(answer["status"], 200);
        assert_eq!(answer["answer"], r#"{"code":200,"message":"响应成功","flag":true}"#);
    }
    bench.faults_of("hongxun", json!([{"kind": "callback_duplicate", "times": 1}])).await;
    let advanced = bench.control().post("/control/hongxun/orders/RK-1/advance", &json!({"to": "delivered"})).await;
    assert_eq!(advanced.body["calledBack"].as_array().unwrap().len(), 2, "{:#}", advanced.body);
    assert_eq!(advanced.body["orderNumber"], "RK-1");
    assert_eq!(status(&bench, &order).await, "completed");
    assert_eq!(events(&bench, "actualQuantity").await, ["4", "10"]);
    for (asked, status) in [(json!({"colour": 1}), 422), (json!([]), 422)] {
        assert_eq!(bench.control().post("/control/hongxun/callbacks", &asked).await.status, status);
    }
    assert_eq!(bench.control().post("/control/otms/callbacks", &json!({})).await.status, 422);
    assert_eq!(bench.control().post("/control/nobody/callbacks", &json!({})).await.status, 404);
}
