//! `POST /v1/callbacks/{id}/reprocess`

use axum::Json;
use axum::extract::State;
use serde_json::json;

use super::{CallbackView, read};
use crate::api::AppState;
use crate::api::asking::key_not_given;
use crate::api::auth::Caller;
use crate::api::params::{Id, NoParams, Params};
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::callback::{ProcessError, Reprocessed};
use crate::canonical::Action;

/// Processes a callback again.
///
/// It is verified as of when it arrived, with the account as it is now.
/// For a callback that is quarantined, once its cause is put right. One that was processed before is told again in
/// new events. Orders move forward only, as ever.
#[utoipa::path(
    post, path = "/v1/callbacks/{id}/reprocess", operation_id = "reprocessCallback", tag = "callbacks",
    params(("id" = uuid::Uuid, Path, description = "Id of the callback")),
    responses(
        (status = 200, description = "The callback, and where it stands now", body = CallbackView),
        (status = 400, description = "There is a query parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such callback that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "Its body was dropped by age", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    _: Params<NoParams>,
) -> Result<Json<CallbackView>, Problem> {
    let callback = read(&state, &caller, id).await?;
    let chosen = json!({"from": callback.state});
    state.store.record(&caller.act(Action::ReprocessCallback, id, Some(&callback.account_id), chosen)).await?;
    tracing::info!(callback = %id, by = %caller.key_id, "a person has a callback processed again");
    match state.callbacks.reprocess(id).await.map_err(problem)? {
        Reprocessed::Done => Ok(Json(CallbackView::from(read(&state, &caller, id).await?))),
        Reprocessed::BodyDropped => {
            Err(Problem::new(Kind::StateConflict, "Its body was dropped by age; there is nothing to process."))
        }
        Reprocessed::Unknown => Err(Problem::not_found("callback")),
    }
}

fn problem(error: ProcessError) -> Problem {
    match error {
        ProcessError::Store(error) => error.into(),
        ProcessError::KeyNotGiven(error) => key_not_given(&error),
    }
}
