//! Several gateways on one database, in processes of their own: they share the work, and none of them depends on the
//! others.

mod cut_off;
mod hung;
mod killed;
mod roles;

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Bench, GatewayProcess, order};

/// Beyond the lease of an exchange.
const LEASE: Duration = Duration::from_secs(91);
/// What a replica says whose answer came after its lease.
const TOO_LATE: &str = "an answer came after its lease; evidence decides";

/// An order that the provider has, and answers only after a while: the replica that sent it waits.
async fn under_way(bench: &Bench, replica: &GatewayProcess) -> Uuid {
    bench.faults(json!([{"kind": "slow", "delayMs": 6_000, "orderNumber": "SO-1", "times": 1}])).await;
    let submission = replica.caller.post("/v1/orders", &order("SO-1")).await.submission();
    while bench.books("SO-1").is_empty() {
        tokio::task::yield_now().await;
    }
    submission
}

/// Another replica goes on, ends the doubt about the order that is under way, and has its own orders delivered.
async fn others_go_on(bench: &Bench, other: &GatewayProcess, submission: Uuid) {
    let placed = other.caller.place(&order("SO-2")).await;
    assert_eq!(placed.body["submission"]["state"], "accepted", "{:#}", placed.body);
    assert_eq!(bench.database.state(submission).await, "sending");
    bench.database.advance(LEASE).await;
    bench.database.wait_for_state(submission, "accepted").await;
    assert_eq!(outcomes(bench).await, ["in_doubt", "accepted"]);
}

/// What became of each attempt to send the first order.
async fn outcomes(bench: &Bench) -> Vec<String> {
    let sql = "select coalesce(t.outcome, '') from attempts t join submissions s on s.id = t.submission_id
               join orders o on o.id = s.order_id where o.order_number = 'SO-1' order by t.number";
    bench.database.texts(sql).await
}

/// The first order was made once, however often it came, and nothing that came late has changed what is known of it.
async fn nothing_was_changed(bench: &Bench, caller: &crate::harness::Caller, submission: Uuid) {
    let books = bench.books("SO-1");
    assert_eq!((books.len(), books[0].created, books[0].received_creates), (1, 1, 2));
    assert_eq!(outcomes(bench).await, ["in_doubt", "accepted"]);
    let read = caller.get(&format!("/v1/submissions/{submission}")).await.body;
    assert_eq!((&read["state"], &read["attempts"], &read["mayExist"]), (&json!("accepted"), &json!(2), &json!(true)));
    let events = "select count(*) from events where type in ('order.placed', 'submission.accepted')
                  and data ->> 'orderNumber' = 'SO-1'";
    assert_eq!(bench.database.count(events).await, 2);
}

/// Has webhooks of orders that are placed go to an address.
async fn add_webhook(gateway: &GatewayProcess, url: &str) {
    let body = json!({"url": url, "types": ["order.placed"]});
    let created = gateway.caller.post("/v1/webhook-endpoints", &body).await;
    assert_eq!(created.status, 201, "{:#}", created.body);
}

/// `pause` or `resume` of the account.
async fn hold(gateway: &GatewayProcess, verb: &str) {
    let answer = gateway.caller.post(&format!("/v1/accounts/otms-demo/{verb}"), &Value::Null).await;
    assert_eq!(answer.status, 200, "{:#}", answer.body);
}

/// Has orders queued, and held until the account is resumed.
async fn held(gateway: &GatewayProcess, orders: usize) {
    hold(gateway, "pause").await;
    let orders: Vec<Value> = (0..orders).map(|number| order(&format!("SO-{number}"))).collect();
    let body = json!({"orders": orders});
    let accepted = gateway.caller.post_with("/v1/orders/batch", &body, &[("idempotency-key", "held")]).await;
    assert_eq!(accepted.status, 207, "{:#}", accepted.body);
}
