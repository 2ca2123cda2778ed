//! Answers: the document's examples, every kind of failure, and what is no answer at all.

use std::time::Duration;

use serde_json::json;

use super::{NUMBER, adapter, changed, customer_order, failures, success};
use crate::canonical::{EventType, Operation, Order, OrderStatus, Severity};
use crate::provider::{Answer, Item, Outcome, Trip, TripNumbers, Verdict};

const OPERATIONS: &[&str] = &[
    "create_order",
    "modify_order",
    "cancel_orders",
    "create_customer_order",
    "update_customer_order",
    "cancel_customer_orders",
    "create_order_pack",
];

fn decode_items(endpoint: &str, items: &[Item<'_>], status: u16, body: &[u8]) -> Vec<Outcome> {
    let (profile, outward) = adapter();
    let answer = Answer { status, retry_after: Some(Duration::from_secs(7)), body };
    let outcomes = outward.decode(profile.endpoint(endpoint).unwrap(), items, &answer);
    assert_eq!(outcomes.len(), items.len());
    outcomes
}

fn item<'a>(endpoint: &str, order: &'a Order) -> Item<'a> {
    let operation = match endpoint {
        "create_order" | "create_customer_order" => Operation::Create,
        "create_order_pack" => Operation::CreateTrip,
        "modify_order" | "update_customer_order" => Operation::Amend,
        _ => Operation::Cancel,
    };
    let trip = (endpoint == "create_order_pack")
        .then(|| Trip { orders: std::slice::from_ref(order), driver_phone: "13800000009" });
    Item { operation, trip, provider_order_number: Some(NUMBER), ..Item::create(order) }
}

fn decode(endpoint: &str, count: usize, status: u16, body: &[u8]) -> Vec<Outcome> {
    let order = if endpoint.contains("customer") { customer_order(&json!({})) } else { changed(&json!({})) };
    decode_items(endpoint, &vec![item(endpoint, &order); count], status, body)
}

fn one(endpoint: &str, body: &[u8]) -> Outcome {
    decode(endpoint, 1, 200, body).remove(0)
}

fn failure(message: &str) -> Vec<u8> {
    json!({"status": 500, "message": message}).to_string().into_bytes()
}

#[test]
fn the_documents_example_answers() {
    for (endpoint, number, status, event) in [
        ("create_order", Some("1712051703640558"), Some(OrderStatus::Requested), EventType::OrderPlaced),
        ("create_customer_order", Some("S1711151843619482"), Some(OrderStatus::Requested), EventType::OrderPlaced),
        ("modify_order", None, None, EventType::OrderAmended),
        ("update_customer_order", None, None, EventType::OrderAmended),
        ("cancel_orders", None, Some(OrderStatus::Cancelled), EventType::OrderCancelled),
        ("cancel_customer_orders", None, Some(OrderStatus::Cancelled), EventType::OrderCancelled),
        ("create_order_pack", None, Some(OrderStatus::Requested), EventType::OrderPlaced),
    ] {
        let outcome = one(endpoint, &success(endpoint));
        assert_eq!(outcome.verdict, Verdict::Accepted, "{endpoint}");
        assert_eq!(outcome.provider_order_number.as_deref(), number, "{endpoint}");
        assert_eq!((outcome.status, outcome.event), (status, Some(event)), "{endpoint}");
        assert_eq!(outcome.results, [], "{endpoint}");
    }
    let trip = one("create_order_pack", &success("create_order_pack")).trip.unwrap();
    let numbers = vec!["1712051703640558".to_owned()];
    assert_eq!(trip, TripNumbers { trip: "P171205558E431E0001".to_owned(), orders: numbers });
}

#[test]
fn the_documents_example_failures() {
    for endpoint in OPERATIONS {
        let examples = failures(endpoint);
        assert!(!examples.is_empty());
        for body in examples {
            let outcome = one(endpoint, &body);
            assert_eq!(outcome.verdict, Verdict::Rejected, "{endpoint}");
            assert_eq!(outcome.results[0].raw_code, "500");
            assert_eq!((outcome.provider_order_number, outcome.status, outcome.event), (None, None, None));
        }
    }
    let codes: Vec<_> =
        failures("modify_order").iter().map(|body| one("modify_order", body).results[0].code.clone()).collect();
    assert_eq!(codes, ["validation.missing", "reference.order_not_found"]);
}

#[test]
fn a_status_of_20x_is_an_answer() {
    for status in [200, 201, 209] {
        let outcome = decode("create_order", 1, status, &success("create_order")).remove(0);
        assert_eq!(outcome.verdict, Verdict::Accepted);
    }
}

