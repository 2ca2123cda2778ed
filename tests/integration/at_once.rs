//! An order that comes alone and whose caller waits: kept and claimed in one go, settled in one, answered from that. Each of
//! these does what the longer way does.

use std::time::Duration;

use onelane::canonical::{Action, DocumentType, Operation, OrderStatus, SubmissionState};
use onelane::provider::Limit;
use onelane::store::accept::{Accepted, NewOrder};
use onelane::store::accounts::NewAccount;
use onelane::store::at_once::KeptAtOnce;
use onelane::store::claim::ClaimRequest;
use onelane::store::claimed::ClaimedBatch;
use onelane::store::exchanges::PackedBody;
use onelane::store::grounds::Grounds;
use onelane::store::idempotency::IdempotencyKey;
use onelane::store::lanes::LaneKey;
use onelane::store::settle::{ExchangeRecord, Fenced, ResponseRecord, SettledItem, Settlement};
use onelane::throttle::Pace;
use onelane::vault::Sealed;
use serde_json::json;
use sqlx::AssertSqlSafe;
use tokio::time::Instant;
use uuid::Uuid;

use crate::harness::{Bench, RawConnection, by_a_test, known_keys, order};

fn lane() -> LaneKey {
    LaneKey { provider: "otms".to_owned(), throttle_group: "otms-demo".to_owned(), endpoint: "orderImport".to_owned() }
}

/// A ledger without a gateway, through whose lane something went long ago.
async fn at_rest() -> Bench {
    let bench = Bench::start().await;
    assert_eq!(bench.caller.place(&order("SO-0")).await.status, 201);
    let (database, sandbox, url) = bench.stop().await;
    database.advance(Duration::from_secs(10)).await;
    let store = database.store().await;
    Bench::idle(database, store, sandbox, url)
}

async fn run(bench: &Bench, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut bench.database.connection().await).await.unwrap();
}

/// The key and the account as they are now.
async fn grounds(bench: &Bench) -> Grounds {
    let mut connection = bench.database.connection().await;
    let hash = sqlx::query_scalar("select hash from api_keys").fetch_one(&mut connection).await.unwrap();
    let key = bench.store.valid_api_key(hash).await.unwrap().unwrap();
    let account = bench.store.account("otms-demo").await.unwrap().unwrap();
    Grounds { api_key: (key.id, key.row), account: account.row }
}

fn new_order(number: &str) -> NewOrder {
    NewOrder {
        order_id: Uuid::now_v7(),
        submission_id: Uuid::now_v7(),
        account_id: "otms-demo".to_owned(),
        provider: "otms".to_owned(),
        endpoint: "orderImport".to_owned(),
        document_type: DocumentType::TransportOrder,
        order_number: number.to_owned(),
        customer_reference: Some("REF".to_owned()),
        document: order(number).to_string().into(),
        batch_key: String::new(),
        notices: Vec::new(),
        idempotency: None,
        grounds: None,
        queue_limit: None,
        trace_parent: None,
    }
}

async fn keep(bench: &Bench, new: &NewOrder, grounds: &Grounds) -> KeptAtOnce {
    let pace = Pace::of(Limit { requests: 40, window: Duration::from_secs(1) });
    let request = ClaimRequest {
        lane: &lane(),
        pace: &pace,
        in_flight_limit: 1,
        batch_limit: 1,
        doubtful_limit: 1,
        head_start: Duration::ZERO,
        key_ids: &known_keys(),
    };
    bench.store.keep_and_claim(new, grounds, &request).await.unwrap()
}

async fn kept(bench: &Bench, number: &str) -> ClaimedBatch {
    match keep(bench, &new_order(number), &grounds(bench).await).await {
        KeptAtOnce::Claimed(_, batch) => batch,
        _ => panic!("{number} is not claimed"),
    }
}

