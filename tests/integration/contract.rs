//! The OpenAPI file, Swagger UI, health.

use serde_json::Value;

use crate::harness::Bench;

#[tokio::test]
async fn the_committed_file_is_what_the_gateway_serves() {
    let bench = Bench::start().await;
    let served = bench.caller.without_key().get("/openapi.json").await;
    assert_eq!(served.status, 200);
    let committed: Value = serde_json::from_str(include_str!("../../openapi/openapi.json")).unwrap();
    // Compared in one piece: nobody would read both documents on a terminal.
    assert!(served.body == committed, "write it anew with `cargo run -- openapi > openapi/openapi.json`");
}

#[tokio::test]
async fn every_operation_says_what_may_go_wrong_and_who_may_call_it() {
    let bench = Bench::start().await;
    let document = bench.caller.get("/openapi.json").await.body;
    let mut operations = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            operations += 1;
            let at = format!("{method} {path}");
            assert!(operation["operationId"].is_string(), "{at}");
            assert!(operation["tags"].is_array(), "{at}");
            if path.starts_with("/v1/") {
                assert!(operation["security"].is_array(), "{at}");
                assert!(operation["responses"]["401"].is_object(), "{at} lacks 401");
                // What every key may do is refused to none.
                let scopes =
                    operation["security"].as_array().unwrap().iter().filter_map(|way| way["apiKey"].as_array());
                if scopes.flatten().next().is_some() {
                    assert!(operation["responses"]["403"].is_object(), "{at} lacks 403");
                }
            }
        }
    }
    assert!(operations >= 15, "{operations}");
}

fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(members) => {
            found.extend(members.get("$ref").and_then(Value::as_str));
            members.values().for_each(|member| references(member, found));
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let bench = Bench::start().await;
    let document = bench.caller.get("/openapi.json").await.body;
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 100, "{}", found.len());
    for reference in found {
        let pointer = reference.strip_prefix('#').unwrap_or_default();
        assert!(!pointer.is_empty() && document.pointer(pointer).is_some(), "{reference}");
    }
}

#[tokio::test]
async fn swagger_ui_comes_from_the_binary_and_knows_the_key() {
    let bench = Bench::start().await;
    let page = bench.caller.without_key().get("/docs/").await;
    assert_eq!(page.status, 200);
    assert!(page.body.as_str().unwrap().contains("swagger-ui"));
    let start = bench.caller.without_key().get("/docs/swagger-initializer.js").await;
    assert!(start.body.as_str().unwrap().contains("/openapi.json"));
    let document = bench.caller.get("/openapi.json").await.body;
    assert_eq!(document["components"]["securitySchemes"]["apiKey"]["scheme"], "bearer");
}

#[tokio::test]
async fn health_and_readiness() {
    let bench = Bench::start().await;
    let anyone = bench.caller.without_key();
    for path in ["/healthz", "/readyz"] {
        let answer = anyone.get(path).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &Value::from("ok")), "{path}");
    }
    // A schema that is not the expected one takes no work; the process lives all the same.
    sqlx::query("delete from _sqlx_migrations").execute(&mut bench.database.connection().await).await.unwrap();
    anyone.get("/readyz").await.problem(503, "unavailable");
    assert_eq!(anyone.get("/healthz").await.status, 200);
}
