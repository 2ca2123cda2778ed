//! 订阅类接口, 获取组织机构列表接口 and 添加客户接口.

use super::*;

const CUSTOMERS: &str = "/customer/add_customers";

impl Bench {
    async fn holdings(&self, kind: &str) -> Value {
        self.control(Method::GET, "/ttms/holdings", &Value::Null).await.1[kind].clone()
    }
}

#[tokio::test]
async fn each_topic_is_subscribed_and_given_up() {
    let done = json!({ "code": 200, "message": null });
    for (subscribe, unsubscribe, topic, states, more) in [
        (
            "/order/subscribe/v2",
            "/order/unsubscribe",
            "order",
            "0,1,2,3,4,210,8000,8001,8002",
            json!({ "version": "v1" }),
        ),
        ("/order/orderPack/subscribe", "/order/orderPack/unsubscribe", "orderPack", "19000,40000,40001", json!({})),
        (
            "/customer_order/subscribe",
            "/customer_order/unsubscribe",
            "customer_order",
            "600,601,602",
            json!({ "xhkID": "x-1" }),
        ),
    ] {
        let bench = Bench::new().await;
        let mut request = json!({ "states": states, "callbackUrl": "https://gateway.example/in?a=b" });
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(bench.post(subscribe, &request).await, done);
        let states: Value = serde_json::from_str(&format!("[{states}]")).unwrap();
        let mut shown = json!({
            "user": "demo",
            "topic": topic,
            "states": states,
            "callbackUrl": "https://gateway.example/in?a=b",
            "version": null,
            "xhkID": null,
        });
        shown.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        assert_eq!(bench.holdings("subscriptions").await, json!([shown]));

        request["callbackUrl"] = "http://gateway.example".into();
        assert_eq!(bench.post(subscribe, &request).await, done);
        let held = bench.holdings("subscriptions").await;
        assert_eq!(held.as_array().unwrap().len(), 1, "a new one takes the place of the old");
        assert_eq!(held[0]["callbackUrl"], "http://gateway.example");

        for _ in 0..2 {
            assert_eq!(bench.post(unsubscribe, &json!({})).await, done);
            assert_eq!(bench.holdings("subscriptions").await, json!([]));
        }
    }
}

#[tokio::test]
async fn a_subscription_that_is_not_right_is_refused() {
    let bench = Bench::new().await;
    let url = "https://gateway.example";
    let order_states = "states取值应为0、1、2、3、4、210、8000、8001、8002,多个状态之间用','隔开";
    for (path, request, message) in [
        ("/order/subscribe/v2", json!({}), "states必填;callbackUrl必填;version必填"),
        ("/order/subscribe/v2", json!({ "states": "5", "callbackUrl": url, "version": "v1" }), order_states),
        ("/order/subscribe/v2", json!({ "states": "1, 2", "callbackUrl": url, "version": "v1" }), order_states),
        ("/order/subscribe/v2", json!({ "states": 1, "callbackUrl": url, "version": "v1" }), "states应为字符串"),
        ("/order/subscribe/v2", json!({ "states": "1", "callbackUrl": url, "version": "v2" }), "version取值应为v1"),
        (
            "/order/subscribe/v2",
            json!({ "states": "1", "callbackUrl": "ftp://x", "version": "v1" }),
            "callbackUrl应以http://或https://开头",
        ),
        (
            "/order/subscribe/v2",
            json!({ "states": "1", "callbackUrl": "https://", "version": "v1" }),
            "callbackUrl应以http://或https://开头",
        ),
        (
            "/order/subscribe/v2",
            json!({ "states": "1", "callbackUrl": url, "version": "v1", "xhkID": "1" }),
            "xhkID不是接口参数",
        ),
        (
            "/order/orderPack/subscribe",
            json!({ "states": "1", "callbackUrl": url }),
            "states取值应为19000、40000、40001,多个状态之间用','隔开",
        ),
        (
            "/order/orderPack/subscribe",
            json!({ "states": "40000", "callbackUrl": url, "version": "v1" }),
            "version不是接口参数",
        ),
        ("/customer_order/subscribe", json!({ "states": "601,602", "callbackUrl": url }), "xhkID必填"),
        (
            "/customer_order/subscribe",
            json!({ "states": "603", "callbackUrl": url }),
            "states取值应为600、601、602,多个状态之间用','隔开",
        ),
    ] {
        assert_eq!(bench.refusal(path, &request).await, message);
    }
    assert_eq!(bench.holdings("subscriptions").await, json!([]));
    bench.data("/customer_order/subscribe", &json!({ "states": "600,601", "callbackUrl": url })).await;
}

