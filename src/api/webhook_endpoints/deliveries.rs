//! `GET /v1/webhook-endpoints/{id}/deliveries`

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{DeliveryView, read};
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::params::{Id, Page, Params, page_limit, read_cursor_of, write_cursor};
use crate::api::problem::{Problem, ProblemDocument};
use crate::canonical::DeliveryState;

/// Which deliveries are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct DeliveriesQuery {
    /// Where they stand
    pub state: Option<DeliveryState>,
    /// Items on a page, 1 to 200
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// `nextCursor` of the page before
    pub cursor: Option<String>,
}

/// What was and will be delivered to an endpoint.
///
/// Newest event first, for as long as events are kept.
#[utoipa::path(
    get, path = "/v1/webhook-endpoints/{id}/deliveries", operation_id = "listWebhookDeliveries", tag = "webhook endpoints",
    params(("id" = uuid::Uuid, Path, description = "Id of the endpoint"), DeliveriesQuery),
    responses(
        (status = 200, description = "A page of deliveries", body = Page<DeliveryView>),
        (status = 400, description = "A parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
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
    Params(query): Params<DeliveriesQuery>,
) -> Result<Json<Page<DeliveryView>>, Problem> {
    let DeliveriesQuery { state: wanted, limit, cursor } = query;
    read(&state, &caller, id).await?;
    let limit = page_limit(limit)?;
    let before: Option<i64> = read_cursor_of(cursor.as_deref())?;
    let deliveries = state.store.webhook_deliveries(id, wanted, before, limit + 1).await?;
    let page = Page::cut(deliveries, limit, |last| write_cursor(&last.position.to_string()));
    Ok(Json(page.map(DeliveryView::from)))
}
