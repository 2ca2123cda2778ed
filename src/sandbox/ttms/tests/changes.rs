//! 修改订单接口 and 撤销订单接口.

use super::*;

const MODIFY: &str = "/order/modify_order";
const CANCEL: &str = "/order/cancel_orders/v2";

impl Bench {
    async fn modify(&self, number: &str, order: Value) {
        let answer = self.post(MODIFY, &json!({ "orderNumber": number, "order": order })).await;
        assert_eq!(answer, json!({ "code": 200, "message": null, "data": true }));
    }

    fn document(&self, order_number: &str) -> Value {
        serde_json::from_str(self.held(order_number).document.get()).unwrap()
    }
}

/// ModifyOrderEntity with all that the document has.
fn whole_modification() -> Value {
    let mut modification = example!("modify-order-entity");
    fill(&mut modification, "");
    modification["organizationPath"] = "0-12".into();
    modification
}

#[tokio::test]
async fn the_documents_modification_changes_all_of_it() {
    let bench = Bench::new().await;
    let number = bench.create(&whole_order("A-1")).await;
    let before = bench.find(&number).await;
    bench.advance(TimeDelta::seconds(5));
    let modification = whole_modification();
    bench.modify(&number, modification.clone()).await;
    let after = bench.find(&number).await;

    for member in [
        "appointArriveTime",
        "deliveryTime",
        "deliveryType",
        "receiptCount",
        "note",
        "organizationPath",
        "customerOrderNumber",
        "startAddress",
        "endAddress",
    ] {
        assert_eq!(after[member], modification[member], "{member}");
    }
    for (shown, said) in
        [(&after["consigner"], &modification["consigner"]), (&after["consignees"][0], &modification["consignees"][0])]
    {
        assert_eq!((&shown["name"], &shown["phone"]), (&said["name"], &said["phone"]));
        for member in ["province", "city", "district", "address", "lat", "lng"] {
            assert_eq!(shown["address"][member], said["address"][member], "{member}");
        }
    }
    for (name, note) in modification["customNotes"].as_object().unwrap() {
        assert_eq!(after["extraFields"][name], *note);
    }
    for (name, value) in modification["orderCargoes"][0].as_object().unwrap() {
        assert_eq!(after["cargoes"][0][name], *value);
    }
    assert_eq!(after["updated"], bench.seconds());
    for same in [
        "created",
        "number",
        "wmsNumber",
        "wmsLocation",
        "freightIn",
        "freightOut",
        "freightCollect",
        "paymentCollect",
        "state",
    ] {
        assert_eq!(after[same], before[same], "{same} cannot be modified");
    }
    let entry = bench.held("A-1");
    assert_eq!((entry.amended, entry.created), (1, 1));
    assert_eq!(entry.client_reference_number.as_deref(), Some("the customerOrderNumber"));
    assert_eq!(bench.meter("modify_order").orders, 1);
}

/// 未传递的字段以及值为null的值不进行修改
#[tokio::test]
async fn what_is_absent_or_null_stays() {
    let bench = Bench::new().await;
    let number = bench.create(&whole_order("A-1")).await;
    let before = bench.find(&number).await;
    bench.modify(&number, json!({})).await;
    assert_eq!(bench.find(&number).await, before);
    let mut nulls = whole_modification();
    nulls.as_object_mut().unwrap().values_mut().for_each(|it| *it = Value::Null);
    bench.modify(&number, nulls).await;
    assert_eq!(bench.find(&number).await, before);

    bench
        .modify(
            &number,
            json!({
                "consigner": { "phone": "2", "name": null, "address": { "city": "宁波市", "lng": null } },
                "customNotes": { "note2": "new", "note3": null },
            }),
        )
        .await;
    let mut expected = before;
    expected["consigner"]["phone"] = "2".into();
    expected["consigner"]["address"]["city"] = "宁波市".into();
    expected["extraFields"]["note2"] = "new".into();
    assert_eq!(bench.find(&number).await, expected);
    bench.modify(&number, json!({ "note": "" })).await;
    expected["note"] = "".into();
    assert_eq!(bench.find(&number).await, expected, "an empty text is one");
}

