//! `GET /v1/webhook-endpoints`

use axum::Json;
use axum::extract::State;
use uuid::Uuid;

use super::EndpointView;
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::params::{Page, Paging, Params, page_limit, read_cursor, write_cursor};
use crate::api::problem::{Kind, Problem, ProblemDocument};

/// All webhook endpoints, oldest first. A key that is limited to accounts sees those that get events of no others.
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
    let after = match paging.cursor.as_deref() {
        Some(cursor) => read_cursor(cursor)?
            .parse()
            .map_err(|_| Problem::new(Kind::MalformedRequest, "The cursor is none that this API gave."))?,
        None => Uuid::nil(),
    };
    let mut endpoints = state.store.webhook_endpoints(after, limit + 1, caller.accounts()).await?;
    let more = endpoints.len() > usize::try_from(limit).unwrap_or(usize::MAX);
    if more {
        endpoints.pop();
    }
    let next_cursor = endpoints.last().filter(|_| more).map(|last| write_cursor(&last.id.to_string()));
    Ok(Json(Page { items: endpoints.into_iter().map(EndpointView::from).collect(), next_cursor }))
}
