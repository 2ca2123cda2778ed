//! Small steps, by one replica at a time, whatever becomes of it.

use std::time::Duration;

use onelane::store::retention::{MOST_ROWS, Place, Swept, TURN, Turn};
use onelane::upkeep::{Kind, Retention, RetentionPolicy};
use strum::VariantArray;
use uuid::Uuid;

use super::{DAY, Resting};
use crate::harness::GatewayProcess;

/// Notes how many rows each transaction deletes from each table, bodies of callbacks that are emptied included.
const NOTE_DELETIONS: &str = "
    create table deletions (transaction bigint not null, rows bigint not null);
    create function note() returns trigger language plpgsql as $$ begin
        insert into deletions select txid_current(), count(*) from gone; return null; end $$;
    create trigger note after delete on exchanges referencing old table as gone for each statement execute function note();
    create trigger note after delete on exchange_bodies referencing old table as gone for each statement execute function note();
    create trigger note after delete on attempts referencing old table as gone for each statement execute function note();
    create trigger note after delete on events referencing old table as gone for each statement execute function note();
    create trigger note after delete on webhook_deliveries referencing old table as gone for each statement execute function note();
    create trigger note after delete on callbacks referencing old table as gone for each statement execute function note();
    create trigger note_emptied after update on callbacks referencing old table as gone for each statement execute function note();
    create trigger note after delete on happenings referencing old table as gone for each statement execute function note();
    create trigger note after delete on idempotency_keys referencing old table as gone for each statement execute function note();
";

/// The most rows of one transaction.
const MOST_OF_ONE: &str =
    "select coalesce(max(rows), 0)::bigint from (select sum(rows) as rows from deletions group by transaction) each";

/// So many old rows of each kind, and as many events with two deliveries each.
pub const BACKLOG: &str = "
    insert into orders (id, account_id, provider, document_type, order_number, document, placed, status, created_at, updated_at)
    values ('00000000-0000-0000-0000-000000000001', 'a', 'otms', 'transport_order', 'OLD', '{}', true, 'completed', now(), now());
    insert into submissions (id, order_id, account_id, provider, endpoint, operation, state, ready, due_at, exchanges, created_at, updated_at, finished_at)
    select md5('s' || n)::uuid, '00000000-0000-0000-0000-000000000001', 'a', 'otms', 'e', 'amend', 'accepted', false, now(), 1, now(), now(), old
    from generate_series(1, $n) n, (select now() - interval '3 years' as old) times;
    insert into exchanges (id, account_id, throttle_group, provider, endpoint, items, claimed_at, lease_until, finished_at)
    select md5('x' || n)::uuid, 'a', 'a', 'otms', 'e', 1, old, old, old
    from generate_series(1, $n) n, (select now() - interval '3 years' as old) times;
    insert into attempts (submission_id, number, exchange_id, position)
    select md5('s' || n)::uuid, 1, md5('x' || n)::uuid, 0 from generate_series(1, $n) n;
    insert into exchange_bodies (exchange_id, direction, content, size, truncated, recorded_at)
    select md5('x' || n)::uuid, direction, 'x', 1, false, now() - interval '3 years'
    from generate_series(1, $n) n, unnest(array['request', 'response']) direction;
    insert into callbacks (id, account_id, provider, state, headers, body, size, received_at, processed_at)
    select md5('c' || n)::uuid, 'a', 'ttms', 'processed', '[]', 'x', 1, old, old
    from generate_series(1, $n) n, (select now() - interval '3 years' as old) times;
    insert into happenings (account_id, dedupe_key, callback_id, event_id, occurred_at, told_at)
    select 'a', n::text, md5('c' || n)::uuid, md5('e' || n)::uuid, old, old
    from generate_series(1, $n) n, (select now() - interval '3 years' as old) times;
    insert into webhook_endpoints (id, url, secret, secret_key, created_at, updated_at)
    select md5('w' || n)::uuid, 'http://127.0.0.1:9', '', '', now(), now() from generate_series(1, 2) n;
    insert into events (id, type, order_id, data, occurred_at, recorded_at)
    select md5('e' || n)::uuid, 'transport.tracking_note', '00000000-0000-0000-0000-000000000001', '{}', old, old
    from generate_series(1, $n) n, (select now() - interval '3 years' as old) times;
    delete from events_without_place;
    insert into feed_places (position, event_id) select n, md5('e' || n)::uuid from generate_series(1, $n) n;
    insert into webhook_deliveries (endpoint_id, event_id, position, state, due_at, created_at, finished_at)
    select md5('w' || w)::uuid, md5('e' || n)::uuid, n, 'delivered', old, old, old
    from generate_series(1, $n) n, generate_series(1, 2) w, (select now() - interval '3 years' as old) times;
    update feed set last_position = $n;
    insert into api_keys (id, name, hash, scopes, created_at) values ('00000000-0000-0000-0000-000000000002', '', '', '{}', now());
    insert into idempotency_keys (api_key_id, method, path, key, fingerprint, resource_id, status, created_at)
    select '00000000-0000-0000-0000-000000000002', 'POST', '/', n::text, '', md5('r' || n)::uuid, 202, now() - interval '3 years'
    from generate_series(1, $n) n;
    analyze;
