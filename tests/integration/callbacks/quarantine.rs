//! Calls that are not taken: kept with the reason, refused in the provider's form, and processed again once their
//! cause is put right.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{callback_url, confirmation, deliver, event_types, latest, post};
use crate::harness::Bench;

async fn change(bench: &Bench, change: Value) {
    let changed = bench.caller.send_with(Method::PATCH, "/v1/accounts/hongxun-demo", &change, &[]).await;
    assert_eq!(changed.status, 200, "{:#}", changed.body);
}

async fn reprocess(bench: &Bench, callback: &Value) -> Value {
    let path = format!("/v1/callbacks/{}/reprocess", callback["id"].as_str().unwrap());
    let answer = bench.caller.post(&path, &Value::Null).await;
    assert_eq!(answer.status, 200, "{:#}", answer.body);
    answer.body
}

#[tokio::test]
async fn a_wrong_signature_is_quarantined_with_what_was_expected() {
    let bench = Bench::start().await;
    for signature in ["wrong", "missing"] {
        let answer = deliver(&confirmation(&bench, json!({"signature": signature}))).await;
        assert_eq!((answer.status, &answer.body["code"], &answer.body["flag"]), (200, &json!(401), &json!(false)));
        let callback = latest(&bench).await;
        assert_eq!(
            (&callback["state"], &callback["reason"]["code"]),
            (&json!("quarantined"), &json!("callback.wrong_signature"))
        );
        assert_eq!(answer.body["message"], callback["reason"]["detailZh"]);
        let detail = callback["reason"]["detail"].as_str().unwrap();
        assert!(detail.contains("DEMO&ONELANE&{\"actualQuantity\":10,"), "{detail}");
        assert!(!callback.to_string().contains("onelane-demo-secret-key"));
    }
    assert_eq!(event_types(&bench).await, ["callback.quarantined", "callback.quarantined"]);
    let data: Value = sqlx::query_scalar("select data from events limit 1")
        .fetch_one(&mut bench.database.connection().await)
        .await
        .unwrap();
    assert_eq!(data["code"], "callback.wrong_signature");
}

