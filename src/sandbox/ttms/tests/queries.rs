//! 查询订单接口 and 批量查询订单接口.

use super::*;

const FIND: &str = "/order/find_order/v2";
const QUERY: &str = "/order/query_orders";

impl Bench {
    /// The numbers of ours that a query finds, oldest first, and how many there are in all.
    async fn query(&self, query: Value) -> (Vec<String>, Value) {
        let mut request = json!({ "page": 1 });
        request.as_object_mut().unwrap().extend(query.as_object().unwrap().clone());
        let found = self.data(QUERY, &request).await;
        (wms_numbers(&found["elements"]), found["total"].clone())
    }

    async fn finds(&self, request: Value) -> Vec<String> {
        wms_numbers(&self.data(FIND, &request).await)
    }
}

fn wms_numbers(orders: &Value) -> Vec<String> {
    orders.as_array().unwrap().iter().map(|it| it["wmsNumber"].as_str().unwrap().to_owned()).collect()
}

fn sorted(mut pointers: Vec<String>) -> Vec<String> {
    pointers.sort();
    pointers
}

/// The order of the document's examples, as it could have been created.
fn example_order() -> Value {
    let cargoes = r#"[
        {"name": "货物1", "quantity": 1.0, "weight": 2.00, "volume": 3.0, "value": 4.5, "productModel": "货物1备注", "note1": "货物1备注1"},
        {"name": "货物2", "quantity": 2, "weight": 3.005, "volume": 4.0, "value": 4.5}
    ]"#;
    let cargoes: Value = serde_json::from_str(cargoes).unwrap();
    json!({
        "orderNumber": "A-1",
        "customerOrderNumber": "JSOUT1234567",
        "deliveryTime": 1_548_669_600,
        "appointArriveTime": 1_548_980_160,
        "startAddress": "杭州",
        "endAddress": "千岛湖",
        "consignerName": "发货方",
        "consignerPhone": "13800000001",
        "consignerAddress": "浙江省温州市鹿城区浙江温州化工总厂",
        "consignerProvince": "浙江省",
        "consignerCity": "温州市",
        "consignerDistrict": "鹿城区",
        "consignerLocation": { "lng": "120.579412", "lat": "28.024421" },
        "consigneeName": "收货方",
        "consigneePhone": "13900000002",
        "consigneeAddress": "浙江省杭州市淳安县绿城千岛湖喜来登度假酒店",
        "consigneeProvince": "浙江省",
        "consigneeCity": "杭州市",
        "consigneeDistrict": "淳安县",
        "consigneeLocation": { "lng": "119.039414", "lat": "29.608042" },
        "shipperPay": 11,
        "shipperPayType": 1,
        "driverPay": 12,
        "driverPayType": 5,
        "receiptCount": 1,
        "note": "运单备注",
        "extraFields": { "note1": "一", "note12": "十二" },
        "cargoList": cargoes,
    })
}

#[tokio::test]
async fn an_order_is_shown_with_all_members_of_the_documents_examples() {
    let bench = Bench::new().await;
    let number = bench.create(&example_order()).await;
    let (status, _) = bench.advance_order(&number, "confirmed").await;
    assert_eq!(status, StatusCode::OK);
    let found = bench.post(FIND, &json!({ "orderNumber": number })).await;
    let mut documented = example!("find-order-response");
    documented["data"][0]["cargoes"] =
        json!([documented["data"][0]["cargoes"][0], documented["data"][0]["cargoes"][0]]);
    documented["data"][0]["dispatchInfo"]["driverUids"] = json!([""]);
    assert_eq!(sorted(pointers(&found)), sorted(pointers(&documented)));

    let listed = bench.post(QUERY, &json!({ "page": 1, "state": 2 })).await;
    let mut documented = example!("query-orders-response");
    documented["data"]["elements"][0]["dispatchInfo"]["driverUids"] = json!([""]);
    assert_eq!(sorted(pointers(&listed)), sorted(pointers(&documented)));
}