#[tokio::test]
async fn what_is_kept_at_once_is_claimed_and_has_the_token_of_its_lane() {
    let bench = at_rest().await;
    let new = new_order("SO-1");
    let asked = Instant::now();
    let kept = keep(&bench, &new, &grounds(&bench).await).await;
    let KeptAtOnce::Claimed(queued, batch) = kept else { panic!("not claimed") };
    assert_eq!((queued.held_by, batch.wait, batch.doubtful, batch.more), (None, Duration::ZERO, false, false));
    assert!(batch.booked - batch.lag >= asked && batch.booked <= Instant::now());
    let on_record = format!(
        "select s.state || ' ' || s.attempts || ' ' || (s.created_at = x.claimed_at) || ' ' || (x.lease_until - x.claimed_at) || ' '
             || (l.next_free_at - x.claimed_at) || ' ' || (t.outcome is null) || ' ' || e.type || ' ' || o.status || ' ' || o.customer_reference
         from submissions s join orders o on o.id = s.order_id join attempts t on t.submission_id = s.id
         join exchanges x on x.id = t.exchange_id join events e on e.submission_id = s.id
         join lanes l on l.provider = s.provider and l.endpoint = s.endpoint
         where s.id = '{}' and x.id = '{}' and s.exchange_id = x.id",
        new.submission_id, batch.exchange_id,
    );
    assert_eq!(
        texts(&bench, &on_record).await,
        ["sending 1 true 00:01:30 00:00:00.026 true submission.queued pending REF"]
    );
    // What its sender does not settle is in doubt after its lease.
    bench.database.advance(Duration::from_secs(91)).await;
    let doubt = onelane::canonical::SubmissionResult::gateway(
        "transport.timeout_in_doubt",
        onelane::canonical::Severity::Error,
        false,
        "",
        "",
    );
    assert_eq!(bench.store.put_lost_exchanges_in_doubt(&doubt, 10).await.unwrap(), [new.submission_id]);
}

/// As it was called before it was told customers' references.
#[tokio::test]
async fn a_replica_from_before_keeps_at_once_too() {
    let bench = at_rest().await;
    let keep = "select became from accounts a, api_keys k cross join lateral keep_and_claim(
            gen_random_uuid(), gen_random_uuid(), a.id, a.provider, a.throttle_group, 'orderImport', 'transport_order', number, '',
            document, gen_random_uuid(), null, k.id, k.xmin::text::bigint, a.xmin::text::bigint, null, null, null, null, null, null,
            null, '{}', '{}', '{}', '{}', '{}', '{}', '{}', 16, array[a.credentials_key], gen_random_uuid(), 0, 0, 0, 0, 90)
        where a.id = 'otms-demo'";
    for (number, document, reference) in
        [("SO-1", json!({"customerReference": "PO 1"}), "PO 1"), ("SO-2", json!({}), "none")]
    {
        let keep = keep.replace("number,", &format!("'{number}',")).replace("document,", &format!("'{document}',"));
        assert_eq!(texts(&bench, &keep).await, ["claimed"]);
        let kept = format!("select coalesce(customer_reference, 'none') from orders where order_number = '{number}'");
        assert_eq!(texts(&bench, &kept).await, [reference]);
    }
}

async fn texts(bench: &Bench, sql: &str) -> Vec<String> {
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_all(&mut bench.database.connection().await).await.unwrap()
}

#[tokio::test]
async fn nothing_is_kept_at_once_where_the_order_would_have_to_wait() {
    let bench = at_rest().await;
    // What stands in the way, and what takes it away.
    let obstacles = [
        ("update accounts set paused_at = onelane_now()", "update accounts set paused_at = null"),
        ("update accounts set circuit_open_until = onelane_now()", "update accounts set circuit_open_until = null"),
        (
            "update accounts set credentials_key = 'k' || credentials_key",
            "update accounts set credentials_key = substr(credentials_key, 2)",
        ),
        (
            "update lanes set next_free_at = onelane_now() + interval '1 second'",
            "update lanes set next_free_at = onelane_now()",
        ),
        (
            "update submissions set state = 'queued', ready = true",
            "update submissions set state = 'accepted', ready = false",
        ),
        (
            "update exchanges set finished_at = null, lease_until = onelane_now() + interval '1 hour'",
            "update exchanges set finished_at = onelane_now()",
        ),
        (
            "delete from lanes",
            "insert into lanes (provider, throttle_group, endpoint, next_free_at) values ('otms', 'otms-demo', 'orderImport', onelane_now())",
        ),
    ];
    for (obstacle, end) in obstacles {
        run(&bench, obstacle).await;
        not_now(&bench, obstacle, &grounds(&bench).await).await;
        run(&bench, end).await;
    }
    kept(&bench, "SO-1").await;
}

