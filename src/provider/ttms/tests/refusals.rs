//! What 3TMS cannot carry of a new order: refused before it is sent where 3TMS wants it or where it changes money,
//! liability or safety, and a notice otherwise.

use serde_json::{Value, json};

use super::{changed, customer_order, noticed, pairs, refused, translated};
use crate::provider::{Item, Translation};

fn created(changes: &Value) -> Translation {
    translated(Item::create(&changed(changes)))
}

fn accepted(changes: &Value) -> Translation {
    translated(Item::create(&customer_order(changes)))
}

#[test]
fn what_3tms_wants_is_refused_when_it_is_missing() {
    for (changes, pointer) in [
        (json!({"shipFrom": {"address": null}}), "/shipFrom/address"),
        (json!({"shipFrom": {"contact": {"name": null}}}), "/shipFrom/contact/name"),
        (json!({"shipFrom": {"contact": {"mobile": null}}}), "/shipFrom/contact/mobile"),
    ] {
        let expected = pairs(&[(pointer, "validation.missing")]);
        assert_eq!(refused(created(&changes)), expected);
        assert_eq!(refused(accepted(&changes)), expected);
    }
    assert_eq!(refused(created(&json!({"pickup": null}))), pairs(&[("/pickup", "validation.missing")]));
    // An acceptance order need not say when.
    assert_eq!(accepted(&json!({"pickup": null})).refusals, []);
}

#[test]
fn what_changes_money_liability_or_safety_is_refused_with_its_pointer() {
    let dollars = json!({"amount": 1, "currency": "USD"});
    let yuan = json!({"amount": 1, "currency": "CNY"});
    let (value, field) = ("translation.unsupported_value", "translation.unsupported_field");
    for (changes, pointer, code) in [
        (json!({"additionalShipTo": [{"companyName": "x"}]}), "/additionalShipTo", field),
        (json!({"insurance": {"policyNumber": "x"}}), "/insurance", field),
        (json!({"cargo": {"dangerousGoods": true}}), "/cargo/dangerousGoods", field),
        (json!({"cargo": {"temperatureControlled": true, "battery": "none"}}), "/cargo/temperatureControlled", field),
        (json!({"totals": {"insuredValue": yuan}}), "/totals/insuredValue", field),
        (json!({"lines": [{"name": "x", "insuredValue": yuan}]}), "/lines/0/insuredValue", field),
        (json!({"dispatch": {"mode": "carrier"}}), "/dispatch/mode", field),
        (json!({"dispatch": {"mode": "vehicle"}}), "/dispatch/mode", value),
        (json!({"shipFrom": {"address": {"countryCode": "DE"}}}), "/shipFrom/address/countryCode", value),
        (json!({"shipTo": {"address": {"countryCode": "DE"}}}), "/shipTo/address/countryCode", value),
        (json!({"charges": {"revenue": {"freight": dollars}}}), "/charges/revenue/freight", value),
        (json!({"charges": {"cost": {"freight": dollars}}}), "/charges/cost/freight", value),
        (json!({"collect": {"goods": dollars}}), "/collect/goods", value),
        (json!({"collect": {"freight": dollars}}), "/collect/freight", value),
        (json!({"lines": [{"declaredValue": dollars}]}), "/lines/0/declaredValue", value),
        (json!({"customFields": {"brand": "a"}}), "/customFields/text7", "validation.duplicate"),
        (
            json!({"lines": [{"customFields": {"text1": "a", "text2": "b"}, "declaredValue": yuan}],
                "customFields": {"brand": "a", "make": "b", "text7": null}}),
            "/customFields/make",
            "validation.duplicate",
        ),
    ] {
        assert_eq!(refused(created(&changes)), pairs(&[(pointer, code)]), "{changes}");
    }
}

#[test]
fn a_single_order_for_a_vehicle_is_told_where_trips_are_made() {
    let translation = created(&json!({"dispatch": {"mode": "vehicle"}}));
    assert!(translation.refusals[0].detail.contains("POST /v1/trips"));
    assert!(translation.refusals[0].detail_zh.contains("POST /v1/trips"));
    // Nothing is lost by a mode that says nothing.
    assert_eq!(created(&json!({"dispatch": {"mode": "none"}})).refusals, []);
}

#[test]
fn a_location_by_its_id_cannot_be_resolved() {
    let location = json!({"companyName": null, "address": null, "contact": null, "externalId": "W1"});
    let code = "translation.unsupported_field";
    assert_eq!(refused(created(&json!({"shipFrom": location}))), pairs(&[("/shipFrom/externalId", code)]));
    assert_eq!(refused(accepted(&json!({"shipTo": location}))), pairs(&[("/shipTo/externalId", code)]));
}

