//! `PATCH /v1/orders/{id}/custom-fields`

use axum::extract::State;
use axum::response::Response;
use utoipa::ToSchema;

use super::changing::{Change, ChangeKind, change, preview};
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::body::JsonBody;
use crate::api::etag::IfMatch;
use crate::api::idempotency::IdempotencyHeader;
use crate::api::params::{Id, MutationParams, Params, PreferWait};
use crate::api::problem::{Problem, ProblemDocument};
use crate::api::views::{OrderEnvelope, OrderOrTranslation};
use crate::canonical::CustomFields;

/// A merge patch of an order's custom fields, and nothing else.
#[derive(ToSchema)]
#[expect(dead_code, reason = "the form of what is read as it comes")]
#[schema(as = CustomFieldsPatch)]
#[serde(rename_all = "camelCase")]
pub struct CustomFieldsPatch {
    /// A value is set, null clears the field
    pub custom_fields: CustomFields,
}

/// Changes custom fields of an order, and nothing else.
///
/// By the provider's own interface for that. The body is a merge patch of `customFields`: a value is set, null clears
/// the field.
#[utoipa::path(
    patch, path = "/v1/orders/{id}/custom-fields", operation_id = "updateCustomFields", tag = "orders",
    params(
        ("id" = uuid::Uuid, Path, description = "Id of the order"),
        MutationParams,
        ("If-Match" = Option<String>, Header, pattern = r#"^(\*|(W/)?"[^",]*"( *, *(W/)?"[^",]*")*)$"#, description = "The ETag that the change was made for; 412 when the order changed meanwhile"),
        ("Idempotency-Key" = Option<String>, Header, pattern = "^[!-~]{1,255}$", description = "Makes a repetition of this request safe; kept 72 hours"),
        ("Prefer" = Option<String>, Header, description = "`wait=N`: wait up to N seconds, at most 30, for the provider's answer"),
    ),
    request_body(content = CustomFieldsPatch, content_type = "application/merge-patch+json", description = "What changes"),
    responses(
        (status = 200, description = "The submission ended within the wait; its state says how. With validateOnly: what would be sent", body = OrderOrTranslation, headers(("ETag" = String), ("Preference-Applied" = String))),
        (status = 202, description = "Accepted and queued", body = OrderEnvelope, headers(("ETag" = String))),
        (status = 400, description = "The request cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope orders:write", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such order that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "The order cannot be changed in this state, or the provider needs members that are not known", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "The order changed meanwhile", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The order would not be valid, or the provider cannot carry the change", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "Too much waits for the account; nothing was accepted", body = ProblemDocument, content_type = "application/problem+json"),
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
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.require(Scope::OrdersWrite)?;
    let asked = Change { order_id, kind: ChangeKind::CustomFields, patch: &body.value, if_match: &if_match };
    if params.validate_only {
        return preview(&state, &caller, &asked).await;
    }
    let key = idempotency.key(&caller, "PATCH", &body.text.bytes, prefer);
    change(&state, &caller, &asked, prefer, key.as_ref()).await
}
