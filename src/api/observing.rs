//! What is told of every request: the trace that it belongs to, and the metrics of its answer.

use std::sync::{Arc, OnceLock};

use axum::extract::{MatchedPath, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use tokio::time::Instant;
use tracing::Span;
use tracing::field::Empty;

use super::around::REQUEST_ID;
use super::{masking, origin};
use crate::metrics::{HTTP_REQUEST_DURATION, HTTP_REQUESTS};
use crate::telemetry::{TraceParent, exported, trace};

const TRACEPARENT: &str = "traceparent";
/// What answers tell of the trace, as the draft on response headers of W3C Trace Context writes it.
const TRACERESPONSE: HeaderName = HeaderName::from_static("traceresponse");
/// The route of what has none
const UNMATCHED: &str = "unmatched";

/// Stands among the extensions of a request: the caller's trace, and the place in it once the request's span was made.
#[derive(Clone)]
struct Traced {
    given: Option<TraceParent>,
    place: Arc<OnceLock<TraceParent>>,
}

/// Takes the caller's trace, if there is one. In front of [`span`].
pub fn take_trace(request: &mut Request) {
    let traced = Traced { given: given(request.headers()), place: Arc::default() };
    request.extensions_mut().insert(traced);
}

/// One header that can be read; of several, nobody knows which is meant.
fn given(headers: &HeaderMap) -> Option<TraceParent> {
    let mut values = headers.get_all(TRACEPARENT).iter();
    let only = values.next().filter(|_| values.next().is_none())?;
    only.to_str().ok()?.trim().parse().ok()
}

/// The span of a request. An error's level, so that also a log that shows nothing less tells whose line it is.
pub fn span<B>(request: &axum::http::Request<B>) -> Span {
    let id = request.headers().get(REQUEST_ID).and_then(|id| id.to_str().ok()).unwrap_or_default();
    let (method, route) = (method(request.method()), route(request.extensions()));
    let client = origin::of(request.extensions()).map(|origin| tracing::field::display(origin.address));
    let traced = request.extensions().get::<Traced>();
    let early = traced.and_then(|traced| trace::begin_early(traced.given));
    let span = tracing::error_span!(
        "request",
        method,
        path = %masking::path(request.uri().path()),
        request_id = id,
        client,
        trace_id = early.map(|place| place.id()),
        "otel.name" = exported(|| format!("{method} {route}")),
        "otel.kind" = exported(|| "server"),
        "otel.status_code" = Empty,
        "http.request.method" = exported(|| method),
        "http.route" = exported(|| route),
        "http.response.status_code" = Empty,
    );
    // Before the span is entered: from then on its place cannot be chosen any more.
    if let Some(Traced { given, place }) = traced {
        place.get_or_init(|| early.unwrap_or_else(|| trace::begin(&span, *given)));
    }
    span
}

/// What is told of a request when its answer begins.
pub struct Observed {
    begun: Instant,
    method: &'static str,
    matched: Option<MatchedPath>,
    place: Option<TraceParent>,
}

/// Begins to observe a request, within its span; who answers it finds its place in the trace among its extensions.
pub fn begin(request: &mut Request) -> Observed {
    let begun = Instant::now();
    let place = request.extensions().get::<Traced>().and_then(|traced| traced.place.get().copied());
    if let Some(place) = place {
        request.extensions_mut().insert(place);
    }
    Observed { begun, method: method(request.method()), matched: request.extensions().get().cloned(), place }
}

impl Observed {
    /// Tells of the request, and its answer of the trace.
    pub fn end(self, response: &mut Response) {
        let Observed { begun, method, matched, place } = self;
        let route = matched.as_ref().map_or(UNMATCHED, MatchedPath::as_str);
        HTTP_REQUESTS.increment([method, route, class(response.status())]);
        HTTP_REQUEST_DURATION.record_time([method, route], begun.elapsed());
        if let Some(status) = exported(|| response.status().as_u16()) {
            Span::current().record("http.response.status_code", status);
        }
        if response.status().is_server_error() {
            Span::current().record("otel.status_code", exported(|| "ERROR"));
        }
        if let Some(place) = place.and_then(|place| HeaderValue::try_from(place.to_string()).ok()) {
            response.headers_mut().insert(TRACERESPONSE, place);
        }
    }
}

fn route(extensions: &axum::http::Extensions) -> &str {
    extensions.get::<MatchedPath>().map_or(UNMATCHED, MatchedPath::as_str)
}

/// A method's name; those that nobody takes share one.
fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        100..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        _ => "5xx",
    }
}
