//! What ILE cannot carry or requires: refused before it is sent, or a notice where nothing is at stake.

use serde_json::{Value, json};

use super::{amend, example, example_with, order, outcome, translated, unchecked};
use crate::canonical::{Order, Severity, check_order};
use crate::provider::Item;

fn refused(changes: &Value) -> Vec<(String, String)> {
    outcome(changes).0
}

/// Everything of the example's first line but what is replaced.
fn line(changes: &Value) -> Value {
    let mut line = json!({"name": "item1", "quantity": 4, "unitValue": {"amount": 3, "currency": "USD"}});
    crate::canonical::merge_patch(&mut line, changes);
    json!({"lines": [line]})
}

#[test]
fn what_the_document_requires_is_asked_for_by_pointer() {
    for (changes, pointer) in [
        (json!({"providerOrderNumber": null}), "/providerOrderNumber"),
        (json!({"packages": null, "totals": {"packageCount": null}}), "/totals/packageCount"),
        (json!({"packages": null, "totals": {"grossWeight": null}}), "/totals/grossWeight"),
        (json!({"packages": null, "totals": {"volume": null}}), "/totals/volume"),
        // An edit without a statement would make batteries none.
        (json!({"cargo": null}), "/cargo/battery"),
        (json!({"shipFrom": {"address": {"postalCode": null}}}), "/shipFrom/address/postalCode"),
        (json!({"shipFrom": {"address": {"region": null}}}), "/shipFrom/address/region"),
        (json!({"shipFrom": {"address": {"city": null}}}), "/shipFrom/address/city"),
        (json!({"shipFrom": {"address": {"street": null}}}), "/shipFrom/address/street"),
        (json!({"shipFrom": {"contact": {"name": null}}}), "/shipFrom/contact/name"),
        (json!({"shipFrom": {"contact": {"name": "  "}}}), "/shipFrom/contact/name"),
        (json!({"shipFrom": {"contact": {"mobile": null}}}), "/shipFrom/contact/mobile"),
        (json!({"shipFrom": {"contact": {"mobile": ""}}}), "/shipFrom/contact/mobile"),
        (json!({"shipTo": {"contact": {"name": null}}}), "/shipTo/contact/name"),
        (json!({"shipTo": {"contact": {"mobile": null}}}), "/shipTo/contact/mobile"),
        (json!({"shipTo": {"address": {"postalCode": null}}}), "/shipTo/address/postalCode"),
        (json!({"shipTo": {"address": {"region": null}}}), "/shipTo/address/region"),
        (json!({"shipTo": {"address": {"city": null}}}), "/shipTo/address/city"),
        (json!({"shipTo": {"address": {"street": null}}}), "/shipTo/address/street"),
        (json!({"lines": null}), "/lines"),
        (json!({"lines": []}), "/lines"),
        (line(&json!({"name": null})), "/lines/0/name"),
        (line(&json!({"name": null, "nameZh": "中"})), "/lines/0/name"),
        (line(&json!({"quantity": null})), "/lines/0/quantity"),
        (line(&json!({"unitValue": null})), "/lines/0/unitValue"),
        (
            line(&json!({"quantity": null, "unitValue": null, "declaredValue": {"amount": 3, "currency": "USD"}})),
            "/lines/0/quantity",
        ),
        (json!({"packages": [{"barcode": "1", "width": 1, "height": 1, "length": 1}]}), "/packages/0/grossWeight"),
        (json!({"packages": [{"barcode": "1", "width": 1, "height": 1, "grossWeight": 1}]}), "/packages/0/length"),
        (json!({"packages": [{"barcode": "1", "width": 1, "length": 1, "grossWeight": 1}]}), "/packages/0/height"),
        (json!({"packages": [{"barcode": "1", "height": 1, "length": 1, "grossWeight": 1}]}), "/packages/0/width"),
    ] {
        assert_eq!(refused(&changes), [(pointer.to_owned(), "validation.missing".to_owned())], "{changes}");
    }
}

