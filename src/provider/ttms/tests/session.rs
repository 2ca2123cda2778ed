//! Tokens: how they are asked for, read, refused, and kept out of sight.

use serde_json::{Value, json};

use super::{TOKEN, account, adapter, body, failures, success};
use crate::provider::{Account, Answer, Credentials, Reply, Session, SessionCalls};

fn calls() -> &'static SessionCalls {
    adapter().1.calls().session.as_ref().unwrap()
}

fn answer(status: u16, body: &[u8]) -> Answer<'_> {
    Answer { status, retry_after: None, body }
}

fn tokens() -> Session {
    Session::new(json!({"accessToken": TOKEN, "refreshToken": "9f8326bc-c29f-4a28-a512-26caa1a9850a"}).to_string())
}

#[test]
fn a_token_is_asked_for_with_name_and_password() {
    let request = (calls().open.encode)(&account(json!({})), &()).unwrap();
    assert_eq!((request.method, request.url.as_str()), ("POST", "http://api.56ctms.com/user/generate_access_token/v2"));
    assert_eq!(body(&request), json!({"userName": "username", "password": "pass\"word"}));
    let masked: Value = serde_json::from_slice(&request.masked_body()).unwrap();
    assert_eq!(masked, json!({"userName": "username", "password": "***"}));
}

#[test]
fn a_token_is_renewed_with_its_refresh_token() {
    let request = (calls().renew.encode)(&account(json!({})), &tokens()).unwrap();
    assert_eq!((request.method, request.url.as_str()), ("POST", "http://api.56ctms.com/user/refresh_access_token/v2"));
    let refresh = "9f8326bc-c29f-4a28-a512-26caa1a9850a";
    assert_eq!(body(&request), json!({"userName": "username", "refreshToken": refresh}));
    assert!(!String::from_utf8_lossy(&request.masked_body()).contains(refresh));
    // No token of an earlier session goes with it.
    assert!(!request.url.contains(TOKEN));
}

#[test]
fn the_documents_example_answers() {
    for (operation, reply) in [
        ("generate_access_token", (calls().open.decode)(&(), &answer(200, &success("generate_access_token")))),
        ("refresh_access_token", (calls().renew.decode)(&tokens(), &answer(200, &success("refresh_access_token")))),
    ] {
        let Reply::Done(session) = reply else { panic!("{operation}: {reply:?}") };
        // The same tokens are the same session.
        assert_eq!(session, tokens(), "{operation}");
        assert!(!format!("{session:?}").contains(TOKEN));
    }
    for operation in ["generate_access_token", "refresh_access_token"] {
        for body in failures(operation) {
            for reply in [
                (calls().open.decode)(&(), &answer(200, &body)),
                (calls().renew.decode)(&tokens(), &answer(200, &body)),
            ] {
                let Reply::CredentialsRefused(results) = reply else { panic!("{operation}: {reply:?}") };
                assert_eq!(results[0].code, "auth.invalid_credentials");
                assert!(results[0].raw_message.as_ref().unwrap().starts_with("账号或"));
            }
        }
    }
}

#[test]
fn other_answers() {
    let of = |status, body: &[u8]| (calls().open.decode)(&(), &answer(status, body));
    assert!(matches!(of(401, b""), Reply::SessionExpired));
    assert!(
        matches!(of(404, b""), Reply::CredentialsRefused(results) if results[0].code == "protocol.unknown_endpoint")
    );
    assert!(matches!(of(429, b""), Reply::Throttled { .. }));
    let throttled = json!({"status": 500, "message": "操作频繁"}).to_string();
    assert!(matches!(of(200, throttled.as_bytes()), Reply::Throttled { .. }));
    let refused = json!({"status": 500, "message": "系统异常"}).to_string();
    assert!(
        matches!(of(200, refused.as_bytes()), Reply::Refused(results) if results[0].code == "provider.unclassified")
    );
    for body in [
        r"<html>",
        r#"{"code": 200}"#,
        r#"{"code": 200, "data": {}}"#,
        r#"{"code": 200, "data": {"accessToken": "", "refreshToken": "x"}}"#,
        r#"{"code": 200, "data": {"accessToken": "x"}}"#,
    ] {
        assert!(matches!(of(200, body.as_bytes()), Reply::Unreadable(_)), "{body}");
    }
    assert!(matches!(of(500, b"{}"), Reply::Unreadable(_)));
}

#[test]
fn credentials_that_are_none() {
    let credentials = Credentials::new("{}".to_owned());
    let account = Account::new("a".to_owned(), "http://x".to_owned(), credentials, json!({})).unwrap();
    assert_eq!((calls().open.encode)(&account, &()).unwrap_err()[0].pointer, "/credentials");
    assert!((calls().renew.encode)(&super::account(json!({})), &Session::new("{}".to_owned())).is_err());
}
