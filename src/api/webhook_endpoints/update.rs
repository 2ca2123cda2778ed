//! `PATCH /v1/webhook-endpoints/{id}`

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::checking::{NewEndpointBody, prepare};
use super::{EndpointView, read};
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::body::{JsonBody, errors_of, read_only, validate};
use crate::api::etag::IfMatch;
use crate::api::params::{Id, NoParams, Params};
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::canonical::{Action, EventType, FieldError, merge_patch};
use crate::store::webhook_endpoints::StoredEndpoint;

/// Members that no caller sets.
const READ_ONLY: &[&str] = &[
    "id",
    "secret",
    "disabledAt",
    "disabledReason",
    "failingSince",
    "previousSecretUntil",
    "version",
    "createdAt",
    "updatedAt",
];

/// How often a change is made anew because the endpoint changed under it.
const MOST_LOOKS: usize = 5;

/// A merge patch (RFC 7396) of a webhook endpoint: null takes a member back to its default.
#[derive(ToSchema)]
#[schema(as = WebhookEndpointPatch, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the patch; what is read is the endpoint with the patch in it")]
pub struct EndpointPatch {
    /// Where events are posted to; what waits goes there at once
    #[schema(max_length = 2000, required = false)]
    url: String,
    /// The types of events that it gets, from now on
    types: Option<Vec<EventType>>,
    /// The accounts whose events it gets, from now on
    accounts: Option<Vec<String>>,
    /// For people
    #[schema(max_length = 200)]
    description: Option<String>,
    /// False holds deliveries, true lets what waits go at once
    enabled: Option<bool>,
}

/// Changes a webhook endpoint.
///
/// `enabled` holds its deliveries, or lets them go at once.
#[utoipa::path(
    patch, path = "/v1/webhook-endpoints/{id}", operation_id = "updateWebhookEndpoint", tag = "webhook endpoints",
    params(
        ("id" = uuid::Uuid, Path, description = "Id of the endpoint"),
        ("If-Match" = Option<String>, Header, pattern = r#"^(\*|(W/)?"[^",]*"( *, *(W/)?"[^",]*")*)$"#, description = "The ETag that the change was made for; 412 when the endpoint changed meanwhile"),
    ),
    request_body(content = EndpointPatch, content_type = "application/merge-patch+json", description = "What changes; `application/json` is taken too"),
    responses(
        (status = 200, description = "The endpoint, changed", body = EndpointView, headers(("ETag" = String))),
        (status = 400, description = "The request cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin, or is limited to accounts and none would be named", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such endpoint that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "The endpoint changes too fast", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "The endpoint changed meanwhile", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The endpoint would not be valid, or a member is read-only", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Id(id): Id,
    _: Params<NoParams>,
    if_match: IfMatch,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    for _ in 0..MOST_LOOKS {
        let stored = read(&state, &caller, id).await?;
        if_match.require(stored.version)?;
        let version = stored.version;
        let Patched { endpoint, enabled, reason } = patched(stored, &body.value)?;
        let choice = prepare(&state, &caller, endpoint).await?;
        let reason = (!enabled).then_some(reason.as_deref().unwrap_or("disabled by an administrator"));
        let names: Option<Vec<_>> = body.value.as_object().map(|patch| patch.keys().collect());
        let chosen = json!({"changed": names, "url": choice.url, "accounts": choice.accounts, "enabled": enabled});
        let act = caller.act(Action::UpdateWebhookEndpoint, id, None, chosen);
        if state.store.update_webhook_endpoint(id, &choice, reason, version, &act).await? {
            state.events.wake_deliveries();
            tracing::info!(endpoint = %id, by = %caller.key_id, enabled, "webhook endpoint changed");
            let endpoint = EndpointView::from(read(&state, &caller, id).await?);
            return Ok(([(header::ETAG, format!("\"{}\"", endpoint.version))], Json(endpoint)).into_response());
        }
    }
    Err(Problem::new(Kind::StateConflict, "The endpoint changes faster than this change can be made; repeat it."))
}

/// An endpoint with a patch in it.
struct Patched {
    endpoint: NewEndpointBody,
    enabled: bool,
    /// Why it was disabled before
    reason: Option<String>,
}

/// The endpoint with the patch in it, or everything that is wrong with it.
fn patched(stored: StoredEndpoint, patch: &Value) -> Result<Patched, Problem> {
    let Some(members) = patch.as_object() else {
        return Err(Problem::invalid(vec![FieldError::new(
            "",
            "validation.invalid_type",
            "must be an object: a merge patch of the endpoint",
            "必须为对象:Webhook 端点的合并补丁",
        )]));
    };
    let mut changes = members.clone();
    let mut errors: Vec<FieldError> =
        READ_ONLY.iter().filter(|name| changes.shift_remove(**name).is_some()).map(|name| read_only(name)).collect();
    let enabled = match changes.shift_remove("enabled") {
        None => stored.disabled_at.is_none(),
        Some(Value::Null) => true,
        Some(Value::Bool(enabled)) => enabled,
        Some(_) => {
            errors.push(FieldError::new(
                "/enabled",
                "validation.invalid_type",
                "must be true or false",
                "必须为布尔值",
            ));
            true
        }
    };
    let reason = stored.disabled_reason.clone();
    let mut document = document(stored);
    merge_patch(&mut document, &Value::Object(changes));
    errors.extend(errors_of::<NewEndpointBody>(&document));
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    Ok(Patched { endpoint: validate(&document)?, enabled, reason })
}

/// The endpoint as it would be posted.
fn document(stored: StoredEndpoint) -> Value {
    let StoredEndpoint {
        id: _,
        url,
        description,
        types,
        accounts,
        previous_secret_until: _,
        disabled_at: _,
        disabled_reason: _,
        failing_since: _,
        version: _,
        created_at: _,
        updated_at: _,
    } = stored;
    let mut document = json!({"url": url});
    let optional = [("description", json!(description)), ("types", json!(types)), ("accounts", json!(accounts))];
    for (name, value) in optional.into_iter().filter(|(_, value)| !value.is_null()) {
        document[name] = value;
    }
    document
}
