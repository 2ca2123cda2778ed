//! The simulator against its document.

use std::sync::Arc;

use chrono::DateTime;
use serde_json::{Value, json};

use super::HongxunSimulator;
use super::signature::sign;
use crate::sandbox::{CallBack, Calling, NotAdvanced, Simulator, Stage, UnderWay};

const URL: &str = "http://gateway.test/callbacks/x";
/// 2024-01-01 08:00:00 in China
const NOW: &str = "2024-01-01T00:00:00Z";

fn simulator() -> HongxunSimulator {
    let now: DateTime<chrono::Utc> = NOW.parse().unwrap();
    let simulator = HongxunSimulator::new(Arc::new(move || now));
    simulator.call_at(URL);
    simulator
}

/// The calls that are made when this is asked for.
fn tell(simulator: &HongxunSimulator, asked: Value) -> Vec<CallBack> {
    simulator.tell(asked).unwrap();
    simulator.due()
}

fn body(call: &CallBack) -> Value {
    serde_json::from_str(&call.body).unwrap()
}

fn asked(more: Value) -> Value {
    let mut asked = json!({"customerNumber": "RK1", "totalQuantity": 10, "actualQuantity": 8});
    asked.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    asked
}

#[test]
fn a_confirmation_has_the_members_of_the_document_and_is_signed() {
    let calls = tell(&simulator(), asked(json!({})));
    assert_eq!((calls.len(), calls[0].url.as_str()), (1, URL));
    let document = include_str!("../../../tests/fixtures/hongxun/status-confirm-request.json");
    let (documented, sent) = (serde_json::from_str::<Value>(document).unwrap(), body(&calls[0]));
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&sent), names(&documented));
    assert_eq!(names(&sent["request"]), names(&documented["request"]));
    assert_eq!(
        sent["request"],
        json!({"customerNumber": "RK1", "orderStatus": "FULFILLED", "totalQuantity": 10, "actualQuantity": 8})
    );
    assert_eq!(sent["timestamp"], "2024-01-01 08:00:00");
    assert_eq!(sent["sign"], sign(&sent["request"], "2024-01-01 08:00:00"));
}

#[test]
fn what_goes_wrong_on_purpose() {
    let simulator = simulator();
    let sent = |more: Value| tell(&simulator, asked(more));
    let wrong = body(&sent(json!({"signature": "wrong"}))[0]);
    assert_ne!(wrong["sign"], sign(&wrong["request"], "2024-01-01 08:00:00"));
    assert_eq!(body(&sent(json!({"signature": "missing"}))[0]).get("sign"), None);
    // Signed all the same: only the time is wrong.
    let stale = body(&sent(json!({"timestamp": "stale"}))[0]);
    assert_eq!(stale["timestamp"], "2024-01-01 07:49:00");
    assert_eq!(stale["sign"], sign(&stale["request"], "2024-01-01 07:49:00"));
    let twice = sent(json!({"times": 2}));
    assert_eq!((twice.len(), &twice[0]), (2, &twice[1]));
    let more = body(&sent(json!({"orderStatus": "PARTIAL", "members": {"batch": 1}}))[0]);
    assert_eq!((&more["request"]["orderStatus"], &more["request"]["batch"]), (&json!("PARTIAL"), &json!(1)));
}

#[test]
fn what_cannot_be_asked_for_is_said() {
    let simulator = simulator();
    for (asked, word) in [
        (json!({}), "customerNumber"),
        (asked(json!({"colour": 1})), "colour"),
        (asked(json!({"signature": "forged"})), "forged"),
        (asked(json!({"times": 0})), "times"),
        (asked(json!({"times": 21})), "times"),
        (asked(json!({"customerNumber": ""})), "customerNumber"),
    ] {
        let reason = simulator.tell(asked.clone()).unwrap_err();
        assert!(reason.contains(word), "{asked}: {reason}");
    }
    let untold = HongxunSimulator::new(Arc::new(|| DateTime::UNIX_EPOCH));
    assert!(untold.tell(asked(json!({}))).unwrap_err().contains("callbackUrl"));
    assert_eq!(tell(&untold, asked(json!({"callbackUrl": URL})))[0].url, URL);
}

#[test]
fn the_books_have_an_order_once() {
    let simulator = simulator();
    for actual in [3, 8] {
        simulator.tell(asked(json!({"actualQuantity": actual}))).unwrap();
    }
    let books = simulator.books(Some("RK1"));
    assert_eq!(books.len(), 1);
    assert_eq!((books[0].created, books[0].amended, books[0].status), (1, 1, "FULFILLED"));
    assert!(books[0].document.get().contains("\"actualQuantity\":8"));
    simulator.reset();
    assert_eq!(simulator.books(None).len(), 0);
    assert_eq!(simulator.holdings()["callbackUrl"], URL);
}

#[test]
fn the_rest_of_an_order_comes_with_its_delivery() {
    let simulator = simulator();
    assert!(matches!(simulator.advance("RK1", Stage::Delivered), Err(NotAdvanced::UnknownOrder(_))));
    tell(&simulator, asked(json!({})));
    assert!(matches!(simulator.advance("RK1", Stage::PickedUp), Err(NotAdvanced::Unsupported(_))));
    assert_eq!(simulator.advance("RK1", Stage::Delivered).unwrap().amended, 1);
    assert_eq!(body(&simulator.due()[0])["request"]["actualQuantity"], 10);
    assert_eq!(simulator.due(), []);
}

#[test]
fn what_came_in_part_is_under_way() {
    let simulator = simulator();
    assert_eq!(simulator.under_way(), []);
    tell(&simulator, asked(json!({})));
    tell(&simulator, asked(json!({"customerNumber": "RK2", "actualQuantity": 10})));
    let since = NOW.parse().unwrap();
    assert_eq!(simulator.under_way(), [UnderWay { number: "RK1".to_owned(), next: Stage::Delivered, since }]);
    simulator.advance("RK1", Stage::Delivered).unwrap();
    assert_eq!(simulator.under_way(), []);
}

#[test]
fn a_forged_call_has_a_wrong_signature_and_nothing_else() {
    let simulator = simulator();
    let right = tell(&simulator, asked(json!({}))).remove(0);
    let forged = simulator.forged(&right);
    let (mut forged_body, right_body) = (body(&forged), body(&right));
    assert_ne!(forged_body["sign"], right_body["sign"]);
    forged_body["sign"] = right_body["sign"].clone();
    assert_eq!((forged_body, &forged.url), (right_body, &right.url));
}
