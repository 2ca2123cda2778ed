//! The feed forgets from its beginning on, together with the deliveries of what it forgets.

use onelane::canonical::Action;
use onelane::store::retention::{ForgottenEvents, Swept, TURN};
use onelane::store::webhook_endpoints::EndpointChoice;
use onelane::vault::Sealed;
use serde_json::json;
use uuid::Uuid;

use super::{DAY, Resting, sweep, turn, until};
use crate::harness::{Bench, by_a_test, known_keys, order};

/// What is left of the feed, and where it says that it begins.
const LEFT: &str = "select count(*) from events";
const BEGINNING: &str = "select first_position from feed";

async fn add_endpoint(ledger: &Resting) -> Uuid {
    let choice = EndpointChoice { url: "http://127.0.0.1:9".into(), description: None, types: None, accounts: None };
    let id = Uuid::now_v7();
    let sealed = Sealed { bytes: Vec::new(), key_id: known_keys().remove(0) };
    ledger.store.add_webhook_endpoint(id, &choice, &sealed, &by_a_test(Action::CreateWebhookEndpoint)).await.unwrap();
    id
}

/// Writes events that get their places at once.
async fn write(ledger: &Resting, events: i32) {
    sqlx::query(
        "insert into events (id, type, data, occurred_at, recorded_at)
         select gen_random_uuid(), 'account.paused', '{}', onelane_now(), onelane_now() from generate_series(1, $1)",
    )
    .bind(events)
    .execute(&mut ledger.database.connection().await)
    .await
    .unwrap();
    ledger.store.sequence_events(i64::from(events)).await.unwrap();
}

/// One batch of events, with a turn of its own.
async fn forget(ledger: &Resting) -> Result<ForgottenEvents, onelane::store::StoreError> {
    let turn = turn(&ledger.database).await;
    match ledger.store.forget_events(turn, 90 * DAY).await? {
        Swept::Done(forgotten) => Ok(forgotten),
        Swept::TurnLost => panic!("within {TURN:?}"),
    }
}

#[tokio::test]
async fn events_go_at_their_age_and_cursors_before_them_expire() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    until(&bench.database, "select last_position >= 3 from feed").await;
    let cursor = bench.caller.get("/v1/events?limit=2").await.body["nextCursor"].as_str().unwrap().to_owned();
    let end = bench.caller.get("/v1/events").await.body["nextCursor"].as_str().unwrap().to_owned();
    let ledger = Resting::of(bench).await;
    // One that has no place yet is of nobody's past, however old.
    ledger
        .run(
            "insert into events (id, type, data, occurred_at, recorded_at)
             select gen_random_uuid(), 'account.resumed', '{}', onelane_now(), onelane_now()",
        )
        .await;
    assert_eq!(ledger.around(90 * DAY, LEFT).await, (4, 1));
    assert_eq!(ledger.count(BEGINNING).await, 4);

    let bench = ledger.serve().await;
    bench.caller.get(&format!("/v1/events?after={cursor}")).await.problem(410, "cursor-expired");
    bench.caller.get(&format!("/v1/events/stream?after={cursor}")).await.problem(410, "cursor-expired");
    // Whoever had read all of it has missed nothing.
    until(&bench.database, "select last_position >= 4 from feed").await;
    let page = bench.caller.get(&format!("/v1/events?after={end}")).await;
    assert_eq!((page.status, &page.body["items"][0]["type"]), (200, &json!("account.resumed")));
    assert_eq!(bench.caller.get("/v1/events").await.body["items"][0], page.body["items"][0]);
    // Of the order, what happened stays, and when.
    assert_eq!(bench.caller.get(&format!("/v1/orders/{}/events", placed.id())).await.body["items"], json!([]));
    let tracking = bench.caller.get(&format!("/v1/orders/{}/tracking", placed.id())).await.body;
    let milestones = tracking["milestones"].as_array().unwrap();
    assert_eq!((milestones.len(), &milestones[0]["type"]), (1, &json!("order.placed")));
}

