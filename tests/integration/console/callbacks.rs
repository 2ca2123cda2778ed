//! Quarantine: what providers called, why it was not taken, and processing it again.

use reqwest::Method;
use serde_json::json;

use super::signed_in;
use crate::callbacks::{confirmation, deliver};
use crate::harness::{Bench, Caller, send};

async fn post(bench: &Bench, account: &str, body: &str) {
    let account = bench.caller.get(&format!("/v1/accounts/{account}")).await;
    let url = account.body["callbackUrl"].as_str().unwrap().to_owned();
    let caller = Caller::new(String::new(), None);
    send(caller.request(Method::POST, &url).header("content-type", "application/json").body(body.to_owned())).await;
}

async fn latest(bench: &Bench) -> String {
    let list = bench.caller.get("/v1/callbacks?limit=1").await;
    list.body["items"][0]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_quarantined_is_shown_with_its_reason_and_processed_again() {
    let (bench, browser) = signed_in().await;
    browser.get("/console/callbacks?state=quarantined").await.shows("Nothing is in quarantine");
    deliver(&confirmation(&bench, json!({"signature": "wrong"}))).await;
    let id = latest(&bench).await;
    let path = format!("/console/callbacks/{id}");
    browser.get("/console/callbacks?state=quarantined").await.shows(&format!("href=\"{path}\"")).shows("hongxun-demo");
    browser.get("/console/callbacks?state=processed").await.shows("None matches these filters");
    browser.get("/console").await.shows("callbacks for a person to look at");
    let known = bench.caller.get(&format!("/v1/callbacks/{id}")).await.body;
    let escaped = |text: &str| text.replace('&', "&#38;").replace('"', "&#34;").replace('\'', "&#39;");
    let page = browser.get(&path).await;
    // Both languages, whichever the page speaks.
    for language in ["detail", "detailZh"] {
        page.shows(&escaped(known["reason"][language].as_str().unwrap()));
    }
    page.shows("callback.wrong_signature").shows("customerNumber").shows("RK-1");
    let body = browser.get(&format!("{path}/body")).await;
    assert_eq!(body.text, known["body"]["content"].as_str().unwrap());

    let reprocess = format!("{path}/reprocess");
    let answer = browser.act(&reprocess, &[]).await;
    assert_eq!((answer.status, answer.location()), (303, path.as_str()));
    browser.get(&path).await.shows("still in quarantine");
    // Its cause is put right.
    let change = json!({"settings": {"verify": "warn"}});
    let changed = bench.caller.send_with(Method::PATCH, "/v1/accounts/hongxun-demo", &change, &[]).await;
    assert_eq!(changed.status, 200, "{:#}", changed.body);
    assert_eq!(browser.act(&reprocess, &[]).await.status, 303);
    browser.get(&path).await.shows("It was processed again").lacks("badge bad");
    browser.get("/console").await.shows("every callback was read");
    let log = bench.caller.get("/v1/audit-log").await.body;
    assert_eq!(log["items"][0]["action"], "callback.reprocess");
}

#[tokio::test]
async fn what_providers_send_is_text_and_nothing_else() {
    let (bench, browser) = signed_in().await;
    post(&bench, "hongxun-demo", "<script>alert(1)</script><img src=x onerror=y>").await;
    let path = format!("/console/callbacks/{}", latest(&bench).await);
    for page in ["/console/callbacks".to_owned(), path] {
        browser.get(&page).await.lacks("<script>alert").lacks("<img");
    }
}

#[tokio::test]
async fn callbacks_are_for_administrators_of_their_account() {
    let (bench, _) = signed_in().await;
    deliver(&confirmation(&bench, json!({"signature": "wrong"}))).await;
    let id = latest(&bench).await;
    let reader = super::access::with_key(&bench, &["orders:read"], None).await;
    assert_eq!(reader.get("/console/callbacks").await.status, 403);
    reader.get("/console").await.lacks("/console/callbacks").lacks("Quarantine");
    reader
        .get("/console/orders")
        .await
        .lacks("/console/callbacks")
        .lacks("/console/webhooks")
        .lacks("href=\"/console/accounts");
    let other = super::access::with_key(&bench, &["admin", "orders:read"], Some(&["otms-demo"])).await;
    other.get("/console/callbacks").await.lacks("hongxun-demo");
    other.get("/console").await.shows("every callback was read");
    assert_eq!(other.get(&format!("/console/callbacks/{id}")).await.status, 404);
    assert_eq!(other.act(&format!("/console/callbacks/{id}/reprocess"), &[]).await.status, 404);
    assert_eq!(other.get("/console/callbacks/none").await.status, 404);
}