#[test]
fn the_kinds_of_failures() {
    let throttled = Verdict::Throttled { retry_after: Some(Duration::from_secs(7)) };
    for (message, verdict, code) in [
        ("账号或密码不正确", Verdict::CredentialsRefused, "auth.invalid_credentials"),
        ("发货人电话必填", Verdict::Rejected, "validation.missing"),
        ("订单xxx不存在", Verdict::Rejected, "reference.order_not_found"),
        ("订单创建失败", Verdict::Rejected, "provider.rejected"),
        ("订单号已存在", Verdict::AlreadyExists, "state.duplicate"),
        ("订单号重复", Verdict::AlreadyExists, "state.duplicate"),
        ("请勿重复提交", Verdict::RetryFewTimes, "state.busy"),
        ("系统异常", Verdict::RetryFewTimes, "provider.unclassified"),
        ("", Verdict::RetryFewTimes, "provider.unclassified"),
    ] {
        for endpoint in ["create_order", "create_customer_order", "create_order_pack"] {
            let outcome = one(endpoint, &failure(message));
            assert_eq!(outcome.verdict, verdict, "{message}");
            let result = &outcome.results[0];
            assert_eq!((result.code.as_str(), result.raw_message.as_deref().unwrap_or_default()), (code, message));
            assert!(!result.message_zh.is_empty() && !result.message_en.is_empty());
        }
    }
    for endpoint in OPERATIONS {
        assert_eq!(one(endpoint, &failure("操作频繁")), Outcome::only(throttled, Vec::new()));
    }
    // Only of a creation it is news that the order exists.
    assert_eq!(one("modify_order", &failure("客户单号重复")).verdict, Verdict::Rejected);
}

#[test]
fn a_failure_may_have_a_code_of_its_own() {
    for body in [
        json!({"code": 501, "message": "订单xxx不存在"}),
        json!({"code": 501, "status": 500, "message": "订单xxx不存在", "data": null}),
        json!({"code": "501", "message": "订单xxx不存在"}),
        json!({"status": "501", "message": "订单xxx不存在"}),
    ] {
        let outcome = one("modify_order", body.to_string().as_bytes());
        assert_eq!((outcome.verdict, outcome.results[0].raw_code.as_str()), (Verdict::Rejected, "501"));
    }
}

#[test]
fn an_order_that_is_cancelled_already_is_cancelled() {
    for endpoint in ["cancel_orders", "cancel_customer_orders"] {
        let outcome = one(endpoint, &failure("撤销订单失败:订单1901251709800228已撤销"));
        assert_eq!((outcome.verdict, outcome.status), (Verdict::Accepted, Some(OrderStatus::Cancelled)));
        assert_eq!(outcome.event, Some(EventType::OrderCancelled));
        assert_eq!(outcome.results[0].severity, Severity::Info);
        assert!(outcome.results[0].raw_message.is_some());
    }
    assert_eq!(one("modify_order", &failure("订单已撤销")).verdict, Verdict::Rejected);
}

#[test]
fn the_refusal_of_several_orders_sends_each_by_itself() {
    for message in ["订单创建失败", "订单号已存在", "系统异常", "发货人电话必填", ""] {
        for outcome in decode("create_order", 3, 200, &failure(message)) {
            assert_eq!(outcome.verdict, Verdict::SendSingly, "{message}");
            assert_eq!(outcome.results.len(), 1);
        }
    }
    // What is about the account or its requests is no fault of an order.
    let verdict = |status, body: &[u8]| decode("create_order", 3, status, body).remove(2).verdict;
    assert_eq!(verdict(200, &failure("操作频繁")), Verdict::Throttled { retry_after: Some(Duration::from_secs(7)) });
    assert_eq!(verdict(200, &failure("账号或密码不正确")), Verdict::CredentialsRefused);
    assert_eq!(verdict(401, b""), Verdict::SessionExpired);
}

#[test]
fn http_statuses() {
    for endpoint in OPERATIONS {
        let of = |status| decode(endpoint, 1, status, b"{}").remove(0);
        assert_eq!(of(401), Outcome::only(Verdict::SessionExpired, Vec::new()));
        let unknown_interface = of(404);
        assert_eq!(unknown_interface.verdict, Verdict::CredentialsRefused);
        assert_eq!(unknown_interface.results[0].code, "protocol.unknown_endpoint");
        assert_eq!(of(429).verdict, Verdict::Throttled { retry_after: Some(Duration::from_secs(7)) });
        for status in [301, 400, 403, 500, 502, 504] {
            let outcome = of(status);
            assert_eq!(outcome.verdict, Verdict::Unknown, "{status}");
            assert_eq!(outcome.results[0].code, "transport.unreadable_response");
        }
    }
}

