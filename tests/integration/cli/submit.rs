//! `onelane submit`: many orders, each once.

use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{CommandLine, Directory, ndjson};
use crate::harness::{Bench, order};

fn numbered(count: usize) -> String {
    ndjson((0..count).map(|number| order(&format!("SO-{number}"))))
}

/// Result lines by state.
fn states(results: &[Value], state: &str) -> usize {
    results.iter().filter(|result| result["state"] == state).count()
}

#[tokio::test]
async fn one_order_is_followed_to_its_end() {
    let bench = Bench::start().await;
    let directory = Directory::new();
    let file = directory.file("order.json", format!("{:#}", order("SO-1")));
    let said = CommandLine::of(&bench).run(&["submit", "--wait", &file]).await.with_code(0);
    let result = &said.json_lines()[0];
    assert_eq!(
        (&result["index"], &result["orderNumber"], &result["state"]),
        (&json!(0), &json!("SO-1"), &json!("accepted"))
    );
    let placed = bench.caller.get(&format!("/v1/orders/{}", result["id"].as_str().unwrap())).await;
    assert_eq!(placed.body["providerOrderNumber"], result["providerOrderNumber"]);
    assert!(said.err.contains("1 accepted"), "{}", said.err);
    // Again it is found, with its end, and not made.
    let again = CommandLine::of(&bench).run(&["submit", "--wait", &file]).await.with_code(0);
    assert_eq!(again.json_lines()[0]["id"], result["id"]);
    assert_eq!(again.json_lines()[0]["state"], "accepted");
    assert!(again.err.contains("1 of them by a run before this one"), "{}", again.err);
    assert_eq!(bench.books("SO-1")[0].created, 1);
}

#[tokio::test]
async fn an_order_that_its_provider_rejects() {
    let bench = Bench::start().await;
    let mut rejected = order("SO-1");
    rejected["customer"] = json!({"code": "UNKNOWN"});
    let said = CommandLine::of(&bench)
        .run_with(&["submit", "--wait", "-"], rejected.to_string().as_bytes())
        .await
        .with_code(3);
    let result = &said.json_lines()[0];
    assert_eq!(result["state"], "rejected", "{result:#}");
    assert!(result["results"][0]["rawCode"].is_string(), "{result:#}");
    assert!(said.err.contains("1 failed at the provider"), "{}", said.err);
}

#[tokio::test]
async fn bad_lines_and_refused_orders_spoil_no_other() {
    let bench = Bench::start().await;
    let mut wrong = order("SO-2");
    wrong["colour"] = json!("red");
    let input = format!("{}\n{{\"orderNumber\": \n\n{wrong}\n{}\n", order("SO-1"), order("SO-3"));
    let said = CommandLine::of(&bench).run_with(&["submit", "-"], input.as_bytes()).await.with_code(3);
    let results = said.json_lines();
    let said_of = |index: usize| results.iter().find(|result| result["index"] == index).unwrap();
    assert_eq!((states(&results, "refused"), results.len()), (1, 4), "{results:#?}");
    assert_eq!((&said_of(1)["line"], &said_of(1)["state"]), (&json!(2), &json!("unreadable")));
    assert!(said_of(1)["problem"]["detail"].as_str().unwrap().starts_with("line 2 is no JSON"), "{results:#?}");
    assert_eq!((&said_of(2)["line"], &said_of(2)["problem"]["errors"][0]["pointer"]), (&json!(4), &json!("/colour")));
    for index in [0, 3] {
        assert!(said_of(index)["id"].is_string() && said_of(index)["problem"].is_null(), "{results:#?}");
    }
    assert!(said.err.contains("2 accepted, 1 refused, 1 unreadable"), "{}", said.err);
    // Lines alone that are no orders are bad input.
    CommandLine::of(&bench).run_with(&["submit", "-"], b"nonsense\n").await.with_code(2);
    CommandLine::of(&bench).run_with(&["submit", "-"], b"\n").await.with_code(2);
}

