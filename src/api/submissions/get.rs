//! `GET /v1/submissions/{id}`

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};

use super::{read, view};
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::params::{Id, NoParams, Params, PreferWait};
use crate::api::problem::{Problem, ProblemDocument};
use crate::api::views::SubmissionView;

/// One submission.
///
/// With `Prefer: wait=N` the answer waits up to N seconds for its end.
#[utoipa::path(
    get, path = "/v1/submissions/{id}", operation_id = "getSubmission", tag = "submissions",
    params(
        ("id" = uuid::Uuid, Path, description = "Id of the submission"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds, at most 30, for its end"),
    ),
    responses(
        (status = 200, description = "The submission", body = SubmissionView),
        (status = 400, description = "There is a query parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such submission that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:read"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    _: Params<NoParams>,
    prefer: PreferWait,
) -> Result<Response, Problem> {
    caller.require(Scope::OrdersRead)?;
    let mut submission = read(&state, &caller, id).await?;
    let mut applied = None;
    if let Some(patience) = prefer.0 {
        let has_ended = state.delivery.waiting().begin(id).end(&state.store, patience, true).await?.has_ended();
        applied = prefer.applied().filter(|_| has_ended);
        submission = read(&state, &caller, id).await?;
    }
    let mut response = Json(view(&state, submission).await?).into_response();
    if let Some((name, value)) = applied {
        response.headers_mut().insert(name, value);
    }
    Ok(response)
}
