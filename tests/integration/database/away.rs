//! The database crashes, restarts, has no connection left, or is not there yet.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::Value;
use tokio::sync::mpsc;

use super::{accepted, refused_for_now};
use crate::harness::{
    Answer, Bench, DatabaseProxy, EventStream, GatewayProcess, OwnCluster, Passage, TestDatabase,
    gateway::start_sandbox, order,
};

const ORDERS: usize = 60;
/// Callers at once.
const CALLERS: usize = 6;

/// Sends an order until it is taken, under one key; tells each time that it was refused.
async fn insist(bench: &Bench, number: usize, refusals: &mpsc::UnboundedSender<()>) -> Value {
    let (document, key) = (order(&format!("SO-{number}")), format!("key-{number}"));
    loop {
        let answer = bench.caller.post_with("/v1/orders", &document, &[("idempotency-key", &key)]).await;
        if !refused_for_now(&answer) {
            assert_eq!(answer.status, 202, "{:#}", answer.body);
            return answer.body;
        }
        refusals.send(()).unwrap();
        // The next one sooner than the answer wishes: a test has no time.
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_database_that_crashes_under_load_costs_nothing_that_was_accepted() {
    let (mut cluster, database) = OwnCluster::start().await;
    let (sandbox, url) = start_sandbox().await;
    let bench = Bench::over(database, sandbox, url).await;
    bench.add_demo_accounts().await;
    let mut stream = EventStream::open(&bench.caller, "/v1/events/stream?type=submission.queued", None).await;

    let (refusals, mut refused) = mpsc::unbounded_channel();
    let load = async {
        let mut orders = Vec::new();
        let mut numbers = 0..ORDERS;
        let mut under_way: FuturesUnordered<_> =
            numbers.by_ref().take(CALLERS).map(|number| insist(&bench, number, &refusals)).collect();
        while let Some(taken) = under_way.next().await {
            orders.push(taken);
            if let Some(number) = numbers.next() {
                under_way.push(insist(&bench, number, &refusals));
            }
        }
        orders
    };
    let crash = async {
        for _ in 0..5 {
            stream.event().await.unwrap();
        }
        cluster.crash().await;
        for _ in 0..CALLERS {
            refused.recv().await.unwrap();
        }
        cluster.start_again().await;
    };
    let (orders, ()) = tokio::join!(load, crash);
    // What was in flight when it crashed is in doubt after its lease, and evidence ends that.
    bench.database.advance(Duration::from_secs(91)).await;
    bench.database.wait_until_all_ended(Duration::from_secs(60)).await;
    let states = bench.database.texts("select distinct state from submissions").await;
    assert_eq!(states, ["accepted"]);
    assert_eq!(orders.len(), ORDERS);
    for order in &orders {
        let read = bench.caller.get(&format!("/v1/orders/{}", order["id"].as_str().unwrap())).await;
        assert_eq!(read.body["status"], "requested", "{:#}", read.body);
        let books = bench.books(order["orderNumber"].as_str().unwrap());
        assert_eq!((books.len(), books[0].created), (1, 1));
    }
    assert_eq!(bench.database.count("select count(*) from orders").await, i64::try_from(ORDERS).unwrap());
    // The stream went on, too, and told of each once.
    for _ in 5..ORDERS {
        stream.event().await.unwrap();
    }
    bench.stop().await;
}

fn refused_no_more(answer: &Answer) -> bool {
    !refused_for_now(answer) && accepted(answer)
}

#[tokio::test]
async fn a_database_without_a_free_connection_is_waited_for() {
    let (cluster, database) = OwnCluster::start().await;
    let bench = Bench::prepared(database).await;
    let url = cluster.role(&bench.database, "limited").await;
    let limit = async |limit: i32| {
        let statement = format!("alter role limited connection limit {limit}");
        let mut connection = bench.database.connection().await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    };
    limit(0).await;
    let (well, said) = GatewayProcess::run(&["serve"], &url, &[("ONELANE_DATABASE_PATIENCE", "1")]).await;
    assert!(!well && said.contains("the database cannot be reached; waited 1 s"), "{said}");
    assert!(said.contains("too many connections"), "{said}");
    limit(-1).await;
    let gateway = GatewayProcess::start_with(&url, &[]).await;
    assert!(accepted(&gateway.caller.place(&order("SO-1")).await));

    // Those that it has end, and it gets no others.
    limit(0).await;
    let ended = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'limited'";
    sqlx::query(ended).execute(&mut bench.database.connection().await).await.unwrap();
    assert!(refused_for_now(&gateway.caller.post("/v1/orders", &order("SO-2")).await));
    gateway.log_with("too many connections").await;
    limit(-1).await;
    // A connection that was ended a moment ago costs a request, at most.
    while !refused_no_more(&gateway.caller.place(&order("SO-2")).await) {}
    assert!(gateway.stop().await);
}

#[tokio::test]
async fn a_database_that_is_not_there_yet_is_waited_for_and_not_for_ever() {
    let database = TestDatabase::create().await;
    let proxy = DatabaseProxy::start(&database.url).await;
    proxy.set(Passage::Cut);
    for arguments in [&["serve"][..], &["migrate"]] {
        let (well, said) = GatewayProcess::run(arguments, &proxy.url, &[("ONELANE_DATABASE_PATIENCE", "1")]).await;
        assert!(!well && said.contains("the database cannot be reached; waited 1 s"), "{said}");
    }
    let opened = async {
        proxy.turned_away(2).await;
        proxy.set(Passage::Open);
    };
    let (gateway, ()) = tokio::join!(GatewayProcess::start_with(&proxy.url, &[]), opened);
    assert_eq!(gateway.caller.get("/readyz").await.status, 200);
    assert_eq!(gateway.logged("a task works again").len(), 1);

    // One that will never let it in is not waited for.
    let mut elsewhere = reqwest::Url::parse(&database.url).unwrap();
    elsewhere.set_path("there_is_none");
    let (well, said) = GatewayProcess::run(&["serve"], elsewhere.as_str(), &[]).await;
    assert!(!well && said.contains("there_is_none"), "{said}");
}