";

/// Everything old that is left.
pub const LEFT: &str = "
    select (select count(*) from exchanges) + (select count(*) from attempts) + (select count(*) from exchange_bodies)
        + (select count(*) from callbacks) + (select count(*) from happenings) + (select count(*) from idempotency_keys)
        + (select count(*) from events) + (select count(*) from webhook_deliveries)";

/// A ledger with so many old things of each kind; ten rows for each.
async fn backlog(things: u32) -> Resting {
    let ledger = Resting::empty().await;
    let statements = BACKLOG.replace("$n", &things.to_string());
    let mut connection = ledger.database.connection().await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements)).execute(&mut connection).await.unwrap();
    assert_eq!(ledger.count(LEFT).await, i64::from(things) * 10);
    ledger
}

#[tokio::test]
async fn a_backlog_of_a_hundred_thousand_rows_goes_in_batches_of_bounded_size() {
    let ledger = backlog(10_000).await;
    ledger.run(NOTE_DELETIONS).await;
    let policy = RetentionPolicy::default();
    let turn = Turn { holder: Uuid::now_v7() };
    assert!(ledger.store.take_retention_turn(turn).await.unwrap());
    let retention = Retention::with_turn(ledger.store.clone(), policy, turn);
    let mut removed = 0;
    for kind in Kind::VARIANTS {
        let mut from = Some(Place::START);
        while let Some(place) = from {
            let Swept::Done(batch) = retention.batch(*kind, 900 * DAY, place).await.unwrap() else { panic!("lost") };
            assert!(batch.rows <= MOST_ROWS.unsigned_abs(), "{kind:?}: {batch:?}");
            removed += batch.rows;
            from = batch.next;
        }
    }
    assert_eq!(ledger.count(LEFT).await, 0);
    // Each row, and the bodies of the callbacks.
    assert_eq!(removed, 110_000);
    assert_eq!(ledger.count("select sum(rows)::bigint from deletions").await, 110_000);
    let most = ledger.count(MOST_OF_ONE).await;
    assert!((MOST_ROWS / 2..=MOST_ROWS).contains(&most), "{most}");
    assert_eq!(ledger.count("select first_position from feed").await, 10_001);
    // What stays for ever.
    assert_eq!(ledger.count("select count(*) from submissions").await, 10_000);
    assert_eq!(ledger.count("select count(*) from milestones").await, 1);
}