#[test]
fn what_acceptance_orders_have_no_place_for() {
    let yuan = json!({"amount": 1, "currency": "CNY"});
    let field = "translation.unsupported_field";
    assert_eq!(refused(accepted(&json!({"collect": {"freight": yuan}}))), pairs(&[("/collect/freight", field)]));
    assert_eq!(
        refused(accepted(&json!({"trackingDevices": ["1", "2"]}))),
        pairs(&[("/trackingDevices", "translation.unsupported_value")])
    );
    let translation = accepted(&json!({
        "charges": {"cost": {"freight": yuan}},
        "extensions": {"ttms": {"wmsLocation": "A-01"}},
    }));
    let dropped = "translation.field_dropped";
    assert_eq!(
        noticed(&translation),
        pairs(&[("/charges/cost", dropped), ("/extensions/ttms", dropped), ("/orderNumber", dropped)])
    );
}

#[test]
fn all_refusals_come_at_once() {
    let found = refused(created(&json!({
        "pickup": null,
        "shipFrom": {"contact": null},
        "insurance": {"policyNumber": "x"},
    })));
    let pointers: Vec<_> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(pointers, ["/shipFrom/contact/name", "/shipFrom/contact/mobile", "/pickup", "/insurance"]);
}

#[test]
fn what_only_has_no_place_is_a_notice_in_both_languages() {
    let translation = created(&json!({
        "customer": {"code": "C", "name": "Customer"},
        "shipFrom": {"companyName": "杭州一号仓", "address": {"postalCode": "310012"},
            "contact": {"phone": "0571-88880001", "email": "a@example.com"}, "handlingRequired": true,
            "remarks": "3 号门", "customFields": {"text1": "x"}},
        "pickup": {"endTime": "2026-11-24T12:00:00+08:00", "remarks": "x"},
        "delivery": {"startTime": "2026-11-25T08:00:00.25+08:00", "endTime": "2026-11-25T09:00:00.25+08:00"},
        "proofOfDelivery": {"required": true, "type": "paper"},
        "packages": [{"barcode": "1"}],
        "totals": {"quantity": 1},
        "cargo": {"battery": "contained"},
        "transport": {"serviceType": "ftl"},
        "trackingDevices": ["1"],
        "customFields": {"note": "x", "text13": "y", "number1": 1, "text12": null},
        "lines": [{"name": "trousers", "nameZh": "裤子", "sku": "A", "externalId": null, "hsCode": "6203.42",
            "unitType": "XPK", "unit": {"length": 1}, "maxStackLayers": 2, "customFields": {"text7": "x"}}],
        "charges": {"revenue": {"freightDescription": "x", "other": {"amount": 1, "currency": "USD"}}},
        "extensions": {"otms": {"source": "x"}},
    }));
    assert_eq!(translation.refusals, []);
    let dropped = "translation.field_dropped";
    assert_eq!(
        noticed(&translation),
        pairs(&[
            ("/cargo", dropped),
            ("/charges/revenue/freightDescription", dropped),
            ("/charges/revenue/other", dropped),
            ("/customFields/note", "custom_field.unsupported"),
            ("/customFields/number1", "custom_field.unsupported"),
            ("/customFields/text13", "custom_field.unsupported"),
            ("/customer", dropped),
            ("/delivery/endTime", "translation.precision_reduced"),
            ("/delivery/startTime", dropped),
            ("/lines/0/customFields", "custom_field.unsupported"),
            ("/lines/0/hsCode", dropped),
            ("/lines/0/maxStackLayers", dropped),
            ("/lines/0/name", dropped),
            ("/lines/0/sku", dropped),
            ("/lines/0/unit", dropped),
            ("/lines/0/unitType", dropped),
            ("/packages", dropped),
            ("/pickup/endTime", dropped),
            ("/pickup/remarks", dropped),
            ("/proofOfDelivery/required", dropped),
            ("/proofOfDelivery/type", dropped),
            ("/shipFrom/address/postalCode", dropped),
            ("/shipFrom/companyName", dropped),
            ("/shipFrom/contact/email", dropped),
            ("/shipFrom/contact/phone", dropped),
            ("/shipFrom/customFields", "custom_field.unsupported"),
            ("/shipFrom/handlingRequired", dropped),
            ("/shipFrom/remarks", dropped),
            ("/totals", dropped),
            ("/trackingDevices", dropped),
            ("/transport", dropped),
        ])
    );
    assert!(translation.notices.iter().all(|notice| !notice.message_en.is_empty() && !notice.message_zh.is_empty()));
}

#[test]
fn a_day_is_told_to_be_an_instant() {
    let translation = created(&json!({"pickup": {"startTime": null, "date": "2026-11-24"}}));
    assert_eq!(noticed(&translation), pairs(&[("/pickup/date", "translation.precision_reduced")]));
}

#[test]
fn an_alias_of_a_slot_and_a_branch_by_its_path() {
    let translation = created(&json!({"customFields": {"text7": null, "brand": "z"}, "branch": "0-12"}));
    assert_eq!(translation.dropped, Vec::<String>::new());
    let sent = super::body(&translation.request.unwrap());
    assert_eq!(sent["orderList"][0]["extraFields"]["note7"], "z");
    assert_eq!(sent["orderList"][0]["organizationPath"], "0-12");
    let translation = created(&json!({"extensions": {"ttms": {"organizationPath": "0-13"}}}));
    assert_eq!(translation.dropped, Vec::<String>::new());
    assert_eq!(super::body(&translation.request.unwrap())["orderList"][0]["organizationPath"], "0-13");
}
