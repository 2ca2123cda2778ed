//! The feed: whoever follows the cursor gets every event, and each once.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};
use uuid::Uuid;

use crate::callbacks::{confirmation, deliver};
use crate::harness::{Bench, Caller, GatewayProcess, order};

/// A consumer that goes on where it was.
struct Consumer {
    caller: Caller,
    query: String,
    cursor: Option<String>,
    seen: Vec<Value>,
}

impl Consumer {
    fn new(caller: &Caller, query: &str) -> Self {
        Consumer { caller: caller.clone(), query: query.to_owned(), cursor: None, seen: Vec::new() }
    }

    /// Reads one page; whether anything moved.
    async fn read(&mut self) -> bool {
        let after = self.cursor.as_ref().map_or_else(String::new, |cursor| format!("&after={cursor}"));
        let page = self.caller.get(&format!("/v1/events?{}{after}", self.query)).await;
        assert_eq!(page.status, 200, "{:#}", page.body);
        self.seen.extend(page.body["items"].as_array().unwrap().iter().cloned());
        let next = page.body["nextCursor"].as_str().expect("always there").to_owned();
        let moved = self.cursor.as_ref() != Some(&next);
        self.cursor = Some(next);
        moved
    }

    /// Reads until so many events were seen.
    async fn until(&mut self, events: usize) {
        let reading = async {
            while self.seen.len() < events {
                self.read().await;
            }
        };
        assert!(tokio::time::timeout(Duration::from_secs(60), reading).await.is_ok(), "{} seen", self.seen.len());
    }

    fn types(&self) -> Vec<&str> {
        self.seen.iter().map(|event| event["type"].as_str().unwrap()).collect()
    }

    fn ids(&self) -> Vec<Uuid> {
        self.seen.iter().map(|event| event["id"].as_str().unwrap().parse().unwrap()).collect()
    }
}

/// Writes an event; its account may be none.
async fn write(connection: &mut PgConnection, account: Option<&str>) -> Uuid {
    sqlx::query_scalar(
        "insert into events (id, type, account_id, data, occurred_at, recorded_at)
         values (gen_random_uuid(), 'account.resumed', $1, '{}', onelane_now(), onelane_now()) returning id",
    )
    .bind(account)
    .fetch_one(connection)
    .await
    .unwrap()
}

#[tokio::test]
async fn everything_is_told_once_and_in_the_same_order_whatever_the_page() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    bench.caller.place(&order("SO-2")).await;
    let mut all = Consumer::new(&bench.caller, "limit=200");
    all.until(6).await;
    let steps = ["submission.queued", "submission.accepted", "order.placed"];
    assert_eq!(all.types(), [steps, steps].concat());
    let first = &all.seen[2];
    assert_eq!((&first["specversion"], &first["subject"]), (&json!("1.0"), &placed.body["id"]));
    assert_eq!(first["source"], "/v1/accounts/otms-demo");
    assert_eq!(first["data"]["providerOrderNumber"], placed.body["providerOrderNumber"]);
    // The end is where the cursor stays.
    let end = all.cursor.clone();
    assert!(!all.read().await);
    assert_eq!((all.seen.len(), &all.cursor), (6, &end));

    for limit in [1, 2, 6] {
        let mut small = Consumer::new(&bench.caller, &format!("limit={limit}"));
        while small.read().await {}
        assert_eq!(small.seen, all.seen, "{limit}");
    }
    // What an order's own history tells is told here, too.
    let history = bench.caller.get(&format!("/v1/orders/{}/events", placed.id())).await;
    assert_eq!(history.body["items"].as_array().unwrap()[..], all.seen[..3]);
}

#[tokio::test]
async fn filters_let_through_what_they_name() {
    let bench = Bench::start().await;
    bench.caller.place(&order("SO-1")).await;
    bench.pause().await;
    Consumer::new(&bench.caller, "").until(4).await;
    for (query, expected) in [
        ("type=order.placed", vec!["order.placed"]),
        ("type=order.placed,account.paused", vec!["order.placed", "account.paused"]),
        ("type=order.placed,%20account.paused&account=otms-demo", vec!["order.placed", "account.paused"]),
        ("type=order.cancelled", vec![]),
        ("account=nobody", vec![]),
    ] {
        let mut consumer = Consumer::new(&bench.caller, query);
        while consumer.read().await {}
        assert_eq!(consumer.types(), expected, "{query}");
    }
    for query in ["type=order.eaten", "type=", "limit=0", "limit=201", "after=!", "after=Mg", "cursor=x"] {
        bench.caller.get(&format!("/v1/events?{query}")).await.problem(400, "malformed-request");
    }
    // Cursors of other lists are none of this one.
    bench.caller.post("/v1/orders", &order("SO-2")).await;
    let other = bench.caller.get("/v1/orders?limit=1").await.body["nextCursor"].as_str().unwrap().to_owned();
    bench.caller.get(&format!("/v1/events?after={other}")).await.problem(400, "malformed-request");
}