/// What must stay does not stand in the way of what comes after it.
#[tokio::test]
async fn what_stays_is_passed_over() {
    let ledger = backlog(3_000).await;
    // The oldest 1,500, by far more than a batch.
    ledger
        .run(
            "update submissions set may_exist = true where id in (select md5('s' || n)::uuid from generate_series(1, 1500) n);
             update exchanges set finished_at = finished_at - interval '1 day' where id in (select md5('x' || n)::uuid from generate_series(1, 1500) n);
             update exchange_bodies set recorded_at = recorded_at - interval '1 day' where exchange_id in (select md5('x' || n)::uuid from generate_series(1, 1500) n);
             insert into submissions (id, order_id, account_id, provider, endpoint, operation, state, ready, due_at, created_at, updated_at)
             values (gen_random_uuid(), '00000000-0000-0000-0000-000000000001', 'a', 'otms', 'e', 'amend', 'queued', false, now(), now(), now());
             update idempotency_keys set created_at = created_at - interval '1 day', resource_id = '00000000-0000-0000-0000-000000000001'
             where key::int = 1",
        )
        .await;
    ledger.sweep().await;
    assert_eq!(ledger.count("select count(*) from exchanges").await, 1_500);
    assert_eq!(ledger.count("select count(*) from exchange_bodies").await, 3_000);
    assert_eq!(ledger.database.texts("select key from idempotency_keys").await, ["1"]);
}

#[tokio::test]
async fn of_two_replicas_one_works() {
    let ledger = backlog(3_000).await;
    let other_store = ledger.database.store().await;
    let one = Retention::new(ledger.store.clone(), RetentionPolicy::default());
    let other = Retention::new(other_store, RetentionPolicy::default());
    let (one_did, other_did) = tokio::join!(one.sweep_if_due(), other.sweep_if_due());
    assert_ne!(one_did.unwrap(), other_did.unwrap());
    assert_eq!(ledger.count(LEFT).await, 0);
    // Nor does the other one begin again at once.
    assert!(!one.sweep_if_due().await.unwrap() && !other.sweep_if_due().await.unwrap());
    ledger.advance(Duration::from_secs(16 * 60)).await;
    assert!(other.sweep_if_due().await.unwrap());
}

/// As a replica that hangs between two batches, and wakes up again.
#[tokio::test]
async fn who_lost_the_turn_removes_nothing_more() {
    let ledger = backlog(100).await;
    let [slow, quick] = [1, 2].map(|_| Turn { holder: Uuid::now_v7() });
    assert!(ledger.store.take_retention_turn(slow).await.unwrap());
    assert!(!ledger.store.take_retention_turn(quick).await.unwrap());
    ledger.advance(TURN).await;
    assert!(ledger.store.take_retention_turn(quick).await.unwrap());
    let retention = Retention::with_turn(ledger.store.clone(), RetentionPolicy::default(), slow);
    for kind in Kind::VARIANTS {
        assert_eq!(retention.batch(*kind, 900 * DAY, Place::START).await.unwrap(), Swept::TurnLost);
    }
    assert_eq!(ledger.count(LEFT).await, 1_000);
    // Its end is none of the other's.
    ledger.store.end_retention_turn(slow, DAY).await.unwrap();
    assert_eq!(ledger.count("select count(*) from retention where holder is not null").await, 1);
}

#[tokio::test]
async fn a_gateway_that_is_killed_in_the_middle_leaves_nothing_half_removed_and_another_goes_on() {
    let ledger = backlog(1_500).await;
    GatewayProcess::start_dying_at(&ledger.database, "retention_batch").await.has_died().await;
    let left = ledger.count(LEFT).await;
    assert!(left > 0 && left < 15_000, "{left}");
    let half = "select count(*) from exchanges x where
            (select count(*) from exchange_bodies where exchange_id = x.id) = 1
            or not exists (select from attempts where exchange_id = x.id)";
    assert_eq!(ledger.count(half).await, 0);
    let torn =
        "select count(*) from webhook_deliveries d where not exists (select from events e where e.id = d.event_id)";
    assert_eq!(ledger.count(torn).await, 0);

    // The turn of the dead one ends by itself.
    ledger.advance(TURN).await;
    let gateway = GatewayProcess::start(&ledger.database).await;
    let log = gateway.log_with("idempotency_keys").await;
    assert!(log.contains("removed what was old"), "{log}");
    assert_eq!(ledger.count(LEFT).await, 0);
}
