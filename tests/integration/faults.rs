//! A provider that misbehaves: for each way, what the caller sees and what the ledger holds.

use std::time::Duration;

use serde_json::{Value, json};
use uuid::Uuid;

use crate::harness::{Answer, Bench, order};

/// Beyond the lease of 90 seconds, after which evidence is sought.
const LEASE: Duration = Duration::from_secs(91);

async fn submission(bench: &Bench, id: Uuid) -> Value {
    bench.caller.get(&format!("/v1/submissions/{id}")).await.body
}

/// Sends one order into a fault that leaves its fate open, and checks that it is in doubt.
async fn doubt(fault: Value, code: &str) -> (Bench, Answer) {
    let bench = Bench::start().await;
    bench.faults(json!([fault])).await;
    let accepted = bench.caller.post("/v1/orders", &order("SO-1")).await;
    bench.database.wait_for_state(accepted.submission(), "in_doubt").await;
    let doubtful = submission(&bench, accepted.submission()).await;
    assert_eq!((&doubtful["mayExist"], &doubtful["attempts"]), (&json!(true), &json!(1)), "{doubtful:#}");
    assert_eq!(doubtful["results"][0]["code"], code, "{doubtful:#}");
    assert_eq!(doubtful["results"][0]["severity"], "error");
    assert!(doubtful["nextAttemptAt"].is_string());
    let pending = bench.caller.get(&format!("/v1/orders/{}", accepted.id())).await.body;
    assert_eq!((&pending["status"], &pending["providerOrderNumber"]), (&json!("pending"), &Value::Null));
    (bench, accepted)
}

/// Lets the lease end; then the order must be accepted, made once and received this often.
async fn evidence(bench: &Bench, accepted: &Answer, received: u64) {
    bench.database.advance(LEASE).await;
    bench.database.wait_for_state(accepted.submission(), "accepted").await;
    let books = bench.books("SO-1");
    assert_eq!((books[0].created, books[0].received_creates), (1, received));
    let outcomes =
        bench.database.texts("select outcome from attempts join exchanges on id = exchange_id order by number").await;
    assert_eq!(outcomes, ["in_doubt", "accepted"]);
    let order = bench.caller.get(&format!("/v1/orders/{}", accepted.id())).await.body;
    assert_eq!(order["status"], "requested");
    let events =
        bench.database.texts("select type from events where order_id is not null order by recorded_at, type").await;
    assert_eq!(events, ["submission.queued", "submission.in_doubt", "order.placed", "submission.accepted"]);
    let results = submission(bench, accepted.submission()).await["results"].clone();
    if received == 2 {
        // "It exists" is the evidence.
        assert_eq!((&results[0]["rawCode"], &results[0]["severity"]), (&json!("1022"), &json!("info")));
    } else {
        assert_eq!(results, json!([]));
    }
}

/// A fault after which evidence settles the order.
async fn doubt_and_evidence(fault: Value, code: &str, received: u64) {
    let (bench, accepted) = doubt(fault, code).await;
    evidence(&bench, &accepted, received).await;
}

const NO_ANSWER: &str = "transport.timeout_in_doubt";
const UNREADABLE: &str = "transport.unreadable_response";

#[tokio::test]
async fn reset_before_the_request_was_read() {
    doubt_and_evidence(json!({"kind": "reset_before_read", "times": 1}), NO_ANSWER, 1).await;
}

#[tokio::test]
async fn committed_and_then_dropped() {
    doubt_and_evidence(json!({"kind": "commit_then_drop", "times": 1}), NO_ANSWER, 2).await;
}

#[tokio::test]
async fn silence_beyond_the_time_for_a_request() {
    let bench = Bench::start().await;
    sqlx::query("update accounts set settings = settings || '{\"requestTimeoutSeconds\": 1}'")
        .execute(&mut bench.database.connection().await)
        .await
        .unwrap();
    bench.faults(json!([{"kind": "silence", "times": 1, "commit": true, "delayMs": 60_000}])).await;
    let accepted = bench.caller.post("/v1/orders", &order("SO-1")).await;
    bench.database.wait_for_state(accepted.submission(), "in_doubt").await;
    let attempts = bench.caller.get(&format!("/v1/submissions/{}/attempts", accepted.submission())).await.body;
    assert!(attempts["items"][0]["error"].as_str().unwrap().contains("timed out"), "{attempts:#}");
    assert_eq!(attempts["items"][0]["response"], Value::Null);
    evidence(&bench, &accepted, 2).await;
}

#[tokio::test]
async fn half_an_answer() {
    doubt_and_evidence(json!({"kind": "half_answer", "times": 1}), NO_ANSWER, 2).await;
}

