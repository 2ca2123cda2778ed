//! The ledger's side of a lane: claim, fence, token, one worker at a time.

use std::time::Duration;

use onelane::canonical::{Action, SubmissionState};
use onelane::provider::Limit;
use onelane::store::Store;
use onelane::store::claim::{Claim, ClaimRequest};
use onelane::store::claimed::{ClaimedBatch, ClaimedItem};
use onelane::store::lanes::LaneKey;
use onelane::store::settle::{Fenced, SettledItem, Settlement};
use onelane::throttle::Pace;
use tokio::time::Instant;

use crate::harness::{Bench, by_a_test, known_keys, order};

/// Settled, and nothing else may go for it.
const NOTHING_ELSE: Fenced = Fenced::Settled { lets_go: false, order: None };

fn lane() -> LaneKey {
    LaneKey { provider: "otms".to_owned(), throttle_group: "otms-demo".to_owned(), endpoint: "orderImport".to_owned() }
}

/// A pace that never waits.
fn fast() -> Pace {
    Pace { spacing: Duration::ZERO, ..Pace::of(Limit { requests: 1000, window: Duration::from_secs(1) }) }
}

async fn claim(store: &Store, pace: Pace, batch_limit: u16) -> Claim {
    let request = ClaimRequest {
        lane: &lane(),
        pace: &pace,
        in_flight_limit: 4,
        batch_limit,
        doubtful_limit: 1,
        head_start: Duration::ZERO,
        key_ids: &known_keys(),
    };
    loop {
        match store.claim(&request).await.unwrap() {
            // The lane's row was just made.
            Claim::NoToken(wait) if wait.is_zero() => {}
            claim => return claim,
        }
    }
}

async fn claim_batch(store: &Store, batch_limit: u16) -> ClaimedBatch {
    match claim(store, fast(), batch_limit).await {
        Claim::Batch(batch) => store.orders_of_batch(batch).await.unwrap(),
        Claim::NothingDue => panic!("nothing is due"),
        Claim::NoToken(wait) => panic!("no token for {wait:?}"),
        Claim::LaneFull => panic!("the lane is full"),
    }
}

/// A gateway that accepted orders and was stopped before it sent any.
async fn queued(orders: usize) -> (Bench, Vec<String>) {
    let bench = Bench::start().await;
    bench.pause().await;
    let mut numbers = Vec::new();
    for number in 0..orders {
        let number = format!("SO-{number}");
        assert_eq!(bench.caller.post("/v1/orders", &order(&number)).await.status, 202);
        numbers.push(number);
    }
    let (database, sandbox, url) = bench.stop().await;
    // The account is free, and nobody but the test claims.
    let store = database.store().await;
    store.resume_account("otms-demo", &by_a_test(Action::ResumeAccount)).await.unwrap();
    let bench = Bench::idle(database, store, sandbox, url);
    (bench, numbers)
}

fn numbers(batch: &ClaimedBatch) -> Vec<String> {
    let document = |item: &ClaimedItem| item.changed_document().unwrap();
    batch.items.iter().map(|item| document(item)["orderNumber"].as_str().unwrap().to_owned()).collect()
}

fn settlement(batch: &ClaimedBatch, state: SubmissionState) -> Settlement {
    Settlement {
        exchange_id: batch.exchange_id,
        lane: lane(),
        account_id: batch.account_id.clone(),
        claimed: batch.booked,
        record: None,
        error: None,
        items: batch
            .items
            .iter()
            .map(|item| SettledItem {
                due_in: (!state.is_final()).then_some(Duration::ZERO),
                ..SettledItem::in_state(item.submission_id, item.order_id, item.operation, state)
            })
            .collect(),
        reached: None,
        throttled_for: None,
        pause: None,
    }
}

#[tokio::test]
async fn batches_are_taken_in_order_of_acceptance_and_no_submission_twice() {
    let (bench, expected) = queued(5).await;
    let first = claim_batch(&bench.store, 3).await;
    let second = claim_batch(&bench.store, 3).await;
    assert_eq!(numbers(&first), expected[..3]);
    assert_eq!(numbers(&second), expected[3..]);
    assert!(matches!(claim(&bench.store, fast(), 3).await, Claim::NothingDue));
    // On record before a byte left.
    assert_eq!(bench.database.count("select count(*) from attempts where outcome is null").await, 5);
    assert_eq!(bench.database.count("select count(*) from submissions where state = 'sending'").await, 5);
}

