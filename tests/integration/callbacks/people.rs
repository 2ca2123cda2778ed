//! What administrators see of callbacks, and have done again.

use serde_json::{Value, json};

use super::{confirmation, deliver, event_types, latest};
use crate::harness::Bench;

/// Follows the list page by page.
async fn all_pages(bench: &Bench, query: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = bench.caller.get(&format!("/v1/callbacks?{query}{cursor}")).await;
        assert_eq!(page.status, 200, "{:#}", page.body);
        items.extend(page.body["items"].as_array().unwrap().iter().cloned());
        let Some(next) = page.body["nextCursor"].as_str() else { return items };
        cursor = format!("&cursor={next}");
    }
}

#[tokio::test]
async fn callbacks_are_listed_newest_first_by_state_and_account() {
    let bench = Bench::start().await;
    for actual in 1..=5 {
        deliver(&confirmation(&bench, json!({"actualQuantity": actual}))).await;
    }
    deliver(&confirmation(&bench, json!({"signature": "wrong"}))).await;
    let all = all_pages(&bench, "limit=200").await;
    assert_eq!(all.len(), 6);
    assert!(all.windows(2).all(|pair| pair[0]["receivedAt"].as_str() >= pair[1]["receivedAt"].as_str()));
    assert_eq!(all[0]["state"], "quarantined");
    for limit in [1, 2, 4] {
        assert_eq!(all_pages(&bench, &format!("limit={limit}")).await, all);
    }
    assert_eq!(all_pages(&bench, "state=quarantined").await, all[..1]);
    assert_eq!(all_pages(&bench, "state=processed&account=hongxun-demo&limit=2").await, all[1..]);
    assert_eq!(all_pages(&bench, "account=otms-demo").await, Vec::<Value>::new());
    for query in ["state=lost", "limit=0", "cursor=%21", "colour=red"] {
        bench.caller.get(&format!("/v1/callbacks?{query}")).await.problem(400, "malformed-request");
    }
}

#[tokio::test]
async fn callbacks_are_for_administrators_of_their_account() {
    let bench = Bench::start().await;
    deliver(&confirmation(&bench, json!({}))).await;
    let id = latest(&bench).await["id"].as_str().unwrap().to_owned();
    let (path, again) = (format!("/v1/callbacks/{id}"), format!("/v1/callbacks/{id}/reprocess"));
    let reader = bench.key(&["orders:read", "orders:write"], None).await;
    let elsewhere = bench.key(&["admin"], Some(&["otms-demo"])).await;
    let theirs = bench.key(&["admin"], Some(&["hongxun-demo"])).await;
    for list in ["/v1/callbacks", path.as_str()] {
        bench.caller.without_key().get(list).await.problem(401, "unauthenticated");
        reader.get(list).await.problem(403, "forbidden");
        assert_eq!(theirs.get(list).await.status, 200);
    }
    assert_eq!(elsewhere.get("/v1/callbacks").await.body["items"], json!([]));
    elsewhere.get(&path).await.problem(404, "not-found");
    elsewhere.post(&again, &Value::Null).await.problem(404, "not-found");
    reader.post(&again, &Value::Null).await.problem(403, "forbidden");
    let unknown = "/v1/callbacks/018f2b5c-0000-7000-8000-000000000000";
    bench.caller.get(unknown).await.problem(404, "not-found");
    bench.caller.post(&format!("{unknown}/reprocess"), &Value::Null).await.problem(404, "not-found");
    assert_eq!(event_types(&bench).await, ["warehouse.receipt_confirmed"]);
}

#[tokio::test]
async fn what_a_person_has_processed_again_is_told_again_and_counted_once() {
    let bench = Bench::start().await;
    let call = confirmation(&bench, json!({"actualQuantity": 4}));
    deliver(&call).await;
    let callback = latest(&bench).await;
    let path = format!("/v1/callbacks/{}/reprocess", callback["id"].as_str().unwrap());
    let again = bench.caller.post(&path, &Value::Null).await;
    assert_eq!((again.status, &again.body["state"]), (200, &json!("processed")));
    assert_ne!(again.body["events"][0]["id"], callback["events"][0]["id"]);
    assert_eq!(event_types(&bench).await, ["warehouse.receipt_confirmed"; 2]);
    assert_eq!(bench.database.texts("select data ->> 'receivedQuantity' from events").await, ["4", "4"]);
    // The provider itself repeats in vain.
    deliver(&call).await;
    assert_eq!(latest(&bench).await["state"], "duplicate");
}

#[tokio::test]
async fn a_secret_that_a_provider_repeats_is_masked_and_a_body_may_be_dropped() {
    let bench = Bench::start().await;
    let call = confirmation(&bench, json!({"members": {"note": "onelane-demo-secret-key"}}));
    deliver(&call).await;
    let callback = latest(&bench).await;
    let path = format!("/v1/callbacks/{}", callback["id"].as_str().unwrap());
    let details = bench.caller.get(&path).await.body;
    let content = details["body"]["content"].as_str().unwrap();
    assert!(content.contains(r#""note":"***""#), "{content}");
    let mut connection = bench.database.connection().await;
    sqlx::query("update callbacks set body = null").execute(&mut connection).await.unwrap();
    assert_eq!(bench.caller.get(&path).await.body["body"], Value::Null);
    bench.caller.post(&format!("{path}/reprocess"), &Value::Null).await.problem(409, "state-conflict");
}

#[tokio::test]
async fn callbacks_of_an_account_that_is_gone_stay() {
    let bench = Bench::start().await;
    let call = confirmation(&bench, json!({}));
    deliver(&call).await;
    let callback = latest(&bench).await;
    assert_eq!(bench.caller.delete("/v1/accounts/hongxun-demo").await.status, 204);
    assert_eq!(deliver(&call).await.status, 404);
    let path = format!("/v1/callbacks/{}", callback["id"].as_str().unwrap());
    assert_eq!(bench.caller.get(&path).await.body["body"]["content"], call.body);
    let again = bench.caller.post(&format!("{path}/reprocess"), &Value::Null).await;
    assert_eq!(again.body["reason"]["code"], "callback.account_unusable");
}
