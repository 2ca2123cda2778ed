//! When a request left, by the audit trail: what it waited for before is not counted.

use std::time::Duration;

use serde_json::json;
use sqlx::{Connection, PgConnection};

use crate::harness::{Bench, order};

/// Keeps a lane to itself until somebody has waited for it for a while; gives the ledger's time then.
async fn hold(bench: &Bench, endpoint: &str, begin: impl AsyncFnOnce()) -> f64 {
    let mut holder = bench.database.connection().await;
    let mut held = holder.begin().await.unwrap();
    let locked = sqlx::query("select from lanes where endpoint = $1 for update").bind(endpoint);
    assert_eq!(locked.execute(&mut *held).await.unwrap().rows_affected(), 1);
    begin().await;
    let mut looker = bench.database.connection().await;
    while !somebody_waits(&mut looker).await {
        tokio::task::yield_now().await;
    }
    let now = sqlx::query_scalar("select extract(epoch from onelane_now())::float8 * 1000");
    let now = now.fetch_one(&mut *held).await.unwrap();
    held.commit().await.unwrap();
    now
}

async fn somebody_waits(looker: &mut PgConnection) -> bool {
    sqlx::query_scalar(
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
             and clock_timestamp() - query_start > interval '400 ms')",
    )
    .fetch_one(looker)
    .await
    .unwrap()
}

/// When the last exchange left, in milliseconds.
async fn last_departure(bench: &Bench) -> f64 {
    sqlx::query_scalar(
        "select extract(epoch from sent_at)::float8 * 1000 from exchanges where sent_at is not null
         order by claimed_at desc limit 1",
    )
    .fetch_one(&mut bench.database.connection().await)
    .await
    .unwrap()
}

fn last_arrival(bench: &Bench, provider: &str, endpoint: &str) -> f64 {
    *bench.arrived(provider, endpoint).unwrap().arrivals.last().unwrap()
}

#[tokio::test]
async fn a_request_left_before_it_came_however_long_its_claim_took() {
    let bench = Bench::start().await;
    assert_eq!(bench.caller.place(&order("SO-1")).await.status, 201);
    let mut accepted = None;
    hold(&bench, "orderImport", async || {
        accepted = Some(bench.caller.post("/v1/orders", &order("SO-2")).await.submission());
    })
    .await;
    bench.database.wait_for_state(accepted.unwrap(), "accepted").await;
    let (left, came) = (last_departure(&bench).await, last_arrival(&bench, "otms", "orderImport"));
    assert!(left <= came, "left at {left}, came at {came}");
}

#[tokio::test]
async fn a_question_left_when_it_had_its_token() {
    let bench = Bench::start().await;
    let mut order = order("SO-1");
    order["account"] = json!("ttms-demo");
    let doubt = json!([{"kind": "commit_then_drop", "endpoint": "create_order", "times": 1}]);
    bench.faults_of("ttms", doubt).await;
    let submission = bench.caller.post("/v1/orders", &order).await.submission();
    bench.database.wait_for_state(submission, "in_doubt").await;
    sqlx::query(
        "insert into lanes (provider, throttle_group, endpoint, next_free_at)
         values ('ttms', 'ttms-demo', 'find_order', onelane_now())",
    )
    .execute(&mut bench.database.connection().await)
    .await
    .unwrap();
    let freed = hold(&bench, "find_order", async || bench.database.advance(Duration::from_secs(91)).await).await;
    bench.database.wait_for_state(submission, "accepted").await;
    // It waited for 400 ms; the ledger and this process do not agree to the last one.
    let left = last_departure(&bench).await;
    assert!(left > freed - 100.0, "left at {left}, and could not before {freed}");
}
