//! orderCustomUpdate's request: which fields it holds, how it names the order, and what is refused.

use serde_json::{Value, json};

use super::{account, adapter, document, encode_items, leaves, order};
use crate::canonical::{Operation, Order, merge_patch};
use crate::provider::xml::read_document;
use crate::provider::{Item, Trace, Translation, translate};

const EXAMPLE_REQUEST: &[u8] = include_bytes!("../../../../tests/fixtures/otms/order-custom-update-request.xml");
const EXAMPLE_CHANGE: &str = include_str!("../../../../tests/fixtures/otms/order-custom-update-change.json");

/// An order as it stands after `change`.
fn changed(before: &Value, change: &Value) -> Order {
    let mut document = json!({"account": "otms-demo", "orderNumber": "250321005", "shipFrom": {"externalId": "W1"}});
    merge_patch(&mut document, before);
    merge_patch(&mut document, change);
    order(&document)
}

fn update<'a>(order: &'a Order, change: Option<&'a Value>) -> Item<'a> {
    Item { operation: Operation::UpdateCustomFields, change, ..Item::create(order) }
}

fn translated_from(before: &Value, change: &Value) -> Translation {
    let (profile, outward) = adapter();
    let order = changed(before, change);
    let account = account(json!({"customFieldMap": {"brand": "text7", "make": "text7"}}));
    translate(profile, outward, &account, update(&order, Some(change)))
}

fn translated(change: &Value) -> Translation {
    translated_from(&json!({}), change)
}

