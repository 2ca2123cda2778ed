//! 创建订单接口 and 创建车次接口.

use super::*;

const CREATE: &str = "/order/create_order";
const PACK: &str = "/order/create_order_pack";

impl Bench {
    async fn create_refusal(&self, orders: &[Value]) -> String {
        self.refusal(CREATE, &json!({ "orderList": orders })).await
    }
}

#[tokio::test]
async fn the_documents_order_is_created_and_kept_as_it_came() {
    let bench = Bench::new().await;
    let order = whole_order("A-1");
    let answer = bench.post(CREATE, &json!({ "orderList": [order] })).await;
    assert_eq!(answer, json!({ "code": 200, "data": ["1901251709000001"], "message": null }));

    let entry = bench.held("A-1");
    assert_eq!(serde_json::from_str::<Value>(entry.document.get()).unwrap(), order);
    assert_eq!(entry.provider_order_number, "1901251709000001");
    assert_eq!(entry.client_reference_number.as_deref(), Some("the customerOrderNumber"));
    assert_eq!((entry.status, entry.created, entry.received_creates), ("待处理", 1, 1));
    assert_eq!((entry.amended, entry.cancelled), (0, 0));
}

#[tokio::test]
async fn numbers_come_from_the_clock_and_a_serial_and_never_again() {
    let bench = Bench::new().await;
    let mut last = bench.create(&order("A-0")).await;
    for number in 1..30 {
        if number == 10 {
            bench.simulator().reset();
        }
        let next = bench.create(&order(&format!("A-{number}"))).await;
        assert!(next > last && next.len() == 16 && next.starts_with("1901251709"), "{next}");
        last = next;
    }
    bench.advance(TimeDelta::seconds(61));
    assert_eq!(bench.create(&order("B-1")).await, "1901251710010001");
    bench.advance(TimeDelta::seconds(-61));
    assert_eq!(bench.create(&order("B-2")).await, "1901251710010002", "a clock that steps back takes none again");
}

#[tokio::test]
async fn what_is_required_must_be_there_and_not_empty() {
    let bench = Bench::new().await;
    for member in ["orderNumber", "consignerAddress", "consignerName", "consignerPhone", "deliveryTime"] {
        let words = format!("订单创建失败:orderList[0].{member}必填");
        let mut without = order("A-1");
        without.as_object_mut().unwrap().remove(member);
        assert_eq!(bench.create_refusal(&[without]).await, words);
        assert_eq!(bench.create_refusal(&[order_with(member, Value::Null)]).await, words);
        if member != "deliveryTime" {
            assert_eq!(bench.create_refusal(&[order_with(member, "")]).await, words);
        }
    }
    let message = bench.create_refusal(&[json!({}), order("A-2")]).await;
    assert_eq!(message.matches("必填").count(), 5, "{message}");
    assert_eq!(bench.create_refusal(&[]).await, "订单创建失败:orderList必填");
    assert!(bench.books().is_empty());
    bench.create(&order("A-1")).await;
    assert_eq!(bench.held("A-1").received_creates, 12, "those with the number that were refused included");
}

#[tokio::test]
async fn all_else_may_be_absent_or_null() {
    let bench = Bench::new().await;
    let required = order("A-1");
    let mut nulls = whole_order("A-1");
    for (name, member) in nulls.as_object_mut().unwrap() {
        if required.get(name).is_none() {
            *member = Value::Null;
        }
    }
    bench.create(&nulls).await;
    let mut empty = example!("order-entity");
    for name in required.as_object().unwrap().keys() {
        empty[name] = required[name].clone();
    }
    empty["orderNumber"] = "A-2".into();
    bench.create(&empty).await;
}

