//! While what is old goes, everything else goes on.

use futures_util::future::join_all;
use serde_json::json;
use sqlx::AssertSqlSafe;

use super::{DAY, Resting, batches, sweep, until};
use crate::callbacks::{confirmation, deliver};
use crate::harness::{Bench, order};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn orders_and_callbacks_go_on_while_a_backlog_is_removed() {
    const ORDERS: usize = 60;
    let bench = Bench::start().await;
    let statements = batches::BACKLOG.replace("$n", "4000");
    sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut bench.database.connection().await).await.unwrap();
    let sweeping = async {
        let store = bench.database.store().await;
        sweep(&bench.database, &store).await;
    };
    let placing = async {
        let numbers: Vec<String> = (0..ORDERS).map(|number| format!("SO-{number}")).collect();
        let documents: Vec<_> = numbers.iter().map(|number| order(number)).collect();
        let placed = join_all(documents.iter().map(|document| bench.caller.place(document))).await;
        for answer in placed {
            assert_eq!(answer.body["submission"]["state"], "accepted", "{:#}", answer.body);
        }
    };
    let calling = async {
        for actual in 1..=20 {
            let call = confirmation(&bench, json!({"actualQuantity": actual, "totalQuantity": 100}));
            for _ in 0..2 {
                let answer = deliver(&call).await;
                assert_eq!(answer.body["flag"], true, "{:#}", answer.body);
            }
        }
    };
    tokio::join!(sweeping, placing, calling);
    // What was old went; what is young is all there.
    assert_eq!(bench.database.count("select count(*) from exchanges where account_id = 'a'").await, 0);
    assert_eq!(bench.database.count("select count(*) from idempotency_keys").await, 0);
    assert_eq!(bench.database.count("select count(*) from attempts").await, 60);
    let states =
        "select state from callbacks where account_id = 'hongxun-demo' group by state having count(*) = 20 order by 1";
    assert_eq!(bench.database.texts(states).await, ["duplicate", "processed"]);
    let deadlocks = "select deadlocks from pg_stat_database where datname = current_database()";
    assert_eq!(bench.database.count(deadlocks).await, 0);
    // The feed is whole from its beginning on.
    let whole =
        "select last_position - first_position + 1 = (select count(*) from events join feed_places on event_id = id)
        and first_position = (select min(position) from feed_places) from feed";
    until(&bench.database, whole).await;
}

/// As a person does who has it tried again.
#[tokio::test]
async fn a_submission_that_somebody_has_locked_is_passed_over_and_not_waited_for() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    bench.caller.place(&order("SO-2")).await;
    let ledger = Resting::of(bench).await;
    ledger.advance(366 * DAY).await;
    let mut person = ledger.database.connection().await;
    sqlx::raw_sql("begin").execute(&mut person).await.unwrap();
    sqlx::query("select from submissions where id = $1 for update")
        .bind(placed.submission())
        .execute(&mut person)
        .await
        .unwrap();
    ledger.sweep().await;
    assert_eq!(ledger.count("select count(*) from attempts").await, 1);
    sqlx::raw_sql("rollback").execute(&mut person).await.unwrap();
    ledger.sweep().await;
    assert_eq!(ledger.count("select count(*) from attempts").await, 0);
}
