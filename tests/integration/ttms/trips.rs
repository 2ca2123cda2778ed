//! Several orders on one vehicle.

use std::time::Duration;

use serde_json::{Value, json};

use super::doubts::ask_again;
use super::subscriptions::{ALL_BY_ITSELF, until};
use super::{ACCOUNT, PROVIDER, cancel, deafen, held, patch, placed, requests, transport_order};
use crate::harness::{Answer, Bench};

fn trip(numbers: &[&str]) -> Value {
    let orders: Vec<_> = numbers
        .iter()
        .map(|number| {
            let mut order = transport_order(number);
            order.as_object_mut().unwrap().remove("account");
            order
        })
        .collect();
    json!({"account": ACCOUNT, "orders": orders, "driver": {"phone": "+8613700000003"}})
}

async fn make(bench: &Bench, trip: &Value, key: &str) -> Answer {
    bench.caller.post_with("/v1/trips", trip, &[("idempotency-key", key), ("prefer", "wait=30")]).await
}

#[tokio::test]
async fn a_trip_makes_all_its_orders_in_one_submission() {
    let bench = Bench::start().await;
    deafen(&bench).await;
    let made = make(&bench, &trip(&["SO-1", "SO-2", "SO-3"]), "k").await;
    assert_eq!(made.status, 201, "{:#}", made.body);
    assert_eq!(made.body["submission"]["state"], "accepted", "{:#}", made.body);
    assert!(made.body["providerTripNumber"].as_str().unwrap().starts_with('P'));
    let read = bench.caller.get(made.header("location").unwrap()).await;
    assert_eq!(read.body["providerTripNumber"], made.body["providerTripNumber"]);
    let ids = made.body["orderIds"].as_array().unwrap();
    assert_eq!(ids.len(), 3);
    for (index, id) in ids.iter().enumerate() {
        let order = bench.caller.get(&format!("/v1/orders/{}", id.as_str().unwrap())).await.body;
        let number = format!("SO-{}", index + 1);
        assert_eq!((&order["orderNumber"], &order["status"]), (&json!(number), &json!("requested")));
        assert_eq!(order["providerOrderNumber"], held(&bench, &number)[0]["providerOrderNumber"]);
        assert_eq!(order["submission"]["id"], made.body["submission"]["id"]);
    }
    let placed = "select count(*) from events where type = 'order.placed'";
    assert_eq!(bench.database.count(placed).await, 3);
    // The same request again makes nothing.
    let again = make(&bench, &trip(&["SO-1", "SO-2", "SO-3"]), "k").await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (201, Some("true")));
    assert_eq!(again.body["id"], made.body["id"]);
    assert_eq!(bench.simulator_of(PROVIDER).books(None).len(), 3);
    // Its orders can be changed like any others.
    let id = ids[1].as_str().unwrap();
    let amended = patch(&bench, id, &json!({"remarks": "call first"})).await;
    assert_eq!(amended.body["submission"]["state"], "accepted", "{:#}", amended.body);
    assert_eq!(cancel(&bench, id).await.body["status"], "cancelled");
}

#[tokio::test]
async fn a_trip_that_the_provider_refuses_leaves_all_its_orders_rejected() {
    let bench = Bench::start().await;
    bench
        .faults_of(PROVIDER, json!([{"kind": "item_code", "endpoint": "create_order_pack", "code": "500", "times": 1}]))
        .await;
    bench.hold(ACCOUNT, "pause").await;
    let queued = bench.caller.post_with("/v1/trips", &trip(&["SO-1", "SO-2"]), &[("idempotency-key", "k")]).await;
    assert_eq!(queued.status, 202, "{:#}", queued.body);
    let second = queued.body["orderIds"][1].as_str().unwrap().to_owned();
    // While it is under way its orders stay as they are.
    patch(&bench, &second, &json!({"remarks": "x"})).await.problem(409, "state-conflict");
    cancel(&bench, &second).await.problem(409, "state-conflict");
    bench.hold(ACCOUNT, "resume").await;
}

