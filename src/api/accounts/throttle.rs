//! `GET /v1/accounts/{account}/throttle`

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::read;
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::params::{NoParams, Page, Params};
use crate::api::problem::{Problem, ProblemDocument};
use crate::delivery::LaneQuota;
use crate::provider;
use crate::store::lanes::LaneState;

/// The quota and the queue of one endpoint.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Throttle)]
#[serde(rename_all = "camelCase")]
pub struct ThrottleView {
    pub endpoint: String,
    /// Requests in any window
    pub limit: u32,
    /// Length of the window in seconds
    pub window: u64,
    /// Requests that may leave at once after a rest
    pub burst: u32,
    /// Requests that may leave right now
    pub available: u32,
    /// Submissions of the account that wait
    pub queued: i64,
    /// Since when the oldest of them waits
    #[schema(required)]
    pub oldest_queued_at: Option<DateTime<Utc>>,
    /// Exchanges under way in the lane
    pub in_flight: i64,
    pub circuit: Circuit,
}

/// Whether the provider can be reached.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Circuit {
    /// It can, as far as is known
    Closed,
    /// It cannot; orders wait
    Open,
    /// It could not; the next request tries again
    HalfOpen,
}

/// Quotas and queues of an account, endpoint by endpoint.
///
/// What may leave now, what waits and since when, what is under way, and whether the provider can be reached.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/throttle", operation_id = "getThrottle", tag = "accounts",
    params(("account" = String, Path, description = "Id of the account")),
    responses(
        (status = 200, description = "The endpoints", body = Page<ThrottleView>),
        (status = 400, description = "There is a query parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such account that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Path(account): Path<String>,
    _: Params<NoParams>,
) -> Result<Json<Page<ThrottleView>>, Problem> {
    let account = read(&state, &caller, &account).await?;
    let members = state.store.lane_members().await?;
    let shared: Vec<_> = members
        .iter()
        .filter(|member| member.provider == account.provider && member.throttle_group == account.throttle_group)
        .map(|member| &member.throttles)
        .collect();
    let endpoints = provider::find(&account.provider).map(|provider| provider.profile().endpoints).unwrap_or_default();
    let mut items = Vec::with_capacity(endpoints.len());
    for endpoint in endpoints {
        if let Some(lane) = state.store.lane_state(&account.id, endpoint.id).await? {
            items.push(view(endpoint.id, &LaneQuota::of(endpoint, shared.iter().copied()), lane));
        }
    }
    Ok(Json(Page { items, next_cursor: None }))
}

fn view(endpoint: &str, quota: &LaneQuota, lane: LaneState) -> ThrottleView {
    let pace = &quota.pace;
    ThrottleView {
        endpoint: endpoint.to_owned(),
        limit: pace.limit.requests,
        window: pace.limit.window.as_secs(),
        burst: pace.burst,
        available: pace.available(lane.next_free_at.map(|free| free - lane.now)),
        queued: lane.queued,
        oldest_queued_at: lane.oldest_queued_at,
        in_flight: lane.in_flight,
        circuit: match lane.circuit_open_until {
            None => Circuit::Closed,
            Some(until) if until > lane.now => Circuit::Open,
            Some(_) => Circuit::HalfOpen,
        },
    }
}
