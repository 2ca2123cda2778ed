//! What people do: retry, decide, cancel.

use serde_json::json;

use super::{put_in_doubt, refused, signed_in};
use crate::harness::order;

#[tokio::test]
async fn a_rejected_submission_is_retried() {
    let (bench, browser) = signed_in().await;
    let order = bench.caller.place(&refused("SO-1")).await;
    bench.pause().await;
    let page = browser.get(&format!("/console/orders/{}", order.id())).await;
    let path = format!("/console/submissions/{}/retry", order.submission());
    page.shows(&format!("action=\"{path}\""));
    let answer = browser.post(&path, &[("token", &page.hidden("token"))]).await;
    assert_eq!(answer.status, 303);
    assert_eq!(answer.location(), format!("/console/orders/{}#submission-{}", order.id(), order.submission()));
    let page = browser.get(&format!("/console/orders/{}", order.id())).await;
    page.shows("Back in the queue").shows("Account paused").lacks(&format!("action=\"{path}\""));
    // It is told once.
    browser.get(&format!("/console/orders/{}", order.id())).await.lacks("Back in the queue");
    // What was done meanwhile is no error of ours: the page says what stands in the way.
    let answer = browser.act(&path, &[]).await;
    assert_eq!(answer.status, 409);
    answer.shows("Its state does not allow this").shows("The submission is queued");
    let log = bench.caller.get("/v1/audit-log").await.body;
    assert_eq!(
        (&log["items"][0]["action"], &log["items"][1]["action"]),
        (&json!("submission.retry"), &json!("account.pause"))
    );
}

#[tokio::test]
async fn a_doubt_is_decided() {
    let (bench, browser) = signed_in().await;
    bench.pause().await;
    let order = bench.caller.post("/v1/orders", &order("SO-1")).await;
    put_in_doubt(&bench, order.submission()).await;
    let path = format!("/console/submissions/{}/resolve", order.submission());
    browser.get(&format!("/console/orders/{}", order.id())).await.shows(&format!("href=\"{path}\""));
    browser.get("/console").await.shows("1 for a person to decide");
    // Which order it is about is said where it is decided.
    browser.get(&path).await.shows("<strong>SO-1</strong>");
    // What is missing is said, and what was written stays.
    let answer =
        browser.act(&path, &[("state", "accepted"), ("provider_order_number", "OT-77"), ("reason", " ")]).await;
    assert_eq!(answer.status, 422);
    answer.shows("/reason").shows("value=\"OT-77\"").shows("value=\"accepted\" required checked");
    let fields = [("state", "accepted"), ("provider_order_number", "OT-77"), ("reason", "Seen in the <portal>")];
    let answer = browser.act(&path, &fields).await;
    assert_eq!(answer.status, 303, "{}", answer.text);
    browser.get(&format!("/console/orders/{}", order.id())).await.shows("Your decision is recorded").shows("OT-77");
    let submission = bench.caller.get(&format!("/v1/submissions/{}", order.submission())).await.body;
    assert_eq!((&submission["state"], &submission["providerOrderNumber"]), (&json!("accepted"), &json!("OT-77")));
    let log = bench.caller.get("/v1/audit-log").await.body;
    assert_eq!(log["items"][0]["details"]["reason"], "Seen in the <portal>");
    assert_eq!(browser.act(&path, &fields).await.status, 409);
}

#[tokio::test]
async fn an_order_is_cancelled_after_a_second_question() {
    let (bench, browser) = signed_in().await;
    bench.pause().await;
    let order = bench.caller.post("/v1/orders", &order("SO-1")).await;
    let path = format!("/console/orders/{}/cancel", order.id());
    browser.get(&format!("/console/orders/{}", order.id())).await.shows(&format!("href=\"{path}\""));
    let asked = browser.get(&path).await;
    asked.shows("Cancel order SO-1?");
    let fields = ["token", "version", "key"].map(|name| (name, asked.hidden(name)));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    // Somebody changed it after the question was put.
    let changed = json!({"remarks": "changed"});
    bench.caller.send_with(reqwest::Method::PATCH, &format!("/v1/orders/{}", order.id()), &changed, &[]).await;
    let version = bench.caller.get(&format!("/v1/orders/{}", order.id())).await.body["version"].as_i64().unwrap();
    let seen: i64 = asked.hidden("version").parse().unwrap();
    if version != seen {
        assert_eq!(browser.post(&path, &fields).await.status, 412);
    }
    let asked = browser.get(&path).await;
    let fields = ["token", "version", "key"].map(|name| (name, asked.hidden(name)));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = browser.post(&path, &fields).await;
    assert_eq!((answer.status, answer.location()), (303, format!("/console/orders/{}", order.id()).as_str()));
    // Sent twice, it acts once.
    assert_eq!(browser.post(&path, &fields).await.status, 303);
    browser.get(answer.location()).await.shows("It had not gone out").lacks(&format!("href=\"{path}\""));
    assert_eq!(bench.caller.get(&format!("/v1/orders/{}", order.id())).await.body["status"], "cancelled");
}

#[tokio::test]
async fn what_cannot_be_cancelled_says_why() {
    let (bench, browser) = signed_in().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    let path = format!("/console/orders/{}/cancel", placed.id());
    let asked = browser.get(&path).await;
    let fields = ["token", "version", "key"].map(|name| (name, asked.hidden(name)));
    let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = browser.post(&path, &fields).await;
    assert_eq!(answer.status, 422);
    answer.shows("This cannot be done").shows("Request id");
}
