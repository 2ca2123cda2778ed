//! `DELETE /v1/accounts/{account}/subscriptions/{topic}`

use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde_json::json;

use super::{problem, subscription_of};
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::params::{NoParams, Params};
use crate::api::problem::{Problem, ProblemDocument};
use crate::canonical::Action;

/// Ends a subscription at the provider.
///
/// It may be repeated. The gateway does not subscribe the account to it again by itself.
#[utoipa::path(
    delete, path = "/v1/accounts/{account}/subscriptions/{topic}", operation_id = "deleteSubscription", tag = "accounts",
    params(("account" = String, Path, description = "Id of the account"), ("topic" = String, Path, description = "What is subscribed to; GET /v1/providers/{provider} lists the topics")),
    responses(
        (status = 204, description = "The provider does not call about this any more"),
        (status = 400, description = "There is a query parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such account that the key may see, or no such topic", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The provider takes no subscriptions", body = ProblemDocument, content_type = "application/problem+json"),
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
) -> Result<StatusCode, Problem> {
    let (account, _) = subscription_of(&state, &caller, &account, &topic).await?;
    state.upkeep.unsubscribe(&account, &topic).await.map_err(|error| problem(&account, error))?;
    let act = caller.act(Action::DeleteSubscription, &topic, Some(&account.id), json!({"topic": topic}));
    state.store.record(&act).await?;
    tracing::info!(account = account.id, topic, by = %caller.key_id, "subscription ended");
    Ok(StatusCode::NO_CONTENT)
}
