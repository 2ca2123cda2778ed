//! `GET /v1/events/stream`

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use utoipa::IntoParams;

use super::{filter, read_start, write_feed_cursor};
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::params::Params;
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::event::{CloudEvent, Step, read};
use crate::store::feed::{FeedEvent, FeedStart};

/// The longest silence: proxies cut connections on which nothing moves.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How long a client shall wait before it comes again after the connection broke.
const RECONNECT: Duration = Duration::from_secs(2);
/// When a client may come again that found no room.
const NO_ROOM: Duration = Duration::from_secs(10);

/// Which events are followed.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct StreamQuery {
    /// A cursor of the feed, or the `id` of an event of a stream; the oldest event that is kept when absent. `latest`
    /// stands for the end of the feed.
    pub after: Option<String>,
    /// Account
    pub account: Option<String>,
    /// Type of event, or several with commas between them
    #[param(example = "order.placed,order.cancelled")]
    pub r#type: Option<String>,
}

/// The feed as server-sent events, as it grows.
///
/// `id` is a cursor of the feed, `event` the type, `data` the CloudEvent. A client that comes again with
/// `Last-Event-ID` goes on where it was. When nothing happens, a comment comes every 15 seconds; a block that has an
/// `id` and no `data` only says how far the feed was read. The stream ends when the gateway stops or the key is
/// revoked.
#[utoipa::path(
    get, path = "/v1/events/stream", operation_id = "streamEvents", tag = "events",
    params(
        StreamQuery,
        ("Last-Event-ID" = Option<String>, Header, description = "`id` of the last event that was seen; wins over `after`"),
    ),
    responses(
        (status = 200, description = "Server-sent events", body = String, content_type = "text/event-stream"),
        (status = 400, description = "A parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 410, description = "Events after this cursor are not kept any more", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 503, description = "Too many streams are open", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:read"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Params(query): Params<StreamQuery>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let StreamQuery { after, account, r#type } = query;
    let filter = filter(&caller, account, r#type.as_deref())?;
    let last_seen = headers.get("last-event-id").map(|id| id.to_str().unwrap_or_default()).filter(|id| !id.is_empty());
    let start = read_start(last_seen.or(after.as_deref()))?;
    // A cursor that has expired is a problem document, not a stream that ends at once.
    let begins = read(&state.store, &filter, start, 0).await?.after;
    let follower = state.events.follow(begins, filter, caller.key_id).ok_or_else(|| {
        Problem::new(Kind::Unavailable, "Too many streams are open here; try again, or poll GET /v1/events.")
            .with_retry_after(NO_ROOM)
    })?;
    // Else a client that breaks off before the first event would begin elsewhere.
    let opening = if start == FeedStart::Latest { passed(begins) } else { Event::default() }.retry(RECONNECT);
    let following = stream::unfold(follower, async |mut follower| {
        let event = match follower.next().await? {
            Step::Event(found) => told(found),
            Step::Passed(position) => passed(position),
        };
        Some((Ok::<_, Infallible>(event), follower))
    });
    let events = stream::StreamExt::chain(stream::iter([Ok(opening)]), following);
    let stream = Sse::new(events).keep_alive(KeepAlive::new().interval(KEEP_ALIVE).text("nothing new"));
    // Proxies of the nginx family would hold events back.
    Ok(([("x-accel-buffering", "no")], stream).into_response())
}

fn told(found: FeedEvent) -> Event {
    let FeedEvent { position, event } = found;
    let event = CloudEvent::from(event);
    let data = serde_json::to_string(&event).unwrap_or_default();
    Event::default().id(write_feed_cursor(position)).event(event.r#type.to_string()).data(data)
}

/// How far the feed was read; no event, since it has no data.
fn passed(position: i64) -> Event {
    Event::default().id(write_feed_cursor(position))
}