#[tokio::test]
async fn what_is_wrong_with_a_trip_is_said_order_by_order() {
    let bench = Bench::start().await;
    bench.caller.place(&transport_order("TAKEN")).await;
    let no_key = bench.caller.post("/v1/trips", &trip(&["SO-1"])).await;
    no_key.problem(400, "idempotency-key-missing");
    let mut bad = trip(&["SO-1", "SO-1"]);
    bad["orders"][0]["colour"] = json!("red");
    let refused = make(&bench, &bad, "k1").await;
    assert_eq!(refused.problem(422, "validation-failed")[0].0, "/orders/0/colour");
    let twice = make(&bench, &trip(&["SO-1", "SO-1"]), "k2").await;
    assert_eq!(twice.problem(422, "validation-failed")[0].0, "/orders/1/orderNumber");
    let taken = make(&bench, &trip(&["SO-1", "TAKEN"]), "k3").await;
    assert_eq!(taken.problem(409, "order-exists")[0].0, "/orders/1/orderNumber");
    // Nothing of it was kept.
    assert_eq!(bench.database.count("select count(*) from orders").await, 1);
    let mut elsewhere = trip(&["SO-1"]);
    elsewhere["account"] = json!("otms-demo");
    make(&bench, &elsewhere, "k4").await.problem(422, "unsupported-by-provider");
    let preview = bench.caller.post("/v1/trips?validateOnly=true", &trip(&["SO-1", "SO-2"])).await;
    assert_eq!(preview.status, 200, "{:#}", preview.body);
    assert!(preview.body["request"]["url"].as_str().unwrap().contains("create_order_pack"));
    let pointers: Vec<_> = preview.body["lineage"].as_array().unwrap().iter().map(|it| &it["pointer"]).collect();
    assert!(pointers.contains(&&json!("/orders/1/orderNumber")), "{pointers:?}");
    // A vehicle for a single order is a trip, and says so.
    let mut single = transport_order("SO-1");
    single["dispatch"] = json!({"mode": "vehicle", "driver": {"phone": "13700000003"}});
    let refused = bench.caller.post("/v1/orders", &single).await;
    assert_eq!(refused.status, 422, "{:#}", refused.body);
    assert!(refused.body.to_string().contains("/v1/trips"), "{:#}", refused.body);
}

#[tokio::test]
async fn a_trip_in_doubt_is_found_with_all_its_numbers() {
    let bench = Bench::start().await;
    let fault = json!({"kind": "commit_then_drop", "endpoint": "create_order_pack", "times": 1});
    bench.faults_of(PROVIDER, json!([fault])).await;
    let queued = bench.caller.post_with("/v1/trips", &trip(&["SO-1", "SO-2"]), &[("idempotency-key", "k")]).await;
    let submission = queued.submission();
    bench.database.wait_for_state(submission, "in_doubt").await;
    bench.database.advance(Duration::from_secs(100)).await;
    bench.database.wait_for_state(submission, "accepted").await;
    let read = bench.caller.get(&format!("/v1/trips/{}", queued.id())).await.body;
    assert!(read["providerTripNumber"].is_string(), "{read:#}");
    for (number, id) in ["SO-1", "SO-2"].iter().zip(read["orderIds"].as_array().unwrap()) {
        let order = bench.caller.get(&format!("/v1/orders/{}", id.as_str().unwrap())).await.body;
        assert_eq!(order["providerOrderNumber"], held(&bench, number)[0]["providerOrderNumber"]);
        assert_eq!(held(&bench, number)[0]["created"], 1);
    }
}

const PLACED: &str = "select count(*) from events where type = 'order.placed'";

/// The driver is known, so that the provider calls about each order as soon as it has the trip.
#[tokio::test]
async fn calls_that_overtake_the_answer_to_a_trip_tell_of_each_order_once() {
    let bench = Bench::start().await;
    until(&bench, ALL_BY_ITSELF).await;
    // Longer than the calls take in any case; what ends the wait is their arrival and then the answer.
    let slow = json!([{"kind": "slow", "endpoint": "create_order_pack", "delayMs": 8000, "times": 1}]);
    bench.faults_of(PROVIDER, slow).await;
    let numbers = ["SO-1", "SO-2", "SO-3"];
    let queued = bench.caller.post_with("/v1/trips", &trip(&numbers), &[("idempotency-key", "k")]).await;
    until(&bench, "select count(*) = 4 from callbacks where state = 'processed'").await;
    assert_eq!(bench.database.count(PLACED).await, 3);
    assert_eq!(bench.database.state(queued.submission()).await, "sending", "the calls were too late");
    bench.database.wait_for_state(queued.submission(), "accepted").await;
    assert_told_once(&bench, &queued).await;
}

/// The same where the answer never comes, and the trip is looked up.
#[tokio::test]
async fn calls_about_a_trip_in_doubt_and_what_is_found_of_it_tell_of_each_order_once() {
    let bench = Bench::start().await;
    until(&bench, ALL_BY_ITSELF).await;
    let fault = json!({"kind": "commit_then_drop", "endpoint": "create_order_pack", "times": 1});
    bench.faults_of(PROVIDER, json!([fault])).await;
    let numbers = ["SO-1", "SO-2", "SO-3"];
    let queued = bench.caller.post_with("/v1/trips", &trip(&numbers), &[("idempotency-key", "k")]).await;
    bench.database.wait_for_state(queued.submission(), "in_doubt").await;
    until(&bench, "select count(*) = 4 from callbacks where state = 'processed'").await;
    assert_eq!(bench.database.count(PLACED).await, 3);
    bench.database.advance(std::time::Duration::from_secs(100)).await;
    bench.database.wait_for_state(queued.submission(), "accepted").await;
    assert_told_once(&bench, &queued).await;
}

