//! What the gateway adds to one order that somebody waits for.

use std::time::{Duration, Instant};

use hyper::Method;
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection};

use crate::arguments::Arguments;
use crate::client::Connection;
use crate::gateway::{ACCOUNT, Gateway, no_quota};
use crate::ledger::Ledger;
use crate::order::{self, Template};
use crate::pgbench;
use crate::report::{Better, Bounds, Row};
use crate::responder::Responder;
use crate::server::Server;
use crate::statistics::quantile;

/// Orders of each side in one round.
const ORDERS: usize = 200;

pub async fn measure(server: &Server, arguments: &Arguments) -> Vec<Row> {
    let responder = Responder::start().await;
    let database_url = server.database("latency").await;
    let yardstick_url = server.empty_database("yardstick").await;
    pgbench::create_table(&yardstick_url).await;
    let gateway = Gateway::start(&database_url).await;
    gateway.add_account(&responder.url(), no_quota()).await;
    let mut caller = gateway.connect().await;
    let document = document_of(&mut caller).await;
    let mut provider = Connection::open(responder.address, "").await;
    let mut ledger = PgConnection::connect(&yardstick_url).await.unwrap();
    let template = Template::new();
    let order = order::order("SO-000000000");
    let of_the_gateway = Ledger::open(&database_url).await;

    let (mut ours, mut yardstick) = ([Vec::new(), Vec::new()], [Vec::new(), Vec::new()]);
    let (mut ledgers, mut commits) = (Vec::new(), Vec::new());
    let mut number = 0;
    // The first round is not counted: connections and statements are made in it.
    for round in 0..=arguments.rounds {
        server.settle().await;
        let (mut straight, mut through) = (Vec::new(), Vec::new());
        let (mut committed, mut kept) = (Vec::new(), Vec::new());
        for _ in 0..ORDERS {
            number += 1;
            let begun = Instant::now();
            straight_to_the_provider(&mut provider, &document, &mut ledger, &order).await;
            straight.push(milliseconds(begun.elapsed()));
            let begun = Instant::now();
            let (status, answer) = caller.post("/v1/orders", template.numbered(number), &[("prefer", "wait=5")]).await;
            through.push(milliseconds(begun.elapsed()));
            assert_eq!(status, 201, "{}", String::from_utf8_lossy(&answer));
        }
        // In turns of their own: neither has its caches filled by the other, nor by the gateway.
        for _ in 0..ORDERS {
            number += 1;
            committed.push(milliseconds(three_commits(&mut ledger, &order).await));
            let (order_number, text) = (format!("SO-{number:09}"), template.numbered(number));
            kept.push(milliseconds(of_the_gateway.keep_and_settle(&order_number, text, &document).await));
        }
        if round > 0 {
            for (at, share) in [0.5, 0.99].into_iter().enumerate() {
                ours[at].push(quantile(&through, share));
                yardstick[at].push(quantile(&straight, share));
            }
            ledgers.push(quantile(&kept, 0.5));
            commits.push(quantile(&committed, 0.5));
        }
    }
    of_the_gateway.close().await;
    gateway.stop().await;
    let row = |at: usize, what: &str, floor: f64, goal: f64| {
        let against = "straight to the provider, and three bare commits";
        Row::of(what, against, "ms", &ours[at], &yardstick[at], Some(Bounds { floor, goal, better: Better::Less }))
    };
    vec![
        row(0, "one order, `Prefer: wait=5`, idle: p50", 1.5, 1.2),
        row(1, "one order, `Prefer: wait=5`, idle: p99", 3.0, 2.0),
        Row::of("of it, the ledger's two questions: p50", "three bare commits", "ms", &ledgers, &commits, None),
    ]
}

/// The provider's document of one order, as the gateway would send it.
async fn document_of(caller: &mut Connection) -> String {
    let body = json!({"account": ACCOUNT, "operation": "create", "order": order::order("SO-000000000")});
    let (status, answer) = caller.post("/v1/translations", body.to_string(), &[]).await;
    assert_eq!(status, 200, "{}", String::from_utf8_lossy(&answer));
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    answer["request"]["body"].as_str().unwrap().to_owned()
}

/// An order is kept, its request is noted, it is sent, and the answer is noted.
async fn straight_to_the_provider(provider: &mut Connection, document: &str, ledger: &mut PgConnection, order: &Value) {
    let id = uuid::Uuid::now_v7();
    keep(ledger, id, order).await;
    note(ledger, id, order).await;
    let (status, _) = provider.send(Method::PUT, "/", document.as_bytes(), &[]).await;
    assert_eq!(status, 200);
    note(ledger, id, order).await;
}

/// The same without the provider.
async fn three_commits(ledger: &mut PgConnection, order: &Value) -> Duration {
    let begun = Instant::now();
    let id = uuid::Uuid::now_v7();
    keep(ledger, id, order).await;
    note(ledger, id, order).await;
    note(ledger, id, order).await;
    begun.elapsed()
}

async fn keep(ledger: &mut PgConnection, id: uuid::Uuid, order: &Value) {
    sqlx::query("insert into yardstick values ($1, $2)").bind(id).bind(order).execute(ledger).await.unwrap();
}

async fn note(ledger: &mut PgConnection, id: uuid::Uuid, order: &Value) {
    let note = "update yardstick set document = $2 where id = $1";
    sqlx::query(note).bind(id).bind(order).execute(ledger).await.unwrap();
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