#[tokio::test]
async fn values_are_those_of_the_creation() {
    let bench = Bench::new().await;
    let number = bench.create(&example_order()).await;
    let shown = bench.find(&number).await;
    let documented = example!("find-order-response");
    let documented = &documented["data"][0];
    for same in [
        "deliveryTime",
        "deliveryType",
        "appointArriveTime",
        "customerOrderNumber",
        "startAddress",
        "endAddress",
        "totalCargoes",
        "freightIn",
        "freightOut",
        "freightCollect",
        "paymentCollect",
        "needReceipt",
        "receiptCount",
        "note",
        "organizationPath",
        "uid",
        "operator",
        "createUserId",
        "createUsername",
        "onlinePay",
    ] {
        assert_eq!(shown[same], documented[same], "{same}");
    }
    for party in ["consigner", "consignees"] {
        let mut expected = documented[party].clone();
        let address = if party == "consigner" { &mut expected["address"] } else { &mut expected[0]["address"] };
        address["cityCode"] = Value::Null;
        assert_eq!(shown[party], expected);
    }
    assert_eq!((&shown["number"], &shown["wmsNumber"]), (&json!(number), &json!("A-1")));
    assert_eq!((&shown["state"], &shown["waybillState"], &shown["source"]), (&json!(1000), &Value::Null, &json!(4)));
    assert_eq!((&shown["created"], &shown["updated"]), (&json!(bench.seconds()), &json!(bench.seconds())));
    for unknown in ["packNumber", "dispatchDriver", "publishTime", "signedTime", "orderSendType", "freightReceived"] {
        assert_eq!(shown[unknown], Value::Null, "{unknown}");
    }
    assert_eq!(shown["extraFields"]["note12"], "十二");
    assert_eq!((&shown["extraFields"]["note2"], &shown["extraFields"]["uppay6"]), (&json!(""), &json!("")));
    assert_eq!(shown["startAddressLng"].to_string(), "120.579412");

    let cargo = &shown["cargo"];
    let sums = ["quantity", "weight", "volume", "value"].map(|it| cargo[it].to_string());
    assert_eq!(sums, ["3.0", "5.005", "7.0", "9.0"], "exactly");
    assert_eq!(
        (&cargo["name"], &cargo["productModel"], &cargo["note1"]),
        (&json!("货物1"), &json!("货物1备注"), &json!("货物1备注1"))
    );
    let lines = &shown["cargoes"];
    assert_eq!(lines[0]["weight"].to_string(), "2.00", "digit for digit");
    assert_eq!((&lines[1]["name"], &lines[1]["productModel"]), (&json!("货物2"), &Value::Null));
    assert_eq!((&lines[1]["ttmsOrderId"], &lines[1]["created"]), (&shown["id"], &json!(bench.seconds())));
    let ids = [&shown["id"], &lines[0]["id"], &lines[1]["id"]].map(|it| it.as_str().unwrap());
    assert!(
        ids.iter().all(|it| it.len() == 24 && it.starts_with("5c4ad2")) && ids[0] != ids[1] && ids[1] != ids[2],
        "{ids:?}"
    );
}

#[tokio::test]
async fn little_said_is_little_shown() {
    let bench = Bench::new().await;
    let shown = bench.find(&bench.create(&order("A-1")).await).await;
    assert_eq!((&shown["consignees"], &shown["cargoes"], &shown["totalCargoes"]), (&json!([]), &json!([]), &json!(0)));
    for unknown in ["freightIn", "totalFreightIn", "needReceipt", "customerOrderNumber", "endAddressLat"] {
        assert_eq!(shown[unknown], Value::Null, "{unknown}");
    }
    assert_eq!((&shown["cargo"]["name"], &shown["cargo"]["weight"]), (&Value::Null, &Value::Null));
    assert_eq!(shown["organizationPath"], "0");
}