/// What a reader was told of places stays true: nothing goes out of the middle.
#[tokio::test]
async fn an_event_that_is_young_keeps_those_behind_it() {
    let ledger = Resting::empty().await;
    write(&ledger, 5).await;
    ledger
        .run(
            "update events set recorded_at = recorded_at + interval '1 day'
        where id = (select event_id from feed_places where position = 3)",
        )
        .await;
    ledger.advance(90 * DAY).await;
    assert_eq!(forget(&ledger).await.unwrap().batch.removed, 2);
    assert_eq!((ledger.count(LEFT).await, ledger.count(BEGINNING).await), (3, 3));
    ledger.advance(DAY).await;
    assert_eq!(forget(&ledger).await.unwrap().batch.removed, 3);
    assert_eq!((ledger.count(LEFT).await, ledger.count(BEGINNING).await), (0, 6));
    // The next one goes on where the feed ended.
    write(&ledger, 1).await;
    assert_eq!(ledger.count("select position from feed_places").await, 6);
}

#[tokio::test]
async fn a_delivery_that_is_still_to_be_made_keeps_its_event_unless_its_endpoint_is_disabled() {
    let ledger = Resting::empty().await;
    let endpoint = add_endpoint(&ledger).await;
    write(&ledger, 4).await;
    ledger
        .run(
            "update webhook_deliveries set state = 'delivered' where position = 1;
             update webhook_deliveries set state = 'dead' where position = 2",
        )
        .await;
    ledger.advance(91 * DAY).await;
    let forgotten = forget(&ledger).await.unwrap();
    assert_eq!((forgotten.batch.removed, forgotten.batch.rows, forgotten.held_up), (2, 4, true));
    assert_eq!(ledger.count("select count(*) from webhook_deliveries").await, 2);
    let again = forget(&ledger).await.unwrap();
    assert_eq!((again.batch.removed, again.held_up), (0, true));
    // They can still be delivered.
    assert_eq!(ledger.store.claim_deliveries(10, 10, &known_keys()).await.unwrap().len(), 2);

    ledger.run("update webhook_endpoints set disabled_at = onelane_now()").await;
    let forgotten = forget(&ledger).await.unwrap();
    assert_eq!((forgotten.batch.removed, forgotten.undelivered, forgotten.held_up), (2, 2, false));
    assert_eq!(ledger.count("select count(*) from webhook_deliveries").await, 0);
    assert!(ledger.store.webhook_deliveries(endpoint, None, None, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn nobody_is_waited_for_who_has_a_delivery_locked() {
    let ledger = Resting::empty().await;
    add_endpoint(&ledger).await;
    write(&ledger, 3).await;
    ledger.run("update webhook_deliveries set state = 'delivered'").await;
    ledger.advance(91 * DAY).await;
    let mut other = ledger.database.connection().await;
    sqlx::raw_sql("begin; select from webhook_deliveries where position = 2 for update")
        .execute(&mut other)
        .await
        .unwrap();
    assert_eq!(forget(&ledger).await.unwrap().batch.removed, 1);
    sqlx::raw_sql("rollback").execute(&mut other).await.unwrap();
    assert_eq!(forget(&ledger).await.unwrap().batch.removed, 2);
}

#[tokio::test]
async fn a_batch_that_fails_at_its_last_step_has_removed_nothing() {
    let ledger = Resting::empty().await;
    add_endpoint(&ledger).await;
    write(&ledger, 3).await;
    ledger.run("update webhook_deliveries set state = 'delivered'").await;
    ledger.advance(91 * DAY).await;
    ledger
        .run(
            "create function fail() returns trigger language plpgsql as $$ begin raise exception 'no'; end $$;
             create trigger fail before update of first_position on feed execute function fail()",
        )
        .await;
    assert!(forget(&ledger).await.is_err());
    assert_eq!((ledger.count(LEFT).await, ledger.count(BEGINNING).await), (3, 1));
    assert_eq!(ledger.count("select count(*) from webhook_deliveries").await, 3);
    // The other kinds go all the same, and these when the cause is gone.
    ledger.run("drop trigger fail on feed").await;
    sweep(&ledger.database, &ledger.store).await;
    assert_eq!((ledger.count(LEFT).await, ledger.count(BEGINNING).await), (0, 4));
}
