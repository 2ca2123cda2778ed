//! Claims after half an hour of steady load, against those of the first minute: what dead rows cost.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;

use crate::arguments::Arguments;
use crate::gateway::{Gateway, no_quota};
use crate::order::Template;
use crate::report::{Better, Bounds, Row};
use crate::responder::Responder;
use crate::server::Server;

/// Orders that come in a second, in batches; all of them go out at once.
const PER_SECOND: usize = 400;
const BATCH: usize = 50;
/// The metric that tells of claims.
const CLAIMS: &str = "onelane_claim_duration_seconds";

pub async fn measure(server: &Server, arguments: &Arguments) -> Vec<Row> {
    let responder = Responder::start().await;
    let database_url = server.database("sustained").await;
    let gateway = Gateway::start(&database_url).await;
    gateway.add_account(&responder.url(), no_quota()).await;
    let load = Load::begin(&gateway).await;
    // Statements and caches are warm after a while.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let mut minutes = Vec::new();
    for minute in 0..arguments.minutes {
        let before = claims(&gateway).await;
        tokio::time::sleep(Duration::from_secs(60)).await;
        let after = claims(&gateway).await;
        let mean = 1000.0 * (after.0 - before.0) / (after.1 - before.1);
        eprintln!("   minute {}: {mean:.2} ms, {} orders", minute + 1, responder.orders());
        minutes.push(mean);
    }
    let brought = load.end().await;
    gateway.stop().await;
    let (first, last) = (minutes[0], minutes[minutes.len() - 1]);
    let what =
        format!("{} minutes of {PER_SECOND} orders/s ({brought} orders): claim in the last minute", minutes.len());
    let goal = Bounds { floor: 1.5, goal: 1.1, better: Better::Less };
    vec![Row::of(&what, "claim in the first minute", "ms", &[last], &[first], Some(goal))]
}

/// Seconds of all claims so far, and their number.
async fn claims(gateway: &Gateway) -> (f64, f64) {
    let (status, text) = gateway.connect().await.get("/metrics").await;
    assert_eq!(status, 200);
    let text = String::from_utf8(text.to_vec()).unwrap();
    let value = |name: String| -> f64 {
        let line = text.lines().find(|line| line.starts_with(&name)).expect("claims were made");
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    (value(format!("{CLAIMS}_sum")), value(format!("{CLAIMS}_count")))
}

/// Callers that bring orders at a steady rate.
struct Load {
    callers: JoinSet<()>,
    brought: Arc<AtomicUsize>,
    stop: tokio_util::sync::CancellationToken,
}

impl Load {
    async fn begin(gateway: &Gateway) -> Self {
        let brought: Arc<AtomicUsize> = Arc::default();
        let stop = tokio_util::sync::CancellationToken::new();
        let (mut connection, counted, stopped) = (gateway.connect().await, Arc::clone(&brought), stop.clone());
        let mut callers = JoinSet::new();
        callers.spawn(async move {
            let template = Template::new();
            let begun = Instant::now();
            while !stopped.is_cancelled() {
                let first = counted.fetch_add(BATCH, Ordering::Relaxed);
                let due = Duration::from_secs_f64(first as f64 / PER_SECOND as f64);
                tokio::time::sleep(due.saturating_sub(begun.elapsed())).await;
                let key = first.to_string();
                let body = template.batch(first, BATCH);
                let (status, _) = connection.post("/v1/orders/batch", body, &[("idempotency-key", &key)]).await;
                assert_eq!(status, 207);
            }
        });
        Load { callers, brought, stop }
    }

    async fn end(self) -> usize {
        self.stop.cancel();
        self.callers.join_all().await;
        self.brought.load(Ordering::Relaxed)
    }
}
