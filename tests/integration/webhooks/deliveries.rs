//! What is delivered: the event, signed, once to each endpoint that wanted it.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{ALL_DELIVERED, DAY, Endpoint, happen, until};
use crate::harness::{Bench, GatewayProcess, Receiver, order};

#[tokio::test]
async fn a_webhook_is_the_event_signed_as_standard_webhooks_says() {
    let bench = Bench::start().await;
    let mut receiver = Receiver::start().await;
    let endpoint = Endpoint::add(&bench, &receiver.url, json!({"types": ["order.placed"]})).await;
    let placed = bench.caller.place(&order("SO-1")).await;
    let webhook = receiver.next().await;
    assert!(webhook.is_signed_with(&endpoint.secret));
    assert!(!webhook.is_signed_with("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="));
    assert_eq!((webhook.path.as_str(), webhook.header("user-agent")), ("/hook", "onelane/0.1.0"));
    assert_eq!(webhook.header("content-type"), "application/cloudevents+json; charset=utf-8");
    // The same event as in the feed, under its id.
    let event = webhook.event();
    let feed = bench.caller.get("/v1/events?type=order.placed").await;
    assert_eq!(feed.body["items"], json!([event]));
    assert_eq!((event["id"].as_str(), &event["subject"]), (Some(webhook.id()), &placed.body["id"]));
    assert_eq!((&event["specversion"], &event["type"]), (&json!("1.0"), &json!("order.placed")));

    until(&bench, ALL_DELIVERED).await;
    let deliveries = endpoint.deliveries(&bench).await;
    assert_eq!(deliveries.len(), 1, "of its types only");
    let delivery = &deliveries[0];
    assert_eq!((&delivery["id"], &delivery["type"]), (&event["id"], &event["type"]));
    assert_eq!((&delivery["state"], &delivery["attempts"]), (&json!("delivered"), &json!(1)));
    assert_eq!((&delivery["lastStatus"], &delivery["lastError"]), (&json!(200), &Value::Null));
    assert_eq!(delivery["nextAttemptAt"], Value::Null);
    assert!(delivery["finishedAt"].is_string() && delivery["lastAttemptAt"].is_string());
}

#[tokio::test]
async fn after_a_rotation_both_secrets_sign_for_a_day() {
    let bench = Bench::start().await;
    let mut receiver = Receiver::start().await;
    let endpoint = Endpoint::add(&bench, &receiver.url, json!({"types": ["account.paused"]})).await;
    let rotated = bench.caller.post(&format!("{}/rotate-secret", endpoint.path), &Value::Null).await;
    assert_eq!((rotated.status, rotated.header("cache-control")), (200, Some("no-store")), "{:#}", rotated.body);
    let secret = rotated.body["secret"].as_str().unwrap();
    assert_ne!(secret, endpoint.secret);
    assert!(endpoint.read(&bench).await["previousSecretUntil"].is_string());

    happen(&bench).await;
    let webhook = receiver.next().await;
    assert!(webhook.is_signed_with(secret) && webhook.is_signed_with(&endpoint.secret));
    assert_eq!(webhook.header("webhook-signature").split(' ').count(), 2);
    bench.database.advance(DAY).await;
    assert_eq!(endpoint.read(&bench).await["previousSecretUntil"], Value::Null);
    happen(&bench).await;
    let webhook = receiver.next().await;
    assert!(webhook.was_signed_with(secret) && !webhook.was_signed_with(&endpoint.secret));
}

#[tokio::test]
async fn each_event_goes_once_to_each_endpoint_that_wanted_it_when_it_happened() {
    let bench = Bench::start().await;
    let replica = GatewayProcess::start(&bench.database).await;
    let mut all = Receiver::start().await;
    let mut placed = Receiver::start().await;
    let mut elsewhere = Receiver::start().await;
    let mut late = Receiver::start().await;
    let account = json!({
        "id": "elsewhere", "provider": "otms", "baseUrl": "https://demo.otms.cn",
        "credentials": {"username": "u", "password": "p"},
    });
    assert_eq!(bench.caller.post("/v1/accounts", &account).await.status, 201);
    Endpoint::add(&bench, &all.url, json!({})).await;
    Endpoint::add(&bench, &placed.url, json!({"types": ["order.placed"], "accounts": ["otms-demo"]})).await;
    Endpoint::add(&bench, &elsewhere.url, json!({"accounts": ["elsewhere"]})).await;
    // Half of the orders to each of two replicas, which both give places and deliver.
    let orders = (0..20).map(|number| {
        let caller = if number % 2 == 0 { &bench.caller } else { &replica.caller };
        async move { caller.place(&order(&format!("SO-{number}"))).await }
    });
    for answer in futures_util::future::join_all(orders).await {
        assert_eq!(answer.body["submission"]["state"], "accepted");
    }
    until(&bench, "select not exists (select from events_without_place)").await;
    let latest = Endpoint::add(&bench, &late.url, json!({})).await;
    until(&bench, ALL_DELIVERED).await;

    let events: HashSet<String> = bench.database.texts("select id::text from events").await.into_iter().collect();
    let came = all.came();
    assert_eq!((came.len(), events.len()), (60, 60));
    assert_eq!(came.iter().map(|webhook| webhook.id().to_owned()).collect::<HashSet<_>>(), events);
    let came = placed.came();
    assert_eq!(came.len(), 20);
    assert!(came.iter().all(|webhook| webhook.event()["type"] == "order.placed"));
    assert!(elsewhere.came().is_empty() && late.came().is_empty());
    assert_eq!(latest.deliveries(&bench).await, Vec::<Value>::new());
}
