//! Cancellation within the gateway, and what people decide: retry and resolve.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Bench, order};

async fn cancel(bench: &Bench, id: &str) -> Answer {
    bench.caller.post(&format!("/v1/orders/{id}/cancel"), &Value::Null).await
}

async fn retry(bench: &Bench, submission: Uuid) -> Answer {
    bench.caller.post(&format!("/v1/submissions/{submission}/retry"), &Value::Null).await
}

async fn resolve(bench: &Bench, submission: Uuid, body: &Value) -> Answer {
    bench.caller.post(&format!("/v1/submissions/{submission}/resolve"), body).await
}

/// An order whose creation is in doubt, and nobody seeks evidence: its account is paused.
async fn doubtful(bench: &Bench) -> Answer {
    let accepted = bench.caller.post("/v1/orders", &order("SO-1")).await;
    bench.pause().await;
    sqlx::query("update submissions set state = 'in_doubt', may_exist = true, ready = true where id = $1")
        .bind(accepted.submission())
        .execute(&mut bench.database.connection().await)
        .await
        .unwrap();
    bench.caller.get(&format!("/v1/orders/{}", accepted.id())).await
}

async fn paused() -> Bench {
    let bench = Bench::start().await;
    bench.pause().await;
    bench
}

#[tokio::test]
async fn an_order_that_never_went_out_is_cancelled_here_and_never_sent() {
    let bench = paused().await;
    let created = bench.caller.post("/v1/orders", &order("SO-1")).await;
    let amended = bench
        .caller
        .send_with(reqwest::Method::PATCH, &format!("/v1/orders/{}", created.id()), &json!({"remarks": "x"}), &[])
        .await;
    let cancelled = cancel(&bench, created.id()).await;
    assert_eq!((cancelled.status, &cancelled.body["status"]), (200, &json!("cancelled")), "{:#}", cancelled.body);
    let create = bench.caller.get(&format!("/v1/submissions/{}", created.submission())).await.body;
    assert_eq!(
        (&create["state"], &create["results"][0]["code"]),
        (&json!("cancelled"), &json!("gateway.cancelled_by_caller"))
    );
    let amend = bench.caller.get(&format!("/v1/submissions/{}", amended.submission())).await.body;
    assert_eq!(
        (&amend["state"], &amend["results"][0]["code"]),
        (&json!("cancelled"), &json!("gateway.predecessor_failed"))
    );
    // Cancelled is cancelled, however often it is asked for.
    assert_eq!(cancel(&bench, created.id()).await.status, 200);
    bench.resume().await;
    bench.caller.place(&order("SO-2")).await;
    assert!(bench.books("SO-1").is_empty());
    let events = bench.database.texts("select type from events where type like '%cancelled' order by type").await;
    assert_eq!(events, ["order.cancelled", "submission.cancelled", "submission.cancelled"]);

    // A patch queues a corrected creation.
    let path = format!("/v1/orders/{}", created.id());
    let again =
        bench.caller.send_with(reqwest::Method::PATCH, &path, &json!({"remarks": "y"}), &[("prefer", "wait=30")]).await;
    assert_eq!(
        (&again.body["submission"]["operation"], &again.body["submission"]["state"]),
        (&json!("create"), &json!("accepted"))
    );
}

#[tokio::test]
async fn what_may_stand_at_the_provider_is_not_cancelled_here() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    cancel(&bench, placed.id()).await.problem(422, "unsupported-by-provider");
    let mut wrong = order("SO-2");
    wrong["customer"] = json!({"code": "UNKNOWN"});
    let rejected = bench.caller.place(&wrong).await;
    cancel(&bench, rejected.id()).await.problem(409, "state-conflict");
}

#[tokio::test]
async fn a_doubt_forbids_a_local_cancellation_also_through_a_retry() {
    let bench = paused().await;
    let order = doubtful(&bench).await;
    cancel(&bench, order.id()).await.problem(422, "unsupported-by-provider");
    let retried = retry(&bench, order.submission()).await;
    assert_eq!((&retried.body["state"], &retried.body["mayExist"]), (&json!("queued"), &json!(true)));
    cancel(&bench, order.id()).await.problem(422, "unsupported-by-provider");
}

