//! Tokens: one for all, asked for once, renewed only when they must be.

use std::time::Duration;

use serde_json::{Value, json};

use super::{ACCOUNT, PROVIDER, held, placed, requests, transport_order, unthrottle};
use crate::harness::{Bench, order};

const ASK: &str = "generate_access_token";
const RENEW: &str = "refresh_access_token";

#[tokio::test]
async fn one_order_goes_to_two_providers_with_only_the_account_changed() {
    let bench = Bench::start().await;
    let otms = bench.caller.place(&order("SO-1")).await;
    let ttms = placed(&bench, &transport_order("SO-1")).await;
    assert_eq!(otms.body["submission"]["state"], "accepted");
    assert_eq!((&ttms.body["status"], &ttms.body["provider"]), (&json!("requested"), &json!("ttms")));
    assert_eq!(held(&bench, "SO-1").len(), 1);
    assert_eq!(held(&bench, "SO-1")[0]["providerOrderNumber"], ttms.body["providerOrderNumber"]);
}

#[tokio::test]
async fn a_token_is_asked_for_once_and_shared() {
    let bench = Bench::start().await;
    placed(&bench, &transport_order("SO-1")).await;
    placed(&bench, &transport_order("SO-2")).await;
    assert_eq!((requests(&bench, ASK), requests(&bench, RENEW)), (1, 0));
    // What is kept is sealed, and no exchange shows it.
    let sealed = bench.database.texts("select encode(session, 'escape') from provider_sessions").await;
    assert!(!sealed[0].contains("accessToken"));
    let urls = bench.database.texts("select url from exchanges where url is not null").await;
    assert!(urls.iter().all(|url| url.ends_with("access_token=***")), "{urls:?}");
    // The next gateway on this ledger goes on with it.
    let (database, sandbox, url) = bench.stop().await;
    let bench = Bench::over(database, sandbox, url).await;
    placed(&bench, &transport_order("SO-3")).await;
    assert_eq!((requests(&bench, ASK), requests(&bench, RENEW)), (1, 0));
}

#[tokio::test]
async fn a_token_killed_in_the_middle_of_1000_orders_is_renewed_once() {
    let bench = Bench::start().await;
    unthrottle(&bench, &["create_order"]).await;
    bench.hold(ACCOUNT, "pause").await;
    for batch in 0..10 {
        let orders: Vec<_> = (0..100).map(|number| transport_order(&format!("SO-{}", batch * 100 + number))).collect();
        let body = json!({"orders": orders});
        let key = format!("batch-{batch}");
        let answer = bench.caller.post_with("/v1/orders/batch", &body, &[("idempotency-key", &key)]).await;
        assert_eq!(answer.status, 207);
    }
    bench.hold(ACCOUNT, "resume").await;
    let some = "select count(*) >= 300 from submissions where state = 'accepted'";
    bench.database.wait_until(Duration::from_secs(60), some).await;
    bench.faults_of(PROVIDER, json!([{"kind": "session_killed", "endpoint": "create_order", "times": 1}])).await;
    bench.database.wait_until_all_ended(Duration::from_secs(120)).await;
    assert_eq!(bench.database.count("select count(*) from submissions where state = 'accepted'").await, 1000);
    assert!(requests(&bench, RENEW) <= 1, "{} renewals", requests(&bench, RENEW));
    let books = bench.simulator_of(PROVIDER).books(None);
    assert_eq!(books.len(), 1000);
    assert!(books.iter().all(|entry| entry.received_creates == 1));
    // It cost no order an attempt.
    assert_eq!(bench.database.count("select count(*) from submissions where attempts <> 1").await, 0);
    assert!(bench.database.count("select count(*) from attempts where outcome = 'queued'").await > 0);
}