#[test]
fn all_that_is_missing_is_asked_for_at_once() {
    let found = refused(&json!({"shipTo": null, "lines": null, "packages": null, "totals": null,
                                "cargo": null, "shipFrom": {"address": null, "contact": null}}));
    let pointers: Vec<_> = found.iter().map(|(pointer, _)| pointer.as_str()).collect();
    assert_eq!(
        pointers,
        [
            "/totals/packageCount",
            "/totals/grossWeight",
            "/totals/volume",
            "/cargo/battery",
            "/shipFrom/address/postalCode",
            "/shipFrom/contact/name",
            "/shipFrom/address/region",
            "/shipFrom/address/city",
            "/shipFrom/address/street",
            "/shipFrom/contact/mobile",
            "/shipTo/contact/name",
            "/shipTo/address/postalCode",
            "/shipTo/address/region",
            "/shipTo/address/city",
            "/shipTo/address/street",
            "/shipTo/contact/mobile",
            "/lines",
        ]
    );
    assert!(found.iter().all(|(_, code)| code == "validation.missing"));
}

#[test]
fn what_cannot_be_carried_is_refused() {
    let dollars = |amount: f64| json!({"amount": amount, "currency": "USD"});
    for (changes, pointer, code) in [
        (
            json!({"shipFrom": {"externalId": "W1", "companyName": null, "address": null, "contact": null}}),
            "/shipFrom/externalId",
            "translation.unsupported_value",
        ),
        (
            json!({"shipTo": {"externalId": "W1", "companyName": null, "address": null, "contact": null}}),
            "/shipTo/externalId",
            "translation.unsupported_value",
        ),
        // 10 / 4 = 2.5, but 1 / 8 = 0.125.
        (
            line(&json!({"quantity": 8, "unitValue": null, "declaredValue": dollars(1.0)})),
            "/lines/0/declaredValue",
            "translation.unsupported_value",
        ),
        (
            line(&json!({"quantity": 0, "unitValue": null, "declaredValue": dollars(1.0)})),
            "/lines/0/declaredValue",
            "translation.unsupported_value",
        ),
        (
            json!({"lines": [
                {"name": "a", "quantity": 1, "unitValue": {"amount": 1, "currency": "AUD"}},
                {"name": "b", "quantity": 1, "declaredValue": {"amount": 1, "currency": "USD"}},
                {"name": "c", "quantity": 1, "unitValue": {"amount": 1, "currency": "AUD"}},
            ]}),
            "/lines/1/declaredValue/currency",
            "translation.unsupported_value",
        ),
        (line(&json!({"hsCode": ".."})), "/lines/0/hsCode", "validation.invalid_format"),
        (line(&json!({"insuredValue": dollars(1.0)})), "/lines/0/insuredValue", "translation.unsupported_field"),
        (json!({"collect": {"goods": dollars(1.0)}}), "/collect", "translation.unsupported_field"),
        (json!({"additionalShipTo": [{"companyName": "x"}]}), "/additionalShipTo", "translation.unsupported_field"),
        (json!({"insurance": {"policyNumber": "1"}}), "/insurance", "translation.unsupported_field"),
        (json!({"cargo": {"dangerousGoods": true}}), "/cargo/dangerousGoods", "translation.unsupported_field"),
        (
            json!({"cargo": {"temperatureControlled": true}}),
            "/cargo/temperatureControlled",
            "translation.unsupported_field",
        ),
        (json!({"dispatch": {"mode": "release"}}), "/dispatch/mode", "translation.unsupported_field"),
        (json!({"totals": {"insuredValue": dollars(1.0)}}), "/totals/insuredValue", "translation.unsupported_field"),
    ] {
        assert_eq!(refused(&changes), [(pointer.to_owned(), code.to_owned())], "{changes}");
    }
}

#[test]
fn packs_and_packages_must_agree() {
    let document = example_with(&json!({"totals": {"packageCount": 2}}));
    let expected = [("/totals/packageCount".to_owned(), "validation.inconsistent".to_owned())];
    // Refused for every provider, and by the adapter should it be asked.
    let found = check_order(&unchecked(&document));
    assert_eq!(found.into_iter().map(|error| (error.pointer, error.code)).collect::<Vec<_>>(), expected);
    assert_eq!(refused(&json!({"totals": {"packageCount": 2}})), expected);
}

