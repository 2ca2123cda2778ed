//! Doubts: the provider is asked before anything is sent again.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{PROVIDER, cancel, customer_order, deafen, held, placed, requests, transport_order};
use crate::harness::Bench;

const LEASE: Duration = Duration::from_secs(100);

async fn attempts(bench: &Bench, submission: Uuid) -> Vec<Value> {
    let answer = bench.caller.get(&format!("/v1/submissions/{submission}/attempts")).await;
    answer.body["items"].as_array().unwrap().clone()
}

/// Has a fault strike the creation of an order; gives its submission, in doubt.
async fn in_doubt(bench: &Bench, order: &Value, fault: Value) -> Uuid {
    bench.faults_of(PROVIDER, json!([fault])).await;
    let submission = bench.caller.post("/v1/orders", order).await.submission();
    bench.database.wait_for_state(submission, "in_doubt").await;
    submission
}

#[tokio::test]
async fn a_creation_that_was_made_is_found_and_not_sent_again() {
    let bench = Bench::start().await;
    let fault = json!({"kind": "commit_then_drop", "endpoint": "create_order", "times": 1});
    let submission = in_doubt(&bench, &transport_order("SO-1"), fault).await;
    bench.database.advance(LEASE).await;
    bench.database.wait_for_state(submission, "accepted").await;
    assert_eq!(held(&bench, "SO-1").len(), 1);
    assert_eq!(requests(&bench, "create_order"), 1);
    let read = bench.caller.get(&format!("/v1/submissions/{submission}")).await.body;
    assert_eq!(read["providerOrderNumber"], held(&bench, "SO-1")[0]["providerOrderNumber"]);
    let codes: Vec<_> = read["results"].as_array().unwrap().iter().map(|result| &result["code"]).collect();
    assert!(codes.contains(&&json!("evidence.confirmed")), "{codes:?}");
    // The question stands in the audit trail.
    let attempts = attempts(&bench, submission).await;
    let urls: Vec<_> = attempts.iter().map(|attempt| attempt["request"]["url"].as_str().unwrap_or_default()).collect();
    assert!(urls[0].contains("/order/create_order") && urls[1].contains("/order/find_order/v2"), "{urls:?}");
}

#[tokio::test]
async fn a_creation_that_never_arrived_is_sent_again_after_two_questions() {
    let bench = Bench::start().await;
    let fault = json!({"kind": "reset_before_read", "endpoint": "create_order", "times": 1});
    let submission = in_doubt(&bench, &transport_order("SO-1"), fault).await;
    bench.database.advance(LEASE).await;
    bench
        .database
        .wait_until(Duration::from_secs(30), "select exists (select from submissions where misses = 1)")
        .await;
    assert_eq!((held(&bench, "SO-1").len(), requests(&bench, "find_order")), (0, 1));
    // Not before 30 seconds have passed.
    bench.database.advance(Duration::from_secs(31)).await;
    bench.database.wait_for_state(submission, "accepted").await;
    assert_eq!((held(&bench, "SO-1").len(), requests(&bench, "find_order")), (1, 2));
    assert_eq!(held(&bench, "SO-1")[0]["created"], 1);
}

#[tokio::test]
async fn an_acceptance_order_that_was_made_is_found_by_its_reference() {
    let bench = Bench::start().await;
    let fault = json!({"kind": "commit_then_drop", "endpoint": "create_customer_order", "times": 1});
    let submission = in_doubt(&bench, &customer_order("SO-1"), fault).await;
    bench.database.advance(LEASE).await;
    bench.database.wait_for_state(submission, "accepted").await;
    assert_eq!(held(&bench, "SO-1").len(), 1);
}

/// Waits until what the provider holds was asked for and is unclear, and is asked for once more.
pub async fn ask_again(bench: &Bench) {
    let unclear = "select exists (select from results where code = 'evidence.unclear')";
    bench.database.wait_until(Duration::from_secs(30), unclear).await;
    bench.database.advance(Duration::from_secs(31)).await;
}