/// 修改时会覆盖原本的信息; 如果传递空List会将该信息清空
#[tokio::test]
async fn lists_overwrite_and_an_empty_one_clears() {
    let bench = Bench::new().await;
    let number = bench.create(&whole_order("A-1")).await;
    let weight: Value = serde_json::from_str("1.50").unwrap();
    bench
        .modify(
            &number,
            json!({
                "consignees": [{ "name": "one" }, { "name": "two", "address": { "streetNumber": "7" } }],
                "orderCargoes": [{ "name": "box", "weight": weight }, { "weight": 2.5 }, {}],
            }),
        )
        .await;
    let shown = bench.find(&number).await;
    assert_eq!((&shown["consignees"][0]["name"], &shown["consignees"][0]["phone"]), (&json!("one"), &Value::Null));
    assert_eq!(shown["consignees"][1]["name"], "two");
    assert_eq!((&shown["totalCargoes"], shown["cargo"]["weight"].to_string().as_str()), (&json!(3), "4.00"));
    assert_eq!(shown["cargo"]["quantity"], Value::Null);
    let document = bench.document("A-1");
    assert_eq!((&document["consigneeName"], document.get("consigneePhone")), (&json!("one"), None));
    assert_eq!(document["furtherConsignees"][0]["name"], "two");
    assert_eq!(document["cargoList"][0].to_string(), r#"{"name":"box","weight":1.50}"#);

    bench.modify(&number, json!({ "consignees": [], "orderCargoes": [] })).await;
    let shown = bench.find(&number).await;
    assert_eq!((&shown["consignees"], &shown["cargoes"]), (&json!([]), &json!([])));
    let document = bench.document("A-1");
    assert!(document.get("consigneeName").is_none() && document.get("furtherConsignees").is_none());
    assert_eq!(document["cargoList"], json!([]));
}

/// The books follow in the members of OrderEntity, so that who reads them finds one form.
#[tokio::test]
async fn the_books_hold_the_order_as_it_stands() {
    let bench = Bench::new().await;
    let mut order = whole_order("A-1");
    let number = bench.create(&order).await;
    bench.modify(&number, json!({ "note": "new", "consigner": { "name": "李四" } })).await;
    order["note"] = "new".into();
    order["consignerName"] = "李四".into();
    assert_eq!(bench.document("A-1"), order, "and not a member else is touched");
}

#[tokio::test]
async fn a_modification_that_is_not_right_changes_nothing() {
    let bench = Bench::new().await;
    let number = bench.create(&order("A-1")).await;
    for request in
        [json!({}), json!({ "order": {} }), json!({ "orderNumber": "", "order": {} }), json!({ "orderNumber": null })]
    {
        assert_eq!(bench.refusal(MODIFY, &request).await, "订单号必填");
    }
    for (request, message) in [
        (json!({ "orderNumber": "1", "order": {} }), "订单1不存在"),
        (json!({ "orderNumber": "A-1", "order": {} }), "订单A-1不存在"),
        (json!({ "orderNumber": number }), "order必填"),
        (json!({ "orderNumber": 1, "order": {} }), "orderNumber应为字符串"),
        (json!({ "orderNumber": number, "order": {}, "colour": 1 }), "colour不是接口参数"),
        (json!({ "orderNumber": number, "order": { "deliveryType": 3 } }), "order.deliveryType取值应为1、2"),
        (json!({ "orderNumber": number, "order": { "organizationPath": "0-99" } }), "order.organizationPath0-99无效"),
        (json!({ "orderNumber": number, "order": { "shipperPay": 1 } }), "order.shipperPay不是接口参数"),
        (
            json!({ "orderNumber": number, "order": { "consigner": { "address": { "lat": 91 } } } }),
            "order.consigner.address.lat超出经纬度范围",
        ),
    ] {
        assert_eq!(bench.refusal(MODIFY, &request).await, message);
    }
    for (modification, words) in mistyped(&whole_modification()) {
        let message = bench.refusal(MODIFY, &json!({ "orderNumber": number, "order": modification })).await;
        assert!(message.contains(&format!("order.{words}")) && message.contains("应为"), "{words}: {message}");
    }
    let strays = with_stray_members(&whole_modification());
    assert_eq!(strays.len(), 7, "itself, two parties, two addresses, the notes, a cargo");
    for (modification, words) in strays {
        let message = bench.refusal(MODIFY, &json!({ "orderNumber": number, "order": modification })).await;
        assert_eq!(message, format!("order.{words}不是接口参数"));
    }
    assert_eq!(bench.held("A-1").amended, 0);
}

#[tokio::test]
async fn an_order_can_be_modified_until_it_is_over() {
    for (to, word) in [
        ("placed", None),
        ("confirmed", None),
        ("picked_up", None),
        ("delivered", Some("已签收")),
        ("cancelled", Some("已撤销")),
    ] {
        let bench = Bench::new().await;
        let number = bench.create(&order("A-1")).await;
        bench.advance_order(&number, to).await;
        let request = json!({ "orderNumber": number, "order": { "note": "new" } });
        match word {
            None => assert_eq!(bench.data(MODIFY, &request).await, true),
            Some(word) => assert_eq!(bench.refusal(MODIFY, &request).await, format!("订单{number}{word},不能修改")),
        }
    }
}

/// 只有状态为:待处理,已下单,已接单的运单可以撤销
#[tokio::test]
async fn an_order_can_be_cancelled_until_it_is_loaded() {
    for (to, word) in [
        ("", None),
        ("placed", None),
        ("confirmed", None),
        ("picked_up", Some("已装货")),
        ("delivered", Some("已签收")),
        ("cancelled", Some("已撤销")),
    ] {
        let bench = Bench::new().await;
        let number = bench.create(&order("A-1")).await;
        if !to.is_empty() {
            bench.advance_order(&number, to).await;
        }
        let request = json!({ "numbers": number });
        match word {
            None => {
                assert_eq!(bench.post(CANCEL, &request).await, json!({ "code": 200, "message": null }));
                let shown = bench.find(&number).await;
                assert_eq!((&shown["state"], &shown["waybillState"]), (&json!(0), &Value::Null));
                let entry = bench.held("A-1");
                assert_eq!((entry.status, entry.cancelled), ("已撤销", 1));
            }
            Some(word) => {
                let message = bench.refusal(CANCEL, &request).await;
                assert_eq!(message, format!("撤销订单失败:订单{number}{word},不能撤销"));
                assert_eq!(bench.held("A-1").cancelled, u32::from(word == "已撤销"));
            }
        }
    }
}

#[tokio::test]
async fn all_of_a_call_are_cancelled_or_none() {
    let bench = Bench::new().await;
    let mut numbers = Vec::new();
    for number in ["A-1", "A-2", "A-3"] {
        numbers.push(bench.create(&order(number)).await);
    }
    bench.advance_order("A-3", "picked_up").await;
    let message = bench.refusal(CANCEL, &json!({ "numbers": format!("{},1", numbers.join(",")) })).await;
    assert_eq!(message, format!("撤销订单失败:订单{}已装货,不能撤销;订单1不存在", numbers[2]));
    assert!(bench.books().iter().all(|it| it.cancelled == 0));

    let twice = format!("{0},{1},{0}", numbers[0], numbers[1]);
    assert_eq!(bench.post(CANCEL, &json!({ "numbers": twice })).await["code"], 200);
    let cancelled: Vec<_> = bench.books().iter().map(|it| it.cancelled).collect();
    assert_eq!(cancelled, [1, 1, 0]);
    for (request, message) in [
        (json!({}), "撤销订单失败:numbers必填"),
        (json!({ "numbers": [numbers[2]] }), "撤销订单失败:numbers应为字符串"),
        (json!({ "numbers": "1", "reason": "" }), "撤销订单失败:reason不是接口参数"),
    ] {
        assert_eq!(bench.refusal(CANCEL, &request).await, message);
    }
}

#[tokio::test]
async fn cancelling_may_be_a_get() {
    let bench = Bench::new().await;
    let first = bench.create(&order("A-1")).await;
    let second = bench.create(&order("A-2")).await;
    let answer = bench.get(&format!("{CANCEL}?numbers={first},{second}")).await;
    assert_eq!(answer, json!({ "code": 200, "message": null }));
    assert!(bench.books().iter().all(|it| it.cancelled == 1));
    assert_eq!(bench.meter("cancel_orders").orders, 2);
}
