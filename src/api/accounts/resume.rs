//! `POST /v1/accounts/{account}/resume`

use axum::Json;
use axum::extract::{Path, State};
use serde_json::json;

use super::{AccountView, read};
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::params::{NoParams, Params};
use crate::api::problem::{Problem, ProblemDocument};
use crate::canonical::Action;
use crate::provider;
use crate::store::lanes::LaneKey;

/// Lets go what is queued for the account.
///
/// It goes in the order in which it was accepted, within the account's quota.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/resume", operation_id = "resumeAccount", tag = "accounts",
    params(("account" = String, Path, description = "Id of the account")),
    responses(
        (status = 200, description = "The account, not paused", body = AccountView),
        (status = 400, description = "There is a query parameter", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 404, description = "There is no such account that the key may see", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Path(account): Path<String>,
    _: Params<NoParams>,
) -> Result<Json<AccountView>, Problem> {
    read(&state, &caller, &account).await?;
    let act = caller.act(Action::ResumeAccount, &account, Some(&account), json!({}));
    state.store.resume_account(&account, &act).await?;
    let resumed = read(&state, &caller, &account).await?;
    for endpoint in provider::find(&resumed.provider).map(|provider| provider.profile().endpoints).unwrap_or_default() {
        state.delivery.wake(&LaneKey {
            provider: resumed.provider.clone(),
            throttle_group: resumed.throttle_group.clone(),
            endpoint: endpoint.id.to_owned(),
        });
    }
    Ok(Json(AccountView::of(&state, resumed).await?))
}
