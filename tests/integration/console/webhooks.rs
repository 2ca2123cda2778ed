//! Webhook endpoints: what was delivered, delivering again, and letting an endpoint go on.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use super::signed_in;
use crate::harness::{Receiver, Reply};

const PATIENCE: Duration = Duration::from_secs(30);
const SETTLED: &str = "select not exists (select from webhook_deliveries where lease_until is not null)
    and exists (select from webhook_deliveries where attempts > 0)";

#[tokio::test]
async fn a_delivery_that_failed_is_delivered_again() {
    let (bench, browser) = signed_in().await;
    browser.get("/console/webhooks").await.shows("No webhook endpoints");
    let mut receiver = Receiver::start().await;
    let wanted = json!({"url": receiver.url, "types": ["account.paused"], "description": "The <b>ERP</b>"});
    let created = bench.caller.post("/v1/webhook-endpoints", &wanted).await;
    let path = format!("/console/webhooks/{}", created.id());
    receiver.answer_next([Reply::Status(500)]);
    bench.pause().await;
    let first = receiver.next().await;
    bench.database.wait_until(PATIENCE, SETTLED).await;
    browser.get("/console/webhooks").await.shows(&format!("href=\"{path}\"")).shows("Failing").lacks("<b>ERP");
    browser.get("/console").await.shows("endpoints that get nothing now");
    let page = browser.get(&path).await;
    page.shows("HTTP 500").shows("the endpoint answered 500").shows("Account paused").lacks("<b>ERP").lacks("whsec_");
    browser.get(&format!("{path}?state=dead")).await.shows("None is in this state");

    let answer = browser.act(&format!("{path}/deliveries/{}/redeliver", first.id()), &[]).await;
    assert_eq!((answer.status, answer.location()), (303, path.as_str()));
    assert_eq!(receiver.next().await.id(), first.id());
    let delivered = "select exists (select from webhook_deliveries where state = 'delivered')";
    bench.database.wait_until(PATIENCE, delivered).await;
    browser.get(&path).await.shows("on its way once more").shows("HTTP 200").shows("Works");
    browser.get("/console").await.shows("every endpoint answers");
    let log = bench.caller.get("/v1/audit-log").await.body;
    assert_eq!(log["items"][0]["action"], "webhook_delivery.redeliver");
}

#[tokio::test]
async fn a_disabled_endpoint_is_enabled_again() {
    let (bench, browser) = signed_in().await;
    let mut receiver = Receiver::start().await;
    let wanted = json!({"url": receiver.url, "types": ["account.paused"]});
    let created = bench.caller.post("/v1/webhook-endpoints", &wanted).await;
    let api = format!("/v1/webhook-endpoints/{}", created.id());
    let path = format!("/console/webhooks/{}", created.id());
    browser.get(&path).await.lacks("/enable\"");
    bench.caller.send_with(Method::PATCH, &api, &json!({"enabled": false}), &[]).await;
    bench.pause().await;
    // The event has its delivery once it has its place in the feed.
    bench.database.wait_until(PATIENCE, "select exists (select from webhook_deliveries)").await;
    browser.get("/console/webhooks").await.shows("Disabled");
    let page = browser.get(&path).await;
    page.shows("disabled by an administrator")
        .shows("Held back")
        .shows(&format!("action=\"{path}/enable\""))
        .lacks("/redeliver\"");
    assert!(receiver.came().is_empty());
    let answer = browser.act(&format!("{path}/enable"), &[]).await;
    assert_eq!((answer.status, answer.location()), (303, path.as_str()));
    assert_eq!(receiver.next().await.event()["type"], "account.paused");
    browser.get(&path).await.shows("The endpoint is enabled").lacks("/enable\"");
}

#[tokio::test]
async fn endpoints_of_other_accounts_are_not_there() {
    let (bench, _) = signed_in().await;
    let receiver = Receiver::start().await;
    let wanted = json!({"url": receiver.url, "accounts": ["otms-demo"]});
    let created = bench.caller.post("/v1/webhook-endpoints", &wanted).await;
    let path = format!("/console/webhooks/{}", created.id());
    let other = super::access::with_key(&bench, &["admin", "orders:read"], Some(&["ttms-demo"])).await;
    other.get("/console/webhooks").await.shows("No webhook endpoints");
    assert_eq!(other.get(&path).await.status, 404);
    assert_eq!(other.act(&format!("{path}/enable"), &[]).await.status, 404);
    let reader = super::access::with_key(&bench, &["orders:read"], None).await;
    assert_eq!((reader.get("/console/webhooks").await.status, reader.get(&path).await.status), (403, 403));
}
