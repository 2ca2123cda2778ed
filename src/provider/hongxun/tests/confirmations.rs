//! What a confirmation says.

use serde_json::{Value, json};

use super::super::{Hongxun, confirmation};
use super::{REQUEST, RESPONSE, TIMESTAMP, account, confirmation, on_time, read, read_at, signed};
use crate::canonical::{Counting, EventType, OrderMention, OrderStatus, Receipt};
use crate::provider::{Inward, Reception, Refusal};

#[test]
fn a_confirmation_is_a_receipt_of_goods() {
    let call = confirmation(10, 8);
    let read = read(&account(json!({})), &call).unwrap();
    assert_eq!(read.event, EventType::WarehouseReceiptConfirmed);
    assert_eq!(read.order, OrderMention { order_number: Some("RK1".to_owned()), ..OrderMention::default() });
    assert!(read.without_order);
    assert_eq!((read.occurred_at, read.status), (Some(on_time()), None));
    assert_eq!(
        read.receipt,
        Some(Receipt {
            subject: "RK1".to_owned(),
            quantity: 8,
            total: 10,
            counting: Counting::Cumulative,
            status_when_complete: Some(OrderStatus::Completed),
        })
    );
    assert_eq!(read.warnings, []);
    assert_eq!(
        Value::Object(read.data),
        json!({
            "orderNumber": "RK1",
            "providerStatus": "FULFILLED",
            "totalQuantity": 10,
            "actualQuantity": 8,
            "counting": "cumulative",
            "reportedAt": "2024-01-01T00:00:00Z",
            "sender": {"createBy": "CUST", "dataSource": "SRC"},
            "raw": call,
        })
    );
}

/// Its values are no values; an account that only warns takes it all the same.
#[test]
fn the_documents_example_is_understood() {
    let read = read_at(&account(json!({"verify": "warn"})), REQUEST.as_bytes(), on_time()).unwrap();
    assert_eq!(read.order.order_number.as_deref(), Some("string"));
    assert_eq!((read.data["totalQuantity"].as_i64(), read.data["actualQuantity"].as_i64()), (Some(0), Some(0)));
    assert_eq!(read.occurred_at, None);
    assert_eq!(read.receipt.unwrap().status_when_complete, None);
    let codes: Vec<_> = read.warnings.iter().map(|warning| warning.code.as_str()).collect();
    assert_eq!(
        codes,
        ["callback.unknown_sender", "callback.wrong_signature", "callback.stale_timestamp", "status.unknown"]
    );
}

#[test]
fn the_answers_are_those_of_the_document() {
    let accepted = Hongxun.reply(Reception::Accepted);
    assert_eq!((accepted.status, accepted.content_type), (200, "application/json"));
    let body = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap();
    assert_eq!(body(&accepted.body), body(RESPONSE.as_bytes()));
    for (code, number) in [
        ("callback.wrong_signature", 401),
        ("callback.stale_timestamp", 401),
        ("callback.unknown_sender", 401),
        ("callback.unparsable", 400),
        ("callback.account_unusable", 500),
    ] {
        let refused = Hongxun.reply(Reception::Refused(&Refusal::new(code, "why", "原因")));
        assert_eq!(refused.status, 200);
        assert_eq!(body(&refused.body), json!({"code": number, "message": "原因", "flag": false}));
    }
}

#[test]
fn a_state_that_the_document_lacks_is_kept_and_moves_no_order() {
    let call =
        signed(json!({"customerNumber": "RK1", "orderStatus": "PARTIAL", "totalQuantity": 5, "actualQuantity": 5}));
    let read = read(&account(json!({})), &call).unwrap();
    assert_eq!(read.data["providerStatus"], "PARTIAL");
    assert_eq!(read.receipt.unwrap().status_when_complete, None);
    assert_eq!(read.warnings[0].code, "status.unknown");
    assert!(read.warnings[0].detail.contains("PARTIAL"));
}

#[test]
fn quantities_are_whole_numbers_in_whatever_form() {
    for (given, number) in [(json!(8), 8), (json!("8"), 8), (serde_json::from_str("8.0").unwrap(), 8), (json!(0), 0)] {
        let request =
            json!({"customerNumber": "RK1", "orderStatus": "FULFILLED", "totalQuantity": 10, "actualQuantity": given});
        assert_eq!(read(&account(json!({})), &signed(request)).unwrap().receipt.unwrap().quantity, number);
    }
    for given in
        [json!(-1), json!(1.5), json!("eight"), json!(""), Value::Null, json!([]), json!(9_000_000_000_000_i64)]
    {
        let request =
            json!({"customerNumber": "RK1", "orderStatus": "FULFILLED", "totalQuantity": 10, "actualQuantity": given});
        let refusal = read(&account(json!({})), &signed(request)).unwrap_err();
        assert_eq!(refusal.code, "callback.unparsable");
        assert!(refusal.detail.contains("request.actualQuantity"), "{}", refusal.detail);
    }
}

#[test]
fn what_is_missing_is_named() {
    for name in ["customerNumber", "orderStatus", "totalQuantity", "actualQuantity"] {
        let mut request = confirmation(10, 8)["request"].clone();
        request.as_object_mut().unwrap().shift_remove(name);
        let refusal = read(&account(json!({})), &signed(request)).unwrap_err();
        assert_eq!(refusal.code, "callback.unparsable");
        assert!(refusal.detail.contains(&format!("request.{name}")), "{}", refusal.detail);
    }
    for body in ["", "null", "[]", "{}", r#"{"request": []}"#, "<html/>", "\u{feff}{}"] {
        assert_eq!(read_at(&account(json!({})), body.as_bytes(), on_time()).unwrap_err().code, "callback.unparsable");
    }
    // GBK is not JSON.
    assert!(
        read_at(&account(json!({})), b"{\"request\":\"\xb4\xed\"}", on_time()).unwrap_err().detail.contains("UTF-8")
    );
}

#[test]
fn repetitions_are_known_by_what_they_say() {
    let key = |mode: &str, timestamp: &str, total: i64, actual: i64| {
        let mut call = confirmation(total, actual);
        call["timestamp"] = json!(timestamp);
        let account = account(json!({"quantityMode": mode}));
        confirmation::parse(&account, call.to_string().as_bytes()).unwrap().dedupe_key
    };
    let later = "2024-01-01 08:05:00";
    // Signed anew, but the same state of things.
    assert_eq!(key("cumulative", TIMESTAMP, 10, 8), key("cumulative", later, 10, 8));
    assert_ne!(key("cumulative", TIMESTAMP, 10, 8), key("cumulative", TIMESTAMP, 10, 9));
    assert_ne!(key("cumulative", TIMESTAMP, 10, 8), key("cumulative", TIMESTAMP, 11, 8));
    // Two batches may well be of one size.
    assert_ne!(key("incremental", TIMESTAMP, 10, 4), key("incremental", later, 10, 4));
    assert_eq!(key("incremental", TIMESTAMP, 10, 4), key("incremental", TIMESTAMP, 10, 4));
}
