//! `GET /v1/events`

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{filter, read_start, write_feed_cursor};
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::params::{Params, page_limit};
use crate::api::problem::{Problem, ProblemDocument};
use crate::event::{CloudEvent, NextPage, read};

/// Which events are read.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct EventsQuery {
    /// `nextCursor` of the page before; the oldest event that is kept when absent. `latest` stands for the end of the
    /// feed.
    pub after: Option<String>,
    /// Account
    pub account: Option<String>,
    /// Type of event, or several with commas between them
    #[param(example = "order.placed,order.cancelled")]
    pub r#type: Option<String>,
    /// Events on a page, 1 to 200
    #[param(minimum = 1, maximum = 200, default = 50)]
    pub limit: Option<u16>,
}

/// A page of the feed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventPage {
    /// In the order of the feed, which never changes
    pub items: Vec<CloudEvent>,
    /// Send it as `after` to go on; always there. It is the one that was sent when there is nothing new.
    pub next_cursor: String,
}

/// What happened, in an order that never changes.
///
/// A consumer that goes on with `nextCursor` never misses an event and never gets one twice. A page may hold fewer
/// than `limit` events, even none, before the end of the feed, when little passes the filters: the end is where
/// `nextCursor` stays the same. A key that is limited to accounts gets their events alone.
#[utoipa::path(
    get, path = "/v1/events", operation_id = "listEvents", tag = "events",
    params(EventsQuery),
    responses(
        (status = 200, description = "A page of the feed", body = EventPage),
        (status = 400, description = "A parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "Events after this cursor are not kept any more", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:read"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Params(query): Params<EventsQuery>,
) -> Result<Json<EventPage>, Problem> {
    let EventsQuery { after, account, r#type, limit } = query;
    let filter = filter(&caller, account, r#type.as_deref())?;
    let limit = page_limit(limit)?;
    let start = read_start(after.as_deref())?;
    let NextPage { after: _, events, next, at_end: _ } = read(&state.store, &filter, start, limit).await?;
    let items = events.into_iter().map(|found| CloudEvent::from(found.event)).collect();
    Ok(Json(EventPage { items, next_cursor: write_feed_cursor(next) }))
}
