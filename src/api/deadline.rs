//! No request waits for ever, also when the database, or the way to it, is lost in the middle of it.

use std::time::Duration;

use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// How long a request may take until its answer begins. Longer than the longest that is asked for: a wait of 30
/// seconds, or a live question with its token, its session and its deadline. Streams begin at once.
const LONGEST: Duration = Duration::from_secs(120);

/// Gives a request up that does not end.
pub async fn hold(answer: impl Future<Output = Response>) -> Response {
    tokio::time::timeout(LONGEST, answer).await.unwrap_or_else(|_| {
        tracing::error!("a request did not end in {} seconds", LONGEST.as_secs());
        Problem::unavailable("The request did not end in time.").into_response()
    })
}
