//! 受理单类接口.

use super::*;

const CREATE: &str = "/customer_order/create_customer_order";
const UPDATE: &str = "/customer_order/update_customer_order";
const QUERY: &str = "/customer_order/query_customer_orders";
const CANCEL: &str = "/customer_order/cancel_customer_orders";
const UNBIND: &str = "/customer_order/batch_unbind_devices";

impl Bench {
    async fn create_customer_order_refusal(&self, orders: &[Value]) -> String {
        self.refusal(CREATE, &json!({ "orders": orders })).await
    }

    async fn query_accepted(&self, query: Value) -> Vec<String> {
        let mut request = json!({ "page": 1 });
        request.as_object_mut().unwrap().extend(query.as_object().unwrap().clone());
        let found = self.data(QUERY, &request).await;
        let elements = found["elements"].as_array().unwrap();
        assert_eq!(found["total"], elements.len());
        elements.iter().map(|it| it["order"]["originalOrderNumber"].as_str().unwrap().to_owned()).collect()
    }

    async fn update(&self, number: &str, order: &Value) {
        let answer = self.post(UPDATE, &json!({ "number": number, "order": order })).await;
        assert_eq!(answer, json!({ "code": 200, "data": null, "message": null }));
    }
}

fn customer_order_with(member: &str, value: impl Into<Value>) -> Value {
    let mut order = customer_order("C-1");
    order[member] = value.into();
    order
}

#[tokio::test]
async fn the_documents_order_is_created_and_kept_as_it_came() {
    let bench = Bench::new().await;
    let order = whole_customer_order("C-1");
    let answer = bench.post(CREATE, &json!({ "orders": [order] })).await;
    assert_eq!(answer, json!({ "code": 200, "data": ["S1901251709000001"], "message": null }));
    let entry = bench.held("C-1");
    assert_eq!(serde_json::from_str::<Value>(entry.document.get()).unwrap(), order);
    assert_eq!((&*entry.provider_order_number, entry.status), ("S1901251709000001", "待处理"));
    assert_eq!(entry.order_number.as_deref(), Some("C-1"));
}

#[tokio::test]
async fn an_order_is_shown_with_all_members_of_the_documents_example() {
    let bench = Bench::new().await;
    bench.accept(&whole_customer_order("C-1")).await;
    let answer = bench.post(QUERY, &json!({ "page": 1, "size": 10 })).await;
    let mut documented = example!("query-customer-orders-response");
    documented["data"]["elements"][0]["order"]["bindDevices"] = json!([""]);
    let (mut shown, mut documented) = (pointers(&answer), pointers(&documented));
    shown.sort();
    documented.sort();
    assert_eq!(shown, documented);
}

#[tokio::test]
async fn values_are_those_of_the_creation() {
    let bench = Bench::new().await;
    let said = whole_customer_order("C-1");
    let number = bench.accept(&said).await;
    let shown = bench.find_accepted(&number).await;
    let order = &shown["order"];
    for same in [
        "originalOrderNumber",
        "appointArriveTime",
        "deliveryTime",
        "deliveryType",
        "startAddress",
        "endAddress",
        "receiptCount",
        "remarks",
        "paymentCollect",
        "note1",
        "note9",
        "note12",
    ] {
        assert_eq!(order[same], said[same], "{same}");
    }
    for party in ["consigner", "consignee"] {
        assert_eq!(order[party]["name"], format!("the {party}Name"));
        assert_eq!(order[party]["phone"], format!("the {party}Phone"));
        assert_eq!(order[party]["address"]["address"], format!("the {party}Address"));
        assert_eq!(order[party]["address"]["lng"], said[format!("{party}Location")]["lng"]);
        assert_eq!(order[party]["address"]["province"], Value::Null);
    }
    assert_eq!(order["number"], json!(number));
    assert_eq!(order["createOrganizationPath"], "0-11");
    assert_eq!(order["freightIn"], json!({ "payType": 1, "amount": 12.0 }));
    assert_eq!((&order["totalFreightIn"], &order["freightInUnreceived"]), (&json!(12.0), &json!(12.0)));
    assert_eq!(
        (&order["state"], &order["finished"], &order["departured"]),
        (&json!(1000), &json!(false), &json!(false))
    );
    assert_eq!((&order["source"], &order["created"]), (&json!(4), &json!(bench.seconds())));
    assert_eq!((&order["currentBindDevice"], &order["bindStatusName"]), (&json!("the deviceNumber"), &json!("已绑定")));
    assert_eq!((&order["cargo"]["name"], &order["cargo"]["remarks"]), (&json!("the name"), &json!("the productModel")));
    let line = &shown["cargoes"][0];
    assert_eq!((&line["customerOrderNumber"], &line["remarks"]), (&json!(number), &json!("the productModel")));
    assert_eq!(["quantity", "value", "volume", "weight"].map(|it| line[it].to_string()), ["1.0", "2.0", "3.0", "4.0"]);
}

