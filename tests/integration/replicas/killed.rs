//! One of two replicas is killed while both send.

use std::time::Duration;

use super::{LEASE, held, hold};
use crate::harness::{Bench, GatewayProcess, TestDatabase};

const ORDERS: usize = 120;

#[tokio::test]
async fn a_replica_that_is_killed_loses_nothing_and_doubles_nothing() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let dying = GatewayProcess::start(&bench.database).await;
    let other = GatewayProcess::start(&bench.database).await;
    held(&other, ORDERS).await;
    // Small requests, so that there are many, and each replica is in the middle of some.
    let single = "update submissions set batch_key = id::text";
    sqlx::query(single).execute(&mut bench.database.connection().await).await.unwrap();
    hold(&other, "resume").await;
    let some = "select count(*) >= 20 from submissions where state = 'accepted'";
    bench.database.wait_until(Duration::from_secs(60), some).await;
    dying.kill().await;
    // What it had claimed is in doubt after its lease; the other one does the rest at once.
    let rest = "select count(*) = 0 from submissions where state = 'queued'";
    bench.database.wait_until(Duration::from_secs(60), rest).await;
    bench.database.advance(LEASE).await;
    bench.database.wait_until_all_ended(Duration::from_secs(60)).await;

    let accepted = "select count(*) from submissions where state = 'accepted'";
    assert_eq!(bench.database.count(accepted).await, i64::try_from(ORDERS).unwrap());
    let books = bench.simulator().books(None);
    assert_eq!(books.len(), ORDERS);
    assert!(books.iter().all(|entry| entry.created == 1));
    // Whatever came twice did so after a doubt that is on record.
    let doubted = "select o.order_number from attempts t join submissions s on s.id = t.submission_id
                   join orders o on o.id = s.order_id where t.outcome = 'in_doubt'";
    let doubted = bench.database.texts(doubted).await;
    for entry in books.iter().filter(|entry| entry.received_creates > 1) {
        assert!(doubted.contains(entry.order_number.as_ref().unwrap()), "{entry:?} came twice without a doubt");
    }
}
