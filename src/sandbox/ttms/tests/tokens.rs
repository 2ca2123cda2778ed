//! 接口凭证: tokens, how long they are good, and that everything else needs one.

use super::*;

const GENERATE: &str = "/user/generate_access_token/v2";
const REFRESH: &str = "/user/refresh_access_token/v2";

impl Bench {
    /// Whether a call with this token is let in.
    async fn lets_in(&self, token: &str) -> bool {
        let url = format!("/ttms/organization/list?access_token={token}");
        let response = self.send(Request::post(url).body(Body::empty()).unwrap()).await;
        match response.status() {
            StatusCode::OK => true,
            StatusCode::UNAUTHORIZED => false,
            other => panic!("{other}"),
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[tokio::test]
async fn the_answer_is_the_documents_and_asking_again_changes_nothing() {
    let bench = Bench::new().await;
    let request = json!({ "userName": "demo", "password": "onelane-demo-password" });
    let first = bench.post(GENERATE, &request).await;
    assert_eq!(pointers(&first), pointers(&example!("generate-access-token-response")));
    for token in [&first["data"]["accessToken"], &first["data"]["refreshToken"]] {
        assert_eq!(uuid::Uuid::parse_str(text(token)).unwrap().get_version_num(), 4);
    }
    bench.advance(TimeDelta::days(364));
    assert_eq!(bench.post(GENERATE, &request).await, first);
    bench.advance(TimeDelta::days(1));
    assert!(!bench.lets_in(text(&first["data"]["accessToken"])).await, "asking again gave no more time");
    let second = bench.post(GENERATE, &request).await;
    assert_ne!(second["data"]["accessToken"], first["data"]["accessToken"]);
    assert!(bench.lets_in(text(&second["data"]["accessToken"])).await);
}

#[tokio::test]
async fn refreshing_ends_the_old_token_at_once_and_the_year_begins_anew() {
    let bench = Bench::new().await;
    let old = bench.ask_for_token(0).await;
    bench.advance(TimeDelta::days(300));
    let request = json!({ "userName": "demo", "refreshToken": old["refreshToken"] });
    let new = bench.data(REFRESH, &request).await;
    assert_ne!(new["accessToken"], old["accessToken"]);
    assert_ne!(new["refreshToken"], old["refreshToken"]);
    assert!(!bench.lets_in(text(&old["accessToken"])).await);
    assert!(bench.lets_in(text(&new["accessToken"])).await);
    assert_eq!(bench.ask_for_token(0).await, new);

    assert_eq!(bench.refusal(REFRESH, &request).await, "账号或刷新凭证不正确", "it was used up");
    bench.advance(TimeDelta::days(364));
    assert!(bench.lets_in(text(&new["accessToken"])).await);
    bench.advance(TimeDelta::days(1));
    let request = json!({ "userName": "demo", "refreshToken": new["refreshToken"] });
    assert_eq!(bench.refusal(REFRESH, &request).await, "账号或刷新凭证不正确");
}

#[tokio::test]
async fn what_is_not_right_is_refused_in_the_documents_words() {
    let bench = Bench::new().await;
    let refresh_token = bench.ask_for_token(0).await["refreshToken"].clone();
    for (path, request, message) in [
        (GENERATE, json!({ "userName": "demo", "password": "x" }), "账号或密码不正确"),
        (GENERATE, json!({ "userName": "nobody", "password": "onelane-demo-password" }), "账号或密码不正确"),
        (GENERATE, json!({ "userName": "demo" }), "password必填"),
        (GENERATE, json!({ "userName": "", "password": 1 }), "userName必填;password应为字符串"),
        (REFRESH, json!({ "userName": "demo", "refreshToken": "x" }), "账号或刷新凭证不正确"),
        (REFRESH, json!({ "userName": "second", "refreshToken": refresh_token }), "账号或刷新凭证不正确"),
        (REFRESH, json!({ "refreshToken": refresh_token }), "userName必填"),
    ] {
        assert_eq!(bench.refusal(path, &request).await, message, "{request}");
    }
    let readings = bench.simulator().meter();
    let read: Vec<_> = readings.iter().map(|it| (it.endpoint, &*it.credentials, it.requests)).collect();
    let expected = [
        ("generate_access_token", "(not accepted)", 4),
        ("generate_access_token", "demo", 2),
        ("refresh_access_token", "(not accepted)", 3),
    ];
    assert_eq!(read, expected);
}

#[tokio::test]
async fn every_other_operation_needs_a_good_token() {
    let bench = Bench::new().await;
    let old = bench.token.clone();
    let refresh_token = bench.ask_for_token(0).await["refreshToken"].clone();
    let new = bench.data(REFRESH, &json!({ "userName": "demo", "refreshToken": refresh_token })).await;
    let good = text(&new["accessToken"]);
    for operation in OPERATIONS.iter().filter(|it| !it.path.starts_with("/user/")) {
        for query in [
            String::new(),
            "?access_token=".to_owned(),
            "?access_token=9d0dfe02-2349-421c-90ec-4b9ea174701b".to_owned(),
            format!("?access_token={old}"),
            format!("?access_token={good}&access_token={good}"),
            format!("?accessToken={good}"),
        ] {
            let request = Request::post(format!("/ttms{}{query}", operation.path));
            let response = bench.send(request.body("{}".into()).unwrap()).await;
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{}{query}", operation.path);
            let body: Value = serde_json::from_slice(&bytes(response).await).unwrap();
            assert_eq!(body["message"], "授权失败,需要重新登陆获取access_token");
        }
        let response = bench
            .send(Request::post(format!("/ttms{}?access_token={good}", operation.path)).body(Body::empty()).unwrap())
            .await;
        assert_eq!(response.status(), StatusCode::OK, "{}", operation.path);
    }
    let refused = bench.simulator().meter().into_iter().filter(|it| it.credentials == "(not accepted)");
    assert!(refused.map(|it| it.requests).eq([6; 22]), "each was counted, for nobody");
}

#[tokio::test]
async fn two_companies_do_not_see_each_other() {
    let mut bench = Bench::new().await;
    let number = bench.create(&order("A-1")).await;
    let accepted = bench.accept(&customer_order("A-1")).await;
    bench.log_in(1).await;
    let theirs = bench.create(&order("A-1")).await;
    assert_ne!(theirs, number);
    let found = bench.data("/order/find_order/v2", &json!({ "orderNumber": format!("{number},{theirs}") })).await;
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!((&found[0]["number"], &found[0]["uid"]), (&json!(theirs), &json!(USERS[1].uid)));
    for (path, request, message) in [
        ("/order/modify_order", json!({ "orderNumber": number, "order": {} }), format!("订单{number}不存在")),
        ("/order/cancel_orders/v2", json!({ "numbers": number }), format!("撤销订单失败:订单{number}不存在")),
        ("/customer_order/batch_unbind_devices", json!({ "orders": [accepted] }), "受理单不存在!".to_owned()),
    ] {
        assert_eq!(bench.refusal(path, &request).await, message);
    }
    assert_eq!(bench.simulator().books(Some("A-1")).len(), 3, "two orders and an acceptance order");
}

#[tokio::test]
async fn tokens_outlive_a_reset_and_not_the_sandbox() {
    let bench = Bench::new().await;
    bench.simulator().reset();
    assert!(bench.lets_in(&bench.token).await);
    let restarted = Bench::new().await;
    restarted.advance(TimeDelta::seconds(1));
    assert_eq!(restarted.token, bench.token, "made at the same moment");
    let later = Sandbox::new(&SandboxOptions {
        clock: {
            let now = restarted.now.clone();
            Arc::new(move || *now.lock().unwrap())
        },
        random: seeded(1),
    });
    let later = Bench { sandbox: later, now: restarted.now.clone(), token: String::new() };
    assert!(!later.lets_in(&bench.token).await);
    assert_ne!(later.ask_for_token(0).await["accessToken"], bench.token.as_str());
}
