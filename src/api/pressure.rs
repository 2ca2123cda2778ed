//! What stands around every request: how many there may be at once, what its key may still do, and that the gateway
//! is about to end.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use tokio::sync::Semaphore;

use super::AppState;
use super::key_limits::StandingSlot;
use super::problem::{Kind, Problem};

/// When somebody may come again who found too many.
const COME_AGAIN: Duration = Duration::from_secs(1);

/// Places for requests that are being worked on.
pub fn requests_at_once(most: usize) -> Semaphore {
    Semaphore::new(most.min(Semaphore::MAX_PERMITS))
}

/// Lets a request in if there is a place for it, and says with its answer what its caller should know.
pub async fn guard<F: Future<Output = Response>>(
    state: &AppState,
    mut request: Request,
    work_on: impl FnOnce(Request) -> F,
) -> Response {
    let Ok(_place) = state.requests.try_acquire() else {
        let problem = Problem::new(Kind::Unavailable, "Too many requests are being worked on; come again.");
        return problem.with_retry_after(COME_AGAIN).into_response();
    };
    let slot = StandingSlot::default();
    request.extensions_mut().insert(Arc::clone(&slot));
    let mut response = work_on(request).await;
    if let Some(standing) = slot.get() {
        standing.write(response.headers_mut());
    }
    if state.stopping.is_cancelled() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}
