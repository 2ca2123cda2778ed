//! Batches and the hourly quota.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{ACCOUNT, PROVIDER, requests, transport_order};
use crate::harness::gateway::start_sandbox_ahead;
use crate::harness::{Bench, TestDatabase};

/// Lets several orders share a request.
async fn with_batches(bench: &Bench) {
    let change = json!({"settings": {"batchCreate": true}});
    let changed = bench.caller.send_with(Method::PATCH, &format!("/v1/accounts/{ACCOUNT}"), &change, &[]).await;
    assert_eq!(changed.status, 200, "{:#}", changed.body);
}

async fn accept(bench: &Bench, orders: &[Value], key: &str) {
    let body = json!({"orders": orders});
    let answer = bench.caller.post_with("/v1/orders/batch", &body, &[("idempotency-key", key)]).await;
    assert_eq!(answer.status, 207, "{:#}", answer.body);
    assert!(answer.body["items"].as_array().unwrap().iter().all(|item| item["status"] == 202), "{:#}", answer.body);
}

#[tokio::test]
async fn without_the_setting_each_order_goes_by_itself() {
    let bench = Bench::start().await;
    bench.hold(ACCOUNT, "pause").await;
    let orders: Vec<_> = (0..5).map(|number| transport_order(&format!("SO-{number}"))).collect();
    accept(&bench, &orders, "k").await;
    bench.hold(ACCOUNT, "resume").await;
    bench.database.wait_until_all_ended(Duration::from_secs(30)).await;
    assert_eq!(requests(&bench, "create_order"), 5);
}

#[tokio::test]
async fn a_bad_order_among_100_spoils_none_of_the_others() {
    let bench = Bench::start().await;
    with_batches(&bench).await;
    // Its number stands at the provider already: somebody else's order, an hour older.
    let other = bench.caller.place(&transport_order("SO-50")).await;
    assert_eq!(other.body["submission"]["state"], "accepted");
    sqlx::query("update orders set order_number = 'ELSEWHERE' where order_number = 'SO-50'")
        .execute(&mut bench.database.connection().await)
        .await
        .unwrap();
    bench.database.advance(Duration::from_secs(3600)).await;
    bench.hold(ACCOUNT, "pause").await;
    let orders: Vec<_> = (0..100).map(|number| transport_order(&format!("SO-{number}"))).collect();
    accept(&bench, &orders, "k").await;
    bench.hold(ACCOUNT, "resume").await;
    bench.database.wait_until_all_ended(Duration::from_secs(60)).await;
    assert_eq!(bench.database.count("select count(*) from submissions where state = 'accepted'").await, 1 + 99);
    let books = bench.simulator_of(PROVIDER).books(None);
    assert_eq!(books.len(), 100);
    assert!(books.iter().all(|entry| entry.created == 1), "none twice");
    // The batch, and then each by itself; the duplicate was asked about.
    assert_eq!(requests(&bench, "create_order"), 1 + 1 + 100);
    assert_eq!(bench.database.count("select count(*) from exchanges where url like '%find_order%'").await, 1);
    let rejected = bench.caller.get("/v1/submissions?state=rejected").await.body["items"].clone();
    let [rejected] = rejected.as_array().unwrap().as_slice() else { panic!("{rejected:#}") };
    let order = bench.caller.get(&format!("/v1/orders/{}", rejected["orderId"].as_str().unwrap())).await.body;
    assert_eq!((&order["orderNumber"], &order["status"]), (&json!("SO-50"), &json!("rejected")));
    let results = rejected["results"].as_array().unwrap();
    assert!(results.iter().any(|result| result["code"] == "state.duplicate"), "{results:#?}");
    let others = "select count(*) from submissions where attempts <> 1 and state = 'accepted'";
    assert_eq!(bench.database.count(others).await, 0);
}

/// The ledger's clock and the simulator's go together.
struct Hours {
    ahead: Arc<AtomicI64>,
}

impl Hours {
    async fn pass(&self, bench: &Bench, time: Duration) {
        self.ahead.fetch_add(i64::try_from(time.as_millis()).unwrap(), Ordering::Relaxed);
        bench.database.advance(time).await;
    }
}

#[tokio::test]
async fn no_hour_sees_more_requests_than_the_quota_also_after_a_restart() {
    let hours = Hours { ahead: Arc::default() };
    let database = TestDatabase::create().await;
    let (sandbox, url) = start_sandbox_ahead(Arc::clone(&hours.ahead)).await;
    let mut bench = Bench::over(database, sandbox, url).await;
    for account in bench.sandbox.demo_accounts(&bench.sandbox_url).into_iter().filter(|it| it.id == ACCOUNT) {
        let mut account = serde_json::to_value(account).unwrap();
        // A thirtieth of the documented limit, so that hours pass in seconds.
        account["throttles"] = json!({"create_order": {"requests": 330, "windowSeconds": 3600}});
        assert_eq!(bench.caller.post("/v1/accounts", &account).await.status, 201);
    }
    bench.hold(ACCOUNT, "pause").await;
    let orders: Vec<_> = (0..400).map(|number| transport_order(&format!("SO-{number}"))).collect();
    accept(&bench, &orders, "k").await;
    bench.hold(ACCOUNT, "resume").await;
    let mut restarted = false;
    loop {
        let left = bench.database.count("select count(*) from submissions where finished_at is null").await;
        if left == 0 {
            break;
        }
        if left < 200 && !restarted {
            let (database, sandbox, url) = bench.stop().await;
            bench = Bench::over(database, sandbox, url).await;
            restarted = true;
        }
        // Ten requests' worth of the quota.
        hours.pass(&bench, Duration::from_secs(113)).await;
        let gone = "select count(*) from submissions where finished_at is null";
        let mut watch = bench.database.watch().await;
        while bench.database.count(gone).await > (left - 5).max(0) {
            watch.next_of_many().await;
        }
    }
    let meter = bench.arrived(PROVIDER, "create_order").unwrap();
    assert_eq!(meter.requests, 400);
    assert!(meter.most_in_any_window <= 330, "{} in one hour", meter.most_in_any_window);
}
