//! What 3TMS tells of orders on its own account, over real sockets both ways.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::subscriptions::{ALL_BY_ITSELF, until};
use super::{ACCOUNT, PROVIDER, cancel, customer_order, held, placed, transport_order};
use crate::harness::{Answer, Bench, Caller, send};

const PATIENCE: Duration = Duration::from_secs(30);

async fn callback_url(bench: &Bench) -> String {
    let account = bench.caller.get(&format!("/v1/accounts/{ACCOUNT}")).await;
    account.body["callbackUrl"].as_str().unwrap().to_owned()
}

/// A bench whose demo account is subscribed to everything, positions of black cards too.
async fn start() -> Bench {
    let bench = Bench::start().await;
    until(&bench, ALL_BY_ITSELF).await;
    let account = format!("/v1/accounts/{ACCOUNT}");
    let company = json!({"settings": {"xhkId": "x"}});
    assert_eq!(bench.caller.send_with(Method::PATCH, &account, &company, &[]).await.status, 200);
    let path = format!("{account}/subscriptions/customer-orders");
    let wish = json!({"states": ["600", "601", "602"]});
    let subscribed = bench.caller.send_with(Method::PUT, &path, &wish, &[]).await;
    assert_eq!(subscribed.status, 200, "{:#}", subscribed.body);
    bench
}

