//! Each kind of thing goes at its age and not before; what is unfinished stays.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{DAY, MINUTE, Resting};
use crate::callbacks::{confirmation, deliver};
use crate::harness::{Bench, order};

#[tokio::test]
async fn of_a_finished_submission_the_bodies_go_first_then_the_attempts_and_a_summary_stays() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    let (submission, path) = (placed.submission(), format!("/v1/submissions/{}/attempts", placed.submission()));
    let whole = bench.caller.get(&path).await.body;
    assert_eq!((&whole["removed"], whole["items"].as_array().unwrap().len()), (&json!(0), 1));
    let summary = bench.caller.get(&format!("/v1/submissions/{submission}")).await.body;
    let document = bench.caller.get(&format!("/v1/orders/{}", placed.id())).await.body;

    let ledger = Resting::of(bench).await;
    assert_eq!(ledger.around(30 * DAY, "select count(*) from exchange_bodies").await, (2, 0));
    let bench = ledger.serve().await;
    let without_bodies = bench.caller.get(&path).await.body;
    let attempt = &without_bodies["items"][0];
    assert_eq!((&attempt["request"]["body"], &attempt["response"]["body"]), (&Value::Null, &Value::Null));
    assert_eq!(attempt["request"]["headers"], whole["items"][0]["request"]["headers"]);
    assert_eq!(without_bodies["removed"], 0);

    let ledger = Resting::of(bench).await;
    assert_eq!(ledger.around((335 * DAY).saturating_sub(MINUTE), "select count(*) from attempts").await, (1, 0));
    assert_eq!(ledger.count("select count(*) from exchanges").await, 0);
    let bench = ledger.serve().await;
    assert_eq!(bench.caller.get(&path).await.body, json!({"items": [], "nextCursor": null, "removed": 1}));
    assert_eq!(bench.caller.get(&format!("/v1/submissions/{submission}")).await.body, summary);
    assert_eq!(bench.caller.get(&format!("/v1/orders/{}", placed.id())).await.body, document);
}

