//! A caller's trace goes on in the exchange that sends its order, in the events that tell of it, and in webhooks.

use serde_json::{Value, json};

use super::Trace;
use crate::harness::{Answer, Bench, Caller, GatewayProcess, Receiver, TestDatabase, order};

async fn post(caller: &Caller, path: &str, body: &Value, trace: &Trace, more: &[(&str, &str)]) -> Answer {
    let parent = trace.parent();
    let mut headers = vec![("traceparent", parent.as_str())];
    headers.extend(more);
    let answer = caller.post_with(path, body, &headers).await;
    assert!((200..300).contains(&answer.status), "{:#}", answer.body);
    answer
}

#[tokio::test]
async fn a_trace_goes_from_the_caller_to_the_exchange_and_to_the_webhook() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let gateway = GatewayProcess::start(&bench.database).await;
    let mut receiver = Receiver::start().await;
    gateway.caller.post("/v1/webhook-endpoints", &json!({"url": receiver.url, "types": ["order.placed"]})).await;
    let trace = Trace::new(0x4b);
    let placed = post(&gateway.caller, "/v1/orders", &order("SO-1"), &trace, &[("prefer", "wait=30")]).await;
    assert_eq!(placed.body["submission"]["state"], "accepted", "{:#}", placed.body);
    // Nothing exports spans here, so the place in the trace stays the caller's.
    assert_eq!(placed.header("traceresponse"), Some(trace.parent().as_str()));

    let webhook = receiver.next().await;
    assert_eq!(webhook.header("traceparent"), trace.parent());
    assert_eq!(webhook.event()["traceparent"], trace.parent());
    let feed = gateway.caller.get("/v1/events").await.body;
    let events: Vec<&Value> =
        feed["items"].as_array().unwrap().iter().filter(|event| event["subject"] == placed.id()).collect();
    assert!(events.len() >= 3, "{feed:#}");
    for event in events {
        assert_eq!(event["traceparent"], trace.parent(), "{event:#}");
    }
    gateway.log_with("exchange settled").await;
    let settled = gateway.logged("exchange settled");
    assert_eq!(settled.len(), 1, "{settled:#?}");
    assert_eq!(settled[0]["trace_id"], trace.id);
    assert_eq!((&settled[0]["outcome"], &settled[0]["status"]), (&json!("answered"), &json!(200)), "{:#}", settled[0]);
    // Providers are strict, and are told nothing of it.
    let attempts = gateway.caller.get(&format!("/v1/submissions/{}/attempts", placed.submission())).await.body;
    let headers = attempts["items"][0]["request"]["headers"].to_string().to_lowercase();
    assert!(headers.contains("content-type") && !headers.contains("trace"), "{headers}");
}

#[tokio::test]
async fn an_exchange_that_carries_orders_of_several_traces_names_them_all() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let gateway = GatewayProcess::start(&bench.database).await;
    let hold = async |verb: &str| gateway.caller.post(&format!("/v1/accounts/otms-demo/{verb}"), &Value::Null).await;
    hold("pause").await;
    let (one, another) = (Trace::new(0x1a), Trace::new(0x2b));
    let first = post(&gateway.caller, "/v1/orders", &order("SO-1"), &one, &[]).await;
    let both = json!({"orders": [order("SO-2"), order("SO-3")]});
    post(&gateway.caller, "/v1/orders/batch", &both, &another, &[("idempotency-key", "k")]).await;
    hold("resume").await;
    bench.database.wait_for_state(first.submission(), "accepted").await;
    gateway.log_with("exchange settled").await;
    let carried = gateway.logged("an exchange carries what several traces brought");
    // On a machine that is busy one may miss its slot, and let the orders go to the next.
    let carried = carried.last().unwrap();
    let mut traces: Vec<&str> = carried["traces"].as_str().unwrap().split(' ').collect();
    traces.sort_unstable();
    assert_eq!(traces, [one.id.as_str(), another.id.as_str()]);
    let settled = &gateway.logged("exchange settled")[0];
    assert_eq!((&settled["trace_id"], &settled["items"]), (&carried["trace_id"], &json!(3)));
    let kept = bench.database.texts("select trace_parent from submissions order by sequence").await;
    assert_eq!(kept, [one.parent(), another.parent(), another.parent()]);
}

#[tokio::test]
async fn what_is_no_trace_is_not_taken_for_one() {
    let bench = Bench::start().await;
    let given = Trace::new(0x4b).parent();
    for wrong in ["", "00-xyz", &given.to_uppercase(), &format!("{given}-more")] {
        let answer = bench.caller.post_with("/v1/orders", &json!({}), &[("traceparent", wrong)]).await;
        assert_eq!(answer.status, 422);
        let own = answer.header("traceresponse").unwrap();
        assert!(own.len() == given.len() && !own.contains("4b4b4b"), "{own}");
    }
    // Nobody knows which of two is meant.
    let answer = bench
        .caller
        .post_with("/v1/orders", &json!({}), &[("traceparent", &given), ("traceparent", &Trace::new(0x5c).parent())])
        .await;
    assert!(!answer.header("traceresponse").unwrap().contains("4b4b4b"));
}

#[tokio::test]
async fn a_providers_call_is_told_in_its_own_trace() {
    let bench = Bench::start().await;
    let mut receiver = Receiver::start().await;
    bench.caller.post("/v1/webhook-endpoints", &json!({"url": receiver.url})).await;
    let account = bench.caller.get("/v1/accounts/hongxun-demo").await.body;
    let url = account["callbackUrl"].as_str().unwrap();
    let path = &url[url.find("/callbacks/").unwrap()..];
    let trace = Trace::new(0x77);
    let headers = [("traceparent", trace.parent())];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    bench.caller.without_key().post_with(path, &json!({"no": "confirmation"}), &headers).await;
    let told = loop {
        let webhook = receiver.next().await;
        if webhook.event()["type"] == "callback.quarantined" {
            break webhook;
        }
    };
    assert_eq!(told.event()["traceparent"], trace.parent());
    assert_eq!(told.header("traceparent"), trace.parent());
}
