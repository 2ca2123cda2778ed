//! API keys: made once, shown once, revoked at once.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{Bench, EventStream, GatewayProcess, order, wall_clock};

#[tokio::test]
async fn a_key_is_shown_once_works_and_is_revoked_at_once() {
    let bench = Bench::start().await;
    let created = bench.caller.post("/v1/api-keys", &json!({"name": "shop", "scopes": ["orders:read"]})).await;
    assert_eq!(created.status, 201);
    assert_eq!(created.header("cache-control"), Some("no-store"));
    let secret = created.body["key"].as_str().unwrap();
    let caller = bench.caller.with_key(secret);
    assert_eq!(caller.get("/v1/orders").await.status, 200);

    let listed = bench.caller.get("/v1/api-keys").await;
    let found = listed.body["items"].as_array().unwrap().iter().find(|key| key["id"] == created.body["id"]).unwrap();
    assert_eq!(found["scopes"], json!(["orders:read"]));
    assert!(!listed.body.to_string().contains(secret));

    let path = format!("/v1/api-keys/{}", created.id());
    assert_eq!(bench.caller.delete(&path).await.status, 204);
    caller.get("/v1/orders").await.problem(401, "unauthenticated");
    bench.caller.delete(&path).await.problem(404, "not-found");
}

/// At every replica, for requests and for streams that are open.
#[tokio::test]
async fn a_key_that_is_revoked_at_one_replica_is_refused_by_all() {
    let bench = Bench::start().await;
    let other = GatewayProcess::start(&bench.database).await;
    let created =
        bench.caller.post("/v1/api-keys", &json!({"name": "x", "scopes": ["orders:write", "orders:read"]})).await;
    let shop = other.caller.with_key(created.body["key"].as_str().unwrap());
    assert_eq!(shop.post("/v1/orders", &order("SO-1")).await.status, 202);
    let mut stream = EventStream::open(&shop, "/v1/events/stream", None).await;
    assert!(stream.event().await.is_some());
    assert_eq!(bench.caller.delete(&format!("/v1/api-keys/{}", created.id())).await.status, 204);
    shop.post("/v1/orders", &order("SO-2")).await.problem(401, "unauthenticated");
    shop.get("/v1/orders").await.problem(401, "unauthenticated");
    while stream.event().await.is_some() {}
}

#[tokio::test]
async fn a_key_expires() {
    let bench = Bench::start().await;
    let expires = (wall_clock() + chrono::TimeDelta::minutes(5)).to_rfc3339();
    let body = json!({"name": "short", "scopes": ["orders:write", "orders:read"], "expiresAt": expires});
    let created = bench.caller.post("/v1/api-keys", &body).await;
    let caller = bench.caller.with_key(created.body["key"].as_str().unwrap());
    assert_eq!(caller.get("/v1/orders").await.status, 200);
    assert_eq!(caller.post("/v1/orders", &order("SO-1")).await.status, 202);
    bench.database.advance(Duration::from_secs(301)).await;
    // An order first, for which the key was looked up a moment ago.
    caller.post("/v1/orders", &order("SO-2")).await.problem(401, "unauthenticated");
    caller.get("/v1/orders").await.problem(401, "unauthenticated");
    assert_eq!(bench.caller.get("/v1/orders?orderNumber=SO-2").await.body["items"], json!([]));
}

#[tokio::test]
async fn keys_are_for_administrators_and_go_no_further_than_their_makers() {
    let bench = Bench::start().await;
    let body = json!({"name": "x", "scopes": ["admin"]});
    let writer = bench.key(&["orders:write", "orders:read"], None).await;
    writer.post("/v1/api-keys", &body).await.problem(403, "forbidden");
    writer.get("/v1/api-keys").await.problem(403, "forbidden");
    let limited = bench.key(&["admin"], Some(&["otms-demo"])).await;
    limited.post("/v1/api-keys", &body).await.problem(403, "forbidden");
    let wider = json!({"name": "x", "scopes": ["admin"], "accounts": ["otms-demo", "other"]});
    limited.post("/v1/api-keys", &wider).await.problem(403, "forbidden");
    let own = json!({"name": "x", "scopes": ["orders:read"], "accounts": ["otms-demo"]});
    assert_eq!(limited.post("/v1/api-keys", &own).await.status, 201);
    limited.get("/v1/api-keys").await.problem(403, "forbidden");
}

#[tokio::test]
async fn what_is_no_key() {
    let bench = Bench::start().await;
    for (body, pointer) in [
        (json!({"scopes": ["admin"]}), "/name"),
        (json!({"name": "", "scopes": ["admin"]}), "/name"),
        (json!({"name": "x", "scopes": []}), "/scopes"),
        (json!({"name": "x", "scopes": ["root"]}), "/scopes/0"),
        (json!({"name": "x", "scopes": ["admin"], "accounts": []}), "/accounts"),
        (json!({"name": "x", "scopes": ["admin"], "expiresAt": "tomorrow"}), "/expiresAt"),
        (json!({"name": "x", "scopes": ["admin"], "key": "mine"}), "/key"),
    ] {
        let found = bench.caller.post("/v1/api-keys", &body).await.problem(422, "validation-failed");
        assert_eq!(found[0].0, pointer, "{body}");
    }
}

#[tokio::test]
async fn lists_are_paged() {
    let bench = Bench::start().await;
    for _ in 0..3 {
        bench.key(&["orders:read"], None).await;
    }
    let mut names = 0;
    let mut path = "/v1/api-keys?limit=2".to_owned();
    loop {
        let page = bench.caller.get(&path).await;
        names += page.body["items"].as_array().unwrap().len();
        match &page.body["nextCursor"] {
            Value::String(cursor) => path = format!("/v1/api-keys?limit=2&cursor={cursor}"),
            _ => break,
        }
    }
    assert_eq!(names, 4);
}
