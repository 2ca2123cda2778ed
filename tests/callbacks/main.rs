//! Thousands of callbacks, some of them twice and some out of order, through a `kill -9` of the gateway: each event is
//! told once, each order stands where it should, and each webhook comes. A binary of its own, so that nothing runs
//! beside it.
//!
//! `cargo test --release --test callbacks -- --nocapture` makes 10,000 calls and prints what became of them; a debug
//! build makes 1,000. `ONELANE_TEST_CALLBACKS` is another number, `ONELANE_TEST_SEED` the seed of an earlier run.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of a test are small"
)]

#[allow(dead_code, unused_imports, reason = "the harness is shared with the other tests")]
#[path = "../integration/harness/mod.rs"]
mod harness;
mod life;
mod outcome;
mod senders;

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::iter;
use onelane::sandbox::{Random, Sandbox, seeded};
use serde_json::{Value, json};

use harness::gateway::start_sandbox;
use harness::{Caller, GatewayProcess, Receiver, TestDatabase, order};
use life::{Life, Plan};
use senders::Senders;

const TRANSPORT: &str = "ttms";
const WAREHOUSE: &str = "hongxun";
const PATIENCE: Duration = Duration::from_secs(120);
/// Longer than a webhook or a callback is left to whoever took it up.
const LEASES: Duration = Duration::from_secs(61);

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok().map(|text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callbacks_through_a_kill_are_told_once() {
    let calls = number_from("ONELANE_TEST_CALLBACKS").unwrap_or(if cfg!(debug_assertions) { 1_000 } else { 10_000 });
    let seed = number_from("ONELANE_TEST_SEED").unwrap_or_else(|| uuid::Uuid::new_v4().as_u64_pair().0);
    println!("{calls} calls, ONELANE_TEST_SEED={seed}");
    let random = seeded(seed);
    let plan = Plan::draw(calls as usize, &random);

    let database = TestDatabase::create().await;
    let (sandbox, sandbox_url) = start_sandbox().await;
    let gateway = GatewayProcess::start(&database).await;
    let mut receiver = Receiver::start().await;
    let endpoint = gateway.caller.post("/v1/webhook-endpoints", &json!({"url": receiver.url})).await;
    let secret = endpoint.body["secret"].as_str().unwrap().to_owned();
    add_accounts(&gateway, &sandbox, &sandbox_url).await;
    until_subscribed(&database).await;
    let lives = make_orders(&database, &gateway.caller, plan.lives).await;
    let script = life::script(&sandbox, &lives, plan.repetitions, plan.disorderly, &random);

    let senders = Senders::start(&gateway.url(""), script.calls);
    let killed_at = calls as usize * 3 / 10 + (random() * calls as f64 * 0.4) as usize;
    senders.until_answered(killed_at).await;
    gateway.kill().await;
    let gateway = GatewayProcess::start(&database).await;
    senders.go_on_at(&gateway.url(""));
    let sent = senders.end().await;

    // What was under way when the gateway was killed is taken up when its lease is over.
    database.advance(LEASES).await;
    database.wait_until(PATIENCE, "select not exists (select from callbacks where state = 'received')").await;
    let delivered = "select not exists (select from events_without_place)
        and not exists (select from webhook_deliveries where state = 'pending')";
    database.wait_until(PATIENCE, delivered).await;

    let feed = outcome::read_feed(&gateway.caller).await;
    let webhooks = outcome::collect(receiver.came(), &secret);
    println!(
        "{} calls sent, {} of them again after no answer; {} distinct, {} duplicates, {} out of order; killed after {killed_at}",
        sent.sent, sent.again, script.distinct, script.repeated, script.out_of_order
    );
    println!(
        "{} events in the feed; {} webhooks received, {} of them again",
        feed.len(),
        webhooks.received,
        webhooks.received - webhooks.events.len()
    );
    outcome::assert_told_once(&feed, &lives);
    outcome::assert_received(&feed, &webhooks);
    outcome::assert_statuses(&database, &lives).await;
    // Each call was told by one callback; whatever came besides is known to be a repetition.
    let states = database.texts("select state || ' ' || count(*) from callbacks group by state order by state").await;
    let arrived = database.count("select count(*) from callbacks").await as usize;
    assert!(arrived >= script.distinct + script.repeated && arrived <= sent.sent, "{arrived} of {}", sent.sent);
    let expected = [format!("duplicate {}", arrived - script.distinct), format!("processed {}", script.distinct)];
    assert_eq!(states, expected);
}

/// The accounts whose providers call, as these are told by the gateway.
async fn add_accounts(gateway: &GatewayProcess, sandbox: &Sandbox, sandbox_url: &str) {
    for account in sandbox.demo_accounts(sandbox_url) {
        let provider = account.provider;
        if ![TRANSPORT, WAREHOUSE].contains(&provider) {
            continue;
        }
        let mut body = serde_json::to_value(account).unwrap();
        body["publicCallbackUrl"] = json!(gateway.url(""));
        if provider == TRANSPORT {
            // A hundred in a request: there are as many orders as a quarter of the calls.
            body["settings"]["batchCreate"] = json!(true);
        }
        let created = gateway.caller.post("/v1/accounts", &body).await;
        assert_eq!(created.status, 201, "{:#}", created.body);
        sandbox.call_at(provider, created.body["callbackUrl"].as_str().unwrap());
    }
}

/// Waits for what the gateway does by itself; no state changes meanwhile that one could wait for.
async fn until_subscribed(database: &TestDatabase) {
    let mut connection = database.connection().await;
    let question = "select count(*) = 3 from subscriptions where subscribed_at is not null";
    let subscribed = async {
        while !sqlx::query_scalar::<_, bool>(question).fetch_one(&mut connection).await.unwrap() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, subscribed).await.expect("the account is not subscribed");
}

/// Places the transport orders and registers the inbound ones; gives the lives with the numbers of their orders.
async fn make_orders(database: &TestDatabase, caller: &Caller, mut lives: Vec<Life>) -> Vec<Life> {
    let transports: Vec<Value> =
        lives.iter().filter(|life| life.provider == TRANSPORT).map(|life| transport_order(&life.number)).collect();
    for (batch, orders) in transports.chunks(500).enumerate() {
        let key = format!("batch-{batch}");
        let answer =
            caller.post_with("/v1/orders/batch", &json!({"orders": orders}), &[("idempotency-key", &key)]).await;
        assert_eq!(answer.status, 207, "{:#}", answer.body);
        assert!(answer.body["items"].as_array().unwrap().iter().all(|it| it["status"] == 202), "{:#}", answer.body);
    }
    let adopted = lives.iter().filter(|life| life.provider == WAREHOUSE).map(|life| {
        let body = json!({"account": "hongxun-demo", "orderNumber": life.number});
        async move { assert_eq!(caller.post("/v1/orders/adopt", &body).await.status, 201) }
    });
    iter(adopted.collect::<Vec<_>>()).buffer_unordered(8).collect::<()>().await;
    database.wait_until_all_ended(PATIENCE).await;
    assert_eq!(database.count("select count(*) from submissions where state <> 'accepted'").await, 0);
    let numbers = database
        .texts(
            "select order_number || ' ' || provider_order_number from orders where provider_order_number is not null",
        )
        .await;
    let numbers: std::collections::HashMap<&str, &str> =
        numbers.iter().filter_map(|pair| pair.split_once(' ')).collect();
    for life in lives.iter_mut().filter(|life| life.provider == TRANSPORT) {
        life.provider_number = numbers[life.number.as_str()].to_owned();
    }
    lives
}

fn transport_order(number: &str) -> Value {
    let mut order = order(number);
    order["account"] = json!("ttms-demo");
    order
}

/// A number from 0 to below `count`.
fn below(count: usize, random: &Random) -> usize {
    (random() * count as f64) as usize
}
