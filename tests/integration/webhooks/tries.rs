//! What fails: tried again for a day, given up, delivered again on demand; endpoints that are disabled and enabled.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{ALL_DELIVERED, ALL_SETTLED, DAY, Endpoint, until};
use crate::harness::{Bench, Receiver, Reply, known_keys};

#[tokio::test]
async fn what_fails_is_tried_again_under_the_same_id_until_it_succeeds() {
    let bench = Bench::start().await;
    let mut receiver = Receiver::start().await;
    let endpoint = Endpoint::add(&bench, &receiver.url, json!({"types": ["account.paused"]})).await;
    receiver.answer_next([Reply::Status(500), Reply::Status(404)]);
    bench.pause().await;
    let first = receiver.next().await;
    until(&bench, ALL_SETTLED).await;
    let delivery = &endpoint.deliveries(&bench).await[0];
    assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("pending"), &json!(1)));
    assert_eq!((&delivery["lastStatus"], &delivery["lastError"]), (&json!(500), &json!("the endpoint answered 500")));
    assert!(delivery["nextAttemptAt"].is_string());
    assert!(endpoint.read(&bench).await["failingSince"].is_string());

    bench.database.advance(Duration::from_secs(10)).await;
    let second = receiver.next().await;
    until(&bench, ALL_SETTLED).await;
    bench.database.advance(Duration::from_secs(20)).await;
    let third = receiver.next().await;
    assert_eq!((second.id(), third.id()), (first.id(), first.id()));
    assert_eq!((&second.body, &third.body), (&first.body, &first.body));
    // Each is signed for its own time.
    assert!(third.was_signed_with(&endpoint.secret));
    let time = |timestamp: &str| timestamp.parse::<i64>().unwrap();
    assert!(time(third.header("webhook-timestamp")) >= time(first.header("webhook-timestamp")) + 30);
    until(&bench, ALL_DELIVERED).await;
    let delivery = &endpoint.deliveries(&bench).await[0];
    assert_eq!((&delivery["attempts"], &delivery["lastStatus"]), (&json!(3), &json!(200)));
    assert_eq!(endpoint.read(&bench).await["failingSince"], Value::Null);
}

#[tokio::test]
async fn after_a_day_of_tries_a_delivery_is_dead_and_can_be_sent_again() {
    let bench = Bench::start().await;
    let mut receiver = Receiver::start().await;
    let endpoint = Endpoint::add(&bench, &receiver.url, json!({"types": ["account.paused"]})).await;
    receiver.answer_next([Reply::Status(500)]);
    bench.pause().await;
    let lost = receiver.next().await;
    until(&bench, ALL_SETTLED).await;
    // Another one arrives meanwhile: the endpoint works.
    bench.resume().await;
    bench.pause().await;
    assert_ne!(receiver.next().await.id(), lost.id());
    until(&bench, "select count(*) = 1 from webhook_deliveries where state = 'delivered'").await;
    receiver.answer_next([Reply::Status(500)]);
    bench.database.advance(DAY).await;
    assert_eq!(receiver.next().await.id(), lost.id());
    until(&bench, "select exists (select from webhook_deliveries where state = 'dead')").await;
    assert_eq!(endpoint.read(&bench).await["enabled"], true);
    let dead = bench.caller.get(&format!("{}/deliveries?state=dead", endpoint.path)).await;
    assert_eq!(dead.body["items"].as_array().unwrap().len(), 1);
    assert_eq!((&dead.body["items"][0]["id"], &dead.body["items"][0]["attempts"]), (&json!(lost.id()), &json!(2)));
    assert_eq!(dead.body["items"][0]["nextAttemptAt"], Value::Null);

    let again = endpoint.redeliver(&bench, lost.id()).await;
    assert_eq!((again.status, &again.body["id"]), (200, &json!(lost.id())), "{:#}", again.body);
    let webhook = receiver.next().await;
    assert_eq!((webhook.id(), &webhook.body), (lost.id(), &lost.body));
    until(&bench, ALL_DELIVERED).await;
    // What was delivered can be delivered again, too.
    assert_eq!(endpoint.redeliver(&bench, lost.id()).await.status, 200);
    assert_eq!(receiver.next().await.id(), lost.id());
    until(&bench, ALL_DELIVERED).await;
    assert_eq!(endpoint.deliveries(&bench).await[1]["attempts"], 4);
    for unknown in ["018f2b5c-0000-7000-8000-000000000000", "not-an-id"] {
        endpoint.redeliver(&bench, unknown).await.problem(404, "not-found");
    }
    for query in ["state=lost", "limit=0", "cursor=!", "cursor=YQ"] {
        bench.caller.get(&format!("{}/deliveries?{query}", endpoint.path)).await.problem(400, "malformed-request");
    }
    let page = bench.caller.get(&format!("{}/deliveries?limit=1", endpoint.path)).await;
    let cursor = page.body["nextCursor"].as_str().unwrap();
    let page = bench.caller.get(&format!("{}/deliveries?limit=1&cursor={cursor}", endpoint.path)).await;
    assert_eq!((&page.body["items"][0]["id"], &page.body["nextCursor"]), (&json!(lost.id()), &Value::Null));
}

