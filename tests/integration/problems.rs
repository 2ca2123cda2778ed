//! Problem pages, and what is refused before any handler thinks about it.

use reqwest::Method;
use serde_json::json;

use crate::harness::{Bench, order, send};

#[tokio::test]
async fn every_type_of_problem_has_a_page() {
    let bench = Bench::start().await;
    let anyone = bench.caller.without_key();
    for (name, status) in [
        ("malformed-request", 400),
        ("unauthenticated", 401),
        ("forbidden", 403),
        ("not-found", 404),
        ("method-not-allowed", 405),
        ("order-exists", 409),
        ("state-conflict", 409),
        ("cursor-expired", 410),
        ("idempotency-in-progress", 409),
        ("precondition-failed", 412),
        ("body-too-large", 413),
        ("unsupported-media-type", 415),
        ("validation-failed", 422),
        ("unknown-account", 422),
        ("unsupported-by-provider", 422),
        ("idempotency-key-reused", 422),
        ("internal", 500),
        ("unavailable", 503),
    ] {
        let page = anyone.get(&format!("/problems/{name}")).await;
        assert_eq!(page.status, 200, "{name}");
        assert_eq!(page.header("content-type"), Some("text/plain; charset=utf-8"));
        let text = page.body.as_str().unwrap();
        assert!(text.contains(&format!("/problems/{name}")) && text.contains(&status.to_string()), "{text}");
        assert!(text.contains("What to do"), "{text}");
    }
    anyone.get("/problems/nothing").await.problem(404, "not-found");
    // The `type` of a problem leads to its page.
    let refused = anyone.get("/v1/orders").await;
    assert_eq!(anyone.get(refused.body["type"].as_str().unwrap()).await.status, 200);
}

#[tokio::test]
async fn a_nul_in_path_or_query_is_refused_and_no_fault_of_the_gateway() {
    let bench = Bench::start().await;
    for path in [
        "/v1/orders?account=a%00b",
        "/v1/orders?account%00=a",
        "/v1/orders?orderNumber=%00",
        "/v1/accounts?cursor=%00",
        "/v1/accounts/a%00b",
        "/v1/accounts/%00/throttle",
        "/v1/orders/%00",
        "/v1/providers/%00",
        "/problems/%00",
        "/%00",
    ] {
        bench.caller.get(path).await.problem(400, "malformed-request");
    }
    // A cursor can hide one; base64url of "a\0b".
    bench.caller.get("/v1/accounts?cursor=YQBi").await.problem(400, "malformed-request");
}

#[tokio::test]
async fn instants_that_no_ledger_holds_are_refused() {
    let bench = Bench::start().await;
    for instant in ["%2B200000-01-01T00:00:00Z", "-200000-01-01T00:00:00Z"] {
        for name in ["createdFrom", "createdTo"] {
            bench.caller.get(&format!("/v1/orders?{name}={instant}")).await.problem(400, "malformed-request");
        }
    }
}

#[tokio::test]
async fn every_endpoint_refuses_parameters_that_it_does_not_know() {
    let bench = Bench::start().await;
    let document = bench.caller.get("/openapi.json").await.body;
    let id = "018f2b5c-0000-7000-8000-000000000000";
    let mut asked = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/v1/") {
            continue;
        }
        let path = path.replace("{id}", id).replace("{deliveryId}", id);
        let path = path.replace("{account}", "otms-demo").replace("{provider}", "otms");
        for method in item.as_object().unwrap().keys() {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let mut request = bench.caller.request(method.clone(), &format!("{path}?colour=red"));
            if method == Method::POST || method == Method::PATCH {
                let body = if path == "/v1/orders" { order("SO-1") } else { json!({}) };
                request = request.header("content-type", "application/json").body(body.to_string());
            }
            let answer = send(request).await;
            assert_eq!(answer.status, 400, "{method} {path}: {:#}", answer.body);
            answer.problem(400, "malformed-request");
            asked += 1;
        }
    }
    assert!(asked >= 15, "{asked}");
}

#[tokio::test]
async fn a_browser_is_told_to_do_nothing_with_an_answer_but_what_it_is_meant_for() {
    let bench = Bench::start().await;
    for path in ["/v1/orders", "/v1/orders/none", "/nowhere", "/healthz", "/docs/", "/openapi.json"] {
        let answer = bench.caller.get(path).await;
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{path}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"), "{path}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        assert_eq!(policy.contains("script-src"), path == "/docs/", "{path}: {policy}");
        assert_eq!(answer.header("cache-control") == Some("no-store"), path.starts_with("/v1/"), "{path}");
    }
}
