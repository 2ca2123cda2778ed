//! The document's own example request, from a canonical order.

use serde_json::{Value, json};

use super::{account, account_with, amend, document, encode, example, example_with, order, translated};
use crate::provider::{Item, Trace};

const EXAMPLE_REQUEST: &str = include_str!("../../../../tests/fixtures/ile/edit-order-request.json");

#[test]
fn a_canonical_order_becomes_the_documents_example() {
    let order = order(&example());
    let encoding = encode(&[amend(&order)], &account(json!({})), &mut Trace::off());
    let mut written = document(&encoding);
    // The table requires what the example leaves out.
    let data = written["data"].as_object_mut().unwrap();
    assert_eq!(data.remove("battery"), Some(json!("0")));
    assert_eq!(data.remove("currency"), Some(json!("USD")));
    assert_eq!(written, serde_json::from_str::<Value>(EXAMPLE_REQUEST).unwrap());
}

#[test]
fn the_request_is_a_post_and_its_credentials_are_masked_in_the_audit() {
    let order = order(&example());
    let encoding = encode(&[amend(&order)], &account(json!({})), &mut Trace::off());
    let request = encoding.request.unwrap();
    let url = "https://oms.example.com/oms/v1/Order/editOrderByApi";
    assert_eq!((request.method, request.url.as_str()), ("POST", url));
    assert!(request.headers.contains(&("content-type", "application/json".to_owned())));
    let masked: Value = serde_json::from_slice(&request.masked_body()).unwrap();
    let sent: Value = serde_json::from_slice(&request.body).unwrap();
    for (member, value) in [("userId", "your_userId"), ("ileId", "your_ileId"), ("sign", "your_sign")] {
        assert_eq!((&sent[member], &masked[member]), (&json!(value), &json!("***")));
    }
    assert_eq!(sent["data"], masked["data"]);
}

#[test]
fn credentials_that_the_account_does_not_have_are_empty() {
    let order = order(&example());
    for (credentials, expected) in
        [(json!({"userId": "u"}), ["u", "", ""]), (json!({"ileId": "i\"", "sign": "s"}), ["", "i\"", "s"])]
    {
        let encoding = encode(&[amend(&order)], &account_with(&credentials, json!({})), &mut Trace::off());
        let written = document(&encoding);
        assert_eq!(["userId", "ileId", "sign"].map(|member| written[member].as_str().unwrap()), expected);
        let masked: Value = serde_json::from_slice(&encoding.request.unwrap().masked_body()).unwrap();
        let masked = ["userId", "ileId", "sign"].map(|member| masked[member].as_str().unwrap().to_owned());
        assert_eq!(masked, expected.map(|value| if value.is_empty() { "" } else { "***" }));
    }
}

#[test]
fn the_customers_reference_goes_by_the_name_that_the_account_says() {
    let order = order(&example());
    for (settings, member, other) in [
        (json!({}), "cust_ref", "custRef"),
        (json!({"customerReferenceMember": "cust_ref"}), "cust_ref", "custRef"),
        (json!({"customerReferenceMember": "custRef"}), "custRef", "cust_ref"),
    ] {
        let data = document(&encode(&[amend(&order)], &account(settings), &mut Trace::off()))["data"].clone();
        assert_eq!((&data[member], data.get(other)), (&json!("test00x"), None));
    }
}

#[test]
fn the_order_is_named_by_the_number_at_ile() {
    let with_number = order(&example());
    let without = order(&example_with(&json!({"providerOrderNumber": null})));
    let number_of = |item: Item<'_>| {
        document(&encode(&[item], &account(json!({})), &mut Trace::off()))["data"]["orderNumber"].clone()
    };
    assert_eq!(number_of(amend(&with_number)), "3674U3000534");
    let known = Item { provider_order_number: Some("3674U3000999"), ..amend(&without) };
    assert_eq!(number_of(known), "3674U3000999");
    assert_eq!(translated(known).dropped, Vec::<String>::new());
    // The number that the gateway knows counts; another in the document is a notice.
    let both = Item { order: &with_number, ..known };
    assert_eq!(number_of(both), "3674U3000999");
    assert_eq!(translated(both).dropped, ["/providerOrderNumber"]);
    let same = Item { provider_order_number: Some("3674U3000534"), ..both };
    assert_eq!(translated(same).dropped, Vec::<String>::new());
    let refused = translated(amend(&without)).refusals;
    assert_eq!((refused.len(), refused[0].pointer.as_str()), (1, "/providerOrderNumber"));
}

#[test]
fn only_one_order_goes_in_a_request() {
    let first = order(&example());
    let second = order(&example_with(&json!({"providerOrderNumber": "3674U3000535"})));
    let encoding = encode(&[amend(&first), amend(&second)], &account(json!({})), &mut Trace::off());
    let codes: Vec<Vec<_>> =
        encoding.items.iter().map(|item| item.refusals.iter().map(|refusal| refusal.code.as_str()).collect()).collect();
    assert_eq!(codes, [vec![], vec!["limit.batch_too_large"]]);
    let sent: Value = serde_json::from_slice(&encoding.request.unwrap().body).unwrap();
    assert_eq!(sent["data"]["orderNumber"], "3674U3000534");
}