#[tokio::test]
async fn an_acceptance_order_that_the_provider_names_twice_is_one() {
    let bench = Bench::start().await;
    let fault = json!({"kind": "commit_then_drop", "endpoint": "create_customer_order", "times": 1});
    let submission = in_doubt(&bench, &customer_order("SO-1"), fault).await;
    bench.faults_of(PROVIDER, json!([{"kind": "item_twice", "endpoint": "query_customer_orders", "times": 1}])).await;
    bench.database.advance(LEASE).await;
    bench.database.wait_for_state(submission, "accepted").await;
    assert_eq!((held(&bench, "SO-1").len(), requests(&bench, "query_customer_orders")), (1, 1));
}

#[tokio::test]
async fn several_acceptance_orders_of_one_reference_are_for_a_person() {
    let bench = Bench::start().await;
    let mut first = customer_order("SO-1");
    first["customerReference"] = json!("REF-1");
    placed(&bench, &first).await;
    let mut second = customer_order("SO-2");
    second["customerReference"] = json!("REF-1");
    let fault = json!({"kind": "commit_then_drop", "endpoint": "create_customer_order", "times": 1});
    let submission = in_doubt(&bench, &second, fault).await;
    bench.database.advance(LEASE).await;
    ask_again(&bench).await;
    let asked = "select exists (select from submissions where state = 'in_doubt' and not ready)";
    bench.database.wait_until(Duration::from_secs(30), asked).await;
    let read = bench.caller.get(&format!("/v1/submissions/{submission}")).await.body;
    let codes: Vec<_> = read["results"].as_array().unwrap().iter().map(|result| &result["code"]).collect();
    assert!(codes.contains(&&json!("evidence.ambiguous")), "{codes:?}");
    assert_eq!(held(&bench, "REF-1").len(), 2);
}

#[tokio::test]
async fn a_cancellation_that_was_done_is_found() {
    let bench = Bench::start().await;
    let order = placed(&bench, &transport_order("SO-1")).await;
    bench.faults_of(PROVIDER, json!([{"kind": "commit_then_drop", "endpoint": "cancel_orders", "times": 1}])).await;
    let path = format!("/v1/orders/{}/cancel", order.id());
    let submission = bench.caller.post(&path, &Value::Null).await.submission();
    bench.database.wait_for_state(submission, "in_doubt").await;
    bench.database.advance(LEASE).await;
    bench.database.wait_for_state(submission, "accepted").await;
    let read = bench.caller.get(&format!("/v1/orders/{}", order.id())).await.body;
    assert_eq!(read["status"], "cancelled");
    assert_eq!(requests(&bench, "cancel_orders"), 1);
}

#[tokio::test]
async fn a_cancellation_that_was_not_done_is_sent_again() {
    let bench = Bench::start().await;
    let order = placed(&bench, &customer_order("SO-1")).await;
    let fault = json!({"kind": "reset_before_read", "endpoint": "cancel_customer_orders", "times": 1});
    bench.faults_of(PROVIDER, json!([fault])).await;
    let path = format!("/v1/orders/{}/cancel", order.id());
    let submission = bench.caller.post(&path, &Value::Null).await.submission();
    bench.database.wait_for_state(submission, "in_doubt").await;
    bench.database.advance(LEASE).await;
    bench
        .database
        .wait_until(Duration::from_secs(30), "select exists (select from submissions where misses = 1)")
        .await;
    bench.database.advance(Duration::from_secs(31)).await;
    bench.database.wait_for_state(submission, "accepted").await;
    assert_eq!(held(&bench, "SO-1")[0]["cancelled"], 1);
    assert_eq!(cancel(&bench, order.id()).await.status, 200);
}