#[tokio::test]
async fn a_submission_that_is_tried_again_after_its_attempts_went_says_so() {
    let bench = Bench::start().await;
    bench.faults(json!([{"kind": "item_code", "code": "4711", "times": 1}])).await;
    let rejected = bench.caller.place(&order("SO-1")).await;
    assert_eq!(rejected.body["submission"]["state"], "rejected", "{:#}", rejected.body);
    let submission = rejected.submission();
    let ledger = Resting::of(bench).await;
    ledger.advance(366 * DAY).await;
    ledger.sweep().await;
    let bench = ledger.serve().await;
    let again = bench.caller.post(&format!("/v1/submissions/{submission}/retry"), &Value::Null).await;
    assert_eq!(again.status, 200, "{:#}", again.body);
    bench.database.wait_for_state(submission, "accepted").await;
    let attempts = bench.caller.get(&format!("/v1/submissions/{submission}/attempts")).await.body;
    assert_eq!((&attempts["removed"], &attempts["items"][0]["number"]), (&json!(1), &json!(2)));
    assert_eq!(attempts["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_unfinished_or_was_ever_in_doubt_keeps_all_its_evidence() {
    let bench = Bench::start().await;
    bench.pause().await;
    let first = bench.caller.post("/v1/orders", &order("SO-1")).await;
    let second = bench.caller.post("/v1/orders", &order("SO-2")).await;
    bench.resume().await;
    for accepted in [&first, &second] {
        bench.database.wait_for_state(accepted.submission(), "accepted").await;
    }
    let ledger = Resting::of(bench).await;
    assert_eq!(ledger.count("select count(*) from exchanges").await, 1, "one request for both");
    ledger.advance(1_000 * DAY).await;
    // Of one of the two it is so.
    for so in [
        "update submissions set may_exist = true where id = $1",
        "update submissions set may_exist = false, state = 'in_doubt', ready = false, finished_at = null where id = $1",
        "update submissions set state = 'queued' where id = $1",
        // It ended just now, after a long doubt.
        "update submissions set state = 'accepted', finished_at = onelane_now() where id = $1",
    ] {
        let mut connection = ledger.database.connection().await;
        sqlx::query(so).bind(second.submission()).execute(&mut connection).await.unwrap();
        ledger.sweep().await;
        assert_eq!(ledger.count("select count(*) from attempts").await, 2, "{so}");
    }
    // The bodies, not: their age is that of the exchange.
    assert_eq!(ledger.count("select count(*) from exchange_bodies").await, 0);
    assert_eq!(ledger.around(365 * DAY, "select count(*) from attempts").await, (2, 0));
}

#[tokio::test]
async fn callbacks_lose_their_bodies_and_then_go_unless_something_is_left_to_do() {
    let bench = Bench::start().await;
    let call = confirmation(&bench, json!({}));
    deliver(&call).await;
    deliver(&call).await;
    deliver(&confirmation(&bench, json!({"signature": "wrong"}))).await;
    let ledger = Resting::of(bench).await;
    let states = "select state from callbacks where body is not null order by state";
    assert_eq!(ledger.database.texts(states).await, ["duplicate", "processed", "quarantined"]);
    // As old as the others, and not at their end.
    ledger
        .run(
            "insert into callbacks (id, account_id, provider, state, headers, body, size, received_at, processed_at)
             select gen_random_uuid(), account_id, provider, s.state, headers, body, size, received_at, s.at
             from callbacks, (values ('received', null), ('waiting', onelane_now())) as s (state, at)
             where callbacks.state = 'processed'",
        )
        .await;
    assert_eq!(ledger.around(30 * DAY, "select count(*) from callbacks where body is not null").await, (5, 3));
    assert_eq!(ledger.database.texts(states).await, ["quarantined", "received", "waiting"]);
    assert_eq!(ledger.around((335 * DAY).saturating_sub(MINUTE), "select count(*) from callbacks").await, (5, 2));
    assert_eq!(ledger.database.texts(states).await, ["received", "waiting"]);
    // What was told is known for longer.
    assert_eq!(ledger.around((365 * DAY).saturating_sub(MINUTE), "select count(*) from happenings").await, (1, 0));
    assert_eq!(ledger.count("select count(*) from callbacks").await, 2);
}

#[tokio::test]
async fn what_counts_towards_a_quantity_stays_until_the_last_receipt_is_old() {
    let bench = Bench::start().await;
    deliver(&confirmation(&bench, json!({"actualQuantity": 3}))).await;
    let ledger = Resting::of(bench).await;
    ledger.advance(700 * DAY).await;
    ledger
        .run(
            "insert into happenings (account_id, dedupe_key, callback_id, event_id, subject, quantity, occurred_at)
             select account_id, 'later', callback_id, event_id, subject, 7, onelane_now() from happenings",
        )
        .await;
    assert_eq!(ledger.around(730 * DAY, "select count(*) from happenings").await, (2, 0));
}

#[tokio::test]
async fn what_a_callback_told_that_is_not_at_its_end_stays_known() {
    let bench = Bench::start().await;
    deliver(&confirmation(&bench, json!({}))).await;
    let ledger = Resting::of(bench).await;
    ledger.run("update callbacks set state = 'waiting'").await;
    ledger.advance(1_000 * DAY).await;
    ledger.sweep().await;
    assert_eq!(ledger.count("select count(*) from happenings").await, 1);
}

#[tokio::test]
async fn idempotency_keys_are_good_for_72_hours_and_longer_while_their_order_is_unfinished() {
    let bench = Bench::start().await;
    bench.caller.post_with("/v1/orders", &order("SO-1"), &[("prefer", "wait=30"), ("idempotency-key", "done")]).await;
    bench.pause().await;
    bench.caller.post_with("/v1/orders", &order("SO-2"), &[("idempotency-key", "held")]).await;
    let both = json!({"orders": [order("SO-3"), order("SO-4")]});
    let batch = bench.caller.post_with("/v1/orders/batch", &both, &[("idempotency-key", "batch")]).await;
    assert_eq!(batch.status, 207, "{:#}", batch.body);
    let ledger = Resting::of(bench).await;
    assert_eq!(ledger.around(3 * DAY, "select count(*) from idempotency_keys").await, (3, 2));

    let bench = ledger.serve().await;
    let again = bench.caller.post_with("/v1/orders", &order("SO-2"), &[("idempotency-key", "held")]).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (202, Some("true")));
    let again = bench.caller.post_with("/v1/orders/batch", &both, &[("idempotency-key", "batch")]).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (207, Some("true")));
    let other = bench.caller.post_with("/v1/orders", &order("SO-5"), &[("idempotency-key", "done")]).await;
    assert_eq!((other.status, other.header("idempotency-replayed")), (202, None));
    bench.resume().await;
    bench.database.wait_until_all_ended(MINUTE).await;
    let ledger = Resting::of(bench).await;
    // The new one is young.
    ledger.sweep().await;
    assert_eq!(ledger.database.texts("select key from idempotency_keys").await, ["done"]);
}

#[tokio::test]
async fn a_request_that_still_runs_keeps_its_key() {
    let ledger = Resting::empty().await;
    let key = Uuid::now_v7();
    let mut connection = ledger.database.connection().await;
    sqlx::query(
        "with caller as (insert into api_keys (id, name, hash, scopes, created_at) values ($1, '', '', '{}', now()))
         insert into idempotency_keys (api_key_id, method, path, key, fingerprint, resource_id, status, running_until, created_at)
         values ($1, 'POST', '/', 'k', '', $1, 202, onelane_now() + interval '4 days', onelane_now())",
    )
    .bind(key)
    .execute(&mut connection)
    .await
    .unwrap();
    assert_eq!(ledger.around(4 * DAY, "select count(*) from idempotency_keys").await, (1, 0));
}
