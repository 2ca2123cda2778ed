//! modify_order's request: what of a change is sent, and what cannot be changed.

use serde_json::{Value, json};

use super::{NUMBER, changed, leaves, noticed, pairs, refused, translated};
use crate::canonical::{Operation, Order, merge_patch};
use crate::provider::{Item, Translation};

const ENTITY: &str = include_str!("../../../../tests/fixtures/ttms/modify-order-entity.json");

/// A change of an order whose document before it is known.
fn amend<'a>(before: &'a Order, after: &'a Order, change: &'a Value) -> Item<'a> {
    Item {
        operation: Operation::Amend,
        change: Some(change),
        standing: Some(before),
        provider_order_number: Some(NUMBER),
        ..Item::create(after)
    }
}

/// The first whole order, changed by `first` before and then by `change`.
fn amended_from(first: &Value, change: &Value) -> Translation {
    let before = changed(first);
    let mut both = json!(before);
    merge_patch(&mut both, change);
    let after = super::order(&both);
    translated(amend(&before, &after, change))
}

fn amended(change: &Value) -> Translation {
    amended_from(&json!({}), change)
}

/// The members of `order` in the request, where nothing is refused or left out.
fn sent(translation: &Translation) -> Value {
    assert_eq!((translation.refusals.as_slice(), translation.dropped.as_slice()), ([].as_slice(), [].as_slice()));
    let sent = super::body(translation.request.as_ref().unwrap());
    assert_eq!(sent["orderNumber"], NUMBER);
    assert_eq!(sent.as_object().unwrap().len(), 2);
    sent["order"].clone()
}

#[test]
fn only_what_changes_is_sent() {
    for (change, expected) in [
        (json!({"remarks": "x"}), json!({"note": "x"})),
        (json!({"customerReference": "C-2"}), json!({"customerOrderNumber": "C-2"})),
        (json!({"deliveryMethod": "self_pickup"}), json!({"deliveryType": 1})),
        (json!({"branch": "0-12"}), json!({"organizationPath": "0-12"})),
        (json!({"proofOfDelivery": {"copies": 3}}), json!({"receiptCount": 3})),
        (json!({"pickup": {"startTime": "2026-11-24T10:00:00+08:00"}}), json!({"deliveryTime": 1_795_485_600})),
        (json!({"delivery": {"endTime": "2026-11-24T10:00:00+08:00"}}), json!({"appointArriveTime": 1_795_485_600})),
        (
            json!({"delivery": {"endTime": null, "startTime": "2026-11-24T10:00:00+08:00"}}),
            json!({"appointArriveTime": 1_795_485_600}),
        ),
        (json!({"customFields": {"brand": null, "text2": "new"}}), json!({"customNotes": {"note2": "new"}})),
        (json!({"shipFrom": {"contact": {"name": "王五"}}}), json!({"consigner": {"name": "王五"}})),
        (
            json!({"shipFrom": {"contact": {"mobile": null, "phone": "0571-88880001"}}}),
            json!({"consigner": {"phone": "0571-88880001"}}),
        ),
        (
            json!({"shipFrom": {"contact": {"name": null}, "companyName": "杭州一号仓"}}),
            json!({"consigner": {"name": "杭州一号仓"}}),
        ),
        (
            json!({"shipFrom": {"address": {"street": "学院路"}}}),
            json!({"consigner": {"address": {"address": "浙江省杭州市西湖区学院路90号"}}}),
        ),
        (
            json!({"shipFrom": {"address": {"city": "宁波市", "district": "海曙区"}}}),
            json!({"consigner": {"address": {
                "city": "宁波市", "district": "海曙区", "address": "浙江省宁波市海曙区文三路90号"}}}),
        ),
        (
            json!({"shipFrom": {"address": {"streetNumber": "91号"}}}),
            json!({"consigner": {"address": {"streetNumber": "91号", "address": "浙江省杭州市西湖区文三路91号"}}}),
        ),
        (
            json!({"shipFrom": {"address": {"geo": {"longitude": 120.2}}}}),
            json!({"consigner": {"address": {"lng": 120.2, "lat": 30.277_438}}}),
        ),
        (json!({"shipFrom": {"extensions": {"ttms": {"placeName": "余杭"}}}}), json!({"startAddress": "余杭"})),
        (json!({"shipFrom": {"extensions": {"ttms": {"placeName": null}}}}), json!({"startAddress": "杭州市"})),
        (json!({"shipTo": {"extensions": {"ttms": {"placeName": "苏州"}}}}), json!({"endAddress": "苏州"})),
    ] {
        assert_eq!(sent(&amended(&change)), expected, "{change}");
    }
}