#[tokio::test]
async fn orders_are_found_by_number_telephone_and_customers_number() {
    let bench = Bench::new().await;
    let mut numbers = Vec::new();
    for (number, phone, customer_number) in [("A-1", "1", "C-1"), ("A-2", "2", "C-1"), ("A-3", "2", "C-2")] {
        let mut order = order(number);
        order["consignerPhone"] = phone.into();
        order["customerOrderNumber"] = customer_number.into();
        numbers.push(bench.create(&order).await);
    }
    let (first, third) = (&numbers[0], &numbers[2]);
    for (request, found) in [
        (json!({ "orderNumber": first }), &["A-1"][..]),
        (json!({ "orderNumber": format!("{third},{first},1") }), &["A-3", "A-1"]),
        (json!({ "phoneNumber": "2" }), &["A-2", "A-3"]),
        (json!({ "customerNumber": "C-1" }), &["A-1", "A-2"]),
        (json!({ "customerNumber": "C-1", "phoneNumber": "2" }), &["A-2"]),
        (json!({ "orderNumber": numbers.join(","), "customerNumber": "C-2", "phoneNumber": "2" }), &["A-3"]),
        (json!({ "orderNumber": first, "customerNumber": "C-2" }), &[]),
        (json!({ "orderNumber": "A-1" }), &[]),
        (json!({ "customerNumber": "C-3" }), &[]),
    ] {
        assert_eq!(bench.finds(request.clone()).await, found, "{request}");
    }
    bench.data("/order/cancel_orders/v2", &json!({ "numbers": first })).await;
    assert_eq!(bench.finds(json!({ "orderNumber": first })).await, ["A-1"], "cancelled ones too");
    assert_eq!(bench.find(first).await["state"], 0);
}

/// 多个单号用英文“,”隔开,中间不要有空格,最多20个
#[tokio::test]
async fn twenty_numbers_may_be_looked_for() {
    let bench = Bench::new().await;
    let mut numbers = Vec::new();
    for number in 0..21 {
        numbers.push(bench.create(&order(&format!("A-{number}"))).await);
    }
    let found = bench.finds(json!({ "orderNumber": numbers[..20].join(",") })).await;
    assert_eq!(found.len(), 20);
    let spaces = "orderNumber多个单号用英文“,”隔开,中间不要有空格";
    let nothing = "orderNumber、phoneNumber、customerNumber至少填一个";
    for (request, message) in [
        (json!({ "orderNumber": numbers.join(",") }), "orderNumber最多20个"),
        (json!({ "orderNumber": numbers[..2].join(", ") }), spaces),
        (json!({ "orderNumber": "1,,2" }), spaces),
        (json!({}), nothing),
        (json!({ "orderNumber": "", "phoneNumber": null }), nothing),
        (json!({ "orderNumber": 1 }), "orderNumber应为字符串"),
        (json!({ "customerOrderNumber": "C-1" }), "customerOrderNumber不是接口参数"),
    ] {
        assert_eq!(bench.refusal(FIND, &request).await, message);
    }
    assert_eq!(bench.meter("find_order").orders, 0, "looking for orders brings none");
}

/// 无法查看全部状态,不传则默认0已撤销
#[tokio::test]
async fn a_query_is_for_one_state_and_without_one_for_the_cancelled() {
    let bench = Bench::new().await;
    for (number, to) in [
        ("pending", ""),
        ("placed", "placed"),
        ("confirmed", "confirmed"),
        ("picked_up", "picked_up"),
        ("delivered", "delivered"),
        ("cancelled", "cancelled"),
    ] {
        bench.create(&order(number)).await;
        if !to.is_empty() {
            assert_eq!(bench.advance_order(number, to).await.0, StatusCode::OK);
        }
    }
    for (state, number) in [
        (json!(0), "cancelled"),
        (json!(1), "placed"),
        (json!(2), "confirmed"),
        (json!(3), "picked_up"),
        (json!(4), "delivered"),
        (json!(1000), "pending"),
        (Value::Null, "cancelled"),
    ] {
        assert_eq!(bench.query(json!({ "state": state })).await, (vec![number.to_owned()], json!(1)));
    }
    for state in [json!(5), json!(2000)] {
        let message = bench.refusal(QUERY, &json!({ "page": 1, "state": state })).await;
        assert_eq!(message, "state取值应为0、1、2、3、4、1000");
    }
}