#[tokio::test]
async fn every_member_has_its_type() {
    let bench = Bench::new().await;
    let whole = whole_order("A-1");
    let mistyped = mistyped(&whole);
    assert!(mistyped.len() > 60, "{}", mistyped.len());
    for (order, words) in mistyped {
        let message = bench.create_refusal(&[order]).await;
        assert!(message.contains(&format!("orderList[0].{words}")) && message.contains("应为"), "{words}: {message}");
    }
    for (member, value, words) in [
        ("deliveryTime", json!(1_548_669_600.5), "应为整数"),
        ("deliveryTime", json!("1548669600"), "应为整数"),
        ("deliveryTime", json!(1_548_669_600_000_i64), "应为精确到秒的时间戳"),
        ("appointArriveTime", json!(-1), "应为精确到秒的时间戳"),
        ("receiptCount", json!(1.5), "应为整数"),
        ("consignerLocation", json!({ "lng": 120.1 }), ".lng应为字符串"),
        ("consignerLocation", json!({ "lng": "east" }), ".lng应为数字字符串"),
        ("consigneeLocation", json!({ "lat": "90.1" }), ".lat超出经纬度范围"),
        ("consigneeLocation", json!({ "lng": "-180.5" }), ".lng超出经纬度范围"),
        ("organizationPath", json!("0-99"), "0-99无效"),
    ] {
        let message = bench.create_refusal(&[order_with(member, value)]).await;
        assert_eq!(message, format!("订单创建失败:orderList[0].{member}{words}"));
    }
    assert!(bench.books().is_empty());
    for (number, path) in ["0", "0-0", "0-11", "0-12", ""].into_iter().enumerate() {
        let mut order = order(&format!("A-{number}"));
        order["organizationPath"] = path.into();
        bench.create(&order).await;
    }
}

#[tokio::test]
async fn every_enumeration_has_its_values() {
    let bench = Bench::new().await;
    for (member, most) in [("deliveryType", 2), ("driverPayType", 9), ("shipperPayType", 9)] {
        for value in [0, most + 1] {
            let message = bench.create_refusal(&[order_with(member, value)]).await;
            let values: Vec<_> = (1..=most).map(|it| it.to_string()).collect();
            let values = values.join("、");
            assert_eq!(message, format!("订单创建失败:orderList[0].{member}取值应为{values}"));
        }
        for value in 1..=most {
            let mut order = order(&format!("{member}-{value}"));
            order[member] = value.into();
            bench.create(&order).await;
        }
    }
}

#[tokio::test]
async fn no_member_is_unknown() {
    let bench = Bench::new().await;
    let strays = with_stray_members(&whole_order("A-1"));
    assert_eq!(strays.len(), 5, "the order, two locations, extraFields, a cargo");
    for (order, words) in strays {
        let message = bench.create_refusal(&[order]).await;
        assert_eq!(message, format!("订单创建失败:orderList[0].{words}不是接口参数"));
    }
    let message = bench.refusal(CREATE, &json!({ "orderList": [order("A-1")], "driverPhone": "1" })).await;
    assert_eq!(message, "订单创建失败:driverPhone不是接口参数");
}

/// 批量创建运单数一次性不得大于100
#[tokio::test]
async fn a_hundred_orders_are_created_and_more_are_not() {
    let bench = Bench::new().await;
    let orders: Vec<_> = (0..101).map(|number| order(&format!("A-{number}"))).collect();
    assert_eq!(bench.create_refusal(&orders).await, "订单创建失败:批量创建运单数一次性不得大于100");
    assert!(bench.books().is_empty());
    let numbers = bench.data(CREATE, &json!({ "orderList": orders[..100] })).await;
    assert_eq!(numbers.as_array().unwrap().len(), 100);
    let held: Vec<_> = bench.books().iter().map(|it| json!(it.provider_order_number)).collect();
    assert_eq!(numbers, json!(held), "in the order of the request");
    let reading = bench.meter("create_order");
    assert_eq!((reading.orders, reading.largest_batch), (201, 101));
}

/// 用于唯一性检测
#[tokio::test]
async fn an_order_number_is_taken_once() {
    let bench = Bench::new().await;
    let number = bench.create(&order("A-1")).await;
    let exists = "订单创建失败:orderList[0].orderNumber A-1已存在";
    assert_eq!(bench.create_refusal(&[order("A-1")]).await, exists);
    let twice = [order("A-2"), order("A-3"), order("A-2")];
    assert_eq!(bench.create_refusal(&twice).await, "订单创建失败:orderList[2].orderNumber A-2重复");
    assert_eq!(bench.books().len(), 1);

    bench.data("/order/cancel_orders/v2", &json!({ "numbers": number })).await;
    assert_eq!(bench.create_refusal(&[order("A-1")]).await, exists, "a cancelled order has it still");
    bench.accept(&customer_order("A-1")).await;
    let entries = bench.simulator().books(Some("A-1"));
    assert_eq!((entries[0].received_creates, entries[1].received_creates), (3, 1));
}

