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