#[tokio::test]
async fn a_rejected_order_is_retried() {
    let bench = Bench::start().await;
    let mut wrong = order("SO-1");
    wrong["customer"] = json!({"code": "UNKNOWN"});
    let placed = bench.caller.place(&wrong).await;
    bench.pause().await;
    let retried = retry(&bench, placed.submission()).await;
    assert_eq!((retried.status, &retried.body["state"], &retried.body["attempts"]), (200, &json!("queued"), &json!(0)));
    assert_eq!(bench.caller.get(&format!("/v1/orders/{}", placed.id())).await.body["status"], "pending");
    bench.resume().await;
    bench.database.wait_for_state(placed.submission(), "rejected").await;
    let attempts = bench.caller.get(&format!("/v1/submissions/{}/attempts", placed.submission())).await.body;
    assert_eq!(attempts["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn what_cannot_be_retried() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    retry(&bench, placed.submission()).await.problem(409, "state-conflict");
    retry(&bench, Uuid::nil()).await.problem(404, "not-found");
    let reader = bench.key(&["orders:read"], None).await;
    reader
        .post(&format!("/v1/submissions/{}/retry", placed.submission()), &Value::Null)
        .await
        .problem(403, "forbidden");

    // A later submission of the order has gone out.
    let path = format!("/v1/orders/{}", placed.id());
    let wait = [("prefer", "wait=30")];
    let amend = async |change: Value| bench.caller.send_with(reqwest::Method::PATCH, &path, &change, &wait).await;
    let rejected = amend(json!({"customer": {"code": "UNKNOWN"}})).await;
    assert_eq!(rejected.body["submission"]["state"], "rejected");
    assert_eq!(amend(json!({"remarks": "later"})).await.body["submission"]["state"], "accepted");
    retry(&bench, rejected.submission()).await.problem(409, "state-conflict");
}

/// An order is made once: while its correction waits, the creation that was rejected does not go out beside it, and
/// what is cancelled here has not been sent by the other.
#[tokio::test]
async fn a_creation_whose_correction_is_queued_is_not_retried() {
    let bench = Bench::start().await;
    let mut wrong = order("SO-1");
    wrong["customer"] = json!({"code": "UNKNOWN"});
    let rejected = bench.caller.place(&wrong).await;
    bench.pause().await;
    let path = format!("/v1/orders/{}", rejected.id());
    let corrected = bench.caller.send_with(reqwest::Method::PATCH, &path, &json!({"customer": null}), &[]).await;
    assert_eq!(corrected.body["submission"]["operation"], "create", "{:#}", corrected.body);
    retry(&bench, rejected.submission()).await.problem(409, "state-conflict");
    assert_eq!(cancel(&bench, rejected.id()).await.body["status"], "cancelled");
    // The correction is out of the way.
    assert_eq!(retry(&bench, rejected.submission()).await.status, 200);
}

#[tokio::test]
async fn a_person_resolves_a_doubt() {
    for (state, status) in [("accepted", "requested"), ("rejected", "rejected")] {
        let bench = paused().await;
        let order = doubtful(&bench).await;
        let mut body = json!({"state": state, "reason": "seen on their screen"});
        if state == "accepted" {
            body["providerOrderNumber"] = json!("OT-1");
        }
        let resolved = resolve(&bench, order.submission(), &body).await;
        assert_eq!((resolved.status, &resolved.body["state"]), (200, &json!(state)), "{:#}", resolved.body);
        let result = &resolved.body["results"][0];
        assert_eq!(result["code"], "gateway.resolved_by_person");
        assert!(result["rawMessage"].as_str().unwrap().starts_with("seen on their screen (API key "));
        let read = bench.caller.get(&format!("/v1/orders/{}", order.id())).await.body;
        assert_eq!(read["status"], status);
        assert_eq!(read["providerOrderNumber"].as_str(), (state == "accepted").then_some("OT-1"));
        // Decided is decided.
        resolve(&bench, order.submission(), &body).await.problem(409, "state-conflict");
    }
}

#[tokio::test]
async fn what_is_no_resolution() {
    let bench = paused().await;
    let order = doubtful(&bench).await;
    for (body, pointer) in [
        (json!({"state": "accepted"}), "/reason"),
        (json!({"state": "dead", "reason": "x"}), "/state"),
        (json!({"state": "accepted", "reason": ""}), "/reason"),
        (json!({"state": "accepted", "reason": "x", "colour": "red"}), "/colour"),
    ] {
        let found = resolve(&bench, order.submission(), &body).await.problem(422, "validation-failed");
        assert_eq!(found[0].0, pointer, "{body}");
    }
    assert_eq!(bench.database.state(order.submission()).await, "in_doubt");
}
