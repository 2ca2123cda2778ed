//! `onelane watch`: what happens, as it happens.

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{CommandLine, Running};
use crate::harness::{Bench, order};

async fn event(running: &mut Running) -> Value {
    let line = running.line().await;
    serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

#[tokio::test]
async fn the_feed_is_followed_and_gone_on_with_by_its_cursor() {
    let bench = Bench::start().await;
    let command_line = CommandLine::of(&bench);
    bench.caller.place(&order("SO-1")).await;
    let mut running = command_line.start(&["watch", "--output", "json", "--after", "oldest"]);
    let first = loop {
        let event = event(&mut running).await;
        if event["type"] == "order.placed" {
            break event;
        }
    };
    assert_eq!((&first["specversion"], &first["data"]["orderNumber"]), (&json!("1.0"), &json!("SO-1")));
    // It goes on while things happen.
    bench.caller.place(&order("SO-2")).await;
    let second = loop {
        let event = event(&mut running).await;
        if event["type"] == "order.placed" {
            break event;
        }
    };
    assert_eq!(second["data"]["orderNumber"], "SO-2");
    running.signal(Signal::INT);
    running.ended().await.with_code(0);

    let cursor = first["cursor"].as_str().unwrap();
    let arguments = ["watch", "--output", "json", "--after", cursor, "--type", "order.placed,order.cancelled"];
    let mut running = command_line.start(&arguments);
    assert_eq!(event(&mut running).await["id"], second["id"], "what came after the cursor, and of this type");
    running.signal(Signal::INT);
    running.ended().await.with_code(0);
}

#[tokio::test]
async fn a_gateway_that_starts_anew_is_found_again() {
    let bench = Bench::start().await;
    let mut running =
        CommandLine::of(&bench).start(&["watch", "--output", "json", "--type", "order.placed", "--after", "oldest"]);
    bench.caller.place(&order("SO-1")).await;
    assert_eq!(event(&mut running).await["data"]["orderNumber"], "SO-1");
    let address = bench.base_url.strip_prefix("http://").unwrap().to_owned();
    let (database, sandbox, sandbox_url) = bench.stop().await;
    let url = database.url.clone();
    let bench = Bench::over(database, sandbox, sandbox_url).await;
    bench.caller.place(&order("SO-2")).await;
    // Another process comes up at the address that the first one had.
    let again =
        crate::harness::GatewayProcess::start_at(&url, &address, "info").await.unwrap_or_else(|log| panic!("{log}"));
    assert_eq!(event(&mut running).await["data"]["orderNumber"], "SO-2", "nothing missed, nothing twice");
    running.signal(Signal::INT);
    running.ended().await.with_code(0);
    again.stop().await;
}

#[tokio::test]
async fn an_order_is_followed_to_its_end() {
    let bench = Bench::start().await;
    bench.pause().await;
    let placed = bench.caller.post("/v1/orders", &order("SO-1")).await;
    let command_line = CommandLine::of(&bench);
    let mut running = command_line.start(&["watch", "SO-1"]);
    let first = running.line().await;
    assert!(first.contains("submission.queued") && first.contains("SO-1"), "{first}");
    assert!(!first.contains('\u{1b}'), "no colours in pipes");
    let cancelled = bench.caller.post(&format!("/v1/orders/{}/cancel", placed.id()), &json!({})).await;
    assert!(cancelled.status < 300, "{:#}", cancelled.body);
    let said = running.ended().await.with_code(0);
    assert!(said.out.contains("submission.cancelled"), "{}", said.out);
    assert!(said.err.contains("The order is cancelled."), "{}", said.err);
    // What has ended is told and over, by its id, too.
    let again = command_line.run(&["watch", placed.id()]).await.with_code(0);
    assert!(again.out.contains("submission.cancelled"), "{}", again.out);
    let nobody = command_line.run(&["watch", "SO-9"]).await.with_code(2);
    assert!(nobody.err.contains("there is no order SO-9"), "{}", nobody.err);
    command_line.run(&["watch", "00000000-0000-7000-8000-000000000000"]).await.with_code(3);
}

#[tokio::test]
async fn a_submission_is_followed_to_its_end() {
    let bench = Bench::start().await;
    bench.pause().await;
    let mut rejected = order("SO-1");
    rejected["customer"] = json!({"code": "UNKNOWN"});
    let accepted = bench.caller.post("/v1/orders", &rejected).await;
    let submission = accepted.submission().to_string();
    let mut running = CommandLine::of(&bench).start(&["watch", &submission]);
    let first = running.line().await;
    assert!(first.starts_with("create  queued"), "{first}");
    bench.resume().await;
    let said = running.ended().await.with_code(3);
    assert!(said.out.contains("create  rejected"), "{}", said.out);
}

#[tokio::test]
async fn what_cannot_be_followed() {
    let bench = Bench::start().await;
    let command_line = CommandLine::of(&bench);
    command_line.run(&["watch", "--type", "order.eaten"]).await.with_code(2);
    command_line.run(&["watch", "--type", "order.placed", "SO-1"]).await.with_code(2);
    command_line.run(&["watch", "--after", "nonsense"]).await.with_code(3);
    let writer = bench.caller.post("/v1/api-keys", &json!({"name": "writer", "scopes": ["orders:write"]})).await;
    let writer = CommandLine::of(&bench).with_key(writer.body["key"].as_str().unwrap());
    let said = writer.run(&["watch"]).await.with_code(3);
    assert!(said.err.contains("403 forbidden"), "{}", said.err);
}
