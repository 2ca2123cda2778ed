//! The pages themselves: what they show, how they write it, and their headers.

use serde_json::{Value, json};

use super::{Browser, refused, signed_in};
use crate::harness::{ADMIN_KEY, Bench, order};

/// Every page that there is for an order.
fn pages(order: &str, submission: uuid::Uuid) -> Vec<String> {
    vec![
        "/console".into(),
        "/console/orders".into(),
        "/console/orders?q=nothing".into(),
        format!("/console/orders/{order}"),
        format!("/console/orders/{order}/cancel"),
        "/console/submissions".into(),
        format!("/console/submissions/{submission}/resolve"),
        "/console/lanes".into(),
        "/console/callbacks".into(),
        "/console/callbacks?state=quarantined".into(),
        "/console/webhooks".into(),
        "/console/accounts".into(),
        "/console/accounts/otms-demo".into(),
        "/console/accounts/otms-demo/credentials".into(),
        "/console/accounts/otms-demo/callback-path".into(),
        "/console/add-account".into(),
        "/console/add-account?provider=otms".into(),
        "/console/playground".into(),
        "/console/sign-in".into(),
        "/console/nothing".into(),
    ]
}

#[tokio::test]
async fn no_page_has_anything_that_the_policy_forbids() {
    let (bench, browser) = signed_in().await;
    let order = bench.caller.place(&order("SO-1")).await;
    for path in pages(order.id(), order.submission()) {
        let page = browser.get(&path).await;
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'self';") && policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("cache-control"), "no-store", "{path}");
        assert_eq!(page.header("referrer-policy"), "same-origin", "{path}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{path}");
        assert!(page.header("content-type").starts_with("text/html"), "{path}");
        page.lacks(" style=").lacks("javascript:").lacks("<style").lacks(" onclick=").lacks(ADMIN_KEY);
        for (at, _) in page.text.match_indices("<script") {
            let tag = page.text[at..].split('>').next().unwrap();
            assert!(tag.contains("src=\"/console/assets/"), "{path}: {tag}");
        }
        // Nothing is asked of anybody else.
        for address in ["src=\"http", "href=\"http", "action=\"http"] {
            page.lacks(address);
        }
        page.shows("class=\"skip\"").shows("<main id=\"content\"").shows("<h1>");
    }
}

#[tokio::test]
async fn what_orders_say_is_text_and_nothing_else() {
    let (bench, browser) = signed_in().await;
    let hostile = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>";
    let mut order = order("SO-<b>1</b>");
    order["shipTo"]["companyName"] = json!(hostile);
    order["customerReference"] = json!("'\"><svg/onload=alert(3)>");
    order["customer"] = json!({"code": "UNKNOWN<i>"});
    order["remarks"] = json!("{{ 7 * 7 }} ]]> &lt;");
    let placed = bench.caller.place(&order).await;
    assert!(placed.status < 300, "{:#}", placed.body);
    let query = serde_urlencoded::to_string([("q", hostile)]).unwrap();
    let orders = ["/console/orders".into(), format!("/console/orders/{}", placed.id())];
    for path in
        orders.into_iter().chain([format!("/console/orders?{query}"), format!("/console/orders?account={query}")])
    {
        let page = browser.get(&path).await;
        assert_eq!(page.status, 200, "{path}");
        page.lacks("<script>alert").lacks("<img").lacks("<svg/onload").lacks("<b>1</b>").lacks("UNKNOWN<i>");
    }
    browser.get(&format!("/console/orders/{}", placed.id())).await.shows("&#60;script&#62;alert(1)");
    browser.get(&format!("/console/orders/{}/cancel", placed.id())).await.lacks("<script>alert").lacks("<img");
}

#[tokio::test]
async fn an_order_is_found_by_any_of_its_numbers() {
    let (bench, browser) = signed_in().await;
    let mut wanted = order("SO-FIND-1");
    wanted["customerReference"] = json!("PO 4711/A");
    let placed = bench.caller.place(&wanted).await;
    bench.caller.place(&order("SO-FIND-2")).await;
    let page = format!("/console/orders/{}", placed.id());
    let provider_number = placed.body["providerOrderNumber"].as_str().unwrap();
    for number in
        ["SO-FIND-1", "  SO-FIND-1 ", provider_number, "PO 4711/A", placed.id(), &placed.submission().to_string()]
    {
        let query = serde_urlencoded::to_string([("q", number)]).unwrap();
        let found = browser.get(&format!("/console/orders?{query}")).await;
        assert_eq!((found.status, found.location()), (303, page.as_str()), "{number}");
    }
    // The same reference on another order: both are listed.
    let mut other = order("SO-FIND-3");
    other["customerReference"] = json!("PO 4711/A");
    bench.caller.place(&other).await;
    let found = browser.get("/console/orders?q=PO+4711%2FA").await;
    found.shows("SO-FIND-1").shows("SO-FIND-3").lacks("SO-FIND-2");
    browser.get("/console/orders?q=SO-FIND").await.shows("No order has the number SO-FIND");
}

