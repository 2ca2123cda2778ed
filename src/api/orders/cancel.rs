//! `POST /v1/orders/{id}/cancel`

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use uuid::Uuid;

use super::answering::{Wait, lost_race, queue_full, queued, replayed};
use super::{MOST_LOOKS, answer, changes_too_fast, known_number, read, seen};
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::etag::IfMatch;
use crate::api::idempotency::IdempotencyHeader;
use crate::api::params::{Id, MutationParams, Params, PreferWait};
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::api::translating::{Translated, account_of_order, translation_answer};
use crate::api::views::{OrderEnvelope, OrderOrTranslation};
use crate::canonical::{Operation, Order, OrderStatus};
use crate::metrics::OPERATIONS_ACCEPTED;
use crate::provider::Item;
use crate::store::idempotency::IdempotencyKey;
use crate::store::orders::StoredOrder;
use crate::store::submit::{CancelledHere, NewSubmission, Submitted};

/// Cancels an order.
///
/// An order whose creation is still queued and never went out is cancelled here and never sent: 200 at once.
/// Else the cancellation is queued for the provider, if the provider has one.
#[utoipa::path(
    post, path = "/v1/orders/{id}/cancel", operation_id = "cancelOrder", tag = "orders",
    params(
        ("id" = uuid::Uuid, Path, description = "Id of the order"),
        MutationParams,
        ("If-Match" = Option<String>, Header, pattern = r#"^(\*|(W/)?"[^",]*"( *, *(W/)?"[^",]*")*)$"#, description = "The ETag that the caller has seen; 412 when the order changed meanwhile"),
        ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "Makes a repetition of this request safe; kept 72 hours"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds, at most 30, for the provider's answer"),
    ),
    responses(
        (status = 200, description = "The order is cancelled, or the provider answered within the wait; with validateOnly: what would be sent", body = OrderOrTranslation, headers(("ETag" = String))),
        (status = 202, description = "Accepted and queued", body = OrderEnvelope, headers(("ETag" = String))),
        (status = 400, description = "A header or a parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:write", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such order that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "The order was never placed, or is being cancelled already", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "The order changed meanwhile", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The order may stand at the provider, which has no cancellation", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:write"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Id(order_id): Id,
    Params(params): Params<MutationParams>,
    if_match: IfMatch,
    prefer: PreferWait,
    idempotency: IdempotencyHeader,
) -> Result<Response, Problem> {
    caller.require(Scope::OrdersWrite)?;
    if params.validate_only {
        let stored = seen(&state, &caller, order_id, &if_match).await?;
        return translation_answer(translation(&state, &stored).await?);
    }
    let key = idempotency.key(&caller, "POST", b"", prefer);
    if let Some(response) = replayed(&state, &caller, key.as_ref()).await? {
        return Ok(response);
    }
    for _ in 0..MOST_LOOKS {
        let stored = seen(&state, &caller, order_id, &if_match).await?;
        if stored.status == OrderStatus::Cancelled {
            // Cancelled is cancelled, however often it is asked for.
            return Ok(answer(StatusCode::OK, &read(&state, &caller, order_id).await?));
        }
        match state.store.cancel_here(order_id, stored.version, key.as_ref()).await? {
            CancelledHere::Done => return Ok(answer(StatusCode::OK, &read(&state, &caller, order_id).await?)),
            CancelledHere::KeyKnown => return lost_race(&state, &caller, key.as_ref()).await,
            CancelledHere::OrderChanged => {}
            CancelledHere::TooLate => {
                if let Some(response) = at_provider(&state, &caller, &stored, prefer, key.as_ref()).await? {
                    return Ok(response);
                }
            }
        }
    }
    Err(changes_too_fast())
}

/// The cancellation in the provider's words.
async fn translation(state: &AppState, stored: &StoredOrder) -> Result<Translated, Problem> {
    let conflict = |detail: &str| Problem::new(Kind::StateConflict, detail);
    if stored.unfinished.contains(&Operation::Cancel) {
        return Err(conflict("The order is being cancelled already."));
    }
    if stored.unfinished.contains(&Operation::CreateTrip) {
        return Err(conflict("The order goes out with a trip that the provider has not answered yet."));
    }
    if !stored.placed && !stored.unfinished.contains(&Operation::Create) {
        return Err(conflict("The order was never placed; there is nothing to cancel."));
    }
    let order: Order = serde_json::from_value(stored.document.clone())
        .map_err(|error| Problem::new(Kind::Internal, format!("The stored order cannot be read: {error}.")))?;
    account_of_order(state, &stored.account_id).await?.translate(Item {
        operation: Operation::Cancel,
        provider_order_number: known_number(stored),
        adopted: stored.adopted,
        ..Item::create(&order)
    })
}

/// Queues a cancellation for the provider; nothing when the order changed meanwhile.
async fn at_provider(
    state: &AppState,
    caller: &Caller,
    stored: &StoredOrder,
    prefer: PreferWait,
    key: Option<&IdempotencyKey>,
) -> Result<Option<Response>, Problem> {
    let translated = translation(state, stored).await?;
    let submission_id = Uuid::now_v7();
    let wait = Wait::begin(state, submission_id, prefer);
    let new = NewSubmission {
        submission_id,
        order_id: stored.id,
        checked_version: stored.version,
        endpoint: &translated.lane.endpoint,
        operation: Operation::Cancel,
        change: None,
        batch_key: &translated.batch_key,
        notices: &translated.notices,
        idempotency: key,
        // What takes work away always passes.
        queue_limit: None,
        trace_parent: caller.trace_parent(),
    };
    match state.store.submit(&new).await? {
        Submitted::Queued => {
            OPERATIONS_ACCEPTED.increment([&stored.account_id, Operation::Cancel.into()]);
            state.delivery.wake(&translated.lane);
            queued(state, caller, stored.id, wait, key, StatusCode::OK, |_| None).await.map(Some)
        }
        Submitted::KeyKnown => lost_race(state, caller, key).await.map(Some),
        Submitted::QueueFull => Err(queue_full(&stored.account_id)),
        Submitted::OrderChanged => Ok(None),
    }
}
