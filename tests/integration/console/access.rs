//! What a key may not see or do, the console does not show or do for it.

use serde_json::json;

use super::{Browser, refused, signed_in};
use crate::harness::{Bench, order};

/// The browser of somebody with a key of these scopes, limited to these accounts.
pub async fn with_key(bench: &Bench, scopes: &[&str], accounts: Option<&[&str]>) -> Browser {
    let mut body = json!({"name": "limited", "scopes": scopes});
    if let Some(accounts) = accounts {
        body["accounts"] = json!(accounts);
    }
    let created = bench.caller.post("/v1/api-keys", &body).await;
    let browser = Browser::new(&bench.base_url);
    assert_eq!(browser.sign_in(created.body["key"].as_str().unwrap(), None).await.status, 303);
    browser
}

#[tokio::test]
async fn orders_of_other_accounts_are_not_there() {
    let bench = Bench::start().await;
    let order = bench.caller.place(&order("SO-HIDDEN-1")).await;
    let (id, submission) = (order.id(), order.submission());
    let browser = with_key(&bench, &["orders:read", "orders:write"], Some(&["ttms-demo"])).await;
    let list = browser.get("/console/orders").await;
    assert_eq!(list.status, 200);
    list.lacks("SO-HIDDEN-1").lacks("otms-demo");
    browser.get("/console/submissions").await.lacks("otms-demo");
    browser.get("/console").await.lacks("otms-demo");
    let provider_number = order.body["providerOrderNumber"].as_str().unwrap();
    for number in ["SO-HIDDEN-1", provider_number, id, &submission.to_string()] {
        let found = browser.get(&format!("/console/orders?q={number}")).await;
        assert_eq!(found.status, 200, "{number}");
        found.shows("No order has the number");
    }
    for path in [
        format!("/console/orders/{id}"),
        format!("/console/orders/{id}/cancel"),
        format!("/console/submissions/{submission}"),
        format!("/console/submissions/{submission}/resolve"),
        format!("/console/submissions/{submission}/attempts/1/request"),
    ] {
        let answer = browser.get(&path).await;
        assert_eq!(answer.status, 404, "{path}");
        answer.lacks("SO-HIDDEN-1");
    }
    let numbers = browser.get("/console/overview/numbers").await.text;
    let numbers: serde_json::Value = serde_json::from_str(&numbers).unwrap();
    assert!(numbers["minutes"]["received"].as_array().unwrap().iter().all(|number| number == 0));
    assert_eq!(browser.act(&format!("/console/submissions/{submission}/retry"), &[]).await.status, 404);
}

#[tokio::test]
async fn who_may_only_read_is_offered_nothing_else_and_refused() {
    let (bench, admin) = signed_in().await;
    let rejected = bench.caller.place(&refused("SO-1")).await;
    let open = bench.caller.place(&order("SO-2")).await;
    let (rejected_page, open_page) =
        (format!("/console/orders/{}", rejected.id()), format!("/console/orders/{}", open.id()));
    admin.get(&rejected_page).await.shows("/retry\"");
    admin.get(&open_page).await.shows("/cancel\"");
    let reader = with_key(&bench, &["orders:read"], None).await;
    reader.get(&rejected_page).await.lacks("/retry\"");
    reader.get(&open_page).await.lacks("/cancel\"");
    let answer = reader.act(&format!("/console/submissions/{}/retry", rejected.submission()), &[]).await;
    assert_eq!(answer.status, 403);
    answer.shows("Your key may not do this").shows("orders:write");
    let key = uuid::Uuid::now_v7().to_string();
    let cancel = format!("/console/orders/{}/cancel", open.id());
    assert_eq!(reader.act(&cancel, &[("version", "2"), ("key", &key)]).await.status, 403);
    assert_eq!(bench.caller.get(&format!("/v1/orders/{}", open.id())).await.body["status"], "requested");
}

#[tokio::test]
async fn lanes_are_for_administrators() {
    let (bench, admin) = signed_in().await;
    bench.caller.place(&order("SO-1")).await;
    let lanes = admin.get("/console/lanes").await;
    assert_eq!(lanes.status, 200);
    lanes.shows("otms-demo").shows("40 per second");
    let reader = with_key(&bench, &["orders:read"], None).await;
    let answer = reader.get("/console/lanes").await;
    assert_eq!(answer.status, 403);
    reader.get("/console/orders").await.lacks("href=\"/console/lanes\"");
    let limited = with_key(&bench, &["admin"], Some(&["ttms-demo"])).await;
    limited.get("/console/lanes").await.lacks("otms-demo");
    let writer = with_key(&bench, &["orders:write"], None).await;
    for path in ["/console", "/console/orders", "/console/orders?q=SO-1", "/console/submissions"] {
        assert_eq!(writer.get(path).await.status, 403, "{path}");
    }
}