/// 页码,1开始; 单页最大订单数,默认10,最大50
#[tokio::test]
async fn pages_hold_ten_or_up_to_fifty() {
    let bench = Bench::new().await;
    let orders: Vec<_> = (100..155).map(|number| order(&format!("A-{number}"))).collect();
    bench.data("/order/create_order", &json!({ "orderList": orders })).await;
    for (page, size, first, length) in [
        (1, None, "A-100", 10),
        (6, None, "A-150", 5),
        (7, None, "", 0),
        (1, Some(50), "A-100", 50),
        (2, Some(50), "A-150", 5),
        (4, Some(17), "A-151", 4),
        (55, Some(1), "A-154", 1),
        (4_294_967_295_i64, Some(50), "", 0),
    ] {
        let found = bench.data(QUERY, &json!({ "page": page, "size": size, "state": 1000 })).await;
        let numbers = wms_numbers(&found["elements"]);
        assert_eq!(numbers.first().map_or("", String::as_str), first, "page {page}");
        assert_eq!(numbers.len(), length);
        let size = size.unwrap_or(10);
        assert_eq!((&found["page"], &found["size"], &found["total"]), (&json!(page), &json!(size), &json!(55)));
    }
    for (request, message) in [
        (json!({}), "page必填"),
        (json!({ "page": 0 }), "page从1开始"),
        (json!({ "page": 1, "size": 51 }), "size最大50"),
        (json!({ "page": 1, "size": 0 }), "size最大50"),
        (json!({ "page": "1", "size": 1.5 }), "page应为整数;size应为整数"),
        (json!({ "page": 1, "wmsNumber": "A-1" }), "wmsNumber不是接口参数"),
    ] {
        assert_eq!(bench.refusal(QUERY, &request).await, message);
    }
}

#[tokio::test]
async fn a_query_finds_what_is_equal_in_all_that_it_names() {
    let bench = Bench::new().await;
    let mut other = whole_order("A-2");
    for member in ["customerOrderNumber", "consignerName", "consignerPhone", "consigneeName", "consigneePhone"] {
        other[member] = "other".into();
    }
    let request = |order: Value, driver| json!({ "orderList": [order], "driverPhone": driver });
    let first = bench.data("/order/create_order_pack", &request(whole_order("A-1"), "13812345678")).await;
    bench.data("/order/create_order_pack", &request(other, "13900000003")).await;
    for (parameter, value) in [
        ("orderNumber", first["numbers"][0].clone()),
        ("customerOrderNumber", json!("the customerOrderNumber")),
        ("packNumber", first["packNumber"].clone()),
        ("consignerName", json!("the consignerName")),
        ("consignerPhone", json!("the consignerPhone")),
        ("consigneeName", json!("the consigneeName")),
        ("consigneePhone", json!("the consigneePhone")),
        ("driverName", json!("某司机")),
        ("driverPhone", json!("13812345678")),
        ("carNumber", json!("浙A12345")),
    ] {
        let (found, _) = bench.query(json!({ "state": 1, (parameter): value })).await;
        assert_eq!(found, ["A-1"], "{parameter}");
        let part = &value.as_str().unwrap()[..3];
        let (found, _) = bench.query(json!({ "state": 1, (parameter): part })).await;
        assert!(found.is_empty(), "{parameter}: a part is not enough");
        assert_eq!(bench.query(json!({ "state": 1, (parameter): "" })).await.0.len(), 2, "{parameter}");
    }
    let (found, _) = bench.query(json!({ "state": 1, "consignerName": "other", "driverName": "某司机" })).await;
    assert!(found.is_empty());
}

