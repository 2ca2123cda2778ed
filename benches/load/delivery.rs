//! What goes out: without a quota against bare SQL on the same rows, and with the documented quota.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection, PgConnection, PgPool, Row as _};
use tokio::task::JoinSet;
use uuid::Uuid;

use crate::arguments::Arguments;
use crate::filling::{self, Filling};
use crate::gateway::{Gateway, no_quota};
use crate::order;
use crate::report::{Better, Bounds, Row};
use crate::responder::Responder;
use crate::server::Server;

/// Orders of one round without a quota: some seconds of them, so that what is done once weighs little.
const ORDERS: i64 = 60_000;
/// Orders under the documented quota: 20 seconds of it.
const QUOTA_ORDERS: i64 = 80_000;
/// What the provider documents: requests a second, and orders in each.
const REQUESTS_PER_SECOND: f64 = 40.0;
const BATCH: f64 = 100.0;
/// Statements at once of the yardstick.
const WORKERS: u32 = 8;
const PATIENCE: Duration = Duration::from_secs(300);

pub async fn unlimited(server: &Server, arguments: &Arguments) -> Vec<Row> {
    let responder = Responder::start().await;
    prepare(server, &responder, no_quota(), ORDERS).await;
    let (mut ours, mut yardstick) = (Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        let database_url = server.copy("filled", "bare").await;
        server.settle().await;
        yardstick.push(by_bare_sql(&database_url).await);
        let database_url = server.copy("filled", "delivered").await;
        server.settle().await;
        ours.push(by_the_gateway(&database_url, &responder, ORDERS).await);
    }
    let goal = Bounds { floor: 0.4, goal: 0.6, better: Better::More };
    vec![Row::of(
        "delivery, quota off, batches of 100",
        "the same rows claimed and settled by bare SQL",
        "orders/s",
        &ours,
        &yardstick,
        Some(goal),
    )]
}

pub async fn within_the_quota(server: &Server) -> Vec<Row> {
    let responder = Responder::start().await;
    prepare(server, &responder, json!({}), QUOTA_ORDERS).await;
    let database_url = server.copy("filled", "delivered").await;
    server.settle().await;
    by_the_gateway(&database_url, &responder, QUOTA_ORDERS).await;
    let arrivals = responder.arrivals();
    // Without the burst at the beginning and the rest at the end.
    let (from, to) = (arrivals.len() / 10, arrivals.len() - arrivals.len() / 10 - 1);
    let orders: usize = arrivals[from..to].iter().map(|arrival| arrival.orders).sum();
    let rate = orders as f64 / arrivals[to].at.duration_since(arrivals[from].at).as_secs_f64();
    let share = 100.0 * rate / (REQUESTS_PER_SECOND * BATCH);
    let fullest = fullest_window(&database_url).await;
    vec![
        Row::alone(
            "delivery, quota on: share of the documented 40 requests/s × 100 orders",
            "%",
            &[share],
            Some(Bounds { floor: 95.0, goal: 96.0, better: Better::More }),
        ),
        Row::alone(
            "the same: requests that left within the fullest second",
            "requests",
            &[fullest],
            Some(Bounds { floor: REQUESTS_PER_SECOND, goal: REQUESTS_PER_SECOND, better: Better::Less }),
        ),
    ]
}

/// A database in which orders wait for an account that is paused.
async fn prepare(server: &Server, responder: &Responder, throttles: serde_json::Value, orders: i64) {
    let database_url = server.database("filled").await;
    let gateway = Gateway::start(&database_url).await;
    gateway.add_account(&responder.url(), throttles).await;
    gateway.hold("pause").await;
    gateway.stop().await;
    filling::queue(&database_url, &order::order("SO-000000000"), 1, orders, Filling::default()).await;
    filling::tidy(&database_url).await;
}

/// Orders a second, from the word to go until the last is settled.
async fn by_the_gateway(database_url: &str, responder: &Responder, orders: i64) -> f64 {
    responder.forget();
    let gateway = Gateway::start(database_url).await;
    let mut connection = PgConnection::connect(database_url).await.unwrap();
    let begun = Instant::now();
    gateway.hold("resume").await;
    while responder.orders() < usize::try_from(orders).unwrap() {
        assert!(begun.elapsed() < PATIENCE, "{} of {orders} arrived", responder.orders());
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let open = "select exists (select from submissions where finished_at is null)";
    while sqlx::query_scalar::<_, bool>(open).fetch_one(&mut connection).await.unwrap() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    let took = begun.elapsed();
    let accepted: i64 = sqlx::query_scalar("select count(*) from submissions where state = 'accepted'")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(accepted, orders);
    gateway.stop().await;
    orders as f64 / took.as_secs_f64()
}

/// The same rows by as little SQL as can claim and settle them: no tokens, no leases, no record, no events.
async fn by_bare_sql(database_url: &str) -> f64 {
    let pool = PgPoolOptions::new().max_connections(WORKERS).min_connections(WORKERS).connect(database_url).await;
    let pool = Arc::new(pool.unwrap());
    let begun = Instant::now();
    let mut workers = JoinSet::new();
    for _ in 0..WORKERS {
        let pool = Arc::clone(&pool);
        workers.spawn(async move { while claim_and_settle(&pool).await > 0 {} });
    }
    workers.join_all().await;
    let took = begun.elapsed();
    let left: i64 = sqlx::query_scalar("select count(*) from submissions where finished_at is null")
        .fetch_one(&*pool)
        .await
        .unwrap();
    assert_eq!(left, 0);
    pool.close().await;
    ORDERS as f64 / took.as_secs_f64()
}

async fn claim_and_settle(pool: &PgPool) -> usize {
    let claimed = sqlx::query(
        "with taken as (
             update submissions set state = 'sending', attempts = attempts + 1, updated_at = clock_timestamp()
             where id in (
                 select id from submissions
                 where account_id = $1 and endpoint = $2 and ready and state in ('queued', 'in_doubt') and due_at <= clock_timestamp()
                 order by due_at, sequence limit 100 for update skip locked)
             returning id, order_id)
         select taken.id, o.id as order_id, o.document from taken join orders o on o.id = taken.order_id",
    )
    .bind(crate::gateway::ACCOUNT)
    .bind(crate::gateway::ENDPOINT)
    .fetch_all(pool)
    .await
    .unwrap();
    let ids: Vec<Uuid> = claimed.iter().map(|row| row.get("id")).collect();
    let orders: Vec<Uuid> = claimed.iter().map(|row| row.get("order_id")).collect();
    if !ids.is_empty() {
        sqlx::query(
            "with settled as (
                 update submissions set state = 'accepted', ready = false, updated_at = clock_timestamp(), finished_at = clock_timestamp()
                 where id = any($1))
             update orders set status = 'requested', provider_order_number = 'OT' || order_number, version = version + 1,
                 updated_at = clock_timestamp()
             where id = any($2)",
        )
        .bind(&ids)
        .bind(&orders)
        .execute(pool)
        .await
        .unwrap();
    }
    ids.len()
}

/// The most requests that left within one second, as the ledger has it.
async fn fullest_window(database_url: &str) -> f64 {
    let mut connection = PgConnection::connect(database_url).await.unwrap();
    let most: i64 = sqlx::query_scalar(
        "select max(count) from (
             select count(*) over (order by sent_at range between current row and interval '999999 microseconds' following) as count
             from exchanges where sent_at is not null) w",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    most as f64
}
