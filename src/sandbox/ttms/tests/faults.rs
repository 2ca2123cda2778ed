//! The general faults at a provider that answers in JSON and knows its callers by a token.

use super::*;

const CREATE: &str = "/order/create_order";

impl Bench {
    async fn fired(&self) -> Vec<u64> {
        let (_, shown) = self.control(Method::GET, "/ttms/faults", &Value::Null).await;
        shown["items"].as_array().unwrap().iter().map(|it| it["fired"].as_u64().unwrap()).collect()
    }

    async fn create_with_status(&self, number: &str) -> StatusCode {
        self.send(self.request(CREATE, &json!({ "orderList": [order(number)] }))).await.status()
    }
}

#[tokio::test]
async fn a_session_is_killed_in_the_middle_of_a_thousand_orders() {
    let mut bench = Bench::new().await;
    let old = bench.token.clone();
    bench.set_faults(json!([{ "kind": "session_killed", "orderNumber": "A-500", "times": 1 }])).await;
    for number in 0..500 {
        assert_eq!(bench.create_with_status(&format!("A-{number}")).await, StatusCode::OK);
    }
    for _ in 0..2 {
        assert_eq!(bench.create_with_status("A-500").await, StatusCode::UNAUTHORIZED, "it stays dead");
    }
    assert_eq!(bench.books().len(), 500);
    bench.log_in(0).await;
    assert_ne!(bench.token, old, "asking gives a new one, as the old is dead");
    for number in 500..1_000 {
        assert_eq!(bench.create_with_status(&format!("A-{number}")).await, StatusCode::OK);
    }
    assert_eq!(bench.books().len(), 1_000);
    assert!(bench.books().iter().all(|it| it.received_creates == 1));
    assert_eq!(bench.fired().await, [1]);
}

#[tokio::test]
async fn a_killed_session_can_be_refreshed() {
    let bench = Bench::new().await;
    let old = bench.ask_for_token(0).await;
    bench.set_faults(json!([{ "kind": "session_expired", "times": 1 }])).await;
    assert_eq!(bench.create_with_status("A-1").await, StatusCode::UNAUTHORIZED);
    let request = json!({ "userName": "demo", "refreshToken": old["refreshToken"] });
    let new = bench.data("/user/refresh_access_token/v2", &request).await;
    assert_eq!(bench.ask_for_token(0).await, new);
    let bench = Bench { token: new["accessToken"].as_str().unwrap().to_owned(), ..bench };
    assert_eq!(bench.create_with_status("A-1").await, StatusCode::OK);
}

#[tokio::test]
async fn a_session_can_be_killed_again_and_again_and_of_one_user_alone() {
    let mut bench = Bench::new().await;
    bench.log_in(1).await;
    let second = bench.token.clone();
    bench.log_in(0).await;
    bench.set_faults(json!([{ "kind": "session_killed", "endpoint": "create_order", "times": 3 }])).await;
    for _ in 0..3 {
        assert_eq!(bench.create_with_status("A-1").await, StatusCode::UNAUTHORIZED);
        bench.log_in(0).await;
    }
    assert_eq!(bench.create_with_status("A-1").await, StatusCode::OK);
    bench.token = second;
    assert_eq!(bench.create_with_status("A-1").await, StatusCode::OK);
}

/// Asking for a token has none that could end.
#[tokio::test]
async fn a_session_fault_is_for_requests_with_a_session() {
    let bench = Bench::new().await;
    let fault = json!([{ "kind": "session_killed", "endpoint": "generate_access_token" }]);
    let (status, _) = bench.control(Method::PUT, "/ttms/faults", &fault).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    bench.set_faults(json!([{ "kind": "session_killed" }])).await;
    bench.ask_for_token(0).await;
    assert_eq!(bench.fired().await, [0]);
}

#[tokio::test]
async fn a_request_is_refused_with_any_words() {
    for (code, http, status, message) in [
        ("操作频繁", 200, 500, "操作频繁"),
        ("订单创建失败", 200, 500, "订单创建失败"),
        ("501", 200, 501, ""),
        ("401", 401, 401, "授权失败,需要重新登陆获取access_token"),
        ("404", 404, 404, "接口不存在"),
    ] {
        for commit in [false, true] {
            let bench = Bench::new().await;
            let fault = json!({ "kind": "answer_code", "code": code, "commit": commit, "endpoint": "create_order" });
            bench.set_faults(json!([fault])).await;
            let response = bench.send(bench.request(CREATE, &json!({ "orderList": [order("A-1")] }))).await;
            assert_eq!(response.status(), http);
            let answer: Value = serde_json::from_slice(&bytes(response).await).unwrap();
            assert_eq!(answer, json!({ "status": status, "message": message }));
            assert_eq!(bench.books().len(), usize::from(commit), "{code}");
            assert_eq!(bench.meter("create_order").requests, 1);
        }
    }
}

