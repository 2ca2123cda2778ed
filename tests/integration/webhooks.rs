//! Webhooks on real sockets: signed, delivered once for each endpoint, tried again, given up, and held within the
//! networks that they may reach.

use std::collections::HashSet;
use std::time::Duration;

use onelane::event::AllowedNetworks;
use onelane::store::webhook_deliveries::{DeliveryAttempt, DeliveryOutcome, SettledDelivery};
use onelane::store::webhook_endpoints::EndpointChoice;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Bench, GatewayProcess, Receiver, Reply, TestDatabase, gateway::start_sandbox, order};

const PATIENCE: Duration = Duration::from_secs(30);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Beyond the lease of a delivery.
const LEASE: Duration = Duration::from_secs(61);

/// An endpoint that was added.
struct Endpoint {
    path: String,
    secret: String,
}

impl Endpoint {
    async fn add(bench: &Bench, url: &str, mut body: Value) -> Self {
        body["url"] = json!(url);
        let created = bench.caller.post("/v1/webhook-endpoints", &body).await;
        assert_eq!(created.status, 201, "{:#}", created.body);
        let secret = created.body["secret"].as_str().unwrap().to_owned();
        Endpoint { path: format!("/v1/webhook-endpoints/{}", created.id()), secret }
    }

    async fn read(&self, bench: &Bench) -> Value {
        bench.caller.get(&self.path).await.body
    }

    async fn deliveries(&self, bench: &Bench) -> Vec<Value> {
        let listed = bench.caller.get(&format!("{}/deliveries?limit=200", self.path)).await;
        assert_eq!(listed.status, 200, "{:#}", listed.body);
        listed.body["items"].as_array().unwrap().clone()
    }

    async fn enable(&self, bench: &Bench) {
        let enabled = bench.caller.send_with(Method::PATCH, &self.path, &json!({"enabled": true}), &[]).await;
        assert_eq!((enabled.status, &enabled.body["enabled"]), (200, &json!(true)), "{:#}", enabled.body);
    }

    async fn redeliver(&self, bench: &Bench, id: &str) -> Answer {
        bench.caller.post(&format!("{}/deliveries/{id}/redeliver", self.path), &Value::Null).await
    }
}

/// Makes an event.
async fn happen(bench: &Bench) {
    bench.pause().await;
    bench.resume().await;
}

/// Waits until a question to the ledger is answered with yes.
async fn until(bench: &Bench, question: &'static str) {
    bench.database.wait_until(PATIENCE, question).await;
}

const ALL_SETTLED: &str = "select not exists (select from webhook_deliveries where lease_until is not null)
    and exists (select from webhook_deliveries where attempts > 0)";
const ALL_DELIVERED: &str = "select not exists (select from webhook_deliveries where state <> 'delivered')
    and exists (select from webhook_deliveries)";

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
    until(&bench, "select not exists (select from events where position is null)").await;
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
    assert!(bench.store.claim_deliveries(10, 10).await.unwrap().is_empty());
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
    bench.store.pause_account("otms-demo", "test").await.unwrap();
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

#[tokio::test]
async fn a_worker_whose_lease_ran_out_changes_nothing() {
    let database = TestDatabase::create().await;
    let store = database.store().await;
    let (sandbox, url) = start_sandbox().await;
    let bench = Bench::idle(database, store, sandbox, url);
    let choice =
        EndpointChoice { url: "http://127.0.0.1:9".to_owned(), description: None, types: None, accounts: None };
    let sealed = onelane::vault::Sealed { bytes: Vec::new(), key_id: String::new() };
    let endpoint_id = Uuid::now_v7();
    bench.store.add_webhook_endpoint(endpoint_id, &choice, &sealed).await.unwrap();
    let event_id: Uuid = sqlx::query_scalar(
        "insert into events (id, type, data, occurred_at, recorded_at)
         values (gen_random_uuid(), 'account.paused', '{}', onelane_now(), onelane_now()) returning id",
    )
    .fetch_one(&mut bench.database.connection().await)
    .await
    .unwrap();
    bench.store.sequence_events(10).await.unwrap();
    let claim = async || bench.store.claim_deliveries(10, 10).await.unwrap().pop();
    let outcome = |delivered: bool| {
        let failed = DeliveryOutcome::Failed { error: "no", wait: Duration::ZERO };
        if delivered { DeliveryOutcome::Delivered } else { failed }
    };

    let first = claim().await.unwrap();
    assert_eq!((first.event.id, first.attempt), (event_id, 1));
    assert!(claim().await.is_none(), "its lease holds");
    bench.database.advance(LEASE).await;
    let second = claim().await.unwrap();
    assert_eq!((second.event.id, second.attempt), (event_id, 2));
    let settle = async |attempt: i32, delivered: bool| {
        let outcome = outcome(delivered);
        let claimed_at = first.claimed_at;
        let settled = DeliveryAttempt { endpoint_id, event_id, attempt, claimed_at, status: None, outcome };
        bench.store.settle_delivery(&settled).await.unwrap()
    };
    for delivered in [true, false] {
        assert_eq!(settle(1, delivered).await, SettledDelivery::TooLate);
    }
    let failing = "select count(*) from webhook_endpoints where failing_since is not null";
    assert_eq!(bench.database.count(failing).await, 0, "a late failure counts for nothing");
    assert_eq!(settle(2, true).await, SettledDelivery::In(onelane::canonical::DeliveryState::Delivered));
    assert_eq!(settle(2, false).await, SettledDelivery::TooLate, "what was delivered stays delivered");
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