#[tokio::test]
async fn orders_of_a_large_batch_are_read_apart_and_are_those_of_its_submissions() {
    let (bench, expected) = queued(10).await;
    for (limit, come_along) in [(1, true), (9, false)] {
        let Claim::Batch(batch) = claim(&bench.store, fast(), limit).await else { panic!("nothing is due") };
        assert!(batch.items.iter().all(|item| item.order.is_some() == come_along), "{limit}");
        let batch = bench.store.orders_of_batch(batch).await.unwrap();
        let first = usize::from(!come_along);
        assert_eq!(numbers(&batch), expected[first..first + usize::from(limit)]);
        assert!(batch.items.iter().all(|item| item.order.document_complete && !item.order.adopted));
    }
}

#[tokio::test]
async fn workers_that_claim_at_once_share_the_queue_without_overlap() {
    let (bench, expected) = queued(12).await;
    let claims = (0..4).map(|_| claim_batch(&bench.store, 3));
    let batches = futures_util::future::join_all(claims).await;
    let mut claimed: Vec<_> = batches.iter().flat_map(numbers).collect();
    claimed.sort_unstable();
    let mut expected: Vec<_> = expected.iter().map(String::as_str).collect();
    expected.sort_unstable();
    assert_eq!(claimed, expected);
}

#[tokio::test]
async fn a_worker_whose_lease_ran_out_changes_nothing() {
    let (bench, _) = queued(1).await;
    let stale = claim_batch(&bench.store, 10).await;
    bench.database.advance(Duration::from_secs(91)).await;
    assert_eq!(bench.store.settle(&settlement(&stale, SubmissionState::Accepted)).await.unwrap(), Fenced::TooLate);
    let doubt = onelane::canonical::SubmissionResult::gateway(
        "transport.timeout_in_doubt",
        onelane::canonical::Severity::Error,
        false,
        "x",
        "x",
    );
    assert_eq!(bench.store.put_lost_exchanges_in_doubt(&doubt, 10).await.unwrap().len(), 1);
    let fresh = claim_batch(&bench.store, 10).await;
    assert_eq!(fresh.items[0].submission_id, stale.items[0].submission_id);
    assert!(fresh.items[0].may_exist);
    assert_eq!(fresh.items[0].attempts, 2);
    // The old worker wakes while the new one holds the lease.
    assert_eq!(bench.store.settle(&settlement(&stale, SubmissionState::Rejected)).await.unwrap(), Fenced::TooLate);
    assert_eq!(bench.store.settle(&settlement(&fresh, SubmissionState::Accepted)).await.unwrap(), NOTHING_ELSE);
    assert_eq!(bench.store.settle(&settlement(&fresh, SubmissionState::Rejected)).await.unwrap(), Fenced::TooLate);
    let ended = bench.store.submission_state(fresh.items[0].submission_id).await.unwrap();
    assert_eq!(ended, Some(SubmissionState::Accepted));
}

/// So that a lane looks for more only where there is more, and is woken only for what may go.
#[tokio::test]
async fn a_claim_says_whether_more_is_due_and_a_settlement_whether_it_lets_something_go() {
    let (bench, _) = queued(5).await;
    let full = claim_batch(&bench.store, 2).await;
    assert!(full.more);
    // One of another kind stays.
    let apart = "update submissions set batch_key = 'x' where id = (select max(id::text)::uuid from submissions)";
    sqlx::query(apart).execute(&mut bench.database.connection().await).await.unwrap();
    let mixed = claim_batch(&bench.store, 10).await;
    assert_eq!((mixed.items.len(), mixed.more), (2, true));
    let last = claim_batch(&bench.store, 10).await;
    assert_eq!((last.items.len(), last.more), (1, false));

    assert_eq!(bench.store.settle(&settlement(&full, SubmissionState::Accepted)).await.unwrap(), NOTHING_ELSE);
    let again = bench.store.settle(&settlement(&last, SubmissionState::Queued)).await.unwrap();
    assert_eq!(again, Fenced::Settled { lets_go: true, order: None });
    // What waits behind one of them, as a second operation on its order does.
    let order_id = mixed.items[0].order_id;
    let follower = "insert into submissions (id, order_id, account_id, provider, endpoint, operation, state, ready, due_at, created_at, updated_at)
        select gen_random_uuid(), $1, account_id, provider, endpoint, 'cancel', 'queued', false, due_at, created_at, updated_at
        from submissions where order_id = $1";
    sqlx::query(follower).bind(order_id).execute(&mut bench.database.connection().await).await.unwrap();
    let mixed = bench.store.settle(&settlement(&mixed, SubmissionState::Accepted)).await.unwrap();
    assert_eq!(mixed, Fenced::Settled { lets_go: true, order: None });
}

