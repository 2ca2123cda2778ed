//! `POST /v1/webhook-endpoints/{id}/deliveries/{deliveryId}/redeliver`

use axum::Json;
use axum::extract::State;
use serde_json::json;

use super::{DeliveryView, read};
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::params::{NoParams, Params, TwoIds};
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::canonical::Action;
use crate::store::webhook_deliveries::Redelivered;

/// Delivers an event to the endpoint once more.
///
/// Whatever became of it: at once, with all its tries before it, and under the same `webhook-id`.
#[utoipa::path(
    post, path = "/v1/webhook-endpoints/{id}/deliveries/{deliveryId}/redeliver", operation_id = "redeliverWebhook", tag = "webhook endpoints",
    params(
        ("id" = uuid::Uuid, Path, description = "Id of the endpoint"),
        ("deliveryId" = uuid::Uuid, Path, description = "Id of the delivery, which is that of its event"),
    ),
    responses(
        (status = 200, description = "The delivery, on its way", body = DeliveryView),
        (status = 400, description = "There is a query parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such delivery that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "It is being delivered, the endpoint is disabled, or the event is not kept any more", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    TwoIds(id, event_id): TwoIds,
    _: Params<NoParams>,
) -> Result<Json<DeliveryView>, Problem> {
    let endpoint = read(&state, &caller, id).await?;
    let conflict = |detail: &str| Err(Problem::new(Kind::StateConflict, detail));
    if endpoint.disabled_at.is_some() {
        return conflict(
            "The endpoint is disabled; enable it with PATCH {\"enabled\": true}, then what waits for it goes.",
        );
    }
    let act = caller.act(Action::RedeliverWebhook, id, None, json!({"event": event_id}));
    match state.store.redeliver(id, event_id, &act).await? {
        Redelivered::Done => {}
        Redelivered::UnderWay => return conflict("It is being delivered right now."),
        Redelivered::EventGone => return conflict("The event is not kept any more."),
        Redelivered::Unknown => return Err(Problem::not_found("delivery")),
    }
    // Read before it may be claimed again: the answer says that it is on its way.
    let delivery = state.store.webhook_delivery(id, event_id).await?.ok_or_else(|| Problem::not_found("delivery"))?;
    state.events.wake_deliveries();
    tracing::info!(endpoint = %id, event = %event_id, by = %caller.key_id, "webhook delivered again on demand");
    Ok(Json(DeliveryView::from(delivery)))
}
