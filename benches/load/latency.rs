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
/// What a disk takes that is no memory, such as one of a cloud.
const SLOW_FLUSH: Duration = Duration::from_millis(1);

pub async fn measure(server: &Server, arguments: &Arguments) -> Vec<Row> {
    let responder = Responder::start().await;
    let database_url = server.database("latency").await;
    let yardstick_url = server.empty_database("yardstick").await;
    pgbench::create_tables(&yardstick_url).await;
    let gateway = Gateway::start(&database_url).await;
    gateway.add_account(&responder.url(), no_quota()).await;
    let mut caller = gateway.connect().await;
    let mut sides = Sides {
        document: document_of(&mut caller).await,
        caller,
        provider: Connection::open(responder.address, "").await,
        ledger: PgConnection::connect(&yardstick_url).await.unwrap(),
        of_the_gateway: Ledger::open(&database_url).await,
        template: Template::new(),
        order: order::order("SO-000000000"),
        number: 0,
    };
    // Connections and statements are made in it.
    sides.whole_orders().await;
    sides.commits_alone().await;
    let (mut whole, mut alone, mut slowly) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..arguments.rounds {
        server.settle().await;
        whole.push(sides.whole_orders().await);
        alone.push(sides.commits_alone().await);
    }
    server.flush_within(SLOW_FLUSH).await;
    for _ in 0..arguments.rounds {
        server.settle().await;
        slowly.push(sides.whole_orders().await);
    }
    server.flush_within(Duration::ZERO).await;
    sides.of_the_gateway.close().await;
    gateway.stop().await;
    let row = |what: &str, against: &str, rounds: &[Compared], share: f64, bounds: Option<Bounds>| {
        let of = |side: fn(&Compared) -> &Vec<f64>| -> Vec<f64> {
            rounds.iter().map(|round| quantile(side(round), share)).collect()
        };
        Row::of(what, against, "ms", &of(|round| &round.ours), &of(|round| &round.yardstick), bounds)
    };
    let bounds = |floor: f64, goal: f64| Some(Bounds { floor, goal, better: Better::Less });
    let straight = "straight to the provider, and three bare commits";
    vec![
        row("one order, `Prefer: wait=5`, idle: p50", straight, &whole, 0.5, bounds(1.5, 1.2)),
        row("one order, `Prefer: wait=5`, idle: p99", straight, &whole, 0.99, bounds(3.0, 2.0)),
        row("of it, the ledger's two questions: p50", "three bare commits", &alone, 0.5, None),
        row("one order, where a commit waits 1 ms for its disk: p50", straight, &slowly, 0.5, None),
    ]
}

/// Times in milliseconds of one round.
struct Compared {
    ours: Vec<f64>,
    yardstick: Vec<f64>,
}

/// Both sides, and what they are given.
struct Sides {
    caller: Connection,
    provider: Connection,
    ledger: PgConnection,
    of_the_gateway: Ledger,
    template: Template,
    order: Value,
    /// The order in the provider's words
    document: String,
    /// Of the last order
    number: usize,
}

impl Sides {
    /// Orders straight to the provider and through the gateway, in turns.
    async fn whole_orders(&mut self) -> Compared {
        let (mut ours, mut yardstick) = (Vec::new(), Vec::new());
        for _ in 0..ORDERS {
            self.number += 1;
            let begun = Instant::now();
            straight_to_the_provider(&mut self.provider, &self.document, &mut self.ledger, &self.order).await;
            yardstick.push(milliseconds(begun.elapsed()));
            let begun = Instant::now();
            let order = self.template.numbered(self.number);
            let (status, answer) = self.caller.post("/v1/orders", order, &[("prefer", "wait=5")]).await;
            ours.push(milliseconds(begun.elapsed()));
            assert_eq!(status, 201, "{}", String::from_utf8_lossy(&answer));
        }
        Compared { ours, yardstick }
    }

    /// The ledger's share alone. In turns of their own: neither has its caches filled by the other, nor by the gateway.
    async fn commits_alone(&mut self) -> Compared {
        let (mut ours, mut yardstick) = (Vec::new(), Vec::new());
        for _ in 0..ORDERS {
            self.number += 1;
            yardstick.push(milliseconds(three_commits(&mut self.ledger, &self.order).await));
            let (order_number, text) = (format!("SO-{:09}", self.number), self.template.numbered(self.number));
            let took = self.of_the_gateway.keep_and_settle(&order_number, text, &self.document).await;
            ours.push(milliseconds(took));
        }
        Compared { ours, yardstick }
    }
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
