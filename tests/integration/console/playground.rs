//! The translation playground, without scripts.

use serde_json::json;

use super::signed_in;
use crate::harness::order;

#[tokio::test]
async fn the_example_is_translated_at_once_and_its_members_lead_to_each_other() {
    let (bench, browser) = signed_in().await;
    let page = browser.get("/console/playground?account=otms-demo").await;
    assert_eq!(page.status, 200);
    // Each end leads to the other one.
    page.shows("id=\"from-0\" href=\"#to-0\"").shows("id=\"to-0\" href=\"#from-0\"");
    page.shows("<code>/shipFrom/address/region</code>").shows("<code>shipFrom/province</code>").shows("SO-EXAMPLE-1");
    let page = browser.get("/console/playground?account=ttms-demo").await;
    page.shows("orderList[0].orderNumber").shows("Not sent").shows("class=\"dropped\"");
    assert_eq!(bench.database.count("select count(*) from orders").await, 0);
    // What the account's provider can do is chosen, and what it cannot is not offered.
    browser
        .get("/console/playground?account=ile-demo")
        .await
        .shows("value=\"amend\" selected")
        .lacks("value=\"create\"");
    browser.get("/console/playground?account=hongxun-demo").await.shows("takes no orders");
}

#[tokio::test]
async fn an_order_is_translated_for_the_account_that_was_chosen() {
    let (_bench, browser) = signed_in().await;
    let mut document = order("SO-<b>1</b>");
    document["remarks"] = json!("</textarea><script>alert(1)</script>");
    let text = document.to_string();
    let post = async |account: &str, text: &str| {
        browser.act("/console/playground", &[("account", account), ("operation", "create"), ("order", text)]).await
    };
    let page = post("ttms-demo", &text).await;
    assert_eq!(page.status, 200);
    page.shows("SO-&#60;b&#62;1").shows("create_order").lacks("<script>alert").lacks("<b>1");
    let page = post("otms-demo", "{\"orderNumber\": ").await;
    assert_eq!(page.status, 422);
    page.shows("The order is not JSON").shows("line 1 column").shows("<details open>");
    document["colour"] = json!("red");
    let page = post("otms-demo", &document.to_string()).await;
    assert_eq!(page.status, 422);
    page.shows("/order/colour").shows("<details open>");
    let page = post("nobody", &text).await;
    assert_eq!(page.status, 422);
    page.shows("There is no account nobody");
}

#[tokio::test]
async fn who_may_read_orders_may_try() {
    let (bench, _) = signed_in().await;
    let reader = super::access::with_key(&bench, &["orders:read"], Some(&["ttms-demo"])).await;
    let page = reader.get("/console/playground").await;
    assert_eq!(page.status, 200);
    page.shows("orderList[0]").shows("value=\"ttms-demo\" selected").lacks("otms-demo");
    reader.get("/console/playground?account=otms-demo").await.shows("There is no account otms-demo");
    // A key for all accounts that cannot list them names one.
    let reader = super::access::with_key(&bench, &["orders:read"], None).await;
    let page = reader.get("/console/playground").await;
    assert_eq!(page.status, 200);
    page.shows("<input id=\"account\" name=\"account\"");
    reader.get("/console/playground?account=otms-demo").await.shows("orderImport");
}
