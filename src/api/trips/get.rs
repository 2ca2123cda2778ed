//! `GET /v1/trips/{id}`

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;

use super::{TripView, answer, read};
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::params::{Id, NoParams, Params};
use crate::api::problem::{Problem, ProblemDocument};

/// One trip, and what came of it.
///
/// With the ids of its orders, the provider's number of it, and its submission.
#[utoipa::path(
    get, path = "/v1/trips/{id}", operation_id = "getTrip", tag = "trips",
    params(("id" = uuid::Uuid, Path, description = "Id of the trip")),
    responses(
        (status = 200, description = "The trip", body = TripView),
        (status = 400, description = "There is a query parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such trip that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
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