async fn assert_told_once(bench: &Bench, made: &Answer) {
    for id in made.body["orderIds"].as_array().unwrap() {
        let path = format!("/v1/orders/{}", id.as_str().unwrap());
        assert_eq!(bench.caller.get(&path).await.body["status"], "confirmed");
        let events = bench.caller.get(&format!("{path}/events")).await.body;
        let of_order = events["items"].as_array().unwrap().iter().map(|it| it["type"].as_str().unwrap());
        let of_order: Vec<_> = of_order.filter(|it| !it.starts_with("submission.")).collect();
        assert_eq!(of_order.iter().filter(|it| **it == "order.placed").count(), 1, "{of_order:?}");
        assert_eq!(of_order.iter().filter(|it| **it == "trip.assigned").count(), 1, "{of_order:?}");
    }
}

/// A trip of SO-1 and SO-2 that never arrived; gives its submission once the lease is over.
async fn lost(bench: &Bench) -> uuid::Uuid {
    let fault = json!({"kind": "reset_before_read", "endpoint": "create_order_pack", "times": 1});
    bench.faults_of(PROVIDER, json!([fault])).await;
    let queued = bench.caller.post_with("/v1/trips", &trip(&["SO-1", "SO-2"]), &[("idempotency-key", "k")]).await;
    let submission = queued.submission();
    bench.database.wait_for_state(submission, "in_doubt").await;
    bench.database.advance(Duration::from_secs(100)).await;
    submission
}

#[tokio::test]
async fn a_trip_that_never_arrived_is_sent_again_after_two_questions() {
    let bench = Bench::start().await;
    let submission = lost(&bench).await;
    let once = "select exists (select from submissions where misses = 1)";
    bench.database.wait_until(Duration::from_secs(30), once).await;
    bench.database.advance(Duration::from_secs(31)).await;
    bench.database.wait_for_state(submission, "accepted").await;
    for number in ["SO-1", "SO-2"] {
        assert_eq!(held(&bench, number)[0]["created"], 1);
    }
    assert_eq!(requests(&bench, "create_order_pack"), 2);
}

#[tokio::test]
async fn a_trip_of_which_some_orders_are_there_is_for_a_person() {
    let bench = Bench::start().await;
    let single = placed(&bench, &transport_order("SO-1")).await;
    // The gateway knows nothing of it any more: somebody else made it.
    let forgotten = "update orders set order_number = 'ELSEWHERE'";
    sqlx::query(forgotten).execute(&mut bench.database.connection().await).await.unwrap();
    let submission = lost(&bench).await;
    ask_again(&bench).await;
    let asked = "select exists (select from submissions where state = 'in_doubt' and not ready)";
    bench.database.wait_until(Duration::from_secs(30), asked).await;
    let read = bench.caller.get(&format!("/v1/submissions/{submission}")).await.body;
    let result = read["results"].as_array().unwrap().last().unwrap();
    assert_eq!((&result["code"], &read["nextAttemptAt"]), (&json!("evidence.ambiguous"), &Value::Null), "{read:#}");
    let said = result["rawMessage"].as_str().unwrap();
    assert!(said.contains(single.body["providerOrderNumber"].as_str().unwrap()), "{said}");
    assert_eq!(requests(&bench, "create_order_pack"), 1);
}

/// A lookup that leaves an order out says nothing yet.
#[tokio::test]
async fn a_trip_of_which_an_answer_leaves_an_order_out_is_asked_about_once_more() {
    let bench = Bench::start().await;
    let fault = json!({"kind": "commit_then_drop", "endpoint": "create_order_pack", "times": 1});
    bench.faults_of(PROVIDER, json!([fault])).await;
    let queued = bench.caller.post_with("/v1/trips", &trip(&["SO-1", "SO-2"]), &[("idempotency-key", "k")]).await;
    bench.database.wait_for_state(queued.submission(), "in_doubt").await;
    let leaves_out = json!({"kind": "item_missing", "endpoint": "find_order", "orderNumber": "SO-2", "times": 1});
    bench.faults_of(PROVIDER, json!([leaves_out])).await;
    bench.database.advance(Duration::from_secs(100)).await;
    ask_again(&bench).await;
    bench.database.wait_for_state(queued.submission(), "accepted").await;
    assert_eq!(requests(&bench, "create_order_pack"), 1);
    for number in ["SO-1", "SO-2"] {
        assert_eq!(held(&bench, number)[0]["created"], 1);
    }
}
