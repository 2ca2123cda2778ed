//! The end of a gateway: said beforehand, in order, in time, and at once on a second signal.

use serde_json::{Value, json};

use crate::harness::{Bench, EventStream, GatewayProcess, RawConnection, order};

/// A ledger with the demo accounts and no gateway.
async fn prepared() -> Bench {
    let (database, sandbox, url) = Bench::start().await.stop().await;
    let store = database.store().await;
    Bench::idle(database, store, sandbox, url)
}

/// Has an order sent that the provider answers late; gives the answer to its caller to come.
async fn begin_slow_exchange(
    bench: &Bench,
    gateway: &GatewayProcess,
    fault: Value,
) -> tokio::task::JoinHandle<(u16, Value)> {
    bench.faults(json!([fault])).await;
    let caller = gateway.caller.clone();
    let asking = tokio::spawn(async move {
        let answer = caller.place(&order("SO-1")).await;
        (answer.status, answer.body)
    });
    // A claim alone may be given back; now the provider has it.
    let received = async {
        while bench.books("SO-1").is_empty() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), received).await.unwrap();
    asking
}

#[tokio::test]
async fn what_was_begun_ends_and_is_answered() {
    let bench = prepared().await;
    let gateway = GatewayProcess::start(&bench.database).await;
    let mut stream = EventStream::open(&gateway.caller, "/v1/events/stream?after=latest", None).await;
    let mut idle = RawConnection::open(&gateway.url("")).await;
    assert_eq!(idle.get("/readyz").await.status, 200);
    let asking = begin_slow_exchange(&bench, &gateway, json!({"kind": "slow", "delayMs": 3000})).await;
    gateway.terminate();
    assert_eq!(idle.end().await, 0, "nobody asks anything on it");
    while stream.block().await.is_some() {}
    let (status, body) = asking.await.unwrap();
    assert_eq!((status, &body["submission"]["state"]), (201, &json!("accepted")), "{body:#}");
    assert_eq!(gateway.exit_code().await, Some(0));
    assert_eq!(bench.books("SO-1")[0].received_creates, 1);
}

#[tokio::test]
async fn what_does_not_end_in_time_is_left_to_evidence_and_its_caller_told_so() {
    let bench = prepared().await;
    let gateway = GatewayProcess::start_with(&bench.database.url, &[("ONELANE_SHUTDOWN_SECONDS", "10")]).await;
    let silence = json!({"kind": "silence", "commit": true, "times": 1});
    let asking = begin_slow_exchange(&bench, &gateway, silence).await;
    gateway.terminate();
    let (status, body) = asking.await.unwrap();
    assert_eq!((status, &body["submission"]["state"]), (202, &json!("sending")), "{body:#}");
    assert_eq!(gateway.exit_code().await, Some(0));

    let _next = GatewayProcess::start(&bench.database).await;
    bench.database.advance(std::time::Duration::from_secs(91)).await;
    bench.database.wait_until_all_ended(std::time::Duration::from_secs(30)).await;
    assert_eq!((bench.books("SO-1")[0].created, bench.books("SO-1")[0].received_creates), (1, 2));
}

#[tokio::test]
async fn a_signal_is_heard_from_the_beginning() {
    let bench = prepared().await;
    for _ in 0..5 {
        let gateway = GatewayProcess::start(&bench.database).await;
        gateway.terminate();
        // In order, and not by the system's way with a signal that nobody listens to.
        assert_eq!(gateway.exit_code().await, Some(0));
    }
}

#[tokio::test]
async fn a_gateway_says_that_it_is_about_to_end_and_a_second_signal_ends_it_at_once() {
    let bench = prepared().await;
    let delay = [("ONELANE_SHUTDOWN_DELAY_SECONDS", "600")];
    let gateway = GatewayProcess::start_with(&bench.database.url, &delay).await;
    let mut connection = RawConnection::open(&gateway.url("")).await;
    let before = connection.get("/readyz").await;
    assert_eq!((before.status, before.headers.get("connection")), (200, None));
    gateway.terminate();
    gateway.log_with("stopping").await;
    let after = connection.get("/readyz").await;
    assert_eq!((after.status, &after.body["type"]), (503, &json!("/problems/unavailable")));
    assert_eq!(after.headers["connection"], "close");
    assert_eq!(connection.end().await, 0);
    // Until the delay is over, work is taken all the same: not everybody knows yet.
    let accepted = gateway.caller.place(&order("SO-1")).await;
    assert_eq!((accepted.status, &accepted.body["submission"]["state"]), (201, &json!("accepted")));
    gateway.terminate();
    assert_eq!(gateway.exit_code().await, Some(1));
}
