//! The list of faults as the control call takes it, for any simulator.

use std::sync::Arc;

use chrono::DateTime;
use serde_json::{Value, json};

use super::Fault;
use crate::sandbox::{Sandbox, SandboxOptions, seeded};

fn read(given: Value) -> Result<Fault, String> {
    let sandbox = Sandbox::new(&SandboxOptions { clock: Arc::new(|| DateTime::UNIX_EPOCH), random: seeded(1) });
    Fault::read(given, &*sandbox.stations[0].simulator)
}

#[test]
fn what_is_not_known_is_refused_by_name_and_what_is_known_is_listed() {
    for (given, parts) in [
        (json!("silence"), &["JSON object"][..]),
        (json!({}), &["kind"]),
        (json!({ "kind": 1 }), &["kind"]),
        (json!({ "kind": "sulk" }), &["sulk", "reset_before_read", "item_twice", "slow"]),
        (json!({ "kind": "html", "colour": 1 }), &["colour", "status", "delayMs"]),
        (json!({ "kind": "slow", "status": 1 }), &["status", "delayMs"]),
        (json!({ "kind": "answer_code" }), &["code"]),
        (json!({ "kind": "replace_body" }), &["body"]),
        (json!({ "kind": "session_killed" }), &["has no answers there"]),
        (json!({ "kind": "callback_duplicate" }), &["calls nobody"]),
        (json!({ "kind": "html", "status": "200" }), &["html", "string"]),
        (json!({ "kind": "html", "status": 100 }), &["100 is no final status"]),
        (json!({ "kind": "html", "status": 1000 }), &["1000 is no final status"]),
        (json!({ "kind": "slow", "times": -1 }), &["slow"]),
        (json!({ "kind": "slow", "probability": 1.5 }), &["probability"]),
        (json!({ "kind": "slow", "endpoint": "nowhere" }), &["endpoint is none of"]),
        (json!({ "kind": "replace_body", "body": "", "contentType": "\n" }), &["header"]),
    ] {
        let reason = read(given.clone()).unwrap_err();
        assert!(parts.iter().all(|part| reason.contains(part)), "{given}: {reason}");
    }
}

#[test]
fn terms_have_defaults() {
    let fault = read(json!({ "kind": "silence" })).unwrap();
    assert_eq!((fault.probability, fault.times, fault.delay_ms), (1.0, None, 60_000));
    assert_eq!(read(json!({ "kind": "slow" })).unwrap().delay_ms, 5_000);
    assert_eq!(read(json!({ "kind": "html", "delayMs": 5 })).unwrap().delay_ms, 5);
    assert_eq!(read(json!({ "kind": "html", "times": null })).unwrap().delay_ms, 0);
}
