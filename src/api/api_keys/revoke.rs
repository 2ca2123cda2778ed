//! `DELETE /v1/api-keys/{id}`

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;

use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::params::{Id, NoParams, Params};
use crate::api::problem::{Problem, ProblemDocument};
use crate::canonical::Action;

/// Revokes an API key.
///
/// Effective at once at every replica; its event streams end within a second.
#[utoipa::path(
    delete, path = "/v1/api-keys/{id}", operation_id = "revokeApiKey", tag = "api keys",
    params(("id" = uuid::Uuid, Path, description = "Id of the key")),
    responses(
        (status = 204, description = "The key is refused from now on"),
        (status = 400, description = "There is a query parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin, or is limited to accounts", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such key that is not revoked", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    _: Params<NoParams>,
) -> Result<StatusCode, Problem> {
    caller.require(Scope::Admin)?;
    super::require_all_accounts(&caller)?;
    if state.store.revoke_api_key(id, &caller.act(Action::RevokeApiKey, id, None, json!({}))).await? {
        tracing::info!(key = %id, by = %caller.key_id, "API key revoked");
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(Problem::not_found("API key"))
    }
}