/// The elements below `order`, with their texts.
fn sent(translation: &Translation) -> Vec<(String, String)> {
    assert_eq!(translation.refusals, []);
    assert_eq!(translation.dropped, Vec::<String>::new());
    let root = read_document(&translation.request.as_ref().unwrap().body).unwrap();
    leaves(root.child("orders").unwrap().child("order").unwrap())
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn a_change_becomes_the_documents_example() {
    let change: Value = serde_json::from_str(EXAMPLE_CHANGE).unwrap();
    let order = changed(&json!({"remarks": "not part of it"}), &change);
    let encoding = encode_items(&[update(&order, Some(&change))], &account(json!({})), &mut Trace::off());
    let written = document(&encoding);
    let example = read_document(EXAMPLE_REQUEST).unwrap();
    assert_eq!(written.name, example.name);
    assert_eq!(leaves(&written), leaves(&example));

    let request = encoding.request.unwrap();
    assert_eq!((request.method, request.url.as_str()), ("POST", "https://demo.otms.cn/ws/orderCustomUpdate"));
    assert!(request.headers.iter().any(|(name, value)| *name == "authorization" && value.starts_with("Basic ")));
    assert_eq!(written.attributes, [("version".to_owned(), "0.1".to_owned())]);
}

#[test]
fn credentials_in_the_document_are_attributes_and_masked() {
    let change = json!({"customFields": {"text1": "a"}});
    let order = changed(&json!({}), &change);
    let account = account(json!({"credentialsIn": "document"}));
    let request = encode_items(&[update(&order, Some(&change))], &account, &mut Trace::off()).request.unwrap();
    let root = read_document(&request.body).unwrap();
    assert_eq!((root.attribute("login"), root.attribute("password")), (Some("username"), Some("pass<word>")));
    assert_eq!(read_document(&request.masked_body()).unwrap().attribute("password"), Some("***"));
}

#[test]
fn only_what_changes_is_sent_and_a_null_clears() {
    let before = json!({"remarks": "x", "insurance": {"policyNumber": "P"}, "customer": {"code": "C1"},
        "extensions": {"otms": {"source": "shop"}}, "customFields": {"text1": "old", "text2": "stays"}});
    let change = json!({"customFields": {"text1": null, "enum2": "E", "number1": 1.5, "brand": "b", "text10": "t"}});
    let translation = translated_from(&before, &change);
    assert_eq!(
        sent(&translation),
        pairs(&[
            ("/clientCode", "C1"),
            ("/erpNumber", "250321005"),
            ("/customFields/customText1", ""),
            ("/customFields/customText7", "b"),
            ("/customFields/customText10", "t"),
            ("/customFields/customNum1", "1.5"),
            ("/customFields/customEnum2", "E"),
        ])
    );
    assert_eq!(translation.notices, []);
    let note = |pointer: &str| translation.lineage.iter().find(|lineage| lineage.pointer == pointer).unwrap().note;
    assert_eq!(note("/customFields/text1"), Some("null clears the slot"));
    assert_eq!(note("/customFields/brand"), None);
}

#[test]
fn the_extensions_fields_replace_the_shared_ones() {
    let own = json!({"customFields": {"text1": "a"}, "extensions": {"otms": {"customFields": {"text1": "b"}}}});
    assert_eq!(sent(&translated(&own)), pairs(&[("/erpNumber", "250321005"), ("/customFields/customText1", "b")]));
    // The order's own fields for oTMS stand, so what is shared does not reach it.
    let before = json!({"extensions": {"otms": {"customFields": {"text2": "x"}}}});
    let refusals = translated_from(&before, &json!({"customFields": {"text1": "a"}})).refusals;
    assert_eq!((refusals[0].pointer.as_str(), refusals[0].code.as_str()), ("/customFields", "validation.inconsistent"));
}

#[test]
fn without_a_change_all_fields_go_and_a_null_is_absent() {
    let (profile, outward) = adapter();
    let account = account(json!({}));
    let fields = json!({"text1": "a", "text2": null, "number3": 4});
    for before in [json!({"customFields": fields}), json!({"extensions": {"otms": {"customFields": fields}}})] {
        let mut document = before.clone();
        merge_patch(&mut document, &json!({"remarks": "x", "collect": {"goods": {"amount": 1, "currency": "CNY"}}}));
        let order = changed(&document, &json!({}));
        let translation = translate(profile, outward, &account, update(&order, None));
        assert_eq!(
            sent(&translation),
            pairs(&[
                ("/erpNumber", "250321005"),
                ("/customFields/customText1", "a"),
                ("/customFields/customNum3", "4")
            ])
        );
    }
}

#[test]
fn an_order_that_was_made_at_otms_is_addressed_by_its_number_there() {
    let change = json!({"customFields": {"text1": "a"}});
    let order = changed(&json!({"customer": {"code": "C1"}}), &change);
    let item = Item { provider_order_number: Some("N1"), ..update(&order, Some(&change)) };
    let keys = [item, Item { adopted: true, ..item }].map(|item| {
        let root = document(&encode_items(&[item], &account(json!({})), &mut Trace::off()));
        leaves(root.child("orders").unwrap().child("order").unwrap()).into_iter().take(2).collect::<Vec<_>>()
    });
    assert_eq!(keys[0], pairs(&[("/clientCode", "C1"), ("/erpNumber", "250321005")]));
    assert_eq!(keys[1], pairs(&[("/clientCode", "C1"), ("/orderNumber", "N1")]));
}

#[test]
fn what_cannot_be_sent_is_refused_with_its_pointer_in_both_languages() {
    for (change, pointer, code) in [
        (json!({}), "/customFields", "validation.missing"),
        (json!({"customFields": {}}), "/customFields", "validation.missing"),
        (json!({"extensions": {"otms": {"customFields": {}}}}), "/customFields", "validation.missing"),
        (json!({"customFields": null}), "/customFields", "validation.missing"),
        (json!({"extensions": null}), "/extensions", "validation.missing"),
        (json!({"extensions": {"otms": null}}), "/extensions/otms", "validation.missing"),
        (
            json!({"customFields": {"text1": "a"}, "extensions": {"otms": {"customFields": null}}}),
            "/extensions/otms/customFields",
            "validation.missing",
        ),
        (json!({"customFields": {"note": "a"}}), "/customFields/note", "custom_field.unsupported"),
        (json!({"customFields": {"note": null, "text1": "a"}}), "/customFields/note", "custom_field.unsupported"),
        (json!({"customFields": {"text81": "a"}}), "/customFields/text81", "custom_field.unsupported"),
        (json!({"customFields": {"number1": "abc"}}), "/customFields/number1", "validation.invalid_format"),
        (json!({"customFields": {"number1": ""}}), "/customFields/number1", "validation.invalid_format"),
        (json!({"customFields": {"brand": "a", "text7": "b"}}), "/customFields/text7", "validation.duplicate"),
        (json!({"customFields": {"brand": "a", "make": null}}), "/customFields/make", "validation.duplicate"),
        (
            json!({"extensions": {"otms": {"customFields": {"brand": "a", "make": "b"}}}}),
            "/extensions/otms/customFields/make",
            "validation.duplicate",
        ),
        (json!({"customFields": {"text1": "a"}, "remarks": "x"}), "/remarks", "translation.unsupported_field"),
        (
            json!({"customFields": {"text1": "a"}, "extensions": {"otms": {"source": "x"}}}),
            "/extensions/otms/source",
            "translation.unsupported_field",
        ),
    ] {
        let translation = translated(&change);
        let found: Vec<_> =
            translation.refusals.iter().map(|refusal| (refusal.pointer.as_str(), refusal.code.as_str())).collect();
        assert_eq!(found, [(pointer, code)], "{change}");
        assert!(translation.request.is_none());
        assert!(translation.refusals.iter().all(|refusal| !refusal.detail.is_empty() && !refusal.detail_zh.is_empty()));
    }
}

#[test]
fn another_providers_extension_needs_no_place() {
    let change = json!({"customFields": {"text1": "a"}, "extensions": {"ttms": {"customFields": {"text1": "b"}}}});
    let translation = translated(&change);
    assert_eq!(sent(&translation), pairs(&[("/erpNumber", "250321005"), ("/customFields/customText1", "a")]));
    assert_eq!(translation.notices, []);
}

#[test]
fn a_refused_order_does_not_spoil_its_neighbours() {
    let (good, bad) = (json!({"customFields": {"text1": "a"}}), json!({"customFields": {"note": "a"}}));
    let orders = [changed(&json!({}), &good), changed(&json!({}), &bad)];
    let items = [update(&orders[0], Some(&good)), update(&orders[1], Some(&bad)), update(&orders[0], Some(&good))];
    let encoding = encode_items(&items, &account(json!({})), &mut Trace::off());
    let refused: Vec<_> = encoding.items.iter().map(|item| !item.refusals.is_empty()).collect();
    assert_eq!(refused, [false, true, false]);
    let root = document(&encoding);
    let sequences: Vec<_> =
        root.child("orders").unwrap().children("order").map(|order| order.attribute("sequence").unwrap()).collect();
    assert_eq!(sequences, ["1", "2"]);
}
