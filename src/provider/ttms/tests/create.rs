//! create_order's request.

use serde_json::{Value, json};

use super::{
    WHOLE_ORDERS, account, adapter, body, changed, demo, encode, leaves, order, sent, translated, whole_orders,
};
use crate::canonical::{DocumentType, Operation, Order};
use crate::provider::{Item, Limit};

const EXAMPLE_ORDER: &str = include_str!("../../../../tests/fixtures/ttms/create-order-order.json");
const EXAMPLE_REQUEST: &str = include_str!("../../../../tests/fixtures/ttms/create-order-request.json");
const ENTITY: &str = include_str!("../../../../tests/fixtures/ttms/order-entity.json");

fn example() -> Order {
    order(&serde_json::from_str(EXAMPLE_ORDER).unwrap())
}

#[test]
fn the_canonical_example_becomes_its_request() {
    let order = example();
    let expected: Value = serde_json::from_str(EXAMPLE_REQUEST).unwrap();
    assert_eq!(sent(Item::create(&order)), expected);
}

#[test]
fn every_member_of_the_documents_entity_is_sent_with_its_type() {
    let entity: Value = serde_json::from_str(ENTITY).unwrap();
    let order = changed(&json!({}));
    let sent = sent(Item::create(&order));
    let (sent, documented) = (leaves(&sent["orderList"][0]), leaves(&entity));
    assert_eq!(sent.keys().collect::<Vec<_>>(), documented.keys().collect::<Vec<_>>());
    for (path, value) in &documented {
        assert_eq!(sent[path].is_string(), value.is_string(), "{path}");
        assert_eq!(sent[path].is_number(), value.is_number(), "{path}");
    }
}

#[test]
fn numbers_are_sent_digit_for_digit() {
    let changes = r#"{
        "lines": [{"quantity": 2.50, "grossWeight": "0.000001", "volume": 999999999999999999.999999}],
        "charges": {"revenue": {"freight": {"amount": 1800.10}}},
        "shipFrom": {"address": {"geo": {"latitude": 30.2774380, "longitude": 120.1256400001}}}
    }"#;
    let order = changed(&serde_json::from_str(changes).unwrap());
    let encoding = encode(&[Item::create(&order)], &demo());
    let text = String::from_utf8(encoding.request.unwrap().body).unwrap();
    for member in [
        "\"quantity\":2.50",
        "\"weight\":0.000001",
        "\"volume\":999999999999999999.999999",
        "\"shipperPay\":1800.10",
        "\"consignerLocation\":{\"lng\":\"120.1256400001\",\"lat\":\"30.2774380\"}",
    ] {
        assert!(text.contains(member), "{member}");
    }
}

#[test]
fn the_request_is_a_post_with_the_token_in_its_address_alone() {
    let order = example();
    let request = encode(&[Item::create(&order)], &demo()).request.unwrap();
    assert_eq!(request.method, "POST");
    let url = "http://api.56ctms.com/order/create_order?access_token=";
    assert_eq!(request.url, format!("{url}{}", super::TOKEN));
    assert_eq!(request.masked_url(), format!("{url}***"));
    assert!(!String::from_utf8_lossy(&request.body).contains(super::TOKEN));
    assert!(request.headers.contains(&("content-type", "application/json; charset=UTF-8".to_owned())));

    let mut without_session = demo();
    without_session.session = None;
    assert_eq!(encode(&[Item::create(&order)], &without_session).request.unwrap().url, url);
}

#[test]
fn other_datums_are_converted() {
    let geo = json!({"latitude": 39.915, "longitude": 116.404, "datum": "wgs84"});
    let order = changed(&json!({"shipFrom": {"address": {"geo": geo}}}));
    let translation = translated(Item::create(&order));
    let sent = body(translation.request.as_ref().unwrap());
    assert_eq!(sent["orderList"][0]["consignerLocation"], json!({"lng": "116.410244", "lat": "39.916404"}));
    let latitude = translation.lineage.iter().find(|lineage| lineage.pointer.ends_with("geo/latitude")).unwrap();
    assert_eq!(latitude.note, Some("wgs84 to gcj02"));
}

