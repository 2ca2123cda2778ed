//! A database that does not come to an end: requests do.

use super::{accepted, refused_for_now};
use crate::harness::{Bench, order};

#[tokio::test]
async fn a_table_that_is_locked_ends_requests_and_lets_everything_go_on_later() {
    let bench = Bench::start().await;
    assert!(accepted(&bench.caller.place(&order("SO-1")).await));
    let mut holder = bench.database.connection().await;
    sqlx::raw_sql("begin; lock table submissions in access exclusive mode").execute(&mut holder).await.unwrap();
    let document = order("SO-2");
    let (created, read, listed) = tokio::join!(
        bench.caller.post("/v1/orders", &document),
        bench.caller.get("/v1/orders"),
        bench.caller.get("/v1/submissions"),
    );
    for answer in [created, read, listed] {
        assert!(refused_for_now(&answer), "{:#}", answer.body);
    }
    sqlx::raw_sql("rollback").execute(&mut holder).await.unwrap();
    // Nothing of the first try was kept.
    assert!(accepted(&bench.caller.place(&document).await));
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended() {
    let bench = Bench::start().await;
    let sleeping = "create function sleep() returns trigger language plpgsql as $$ begin perform pg_sleep(600); return new; end $$;
                    create trigger sleep before insert on orders for each row execute function sleep()";
    sqlx::raw_sql(sleeping).execute(&mut bench.database.connection().await).await.unwrap();
    assert!(refused_for_now(&bench.caller.post("/v1/orders", &order("SO-1")).await));
    sqlx::raw_sql("drop trigger sleep on orders").execute(&mut bench.database.connection().await).await.unwrap();
    assert!(accepted(&bench.caller.place(&order("SO-1")).await));
}

/// As a migration may do that changes both tables.
#[tokio::test]
async fn an_order_and_a_migration_that_wait_for_each_other_both_come_to_their_end() {
    let bench = Bench::start().await;
    assert!(accepted(&bench.caller.place(&order("SO-1")).await));
    let mut holder = bench.database.connection().await;
    // It is the other that the database finds waiting in vain.
    let submissions = "begin; set local deadlock_timeout = '30s'; lock table submissions in access exclusive mode";
    sqlx::raw_sql(submissions).execute(&mut holder).await.unwrap();
    let document = order("SO-2");
    let migration = async {
        let waits = "select exists (select from pg_stat_activity where datname = current_database()
                         and wait_event_type = 'Lock' and query like '%keep_orders%')";
        bench.database.wait_until(std::time::Duration::from_secs(20), waits).await;
        sqlx::raw_sql("lock table orders in access exclusive mode").execute(&mut holder).await.unwrap();
        sqlx::raw_sql("commit").execute(&mut holder).await.unwrap();
    };
    let (created, ()) = tokio::join!(bench.caller.post("/v1/orders", &document), migration);
    assert_eq!(created.status, 202, "{:#}", created.body);
}