#[test]
fn the_request_names_the_order_by_its_number_at_3tms() {
    let translation = amended(&json!({"remarks": "x"}));
    let request = translation.request.unwrap();
    assert!(request.url.starts_with("http://api.56ctms.com/order/modify_order?access_token="));
    // An order that was made there may name its number itself; for another that would be news.
    let mut before = json!(changed(&json!({})));
    before["providerOrderNumber"] = json!(NUMBER);
    let before = super::order(&before);
    let change = json!({"remarks": "x"});
    let known = Item { provider_order_number: None, adopted: true, ..amend(&before, &before, &change) };
    assert_eq!(super::sent(known)["orderNumber"], NUMBER);
    let unknown = Item { provider_order_number: None, ..amend(&before, &before, &change) };
    assert_eq!(refused(translated(unknown)), pairs(&[("/providerOrderNumber", "validation.missing")]));
}

#[test]
fn consignees_are_sent_as_a_whole() {
    let consignee = json!({
        "name": "李四", "phone": "13900000002",
        "address": {"province": "江苏省", "city": "无锡市", "district": "滨湖区", "address": "江苏省无锡市滨湖区太湖大道1号",
            "streetNumber": "1号", "lng": 120.226_687, "lat": 31.523_24}});
    let with = |changes: Value| {
        let mut changed = consignee.clone();
        merge_patch(&mut changed, &changes);
        changed
    };
    let second = json!({"contact": {"name": "赵六", "mobile": "13700000003"}, "address": {"street": "中山路"}});
    let second_sent = json!({"name": "赵六", "phone": "13700000003", "address": {"address": "中山路"}});
    for (before, change, expected) in [
        (json!({}), json!({"shipTo": {"contact": {"name": "王五"}}}), json!([with(json!({"name": "王五"}))])),
        (
            json!({}),
            json!({"shipTo": {"address": {"geo": null, "district": null}}}),
            json!([with(json!({"address": {
                "lng": null, "lat": null, "district": null, "address": "江苏省无锡市太湖大道1号"}}))]),
        ),
        (json!({}), json!({"additionalShipTo": [second]}), json!([consignee, second_sent])),
        (
            json!({"additionalShipTo": [second]}),
            json!({"shipTo": {"contact": {"name": "王五"}}}),
            json!([with(json!({"name": "王五"})), second_sent]),
        ),
        (json!({"additionalShipTo": [second]}), json!({"additionalShipTo": null}), json!([consignee])),
        (json!({}), json!({"additionalShipTo": []}), json!([consignee])),
    ] {
        let mut changed = sent(&amended_from(&before, &change));
        changed.as_object_mut().unwrap().remove("endAddress");
        assert_eq!(changed, json!({"consignees": expected}), "{change}");
    }
}

#[test]
fn a_further_drop_is_a_stop_like_any_other() {
    let drop = json!({"contact": {"name": "赵六", "mobile": "13700000003"}, "address": {"street": "中山路"},
        "companyName": "三号店", "remarks": "x"});
    let translation = amended(&json!({"additionalShipTo": [drop]}));
    assert_eq!(translation.refusals, []);
    assert_eq!(translation.dropped, ["/additionalShipTo/0/companyName", "/additionalShipTo/0/remarks"]);
    let lineage = translation.lineage.iter().find(|lineage| lineage.target == "order.consignees[1].name").unwrap();
    assert_eq!(lineage.pointer, "/additionalShipTo/0/contact/name");
}

