//! Counts, weights, volumes, prices and sizes: from where they come, and that no digit changes.

use serde_json::{Value, json};

use super::{account, amend, data, encode, example_with, order};
use crate::provider::Trace;

fn line(line: &Value) -> Value {
    data(&json!({"lines": [line]}))["items"][0].clone()
}

#[test]
fn numbers_of_the_order_are_texts_and_sizes_are_numbers_digit_for_digit() {
    let changes: Value = serde_json::from_str(
        r#"{"totals": {"grossWeight": 20.50, "volume": "0.130000"},
            "lines": [{"name": "a", "quantity": 1.50, "unitValue": {"amount": 999999999999999999.999990, "currency": "USD"}}],
            "packages": [{"barcode": "1", "width": 2.0, "height": 2, "length": 60.125000, "grossWeight": "5.10"}]}"#,
    )
    .unwrap();
    let order = order(&example_with(&changes));
    let request = encode(&[amend(&order)], &account(json!({})), &mut Trace::off()).request.unwrap();
    let body = String::from_utf8(request.body).unwrap();
    for part in [
        r#""packs":"1","weight":"20.50","cbm":"0.130000","battery":"0""#,
        r#""qty":"1.50","price":"999999999999999999.999990""#,
        r#"{"barcode":"1","parcelWidth":2.0,"parcelHeight":2,"parcelLength":60.125000,"parcelWeight":5.10}"#,
    ] {
        assert!(body.contains(part), "{part} is not in {body}");
    }
}

#[test]
fn what_the_totals_leave_open_comes_from_the_lines_and_else_from_the_packages() {
    let goods = |lines: Value, packages: Value| {
        let data = data(&json!({"totals": {"packageCount": 2, "grossWeight": null, "volume": null},
                                "lines": lines, "packages": packages}));
        ["packs", "weight", "cbm"].map(|member| data[member].as_str().unwrap().to_owned())
    };
    let line = |weight: Option<f64>, volume: Option<f64>| {
        let mut line = json!({"name": "a", "quantity": 1, "unitValue": {"amount": 1, "currency": "USD"}});
        for (member, value) in [("grossWeight", weight), ("volume", volume)] {
            if let Some(value) = value {
                line[member] = json!(value);
            }
        }
        line
    };
    let package =
        |length: f64| json!({"barcode": "1", "length": length, "width": 100, "height": 50, "grossWeight": 2.5});
    let packages = json!([package(20.0), package(10.5)]);
    let whole = json!([line(Some(1.5), Some(0.25)), line(Some(2.0), Some(0.125))]);
    assert_eq!(goods(whole, packages.clone()), ["2", "3.5", "0.375"]);
    // One line without its weight: no sum.
    let half = json!([line(Some(1.5), None), line(None, Some(0.5))]);
    assert_eq!(goods(half, packages), ["2", "5", "0.1525"]);
}

#[test]
fn the_number_of_packages_counts_where_no_total_does() {
    let package = |barcode: &str| json!({"barcode": barcode, "length": 1, "width": 1, "height": 1, "grossWeight": 1});
    let data = data(&json!({"totals": {"packageCount": null}, "packages": [package("1"), package("2"), package("3")]}));
    assert_eq!((&data["packs"], data["parcelList"].as_array().unwrap().len()), (&json!("3"), 3));
}

#[test]
fn parcels_need_not_be_told() {
    let data = data(&json!({"packages": null, "totals": {"packageCount": 7}}));
    assert_eq!((&data["packs"], data.get("parcelList")), (&json!("7"), None));
}

#[test]
fn prices_are_those_of_a_unit() {
    let dollars = |amount: &str| json!({"amount": amount, "currency": "USD"});
    for (value, price) in [
        (json!({"unitValue": dollars("3.10")}), "3.10"),
        (json!({"unitValue": dollars("3.10"), "declaredValue": dollars("99")}), "3.10"),
        (json!({"declaredValue": dollars("10")}), "2.5"),
        (json!({"declaredValue": dollars("12.00")}), "3"),
        (json!({"declaredValue": dollars("0.04")}), "0.01"),
        (json!({"declaredValue": dollars("0")}), "0"),
    ] {
        let mut given = json!({"name": "a", "quantity": 4});
        crate::canonical::merge_patch(&mut given, &value);
        assert_eq!(line(&given)["price"], price, "{value}");
    }
}

#[test]
fn the_value_of_the_line_needs_no_place_where_price_and_quantity_say_it() {
    for (declared, dropped) in [
        (json!({"amount": 12.40, "currency": "USD"}), vec![]),
        (json!({"amount": 12.41, "currency": "USD"}), vec!["/lines/0/declaredValue"]),
        (json!({"amount": 12.4, "currency": "AUD"}), vec!["/lines/0/declaredValue"]),
    ] {
        let unit = json!({"amount": 3.1, "currency": "USD"});
        let changes = json!({"lines": [{"name": "a", "quantity": 4, "unitValue": unit, "declaredValue": declared}]});
        assert_eq!(super::outcome(&changes), (vec![], dropped.into_iter().map(str::to_owned).collect()));
    }
}

#[test]
fn one_currency_stands_for_all_prices() {
    let of = |currency: &str| {
        json!([
            {"name": "a", "quantity": 1, "unitValue": {"amount": 1, "currency": currency}},
            {"name": "b", "quantity": 1, "declaredValue": {"amount": 1, "currency": currency}},
        ])
    };
    for currency in ["USD", "AUD"] {
        assert_eq!(data(&json!({"lines": of(currency)}))["currency"], currency);
    }
}

#[test]
fn batteries() {
    for (battery, code) in [("none", "0"), ("contained", "1"), ("standalone", "2")] {
        assert_eq!(data(&json!({"cargo": {"battery": battery}}))["battery"], code);
    }
}

#[test]
fn names_codes_and_kinds_of_items() {
    let item = |changes: Value| {
        let mut given = json!({"name": "a", "quantity": 1, "unitValue": {"amount": 1, "currency": "USD"}});
        crate::canonical::merge_patch(&mut given, &changes);
        line(&given)
    };
    let bare = item(json!({}));
    assert_eq!(bare, json!({"nameZh": "a", "name": "a", "qty": "1", "price": "1"}));
    assert_eq!(item(json!({"nameZh": " "}))["nameZh"], "a");
    let whole = item(json!({"nameZh": "中 \"文\"", "category": "B", "hsCode": "6203.42.00"}));
    assert_eq!(whole["nameZh"], "中 \"文\"");
    assert_eq!((&whole["type"], &whole["hs"]), (&json!("B"), &json!("62034200")));
}

#[test]
fn members_of_ile_alone_come_from_its_extension() {
    let members = |changes: Value| {
        let data = data(&changes);
        ["amazon_shipment_ids", "amazon_po", "fbaWarehouseCode"].map(|member| data.get(member).cloned())
    };
    assert_eq!(members(json!({})), [Some(json!("")), Some(json!("")), None]);
    let own = json!({"amazonShipmentIds": "FBA1", "amazonPo": "PO1", "fbaWarehouseCode": "BWU1"});
    let own = json!({"extensions": {"ile": own}});
    assert_eq!(members(own), [Some(json!("FBA1")), Some(json!("PO1")), Some(json!("BWU1"))]);
}