async fn not_now(bench: &Bench, obstacle: &str, grounds: &Grounds) {
    let new = NewOrder { idempotency: Some(key("k")), ..new_order("SO-1") };
    assert!(matches!(keep(bench, &new, grounds).await, KeptAtOnce::NotNow), "{obstacle}");
    let kept =
        "select (select count(*) from orders where order_number = 'SO-1') + (select count(*) from idempotency_keys)";
    assert_eq!(bench.database.count(kept).await, 0, "{obstacle}");
}

fn key(key: &str) -> IdempotencyKey {
    IdempotencyKey {
        api_key_id: Uuid::nil(),
        method: "POST",
        path: "/v1/orders".to_owned(),
        key: key.to_owned(),
        fingerprint: vec![1],
        running_seconds: Some(30),
    }
}

#[tokio::test]
async fn nor_where_what_it_was_checked_against_has_changed_or_somebody_else_has_the_lane() {
    let bench = at_rest().await;
    let then = grounds(&bench).await;
    // Somebody takes a token.
    let mut other = bench.database.connection().await;
    sqlx::raw_sql("begin; select from lanes for update").execute(&mut other).await.unwrap();
    not_now(&bench, "a lane in other hands", &then).await;
    sqlx::raw_sql("rollback").execute(&mut other).await.unwrap();

    run(&bench, "update accounts set display_name = 'other'").await;
    not_now(&bench, "an account that changed", &then).await;
    let now = grounds(&bench).await;
    assert!(matches!(keep(&bench, &new_order("SO-2"), &now).await, KeptAtOnce::Claimed(..)));
    bench.database.advance(Duration::from_secs(1)).await;

    // Another account of its lane may have a smaller quota, and orders that wait.
    let sibling = NewAccount {
        id: "otms-sibling".to_owned(),
        provider: "otms".to_owned(),
        display_name: String::new(),
        base_url: "http://tms.test".to_owned(),
        credentials: Sealed { bytes: Vec::new(), key_id: known_keys().remove(0) },
        settings: json!({}),
        throttles: json!({}),
        throttle_group: "otms-demo".to_owned(),
        public_callback_url: None,
        queue_limit: None,
    };
    assert!(bench.store.add_account(&sibling, &by_a_test(Action::CreateAccount)).await.unwrap());
    not_now(&bench, "another account of the lane", &now).await;
    bench.store.delete_account("otms-sibling", None, &by_a_test(Action::DeleteAccount)).await.unwrap();

    for change in ["expires_at = onelane_now()", "revoked_at = onelane_now(), expires_at = null"] {
        let then = grounds(&bench).await;
        run(&bench, &format!("update api_keys set {change}")).await;
        not_now(&bench, change, &then).await;
        run(&bench, "update api_keys set expires_at = null").await;
    }
}

#[tokio::test]
async fn nor_where_as_much_waits_as_may() {
    let bench = at_rest().await;
    let elsewhere = NewOrder { endpoint: "another".to_owned(), ..new_order("SO-2") };
    assert!(matches!(bench.store.accept_order(elsewhere).await.unwrap(), Accepted::New(_)));
    let grounds = grounds(&bench).await;
    let limited = |limit| NewOrder { queue_limit: std::num::NonZeroU32::new(limit), ..new_order("SO-1") };
    assert!(matches!(keep(&bench, &limited(1), &grounds).await, KeptAtOnce::NotNow));
    assert!(matches!(keep(&bench, &limited(2), &grounds).await, KeptAtOnce::Claimed(..)));
}

#[tokio::test]
async fn a_key_that_was_used_keeps_nothing_and_a_number_that_is_taken_keeps_the_key() {
    let bench = at_rest().await;
    let grounds = grounds(&bench).await;
    let key = |text| Some(IdempotencyKey { api_key_id: grounds.api_key.0, ..key(text) });
    let first = NewOrder { idempotency: key("one"), ..new_order("SO-1") };
    assert!(matches!(keep(&bench, &first, &grounds).await, KeptAtOnce::Claimed(..)));
    // Its exchange is over.
    run(&bench, "update exchanges set finished_at = onelane_now()").await;
    let same_key = NewOrder { idempotency: key("one"), ..new_order("SO-2") };
    assert!(matches!(keep(&bench, &same_key, &grounds).await, KeptAtOnce::KeyKnown));
    let same_number = NewOrder { idempotency: key("two"), ..new_order("SO-1") };
    assert!(matches!(keep(&bench, &same_number, &grounds).await, KeptAtOnce::NumberTaken));
    assert_eq!(
        texts(
            &bench,
            "select key || ' ' || status || ' ' || (running_until > onelane_now()) from idempotency_keys order by key"
        )
        .await,
        ["one 202 true", "two 202 true"]
    );
    assert_eq!(bench.database.count("select count(*) from orders").await, 2);
    assert_eq!(bench.database.count("select count(*) from exchanges").await, 2);
}

