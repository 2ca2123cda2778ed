//! 3TMS through a gateway, from an order's creation to its end, with the orders of the document.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use super::deafen;
use crate::harness::{Answer, Bench};

/// Beyond the lease of 90 seconds, after which evidence is sought.
const LEASE: Duration = Duration::from_secs(91);

fn example() -> Value {
    serde_json::from_str(include_str!("../../fixtures/ttms/create-order-order.json")).unwrap()
}

fn numbered(number: &str) -> Value {
    let mut order = example();
    order["orderNumber"] = json!(number);
    order["customerReference"] = json!(format!("C-{number}"));
    order
}

/// An acceptance order.
fn customer_order(number: &str) -> Value {
    let mut order = numbered(number);
    order["documentType"] = json!("customer_order");
    order["trackingDevices"] = json!(["868120223404879"]);
    order["extensions"] = json!({});
    order
}

async fn patch(bench: &Bench, path: &str, change: &Value) -> Answer {
    bench.caller.send_with(Method::PATCH, path, change, &[("prefer", "wait=30")]).await
}

async fn submission(bench: &Bench, id: Uuid) -> Value {
    bench.caller.get(&format!("/v1/submissions/{id}")).await.body
}

fn books(bench: &Bench) -> Vec<Value> {
    let entries = bench.simulator_of("ttms").books(None);
    entries.iter().map(|entry| serde_json::to_value(entry).unwrap()).collect()
}

fn state(answer: &Answer) -> &Value {
    &answer.body["submission"]["state"]
}

#[tokio::test]
async fn an_order_is_made_changed_and_cancelled() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&example()).await;
    assert_eq!((placed.status, state(&placed)), (201, &json!("accepted")), "{:#}", placed.body);
    assert_eq!(placed.body["status"], "requested");
    let path = format!("/v1/orders/{}", placed.id());

    let change = json!({
        "remarks": "改", "shipTo": {"contact": {"name": "王五"}},
        "shipFrom": {"address": {"street": "学院路 1 号"}}, "lines": null,
    });
    let amended = patch(&bench, &path, &change).await;
    assert_eq!((amended.status, state(&amended)), (200, &json!("accepted")), "{:#}", amended.body);
    let fields = patch(&bench, &format!("{path}/custom-fields"), &json!({"customFields": {"text12": "z"}})).await;
    assert_eq!((fields.status, state(&fields)), (200, &json!("accepted")), "{:#}", fields.body);

    let [held] = books(&bench).try_into().unwrap();
    assert_eq!(held["providerOrderNumber"], placed.body["providerOrderNumber"]);
    assert_eq!((&held["created"], &held["amended"]), (&json!(1), &json!(2)), "{held:#}");
    let document = &held["document"];
    assert_eq!((&document["note"], &document["consigneeName"]), (&json!("改"), &json!("王五")));
    assert_eq!(document["consignerAddress"], "浙江省杭州市西湖区学院路 1 号");
    assert_eq!((&document["extraFields"]["note1"], &document["extraFields"]["note12"]), (&json!("2"), &json!("z")));
    assert!(document.get("cargoList").is_none_or(|list| list == &json!([]) || list.is_null()), "{document:#}");

    let cancelled = bench.caller.post_with(&format!("{path}/cancel"), &Value::Null, &[("prefer", "wait=30")]).await;
    assert_eq!((cancelled.status, &cancelled.body["status"]), (200, &json!("cancelled")), "{:#}", cancelled.body);
    let [held] = books(&bench).try_into().unwrap();
    assert_eq!(held["cancelled"], 1);

    // The token is nowhere to be seen.
    let attempts = bench.caller.get(&format!("/v1/submissions/{}/attempts", placed.submission())).await.body;
    assert!(attempts.to_string().contains("access_token=***"), "{attempts:#}");
}

