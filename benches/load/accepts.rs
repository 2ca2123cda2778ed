//! What callers bring, against pgbench that inserts rows of the same size.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::arguments::Arguments;
use crate::gateway::{Gateway, no_quota};
use crate::order::Template;
use crate::pgbench::{self, Kept};
use crate::report::{Better, Bounds, Row};
use crate::server::Server;

/// Connections that bring single orders.
const CONNECTIONS: usize = 64;
/// Connections that bring batches, and orders in each.
const BATCH_CONNECTIONS: usize = 8;
const BATCH: usize = 100;

/// How a caller brings orders.
#[derive(Clone, Copy)]
struct Manner {
    connections: usize,
    /// Orders in one request; one goes to the interface of single orders
    orders: usize,
    /// Whether single orders have an `Idempotency-Key`; batches always do
    keyed: bool,
    /// Whether they are measured against rows of text, too
    against_texts: bool,
}

pub async fn single(server: &Server, arguments: &Arguments) -> Vec<Row> {
    let goal = Bounds { floor: 0.6, goal: 1.0, better: Better::More };
    let plain = Manner { connections: CONNECTIONS, orders: 1, keyed: false, against_texts: true };
    let keyed = Manner { keyed: true, against_texts: false, ..plain };
    let what = "durable accepts, `POST /v1/orders`, 2 KB, 64 connections";
    let against = "pgbench: one row of that size, 64 clients";
    let plain = compare(server, arguments, plain).await;
    let busy = Row::alone("of it, the gateway's processor time for an order", "µs", &plain.busy, None);
    let keyed = compare(server, arguments, keyed).await;
    vec![
        plain.row(what, against, Some(goal)),
        plain.row_against_texts(),
        busy,
        keyed.row("the same, each with an `Idempotency-Key`", against, None),
    ]
}

pub async fn batches(server: &Server, arguments: &Arguments) -> Vec<Row> {
    let manner = Manner { connections: BATCH_CONNECTIONS, orders: BATCH, keyed: true, against_texts: true };
    let goal = Bounds { floor: 0.3, goal: 0.5, better: Better::More };
    let compared = compare(server, arguments, manner).await;
    let what = "batch accepts, 100 orders of 2 KB, 8 connections";
    vec![compared.row(what, "pgbench: 100 rows of that size, 8 clients", Some(goal)), compared.row_against_texts()]
}

/// Orders and rows a second, round by round.
struct Compared {
    ours: Vec<f64>,
    /// The gateway's processor time for each order, in microseconds
    busy: Vec<f64>,
    yardstick: Vec<f64>,
    /// The same with rows of text, where that was wanted
    texts: Vec<f64>,
}

impl Compared {
    fn row(&self, what: &str, against: &str, goal: Option<Bounds>) -> Row {
        Row::of(what, against, "orders/s", &self.ours, &self.yardstick, goal)
    }

    fn row_against_texts(&self) -> Row {
        Row::of("the same", "the same, but rows of `text`", "orders/s", &self.ours, &self.texts, None)
    }
}

async fn compare(server: &Server, arguments: &Arguments, manner: Manner) -> Compared {
    let database_url = server.database("accepts").await;
    let yardstick_url = server.empty_database("yardstick").await;
    pgbench::create_tables(&yardstick_url).await;
    let gateway = Gateway::start(&database_url).await;
    // What is accepted waits: delivery has a comparison of its own.
    gateway.add_account("http://127.0.0.1:9", no_quota()).await;
    gateway.hold("pause").await;
    let next = Arc::new(AtomicUsize::new(0));
    bring(&gateway, manner, &next, Duration::from_secs(2)).await;
    let (mut ours, mut busy, mut yardstick, mut texts) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let rows = async |kept| {
        server.settle().await;
        pgbench::insert(&yardstick_url, kept, manner.connections, manner.orders, arguments.load_time()).await
    };
    for _ in 0..arguments.rounds {
        if manner.against_texts {
            texts.push(rows(Kept::Text).await);
        }
        yardstick.push(rows(Kept::Jsonb).await);
        server.settle().await;
        let before = gateway.processor_time();
        let (rate, accepted) = bring(&gateway, manner, &next, arguments.load_time()).await;
        ours.push(rate);
        let busy_for = gateway.processor_time().saturating_sub(before);
        busy.push(busy_for.as_micros() as f64 / accepted as f64);
    }
    gateway.stop().await;
    Compared { ours, busy, yardstick, texts }
}

/// Brings orders for a while; how many a second were promised, and how many in all.
async fn bring(gateway: &Gateway, manner: Manner, next: &Arc<AtomicUsize>, time: Duration) -> (f64, usize) {
    let template = Arc::new(Template::new());
    let begun = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..manner.connections {
        let (mut connection, template, next) = (gateway.connect().await, Arc::clone(&template), Arc::clone(next));
        callers.spawn(async move {
            let mut accepted = 0;
            while begun.elapsed() < time {
                let first = next.fetch_add(manner.orders, Ordering::Relaxed);
                let key = first.to_string();
                let headers: &[(&str, &str)] = if manner.keyed { &[("idempotency-key", &key)] } else { &[] };
                let (status, answer) = if manner.orders == 1 {
                    connection.post("/v1/orders", template.numbered(first), headers).await
                } else {
                    connection.post("/v1/orders/batch", template.batch(first, manner.orders), headers).await
                };
                let expected = if manner.orders == 1 { 202 } else { 207 };
                assert_eq!(status, expected, "{}", String::from_utf8_lossy(&answer));
                accepted += manner.orders;
            }
            accepted
        });
    }
    let accepted: usize = callers.join_all().await.into_iter().sum();
    (accepted as f64 / begun.elapsed().as_secs_f64(), accepted)
}