#[tokio::test]
async fn html_with_200() {
    doubt_and_evidence(json!({"kind": "html", "status": 200, "times": 1}), UNREADABLE, 1).await;
}

#[tokio::test]
async fn html_with_502() {
    let (bench, accepted) = doubt(json!({"kind": "html", "status": 502, "times": 1}), UNREADABLE).await;
    let attempts = bench.caller.get(&format!("/v1/submissions/{}/attempts", accepted.submission())).await.body;
    assert_eq!(attempts["items"][0]["response"]["status"], 502);
    assert!(attempts["items"][0]["response"]["body"]["content"].as_str().unwrap().contains("<html"));
    evidence(&bench, &accepted, 1).await;
}

#[tokio::test]
async fn truncated_xml() {
    doubt_and_evidence(json!({"kind": "truncated_body", "times": 1}), UNREADABLE, 2).await;
}

#[tokio::test]
async fn doctype_bomb() {
    doubt_and_evidence(json!({"kind": "doctype_bomb", "times": 1}), UNREADABLE, 2).await;
}

#[tokio::test]
async fn entity_bomb() {
    doubt_and_evidence(json!({"kind": "entity_bomb", "times": 1}), UNREADABLE, 2).await;
}

#[tokio::test]
async fn wrong_encoding() {
    let (bench, accepted) = doubt(json!({"kind": "wrong_encoding", "times": 1}), UNREADABLE).await;
    let attempts = bench.caller.get(&format!("/v1/submissions/{}/attempts", accepted.submission())).await.body;
    // To the byte, also when the bytes are no text.
    assert_eq!(attempts["items"][0]["response"]["body"]["encoding"], "base64");
    evidence(&bench, &accepted, 2).await;
}

#[tokio::test]
async fn status_500() {
    doubt_and_evidence(json!({"kind": "status", "status": 500, "times": 1}), UNREADABLE, 1).await;
}

#[tokio::test]
async fn an_answer_of_100_megabytes() {
    let (bench, accepted) = doubt(json!({"kind": "huge_answer", "times": 1}), NO_ANSWER).await;
    let attempts = bench.caller.get(&format!("/v1/submissions/{}/attempts", accepted.submission())).await.body;
    assert!(attempts["items"][0]["error"].as_str().unwrap().contains("longer than"), "{attempts:#}");
    evidence(&bench, &accepted, 2).await;
}

#[tokio::test]
async fn an_answer_of_100_megabytes_in_100_kilobytes() {
    let (bench, accepted) = doubt(json!({"kind": "gzip_bomb", "times": 1}), NO_ANSWER).await;
    let attempts = bench.caller.get(&format!("/v1/submissions/{}/attempts", accepted.submission())).await.body;
    assert!(attempts["items"][0]["error"].as_str().unwrap().contains("longer than"), "{attempts:#}");
    evidence(&bench, &accepted, 2).await;
}

/// Credentials and an order would go where nobody agreed to.
#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let location = format!("http://{}/there", elsewhere.local_addr().unwrap());
    let fault = json!({"kind": "redirect", "location": location, "times": 1});
    doubt_and_evidence(fault, UNREADABLE, 1).await;
    let came = tokio::time::timeout(Duration::ZERO, elsewhere.accept()).await;
    assert!(came.is_err(), "somebody came");
}

#[tokio::test]
async fn too_often_empties_the_bucket_and_costs_no_attempt() {
    let bench = Bench::start().await;
    bench.faults(json!([{"kind": "status", "status": 429, "retryAfterSeconds": 60, "times": 1}])).await;
    let mut watch = bench.database.watch().await;
    let accepted = bench.caller.post("/v1/orders", &order("SO-1")).await;
    watch.until(accepted.submission(), "sending").await;
    let held = loop {
        watch.until(accepted.submission(), "queued").await;
        let read = submission(&bench, accepted.submission()).await;
        if read["heldBy"] == "rate_limit" {
            break read;
        }
    };
    assert_eq!((&held["attempts"], &held["mayExist"]), (&json!(0), &json!(false)));
    assert!(held["estimatedDispatchAt"].is_string());
    let throttle = bench.caller.get("/v1/accounts/otms-demo/throttle").await.body;
    assert_eq!(throttle["items"][0]["available"], 0);
    bench.database.advance(Duration::from_secs(60)).await;
    bench.database.wait_for_state(accepted.submission(), "accepted").await;
    assert_eq!(submission(&bench, accepted.submission()).await["attempts"], 1);
    assert_eq!(bench.books("SO-1")[0].received_creates, 1);
}

#[tokio::test]
async fn global_code_0_pauses_the_account_and_the_order_waits() {
    let bench = Bench::start().await;
    bench.faults(json!([{"kind": "answer_code", "code": "0", "times": 1}])).await;
    credentials_refused(&bench).await;
}

