//! `GET /v1/accounts/{account}/subscriptions/{topic}`

use axum::Json;
use axum::extract::{Path, State};

use super::{SubscriptionView, subscription_of, view};
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::params::{NoParams, Params};
use crate::api::problem::{Problem, ProblemDocument};

/// What the account's provider was asked to call about.
///
/// As the gateway knows it: providers cannot be asked what they were asked.
#[utoipa::path(
    get, path = "/v1/accounts/{account}/subscriptions/{topic}", operation_id = "getSubscription", tag = "accounts",
    params(("account" = String, Path, description = "Id of the account"), ("topic" = String, Path, description = "What is subscribed to; GET /v1/providers/{provider} lists the topics")),
    responses(
        (status = 200, description = "The subscription", body = SubscriptionView),
        (status = 400, description = "There is a query parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such account that the key may see, or no such topic, or no subscription to it", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 422, description = "The provider takes no subscriptions", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Path((account, topic)): Path<(String, String)>,
    _: Params<NoParams>,
) -> Result<Json<SubscriptionView>, Problem> {
    let (account, _) = subscription_of(&state, &caller, &account, &topic).await?;
    Ok(Json(view(&state, &account, &topic).await?))
}
