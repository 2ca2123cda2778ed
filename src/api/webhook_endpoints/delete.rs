//! `DELETE /v1/webhook-endpoints/{id}`

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;

use super::read;
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::etag::IfMatch;
use crate::api::params::{Id, NoParams, Params};
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::canonical::Action;

/// Deletes a webhook endpoint with its deliveries.
///
/// The events stay in the feed.
#[utoipa::path(
    delete, path = "/v1/webhook-endpoints/{id}", operation_id = "deleteWebhookEndpoint", tag = "webhook endpoints",
    params(
        ("id" = uuid::Uuid, Path, description = "Id of the endpoint"),
        ("If-Match" = Option<String>, Header, pattern = r#"^(\*|(W/)?"[^",]*"( *, *(W/)?"[^",]*")*)$"#, description = "The ETag that the caller has seen; 412 when the endpoint changed meanwhile"),
    ),
    responses(
        (status = 204, description = "The endpoint is gone"),
        (status = 400, description = "The request cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such endpoint that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "The endpoint changed meanwhile", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    _: Params<NoParams>,
    if_match: IfMatch,
) -> Result<StatusCode, Problem> {
    let stored = read(&state, &caller, id).await?;
    if_match.require(stored.version)?;
    // Without If-Match whatever it became meanwhile is meant, too.
    let version = (if_match != IfMatch::Any).then_some(stored.version);
    let act = caller.act(Action::DeleteWebhookEndpoint, id, None, json!({"url": stored.url}));
    if !state.store.delete_webhook_endpoint(id, version, &act).await? {
        return Err(Problem::new(Kind::PreconditionFailed, "It was changed meanwhile. Read it again, then decide."));
    }
    tracing::info!(endpoint = %id, by = %caller.key_id, "webhook endpoint deleted");
    Ok(StatusCode::NO_CONTENT)
}
