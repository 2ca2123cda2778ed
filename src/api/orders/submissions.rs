//! `GET /v1/orders/{id}/submissions`

use axum::Json;
use axum::extract::State;

use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::params::{Id, NoParams, Page, Params};
use crate::api::problem::{Problem, ProblemDocument};
use crate::api::views::SubmissionView;
use crate::api::visible;

/// Every submission of an order, oldest first.
///
/// What was asked of its provider, and what came of it.
#[utoipa::path(
    get, path = "/v1/orders/{id}/submissions", operation_id = "listOrderSubmissions", tag = "orders",
    params(("id" = uuid::Uuid, Path, description = "Id of the order")),
    responses(
        (status = 200, description = "The submissions", body = Page<SubmissionView>),
        (status = 400, description = "There is a query parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such order that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:read"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    _: Params<NoParams>,
) -> Result<Json<Page<SubmissionView>>, Problem> {
    caller.require(Scope::OrdersRead)?;
    visible::order(&state, &caller, id).await?;
    let submissions = state.store.submissions_of_order(id).await?;
    let items = submissions.into_iter().map(|submission| SubmissionView::of(submission, None)).collect();
    Ok(Json(Page { items, next_cursor: None }))
}