#[tokio::test]
async fn a_question_without_an_answer_is_put_again() {
    let bench = Bench::start().await;
    let faults = json!([
        {"kind": "commit_then_drop", "endpoint": "create_order", "times": 1},
        {"kind": "html", "endpoint": "find_order", "status": 502, "times": 1},
    ]);
    bench.faults_of(PROVIDER, faults).await;
    let submission = bench.caller.post("/v1/orders", &transport_order("SO-1")).await.submission();
    bench.database.wait_for_state(submission, "in_doubt").await;
    bench.database.advance(LEASE).await;
    let asked = "select exists (select from attempts where number = 2 and outcome = 'in_doubt')";
    bench.database.wait_until(Duration::from_secs(30), asked).await;
    bench.database.advance(Duration::from_secs(1800)).await;
    bench.database.wait_for_state(submission, "accepted").await;
    assert_eq!(held(&bench, "SO-1").len(), 1);
}

#[tokio::test]
async fn an_order_of_somebody_else_with_the_same_reference_is_not_taken_for_ours() {
    for (kind, questions) in [("commit_then_drop", 1), ("reset_before_read", 2)] {
        let bench = Bench::start().await;
        let with_reference = |number: &str| {
            let mut order = transport_order(number);
            order["customerReference"] = json!("REF-1");
            order
        };
        let other = placed(&bench, &with_reference("SO-0")).await;
        let fault = json!({"kind": kind, "endpoint": "create_order", "times": 1});
        let submission = in_doubt(&bench, &with_reference("SO-1"), fault).await;
        bench.database.advance(LEASE).await;
        if questions == 2 {
            missed(&bench).await;
        }
        bench.database.wait_for_state(submission, "accepted").await;
        let read = bench.caller.get(&format!("/v1/submissions/{submission}")).await.body;
        assert_ne!(read["providerOrderNumber"], other.body["providerOrderNumber"]);
        assert_eq!((held(&bench, "SO-1").len(), requests(&bench, "find_order")), (1, questions));
    }
}

/// Waits until the provider was asked once in vain, and lets the time until the next question pass.
async fn missed(bench: &Bench) {
    let once = "select exists (select from submissions where misses = 1)";
    bench.database.wait_until(Duration::from_secs(30), once).await;
    bench.database.advance(Duration::from_secs(31)).await;
}

#[tokio::test]
async fn an_acceptance_order_that_never_arrived_is_sent_again_after_two_questions() {
    let bench = Bench::start().await;
    let fault = json!({"kind": "reset_before_read", "endpoint": "create_customer_order", "times": 1});
    let submission = in_doubt(&bench, &customer_order("SO-1"), fault).await;
    bench.database.advance(LEASE).await;
    missed(&bench).await;
    bench.database.wait_for_state(submission, "accepted").await;
    assert_eq!((held(&bench, "SO-1").len(), requests(&bench, "query_customer_orders")), (1, 2));
}