#[tokio::test]
async fn one_bad_order_refuses_the_batch() {
    let bench = Bench::new().await;
    bench.create(&order("A-2")).await;
    let mut bad = order("A-4");
    bad["deliveryType"] = 3.into();
    for (orders, index) in [([order("A-1"), order("A-2"), order("A-3")], 1), ([order("A-1"), order("A-3"), bad], 2)] {
        let message = bench.create_refusal(&orders).await;
        assert!(message.contains(&format!("orderList[{index}].")), "{message}");
        assert_eq!(bench.books().len(), 1, "nothing was created");
    }
    assert_eq!(
        bench.data(CREATE, &json!({ "orderList": [order("A-1"), order("A-3")] })).await.as_array().unwrap().len(),
        2
    );
}

#[tokio::test]
async fn a_trip_is_created_with_its_orders() {
    let bench = Bench::new().await;
    let request = json!({ "orderList": [order("A-1"), whole_order("A-2")], "driverPhone": "13812345678" });
    let answer = bench.post(PACK, &request).await;
    let mut example = example!("create-order-pack-response");
    example["data"]["numbers"] = json!(["", ""]);
    example["data"]["ids"] = json!(["", ""]);
    let mut shape = pointers(&answer);
    shape.sort();
    let mut documented = pointers(&example);
    documented.sort();
    assert_eq!(shape, documented, "with no message");
    let data = &answer["data"];
    let pack_number = data["packNumber"].as_str().unwrap();
    assert!(pack_number.starts_with("P1901255BC725B6") && pack_number.len() == 19, "{pack_number}");

    for index in 0..2 {
        let shown = bench.find(data["numbers"][index].as_str().unwrap()).await;
        assert_eq!(shown["id"], data["ids"][index]);
        assert_eq!(shown["packNumber"], pack_number);
        assert_eq!((&shown["state"], &shown["waybillState"]), (&json!(2000), &json!(1)));
        assert_eq!(shown["publishTime"], bench.seconds());
        assert_eq!(shown["dispatchInfo"]["driverPhone"], "13812345678");
        assert_eq!(shown["dispatchDriver"]["username"], "某司机");
    }
    assert_eq!(bench.held("A-1").status, "已下单");
    let (_, holdings) = bench.control(Method::GET, "/ttms/holdings", &Value::Null).await;
    let trip = json!({ "user": "demo", "packNumber": pack_number, "driverPhone": "13812345678", "orderNumbers": data["numbers"] });
    assert_eq!(holdings["trips"], json!([trip]));
    assert_eq!(bench.meter("create_order_pack").orders, 2);
}

#[tokio::test]
async fn a_trip_may_wait_for_its_driver() {
    let bench = Bench::new().await;
    let mut packs = Vec::new();
    for (number, driver) in [("A-1", None), ("A-2", Some("13900000003"))] {
        let data = bench.data(PACK, &json!({ "orderList": [order(number)], "driverPhone": driver })).await;
        let shown = bench.find(data["numbers"][0].as_str().unwrap()).await;
        assert_eq!(shown["packNumber"], data["packNumber"]);
        assert_eq!(shown["state"], if driver.is_some() { 2000 } else { 1000 });
        assert_eq!(shown["dispatchDriver"]["phoneNumber"], json!(driver));
        assert_eq!(shown["dispatchDriver"]["username"], Value::Null, "nobody knows who that is");
        packs.push(data["packNumber"].clone());
    }
    assert_ne!(packs[0], packs[1]);
}

#[tokio::test]
async fn a_trips_orders_are_checked_like_others() {
    let bench = Bench::new().await;
    bench.create(&order("A-1")).await;
    for (request, message) in [
        (json!({ "driverPhone": "1" }), "订单车次失败:orderList必填"),
        (json!({ "orderList": [order("A-2"), order("A-1")] }), "订单车次失败:orderList[1].orderNumber A-1已存在"),
        (json!({ "orderList": [order("A-2"), order("A-2")] }), "订单车次失败:orderList[1].orderNumber A-2重复"),
        (json!({ "orderList": [order_with("note", 1)] }), "订单车次失败:orderList[0].note应为字符串"),
        (json!({ "orderList": [order("A-2")], "driverPhone": 1 }), "订单车次失败:driverPhone应为字符串"),
        (json!({ "orderList": [order("A-2")], "driver": "" }), "订单车次失败:driver不是接口参数"),
    ] {
        assert_eq!(bench.refusal(PACK, &request).await, message);
    }
    assert_eq!(bench.books().len(), 1);
    let many: Vec<_> = (0..150).map(|number| order(&format!("B-{number}"))).collect();
    bench.data(PACK, &json!({ "orderList": many })).await;
    assert_eq!(bench.books().len(), 151, "its largest batch is not documented");
}