#[test]
fn the_consignees_postcode_cannot_be_changed() {
    let standing = order(&example());
    let change = |postcode: &Value| example_with(&json!({"shipTo": {"address": {"postalCode": postcode}}}));
    let found = |order: &Order, standing: Option<&Order>| {
        let translation = translated(Item { standing, ..amend(order) });
        translation.refusals.into_iter().map(|refusal| (refusal.pointer, refusal.code)).collect::<Vec<_>>()
    };
    let of = |code: &str| vec![("/shipTo/address/postalCode".to_owned(), code.to_owned())];
    let other = unchecked(&change(&json!("2000")));
    let none = unchecked(&change(&Value::Null));
    assert_eq!(found(&other, Some(&standing)), of("translation.field_not_amendable"));
    assert_eq!(found(&none, Some(&standing)), of("translation.field_not_amendable"));
    let without_stop = unchecked(&example_with(&json!({"shipTo": null})));
    assert!(found(&without_stop, Some(&standing)).contains(&of("translation.field_not_amendable")[0]));
    // As it stands, or where it is not known what stands.
    assert_eq!(found(&standing, Some(&standing)), []);
    assert_eq!(found(&other, None), []);
    assert_eq!(found(&other, Some(&none)), []);
    assert_eq!(found(&none, None), of("validation.missing"));
    // Everything else of the consignee may change.
    let moved =
        unchecked(&example_with(&json!({"shipTo": {"companyName": "x", "address": {"street": "y", "city": "z"}}})));
    assert_eq!(found(&moved, Some(&standing)), []);
}

#[test]
fn what_only_has_no_place_is_a_notice_in_both_languages() {
    let order = order(&example_with(&json!({
        "customer": {"code": "C", "name": "Customer"},
        "branch": "east",
        "remarks": "call first",
        "pickup": {"date": "2026-11-25"},
        "deliveryMethod": "self_pickup",
        "shipFrom": {"handlingRequired": true, "contact": {"phone": "021-12345678"},
                     "address": {"geo": {"latitude": 30.1, "longitude": 120.1}}},
        "shipTo": {"remarks": "gate 2", "customFields": {"text1": "x"}, "address": {"countryCode": "AU"}},
        "totals": {"quantity": 2},
        "cargo": {"packagingClass": "exclusive", "dangerousGoods": false},
        "packages": [{"barcode": "1", "packageType": "XCT", "width": 1, "height": 1, "length": 1, "grossWeight": 1}],
        "lines": [{"externalId": null, "sku": "A", "name": "a", "quantity": 2, "unitType": "XPK", "grossWeight": 1,
                   "unitValue": {"amount": 3, "currency": "USD"}, "declaredValue": {"amount": 7, "currency": "USD"}}],
        "charges": {"revenue": {"freight": {"amount": 1, "currency": "CNY"}}},
        "proofOfDelivery": {"copies": 1},
        "customFields": {"text1": "x"},
        "extensions": {"otms": {"source": "x"}},
    })));
    let translation = translated(amend(&order));
    assert_eq!(translation.refusals, []);
    let mut noticed: Vec<_> =
        translation.notices.iter().map(|notice| (notice.pointers[0].as_str(), notice.code.as_str())).collect();
    noticed.sort_unstable();
    let dropped = "translation.field_dropped";
    assert_eq!(
        noticed,
        [
            ("/branch", dropped),
            ("/cargo/dangerousGoods", dropped),
            ("/cargo/packagingClass", dropped),
            ("/charges", dropped),
            ("/customFields", "custom_field.unsupported"),
            ("/customer", dropped),
            ("/deliveryMethod", dropped),
            ("/lines/0/declaredValue", dropped),
            ("/lines/0/grossWeight", dropped),
            ("/lines/0/sku", dropped),
            ("/lines/0/unitType", dropped),
            ("/packages/0/packageType", dropped),
            ("/pickup", dropped),
            ("/proofOfDelivery", dropped),
            ("/remarks", dropped),
            ("/shipFrom/address/geo", dropped),
            ("/shipFrom/contact/phone", dropped),
            ("/shipFrom/handlingRequired", dropped),
            ("/shipTo/address/countryCode", dropped),
            ("/shipTo/customFields", "custom_field.unsupported"),
            ("/shipTo/remarks", dropped),
            ("/totals/quantity", dropped),
        ]
    );
    for notice in &translation.notices {
        assert_eq!(notice.severity, Severity::Warning);
        assert!(!notice.message_en.is_empty() && !notice.message_zh.is_empty());
    }
}