#[tokio::test]
async fn a_batch_is_refused_for_one_of_its_orders() {
    let bench = Bench::new().await;
    let fault = json!({ "kind": "item_code", "code": "仓库已关闭", "orderNumber": "A-2", "times": 1 });
    bench.set_faults(json!([fault])).await;
    bench.create(&order("A-1")).await;
    let batch = json!({ "orderList": [order("A-2"), order("A-3")] });
    assert_eq!(bench.refusal(CREATE, &batch).await, "仓库已关闭");
    assert_eq!(bench.books().len(), 1);
    bench.data(CREATE, &batch).await;
    assert_eq!(bench.held("A-2").received_creates, 2);

    let fault = json!({ "kind": "item_code", "code": "系统异常", "status": "503", "commit": true, "times": 1 });
    bench.set_faults(json!([fault])).await;
    let answer = bench.post(CREATE, &json!({ "orderList": [order("A-4")] })).await;
    assert_eq!(answer, json!({ "status": 503, "message": "系统异常" }));
    assert_eq!(bench.held("A-4").created, 1, "and yet it was created");
}

#[tokio::test]
async fn results_are_left_out_invented_or_repeated() {
    for (kind, order_number, results) in [
        ("item_missing", None, &[1, 2][..]),
        ("item_missing", Some("A-1"), &[0, 2]),
        ("item_unasked", Some("A-1"), &[0, 1, 9, 2]),
        ("item_twice", Some("A-2"), &[0, 1, 2, 2]),
    ] {
        let bench = Bench::new().await;
        bench
            .set_faults(json!([{ "kind": kind, "orderNumber": order_number, "endpoint": "create_order", "times": 1 }]))
            .await;
        let batch = json!({ "orderList": [order("A-0"), order("A-1"), order("A-2")] });
        let answer = bench.data(CREATE, &batch).await;
        let held: Vec<_> = bench.books().into_iter().map(|it| json!(it.provider_order_number)).collect();
        assert_eq!(held.len(), 3);
        let got: Vec<_> =
            answer.as_array().unwrap().iter().map(|it| held.iter().position(|held| held == it).unwrap_or(9)).collect();
        assert_eq!(got, results, "{kind}");
    }
}

#[tokio::test]
async fn every_answer_about_orders_can_be_changed() {
    let bench = Bench::new().await;
    let number = bench.create(&order("A-1")).await;
    bench.accept(&customer_order("A-1")).await;
    for (path, request, endpoint, list, key) in [
        ("/order/create_order_pack", json!({ "orderList": [order("B-1")] }), "create_order_pack", "/numbers", ""),
        ("/order/create_order_pack", json!({ "orderList": [order("B-2")] }), "create_order_pack", "/ids", ""),
        (
            "/customer_order/create_customer_order",
            json!({ "orders": [customer_order("B-1")] }),
            "create_customer_order",
            "",
            "",
        ),
        ("/order/find_order/v2", json!({ "orderNumber": number }), "find_order", "", "/wmsNumber"),
        (
            "/order/query_orders",
            json!({ "page": 1, "state": 1000, "orderNumber": number }),
            "query_orders",
            "/elements",
            "/wmsNumber",
        ),
        (
            "/customer_order/query_customer_orders",
            json!({ "page": 1, "originalOrderNumber": "A-1" }),
            "query_customer_orders",
            "/elements",
            "/order/originalOrderNumber",
        ),
    ] {
        for (kind, length) in [("item_missing", 0), ("item_unasked", 2), ("item_twice", 2)] {
            let mut request = request.clone();
            if let Some(order) = request.pointer_mut("/orderList/0") {
                order["orderNumber"] = format!("{kind}{list}").into();
            }
            bench.set_faults(json!([{ "kind": kind, "endpoint": endpoint, "times": 1 }])).await;
            let data = bench.data(path, &request).await;
            let items = data.pointer(list).unwrap().as_array().unwrap();
            assert_eq!(items.len(), length, "{endpoint} {kind}");
            if length == 2 {
                let numbers = [0, 1].map(|index| items[index].pointer(key).unwrap());
                assert_eq!(numbers[0] == numbers[1], kind == "item_twice", "{numbers:?}");
            }
            assert_eq!(bench.fired().await, [1]);
        }
    }
}

