//! `POST /v1/accounts/{account}/pause`

use axum::Json;
use axum::extract::{Path, State};
use serde_json::json;

use super::{AccountView, read};
use crate::api::AppState;
use crate::api::auth::Caller;
use crate::api::params::{NoParams, Params};
use crate::api::problem::{Problem, ProblemDocument};
use crate::canonical::Action;

/// Holds what is queued for the account.
///
/// Orders are accepted as before, and wait. What is on its way goes on.
#[utoipa::path(
    post, path = "/v1/accounts/{account}/pause", operation_id = "pauseAccount", tag = "accounts",
    params(("account" = String, Path, description = "Id of the account")),
    responses(
        (status = 200, description = "The account, paused", body = AccountView),
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
    let act = caller.act(Action::PauseAccount, &account, Some(&account), json!({}));
    state.store.pause_account(&account, "paused by an administrator", &act).await?;
    Ok(Json(AccountView::of(&state, read(&state, &caller, &account).await?).await?))
}
