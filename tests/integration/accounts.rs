//! Downstream accounts: added, read, throttled; their credentials never come back.

use serde_json::{Value, json};

use crate::harness::{Bench, order};

fn account(id: &str) -> Value {
    json!({
        "id": id,
        "provider": "otms",
        "baseUrl": "https://demo.otms.cn",
        "credentials": {"username": "user", "password": "a secret of theirs"},
    })
}

#[tokio::test]
async fn an_account_is_added_and_read_without_its_credentials() {
    let bench = Bench::start().await;
    let created = bench.caller.post("/v1/accounts", &account("acme")).await;
    assert_eq!(created.status, 201, "{:#}", created.body);
    assert_eq!(created.header("location"), Some("/v1/accounts/acme"));
    assert_eq!(created.header("etag"), Some("\"1\""));
    assert_eq!(created.body["displayName"], "acme");
    assert_eq!(created.body["throttleGroup"], "acme");
    assert_eq!(created.body["paused"], Value::Null);
    assert!(created.body.get("credentials").is_none());
    let read = bench.caller.get("/v1/accounts/acme").await;
    assert_eq!(read.body, created.body);
    let listed = bench.caller.get("/v1/accounts").await;
    let ids: Vec<_> =
        listed.body["items"].as_array().unwrap().iter().map(|account| account["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["acme", "otms-demo"]);
    bench.caller.post("/v1/accounts", &account("acme")).await.problem(409, "account-exists");
}

#[tokio::test]
async fn what_is_no_account_is_said_with_every_pointer() {
    let bench = Bench::start().await;
    for (change, pointer, code) in [
        (json!({"id": "Not An Id"}), "/id", "validation.invalid_format"),
        (json!({"provider": "nobody"}), "/provider", "validation.invalid_value"),
        (json!({"baseUrl": "http://demo.otms.cn"}), "/baseUrl", "validation.invalid_value"),
        (json!({"baseUrl": "demo.otms.cn"}), "/baseUrl", "validation.invalid_value"),
        (json!({"baseUrl": "https://user:password@demo.otms.cn"}), "/baseUrl", "validation.invalid_value"),
        (json!({"baseUrl": "https://demo.otms.cn?x=1"}), "/baseUrl", "validation.invalid_value"),
        (json!({"credentials": {"username": "x"}}), "/credentials/password", "validation.missing"),
        (
            json!({"credentials": {"username": "x", "password": "y", "token": "z"}}),
            "/credentials/token",
            "validation.unknown_member",
        ),
        (
            json!({"credentials": {"username": "a:b", "password": "y"}}),
            "/credentials/username",
            "validation.invalid_value",
        ),
        (json!({"settings": {"colour": "red"}}), "/settings/colour", "validation.unknown_member"),
        (json!({"settings": {"credentialsIn": "pocket"}}), "/settings/credentialsIn", "validation.invalid_value"),
        (
            json!({"settings": {"requestTimeoutSeconds": 31}}),
            "/settings/requestTimeoutSeconds",
            "validation.out_of_range",
        ),
        (
            json!({"throttles": {"orderImport": {"requests": 0}}}),
            "/throttles/orderImport/requests",
            "validation.out_of_range",
        ),
        (json!({"throttles": {"nothing": {"requests": 1}}}), "/throttles/nothing", "validation.unknown_member"),
        (json!({"throttleGroup": "a b"}), "/throttleGroup", "validation.invalid_format"),
        (json!({"colour": "red"}), "/colour", "validation.unknown_member"),
    ] {
        let mut body = account("acme");
        for (name, value) in change.as_object().unwrap() {
            body[name] = value.clone();
        }
        let answer = bench.caller.post("/v1/accounts", &body).await;
        let found = answer.problem(422, "validation-failed");
        assert_eq!(found, [(pointer.to_owned(), code.to_owned())], "{change}");
        assert!(!answer.body.to_string().contains("a secret of theirs"));
    }
    assert_eq!(bench.database.count("select count(*) from accounts").await, 1);
}

#[tokio::test]
async fn accounts_are_for_administrators() {
    let bench = Bench::start().await;
    let writer = bench.key(&["orders:write", "orders:read"], None).await;
    writer.get("/v1/accounts").await.problem(403, "forbidden");
    writer.get("/v1/accounts/otms-demo").await.problem(403, "forbidden");
    writer.get("/v1/accounts/otms-demo/throttle").await.problem(403, "forbidden");
    writer.post("/v1/accounts", &account("acme")).await.problem(403, "forbidden");
    writer.post("/v1/accounts/otms-demo/pause", &Value::Null).await.problem(403, "forbidden");
    let limited = bench.key(&["admin"], Some(&["acme"])).await;
    limited.get("/v1/accounts/otms-demo").await.problem(404, "not-found");
    assert_eq!(limited.get("/v1/accounts").await.body["items"], json!([]));
    assert_eq!(limited.post("/v1/accounts", &account("acme")).await.status, 201);
    limited.post("/v1/accounts", &account("other")).await.problem(403, "forbidden");
}

#[tokio::test]
async fn the_throttle_shows_the_documented_quota_and_the_queue() {
    let bench = Bench::start().await;
    let throttle = async || bench.caller.get("/v1/accounts/otms-demo/throttle").await.body["items"][0].clone();
    let idle = throttle().await;
    assert_eq!(idle["endpoint"], "orderImport");
    assert_eq!((&idle["limit"], &idle["window"], &idle["burst"]), (&json!(40), &json!(1), &json!(1)));
    assert_eq!((&idle["available"], &idle["queued"], &idle["inFlight"]), (&json!(1), &json!(0), &json!(0)));
    assert_eq!((&idle["circuit"], &idle["oldestQueuedAt"]), (&json!("closed"), &Value::Null));

    bench.pause().await;
    let first = bench.caller.post("/v1/orders", &order("SO-1")).await;
    bench.caller.post("/v1/orders", &order("SO-2")).await;
    let busy = throttle().await;
    assert_eq!(busy["queued"], 2);
    assert_eq!(busy["oldestQueuedAt"], first.body["submission"]["createdAt"]);
    let paused = bench.caller.get("/v1/accounts/otms-demo").await.body["paused"].clone();
    assert_eq!(paused["reason"], "paused by an administrator");
}

#[tokio::test]
async fn accounts_of_one_group_share_the_smaller_of_their_limits() {
    let bench = Bench::start().await;
    for (id, requests) in [("one", 10), ("two", 5)] {
        let mut body = account(id);
        body["throttleGroup"] = json!("company");
        body["throttles"] = json!({"orderImport": {"requests": requests}});
        assert_eq!(bench.caller.post("/v1/accounts", &body).await.status, 201);
    }
    for id in ["one", "two"] {
        let throttle = bench.caller.get(&format!("/v1/accounts/{id}/throttle")).await;
        assert_eq!(throttle.body["items"][0]["limit"], 5);
    }
}
