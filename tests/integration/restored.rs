//! A ledger that was set back by a restored backup: what was sent since then is not sent blindly again.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::harness::{Bench, GatewayProcess, MASTER_KEY, TestDatabase, order};

const PATIENCE: Duration = Duration::from_secs(60);
const LEASE: Duration = Duration::from_secs(90);
const ACCOUNTS: [&str; 2] = ["otms-demo", "ttms-demo"];

/// A day on which orders wait when the backup is made, are sent after it, and are forgotten with the database.
struct LostDay {
    /// As it was when the backup was made
    backup: TestDatabase,
    /// The gateway after it, with the providers that know more
    bench: Bench,
    /// The feed as far as a consumer had read it
    cursor: String,
    /// Numbers that the provider gave
    numbers: Vec<String>,
}

async fn hold_all(bench: &Bench, verb: &str) {
    for account in ACCOUNTS {
        bench.hold(account, verb).await;
    }
}

async fn end_of_feed(bench: &Bench) -> String {
    bench.database.wait_until(PATIENCE, "select not exists (select from events_without_place)").await;
    let page = bench.caller.get("/v1/events?after=latest").await;
    page.body["nextCursor"].as_str().unwrap().to_owned()
}

async fn lost_day() -> LostDay {
    let bench = Bench::start().await;
    hold_all(&bench, "pause").await;
    for account in ACCOUNTS {
        let mut order = order("SO-1");
        order["account"] = json!(account);
        let accepted = bench.caller.post("/v1/orders", &order).await;
        assert_eq!(accepted.status, 202, "{:#}", accepted.body);
        // It waits behind the creation.
        let path = format!("/v1/orders/{}", accepted.id());
        let changed = bench.caller.send_with(Method::PATCH, &path, &json!({"remarks": "call first"}), &[]).await;
        assert_eq!(changed.status, 202, "{:#}", changed.body);
    }
    let (database, sandbox, url) = bench.stop().await;
    let backup = database.copy().await;
    // It was made in the middle of work.
    let open = "update accounts set paused_at = null, pause_reason = null";
    sqlx::query(open).execute(&mut backup.connection().await).await.unwrap();

    let bench = Bench::over(database, sandbox, url).await;
    hold_all(&bench, "resume").await;
    bench.database.wait_until_all_ended(PATIENCE).await;
    let cursor = end_of_feed(&bench).await;
    let numbers = bench.database.texts("select provider_order_number from orders order by account_id").await;
    LostDay { backup, bench, cursor, numbers }
}

async fn declare_restored(database: &TestDatabase) -> String {
    let (well, said) = GatewayProcess::run(&["restored"], &database.url, &[("ONELANE_MASTER_KEY", MASTER_KEY)]).await;
    assert!(well, "{said}");
    said
}

#[tokio::test]
async fn what_was_sent_after_the_backup_is_found_and_not_sent_twice() {
    let LostDay { backup, bench, cursor: _, numbers } = lost_day().await;
    let (_, sandbox, url) = bench.stop().await;
    let said = declare_restored(&backup).await;
    assert!(said.contains("4 accounts were paused") && said.contains("4 submissions may have been sent"), "{said}");

    let bench = Bench::over(backup, sandbox, url).await;
    let account = bench.caller.get("/v1/accounts/otms-demo").await;
    assert!(account.body["paused"]["reason"].as_str().unwrap().contains("set back"), "{:#}", account.body);
    let states = "select operation || ' ' || state || ' ' || may_exist from submissions order by account_id, sequence";
    assert_eq!(
        bench.database.texts(states).await,
        ["create in_doubt true", "amend queued true", "create in_doubt true", "amend queued true"]
    );
    let doubtful = bench.caller.get("/v1/submissions?state=in_doubt").await;
    let first = &doubtful.body["items"][0];
    let results = first["results"].as_array().unwrap();
    assert!(results.iter().any(|result| result["code"] == "gateway.ledger_set_back"), "{first:#}");
    let attempts = bench.caller.get(&format!("/v1/submissions/{}/attempts", first["id"].as_str().unwrap())).await;
    assert_eq!(attempts.body["items"][0]["outcome"], "in_doubt", "{:#}", attempts.body);

    hold_all(&bench, "resume").await;
    // Bytes that left at the end of the lost day have arrived by then.
    bench.database.advance(LEASE).await;
    bench.database.wait_until_all_ended(PATIENCE).await;
    let ends = "select operation || ' ' || state from submissions order by account_id, sequence";
    assert_eq!(
        bench.database.texts(ends).await,
        ["create accepted", "amend accepted", "create accepted", "amend accepted"]
    );
    let known = "select provider_order_number from orders order by account_id";
    assert_eq!(bench.database.texts(known).await, numbers, "the orders that were made on the lost day");
    for provider in ["otms", "ttms"] {
        let books = bench.simulator_of(provider).books(Some("SO-1"));
        assert_eq!((books.len(), books[0].created), (1, 1), "{provider}");
    }
}