#[test]
fn what_is_no_answer_is_unknown() {
    let example = success("create_order");
    let half = &example[..example.len() / 2];
    for body in [
        b"".as_slice(),
        b"<html><body>502 Bad Gateway</body></html>",
        half,
        b"null",
        b"[]",
        b"\"200\"",
        b"{}",
        b"{\"message\": \"x\"}",
        b"{\"code\": null}",
        b"{\"code\": true}",
        b"{\"status\": 200}",
        b"{\"code\": 200, \"status\": 500, \"data\": [\"1\"]}",
        b"{\"code\": 200, \"data\": [\"1\"]} {}",
        b"\xff\xfe",
    ] {
        for endpoint in OPERATIONS {
            let outcome = one(endpoint, body);
            assert_eq!(outcome.verdict, Verdict::Unknown, "{}", String::from_utf8_lossy(body));
            assert_eq!((outcome.status, outcome.event, outcome.trip), (None, None, None));
        }
    }
}

#[test]
fn as_many_numbers_as_orders() {
    let answer = |data: serde_json::Value| json!({"code": 200, "message": null, "data": data}).to_string().into_bytes();
    let numbers = |body: &[u8]| {
        let outcomes = decode("create_order", 2, 200, body);
        outcomes.into_iter().map(|outcome| (outcome.verdict, outcome.provider_order_number)).collect::<Vec<_>>()
    };
    let accepted = |number: &str| (Verdict::Accepted, Some(number.to_owned()));
    assert_eq!(numbers(&answer(json!(["1", "2"]))), [accepted("1"), accepted("2")]);
    let wide: serde_json::Value = serde_json::from_str("[1712051703640558, 99999999999999999999]").unwrap();
    assert_eq!(numbers(&answer(wide)), [accepted("1712051703640558"), accepted("99999999999999999999")]);
    for data in [
        json!(null),
        json!([]),
        json!(["1"]),
        json!(["1", "2", "3"]),
        json!(["1", null]),
        json!(["1", " "]),
        json!(["1", "1"]),
        json!({"numbers": ["1", "2"]}),
        json!("1,2"),
    ] {
        assert_eq!(numbers(&answer(data.clone())), [(Verdict::Unknown, None), (Verdict::Unknown, None)], "{data}");
    }
}

#[test]
fn a_trip_is_whole_or_unknown() {
    let orders = [changed(&json!({})), changed(&json!({"orderNumber": "SO-2"}))];
    let item = Item {
        operation: Operation::CreateTrip,
        trip: Some(Trip { orders: &orders, driver_phone: "13800000009" }),
        ..Item::create(&orders[0])
    };
    let of = |data: serde_json::Value| {
        let body = json!({"code": 200, "data": data}).to_string();
        decode_items("create_order_pack", &[item], 200, body.as_bytes()).remove(0)
    };
    let taken = of(json!({"numbers": ["1", "2"], "ids": ["a", "b"], "packNumber": "P1"}));
    let numbers = TripNumbers { trip: "P1".to_owned(), orders: vec!["1".to_owned(), "2".to_owned()] };
    assert_eq!((taken.verdict, taken.trip), (Verdict::Accepted, Some(numbers)));
    for data in [
        json!(null),
        json!({"numbers": ["1", "2"]}),
        json!({"numbers": ["1", "2"], "packNumber": ""}),
        json!({"numbers": ["1"], "packNumber": "P1"}),
        json!({"packNumber": "P1"}),
    ] {
        let outcome = of(data);
        assert_eq!((outcome.verdict, outcome.trip), (Verdict::Unknown, None));
    }
}

#[test]
fn an_amendment_that_was_not_made() {
    assert_eq!(one("modify_order", br#"{"code": 200, "data": false}"#).verdict, Verdict::Unknown);
    assert_eq!(one("modify_order", br#"{"code": 200}"#).verdict, Verdict::Accepted);
}

proptest::proptest! {
    /// Whatever comes, each item gets an outcome.
    #[test]
    fn decoding_never_panics(body in "\\PC*", status in 100_u16..600) {
        for endpoint in OPERATIONS {
            decode(endpoint, 2, status, body.as_bytes());
        }
    }
}
