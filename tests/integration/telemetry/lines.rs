//! Log lines say to which request and trace they belong.

use serde_json::Value;

use super::Trace;
use crate::harness::{Bench, GatewayProcess, TestDatabase, order};

/// The lines of a whole log that are JSON.
fn lines(log: &str) -> Vec<Value> {
    log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[tokio::test]
async fn every_line_of_a_request_has_its_request_and_its_trace() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let gateway = GatewayProcess::start_logging(&bench.database, "debug").await;
    let trace = Trace::new(0x4b);
    let headers = [("x-request-id", "a-request"), ("traceparent", &trace.parent())];
    let accepted = gateway.caller.post_with("/v1/orders", &order("SO-1"), &headers).await;
    assert_eq!(accepted.status, 202, "{:#}", accepted.body);
    let without = gateway.caller.get("/v1/orders").await;
    bench.database.wait_for_state(accepted.submission(), "accepted").await;
    let log = lines(&gateway.stop_for_log().await);

    let of_request: Vec<&Value> = log.iter().filter(|line| line["request_id"] == "a-request").collect();
    assert!(of_request.len() >= 2, "its beginning and its end: {of_request:#?}");
    for line in &of_request {
        assert_eq!(line["trace_id"], trace.id, "{line:#}");
        assert_eq!((&line["method"], &line["path"]), (&"POST".into(), &"/v1/orders".into()), "{line:#}");
        for member in ["timestamp", "level", "target"] {
            assert!(line[member].is_string(), "{line:#}");
        }
    }
    // One that came without a trace has one of its own.
    let id = without.header("x-request-id").unwrap();
    let own = log.iter().find(|line| line["request_id"] == id).unwrap_or_else(|| panic!("{id}"));
    let own = own["trace_id"].as_str().unwrap();
    assert_ne!(own, trace.id);
    assert!(without.header("traceresponse").unwrap().starts_with(&format!("00-{own}-")));
}

#[tokio::test]
async fn a_log_that_shows_errors_only_tells_whose_they_are() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let proxy = crate::harness::DatabaseProxy::start(&bench.database.url).await;
    // The word that it is ready is told all the same: the harness waits for it.
    let level = "error,onelane::cli=info";
    let gateway = GatewayProcess::start_with(&proxy.url, &[("RUST_LOG", level)]).await;
    proxy.set(crate::harness::Passage::Cut);
    let trace = Trace::new(0x0d);
    let headers = [("x-request-id", "in-vain"), ("traceparent", &trace.parent())];
    let refused = gateway.caller.post_with("/v1/orders", &order("SO-1"), &headers).await;
    assert_eq!(refused.status, 503, "{:#}", refused.body);
    let failed = lines(&gateway.log_with("in-vain").await);
    let failed = failed.iter().find(|line| line["request_id"] == "in-vain").unwrap();
    assert_eq!((&failed["level"], &failed["trace_id"]), (&"ERROR".into(), &trace.id.as_str().into()), "{failed:#}");
}