#[tokio::test]
async fn an_order_that_was_lost_is_adopted_also_after_it_was_sent_again() {
    let bench = Bench::start().await;
    let (database, sandbox, url) = bench.stop().await;
    let backup = database.copy().await;
    let bench = Bench::over(database, sandbox, url).await;
    let placed = bench.caller.place(&order("SO-1")).await;
    let number = placed.body["providerOrderNumber"].as_str().unwrap().to_owned();
    let (_, sandbox, url) = bench.stop().await;

    let bench = Bench::over(backup, sandbox, url).await;
    let refused = bench.caller.place(&order("SO-1")).await;
    assert_eq!(refused.body["submission"]["results"][0]["code"], "state.duplicate", "{:#}", refused.body);
    let adoption = json!({"account": "otms-demo", "orderNumber": "SO-1", "providerOrderNumber": number});
    let adopted = bench.caller.post("/v1/orders/adopt", &adoption).await;
    assert_eq!((adopted.status, adopted.id()), (200, refused.id()), "{:#}", adopted.body);
    assert_eq!((&adopted.body["status"], &adopted.body["providerOrderNumber"]), (&json!("unknown"), &json!(number)));
    let path = format!("/v1/orders/{}", refused.id());
    let change = json!({"remarks": "call first"});
    let changed = bench.caller.send_with(Method::PATCH, &path, &change, &[("prefer", "wait=30")]).await;
    assert_eq!(changed.body["submission"]["operation"], "amend", "{:#}", changed.body);
    assert_eq!(changed.body["submission"]["state"], "accepted", "{:#}", changed.body);
    let books = bench.books("SO-1");
    assert_eq!((books.len(), books[0].created, books[0].amended), (1, 1, 1));
}

#[tokio::test]
async fn an_order_that_is_on_its_way_is_not_taken_for_placed() {
    let bench = Bench::start().await;
    bench.pause().await;
    let accepted = bench.caller.post("/v1/orders", &order("SO-1")).await;
    let adoption = json!({"account": "otms-demo", "orderNumber": "SO-1", "providerOrderNumber": "OT1"});
    let adopted = bench.caller.post("/v1/orders/adopt", &adoption).await;
    assert_eq!((adopted.status, &adopted.body["status"]), (200, &json!("pending")), "{:#}", adopted.body);
    bench.resume().await;
    bench.database.wait_for_state(accepted.submission(), "accepted").await;
}

#[tokio::test]
async fn a_consumer_of_the_feed_goes_on_where_it_was_and_misses_nothing() {
    let LostDay { backup, bench, cursor, numbers: _ } = lost_day().await;
    let (_, sandbox, url) = bench.stop().await;
    declare_restored(&backup).await;
    let bench = Bench::over(backup, sandbox, url).await;
    hold_all(&bench, "resume").await;
    bench.database.advance(LEASE).await;
    bench.database.wait_until_all_ended(PATIENCE).await;
    let end = end_of_feed(&bench).await;

    let (mut cursor, mut seen) = (cursor, Vec::new());
    while cursor != end {
        let page = bench.caller.get(&format!("/v1/events?limit=200&after={cursor}")).await;
        assert_eq!(page.status, 200, "{:#}", page.body);
        let items = page.body["items"].as_array().unwrap();
        seen.extend(items.iter().map(|event| event["id"].as_str().unwrap().to_owned()));
        page.body["nextCursor"].as_str().unwrap().clone_into(&mut cursor);
    }
    let written = "select event_id::text from feed_places where position > 1000000 order by position";
    let written = bench.database.texts(written).await;
    assert!(written.len() > 10, "{written:?}");
    assert_eq!(seen, written);
}

#[tokio::test]
async fn it_may_be_told_twice_and_is_on_record() {
    let LostDay { backup, bench, .. } = lost_day().await;
    let (_, sandbox, url) = bench.stop().await;
    declare_restored(&backup).await;
    let again = declare_restored(&backup).await;
    assert!(again.contains("0 accounts were paused") && again.contains("0 submissions"), "{again}");
    assert_eq!(backup.count("select count(*) from attempts").await, 4, "each doubt has one attempt");
    let bench = Bench::over(backup, sandbox, url).await;
    let log = bench.caller.get("/v1/audit-log?action=ledger.restored").await;
    assert_eq!(log.body["items"].as_array().unwrap().len(), 2, "{:#}", log.body);
    assert_eq!(log.body["items"][0]["actor"]["name"], "restored");
}
