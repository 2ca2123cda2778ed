//! create_order_pack's request.

use serde_json::json;

use super::{NUMBER, body, order, refused, sent, translated, whole_orders};
use crate::canonical::{Operation, Order, merge_patch};
use crate::provider::{Item, Translation, Trip};

const DRIVER: &str = "+86 138-0000-0009";

fn orders() -> Vec<Order> {
    whole_orders().iter().map(order).collect()
}

fn trip<'a>(orders: &'a [Order], driver_phone: &'a str) -> Item<'a> {
    Item { operation: Operation::CreateTrip, trip: Some(Trip { orders, driver_phone }), ..Item::create(&orders[0]) }
}

/// The trip with changes of its second order.
fn changed(changes: &serde_json::Value) -> Translation {
    let mut documents = whole_orders();
    merge_patch(&mut documents[1], changes);
    let orders: Vec<Order> = documents.iter().map(order).collect();
    translated(trip(&orders, DRIVER))
}

#[test]
fn a_trip_is_its_orders_and_its_driver() {
    let orders = orders();
    let sent = sent(trip(&orders, DRIVER));
    assert_eq!(sent["driverPhone"], "13800000009");
    let of_orders = sent["orderList"].as_array().unwrap();
    assert_eq!(of_orders.len(), 3);
    for (index, order) in orders.iter().enumerate() {
        assert_eq!(super::sent(Item::create(order))["orderList"][0], of_orders[index]);
    }
    let request = translated(trip(&orders, DRIVER)).request.unwrap();
    assert!(request.url.starts_with("http://api.56ctms.com/order/create_order_pack?access_token="));
    assert_eq!(sent.as_object().unwrap().len(), 2);
}

#[test]
fn lineage_and_notices_are_of_each_order() {
    let translation = changed(&json!({"cargo": {"battery": "contained"}, "branch": "east"}));
    assert_eq!(translation.refusals, []);
    assert_eq!(translation.dropped, ["/orders/1/cargo"]);
    let of = |target: &str| {
        translation.lineage.iter().find(|lineage| lineage.target == target).map(|lineage| lineage.pointer.clone())
    };
    assert_eq!(of("orderList[1].orderNumber").as_deref(), Some("/orders/1/orderNumber"));
    assert_eq!(of("orderList[0].cargoList[0].name").as_deref(), Some("/orders/0/lines/0/nameZh"));
    assert_eq!(of("driverPhone").as_deref(), Some("/driver/phone"));
    let reduced: Vec<_> = translation
        .notices
        .iter()
        .filter(|notice| notice.code == "translation.precision_reduced")
        .map(|notice| notice.pointers[0].as_str())
        .collect();
    assert_eq!(reduced, ["/orders/2/pickup/date", "/orders/2/delivery/date"]);
}

#[test]
fn each_order_is_checked_with_its_own_pointers() {
    let found = refused(changed(&json!({
        "pickup": null,
        "shipFrom": {"contact": {"phone": null}},
        "insurance": {"policyNumber": "P1"},
    })));
    assert_eq!(
        found,
        super::pairs(&[
            ("/orders/1/shipFrom/contact/mobile", "validation.missing"),
            ("/orders/1/pickup", "validation.missing"),
            ("/orders/1/insurance", "translation.unsupported_field"),
        ])
    );
}

#[test]
fn on_a_trip_an_order_is_dispatched_to_its_vehicle() {
    let to_the_driver = changed(&json!({"dispatch": {"mode": "vehicle", "driver": {"phone": "13800000009"}}}));
    assert_eq!((to_the_driver.refusals, to_the_driver.dropped), (vec![], vec![]));
    let to_another = changed(&json!({"dispatch": {"mode": "vehicle", "driver": {"phone": "13800000008"}}}));
    assert_eq!(refused(to_another), super::pairs(&[("/orders/1/dispatch/driver/phone", "validation.inconsistent")]));
    let with_a_plate = changed(&json!({"dispatch": {"mode": "vehicle", "vehicle": {"licensePlate": "浙A12345"}}}));
    assert_eq!(refused(with_a_plate), super::pairs(&[("/orders/1/dispatch/vehicle", "translation.unsupported_field")]));
}

#[test]
fn a_driver_and_no_more_than_a_hundred_orders() {
    let orders = orders();
    assert_eq!(
        refused(translated(trip(&orders, "12"))),
        super::pairs(&[("/driver/phone", "validation.invalid_format")])
    );
    let many = vec![orders[2].clone(); 101];
    assert_eq!(refused(translated(trip(&many, DRIVER))), super::pairs(&[("/orders", "validation.out_of_range")]));
    let hundred = vec![orders[2].clone(); 100];
    let sent = body(&translated(trip(&hundred, DRIVER)).request.unwrap());
    assert_eq!(sent["orderList"].as_array().unwrap().len(), 100);
    let without =
        Item { operation: Operation::CreateTrip, provider_order_number: Some(NUMBER), ..Item::create(&orders[0]) };
    assert!(translated(without).request.is_none());
}
