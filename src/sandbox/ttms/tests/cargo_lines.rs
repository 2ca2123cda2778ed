//! 订单货物类接口.

use super::*;

const ADD: &str = "/cargo/add";
const UPDATE: &str = "/cargo/update";
const REMOVE: &str = "/cargo/remove";

fn cargo(order_number: &str, cargo_number: &str) -> Value {
    json!({
        "orderNumber": order_number,
        "cargoNumber": cargo_number,
        "weight": "1.50",
        "volume": "2",
        "quantity": "3",
        "value": "4.5",
        "name": "box",
        "productModel": "fragile",
    })
}

#[tokio::test]
async fn a_cargo_is_added_changed_and_removed() {
    let bench = Bench::new().await;
    let number = bench.create(&whole_order("A-1")).await;
    assert_eq!(bench.post(ADD, &cargo(&number, "G-1")).await, json!({ "code": 200, "message": null }));
    let shown = bench.find(&number).await;
    assert_eq!((&shown["totalCargoes"], shown["cargo"]["weight"].to_string().as_str()), (&json!(2), "5.50"));
    let line = &shown["cargoes"][1];
    assert_eq!(
        (line["weight"].to_string().as_str(), &line["name"], &line["productModel"]),
        ("1.50", &json!("box"), &json!("fragile"))
    );
    let document: Value = serde_json::from_str(bench.held("A-1").document.get()).unwrap();
    assert_eq!(document["cargoList"][1]["cargoNumber"], "G-1");

    let change = json!({ "cargoNumber": "G-1", "weight": "7", "name": "crate" });
    assert_eq!(bench.post(UPDATE, &change).await, json!({ "code": 200, "message": null }));
    let changed = bench.find(&number).await["cargoes"][1].clone();
    assert_eq!((&changed["weight"], &changed["name"], &changed["volume"]), (&json!(7), &json!("crate"), &json!(2)));
    assert_eq!((&changed["id"], &changed["created"]), (&line["id"], &line["created"]));

    let removal = json!({ "cargoNumber": "G-1" });
    assert_eq!(bench.post(REMOVE, &removal).await, json!({ "code": 200, "message": "true" }));
    assert_eq!(bench.find(&number).await["totalCargoes"], 1);
    assert_eq!(bench.refusal(REMOVE, &removal).await, "false");
    let entry = bench.held("A-1");
    assert_eq!((entry.amended, entry.created), (3, 1));
}

/// 订单号,客户单号或wms单号
#[tokio::test]
async fn an_order_is_named_by_any_of_its_numbers() {
    let bench = Bench::new().await;
    for (number, customer_number) in [("A-1", "C-1"), ("A-2", "C-2"), ("A-3", "C-2")] {
        let mut order = order(number);
        order["customerOrderNumber"] = customer_number.into();
        bench.create(&order).await;
    }
    let number = bench.held("A-1").provider_order_number;
    for (index, named) in [&*number, "A-1", "C-1"].into_iter().enumerate() {
        bench.data(ADD, &cargo(named, &format!("G-{index}"))).await;
    }
    assert_eq!(bench.find(&number).await["totalCargoes"], 3);
    assert_eq!(bench.refusal(ADD, &cargo("C-2", "G-9")).await, "创建失败:客户单号C-2对应多个订单");
    assert_eq!(bench.refusal(ADD, &cargo("C-3", "G-9")).await, "创建失败:订单C-3不存在");
}

#[tokio::test]
async fn what_is_not_right_is_refused() {
    let bench = Bench::new().await;
    bench.create(&order("A-1")).await;
    bench.create(&order("A-2")).await;
    bench.data(ADD, &cargo("A-1", "G-1")).await;
    for (path, request, message) in [
        (ADD, json!({}), "创建失败:orderNumber必填;cargoNumber必填"),
        (ADD, cargo("A-2", "G-1"), "创建失败:货物号G-1已存在"),
        (ADD, json!({ "orderNumber": "A-1", "cargoNumber": "G-2", "weight": 1 }), "创建失败:weight应为字符串"),
        (
            ADD,
            json!({ "orderNumber": "A-1", "cargoNumber": "G-2", "weight": "heavy" }),
            "创建失败:weight应为数字字符串",
        ),
        (ADD, json!({ "orderNumber": "A-1", "cargoNumber": "G-2", "note1": "" }), "创建失败:note1不是接口参数"),
        (UPDATE, json!({ "weight": "1" }), "创建失败:cargoNumber必填"),
        (UPDATE, json!({ "cargoNumber": "G-2" }), "创建失败:没有货物号G-2"),
        (UPDATE, json!({ "cargoNumber": "G-1", "orderNumber": "A-1" }), "创建失败:orderNumber不是接口参数"),
        (REMOVE, json!({}), "false"),
        (REMOVE, json!({ "cargoNumber": "G-2" }), "false"),
    ] {
        assert_eq!(bench.refusal(path, &request).await, message);
    }
    bench.advance_order("A-1", "delivered").await;
    let number = bench.held("A-1").provider_order_number;
    let over = format!("创建失败:订单{number}已签收,不能修改");
    assert_eq!(bench.refusal(ADD, &cargo("A-1", "G-2")).await, over);
    assert_eq!(bench.refusal(UPDATE, &json!({ "cargoNumber": "G-1" })).await, over);
    assert_eq!(bench.refusal(REMOVE, &json!({ "cargoNumber": "G-1" })).await, "false");
    assert_eq!(bench.held("A-1").amended, 1);
}
