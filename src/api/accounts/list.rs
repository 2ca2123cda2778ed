//! `GET /v1/accounts`

use axum::Json;
use axum::extract::State;

use super::AccountView;
use crate::api::AppState;
use crate::api::auth::{Caller, Scope};
use crate::api::params::{Page, Paging, Params, page_limit, read_cursor, write_cursor};
use crate::api::problem::{Problem, ProblemDocument};

/// Accounts in the order of their ids.
///
/// Their credentials are never answered. A key that is limited to accounts sees these.
#[utoipa::path(
    get, path = "/v1/accounts", operation_id = "listAccounts", tag = "accounts",
    params(Paging),
    responses(
        (status = 200, description = "A page of accounts", body = Page<AccountView>),
        (status = 400, description = "A parameter cannot be read", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 401, description = "An API key is needed", body = ProblemDocument, content_type = "application/problem+json"),
        (status = 403, description = "The key lacks the scope admin", body = ProblemDocument, content_type = "application/problem+json"),
    ),
    security(("apiKey" = ["admin"])),
)]
pub async fn handler(
    State(state): State<AppState>,
    caller: Caller,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<AccountView>>, Problem> {
    caller.require(Scope::Admin)?;
    let limit = page_limit(paging.limit)?;
    let after = paging.cursor.as_deref().map(read_cursor).transpose()?.unwrap_or_default();
    let accounts = state.store.accounts(&after, limit + 1, caller.accounts()).await?;
    let Page { items: accounts, next_cursor } = Page::cut(accounts, limit, |last| write_cursor(&last.id));
    let mut items = Vec::with_capacity(accounts.len());
    for account in accounts {
        items.push(AccountView::of(&state, account).await?);
    }
    Ok(Json(Page { items, next_cursor }))
}
