//! Orders that go on by themselves in the sandbox, as the gateway hears of them.

use std::time::Duration;

use onelane::store::accounts::{NewAccount, StoredAccount};
use reqwest::Method;
use serde_json::{Value, json};

use super::subscriptions::{ALL_BY_ITSELF, until};
use super::{ACCOUNT, PROVIDER, placed, requests, transport_order};
use crate::harness::{Bench, EventStream};

const PATIENCE: Duration = Duration::from_secs(60);

async fn live_so(bench: &Bench, provider: &str, pace: Value) {
    let set = bench.control().send_with(Method::PUT, &format!("/control/{provider}/life"), &pace, &[]).await;
    assert_eq!(set.status, 200, "{:#}", set.body);
}

/// What a developer sees who pastes the two lines that `dev` prints.
#[tokio::test]
async fn the_example_order_comes_to_its_end_by_itself() {
    let bench = Bench::start().await;
    until(&bench, ALL_BY_ITSELF).await;
    live_so(&bench, PROVIDER, json!({"secondsPerStage": 0.3})).await;
    let path =
        "/v1/events/stream?after=latest&type=order.placed,order.confirmed,transport.picked_up,transport.delivered";
    let mut stream = EventStream::open(&bench.caller, path, None).await;
    let accounts = bench.sandbox.demo_accounts(&bench.sandbox_url);
    let example = accounts.into_iter().find(|it| it.id == ACCOUNT).unwrap().example_order.unwrap();
    let order = placed(&bench, &example).await;
    for event_type in ["order.placed", "order.confirmed", "transport.picked_up", "transport.delivered"] {
        let event = stream.event().await.unwrap().data;
        assert_eq!((&event["type"], &event["subject"]), (&json!(event_type), &order.body["id"]));
        if event_type == "transport.delivered" {
            let receipt = event["data"]["proofOfDelivery"]["receiptUrls"][0].as_str().unwrap();
            assert!(receipt.starts_with("http://"), "{event:#}");
        }
    }
    let order = bench.caller.get(&format!("/v1/orders/{}", order.id())).await;
    assert_eq!(order.body["status"], "completed");
}

#[tokio::test]
async fn orders_come_to_their_end_whatever_becomes_of_the_calls() {
    let bench = Bench::start().await;
    until(&bench, ALL_BY_ITSELF).await;
    live_so(
        &bench,
        PROVIDER,
        json!({"secondsPerStage": 0.2, "duplicates": 0.5, "disorder": 0.5, "badSignatures": 0.5}),
    )
    .await;
    for number in 0..5 {
        placed(&bench, &transport_order(&format!("SO-{number}"))).await;
    }
    let completed = "select count(*) = 5 from orders where status = 'completed'";
    bench.database.wait_until(PATIENCE, completed).await;
    // Of each order every stage once, also those that are told after its end.
    let told = "select count(*) = 15 from events where type in ('order.confirmed', 'transport.picked_up', 'transport.delivered')";
    bench.database.wait_until(PATIENCE, told).await;
    assert_eq!(bench.database.count("select count(*) from events where type = 'order.placed'").await, 5);
    // Who has not the secret of the path is not heard.
    assert_eq!(bench.database.count("select count(*) from callbacks where state = 'quarantined'").await, 0);
}

#[tokio::test]
async fn an_inbound_order_is_completed_by_itself_and_forged_calls_are_kept_apart() {
    let bench = Bench::start().await;
    let adopted = json!({"account": "hongxun-demo", "orderNumber": "RK-1"});
    let order = bench.caller.post("/v1/orders/adopt", &adopted).await;
    live_so(&bench, "hongxun", json!({"secondsPerStage": 0.2, "badSignatures": 1})).await;
    let part = json!({"customerNumber": "RK-1", "totalQuantity": 10, "actualQuantity": 4});
    assert_eq!(bench.control().post("/control/hongxun/callbacks", &part).await.status, 200);
    let completed = "select exists (select from orders where status = 'completed')";
    bench.database.wait_until(PATIENCE, completed).await;
    let states = bench.database.texts("select state from callbacks order by received_at, id").await;
    assert_eq!(states, ["processed", "quarantined", "processed"]);
    let order = bench.caller.get(&format!("/v1/orders/{}", order.id())).await;
    assert_eq!(order.body["status"], "completed");
}

/// What `dev` says of an account that is there.
fn as_before(account: StoredAccount) -> NewAccount {
    NewAccount {
        id: account.id,
        provider: account.provider,
        display_name: account.display_name,
        base_url: account.base_url,
        credentials: account.credentials,
        settings: account.settings,
        throttles: account.throttles,
        throttle_group: account.throttle_group,
        public_callback_url: account.public_callback_url,
        queue_limit: account.queue_limit,
    }
}

/// Whoever runs the sandbox anew has one that knows of no subscription.
#[tokio::test]
async fn an_account_of_a_sandbox_that_was_started_again_is_subscribed_again() {
    let bench = Bench::start().await;
    until(&bench, ALL_BY_ITSELF).await;
    let before = requests(&bench, "order_subscribe");
    let stored = bench.store.account(ACCOUNT).await.unwrap().unwrap();
    bench.control().post("/control/reset", &Value::Null).await;
    let holdings = bench.control().get(&format!("/control/{PROVIDER}/holdings")).await;
    assert_eq!((before, &holdings.body["subscriptions"]), (1, &json!([])));
    bench.store.refresh_account(&as_before(stored)).await.unwrap();
    until(&bench, ALL_BY_ITSELF).await;
    let holdings = bench.control().get(&format!("/control/{PROVIDER}/holdings")).await;
    assert_eq!(holdings.body["subscriptions"].as_array().unwrap().len(), 3);
}