/// However it came: alone, in a batch, in a trip, or taken over; and by the reference that it has now.
#[tokio::test]
async fn an_order_is_found_by_its_customers_reference() {
    let (bench, browser) = signed_in().await;
    let with_reference = |mut order: Value, reference: &str| {
        order["customerReference"] = json!(reference);
        order
    };
    let found =
        async |reference: &str| browser.get(&format!("/console/orders?q={reference}")).await.location().to_owned();
    let page = |id: &str| format!("/console/orders/{id}");

    let alone = bench.caller.place(&with_reference(order("SO-1"), "ALONE")).await;
    assert_eq!(found("ALONE").await, page(alone.id()));
    let batch = json!({"orders": [with_reference(order("SO-2"), "BATCH"), order("SO-3")]});
    let batch = bench.caller.post_with("/v1/orders/batch", &batch, &[("idempotency-key", "batch")]).await;
    assert_eq!(found("BATCH").await, page(batch.body["items"][0]["order"]["id"].as_str().unwrap()));
    let adopted = json!({"account": "ile-demo", "orderNumber": "SO-4", "providerOrderNumber": "N-4", "order": {"customerReference": "ADOPTED"}});
    let adopted = bench.caller.post("/v1/orders/adopt", &adopted).await;
    assert_eq!(found("ADOPTED").await, page(adopted.id()));
    let mut in_trip = with_reference(order("SO-5"), "TRIP");
    in_trip.as_object_mut().unwrap().remove("account");
    let trip = json!({"account": "ttms-demo", "orders": [in_trip], "driver": {"phone": "+8613700000003"}});
    let trip = bench.caller.post_with("/v1/trips", &trip, &[("idempotency-key", "trip")]).await;
    assert_eq!(found("TRIP").await, page(trip.body["orderIds"][0].as_str().unwrap()));

    let change = json!({"customerReference": "CHANGED"});
    let path = format!("/v1/orders/{}", alone.id());
    let changed = bench.caller.send_with(reqwest::Method::PATCH, &path, &change, &[("prefer", "wait=30")]).await;
    assert_eq!(changed.body["submission"]["state"], "accepted", "{:#}", changed.body);
    assert_eq!(found("CHANGED").await, page(alone.id()));
    browser.get("/console/orders?q=ALONE").await.shows("No order has the number ALONE");
}

#[tokio::test]
async fn the_search_goes_by_indexes() {
    let bench = Bench::start().await;
    let mut connection = bench.database.connection().await;
    sqlx::query("set enable_seqscan = off").execute(&mut connection).await.unwrap();
    for (condition, index) in [
        ("select id from orders where order_number = 'x'", "orders_by_order_number_and_account"),
        ("select id from orders where provider_order_number = 'x'", "orders_by_provider_order_number"),
        ("select id from orders where customer_reference = 'x'", "orders_by_customer_reference"),
        ("select id from trips where provider_trip_number = 'x'", "trips_by_provider_trip_number"),
    ] {
        let plan: Vec<String> = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("explain {condition}")))
            .fetch_all(&mut connection)
            .await
            .unwrap();
        assert!(plan.iter().any(|line| line.contains(index)), "{plan:#?}");
    }
}

#[tokio::test]
async fn one_order_shows_all_that_happened_to_the_byte() {
    let (bench, browser) = signed_in().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    let page = browser.get(&format!("/console/orders/{}", placed.id())).await;
    page.shows("order.placed").shows("submission.accepted").shows("HTTP 200").shows("上海客户");
    let attempts = bench.caller.get(&format!("/v1/submissions/{}/attempts", placed.submission())).await.body;
    page.shows(attempts["items"][0]["request"]["url"].as_str().unwrap());
    for direction in ["request", "response"] {
        let path = format!("/console/submissions/{}/attempts/1/{direction}", placed.submission());
        page.shows(&path);
        let download = browser.get(&path).await;
        assert_eq!(Value::from(download.text.as_str()), attempts["items"][0][direction]["body"]["content"]);
        assert!(download.header("content-disposition").starts_with("attachment;"));
        assert_eq!(download.header("content-type"), "application/octet-stream");
    }
    let document: Value =
        serde_json::from_str(&browser.get(&format!("/console/orders/{}/document", placed.id())).await.text).unwrap();
    assert_eq!((&document["orderNumber"], &document["lines"][0]["volume"]), (&json!("SO-1"), &json!(15.192)));
    for path in ["attempts/2/request", "attempts/1/both", "attempts/x/request"] {
        assert_eq!(browser.get(&format!("/console/submissions/{}/{path}", placed.submission())).await.status, 404);
    }
}

#[tokio::test]
async fn callbacks_stand_in_the_history_of_their_order() {
    let (bench, browser) = signed_in().await;
    let subscribed = "select count(*) = 3 from subscriptions where subscribed_at is not null";
    bench.database.wait_until(std::time::Duration::from_secs(30), subscribed).await;
    let order = bench.caller.place(&demo_order(&bench, "ttms")).await;
    assert!(order.status < 300, "{:#}", order.body);
    let number = order.body["orderNumber"].as_str().unwrap();
    let path = format!("/control/ttms/orders/{number}/advance");
    let advanced = bench.control().post(&path, &json!({"to": "picked_up"})).await;
    assert_eq!(advanced.status, 200, "{:#}", advanced.body);
    let told = "select exists (select from events where type = 'transport.picked_up')";
    bench.database.wait_until(std::time::Duration::from_secs(30), told).await;
    let page = browser.get(&format!("/console/orders/{}", order.id())).await;
    page.shows("The provider called").shows("transport.picked_up");
    let at = page.text.find("/console/callbacks/").unwrap();
    let path = page.text[at..].split('"').next().unwrap().to_owned();
    assert_eq!(browser.get(&path).await.status, 200);
}