#[tokio::test]
async fn what_3tms_cannot_change_is_a_problem_of_its_own_kind() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&example()).await;
    let path = format!("/v1/orders/{}", placed.id());
    let money = json!({"charges": {"revenue": {"freight": {"amount": 1, "currency": "CNY"}}}});
    let refused = patch(&bench, &path, &money).await.problem(422, "field-not-amendable");
    assert_eq!(refused, [("/charges/revenue/freight".to_owned(), "translation.field_not_amendable".to_owned())]);
    let refused = patch(&bench, &path, &json!({"remarks": null})).await.problem(422, "field-not-clearable");
    assert_eq!(refused, [("/remarks".to_owned(), "translation.field_not_clearable".to_owned())]);
    let mut single = numbered("SO-2");
    single["dispatch"] = json!({"mode": "vehicle"});
    let refused = bench.caller.post("/v1/orders", &single).await;
    assert!(refused.body.to_string().contains("/v1/trips"), "{:#}", refused.body);
}

#[tokio::test]
async fn an_answer_that_is_lost_is_looked_up_and_nothing_is_made_twice() {
    for make in [example, || customer_order("SO-9")] {
        let bench = Bench::start().await;
        let order = make();
        let endpoint = if order.get("documentType").is_some() { "create_customer_order" } else { "create_order" };
        bench.faults_of("ttms", json!([{"kind": "commit_then_drop", "endpoint": endpoint, "times": 1}])).await;
        let queued = bench.caller.post("/v1/orders", &order).await;
        let id = queued.submission();
        bench.database.wait_for_state(id, "in_doubt").await;
        bench.database.advance(LEASE).await;
        bench.database.wait_for_state(id, "accepted").await;
        let [held] = books(&bench).try_into().unwrap();
        assert_eq!(held["created"], 1);
        let found = bench.caller.get(&format!("/v1/orders/{}", queued.id())).await.body;
        assert_eq!(found["providerOrderNumber"], held["providerOrderNumber"]);
        let reading = bench.arrived("ttms", endpoint).unwrap();
        assert_eq!(reading.requests, 1);
    }
}

#[tokio::test]
async fn a_token_that_dies_costs_no_attempt() {
    let bench = Bench::start().await;
    for number in 0..20 {
        if number == 5 {
            bench.faults_of("ttms", json!([{"kind": "session_killed", "times": 1}])).await;
        }
        let placed = bench.caller.place(&numbered(&format!("SO-{number}"))).await;
        assert_eq!(state(&placed), "accepted", "{:#}", placed.body);
        assert_eq!(submission(&bench, placed.submission()).await["attempts"], 1);
    }
    assert_eq!(books(&bench).len(), 20);
}

#[tokio::test]
async fn a_refusal_with_words_that_nobody_documents_is_tried_a_few_times() {
    let bench = Bench::start().await;
    bench
        .faults_of("ttms", json!([{"kind": "answer_code", "endpoint": "create_order", "code": "系统异常", "times": 1}]))
        .await;
    let mut watch = bench.database.watch().await;
    let queued = bench.caller.post("/v1/orders", &example()).await;
    let id = queued.submission();
    loop {
        watch.next_of_many().await;
        let read = submission(&bench, id).await;
        if read["heldBy"] == "retry_backoff" {
            let results = read["results"].as_array().unwrap();
            let said = results.iter().find(|result| result["provider"] == "ttms").unwrap();
            assert_eq!((&said["rawCode"], &said["rawMessage"]), (&json!("500"), &json!("系统异常")), "{said:#}");
            bench.database.advance(Duration::from_secs(1800)).await;
        } else if read["state"] == "accepted" {
            assert_eq!(read["attempts"], 2);
            break;
        }
    }
}

