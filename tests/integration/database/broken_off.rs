//! Callers hang up at any moment, and what they asked for is broken off wherever it is.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

use onelane::store::{Store, StoreOptions};
use sqlx::PgConnection;

use crate::harness::TestDatabase;

/// Goes on with some work for as many steps, and gives it up.
async fn break_off<T>(mut work: Pin<Box<impl Future<Output = T>>>, steps: usize) {
    for _ in 0..steps {
        if poll_fn(|context| Poll::Ready(work.as_mut().poll(context).is_ready())).await {
            return;
        }
        tokio::task::yield_now().await;
    }
}

async fn written(connection: &mut PgConnection) -> i64 {
    sqlx::query_scalar("select count(*) from written").fetch_one(connection).await.unwrap()
}

/// Whoever has the connection next must not write into a transaction that nobody ends.
#[tokio::test]
async fn a_transaction_that_is_broken_off_takes_nobody_in() {
    let database = TestDatabase::create().await;
    let mut looker = database.connection().await;
    sqlx::query("create table written (round bigint)").execute(&mut looker).await.unwrap();
    let options = StoreOptions { database_url: database.url.clone(), max_connections: 1 };
    let store = Store::connect(&options).await.unwrap();
    for round in 0..20 {
        sqlx::query("select 1").execute(store.pool()).await.unwrap();
        // At hand again, so that the first step sends the request.
        while store.pool().num_idle() == 0 {
            tokio::task::yield_now().await;
        }
        let steps = usize::try_from(round).unwrap() % 4;
        break_off(Box::pin(store.begin()), steps).await;
        sqlx::query("insert into written values ($1)").bind(round).execute(store.pool()).await.unwrap();
        assert_eq!(written(&mut looker).await, round + 1, "what was written after {steps} steps is not committed");
    }
}

#[tokio::test]
async fn a_transaction_that_is_dropped_leaves_nothing_and_its_connection_goes_on() {
    let database = TestDatabase::create().await;
    let mut looker = database.connection().await;
    sqlx::query("create table written (round bigint)").execute(&mut looker).await.unwrap();
    let options = StoreOptions { database_url: database.url.clone(), max_connections: 1 };
    let store = Store::connect(&options).await.unwrap();
    let server_process =
        async || sqlx::query_scalar::<_, i32>("select pg_backend_pid()").fetch_one(store.pool()).await.unwrap();
    let before = server_process().await;
    for steps in 0..12 {
        let mut transaction = store.begin().await.unwrap();
        sqlx::query("insert into written values (0)").execute(&mut *transaction).await.unwrap();
        // In the middle of a statement, too.
        break_off(
            Box::pin(async move {
                let _ = sqlx::query("insert into written values (1)").execute(&mut *transaction).await;
                let _ = sqlx::query("insert into written values (2)").execute(&mut *transaction).await;
                std::future::pending::<()>().await;
            }),
            steps,
        )
        .await;
        assert_eq!(server_process().await, before);
    }
    assert_eq!(written(&mut looker).await, 0);
    let mut transaction = store.begin().await.unwrap();
    sqlx::query("insert into written values (3)").execute(&mut *transaction).await.unwrap();
    transaction.commit().await.unwrap();
    assert_eq!(written(&mut looker).await, 1);
}
