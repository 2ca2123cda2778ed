//! `Idempotency-Key`: a repeated request finds what the first one made.

use crate::harness::{Bench, order};

#[tokio::test]
async fn a_replay_answers_with_the_first_status_and_the_order_as_it_is_now() {
    let bench = Bench::start().await;
    bench.pause().await;
    let key = [("idempotency-key", "k1")];
    let first = bench.caller.post_with("/v1/orders", &order("SO-1"), &key).await;
    assert_eq!((first.status, first.header("idempotency-replayed")), (202, None));
    bench.resume().await;
    bench.database.wait_for_state(first.submission(), "accepted").await;

    let replay = bench.caller.post_with("/v1/orders", &order("SO-1"), &key).await;
    assert_eq!((replay.status, replay.header("idempotency-replayed")), (202, Some("true")));
    assert_eq!(replay.id(), first.id());
    assert_eq!(replay.header("location"), first.header("location"));
    assert_eq!(replay.body["submission"]["state"], "accepted");
    assert_eq!(bench.database.count("select count(*) from orders").await, 1);
    assert_eq!(bench.books("SO-1")[0].received_creates, 1);
}

#[tokio::test]
async fn the_same_key_with_another_body_is_refused() {
    let bench = Bench::start().await;
    let key = [("idempotency-key", "k1")];
    bench.caller.post_with("/v1/orders", &order("SO-1"), &key).await;
    bench.caller.post_with("/v1/orders", &order("SO-2"), &key).await.problem(422, "idempotency-key-reused");
    assert_eq!(bench.database.count("select count(*) from orders").await, 1);
}

#[tokio::test]
async fn keys_belong_to_an_api_key() {
    let bench = Bench::start().await;
    let key = [("idempotency-key", "k1")];
    bench.caller.post_with("/v1/orders", &order("SO-1"), &key).await;
    let other = bench.key(&["orders:write"], None).await;
    assert_eq!(other.post_with("/v1/orders", &order("SO-2"), &key).await.status, 202);
}

#[tokio::test]
async fn an_invalid_order_does_not_use_the_key_up() {
    let bench = Bench::start().await;
    let key = [("idempotency-key", "k1")];
    let mut wrong = order("SO-1");
    wrong["colour"] = "red".into();
    bench.caller.post_with("/v1/orders", &wrong, &key).await.problem(422, "validation-failed");
    assert_eq!(bench.caller.post_with("/v1/orders", &order("SO-1"), &key).await.status, 202);
}

#[tokio::test]
async fn a_taken_number_is_kept_as_the_answer() {
    let bench = Bench::start().await;
    bench.caller.post("/v1/orders", &order("SO-1")).await;
    let key = [("idempotency-key", "k1")];
    bench.caller.post_with("/v1/orders", &order("SO-1"), &key).await.problem(409, "order-exists");
    let replay = bench.caller.post_with("/v1/orders", &order("SO-1"), &key).await;
    replay.problem(409, "order-exists");
    assert_eq!(replay.header("idempotency-replayed"), Some("true"));
}

#[tokio::test]
async fn while_the_first_one_waits_a_second_is_told_so() {
    let bench = Bench::start().await;
    bench.pause().await;
    let headers = [("idempotency-key", "k1"), ("prefer", "wait=30")];
    let document = order("SO-1");
    let first = bench.caller.post_with("/v1/orders", &document, &headers);
    let second = async {
        // The first one is in the ledger, and waits for as long as the account is paused.
        while bench.database.count("select count(*) from orders").await == 0 {
            tokio::task::yield_now().await;
        }
        bench.caller.post_with("/v1/orders", &order("SO-1"), &headers).await.problem(409, "idempotency-in-progress");
        bench.resume().await;
    };
    let (first, ()) = tokio::join!(first, second);
    assert_eq!(first.status, 201);
    let replay = bench.caller.post_with("/v1/orders", &order("SO-1"), &headers).await;
    assert_eq!((replay.status, replay.header("idempotency-replayed")), (201, Some("true")));
}

#[tokio::test]
async fn many_at_once_make_one_order() {
    let bench = Bench::start().await;
    let key = [("idempotency-key", "k1")];
    let document = order("SO-1");
    let requests = (0..16).map(|_| bench.caller.post_with("/v1/orders", &document, &key));
    let answers = futures_util::future::join_all(requests).await;
    assert!(answers.iter().all(|answer| answer.status == 202));
    assert!(answers.iter().all(|answer| answer.id() == answers[0].id()));
    assert_eq!(answers.iter().filter(|answer| answer.header("idempotency-replayed").is_none()).count(), 1);
    assert_eq!(bench.database.count("select count(*) from orders").await, 1);
}

#[tokio::test]
async fn keys_that_are_no_keys() {
    let bench = Bench::start().await;
    let long = "x".repeat(256);
    for key in ["", long.as_str()] {
        let answer = bench.caller.post_with("/v1/orders", &order("SO-1"), &[("idempotency-key", key)]).await;
        answer.problem(400, "malformed-request");
    }
}