#[tokio::test]
async fn a_trip_is_made_of_orders_and_a_driver() {
    let bench = Bench::start().await;
    deafen(&bench).await;
    let trip = json!({"account": "ttms-demo", "orders": [numbered("T-1"), numbered("T-2")], "driver": {"phone": "+8613800000009"}});
    let made = bench.caller.post_with("/v1/trips", &trip, &[("prefer", "wait=30"), ("idempotency-key", "T")]).await;
    assert_eq!(made.body["submission"]["state"], "accepted", "{:#}", made.body);
    assert!(made.body["providerTripNumber"].as_str().unwrap().starts_with('P'));
    let held = books(&bench);
    assert_eq!(held.len(), 2);
    for (id, held) in made.body["orderIds"].as_array().unwrap().iter().zip(&held) {
        let order = bench.caller.get(&format!("/v1/orders/{}", id.as_str().unwrap())).await.body;
        assert_eq!(order["providerOrderNumber"], held["providerOrderNumber"]);
        let tracking =
            bench.caller.get(&format!("/v1/orders/{}/tracking?refresh=true", id.as_str().unwrap())).await.body;
        assert_eq!(tracking["status"], "requested", "{tracking:#}");
    }
}

#[tokio::test]
async fn an_acceptance_order_that_was_made_there_is_fetched_and_merged() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&customer_order("SO-1")).await;
    assert_eq!(state(&placed), "accepted", "{:#}", placed.body);
    let [before] = books(&bench).try_into().unwrap();
    // Taken over anew, under another number of ours and with nothing known of it.
    let number = placed.body["providerOrderNumber"].clone();
    let adopt = json!({"account": "ttms-demo", "orderNumber": "OURS", "providerOrderNumber": number,
        "documentType": "customer_order"});
    let adopted = bench.caller.post("/v1/orders/adopt", &adopt).await;
    assert_eq!(adopted.status, 201, "{:#}", adopted.body);
    let amended = patch(&bench, &format!("/v1/orders/{}", adopted.id()), &json!({"remarks": "改"})).await;
    assert_eq!((amended.status, state(&amended)), (200, &json!("accepted")), "{:#}", amended.body);
    let after = books(&bench).remove(0);
    let mut expected = before["document"].clone();
    expected["remarks"] = json!("改");
    assert_eq!(after["document"], expected);
}

#[tokio::test]
async fn what_passes_straight_through() {
    let bench = Bench::start().await;
    let units = bench.caller.get("/v1/accounts/ttms-demo/organizations").await;
    assert_eq!(units.status, 200, "{:#}", units.body);
    assert!(units.body.to_string().contains("0-11"), "{:#}", units.body);

    let party = json!({"name": "张三", "phone": "+8613800000001", "address": "浙江省杭州市", "role": "consignor",
        "paymentTerm": "monthly_account", "remarks": ["a"]});
    let parties =
        bench.caller.send_with(Method::PUT, "/v1/accounts/ttms-demo/parties", &json!({"parties": [party]}), &[]).await;
    assert_eq!(parties.status, 204, "{:#}", parties.body);

    let placed = bench.caller.place(&example()).await;
    let path = "/v1/accounts/ttms-demo/provider-orders";
    let refused = bench.caller.get(path).await;
    assert!(refused.body["errors"].to_string().contains("/state"), "{:#}", refused.body);
    let found = bench.caller.get(&format!("{path}?state=1000&consignorPhone=13800000001")).await;
    assert_eq!(found.body["total"], 1, "{:#}", found.body);
    assert_eq!(found.body["items"][0]["providerOrderNumber"], placed.body["providerOrderNumber"]);
    assert_eq!(found.body["items"][0]["orderNumber"], example()["orderNumber"]);

    let accepted = bench.caller.place(&customer_order("SO-1")).await;
    let unbind = format!("/v1/orders/{}/devices/unbind", accepted.id());
    assert_eq!(bench.caller.post(&unbind, &Value::Null).await.status, 204);
    let again = bench.caller.post(&unbind, &Value::Null).await;
    assert!(again.problem(502, "provider-error").iter().any(|(_, code)| code == "state.not_updatable"));
    let found = bench.caller.get(&format!("{path}?documentType=customer_order&customerReference=C-SO-1")).await;
    assert_eq!((&found.body["total"], &found.body["items"][0]["status"]), (&json!(1), &json!("requested")));
}
