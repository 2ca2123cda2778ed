//! `GET /v1/accounts/{account}/provider-orders`

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::account;
use crate::api::AppState;
use crate::api::asking::ask;
use crate::api::auth::{Caller, Scope};
use crate::api::params::{Params, read_cursor_of, storable, write_cursor};
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::canonical::DocumentType;
use crate::provider::{OrderSearch, ProviderOrder, SearchTime};

/// Orders on a page where the caller does not say.
const PAGE: u32 = 50;

/// Which of the provider's orders are listed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ProviderOrdersQuery {
    /// Kind of document; transport_order when absent
    pub document_type: Option<DocumentType>,
    /// The provider's own word for a state; some providers list orders of one state only, and want it
    pub state: Option<String>,
    /// Which time `from` and `to` are about; created when absent
    #[param(inline)]
    pub time_type: Option<SearchTime>,
    /// At or after this instant
    pub from: Option<DateTime<Utc>>,
    /// At or before this instant
    pub to: Option<DateTime<Utc>>,
    /// The provider's number
    pub provider_order_number: Option<String>,
    /// The end customer's reference
    pub customer_reference: Option<String>,
    /// The provider's number of a trip
    pub trip_number: Option<String>,
    /// Name of who sends
    pub consignor_name: Option<String>,
    /// Phone of who sends
    pub consignor_phone: Option<String>,
    /// Address of who sends
    pub consignor_address: Option<String>,
    /// Name of who receives
    pub consignee_name: Option<String>,
    /// Phone of who receives
    pub consignee_phone: Option<String>,
    /// Address of who receives
    pub consignee_address: Option<String>,
    /// Name of the driver
    pub driver_name: Option<String>,
    /// Phone of the driver
    pub driver_phone: Option<String>,
    /// Licence plate of the vehicle
    pub license_plate: Option<String>,
    /// Number of a bound tracking device
    pub tracking_device: Option<String>,
    /// Own organisation units, separated by commas: names, paths, or aliases of the account's `branchMap`
    pub branches: Option<String>,
    /// Orders on a page, 1 to 50
    #[param(minimum = 1, maximum = 50, default = 50)]
    pub limit: Option<u32>,
    /// `nextCursor` of the page before
    pub cursor: Option<String>,
}

/// A page of the provider's orders.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProviderOrders {
    pub items: Vec<ProviderOrder>,
    /// Orders that match in all
    pub total: u64,
    /// Where the next page begins; null at the end
    #[schema(required)]
    pub next_cursor: Option<String>,
}

/// Orders as the account's provider holds them now.
///
/// Also those that the gateway did not make. Which filters it takes depends on the provider; one that it does not take
/// is refused.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/provider-orders", operation_id = "listProviderOrders", tag = "accounts",
    params(("account" = String, Path, description = "Id of the account"), ProviderOrdersQuery),
    responses(
        (status = 200, description = "A page of the provider's orders", body = ProviderOrders),
        (status = 400, description = "A parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such account that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The provider cannot be asked like this", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "The quota at the provider is used up for now", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 502, description = "The provider refused, or was not understood", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 504, description = "The provider did not answer in time", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:read"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    Params(query): Params<ProviderOrdersQuery>,
) -> Result<Json<ProviderOrders>, Problem> {
    let account = account(&state, &caller, Scope::OrdersRead, &id).await?;
    let document_type = query.document_type.unwrap_or(DocumentType::TransportOrder);
    let search = search(query)?;
    let found = ask(&state, &account, "list its orders", |calls| calls.search(document_type), &search).await?;
    let seen = u64::from(search.page) * u64::from(search.size);
    let more = !found.orders.is_empty() && seen < found.total;
    Ok(Json(ProviderOrders {
        items: found.orders,
        total: found.total,
        next_cursor: more.then(|| write_cursor(&(search.page + 1).to_string())),
    }))
}

fn search(query: ProviderOrdersQuery) -> Result<OrderSearch, Problem> {
    let page = read_cursor_of(query.cursor.as_deref())?.unwrap_or(1);
    let size = query.limit.unwrap_or(PAGE);
    if !(1..=PAGE).contains(&size) {
        return Err(Problem::new(Kind::MalformedRequest, "limit must lie between 1 and 50."));
    }
    let branches = query.branches.as_deref().unwrap_or_default();
    Ok(OrderSearch {
        page,
        size,
        state: query.state,
        time_type: query.time_type,
        from: storable("from", query.from)?,
        to: storable("to", query.to)?,
        provider_order_number: query.provider_order_number,
        customer_reference: query.customer_reference,
        trip_number: query.trip_number,
        consignor_name: query.consignor_name,
        consignor_phone: query.consignor_phone,
        consignor_address: query.consignor_address,
        consignee_name: query.consignee_name,
        consignee_phone: query.consignee_phone,
        consignee_address: query.consignee_address,
        driver_name: query.driver_name,
        driver_phone: query.driver_phone,
        license_plate: query.license_plate,
        tracking_device: query.tracking_device,
        branches: branches.split(',').map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect(),
    })
}
