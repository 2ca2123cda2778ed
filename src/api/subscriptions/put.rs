//! `PUT /v1/accounts/{account}/subscriptions/{topic}`

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;
use serde_json::json;
use utoipa::ToSchema;

use super::{SubscriptionView, problem, subscription_of, view};
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::body::{JsonBody, validate};
use crate::api::params::{NoParams, Params};
use crate::api::problem::{Problem, ProblemDocument};
use crate::canonical::Action;

/// What the provider shall call about, and where.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewSubscription)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Wish {
    /// By the provider's words, see GET /v1/providers/{provider}; all when absent
    #[serde(default)]
    #[schema(min_items = 1, max_items = 32)]
    states: Option<Vec<String>>,
    /// Where it shall call; the account's own callbacks when absent
    #[serde(default)]
    #[schema(max_length = 512, format = "uri")]
    callback_url: Option<String>,
}

/// Subscribes the account to its provider's callbacks.
///
/// In the place of an earlier subscription. Accounts with a `publicCallbackUrl` are subscribed to everything by
/// themselves.
#[utoipa::path(
    put, path = "/v1/accounts/{account}/subscriptions/{topic}", operation_id = "putSubscription", tag = "accounts",
    params(("account" = String, Path, description = "Id of the account"), ("topic" = String, Path, description = "What is subscribed to; GET /v1/providers/{provider} lists the topics")),
    request_body(content = Wish),
    responses(
        (status = 200, description = "The provider agreed", body = SubscriptionView),
        (status = 400, description = "The request cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such account that the key may see, or no such topic", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 409, description = "No callbackUrl is named, and the account has no publicCallbackUrl", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 413, description = "The body is too large", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 415, description = "The body is not JSON", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The body is not valid, or the provider takes no subscriptions", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 429, description = "The quota at the provider is used up for now", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 502, description = "The provider refused, or was not understood", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 504, description = "The provider did not answer in time", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Path((account, topic)): Path<(String, String)>,
    _: Params<NoParams>,
    body: JsonBody,
) -> Result<Json<SubscriptionView>, Problem> {
    let (account, _) = subscription_of(&state, &caller, &account, &topic).await?;
    let Wish { states, callback_url } = validate(&body.value)?;
    // The address may have a secret in it.
    let chosen = json!({"topic": topic, "states": states, "elsewhere": callback_url.is_some()});
    let act = caller.act(Action::PutSubscription, &topic, Some(&account.id), chosen);
    let made = state.upkeep.subscribe(&account, &topic, states.unwrap_or_default(), callback_url).await;
    made.map_err(|error| problem(&account, error))?;
    state.store.record(&act).await?;
    tracing::info!(account = account.id, topic, by = %caller.key_id, "subscribed");
    Ok(Json(view(&state, &account, &topic).await?))
}