/// What a circuit held goes as soon as an answer ends it.
#[tokio::test]
async fn an_answer_that_closes_a_circuit_lets_go_what_it_held() {
    let (bench, _) = queued(2).await;
    let batch = claim_batch(&bench.store, 1).await;
    let open = "update accounts set transport_failures = 5, circuit_open_until = onelane_now() + interval '30 seconds'";
    sqlx::query(open).execute(&mut bench.database.connection().await).await.unwrap();
    let answered = Settlement { reached: Some(true), ..settlement(&batch, SubmissionState::Accepted) };
    assert_eq!(bench.store.settle(&answered).await.unwrap(), Fenced::Settled { lets_go: true, order: None });
    assert_eq!(claim_batch(&bench.store, 1).await.items.len(), 1);
}

/// Statements are planned once, while the tables are empty, and go on with that when they are full.
#[tokio::test]
async fn no_claim_and_no_settlement_reads_through_a_table() {
    const READ_THROUGH: &str = "select sum(seq_scan)::bigint from pg_stat_user_tables
        where relname in ('orders', 'submissions', 'attempts', 'results', 'exchanges', 'exchange_bodies', 'events', 'milestones',
            'callbacks', 'callback_waits', 'trip_orders')";
    // What a session did is counted at the latest when it ends.
    const ALONE: &str = "select not exists (
        select from pg_stat_activity where datname = current_database() and application_name = 'onelane')";
    let (bench, _) = queued(12).await;
    bench.store.close().await;
    bench.database.wait_until(Duration::from_secs(20), ALONE).await;
    let before = bench.database.count(READ_THROUGH).await;
    let store = bench.database.store().await;
    for _ in 0..12 {
        let batch = claim_batch(&store, 1).await;
        let settled = store.settle(&settlement(&batch, SubmissionState::Accepted)).await.unwrap();
        assert_eq!(settled, NOTHING_ELSE);
    }
    store.close().await;
    bench.database.wait_until(Duration::from_secs(20), ALONE).await;
    assert!(
        bench.database.count("select n_tup_upd from pg_stat_user_tables where relname = 'submissions'").await >= 24
    );
    assert_eq!(bench.database.count(READ_THROUGH).await, before);
}

#[tokio::test]
async fn a_batch_that_is_let_go_was_never_tried() {
    let (bench, expected) = queued(2).await;
    let batch = claim_batch(&bench.store, 10).await;
    assert_eq!(bench.store.release(batch.exchange_id).await.unwrap(), Fenced::Settled { lets_go: true, order: None });
    assert_eq!(bench.database.count("select count(*) from attempts").await, 0);
    assert_eq!(bench.database.count("select count(*) from exchanges").await, 0);
    let again = claim_batch(&bench.store, 10).await;
    assert_eq!(numbers(&again), expected);
    assert_eq!(again.items[0].attempts, 1);
    // Who lost the lease lets nothing go.
    bench.database.advance(Duration::from_secs(91)).await;
    assert_eq!(bench.store.release(again.exchange_id).await.unwrap(), Fenced::TooLate);
    assert_eq!(bench.database.count("select count(*) from attempts").await, 2);
}

#[tokio::test]
async fn a_slot_is_booked_no_sooner_than_the_request_can_leave() {
    let (bench, _) = queued(1).await;
    let head_start = Duration::from_millis(300);
    let request = ClaimRequest {
        lane: &lane(),
        pace: &fast(),
        in_flight_limit: 4,
        batch_limit: 1,
        doubtful_limit: 1,
        head_start,
        key_ids: &known_keys(),
    };
    let asked = Instant::now();
    let Claim::Batch(batch) = bench.store.claim(&request).await.unwrap() else { panic!("a batch is due") };
    // When it was booked is known within the time that the question took.
    assert!(batch.booked - batch.lag >= asked && batch.booked <= Instant::now());
    // Whoever is ready before the slot need not wait for it.
    assert_eq!((batch.wait, batch.slot), (Duration::ZERO, head_start));
    assert_eq!(
        bench
            .database
            .count("select count(*) from lanes where provider = 'otms' and next_free_at > onelane_now()")
            .await,
        1
    );
}