#[tokio::test]
async fn a_stale_call_is_quarantined_and_stays_stale() {
    let bench = Bench::start().await;
    let answer = deliver(&confirmation(&bench, json!({"timestamp": "stale"}))).await;
    assert_eq!(answer.body["flag"], false);
    let callback = latest(&bench).await;
    assert_eq!(
        (&callback["state"], &callback["reason"]["code"]),
        (&json!("quarantined"), &json!("callback.stale_timestamp"))
    );
    assert_eq!(reprocess(&bench, &callback).await["state"], "quarantined");
    // It is told once, however often it is looked at.
    assert_eq!(event_types(&bench).await, ["callback.quarantined"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_quarantined() {
    let bench = Bench::start().await;
    let url = callback_url(&bench, "hongxun-demo").await;
    for body in ["", "<html></html>", "{}", "[]", r#"{"request": {"customerNumber": "RK-1"}}"#] {
        let answer = post(&url, body).await;
        assert_eq!((answer.status, &answer.body["flag"]), (200, &json!(false)), "{body}");
        let callback = latest(&bench).await;
        assert_eq!(callback["state"], "quarantined", "{body}");
        for language in ["detail", "detailZh"] {
            assert!(callback["reason"][language].as_str().is_some_and(|it| !it.is_empty()), "{body}");
        }
    }
    assert_eq!(bench.database.count("select count(*) from callbacks where state = 'quarantined'").await, 5);
}

#[tokio::test]
async fn what_was_put_right_is_processed_again() {
    let bench = Bench::start().await;
    let wrong = json!({"createBy": "DEMO", "dataSource": "ONELANE", "secretKey": "another key"});
    change(&bench, json!({"credentials": wrong})).await;
    let call = confirmation(&bench, json!({}));
    assert_eq!(deliver(&call).await.body["flag"], false);
    let callback = latest(&bench).await;
    assert_eq!(reprocess(&bench, &callback).await["state"], "quarantined");

    let right = bench.sandbox.demo_accounts(&bench.sandbox_url).into_iter().find(|it| it.id == "hongxun-demo").unwrap();
    change(&bench, json!({"credentials": right.credentials})).await;
    // Its time is that of its arrival, however late a person comes.
    bench.database.advance(Duration::from_secs(3600)).await;
    let processed = reprocess(&bench, &callback).await;
    assert_eq!((&processed["state"], &processed["reason"]), (&json!("processed"), &Value::Null));
    assert_eq!(event_types(&bench).await, ["callback.quarantined", "warehouse.receipt_confirmed"]);
    // What was told is told no second time by the provider.
    bench.database.advance(Duration::from_secs(0)).await;
    assert_eq!(bench.database.count("select count(*) from happenings").await, 1);
}

#[tokio::test]
async fn an_account_that_only_warns_takes_it_with_a_warning() {
    let bench = Bench::start().await;
    change(&bench, json!({"settings": {"verify": "warn"}})).await;
    let answer = deliver(&confirmation(&bench, json!({"signature": "wrong", "timestamp": "stale"}))).await;
    assert_eq!(answer.body["flag"], true);
    let callback = latest(&bench).await;
    assert_eq!(callback["state"], "processed");
    let codes: Vec<_> =
        callback["warnings"].as_array().unwrap().iter().map(|it| it["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["callback.wrong_signature", "callback.stale_timestamp"]);
    let told = bench.database.texts("select data -> 'warnings' -> 0 ->> 'code' from events").await;
    assert_eq!(told, ["callback.wrong_signature"]);
}

async fn spoil(bench: &Bench, column: &str) {
    let spoil = format!("update accounts set {column} = 'another' where id = 'hongxun-demo'");
    sqlx::query(sqlx::AssertSqlSafe(spoil)).execute(&mut bench.database.connection().await).await.unwrap();
}

/// Gives the account the credentials that are right.
async fn give_credentials(bench: &Bench) {
    let right = bench.sandbox.demo_accounts(&bench.sandbox_url).into_iter().find(|it| it.id == "hongxun-demo").unwrap();
    change(bench, json!({"credentials": right.credentials})).await;
}

#[tokio::test]
async fn an_account_whose_credentials_cannot_be_opened_refuses_and_loses_nothing() {
    let bench = Bench::start().await;
    let call = confirmation(&bench, json!({}));
    spoil(&bench, "credentials").await;
    let answer = deliver(&call).await;
    assert_eq!((&answer.body["code"], &answer.body["flag"]), (&json!(500), &json!(false)));
    let callback = latest(&bench).await;
    assert_eq!(callback["reason"]["code"], "callback.account_unusable");
    give_credentials(&bench).await;
    assert_eq!(reprocess(&bench, &callback).await["state"], "processed");
}

/// Another gateway may have the key, so the call is nobody's fault, and waits for one who can read it.
#[tokio::test]
async fn a_call_to_an_account_whose_master_key_is_not_at_hand_is_kept() {
    let bench = Bench::start().await;
    let call = confirmation(&bench, json!({}));
    spoil(&bench, "credentials_key").await;
    assert_eq!(deliver(&call).await.body["flag"], true);
    let callback = latest(&bench).await;
    assert_eq!(callback["state"], "received");
    let path = format!("/v1/callbacks/{}/reprocess", callback["id"].as_str().unwrap());
    bench.caller.post(&path, &json!(null)).await.problem(503, "unavailable");
    // However often it was tried.
    for _ in 0..12 {
        bench.database.advance(Duration::from_secs(60)).await;
        let tried = "select not exists (select from callbacks where due_at <= onelane_now())";
        bench.database.wait_until(Duration::from_secs(20), tried).await;
    }
    give_credentials(&bench).await;
    bench.database.advance(Duration::from_secs(60)).await;
    let processed = "select exists (select from callbacks where state = 'processed')";
    bench.database.wait_until(Duration::from_secs(20), processed).await;
}

/// What fails again and again does not fail for ever.
#[tokio::test]
async fn a_call_that_cannot_be_processed_is_left_to_a_person_in_the_end() {
    let bench = Bench::start().await;
    let mut connection = bench.database.connection().await;
    let broken = "alter table happenings add constraint broken check (false)";
    sqlx::query(broken).execute(&mut connection).await.unwrap();
    let answer = deliver(&confirmation(&bench, json!({}))).await;
    assert_eq!(answer.body["flag"], true);
    assert_eq!(latest(&bench).await["state"], "received");
    sqlx::query("update callbacks set tries = 10, due_at = onelane_now()").execute(&mut connection).await.unwrap();
    let quarantined = "select exists (select from callbacks where state = 'quarantined')";
    bench.database.wait_until(Duration::from_secs(20), quarantined).await;
    sqlx::query("alter table happenings drop constraint broken").execute(&mut connection).await.unwrap();
    let callback = latest(&bench).await;
    assert_eq!(callback["reason"]["code"], "callback.cannot_be_processed");
    assert_eq!(reprocess(&bench, &callback).await["state"], "processed");
}