#[tokio::test]
async fn wrong_credentials_pause_the_account() {
    let bench = Bench::start().await;
    let path = format!("/v1/accounts/{ACCOUNT}");
    let change = json!({"credentials": {"username": "nobody", "password": "wrong-password"}});
    assert_eq!(bench.caller.send_with(reqwest::Method::PATCH, &path, &change, &[]).await.status, 200);
    let accepted = bench.caller.post("/v1/orders", &transport_order("SO-1")).await;
    bench
        .database
        .wait_until(Duration::from_secs(30), "select exists (select from accounts where paused_at is not null)")
        .await;
    let account = bench.caller.get(&path).await.body;
    let reason = account["paused"]["reason"].as_str().unwrap();
    assert!(reason.contains("账号或密码不正确"), "{reason}");
    let submission = bench.caller.get(&format!("/v1/submissions/{}", accepted.submission())).await.body;
    assert_eq!((&submission["state"], &submission["heldBy"]), (&json!("queued"), &json!("account_paused")));
    assert_eq!(submission["attempts"], 0);
}

#[tokio::test]
async fn a_provider_that_refuses_every_token_pauses_the_account() {
    let bench = Bench::start().await;
    bench.faults_of(PROVIDER, json!([{"kind": "session_killed", "endpoint": "create_order"}])).await;
    bench.caller.post("/v1/orders", &transport_order("SO-1")).await;
    bench
        .database
        .wait_until(Duration::from_secs(30), "select exists (select from accounts where paused_at is not null)")
        .await;
    let account = bench.caller.get(&format!("/v1/accounts/{ACCOUNT}")).await.body;
    assert!(account["paused"]["reason"].as_str().unwrap().contains("refuses every new session"), "{account:#}");
    bench.faults_of(PROVIDER, json!([])).await;
    let id = bench.database.texts("select id::text from submissions").await.remove(0);
    bench.hold(ACCOUNT, "resume").await;
    bench.database.wait_for_state(id.parse().unwrap(), "accepted").await;
}

#[tokio::test]
async fn a_session_does_not_outlive_the_credentials_it_was_given_for() {
    let bench = Bench::start().await;
    placed(&bench, &transport_order("SO-1")).await;
    let path = format!("/v1/accounts/{ACCOUNT}");
    let change = json!({"displayName": "another name"});
    assert_eq!(bench.caller.send_with(reqwest::Method::PATCH, &path, &change, &[]).await.status, 200);
    placed(&bench, &transport_order("SO-2")).await;
    assert_eq!((requests(&bench, ASK), requests(&bench, RENEW)), (2, 0));
    assert_eq!(bench.caller.get(&path).await.body["credentials"], Value::Null);
}

#[tokio::test]
async fn an_order_waits_for_a_token_that_cannot_be_had_and_was_never_sent() {
    let bench = Bench::start().await;
    let failing = json!([{"kind": "html", "endpoint": ASK, "status": 502}]);
    bench.faults_of(PROVIDER, failing).await;
    // Whatever token there was is not that of these credentials.
    let path = format!("/v1/accounts/{ACCOUNT}");
    let change = json!({"displayName": "another name"});
    assert_eq!(bench.caller.send_with(reqwest::Method::PATCH, &path, &change, &[]).await.status, 200);
    let id = bench.caller.post("/v1/orders", &transport_order("SO-1")).await.submission();
    let tried = "select exists (select from attempts where outcome = 'queued')";
    bench.database.wait_until(Duration::from_secs(30), tried).await;
    let read = bench.caller.get(&format!("/v1/submissions/{id}")).await.body;
    assert_eq!((&read["attempts"], &read["mayExist"]), (&json!(0), &json!(false)), "{read:#}");
    let codes: Vec<_> = read["results"].as_array().unwrap().iter().map(|result| &result["code"]).collect();
    assert!(codes.contains(&&json!("transport.connect_failed")), "{codes:?}");
    bench.faults_of(PROVIDER, json!([])).await;
    bench.database.advance(Duration::from_secs(60)).await;
    bench.database.wait_for_state(id, "accepted").await;
}