/// A creation that the provider took, with all that can be told of it.
fn taken(batch: &ClaimedBatch, state: SubmissionState) -> Settlement {
    let packed = |text: &str| PackedBody::pack(text.as_bytes());
    let item = &batch.items[0];
    let result = |code: &str| {
        let mut result = onelane::canonical::SubmissionResult::gateway(
            code,
            onelane::canonical::Severity::Info,
            false,
            "taken",
            "已接受",
        );
        result.pointers = vec!["/cargo".to_owned(), "/lines/0".to_owned()];
        result.with_raw_message("as it was said")
    };
    Settlement {
        exchange_id: batch.exchange_id,
        lane: lane(),
        account_id: batch.account_id.clone(),
        claimed: batch.booked,
        record: Some(ExchangeRecord {
            method: "PUT",
            url: "http://tms.test/orders".to_owned(),
            request_headers: vec![("content-type".to_owned(), "text/xml".to_owned())],
            request_body: packed("<request/>"),
            sent: batch.booked + Duration::from_millis(5),
            took: Duration::from_millis(10),
            response: Some(ResponseRecord {
                status: 200,
                headers: vec![("server".to_owned(), "tms".to_owned())],
                body: packed("<response/>"),
            }),
        }),
        error: Some("beside it".to_owned()),
        items: vec![SettledItem {
            provider_order_number: Some("P-1".to_owned()),
            order_status: Some(OrderStatus::Requested),
            order_event: Some(onelane::canonical::EventType::OrderPlaced),
            results: vec![result("accepted.created"), result("accepted.noted")],
            ..SettledItem::in_state(item.submission_id, item.order_id, Operation::Create, state)
        }],
        reached: Some(true),
        throttled_for: None,
        pause: None,
    }
}

/// All that the ledger holds of an order, but for ids, times and what differs by its nature.
const ALL_OF_IT: &str = "
    select to_jsonb(o) - '{id,order_number,document,created_at,updated_at}'::text[] || jsonb_build_object(
        'recent', o.updated_at > o.created_at,
        'submission', to_jsonb(s) - '{id,sequence,order_id,exchange_id,created_at,updated_at,finished_at,due_at}'::text[],
        'ended', s.finished_at = o.updated_at and s.updated_at = o.updated_at,
        'attempt', to_jsonb(t) - '{submission_id,exchange_id}'::text[],
        'exchange', to_jsonb(x) - '{id,claimed_at,lease_until,finished_at,sent_at,answered_at}'::text[],
        'sent', x.sent_at - x.claimed_at, 'answered', x.answered_at - x.claimed_at, 'closed', x.finished_at = o.updated_at,
        'bodies', (select jsonb_agg(to_jsonb(b) - '{exchange_id,recorded_at}'::text[] order by b.direction) from exchange_bodies b where b.exchange_id = x.id),
        'results', (select jsonb_agg(to_jsonb(r) - '{submission_id,position,recorded_at}'::text[] order by r.position) from results r where r.submission_id = s.id),
        'events', (select jsonb_agg((to_jsonb(e) - '{id,order_id,submission_id,data,occurred_at,recorded_at}'::text[])
            || jsonb_build_object('data', e.data - 'orderNumber') order by e.occurred_at, e.id) from events e where e.order_id = o.id)
        )::text
    from orders o join submissions s on s.order_id = o.id join attempts t on t.submission_id = s.id
    join exchanges x on x.id = t.exchange_id where o.order_number = ";

