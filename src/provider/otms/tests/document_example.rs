//! The document's own example request, from canonical orders and element by element.

use serde_json::json;

use super::{account, document, encode, leaves, order, orders};
use crate::provider::Trace;
use crate::provider::xml::read_document;

const EXAMPLE_REQUEST: &[u8] = include_bytes!("../../../../tests/fixtures/otms/order-import-request.xml");
const EXAMPLE_ORDERS: &str = include_str!("../../../../tests/fixtures/otms/order-import-orders.json");

/// What the gateway adds to the example: its own key where the example has none, and what it says outright
/// instead of leaving it to oTMS's defaults.
const ADDITIONS: &[&str] = &[
    "/orders/order[0]/erpNumber",
    "/orders/order[0]/allowUpdate",
    "/orders/order[0]/rejectDraft",
    "/orders/order[0]/autoProcessMode",
    "/orders/order[1]/allowUpdate",
    "/orders/order[1]/rejectDraft",
    "/orders/order[1]/autoProcessMode",
    "/orders/order[2]/erpNumber",
    "/orders/order[2]/allowUpdate",
    "/orders/order[2]/rejectDraft",
    "/orders/order[2]/autoProcessMode",
    "/orders/order[3]/erpNumber",
    "/orders/order[3]/allowUpdate",
    "/orders/order[3]/rejectDraft",
    "/orders/order[3]/autoProcessMode",
];

#[test]
fn four_canonical_orders_become_the_documents_example() {
    let orders: Vec<_> = orders(EXAMPLE_ORDERS).iter().map(order).collect();
    let encoding = encode(&orders, &account(json!({})), &mut Trace::off());
    assert!(encoding.items.iter().all(|item| item.refusals.is_empty() && item.notices.is_empty()));

    let written = leaves(&document(&encoding));
    let (added, of_the_example): (Vec<_>, Vec<_>) =
        written.into_iter().partition(|(path, _)| ADDITIONS.contains(&path.as_str()));
    let added: Vec<_> = added.into_iter().map(|(path, _)| path).collect();
    assert_eq!(added, ADDITIONS);
    assert_eq!(of_the_example, leaves(&read_document(EXAMPLE_REQUEST).unwrap()));
}

#[test]
fn the_request_is_a_put_with_basic_authentication_and_no_password_in_the_document() {
    let orders: Vec<_> = orders(EXAMPLE_ORDERS).iter().map(order).collect();
    let encoding = encode(&orders, &account(json!({})), &mut Trace::off());
    let request = encoding.request.unwrap();
    assert_eq!((request.method, request.url.as_str()), ("PUT", "https://demo.otms.cn/ws/orderImport"));
    let header = |name: &str| request.headers.iter().find(|(found, _)| *found == name).map(|(_, value)| value.as_str());
    // username:pass<word>
    assert_eq!(header("authorization"), Some("Basic dXNlcm5hbWU6cGFzczx3b3JkPg=="));
    assert_eq!(header("content-type"), Some("application/xml; charset=UTF-8"));
    let masked = request.masked_headers();
    assert!(masked.contains(&("authorization".to_owned(), "***".to_owned())));
    let root = read_document(&request.body).unwrap();
    assert_eq!(root.attributes, [("version".to_owned(), "0.1".to_owned())]);
    let sequences: Vec<_> =
        root.child("orders").unwrap().children("order").map(|order| order.attribute("sequence").unwrap()).collect();
    assert_eq!(sequences, ["1", "2", "3", "4"]);
}

#[test]
fn credentials_in_the_document_are_attributes_and_masked_in_the_audit() {
    let orders: Vec<_> = orders(EXAMPLE_ORDERS).iter().take(1).map(order).collect();
    let encoding = encode(&orders, &account(json!({"credentialsIn": "document"})), &mut Trace::off());
    let request = encoding.request.unwrap();
    assert!(request.headers.iter().all(|(name, _)| *name != "authorization"));
    let root = read_document(&request.body).unwrap();
    assert_eq!(root.attribute("login"), Some("username"));
    assert_eq!(root.attribute("password"), Some("pass<word>"));
    let masked = read_document(&request.masked_body()).unwrap();
    assert_eq!(masked.attribute("password"), Some("***"));
    assert_eq!(masked.children, root.children);
}
