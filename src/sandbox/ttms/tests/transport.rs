//! Around the parameters: paths, methods, media types, and quotas.

use axum::http::HeaderMap;

use super::*;

#[tokio::test]
async fn all_operations_are_there_and_nothing_else() {
    let bench = Bench::new().await;
    assert_eq!(OPERATIONS.len(), 24);
    for path in ["/order", "/order/create_order/v2", "/order/find_order", "/order/cancel_orders", "/", "/user/login"] {
        let response = bench.send(bench.request(path, &json!({}))).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
    }
    let mut names: Vec<_> = OPERATIONS.iter().map(|it| it.endpoint.name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), OPERATIONS.len());
}

/// 请求方式
#[tokio::test]
async fn get_is_taken_where_the_document_has_it() {
    let bench = Bench::new().await;
    let with_get: Vec<_> = OPERATIONS.iter().filter(|it| it.also_get).map(|it| it.path).collect();
    let documented = [
        "/order/query_orders",
        "/order/cancel_orders/v2",
        "/customer_order/query_customer_orders",
        "/customer_order/cancel_customer_orders",
        "/customer_order/batch_unbind_devices",
    ];
    assert_eq!(with_get, documented);
    for operation in &OPERATIONS {
        let allowed = |method: &Method| *method == Method::POST || (operation.also_get && *method == Method::GET);
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE, Method::PATCH] {
            let request = Request::builder().method(&method).uri(bench.url(operation.path)).body(Body::empty());
            let response = bench.send(request.unwrap()).await;
            let status = if allowed(&method) { StatusCode::OK } else { StatusCode::METHOD_NOT_ALLOWED };
            assert_eq!(response.status(), status, "{method} {}", operation.path);
        }
    }
}

/// A reason that belongs to the request and not to the operation stands behind the same words.
#[tokio::test]
async fn only_json_in_utf8_is_read() {
    for (content_type, reason) in [
        (Some("application/json"), None),
        (Some("application/json; charset=UTF-8"), None),
        (Some("Application/JSON;charset=\"utf-8\""), None),
        (Some("application/json; charset=GBK"), Some("Content-Type应为application/json")),
        (Some("application/x-www-form-urlencoded"), Some("Content-Type应为application/json")),
        (None, Some("Content-Type应为application/json")),
    ] {
        let bench = Bench::new().await;
        let mut request = bench.request("/order/create_order", &json!({ "orderList": [order("A-1")] }));
        request.headers_mut().remove(header::CONTENT_TYPE);
        if let Some(content_type) = content_type {
            request.headers_mut().insert(header::CONTENT_TYPE, content_type.parse().unwrap());
        }
        let answer = answer(bench.send(request).await).await;
        match reason {
            None => assert_eq!(answer["code"], 200, "{content_type:?}"),
            Some(reason) => assert_eq!(super::reason(&answer), format!("订单创建失败:{reason}")),
        }
        assert_eq!(bench.books().len(), usize::from(reason.is_none()));
    }
}