#[tokio::test]
async fn a_creation_is_settled_alone_as_it_is_among_others() {
    let bench = at_rest().await;
    for (round, state) in [SubmissionState::Accepted, SubmissionState::PartiallyAccepted].into_iter().enumerate() {
        let mut found = Vec::new();
        for alone in [true, false] {
            let number = format!("SO-{round}-{alone}");
            let batch = kept(&bench, &number).await;
            let mut settlement = taken(&batch, state);
            // More to tell than of others, and nothing that is seen here.
            settlement.throttled_for = (!alone).then_some(Duration::ZERO);
            let Fenced::Settled { lets_go, order } = bench.store.settle(&settlement).await.unwrap() else {
                panic!("too late")
            };
            let told = order.map(|now| (now.status, now.provider_order_number, now.version));
            let known = alone.then(|| (OrderStatus::Requested, Some("P-1".to_owned()), 2));
            assert_eq!((lets_go, told), (false, known));
            // What is settled is settled.
            assert_eq!(bench.store.settle(&settlement).await.unwrap(), Fenced::TooLate);
            found.extend(texts(&bench, &format!("{ALL_OF_IT} '{number}'")).await);
            bench.database.advance(Duration::from_secs(1)).await;
        }
        assert_eq!(found.len(), 2);
        assert!(found[0].contains("order.placed") && found[0].contains("accepted.noted"), "{}", found[0]);
        assert_eq!(found[0], found[1]);
    }
}

/// As when the provider called back before its answer was here.
#[tokio::test]
async fn of_an_order_that_has_gone_on_meanwhile_nothing_is_taken_back_and_nothing_told_twice() {
    let bench = at_rest().await;
    let batch = kept(&bench, "SO-1").await;
    run(
        &bench,
        "update orders set status = 'in_transit', provider_order_number = 'P-0' where order_number = 'SO-1';
         insert into events (id, type, account_id, order_id, data, occurred_at, recorded_at)
         select gen_random_uuid(), 'order.placed', account_id, id, '{}', onelane_now(), onelane_now() from orders where order_number = 'SO-1'",
    )
    .await;
    let settled = bench.store.settle(&taken(&batch, SubmissionState::Accepted)).await.unwrap();
    assert_eq!(settled, Fenced::Settled { lets_go: false, order: None });
    let stands = "select o.status || ' ' || o.provider_order_number || ' ' || s.state || ' ' || (
                      select string_agg(e.type, ' ' order by e.type) from events e where e.order_id = o.id)
                  from orders o join submissions s on s.order_id = o.id where o.order_number = 'SO-1'";
    assert_eq!(
        texts(&bench, stands).await,
        ["in_transit P-1 accepted order.placed submission.accepted submission.queued"]
    );
}

/// The first of a process goes the longer way, the others at once.
#[tokio::test]
async fn what_a_waiting_caller_is_answered_is_what_the_ledger_has() {
    let bench = Bench::start().await;
    for number in ["SO-1", "SO-2", "SO-3"] {
        let mut order = order(number);
        // With a notice of the translation.
        order["deliveryMethod"] = json!("self_pickup");
        let placed = bench.caller.place(&order).await;
        assert_eq!(
            (placed.status, &placed.body["submission"]["state"]),
            (201, &json!("accepted")),
            "{:#}",
            placed.body
        );
        let read = bench.caller.get(&format!("/v1/orders/{}", placed.id())).await;
        assert_eq!((placed.header("etag"), &placed.body), (read.header("etag"), &read.body));
        // Its lane has a token again.
        bench.database.advance(Duration::from_secs(1)).await;
    }
    let at_once =
        "select count(*) from submissions s join exchanges x on x.id = s.exchange_id where s.created_at = x.claimed_at";
    assert_eq!(bench.database.count(at_once).await, 2);
}

#[tokio::test]
async fn an_order_that_was_kept_at_once_goes_out_though_its_caller_hangs_up() {
    let bench = Bench::start().await;
    assert_eq!(bench.caller.place(&order("SO-1")).await.status, 201);
    bench.database.advance(Duration::from_secs(1)).await;
    bench.faults(json!([{"kind": "slow", "times": 1, "delayMs": 300}])).await;
    let mut caller = RawConnection::open(&bench.base_url).await;
    let body = order("SO-2").to_string();
    caller.post_head("/v1/orders", body.len(), "prefer: wait=30\r\n").await;
    caller.send(body).await;
    bench
        .database
        .wait_until(Duration::from_secs(20), "select exists (select from orders where order_number = 'SO-2')")
        .await;
    drop(caller);
    bench.database.wait_until_all_ended(Duration::from_secs(20)).await;
    assert_eq!(bench.books("SO-2").len(), 1);
    let doubts = "select count(*) from attempts where outcome <> 'accepted'";
    assert_eq!(bench.database.count(doubts).await, 0);
}
