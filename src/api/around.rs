//! What goes around every request, in one place: from where it arrives to its answer.
//!
//! One layer instead of one for each concern: a layer of a router has a copy of all that is inside it made for each
//! request, and a place on the heap for its future.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::request_id::{MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer};
use tower_http::sensitive_headers::SetSensitiveRequestHeadersLayer;
use tower_http::trace::TraceLayer;
use uuid::Uuid;

use super::completing::{Asked, refuse_nul};
use super::security_headers::Protection;
use super::{AppState, deadline, observing, origin, pressure};
use crate::server::TrustedProxies;

/// Has the id of a request, and of its answer.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts everything around a router that a request and its answer go through.
pub fn around(router: Router, state: AppState) -> Router {
    let trusted_proxies = Arc::clone(&state.trusted_proxies);
    // From the outside in.
    let layers = ServiceBuilder::new()
        .layer(SetSensitiveRequestHeadersLayer::new([header::AUTHORIZATION]))
        .layer(middleware::map_request_with_state(trusted_proxies, arrive))
        .layer(SetRequestIdLayer::new(REQUEST_ID, NewRequestId))
        .layer(TraceLayer::new_for_http().make_span_with(|request: &axum::http::Request<_>| observing::span(request)))
        .layer(PropagateRequestIdLayer::new(REQUEST_ID))
        .layer(middleware::from_fn_with_state(state, answer))
        // The hook of the process has told of it by then.
        .layer(CatchPanicLayer::custom(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response()));
    Router::new().merge(router).layer(layers)
}

/// Notes what is known of a request as it arrives.
async fn arrive(State(proxies): State<Arc<TrustedProxies>>, mut request: Request) -> Request {
    drop_unusable_request_id(&mut request);
    origin::resolve(&proxies, &mut request);
    observing::take_trace(&mut request);
    request
}

/// Answers a request, within its span.
async fn answer(State(state): State<AppState>, mut request: Request, next: Next) -> Response {
    let observed = observing::begin(&mut request);
    let protection = Protection::of(&request);
    let asked = Asked::of(&request);
    let response = match refuse_nul(request.uri()) {
        Some(refusal) => refusal.into_response(),
        None => pressure::guard(&state, request, |request| deadline::hold(next.run(request))).await,
    };
    let mut response = asked.complete(response);
    protection.add(response.headers_mut());
    observed.end(&mut response);
    response
}

/// Makes an id for a request that came without one.
#[derive(Clone, Copy)]
struct NewRequestId;

impl MakeRequestId for NewRequestId {
    fn make_request_id<B>(&mut self, _request: &axum::http::Request<B>) -> Option<RequestId> {
        HeaderValue::from_str(&Uuid::now_v7().to_string()).ok().map(RequestId::new)
    }
}

/// A caller's request id is taken when it can stand in a log line and an answer; else one is made.
fn drop_unusable_request_id(request: &mut Request) {
    let usable = request.headers().get(REQUEST_ID).is_some_and(|id| {
        let bytes = id.as_bytes();
        (1..=128).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
    });
    if !usable {
        request.headers_mut().remove(REQUEST_ID);
    }
}