#[tokio::test]
async fn latest_is_the_end_of_the_feed() {
    let bench = Bench::start().await;
    bench.caller.place(&order("SO-1")).await;
    Consumer::new(&bench.caller, "").until(3).await;
    let mut late = Consumer::new(&bench.caller, "");
    late.cursor = Some("latest".to_owned());
    late.read().await;
    assert_eq!(late.seen, Vec::<Value>::new());
    bench.pause().await;
    late.until(1).await;
    assert_eq!(late.types(), ["account.paused"]);
}

#[tokio::test]
async fn a_number_drawn_while_writing_would_lose_what_commits_late_and_a_place_in_the_feed_does_not() {
    let bench = Bench::start().await;
    let mut connection = bench.database.connection().await;
    sqlx::query("alter table events add column drawn bigint generated always as identity")
        .execute(&mut connection)
        .await
        .unwrap();
    let naive = async |connection: &mut PgConnection, after: i64| -> Vec<(i64, Uuid)> {
        sqlx::query_as("select drawn, id from events where drawn > $1 order by drawn")
            .bind(after)
            .fetch_all(connection)
            .await
            .unwrap()
    };
    let mut consumer = Consumer::new(&bench.caller, "");

    let mut slow = bench.database.connection().await;
    let mut transaction = slow.begin().await.unwrap();
    let early = write(&mut transaction, Some("otms-demo")).await;
    let late = write(&mut connection, Some("otms-demo")).await;
    let naively = naive(&mut connection, 0).await;
    assert_eq!(naively, [(2, late)], "the naive consumer is at 2 now");
    consumer.until(1).await;
    transaction.commit().await.unwrap();
    assert_eq!(naive(&mut connection, 2).await, [], "and never sees number 1");
    consumer.until(2).await;
    assert_eq!(consumer.ids(), [late, early]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_missed_while_eight_writers_commit_in_disorder_and_two_replicas_give_places() {
    const WRITERS: usize = 8;
    const EACH: usize = 25;
    let bench = Bench::start().await;
    let replica = GatewayProcess::start(&bench.database).await;
    let writers = (0..WRITERS).map(|_| {
        let url = bench.database.url.clone();
        tokio::spawn(async move {
            let mut connection = PgConnection::connect(&url).await.unwrap();
            let mut written = Vec::new();
            for _ in 0..EACH {
                let mut transaction = connection.begin().await.unwrap();
                written.push(write(&mut transaction, Some("otms-demo")).await);
                // Between the event and its commit, as other work of a transaction would be.
                sqlx::query("select pg_sleep(random() * 0.03)").execute(&mut *transaction).await.unwrap();
                written.push(write(&mut transaction, Some("otms-demo")).await);
                transaction.commit().await.unwrap();
            }
            written
        })
    });
    let writers: Vec<_> = writers.collect();
    // One reads small pages of one replica, the other large ones of the other.
    let mut small = Consumer::new(&bench.caller, "limit=3");
    let mut large = Consumer::new(&replica.caller, "limit=200");
    tokio::join!(small.until(2 * WRITERS * EACH), large.until(2 * WRITERS * EACH));
    let mut written = HashSet::new();
    for writer in writers {
        written.extend(writer.await.unwrap());
    }
    assert_eq!(written.len(), 2 * WRITERS * EACH);
    for consumer in [&mut small, &mut large] {
        assert!(!consumer.read().await, "nothing is left");
        assert_eq!(consumer.seen.len(), written.len(), "nothing twice");
        assert_eq!(consumer.ids().into_iter().collect::<HashSet<_>>(), written, "nothing missed");
    }
    assert_eq!(small.ids(), large.ids(), "one order for all");
    let holes = "select last_position - (select count(*) from feed_places) from feed";
    assert_eq!(bench.database.count(holes).await, 0);
}

#[tokio::test]
async fn one_replica_at_a_time_gives_places() {
    let bench = Bench::start().await;
    let mut other = bench.database.connection().await;
    let mut turn = other.begin().await.unwrap();
    sqlx::query("select last_position from feed for update").execute(&mut *turn).await.unwrap();
    write(&mut bench.database.connection().await, None).await;
    assert_eq!(bench.store.sequence_events(10).await.unwrap(), onelane::store::feed::Sequenced::Elsewhere);
    assert_eq!(bench.database.count("select count(*) from feed_places").await, 0);
    turn.rollback().await.unwrap();
    Consumer::new(&bench.caller, "").until(1).await;
}

#[tokio::test]
async fn a_cursor_that_the_feed_has_gone_past_has_expired() {
    let bench = Bench::start().await;
    bench.caller.place(&order("SO-1")).await;
    let mut consumer = Consumer::new(&bench.caller, "limit=1");
    consumer.until(1).await;
    let first = consumer.cursor.clone().unwrap();
    consumer.until(2).await;
    let second = consumer.cursor.clone().unwrap();
    consumer.until(3).await;
    // As retention does: what is not kept, and the oldest place that is, in one commit.
    sqlx::raw_sql(
        "begin; delete from events where id in (select event_id from feed_places where position <= 2);
        delete from feed_places where position <= 2; update feed set first_position = 3; commit",
    )
    .execute(&mut bench.database.connection().await)
    .await
    .unwrap();
    let expired = bench.caller.get(&format!("/v1/events?after={first}")).await;
    expired.problem(410, "cursor-expired");
    assert!(expired.body["detail"].as_str().unwrap().contains("after=latest"), "{:#}", expired.body);
    bench.caller.get(&format!("/v1/events/stream?after={first}")).await.problem(410, "cursor-expired");
    // The next event of this one is there.
    let page = bench.caller.get(&format!("/v1/events?after={second}")).await;
    assert_eq!(page.body["items"][0]["type"], "order.placed");
    // And so is the oldest, for one who begins.
    let page = bench.caller.get("/v1/events").await;
    assert_eq!(page.body["items"].as_array().unwrap().len(), 1);

    // A ledger that was set back tells something else under the same places.
    let end = page.body["nextCursor"].as_str().unwrap().to_owned();
    sqlx::raw_sql("update feed set last_position = 2, first_position = 1")
        .execute(&mut bench.database.connection().await)
        .await
        .unwrap();
    bench.caller.get(&format!("/v1/events?after={end}")).await.problem(410, "cursor-expired");
}

#[tokio::test]
async fn a_key_sees_the_events_of_its_accounts_only() {
    let bench = Bench::start().await;
    let mut connection = bench.database.connection().await;
    let own = write(&mut connection, Some("otms-demo")).await;
    let other = write(&mut connection, Some("elsewhere")).await;
    let of_none = write(&mut connection, None).await;
    let mut all = Consumer::new(&bench.caller, "");
    all.until(3).await;
    assert_eq!(all.ids(), [own, other, of_none]);
    assert_eq!(all.seen[2]["source"], "/v1");

    let limited = bench.key(&["orders:read"], Some(&["otms-demo"])).await;
    for query in ["", "account=otms-demo"] {
        let mut consumer = Consumer::new(&limited, query);
        while consumer.read().await {}
        assert_eq!(consumer.ids(), [own], "{query}");
    }
    assert_eq!(limited.get("/v1/events?account=elsewhere").await.body["items"], json!([]));
    let writer = bench.key(&["orders:write"], None).await;
    for path in ["/v1/events", "/v1/events/stream"] {
        writer.get(path).await.problem(403, "forbidden");
        bench.caller.without_key().get(path).await.problem(401, "unauthenticated");
    }
}

#[tokio::test]
async fn events_that_were_written_together_keep_their_order() {
    let bench = Bench::start().await;
    // More than wait in one row, and more than get their places in one round.
    let written: Vec<Uuid> = (1..=1250).map(Uuid::from_u128).collect();
    sqlx::query(
        "insert into events (id, type, account_id, data, occurred_at, recorded_at)
         select id, 'account.paused', 'otms-demo', '{}', now(), now() from unnest($1::uuid[]) id order by md5(id::text)",
    )
    .bind(&written)
    .execute(&mut bench.database.connection().await)
    .await
    .unwrap();
    let mut consumer = Consumer::new(&bench.caller, "type=account.paused");
    consumer.until(written.len()).await;
    assert_eq!(consumer.ids(), written);
    assert_eq!(bench.database.count("select count(*) from events_without_place").await, 0);
}

#[tokio::test]
async fn a_narrow_filter_goes_over_many_events_in_several_pages() {
    let bench = Bench::start().await;
    // More than one look passes over, and the only one that is asked for at the end.
    sqlx::raw_sql(
        "insert into events (id, type, account_id, data, occurred_at, recorded_at)
         select gen_random_uuid(), 'account.paused', 'otms-demo', '{}', now() - interval '1 hour', now() - interval '1 hour'
         from generate_series(1, 60000);
         insert into events (id, type, account_id, data, occurred_at, recorded_at)
         values (gen_random_uuid(), 'account.resumed', 'otms-demo', '{}', now(), now());
         delete from events_without_place;
         insert into feed_places (position, event_id) select row_number() over (order by recorded_at, id), id from events;
         update feed set last_position = 60001",
    )
    .execute(&mut bench.database.connection().await)
    .await
    .unwrap();
    let mut consumer = Consumer::new(&bench.caller, "type=account.resumed");
    let mut pages = 0;
    while consumer.read().await {
        pages += 1;
    }
    assert_eq!((consumer.seen.len(), pages), (1, 2));
}

/// Keeps all orders to itself until somebody has to wait for one; gives the ledger's time then.
async fn hold_orders(bench: &Bench, begin: impl AsyncFnOnce()) -> String {
    const WAITS: &str =
        "select exists (select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')";
    let mut holder = bench.database.connection().await;
    let mut held = holder.begin().await.unwrap();
    sqlx::query("select from orders for update").execute(&mut *held).await.unwrap();
    begin().await;
    bench.database.wait_until(Duration::from_secs(20), WAITS).await;
    bench.database.advance(Duration::from_secs(5)).await;
    let now = bench.database.texts("select onelane_now()::text").await.remove(0);
    held.commit().await.unwrap();
    now
}

/// Whether the one event of a type was written before a time.
async fn told_before(bench: &Bench, event: &str, time: &str) -> bool {
    let mut connection = bench.database.connection().await;
    loop {
        let told = sqlx::query_scalar("select recorded_at < $2::timestamptz from events where type = $1");
        match told.bind(event).bind(time).fetch_optional(&mut connection).await.unwrap() {
            Some(before) => return before,
            None => tokio::task::yield_now().await,
        }
    }
}

/// Who had to wait for an order tells of it behind what was told of it meanwhile, whenever each of them began.
#[tokio::test]
async fn of_an_order_nothing_stands_before_what_led_to_it() {
    let bench = Bench::start().await;
    let adopted =
        bench.caller.post("/v1/orders/adopt", &json!({"account": "hongxun-demo", "orderNumber": "RK-1"})).await;
    assert_eq!(adopted.status, 201, "{:#}", adopted.body);
    let call = confirmation(&bench, json!({}));
    let mut called = None;
    let free = hold_orders(&bench, async || called = Some(tokio::spawn(async move { deliver(&call).await }))).await;
    assert_eq!(called.unwrap().await.unwrap().status, 200);
    assert!(!told_before(&bench, "warehouse.receipt_confirmed", &free).await);

    bench.pause().await;
    bench.caller.post("/v1/orders", &order("SO-1")).await;
    let free = hold_orders(&bench, async || {
        let resumed = bench.caller.post("/v1/accounts/otms-demo/resume", &Value::Null).await;
        assert_eq!(resumed.status, 200, "{:#}", resumed.body);
    })
    .await;
    assert!(!told_before(&bench, "submission.accepted", &free).await);

    // A lease that ran out is told of in the same way.
    let accepted = bench.caller.place(&order("SO-2")).await;
    let lost = "with sending as (update submissions set state = 'sending', finished_at = null where id = $1 returning exchange_id)
         update exchanges set finished_at = null, lease_until = onelane_now() from sending where id = sending.exchange_id";
    let free = hold_orders(&bench, async || {
        sqlx::query(lost).bind(accepted.submission()).execute(&mut bench.database.connection().await).await.unwrap();
    })
    .await;
    assert!(!told_before(&bench, "submission.in_doubt", &free).await);
}
