//! From the start of the program until it is ready.

use crate::arguments::Arguments;
use crate::gateway::Gateway;
use crate::report::{Better, Bounds, Row};
use crate::server::Server;

pub async fn measure(server: &Server, arguments: &Arguments) -> Vec<Row> {
    let database_url = server.database("start").await;
    let mut times = Vec::new();
    for _ in 0..arguments.rounds * 2 {
        let gateway = Gateway::start(&database_url).await;
        times.push(gateway.start.as_secs_f64() * 1000.0);
        gateway.stop().await;
    }
    let goal = Bounds { floor: 500.0, goal: 200.0, better: Better::Less };
    vec![Row::alone("start to ready, database up", "ms", &times, Some(goal))]
}
