//! What holds however an endpoint behaves: redirects, silence, dead workers, networks.

use std::time::Duration;

use onelane::canonical::{Action, DeliveryState};
use onelane::reach::AllowedNetworks;
use onelane::store::webhook_deliveries::{ClaimedDelivery, DeliveryAttempt, DeliveryOutcome, SettledDelivery};
use onelane::store::webhook_endpoints::EndpointChoice;
use onelane::vault::Sealed;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{ALL_DELIVERED, ALL_SETTLED, Endpoint, happen, until};
use crate::harness::{
    Bench, GatewayProcess, Receiver, Reply, TestDatabase, by_a_test, gateway::start_sandbox, known_keys,
};

/// Beyond the lease of a delivery.
const LEASE: Duration = Duration::from_secs(61);

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let bench = Bench::start().await;
    let mut receiver = Receiver::start().await;
    let mut elsewhere = Receiver::start().await;
    let endpoint = Endpoint::add(&bench, &receiver.url, json!({"types": ["account.paused"]})).await;
    receiver.answer_next([302, 307, 308].map(|status| Reply::WithHeader(status, "location", elsewhere.url.clone())));
    bench.pause().await;
    for (tries, status) in [302, 307, 308].into_iter().enumerate() {
        receiver.next().await;
        until(&bench, ALL_SETTLED).await;
        let delivery = &endpoint.deliveries(&bench).await[0];
        assert_eq!((&delivery["state"], &delivery["lastStatus"]), (&json!("pending"), &json!(status)));
        assert_eq!(delivery["attempts"], tries + 1);
        bench.database.advance(Duration::from_secs(60)).await;
    }
    receiver.next().await;
    until(&bench, ALL_DELIVERED).await;
    assert!(elsewhere.came().is_empty());
}

#[tokio::test]
async fn a_slow_endpoint_holds_up_no_other_and_gets_no_more_than_its_share_at_once() {
    let bench = Bench::start().await;
    let mut slow = Receiver::start().await;
    let mut quick = Receiver::start().await;
    slow.answer_with(Reply::Silence);
    let stuck = Endpoint::add(&bench, &slow.url, json!({"types": ["account.paused"]})).await;
    Endpoint::add(&bench, &quick.url, json!({"types": ["account.resumed"]})).await;
    for _ in 0..40 {
        happen(&bench).await;
    }
    for _ in 0..40 {
        quick.next().await;
    }
    let before = slow.came().len();
    assert!(before <= 8, "{before} at once");
    // After 15 seconds the silent tries end, and are tried later.
    until(&bench, "select exists (select from webhook_deliveries where state = 'pending' and error is not null)").await;
    let failed = stuck.deliveries(&bench).await;
    let failed = failed.iter().find(|delivery| !delivery["lastError"].is_null()).unwrap();
    assert_eq!((&failed["lastStatus"], &failed["state"]), (&Value::Null, &json!("pending")));
    let error = failed["lastError"].as_str().unwrap();
    assert!(error.contains("timed out") && !error.contains(&slow.url), "{error}");
}

#[tokio::test]
async fn a_delivery_whose_worker_died_is_made_again_under_the_same_id() {
    let bench = Bench::start().await;
    let mut receiver = Receiver::start().await;
    Endpoint::add(&bench, &receiver.url, json!({"types": ["account.paused"]})).await;
    let (database, sandbox, url) = bench.stop().await;
    let store = database.store().await;
    let bench = Bench::idle(database, store, sandbox, url);
    let dying = GatewayProcess::start(&bench.database).await;
    receiver.answer_with(Reply::Silence);
    bench.store.pause_account("otms-demo", "test", &by_a_test(Action::PauseAccount)).await.unwrap();
    let first = receiver.next().await;
    dying.kill().await;
    assert_eq!(bench.database.count("select count(*) from webhook_deliveries where lease_until is not null").await, 1);

    let _gateway = GatewayProcess::start(&bench.database).await;
    receiver.answer_with(Reply::Status(200));
    bench.database.advance(LEASE).await;
    let second = receiver.next().await;
    assert_eq!((second.id(), &second.body), (first.id(), &first.body));
    until(&bench, ALL_DELIVERED).await;
    assert_eq!(bench.database.count("select attempts::bigint from webhook_deliveries").await, 2);
}

#[tokio::test]
async fn a_gateway_that_stops_leaves_nothing_unsettled_that_ended_in_time() {
    let bench = Bench::start().await;
    let mut receiver = Receiver::start().await;
    Endpoint::add(&bench, &receiver.url, json!({})).await;
    for _ in 0..10 {
        happen(&bench).await;
    }
    receiver.next().await;
    let (database, _, _) = bench.stop().await;
    assert_eq!(database.count("select count(*) from webhook_deliveries where lease_until is not null").await, 0);
}

