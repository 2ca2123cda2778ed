//! `GET /v1/orders/{id}/events`

use axum::Json;
use axum::extract::State;

use super::order;
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::params::{Id, Page, Paging, Params, page_limit, read_time_cursor, write_time_cursor};
use crate::api::problem::{Problem, ProblemDocument};
use crate::event::CloudEvent;

/// What happened to an order, oldest first.
///
/// As CloudEvents, for as long as events are kept.
#[utoipa::path(
    get, path = "/v1/orders/{id}/events", operation_id = "listOrderEvents", tag = "orders",
    params(("id" = uuid::Uuid, Path, description = "Id of the order"), Paging),
    responses(
        (status = 200, description = "A page of events", body = Page<CloudEvent>),
        (status = 400, description = "A parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
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
    Params(paging): Params<Paging>,
) -> Result<Json<Page<CloudEvent>>, Problem> {
    let order = order(&state, &caller, id).await?;
    let limit = page_limit(paging.limit)?;
    let after = paging.cursor.as_deref().map(read_time_cursor).transpose()?;
    let events = state.store.events_of_order(order.id, after, limit + 1).await?;
    let page = Page::cut(events, limit, |last| write_time_cursor(last.recorded_at, last.id));
    Ok(Json(page.map(CloudEvent::from)))
}
