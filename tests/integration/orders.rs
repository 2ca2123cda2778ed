//! `POST /v1/orders`, and reading what came of it.

use reqwest::Method;
use serde_json::{Value, json};

use crate::harness::{Bench, order};

#[tokio::test]
async fn an_order_goes_out_and_its_number_comes_back() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    assert_eq!(placed.status, 201, "{:#}", placed.body);
    assert_eq!(placed.header("preference-applied"), Some("wait=30"));
    assert_eq!(placed.header("location"), Some(format!("/v1/orders/{}", placed.id()).as_str()));
    assert_eq!(placed.body["status"], "requested");
    assert_eq!(placed.body["submission"]["state"], "accepted");
    assert_eq!(placed.body["submission"]["results"], json!([]));
    assert_eq!(placed.body["submission"]["attempts"], 1);
    assert_eq!(placed.body["documentComplete"], true);
    let books = bench.books("SO-1");
    assert_eq!(books.len(), 1);
    assert_eq!(placed.body["providerOrderNumber"], books[0].provider_order_number);
    assert_eq!(placed.body["submission"]["providerOrderNumber"], books[0].provider_order_number);

    let read = bench.caller.get(&format!("/v1/orders/{}", placed.id())).await;
    assert_eq!(read.body, placed.body);
    // Pending, then requested: the version rose.
    assert_eq!(read.header("etag"), Some("\"2\""));
    assert_eq!(read.body["version"], 2);
    let submission = bench.caller.get(&format!("/v1/submissions/{}", placed.submission())).await;
    assert_eq!(submission.body, placed.body["submission"]);
    let all = bench.caller.get(&format!("/v1/orders/{}/submissions", placed.id())).await;
    assert_eq!(all.body, json!({"items": [submission.body], "nextCursor": null}));
}

#[tokio::test]
async fn without_a_wait_the_order_is_accepted_and_pending() {
    let bench = Bench::start().await;
    bench.pause().await;
    let accepted = bench.caller.post("/v1/orders", &order("SO-1")).await;
    assert_eq!(accepted.status, 202);
    assert_eq!(accepted.header("preference-applied"), None);
    assert_eq!(accepted.body["status"], "pending");
    assert_eq!(accepted.body["submission"]["state"], "queued");
    assert_eq!(accepted.body["submission"]["heldBy"], "account_paused");
    // A wait that is not long enough is none.
    let waited = bench.caller.post_with("/v1/orders", &order("SO-2"), &[("prefer", "wait=0")]).await;
    assert_eq!((waited.status, waited.header("preference-applied")), (202, None));
    bench.resume().await;
    let path = format!("/v1/submissions/{}", accepted.submission());
    let ended = crate::harness::send(bench.caller.request(Method::GET, &path).header("prefer", "wait=30")).await;
    assert_eq!(ended.body["state"], "accepted");
    assert_eq!(ended.header("preference-applied"), Some("wait=30"));
}

#[tokio::test]
async fn a_refusal_by_the_provider_is_a_state_and_no_error_of_the_gateway() {
    let bench = Bench::start().await;
    let mut same_place = order("SO-1");
    same_place["shipTo"] = same_place["shipFrom"].clone();
    let placed = bench.caller.place(&same_place).await;
    assert_eq!(placed.status, 201);
    assert_eq!((&placed.body["status"], &placed.body["submission"]["state"]), (&json!("rejected"), &json!("rejected")));
    let result = &placed.body["submission"]["results"][0];
    assert_eq!(result["rawCode"], "1120");
    assert_eq!(result["scope"], "orderImport");
    assert_eq!(result["provider"], "otms");
    assert_eq!(result["code"], "validation.inconsistent");
    assert_eq!(result["category"], "validation");
    assert_eq!(result["severity"], "error");
    assert_eq!(result["retryable"], false);
    assert_eq!(result["pointers"], json!(["/shipFrom", "/shipTo"]));
    assert!(result["rawMessage"].as_str().unwrap().contains("same place"));
    for member in ["messageEn", "messageZh"] {
        assert!(result[member].as_str().is_some_and(|text| !text.is_empty()));
    }
}

