//! What passes straight through: tracking, the provider's orders, organisations, address book, devices.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ACCOUNT, customer_order, deafen, patch, placed, requests, transport_order};
use crate::harness::Bench;

async fn advance(bench: &Bench, number: &str, to: &str) {
    let path = format!("/control/ttms/orders/{number}/advance");
    let advanced = bench.control().post(&path, &json!({"to": to})).await;
    assert_eq!(advanced.status, 200, "{:#}", advanced.body);
}

#[tokio::test]
async fn tracking_asks_the_provider_when_it_is_told_to() {
    let bench = Bench::start().await;
    deafen(&bench).await;
    let order = placed(&bench, &transport_order("SO-1")).await;
    let number = order.body["providerOrderNumber"].as_str().unwrap();
    let path = format!("/v1/orders/{}/tracking", order.id());
    advance(&bench, number, "confirmed").await;
    advance(&bench, number, "picked_up").await;
    let known = bench.caller.get(&path).await.body;
    assert_eq!((&known["status"], &known["refreshedAt"]), (&json!("requested"), &Value::Null));
    let refreshed = bench.caller.get(&format!("{path}?refresh=true")).await;
    assert_eq!(refreshed.status, 200, "{:#}", refreshed.body);
    assert_eq!(refreshed.body["status"], "in_transit", "{:#}", refreshed.body);
    assert!(refreshed.body["refreshedAt"].is_string());
    let types = |body: &Value| -> Vec<String> {
        let milestones = body["milestones"].as_array().unwrap().iter();
        milestones.map(|milestone| milestone["type"].as_str().unwrap().to_owned()).collect()
    };
    let told = types(&refreshed.body);
    for expected in ["order.placed", "order.confirmed", "transport.picked_up"] {
        assert_eq!(told.iter().filter(|told| *told == expected).count(), 1, "{told:?}");
    }
    // Asked again, nothing is told twice.
    let again = bench.caller.get(&format!("{path}?refresh=true")).await;
    assert_eq!(types(&again.body), told);
    let read = bench.caller.get(&format!("/v1/orders/{}", order.id())).await;
    assert_eq!(read.body["status"], "in_transit");
}

#[tokio::test]
async fn a_provider_that_cannot_be_reached_is_a_problem_of_its_own() {
    let bench = Bench::start().await;
    let order = placed(&bench, &transport_order("SO-1")).await;
    let path = format!("/v1/orders/{}/tracking?refresh=true", order.id());
    bench.faults_of("ttms", json!([{"kind": "html", "endpoint": "find_order", "status": 502}])).await;
    bench.caller.get(&path).await.problem(502, "provider-error");
    let change = json!({"baseUrl": "http://127.0.0.1:9"});
    bench.caller.send_with(Method::PATCH, &format!("/v1/accounts/{ACCOUNT}"), &change, &[]).await;
    bench.caller.get(&path).await.problem(502, "provider-error");
}

#[tokio::test]
async fn the_providers_orders_are_listed_with_filters_and_pages() {
    let bench = Bench::start().await;
    for number in 0..3 {
        placed(&bench, &transport_order(&format!("SO-{number}"))).await;
    }
    let list = format!("/v1/accounts/{ACCOUNT}/provider-orders");
    // The provider lists orders of one state only.
    let refused = bench.caller.get(&list).await;
    assert_eq!(refused.status, 422, "{:#}", refused.body);
    assert_eq!(refused.body["errors"][0]["pointer"], "/state");
    let first = bench.caller.get(&format!("{list}?state=1000&limit=2")).await;
    assert_eq!((first.status, &first.body["total"]), (200, &json!(3)), "{:#}", first.body);
    assert_eq!(first.body["items"].as_array().unwrap().len(), 2);
    let cursor = first.body["nextCursor"].as_str().unwrap();
    let second = bench.caller.get(&format!("{list}?state=1000&limit=2&cursor={cursor}")).await;
    assert_eq!((second.body["items"].as_array().unwrap().len(), &second.body["nextCursor"]), (1, &Value::Null));
    let item = &second.body["items"][0];
    assert_eq!(item["status"], "draft", "{item:#}");
    assert!(item["orderNumber"].as_str().unwrap().starts_with("SO-"));
    assert_eq!(item["order"]["shipFrom"]["contact"]["name"], "张三", "{item:#}");
    assert_eq!(item["raw"]["number"], item["providerOrderNumber"]);
    let nobody = bench.caller.get(&format!("{list}?state=1000&consigneeName=nobody")).await;
    assert_eq!(nobody.body["total"], 0);
    placed(&bench, &customer_order("SO-9")).await;
    let acceptance = bench.caller.get(&format!("{list}?documentType=customer_order")).await;
    assert_eq!(acceptance.body["total"], 1, "{:#}", acceptance.body);
}

