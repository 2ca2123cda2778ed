//! What is done wrongly with secrets: by administrators, by applications, by those who call back.

use reqwest::Method;
use serde_json::{Value, json};

use super::canary::{BEARER, REFUSED};
use super::outlets::Searched;
use crate::harness::{Caller, GatewayProcess};

/// What is refused is not repeated: wrong types, unknown members, broken JSON, keys in wrong places.
pub async fn refusals(searched: &Searched<'_>, key: &str) {
    let account = |credentials: Value| {
        json!({"id": "refused", "provider": "otms", "baseUrl": "https://otms.example.com", "credentials": credentials})
            .to_string()
    };
    for (status, method, path, body) in [
        (422, Method::POST, "/v1/accounts", account(json!(REFUSED))),
        (422, Method::POST, "/v1/accounts", account(json!([REFUSED]))),
        (422, Method::POST, "/v1/accounts", account(json!({"username": "x", "password": {"value": REFUSED}}))),
        (
            422,
            Method::POST,
            "/v1/accounts",
            account(json!({"username": REFUSED.to_owned() + ":", "password": REFUSED})),
        ),
        (422, Method::POST, "/v1/accounts", account(json!({"username": "x", "password": REFUSED, "pass": REFUSED}))),
        (
            422,
            Method::POST,
            "/v1/accounts",
            json!({"id": "refused", "provider": "otms", "password": REFUSED}).to_string(),
        ),
        (
            422,
            Method::POST,
            "/v1/accounts",
            json!({"id": "refused", "provider": "otms", "credentials": {"username": "x", "password": REFUSED},
            "baseUrl": format!("https://user:{REFUSED}@otms.example.com")})
            .to_string(),
        ),
        (400, Method::POST, "/v1/accounts", format!("{{\"credentials\": {{\"password\": \"{REFUSED}")),
        (400, Method::POST, "/v1/accounts", format!("{{\"credentials\": {REFUSED}}}")),
        (
            409,
            Method::POST,
            "/v1/accounts",
            account(json!({"username": "x", "password": REFUSED})).replace("refused\"", "otms-demo\""),
        ),
        (422, Method::PATCH, "/v1/accounts/otms-demo", json!({"credentials": REFUSED}).to_string()),
        (422, Method::PATCH, "/v1/accounts/otms-demo", json!({"credentials": {"password": REFUSED}}).to_string()),
        (422, Method::PATCH, "/v1/accounts/otms-demo", json!({"settings": {"password": REFUSED}}).to_string()),
        (
            422,
            Method::POST,
            "/v1/webhook-endpoints",
            json!({"url": format!("https://user:{REFUSED}@example.com")}).to_string(),
        ),
        (404, Method::DELETE, &format!("/v1/api-keys/{key}"), String::new()),
        (404, Method::GET, &format!("/v1/orders/{key}"), String::new()),
        (400, Method::GET, &format!("/v1/orders?key={key}"), String::new()),
        (400, Method::GET, &format!("/v1/orders?limit={key}"), String::new()),
    ] {
        let body = (!body.is_empty()).then_some(body.as_bytes());
        let (answered, document) = searched.ask(method, path, body).await;
        assert_eq!(answered, status, "{path}: {document:#}");
    }
    for authorization in [format!("Token {key}"), format!("Bearer {key}x"), key.to_owned(), format!("Bearer {REFUSED}")]
    {
        let request =
            searched.caller.without_key().request(Method::GET, "/v1/orders").header("authorization", authorization);
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), 401);
        searched.needles.search("a refused key", &response.bytes().await.unwrap());
    }
    let (status, _) = Searched { caller: searched.caller.with_key(key), needles: searched.needles }
        .ask(Method::GET, "/v1/accounts", None)
        .await;
    assert_eq!(status, 403);
}

/// Calls that are signed wrongly, and not at all, with credentials in their headers.
pub async fn call_back(gateway: &GatewayProcess, path: &str) {
    let caller = Caller::new(gateway.url(""), None);
    for body in [
        json!({"createBy": "CUST", "dataSource": "SRC", "sign": "0123456789abcdef0123456789abcdef", "timestamp": "2026-01-01 00:00:00",
            "request": {"customerNumber": "RK-1"}}).to_string(),
        "<html>".to_owned(),
    ] {
        let request = caller.request(Method::POST, path).header("authorization", format!("Bearer {BEARER}")).header("cookie", BEARER);
        let request = request.header("x-original-uri", gateway.url(path)).header("x-api-key", BEARER).body(body);
        assert_eq!(request.send().await.unwrap().status(), 200);
    }
    let wrong = caller.request(Method::POST, &format!("{path}x")).body("{}").send().await.unwrap();
    assert_eq!(wrong.status(), 404);
    let elsewhere = caller.request(Method::GET, path).send().await.unwrap();
    assert_eq!(elsewhere.status(), 405);
}
