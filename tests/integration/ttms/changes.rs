//! Changes: what this provider can amend, clear and carry.

use serde_json::{Value, json};

use super::{ACCOUNT, cancel, customer_order, held, patch, placed, transport_order};
use crate::harness::Bench;

fn document(bench: &Bench, number: &str) -> Value {
    held(bench, number)[0]["document"].clone()
}

#[tokio::test]
async fn an_amendment_sends_only_what_changed() {
    let bench = Bench::start().await;
    let order = placed(&bench, &transport_order("SO-1")).await;
    let amended = patch(&bench, order.id(), &json!({"remarks": "call first"})).await;
    assert_eq!(amended.body["submission"]["state"], "accepted", "{:#}", amended.body);
    let attempts = bench.caller.get(&format!("/v1/submissions/{}/attempts", amended.submission())).await;
    let sent: Value =
        serde_json::from_str(attempts.body["items"][0]["request"]["body"]["content"].as_str().unwrap()).unwrap();
    assert_eq!(sent["order"], json!({"note": "call first"}));
    assert_eq!(sent["orderNumber"], order.body["providerOrderNumber"]);
    assert_eq!(document(&bench, "SO-1")["note"], "call first");
}

#[tokio::test]
async fn what_cannot_be_cleared_or_amended_is_refused_with_its_pointer() {
    let bench = Bench::start().await;
    let mut order = transport_order("SO-1");
    order["remarks"] = json!("call first");
    let order = placed(&bench, &order).await;
    let refused = patch(&bench, order.id(), &json!({"remarks": null})).await;
    assert_eq!(
        refused.problem(422, "field-not-clearable"),
        [("/remarks".to_owned(), "translation.field_not_clearable".to_owned())]
    );
    let charges = json!({"charges": {"revenue": {"freight": {"amount": 5, "currency": "CNY"}}}});
    let refused = patch(&bench, order.id(), &charges).await;
    let errors = refused.problem(422, "field-not-amendable");
    assert!(errors.iter().all(|(pointer, _)| pointer.starts_with("/charges")), "{errors:?}");
    assert_eq!(document(&bench, "SO-1")["note"], "call first");
}

#[tokio::test]
async fn lists_are_replaced_as_a_whole() {
    let bench = Bench::start().await;
    let order = placed(&bench, &transport_order("SO-1")).await;
    let lines = json!({"lines": [{"name": "鞋", "quantity": 3, "grossWeight": 2.5}]});
    let amended = patch(&bench, order.id(), &lines).await;
    assert_eq!(amended.body["submission"]["state"], "accepted", "{:#}", amended.body);
    let held = document(&bench, "SO-1");
    let cargo = held.get("orderCargoes").or(held.get("cargoList")).unwrap();
    assert_eq!((cargo.as_array().unwrap().len(), &cargo[0]["name"]), (1, &json!("鞋")), "{held:#}");
}

#[tokio::test]
async fn custom_fields_go_by_themselves() {
    let bench = Bench::start().await;
    let order = placed(&bench, &transport_order("SO-1")).await;
    let path = format!("/v1/orders/{}/custom-fields", order.id());
    let change = json!({"customFields": {"text3": "三"}});
    let changed = bench.caller.send_with(reqwest::Method::PATCH, &path, &change, &[("prefer", "wait=30")]).await;
    assert_eq!(changed.body["submission"]["state"], "accepted", "{:#}", changed.body);
    assert_eq!(changed.body["submission"]["operation"], "update_custom_fields");
    assert_eq!(changed.body["customFields"]["text3"], "三");
}

#[tokio::test]
async fn an_acceptance_order_is_updated_as_a_whole() {
    let bench = Bench::start().await;
    let order = placed(&bench, &customer_order("SO-1")).await;
    let before = document(&bench, "SO-1");
    let amended = patch(&bench, order.id(), &json!({"remarks": "call first"})).await;
    assert_eq!(amended.body["submission"]["state"], "accepted", "{:#}", amended.body);
    let after = document(&bench, "SO-1");
    assert_eq!(after["remarks"], "call first");
    assert_eq!(after["consignerName"], before["consignerName"], "{after:#}");
}

