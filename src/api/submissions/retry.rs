//! `POST /v1/submissions/{id}/retry`

use axum::Json;
use axum::extract::State;
use serde_json::json;

use super::{lane_of, outcome_of, read, view};
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::params::{Id, NoParams, Params};
use crate::api::problem::{Problem, ProblemDocument};
use crate::api::views::SubmissionView;
use crate::canonical::Action;

/// Puts a submission back into the queue.
///
/// One that is dead, rejected or in doubt, with all its tries before it.
///
/// A doubt stays one: if an earlier attempt may have reached the provider, "it exists" is a success.
#[utoipa::path(
    post, path = "/v1/submissions/{id}/retry", operation_id = "retrySubmission", tag = "submissions",
    params(("id" = uuid::Uuid, Path, description = "Id of the submission")),
    responses(
        (status = 200, description = "The submission, queued", body = SubmissionView),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:write", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such submission that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "Its state allows no retry, or a later submission of the order has gone out", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:write"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    _: Params<NoParams>,
) -> Result<Json<SubmissionView>, Problem> {
    caller.require(Scope::OrdersWrite)?;
    let submission = read(&state, &caller, id).await?;
    let chosen = json!({"from": <&str>::from(submission.state)});
    let act = caller.act(Action::RetrySubmission, id, Some(&submission.account_id), chosen);
    outcome_of(&state.store.retry_submission(id, &act).await?)?;
    tracing::info!(submission = %id, by = %caller.key_id, "a person retries a submission");
    let submission = read(&state, &caller, id).await?;
    if let Some(lane) = lane_of(&state, &submission).await? {
        state.delivery.wake(&lane);
    }
    Ok(Json(view(&state, submission).await?))
}
