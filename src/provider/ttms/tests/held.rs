//! Orders as 3TMS holds them: the document's examples in canonical members, and an acceptance order that can be
//! updated from what was read.

use serde_json::{Value, json};

use super::{adapter, changed, customer_order, translated};
use crate::canonical::{DocumentType, EventType, Operation, Order, OrderStatus, merge_patch};
use crate::provider::{Answer, Item, OrderReference, OrderSearch, ProviderOrder, ProviderOrderPage, Reply};

const FIND_ORDER: &[u8] = include_bytes!("../../../../tests/fixtures/ttms/answers/find_order.json");
const QUERY_ORDERS: &[u8] = include_bytes!("../../../../tests/fixtures/ttms/answers/query_orders.json");
const QUERY_CUSTOMER_ORDERS: &[u8] =
    include_bytes!("../../../../tests/fixtures/ttms/answers/query_customer_orders.json");

fn answer(body: &[u8]) -> Answer<'_> {
    Answer { status: 200, retry_after: None, body }
}

fn found(document_type: DocumentType, number: &str, body: &[u8]) -> ProviderOrder {
    let call = adapter().1.calls().lookup(document_type).unwrap();
    let reference = OrderReference {
        order_number: "SO-1".to_owned(),
        customer_reference: None,
        provider_order_number: Some(number.to_owned()),
        adopted: false,
    };
    let Reply::Done(mut orders) = (call.decode)(&reference, &answer(body)) else { panic!() };
    assert_eq!(orders.len(), 1);
    orders.remove(0)
}

fn page(document_type: DocumentType, body: &[u8]) -> ProviderOrderPage {
    let call = adapter().1.calls().search(document_type).unwrap();
    let Reply::Done(page) = (call.decode)(&OrderSearch::default(), &answer(body)) else { panic!() };
    page
}