/// The order that the sandbox proposes for a provider.
fn demo_order(bench: &Bench, provider: &str) -> Value {
    let accounts = bench.sandbox.demo_accounts(&bench.sandbox_url);
    accounts.into_iter().find(|account| account.provider == provider).unwrap().example_order.unwrap()
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let (bench, browser) = signed_in().await;
    bench.caller.place(&refused("SO-0-REFUSED")).await;
    bench.pause().await;
    for number in 1..=55 {
        bench.caller.post("/v1/orders", &order(&format!("SO-{number:03}."))).await;
    }
    let first = browser.get("/console/orders").await;
    first.shows("SO-055.").lacks("SO-005.").shows("rel=\"next\"").shows("Account paused");
    let at = first.text.find("/console/orders?cursor=").unwrap();
    let next = browser.get(first.text[at..].split('"').next().unwrap()).await;
    next.shows("SO-005.").shows("SO-0-REFUSED").lacks("SO-055.").lacks("rel=\"next\"").shows("First page");
    let rejected = browser.get("/console/orders?status=rejected&state=&from=&to=").await;
    rejected.shows("SO-0-REFUSED").lacks("SO-055.").shows("<option value=\"rejected\" selected>");
    browser.get("/console/orders?state=queued&account=otms-demo").await.lacks("SO-0-REFUSED").shows("SO-055.");
    browser.get("/console/orders?from=2001-01-01&to=2001-01-31").await.shows("No order matches these filters");
    browser.get("/console/submissions?state=rejected").await.shows("Create").lacks("Account paused");
    browser.get("/console/submissions?operation=cancel").await.shows("None matches these filters");
    // What nobody could have chosen is refused in words.
    let answer = browser.get("/console/orders?status=nonsense").await;
    assert_eq!(answer.status, 400);
    answer.shows("<h1>");
    assert_eq!(browser.get("/console/orders?cursor=nonsense").await.status, 400);
}

#[tokio::test]
async fn the_overview_counts_what_happened_lately() {
    let (bench, browser) = signed_in().await;
    bench.caller.place(&order("SO-1")).await;
    bench.caller.place(&refused("SO-2")).await;
    bench.pause().await;
    bench.caller.post("/v1/orders", &order("SO-3")).await;
    let numbers =
        async || -> Value { serde_json::from_str(&browser.get("/console/overview/numbers").await.text).unwrap() };
    let sum = |numbers: &Value, name: &str| -> i64 {
        numbers["minutes"][name].as_array().unwrap().iter().map(|number| number.as_i64().unwrap()).sum()
    };
    let now = numbers().await;
    assert_eq!((sum(&now, "received"), sum(&now, "settled")), (3, 2));
    assert_eq!(now["minutes"]["at"].as_array().unwrap().len(), 60);
    assert!(
        now["minutes"]["settledMedian"].as_array().unwrap().iter().any(|value| value.as_f64().unwrap_or(-1.0) > 0.0)
    );
    assert!(now["state"].as_str().unwrap().contains("50.0 %"));
    assert!(now["state"].as_str().unwrap().contains("Paused"));
    let page = browser.get("/console").await;
    page.shows("Waiting").shows("paused or out of reach");
    // What was counted stays counted while time goes on, and goes after an hour.
    for (minutes, left) in [(10, (3, 2)), (45, (3, 2)), (10, (0, 0))] {
        bench.database.advance(std::time::Duration::from_secs(minutes * 60)).await;
        let then = numbers().await;
        assert_eq!((sum(&then, "received"), sum(&then, "settled")), left, "{minutes}");
    }
}

#[tokio::test]
async fn assets_are_kept_by_browsers_for_good() {
    let bench = Bench::start().await;
    let browser = Browser::new(&bench.base_url);
    let page = browser.get("/console/sign-in").await;
    let at = page.text.find("/console/assets/").unwrap();
    let path = page.text[at..].split('"').next().unwrap();
    let asset = browser.get(path).await;
    assert_eq!((asset.status, asset.header("cache-control")), (200, "public, max-age=31536000, immutable"));
    let name = path.rsplit('/').next().unwrap();
    let old = browser.get(&format!("/console/assets/0000/{name}")).await;
    assert_eq!((old.status, old.header("cache-control")), (200, "no-store"));
    assert_eq!(browser.get(&path.replace(name, "nothing")).await.status, 404);
    assert!(browser.get(&path.replace(name, "uplot.licence.txt")).await.text.contains("The MIT License"));
    assert_eq!(browser.get(&path.replace(name, "console.css")).await.header("content-type"), "text/css; charset=utf-8");
}