#[tokio::test]
async fn an_acceptance_order_that_is_older_than_the_attempt_is_for_a_person_who_sees_all_that_is_known() {
    let bench = Bench::start().await;
    let with_reference = |number: &str| {
        let mut order = customer_order(number);
        order["customerReference"] = json!("REF-1");
        order
    };
    let older = placed(&bench, &with_reference("SO-1")).await.body["providerOrderNumber"].clone();
    bench.database.advance(Duration::from_secs(3600)).await;
    let fault = json!({"kind": "reset_before_read", "endpoint": "create_customer_order", "times": 1});
    let submission = in_doubt(&bench, &with_reference("SO-2"), fault).await;
    bench.database.advance(LEASE).await;
    ask_again(&bench).await;
    let asked = "select exists (select from submissions where state = 'in_doubt' and not ready)";
    bench.database.wait_until(Duration::from_secs(30), asked).await;

    let list = bench.caller.get("/v1/submissions?state=in_doubt").await.body;
    let [listed] = &list["items"].as_array().unwrap()[..] else { panic!("{list:#}") };
    // Nothing happens by itself any more.
    assert_eq!((&listed["id"], &listed["nextAttemptAt"]), (&json!(submission), &Value::Null), "{listed:#}");
    assert_eq!((&listed["mayExist"], &listed["attempts"]), (&json!(true), &json!(2)));
    let results = listed["results"].as_array().unwrap();
    // Behind the notices of the translation.
    let results = &results[results.len() - 2..];
    let codes: Vec<_> = results.iter().map(|result| result["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["transport.timeout_in_doubt", "evidence.ambiguous"]);
    assert!(results[1]["messageEn"].as_str().unwrap().contains("older than the attempt"), "{listed:#}");
    // Which question was put, and what it found.
    let said = results[1]["rawMessage"].as_str().unwrap();
    assert!(said.starts_with("query_customer_orders: ") && said.contains(older.as_str().unwrap()), "{said}");
    assert!(said.contains("created 20"), "{said}");
    // The exchanges to the byte: what was sent in vain, and the question with its answers.
    let attempts = attempts(&bench, submission).await;
    assert_eq!((attempts.len(), &attempts[0]["response"]), (3, &Value::Null));
    assert!(attempts[0]["error"].as_str().is_some_and(|error| !error.is_empty()));
    assert!(attempts[0]["request"]["body"]["content"].as_str().unwrap().contains("REF-1"));
    for question in &attempts[1..] {
        assert!(question["request"]["url"].as_str().unwrap().contains("query_customer_orders"));
        let answer = question["response"]["body"]["content"].as_str().unwrap();
        assert!(answer.contains(older.as_str().unwrap()), "{answer}");
    }

    // The person has looked: it is not there.
    let path = format!("/v1/submissions/{submission}/resolve");
    let resolved = bench.caller.post(&path, &json!({"state": "rejected", "reason": "not on their screen"})).await;
    assert_eq!((resolved.status, &resolved.body["state"]), (200, &json!("rejected")), "{:#}", resolved.body);
}

#[tokio::test]
async fn the_cancellation_of_an_acceptance_order_that_was_done_is_found() {
    let bench = Bench::start().await;
    deafen(&bench).await;
    let order = placed(&bench, &customer_order("SO-1")).await;
    let submission = cancel_in_doubt(&bench, order.id(), "commit_then_drop", "cancel_customer_orders").await;
    bench.database.wait_for_state(submission, "accepted").await;
    assert_eq!(held(&bench, "SO-1")[0]["cancelled"], 1);
    assert_eq!(requests(&bench, "cancel_customer_orders"), 1);
}

#[tokio::test]
async fn the_cancellation_of_a_transport_order_that_was_not_done_is_sent_again() {
    let bench = Bench::start().await;
    deafen(&bench).await;
    let order = placed(&bench, &transport_order("SO-1")).await;
    let submission = cancel_in_doubt(&bench, order.id(), "reset_before_read", "cancel_orders").await;
    missed(&bench).await;
    bench.database.wait_for_state(submission, "accepted").await;
    assert_eq!(held(&bench, "SO-1")[0]["cancelled"], 1);
    assert_eq!(requests(&bench, "find_order"), 2);
}

/// Loses the answer to a cancellation, and lets the lease end.
async fn cancel_in_doubt(bench: &Bench, order: &str, kind: &str, endpoint: &str) -> Uuid {
    bench.faults_of(PROVIDER, json!([{"kind": kind, "endpoint": endpoint, "times": 1}])).await;
    let path = format!("/v1/orders/{order}/cancel");
    let submission = bench.caller.post(&path, &Value::Null).await.submission();
    bench.database.wait_for_state(submission, "in_doubt").await;
    bench.database.advance(LEASE).await;
    submission
}

#[tokio::test]
async fn an_order_that_is_cancelled_there_already_is_cancelled() {
    for (order, number) in [(transport_order("SO-1"), "SO-1"), (customer_order("SO-2"), "SO-2")] {
        let bench = Bench::start().await;
        deafen(&bench).await;
        let order = placed(&bench, &order).await;
        let advance = format!("/control/{PROVIDER}/orders/{number}/advance");
        let cancelled = bench.control().post(&advance, &json!({"to": "cancelled"})).await;
        assert_eq!(cancelled.status, 200, "{:#}", cancelled.body);
        let cancelled = cancel(&bench, order.id()).await;
        assert_eq!((cancelled.status, &cancelled.body["status"]), (200, &json!("cancelled")), "{:#}", cancelled.body);
        let result = &cancelled.body["submission"]["results"][0];
        assert!(result["rawMessage"].as_str().unwrap().contains("已撤销"), "{result:#}");
        assert_eq!(result["severity"], "info");
    }
}

#[tokio::test]
async fn a_question_that_the_provider_refuses_is_put_again() {
    let bench = Bench::start().await;
    let faults = json!([
        {"kind": "commit_then_drop", "endpoint": "create_order", "times": 1},
        {"kind": "answer_code", "endpoint": "find_order", "code": "请勿重复提交", "times": 1},
    ]);
    bench.faults_of(PROVIDER, faults).await;
    let submission = bench.caller.post("/v1/orders", &transport_order("SO-1")).await.submission();
    bench.database.wait_for_state(submission, "in_doubt").await;
    bench.database.advance(LEASE).await;
    let asked = "select exists (select from attempts where number = 2 and outcome = 'in_doubt')";
    bench.database.wait_until(Duration::from_secs(30), asked).await;
    // What it said is there to be read.
    let read = bench.caller.get(&format!("/v1/submissions/{submission}")).await.body;
    assert!(read["results"].to_string().contains("请勿重复提交"), "{read:#}");
    bench.database.advance(Duration::from_secs(1800)).await;
    bench.database.wait_for_state(submission, "accepted").await;
    assert_eq!(held(&bench, "SO-1").len(), 1);
}

/// How often a doubt about the submissions of two orders was told, after their batch was refused as a whole and the
/// request of the first of them alone met with a fault.
async fn doubts_told(fault: Value) -> Vec<String> {
    let bench = Bench::start().await;
    let changed = json!({"settings": {"allowPlainHttp": true, "batchCreate": true}});
    let path = "/v1/accounts/ttms-demo";
    assert_eq!(bench.caller.send_with(reqwest::Method::PATCH, path, &changed, &[]).await.status, 200);
    bench.hold("ttms-demo", "pause").await;
    for number in ["SO-1", "SO-2"] {
        assert_eq!(bench.caller.post("/v1/orders", &transport_order(number)).await.status, 202);
    }
    let refused = json!({"kind": "answer_code", "endpoint": "create_order", "code": "订单创建失败", "times": 1});
    bench.faults_of(PROVIDER, json!([refused, fault])).await;
    bench.hold("ttms-demo", "resume").await;
    let one_left = "select count(*) = 1 from submissions where state = 'accepted'";
    bench.database.wait_until(Duration::from_secs(30), one_left).await;
    let mut watch = bench.database.watch().await;
    bench.database.advance(LEASE).await;
    while bench.database.count("select count(*) from attempts where outcome = 'in_doubt'").await == 0 {
        watch.next_of_many().await;
    }
    bench.database.texts("select type from events where type = 'submission.in_doubt'").await
}

#[tokio::test]
async fn a_doubt_after_a_batch_was_refused_is_told() {
    let dropped = json!({"kind": "commit_then_drop", "endpoint": "create_order", "times": 1});
    assert_eq!(doubts_told(dropped).await, ["submission.in_doubt"]);
}

#[tokio::test]
async fn a_lost_exchange_after_a_batch_was_refused_is_told() {
    // Its lease ends while the provider says nothing.
    let silent = json!({"kind": "silence", "endpoint": "create_order", "times": 1});
    assert_eq!(doubts_told(silent).await, ["submission.in_doubt"]);
}