#[test]
fn null_clears_a_list() {
    assert_eq!(sent(&amended(&json!({"lines": null}))), json!({"orderCargoes": []}));
    assert_eq!(sent(&amended(&json!({"lines": []}))), json!({"orderCargoes": []}));
    let without_place = json!({"shipTo": {"extensions": null, "address": {"city": null}}});
    assert_eq!(sent(&amended_from(&without_place, &json!({"shipTo": null}))), json!({"consignees": []}));
    let changed = sent(&amended(&json!({"lines": [{"name": "裙子", "quantity": 1.0, "remarks": "x"}]})));
    assert_eq!(changed.to_string(), r#"{"orderCargoes":[{"name":"裙子","quantity":1.0,"productModel":"x"}]}"#);
}

#[test]
fn a_destination_that_is_no_more_keeps_its_name_which_is_told() {
    let translation = amended(&json!({"shipTo": null}));
    let code = "translation.field_not_clearable";
    assert_eq!(noticed(&translation), pairs(&[("/shipTo", code)]));
    assert_eq!(sent(&translation), json!({"consignees": []}));
}

#[test]
fn null_cannot_clear_a_member_that_it_leaves_as_it_is() {
    let code = "translation.field_not_clearable";
    for (change, pointers) in [
        (json!({"remarks": null}), vec!["/remarks"]),
        (json!({"delivery": null}), vec!["/delivery"]),
        (json!({"deliveryMethod": null}), vec!["/deliveryMethod"]),
        (json!({"branch": null}), vec!["/branch"]),
        (json!({"proofOfDelivery": null}), vec!["/proofOfDelivery"]),
        (json!({"customFields": {"text1": null}}), vec!["/customFields/text1"]),
        (json!({"customFields": null}), vec!["/customFields"]),
        (json!({"shipFrom": {"contact": {"mobile": null}}}), vec!["/shipFrom/contact/mobile"]),
        (json!({"shipFrom": {"contact": null}}), vec!["/shipFrom/contact"]),
        (json!({"shipFrom": {"address": {"district": null}}}), vec!["/shipFrom/address/district"]),
        (json!({"shipFrom": {"address": {"geo": null}}}), vec!["/shipFrom/address/geo"]),
        (json!({"shipFrom": {"address": null, "extensions": null}}), vec!["/shipFrom/extensions", "/shipFrom/address"]),
        (json!({"shipTo": {"extensions": null, "address": {"city": null}}}), vec!["/shipTo/extensions"]),
        (json!({"remarks": null, "branch": null}), vec!["/remarks", "/branch"]),
    ] {
        let expected: Vec<_> = pointers.into_iter().map(|pointer| (pointer, code)).collect();
        assert_eq!(refused(amended(&change)), pairs(&expected), "{change}");
    }
}

#[test]
fn there_is_nothing_to_clear_where_nothing_was() {
    let without = json!({"remarks": null, "charges": null, "customFields": {"text1": null}});
    let translation = amended_from(
        &without,
        &json!({
            "remarks": null, "charges": null, "customFields": {"text1": null}, "insurance": null, "customer": null,
            "shipFrom": {"remarks": null, "contact": {"email": null}}, "dispatch": {"mode": null},
        }),
    );
    assert_eq!(sent(&translation), json!({}));
}

#[test]
fn the_customers_number_becomes_ours_again() {
    assert_eq!(sent(&amended(&json!({"customerReference": null}))), json!({"customerOrderNumber": "SO-1"}));
    let (before, after) = (changed(&json!({})), changed(&json!({"customerReference": null})));
    let change = json!({"customerReference": null});
    let made_there = Item { adopted: true, ..amend(&before, &after, &change) };
    let code = "translation.field_not_clearable";
    assert_eq!(refused(translated(made_there)), pairs(&[("/customerReference", code)]));
}

#[test]
fn what_only_creation_can_say_is_not_amendable() {
    let yuan = |amount: u32| json!({"amount": amount, "currency": "CNY"});
    let code = "translation.field_not_amendable";
    for (change, pointers) in [
        (json!({"charges": {"revenue": {"freight": yuan(1)}}}), vec!["/charges/revenue/freight"]),
        (json!({"charges": {"revenue": {"freight": {"amount": 1}}}}), vec!["/charges/revenue/freight"]),
        (json!({"charges": {"revenue": {"paymentTerm": "collect"}}}), vec!["/charges/revenue/paymentTerm"]),
        (json!({"charges": {"cost": null}}), vec!["/charges/cost"]),
        (json!({"charges": null}), vec!["/charges"]),
        (json!({"collect": {"goods": yuan(1), "freight": yuan(1)}}), vec!["/collect/goods", "/collect/freight"]),
        (json!({"collect": null}), vec!["/collect"]),
        (json!({"extensions": {"ttms": {"wmsLocation": "B"}}}), vec!["/extensions/ttms/wmsLocation"]),
    ] {
        let expected: Vec<_> = pointers.into_iter().map(|pointer| (pointer, code)).collect();
        assert_eq!(refused(amended(&change)), pairs(&expected), "{change}");
    }
    // What stays as it is may be named.
    let same = json!({"charges": {"revenue": {"freight": yuan(1800)}}, "collect": {"goods": {"currency": "CNY"}}});
    assert_eq!(sent(&amended(&same)), json!({}));
}

#[test]
fn what_changes_liability_or_safety_is_refused_also_in_a_change() {
    let field = "translation.unsupported_field";
    for (change, pointer) in [
        (json!({"insurance": {"policyNumber": "x"}}), "/insurance"),
        (json!({"dispatch": {"mode": "vehicle"}}), "/dispatch/mode"),
        (
            json!({"shipFrom": {"externalId": "W1", "contact": null, "address": null, "companyName": null}}),
            "/shipFrom/externalId",
        ),
    ] {
        let found = refused(amended_from(&json!({}), &change));
        assert!(found.contains(&(pointer.to_owned(), field.to_owned())), "{found:?}");
    }
    let abroad = json!({"shipTo": {"address": {"countryCode": "DE"}}});
    let code = "translation.unsupported_value";
    assert_eq!(refused(amended(&abroad)), pairs(&[("/shipTo/address/countryCode", code)]));
    let abroad = json!({"shipFrom": {"address": {"countryCode": "DE"}}});
    assert_eq!(refused(amended(&abroad)), pairs(&[("/shipFrom/address/countryCode", code)]));
}

#[test]
fn what_has_no_place_is_a_notice_in_a_change_too() {
    let translation = amended(&json!({
        "shipFrom": {"remarks": "x", "companyName": "杭州一号仓"},
        "shipTo": {"remarks": "x"},
        "customFields": {"other": "x"},
        "totals": {"quantity": 1},
    }));
    let dropped = "translation.field_dropped";
    assert_eq!(
        noticed(&translation),
        pairs(&[
            ("/customFields", "custom_field.unsupported"),
            ("/shipFrom", dropped),
            ("/shipTo", dropped),
            ("/totals", dropped),
        ])
    );
    assert_eq!(super::body(&translation.request.unwrap())["order"], json!({}));
}

#[test]
fn consignees_of_an_order_that_is_not_known_must_be_whole() {
    let adopted = |change: &Value| {
        let mut document = json!({"account": "ttms-demo", "orderNumber": "A-1", "shipFrom": {}});
        merge_patch(&mut document, change);
        let order = super::order(&document);
        let item = Item { standing: None, adopted: true, ..amend(&order, &order, change) };
        translated(item)
    };
    let code = "validation.missing";
    assert_eq!(
        refused(adopted(&json!({"shipTo": {"contact": {"name": "王五"}}}))),
        pairs(&[("/shipTo/contact/mobile", code), ("/shipTo/address/street", code), ("/additionalShipTo", code)])
    );
    assert_eq!(refused(adopted(&json!({"additionalShipTo": null}))), pairs(&[("/shipTo", code)]));
    let whole = json!({"additionalShipTo": null,
        "shipTo": {"contact": {"name": "王五", "mobile": "13800000009"}, "address": {"street": "中山路"}}});
    let consignee = json!({"name": "王五", "phone": "13800000009", "address": {"address": "中山路"}});
    assert_eq!(sent(&adopted(&whole)), json!({"consignees": [consignee]}));
    // The text of an address is one, too.
    let city = json!({"shipFrom": {"address": {"city": "宁波市"}}});
    assert_eq!(refused(adopted(&city)), pairs(&[("/shipFrom/address/street", code)]));
    let street = json!({"shipFrom": {"address": {"city": "宁波市", "street": "学院路"}}});
    let address = json!({"city": "宁波市", "address": "宁波市学院路"});
    assert_eq!(sent(&adopted(&street)), json!({"startAddress": "宁波市", "consigner": {"address": address}}));
    // Everything else is sent by its parts.
    assert_eq!(sent(&adopted(&json!({"remarks": "x"}))), json!({"note": "x"}));
}

#[test]
fn every_member_of_the_documents_entity_can_be_sent_with_its_type() {
    let before = changed(&json!({}));
    let mut change = json!(before);
    for member in ["charges", "collect", "extensions"] {
        change.as_object_mut().unwrap().remove(member);
    }
    let entity: Value = serde_json::from_str(ENTITY).unwrap();
    let sent = sent(&translated(amend(&before, &before, &change)));
    let (sent, documented) = (leaves(&sent), leaves(&entity));
    assert_eq!(sent.keys().collect::<Vec<_>>(), documented.keys().collect::<Vec<_>>());
    for (path, value) in &documented {
        assert_eq!(sent[path].is_string(), value.is_string(), "{path}");
        assert_eq!(sent[path].is_number(), value.is_number(), "{path}");
    }
}

#[test]
fn without_a_change_of_its_own_the_whole_order_is_the_change() {
    let order = changed(&json!({"charges": null, "collect": null, "extensions": null}));
    let item = Item { change: None, standing: None, ..amend(&order, &order, &Value::Null) };
    let sent = sent(&translated(item));
    assert_eq!(sent["note"], "请提前一小时联系");
    assert_eq!(sent["consignees"].as_array().unwrap().len(), 1);
    assert_eq!(sent["customNotes"].as_object().unwrap().len(), 12);
}
