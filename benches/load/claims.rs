//! Claims while a million orders wait, and while much stands before them that cannot go, against claims while few wait.

use std::time::{Duration, Instant};

use onelane::store::claim::{Claim, ClaimRequest};
use onelane::store::lanes::LaneKey;
use onelane::store::{Store, StoreOptions};
use onelane::throttle::Pace;
use sqlx::{Connection, Executor, PgConnection};

use crate::arguments::Arguments;
use crate::filling::{self, Filling};
use crate::gateway::{ACCOUNT, ENDPOINT, Gateway, key_ids, no_quota};
use crate::order;
use crate::report::{Better, Bounds, Row};
use crate::server::Server;
use crate::statistics::median;

/// Orders that wait for the yardstick.
const FEW: i64 = 1_000;
/// What stands before the others and cannot go.
const BLOCKED: i64 = 100_000;
/// Claims of one side in one round, one after the other; together they take less than waits for the yardstick.
const CLAIMS: usize = 9;

pub async fn measure(server: &Server, arguments: &Arguments) -> Vec<Row> {
    let few = Queue::fill(server, "few", 0, FEW).await;
    let many = Queue::fill(server, "many", 0, arguments.queued).await;
    let blocked = Queue::fill(server, "blocked", BLOCKED, FEW).await;
    server.settle().await;
    let mut times = [Vec::new(), Vec::new(), Vec::new()];
    // Several times as many rounds as elsewhere: each is short.
    for round in 0..=arguments.rounds * 3 {
        for (queue, times) in [&few, &many, &blocked].into_iter().zip(&mut times) {
            let took = queue.claim_some().await;
            queue.put_back().await;
            if round > 0 {
                times.push(took * 1000.0);
            }
        }
    }
    let goal = Some(Bounds { floor: 1.5, goal: 1.1, better: Better::Less });
    let [of_few, of_many, of_blocked] = &times;
    let against = "claim of 100 while 1,000 wait";
    let what = format!("claim of 100 while {} wait", grouped(arguments.queued));
    vec![
        Row::of(&what, against, "ms", of_many, of_few, goal),
        Row::of("claim of 100 behind 100,000 that cannot go", against, "ms", of_blocked, of_few, goal),
    ]
}

/// A ledger in which orders wait.
struct Queue {
    store: Store,
    database_url: String,
    keys: Vec<String>,
}

impl Queue {
    async fn fill(server: &Server, name: &str, blocked: i64, free: i64) -> Self {
        let database_url = server.database(name).await;
        let gateway = Gateway::start(&database_url).await;
        gateway.add_account("http://127.0.0.1:9", no_quota()).await;
        gateway.stop().await;
        let mut connection = PgConnection::connect(&database_url).await.unwrap();
        if blocked > 0 {
            // Half of them wait behind another submission, half for a paused account of the same lane.
            connection
                .execute(
                    "insert into accounts (id, provider, display_name, base_url, credentials, credentials_key, settings, throttles,
                         throttle_group, paused_at, created_at, updated_at)
                     select 'otms-paused', provider, display_name, base_url, credentials, credentials_key, settings, throttles,
                         throttle_group, now(), now(), now() from accounts",
                )
                .await
                .unwrap();
            let (behind, paused) =
                (Filling { account: ACCOUNT, ready: false }, Filling { account: "otms-paused", ready: true });
            filling::queue(&database_url, &order::small("SO-0"), 1, blocked / 2, behind).await;
            filling::queue(&database_url, &order::small("SO-0"), 1, blocked / 2, paused).await;
        }
        filling::queue(&database_url, &order::small("SO-0"), blocked + 1, free, Filling::default()).await;
        filling::tidy(&database_url).await;
        let options = StoreOptions { database_url: database_url.clone(), max_connections: 2 };
        Queue { store: Store::connect(&options).await.unwrap(), database_url, keys: key_ids() }
    }

    /// Seconds of one claim, in the median of some.
    async fn claim_some(&self) -> f64 {
        let lane = LaneKey { provider: "otms".into(), throttle_group: ACCOUNT.into(), endpoint: ENDPOINT.into() };
        let limit = onelane::provider::Limit { requests: 1_000_000, window: Duration::from_secs(1) };
        let pace = Pace::of(limit);
        let request = ClaimRequest {
            lane: &lane,
            pace: &pace,
            in_flight_limit: 1_000,
            batch_limit: 100,
            doubtful_limit: 1,
            head_start: Duration::ZERO,
            key_ids: &self.keys,
        };
        let mut times = Vec::new();
        while times.len() < CLAIMS {
            let begun = Instant::now();
            match self.store.claim(&request).await.unwrap() {
                Claim::Batch(batch) => {
                    times.push(begun.elapsed().as_secs_f64());
                    assert_eq!(batch.items.len(), 100);
                }
                // The first claim of a lane makes its row.
                Claim::NoToken(_) => {}
                Claim::NothingDue | Claim::LaneFull => panic!("nothing can be claimed"),
            }
        }
        median(&times)
    }

    /// As it was before the claims.
    async fn put_back(&self) {
        let mut connection = PgConnection::connect(&self.database_url).await.unwrap();
        // One by one: a vacuum stands in no transaction.
        for statement in [
            "update submissions set state = 'queued', attempts = 0, exchanges = 0, exchange_id = null where state = 'sending'",
            "delete from attempts",
            "delete from exchanges",
            "vacuum (analyze) submissions",
            "vacuum attempts, exchanges, lanes",
        ] {
            connection.execute(statement).await.unwrap();
        }
    }
}

/// With commas between thousands.
fn grouped(number: i64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().map(|group| std::str::from_utf8(group).unwrap()).collect();
    groups.join(",")
}
