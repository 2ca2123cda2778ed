//! What oTMS cannot carry: refused before it is sent where it changes money, liability or safety, and a
//! notice otherwise.

use serde_json::{Value, json};

use super::{account, adapter, order, orders};
use crate::canonical::merge_patch;
use crate::provider::{Item, Translation, translate};

const EXAMPLE_ORDERS: &str = include_str!("../../../../tests/fixtures/otms/order-import-orders.json");

/// The document's first order with changes.
fn translated(changes: &Value) -> Translation {
    let mut document = orders(EXAMPLE_ORDERS).remove(0);
    merge_patch(&mut document, changes);
    let order = order(&document);
    let (profile, outward) = adapter();
    translate(
        profile,
        outward,
        &account(json!({"customFieldMap": {"brand": "text7", "make": "text7"}})),
        Item::create(&order),
    )
}

fn refused(changes: &Value) -> Vec<(String, String)> {
    let translation = translated(changes);
    assert!(translation.request.is_none() || translation.refusals.is_empty());
    translation.refusals.into_iter().map(|refusal| (refusal.pointer, refusal.code)).collect()
}

#[test]
fn what_changes_money_liability_or_safety_is_refused_with_its_pointer() {
    let yuan = json!({"amount": 1, "currency": "CNY"});
    for (changes, pointer, code) in [
        (json!({"collect": {"goods": yuan}}), "/collect", "translation.unsupported_field"),
        (json!({"additionalShipTo": [{"companyName": "x"}]}), "/additionalShipTo", "translation.unsupported_field"),
        (json!({"dispatch": {"carrierCode": "V"}}), "/dispatch/carrierCode", "translation.unsupported_value"),
        (json!({"dispatch": {"driver": {"name": "x"}}}), "/dispatch/driver", "translation.unsupported_value"),
        (
            json!({"dispatch": {"mode": "release", "vehicle": {"licensePlate": "x"}}}),
            "/dispatch/vehicle",
            "translation.unsupported_value",
        ),
        (
            json!({"dispatch": {"mode": "vehicle", "driver": {"phone": "12"}}}),
            "/dispatch/driver/phone",
            "validation.invalid_format",
        ),
        (
            json!({"totals": {"insuredValue": {"amount": 1, "currency": "USD"}}}),
            "/totals/insuredValue",
            "translation.unsupported_value",
        ),
        (
            json!({"charges": {"revenue": {"freight": {"amount": 1.234, "currency": "CNY"}}}}),
            "/charges/revenue/freight",
            "translation.unsupported_value",
        ),
        (json!({"shipTo": null}), "/shipTo", "validation.missing"),
        (
            json!({"shipTo": {"address": {"countryCode": "DE"}}}),
            "/shipTo/address/countryCode",
            "translation.unsupported_value",
        ),
        (
            json!({"shipTo": {"address": {"postalCode": "12345"}}}),
            "/shipTo/address/postalCode",
            "validation.invalid_format",
        ),
        (json!({"shipFrom": {"contact": {"mobile": "123"}}}), "/shipFrom/contact/mobile", "validation.invalid_format"),
        (json!({"shipFrom": {"contact": {"phone": "123"}}}), "/shipFrom/contact/phone", "validation.invalid_format"),
        (json!({"lines": [{"sku": "A", "quantity": 1.5}]}), "/lines/0/quantity", "translation.unsupported_value"),
        (json!({"customFields": {"number1": "abc"}}), "/customFields/number1", "validation.invalid_format"),
        (json!({"customFields": {"brand": "a", "text7": "b"}}), "/customFields/text7", "validation.duplicate"),
        (
            json!({"shipTo": {"customFields": {"brand": "a", "make": "b"}}}),
            "/shipTo/customFields/make",
            "validation.duplicate",
        ),
        (json!({"trackingDevices": ["a;b"]}), "/trackingDevices", "translation.unsupported_value"),
        (
            json!({"pickup": {"date": null, "startTime": "2026-11-24T22:00:00+08:00", "endTime": "2026-11-25T02:00:00+08:00"}}),
            "/pickup/endTime",
            "translation.unsupported_value",
        ),
    ] {
        assert_eq!(refused(&changes), [(pointer.to_owned(), code.to_owned())], "{changes}");
    }
}

#[test]
fn all_refusals_come_at_once() {
    let found = refused(&json!({
        "shipTo": null,
        "collect": {"freight": {"amount": 1, "currency": "CNY"}},
        "trackingDevices": ["a;b"],
    }));
    let pointers: Vec<_> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/shipTo", "/trackingDevices", "/collect"]);
}

#[test]
fn what_only_has_no_place_is_a_notice_in_both_languages() {
    let translation = translated(&json!({
        "customer": {"name": "Customer"},
        "shipFrom": {"address": {"geo": {"latitude": 30.1, "longitude": 120.1}}},
        "deliveryMethod": "self_pickup",
        "proofOfDelivery": {"copies": 2},
        "packages": [{"barcode": "1"}],
        "cargo": {"battery": "contained"},
        "customFields": {"note": "x", "text81": "y", "brand": "z", "make": null},
        "lines": [{"sku": "A", "hsCode": "6203.42", "unitType": "KGM", "declaredValue": {"amount": 1, "currency": "CNY"}}],
        "charges": {"cost": {"freight": {"amount": 1, "currency": "CNY"}}},
        "extensions": {"ttms": {"wmsLocation": "x"}},
    }));
    assert_eq!(translation.refusals, []);
    let mut noticed: Vec<_> =
        translation.notices.iter().map(|notice| (notice.pointers[0].as_str(), notice.code.as_str())).collect();
    noticed.sort_unstable();
    let dropped = "translation.field_dropped";
    assert_eq!(
        noticed,
        [
            ("/cargo/battery", dropped),
            ("/charges", dropped),
            ("/customFields/note", "custom_field.unsupported"),
            ("/customFields/text81", "custom_field.unsupported"),
            ("/customer/name", dropped),
            ("/deliveryMethod", dropped),
            ("/lines/0/declaredValue", dropped),
            ("/lines/0/hsCode", dropped),
            ("/lines/0/unitType", dropped),
            ("/packages", dropped),
            ("/proofOfDelivery", dropped),
            ("/shipFrom/address/geo", dropped),
        ]
    );
    assert!(translation.notices.iter().all(|notice| !notice.message_en.is_empty() && !notice.message_zh.is_empty()));
    // The alias of the account's map found its slot, and another provider's extension needs no notice.
    let brand = translation.lineage.iter().find(|lineage| lineage.pointer == "/customFields/brand").unwrap();
    assert_eq!(brand.target, "customFields/customText7");
}

#[test]
fn a_refused_order_does_not_spoil_its_neighbours() {
    let orders = orders(EXAMPLE_ORDERS);
    let good = order(&orders[0]);
    let mut bad = orders[1].clone();
    merge_patch(&mut bad, &json!({"shipTo": null}));
    let batch = [good.clone(), order(&bad), good];
    let encoding = super::encode(&batch, &account(json!({})), &mut crate::provider::Trace::off());
    let refused: Vec<_> = encoding.items.iter().map(|item| !item.refusals.is_empty()).collect();
    assert_eq!(refused, [false, true, false]);
    let root = super::document(&encoding);
    let sequences: Vec<_> =
        root.child("orders").unwrap().children("order").map(|order| order.attribute("sequence").unwrap()).collect();
    assert_eq!(sequences, ["1", "2"]);
}