#[tokio::test]
async fn decimals_reach_the_provider_digit_for_digit() {
    let bench = Bench::start().await;
    let body = order("SO-1").to_string().replace("15.192", "123456789012345678.123450").replace("2110", "\"0.10\"");
    let placed = bench.caller.post_bytes("/v1/orders", "application/json", body).await;
    assert_eq!(placed.status, 202, "{:#}", placed.body);
    bench.database.wait_for_state(placed.submission(), "accepted").await;
    let document = serde_json::to_value(&bench.books("SO-1")[0]).unwrap()["document"].clone();
    let line = &document["orderLines"]["orderLine"][0];
    assert_eq!(line["volume"], "123456789012345678.123450");
    assert_eq!(line["weight"], "0.10");
    let read = bench.caller.get(&format!("/v1/orders/{}", placed.id())).await;
    assert_eq!(read.body["lines"][0]["volume"].to_string(), "123456789012345678.123450");
}

#[tokio::test]
async fn attempts_show_the_exact_xml_both_ways_and_no_password_anywhere() {
    let bench = Bench::start().await;
    let password = "onelane-demo-password";
    let mut in_document = serde_json::to_value(&bench.sandbox.demo_accounts(&bench.sandbox_url)[0]).unwrap();
    in_document["id"] = json!("otms-xml");
    in_document["settings"]["credentialsIn"] = json!("document");
    assert_eq!(bench.caller.post("/v1/accounts", &in_document).await.status, 201);
    for account in ["otms-demo", "otms-xml"] {
        let mut order = order(&format!("SO-{account}"));
        order["account"] = json!(account);
        let placed = bench.caller.place(&order).await;
        assert_eq!(placed.body["submission"]["state"], "accepted", "{:#}", placed.body);
        let attempts = bench.caller.get(&format!("/v1/submissions/{}/attempts", placed.submission())).await;
        assert_eq!(attempts.body["items"].as_array().unwrap().len(), 1);
        let attempt = &attempts.body["items"][0];
        assert_eq!((&attempt["number"], &attempt["outcome"]), (&json!(1), &json!("accepted")));
        assert_eq!((&attempt["position"], &attempt["batchSize"]), (&json!(1), &json!(1)));
        assert_eq!(attempt["request"]["method"], "PUT");
        assert_eq!(attempt["request"]["url"], format!("{}/otms/ws/orderImport", bench.sandbox_url));
        let sent = attempt["request"]["body"]["content"].as_str().unwrap();
        assert!(sent.contains(&format!("<erpNumber>SO-{account}</erpNumber>")), "{sent}");
        assert_eq!(sent.contains("password=\"***\""), account == "otms-xml");
        let headers = attempt["request"]["headers"].to_string();
        assert_eq!(headers.contains("[\"authorization\",\"***\"]"), account == "otms-demo", "{headers}");
        let received = attempt["response"]["body"]["content"].as_str().unwrap();
        assert!(received.contains("<importStatus>INBOX</importStatus>"), "{received}");
        assert_eq!(attempt["response"]["status"], 200);
        assert_eq!(attempt["error"], Value::Null);
        let at = |member: &str| attempt[member].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        assert!(at("claimedAt") <= at("sentAt") && at("sentAt") <= at("answeredAt"));
        assert!(!attempts.body.to_string().contains(password));
    }
    // Every row of every table, as text; bodies as they were before they were compressed.
    let mut connection = bench.database.connection().await;
    let tables: Vec<String> = sqlx::query_scalar("select tablename::text from pg_tables where schemaname = 'public'")
        .fetch_all(&mut connection)
        .await
        .unwrap();
    assert!(tables.len() >= 10, "{tables:?}");
    for table in tables {
        let statement = sqlx::AssertSqlSafe(format!("select row_to_json(t)::text from {table} t"));
        let rows: Vec<String> = sqlx::query_scalar(statement).fetch_all(&mut connection).await.unwrap();
        let hexadecimal = data_encoding::HEXLOWER.encode(password.as_bytes());
        assert!(rows.iter().all(|row| !row.contains(password) && !row.contains(&hexadecimal)), "{table}");
    }
}

#[tokio::test]
async fn notices_of_the_translation_stay_with_the_submission() {
    let bench = Bench::start().await;
    let mut order = order("SO-1");
    order["deliveryMethod"] = json!("self_pickup");
    let placed = bench.caller.place(&order).await;
    assert_eq!(placed.body["submission"]["state"], "accepted");
    let results = placed.body["submission"]["results"].as_array().unwrap();
    assert_eq!(results.len(), 1);
    assert_eq!(results[0]["code"], "translation.field_dropped");
    assert_eq!(results[0]["severity"], "warning");
    assert_eq!(results[0]["pointers"], json!(["/deliveryMethod"]));
}

