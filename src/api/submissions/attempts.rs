//! `GET /v1/submissions/{id}/attempts`

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;

use super::read;
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::params::{Id, NoParams, Params};
use crate::api::problem::{Problem, ProblemDocument};
use crate::api::views::AttemptView;
use crate::store::exchanges::StoredAttempts;

/// The attempts of a submission.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AttemptPage {
    /// Those that are kept, oldest first
    pub items: Vec<AttemptView>,
    /// Always null: there is one page
    #[schema(required)]
    pub next_cursor: Option<String>,
    /// How many attempts were removed by age
    pub removed: i64,
}

/// Every exchange with the provider that carried a submission.
///
/// Attempts and their bodies are kept for a time that the operator chooses. `removed` says how many are gone, and a
/// body that is gone is null.
#[utoipa::path(
    get, path = "/v1/submissions/{id}/attempts", operation_id = "listAttempts", tag = "submissions",
    params(("id" = uuid::Uuid, Path, description = "Id of the submission")),
    responses(
        (status = 200, description = "The attempts, oldest first", body = AttemptPage),
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
) -> Result<Json<AttemptPage>, Problem> {
    caller.require(Scope::OrdersRead)?;
    let submission = read(&state, &caller, id).await?;
    let StoredAttempts { kept, removed } = state.store.attempts(submission.id).await?;
    Ok(Json(AttemptPage { items: kept.into_iter().map(AttemptView::from).collect(), next_cursor: None, removed }))
}