#[test]
fn the_value_of_a_line_is_declared_or_that_of_its_units() {
    let order = changed(&json!({"lines": [
        {"quantity": 3, "unitValue": {"amount": 0.1, "currency": "CNY"}},
        {"quantity": 3, "unitValue": {"amount": 0.1, "currency": "CNY"}, "declaredValue": {"amount": 5, "currency": "CNY"}},
        {"quantity": 3, "unitValue": {"amount": 0.1, "currency": "USD"}},
        {"name": "x", "unitValue": {"amount": 0.1, "currency": "CNY"}},
    ]}));
    let translation = translated(Item::create(&order));
    assert_eq!(translation.dropped, ["/lines/1/unitValue", "/lines/2/unitValue", "/lines/3/unitValue"]);
    let sent = body(&translation.request.unwrap());
    let values: Vec<_> =
        sent["orderList"][0]["cargoList"].as_array().unwrap().iter().map(|cargo| &cargo["value"]).collect();
    assert_eq!(values, [&json!(0.3), &json!(5), &Value::Null, &Value::Null]);
}

#[test]
fn an_order_needs_no_consignee_and_no_goods() {
    let order = changed(&json!({"shipTo": null, "lines": null, "customFields": null}));
    let entity = sent(Item::create(&order))["orderList"][0].clone();
    for name in ["consigneeName", "consigneeLocation", "endAddress", "cargoList", "extraFields"] {
        assert!(entity.get(name).is_none(), "{name}");
    }
}

#[test]
fn creations_share_a_request_only_where_the_account_allows_it() {
    let (profile, outward) = adapter();
    let orders: Vec<Order> = whole_orders().iter().map(order).collect();
    let key = |settings: Value, operation, order| outward.batch_key(&account(settings), operation, order);
    let alone = |operation| key(json!({}), operation, &orders[0]) != key(json!({}), operation, &orders[1]);
    assert!(alone(Operation::Create) && !alone(Operation::Amend) && !alone(Operation::Cancel));
    let together = json!({"batchCreate": true});
    assert_eq!(key(together.clone(), Operation::Create, &orders[0]), key(together, Operation::Create, &orders[1]));
    let of = |operation, document_type| profile.endpoint(profile.operation(operation, document_type).unwrap().endpoint);
    assert_eq!(of(Operation::Create, DocumentType::TransportOrder).unwrap().batch_limit, 100);
    assert_eq!(of(Operation::Create, DocumentType::CustomerOrder).unwrap().batch_limit, 50);
}

#[test]
fn a_refused_order_does_not_spoil_its_neighbours() {
    let mut documents: Vec<Value> = serde_json::from_str(WHOLE_ORDERS).unwrap();
    documents[1]["pickup"].take();
    documents[1].as_object_mut().unwrap().remove("pickup");
    let orders: Vec<Order> = documents.iter().map(order).collect();
    let encoding = encode(&orders.iter().map(Item::create).collect::<Vec<_>>(), &demo());
    let refused: Vec<_> = encoding.items.iter().map(|item| !item.refusals.is_empty()).collect();
    assert_eq!(refused, [false, true, false]);
    let sent = body(&encoding.request.unwrap());
    let numbers: Vec<_> = sent["orderList"].as_array().unwrap().iter().map(|order| &order["orderNumber"]).collect();
    assert_eq!(numbers, ["SO-1", "SO-3"]);
}

#[test]
fn the_documented_limits() {
    let (profile, _) = adapter();
    for endpoint in profile.endpoints {
        let Limit { requests, window } = endpoint.limit;
        let hourly = matches!(
            endpoint.id,
            "create_order"
                | "find_order"
                | "query_orders"
                | "modify_order"
                | "create_customer_order"
                | "update_customer_order"
                | "query_customer_orders"
        );
        let expected = if hourly { (10_000, 3600) } else { (5, 1) };
        assert_eq!((requests, window.as_secs()), expected, "{}", endpoint.id);
        assert_eq!(endpoint.method, "POST");
        // What will be withdrawn (未来将停用) is not called.
        assert!(!endpoint.path.starts_with("/cargo/"));
    }
    assert_eq!(profile.endpoints.len(), 21);
}