#[tokio::test]
async fn a_token_is_taken_with_the_batch_and_only_then() {
    let (bench, _) = queued(3).await;
    let pace = Pace::of(Limit { requests: 3, window: Duration::from_secs(1) });
    assert!(matches!(claim(&bench.store, pace, 1).await, Claim::Batch(_)));
    // The next slot lies 347 ms ahead: too far to be reserved.
    let Claim::NoToken(wait) = claim(&bench.store, pace, 1).await else { panic!("a token too many") };
    assert!(wait > Duration::ZERO && wait <= Duration::from_millis(247), "{wait:?}");
    bench.database.advance(Duration::from_millis(250)).await;
    // Now less than 100 ms: reserved ahead.
    let Claim::Batch(batch) = claim(&bench.store, pace, 1).await else { panic!("no token") };
    assert!(batch.wait <= Duration::from_millis(100));
    bench.database.advance(Duration::from_secs(10)).await;
    assert!(matches!(claim(&bench.store, pace, 1).await, Claim::Batch(_)));
    // Nothing is due: no token was used up.
    bench.database.advance(Duration::from_secs(10)).await;
    let free = async || {
        bench.database.count("select extract(epoch from next_free_at)::bigint from lanes where provider = 'otms'").await
    };
    let before = free().await;
    assert!(matches!(claim(&bench.store, pace, 1).await, Claim::NothingDue));
    assert_eq!(free().await, before);
}

#[tokio::test]
async fn exchanges_in_flight_are_bounded() {
    let (bench, _) = queued(6).await;
    let mut batches = Vec::new();
    for _ in 0..4 {
        batches.push(claim_batch(&bench.store, 1).await);
    }
    assert!(matches!(claim(&bench.store, fast(), 1).await, Claim::LaneFull));
    bench.store.settle(&settlement(&batches[0], SubmissionState::Accepted)).await.unwrap();
    assert!(matches!(claim(&bench.store, fast(), 1).await, Claim::Batch(_)));
}

#[tokio::test]
async fn a_batch_holds_one_account_and_one_batch_key() {
    let bench = Bench::start().await;
    bench.pause().await;
    for (number, source) in [("SO-0", "ERP"), ("SO-1", "WMS"), ("SO-2", "ERP")] {
        let mut order = order(number);
        order["extensions"] = serde_json::json!({"otms": {"source": source}});
        assert_eq!(bench.caller.post("/v1/orders", &order).await.status, 202);
    }
    let (database, sandbox, url) = bench.stop().await;
    let store = database.store().await;
    store.resume_account("otms-demo", &by_a_test(Action::ResumeAccount)).await.unwrap();
    let bench = Bench::idle(database, store, sandbox, url);
    assert_eq!(numbers(&claim_batch(&bench.store, 10).await), ["SO-0", "SO-2"]);
    assert_eq!(numbers(&claim_batch(&bench.store, 10).await), ["SO-1"]);
}

#[tokio::test]
async fn a_paused_account_and_an_open_circuit_let_nothing_be_claimed() {
    let (bench, _) = queued(1).await;
    bench.store.pause_account("otms-demo", "test", &by_a_test(Action::PauseAccount)).await.unwrap();
    assert!(matches!(claim(&bench.store, fast(), 1).await, Claim::NothingDue));
    bench.store.resume_account("otms-demo", &by_a_test(Action::ResumeAccount)).await.unwrap();
    sqlx::query("update accounts set circuit_open_until = onelane_now() + interval '30 s'")
        .execute(&mut bench.database.connection().await)
        .await
        .unwrap();
    assert!(matches!(claim(&bench.store, fast(), 1).await, Claim::NothingDue));
    bench.database.advance(Duration::from_secs(31)).await;
    assert!(matches!(claim(&bench.store, fast(), 1).await, Claim::Batch(_)));
}
