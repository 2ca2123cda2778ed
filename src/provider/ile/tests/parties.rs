//! Shipper and consignee: addresses, suburbs, telephone numbers.

use serde_json::{Value, json};

use super::{data, outcome};

fn shipper(changes: Value) -> Value {
    data(&json!({"shipFrom": changes}))["shipper"].clone()
}

fn consignee(changes: Value) -> Value {
    data(&json!({"shipTo": changes}))["consignee"].clone()
}

#[test]
fn e_mail_and_company_of_the_shipper_may_be_empty() {
    let bare = shipper(json!({}));
    assert_eq!((&bare["email"], &bare["company"]), (&json!(""), &json!("")));
    let whole = shipper(json!({"companyName": "Mill", "contact": {"email": "ops@example.com"}}));
    assert_eq!((&whole["email"], &whole["company"]), (&json!("ops@example.com"), &json!("Mill")));
}

#[test]
fn a_consignee_without_a_company_has_none() {
    let bare = consignee(json!({"companyName": null}));
    assert_eq!((bare.get("company"), &bare["email"]), (None, &json!("")));
    assert_eq!(consignee(json!({"contact": {"email": "a@example.com"}}))["email"], "a@example.com");
}

#[test]
fn the_shippers_country_is_china_where_none_is_named() {
    assert_eq!(shipper(json!({"address": {"countryCode": null}}))["country"], "CN");
    assert_eq!(shipper(json!({"address": {"countryCode": "VN"}}))["country"], "VN");
}

#[test]
fn number_and_district_go_into_the_address() {
    for (address, expected) in [
        (json!({"street": "科技园路", "streetNumber": "1 号", "district": "南山区"}), "南山区科技园路1 号"),
        (json!({"street": "南山区科技园路 1 号", "district": "南山区"}), "南山区科技园路 1 号"),
        (json!({"street": "1 Century Ave", "district": "Pudong"}), "1 Century Ave, Pudong"),
        (json!({"street": "1 Century Ave, Pudong", "district": "Pudong"}), "1 Century Ave, Pudong"),
        (json!({"street": "1 Yorkshire Rd", "district": "York"}), "1 Yorkshire Rd, York"),
        (json!({"street": "Century Ave", "streetNumber": "1", "district": "浦东新区"}), "Century Ave 1, 浦东新区"),
        (json!({"street": "Century Ave", "streetNumber": "1"}), "Century Ave 1"),
    ] {
        let changes = json!({"address": address});
        assert_eq!(shipper(changes.clone())["address"], expected, "{address}");
        assert_eq!(consignee(changes)["address"], expected, "{address}");
        // Nothing of it is lost.
        assert_eq!(outcome(&json!({"shipFrom": {"address": address}})), (vec![], vec![]), "{address}");
        assert_eq!(outcome(&json!({"shipTo": {"address": address}})), (vec![], vec![]), "{address}");
    }
}

#[test]
fn what_is_blank_adds_nothing_to_the_address() {
    let changes = json!({"address": {"street": "Century Ave", "streetNumber": " ", "district": ""}});
    assert_eq!(shipper(changes.clone())["address"], "Century Ave");
    assert_eq!(consignee(changes)["address"], "Century Ave");
}

#[test]
fn the_suburb_is_the_city_and_else_the_district() {
    let with_both = consignee(json!({"address": {"city": "Sydney", "district": "Waterloo"}}));
    assert_eq!(with_both["suburb"], "Sydney");
    assert_eq!(with_both["address"], "test consignee address, Waterloo");
    for city in [Value::Null, json!("")] {
        let changes = json!({"address": {"city": city, "district": "Waterloo"}});
        let district_only = consignee(changes);
        assert_eq!(district_only["suburb"], "Waterloo");
        assert_eq!(district_only["address"], "test consignee address");
    }
}

#[test]
fn the_mobile_is_the_phone_and_else_the_landline() {
    for (country, contact, phone) in [
        ("CN", json!({"mobile": "+86 138-0000-0001"}), "13800000001"),
        ("CN", json!({"mobile": "008613800000001", "phone": "021-12345678"}), "13800000001"),
        ("CN", json!({"mobile": "13800000001"}), "13800000001"),
        ("CN", json!({"mobile": "123456789"}), "123456789"),
        ("CN", json!({"mobile": "+61412345678"}), "+61412345678"),
        ("CN", json!({"mobile": null, "phone": "+862112345678;ext=12"}), "+862112345678;ext=12"),
        ("CN", json!({"mobile": " ", "phone": "021-12345678"}), "021-12345678"),
        // Abroad the country code is part of the number.
        ("AU", json!({"mobile": "+8613800000001"}), "+8613800000001"),
        ("AU", json!({"mobile": "0412 345 678"}), "0412 345 678"),
    ] {
        let changes = json!({"address": {"countryCode": country}, "contact": contact});
        assert_eq!(shipper(changes.clone())["phone"], phone, "{country} {contact}");
        assert_eq!(consignee(changes)["phone"], phone, "{country} {contact}");
    }
}
