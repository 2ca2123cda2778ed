//! Thousands of orders through one lane: the quota is kept and used, batches are full, and a gateway that is
//! killed in the middle loses and doubles nothing. A binary of its own, so that nothing runs beside it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(clippy::cast_precision_loss, reason = "counts of a test are small")]

#[allow(dead_code, unused_imports, reason = "the harness is shared with the other tests")]
#[path = "integration/harness/mod.rs"]
mod harness;

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::iter;
use onelane::sandbox::MeterReading;
use serde_json::json;

use harness::{Caller, GatewayProcess, TestDatabase, gateway::start_sandbox, order};

/// The lane's ceiling: one request each 26 ms.
const CEILING: f64 = 1000.0 / 26.0;

async fn add_demo_account(caller: &Caller, sandbox: &onelane::sandbox::Sandbox, url: &str) {
    let account = sandbox.demo_accounts(url).into_iter().find(|account| account.provider == "otms").unwrap();
    let created = caller.post("/v1/accounts", &serde_json::to_value(account).unwrap()).await;
    assert_eq!(created.status, 201, "{:#}", created.body);
}

/// Has orders accepted in batches of 500.
async fn accept(caller: &Caller, orders: usize) {
    let batches = (0..orders.div_ceil(500)).map(|batch| {
        let numbers = batch * 500..(batch * 500 + 500).min(orders);
        let body = json!({"orders": numbers.map(|number| order(&format!("SO-{number}"))).collect::<Vec<_>>()});
        async move {
            let key = format!("batch-{batch}");
            let answer = caller.post_with("/v1/orders/batch", &body, &[("idempotency-key", &key)]).await;
            assert_eq!(answer.status, 207, "{:#}", answer.body);
            let items = answer.body["items"].as_array().unwrap();
            assert!(items.iter().all(|item| item["status"] == 202), "{:#}", items[0]);
        }
    });
    iter(batches).buffer_unordered(4).collect::<()>().await;
}

fn orders_meter(sandbox: &onelane::sandbox::Sandbox) -> MeterReading {
    let readings = sandbox.simulator("otms").unwrap().meter();
    readings.into_iter().find(|reading| reading.endpoint == "orderImport").unwrap()
}

/// Requests a second over the middle of a run, from the first to the last tenth.
fn middle_rate(arrivals: &[f64]) -> f64 {
    let (from, to) = (arrivals.len() / 10, arrivals.len() - arrivals.len() / 10 - 1);
    (to - from) as f64 / ((arrivals[to] - arrivals[from]) / 1000.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_thousand_orders_use_the_quota_and_never_exceed_it() {
    let database = TestDatabase::create().await;
    let (sandbox, url) = start_sandbox().await;
    let gateway = GatewayProcess::start(&database).await;
    add_demo_account(&gateway.caller, &sandbox, &url).await;
    gateway.caller.post("/v1/accounts/otms-demo/pause", &json!(null)).await;
    accept(&gateway.caller, 20_000).await;
    assert_eq!(database.count("select count(*) from submissions where state = 'queued'").await, 20_000);

    gateway.caller.post("/v1/accounts/otms-demo/resume", &json!(null)).await;
    database.wait_until_all_ended(Duration::from_secs(120)).await;
    assert_eq!(database.count("select count(*) from submissions where state = 'accepted'").await, 20_000);
    let meter = orders_meter(&sandbox);
    assert!(meter.most_in_any_window <= 40, "{} in one second", meter.most_in_any_window);
    assert_eq!(meter.refusals, 0);
    assert_eq!(meter.orders, 20_000);
    // Batches are full.
    assert_eq!((meter.requests, meter.largest_batch), (200, 100), "{:?}", meter.batches);
    let rate = middle_rate(&meter.arrivals);
    println!("{rate:.1} requests/s, {:.1} % of the lane's ceiling", 100.0 * rate / CEILING);
    // A debug build is short of processor time long before the quota is used up: `cargo test --release --test load`.
    if !cfg!(debug_assertions) {
        assert!(rate >= 0.95 * CEILING, "{rate:.1} requests/s");
    }
    let books = sandbox.simulator("otms").unwrap().books(None);
    assert_eq!(books.len(), 20_000);
    assert!(books.iter().all(|entry| entry.received_creates == 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_is_killed_in_the_middle_loses_and_doubles_nothing() {
    let database = TestDatabase::create().await;
    let (sandbox, url) = start_sandbox().await;
    let gateway = GatewayProcess::start(&database).await;
    add_demo_account(&gateway.caller, &sandbox, &url).await;
    gateway.caller.post("/v1/accounts/otms-demo/pause", &json!(null)).await;
    accept(&gateway.caller, 8_000).await;
    gateway.caller.post("/v1/accounts/otms-demo/resume", &json!(null)).await;
    database
        .wait_until(Duration::from_secs(60), "select count(*) >= 3000 from submissions where state = 'accepted'")
        .await;
    gateway.kill().await;

    let gateway = GatewayProcess::start(&database).await;
    // What was under way is decided when its lease is over.
    database
        .wait_until(Duration::from_secs(60), "select not exists (select from submissions where state = 'queued')")
        .await;
    database.advance(Duration::from_secs(91)).await;
    database.wait_until_all_ended(Duration::from_secs(60)).await;
    assert_eq!(database.count("select count(*) from submissions where state = 'accepted'").await, 8_000);
    let books = sandbox.simulator("otms").unwrap().books(None);
    assert_eq!(books.len(), 8_000);
    assert!(orders_meter(&sandbox).most_in_any_window <= 40);
    // Received again only what had a recorded doubt.
    let doubtful = database.texts(
        "select o.order_number from orders o join submissions s on s.order_id = o.id
         where exists (select from attempts a where a.submission_id = s.id and a.outcome = 'in_doubt')",
    );
    let doubtful = doubtful.await;
    let again: Vec<_> = books.iter().filter(|entry| entry.received_creates > 1).collect();
    println!("{} in doubt after the kill, {} of them received again", doubtful.len(), again.len());
    for entry in again {
        assert!(doubtful.contains(entry.order_number.as_ref().unwrap()), "{entry:?}");
    }
    drop(gateway);
}