#[tokio::test]
async fn what_is_required_must_be_there_and_all_else_may_be_absent() {
    let bench = Bench::new().await;
    for member in ["consignerAddress", "consignerName", "consignerPhone"] {
        let words = format!("受理单创建失败:orders[0].{member}必填");
        let mut without = customer_order("C-1");
        without.as_object_mut().unwrap().remove(member);
        assert_eq!(bench.create_customer_order_refusal(&[without]).await, words);
        for value in [Value::Null, json!("")] {
            assert_eq!(bench.create_customer_order_refusal(&[customer_order_with(member, value)]).await, words);
        }
    }
    assert_eq!(bench.create_customer_order_refusal(&[]).await, "受理单创建失败:orders必填");
    assert!(bench.books().is_empty());
    let mut nulls = whole_customer_order("C-1");
    for (name, member) in nulls.as_object_mut().unwrap() {
        if !name.starts_with("consigner") || name == "consignerLocation" {
            *member = Value::Null;
        }
    }
    let number = bench.accept(&nulls).await;
    assert_eq!(bench.books()[0].order_number, None);
    let order = bench.find_accepted(&number).await["order"].clone();
    assert_eq!((&order["createOrganizationPath"], &order["bindStatusName"]), (&json!("0"), &json!("未绑定")));
    assert_eq!((&order["bindDevices"], &order["freightIn"]), (&json!([]), &Value::Null));
}

#[tokio::test]
async fn members_have_their_types_and_values_and_none_is_unknown() {
    let bench = Bench::new().await;
    let mistyped = mistyped(&whole_customer_order("C-1"));
    assert!(mistyped.len() > 45, "{}", mistyped.len());
    for (order, words) in mistyped {
        let message = bench.create_customer_order_refusal(&[order]).await;
        assert!(message.contains(&format!("orders[0].{words}")) && message.contains("应为"), "{words}: {message}");
    }
    let strays = with_stray_members(&whole_customer_order("C-1"));
    assert_eq!(strays.len(), 4, "the order, two locations, a cargo");
    for (order, words) in strays {
        let message = bench.create_customer_order_refusal(&[order]).await;
        assert_eq!(message, format!("受理单创建失败:orders[0].{words}不是接口参数"));
    }
    for (member, value, words) in [
        ("deliveryType", json!(3), "取值应为1、2"),
        ("shipperPayType", json!(10), "取值应为1、2、3、4、5、6、7、8、9"),
        ("appointArriveTime", json!(1_548_669_600_000_i64), "应为精确到秒的时间戳"),
        ("consignerLocation", json!({ "lng": "120.1" }), ".lng应为数字"),
        ("consigneeLocation", json!({ "lat": 90.5 }), ".lat超出经纬度范围"),
        ("organizationPath", json!("0-99"), "0-99无效"),
        ("orderNumber", json!("C-1"), "不是接口参数"),
    ] {
        let message = bench.create_customer_order_refusal(&[customer_order_with(member, value)]).await;
        assert_eq!(message, format!("受理单创建失败:orders[0].{member}{words}"));
    }
    assert!(bench.books().is_empty());
}

