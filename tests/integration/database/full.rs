//! A database whose disk is full: it can be read, and nothing can be written.

use std::time::Duration;

use serde_json::json;

use super::{accepted, refused_for_now};
use crate::harness::{Bench, EventStream, order};

/// Raises what PostgreSQL raises when a file cannot grow, and counts how often: a sequence is not rolled back.
const FULL: &str = "
    create sequence failures;
    create function full_disk() returns trigger language plpgsql as $$
        begin
            perform nextval('failures');
            raise exception 'could not extend file: No space left on device' using errcode = '53100';
        end $$;
";
/// The tables that everything writes to.
const TABLES: [&str; 5] = ["orders", "exchanges", "events", "callbacks", "webhook_deliveries"];

async fn run(bench: &Bench, sql: String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut bench.database.connection().await).await.unwrap();
}

async fn fill(bench: &Bench) {
    for table in TABLES {
        let trigger = format!(
            "create trigger full_disk before insert or update on {table} for each statement execute function full_disk()"
        );
        run(bench, trigger).await;
    }
}

async fn free(bench: &Bench) {
    for table in TABLES {
        run(bench, format!("drop trigger full_disk on {table}")).await;
    }
}

#[tokio::test]
async fn a_full_disk_refuses_work_for_now_and_loses_no_answer() {
    let bench = Bench::start().await;
    run(&bench, FULL.to_owned()).await;
    let mut stream = EventStream::open(&bench.caller, "/v1/events/stream?type=order.placed", None).await;
    // The provider has the order, and answers when nothing can be written any more.
    bench.faults(json!([{"kind": "slow", "delayMs": 3_000, "times": 1}])).await;
    let submission = bench.caller.post("/v1/orders", &order("SO-1")).await.submission();
    while bench.books("SO-1").is_empty() {
        tokio::task::yield_now().await;
    }
    fill(&bench).await;
    assert!(refused_for_now(&bench.caller.post("/v1/orders", &order("SO-2")).await));
    // Reading goes on.
    let read = bench.caller.get(&format!("/v1/submissions/{submission}")).await;
    assert_eq!((read.status, &read.body["state"]), (200, &json!("sending")));
    // Whoever settles, sequences and claims has tried in vain.
    let mut connection = bench.database.connection().await;
    let tried = async {
        while sqlx::query_scalar::<_, i64>("select last_value from failures").fetch_one(&mut connection).await.unwrap()
            < 12
        {
            tokio::task::yield_now().await;
        }
    };
    assert!(tokio::time::timeout(Duration::from_secs(60), tried).await.is_ok());
    free(&bench).await;

    bench.database.wait_for_state(submission, "accepted").await;
    assert_eq!(bench.books("SO-1")[0].received_creates, 1, "the answer was kept until it could be written");
    assert_eq!(bench.database.texts("select outcome from attempts").await, ["accepted"]);
    assert!(accepted(&bench.caller.place(&order("SO-2")).await));
    for number in ["SO-1", "SO-2"] {
        assert_eq!(stream.event().await.unwrap().data["data"]["orderNumber"], number);
    }
}
