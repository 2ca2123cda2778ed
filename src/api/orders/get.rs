//! `GET /v1/orders/{id}`

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::{answer, read};
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::params::{Id, NoParams, Params};
use crate::api::problem::{Problem, ProblemDocument};
use crate::api::views::OrderEnvelope;

/// One order, and where it stands.
///
/// The document as last confirmed by the provider with what is pending in it, and the latest submission. Its `ETag`,
/// sent as `If-Match`, guards a change against those of others.
#[utoipa::path(
    get, path = "/v1/orders/{id}", operation_id = "getOrder", tag = "orders",
    params(("id" = uuid::Uuid, Path, description = "Id of the order")),
    responses(
        (status = 200, description = "The order", body = OrderEnvelope, headers(("ETag" = String))),
        (status = 400, description = "There is a query parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such order that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 405, description = "`batch` and `adopt` are no ids: they are other paths, with other methods", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:read"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    _: Params<NoParams>,
) -> Result<Response, Problem> {
    caller.require(Scope::OrdersRead)?;
    Ok(answer(StatusCode::OK, &read(&state, &caller, id).await?))
}