#[tokio::test]
async fn an_adopted_acceptance_order_is_fetched_and_merged_before_it_is_updated() {
    let bench = Bench::start().await;
    let made = placed(&bench, &customer_order("SO-1")).await;
    let before = document(&bench, "SO-1");
    // Somebody else's gateway knows nothing of it but its number.
    let forgotten = "update orders set order_number = 'ELSEWHERE'";
    sqlx::query(forgotten).execute(&mut bench.database.connection().await).await.unwrap();
    let adopted = bench
        .caller
        .post(
            "/v1/orders/adopt",
            &json!({
                "account": ACCOUNT, "orderNumber": "SO-1", "documentType": "customer_order",
                "providerOrderNumber": made.body["providerOrderNumber"],
            }),
        )
        .await;
    assert_eq!((adopted.status, &adopted.body["documentComplete"]), (201, &json!(false)), "{:#}", adopted.body);
    let amended = patch(&bench, adopted.id(), &json!({"remarks": "call first"})).await;
    assert_eq!(amended.body["submission"]["state"], "accepted", "{:#}", amended.body);
    assert_eq!(amended.body["documentComplete"], true);
    let after = document(&bench, "SO-1");
    assert_eq!(after["remarks"], "call first");
    for member in
        ["consignerName", "consignerPhone", "consignerAddress", "consigneeName", "consigneePhone", "deliveryTime"]
    {
        assert_eq!(after[member], before[member], "{member} was lost");
    }
}

#[tokio::test]
async fn a_cancellation_reaches_the_provider() {
    let bench = Bench::start().await;
    for order in [transport_order("SO-1"), customer_order("SO-2")] {
        let number = order["orderNumber"].as_str().unwrap().to_owned();
        let order = placed(&bench, &order).await;
        let cancelled = cancel(&bench, order.id()).await;
        assert_eq!((cancelled.status, &cancelled.body["status"]), (200, &json!("cancelled")), "{:#}", cancelled.body);
        assert_eq!(held(&bench, &number)[0]["cancelled"], 1);
    }
}

#[tokio::test]
async fn an_order_that_is_under_way_cannot_be_cancelled() {
    let bench = Bench::start().await;
    let order = placed(&bench, &transport_order("SO-1")).await;
    for stage in ["confirmed", "picked_up"] {
        let path = format!("/control/ttms/orders/{}/advance", order.body["providerOrderNumber"].as_str().unwrap());
        let advanced = bench.control().post(&path, &json!({"to": stage})).await;
        assert_eq!(advanced.status, 200, "{:#}", advanced.body);
    }
    let refused = cancel(&bench, order.id()).await;
    assert_eq!(refused.body["submission"]["state"], "rejected", "{:#}", refused.body);
    let result = &refused.body["submission"]["results"][0];
    assert!(result["rawMessage"].as_str().is_some_and(|words| !words.is_empty()), "{result:#}");
}

#[tokio::test]
async fn changes_wait_behind_a_creation_that_is_under_way() {
    let bench = Bench::start().await;
    bench.hold(ACCOUNT, "pause").await;
    let created = bench.caller.post("/v1/orders", &transport_order("SO-1")).await;
    assert_eq!(created.status, 202);
    let path = format!("/v1/orders/{}", created.id());
    let change = json!({"remarks": "call first"});
    let amended = bench.caller.send_with(reqwest::Method::PATCH, &path, &change, &[]).await;
    assert_eq!(amended.status, 202, "{:#}", amended.body);
    assert_eq!(amended.body["submission"]["heldBy"], "earlier_submission");
    bench.hold(ACCOUNT, "resume").await;
    bench.database.wait_for_state(amended.submission(), "accepted").await;
    assert_eq!(document(&bench, "SO-1")["note"], "call first");
}