/// 支持每个用户使用不同的回调地址
#[tokio::test]
async fn each_user_subscribes_alone_and_a_reset_forgets_all() {
    let mut bench = Bench::new().await;
    let request = json!({ "states": "40000", "callbackUrl": "https://gateway.example" });
    bench.data("/order/orderPack/subscribe", &request).await;
    bench.log_in(1).await;
    bench.data("/order/orderPack/subscribe", &request).await;
    bench.data("/order/orderPack/unsubscribe", &json!({})).await;
    let held = bench.holdings("subscriptions").await;
    assert_eq!((held.as_array().unwrap().len(), &held[0]["user"]), (1, &json!("demo")));
    bench.simulator().reset();
    assert_eq!(bench.holdings("subscriptions").await, json!([]));
}

#[tokio::test]
async fn the_organizations_are_the_documents() {
    let bench = Bench::new().await;
    assert_eq!(bench.post("/organization/list", &json!({})).await, example!("organization-list-response"));
}

/// CustomerEntity, filled in.
fn customer(phone: &str) -> Value {
    let mut customer = example!("customer-entity");
    fill(&mut customer, "");
    customer["phone"] = phone.into();
    customer
}

/// 在同一种客户类型中:如果客户电话已存在,则进行更新,否则进行创建。
#[tokio::test]
async fn a_customer_is_known_by_type_and_telephone() {
    let bench = Bench::new().await;
    let answer = bench.post(CUSTOMERS, &json!({ "customers": [customer("1"), customer("2")] })).await;
    assert_eq!(answer, json!({ "code": 200, "message": null, "data": true }));
    let mut changed = customer("1");
    changed["name"] = "other".into();
    changed["remark1"] = Value::Null;
    let mut consignee = customer("1");
    consignee["type"] = 2.into();
    bench.data(CUSTOMERS, &json!({ "customers": [changed, consignee] })).await;
    let held = bench.holdings("customers").await;
    let customers = [changed, customer("2"), consignee].map(|it| json!({ "user": "demo", "customer": it }));
    assert_eq!(held, json!(customers));
}

#[tokio::test]
async fn a_customer_that_is_not_right_is_refused_with_all_others() {
    let bench = Bench::new().await;
    for member in ["name", "phone", "address", "type", "paymentType"] {
        let mut bad = customer("2");
        bad.as_object_mut().unwrap().remove(member);
        let message = bench.refusal(CUSTOMERS, &json!({ "customers": [customer("1"), bad] })).await;
        assert_eq!(message, format!("customers[1].{member}必填"));
    }
    for (bad, words) in mistyped(&customer("1")) {
        let message = bench.refusal(CUSTOMERS, &json!({ "customers": [bad] })).await;
        assert!(message.starts_with(&format!("customers[0].{words}应为")), "{message}");
    }
    for (member, value, words) in [
        ("type", json!(3), "取值应为1、2"),
        ("paymentType", json!(0), "取值应为1、2、3、4、5、6、7、8、9"),
        ("remark4", json!(""), "不是接口参数"),
    ] {
        let mut bad = customer("1");
        bad[member] = value;
        let message = bench.refusal(CUSTOMERS, &json!({ "customers": [bad] })).await;
        assert_eq!(message, format!("customers[0].{member}{words}"));
    }
    assert_eq!(bench.refusal(CUSTOMERS, &json!({})).await, "customers必填");
    assert_eq!(bench.holdings("customers").await, json!([]));
}
