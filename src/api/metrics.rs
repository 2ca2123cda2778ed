//! `GET /metrics`: for Prometheus, and like the probes without a key. No part of the API, so the OpenAPI file has it not.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::AppState;
use crate::metrics::{BODY_MEMORY, EVENT_STREAMS, HTTP_REQUESTS_IN_FLIGHT, Snapshot};

/// The text format's own type.
const CONTENT_TYPE: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

pub fn routes() -> Router<AppState> {
    Router::new().route("/metrics", get(handler))
}

/// All metrics of this process, and how the ledger stands. A ledger that cannot be read is a metric, not a failure.
async fn handler(State(state): State<AppState>) -> Response {
    let own = Snapshot::new();
    // This request is one of them.
    HTTP_REQUESTS_IN_FLIGHT.count(&own, [], state.requests_limit.saturating_sub(state.requests.available_permits()));
    BODY_MEMORY.count(&own, [], state.bodies.memory_in_use());
    EVENT_STREAMS.count(&own, [], state.events.streams());
    let text = state.monitor.text(own).await;
    ([(header::CONTENT_TYPE, CONTENT_TYPE)], text).into_response()
}
