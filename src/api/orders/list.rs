//! `GET /v1/orders`

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Deserialize;
use utoipa::IntoParams;

use super::with_submissions;
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::params::{Page, Params, page_limit, read_time_cursor, storable, write_time_cursor};
use crate::api::problem::{Problem, ProblemDocument};
use crate::api::views::{OrderEnvelope, OrderView};
use crate::canonical::{OrderStatus, SubmissionState};
use crate::store::orders::{OrderFilter, OrderPage};

/// Which orders are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct OrdersQuery {
    /// Account
    pub account: Option<String>,
    /// The caller's number
    pub order_number: Option<String>,
    /// The provider's number
    pub provider_order_number: Option<String>,
    /// Where the transport stands
    pub status: Option<OrderStatus>,
    /// State of the latest submission
    pub submission_state: Option<SubmissionState>,
    /// Accepted at or after this instant
    pub created_from: Option<DateTime<Utc>>,
    /// Accepted before this instant
    pub created_to: Option<DateTime<Utc>>,
    /// Items on a page, 1 to 200
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
    /// `nextCursor` of the page before
    pub cursor: Option<String>,
}

/// Orders, newest first.
///
/// By account, by either number, by where they stand, and by when they were accepted.
#[utoipa::path(
    get, path = "/v1/orders", operation_id = "listOrders", tag = "orders",
    params(OrdersQuery),
    responses(
        (status = 200, description = "A page of orders", body = Page<OrderEnvelope>),
        (status = 400, description = "A parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:read", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:read"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Params(query): Params<OrdersQuery>,
) -> Result<Json<Page<OrderView>>, Problem> {
    caller.require(Scope::OrdersRead)?;
    let limit = u16::try_from(page_limit(query.limit)?).unwrap_or(u16::MAX);
    let before = query.cursor.as_deref().map(read_time_cursor).transpose()?;
    let filter = OrderFilter {
        account: query.account.as_deref(),
        order_number: query.order_number.as_deref(),
        provider_order_number: query.provider_order_number.as_deref(),
        status: query.status.map(Into::into),
        submission_state: query.submission_state.map(Into::into),
        created_from: storable("createdFrom", query.created_from)?,
        created_to: storable("createdTo", query.created_to)?,
        allowed: caller.accounts(),
        before,
        limit,
    };
    let OrderPage { orders, more } = state.store.orders(&filter).await?;
    let next_cursor = orders.last().filter(|_| more).map(|last| write_time_cursor(last.created_at, last.id));
    Ok(Json(Page { items: with_submissions(&state, orders).await?, next_cursor }))
}
