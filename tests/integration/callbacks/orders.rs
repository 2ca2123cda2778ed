//! Orders that callbacks are about: matched by their numbers, moved forward only.

use serde_json::json;

use super::{confirmation, deliver, latest};
use crate::harness::Bench;

#[tokio::test]
async fn an_order_is_found_by_its_number_and_shows_what_happened() {
    let bench = Bench::start().await;
    let adopted = json!({"account": "hongxun-demo", "orderNumber": "RK-1", "providerOrderNumber": "HX-1"});
    let adopted = bench.caller.post("/v1/orders/adopt", &adopted).await;
    // Another account's order of this number is another order.
    let other = json!({"account": "otms-demo", "orderNumber": "RK-1"});
    let other = bench.caller.post("/v1/orders/adopt", &other).await;
    deliver(&confirmation(&bench, json!({}))).await;
    assert_eq!(latest(&bench).await["events"][0]["orderId"], adopted.body["id"]);
    let order = bench.caller.get(&format!("/v1/orders/{}", adopted.id())).await;
    assert_eq!((&order.body["status"], &order.body["providerOrderNumber"]), (&json!("completed"), &json!("HX-1")));
    assert_eq!(bench.caller.get(&format!("/v1/orders/{}", other.id())).await.body["status"], "unknown");
}

#[tokio::test]
async fn an_order_that_came_to_its_end_stays_there() {
    let bench = Bench::start().await;
    let adopted =
        bench.caller.post("/v1/orders/adopt", &json!({"account": "hongxun-demo", "orderNumber": "RK-1"})).await;
    let mut connection = bench.database.connection().await;
    sqlx::query("update orders set status = 'cancelled'").execute(&mut connection).await.unwrap();
    deliver(&confirmation(&bench, json!({}))).await;
    let order = bench.caller.get(&format!("/v1/orders/{}", adopted.id())).await;
    assert_eq!((&order.body["status"], &order.body["version"]), (&json!("cancelled"), &json!(1)));
    // It is told all the same, with where the order stands.
    assert_eq!(bench.database.texts("select data ->> 'status' from events").await, ["cancelled"]);
}