#[tokio::test]
async fn http_401_pauses_the_account_and_the_order_waits() {
    let bench = Bench::start().await;
    bench.faults(json!([{"kind": "status", "status": 401, "times": 1}])).await;
    credentials_refused(&bench).await;
}

async fn credentials_refused(bench: &Bench) {
    let mut watch = bench.database.watch().await;
    let accepted = bench.caller.post("/v1/orders", &order("SO-1")).await;
    let id = accepted.submission();
    watch.until(id, "sending").await;
    while submission(bench, id).await["heldBy"] != "account_paused" {
        watch.until(id, "queued").await;
    }
    let second = bench.caller.post("/v1/orders", &order("SO-2")).await;
    assert_eq!(second.body["submission"]["heldBy"], "account_paused");
    let account = bench.caller.get("/v1/accounts/otms-demo").await.body;
    assert!(account["paused"]["reason"].as_str().unwrap().contains("credentials"), "{account:#}");
    let waiting = submission(bench, id).await;
    assert_eq!((&waiting["attempts"], &waiting["results"][0]["code"]), (&json!(0), &json!("auth.invalid_credentials")));
    assert_eq!(bench.database.count("select count(*) from events where type = 'account.paused'").await, 1);
    // Nothing more went out.
    assert_eq!(bench.database.count("select count(*) from exchanges").await, 1);
    bench.resume().await;
    for id in [id, second.submission()] {
        bench.database.wait_for_state(id, "accepted").await;
    }
}

#[tokio::test]
async fn global_code_1_rejects() {
    let bench = Bench::start().await;
    bench.faults(json!([{"kind": "answer_code", "code": "1", "times": 1}])).await;
    let placed = bench.caller.place(&order("SO-1")).await;
    assert_eq!(placed.body["submission"]["state"], "rejected");
    assert_eq!(placed.body["submission"]["results"][0]["code"], "protocol.unsupported_version");
}

#[tokio::test]
async fn global_code_2_halves_the_batches_and_costs_no_attempt() {
    let bench = Bench::start().await;
    bench.pause().await;
    let mut submissions = Vec::new();
    for number in 0..8 {
        submissions.push(bench.caller.post("/v1/orders", &order(&format!("SO-{number}"))).await.submission());
    }
    bench.faults(json!([{"kind": "answer_code", "code": "2", "times": 5}])).await;
    bench.resume().await;
    for id in &submissions {
        bench.database.wait_for_state(*id, "accepted").await;
        assert_eq!(submission(&bench, *id).await["attempts"], 1);
    }
    // Batches of 100, 50, 25, 12 and 6 were too large.
    let sizes = bench.database.texts("select items::text from exchanges order by claimed_at").await;
    assert_eq!(sizes[..5], ["8", "8", "8", "8", "6"]);
    assert!(sizes[5..].iter().all(|size| size.parse::<u8>().unwrap() < 6), "{sizes:?}");
}

#[tokio::test]
async fn global_code_2_for_a_single_order_is_a_rejection() {
    let bench = Bench::start().await;
    bench.faults(json!([{"kind": "answer_code", "code": "2"}])).await;
    let placed = bench.caller.place(&order("SO-1")).await;
    assert_eq!(placed.body["submission"]["state"], "rejected");
    assert_eq!(placed.body["submission"]["results"][0]["code"], "limit.batch_too_large");
}

/// Three orders in one request, into a fault of the answer's items.
async fn three(fault: Value) -> (Bench, Vec<Uuid>) {
    let bench = Bench::start().await;
    bench.pause().await;
    let mut submissions = Vec::new();
    for number in 0..3 {
        submissions.push(bench.caller.post("/v1/orders", &order(&format!("SO-{number}"))).await.submission());
    }
    bench.faults(json!([fault])).await;
    bench.resume().await;
    (bench, submissions)
}

/// The states after the first exchange, and after evidence.
async fn states(bench: &Bench, submissions: &[Uuid], expected: [&str; 3]) {
    for (id, state) in submissions.iter().zip(expected) {
        bench.database.wait_for_state(*id, state).await;
    }
    bench.database.advance(LEASE).await;
    for id in submissions {
        bench.database.wait_for_state(*id, "accepted").await;
    }
    assert!(bench.simulator().books(None).iter().all(|entry| entry.created == 1));
    assert_eq!(bench.simulator().books(None).len(), 3);
}

#[tokio::test]
async fn an_item_is_missing_in_the_answer() {
    let (bench, submissions) = three(json!({"kind": "item_missing", "orderNumber": "SO-1", "times": 1})).await;
    states(&bench, &submissions, ["accepted", "in_doubt", "accepted"]).await;
}