#[tokio::test]
async fn what_is_no_json_object_is_refused() {
    let bench = Bench::new().await;
    let a_number = json!({ "orderList": [order("A-1")] }).to_string();
    let repeated = a_number.replace(r#""consignerName":"#, r#""consignerName":"x","consignerName":"#);
    for (body, part) in [
        ("[]", "请求体应为JSON对象"),
        ("{", "请求体不是JSON"),
        ("{} {}", "请求体不是JSON"),
        ("<a/>", "请求体不是JSON"),
        (&*repeated, "consignerName重复"),
        ("", "orderList必填"),
    ] {
        let request = Request::post(bench.url("/order/create_order")).header(header::CONTENT_TYPE, "application/json");
        let answer = answer(bench.send(request.body(body.to_owned().into()).unwrap()).await).await;
        let message = reason(&answer);
        assert!(message.starts_with("订单创建失败:") && message.contains(part), "{body}: {message}");
    }
    assert!(bench.books().is_empty());
}

/// 请勿将请求参数拼接在URL中传递
#[tokio::test]
async fn parameters_do_not_stand_in_the_url_of_a_post() {
    let bench = Bench::new().await;
    let number = bench.create(&order("A-1")).await;
    let path = format!("/order/cancel_orders/v2?numbers={number}");
    let message = bench.refusal(&path, &json!({})).await;
    assert_eq!(message, "撤销订单失败:numbers不能拼接在URL中传递,参数传递使用JSON格式");
    assert_eq!(bench.held("A-1").cancelled, 0);
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused() {
    let bench = Bench::new().await;
    for path in ["/order/create_order", "/user/generate_access_token/v2"] {
        let request = Request::post(bench.url(path)).header(header::CONTENT_TYPE, "application/json");
        let response = bench.send(request.body(" ".repeat(10 * 1024 * 1024 + 1).into()).unwrap()).await;
        assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE, "{path}");
    }
    assert_eq!(bench.meter("create_order").requests, 1);
}

#[tokio::test]
async fn operations_without_parameters_take_none() {
    let bench = Bench::new().await;
    for path in
        ["/order/unsubscribe", "/order/orderPack/unsubscribe", "/customer_order/unsubscribe", "/organization/list"]
    {
        assert_eq!(bench.refusal(path, &json!({ "colour": "red" })).await, "colour不是接口参数");
        bench.data(path, &json!({})).await;
        let request = Request::post(bench.url(path)).body(Body::empty()).unwrap();
        assert_eq!(answer(bench.send(request).await).await["code"], 200, "and no body at all");
    }
}

/// 一小时内最多调用一万次,超过会提示操作频繁
#[tokio::test]
async fn ten_thousand_calls_fit_into_any_hour() {
    let documented = [
        "create_order",
        "find_order",
        "query_orders",
        "modify_order",
        "create_customer_order",
        "update_customer_order",
        "query_customer_orders",
    ];
    let limited: Vec<_> =
        OPERATIONS.iter().filter(|it| it.endpoint.limit == Some(10_000)).map(|it| it.endpoint.name).collect();
    assert_eq!(limited, documented);

    let mut bench = Bench::new().await;
    let request = json!({ "orderNumber": "1" });
    bench.data("/order/find_order/v2", &request).await;
    // Their heads alone: as a fault that answers in the simulator's place counts them.
    let uri = bench.url("").parse().unwrap();
    for _ in 1..10_000 {
        bench.simulator().arrive("find_order", &uri, &HeaderMap::new());
    }
    bench.advance(TimeDelta::milliseconds(3_599_999));
    assert_eq!(bench.refusal("/order/find_order/v2", &request).await, "操作频繁");
    bench.data("/order/query_orders", &json!({ "page": 1 })).await;
    bench.log_in(1).await;
    bench.data("/order/find_order/v2", &request).await;
    bench.log_in(0).await;
    bench.advance(TimeDelta::milliseconds(1));
    bench.data("/order/find_order/v2", &request).await;

    let readings = bench.simulator().meter();
    let reading = readings.iter().find(|it| it.endpoint == "find_order" && it.credentials == "demo").unwrap();
    assert_eq!((reading.requests, reading.refusals, reading.most_in_any_window), (10_002, 1, 10_001));
    assert_eq!((reading.limit, reading.window_seconds), (Some(10_000), 3_600));
}

#[tokio::test]
async fn limits_that_are_not_documented_are_measured_only() {
    let bench = Bench::new().await;
    for _ in 0..50 {
        bench.refusal("/order/cancel_orders/v2", &json!({ "numbers": "1,2" })).await;
    }
    let reading = bench.meter("cancel_orders");
    assert_eq!((reading.requests, reading.refusals, reading.most_in_any_window), (50, 0, 50));
    assert_eq!((reading.limit, reading.window_seconds), (None, 1));
    assert_eq!((reading.orders, reading.largest_batch), (100, 2));
}

#[tokio::test]
async fn a_wrong_token_does_not_use_up_the_quota_of_its_owner() {
    let bench = Bench::new().await;
    for _ in 0..10 {
        let request = Request::post("/ttms/order/create_order?access_token=x").body(Body::empty()).unwrap();
        assert_eq!(bench.send(request).await.status(), StatusCode::UNAUTHORIZED);
    }
    bench.create(&order("A-1")).await;
    let readings = bench.simulator().meter();
    let reading = readings.iter().find(|it| it.endpoint == "create_order" && it.credentials == "demo").unwrap();
    assert_eq!(reading.requests, 1);
}