async fn advance(bench: &Bench, number: &str, to: &str) {
    let answer = bench.control().post(&format!("/control/ttms/orders/{number}/advance"), &json!({"to": to})).await;
    assert_eq!(answer.status, 200, "{:#}", answer.body);
    for called in answer.body["calledBack"].as_array().unwrap() {
        assert_eq!((&called["status"], &called["answer"]), (&json!(200), &json!(r#"{"code":200,"message":null}"#)));
    }
}

async fn tell(bench: &Bench, asked: Value) {
    let answer = bench.control().post("/control/ttms/callbacks", &asked).await;
    assert_eq!(answer.status, 200, "{:#}", answer.body);
    assert_eq!(answer.body["items"][0]["answer"], r#"{"code":200,"message":null}"#, "{:#}", answer.body);
}

/// A call that no simulator makes.
async fn call(bench: &Bench, body: &Value) -> Answer {
    let request = Caller::new(String::new(), None).request(Method::POST, &callback_url(bench).await);
    send(request.header("content-type", "application/json").body(body.to_string())).await
}

async fn latest(bench: &Bench) -> Value {
    bench.caller.get("/v1/callbacks?limit=1").await.body["items"][0].clone()
}

async fn read(bench: &Bench, id: &str) -> Value {
    bench.caller.get(&format!("/v1/orders/{id}")).await.body
}

/// Types of an order's events that are about the order, oldest first.
async fn happened(bench: &Bench, id: &str) -> Vec<String> {
    let events = bench.caller.get(&format!("/v1/orders/{id}/events?limit=200")).await;
    let types = events.body["items"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap().to_owned());
    types.filter(|event_type| !event_type.starts_with("submission.")).collect()
}

/// The data of an order's event of this type.
async fn told(bench: &Bench, id: &str, event_type: &str) -> Value {
    let events = bench.caller.get(&format!("/v1/orders/{id}/events?limit=200")).await;
    let found: Vec<_> =
        events.body["items"].as_array().unwrap().iter().filter(|event| event["type"] == event_type).cloned().collect();
    assert_eq!(found.len(), 1, "{event_type}: {:#}", events.body);
    found[0]["data"].clone()
}

fn order_call(number: &str, ours: Option<&str>, fired: u32) -> Value {
    json!({
        "number ": number, "wmsNumber": ours, "state": fired, "subscribeState": fired,
        "messageTimeStamp": crate::harness::wall_clock().timestamp(),
    })
}

#[tokio::test]
async fn an_order_goes_its_way_as_the_provider_tells() {
    let bench = start().await;
    let order = placed(&bench, &transport_order("SO-1")).await;
    for (to, status) in
        [("placed", "requested"), ("confirmed", "confirmed"), ("picked_up", "in_transit"), ("delivered", "completed")]
    {
        advance(&bench, "SO-1", to).await;
        assert_eq!(read(&bench, order.id()).await["status"], status);
    }
    // That it was placed was told by the answer to its creation; the call about it is no news.
    let types = ["order.placed", "order.confirmed", "transport.picked_up", "transport.delivered"];
    assert_eq!(happened(&bench, order.id()).await, types);
    let delivered = told(&bench, order.id(), "transport.delivered").await;
    assert_eq!((&delivered["orderNumber"], &delivered["status"]), (&json!("SO-1"), &json!("completed")));
    assert_eq!(delivered["proofOfDelivery"]["signer"], "xxx");
    assert_eq!(delivered["vehicle"]["licensePlate"], "浙A12345");
    assert_eq!(delivered["raw"]["subscribeState"], 4);
    let tracking = bench.caller.get(&format!("/v1/orders/{}/tracking", order.id())).await;
    // 3TMS tells the second only, so that all of them may have happened in one.
    let milestones = tracking.body["milestones"].as_array().unwrap();
    let signed = milestones.iter().find(|it| it["type"] == "transport.delivered").unwrap();
    assert_eq!((milestones.len(), &signed["proofOfDelivery"]["signer"]), (4, &json!("xxx")));
}

#[tokio::test]
async fn what_comes_twice_or_out_of_order_moves_nothing_back() {
    let bench = start().await;
    let order = placed(&bench, &transport_order("SO-1")).await;
    let faults = json!([{"kind": "callback_disorder", "times": 1}, {"kind": "callback_duplicate"}]);
    bench.faults_of(PROVIDER, faults).await;
    advance(&bench, "SO-1", "delivered").await;
    let order = read(&bench, order.id()).await;
    assert_eq!(order["status"], "completed");
    // The answer to its creation, and one step: all others came too late.
    assert_eq!(order["version"], 3);
    let mut types = happened(&bench, order["id"].as_str().unwrap()).await;
    types.sort();
    let once = ["order.confirmed", "order.placed", "transport.delivered", "transport.picked_up"];
    assert_eq!(types, once);
    let states = bench.database.texts("select state from callbacks order by state").await;
    assert_eq!(states, ["duplicate", "duplicate", "duplicate", "processed", "processed", "processed", "processed"]);
}

/// The provider is faster with its call than with its answer.
#[tokio::test]
async fn a_call_that_overtakes_the_answer_is_not_undone_by_it() {
    let bench = start().await;
    let slow = json!([{"kind": "slow", "endpoint": "create_order", "delayMs": 2500, "times": 1}]);
    bench.faults_of(PROVIDER, slow).await;
    let order = bench.caller.post("/v1/orders", &transport_order("SO-1")).await;
    while held(&bench, "SO-1").is_empty() {
        tokio::task::yield_now().await;
    }
    advance(&bench, "SO-1", "picked_up").await;
    let early = read(&bench, order.id()).await;
    assert_eq!((&early["status"], &early["submission"]["state"]), (&json!("in_transit"), &json!("sending")));
    assert_eq!(early["providerOrderNumber"], held(&bench, "SO-1")[0]["providerOrderNumber"]);
    bench.database.wait_for_state(order.submission(), "accepted").await;
    assert_eq!(read(&bench, order.id()).await["status"], "in_transit");
    // Nor is it told twice that the order was placed.
    let mut types = happened(&bench, order.id()).await;
    types.sort();
    assert_eq!(types, ["order.confirmed", "order.placed", "transport.picked_up"]);
}

/// Nobody has to ask: the provider's call shows that it has the order.
#[tokio::test]
async fn a_call_ends_a_doubt() {
    let bench = start().await;
    let dropped = json!([{"kind": "commit_then_drop", "endpoint": "create_order", "times": 1}]);
    bench.faults_of(PROVIDER, dropped).await;
    let order = bench.caller.post("/v1/orders", &transport_order("SO-1")).await;
    bench.database.wait_for_state(order.submission(), "in_doubt").await;
    advance(&bench, "SO-1", "confirmed").await;
    let order = read(&bench, order.id()).await;
    assert_eq!((&order["status"], &order["submission"]["state"]), (&json!("confirmed"), &json!("accepted")));
    let results = order["submission"]["results"].as_array().unwrap();
    assert!(results.iter().any(|it| it["code"] == "gateway.told_by_callback"), "{results:?}");
    let number = &held(&bench, "SO-1")[0]["providerOrderNumber"];
    assert_eq!((&order["providerOrderNumber"], &order["submission"]["providerOrderNumber"]), (number, number));
    assert_eq!(bench.arrived(PROVIDER, "find_order").map_or(0, |it| it.requests), 0);
    assert_eq!(happened(&bench, order["id"].as_str().unwrap()).await, ["order.placed", "order.confirmed"]);
    // What waited behind it goes.
    let id = order["id"].as_str().unwrap();
    assert_eq!(cancel(&bench, id).await.body["status"], "cancelled");
}

#[tokio::test]
async fn a_cancellation_in_doubt_is_ended_by_the_call_about_it() {
    let bench = start().await;
    let order = placed(&bench, &transport_order("SO-1")).await;
    advance(&bench, "SO-1", "placed").await;
    let dropped = json!([{"kind": "commit_then_drop", "endpoint": "cancel_orders", "times": 1}]);
    bench.faults_of(PROVIDER, dropped).await;
    // The call was made with the cancellation; it may end the doubt at once, or have come before it, and comes again.
    let mut watch = bench.database.watch().await;
    let cancelled = bench.caller.post(&format!("/v1/orders/{}/cancel", order.id()), &Value::Null).await;
    watch.until(cancelled.submission(), "in_doubt").await;
    tell(
        &bench,
        json!({"state": 0, "number": held(&bench, "SO-1")[0]["providerOrderNumber"], "members": {"remark": "again"}}),
    )
    .await;
    bench.database.wait_for_state(cancelled.submission(), "accepted").await;
    assert_eq!(read(&bench, order.id()).await["status"], "cancelled");
    let types = happened(&bench, order.id()).await;
    assert_eq!(types.iter().filter(|it| *it == "order.cancelled").count(), 1, "{types:?}");
}

/// By answer and by call.
#[tokio::test]
async fn an_order_that_the_gateway_cancels_is_cancelled_once() {
    let bench = start().await;
    for number in ["SO-1", "SO-2", "SO-3"] {
        let order = placed(&bench, &transport_order(number)).await;
        advance(&bench, number, "placed").await;
        assert_eq!(cancel(&bench, order.id()).await.body["status"], "cancelled");
    }
    let all = "select count(*) = 6 from callbacks where state = 'processed'";
    bench.database.wait_until(PATIENCE, all).await;
    assert_eq!(bench.database.count("select count(*) from events where type = 'order.cancelled'").await, 3);
}

#[tokio::test]
async fn a_call_about_an_order_that_is_not_known_waits_for_it() {
    let bench = Bench::start().await;
    let answer = call(&bench, &order_call("T-1", Some("SO-1"), 3)).await;
    assert_eq!(answer.body, json!({"code": 200, "message": null}));
    let waiting = latest(&bench).await;
    assert_eq!((&waiting["state"], &waiting["reason"]["code"]), (&json!("waiting"), &json!("callback.unknown_order")));
    let path = format!("/v1/callbacks/{}", waiting["id"].as_str().unwrap());
    let awaited = bench.caller.get(&path).await.body["awaitedOrders"].clone();
    assert_eq!(awaited, json!([{"orderNumber": "SO-1", "providerOrderNumber": "T-1"}]));
    assert_eq!(bench.database.count("select count(*) from events").await, 0);

    let adopted = json!({"account": ACCOUNT, "orderNumber": "SO-1"});
    let adopted = bench.caller.post("/v1/orders/adopt", &adopted).await;
    bench.database.wait_until(PATIENCE, "select exists (select from callbacks where state = 'processed')").await;
    let order = read(&bench, adopted.id()).await;
    assert_eq!((&order["status"], &order["providerOrderNumber"]), (&json!("in_transit"), &json!("T-1")));
    assert_eq!(happened(&bench, adopted.id()).await, ["transport.picked_up"]);
    assert_eq!(bench.caller.get(&path).await.body["awaitedOrders"], json!([]));
}

/// Also once its number at the provider is told later.
#[tokio::test]
async fn a_call_that_has_the_providers_number_only_waits_for_that() {
    let bench = Bench::start().await;
    let adopted = json!({"account": ACCOUNT, "orderNumber": "SO-1"});
    let order = bench.caller.post("/v1/orders/adopt", &adopted).await;
    call(&bench, &json!({"orderNumbers": ["T-1"], "printType": "运单打印"})).await;
    assert_eq!(latest(&bench).await["state"], "waiting");
    // An hour later nobody looks every second any more, and the number wakes it all the same.
    bench.database.advance(Duration::from_secs(3600)).await;
    bench.database.wait_until(PATIENCE, "select due_at > onelane_now() + interval '10 minutes' from callbacks").await;
    let numbered = json!({"account": ACCOUNT, "orderNumber": "SO-1", "providerOrderNumber": "T-1"});
    assert_eq!(bench.caller.post("/v1/orders/adopt", &numbered).await.status, 200);
    bench.database.wait_until(PATIENCE, "select exists (select from callbacks where state = 'processed')").await;
    assert_eq!(happened(&bench, order.id()).await, ["document.waybill_printed"]);
}

#[tokio::test]
async fn of_a_call_about_several_orders_each_is_told_as_soon_as_it_is_known() {
    let bench = Bench::start().await;
    let adopt = async |number: &str, theirs: &str| {
        let body = json!({"account": ACCOUNT, "orderNumber": number, "providerOrderNumber": theirs});
        bench.caller.post("/v1/orders/adopt", &body).await
    };
    let first = adopt("SO-1", "T-1").await;
    let prints = json!({"orderNumbers": ["T-1", "T-2"], "printType": "运单标签打印"});
    call(&bench, &prints).await;
    let waiting = latest(&bench).await;
    assert_eq!((&waiting["state"], &waiting["events"][0]["orderId"]), (&json!("waiting"), &first.body["id"]));
    // The same again waits, too, and tells nothing twice.
    call(&bench, &prints).await;
    let second = adopt("SO-2", "T-2").await;
    bench.database.wait_until(PATIENCE, "select count(*) = 0 from callbacks where state = 'waiting'").await;
    for order in [first, second] {
        assert_eq!(happened(&bench, order.id()).await, ["document.label_printed"]);
    }
    let states = bench.database.texts("select state from callbacks order by state").await;
    assert!(states.contains(&"processed".to_owned()), "{states:?}");
}

#[tokio::test]
async fn a_call_about_an_order_that_never_comes_is_given_up() {
    let bench = Bench::start().await;
    call(&bench, &order_call("T-1", Some("SO-1"), 3)).await;
    bench.database.advance(Duration::from_secs(8 * 24 * 3600)).await;
    bench.database.wait_until(PATIENCE, "select exists (select from callbacks where state = 'ignored')").await;
    let ignored = latest(&bench).await;
    assert_eq!(ignored["reason"]["code"], "callback.order_never_came");
    // A person may still have it matched.
    let adopted = bench.caller.post("/v1/orders/adopt", &json!({"account": ACCOUNT, "orderNumber": "SO-1"})).await;
    let path = format!("/v1/callbacks/{}/reprocess", ignored["id"].as_str().unwrap());
    assert_eq!(bench.caller.post(&path, &Value::Null).await.body["state"], "processed");
    assert_eq!(happened(&bench, adopted.id()).await, ["transport.picked_up"]);
}

/// What bears our number at the provider may be somebody else's.
#[tokio::test]
async fn an_order_that_the_provider_never_took_is_not_meant() {
    let bench = start().await;
    let rejected =
        json!([{"kind": "answer_code", "endpoint": "create_order", "code": "订单号 SO-1已存在", "times": 1}]);
    bench.faults_of(PROVIDER, rejected).await;
    let order = bench.caller.place(&transport_order("SO-1")).await;
    assert_eq!(order.body["status"], "rejected", "{:#}", order.body);
    call(&bench, &order_call("T-9", Some("SO-1"), 2)).await;
    assert_eq!(latest(&bench).await["state"], "waiting");
    assert_eq!(read(&bench, order.id()).await["status"], "rejected");
    // Nor is one that has another number there.
    let other = placed(&bench, &transport_order("SO-2")).await;
    call(&bench, &order_call("T-10", Some("SO-2"), 2)).await;
    assert_eq!(latest(&bench).await["state"], "waiting");
    assert_eq!(read(&bench, other.id()).await["status"], "requested");
    assert_eq!(bench.database.count("select count(*) from events where type = 'order.confirmed'").await, 0);
}

/// Asked, the provider tells the truth; but a cancelled order does not come back.
#[tokio::test]
async fn a_live_answer_corrects_what_was_told() {
    let bench = start().await;
    for (number, fired, told, found) in [("SO-1", 4, "completed", "confirmed"), ("SO-2", 0, "cancelled", "cancelled")] {
        let order = placed(&bench, &transport_order(number)).await;
        advance(&bench, number, "confirmed").await;
        let theirs = held(&bench, number)[0]["providerOrderNumber"].as_str().unwrap().to_owned();
        call(&bench, &order_call(&theirs, Some(number), fired)).await;
        assert_eq!(read(&bench, order.id()).await["status"], told);
        let path = format!("/v1/orders/{}/tracking?refresh=true", order.id());
        assert_eq!(bench.caller.get(&path).await.body["status"], found);
    }
}

#[tokio::test]
async fn trips_exceptions_and_reassignments_are_told_of_their_orders() {
    let bench = start().await;
    let orders: Vec<Value> = ["SO-1", "SO-2"]
        .iter()
        .map(|number| {
            let mut order = transport_order(number);
            order.as_object_mut().unwrap().remove("account");
            order
        })
        .collect();
    let trip = json!({"account": ACCOUNT, "orders": orders, "driver": {"phone": "+8613812345678"}});
    let headers = [("idempotency-key", "k"), ("prefer", "wait=30")];
    let made = bench.caller.post_with("/v1/trips", &trip, &headers).await;
    assert_eq!(made.body["submission"]["state"], "accepted", "{:#}", made.body);
    bench.database.wait_until(PATIENCE, "select count(*) = 2 from events where type = 'trip.assigned'").await;
    let pack = made.body["providerTripNumber"].clone();
    for id in made.body["orderIds"].as_array().unwrap() {
        let id = id.as_str().unwrap();
        assert_eq!(read(&bench, id).await["status"], "confirmed");
        let assigned = told(&bench, id, "trip.assigned").await;
        assert_eq!((&assigned["trip"]["number"], &assigned["trip"]["orderNumbers"]), (&pack, &json!(["SO-1", "SO-2"])));
    }
    let id = made.body["orderIds"][0].as_str().unwrap();
    let number = read(&bench, id).await["providerOrderNumber"].clone();
    tell(&bench, json!({"state": 40_001, "number": pack})).await;
    tell(&bench, json!({"state": 19_000, "number": pack})).await;
    tell(&bench, json!({"state": 8002, "number": number})).await;
    tell(&bench, json!({"state": 210, "number": number, "members": {"driver": "另一司机"}})).await;
    assert_eq!(told(&bench, id, "trip.cancelled").await["trip"]["number"], pack);
    assert_eq!(told(&bench, id, "transport.exception").await["exception"]["stage"], "loading");
    assert_eq!(told(&bench, id, "order.reassigned").await["driver"]["name"], "另一司机");
    assert_eq!(read(&bench, id).await["status"], "confirmed");
}

#[tokio::test]
async fn acceptance_orders_are_told_of_by_their_own_numbers() {
    let bench = start().await;
    let order = placed(&bench, &customer_order("C-1")).await;
    let number = order.body["providerOrderNumber"].as_str().unwrap();
    advance(&bench, number, "picked_up").await;
    assert_eq!(read(&bench, order.id()).await["status"], "in_transit");
    tell(&bench, json!({"state": 601, "number": number, "members": {"isFinished": false}})).await;
    tell(&bench, json!({"state": 602, "number": number})).await;
    advance(&bench, number, "delivered").await;
    let order = read(&bench, order.id()).await;
    assert_eq!(order["status"], "completed");
    let id = order["id"].as_str().unwrap();
    let mut types = happened(&bench, id).await;
    types.retain(|it| it != "order.placed");
    types.sort();
    let expected = [
        "position.updated",
        "transport.delivered",
        "transport.leg_delivered",
        "transport.tracking_note",
        "transport.tracking_note",
    ];
    assert_eq!(types, expected);
    let position = told(&bench, id, "position.updated").await;
    assert_eq!(position["position"]["latitude"].to_string(), "22.5739258");
}

#[tokio::test]
async fn what_is_not_understood_is_refused_in_the_providers_form_and_kept() {
    let bench = Bench::start().await;
    for (body, code) in [
        (json!({"number": "T-1", "subscribeState": 9}), "callback.unknown_state"),
        (json!({"hello": "world"}), "callback.unparsable"),
    ] {
        let answer = call(&bench, &body).await;
        assert_eq!((answer.status, &answer.body["status"]), (200, &json!(500)), "{:#}", answer.body);
        let callback = latest(&bench).await;
        assert_eq!((&callback["state"], &callback["reason"]["code"]), (&json!("quarantined"), &json!(code)));
        assert_eq!(answer.body["message"], callback["reason"]["detailZh"]);
    }
}