#[tokio::test]
async fn an_item_that_nobody_asked_for() {
    let (bench, submissions) = three(json!({"kind": "item_unasked", "times": 1})).await;
    states(&bench, &submissions, ["accepted", "accepted", "accepted"]).await;
}

#[tokio::test]
async fn two_answers_for_one_item() {
    let (bench, submissions) = three(json!({"kind": "item_twice", "orderNumber": "SO-1", "times": 1})).await;
    states(&bench, &submissions, ["accepted", "in_doubt", "accepted"]).await;
}

#[tokio::test]
async fn an_unknown_code() {
    let bench = Bench::start().await;
    bench.faults(json!([{"kind": "item_code", "code": "4711", "times": 1}])).await;
    let placed = bench.caller.place(&order("SO-1")).await;
    assert_eq!(placed.body["submission"]["state"], "rejected");
    let result = &placed.body["submission"]["results"][0];
    assert_eq!((&result["rawCode"], &result["code"]), (&json!("4711"), &json!("provider.unclassified")));
}

#[tokio::test]
async fn code_2000_being_updated_is_tried_again_later() {
    let bench = Bench::start().await;
    bench.faults(json!([{"kind": "item_code", "code": "2000", "times": 1}])).await;
    let mut watch = bench.database.watch().await;
    let accepted = bench.caller.post("/v1/orders", &order("SO-1")).await;
    let id = accepted.submission();
    let held = loop {
        watch.until(id, "queued").await;
        let read = submission(&bench, id).await;
        if read["attempts"] == 1 && read["state"] == "queued" {
            break read;
        }
    };
    assert_eq!((&held["state"], &held["heldBy"]), (&json!("queued"), &json!("retry_backoff")));
    assert_eq!((&held["results"][0]["rawCode"], &held["results"][0]["retryable"]), (&json!("2000"), &json!(true)));
    assert!(held["nextAttemptAt"].is_string());
    bench.database.advance(Duration::from_secs(1800)).await;
    bench.database.wait_for_state(id, "accepted").await;
    let settled = submission(&bench, id).await;
    assert_eq!((&settled["attempts"], &settled["results"]), (&json!(2), &json!([])));
}

#[tokio::test]
async fn retries_end_and_a_person_can_go_on() {
    let bench = Bench::start().await;
    bench.faults(json!([{"kind": "item_code", "code": "1100"}])).await;
    let mut watch = bench.database.watch().await;
    let accepted = bench.caller.post("/v1/orders", &order("SO-1")).await;
    let id = accepted.submission();
    let dead = loop {
        watch.next_of_many().await;
        let read = submission(&bench, id).await;
        if read["heldBy"] == "retry_backoff" {
            bench.database.advance(Duration::from_secs(1800)).await;
        } else if read["state"] == "dead" {
            break read;
        }
    };
    assert_eq!(dead["attempts"], 3);
    let codes: Vec<_> = dead["results"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert!(codes.contains(&"limit.attempts_exhausted"), "{codes:?}");
    bench.faults(json!([])).await;
    let retried = bench.caller.post(&format!("/v1/submissions/{id}/retry"), &Value::Null).await;
    assert_eq!(retried.body["state"], "queued");
    bench.database.wait_for_state(id, "accepted").await;
}

#[tokio::test]
async fn the_circuit_opens_holds_probes_and_closes() {
    let bench = Bench::start().await;
    // A provider that is away, and comes back at the same address.
    let away = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let account = json!({
        "id": "away", "provider": "otms", "baseUrl": format!("http://{away}/otms"),
        "credentials": {"username": "demo", "password": "onelane-demo-password"}, "settings": {"allowPlainHttp": true},
    });
    assert_eq!(bench.caller.post("/v1/accounts", &account).await.status, 201);
    let circuit = async || bench.caller.get("/v1/accounts/away/throttle").await.body["items"][0]["circuit"].clone();
    let mut document = order("SO-1");
    document["account"] = json!("away");
    let mut watch = bench.database.watch().await;
    let id = bench.caller.post("/v1/orders", &document).await.submission();
    while circuit().await == "closed" {
        watch.until(id, "queued").await;
        // Past the back-off, and not past the open circuit.
        bench.database.advance(Duration::from_secs(11)).await;
    }
    assert_eq!(circuit().await, "open");
    let held = submission(&bench, id).await;
    assert_eq!(
        (&held["state"], &held["heldBy"], &held["attempts"]),
        (&json!("queued"), &json!("circuit_open"), &json!(0))
    );
    assert_eq!(held["results"][0]["code"], "transport.connect_failed");

    bench.serve_sandbox_at(away).await;
    bench.database.advance(Duration::from_secs(31)).await;
    bench.database.wait_for_state(id, "accepted").await;
    assert_eq!(circuit().await, "closed");
}
