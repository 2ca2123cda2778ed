//! `POST /v1/webhook-endpoints`

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use uuid::Uuid;

use super::checking::{NewEndpointBody, prepare};
use super::{EndpointWithSecret, new_secret, read, with_secret};
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::body::{JsonBody, validate};
use crate::api::params::{NoParams, Params};
use crate::api::problem::{Problem, ProblemDocument};
use crate::canonical::Action;

/// Adds a webhook endpoint.
///
/// Events that happen from now on are delivered to it, signed as Standard Webhooks says. This answer alone shows the
/// secret that signs them.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints", operation_id = "createWebhookEndpoint", tag = "webhook endpoints",
    request_body(content = NewEndpointBody),
    responses(
        (status = 201, description = "The endpoint, with its secret this once", body = EndpointWithSecret, headers(("Location" = String), ("ETag" = String))),
        (status = 400, description = "The request cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin, or is limited to accounts and none is named", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The endpoint is not valid, or an account is none that the key may use", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    _: Params<NoParams>,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    let choice = prepare(&state, &caller, validate::<NewEndpointBody>(&body.value)?).await?;
    let id = Uuid::now_v7();
    let (secret, sealed) = new_secret(&state, id)?;
    let act =
        caller.act(Action::CreateWebhookEndpoint, id, None, json!({"url": choice.url, "accounts": choice.accounts}));
    state.store.add_webhook_endpoint(id, &choice, &sealed, &act).await?;
    tracing::info!(endpoint = %id, by = %caller.key_id, "webhook endpoint added");
    let created = with_secret(StatusCode::CREATED, read(&state, &caller, id).await?, &secret);
    Ok(([(header::LOCATION, format!("/v1/webhook-endpoints/{id}"))], created).into_response())
}