/// 批量创建受理单数一次性不得大于50
#[tokio::test]
async fn fifty_are_created_and_more_are_not_and_one_that_is_bad_refuses_all() {
    let bench = Bench::new().await;
    let mut orders: Vec<_> = (0..51).map(|number| customer_order(&format!("C-{number}"))).collect();
    let message = bench.create_customer_order_refusal(&orders).await;
    assert_eq!(message, "受理单创建失败:批量创建受理单数一次性不得大于50");
    let fifty = bench.data(CREATE, &json!({ "orders": orders[..50] })).await;
    assert_eq!(fifty.as_array().unwrap().len(), 50);
    orders[1]["consignerName"] = "".into();
    let message = bench.create_customer_order_refusal(&orders[..2]).await;
    assert_eq!(message, "受理单创建失败:orders[1].consignerName必填");
    assert_eq!(bench.books().len(), 50);
}

/// The document has no number that makes it the only one.
#[tokio::test]
async fn the_same_again_is_another_one() {
    let bench = Bench::new().await;
    let first = bench.accept(&customer_order("C-1")).await;
    let second = bench.accept(&customer_order("C-1")).await;
    assert_ne!(first, second);
    let entries = bench.simulator().books(Some("C-1"));
    let counts: Vec<_> = entries.iter().map(|it| (it.created, it.received_creates)).collect();
    assert_eq!(counts, [(1, 2), (1, 2)], "the books show the duplicate");
}

/// 没有传递的参数值将被清空
#[tokio::test]
async fn an_update_clears_what_it_does_not_say() {
    let bench = Bench::new().await;
    let number = bench.accept(&whole_customer_order("C-1")).await;
    bench.advance(TimeDelta::seconds(5));
    let mut order = customer_order("C-1");
    order["note2"] = "new".into();
    bench.update(&number, &order).await;
    let shown = bench.find_accepted(&number).await;
    let updated = &shown["order"];
    assert_eq!((&updated["note2"], &updated["consigner"]["name"]), (&json!("new"), &json!("张三")));
    for cleared in [
        "note1",
        "remarks",
        "deliveryTime",
        "deliveryType",
        "receiptCount",
        "paymentCollect",
        "freightIn",
        "currentBindDevice",
        "endAddress",
    ] {
        assert_eq!(updated[cleared], Value::Null, "{cleared}");
    }
    assert_eq!((&updated["consignee"]["name"], &shown["cargoes"]), (&Value::Null, &json!([])));
    assert_eq!((&updated["bindDevices"], &updated["bindStatusName"]), (&json!(["the deviceNumber"]), &json!("未绑定")));
    assert_eq!(updated["updated"], bench.seconds());
    let entry = bench.held("C-1");
    assert_eq!((entry.amended, entry.created), (1, 1));
    assert_eq!(serde_json::from_str::<Value>(entry.document.get()).unwrap(), order);
    assert_eq!(bench.meter("update_customer_order").orders, 1);
}

#[tokio::test]
async fn an_update_that_is_not_right_changes_nothing() {
    let bench = Bench::new().await;
    let number = bench.accept(&whole_customer_order("C-1")).await;
    let good = customer_order("C-1");
    let mut bad = good.clone();
    bad["consignerPhone"] = Value::Null;
    for (request, message) in [
        (json!({ "order": good }), "受理单创建失败:number必填"),
        (json!({ "number": number }), "受理单创建失败:order必填"),
        (json!({ "number": number, "order": bad }), "受理单创建失败:order.consignerPhone必填"),
        (json!({ "number": number, "order": [good] }), "受理单创建失败:order应为对象"),
        (json!({ "number": "S1", "order": good }), "受理单不存在!"),
        (json!({ "number": "C-1", "order": good }), "受理单不存在!"),
    ] {
        assert_eq!(bench.refusal(UPDATE, &request).await, message);
    }
    assert_eq!(bench.held("C-1").amended, 0);
    for (to, word) in [("picked_up", None), ("delivered", Some("已完成"))] {
        bench.advance_order(&number, to).await;
        match word {
            None => bench.update(&number, &good).await,
            Some(word) => {
                let message = bench.refusal(UPDATE, &json!({ "number": number, "order": good })).await;
                assert_eq!(message, format!("受理单创建失败:受理单{number}{word},不能修改"));
            }
        }
    }
}

