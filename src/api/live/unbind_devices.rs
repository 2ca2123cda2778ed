//! `POST /v1/orders/{id}/devices/unbind`

use axum::extract::State;
use axum::http::StatusCode;

use super::account;
use crate::api::AppState;
use crate::api::asking::ask;
use crate::api::auth::{Caller, Scope};
use crate::api::params::{Id, NoParams, Params};
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::api::visible;
use crate::canonical::Order;

/// Unbinds the tracking devices of an order.
///
/// The provider is asked at once; the call may be repeated.
#[utoipa::path(
    post, path = "/v1/orders/{id}/devices/unbind", operation_id = "unbindDevices", tag = "orders",
    params(("id" = uuid::Uuid, Path, description = "Id of the order")),
    responses(
        (status = 204, description = "No device is bound any more"),
        (status = 400, description = "A parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:write", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such order that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "The provider's number of the order is not known", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The provider binds no devices to this kind of document", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "The quota at the provider is used up for now", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 502, description = "The provider refused, or was not understood", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 504, description = "The provider did not answer in time", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["orders:write"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    _: Params<NoParams>,
) -> Result<StatusCode, Problem> {
    caller.require(Scope::OrdersWrite)?;
    let order = visible::order(&state, &caller, id).await?;
    let account = account(&state, &caller, Scope::OrdersWrite, &order.account_id).await?;
    let document: Order = serde_json::from_value(order.document)
        .map_err(|error| Problem::new(Kind::Internal, format!("The stored order cannot be read: {error}.")))?;
    let Some(number) = order.provider_order_number else {
        return Err(Problem::new(Kind::StateConflict, "The provider has not given the order a number yet."));
    };
    let document_type = document.document_type();
    let call = |calls: &'static crate::provider::Calls| {
        calls.unbind_devices.as_ref().filter(|call| call.document_type == document_type).map(|call| &call.call)
    };
    ask(&state, &account, "unbind devices from this kind of document", call, &vec![number]).await?;
    Ok(StatusCode::NO_CONTENT)
}