fn milestones(order: &ProviderOrder) -> Vec<(EventType, i64)> {
    order.milestones.iter().map(|milestone| (milestone.r#type, milestone.occurred_at.timestamp())).collect()
}

#[test]
fn the_documents_example_of_a_found_order() {
    let order = found(DocumentType::TransportOrder, "1901251709800228", FIND_ORDER);
    assert_eq!(order.provider_order_number, "1901251709800228");
    assert_eq!(order.order_number, None);
    assert_eq!(order.customer_reference.as_deref(), Some("JSOUT1234567"));
    assert_eq!(order.provider_trip_number.as_deref(), Some("P1901255BCE400F0001"));
    assert_eq!(order.status, Some(OrderStatus::Confirmed));
    assert_eq!(order.created_at.unwrap().timestamp(), 1_548_407_393);
    assert_eq!(
        milestones(&order),
        [
            (EventType::OrderPlaced, 1_548_407_457),
            (EventType::OrderConfirmed, 1_548_407_457),
            (EventType::TransportPickedUp, 1_548_407_457),
            (EventType::TransportDelivered, 1_548_407_457),
        ]
    );
    assert_eq!(
        order.order,
        serde_json::from_str::<Value>(
            r#"{
            "customerReference": "JSOUT1234567",
            "providerOrderNumber": "1901251709800228",
            "branch": "0",
            "shipFrom": {
                "address": {
                    "street": "浙江省温州市鹿城区浙江温州化工总厂",
                    "geo": {"latitude": 28.024421, "longitude": 120.579412, "datum": "gcj02"},
                    "region": "浙江省", "city": "温州市", "district": "鹿城区"
                },
                "contact": {"name": "发货方", "mobile": "13800000001"},
                "extensions": {"ttms": {"placeName": "杭州"}}
            },
            "shipTo": {
                "address": {
                    "street": "浙江省杭州市淳安县绿城千岛湖喜来登度假酒店",
                    "geo": {"latitude": 29.608042, "longitude": 119.039414, "datum": "gcj02"},
                    "region": "浙江省", "city": "杭州市", "district": "淳安县"
                },
                "contact": {"name": "收货方", "mobile": "13800000002"},
                "extensions": {"ttms": {"placeName": "千岛湖"}}
            },
            "pickup": {"startTime": "2019-01-28T18:00:00+08:00"},
            "delivery": {"endTime": "2019-02-01T08:16:00+08:00"},
            "lines": [{
                "name": "MacBook Pro", "quantity": 8.0, "grossWeight": 2.0, "volume": 3.0,
                "declaredValue": {"amount": 468.89, "currency": "CNY"}
            }],
            "charges": {
                "revenue": {"freight": {"amount": 11, "currency": "CNY"}, "paymentTerm": "prepaid"},
                "cost": {"freight": {"amount": 12, "currency": "CNY"}, "paymentTerm": "monthly_account"}
            },
            "proofOfDelivery": {"copies": 1},
            "dispatch": {
                "vehicle": {"licensePlate": "浙A92874"},
                "driver": {"name": "司机姓名", "phone": "13800000003"}
            },
            "remarks": "运单备注"
        }"#
        )
        .unwrap()
    );
    // Everything that 3TMS says is there.
    let example: Value = serde_json::from_slice(FIND_ORDER).unwrap();
    assert_eq!(order.raw, example["data"][0]);
}

#[test]
fn the_documents_example_of_a_page_of_orders() {
    let page = page(DocumentType::TransportOrder, QUERY_ORDERS);
    assert_eq!((page.total, page.orders.len()), (100, 1));
    let order = &page.orders[0];
    assert_eq!(order.status, Some(OrderStatus::Confirmed));
    assert_eq!(
        milestones(order),
        [(EventType::OrderPlaced, 1_548_407_457), (EventType::OrderConfirmed, 1_548_407_457)]
    );
    // Goods are not told apart.
    assert!(order.order.get("lines").is_none());
    assert_eq!(order.order["totals"].to_string(), r#"{"quantity":3,"grossWeight":5.0,"volume":7.0}"#);
    assert_eq!(order.order["shipFrom"]["address"]["street"], "浙江省温州市鹿城区浙江温州化工总厂");
}

#[test]
fn the_documents_example_of_a_page_of_acceptance_orders() {
    let page = page(DocumentType::CustomerOrder, QUERY_CUSTOMER_ORDERS);
    assert_eq!((page.total, page.orders.len()), (11, 1));
    let order = &page.orders[0];
    assert_eq!(order.provider_order_number, "S1803261358607938");
    assert_eq!((order.order_number.as_deref(), order.customer_reference.as_deref()), (None, Some("112222")));
    assert_eq!(order.status, Some(OrderStatus::Requested));
    assert_eq!(order.created_at.unwrap().timestamp(), 1_522_043_917);
    assert_eq!(milestones(order), [(EventType::OrderPlaced, 1_520_377_500)]);
    assert_eq!(
        order.order,
        serde_json::from_str::<Value>(
            r#"{
            "documentType": "customer_order",
            "customerReference": "112222",
            "providerOrderNumber": "S1803261358607938",
            "branch": "0",
            "shipFrom": {
                "address": {
                    "street": "浙江省杭州市西湖区计量大厦",
                    "geo": {"latitude": 30.277438, "longitude": 120.12564, "datum": "gcj02"}
                },
                "contact": {"name": "发货方", "phone": "123456789"},
                "extensions": {"ttms": {"placeName": "洛阳"}}
            },
            "shipTo": {
                "address": {
                    "street": "江苏省无锡市滨湖区太湖鼋头渚风景区",
                    "geo": {"latitude": 31.52324, "longitude": 120.226687, "datum": "gcj02"}
                },
                "contact": {"name": "收货方", "phone": "123456789"},
                "extensions": {"ttms": {"placeName": "郑州"}}
            },
            "pickup": {"startTime": "2018-03-07T07:05:00+08:00"},
            "delivery": {"endTime": "2018-03-06T05:06:00+08:00"},
            "lines": [{
                "name": "MacBook Air", "quantity": 2.0, "grossWeight": 3.0, "volume": 4.0,
                "declaredValue": {"amount": 5.0, "currency": "CNY"}, "remarks": "xxx",
                "customFields": {"text1": "7", "text2": "8"}
            }],
            "charges": {"revenue": {"freight": {"amount": 10.2, "currency": "CNY"}, "paymentTerm": "quarterly_account"}},
            "collect": {"goods": {"amount": 111, "currency": "CNY"}},
            "proofOfDelivery": {"copies": 1},
            "remarks": "备注"
        }"#
        )
        .unwrap()
    );
    let example: Value = serde_json::from_slice(QUERY_CUSTOMER_ORDERS).unwrap();
    assert_eq!(order.raw, example["data"]["elements"][0]);
}

/// A transport order with the members of the example, changed.
fn held(changes: &Value) -> ProviderOrder {
    let mut example: Value = serde_json::from_slice(FIND_ORDER).unwrap();
    merge_patch(&mut example["data"][0], changes);
    found(DocumentType::TransportOrder, "1901251709800228", example.to_string().as_bytes())
}

#[test]
fn states_of_transport_orders() {
    for (changes, status) in [
        (json!({"state": 0}), Some(OrderStatus::Cancelled)),
        (json!({"state": 1000, "waybillState": null}), Some(OrderStatus::Draft)),
        (json!({"waybillState": 1}), Some(OrderStatus::Requested)),
        (json!({"waybillState": 2}), Some(OrderStatus::Confirmed)),
        (json!({"waybillState": 3}), Some(OrderStatus::InTransit)),
        (json!({"waybillState": 4}), Some(OrderStatus::Completed)),
        (json!({"waybillState": null}), None),
        (json!({"waybillState": 9}), None),
        (json!({"state": 7}), None),
        (json!({"state": "2000", "waybillState": "4.0"}), Some(OrderStatus::Completed)),
        (json!({"isDelete": 1}), Some(OrderStatus::Cancelled)),
    ] {
        assert_eq!(held(&changes).status, status, "{changes}");
    }
}

#[test]
fn states_of_acceptance_orders() {
    let of = |changes: Value| {
        let mut example: Value = serde_json::from_slice(QUERY_CUSTOMER_ORDERS).unwrap();
        merge_patch(&mut example["data"]["elements"][0]["order"], &changes);
        page(DocumentType::CustomerOrder, example.to_string().as_bytes()).orders.remove(0)
    };
    for (changes, status) in [
        (json!({"state": 0}), Some(OrderStatus::Cancelled)),
        (json!({"state": 1000}), Some(OrderStatus::Requested)),
        (json!({"state": 2000, "departured": false}), Some(OrderStatus::Confirmed)),
        (json!({"state": 2000, "departured": true}), Some(OrderStatus::InTransit)),
        (json!({"state": 2000, "departured": null}), Some(OrderStatus::InTransit)),
        (json!({"state": 3000}), Some(OrderStatus::Completed)),
        (json!({"state": 4000}), None),
    ] {
        assert_eq!(of(changes.clone()).status, status, "{changes}");
    }
    let delivered = of(json!({"departureTime": 1_520_377_600, "lastSignTime": 1_520_400_000}));
    assert_eq!(
        milestones(&delivered),
        [
            (EventType::OrderPlaced, 1_520_377_500),
            (EventType::TransportPickedUp, 1_520_377_600),
            (EventType::TransportDelivered, 1_520_400_000),
        ]
    );
}

#[test]
fn what_says_nothing_is_left_out() {
    let order = held(&json!({
        "wmsNumber": "SO-1", "wmsLocation": "A-01", "deliveryType": 2, "freightCollect": 3.5, "paymentCollect": 7,
        "consigner": {"name": "", "phone": "0571-88880001", "address": {"address": null, "name": "文三路", "province": "",
            "city": "杭州市", "district": null, "lng": 0.0, "lat": 0}},
        "consignees": [{"name": "甲".repeat(65)}, {"name": "乙", "address": {"lng": "120.1", "lat": "30.1"}}],
        "freightIn": {"payType": 10, "amount": -1}, "freightOut": null, "dispatchDriver": null,
        "deliveryTime": 0, "appointArriveTime": null, "receiptCount": 2.0,
        "extraFields": {"note1": "x", "note12": "y"}, "cargoes": null,
    }));
    assert_eq!(order.order_number.as_deref(), Some("SO-1"));
    assert_eq!(
        order.order,
        json!({
            "orderNumber": "SO-1", "customerReference": "JSOUT1234567", "providerOrderNumber": "1901251709800228",
            "branch": "0",
            // The city stands in a member of its own at 3TMS and not in the text.
            "shipFrom": {"address": {"street": "文三路"}, "contact": {"phone": "0571-88880001"},
                "extensions": {"ttms": {"placeName": "杭州"}}},
            "shipTo": {"companyName": "甲".repeat(65), "extensions": {"ttms": {"placeName": "千岛湖"}}},
            "additionalShipTo": [{"contact": {"name": "乙"},
                "address": {"geo": serde_json::from_str::<Value>(r#"{"latitude": 30.1, "longitude": 120.1, "datum": "gcj02"}"#).unwrap()}}],
            "deliveryMethod": "door_delivery",
            "totals": serde_json::from_str::<Value>(r#"{"quantity": 3, "grossWeight": 5.0, "volume": 7.0}"#).unwrap(),
            "collect": {"goods": {"amount": 7, "currency": "CNY"}, "freight": {"amount": 3.5, "currency": "CNY"}},
            "proofOfDelivery": {"copies": 2},
            "remarks": "运单备注",
            "customFields": {"text1": "x", "text12": "y"},
            "extensions": {"ttms": {"wmsLocation": "A-01"}},
        })
    );
    let document = json!({"account": "ttms-demo", "orderNumber": "SO-1"});
    let mut whole = order.order;
    merge_patch(&mut whole, &document);
    assert!(serde_json::from_value::<Order>(whole).is_ok());
}

/// An acceptance order as a query answers it, from the entity that made it.
fn as_held(entity: &Value) -> Value {
    let party = |role: &str| {
        json!({
            "name": entity[format!("{role}Name")], "phone": entity[format!("{role}Phone")],
            "address": {"province": null, "address": entity[format!("{role}Address")],
                "lng": entity[format!("{role}Location")]["lng"], "lat": entity[format!("{role}Location")]["lat"]},
        })
    };
    let mut order = entity.clone();
    let cargoes: Vec<Value> = entity["cargoList"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cargo| {
            let mut held = cargo.clone();
            held["remarks"] = held["productModel"].take();
            held
        })
        .collect();
    merge_patch(
        &mut order,
        &json!({
            "number": "S1", "state": 1000, "consigner": party("consigner"), "consignee": party("consignee"),
            "createOrganizationPath": entity["organizationPath"], "currentBindDevice": entity["deviceNumber"],
            "freightIn": {"amount": entity["shipperPay"], "payType": entity["shipperPayType"]},
        }),
    );
    json!({"code": 200, "data": {"page": 1, "size": 50, "total": 1, "elements": [{"order": order, "cargoes": cargoes}]}})
}

#[test]
fn an_update_from_what_was_read_clears_nothing() {
    for order in [
        customer_order(&json!({})),
        customer_order(&json!({"shipFrom": {"contact": {"mobile": null, "phone": "0571-88880001"}}})),
    ] {
        let created = super::sent(Item::create(&order))["orders"][0].clone();
        let held = found(DocumentType::CustomerOrder, "S1", as_held(&created).to_string().as_bytes());
        let mut document = json!({"account": "ttms-demo", "orderNumber": "SO-1"});
        merge_patch(&mut document, &held.order);
        let read = super::order(&document);
        let item = Item { operation: Operation::Amend, provider_order_number: Some("S1"), ..Item::create(&read) };
        let translation = translated(item);
        assert_eq!(translation.refusals, []);
        let updated = super::body(&translation.request.unwrap());
        assert_eq!(updated["order"], created);
    }
    // A transport order is amended by its parts and needs no such thing.
    assert_eq!(changed(&json!({})).document_type(), DocumentType::TransportOrder);
}
