//! `kill -9` at any moment of an exchange: nothing is lost, nothing is received twice without a recorded doubt,
//! and the doubt is resolved by evidence.

use std::time::Duration;

use onelane::canonical::Action;
use serde_json::json;

use crate::harness::{Bench, GatewayProcess, by_a_test, order};

/// Kills a gateway at a moment; then another one takes over. Gives the outcomes of all attempts.
async fn killed(moment: Option<&str>, received: u64) -> Vec<String> {
    let bench = Bench::start().await;
    bench.pause().await;
    let accepted = bench.caller.post("/v1/orders", &order("SO-1")).await;
    let (database, sandbox, url) = bench.stop().await;
    let store = database.store().await;
    let bench = Bench::idle(database, store, sandbox, url);
    bench.store.resume_account("otms-demo", &by_a_test(Action::ResumeAccount)).await.unwrap();

    if let Some(moment) = moment {
        GatewayProcess::start_dying_at(&bench.database, moment).await.has_died().await;
    } else {
        // After the last byte: the provider has the order, and keeps its answer to itself.
        bench.faults(json!([{"kind": "silence", "commit": true, "times": 1}])).await;
        let gateway = GatewayProcess::start(&bench.database).await;
        while bench.books("SO-1").is_empty() {
            tokio::task::yield_now().await;
        }
        gateway.kill().await;
    }
    assert_eq!(bench.database.count("select count(*) from attempts").await, 1, "on record before anything left");

    let _gateway = GatewayProcess::start(&bench.database).await;
    if bench.database.state(accepted.submission()).await != "accepted" {
        assert_eq!(bench.database.state(accepted.submission()).await, "sending");
        bench.database.advance(Duration::from_secs(91)).await;
    }
    bench.database.wait_for_state(accepted.submission(), "accepted").await;
    let books = bench.books("SO-1");
    assert_eq!((books[0].created, books[0].received_creates), (1, received));
    bench.database.texts("select outcome from attempts order by number").await
}

#[tokio::test]
async fn after_the_claim() {
    assert_eq!(killed(Some("after_claim"), 1).await, ["in_doubt", "accepted"]);
}

#[tokio::test]
async fn before_the_first_byte() {
    assert_eq!(killed(Some("before_first_byte"), 1).await, ["in_doubt", "accepted"]);
}

#[tokio::test]
async fn after_the_last_byte() {
    assert_eq!(killed(None, 2).await, ["in_doubt", "accepted"]);
}

#[tokio::test]
async fn after_the_answer() {
    assert_eq!(killed(Some("after_answer"), 2).await, ["in_doubt", "accepted"]);
}

#[tokio::test]
async fn after_the_settlement() {
    assert_eq!(killed(Some("after_settle"), 1).await, ["accepted"]);
}
