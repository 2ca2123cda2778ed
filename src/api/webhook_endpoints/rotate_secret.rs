//! `POST /v1/webhook-endpoints/{id}/rotate-secret`

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::{EndpointWithSecret, new_secret, read, with_secret};
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::params::{Id, NoParams, Params};
use crate::api::problem::{Problem, ProblemDocument};
use crate::canonical::Action;

/// Gives the endpoint another secret.
///
/// For 24 hours deliveries carry the signatures of both, the new one first, so that the endpoint may change over at
/// any time of them.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints/{id}/rotate-secret", operation_id = "rotateWebhookSecret", tag = "webhook endpoints",
    params(("id" = uuid::Uuid, Path, description = "Id of the endpoint")),
    responses(
        (status = 200, description = "The endpoint, with its new secret this once", body = EndpointWithSecret, headers(("ETag" = String))),
        (status = 400, description = "There is a query parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such endpoint that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    _: Params<NoParams>,
) -> Result<Response, Problem> {
    read(&state, &caller, id).await?;
    let (secret, sealed) = new_secret(&state, id)?;
    let act = caller.act(Action::RotateWebhookSecret, id, None, json!({}));
    if !state.store.rotate_webhook_secret(id, &sealed, &act).await? {
        return Err(Problem::not_found("webhook endpoint"));
    }
    tracing::info!(endpoint = %id, by = %caller.key_id, "secret of a webhook endpoint rotated");
    Ok(with_secret(StatusCode::OK, read(&state, &caller, id).await?, &secret))
}
