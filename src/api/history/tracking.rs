//! `GET /v1/orders/{id}/tracking`

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::order;
use crate::api::AppState;
use crate::api::asking::ask_problem;
use crate::api::auth::Caller;
use crate::api::params::{Id, Params};
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::canonical::{EventType, OrderStatus};
use crate::store::events::StoredEvent;
use crate::store::orders::StoredOrder;

/// How an order is tracked.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct TrackingQuery {
    /// Ask the provider now, where it can be asked
    #[param(default = false)]
    pub refresh: Option<bool>,
}

/// Where an order stands and what happened to it on the way.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Tracking {
    pub order_id: Uuid,
    /// The caller's number
    pub order_number: String,
    /// The provider's number, once it is known
    #[schema(required)]
    pub provider_order_number: Option<String>,
    pub status: OrderStatus,
    /// Oldest first
    pub milestones: Vec<Milestone>,
    /// When the provider was asked last; null when it never was
    #[schema(required)]
    pub refreshed_at: Option<DateTime<Utc>>,
    /// Whether the gateway knows the whole document
    pub document_complete: bool,
}

/// Something that happened to an order or its transport, with what the event says of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Milestone {
    pub r#type: EventType,
    /// When it happened, as far as is known
    pub occurred_at: DateTime<Utc>,
    /// The event's data
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub data: Map<String, Value>,
}

impl From<StoredEvent> for Milestone {
    fn from(stored: StoredEvent) -> Self {
        let StoredEvent {
            id: _,
            event_type,
            account_id: _,
            order_id: _,
            data,
            occurred_at,
            recorded_at: _,
            trace_parent: _,
        } = stored;
        let mut data = match data {
            Value::Object(members) => members,
            _ => Map::new(),
        };
        // The milestone's own members stand beside them, and no name may stand twice.
        data.retain(|name, _| name != "type" && name != "occurredAt");
        Milestone { r#type: event_type, occurred_at, data }
    }
}

/// Where an order stands, and its milestones.
///
/// As far as is known. `refresh=true` asks the provider first, within its quota.
#[utoipa::path(
    get, path = "/v1/orders/{id}/tracking", operation_id = "trackOrder", tag = "orders",
    params(("id" = uuid::Uuid, Path, description = "Id of the order"), TrackingQuery),
    responses(
        (status = 200, description = "Where the order stands", body = Tracking),
        (status = 400, description = "A parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such order that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "The account was deleted; the provider cannot be asked", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The provider cannot be asked", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "The quota at the provider is used up for now", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 502, description = "The provider refused, was not understood, or does not know the order", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 504, description = "The provider did not answer in time", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:read"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    Params(query): Params<TrackingQuery>,
) -> Result<Json<Tracking>, Problem> {
    let mut order = self::order(&state, &caller, id).await?;
    // Before the provider took it, its submission tells more than the provider could.
    if query.refresh == Some(true) && order.placed {
        refresh(&state, &order).await?;
        order = self::order(&state, &caller, id).await?;
    }
    let milestones = state.store.milestones(id).await?.into_iter().map(Milestone::from).collect();
    Ok(Json(Tracking {
        order_id: id,
        order_number: order.document["orderNumber"].as_str().unwrap_or_default().to_owned(),
        provider_order_number: order.provider_order_number,
        status: order.status,
        milestones,
        refreshed_at: order.refreshed_at,
        document_complete: order.document_complete,
    }))
}

/// Asks the provider where the order stands, and keeps what it says.
async fn refresh(state: &AppState, order: &StoredOrder) -> Result<(), Problem> {
    let account = state.store.account(&order.account_id).await?;
    let account = account.ok_or_else(|| {
        Problem::new(Kind::StateConflict, "The account of this order was deleted; its provider cannot be asked.")
    })?;
    let what = "be asked where an order stands; without refresh the answer is what is known";
    match state.delivery.refresh(order).await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Problem::new(Kind::ProviderError, "The provider does not know this order.")),
        Err(error) => Err(ask_problem(&account, what, error)),
    }
}
