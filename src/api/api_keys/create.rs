//! `POST /v1/api-keys`

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::api::AppState;
use crate::api::auth::{Caller, Scope, generate_key, hash};
use crate::api::body::{JsonBody, validate};
use crate::api::params::{NoParams, Params};
use crate::api::problem::{Kind, Problem, ProblemDocument};
use crate::canonical::{Action, FieldError};
use crate::store::api_keys::NewApiKey;

/// An API key to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(as = NewApiKey)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewApiKeyBody {
    /// For people
    #[schema(min_length = 1, max_length = 200)]
    name: String,
    /// What it may do
    #[schema(min_items = 1, max_items = 3)]
    scopes: Vec<Scope>,
    /// Limits it to these accounts; all when absent
    #[schema(min_items = 1, max_items = 200)]
    accounts: Option<Vec<String>>,
    /// When it stops to be valid; never when absent
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<DateTime<Utc>>,
    /// Requests per second that it may send, at each replica; as the gateway is configured when absent
    #[schema(minimum = 1, maximum = 1_000_000)]
    requests_per_second: Option<i32>,
    /// Requests that it may send at once after a rest; as many as in a second when absent
    #[schema(minimum = 1, maximum = 1_000_000)]
    burst: Option<i32>,
}

/// A new API key. The key itself is answered this once.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CreatedApiKey {
    pub id: Uuid,
    /// Send it as `Authorization: Bearer <key>`; it cannot be read again
    pub key: String,
    pub name: String,
    pub scopes: Vec<Scope>,
    #[schema(required)]
    pub accounts: Option<Vec<String>>,
    #[schema(required)]
    pub expires_at: Option<DateTime<Utc>>,
    #[schema(required)]
    pub requests_per_second: Option<i32>,
    #[schema(required)]
    pub burst: Option<i32>,
}

/// Makes an API key.
///
/// This answer alone shows it. A key makes no key that may do more than itself.
#[utoipa::path(
    post, path = "/v1/api-keys", operation_id = "createApiKey", tag = "api keys",
    request_body(content = NewApiKeyBody),
    responses(
        (status = 201, description = "The key, shown this once", body = CreatedApiKey, headers(("Location" = String))),
        (status = 400, description = "The request cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin, or more is asked for than it has itself", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The body is not valid", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    _: Params<NoParams>,
    body: JsonBody,
) -> Result<Response, Problem> {
    caller.require(Scope::Admin)?;
    let NewApiKeyBody { name, scopes, accounts, expires_at, requests_per_second, burst } = validate(&body.value)?;
    // A limited administrator cannot make a key that may do more than its own.
    let beyond = match (&accounts, caller.accounts()) {
        (_, None) => false,
        (None, Some(_)) => true,
        (Some(asked), Some(_)) => asked.iter().any(|account| !caller.may_use(account)),
    };
    if beyond {
        return Err(Problem::new(
            Kind::Forbidden,
            "Your key is limited to accounts; the new one must not go beyond them.",
        ));
    }
    if expires_at.is_some_and(|at| at.timestamp() < 0) {
        return Err(Problem::invalid(vec![FieldError::new(
            "/expiresAt",
            "validation.out_of_range",
            "lies before 1970",
            "早于 1970 年",
        )]));
    }
    let key = generate_key().map_err(|error| Problem::new(Kind::Internal, format!("No key can be made: {error}.")))?;
    let id = Uuid::now_v7();
    let names: Vec<String> = scopes.iter().map(|scope| <&str>::from(scope).to_owned()).collect();
    let chosen = json!({
        "name": name, "scopes": names, "accounts": accounts, "expiresAt": expires_at,
        "requestsPerSecond": requests_per_second, "burst": burst,
    });
    let act = caller.act(Action::CreateApiKey, id, None, chosen);
    let new = NewApiKey {
        id,
        name: &name,
        hash: &hash(&key),
        scopes: &names,
        accounts: accounts.as_deref(),
        expires_at,
        requests_per_second,
        burst,
    };
    state.store.add_api_key(&new, &act).await?;
    tracing::info!(key = %id, by = %caller.key_id, "API key made");
    let created = CreatedApiKey { id, key, name, scopes, accounts, expires_at, requests_per_second, burst };
    let headers = [(header::LOCATION, format!("/v1/api-keys/{id}")), (header::CACHE_CONTROL, "no-store".to_owned())];
    Ok((StatusCode::CREATED, headers, Json(created)).into_response())
}
