//! Every administrative act is on record, with who and when, in the commit of the act.

use std::collections::BTreeMap;

use onelane::canonical::Action;
use serde_json::{Value, json};
use sqlx::Executor;
use strum::VariantArray;

use crate::harness::{Answer, Bench, Caller, Receiver, order, send};

async fn log(caller: &Caller, query: &str) -> Vec<Value> {
    let answer = caller.get(&format!("/v1/audit-log?limit=200{query}")).await;
    assert_eq!(answer.status, 200, "{:#}", answer.body);
    answer.body["items"].as_array().unwrap().clone()
}

async fn patch(caller: &Caller, path: &str, change: &Value) -> Answer {
    caller.send_with(reqwest::Method::PATCH, path, change, &[]).await
}

fn done(answer: &Answer) {
    assert!((200..300).contains(&answer.status), "{}: {:#}", answer.status, answer.body);
}

/// Does everything that can be administered, once.
async fn administer_everything(bench: &Bench, by: &Caller, receiver: &Receiver) {
    let account = json!({
        "id": "second", "provider": "otms", "baseUrl": format!("{}/otms", bench.sandbox_url),
        "credentials": {"username": "u", "password": "marked-secret"}, "settings": {"allowPlainHttp": true},
    });
    done(&by.post("/v1/accounts", &account).await);
    let change = json!({"credentials": {"username": "u", "password": "marked-secret-2"}, "displayName": "Second"});
    done(&patch(by, "/v1/accounts/second", &change).await);
    done(&by.post("/v1/accounts/second/pause", &Value::Null).await);
    done(&by.post("/v1/accounts/second/resume", &Value::Null).await);
    done(&by.post("/v1/accounts/hongxun-demo/rotate-callback-token", &Value::Null).await);
    done(&by.delete("/v1/accounts/second").await);

    let topic = "/v1/accounts/ttms-demo/subscriptions/orders";
    done(&by.send_with(reqwest::Method::PUT, topic, &json!({}), &[]).await);
    done(&by.delete(topic).await);

    let key = by.post("/v1/api-keys", &json!({"name": "shop", "scopes": ["orders:read"]})).await;
    done(&key);
    done(&by.delete(&format!("/v1/api-keys/{}", key.id())).await);

    let hook = by.post("/v1/webhook-endpoints", &json!({"url": receiver.url, "types": ["order.placed"]})).await;
    done(&hook);
    let endpoint = format!("/v1/webhook-endpoints/{}", hook.id());
    done(&patch(by, &endpoint, &json!({"description": "shop"})).await);
    done(&by.post(&format!("{endpoint}/rotate-secret"), &Value::Null).await);
    let placed = by.place(&order("SO-1")).await;
    assert_eq!(placed.status, 201, "{:#}", placed.body);
    bench
        .database
        .wait_until(
            std::time::Duration::from_secs(30),
            "select exists (select from webhook_deliveries where state = 'delivered')",
        )
        .await;
    let event = bench.database.texts("select event_id::text from webhook_deliveries").await.remove(0);
    done(&by.post(&format!("{endpoint}/deliveries/{event}/redeliver"), &Value::Null).await);
    done(&by.delete(&endpoint).await);

    // A call that nobody can read.
    let url = by.get("/v1/accounts/ttms-demo").await.body["callbackUrl"].as_str().unwrap().to_owned();
    send(Caller::new(String::new(), None).request(reqwest::Method::POST, &url).body("no JSON")).await;
    bench
        .database
        .wait_until(
            std::time::Duration::from_secs(30),
            "select exists (select from callbacks where state = 'quarantined')",
        )
        .await;
    let callback = bench.database.texts("select id::text from callbacks where state = 'quarantined'").await.remove(0);
    done(&by.post(&format!("/v1/callbacks/{callback}/reprocess"), &Value::Null).await);

    // An order that is refused, and one whose answer never comes.
    bench.faults(json!([{"kind": "item_code", "code": "1022"}])).await;
    let refused = by.place(&order("SO-2")).await;
    assert_eq!(refused.body["submission"]["state"], "rejected", "{:#}", refused.body);
    bench.pause().await;
    let id = refused.body["submission"]["id"].as_str().unwrap();
    done(&by.post(&format!("/v1/submissions/{id}/retry"), &Value::Null).await);
    bench
        .database
        .connection()
        .await
        .execute("update submissions set state = 'in_doubt', may_exist = true where state = 'queued'")
        .await
        .unwrap();
    let resolution = json!({"state": "rejected", "reason": "asked them on the telephone"});
    done(&by.post(&format!("/v1/submissions/{id}/resolve"), &resolution).await);
}