/// A ledger without a gateway, with an endpoint and so many events on their way to it.
async fn under_way(events: i32) -> (Bench, Uuid) {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (sandbox, url) = start_sandbox().await;
    let bench = Bench::idle(database, store, sandbox, url);
    let choice =
        EndpointChoice { url: "http://127.0.0.1:9".to_owned(), description: None, types: None, accounts: None };
    let endpoint_id = Uuid::now_v7();
    let sealed = Sealed { bytes: Vec::new(), key_id: known_keys().remove(0) };
    bench
        .store
        .add_webhook_endpoint(endpoint_id, &choice, &sealed, &by_a_test(Action::CreateWebhookEndpoint))
        .await
        .unwrap();
    sqlx::query(
        "insert into events (id, type, data, occurred_at, recorded_at)
         select gen_random_uuid(), 'account.paused', '{}', onelane_now(), onelane_now() from generate_series(1, $1)",
    )
    .bind(events)
    .execute(&mut bench.database.connection().await)
    .await
    .unwrap();
    bench.store.sequence_events(10).await.unwrap();
    (bench, endpoint_id)
}

/// Records what came of a try.
async fn settle(bench: &Bench, claimed: &ClaimedDelivery, delivered: bool) -> SettledDelivery {
    let failed = DeliveryOutcome::Failed { error: "no", wait: Duration::ZERO };
    let attempt = DeliveryAttempt {
        endpoint_id: claimed.endpoint_id,
        event_id: claimed.event.id,
        attempt: claimed.attempt,
        claimed_at: claimed.claimed_at,
        status: None,
        outcome: if delivered { DeliveryOutcome::Delivered } else { failed },
    };
    bench.store.settle_delivery(&attempt).await.unwrap()
}

#[tokio::test]
async fn a_worker_whose_lease_ran_out_changes_nothing() {
    let (bench, _) = under_way(1).await;
    let claim = async || bench.store.claim_deliveries(10, 10, &known_keys()).await.unwrap().pop();
    let first = claim().await.unwrap();
    assert!(claim().await.is_none(), "its lease holds");
    bench.database.advance(LEASE).await;
    let second = claim().await.unwrap();
    assert_eq!((second.event.id, first.attempt, second.attempt), (first.event.id, 1, 2));
    for delivered in [true, false] {
        assert_eq!(settle(&bench, &first, delivered).await, SettledDelivery::TooLate);
    }
    let failing = "select count(*) from webhook_endpoints where failing_since is not null";
    assert_eq!(bench.database.count(failing).await, 0, "a late failure counts for nothing");
    assert_eq!(settle(&bench, &second, true).await, SettledDelivery::In(DeliveryState::Delivered));
    assert_eq!(settle(&bench, &second, false).await, SettledDelivery::TooLate, "what was delivered stays delivered");
}

#[tokio::test]
async fn an_endpoint_that_fails_is_tried_with_one_delivery_at_a_time_until_one_arrives() {
    let (bench, endpoint_id) = under_way(5).await;
    let claim = async || bench.store.claim_deliveries(10, 3, &known_keys()).await.unwrap();
    let claimed = claim().await;
    assert_eq!(claimed.len(), 3);
    assert!(claimed.iter().all(|delivery| delivery.endpoint_id == endpoint_id));
    assert!(claim().await.is_empty(), "three are on their way");
    for delivery in &claimed {
        assert_eq!(settle(&bench, delivery, false).await, SettledDelivery::In(DeliveryState::Pending));
    }
    let probe = claim().await;
    assert_eq!(probe.len(), 1);
    assert!(claim().await.is_empty());
    settle(&bench, &probe[0], true).await;
    assert_eq!(claim().await.len(), 3);
}

#[tokio::test]
async fn webhooks_reach_no_network_that_is_not_allowed_whatever_the_name_says() {
    let database = TestDatabase::create().await;
    let (sandbox, url) = start_sandbox().await;
    let bench = Bench::within(AllowedNetworks::default(), database, sandbox, url).await;
    let mut receiver = Receiver::start().await;
    let refused = bench.caller.post("/v1/webhook-endpoints", &json!({"url": receiver.url})).await;
    let invalid = ("/url".to_owned(), "validation.invalid_value".to_owned());
    assert_eq!(refused.problem(422, "validation-failed"), [invalid]);
    assert!(refused.body["errors"][0]["detail"].as_str().unwrap().contains("ONELANE_ALLOWED_NETWORKS"));
    // A name could lead anywhere; it is judged when it is dialled.
    let named = receiver.url.replace("127.0.0.1", "localhost");
    let endpoint = Endpoint::add(&bench, &named, json!({})).await;
    // And one that was allowed once is not dialled when it is allowed no more.
    let formerly = Endpoint::add(&bench, &named, json!({})).await;
    sqlx::query("update webhook_endpoints set url = $1 where id = $2")
        .bind(&receiver.url)
        .bind(formerly.path.rsplit('/').next().unwrap().parse::<Uuid>().unwrap())
        .execute(&mut bench.database.connection().await)
        .await
        .unwrap();
    sqlx::query(
        "insert into events (id, type, data, occurred_at, recorded_at)
         values (gen_random_uuid(), 'account.paused', '{}', onelane_now(), onelane_now())",
    )
    .execute(&mut bench.database.connection().await)
    .await
    .unwrap();
    until(&bench, "select count(*) = 2 from webhook_deliveries where error is not null").await;
    for endpoint in [endpoint, formerly] {
        let delivery = &endpoint.deliveries(&bench).await[0];
        let error = delivery["lastError"].as_str().unwrap();
        assert!(error.contains("not public") && !error.contains("127.0.0.1"), "{error}");
        assert_eq!((&delivery["state"], &delivery["lastStatus"]), (&json!("pending"), &Value::Null));
    }
    assert!(receiver.came().is_empty());
}
