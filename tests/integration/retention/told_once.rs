//! What was told stays told after its event went.

use reqwest::Method;
use serde_json::{Value, json};

use super::{DAY, Resting};
use crate::harness::{Answer, Bench, Caller, order, send, wall_clock};

const ACCOUNT: &str = "ttms-demo";

/// A bench whose provider makes no calls by itself, with an order that it holds.
async fn placed() -> (Bench, Answer) {
    let bench = Bench::start().await;
    let mut document = order("SO-1");
    document["account"] = json!(ACCOUNT);
    let placed = bench.caller.place(&document).await;
    assert_eq!(placed.body["submission"]["state"], "accepted", "{:#}", placed.body);
    (bench, placed)
}

/// A call of the provider that its order came to a state, made at an instant.
async fn call(bench: &Bench, order: &Answer, state: u32, made_at: i64) {
    let account = bench.caller.get(&format!("/v1/accounts/{ACCOUNT}")).await;
    let url = account.body["callbackUrl"].as_str().unwrap();
    let (_, path) = url.split_once("/callbacks/").unwrap();
    let body = json!({
        "number": order.body["providerOrderNumber"], "wmsNumber": "SO-1", "state": state, "subscribeState": state,
        "messageTimeStamp": made_at,
    });
    let request = Caller::new(bench.base_url.clone(), None).request(Method::POST, &format!("/callbacks/{path}"));
    let answer = send(request.header("content-type", "application/json").body(body.to_string())).await;
    assert_eq!(answer.body, json!({"code": 200, "message": null}));
}

async fn events(bench: &Bench) -> Vec<String> {
    let events =
        "select type from events where starts_with(type, 'order.') or starts_with(type, 'transport.') order by 1";
    bench.database.texts(events).await
}

/// The ledger so long after, without the events, and served again.
async fn much_later(bench: Bench, days: u32) -> Bench {
    let ledger = Resting::of(bench).await;
    ledger.advance(DAY * days).await;
    ledger.sweep().await;
    let bench = ledger.serve().await;
    assert_eq!(events(&bench).await, Vec::<String>::new());
    bench
}

async fn states(bench: &Bench) -> Vec<String> {
    bench.database.texts("select state from callbacks order by received_at").await
}

#[tokio::test]
async fn a_call_that_comes_again_after_its_event_and_itself_went_is_a_duplicate() {
    let (bench, order) = placed().await;
    let made_at = wall_clock().timestamp();
    call(&bench, &order, 3, made_at).await;
    let bench = much_later(bench, 91).await;
    call(&bench, &order, 3, made_at).await;
    assert_eq!(events(&bench).await, Vec::<String>::new());
    assert_eq!(states(&bench).await, ["processed", "duplicate"]);
    let bench = much_later(bench, 366).await;
    assert_eq!(states(&bench).await, Vec::<String>::new());
    call(&bench, &order, 3, made_at).await;
    assert_eq!((events(&bench).await, states(&bench).await), (vec![], vec!["duplicate".to_owned()]));
}

#[tokio::test]
async fn that_an_order_was_placed_or_cancelled_is_told_once_in_all_its_life() {
    let (bench, order) = placed().await;
    let made_at = wall_clock().timestamp();
    call(&bench, &order, 0, made_at).await;
    assert_eq!(events(&bench).await, ["order.cancelled", "order.placed"]);
    // Even what is known of the first calls has gone.
    let bench = much_later(bench, 731).await;
    assert_eq!(bench.database.count("select count(*) from happenings").await, 0);
    for state in [1, 0] {
        call(&bench, &order, state, made_at + 1).await;
    }
    assert_eq!(events(&bench).await, Vec::<String>::new());
    assert_eq!(states(&bench).await, ["processed", "processed"], "they were understood");
}

#[tokio::test]
async fn an_answer_that_comes_after_the_event_of_the_provider_went_does_not_tell_it_again() {
    let (bench, order) = placed().await;
    call(&bench, &order, 1, wall_clock().timestamp()).await;
    let bench = much_later(bench, 91).await;
    // As after a long doubt that a person ends.
    sqlx::query("update submissions set state = 'in_doubt', ready = false, finished_at = null")
        .execute(&mut bench.database.connection().await)
        .await
        .unwrap();
    let resolution = json!({"state": "accepted", "reason": "seen there"});
    let path = format!("/v1/submissions/{}/resolve", order.submission());
    let resolved = bench.caller.post(&path, &resolution).await;
    assert_eq!(resolved.body["state"], "accepted", "{:#}", resolved.body);
    assert_eq!(events(&bench).await, Vec::<String>::new());
}

#[tokio::test]
async fn what_the_provider_says_when_it_is_asked_is_no_news() {
    let (bench, order) = placed().await;
    let advance = format!("/control/ttms/orders/{}/advance", order.body["providerOrderNumber"].as_str().unwrap());
    assert_eq!(bench.control().post(&advance, &json!({"to": "delivered"})).await.status, 200);
    let tracking = format!("/v1/orders/{}/tracking", order.id());
    let refresh = format!("{tracking}?refresh=true");
    let asked = bench.caller.get(&refresh).await;
    assert_eq!((asked.status, &asked.body["status"]), (200, &json!("completed")), "{:#}", asked.body);
    let before = types(&asked.body);
    assert!(before.contains(&"transport.delivered".to_owned()), "{before:?}");

    let bench = much_later(bench, 91).await;
    let asked = bench.caller.get(&refresh).await;
    assert_eq!(asked.status, 200, "{:#}", asked.body);
    assert_eq!(types(&asked.body), before);
    assert_eq!(events(&bench).await, Vec::<String>::new());
}

fn types(tracking: &Value) -> Vec<String> {
    let mut types: Vec<String> = tracking["milestones"]
        .as_array()
        .unwrap()
        .iter()
        .map(|milestone| milestone["type"].as_str().unwrap().to_owned())
        .collect();
    types.sort();
    types.dedup();
    types
}