/// The gateway repeats what it said under a key, but what stood in the way may have been put right.
#[tokio::test]
async fn what_was_refused_is_tried_anew_by_the_next_run() {
    let bench = Bench::start().await;
    let mut elsewhere = order("SO-2");
    elsewhere["account"] = json!("otms-new");
    let input = ndjson([order("SO-1"), elsewhere, order("SO-1")]);
    let submit = async |code: i32| {
        let said = CommandLine::of(&bench).run_with(&["submit", "-"], input.as_bytes()).await.with_code(code);
        let mut results = said.json_lines();
        results.sort_by_key(|result| result["index"].as_u64());
        results
    };
    let of = |results: &[Value], index: usize| results[index]["problem"]["type"].clone();
    for run in 0..3 {
        let results = submit(3).await;
        assert_eq!(results.len(), 3, "{run}: {results:#?}");
        assert_eq!((of(&results, 0), of(&results, 1)), (Value::Null, json!("/problems/unknown-account")), "{run}");
        assert_eq!(of(&results, 2), "/problems/order-exists", "{run}");
    }
    let mut account = serde_json::to_value(&bench.sandbox.demo_accounts(&bench.sandbox_url)[0]).unwrap();
    account["id"] = json!("otms-new");
    assert_eq!(bench.caller.post("/v1/accounts", &account).await.status, 201);
    for run in 0..2 {
        let results = submit(3).await;
        assert_eq!((of(&results, 0), of(&results, 1)), (Value::Null, Value::Null), "{run}: {results:#?}");
        assert_eq!(of(&results, 2), "/problems/order-exists", "{run}");
    }
    assert_eq!(bench.database.count("select count(*) from submissions").await, 2);
}

#[tokio::test]
async fn nothing_is_kept_when_it_is_only_asked() {
    let bench = Bench::start().await;
    let mut wrong = order("SO-2");
    wrong["colour"] = json!("red");
    let input = ndjson([order("SO-1"), wrong]);
    let said =
        CommandLine::of(&bench).run_with(&["submit", "--validate-only", "-"], input.as_bytes()).await.with_code(3);
    let results = said.json_lines();
    assert_eq!((states(&results, "valid"), states(&results, "refused")), (1, 1), "{results:#?}");
    assert_eq!(bench.database.count("select count(*) from orders").await, 0);
}

