//! Spans are exported where the environment says so: a real collector, the protocol's own bytes.

use serde_json::{Value, json};

use super::collector::ExportedSpan;
use super::{Collector, Trace};
use crate::harness::{Bench, GatewayProcess, Receiver, TestDatabase, order};

/// Kinds of span, as the protocol numbers them.
const SERVER: i32 = 2;
const CLIENT: i32 = 3;
const PRODUCER: i32 = 4;
/// The code of a failure
const ERROR: i32 = 2;

fn named<'a>(spans: &'a [ExportedSpan], name: &str) -> Vec<&'a ExportedSpan> {
    spans.iter().filter(|span| span.name == name).collect()
}

#[tokio::test]
async fn a_trace_is_exported_from_the_caller_to_the_webhook() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let collector = Collector::start().await;
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()), ("OTEL_SERVICE_NAME", "lanes")];
    let gateway = GatewayProcess::start_with(&bench.database.url, &variables).await;
    let mut receiver = Receiver::start().await;
    gateway.caller.post("/v1/webhook-endpoints", &json!({"url": receiver.url, "types": ["order.placed"]})).await;
    let trace = Trace::new(0x4b);
    let headers = [("traceparent", trace.parent()), ("prefer", "wait=30".to_owned())];
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let placed = gateway.caller.post_with("/v1/orders", &order("SO-1"), &headers).await;
    assert_eq!(placed.status, 201, "{:#}", placed.body);
    let webhook = receiver.next().await;
    // Two traces that share an exchange.
    let hold = async |verb: &str| gateway.caller.post(&format!("/v1/accounts/otms-demo/{verb}"), &Value::Null).await;
    hold("pause").await;
    let others = [Trace::new(0x1a), Trace::new(0x2b)];
    let mut last = None;
    for (number, other) in others.iter().enumerate() {
        let parent = other.parent();
        let order = order(&format!("SO-1{number}"));
        let accepted = gateway.caller.post_with("/v1/orders", &order, &[("traceparent", &parent)]).await;
        last = Some(accepted.submission());
    }
    hold("resume").await;
    bench.database.wait_for_state(last.unwrap(), "accepted").await;
    gateway.caller.get("/v1/orders/none").await;
    // What is left is exported before the process ends.
    let log = gateway.stop_for_log().await;
    assert!(log.contains("spans are exported"), "{log}");

    let spans = collector.spans();
    let of_trace: Vec<&ExportedSpan> = spans.iter().filter(|span| span.trace == trace.id).collect();
    let request = of_trace.iter().find(|span| span.kind == SERVER).unwrap_or_else(|| panic!("{spans:#?}"));
    assert_eq!((request.name.as_str(), request.parent.as_str()), ("POST /v1/orders", trace.span.as_str()));
    assert_eq!(placed.header("traceresponse"), Some(format!("00-{}-{}-01", trace.id, request.id).as_str()));
    assert_eq!(request.attributes["http.route"], "/v1/orders");
    assert_eq!(request.attributes["http.response.status_code"], "201");
    assert_eq!(request.resource["service.name"], "lanes");
    assert_eq!(request.resource["service.version"], env!("CARGO_PKG_VERSION"));
    let exchange = of_trace.iter().find(|span| span.kind == CLIENT).unwrap();
    assert_eq!((exchange.name.as_str(), &exchange.parent), ("otms orderImport", &request.id));
    assert_eq!((exchange.attributes["account"].as_str(), exchange.attributes["items"].as_str()), ("otms-demo", "1"));
    let delivery = of_trace.iter().find(|span| span.kind == PRODUCER).unwrap();
    assert_eq!((delivery.name.as_str(), &delivery.parent), ("webhook order.placed", &request.id));
    // The webhook goes on from its own delivery; its event was brought about by the request.
    assert_eq!(webhook.header("traceparent"), format!("00-{}-{}-01", trace.id, delivery.id));
    assert_eq!(webhook.event()["traceparent"], format!("00-{}-{}-01", trace.id, request.id));

    let shared: Vec<&ExportedSpan> = spans.iter().filter(|span| !span.links.is_empty()).collect();
    assert_eq!(shared.len(), 1, "{shared:#?}");
    assert_eq!(shared[0].links, [others[0].id.as_str(), others[1].id.as_str()]);
    assert_eq!((shared[0].kind, shared[0].parent.as_str(), shared[0].status), (CLIENT, "", 0));
    let missing = named(&spans, "GET /v1/orders/{id}");
    assert_eq!(missing[0].attributes["http.response.status_code"], "404");
    assert_ne!(missing[0].status, ERROR, "a caller's mistake is no failure of the gateway");
}

#[tokio::test]
async fn what_the_sampler_does_not_take_is_not_exported_and_goes_on_all_the_same() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let collector = Collector::start().await;
    let variables =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()), ("OTEL_TRACES_SAMPLER", "parentbased_always_off")];
    let gateway = GatewayProcess::start_with(&bench.database.url, &variables).await;
    let taken = Trace::new(0x4b);
    let answer = gateway.caller.post_with("/v1/orders", &json!({}), &[("traceparent", &taken.parent())]).await;
    assert_eq!(answer.status, 422);
    let left = gateway.caller.get("/v1/orders").await;
    assert!(left.header("traceresponse").unwrap().ends_with("-00"), "{left:?}");
    assert!(gateway.stop().await);
    let spans = collector.spans();
    assert_eq!(spans.iter().map(|span| span.trace.as_str()).collect::<Vec<_>>(), [taken.id.as_str()]);
    assert_eq!(spans[0].resource["service.name"], "onelane");
}

#[tokio::test]
async fn a_collector_that_is_away_holds_nothing_up() {
    let bench = Bench::prepared(TestDatabase::create().await).await;
    let variables = [("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9"), ("OTEL_BSP_SCHEDULE_DELAY", "100")];
    let gateway = GatewayProcess::start_with(&bench.database.url, &variables).await;
    let placed = gateway.caller.place(&order("SO-1")).await;
    assert_eq!(placed.status, 201, "{:#}", placed.body);
    let log = gateway.log_with("BatchSpanProcessor.ExportError").await;
    assert!(log.contains("retries"), "{log}");
    assert!(gateway.stop().await);
}
