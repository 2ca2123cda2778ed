//! `PATCH /v1/accounts/{account}`

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::checking::{NewAccountBody, ThrottleOverride, prepare};
use super::{AccountView, read};
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::body::{JsonBody, errors_of, read_only, validate};
use crate::api::etag::IfMatch;
use crate::api::params::{NoParams, Params};
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::canonical::{Action, FieldError, merge_patch};
use crate::store::accounts::StoredAccount;
use crate::vault::Place;

/// Members of an account that no caller sets, or that never change.
const READ_ONLY: &[&str] =
    &["id", "provider", "callbackUrl", "previousCallbackUrlUntil", "paused", "version", "createdAt", "updatedAt"];

/// How often a change is made anew because the account changed under it.
const MOST_LOOKS: usize = 5;

/// A merge patch (RFC 7396) of an account: null takes a member back to its default.
#[derive(ToSchema)]
#[schema(as = AccountPatch, rename_all = "camelCase")]
#[expect(dead_code, reason = "describes the patch; what is read is the account with the patch in it")]
pub struct AccountPatch {
    /// For people
    #[schema(max_length = 200)]
    display_name: Option<String>,
    /// Where the provider is reached, without the endpoints' paths
    #[schema(max_length = 500, required = false)]
    base_url: String,
    /// Replace the old ones as a whole; never answered
    #[schema(value_type = Object, required = false)]
    credentials: Value,
    /// Merged into the settings that are there
    #[schema(value_type = Option<Object>)]
    settings: Option<Value>,
    /// Merged into the overrides that are there
    throttles: Option<BTreeMap<String, ThrottleOverride>>,
    /// Accounts of one group and provider share their quota
    throttle_group: Option<String>,
    /// Where the provider reaches this gateway: an absolute URL, which the callback path follows
    #[schema(max_length = 500)]
    public_callback_url: Option<String>,
    /// Submissions that may wait before no more are accepted: 429 `queue-full` then
    #[schema(minimum = 1, maximum = 100_000_000)]
    queue_limit: Option<i32>,
}

/// Changes an account.
///
/// Settings and throttles are merged member by member, credentials are replaced as a whole. What is queued goes
/// out as the account then is; lanes know a change of their limits within seconds.
#[utoipa::path(
    patch, path = "/v1/accounts/{account}", operation_id = "updateAccount", tag = "accounts",
    params(
        ("account" = String, Path, description = "Id of the account"),
        ("If-Match" = Option<String>, Header, pattern = r#"^(\*|(W/)?"[^",]*"( *, *(W/)?"[^",]*")*)$"#, description = "The ETag that the change was made for; 412 when the account changed meanwhile"),
    ),
    request_body(content = AccountPatch, content_type = "application/merge-patch+json", description = "What changes; `application/json` is taken too"),
    responses(
        (status = 200, description = "The account, changed", body = AccountView, headers(("ETag" = String))),
        (status = 400, description = "The request cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such account that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "The account changes too fast", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 412, description = "The account changed meanwhile", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The account would not be valid, or a member is read-only", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Path(id): Path<String>,
    _: Params<NoParams>,
    if_match: IfMatch,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    for _ in 0..MOST_LOOKS {
        let stored = read(&state, &caller, &id).await?;
        if_match.require(stored.version)?;
        let version = stored.version;
        let changed = patched(&state, stored, &body.value)?;
        // The names of what changed; credentials are among the values.
        let names = json!({"changed": body.value.as_object().map(|patch| patch.keys().collect::<Vec<_>>())});
        let act = caller.act(Action::UpdateAccount, &id, Some(&id), names);
        if state.store.update_account(&prepare(&state, changed)?, version, &act).await? {
            tracing::info!(account = id, by = %caller.key_id, "account changed");
            let account = AccountView::of(&state, read(&state, &caller, &id).await?).await?;
            return Ok(([(header::ETAG, format!("\"{}\"", account.version))], Json(account)).into_response());
        }
    }
    Err(Problem::new(Kind::StateConflict, "The account changes faster than this change can be made; repeat it."))
}

/// The account with the patch in it, or everything that is wrong with it.
fn patched(state: &AppState, stored: StoredAccount, patch: &Value) -> Result<NewAccountBody, Problem> {
    let Some(members) = patch.as_object() else {
        return Err(Problem::invalid(vec![FieldError::new(
            "",
            "validation.invalid_type",
            "must be an object: a merge patch of the account",
            "必须为对象:账户的合并补丁",
        )]));
    };
    let mut changes = members.clone();
    let mut errors: Vec<FieldError> =
        READ_ONLY.iter().filter(|name| changes.shift_remove(**name).is_some()).map(|name| read_only(name)).collect();
    // They never leave the gateway, so a caller cannot know what a patch of them would be merged into.
    let credentials = match changes.shift_remove("credentials") {
        Some(Value::Null) => None,
        Some(replacing) => Some(replacing),
        None => Some(opened_credentials(state, &stored)?),
    };
    let mut document = document(stored);
    merge_patch(&mut document, &Value::Object(changes));
    if let Some(credentials) = credentials {
        document["credentials"] = credentials;
    }
    errors.extend(errors_of::<NewAccountBody>(&document));
    if !errors.is_empty() {
        return Err(Problem::invalid(errors));
    }
    validate(&document)
}

/// The account as it would be posted, without its credentials.
fn document(stored: StoredAccount) -> Value {
    let StoredAccount {
        id,
        provider,
        display_name,
        base_url,
        credentials: _,
        settings,
        throttles,
        throttle_group,
        public_callback_url,
        callback_token: _,
        queue_limit,
        previous_callback_token_hash: _,
        previous_callback_token_until: _,
        paused_at: _,
        pause_reason: _,
        version: _,
        row: _,
        created_at: _,
        updated_at: _,
    } = stored;
    let mut document = json!({
        "id": id,
        "provider": provider,
        "displayName": display_name,
        "baseUrl": base_url,
        "settings": settings,
        "throttles": throttles,
        "throttleGroup": throttle_group,
    });
    if let Some(url) = public_callback_url {
        document["publicCallbackUrl"] = json!(url);
    }
    if let Some(limit) = queue_limit {
        document["queueLimit"] = json!(limit);
    }
    document
}

fn opened_credentials(state: &AppState, stored: &StoredAccount) -> Result<Value, Problem> {
    let opened = state.vault.open(&Place::Credentials(&stored.id), &stored.credentials).map_err(|error| {
        tracing::error!(%error, account = stored.id, "an account's credentials cannot be opened");
        Problem::new(Kind::Internal, "The account's credentials cannot be opened; send them anew with this change.")
    })?;
    serde_json::from_slice(&opened)
        .map_err(|_| Problem::new(Kind::Internal, "The account's credentials cannot be read; send them anew."))
}