/// Whatever a request names its orders by, a fault finds them by our number.
#[tokio::test]
async fn a_fault_finds_an_order_by_our_number() {
    let bench = Bench::new().await;
    let mut first = order("A-1");
    first["customerOrderNumber"] = "C-1".into();
    let number = bench.create(&first).await;
    let other = bench.create(&order("A-2")).await;
    let accepted = bench.accept(&whole_customer_order("A-1")).await;
    bench.data("/cargo/add", &json!({ "orderNumber": "A-1", "cargoNumber": "G-1" })).await;
    for (path, request, elsewhere) in [
        ("/order/create_order", json!({ "orderList": [order("A-9"), order("A-1")] }), json!({ "orderList": [] })),
        ("/order/find_order/v2", json!({ "orderNumber": number }), json!({ "orderNumber": other })),
        ("/order/find_order/v2", json!({ "customerNumber": "C-1" }), json!({ "customerNumber": "C-2" })),
        ("/order/query_orders", json!({ "page": 1, "customerOrderNumber": "A-1" }), json!({ "page": 1 })),
        (
            "/order/modify_order",
            json!({ "orderNumber": number, "order": {} }),
            json!({ "orderNumber": other, "order": {} }),
        ),
        ("/order/cancel_orders/v2", json!({ "numbers": format!("{other},{number}") }), json!({ "numbers": "1" })),
        (
            "/cargo/add",
            json!({ "orderNumber": "C-1", "cargoNumber": "G-2" }),
            json!({ "orderNumber": "A-2", "cargoNumber": "G-3" }),
        ),
        ("/cargo/update", json!({ "cargoNumber": "G-1" }), json!({ "cargoNumber": "G-3" })),
        ("/cargo/remove", json!({ "cargoNumber": "G-1" }), json!({ "cargoNumber": "G-9" })),
        (
            "/customer_order/create_customer_order",
            json!({ "orders": [customer_order("A-1")] }),
            json!({ "orders": [customer_order("A-7")] }),
        ),
        (
            "/customer_order/update_customer_order",
            json!({ "number": accepted, "order": customer_order("A-1") }),
            json!({ "number": "S1", "order": {} }),
        ),
        ("/customer_order/batch_unbind_devices", json!({ "orders": [accepted] }), json!({ "orders": ["S1"] })),
        ("/customer_order/query_customer_orders", json!({ "page": 1, "number": accepted }), json!({ "page": 1 })),
    ] {
        bench.set_faults(json!([{ "kind": "answer_code", "code": "struck", "orderNumber": "A-1" }])).await;
        let answer = bench.post(path, &elsewhere).await;
        assert_ne!(answer["message"], "struck", "{path} {elsewhere}");
        assert_eq!(bench.refusal(path, &request).await, "struck", "{path} {request}");
        assert_eq!(bench.fired().await, [1]);
    }
}

#[tokio::test]
async fn faults_that_break_the_answer_leave_the_order_in_the_books() {
    for (kind, part) in
        [("truncated_body", "{\"code\":200"), ("doctype_bomb", "<!DOCTYPE"), ("huge_answer", "{\"code\":200")]
    {
        let bench = Bench::new().await;
        let mut fault = json!({ "kind": kind });
        if kind == "huge_answer" {
            fault["bytes"] = 5_000.into();
        }
        bench.set_faults(json!([fault])).await;
        let response = bench.send(bench.request(CREATE, &json!({ "orderList": [order("A-1")] }))).await;
        assert_eq!(response.status(), StatusCode::OK);
        let body = String::from_utf8(bytes(response).await).unwrap();
        assert!(body.contains(part), "{kind}: {body}");
        assert_eq!(serde_json::from_str::<Value>(&body).is_ok(), kind == "huge_answer");
        assert_eq!(bench.books().len(), 1);
    }
    for (kind, created) in [("reset_before_read", 0), ("commit_then_drop", 1), ("half_answer", 1)] {
        let bench = Bench::new().await;
        bench.set_faults(json!([{ "kind": kind }])).await;
        let response = bench.send(bench.request(CREATE, &json!({ "orderList": [order("A-1")] }))).await;
        assert!(to_bytes(response.into_body(), usize::MAX).await.is_err(), "{kind}");
        assert_eq!(bench.books().len(), created);
        let reading = bench.meter("create_order");
        assert_eq!((reading.requests, &*reading.credentials), (1, "demo"), "counted for whom the URL names");
    }
}

#[tokio::test]
async fn a_request_for_a_token_that_is_struck_is_counted_for_nobody() {
    let bench = Bench::new().await;
    bench.set_faults(json!([{ "kind": "status", "status": 502, "endpoint": "generate_access_token" }])).await;
    let request = bench.request("/user/generate_access_token/v2", &json!({ "userName": "demo", "password": "x" }));
    assert_eq!(bench.send(request).await.status(), StatusCode::BAD_GATEWAY);
    let readings = bench.simulator().meter();
    assert_eq!((&*readings[0].credentials, readings[0].requests), ("(not accepted)", 1));
}
