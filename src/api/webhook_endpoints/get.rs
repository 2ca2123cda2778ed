//! `GET /v1/webhook-endpoints/{id}`

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};

use super::{EndpointView, read};
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::params::{Id, NoParams, Params};
use crate::api::problem::{Problem, ProblemDocument};

/// One webhook endpoint, without its secret.
///
/// Its `ETag`, sent as `If-Match`, guards a change against those of others.
#[utoipa::path(
    get, path = "/v1/webhook-endpoints/{id}", operation_id = "getWebhookEndpoint", tag = "webhook endpoints",
    params(("id" = uuid::Uuid, Path, description = "Id of the endpoint")),
    responses(
        (status = 200, description = "The endpoint", body = EndpointView, headers(("ETag" = String))),
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
    let endpoint = EndpointView::from(read(&state, &caller, id).await?);
    Ok(([(header::ETAG, format!("\"{}\"", endpoint.version))], Json(endpoint)).into_response())
}