/// Killed at two moments, then asked to end at a third: whatever was under way, every order is there once in the end.
#[tokio::test]
async fn an_interrupted_bulk_that_is_run_again_sends_nothing_twice() {
    let bench = Bench::start().await;
    bench.pause().await;
    let command_line = CommandLine::of(&bench);
    let directory = Directory::new();
    let all = numbered(2_200);
    let bytes_of = |orders: usize| all.match_indices('\n').nth(orders - 1).unwrap().0 + 1;
    let file = directory.file("orders.ndjson", &all);
    let patience = Duration::from_secs(60);

    // It gets the beginning only, and waits for more when it is killed.
    let mut running = command_line.start_with_input(&["submit", "-"]);
    running.write(&all.as_bytes()[..bytes_of(1_200)]).await;
    bench.database.wait_until(patience, "select count(*) = 1000 from orders").await;
    running.signal(Signal::KILL);
    assert_eq!(running.ended().await.code, None);
    assert_eq!(bench.database.count("select count(*) from orders").await, 1_000);

    // Killed in the middle of a request, at whatever moment that is.
    let mut running = command_line.start_with_input(&["submit", "-"]);
    running.write(all.as_bytes()).await;
    running.signal(Signal::KILL);
    running.ended().await;

    // Ctrl-C ends it in order, and it says how to go on.
    let mut running = command_line.start_with_input(&["submit", "-"]);
    running.write(&all.as_bytes()[..bytes_of(1_200)]).await;
    running.line().await;
    running.signal(Signal::INT);
    let said = running.ended().await.with_code(130);
    assert!(said.err.contains("Run the same command with the same input again"), "{}", said.err);
    assert_eq!(said.json_lines().len(), 1_000, "what was answered is told");

    let out = directory.path("results.ndjson");
    let said = command_line.run(&["submit", "--results", &out, &file]).await.with_code(0);
    assert!(said.err.contains("2,200 accepted"), "{}", said.err);
    assert_eq!(said.out, "");
    let results: Vec<Value> =
        std::fs::read_to_string(&out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let numbers: Vec<_> = results.iter().map(|result| result["orderNumber"].as_str().unwrap().to_owned()).collect();
    assert_eq!(numbers, (0..2_200).map(|number| format!("SO-{number}")).collect::<Vec<_>>());
    assert!(results.iter().all(|result| result["id"].is_string()));
    let submissions = "select count(*) from submissions";
    for count in ["select count(*) from orders", submissions] {
        assert_eq!(bench.database.count(count).await, 2_200, "{count}");
    }
    // A repetition of the whole finds everything.
    let said = command_line.run(&["submit", "--results", &out, &file]).await.with_code(0);
    assert!(said.err.contains("2,200 accepted, 2,200 of them by a run before this one"), "{}", said.err);
    assert_eq!(bench.database.count(submissions).await, 2_200);

    bench.resume().await;
    let said = command_line.run(&["submit", "--wait", "--results", &out, &file]).await.with_code(0);
    assert!(said.err.contains("2,200 accepted"), "{}", said.err);
    let books = bench.simulator().books(None);
    assert_eq!(books.len(), 2_200);
    assert!(books.iter().all(|book| book.created == 1));
}

#[tokio::test]
async fn a_key_that_comes_too_often_waits_as_it_is_told() {
    let bench = Bench::start().await;
    bench.pause().await;
    let body = json!({"name": "slow", "scopes": ["orders:write"], "requestsPerSecond": 1, "burst": 1});
    let created = bench.caller.post("/v1/api-keys", &body).await;
    let slow = CommandLine::of(&bench).with_key(created.body["key"].as_str().unwrap());
    let arguments = ["submit", "--batch-size", "1", "-"];
    let said = slow.run_with(&arguments, numbered(6).as_bytes()).await.with_code(0);
    assert!(said.err.contains("Requests come too often"), "{}", said.err);
    assert_eq!(states(&said.json_lines(), "queued"), 6);
    assert_eq!(bench.database.count("select count(*) from orders").await, 6);
    // Without patience it gives up, and says how to go on.
    let arguments = ["submit", "--batch-size", "1", "--patience", "0s", "-"];
    let said = slow.run_with(&arguments, numbered(6).as_bytes()).await.with_code(4);
    assert!(said.err.contains("sends nothing twice"), "{}", said.err);
}

#[tokio::test]
async fn orders_for_which_there_is_no_room_go_when_there_is() {
    let bench = Bench::start().await;
    bench.pause().await;
    let limit = json!({"queueLimit": 3});
    let limited = bench.caller.send_with(reqwest::Method::PATCH, "/v1/accounts/otms-demo", &limit, &[]).await;
    assert_eq!(limited.status, 200, "{:#}", limited.body);
    let command_line = CommandLine::of(&bench);
    let directory = Directory::new();
    let file = directory.file("orders.ndjson", numbered(8));
    let mut running = command_line.start(&["submit", &file]);
    running.says("the queue is full").await;
    assert_eq!(bench.database.count("select count(*) from orders").await, 3);
    bench.resume().await;
    let said = running.ended().await.with_code(0);
    let mut indices: Vec<u64> = said.json_lines().iter().map(|result| result["index"].as_u64().unwrap()).collect();
    indices.sort_unstable();
    assert_eq!(indices, (0..8).collect::<Vec<_>>());
    // The tries of the first run are found again, and not waited for.
    let again = command_line.run(&["submit", "--wait", &file]).await.with_code(0);
    assert!(again.err.contains("8 accepted, 8 of them"), "{}", again.err);
    assert!(!again.err.contains("waiting"), "{}", again.err);
    assert_eq!(bench.simulator().books(None).len(), 8);
    assert!(bench.simulator().books(None).iter().all(|book| book.created == 1));
}

#[tokio::test]
async fn what_is_too_large_for_the_gateway_goes_in_parts() {
    let bench = Bench::start_with(|options| options.limits.body_limit = 5_000).await;
    bench.pause().await;
    let mut large = order("LARGE");
    large["remarks"] = json!("x".repeat(6_000));
    let input = numbered(10) + &ndjson([large]);
    let said = CommandLine::of(&bench).run_with(&["submit", "-"], input.as_bytes()).await.with_code(3);
    let results = said.json_lines();
    assert_eq!((states(&results, "queued"), states(&results, "refused")), (10, 1), "{results:#?}");
    assert_eq!(results[10]["problem"]["type"], "/problems/body-too-large");
    assert_eq!(bench.database.count("select count(*) from orders").await, 10);
}

#[tokio::test]
async fn what_does_not_end_in_time_is_told_as_it_stands() {
    let bench = Bench::start().await;
    bench.pause().await;
    let arguments = ["submit", "--wait", "--timeout", "1ms", "-"];
    let said = CommandLine::of(&bench).run_with(&arguments, numbered(2).as_bytes()).await.with_code(6);
    assert_eq!(states(&said.json_lines(), "queued"), 2);
    assert!(said.err.contains("2 not ended yet"), "{}", said.err);
}
