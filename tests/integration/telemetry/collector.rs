//! A collector of OpenTelemetry, on a real socket, that keeps what it is sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Uri};
use data_encoding::HEXLOWER;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;

/// A request as it came.
#[derive(Debug, Clone)]
pub struct Exported {
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

/// The collector.
pub struct Collector {
    pub url: String,
    received: Arc<Mutex<Vec<Exported>>>,
}

/// A span as it was exported, its ids as they are written.
#[derive(Debug, Clone)]
pub struct ExportedSpan {
    pub name: String,
    pub trace: String,
    pub id: String,
    pub parent: String,
    pub kind: i32,
    /// Code of its status
    pub status: i32,
    pub attributes: BTreeMap<String, String>,
    /// Traces of the spans that it is linked to
    pub links: Vec<String>,
    pub resource: BTreeMap<String, String>,
}

impl Collector {
    pub async fn start() -> Self {
        let received: Arc<Mutex<Vec<Exported>>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let app = Router::new().fallback(take).with_state(Arc::clone(&received));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Collector { url, received }
    }

    pub fn received(&self) -> Vec<Exported> {
        self.received.lock().unwrap().clone()
    }

    /// All spans that came.
    pub fn spans(&self) -> Vec<ExportedSpan> {
        let mut spans = Vec::new();
        for exported in self.received() {
            assert_eq!(exported.path, "/v1/traces");
            assert_eq!(exported.headers["content-type"], "application/x-protobuf");
            let request = ExportTraceServiceRequest::decode(exported.body).unwrap();
            for of_resource in request.resource_spans {
                let resource = attributes(&of_resource.resource.unwrap().attributes);
                let of_scopes = of_resource.scope_spans.into_iter().flat_map(|scope| scope.spans);
                spans.extend(of_scopes.map(|span| read(span, &resource)));
            }
        }
        spans
    }
}

async fn take(
    State(received): State<Arc<Mutex<Vec<Exported>>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> [(&'static str, &'static str); 1] {
    received.lock().unwrap().push(Exported { path: uri.path().to_owned(), headers, body });
    [("content-type", "application/x-protobuf")]
}

fn read(span: Span, resource: &BTreeMap<String, String>) -> ExportedSpan {
    ExportedSpan {
        name: span.name,
        trace: HEXLOWER.encode(&span.trace_id),
        id: HEXLOWER.encode(&span.span_id),
        parent: HEXLOWER.encode(&span.parent_span_id),
        kind: span.kind,
        status: span.status.map(|status| status.code).unwrap_or_default(),
        attributes: attributes(&span.attributes),
        links: span.links.iter().map(|link| HEXLOWER.encode(&link.trace_id)).collect(),
        resource: resource.clone(),
    }
}

fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |pair: &KeyValue| match pair.value.as_ref().and_then(|value| value.value.as_ref()) {
        Some(any_value::Value::StringValue(text)) => text.clone(),
        Some(any_value::Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    pairs.iter().map(|pair| (pair.key.clone(), text(pair))).collect()
}
