//! Answers of editOrderByApi: the document's example, every code, and what is no answer at all.

use std::time::Duration;

use serde_json::{Value, json};

use super::{adapter, amend, example, order};
use crate::canonical::{EventType, Severity};
use crate::provider::{Answer, Outcome, Verdict};

const EXAMPLE_RESPONSE: &[u8] = include_bytes!("../../../../tests/fixtures/ile/edit-order-response.json");

fn decode(status: u16, body: &[u8]) -> Outcome {
    let (profile, outward) = adapter();
    let order = order(&example());
    let endpoint = profile.endpoint("editOrderByApi").unwrap();
    let answer = Answer { status, retry_after: Some(Duration::from_secs(7)), body };
    let mut outcomes = outward.decode(endpoint, &[amend(&order)], &answer);
    assert_eq!(outcomes.len(), 1);
    outcomes.remove(0)
}

fn answer(code: &Value, msg: &str) -> Vec<u8> {
    json!({"body": null, "code": code, "msg": msg}).to_string().into_bytes()
}

#[test]
fn the_documents_example_answer() {
    let outcome = decode(200, EXAMPLE_RESPONSE);
    assert_eq!((outcome.verdict, outcome.event), (Verdict::Accepted, Some(EventType::OrderAmended)));
    assert_eq!((outcome.status, outcome.provider_order_number), (None, None));
    let [result] = outcome.results.as_slice() else { panic!() };
    assert_eq!((result.raw_code.as_str(), result.code.as_str(), result.severity), ("200", "ok", Severity::Info));
    // `msg` and `body` say the same.
    assert_eq!(result.raw_message.as_deref(), Some("订单编辑成功"));
}

#[test]
fn every_code_in_the_body_and_as_http_status_too() {
    let (profile, _) = adapter();
    for (code, verdict, canonical, pointers) in [
        (200, Verdict::Accepted, "ok", vec![]),
        (401, Verdict::CredentialsRefused, "auth.invalid_credentials", vec![]),
        (403, Verdict::CredentialsRefused, "auth.forbidden", vec![]),
        (404, Verdict::Rejected, "reference.order_not_found", vec!["/providerOrderNumber"]),
        (500, Verdict::RetryFewTimes, "provider.unspecified", vec![]),
    ] {
        for status in [200, code] {
            let outcome = decode(status, &answer(&json!(code), "说明"));
            assert_eq!(outcome.verdict, verdict, "{code} with {status}");
            let [result] = outcome.results.as_slice() else { panic!() };
            assert_eq!(
                (result.code.as_str(), &result.pointers),
                (canonical, &pointers.clone().into_iter().map(str::to_owned).collect())
            );
            assert_eq!((result.scope.as_str(), result.raw_code.clone()), ("body", code.to_string()));
            assert_eq!(result.raw_message.as_deref(), Some("说明"));
            assert_eq!(outcome.event.is_some(), code == 200);
            let entry = (profile.catalogue)().find("body", &code.to_string()).unwrap();
            assert_eq!((&result.message_zh, result.retryable), (&entry.message_zh, code == 500));
        }
    }
}

#[test]
fn a_code_and_a_status_that_disagree_say_nothing() {
    for (status, code) in [(500, 200), (404, 200), (502, 200), (404, 500), (502, 500), (201, 200), (302, 200)] {
        let outcome = decode(status, &answer(&json!(code), "x"));
        assert_eq!(outcome.verdict, Verdict::Unknown, "{code} with {status}");
        assert_eq!(outcome.results[0].code, "transport.unreadable_response");
    }
}

#[test]
fn an_unknown_code_is_kept_and_leaves_the_outcome_open() {
    for code in [0, 51014, -1, 201, 400] {
        let outcome = decode(200, &answer(&json!(code), "订单当前状态是[仓库入库]"));
        assert_eq!((outcome.verdict, outcome.event), (Verdict::Unknown, None));
        let [result] = outcome.results.as_slice() else { panic!() };
        assert_eq!((result.raw_code.clone(), result.code.as_str()), (code.to_string(), "provider.unclassified"));
        assert_eq!(result.raw_message.as_deref(), Some("订单当前状态是[仓库入库]"));
    }
}

#[test]
fn words_of_the_provider_are_kept() {
    for (body, msg, words) in [
        (json!("a"), json!("b"), Some("b; a")),
        (json!("a"), json!("a"), Some("a")),
        (json!("a"), json!(null), Some("a")),
        (json!(null), json!("b"), Some("b")),
        (json!({"orderNumber": 1.50}), json!("b"), Some("b; {\"orderNumber\":1.5}")),
        (json!(null), json!(""), None),
    ] {
        let outcome = decode(200, json!({"body": body, "code": 500, "msg": msg}).to_string().as_bytes());
        assert_eq!(outcome.results[0].raw_message.as_deref(), words);
    }
    // Only `code` is needed.
    assert_eq!(decode(200, b"{\"code\": 200}").verdict, Verdict::Accepted);
}

#[test]
fn what_is_no_answer_is_unknown_and_never_a_success_or_a_rejection() {
    let cut = &EXAMPLE_RESPONSE[..EXAMPLE_RESPONSE.len() / 2];
    for body in [
        b"".as_slice(),
        b"<html><body>200</body></html>",
        b"200",
        b"[200]",
        b"{}",
        b"{\"code\": \"200\"}",
        b"{\"code\": 200.5}",
        b"{\"code\": 99999999999}",
        b"{\"code\": null}",
        b"{\"code\": 500, \"code\": 200}",
        b"{\"code\": 200, \"msg\": \"\xff\"}",
        b"{\"code\": 200, \"unread\": \"\xff\"}",
        b"{\"code\": 200} {}",
        // A page of the server for a route that it does not have.
        b"{\"timestamp\": 1, \"status\": 404, \"error\": \"Not Found\", \"path\": \"/oms\"}",
        cut,
    ] {
        for status in [200, 404, 500, 502] {
            let outcome = decode(status, body);
            assert_eq!(outcome.verdict, Verdict::Unknown, "{status} {}", String::from_utf8_lossy(body));
            assert_eq!(outcome.results[0].code, "transport.unreadable_response");
        }
    }
}

#[test]
fn http_statuses_that_need_no_body() {
    let after = Verdict::Throttled { retry_after: Some(Duration::from_secs(7)) };
    for (status, verdict, code) in [
        (401, Verdict::CredentialsRefused, Some("auth.invalid_credentials")),
        (403, Verdict::CredentialsRefused, Some("auth.forbidden")),
        (429, after, None),
    ] {
        for body in [b"".as_slice(), b"<html/>", EXAMPLE_RESPONSE] {
            let outcome = decode(status, body);
            assert_eq!(outcome.verdict, verdict, "{status}");
            assert_eq!(outcome.results.first().map(|result| result.code.as_str()), code);
        }
    }
}

proptest::proptest! {
    /// Whatever comes, decoding ends.
    #[test]
    fn decoding_never_panics(noise in proptest::collection::vec(proptest::num::u8::ANY, 0..100), at in 0_usize..100) {
        let mut body = EXAMPLE_RESPONSE.to_vec();
        let at = at.min(body.len());
        body.splice(at.., noise.iter().copied());
        decode(200, &body);
        decode(200, &noise);
    }
}