/// 不传则查询全部状态
#[tokio::test]
async fn a_query_without_a_state_finds_all() {
    let bench = Bench::new().await;
    for (number, to) in [
        ("pending", ""),
        ("confirmed", "confirmed"),
        ("picked_up", "picked_up"),
        ("delivered", "delivered"),
        ("cancelled", "cancelled"),
    ] {
        let accepted = bench.accept(&customer_order(number)).await;
        if !to.is_empty() {
            assert_eq!(bench.advance_order(&accepted, to).await.0, StatusCode::OK);
        }
    }
    for (state, found) in [
        (Value::Null, &["pending", "confirmed", "picked_up", "delivered", "cancelled"][..]),
        (json!(0), &["cancelled"]),
        (json!(1000), &["pending"]),
        (json!(2000), &["confirmed", "picked_up"]),
        (json!(3000), &["delivered"]),
    ] {
        assert_eq!(bench.query_accepted(json!({ "state": state })).await, found);
    }
    let message = bench.refusal(QUERY, &json!({ "page": 1, "state": 1 })).await;
    assert_eq!(message, "state取值应为0、1000、2000、3000");
}

#[tokio::test]
async fn a_query_finds_what_is_equal_in_all_that_it_names() {
    let bench = Bench::new().await;
    let number = bench.accept(&whole_customer_order("C-1")).await;
    let mut other = customer_order("C-2");
    other["organizationPath"] = "0-12".into();
    bench.accept(&other).await;
    for (parameter, value) in [
        ("number", &*number),
        ("originalOrderNumber", "C-1"),
        ("deviceNumber", "the deviceNumber"),
        ("consignerName", "the consignerName"),
        ("consignerPhone", "the consignerPhone"),
        ("consignerAddress", "the consignerAddress"),
        ("consigneeName", "the consigneeName"),
        ("consigneePhone", "the consigneePhone"),
        ("consigneeAddress", "the consigneeAddress"),
    ] {
        assert_eq!(bench.query_accepted(json!({ (parameter): value })).await, ["C-1"], "{parameter}");
        assert!(bench.query_accepted(json!({ (parameter): value[..2] })).await.is_empty(), "{parameter}");
        assert_eq!(bench.query_accepted(json!({ (parameter): "" })).await.len(), 2, "{parameter}");
    }
    for (paths, found) in [
        (json!(["0-11"]), &["C-1"][..]),
        (json!(["0-12", "0-11"]), &["C-1", "C-2"]),
        (json!([]), &["C-1", "C-2"]),
        (json!(["0"]), &[]),
    ] {
        assert_eq!(bench.query_accepted(json!({ "organizationPaths": paths })).await, found);
    }
    for (request, message) in [
        (json!({ "page": 1, "organizationPaths": "0-11" }), "organizationPaths应为字符串数组"),
        (json!({ "page": 1, "orderNumber": "1" }), "orderNumber不是接口参数"),
        (json!({ "size": 51 }), "page必填;size最大50"),
        (json!({ "page": 1, "startDate": "2019-01-25 17:09:00" }), "timeType必填"),
    ] {
        assert_eq!(bench.refusal(QUERY, &request).await, message);
    }
}

#[tokio::test]
async fn a_query_has_periods_and_pages_and_may_be_a_get() {
    let bench = Bench::new().await;
    for number in 0..12 {
        let accepted = bench.accept(&whole_customer_order(&format!("C-{number}"))).await;
        bench.advance(TimeDelta::seconds(1));
        bench.advance_order(&accepted, "delivered").await;
    }
    for (time_type, from, to, found) in [
        ("created", "2019-01-25 17:09:00", "2019-01-25 17:09:02", 3),
        ("signed", "2019-01-25 17:09:00", "2019-01-25 17:09:02", 2),
        ("deliveryed", "2019-11-08 10:07:54", "2019-11-08 10:07:54", 12),
        ("appointArrived", "2019-11-08 10:07:55", "2020-01-01 00:00:00", 0),
    ] {
        let query = json!({ "page": 1, "timeType": time_type, "startDate": from, "endDate": to });
        assert_eq!(bench.data(QUERY, &query).await["total"], found, "{query}");
    }
    let answer = bench.get(&format!("{QUERY}?page=2&organizationPaths=0-12,0-11&state=3000")).await;
    let data = &answer["data"];
    assert_eq!((&data["page"], &data["size"], &data["total"]), (&json!(2), &json!(10), &json!(12)));
    let numbers: Vec<_> =
        data["elements"].as_array().unwrap().iter().map(|it| &it["order"]["originalOrderNumber"]).collect();
    assert_eq!(numbers, ["C-10", "C-11"]);
    let answer = bench.get(&format!("{QUERY}?page=1&organizationPaths=0-12&organizationPaths=0-11")).await;
    assert_eq!(answer["data"]["total"], 12);
}

