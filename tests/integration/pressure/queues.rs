//! How much may wait for an account.

use std::num::NonZeroU32;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Answer, Bench, order};

/// An account that lets nothing go, and for which only so much may wait.
async fn held_up(bench: &Bench, account: &str, limit: u32) {
    bench.hold(account, "pause").await;
    bench.limit_queue(account, limit).await;
}

async fn post(bench: &Bench, number: &str) -> Answer {
    bench.caller.post("/v1/orders", &order(number)).await
}

fn refused(answer: &Answer) {
    answer.problem(429, "queue-full");
    assert_eq!(answer.header("retry-after"), Some("6"));
}

fn of_account(mut order: Value, account: &str) -> Value {
    order["account"] = json!(account);
    order
}

#[tokio::test]
async fn no_more_is_accepted_than_may_wait_and_a_cancellation_makes_room() {
    let bench = Bench::start().await;
    held_up(&bench, "otms-demo", 3).await;
    let keyed = [("idempotency-key", "k")];
    let first = bench.caller.post_with("/v1/orders", &order("SO-1"), &keyed).await;
    assert_eq!(first.status, 202, "{:#}", first.body);
    for number in ["SO-2", "SO-3"] {
        assert_eq!(post(&bench, number).await.status, 202);
    }
    refused(&post(&bench, "SO-4").await);
    let refused_key = [("idempotency-key", "other")];
    refused(&bench.caller.post_with("/v1/orders", &order("SO-4"), &refused_key).await);
    assert_eq!(bench.database.count("select count(*) from orders").await, 3);
    // What was accepted is answered as it was.
    let again = bench.caller.post_with("/v1/orders", &order("SO-1"), &keyed).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (202, Some("true")));
    // Other accounts have queues of their own.
    let other = of_account(order("SO-4"), "ttms-demo");
    assert_eq!(bench.caller.post("/v1/orders", &other).await.status, 202);

    let cancelled = bench.caller.post(&format!("/v1/orders/{}/cancel", first.id()), &Value::Null).await;
    assert_eq!((cancelled.status, &cancelled.body["status"]), (200, &json!("cancelled")));
    // A refusal was not kept under its key.
    let accepted = bench.caller.post_with("/v1/orders", &order("SO-4"), &refused_key).await;
    assert_eq!((accepted.status, accepted.header("idempotency-replayed")), (202, None), "{:#}", accepted.body);
    refused(&post(&bench, "SO-5").await);
    bench.resume().await;
    bench.database.wait_for_state(accepted.submission(), "accepted").await;
    assert_eq!(post(&bench, "SO-5").await.status, 202);
}

#[tokio::test]
async fn of_a_batch_as_much_is_accepted_as_there_is_room_for() {
    let bench = Bench::start().await;
    held_up(&bench, "otms-demo", 3).await;
    post(&bench, "SO-1").await;
    let elsewhere = of_account(order("SO-1"), "ttms-demo");
    // What the ledger has, or the batch itself before, takes no room.
    let mut orders: Vec<Value> = ["SO-1", "SO-2", "SO-2", "SO-3", "SO-4"].into_iter().map(order).collect();
    orders.extend([elsewhere, order("SO-5")]);
    let body = json!({"orders": orders});
    let key = [("idempotency-key", "k")];
    let statuses = |answer: &Answer| {
        let items = answer.body["items"].as_array().unwrap();
        items.iter().map(|item| item["status"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    let batch = bench.caller.post_with("/v1/orders/batch", &body, &key).await;
    assert_eq!(statuses(&batch), [409, 202, 409, 202, 429, 202, 429], "{:#}", batch.body);
    assert_eq!(batch.body["items"][4]["problem"]["type"], "/problems/queue-full");
    let again = bench.caller.post_with("/v1/orders/batch", &body, &key).await;
    assert_eq!((again.header("idempotency-replayed"), statuses(&again)), (Some("true"), statuses(&batch)));
    assert_eq!(bench.database.count("select count(*) from orders where account_id = 'otms-demo'").await, 3);
}

#[tokio::test]
async fn changes_and_trips_are_limited_and_cancellations_are_not() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&of_account(order("SO-1"), "ttms-demo")).await;
    assert_eq!(placed.body["submission"]["state"], "accepted", "{:#}", placed.body);
    held_up(&bench, "ttms-demo", 1).await;
    let waiting = bench.caller.post("/v1/orders", &of_account(order("SO-2"), "ttms-demo")).await;
    assert_eq!(waiting.status, 202, "{:#}", waiting.body);

    let path = format!("/v1/orders/{}", placed.id());
    refused(&bench.caller.send_with(Method::PATCH, &path, &json!({"remarks": "x"}), &[]).await);
    let fields = json!({"customFields": {"text3": "x"}});
    let custom = bench.caller.send_with(Method::PATCH, &format!("{path}/custom-fields"), &fields, &[]).await;
    refused(&custom);
    let mut member = order("SO-3");
    member.as_object_mut().unwrap().remove("account");
    let trip = json!({"account": "ttms-demo", "orders": [member], "driver": {"phone": "+8613700000003"}});
    let key = [("idempotency-key", "k")];
    refused(&bench.caller.post_with("/v1/trips", &trip, &key).await);
    assert_eq!(bench.database.count("select count(*) from orders").await, 2);

    let cancelled = bench.caller.post(&format!("{path}/cancel"), &Value::Null).await;
    assert_eq!(cancelled.status, 202, "{:#}", cancelled.body);
    bench.hold("ttms-demo", "resume").await;
    // They go by lanes of their own, and either may be the first.
    bench.database.wait_for_state(cancelled.submission(), "accepted").await;
    bench.database.wait_for_state(waiting.submission(), "accepted").await;
    let made = bench.caller.post_with("/v1/trips", &trip, &key).await;
    assert_eq!((made.status, made.header("idempotency-replayed")), (202, None), "{:#}", made.body);
}

#[tokio::test]
async fn one_order_cannot_gather_changes_without_end() {
    let bench = Bench::start().await;
    bench.pause().await;
    let id = post(&bench, "SO-1").await.id().to_owned();
    let path = format!("/v1/orders/{id}");
    for change in 1..100 {
        let changed = bench.caller.send_with(Method::PATCH, &path, &json!({"remarks": change.to_string()}), &[]).await;
        assert_eq!(changed.status, 202, "{change}: {:#}", changed.body);
    }
    refused(&bench.caller.send_with(Method::PATCH, &path, &json!({"remarks": "too much"}), &[]).await);
    assert_eq!(bench.caller.get(&path).await.body["remarks"], "99");
    assert_eq!(bench.caller.post(&format!("{path}/cancel"), &Value::Null).await.body["status"], "cancelled");
}

#[tokio::test]
async fn callers_at_once_are_never_refused_below_the_limit() {
    let bench = Bench::start_with(|options| options.limits.queue_limit = NonZeroU32::new(20)).await;
    bench.pause().await;
    let bench = &bench;
    let answers = join_all((0..60).map(|number| async move { post(bench, &format!("SO-{number}")).await })).await;
    let accepted = answers.iter().filter(|answer| answer.status == 202).count();
    answers.iter().filter(|answer| answer.status != 202).for_each(refused);
    assert!(accepted >= 20, "{accepted}");
    assert_eq!(bench.database.count("select count(*) from orders").await, i64::try_from(accepted).unwrap());
    refused(&post(bench, "SO-one-more").await);
}