#[tokio::test]
async fn a_query_has_a_period_of_one_of_the_times() {
    let bench = Bench::new().await;
    let mut order = order("A-1");
    order["deliveryTime"] = 1_548_669_600.into();
    order["appointArriveTime"] = 1_548_980_160.into();
    bench.create(&order).await;
    bench.advance(TimeDelta::days(1));
    bench.advance_order("A-1", "delivered").await;
    for (time_type, at) in [
        ("created", "2019-01-25 17:09:00"),
        ("deliveryed", "2019-01-28 18:00:00"),
        ("appointArrived", "2019-02-01 08:16:00"),
        ("signed", "2019-01-26 17:09:00"),
    ] {
        let later = at[..17].to_owned() + "01";
        for (from, to, found) in [
            (Some(at), Some(at), 1),
            (Some(at), None, 1),
            (None, Some(at), 1),
            (Some(later.as_str()), None, 0),
            (Some("2018-01-01 00:00:00"), Some("2018-12-31 23:59:59"), 0),
            (None, None, 1),
        ] {
            let query = json!({ "state": 4, "timeType": time_type, "startDate": from, "endDate": to });
            assert_eq!(bench.query(query.clone()).await.1, found, "{query}");
        }
    }
    for (query, message) in [
        (json!({ "timeType": "delivered" }), "timeType取值应为created、deliveryed、appointArrived、signed"),
        (json!({ "startDate": "2019-01-25 17:09:00" }), "timeType必填"),
        (json!({ "timeType": "created", "endDate": "2019-01-25" }), "endDate格式应为yyyy-MM-dd HH:mm:ss"),
        (json!({ "timeType": "created", "endDate": "2019-1-25 17:09:00" }), "endDate格式应为yyyy-MM-dd HH:mm:ss"),
        (json!({ "timeType": "created", "endDate": 1_548_669_600 }), "endDate应为字符串"),
        (json!({ "timeType": "created", "startDate": "2019-02-30 00:00:00" }), "startDate格式应为yyyy-MM-dd HH:mm:ss"),
    ] {
        let mut request = json!({ "page": 1 });
        request.as_object_mut().unwrap().extend(query.as_object().unwrap().clone());
        assert_eq!(bench.refusal(QUERY, &request).await, message);
    }
}

#[tokio::test]
async fn a_time_that_an_order_does_not_have_is_in_no_period() {
    let bench = Bench::new().await;
    bench.create(&order("A-1")).await;
    for time_type in ["appointArrived", "signed"] {
        let query = json!({ "state": 1000, "timeType": time_type, "endDate": "2030-01-01 00:00:00" });
        assert_eq!(bench.query(query).await.1, 0, "{time_type}");
    }
}

#[tokio::test]
async fn a_query_may_be_a_get() {
    let bench = Bench::new().await;
    bench.create(&order("A-1")).await;
    let path = "/order/query_orders?page=1&size=5&state=1000&consignerName=%E5%BC%A0%E4%B8%89&timeType=created&startDate=2019-01-25+17:09:00";
    let answer = bench.get(path).await;
    assert_eq!(wms_numbers(&answer["data"]["elements"]), ["A-1"]);
    assert_eq!((&answer["data"]["size"], &answer["data"]["total"]), (&json!(5), &json!(1)));
    for (query, message) in [
        ("page=one", "page应为整数"),
        ("page=1&page=2", "page应为整数"),
        ("page=1&colour=red", "colour不是接口参数"),
        ("", "page必填"),
    ] {
        assert_eq!(reason(&bench.get(&format!("{QUERY}?{query}")).await), message);
    }
}