#[tokio::test]
async fn orders_are_cancelled_until_they_have_departed_all_or_none() {
    let bench = Bench::new().await;
    let mut numbers = Vec::new();
    for (number, to) in [("C-1", ""), ("C-2", "confirmed"), ("C-3", "picked_up"), ("C-4", "delivered")] {
        let accepted = bench.accept(&customer_order(number)).await;
        if !to.is_empty() {
            bench.advance_order(&accepted, to).await;
        }
        numbers.push(accepted);
    }
    let message = bench.refusal(CANCEL, &json!({ "numbers": format!("{},S1", numbers.join(",")) })).await;
    let (third, fourth) = (&numbers[2], &numbers[3]);
    let expected = format!("撤销受理单失败:受理单{third}进行中,不能撤销;受理单{fourth}已完成,不能撤销;受理单S1不存在");
    assert_eq!(message, expected);
    assert!(bench.books().iter().all(|it| it.cancelled == 0));
    let answer = bench.post(CANCEL, &json!({ "numbers": numbers[..2].join(",") })).await;
    assert_eq!(answer, json!({ "code": 200, "message": null }));
    let cancelled: Vec<_> = bench.books().iter().map(|it| it.cancelled).collect();
    assert_eq!(cancelled, [1, 1, 0, 0]);
    assert_eq!(bench.find_accepted(&numbers[0]).await["order"]["state"], 0);
    let message = bench.refusal(CANCEL, &json!({ "numbers": numbers[0] })).await;
    assert_eq!(message, format!("撤销受理单失败:受理单{}已撤销,不能撤销", numbers[0]));
    assert_eq!(bench.refusal(CANCEL, &json!({})).await, "撤销受理单失败:numbers必填");

    let accepted = bench.accept(&customer_order("C-5")).await;
    assert_eq!(bench.get(&format!("{CANCEL}?numbers={accepted}")).await["code"], 200);
    assert_eq!(bench.held("C-5").cancelled, 1);
}

#[tokio::test]
async fn devices_are_unbound_in_the_documents_words() {
    let bench = Bench::new().await;
    let bound = bench.accept(&whole_customer_order("C-1")).await;
    let free = bench.accept(&customer_order("C-2")).await;
    for (orders, message) in [
        (json!([bound, free]), format!("受理单{free}未绑定设备!")),
        (json!([bound, "S1"]), "受理单不存在!".to_owned()),
        (json!([]), "orders必填".to_owned()),
        (json!(bound), "orders应为字符串数组;orders必填".to_owned()),
        (json!([1]), "orders应为字符串数组;orders必填".to_owned()),
    ] {
        assert_eq!(bench.refusal(UNBIND, &json!({ "orders": orders })).await, message);
        assert_eq!(bench.find_accepted(&bound).await["order"]["currentBindDevice"], "the deviceNumber");
    }
    let answer = bench.post(UNBIND, &json!({ "orders": [bound] })).await;
    assert_eq!(answer, json!({ "code": 200, "message": null, "data": {} }));
    let order = bench.find_accepted(&bound).await["order"].clone();
    assert_eq!((&order["currentBindDevice"], &order["bindStatusName"]), (&Value::Null, &json!("未绑定")));
    assert_eq!(order["bindDevices"], json!(["the deviceNumber"]), "绑定过的设备");
    assert_eq!(reason(&bench.get(&format!("{UNBIND}?orders={bound}")).await), format!("受理单{bound}未绑定设备!"));
    bench.update(&bound, &whole_customer_order("C-1")).await;
    assert_eq!(bench.get(&format!("{UNBIND}?orders={bound}")).await["code"], 200);
}