#[tokio::test]
async fn every_act_is_on_record_with_who_and_when() {
    let bench = Bench::start().await;
    let receiver = Receiver::start().await;
    let made = bench.caller.post("/v1/api-keys", &json!({"name": "night shift", "scopes": ["admin"]})).await;
    let by = bench.caller.with_key(made.body["key"].as_str().unwrap());
    administer_everything(&bench, &by, &receiver).await;

    let entries = log(&bench.caller, &format!("&keyId={}", made.id())).await;
    let mut times = BTreeMap::<&str, usize>::new();
    for entry in &entries {
        assert_eq!(entry["actor"], json!({"kind": "api_key", "keyId": made.id(), "name": "night shift"}));
        assert!(entry["requestId"].is_string(), "{entry:#}");
        *times.entry(entry["action"].as_str().unwrap()).or_default() += 1;
    }
    // These are done from the command line alone.
    let alone = [Action::RotateMasterKey, Action::DeclareRestored];
    for action in Action::VARIANTS.iter().filter(|action| !alone.contains(action)) {
        let name: &str = action.into();
        assert_eq!(times.get(name), Some(&1), "{name} in {times:#?}");
    }
    let text = Value::from(entries).to_string();
    assert!(!text.contains("marked-secret") && !text.contains("whsec_") && !text.contains("olk_"), "{text}");
    let updated = log(&bench.caller, "&action=account.update").await;
    assert_eq!(updated[0]["details"], json!({"changed": ["credentials", "displayName"]}));
    let resolved = log(&bench.caller, "&action=submission.resolve").await;
    assert_eq!(resolved[0]["details"]["reason"], "asked them on the telephone");
    assert_eq!(resolved[0]["account"], "otms-demo");
    // The first key was made by whoever set the environment.
    let first = log(&bench.caller, "&action=api_key.create").await.pop().unwrap();
    assert_eq!(first["actor"], json!({"kind": "environment", "keyId": null, "name": "ONELANE_ADMIN_KEY"}));
}

#[tokio::test]
async fn what_was_not_done_is_not_on_record() {
    let bench = Bench::start().await;
    let before = log(&bench.caller, "").await.len();
    bench.caller.post("/v1/accounts/none/pause", &Value::Null).await.problem(404, "not-found");
    bench.caller.post("/v1/accounts/otms-demo/resume", &Value::Null).await;
    let stale = [("if-match", "\"77\"")];
    let change = json!({"displayName": "other"});
    let refused = bench.caller.send_with(reqwest::Method::PATCH, "/v1/accounts/otms-demo", &change, &stale).await;
    refused.problem(412, "precondition-failed");
    let reader = bench.key(&["orders:read"], None).await;
    reader.post("/v1/accounts/otms-demo/pause", &Value::Null).await.problem(403, "forbidden");
    reader.get("/v1/audit-log").await.problem(403, "forbidden");
    // The reader's key is the one entry.
    assert_eq!(log(&bench.caller, "").await.len(), before + 1);
}

#[tokio::test]
async fn an_act_that_cannot_be_recorded_is_not_done() {
    let bench = Bench::start().await;
    let mut connection = bench.database.connection().await;
    connection.execute("alter table audit_log add constraint full_up check (action <> 'account.pause')").await.unwrap();
    let answer = bench.caller.post("/v1/accounts/otms-demo/pause", &Value::Null).await;
    assert!(answer.status >= 500, "{}", answer.status);
    assert_eq!(bench.caller.get("/v1/accounts/otms-demo").await.body["paused"], Value::Null);
}

#[tokio::test]
async fn the_log_is_only_added_to() {
    let bench = Bench::start().await;
    let mut connection = bench.database.connection().await;
    for statement in ["update audit_log set actor_name = 'x'", "delete from audit_log", "truncate audit_log"] {
        let error = connection.execute(statement).await.unwrap_err();
        assert!(error.to_string().contains("only ever added to"), "{statement}: {error}");
    }
}

#[tokio::test]
async fn pages_filters_and_limited_administrators() {
    let bench = Bench::start().await;
    for _ in 0..3 {
        bench.pause().await;
        bench.resume().await;
    }
    bench.hold("ile-demo", "pause").await;
    let of_account = log(&bench.caller, "&account=otms-demo").await;
    assert_eq!(of_account.len(), 1 + 6);
    assert_eq!(of_account[0]["action"], "account.resume");
    let limited = bench.key(&["admin"], Some(&["ile-demo"])).await;
    let seen = log(&limited, "").await;
    assert!(seen.iter().all(|entry| entry["account"] == "ile-demo"), "{seen:#?}");
    assert_eq!(seen.len(), 2);

    let all = log(&bench.caller, "").await;
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = bench.caller.get(&format!("/v1/audit-log?limit=3{cursor}")).await.body;
        paged.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["nextCursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, all);
    bench.caller.get("/v1/audit-log?action=nothing").await.problem(400, "malformed-request");
}

#[tokio::test]
async fn a_key_tells_when_it_was_used_last_to_the_minute() {
    let bench = Bench::start().await;
    let made = bench.caller.post("/v1/api-keys", &json!({"name": "shop", "scopes": ["orders:read"]})).await;
    let listed = async || {
        let keys = bench.caller.get("/v1/api-keys").await.body["items"].as_array().unwrap().clone();
        keys.into_iter().find(|key| key["id"] == made.body["id"]).unwrap()["lastUsedAt"].clone()
    };
    assert_eq!(listed().await, Value::Null);
    let shop = bench.caller.with_key(made.body["key"].as_str().unwrap());
    let used = async |before: &Value| {
        assert_eq!(shop.get("/v1/orders").await.status, 200);
        // It is noted beside the request.
        let noted = async {
            loop {
                let now = listed().await;
                if &now != before {
                    return now;
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), noted).await.unwrap()
    };
    let first = used(&Value::Null).await;
    bench.database.advance(std::time::Duration::from_secs(61)).await;
    assert!(used(&first).await.as_str() > first.as_str());
}
