//! Memory of a gateway under load, against the same gateway idle.

use std::time::Duration;

use tokio::task::JoinSet;

use crate::arguments::Arguments;
use crate::filling::{self, Filling};
use crate::gateway::{Gateway, no_quota};
use crate::order::{self, Template};
use crate::report::{Better, Bounds, Row};
use crate::server::Server;

const QUEUED: i64 = 100_000;
const CONNECTIONS: usize = 256;
/// Orders that each connection brings.
const ORDERS: usize = 20;
const MEBIBYTE: f64 = 1_048_576.0;

pub async fn measure(server: &Server, arguments: &Arguments) -> Vec<Row> {
    let mut grown = Vec::new();
    for _ in 0..arguments.rounds.min(3) {
        let database_url = server.database("memory").await;
        let gateway = Gateway::start(&database_url).await;
        gateway.add_account("http://127.0.0.1:9", no_quota()).await;
        gateway.hold("pause").await;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let idle = gateway.memory();
        filling::queue(&database_url, &order::order("SO-000000000"), 10_000_000, QUEUED, Filling::default()).await;
        let mut most = gateway.memory();
        let mut callers = JoinSet::new();
        for caller in 0..CONNECTIONS {
            let mut connection = gateway.connect().await;
            callers.spawn(async move {
                let template = Template::new();
                for number in 0..ORDERS {
                    let (status, _) =
                        connection.post("/v1/orders", template.numbered(caller * ORDERS + number), &[]).await;
                    assert_eq!(status, 202);
                }
                connection
            });
        }
        // The connections stay open to the end.
        let mut open = Vec::new();
        while let Some(connection) = callers.join_next().await {
            open.push(connection.unwrap());
            most = most.max(gateway.memory());
        }
        grown.push((most - idle) / MEBIBYTE);
        drop(open);
        gateway.stop().await;
    }
    let goal = Bounds { floor: 120.0, goal: 60.0, better: Better::Less };
    vec![Row::alone(
        "memory over idle, 100,000 queued and 256 connections that bring orders",
        "MiB",
        &grown,
        Some(goal),
    )]
}
