//! Where providers call: a secret path for each account.

use reqwest::Method;
use serde_json::{Value, json};

use super::{callback_url, confirmation, deliver, post};
use crate::harness::{Bench, GatewayProcess};

fn account(public_callback_url: Value) -> Value {
    json!({
        "id": "acme",
        "provider": "hongxun",
        "baseUrl": "https://wms.example.com",
        "credentials": {"createBy": "CUST", "dataSource": "SRC", "secretKey": "a secret of theirs"},
        "publicCallbackUrl": public_callback_url,
    })
}

#[tokio::test]
async fn an_account_tells_administrators_where_its_provider_calls() {
    let bench = Bench::start().await;
    let created = bench.caller.post("/v1/accounts", &account(json!("https://gateway.example.com/in/"))).await;
    assert_eq!(created.status, 201, "{:#}", created.body);
    let url = created.body["callbackUrl"].as_str().unwrap().to_owned();
    let token = url.strip_prefix("https://gateway.example.com/in/callbacks/hongxun/acme/").unwrap();
    // 32 bytes in base64url
    assert_eq!(token.len(), 43);
    assert!(token.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')));
    assert_eq!(bench.caller.get("/v1/accounts/acme").await.body, created.body);
    let listed = bench.caller.get("/v1/accounts").await;
    let listed = listed.body["items"].as_array().unwrap().iter().find(|it| it["id"] == "acme").unwrap().clone();
    assert_eq!(listed, created.body);

    // Without the gateway's own address it is the path.
    let change = json!({"publicCallbackUrl": null, "displayName": "Acme"});
    let changed = bench.caller.send_with(Method::PATCH, "/v1/accounts/acme", &change, &[]).await;
    assert_eq!(changed.body["callbackUrl"], format!("/callbacks/hongxun/acme/{token}"));
    // A provider that does not call is called nowhere.
    assert_eq!(bench.caller.get("/v1/accounts/otms-demo").await.body["callbackUrl"], Value::Null);
    let read_only = bench.caller.send_with(Method::PATCH, "/v1/accounts/acme", &json!({"callbackUrl": "/"}), &[]).await;
    assert_eq!(
        read_only.problem(422, "validation-failed"),
        [("/callbackUrl".to_owned(), "validation.read_only".to_owned())]
    );
    for verb in ["pause", "resume"] {
        let answer = bench.caller.post(&format!("/v1/accounts/acme/{verb}"), &Value::Null).await;
        assert_eq!(answer.body["callbackUrl"], changed.body["callbackUrl"]);
    }
}

#[tokio::test]
async fn the_gateways_own_address_is_checked() {
    let bench = Bench::start().await;
    for wrong in [
        "gateway.example.com",
        "/in",
        "",
        "ftp://gateway.example.com",
        "mailto:gateway@example.com",
        "https://gateway.example.com?a=b",
        "https://gateway.example.com#a",
        "https://user:password@gateway.example.com",
    ] {
        let answer = bench.caller.post("/v1/accounts", &account(json!(wrong))).await;
        let found = answer.problem(422, "validation-failed");
        assert_eq!(found, [("/publicCallbackUrl".to_owned(), "validation.invalid_value".to_owned())], "{wrong}");
    }
    let plain = bench.caller.post("/v1/accounts", &account(json!("http://10.0.0.1:8080"))).await;
    assert_eq!(plain.status, 201, "{:#}", plain.body);
}

#[tokio::test]
async fn the_secret_is_sealed_at_rest_and_made_for_older_accounts_when_it_is_needed() {
    let bench = Bench::start().await;
    let url = callback_url(&bench, "hongxun-demo").await;
    let token = url.rsplit('/').next().unwrap();
    let in_the_clear = "select count(*) from accounts a where a::text like '%' || $1 || '%' or encode(callback_token, 'escape') like '%' || $1 || '%'";
    let mut connection = bench.database.connection().await;
    let found: i64 = sqlx::query_scalar(in_the_clear).bind(token).fetch_one(&mut connection).await.unwrap();
    assert_eq!(found, 0);
    sqlx::query("update accounts set callback_token = null, callback_token_key = null, callback_token_hash = null")
        .execute(&mut connection)
        .await
        .unwrap();
    let call = confirmation(&bench, json!({}));
    assert_eq!(deliver(&call).await.status, 404);
    // Whoever asks first makes it, and all are told the same.
    let asked = (0..8).map(|_| callback_url(&bench, "hongxun-demo"));
    let told = futures_util::future::join_all(asked).await;
    assert!(told.iter().all(|it| *it == told[0] && *it != url), "{told:?}");
    assert_eq!(post(&told[0], call.body.clone()).await.status, 200);
    // It is no change of the account.
    assert_eq!(bench.caller.get("/v1/accounts/hongxun-demo").await.body["version"], 1);
}

#[tokio::test]
async fn nothing_is_kept_of_a_call_that_knocks_at_the_wrong_door() {
    let bench = Bench::start().await;
    let url = callback_url(&bench, "hongxun-demo").await;
    let token = url.rsplit('/').next().unwrap();
    let body = confirmation(&bench, json!({})).body;
    for path in [
        format!("/callbacks/hongxun/hongxun-demo/{token}x"),
        format!("/callbacks/hongxun/hongxun-demo/{}", &token[..42]),
        format!("/callbacks/hongxun/hongxun-demo/{}", token.to_uppercase()),
        format!("/callbacks/hongxun/nobody/{token}"),
        format!("/callbacks/otms/hongxun-demo/{token}"),
        format!("/callbacks/nobody/hongxun-demo/{token}"),
        format!("/callbacks/otms/otms-demo/{token}"),
        format!("/callbacks/hongxun/hongxun-demo/{token}/more"),
        "/callbacks/hongxun/hongxun-demo/".to_owned(),
    ] {
        let answer = post(&format!("{}{path}", bench.base_url), body.clone()).await;
        answer.problem(404, "not-found");
        assert!(!answer.body.to_string().contains(&token[..42]), "{:#}", answer.body);
    }
    bench.caller.without_key().get("/callbacks/hongxun/hongxun-demo/x").await.problem(405, "method-not-allowed");
    assert_eq!(bench.database.count("select count(*) from callbacks").await, 0);
    assert_eq!(bench.database.count("select count(*) from events").await, 0);
    assert_eq!(post(&url, body).await.status, 200);
}

/// Log lines have the path, and not the secret in it.
#[tokio::test]
async fn the_secret_is_in_no_log() {
    let bench = Bench::start().await;
    let call = confirmation(&bench, json!({}));
    let token = call.url.rsplit('/').next().unwrap().to_owned();
    let path = format!("/callbacks/hongxun/hongxun-demo/{token}");
    let (database, _sandbox, _) = bench.stop().await;
    let gateway = GatewayProcess::start_logging(&database, "debug").await;
    assert_eq!(post(&gateway.url(&path), call.body.clone()).await.status, 200);
    assert_eq!(post(&gateway.url(&format!("{path}x")), call.body.clone()).await.status, 404);
    // The second answer is the last of it.
    let log = gateway.log_with("\"status\":404").await;
    assert!(log.contains("/callbacks/hongxun/hongxun-demo/***"), "{log}");
    assert!(!log.contains(&token[..42]), "{log}");
}