#[tokio::test]
async fn an_incomplete_order_is_a_draft_when_the_caller_allows_it() {
    let bench = Bench::start().await;
    let mut incomplete = order("SO-1");
    incomplete["cargo"] = json!({});
    incomplete["extensions"] = json!({"otms": {"rejectDraft": false}});
    let placed = bench.caller.place(&incomplete).await;
    assert_eq!(placed.body["status"], "draft");
    assert_eq!(placed.body["submission"]["state"], "partially_accepted");
    assert!(placed.body["providerOrderNumber"].is_string());
    assert!(placed.body["submission"]["results"].as_array().unwrap().iter().all(|it| it["severity"] == "warning"));

    incomplete["orderNumber"] = json!("SO-2");
    incomplete["extensions"] = json!({});
    let placed = bench.caller.place(&incomplete).await;
    assert_eq!(placed.body["submission"]["state"], "rejected");
}

#[tokio::test]
async fn a_number_is_used_once_for_each_account_and_kind_of_document() {
    let bench = Bench::start().await;
    let first = bench.caller.place(&order("SO-1")).await;
    let second = bench.caller.post("/v1/orders", &order("SO-1")).await;
    second.problem(409, "order-exists");
    assert_eq!(second.body["orderId"], first.body["id"]);
    assert_eq!(bench.books("SO-1")[0].received_creates, 1);
}

#[tokio::test]
async fn lists_are_filtered_paged_and_newest_first() {
    let bench = Bench::start().await;
    bench.pause().await;
    let mut ids = Vec::new();
    for number in 0..5 {
        let created = bench.caller.post("/v1/orders", &order(&format!("SO-{number}"))).await;
        ids.insert(0, created.id().to_owned());
    }
    let mut listed = Vec::new();
    let mut path = "/v1/orders?account=otms-demo&limit=2".to_owned();
    loop {
        let page = bench.caller.get(&path).await;
        assert_eq!(page.status, 200, "{:#}", page.body);
        let items = page.body["items"].as_array().unwrap();
        assert!(items.len() <= 2);
        listed.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        assert!(items.iter().all(|item| item["submission"]["state"] == "queued"));
        let Some(cursor) = page.body["nextCursor"].as_str() else { break };
        path = format!("/v1/orders?account=otms-demo&limit=2&cursor={cursor}");
    }
    assert_eq!(listed, ids);

    bench.resume().await;
    for id in &ids {
        let order = bench.caller.get(&format!("/v1/orders/{id}")).await;
        bench.database.wait_for_state(order.submission(), "accepted").await;
    }
    let newest = bench.caller.get(&format!("/v1/orders/{}", ids[0])).await.body;
    let number = newest["providerOrderNumber"].as_str().unwrap();
    let created = newest["createdAt"].as_str().unwrap().replace('+', "%2B");
    for (query, expected) in [
        ("orderNumber=SO-3".to_owned(), 1),
        (format!("providerOrderNumber={number}"), 1),
        ("status=requested".to_owned(), 5),
        ("status=pending".to_owned(), 0),
        ("submissionState=accepted".to_owned(), 5),
        ("submissionState=queued".to_owned(), 0),
        ("account=nobody".to_owned(), 0),
        (format!("createdFrom={created}"), 1),
        (format!("createdTo={created}"), 4),
    ] {
        let page = bench.caller.get(&format!("/v1/orders?{query}")).await;
        assert_eq!(page.body["items"].as_array().unwrap().len(), expected, "{query}");
    }
    for query in ["limit=0", "limit=201", "limit=x", "cursor=%21", "colour=red", "status=lost", "createdFrom=yesterday"]
    {
        bench.caller.get(&format!("/v1/orders?{query}")).await.problem(400, "malformed-request");
    }
}

#[tokio::test]
async fn a_key_sees_the_orders_of_its_accounts_only() {
    let bench = Bench::start().await;
    let placed = bench.caller.place(&order("SO-1")).await;
    let other = bench.key(&["orders:read", "orders:write"], Some(&["elsewhere"])).await;
    for path in [
        format!("/v1/orders/{}", placed.id()),
        format!("/v1/orders/{}/submissions", placed.id()),
        format!("/v1/submissions/{}", placed.submission()),
        format!("/v1/submissions/{}/attempts", placed.submission()),
    ] {
        other.get(&path).await.problem(404, "not-found");
    }
    assert_eq!(other.get("/v1/orders").await.body["items"], json!([]));
    assert_eq!(other.post("/v1/orders", &order("SO-2")).await.problem(422, "unknown-account")[0].0, "/account");
    let own = bench.key(&["orders:read"], Some(&["otms-demo"])).await;
    assert_eq!(own.get(&format!("/v1/orders/{}", placed.id())).await.status, 200);
}
