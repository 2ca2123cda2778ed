//! Calls that are taken: kept to the byte, told once, answered in the provider's form.

use futures_util::future::join_all;
use futures_util::stream;
use serde_json::{Value, json};

use super::{callback_url, confirmation, deliver, event_types, latest, post};
use crate::harness::{Bench, Caller, send};

fn accepted() -> Value {
    json!({"code": 200, "message": "响应成功", "flag": true})
}

#[tokio::test]
async fn a_call_is_kept_told_and_answered() {
    let bench = Bench::start().await;
    let call = confirmation(&bench, json!({}));
    let answer = deliver(&call).await;
    assert_eq!((answer.status, &answer.body), (200, &accepted()));
    assert_eq!(answer.header("content-type"), Some("application/json"));

    let listed = latest(&bench).await;
    assert_eq!((&listed["state"], &listed["account"]), (&json!("processed"), &json!("hongxun-demo")));
    assert_eq!((&listed["provider"], &listed["reason"]), (&json!("hongxun"), &Value::Null));
    assert_eq!((&listed["warnings"], &listed["size"]), (&json!([]), &json!(call.body.len())));
    assert_eq!(listed["events"][0]["type"], "warehouse.receipt_confirmed");
    // The gateway did not make the order, and tells of it all the same.
    assert_eq!(listed["events"][0]["orderId"], Value::Null);

    let path = format!("/v1/callbacks/{}", listed["id"].as_str().unwrap());
    let details = bench.caller.get(&path).await.body;
    assert_eq!(details["body"]["content"], call.body);
    assert_eq!((&details["body"]["encoding"], &details["body"]["truncated"]), (&json!("text"), &json!(false)));
    assert_eq!(details["awaitedOrders"], json!([]));
    assert!(details["headers"].as_array().unwrap().contains(&json!(["content-type", "application/json"])));

    let data: Value =
        sqlx::query_scalar("select data from events").fetch_one(&mut bench.database.connection().await).await.unwrap();
    assert_eq!((&data["orderNumber"], &data["callbackId"]), (&json!("RK-1"), &listed["id"]));
    assert_eq!((&data["disposition"], &data["receivedQuantity"]), (&json!("completeness_verified"), &json!(10)));
    assert_eq!(data["raw"], serde_json::from_str::<Value>(&call.body).unwrap());
    // Whoever follows the feed hears of it.
    let feed = async || bench.caller.get("/v1/events?type=warehouse.receipt_confirmed").await.body["items"].clone();
    while feed().await == json!([]) {
        tokio::task::yield_now().await;
    }
    let told = feed().await[0].clone();
    assert_eq!((&told["id"], told.get("subject")), (&listed["events"][0]["id"], None));
    assert_eq!(told["data"], data);
}

#[tokio::test]
async fn credentials_in_headers_are_not_kept() {
    let bench = Bench::start().await;
    let call = confirmation(&bench, json!({}));
    let request = Caller::new(String::new(), Some("olk_a key of somebody")).request(reqwest::Method::POST, &call.url);
    let request = request.header("cookie", "session=secret").header("X-Trace", "7").body(call.body);
    assert_eq!(send(request).await.status, 200);
    let headers = bench.database.texts("select headers::text from callbacks").await.remove(0);
    assert!(!headers.contains("somebody") && !headers.contains("session"), "{headers}");
    for kept in [r#"["authorization", "***"]"#, r#"["cookie", "***"]"#, r#"["x-trace", "7"]"#] {
        assert!(headers.contains(kept), "{headers}");
    }
}

#[tokio::test]
async fn the_same_again_is_known() {
    let bench = Bench::start().await;
    let call = confirmation(&bench, json!({}));
    deliver(&call).await;
    let first = latest(&bench).await;
    let again = deliver(&call).await;
    assert_eq!((again.status, &again.body), (200, &accepted()));
    let second = latest(&bench).await;
    assert_eq!((&second["state"], &second["events"]), (&json!("duplicate"), &json!([])));
    assert_eq!(second["reason"]["code"], "callback.repeated");
    assert!(second["reason"]["detail"].as_str().unwrap().contains(first["id"].as_str().unwrap()));
    assert_eq!(event_types(&bench).await, ["warehouse.receipt_confirmed"]);
}