#[tokio::test]
async fn organisations_and_address_book() {
    let bench = Bench::start().await;
    let organizations = bench.caller.get(&format!("/v1/accounts/{ACCOUNT}/organizations")).await;
    assert_eq!(organizations.status, 200, "{:#}", organizations.body);
    let paths: Vec<_> = organizations.body["items"].as_array().unwrap().iter().map(|it| &it["path"]).collect();
    assert!(paths.contains(&&json!("0-11")), "{paths:?}");
    let parties = json!({"parties": [{
        "name": "上海客户", "phone": "13900000002", "address": "上海市南京东路 782 号", "role": "consignee",
        "paymentTerm": "monthly_account", "remarks": ["一", "二"],
    }]});
    let path = format!("/v1/accounts/{ACCOUNT}/parties");
    let kept = bench.caller.send_with(Method::PUT, &path, &parties, &[]).await;
    assert_eq!(kept.status, 204, "{:#}", kept.body);
    assert_eq!(requests(&bench, "add_customers"), 1);
    let invalid =
        json!({"parties": [{"name": "", "phone": "1", "address": "x", "role": "other", "paymentTerm": "prepaid"}]});
    let refused = bench.caller.send_with(Method::PUT, &path, &invalid, &[]).await;
    let errors = refused.problem(422, "validation-failed");
    assert!(errors.iter().any(|(pointer, _)| pointer == "/parties/0/role"), "{errors:?}");
    // A provider that has none of this says so.
    let otms = bench.caller.get("/v1/accounts/otms-demo/organizations").await;
    otms.problem(422, "unsupported-by-provider");
}

#[tokio::test]
async fn devices_are_unbound() {
    let bench = Bench::start().await;
    let mut order = customer_order("SO-1");
    order["trackingDevices"] = json!(["868120223404879"]);
    let order = placed(&bench, &order).await;
    let path = format!("/v1/orders/{}/devices/unbind", order.id());
    assert_eq!(bench.caller.post(&path, &Value::Null).await.status, 204);
    let again = bench.caller.post(&path, &Value::Null).await;
    assert!(again.body["errors"][0]["detailZh"].as_str().unwrap().contains("未绑定设备"), "{:#}", again.body);
    let transport = placed(&bench, &transport_order("SO-2")).await;
    let refused = bench.caller.post(&format!("/v1/orders/{}/devices/unbind", transport.id()), &Value::Null).await;
    refused.problem(422, "unsupported-by-provider");
    let _ = patch(&bench, order.id(), &json!({"remarks": "x"})).await;
}

#[tokio::test]
async fn the_keys_of_a_caller_decide_what_passes_through() {
    let bench = Bench::start().await;
    let other = bench.key(&["orders:read", "orders:write"], Some(&["otms-demo"])).await;
    other.get(&format!("/v1/accounts/{ACCOUNT}/organizations")).await.problem(404, "not-found");
    let reader = bench.key(&["orders:read"], None).await;
    let path = format!("/v1/accounts/{ACCOUNT}/parties");
    reader.send_with(Method::PUT, &path, &json!({"parties": []}), &[]).await.problem(403, "forbidden");
}
