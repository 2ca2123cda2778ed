//! 附录一: what is signed, and what becomes of a call that is not.

use chrono::TimeDelta;
use serde_json::{Value, json};

use super::super::signature::{canonical_json, sign};
use super::{TIMESTAMP, account, confirmation, on_time, read, read_at, signed};
use crate::provider::Refusal;

#[test]
fn the_signature_is_that_of_the_test_vectors() {
    let request =
        r#"{"actualQuantity":8,"customerNumber":"RK20240101001","orderStatus":"FULFILLED","totalQuantity":10}"#;
    assert_eq!(sign("CUST", "SRC", request, "SECRET", TIMESTAMP), "91a9c5c170df19fd0a69239bf5e23cc4");
    let request = json!({"z": 1.0, "a": {"y": "&<>='/汉", "x": [{"d": 1, "c": 2.5}], "n": null}});
    let canonical = canonical_json(&request);
    assert_eq!(canonical, r#"{"a":{"x":[{"c":2.5,"d":1}],"y":"&<>='/汉"},"z":1}"#);
    assert_eq!(sign("CUST", "SRC", &canonical, "SECRET", TIMESTAMP), "6ac8b4a4868005edc4034beaf7ba1c1b");
}

#[test]
fn canonical_json_keeps_what_is_not_to_change() {
    let read = |text: &str| canonical_json(&serde_json::from_str::<Value>(text).unwrap());
    assert_eq!(read(r#" { "b" : [ null , true , "x" ] , "a" : null } "#), r#"{"b":[null,true,"x"]}"#);
    assert_eq!(read("[10, 10.0, 10.50, -0.5, 9007199254740993]"), "[10,10,10.50,-0.5,9007199254740993]");
    assert_eq!(
        read(r#""q\" b\\ s\/ n\n t\t c\u0001 l\u2028 u\u6c49""#),
        "\"q\\\" b\\\\ s/ n\\n t\\t c\\u0001 l\\u2028 u汉\""
    );
    // By UTF-16 a character beyond the first plane comes before one at its end.
    assert_eq!(read("{\"\u{ff5e}\": 1, \"\u{1f600}\": 2}"), "{\"\u{1f600}\":2,\"\u{ff5e}\":1}");
}

#[test]
fn a_call_with_the_right_signature_is_taken() {
    assert!(read(&account(json!({})), &confirmation(10, 8)).is_ok());
    let mut shouted = confirmation(10, 8);
    shouted["sign"] = json!(shouted["sign"].as_str().unwrap().to_uppercase());
    assert!(read(&account(json!({})), &shouted).is_ok());
    // White space and the order of members are not signed.
    let call = confirmation(10, 8);
    let body = serde_json::to_vec_pretty(&call).unwrap();
    assert!(read_at(&account(json!({})), &body, on_time()).is_ok());
}

fn refusal(change: impl FnOnce(&mut Value)) -> Refusal {
    let mut call = confirmation(10, 8);
    change(&mut call);
    read(&account(json!({})), &call).unwrap_err()
}

#[test]
fn any_change_of_what_is_signed_is_found() {
    for change in [
        |call: &mut Value| call["request"]["actualQuantity"] = json!(9),
        |call: &mut Value| call["request"]["customerNumber"] = json!("RK2"),
        |call: &mut Value| call["request"]["more"] = json!(1),
        |call: &mut Value| call["timestamp"] = json!("2024-01-01 08:00:01"),
        |call: &mut Value| call["sign"] = json!("91a9c5c170df19fd0a69239bf5e23cc4"),
        |call: &mut Value| call["sign"] = json!(""),
        |call: &mut Value| call["sign"] = Value::Null,
        |call: &mut Value| drop(call.as_object_mut().unwrap().shift_remove("sign")),
    ] {
        assert_eq!(refusal(change).code, "callback.wrong_signature");
    }
    // Null is not signed.
    let mut call = confirmation(10, 8);
    call["request"]["more"] = Value::Null;
    assert!(read(&account(json!({})), &call).is_ok());
}

#[test]
fn the_reason_lets_an_engineer_find_the_fault_and_tells_no_secret() {
    let refusal = refusal(|call| call["sign"] = json!("wrong"));
    let signed = r#"CUST&SRC&{"actualQuantity":8,"customerNumber":"RK1","orderStatus":"FULFILLED","totalQuantity":10}&***&2024-01-01 08:00:00"#;
    assert!(refusal.detail.contains(signed), "{}", refusal.detail);
    assert!(refusal.detail_zh.contains(signed));
    let right = confirmation(10, 8)["sign"].as_str().unwrap().to_owned();
    for text in [&refusal.detail, &refusal.detail_zh] {
        assert!(!text.contains("SECRET") && !text.contains(&right), "{text}");
    }
}

#[test]
fn the_sender_is_the_account() {
    for name in ["createBy", "dataSource"] {
        let refusal = refusal(|call| call[name] = json!("somebody"));
        assert_eq!(refusal.code, "callback.unknown_sender");
        assert!(refusal.detail.contains(name) && refusal.detail.contains("somebody"), "{}", refusal.detail);
    }
}

#[test]
fn the_time_may_be_off_by_ten_minutes_either_way() {
    let body = confirmation(10, 8).to_string();
    for (seconds, fresh) in [(0, true), (600, true), (-600, true), (601, false), (-601, false)] {
        let read = read_at(&account(json!({})), body.as_bytes(), on_time() + TimeDelta::seconds(seconds));
        assert_eq!(read.is_ok(), fresh, "{seconds}");
        if let Err(refusal) = read {
            assert_eq!(refusal.code, "callback.stale_timestamp");
            assert!(refusal.detail.contains(TIMESTAMP) && refusal.detail.contains("10 minutes"), "{}", refusal.detail);
        }
    }
}

#[test]
fn an_account_that_only_warns_takes_it_and_says_what_is_wrong() {
    let account = account(json!({"verify": "warn"}));
    let mut call = confirmation(10, 8);
    call["sign"] = json!("wrong");
    call["createBy"] = json!("somebody");
    let read = read_at(&account, call.to_string().as_bytes(), on_time() + TimeDelta::hours(1)).unwrap();
    let codes: Vec<_> = read.warnings.iter().map(|warning| warning.code.as_str()).collect();
    assert_eq!(codes, ["callback.unknown_sender", "callback.wrong_signature", "callback.stale_timestamp"]);
    // What cannot be understood cannot be taken.
    assert_eq!(read_at(&account, b"{}", on_time()).unwrap_err().code, "callback.unparsable");
}

#[test]
fn a_signed_call_is_signed_over_members_that_the_document_lacks_too() {
    let call = signed(json!({
        "customerNumber": "RK1", "orderStatus": "FULFILLED", "totalQuantity": 1, "actualQuantity": 1,
        "warehouse": {"z": 1.0, "a": "<仓&库>"},
    }));
    let read = read(&account(json!({})), &call).unwrap();
    assert_eq!(read.data["raw"]["request"]["warehouse"]["a"], "<仓&库>");
}