#[tokio::test]
async fn of_the_same_call_at_once_one_is_told() {
    let bench = Bench::start().await;
    let call = confirmation(&bench, json!({}));
    let answers = join_all((0..12).map(|_| deliver(&call))).await;
    assert!(answers.iter().all(|answer| answer.body == accepted()));
    assert_eq!(event_types(&bench).await, ["warehouse.receipt_confirmed"]);
    let states = bench.database.texts("select state from callbacks order by state").await;
    assert_eq!((states.len(), states.iter().filter(|state| *state == "processed").count()), (12, 1));
    assert_eq!(states.iter().filter(|state| *state == "duplicate").count(), 11);
}

#[tokio::test]
async fn a_call_that_is_too_long_is_not_kept() {
    let bench = Bench::start().await;
    let url = callback_url(&bench, "hongxun-demo").await;
    let long = vec![b' '; 1024 * 1024 + 1];
    post(&url, long.clone()).await.problem(413, "body-too-large");
    // Its length is not announced, too.
    let chunks =
        stream::iter(long.chunks(64 * 1024).map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec())).collect::<Vec<_>>());
    post(&url, reqwest::Body::wrap_stream(chunks)).await.problem(413, "body-too-large");
    assert_eq!(bench.database.count("select count(*) from callbacks").await, 0);
    // The longest that is taken is kept, whatever it is.
    assert_eq!(post(&url, vec![b' '; 1024 * 1024]).await.status, 200);
    assert_eq!(latest(&bench).await["size"], 1024 * 1024);
}

#[tokio::test]
async fn what_the_ledger_cannot_hold_as_text_is_kept_all_the_same() {
    let bench = Bench::start().await;
    let call = confirmation(&bench, json!({"customerNumber": "RK\0-1", "members": {"note\0": "a\0b"}}));
    assert_eq!(deliver(&call).await.body, accepted());
    let callback = latest(&bench).await;
    assert_eq!(callback["state"], "processed");
    let number = bench.database.texts("select data ->> 'orderNumber' from events").await;
    assert_eq!(number, ["RK\u{fffd}-1"]);
    // To the byte, also where it is no text.
    let url = callback_url(&bench, "hongxun-demo").await;
    post(&url, b"\xff\xfe\x00".to_vec()).await;
    let path = format!("/v1/callbacks/{}", latest(&bench).await["id"].as_str().unwrap());
    let details = bench.caller.get(&path).await.body;
    assert_eq!((&details["body"]["encoding"], &details["body"]["content"]), (&json!("base64"), &json!("//4A")));
}

/// It is kept, so its sender need not care.
#[tokio::test]
async fn a_call_that_cannot_be_processed_now_is_taken_and_processed_later() {
    let bench = Bench::start().await;
    let call = confirmation(&bench, json!({}));
    let mut blocker = bench.database.connection().await;
    sqlx::query("begin").execute(&mut blocker).await.unwrap();
    sqlx::query("lock table happenings in exclusive mode").execute(&mut blocker).await.unwrap();
    let answer = deliver(&call).await;
    assert_eq!((answer.status, &answer.body), (200, &accepted()));
    assert_eq!(latest(&bench).await["state"], "received");
    assert_eq!(latest(&bench).await["processedAt"], Value::Null);
    sqlx::query("rollback").execute(&mut blocker).await.unwrap();
    bench.database.advance(std::time::Duration::from_secs(61)).await;
    let processed = "select exists (select from callbacks where state = 'processed')";
    bench.database.wait_until(std::time::Duration::from_secs(20), processed).await;
    assert_eq!(event_types(&bench).await, ["warehouse.receipt_confirmed"]);
}
