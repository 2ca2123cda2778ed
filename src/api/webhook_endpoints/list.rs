//! `GET /v1/webhook-endpoints`

use axum::Json;
use axum::extract::State;
use uuid::Uuid;

use super::EndpointView;
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::params::{Page, Paging, Params, page_limit, read_cursor_of, write_cursor};
use crate::api::problem::{Problem, ProblemDocument};

/// All webhook endpoints, oldest first.
///
/// Without their secrets. A key that is limited to accounts sees those that get events of no others.
#[utoipa::path(
    get, path = "/v1/webhook-endpoints", operation_id = "listWebhookEndpoints", tag = "webhook endpoints",
    params(Paging),
    responses(
        (status = 200, description = "A page of endpoints", body = Page<EndpointView>),
        (status = 400, description = "A parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<EndpointView>>, Problem> {
    caller.require(Scope::Admin)?;
    let limit = page_limit(paging.limit)?;
    let after = read_cursor_of(paging.cursor.as_deref())?.unwrap_or(Uuid::nil());
    let endpoints = state.store.webhook_endpoints(after, limit + 1, caller.accounts()).await?;
    let page = Page::cut(endpoints, limit, |last| write_cursor(&last.id.to_string()));
    Ok(Json(page.map(EndpointView::from)))
}