#[tokio::test]
async fn an_endpoint_that_failed_for_a_day_is_disabled_and_what_waits_goes_when_it_is_enabled() {
    let bench = Bench::start().await;
    let mut broken = Receiver::start().await;
    let mut witness = Receiver::start().await;
    let endpoint =
        Endpoint::add(&bench, &broken.url, json!({"types": ["account.paused"], "description": "shop"})).await;
    Endpoint::add(&bench, &witness.url, json!({"types": ["webhook.endpoint_disabled"]})).await;
    broken.answer_with(Reply::Status(503));
    bench.pause().await;
    let first = broken.next().await;
    until(&bench, ALL_SETTLED).await;
    let mut tries = 1;
    // Through all of the schedule: each wait is at most four hours.
    while endpoint.read(&bench).await["enabled"] == true {
        bench.database.advance(Duration::from_secs(4 * 60 * 60)).await;
        assert_eq!(broken.next().await.id(), first.id());
        until(&bench, ALL_SETTLED).await;
        tries += 1;
    }
    assert_eq!(tries, 7, "at once, and for 24 hours");
    let disabled = endpoint.read(&bench).await;
    assert_eq!(disabled["disabledReason"], "every delivery failed for 24 hours");
    let told = witness.next().await.event();
    assert_eq!((&told["source"], told.get("subject")), (&json!("/v1"), None));
    assert_eq!(told["data"]["webhookEndpoint"], disabled["id"]);
    assert_eq!((&told["data"]["description"], &told["data"]["reason"]), (&json!("shop"), &disabled["disabledReason"]));
    assert!(!told.to_string().contains(&broken.url), "an URL may hold a secret");
    let delivery = endpoint.deliveries(&bench).await[0].clone();
    assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("dead"), &json!(tries)));

    // What happens meanwhile waits; nothing goes.
    bench.resume().await;
    bench.pause().await;
    until(&bench, "select count(*) = 1 from webhook_deliveries where state = 'pending' and attempts = 0").await;
    endpoint.redeliver(&bench, first.id()).await.problem(409, "state-conflict");
    bench.database.advance(DAY).await;
    assert!(bench.store.claim_deliveries(10, 10, &known_keys()).await.unwrap().is_empty());
    broken.answer_with(Reply::Status(204));
    endpoint.enable(&bench).await;
    assert_ne!(broken.next().await.id(), first.id());
    endpoint.redeliver(&bench, first.id()).await;
    assert_eq!(broken.next().await.id(), first.id());
    until(&bench, ALL_DELIVERED).await;
    assert!(broken.came().is_empty());
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_disabled_at_once() {
    let bench = Bench::start().await;
    let mut receiver = Receiver::start().await;
    let endpoint = Endpoint::add(&bench, &receiver.url, json!({"types": ["account.paused"]})).await;
    receiver.answer_next([Reply::Status(500), Reply::Status(410)]);
    bench.pause().await;
    let waits = receiver.next().await;
    until(&bench, ALL_SETTLED).await;
    bench.resume().await;
    bench.pause().await;
    let gone = receiver.next().await;
    until(&bench, "select exists (select from webhook_endpoints where disabled_at is not null)").await;
    assert_eq!(endpoint.read(&bench).await["disabledReason"], "the endpoint answered 410 Gone");
    let deliveries = endpoint.deliveries(&bench).await;
    let states: Vec<_> = deliveries.iter().map(|delivery| (&delivery["id"], &delivery["state"])).collect();
    assert_eq!(states, [(&json!(gone.id()), &json!("dead")), (&json!(waits.id()), &json!("pending"))]);
    // The one that waited for its next try goes at once.
    endpoint.enable(&bench).await;
    assert_eq!(receiver.next().await.id(), waits.id());
    assert_eq!(bench.database.count("select count(*) from events where type = 'webhook.endpoint_disabled'").await, 1);
}

#[tokio::test]
async fn another_url_is_tried_at_once() {
    let bench = Bench::start().await;
    let mut wrong = Receiver::start().await;
    let mut right = Receiver::start().await;
    let endpoint = Endpoint::add(&bench, &wrong.url, json!({"types": ["account.paused"]})).await;
    wrong.answer_with(Reply::Status(404));
    bench.pause().await;
    let first = wrong.next().await;
    until(&bench, ALL_SETTLED).await;
    bench.caller.send_with(Method::PATCH, &endpoint.path, &json!({"url": right.url}), &[]).await;
    assert_eq!(right.next().await.id(), first.id());
    until(&bench, ALL_DELIVERED).await;
}

#[tokio::test]
async fn an_endpoint_may_ask_for_more_time() {
    let bench = Bench::start().await;
    let mut receiver = Receiver::start().await;
    let endpoint = Endpoint::add(&bench, &receiver.url, json!({"types": ["account.paused"]})).await;
    receiver.answer_next([Reply::WithHeader(429, "retry-after", "1800".to_owned())]);
    bench.pause().await;
    receiver.next().await;
    until(&bench, ALL_SETTLED).await;
    let delivery = &endpoint.deliveries(&bench).await[0];
    let time = |name: &str| delivery[name].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    let wait = time("nextAttemptAt") - time("lastAttemptAt");
    assert!((1800..1830).contains(&wait.num_seconds()), "{wait}");
}
