//! What providers can do, and their result codes.

use serde_json::{Value, json};

use crate::harness::Bench;

#[tokio::test]
async fn a_provider_says_what_it_can_do() {
    let bench = Bench::start().await;
    // No scope is needed, only a key.
    let anyone = bench.key(&["orders:write"], Some(&["elsewhere"])).await;
    let provider = anyone.get("/v1/providers/otms").await;
    assert_eq!(provider.status, 200, "{:#}", provider.body);
    let body = &provider.body;
    assert_eq!((&body["id"], &body["name"]), (&json!("otms"), &json!("oTMS")));
    let create = body["operations"].as_array().unwrap().iter().find(|operation| operation["operation"] == "create");
    assert_eq!(
        create.unwrap(),
        &json!({"operation": "create", "documentType": "transport_order", "endpoint": "orderImport", "carries": "document", "evidence": "resend"})
    );
    let endpoint = body["endpoints"].as_array().unwrap().iter().find(|endpoint| endpoint["id"] == "orderImport");
    assert_eq!(
        endpoint.unwrap(),
        &json!({
            "id": "orderImport", "method": "PUT", "path": "/ws/orderImport", "batchLimit": 100,
            "limit": {"requests": 40, "windowSeconds": 1}, "burst": 1,
        })
    );
    assert!(body["callbackTopics"].is_array());
    assert_eq!(body["calls"], json!([]));
    assert!(body["docs"].as_str().unwrap().ends_with("otms.md"));
    // Every operation goes through an endpoint that is there.
    for operation in body["operations"].as_array().unwrap() {
        let endpoints = body["endpoints"].as_array().unwrap();
        assert!(endpoints.iter().any(|endpoint| endpoint["id"] == operation["endpoint"]), "{operation}");
    }
}

#[tokio::test]
async fn the_schemas_of_a_provider_stand_alone() {
    let bench = Bench::start().await;
    let body = bench.caller.get("/v1/providers/otms").await.body;
    assert_eq!(body["credentialsSchema"]["required"], json!(["username", "password"]));
    assert_eq!(body["secretCredentials"], json!(["password"]));
    // The common settings and its own.
    for member in ["allowPlainHttp", "branchMap", "requestTimeoutSeconds", "credentialsIn", "rejectDraft"] {
        assert!(body["settingsSchema"]["properties"][member].is_object(), "{member}");
    }
    assert!(body["orderExtensionSchema"]["properties"]["rejectDraft"].is_object());
    assert!(body["stopExtensionSchema"]["properties"]["xttSupport"].is_object());
    assert!(!body.to_string().contains("$ref"));
}

#[tokio::test]
async fn all_providers_are_listed() {
    let bench = Bench::start().await;
    let listed = bench.caller.get("/v1/providers").await;
    assert_eq!((listed.status, &listed.body["nextCursor"]), (200, &Value::Null));
    let items = listed.body["items"].as_array().unwrap();
    let ids: Vec<_> = items.iter().map(|provider| provider["id"].as_str().unwrap()).collect();
    let known: Vec<_> = onelane::provider::ALL.iter().map(|provider| provider.profile().id).collect();
    assert_eq!(ids, known);
    for provider in items {
        let path = format!("/v1/providers/{}", provider["id"].as_str().unwrap());
        assert_eq!(&bench.caller.get(&path).await.body, provider);
    }
}

#[tokio::test]
async fn the_catalogue_of_result_codes() {
    let bench = Bench::start().await;
    let path = "/v1/providers/otms/result-codes";
    let all = bench.caller.get(path).await;
    assert_eq!((all.status, &all.body["nextCursor"]), (200, &Value::Null));
    let catalogue = (onelane::provider::find("otms").unwrap().profile().catalogue)();
    assert_eq!(all.body["items"].as_array().unwrap().len(), catalogue.entries().len());
    let one = bench.caller.get(&format!("{path}?scope=orderImport&rawCode=1120")).await;
    let items = one.body["items"].as_array().unwrap();
    assert_eq!(items.len(), 1);
    let code = &items[0];
    assert_eq!((&code["scope"], &code["rawCode"]), (&json!("orderImport"), &json!("1120")));
    assert_eq!((&code["code"], &code["category"]), (&json!("validation.inconsistent"), &json!("validation")));
    assert_eq!((&code["severity"], &code["retryable"], &code["retry"]), (&json!("error"), &json!(false), &json!("no")));
    assert_eq!(code["pointers"], json!(["/shipFrom", "/shipTo"]));
    for member in ["messageZh", "messageEn"] {
        assert!(code[member].as_str().is_some_and(|text| !text.is_empty()));
    }
    for (query, member, value) in
        [("scope=orderCustomUpdate", "scope", "orderCustomUpdate"), ("code=auth.forbidden", "code", "auth.forbidden")]
    {
        let items = bench.caller.get(&format!("{path}?{query}")).await.body["items"].clone();
        let items = items.as_array().unwrap();
        assert!(!items.is_empty() && items.iter().all(|item| item[member] == value), "{query}");
    }
    assert_eq!(bench.caller.get(&format!("{path}?scope=nowhere")).await.body["items"], json!([]));
    bench.caller.get(&format!("{path}?limit=2")).await.problem(400, "malformed-request");
}

#[tokio::test]
async fn providers_that_are_not_there_and_callers_without_a_key() {
    let bench = Bench::start().await;
    for path in ["/v1/providers/nobody", "/v1/providers/nobody/result-codes"] {
        bench.caller.get(path).await.problem(404, "not-found");
    }
    let anyone = bench.caller.without_key();
    for path in ["/v1/providers", "/v1/providers/otms", "/v1/providers/otms/result-codes"] {
        anyone.get(path).await.problem(401, "unauthenticated");
        bench.caller.get(&format!("{path}?colour=red")).await.problem(400, "malformed-request");
    }
}
