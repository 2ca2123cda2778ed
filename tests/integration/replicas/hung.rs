//! A replica that hangs: it holds what it holds for so long, and what it does later changes nothing.

use std::time::Duration;

use serde_json::json;

use super::{TOO_LATE, nothing_was_changed, others_go_on, under_way};
use crate::harness::{Bench, GatewayProcess, TestDatabase, order};

#[tokio::test]
async fn a_replica_that_hangs_past_its_lease_changes_nothing_when_it_wakes() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let hanging = GatewayProcess::start(&bench.database).await;
    let submission = under_way(&bench, &hanging).await;
    hanging.hang();
    let other = GatewayProcess::start(&bench.database).await;
    others_go_on(&bench, &other, submission).await;

    hanging.go_on();
    hanging.log_with(TOO_LATE).await;
    nothing_was_changed(&bench, &other.caller, submission).await;
    // It is one of them again.
    let placed = hanging.caller.place(&order("SO-3")).await;
    assert_eq!(placed.body["submission"]["state"], "accepted", "{:#}", placed.body);
}

#[tokio::test]
async fn a_replica_that_hangs_in_a_transaction_loses_its_locks() {
    let bench = Bench::start().await;
    bench.caller.place(&order("SO-1")).await;
    // A connection as every replica has it, in the middle of a claim.
    let mut hanging = bench.store.pool().begin().await.unwrap();
    let lane = "select from lanes where provider = 'otms' for update";
    sqlx::query(lane).execute(&mut *hanging).await.unwrap();
    let accepted = bench.caller.post("/v1/orders", &order("SO-2")).await;
    bench.database.wait_for_state(accepted.submission(), "accepted").await;
    // The database has ended its session.
    assert!(sqlx::query("select 1").execute(&mut *hanging).await.is_err());
}

#[tokio::test]
async fn deliveries_of_a_replica_that_hangs_are_made_again_by_another() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let mut receiver = crate::harness::Receiver::start().await;
    let hanging = GatewayProcess::start(&bench.database).await;
    super::add_webhook(&hanging, &receiver.url).await;
    receiver.answer_next([crate::harness::Reply::Silence]);
    hanging.caller.place(&order("SO-1")).await;
    let first = receiver.next().await;
    hanging.hang();
    let _other = GatewayProcess::start(&bench.database).await;
    bench.database.advance(Duration::from_secs(61)).await;
    let second = receiver.next().await;
    assert_eq!((first.id(), first.event()["data"]["orderNumber"].clone()), (second.id(), json!("SO-1")));
    let delivered = "select not exists (select from webhook_deliveries where state <> 'delivered')";
    bench.database.wait_until(Duration::from_secs(30), delivered).await;
    hanging.go_on();
    // Its own try failed, or had no answer; the delivery that was made stays made.
    let placed = hanging.caller.place(&order("SO-2")).await;
    assert_eq!(placed.status, 201, "{:#}", placed.body);
    assert_eq!(receiver.next().await.event()["data"]["orderNumber"], "SO-2");
    let made = "select count(*) from webhook_deliveries where state = 'delivered' and tries = 2";
    assert_eq!(bench.database.count(made).await, 1);
}
